sep, altsep, extsep, pathsep, linesep = '/', None, '.', ':', '\n'
curdir, pardir, defpath, devnull, name = '.', '..', '/bin:/usr/bin', '/dev/null', 'posix'

def fspath(path):
  if not isinstance(path, (str, bytes)):
    raise TypeError('expected str, bytes or os.PathLike object, not %s' % type(path).__name__)
  return path

def getenv(key, default=None):
  if not isinstance(key, str):
    raise TypeError('str expected, not %s' % type(key).__name__)
  return environ.get(key, default)
