from functools import wraps as _wraps

class FrozenInstanceError(AttributeError):
  pass

class _Missing:
  def __repr__(self):
    return '<dataclasses._MISSING_TYPE object>'

class KW_ONLY:
  pass

MISSING = _Missing()

class Field:
  def __init__(self, default=MISSING, default_factory=MISSING, init=True, repr=True, hash=None, compare=True,
               metadata=None, kw_only=MISSING):
    if default is not MISSING and default_factory is not MISSING:
      raise ValueError('cannot specify both default and default_factory')
    self.name = self.type = None
    self.default, self.default_factory, self.init, self.repr = default, default_factory, init, repr
    self.hash, self.compare, self.metadata, self.kw_only = hash, compare, metadata or {}, kw_only

  def _value(self):
    return self.default_factory() if self.default_factory is not MISSING else self.default

  def _has_value(self):
    return self.default is not MISSING or self.default_factory is not MISSING

def field(*, default=MISSING, default_factory=MISSING, init=True, repr=True, hash=None, compare=True, metadata=None,
          kw_only=MISSING):
  return Field(default, default_factory, init, repr, hash, compare, metadata, kw_only)

def _collect(cls, kw_only):
  found = {}
  for base in reversed(cls.__mro__[1:]):
    found.update(base.__dict__.get('__dataclass_fields__', {}))
  own = cls.__dict__.get('__annotations__', {})
  for name in own:
    if own[name].split('.')[-1] == 'KW_ONLY':
      kw_only = True
      continue
    if own[name].split('[')[0].split('.')[-1] in ('ClassVar', 'InitVar'):
      continue
    value = cls.__dict__.get(name, MISSING)
    made = value if isinstance(value, Field) else Field(value)
    if isinstance(made.default, (list, dict, set)):
      raise ValueError('mutable default %r for field %s is not allowed: use default_factory' % (type(made.default), name))
    made.name, made.type = name, own[name]
    if made.kw_only is MISSING:
      made.kw_only = kw_only
    if isinstance(value, Field):
      if made.default is MISSING:
        delattr(cls, name)
      else:
        setattr(cls, name, made.default)
    found[name] = made
  return found

def _listed(names):
  names = [repr(name) for name in names]
  return ' and '.join(names) if len(names) < 3 else ', '.join(names[:-1]) + ', and ' + names[-1]

def _make_init(cls, fields, frozen):
  positional = [f for f in fields if f.init and not f.kw_only]
  known = {f.name: f for f in fields if f.init}
  what = cls.__qualname__ + '.__init__()'
  has_value = False
  for f in positional:
    if has_value and not f._has_value():
      raise TypeError('non-default argument %r follows default argument' % f.name)
    has_value = has_value or f._has_value()
  def __init__(self, *args, **kwargs):
    if len(args) > len(positional):
      takes, least = len(positional) + 1, len([f for f in positional if not f._has_value()]) + 1
      span = '%d' % takes if takes == least else 'from %d to %d' % (least, takes)
      raise TypeError('%s takes %s positional argument%s but %d were given'
                      % (what, span, '' if takes == 1 else 's', len(args) + 1))
    values = {f.name: value for f, value in zip(positional, args)}
    for name in kwargs:
      if name not in known:
        raise TypeError('%s got an unexpected keyword argument %r' % (what, name))
      if name in values:
        raise TypeError('%s got multiple values for argument %r' % (what, name))
      values[name] = kwargs[name]
    for kind, wanted in (('positional', positional), ('keyword-only', [f for f in fields if f.init and f.kw_only])):
      missing = [f.name for f in wanted if f.name not in values and not f._has_value()]
      if missing:
        raise TypeError('%s missing %d required %s argument%s: %s'
                        % (what, len(missing), kind, '' if len(missing) == 1 else 's', _listed(missing)))
    for f in fields:
      if f.name in values:
        object.__setattr__(self, f.name, values[f.name]) if frozen else setattr(self, f.name, values[f.name])
      elif f._has_value():
        object.__setattr__(self, f.name, f._value()) if frozen else setattr(self, f.name, f._value())
    if hasattr(self, '__post_init__'):
      self.__post_init__()
  return __init__

def _key(obj, fields):
  return tuple([getattr(obj, f.name) for f in fields if f.compare])

def _make_repr(fields):
  def __repr__(self):
    shown = ['%s=%r' % (f.name, getattr(self, f.name)) for f in fields if f.repr]
    return '%s(%s)' % (type(self).__qualname__, ', '.join(shown))
  return __repr__

def _add(cls, name, function):
  if name not in cls.__dict__:
    setattr(cls, name, function)

def _add_order(cls, fields):
  def ordered(name, operation):
    if name in cls.__dict__:
      raise TypeError('Cannot overwrite attribute %s in class %s. Consider using functools.total_ordering'
                      % (name, cls.__name__))
    def method(self, other):
      if type(other) is not type(self):
        return NotImplemented
      return operation(_key(self, fields), _key(other, fields))
    setattr(cls, name, method)
  ordered('__lt__', lambda a, b: a < b)
  ordered('__le__', lambda a, b: a <= b)
  ordered('__gt__', lambda a, b: a > b)
  ordered('__ge__', lambda a, b: a >= b)

def _freeze(cls, names):
  def __setattr__(self, name, value):
    if type(self) is cls or name in names:
      raise FrozenInstanceError('cannot assign to field %r' % name)
    object.__setattr__(self, name, value)
  def __delattr__(self, name):
    if type(self) is cls or name in names:
      raise FrozenInstanceError('cannot delete field %r' % name)
    object.__delattr__(self, name)
  cls.__setattr__, cls.__delattr__ = __setattr__, __delattr__

def _process(cls, init, repr, eq, order, unsafe_hash, frozen, kw_only):
  found = _collect(cls, kw_only)
  fields = list(found.values())
  cls.__dataclass_fields__ = found
  cls.__match_args__ = tuple([f.name for f in fields if f.init and not f.kw_only])
  if init:
    _add(cls, '__init__', _make_init(cls, fields, frozen))
  if repr:
    _add(cls, '__repr__', _make_repr(fields))
  if order and not eq:
    raise ValueError('eq must be true if order is true')
  own_hash = '__hash__' in cls.__dict__
  if eq:
    def __eq__(self, other):
      if type(other) is not type(self):
        return NotImplemented
      return _key(self, fields) == _key(other, fields)
    _add(cls, '__eq__', __eq__)
  if order:
    _add_order(cls, fields)
  if unsafe_hash or eq and frozen:
    _add(cls, '__hash__', lambda self: hash(_key(self, fields)))
  elif eq and not own_hash:
    cls.__hash__ = None
  if frozen:
    _freeze(cls, set(found))
  return cls

def dataclass(cls=None, *, init=True, repr=True, eq=True, order=False, unsafe_hash=False, frozen=False,
              match_args=True, kw_only=False, slots=False):
  def wrap(cls):
    return _process(cls, init, repr, eq, order, unsafe_hash, frozen, kw_only)
  return wrap if cls is None else wrap(cls)

def is_dataclass(obj):
  return hasattr(obj if isinstance(obj, type) else type(obj), '__dataclass_fields__')

def fields(class_or_instance):
  if not is_dataclass(class_or_instance):
    raise TypeError('must be called with a dataclass type or instance')
  return tuple(class_or_instance.__dataclass_fields__.values())

def _convert(value, factory):
  if is_dataclass(value) and not isinstance(value, type):
    return factory([(f.name, _convert(getattr(value, f.name), factory)) for f in fields(value)])
  if isinstance(value, (list, tuple)):
    items = [_convert(item, factory) for item in value]
    return type(value)(*items) if hasattr(value, '_fields') else type(value)(items)
  if isinstance(value, dict):
    return {_convert(key, factory): _convert(value[key], factory) for key in value}
  return value

def asdict(obj, *, dict_factory=dict):
  if not is_dataclass(obj) or isinstance(obj, type):
    raise TypeError('asdict() should be called on dataclass instances')
  return _convert(obj, dict_factory)

def astuple(obj, *, tuple_factory=tuple):
  if not is_dataclass(obj) or isinstance(obj, type):
    raise TypeError('astuple() should be called on dataclass instances')
  return _convert(obj, lambda pairs: tuple_factory([value for name, value in pairs]))

def replace(obj, **changes):
  values = {f.name: getattr(obj, f.name) for f in fields(obj) if f.init}
  values.update(changes)
  return type(obj)(**values)
