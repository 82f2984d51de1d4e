#!/usr/bin/env bash
# Every example of docs/http-api.md, in its order and in one shell, as a reader would type it.
. "$(dirname "$0")/../support/cluster.sh"
cluster_start

# The paths of a JSON text with the types of what is there, however many items its lists have.
shape() { jq -c '[paths as $p | ($p | map(if type == "number" then 0 else . end)) + [getpath($p) | type]] | unique'; }

# What stays the same from one time to another in a text that is no JSON.
gist() { sed -E 's/[0-9]+/N/g' | cut -c 1-12; }

# as_documented EXPECTED ACTUAL: JSON has at least the documented members, other text the same gist.
as_documented() {
    case $(head -c 1 "$1") in
    '') ;;
    '{') jq -en --argjson a "$(shape < "$1")" --argjson b "$(shape < "$2")" '$a - $b == []' > /dev/null ;;
    *) diff <(gist < "$1") <(gist < "$2") > /dev/null ;;
    esac
}

run_example() {
    local name=$1 command=${1//127.0.0.1:8081/$HTTP}
    checks=$((checks + 1))
    OUT=$PEERS_DIR/out ERR=$PEERS_DIR/err
    set +o pipefail # as in the reader's shell: head ends a curl that goes on
    eval "${command//\/tmp\//$PEERS_DIR/}" > "$OUT" 2> "$ERR" < /dev/null
    local status=$?
    set -o pipefail
    if [ $status -ne 0 ]; then
        report "$name" "it fails"
    elif ! as_documented "$PEERS_DIR/documented" "$OUT"; then
        report "$name" "its output is not as documented: $(head -c 300 "$PEERS_DIR/documented")"
    else
        say "ok   ${name:0:100}"
    fi
}

cd "$SOURCE/examples" || exit 1
command='' is_example=
while IFS= read -r line; do
    case $is_example$line in
    '```console') is_example=1 ;;
    1'```' | 1'$ '*)
        [ -z "$command" ] || run_example "$command"
        command=${line#'$ '}
        : > "$PEERS_DIR/documented"
        [ "$line" != '```' ] || is_example='' command=''
        ;;
    1*) printf '%s\n' "$line" >> "$PEERS_DIR/documented" ;;
    esac
done < "$SOURCE/docs/http-api.md"
check "there were examples" test "$checks" -ge 20
