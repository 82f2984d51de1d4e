#!/usr/bin/env bash
# `eos dev` with the real services: start, supervision, refusals and all the ways to end it.
. "$(dirname "$0")/checks.sh"
[ "$(id -u)" = 0 ] || { echo "containers need root: skipped"; exit 77; }
for program in config binder scheduler launcher gateway executor; do
    [ -x "$BIN/eos-$program" ] || { echo "eos-$program is not built: skipped"; exit 77; }
done
chmod 755 "$DIR"
STATE=$DIR/state

start() { # FLAG…: sets DEV and URL
    : > "$DIR/dev.out" # what an earlier one said must not be read for its line
    "$BIN/eos" dev --state-dir "$STATE" --http 127.0.0.1:0 "$@" > "$DIR/dev.out" 2>> "$DIR/dev.log" &
    DEV=$!
    pids+=($DEV)
    wait_until 40 grep -q 'is ready' "$DIR/dev.out" ||
        { echo "FAIL the cluster did not start"; tail -n 20 "$DIR/dev.log"; failures=$((failures + 1)); exit; }
    URL=$(grep -o 'http://[0-9.:]*' "$DIR/dev.out")
}
gone() { ! kill -0 "$DEV" 2> /dev/null; }
child() { pgrep -P "$DEV" -f "eos-$1( |\$)"; }
ours() { pgrep -f "$STATE/" | grep -vx "$DEV"; }
nothing_left() { ! ours; }
on() { "$BIN/eos" "$@" --gateway "$URL"; }
ends() { # NAME SIGNAL STATUS
    local status=0
    kill -"$2" "$DEV"
    wait "$DEV" || status=$?
    holds "$1" test $status -eq "$3"
}

start
holds "one line on stdout" test "$(wc -l < "$DIR/dev.out")" -eq 1
says "that says all" 0 "^eos dev: cluster devcluster is ready at $URL \(state in $STATE\)\$" cat "$DIR/dev.out"
says "services' logs have their names in front" 0 '^scheduler \| ' cat "$DIR/dev.log"
says "and no colour in a file" 1 '' grep $'\033' "$DIR/dev.log"
says "the host is connected" 0 'connected' on host list
holds "the run directory is private" test "$(stat -c %a "$STATE/run")" = 700
holds "others may pass through the state" test "$(stat -c %a "$STATE")" = 711
refused "the state is used once" 4 'is in use by another "eos dev", process '"$DEV" \
    "$BIN/eos" dev --state-dir "$STATE" --http 127.0.0.1:0
echo a-token-of-sixteen-characters > "$DIR/token"
chmod 644 "$DIR/token"
began=$SECONDS
refused "a service that cannot start" 4 '^eos: eos-gateway: token file ".*/token" is open to others' \
    timeout 20 "$BIN/eos" dev --state-dir "$DIR/state2" --http 127.0.0.1:0 --token-file "$DIR/token"
holds "is given up at once" test $((SECONDS - began)) -le ${EOS_SANITIZED:+1}3
mkdir "$DIR/linked"
echo kept > "$DIR/victim"
ln -s "$DIR/victim" "$DIR/linked/lock"
refused "a lock that is a link" 4 'could not open ".*/linked/lock"' timeout 10 "$BIN/eos" dev --state-dir "$DIR/linked" --http 127.0.0.1:0
holds "and what it leads to is not touched" grep -qx kept "$DIR/victim"
refused "the port too" 4 'is in use by another program' "$BIN/eos" dev --state-dir "$DIR/state2" --http "${URL#http://}"
refused "a path too long for sockets" 2 'sockets in it allow' "$BIN/eos" dev --state-dir "$DIR/$(printf 'x%.0s' {1..100})"
refused "an address that is none" 2 'ADDRESS:PORT' "$BIN/eos" dev --state-dir "$DIR/state2" --http nowhere
refused "an address that all can reach, without tokens" 2 '0\.0\.0\.0:0 is not a loopback address.*--token-file' \
    "$BIN/eos" dev --state-dir "$DIR/state2" --http 0.0.0.0:0
refused "a clusters.json that is not there" 4 'flag --clusters: .*nowhere\.json' \
    "$BIN/eos" dev --state-dir "$DIR/state2" --http 127.0.0.1:0 --clusters "$DIR/nowhere.json"

# -- what the last run still holds is waited for
mkdir -p "$DIR/held/scheduler"
exec 9> "$DIR/held/scheduler/lock"
flock 9
"$BIN/eos" dev --state-dir "$DIR/held" --http 127.0.0.1:0 > "$DIR/held.out" 2> "$DIR/held.log" 9>&- &
held=$!
pids+=($held)
holds "a lock of the last run is seen" wait_until 20 grep -q 'in use by another scheduler' "$DIR/held.log"
exec 9>&-
holds "and waited for" wait_until 40 grep -q 'is ready' "$DIR/held.out"
kill $held
wait $held

# -- supervision
for service in config binder scheduler launcher gateway; do
    old=$(child $service)
    kill -9 "$old"
    holds "eos-$service is started again" wait_until 10 bash -c "new=\$(pgrep -P $DEV -f 'eos-$service( |\$)') && [ \"\$new\" != $old ]"
done
says "each time it is said" 0 'eos dev: eos-binder was ended by signal 9 \(Killed\), starting it again in 100 ms' cat "$DIR/dev.log"
holds "the cluster is well again" wait_until 10 curl -sf "$URL/healthz"

# -- a task, and the ends
cat > "$DIR/steady.aurora" <<'AURORA'
task = Task(name='t', processes=[Process(name='p', cmdline='while true; do echo x; sleep 0.2; done')],
            resources=Resources(cpu=0.05, ram=16*MB, disk=16*MB))
jobs = [Service(cluster='devcluster', role='www-data', environment='devel', name='steady', task=task)]
AURORA
K=devcluster/www-data/devel/steady
holds "a job runs" on job create $K "$DIR/steady.aurora" --wait-until RUNNING --timeout 30s
ends "SIGTERM ends it well" TERM 0
holds "tasks and all" wait_until 5 nothing_left
holds "no socket is left" test -z "$(find "$STATE/run" -name '*.sock')"
start
holds "the task is placed again" wait_until 20 bash -c "'$BIN/eos' job status $K --gateway $URL | grep -q 'status: RUNNING'"

executor=$(pgrep -f "eos-executor.*$STATE" | head -n 1)
all=$(ours)
kill -9 "$DEV"
wait "$DEV" 2> /dev/null
holds "services end with their parent" wait_until 15 bash -c "! pgrep -f 'eos-(config|binder|scheduler|launcher|gateway) .*$STATE/'"
holds "tasks do not" kill -0 "$executor"
start
holds "and are found again" wait_until 20 bash -c "'$BIN/eos' job status $K --gateway $URL | grep -q 'status: RUNNING'"
holds "the same ones" kill -0 "$executor"
holds "the job is killed" on job killall $K

# -- Ctrl-C twice, while a task does not want to end
sed -i "s/while true/trap '' TERM; while true/; s/steady/stubborn/" "$DIR/steady.aurora"
holds "a stubborn job runs" on job create ${K%steady}stubborn "$DIR/steady.aurora" --wait-until RUNNING --timeout 30s
stops() { grep -c 'eos dev: stopping' "$DIR/dev.log"; }
before=$(stops)
kill -INT "$DEV"
wait_until 5 eval '[ "$(stops)" -gt "$before" ]'
ends "a second Ctrl-C is immediate" INT 130
start
holds "what was left is found" on job killall ${K%steady}stubborn --timeout 60s
ends "the end" INT 0
holds "nothing is left" wait_until 10 nothing_left
says "sanitizers are silent" 1 '' grep -E 'AddressSanitizer|LeakSanitizer|runtime error:' "$DIR/dev.log"
