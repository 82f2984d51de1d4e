from os.path import isabs, normpath

def _parts(path):
  return [part for part in normpath(path).split('/') if part not in ('', '.')]

def abspath(path):
  if not isabs(path):
    raise PermissionError('a configuration does not know its current directory: give an absolute path')
  return normpath(path)

def relpath(path, start='.'):
  if not path:
    raise ValueError('no path specified')
  here, there = _parts(start), _parts(path)
  if isabs(path) != isabs(start) or '..' in here:
    raise PermissionError('a configuration does not know its current directory: give two absolute paths')
  common = 0
  while common < min(len(here), len(there)) and here[common] == there[common]:
    common += 1
  return '/'.join(['..'] * (len(here) - common) + there[common:]) or '.'

def commonprefix(m):
  m = list(m)
  if not m:
    return ''
  low, high = min(m), max(m)
  for i in range(len(low)):
    if low[i] != high[i]:
      return low[:i]
  return low

def commonpath(paths):
  paths = list(paths)
  if not paths:
    raise ValueError('commonpath() arg is an empty sequence')
  if len(set(map(isabs, paths))) > 1:
    raise ValueError("Can't mix absolute and relative paths")
  split = [[part for part in path.split('/') if part and part != '.'] for path in paths]
  return ('/' if isabs(paths[0]) else '') + '/'.join(commonprefix(split))

sep, altsep, extsep, pathsep, curdir, pardir, defpath, devnull = '/', None, '.', ':', '.', '..', '/bin:/usr/bin', '/dev/null'

def normcase(path):
  return path

def splitdrive(path):
  return '', path

def expandvars(path):
  import os, re
  def value(found):
    return os.environ.get(found.group(1).strip('{}'), found.group())
  return re.sub(r'\$([A-Za-z0-9_]+|\{[^}]*\})', value, path)
