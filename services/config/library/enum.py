# Members are made when their class is announced to this one; what Python's metaclass does for the class
# itself stands in the methods __class_...__, which the language asks for.

class auto:
  pass

def _is_member(name, value):
  if name.startswith('_') and name.endswith('_') or isinstance(value, (property, staticmethod, classmethod, type)):
    return False
  return isinstance(value, auto) or not callable(value) and not hasattr(value, '__get__')

class Enum:
  _member_map_, _values_ = {}, []

  def __init_subclass__(cls, **kwargs):
    for base in cls.__mro__[1:]:
      if base.__dict__.get('_member_map_'):
        raise TypeError('%s: cannot extend enumeration %r' % (cls.__name__, base.__name__))
    names = [name for name in list(cls.__dict__) if _is_member(name, cls.__dict__[name])]
    cls._member_map_ = {}
    cls._values_ = []
    mixed = [base for base in cls.__mro__ if base in (int, str, float, tuple)]
    for name in names:
      value = cls.__dict__[name]
      if isinstance(value, auto):
        value = cls._generate_next_value_(name, 1, len(cls._values_), [v for v, m in cls._values_])
      cls._member_map_[name] = cls._make_member(name, value, mixed)
      setattr(cls, name, cls._member_map_[name])

  @staticmethod
  def _generate_next_value_(name, start, count, last_values):
    numbers = [value for value in last_values if isinstance(value, int)]
    return max(numbers) + 1 if numbers else start

  @classmethod
  def _make_member(cls, name, value, mixed):
    for known, member in cls._values_:
      if known == value:
        return member
    args = value if isinstance(value, tuple) else (value,)
    member = mixed[0].__new__(cls, *args) if mixed else object.__new__(cls)
    object.__setattr__(member, '_name_', name)
    object.__setattr__(member, '_value_', value)
    if '__init__' in cls.__dict__:
      member.__init__(*args)
    cls._values_.append((member._value_, member))
    return member

  @classmethod
  def __class_call__(cls, value, names=None, **kwargs):
    if not cls._member_map_:
      return cls._make_class(value, names)
    for known, member in cls._values_:
      if known == value or member is value:
        return member
    return cls._missing_(value)

  # Enum('Name', 'a b'), Enum('Name', ['a', 'b']), Enum('Name', {'a': 1})
  @classmethod
  def _make_class(cls, name, names):
    if isinstance(names, str):
      names = names.replace(',', ' ').split()
    if isinstance(names, dict):
      return type(name, (cls,), dict(names))
    pairs = [item if isinstance(item, tuple) else (item, at) for at, item in enumerate(names, 1)]
    return type(name, (cls,), dict(pairs))

  @classmethod
  def _missing_(cls, value):
    raise ValueError('%r is not a valid %s' % (value, cls.__qualname__))

  @classmethod
  def __class_getitem__(cls, name):
    return cls._member_map_[name]

  @classmethod
  def __class_iter__(cls):
    return iter([member for value, member in cls._values_])

  @classmethod
  def __class_len__(cls):
    return len(cls._values_)

  @classmethod
  def __class_contains__(cls, member):
    return isinstance(member, cls)

  @classmethod
  def __class_repr__(cls):
    return '<enum %r>' % cls.__name__

  @classmethod
  def __class_members__(cls):
    return dict(cls._member_map_)

  @property
  def name(self):
    return self._name_

  @property
  def value(self):
    return self._value_

  def __repr__(self):
    return '<%s.%s: %r>' % (type(self).__name__, self._name_, self._value_)

  def __str__(self):
    return '%s.%s' % (type(self).__name__, self._name_)

  def __format__(self, spec):
    return format(str(self), spec)

  def __setattr__(self, name, value):
    if name in ('name', 'value'):
      raise AttributeError("<enum %r> cannot set attribute %r" % (type(self).__name__, name))
    object.__setattr__(self, name, value)

  def __copy__(self):
    return self

  def __deepcopy__(self, memo):
    return self

class IntEnum(int, Enum):
  def __str__(self):
    return str(self._value_)

  def __format__(self, spec):
    return format(self._value_, spec)

class StrEnum(str, Enum):
  @staticmethod
  def _generate_next_value_(name, start, count, last_values):
    return name.lower()

  def __str__(self):
    return self._value_

  def __format__(self, spec):
    return format(self._value_, spec)

def unique(cls):
  aliases = [(name, member.name) for name, member in cls._member_map_.items() if name != member.name]
  if aliases:
    raise ValueError('duplicate values found in %r: %s'
                     % (cls, ', '.join(['%s -> %s' % pair for pair in aliases])))
  return cls
