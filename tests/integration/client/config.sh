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
