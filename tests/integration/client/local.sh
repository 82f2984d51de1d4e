#!/usr/bin/env bash
# What needs no cluster: compiling, help, completion, and command lines that are not well formed.
. "$(dirname "$0")/checks.sh"

# -- the command line
says "no argument is help" 0 '^usage: eos COMMAND' eos
says "--help" 0 'job create +create a job' eos --help
says "help of a noun" 0 'killall +end all' eos help job
says "the same with a flag" 0 'killall +end all' eos job --help
says "a flag between noun and verb" 0 '^usage: eos job list ' eos job --help list
refused "which is to be a verb" 2 '"job" has no verb "lst"' eos job --help lst
says "help of help" 0 '^usage: eos COMMAND' eos help --help
says "defaults are told" 0 'default 127.0.0.1:8081' eos dev --help
says "help of a verb" 0 '--wait-until STATE' eos help job create
says "the same with a flag" 0 '--wait-until STATE' eos job create --help
says "version" 0 '^eos [0-9]+\.' eos version
says "--version" 0 '^eos [0-9]+\.' eos --version
says "version as JSON" 0 '^\{"version": "' eos version --output json
refused "a verb that is missing" 2 'needs a verb' eos job
refused "an unknown noun" 2 'there is no command "jib"' eos jib
refused "an unknown verb" 2 'has no verb "crate"' eos job crate
refused "an unknown flag" 2 'unknown flag --frobnicate' eos job list c --frobnicate
refused "a value that is no choice" 2 'expected one of text json' eos job list c --output xml
refused "an argument that is missing" 2 'expected "eos job create' eos job create
refused "a malformed key" 2 'CLUSTER/ROLE/ENV/NAME' eos job create not-a-key x
refused "a bad duration" 2 '--timeout' eos job create c/r/e/n x --timeout soon
refused "a result that cannot be written" 1 'could not write' bash -c "'$BIN/eos' help > /dev/full"
holds "completion is a script" bash -n <(eos completion bash)
holds "no colour in a pipe" bash -c "! env -u NO_COLOR TERM=xterm '$BIN/eos' help | grep -q $'\033'"

# -- compiling
[ -x "$BIN/eos-config" ] || exit 0
compile() { eos config compile "$@"; }
cat > "$DIR/a.aurora" <<'AURORA'
task = Task(name='t', processes=[Process(name='p', cmdline='echo {{word}}')], resources=Resources(cpu=1, ram=MB, disk=MB))
jobs = [Job(cluster='c', role='r', environment='devel', name='n', task=task, instances=3)]
AURORA
says "a table" 0 'c/r/devel/n +adhoc +3 +CPU: 1 core' compile "$DIR/a.aurora" --bind word=hello
says "the canonical form" 0 '"key": *"c/r/devel/n"' compile "$DIR/a.aurora" --bind word=hello --output json
holds "is JSON" jq -e '.jobs[0].job.instanceCount == 3' "$DIR/out"
says "from stdin" 0 'c/r/devel/n' bash -c "'$BIN/eos' config compile - --bind word=x < '$DIR/a.aurora'"
says "one that is selected" 0 '"key": *"c/r/devel/n"' compile "$DIR/a.aurora" --bind word=x --select 'c///n' --output json
says "one that is not there" 3 'Could not find job' compile "$DIR/a.aurora" --bind word=x --select 'c/r/devel/x'
says "a variable that is missing" 3 'word' compile "$DIR/a.aurora"
refused "a file that is not there" 3 'could not read ".*none.aurora": No such file' compile "$DIR/none.aurora"
refused "a directory" 3 'it is a directory' compile "$DIR"
refused "a file that is too large" 3 'is over 4 MB' compile <(head -c 5000000 /dev/zero)
refused "a binding without value" 2 'expected NAME=VALUE' compile "$DIR/a.aurora" --bind word
refused "a bad instance list" 2 'instances' compile "$DIR/a.aurora" --instances 5-1
refused "a bad selection" 2 'does not select a job' compile "$DIR/a.aurora" --select c/r

# -- mistakes
printf 'x = 1\njobs = [tusk]\n' > "$DIR/bad.aurora"
says "a mistake has its place" 3 'bad\.aurora:2:9: .*tusk' compile "$DIR/bad.aurora"
holds "with the line" grep -q '    2 | jobs = \[tusk\]' "$DIR/err"
holds "and a caret below it" grep -Eq '^      \|         \^' "$DIR/err"
printf "jobs = {}['x']\n" > "$DIR/key.aurora"
says "a value alone is no sentence" 3 "key\.aurora:1:8: KeyError: 'x'" compile "$DIR/key.aurora"
printf "jobs = [Job(name='n')]\n" > "$DIR/incomplete.aurora"
refused "no table of no job" 3 'required' compile "$DIR/incomplete.aurora"
cat > "$DIR/two.aurora" <<'AURORA'
def make(name):
  return Job(cluster='c', role='r', environment='devel', name=name, task=SimpleTask('t', 'echo {{x}}'))
jobs = [make('one'), make('two')]
AURORA
refused "a job that is not good has its place" 3 'two\.aurora:2:10: .*unbound' compile "$DIR/two.aurora"
holds "and its name" grep -q '^  in job c/r/devel/two$' "$DIR/err"
says "a mistake as JSON" 3 '"class": "name_error"' compile "$DIR/bad.aurora" --output json

# -- includes
mkdir "$DIR/sub"
echo "include('../b.include')" > "$DIR/sub/a.include"
echo "word = 'from b'" > "$DIR/b.include"
{ echo "include('sub/a.include')"; cat "$DIR/a.aurora"; echo 'print(word)'; } > "$DIR/inc.aurora"
says "files include files" 0 'from b' compile "$DIR/inc.aurora" --bind word=x
rm "$DIR/b.include"
says "an include that is not there" 3 "a\.include:1:1: \[Errno 2\] No such file or directory: '../b\.include'\$" compile "$DIR/inc.aurora" --bind word=x
mkfifo "$DIR/b.include"
says "a pipe is not waited for" 3 'b\.include' timeout 10 "$BIN/eos" config compile "$DIR/inc.aurora" --bind word=x

# -- the world outside
echo 42 > "$DIR/answer"
{ echo "word = open('$DIR/answer').read().strip()"; echo 'print(word)'; cat "$DIR/a.aurora"; } > "$DIR/open.aurora"
says "open() is closed" 3 'answer' compile "$DIR/open.aurora" --bind word=x
says "unless it is allowed" 0 '^42$' compile "$DIR/open.aurora" --bind word=x --allow-read "$DIR"
says "not elsewhere" 3 'answer' compile "$DIR/open.aurora" --bind word=x --allow-read /usr
{ echo 'import os'; echo 'print(os.environ.get("SECRET", "hidden"))'; cat "$DIR/a.aurora"; } > "$DIR/env.aurora"
export SECRET=seen
says "the environment is closed" 0 '^hidden$' compile "$DIR/env.aurora" --bind word=x
says "unless a variable is passed on" 0 '^seen$' compile "$DIR/env.aurora" --bind word=x --env SECRET
says "or given" 0 '^other$' compile "$DIR/env.aurora" --bind word=x --env SECRET=other
says "the owner is the caller" 0 '"user": *"somebody"' env LOGNAME=somebody "$BIN/eos" config compile "$DIR/a.aurora" --bind word=x --output json
says "or who is named" 0 '"user": *"tester"' compile "$DIR/a.aurora" --bind word=x --output json --user tester

# -- inspecting
says "a job is inspected" 0 "^Process 'p':" eos job inspect c/r/devel/n "$DIR/a.aurora" --bind word=hello --compiler local
holds "with its command line" grep -q '^    echo hello$' "$DIR/out"
says "as JSON" 0 '^\{"name": "n", "role": "r"' eos job inspect c/r/devel/n "$DIR/a.aurora" --bind word=hello --write-json
holds "with defaults" jq -e '.instances == 3 and .update_config.batch_size == 1 and .task.processes[0].cmdline == "echo hello"' "$DIR/out"
cat > "$DIR/all.aurora" <<'AURORA'
first = Process(name='first', cmdline="""one
  two

""", daemon=True)
last = Process(name='last', cmdline='', final=True, ephemeral=True)
mid = Process(name='mid', cmdline='x')
task = Task(name='t', processes=[mid, first, last], constraints=order(mid, first), resources=Resources(cpu=1, ram=MB, disk=MB))
jobs = [Job(cluster='c', role='r', environment='devel', name='n', task=task, contact='a@b', cron_schedule='* * * * *',
            cron_collision_policy='CANCEL_NEW', constraints={'rack': '!b,a', 'host': 'limit:1'}, production=True,
            partition_policy=PartitionPolicy(reschedule=False, delay_secs=5))]
AURORA
cat > "$DIR/all.expected" <<'TEXT'
Job level information
  name:       'n'
  role:       'r'
  contact:    'a@b'
  cluster:    'c'
  instances:  '1'
  cron:
    schedule: '* * * * *'
    policy:   'CANCEL_NEW'
  constraints:
    'rack': '!b,a'
    'host': 'limit:1'
  partition_policy:
    reschedule: False
    delay_secs: '5'
  service:    False
  production: True

Task level information
  name: 't'
  constraints:
  mid < first

Process 'mid':
  cmdline:
    x

Process 'first':
  daemon
  cmdline:
    one
      two
    .

Process 'last':
  ephemeral
  final
  cmdline:

TEXT
sed -i 's/^    \.$/    /' "$DIR/all.expected"
says "everything that text shows" 0 '' eos job inspect c/r/devel/n "$DIR/all.aurora"
holds "is laid out as it was" diff "$DIR/all.expected" "$DIR/out"
says "raw" 0 '"instanceCount": 3' eos job inspect c/r/devel/n "$DIR/a.aurora" --bind word=hello --raw
says "a job that the file does not have" 3 'Could not find job' eos job inspect c/r/devel/x "$DIR/a.aurora" --bind word=hello

# -- speed: Python's start alone is slower
holds "compiling is fast" bash -c '
    best() { local best=999999999 i start end; for i in {1..15}; do start=$(date +%s%N); "$@" > /dev/null 2>&1; end=$(date +%s%N)
             ((end - start < best)) && best=$((end - start)); done; echo $best; }
    python=$(best /usr/bin/python3 -c pass) ours=$(best "$0" config compile "$1" --bind word=x --output json)
    echo "compile $((ours / 1000)) us, python $((python / 1000)) us"; [ -n "${EOS_SANITIZED:-}" ] || [ $ours -lt $python ]' "$BIN/eos" "$DIR/a.aurora"
