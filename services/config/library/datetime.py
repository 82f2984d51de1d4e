from datetime import datetime as _datetime

MINYEAR, MAXYEAR = 1, 9999

class time:
  def __init__(self, hour=0, minute=0, second=0, microsecond=0):
    parts = (('hour', hour, 24), ('minute', minute, 60), ('second', second, 60), ('microsecond', microsecond, 1000000))
    for name, value, limit in parts:
      if not isinstance(value, int):
        raise TypeError("'%s' object cannot be interpreted as an integer" % type(value).__name__)
      if not 0 <= value < limit:
        raise ValueError('%s must be in 0..%d' % (name, limit - 1))
    self.hour, self.minute, self.second, self.microsecond = hour, minute, second, microsecond

  def _key(self):
    return self.hour, self.minute, self.second, self.microsecond

  def isoformat(self, timespec='auto'):
    return _datetime(1900, 1, 1, *self._key()).isoformat(timespec=timespec)[11:]

  def strftime(self, format):
    return _datetime(1900, 1, 1, *self._key()).strftime(format)

  @classmethod
  def fromisoformat(cls, text):
    try:
      moment = _datetime.fromisoformat('1900-01-01T' + text)
    except ValueError:
      raise ValueError('Invalid isoformat string: %r' % text) from None
    return cls(moment.hour, moment.minute, moment.second, moment.microsecond)

  def replace(self, **parts):
    values = dict(zip(('hour', 'minute', 'second', 'microsecond'), self._key()))
    values.update(parts)
    return time(**values)

  def __repr__(self):
    parts = list(self._key())
    while len(parts) > 2 and not parts[-1]:
      del parts[-1]
    return 'datetime.time(%s)' % ', '.join(map(str, parts))

  def __str__(self):
    return self.isoformat()

  def __format__(self, spec):
    return self.strftime(spec) if spec else str(self)

  def __hash__(self):
    return hash(self._key())

  def __eq__(self, other):
    return isinstance(other, time) and self._key() == other._key()

  def __lt__(self, other):
    return self._key() < other._key() if isinstance(other, time) else NotImplemented

  def __le__(self, other):
    return self._key() <= other._key() if isinstance(other, time) else NotImplemented

  def __gt__(self, other):
    return self._key() > other._key() if isinstance(other, time) else NotImplemented

  def __ge__(self, other):
    return self._key() >= other._key() if isinstance(other, time) else NotImplemented
