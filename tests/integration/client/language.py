"""Compiles every example of docs/config-language.md, whose first line says what must come of it, and
compares the limits that the page states with those of the compiler."""
import os, re, subprocess, sys, tempfile

eos = os.path.join(os.environ['EOS_BIN'], 'eos')
root = os.environ['EOS_SOURCE']
page = open(os.path.join(root, 'docs/config-language.md')).read()
failures = 0


def tell(is_right, name, found=''):
    global failures
    failures += not is_right
    print('ok  ' if is_right else 'FAIL', name, '' if is_right else '\n' + found)


def compile(text, folder):
    path = os.path.join(folder, 'example.aurora')
    open(path, 'w').write(text)
    return subprocess.run([eos, 'config', 'compile', path], capture_output=True, text=True).stderr


with tempfile.TemporaryDirectory() as folder:
    examples = re.findall(r'```python\n(.*?)```', page, re.S)
    tell(len(examples) > 15, 'there are examples')
    for example in examples:
        kind, expected = re.match(r'# (prints|warns|error): (.*)', example).groups()
        found = compile(example, folder)
        line = {'prints': '^%s$', 'warns': 'warning: %s$', 'error': r'\.aurora:.*%s|^%s'}[kind]
        quoted = re.escape(expected)
        pattern = line % ((quoted,) * line.count('%s'))
        tell(bool(re.search(pattern, found, re.M)), '%s: %s' % (kind, expected), found)

limits = open(os.path.join(root, 'services/config/limits.h')).read()
stated = {int(n.replace(',', '')) for n in re.findall(r'\d[\d,]*', page.split('## Limits')[1])}
ignored = {'STACK_BYTES', 'GENERATOR_STACK', 'SOURCE_BYTES', 'SYNTAX_ERRORS', 'VALUE_STACK'}
for name, value in re.findall(r'#define LIMIT_(\w+)\s+(\d+)', limits):
    tell(name in ignored or int(value) in stated, 'the limit %s is stated' % name, value)
sys.exit(failures > 0)
