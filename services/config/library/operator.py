_abs, _pow = abs, pow

def abs(a): return _abs(a)
def and_(a, b): return a & b
def concat(a, b): return a + b
def contains(a, b): return b in a
def countOf(a, b): return len([item for item in a if item is b or item == b])
def delitem(a, b): del a[b]
def eq(a, b): return a == b
def ge(a, b): return a >= b
def getitem(a, b): return a[b]
def gt(a, b): return a > b
def iadd(a, b): a += b; return a
def iand(a, b): a &= b; return a
def iconcat(a, b): a += b; return a
def ifloordiv(a, b): a //= b; return a
def imod(a, b): a %= b; return a
def imul(a, b): a *= b; return a
def ior(a, b): a |= b; return a
def isub(a, b): a -= b; return a
def itruediv(a, b): a /= b; return a
def ixor(a, b): a ^= b; return a
def index(a): return range(a).stop
def inv(a): return ~a
def invert(a): return ~a
def is_(a, b): return a is b
def is_not(a, b): return a is not b
def le(a, b): return a <= b
def lshift(a, b): return a << b
def lt(a, b): return a < b
def matmul(a, b): return a @ b
def ne(a, b): return a != b
def neg(a): return -a
def not_(a): return not a
def or_(a, b): return a | b
def pos(a): return +a
def pow(a, b): return a ** b
def rshift(a, b): return a >> b
def setitem(a, b, c): a[b] = c
def truth(a): return True if a else False
def xor(a, b): return a ^ b

def indexOf(a, b):
  for i, item in enumerate(a):
    if item is b or item == b:
      return i
  raise ValueError('sequence.index(x): x not in sequence')

def length_hint(obj, default=0):
  return len(obj) if hasattr(obj, '__len__') else default

def methodcaller(name, *args, **kwargs):
  if not isinstance(name, str):
    raise TypeError('method name must be a string')
  return lambda obj: getattr(obj, name)(*args, **kwargs)

def attrgetter(attr, *attrs):
  def resolve(obj, path):
    for name in path.split('.'):
      obj = getattr(obj, name)
    return obj
  for name in (attr,) + attrs:
    if not isinstance(name, str):
      raise TypeError('attribute name must be a string')
  if not attrs:
    return lambda obj: resolve(obj, attr)
  return lambda obj: tuple([resolve(obj, name) for name in (attr,) + attrs])
