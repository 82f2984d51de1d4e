import re

_space = r'[\t\n\x0b\x0c\r ]'
_solid = r'[^\t\n\x0b\x0c\r ]'
_parts = {'ws': _space, 'nws': _solid, 'wp': r'[\w!"\'&.,?]', 'lt': r'[^\d\W]'}
_word_separator = re.compile(
    r'(%(ws)s+|(?<=%(wp)s)-{2,}(?=\w)|%(nws)s+?(?:-(?:(?<=%(lt)s%(lt)s-)|(?<=%(lt)s-%(wp)s-))(?=%(lt)s-?%(lt)s)'
    r'|(?=%(ws)s|\Z)|(?<=%(wp)s)(?=-{2,}\w)))' % _parts)
_simple_separator = re.compile('(%s+)' % _space)
_sentence_end = re.compile(r'[a-z][\.\!\?][\"\']?\Z')

class TextWrapper:
  def __init__(self, width=70, initial_indent='', subsequent_indent='', expand_tabs=True, replace_whitespace=True,
               fix_sentence_endings=False, break_long_words=True, drop_whitespace=True, break_on_hyphens=True,
               tabsize=8, *, max_lines=None, placeholder=' [...]'):
    self.width = width
    self.initial_indent = initial_indent
    self.subsequent_indent = subsequent_indent
    self.expand_tabs = expand_tabs
    self.replace_whitespace = replace_whitespace
    self.fix_sentence_endings = fix_sentence_endings
    self.break_long_words = break_long_words
    self.drop_whitespace = drop_whitespace
    self.break_on_hyphens = break_on_hyphens
    self.tabsize = tabsize
    self.max_lines = max_lines
    self.placeholder = placeholder

  def _chunks(self, text):
    if self.expand_tabs:
      text = text.expandtabs(self.tabsize)
    if self.replace_whitespace:
      text = re.sub(_space, ' ', text)
    separator = _word_separator if self.break_on_hyphens else _simple_separator
    chunks = [chunk for chunk in separator.split(text) if chunk]
    at = 0
    while self.fix_sentence_endings and at < len(chunks) - 1:
      ends = chunks[at + 1] == ' ' and _sentence_end.search(chunks[at])
      if ends:
        chunks[at + 1] = '  '
      at += 2 if ends else 1
    return chunks

  def _break_word(self, chunks, line, length, width):
    left = 1 if width < 1 else width - length
    if self.break_long_words:
      end, chunk = left, chunks[-1]
      if self.break_on_hyphens and len(chunk) > left:
        hyphen = chunk.rfind('-', 0, left)
        if hyphen > 0 and any(c != '-' for c in chunk[:hyphen]):
          end = hyphen + 1
      line.append(chunk[:end])
      chunks[-1] = chunk[end:]
    elif not line:
      line.append(chunks.pop())

  def _lines(self, chunks):
    lines = []
    if self.width <= 0:
      raise ValueError('invalid width %r (must be > 0)' % self.width)
    if self.max_lines is not None:
      indent = self.subsequent_indent if self.max_lines > 1 else self.initial_indent
      if len(indent) + len(self.placeholder.lstrip()) > self.width:
        raise ValueError('placeholder too large for max width')
    chunks.reverse()
    while chunks:
      line, length = [], 0
      indent = self.subsequent_indent if lines else self.initial_indent
      width = self.width - len(indent)
      if self.drop_whitespace and chunks[-1].strip() == '' and lines:
        del chunks[-1]
      while chunks and length + len(chunks[-1]) <= width:
        length += len(chunks[-1])
        line.append(chunks.pop())
      if chunks and len(chunks[-1]) > width:
        self._break_word(chunks, line, length, width)
        length = sum(map(len, line))
      if self.drop_whitespace and line and line[-1].strip() == '':
        length -= len(line[-1])
        del line[-1]
      if not line:
        continue
      is_last = not chunks or self.drop_whitespace and len(chunks) == 1 and not chunks[0].strip()
      if self.max_lines is None or len(lines) + 1 < self.max_lines or is_last and length <= width:
        lines.append(indent + ''.join(line))
        continue
      self._shorten(lines, line, length, width, indent)
      break
    return lines

  def _shorten(self, lines, line, length, width, indent):
    while line:
      if line[-1].strip() and length + len(self.placeholder) <= width:
        line.append(self.placeholder)
        lines.append(indent + ''.join(line))
        return
      length -= len(line[-1])
      del line[-1]
    if lines:
      previous = lines[-1].rstrip()
      if len(previous) + len(self.placeholder) <= self.width:
        lines[-1] = previous + self.placeholder
        return
    lines.append(indent + self.placeholder.lstrip())

  def wrap(self, text):
    return self._lines(self._chunks(text))

  def fill(self, text):
    return '\n'.join(self.wrap(text))

def wrap(text, width=70, **kwargs):
  return TextWrapper(width=width, **kwargs).wrap(text)

def fill(text, width=70, **kwargs):
  return TextWrapper(width=width, **kwargs).fill(text)

def shorten(text, width, **kwargs):
  return TextWrapper(width=width, max_lines=1, **kwargs).fill(' '.join(text.strip().split()))

def dedent(text):
  margin = None
  text = re.sub('^[ \t]+$', '', text, flags=re.MULTILINE)
  for indent in re.findall('(^[ \t]*)(?:[^ \t\n])', text, re.MULTILINE):
    if margin is None:
      margin = indent
    at = 0
    while at < len(margin) and at < len(indent) and margin[at] == indent[at]:
      at += 1
    margin = margin[:at]
  return re.sub('(?m)^' + margin, '', text) if margin else text

def indent(text, prefix, predicate=None):
  wanted = predicate or str.strip
  return ''.join([prefix + line if wanted(line) else line for line in text.splitlines(True)])
