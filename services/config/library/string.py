import re

ascii_lowercase = 'abcdefghijklmnopqrstuvwxyz'
ascii_uppercase = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
ascii_letters = ascii_lowercase + ascii_uppercase
digits = '0123456789'
hexdigits = digits + 'abcdef' + 'ABCDEF'
octdigits = '01234567'
punctuation = r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""
whitespace = ' \t\n\r\v\f'
printable = digits + ascii_letters + punctuation + whitespace

def capwords(s, sep=None):
  return (sep or ' ').join(map(str.capitalize, s.split(sep)))

class Template:
  delimiter = '$'
  idpattern = '[_a-zA-Z][_a-zA-Z0-9]*'
  braceidpattern = None
  flags = re.IGNORECASE

  def __init__(self, template):
    self.template = template

  def _compiled(self):
    names = {'d': re.escape(self.delimiter), 'i': self.idpattern, 'b': self.braceidpattern or self.idpattern}
    text = r'%(d)s(?:(?P<escaped>%(d)s)|(?P<named>%(i)s)|\{(?P<braced>%(b)s)\}|(?P<invalid>))' % names
    return re.compile(text, self.flags)

  def _invalid(self, found):
    at = found.start('invalid')
    lines = self.template[:at].splitlines(keepends=True)
    column = at - len(''.join(lines[:-1])) if lines else 1
    raise ValueError('Invalid placeholder in string: line %d, col %d' % (max(1, len(lines)), column))

  def _filled(self, args, kwargs, missing):
    if len(args) > 1:
      raise TypeError('substitute() takes from 1 to 2 positional arguments but %d were given' % (len(args) + 1))
    def value(name):
      if args and name not in kwargs:
        return args[0][name]
      return kwargs[name]
    def replace(found):
      name = found.group('named') or found.group('braced')
      if name is not None:
        return missing(value, name, found)
      if found.group('escaped') is not None:
        return self.delimiter
      return missing(None, None, found)
    return self._compiled().sub(replace, self.template)

  def substitute(self, *args, **kwargs):
    def strict(value, name, found):
      if value is None:
        self._invalid(found)
      return str(value(name))
    return self._filled(args, kwargs, strict)

  def safe_substitute(self, *args, **kwargs):
    def lenient(value, name, found):
      if value is None:
        return found.group()
      try:
        return str(value(name))
      except KeyError:
        return found.group()
    return self._filled(args, kwargs, lenient)

  def get_identifiers(self):
    names = []
    for found in self._compiled().finditer(self.template):
      name = found.group('named') or found.group('braced')
      if name is not None and name not in names:
        names.append(name)
    return names

  def is_valid(self):
    return not any(found.group('invalid') is not None for found in self._compiled().finditer(self.template))

class Formatter:
  def format(self, format_string, *args, **kwargs):
    return format_string.format(*args, **kwargs)

  def vformat(self, format_string, args, kwargs):
    return format_string.format(*args, **kwargs)
