"""Lays out every configuration there is, and compares what it compiles to before and after."""
import concurrent.futures, glob, json, os, random, shutil, subprocess, sys, tempfile

eos = os.path.join(os.environ['EOS_BIN'], 'eos')
root = os.environ['EOS_SOURCE']
cases = os.environ.get('EOS_CONFORMANCE', os.path.join(root, '../shared/conformance/config'))
failures = 0


def tell(is_right, name, found=''):
    global failures
    failures += not is_right
    if not is_right:
        print('FAIL', name, '\n', found)


def run(*args, **more):
    return subprocess.run([eos, 'config'] + list(args), capture_output=True, **more)


def flags_of(path):
    """What the case is compiled with, or None when it is not a program."""
    args = json.load(open(path)) if os.path.exists(path) else {}
    if args.get('json'):
        return None
    flags = ['--bind=' + item for item in args.get('bind', [])]
    flags += ['--env=%s=%s' % item for item in args.get('environ', {}).items()]
    if 'select' in args:
        flags.append('--select=' + '/'.join(args['select'].get(k, '') for k in ('cluster', 'role', 'env', 'name')))
    if not args.get('tier_backfill', True):
        flags.append('--no-tier-backfill')
    return flags + ['--user=tester', '--output=json', '--allow-read=.']


def without_places(value):
    """Empty lines may have gone, so that places have moved."""
    if isinstance(value, dict):
        return {k: without_places(v) for k, v in value.items() if k != 'at'}
    return [without_places(v) for v in value] if isinstance(value, list) else value


def compiled(name, flags, folder):
    return without_places(json.loads(run('compile', name, *flags, cwd=folder).stdout or b'null'))


def spread(text):
    """The same with blanks at line ends: enough to make laying out do something everywhere."""
    if b'\\' in text or b"'''" in text or b'"""' in text:
        return text
    return b''.join(line + b' ' * random.randrange(3) + b'\n' for line in text.split(b'\n'))


def check(place):
    """The file stands in a folder that is the test's own."""
    folder, name = os.path.split(place)
    flags = flags_of(place[:-len('.aurora')] + '.args')
    if flags is None:
        return
    before, text = compiled(name, flags, folder), open(place, 'rb').read()
    status = run('fmt', name, cwd=folder).returncode
    after = open(place, 'rb').read()
    is_syntax_error = (before or {}).get('error', {}).get('class') == 'syntax_error'
    if status != 0:
        tell(is_syntax_error and text == after, name + ': what does not parse stays')
    else:
        tell(compiled(name, flags, folder) == before, name + ': the same jobs')
        tell(run('fmt', '-', input=after).stdout == after, name + ': twice is once')
        tell(run('fmt', '-', input=spread(text)).stdout == after, name + ': blanks do not matter')
        tell(run('fmt', '--check', name, cwd=folder).returncode == 0, name + ': --check agrees')


random.seed(1)
with tempfile.TemporaryDirectory() as copies:
    for i, source in enumerate([cases, os.path.join(root, 'examples')]):
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(copies, str(i)))
    paths = sorted(path for path in glob.glob(copies + '/**/*.aurora', recursive=True) if '.d/' not in path)
    tell(bool(paths), 'there are configurations')
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(check, paths))
print('%d configurations laid out, %d failures' % (len(paths), failures))
sys.exit(failures > 0)
