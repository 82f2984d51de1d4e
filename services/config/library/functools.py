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

def cached_property(function):
  return property(function)
