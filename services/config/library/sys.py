from collections import namedtuple

version_info = namedtuple('version_info', 'major minor micro releaselevel serial')(3, 11, 0, 'final', 0)
version = '3.11.0'
byteorder = 'little'
maxunicode = 1114111

def getrecursionlimit():
  return 1000

def setrecursionlimit(limit):
  pass

def intern(string):
  return string

def exit(status=None):
  raise SystemExit(status)

def exc_info():
  raise RuntimeError('sys.exc_info() is not part of the configuration language: use `except ... as`')
