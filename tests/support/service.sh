# For tests of one service against real peers.  Source it at the top of a test, with `set -u`:
#
#     . "$(dirname "$0")/../../support/service.sh"
#     check "it answers" curl …
#
# Everything lives in PEERS_DIR; when the test ends, its peers are stopped, the directory is removed, and
# the test fails when a check did or a process is left.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/peers.sh"

PEERS_DIR=$(mktemp -d /tmp/eos-test.XXXXXX) || exit 1
export PEERS_DIR
failures=0
checks=0
OUT=$PEERS_DIR/out ERR=$PEERS_DIR/err

report() {
    failures=$((failures + 1))
    say "FAIL $1: $2"
    sed 's/^/     | /' "$OUT" "$ERR" 2>/dev/null | cut -c1-300 | head -n 25 >&2
}

# check NAME COMMAND…: it must succeed; its output stays in $OUT and $ERR.
check() {
    local name=$1 status=0
    shift
    checks=$((checks + 1))
    "$@" > "$OUT" 2> "$ERR" || status=$?
    if [ $status -eq 0 ]; then
        say "ok   $name"
    else
        report "$name" "exit status $status of: $*"
    fi
}

# fails NAME PATTERN COMMAND…: it must exit with 1 and say PATTERN (extended regex) on stderr.
fails() {
    local name=$1 pattern=$2 status=0
    shift 2
    checks=$((checks + 1))
    "$@" > "$OUT" 2> "$ERR" || status=$?
    if [ $status -ne 1 ]; then
        report "$name" "exit status $status, not 1, of: $*"
    elif ! tr '\n' ' ' < "$ERR" | grep -Eq -- "$pattern"; then
        report "$name" "stderr lacks /$pattern/"
    else
        say "ok   $name"
    fi
}

# says NAME PATTERN FILE: of the command before.
says() {
    checks=$((checks + 1))
    if grep -Eq -- "$2" "$3"; then
        say "ok   $1"
    else
        report "$1" "/$2/ is not in $3"
    fi
}

# peer_start NAME COMMAND…: in the background, with its log in $PEERS_DIR/NAME.log.
peer_start() {
    local name=$1
    shift
    "$@" > "$PEERS_DIR/$name.log" 2>&1 &
    echo $! > "$PEERS_DIR/$name.pid"
}

# peer_stop NAME: and waits for its end; its exit status.
peer_stop() {
    local pid status=0
    pid=$(cat "$PEERS_DIR/$1.pid")
    kill "$pid" 2>/dev/null
    wait_until 20 peer_is_gone "$pid" || kill -9 "$pid"
    wait "$pid" 2>/dev/null || status=$?
    rm -f "$PEERS_DIR/$1.pid"
    return $status
}

port_is_open() { ss -Hltn "sport = :$1" | grep -q .; }

leftover_processes() {
    local pid
    for pid in $(ls /proc | grep -E '^[0-9]+$'); do
        [ "$pid" = $$ ] || [ "$pid" = "${BASHPID:-}" ] ||
            ! { tr '\0' ' ' < "/proc/$pid/cmdline"; } 2>/dev/null | grep -F "$PEERS_DIR"
    done
}

finish() {
    trap - EXIT INT TERM
    peers_stop
    if [ -n "$(leftover_processes)" ]; then
        failures=$((failures + 1))
        say "FAIL processes were left behind:"
        leftover_processes >&2
    fi
    rm -rf "$PEERS_DIR"
    say "$((checks - failures)) passed, $failures failed"
    [ "$failures" -eq 0 ] && [ "$1" -eq 0 ]
    exit
}
trap 'finish $?' EXIT
trap 'finish 130' INT
trap 'finish 143' TERM
