from math import copysign, floor, fmod, gcd, isinf, pi, sqrt
tau = 2 * pi

def _whole(n):
  if not isinstance(n, int):
    raise TypeError("'%s' object cannot be interpreted as an integer" % type(n).__name__)
  return n

def fsum(seq):
  partials = []
  for x in seq:
    x = float(x)
    i = 0
    for y in partials:
      if abs(x) < abs(y):
        x, y = y, x
      hi = x + y
      lo = y - (hi - x)
      if lo:
        partials[i] = lo
        i += 1
      x = hi
    partials[i:] = [x]
  return sum(partials, 0.0)

def isqrt(n):
  if _whole(n) < 0:
    raise ValueError('isqrt() argument must be nonnegative')
  if n == 0:
    return 0
  x = 1 << (n.bit_length() + 1) // 2
  while True:
    y = (x + n // x) // 2
    if y >= x:
      return x
    x = y

def comb(n, k):
  if _whole(n) < 0:
    raise ValueError('n must be a non-negative integer')
  if _whole(k) < 0:
    raise ValueError('k must be a non-negative integer')
  if k > n:
    return 0
  result = 1
  for i in range(1, (k if k < n - k else n - k) + 1):
    result = result * (n - i + 1) // i
  return result

def perm(n, k=None):
  if _whole(n) < 0:
    raise ValueError('n must be a non-negative integer')
  k = n if k is None else k
  if _whole(k) < 0:
    raise ValueError('k must be a non-negative integer')
  if k > n:
    return 0
  result = 1
  for i in range(n - k + 1, n + 1):
    result *= i
  return result

def lcm(*integers):
  result = 1
  for n in integers:
    if _whole(n) == 0:
      result = 0
    result = result and abs(result * n) // gcd(result, n)
  return result

def modf(x):
  x = float(x)
  if isinf(x):
    return copysign(0.0, x), x
  whole = copysign(float(floor(abs(x))), x) if x == x else x
  return (copysign(x - whole, x), whole)

def frexp(x):
  x = float(x)
  if x == 0 or x != x or isinf(x):
    return x, 0
  exponent = 0
  while abs(x) >= 1:
    x /= 2
    exponent += 1
  while abs(x) < 0.5:
    x *= 2
    exponent -= 1
  return x, exponent

def ldexp(x, i):
  try:
    return float(x) * 2.0 ** i
  except OverflowError:
    raise OverflowError('math range error')

def dist(p, q):
  p, q = list(map(float, p)), list(map(float, q))
  if len(p) != len(q):
    raise ValueError('both points must have the same number of dimensions')
  return sqrt(fsum((a - b) * (a - b) for a, b in zip(p, q)))

def isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0):
  if rel_tol < 0 or abs_tol < 0:
    raise ValueError('tolerances must be non-negative')
  if a == b:
    return True
  if isinf(a) or isinf(b):
    return False
  return abs(a - b) <= max(rel_tol * max(abs(a), abs(b)), abs_tol)

def remainder(x, y):
  x, y = float(x), float(y)
  if x != x or y != y:
    return x + y
  if y == 0 or isinf(x):
    raise ValueError('math domain error')
  if isinf(y):
    return x
  rest, y = fmod(abs(x), abs(y)), abs(y)
  if rest > y - rest or rest == y - rest and fmod(abs(x) - rest, 2 * y) != 0:
    rest -= y
  return copysign(1.0, x) * rest

def ulp(x):
  x = abs(float(x))
  if x != x or isinf(x):
    return x
  return ldexp(1.0, max(frexp(x)[1] - 53, -1074))

def nextafter(x, y):
  x, y = float(x), float(y)
  if x != x or y != y:
    return x + y
  if x == y:
    return y
  if x == 0:
    return copysign(ldexp(1.0, -1074), y)
  away = (y > x) == (x > 0)
  step = ulp(x)
  if not away and frexp(abs(x))[0] == 0.5 and step > ldexp(1.0, -1074):
    step /= 2
  return x + copysign(step, x if away else -x)

def sumprod(p, q):
  return sum([a * b for a, b in zip(p, q, strict=True)])
