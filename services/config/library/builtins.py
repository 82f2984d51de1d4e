from math import frexp, gcd, isinf, ldexp
import re

class int_:
  def to_bytes(self, length=1, byteorder='big', *, signed=False):
    if byteorder not in ('big', 'little'):
      raise ValueError("byteorder must be either 'little' or 'big'")
    if length < 0:
      raise ValueError('length argument must be non-negative')
    if self < 0 and not signed:
      raise OverflowError("can't convert negative int to unsigned")
    limit = 1 << 8 * length
    least, most = (-(limit // 2), limit // 2) if signed and length else (0, limit)
    if not least <= self < most:
      raise OverflowError('int too big to convert')
    items, rest = [], self % limit
    for _ in range(length):
      items.append(rest & 255)
      rest >>= 8
    return bytes(items if byteorder == 'little' else items[::-1])

  @classmethod
  def from_bytes(cls, bytes, byteorder='big', *, signed=False):
    if byteorder not in ('big', 'little'):
      raise ValueError("byteorder must be either 'little' or 'big'")
    items, result = list(bytes), 0
    for item in items if byteorder == 'big' else items[::-1]:
      result = result << 8 | item
    if signed and items and result >> 8 * len(items) - 1:
      result -= 1 << 8 * len(items)
    return result

  def bit_count(self):
    return bin(self).count('1')

  def as_integer_ratio(self):
    return int(self), 1

  def __ceil__(self):
    return int(self)

class float_:
  def as_integer_ratio(self):
    if self != self:
      raise ValueError('cannot convert NaN to integer ratio')
    if isinf(self):
      raise OverflowError('cannot convert Infinity to integer ratio')
    mantissa, exponent = frexp(self)
    top, exponent = int(mantissa * 2 ** 53), exponent - 53
    if exponent >= 0:
      return top << exponent, 1
    bottom = 1 << -exponent
    common = gcd(top, bottom)
    return top // common, bottom // common

  def hex(self):
    if self != self or isinf(self):
      return str(self)
    sign = '-' if str(self).startswith('-') else ''
    if self == 0:
      return sign + '0x0.0p+0'
    mantissa, exponent = frexp(abs(self))
    shift = max(0, -1021 - exponent)
    digits = '%014x' % int(mantissa * 2 ** 53 / 2 ** shift)
    return '%s0x%s.%sp%+d' % (sign, digits[0], digits[1:], exponent - 1 + shift)

  @classmethod
  def fromhex(cls, text):
    found = re.match(r'\s*([-+]?)(?:0x)?([0-9a-f]*)\.?([0-9a-f]*)(?:p([-+]?\d+))?\s*\Z', text, re.I)
    if not found or not found.group(2) + found.group(3):
      if text.strip().lower().lstrip('+-') in ('inf', 'infinity', 'nan'):
        return float(text)
      raise ValueError('invalid hexadecimal floating-point string')
    sign, whole, part, exponent = found.groups()
    result = ldexp(int(whole + part, 16), int(exponent or 0) - 4 * len(part))
    return -result if sign == '-' else result

class range_:
  def count(self, value):
    return 1 if value in self else 0

  def index(self, value):
    if value not in self:
      raise ValueError('%r is not in range' % (value,))
    return int((value - self.start) // self.step)

class slice_:
  def indices(self, length):
    if not hasattr(length, '__index__') and not isinstance(length, int):
      raise TypeError("'%s' object cannot be interpreted as an integer" % type(length).__name__)
    if length < 0:
      raise ValueError('length should not be negative')
    positions = range(length)[self]
    step = 1 if self.step is None else self.step
    low, high = (-1, length - 1) if step < 0 else (0, length)
    def place(part, unset):
      if part is None:
        return unset
      part = part + length if part < 0 else part
      return low if part < low else high if part > high else part
    start = place(self.start, high if step < 0 else low)
    return start, place(self.stop, low if step < 0 else high), step

class str_:
  def casefold(self):
    return self.replace('\u00df', 'ss').replace('\u1e9e', 'ss').replace('\u03c2', '\u03c3').lower()

class set_:
  def symmetric_difference_update(self, other):
    changed = self.symmetric_difference(other)
    self.clear()
    self.update(changed)

def _plain(value):
  if isinstance(value, str):
    raise TypeError("a bytes-like object is required, not 'str'")
  return value.decode('latin-1') if isinstance(value, bytes) else value

# A method of str that does the same for bytes, by way of the characters that they are in Latin-1.
def _text(function):
  def method(self, *args, **kwargs):
    named = {name: _plain(kwargs[name]) for name in kwargs}
    result = function(self.decode('latin-1'), *map(_plain, args), **named)
    if isinstance(result, str):
      return result.encode('latin-1')
    if isinstance(result, (list, tuple)):
      return type(result)([item.encode('latin-1') for item in result])
    return result
  return method

class bytes_:
  capitalize = _text(str.capitalize)
  center = _text(str.center)
  expandtabs = _text(str.expandtabs)
  index = _text(str.index)
  isalnum = lambda self: self.isascii() and self.decode().isalnum()
  isalpha = lambda self: self.isascii() and self.decode().isalpha()
  isascii = lambda self: all(byte < 128 for byte in self)
  isdigit = lambda self: self.isascii() and self.decode().isdigit()
  islower = lambda self: self.isascii() and self.decode().islower()
  isspace = lambda self: self.isascii() and self.decode().isspace()
  isupper = lambda self: self.isascii() and self.decode().isupper()
  ljust = _text(str.ljust)
  lower = lambda self: bytes([byte + 32 if 65 <= byte <= 90 else byte for byte in self])
  lstrip = _text(str.lstrip)
  partition = _text(str.partition)
  removeprefix = _text(str.removeprefix)
  removesuffix = _text(str.removesuffix)
  replace = _text(str.replace)
  rfind = _text(str.rfind)
  rindex = _text(str.rindex)
  rjust = _text(str.rjust)
  rpartition = _text(str.rpartition)
  rsplit = _text(str.rsplit)
  rstrip = _text(str.rstrip)
  split = _text(str.split)
  splitlines = _text(str.splitlines)
  strip = _text(str.strip)
  swapcase = _text(str.swapcase)
  title = _text(str.title)
  upper = lambda self: bytes([byte - 32 if 97 <= byte <= 122 else byte for byte in self])
  zfill = _text(str.zfill)

  @classmethod
  def fromhex(cls, text):
    digits = ''.join(text.split())
    if len(digits) % 2 or digits.strip('0123456789abcdefABCDEF'):
      wrong = [at for at, c in enumerate(text) if c not in '0123456789abcdefABCDEF \t\n\r\f\v']
      at = wrong[0] if wrong else len(text)
      raise ValueError('non-hexadecimal number found in fromhex() arg at position %d' % at)
    return bytes([int(digits[i:i + 2], 16) for i in range(0, len(digits), 2)])

class HASH_:
  block_size = property(lambda self: 128 if self.name in ('sha384', 'sha512') else 64)
  digest_size = property(lambda self: len(self.digest()))
