#!/usr/bin/env bash
# The verbs of `eos config` other than compile: none of them needs a cluster.
. "$(dirname "$0")/checks.sh"
[ -x "$BIN/eos-config" ] || exit 77
config() { eos config "$@"; }

mkdir "$DIR/work"
cd "$DIR/work" || exit 1
cat > good.aurora <<'AURORA'
task = Task(name='t', processes=[Process(name='p', cmdline='echo {{word}}')], resources=Resources(cpu=1, ram=MB, disk=MB))
job = Job(cluster='c', role='r', environment='devel', task=task)
jobs = [job(name='one'), job(name='two', production=True)]
AURORA
sed 's/name=.two./contact=String/' good.aurora > half.aurora
sed "s/production=True/cron_schedule='* * * * *'/" good.aurora > cron.aurora
sed "s/production=True/update_config=UpdateConfig(batch_size=0)/" good.aurora > stuck.aurora
printf 'x = (1\ny = 2 +\n\n\njobs = [tusk\n' > syntax.aurora
printf 'jobs = [tusk]\n' > bad.aurora

# -- check
says "nothing to say" 0 '' config check good.aurora --bind word=x --bind unused=1 --output json
holds "JSON has the keys" jq -e '.files[0] | .file == "good.aurora" and .jobs == ["c/r/devel/one", "c/r/devel/two"]' "$DIR/out"
holds "and warnings" jq -e '.errors == 0 and .warnings == 1 and .files[0].diagnostics[0].severity == "warning"' "$DIR/out"
holds "of a job" jq -e '.files[0].diagnostics[0].job == "c/r/devel/two"' "$DIR/out"
says "a warning is no failure" 0 '^good.aurora: warning: ' config check good.aurora --bind word=x
holds "and names the job" grep -q '^  in job c/r/devel/two$' "$DIR/out"
says "cron jobs are not warned of" 0 '' config check cron.aurora --bind word=x
holds "at all" test ! -s "$DIR/out"
says "a job that cannot be updated" 0 'warning: the job "c/r/devel/two" cannot be updated: .*atch size' config check stuck.aurora --bind word=x
says "an error" 3 '^bad.aurora:1:9: name .tusk. is not defined' config check bad.aurora
holds "is a result" grep -q 'jobs = \[tusk\]' "$DIR/out"
says "many files" 3 '"file":"cron.aurora"' config check good.aurora bad.aurora cron.aurora --bind word=x --output json
holds "are all told of" jq -e '[.files[].diagnostics | length] == [1, 1, 0]' "$DIR/out"
holds "with places" jq -e '.files[1].diagnostics[0] | .class == "name_error" and .at.line == 1 and .at.column == 9 and .at.endColumn == 13' "$DIR/out"
says "several syntax errors" 3 'syntax.aurora' config check syntax.aurora --output json
holds "come together" jq -e '.errors >= 1' "$DIR/out"
says "a file that is not there" 3 'No such file' config check none.aurora good.aurora --bind word=x --output json
holds "leaves the others" jq -e '.files[0].diagnostics[0].class == "not_compiled" and (.files[1].jobs | length == 2)' "$DIR/out"
says "failed jobs keep their keys" 3 'word' config check good.aurora --output json
holds "in JSON" jq -e '.files[0].jobs == ["c/r/devel/one", "c/r/devel/two"] and .files[0].diagnostics[0].job == "c/r/devel/one"' "$DIR/out"
refused "no file" 2 'an argument is missing' config check
refused "a bad binding" 2 'expected NAME=VALUE' config check good.aurora --bind word

# -- list
says "keys" 0 '^c/r/devel/two$' config list good.aurora
holds "one per line" test "$(wc -l < "$DIR/out")" -eq 2
says "keys as JSON" 0 '' config list good.aurora --output json
holds "are an array" jq -e '. == ["c/r/devel/one", "c/r/devel/two"]' "$DIR/out"
refused "of a file that does not load" 3 'bad.aurora:1:9' config list bad.aurora
refused "of a file that is not there" 3 'No such file' config list none.aurora

# -- deps
mkdir sub
echo "include('../b.include')" > sub/a.include
echo "word = 'b'" > b.include
{ echo "include('sub/a.include')"; cat good.aurora; } > inc.aurora
says "includes" 0 '^sub/a.include$' config deps inc.aurora
holds "and theirs" grep -q 'b\.include$' "$DIR/out"
says "as JSON" 0 '' config deps inc.aurora --output json
holds "an array" jq -e 'length == 2' "$DIR/out"
says "no includes" 0 '' config deps good.aurora --output json
holds "an empty one" jq -e '. == []' "$DIR/out"
{ echo "word = open('b.include').read()"; cat good.aurora; } > open.aurora
says "files that are opened" 0 'b.include' config deps open.aurora --allow-read .
rm b.include
says "an include that is not there" 3 'b\.include' config deps inc.aurora
holds "does not hide the others" grep -q '^sub/a.include$' "$DIR/out"

# -- explain
cat > explain.include <<'AURORA'
class Profile(Struct):
  tag = Default(String, 'v1')
TEXT = 'say {{who}} {{profile.tag}} {{where}} {{thermos.ports[http]}}'
small = Resources(cpu=1, ram=64*MB, disk=64*MB)
AURORA
cat > explain.aurora <<'AURORA'
include('explain.include')
def process(name, text):
  return Process(name=name, cmdline=text)
task = Task(processes=[process('p', TEXT)], resources=small(cpu=2))
base = Job(cluster='c', role='r', environment='devel', task=task, constraints={'host': 'limit:1'})
jobs = [base(name='one', instances=3).bind(who='me', profile=Profile(), n=7)]
AURORA
explain() { eos config explain explain.aurora "$@" --bind where=here; }
says "where it is given" 0 '^  explain.aurora:6:36: instances of MesosJob is given here' explain c/r/devel/one.instances
holds "with its value" grep -q '^instances = 3$' "$DIR/out"
says "the key may be left out" 0 '^instances = 3$' explain instances
says "a text made elsewhere" 0 '^  explain.include:3:8: the text is made here' explain 'task.processes[0].cmdline'
holds "what it becomes" grep -q '^task.processes\[0\].cmdline = say me v1 here {{thermos.ports\[http\]}}$' "$DIR/out"
holds "a binding of the file" grep -q '^    explain.aurora:6:48: it is bound to what is written here' "$DIR/out"
holds "a default of a bound struct" grep -q '^    explain.include:2:25: ' "$DIR/out"
holds "a binding of the command line" grep -q '^    it is bound by --bind where=here$' "$DIR/out"
holds "what comes later" grep -q '{{thermos.ports\[http\]}} is filled in where the task runs' "$DIR/out"
says "a field of the struct that was copied" 0 '^  explain.include:4:30: ram of Resources is given here' explain task.resources.ram
says "a field that the copy replaced" 0 '^  explain.aurora:4:65: cpu of Resources is given here' explain task.resources.cpu
says "a default" 0 '^  max_failures is the default of Task$' explain task.max_failures
says "what the compiler completes" 0 'tier is completed by the compiler' explain tier
says "an entry of a map" 0 '^constraints\[host\] = limit:1$' explain 'constraints[host]'
says "a struct that was copied" 0 'explain.include:4:9: this Resources is copied from the one made here' explain task.resources
says "a field that is not set" 0 'contact of MesosJob is not set' explain contact
says "a field that does not exist" 6 "no field 'instance'; did you mean 'instances'" explain instance
says "an item that does not exist" 6 'no \[3\]' explain 'task.processes[3].name'
says "as JSON" 0 '' explain instances --output json
holds "steps" jq -e '.job == "c/r/devel/one" and .steps[1].at.line == 6 and .steps[0].value == "3"' "$DIR/out"
refused "another job" 6 'c/r/devel/one' explain c/r/devel/two.instances
refused "one of several" 6 'c/r/devel/two' eos config explain good.aurora instances
says "in a job that fails" 0 '\{\{word\}\} is not bound by anything' eos config explain good.aurora 'c/r/devel/one.task.processes[0].cmdline'
cat > steps.include <<'AURORA'
RAM = 64 * MB
def resources(cpu=0.5, ram=RAM):
  return Resources(cpu=cpu, ram=ram, disk=GB)
AURORA
cat > steps.aurora <<'AURORA'
include('steps.include')
import os
def command(name, flags):
  line = name
  for flag in flags:
    line += ' ' + flag
  return '%s %s' % (line, os.environ.get('MODE', 'fast'))
p = Process(name='p', cmdline=command('run', flags=['-a', '-b']))
base = Job(cluster='c', role='r', environment='devel', name='j', instances=1)
jobs = [base(instances=2, task=Task(name='t', processes=[p], resources=resources(ram=2 * RAM)))]
AURORA
steps() { eos config explain steps.aurora "$@"; }
says "a call that replaces" 0 '^  steps.aurora:9:76: it takes the place of what was given here' steps instances
says "an argument" 0 '^  steps.aurora:10:86: ram is given here' steps task.resources.ram
says "the variable in it" 0 '^    steps.include:1:7: RAM is set here' steps task.resources.ram
says "a default of a parameter" 0 '^  steps.include:2:19: cpu has this default' steps task.resources.cpu
says "what a function returns" 0 '^  steps.aurora:7:10: it is returned here' steps 'task.processes[0].cmdline'
for step in '  steps.aurora:6:13: line is added to here' '    steps.aurora:5:15: flag takes one of these after the other' \
    '      steps.aurora:8:52: flags is given here' '  steps.aurora:4:10: line is set here' \
    '    steps.aurora:8:39: name is given here' '  steps.aurora:7:27: the environment is asked here'; do
    holds "and what that is made of: $step" grep -qFx "$step" "$DIR/out"
done
