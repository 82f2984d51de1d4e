# What the scripts of this folder share.  Each has a directory of its own in $DIR; what it starts is
# ended by its id when the script ends.
set -uo pipefail
BIN=${EOS_BIN:?}
DIR=$(mktemp -d /tmp/eos-client.XXXXXX) || exit 1
export NO_COLOR=1 HOME=$DIR EOS_CONFIG_ROOT=$DIR/etc AURORA_CONFIG_ROOT=$DIR/etc
unset EOS_TOKEN EOS_TOKEN_FILE EOS_GATEWAY EOS_CLUSTER
mkdir "$DIR/etc"
failures=0
pids=()

finish() {
    local pid
    for pid in ${pids[@]+"${pids[@]}"}; do
        kill "$pid" 2> /dev/null && wait "$pid" 2> /dev/null
    done
    rm -rf "$DIR"
    [ $failures -eq 0 ] || echo "$failures failed" >&2
    exit $((failures > 0))
}
trap finish EXIT

# says NAME STATUS PATTERN COMMAND…: exits with STATUS, and stdout or stderr has PATTERN (extended; may
# be empty).  Both stay in $DIR/out and err for the checks that follow; what only looks at those leaves
# them as they are.
says() {
    local name=$1 expected=$2 pattern=$3 status=0 out=$DIR/out.new err=$DIR/err.new
    shift 3
    "$@" > "$out" 2> "$err" || status=$?
    case $1 in
    grep | jq | test | bash) ;;
    *)
        mv "$out" "$DIR/out"
        mv "$err" "$DIR/err"
        out=$DIR/out err=$DIR/err
        ;;
    esac
    if [ $status -ne "$expected" ] || { [ -n "$pattern" ] && ! grep -Eq -- "$pattern" "$out" "$err"; }; then
        echo "FAIL $name: status $status, expected $expected and /$pattern/"
        sed 's/^/     | /' "$out" "$err" | head -n 20
        failures=$((failures + 1))
    else
        echo "ok   $name"
    fi
}

# refused NAME STATUS PATTERN COMMAND…: as says(), and the sentence is on stderr, and stdout is empty.
refused() {
    rm -f "$DIR/out" "$DIR/err"
    says "$@"
    if [ -s "$DIR/out" ] || { [ -f "$DIR/err" ] && ! grep -Eq -- "$3" "$DIR/err"; }; then
        echo "FAIL $1: an error belongs to stderr"
        failures=$((failures + 1))
    fi
}

# holds NAME COMMAND…
holds() {
    local name=$1
    shift
    says "$name" 0 '' "$@"
}

wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" > /dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

eos() { "$BIN/eos" "$@"; }
