class deque(list):
  def __init__(self, iterable=(), maxlen=None):
    super().__init__()
    if maxlen is not None and maxlen < 0:
      raise ValueError('maxlen must be non-negative')
    self.maxlen = maxlen
    self.extend(iterable)
  def append(self, x):
    list.append(self, x)
    if self.maxlen is not None and len(self) > self.maxlen:
      list.pop(self, 0)
  def appendleft(self, x):
    list.insert(self, 0, x)
    if self.maxlen is not None and len(self) > self.maxlen:
      list.pop(self)
  def insert(self, i, x):
    if self.maxlen is not None and len(self) >= self.maxlen:
      raise IndexError('deque already at its maximum size')
    list.insert(self, i, x)
  def extend(self, iterable):
    for x in list(iterable):
      self.append(x)
  def extendleft(self, iterable):
    for x in list(iterable):
      self.appendleft(x)
  def __getitem__(self, i):
    if isinstance(i, slice):
      raise TypeError("sequence index must be integer, not 'slice'")
    if isinstance(i, int) and not -len(self) <= i < len(self):
      raise IndexError('deque index out of range')
    return list.__getitem__(self, i)
  def index(self, x, *span):
    try:
      return list.index(self, x, *span)
    except ValueError:
      raise ValueError('%r is not in deque' % (x,)) from None
  def remove(self, x):
    if x not in self:
      raise ValueError('%r is not in deque' % (x,))
    list.remove(self, x)
  def pop(self):
    if not len(self):
      raise IndexError('pop from an empty deque')
    return list.pop(self)
  def popleft(self):
    if not len(self):
      raise IndexError('pop from an empty deque')
    return list.pop(self, 0)
  def rotate(self, n=1):
    if len(self) > 1:
      items, at = list(self), -n % len(self)
      self[:] = items[at:] + items[:at]
  def copy(self):
    return deque(self, self.maxlen)
  def __add__(self, other):
    return deque(list(self) + list(other), self.maxlen)
  def __iadd__(self, other):
    self.extend(other)
    return self
  def __eq__(self, other):
    return isinstance(other, deque) and list(self) == list(other)
  def __ne__(self, other):
    return not self == other
  def __repr__(self):
    end = '' if self.maxlen is None else ', maxlen=%d' % self.maxlen
    return 'deque(%s%s)' % (repr(list(self)), end)

class ChainMap:
  def __init__(self, *maps):
    self.maps = list(maps) or [{}]
  def __getitem__(self, key):
    for mapping in self.maps:
      if key in mapping:
        return mapping[key]
    return self.__missing__(key)
  def __missing__(self, key):
    raise KeyError(key)
  def get(self, key, default=None):
    return self[key] if key in self else default
  def __len__(self):
    return len(self._merged())
  def _merged(self):
    merged = {}
    for mapping in reversed(self.maps):
      merged.update(mapping)
    return merged
  def __iter__(self):
    return iter(self._merged())
  def __contains__(self, key):
    return any(key in mapping for mapping in self.maps)
  def __bool__(self):
    return any(self.maps)
  def __repr__(self):
    return 'ChainMap(%s)' % ', '.join([repr(mapping) for mapping in self.maps])
  def __eq__(self, other):
    return self._merged() == (other._merged() if isinstance(other, ChainMap) else other)
  def __or__(self, other):
    made = self.copy()
    made.maps[0].update(other)
    return made
  def keys(self):
    return self._merged().keys()
  def values(self):
    return self._merged().values()
  def items(self):
    return self._merged().items()
  def copy(self):
    return ChainMap(self.maps[0].copy(), *self.maps[1:])
  def new_child(self, m=None, **kwargs):
    m = {} if m is None else m
    m.update(kwargs)
    return ChainMap(m, *self.maps)
  @property
  def parents(self):
    return ChainMap(*self.maps[1:])
  def __setitem__(self, key, value):
    self.maps[0][key] = value
  def __delitem__(self, key):
    if key not in self.maps[0]:
      raise KeyError('Key not found in the first mapping: %r' % (key,))
    del self.maps[0][key]
  def pop(self, key, *default):
    if key not in self.maps[0] and not default:
      raise KeyError('Key not found in the first mapping: %r' % (key,))
    return self.maps[0].pop(key, *default)
  def setdefault(self, key, default=None):
    if key not in self:
      self[key] = default
    return self[key]
  def update(self, *args, **kwargs):
    self.maps[0].update(*args, **kwargs)
  def clear(self):
    self.maps[0].clear()

_keywords = frozenset('False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split())

def _checked_names(typename, names, rename):
  seen = set()
  for i, name in enumerate(names):
    if rename and (not name.isidentifier() or name in _keywords or name.startswith('_') or name in seen):
      names[i] = '_%d' % i
    seen.add(name)
  for name in [typename] + names:
    if not name.isidentifier():
      raise ValueError('Type names and field names must be valid identifiers: %r' % name)
    if name in _keywords:
      raise ValueError('Type names and field names cannot be a keyword: %r' % name)
  seen = set()
  for name in names:
    if name.startswith('_') and not rename:
      raise ValueError('Field names cannot start with an underscore: %r' % name)
    if name in seen:
      raise ValueError('Encountered duplicate field name: %r' % name)
    seen.add(name)
  return tuple(names)

def _listed(names):
  names = [repr(name) for name in names]
  if len(names) < 3:
    return ' and '.join(names)
  return ', '.join(names[:-1]) + ', and ' + names[-1]

def _immutable(self, value):
  raise AttributeError("can't set attribute")

def _field(index):
  return property(lambda self: tuple.__getitem__(self, index), _immutable)

def _given(what, fields, defaults, args, kwargs):
  if len(args) > len(fields):
    takes = len(fields) + 1
    least = takes - len(defaults)
    span = 'from %d to %d' % (least, takes) if defaults else '%d' % takes
    raise TypeError('%s takes %s positional argument%s but %d were given'
                    % (what, span, '' if takes == 1 else 's', len(args) + 1))
  items = list(args)
  for name in kwargs:
    if name not in fields:
      raise TypeError('%s got an unexpected keyword argument %r' % (what, name))
    if name in fields[:len(args)]:
      raise TypeError('%s got multiple values for argument %r' % (what, name))
  missing = [name for name in fields[len(args):] if name not in kwargs and name not in defaults]
  if missing:
    raise TypeError('%s missing %d required positional argument%s: %s'
                    % (what, len(missing), '' if len(missing) == 1 else 's', _listed(missing)))
  return items + [kwargs[name] if name in kwargs else defaults[name] for name in fields[len(args):]]

def namedtuple(typename, field_names, *, rename=False, defaults=None, module=None):
  if isinstance(field_names, str):
    field_names = field_names.replace(',', ' ').split()
  typename = str(typename)
  fields = _checked_names(typename, [str(name) for name in field_names], rename)
  field_defaults = {}
  if defaults is not None:
    defaults = tuple(defaults)
    if len(defaults) > len(fields):
      raise TypeError('Got more default values than field names')
    field_defaults = dict(zip(fields[len(fields) - len(defaults):], defaults))
  what = typename + '.__new__()'
  def __new__(cls, *args, **kwargs):
    return tuple.__new__(cls, _given(what, fields, field_defaults, args, kwargs))
  def _make(cls, iterable):
    made = tuple.__new__(cls, iterable)
    if len(made) != len(fields):
      raise TypeError('Expected %d arguments, got %d' % (len(fields), len(made)))
    return made
  def _replace(self, **kwargs):
    unknown = [name for name in kwargs if name not in fields]
    if unknown:
      raise ValueError('Got unexpected field names: %r' % unknown)
    return self._make([kwargs.get(name, item) for name, item in zip(fields, self)])
  def _asdict(self):
    return dict(zip(fields, self))
  def __repr__(self):
    return '%s(%s)' % (type(self).__name__, ', '.join(['%s=%r' % pair for pair in zip(fields, self)]))
  body = {
    '__doc__': '%s(%s)' % (typename, ', '.join(fields)),
    '__match_args__': fields,
    '__new__': __new__,
    '__repr__': __repr__,
    '_asdict': _asdict,
    '_field_defaults': field_defaults,
    '_fields': fields,
    '_make': classmethod(_make),
    '_replace': _replace,
  }
  for index, name in enumerate(fields):
    body[name] = _field(index)
  return type(typename, (tuple,), body)
