# A cluster of `eos dev` with real peers for the end-to-end tests.  Source it at the top of a test:
#
#     . "$(dirname "$0")/../support/cluster.sh"
#     cluster_start
#     check "a job runs" eos job create …
#
# Everything lives in one temporary directory.  When the test ends, however it ends, all of it is taken
# down, and the test fails when a process, mount, cgroup or socket of it is left.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/peers.sh"

SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${EOS_BIN:-$SOURCE/build/bin}
if [ "$(id -u)" != 0 ]; then
    say "containers need root: skipped"
    exit 77
fi
PEERS_DIR=$(mktemp -d /tmp/eos-test.XXXXXX) || exit 1
chmod 755 "$PEERS_DIR"
export PEERS_DIR BIN
export NO_COLOR=1
CLUSTER=devcluster
failures=0
checks=0

eos() { "$BIN/eos" "$@"; }

# run_kept COMMAND…: its exit status in $STATUS, its output in $PEERS_DIR/out and err for the checks that
# follow.  What only looks at those leaves them as they are.
run_kept() {
    OUT=$PEERS_DIR/out.new ERR=$PEERS_DIR/err.new STATUS=0
    "$@" > "$OUT" 2> "$ERR" || STATUS=$?
    case $1 in grep | jq | test | cp) return ;; esac
    mv "$OUT" "$PEERS_DIR/out"
    mv "$ERR" "$PEERS_DIR/err"
    OUT=$PEERS_DIR/out ERR=$PEERS_DIR/err
}

# check NAME COMMAND…: it must succeed.
check() {
    local name=$1
    shift
    checks=$((checks + 1))
    run_kept "$@"
    if [ $STATUS -eq 0 ]; then
        say "ok   $name"
    else
        report "$name" "exit status $STATUS of: $*"
    fi
}

# refused NAME STATUS PATTERN COMMAND…: it must exit with STATUS and say PATTERN (extended regex) on
# stderr, and print nothing on stdout.
refused() {
    local name=$1 expected=$2 pattern=$3
    shift 3
    checks=$((checks + 1))
    run_kept "$@"
    if [ $STATUS -ne "$expected" ]; then
        report "$name" "exit status $STATUS, not $expected"
    elif ! grep -Eq -- "$pattern" "$ERR"; then
        report "$name" "stderr lacks /$pattern/"
    elif [ -s "$OUT" ]; then
        report "$name" "stdout is not empty"
    else
        say "ok   $name"
    fi
}

report() {
    failures=$((failures + 1))
    say "FAIL $1: $2"
    sed 's/^/     | /' "$OUT" "$ERR" 2>/dev/null | head -n 25 >&2
}

# eventually NAME SECONDS COMMAND…: it must succeed within SECONDS.
eventually() {
    local name=$1 seconds=$2
    shift 2
    checks=$((checks + 1))
    OUT=$PEERS_DIR/out ERR=$PEERS_DIR/err
    local end=$((SECONDS + seconds))
    until "$@" > "$OUT" 2> "$ERR"; do
        if [ $SECONDS -ge $end ]; then
            report "$name" "not within $seconds s: $*"
            return 1
        fi
        sleep 0.2
    done
    say "ok   $name"
}

# http METHOD PATH [BODY]: the body of the answer on stdout; its status in $PEERS_DIR/http-status.
http() {
    local method=$1 path=$2
    shift 2
    curl -s -m 30 -X "$method" -o - -w '%{stderr}%{http_code}' ${1:+-H 'Content-Type: application/json' --data-binary "$1"} \
        "http://$HTTP$path" 2> "$PEERS_DIR/http-status"
}

# http_is NAME STATUS JQ-CONDITION METHOD PATH [BODY]
http_is() {
    local name=$1 status=$2 condition=$3
    shift 3
    checks=$((checks + 1))
    OUT=$PEERS_DIR/out ERR=$PEERS_DIR/err
    http "$@" > "$OUT" 2> "$ERR"
    if [ "$(cat "$PEERS_DIR/http-status")" != "$status" ]; then
        report "$name" "HTTP status $(cat "$PEERS_DIR/http-status"), not $status"
    elif ! jq -e "$condition" "$OUT" > /dev/null 2>> "$ERR"; then
        report "$name" "the answer does not satisfy $condition"
    else
        say "ok   $name"
    fi
}

# cluster_peers: registry with eos/hello:1.0 and the AppC image, Docker engine.
cluster_peers() {
    registry_start
    rootfs_make "$PEERS_DIR/rootfs"
    image_push "$PEERS_DIR/rootfs" eos/hello:1.0
    IMAGE_ID=$(aci_make "$PEERS_DIR/rootfs" example.org/hello "$PEERS_DIR/aci")
    [ "${1:-}" = without-docker ] || docker_start
}

# cluster_start [FLAG…]: `eos dev` with these flags more; sets HTTP and DEV (its process id).  CLUSTER_KEYS holds
# further members of its entry in clusters.json, with a comma in front.
cluster_start() {
    HTTP=127.0.0.1:$(free_port)
    export EOS_CONFIG_ROOT=$PEERS_DIR/etc AURORA_CONFIG_ROOT=$PEERS_DIR/etc
    mkdir -p "$PEERS_DIR/etc"
    cat > "$PEERS_DIR/etc/clusters.json" <<JSON
[{"name": "$CLUSTER", "scheduler_uri": "http://$HTTP", "docker_registry": "http://${REGISTRY:-127.0.0.1:1}"${CLUSTER_KEYS:-}}]
JSON
    dev_start "$@"
}

# dev_start [FLAG…]: starts `eos dev` (again) on the same state.
dev_start() {
    DEV_FLAGS=("$@")
    : > "$PEERS_DIR/dev.out" # an earlier one was ready, too
    "$BIN/eos" dev --state-dir "$PEERS_DIR/eos" --http "$HTTP" --cluster "$CLUSTER" --clusters "$PEERS_DIR/etc/clusters.json" \
        --docker-socket "${DOCKER_SOCKET:-$PEERS_DIR/no-docker}" --appc-simple-discovery-uri-prefix "$PEERS_DIR/aci/" \
        ${DEV_FLAGS[@]+"${DEV_FLAGS[@]}"} > "$PEERS_DIR/dev.out" 2>> "$PEERS_DIR/dev.log" &
    DEV=$!
    echo "$DEV" > "$PEERS_DIR/dev.pid"
    if ! wait_until 40 grep -q 'is ready' "$PEERS_DIR/dev.out"; then
        say "the cluster did not start:"
        tail -n 15 "$PEERS_DIR/dev.log" >&2
        exit 1
    fi
}

# The process id of one of the services of `eos dev`.
service_pid() { pgrep -P "$(cat "$PEERS_DIR/dev.pid")" -f "eos-$1( |\$)"; }

# task_ids ROLE/ENV/NAME STATUS: of the tasks in that state, one a line, sorted.
task_ids() {
    local role env name
    IFS=/ read -r role env name <<< "$1"
    http GET "/v1/tasks?role=$role&environment=$env&name=$name&statuses=$2" | jq -r '.tasks[].assignedTask.taskId' | sort
}

# running_count ROLE/ENV/NAME COUNT: whether exactly so many run.
running_count() { [ "$(task_ids "$1" RUNNING | wc -l)" -eq "$2" ]; }

# What there is of this test on the machine, one line each; nothing when all is gone.
leftovers() {
    local pid
    for pid in $(ls /proc | grep -E '^[0-9]+$'); do
        [ "$pid" != $$ ] && [ "$pid" != "${BASHPID:-}" ] || continue
        if { tr '\0' ' ' < "/proc/$pid/cmdline"; } 2>/dev/null | grep -qF "$PEERS_DIR" ||
            readlink "/proc/$pid/cwd" 2>/dev/null | grep -qF "$PEERS_DIR"; then
            [ "$(awk '{ print $4 }' "/proc/$pid/stat" 2>/dev/null)" = $$ ] ||
                echo "process $pid $({ tr '\0' ' ' < "/proc/$pid/cmdline"; } 2>/dev/null)"
        fi
    done
    grep -F " $PEERS_DIR/" /proc/self/mounts | sed 's/^/mount /'
    cgroups_left | sed 's/^/cgroup /'
}

# The control groups of this test's tasks, which are named by their ids, and of its Docker engine.
cgroups_left() {
    local task
    for task in $(ls "$PEERS_DIR"/eos/launcher/tasks "$PEERS_DIR"/eos/launcher/sandboxes 2>/dev/null | sort -u); do
        find /sys/fs/cgroup -mindepth 2 -type d -name "$task" 2>/dev/null
    done
    find /sys/fs/cgroup -mindepth 2 -type d -path "*/$(basename "$PEERS_DIR")*" 2>/dev/null
}

nothing_left() { [ -z "$(leftovers)" ]; }

finish() {
    trap - EXIT INT TERM
    local status=${1:-0}
    peers_stop
    if ! wait_until 10 nothing_left; then
        failures=$((failures + 1))
        say "FAIL something was left behind:"
        leftovers | head -n 20 >&2
    fi
    [ "$failures" -eq 0 ] || { [ ! -f "$PEERS_DIR/dev.log" ] || { say "the log of eos dev ended with:"; tail -n 30 "$PEERS_DIR/dev.log" >&2; }; }
    rm -rf "$PEERS_DIR"
    say "$((checks - failures)) passed, $failures failed"
    [ "$failures" -eq 0 ] || status=1
    exit "$status"
}
trap 'finish $?' EXIT
trap 'finish 130' INT
trap 'finish 143' TERM
