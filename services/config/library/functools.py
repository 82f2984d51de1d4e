from functools import wraps

def total_ordering(cls):
  def derive(root):
    def less(a, b):
      return root(a, b)
    return less
  roots = [name for name in ('__lt__', '__le__', '__gt__', '__ge__') if hasattr(cls, name)]
  if not roots:
    raise ValueError('must define at least one ordering operation: < > <= >=')
  if '__lt__' in roots:
    less = lambda a, b: cls.__lt__(a, b)
  elif '__gt__' in roots:
    less = lambda a, b: cls.__gt__(b, a)
  elif '__le__' in roots:
    less = lambda a, b: not cls.__le__(b, a)
  else:
    less = lambda a, b: not cls.__ge__(a, b)
  derived = {
    '__lt__': lambda a, b: less(a, b),
    '__gt__': lambda a, b: not less(a, b) and a != b,
    '__le__': lambda a, b: less(a, b) or a == b,
    '__ge__': lambda a, b: not less(a, b),
  }
  for name in derived:
    if name not in roots:
      setattr(cls, name, derived[name])
  return cls

class cached_property:
  def __init__(self, function):
    self.function = function
    self.__doc__ = function.__doc__

  def __get__(self, instance, owner=None):
    if instance is None:
      return self
    value = self.function(instance)
    instance.__dict__[self.function.__name__] = value
    return value

class partialmethod:
  def __init__(self, function, *args, **kwargs):
    self.function, self.args, self.kwargs = function, args, kwargs

  def __get__(self, instance, owner=None):
    def method(*args, **kwargs):
      return self.function(instance, *self.args, *args, **{**self.kwargs, **kwargs})
    return method

WRAPPER_ASSIGNMENTS = ('__module__', '__name__', '__qualname__', '__doc__', '__annotations__')
WRAPPER_UPDATES = ('__dict__',)

def update_wrapper(wrapper, wrapped, assigned=WRAPPER_ASSIGNMENTS, updated=WRAPPER_UPDATES):
  return wraps(wrapped)(wrapper)

def singledispatch(function):
  registry = {object: function}
  def dispatch(cls):
    for base in cls.__mro__:
      if base in registry:
        return registry[base]
    return function
  def register(cls, method=None):
    if method is None:
      return lambda method: register(cls, method)
    registry[cls] = method
    return method
  @wraps(function)
  def wrapper(*args, **kwargs):
    if not args:
      raise TypeError('%s requires at least 1 positional argument' % function.__name__)
    return dispatch(type(args[0]))(*args, **kwargs)
  wrapper.register, wrapper.dispatch, wrapper.registry = register, dispatch, registry
  return wrapper
