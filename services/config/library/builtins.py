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

def _first_monday(year):
  from datetime import date
  first = date(year, 1, 1).toordinal()
  weekday = (first + 6) % 7
  monday = first - weekday
  return monday + 7 if weekday > 3 else monday

class date_:
  @classmethod
  def fromordinal(cls, n):
    from datetime import timedelta
    if n < 1:
      raise ValueError('ordinal must be >= 1')
    return cls(1, 1, 1) + timedelta(days=n - 1)

  @classmethod
  def fromisocalendar(cls, year, week, day):
    return cls.fromordinal(_first_monday(year) + (week - 1) * 7 + day - 1)

  def isocalendar(self):
    from collections import namedtuple
    year, today = self.year, self.toordinal()
    if today < _first_monday(year):
      year -= 1
    elif self.month == 12 and year < 9999 and today >= _first_monday(year + 1):
      year += 1
    made = namedtuple('IsoCalendarDate', 'year week weekday')
    return made(year, (today - _first_monday(year)) // 7 + 1, self.isoweekday())

  def isoformat(self):
    return self._isoformat()

  def ctime(self):
    return self.strftime('%c')

  def timetuple(self):
    from collections import namedtuple
    made = namedtuple('struct_time', 'tm_year tm_mon tm_mday tm_hour tm_min tm_sec tm_wday tm_yday tm_isdst')
    first = type(self)(self.year, 1, 1).toordinal()
    hour, minute, second = getattr(self, 'hour', 0), getattr(self, 'minute', 0), getattr(self, 'second', 0)
    return made(self.year, self.month, self.day, hour, minute, second, self.weekday(), self.toordinal() - first + 1, -1)

class datetime_(date_):
  fromordinal = date_.__dict__['fromordinal']
  fromisocalendar = date_.__dict__['fromisocalendar']
  isocalendar, ctime, timetuple = date_.isocalendar, date_.ctime, date_.timetuple

  def isoformat(self, sep='T', timespec='auto'):
    day, clock = self._isoformat().split('T')
    clock, _, part = clock.partition('.')
    part = part or '000000'
    texts = {'auto': clock + ('.' + part if self.microsecond else ''), 'hours': clock[:2], 'minutes': clock[:5],
             'seconds': clock, 'milliseconds': clock + '.' + part[:3], 'microseconds': clock + '.' + part}
    if timespec not in texts:
      raise ValueError('Unknown timespec value')
    return day + sep + texts[timespec]

  def time(self):
    from datetime import time
    return time(self.hour, self.minute, self.second, self.microsecond)

  @classmethod
  def combine(cls, date, time):
    return cls(date.year, date.month, date.day, time.hour, time.minute, time.second, time.microsecond)

from datetime import date as _date, datetime as _datetime, timedelta as _timedelta

date_.min, date_.max, date_.resolution = _date(1, 1, 1), _date(9999, 12, 31), _timedelta(days=1)
datetime_.min, datetime_.max = _datetime(1, 1, 1), _datetime(9999, 12, 31, 23, 59, 59, 999999)

class dict_keys_:
  def isdisjoint(self, other):
    return not any(item in self for item in other)

class dict_items_:
  isdisjoint = dict_keys_.isdisjoint
