#!/usr/bin/env bash
# How the command line takes what a gateway, a proxy or the network does to it.
. "$(dirname "$0")/checks.sh"
here=$(dirname "$0")
start_gateway() { # NAME [CERTIFICATE KEY]: sets URL
    python3 "$here/gateway.py" "$DIR/requests" "${@:2}" > "$DIR/$1.url" &
    pids+=($!)
    wait_until 20 test -s "$DIR/$1.url" || { echo "FAIL the gateway of the test did not start"; exit 1; }
    URL=$(cat "$DIR/$1.url")
}
touch "$DIR/requests"
start_gateway plain
plain=$URL
K=c/r/e/n
at() { local story=$1; shift; "$BIN/eos" "$@" --gateway "$plain/$story"; }
requests() { grep -c -- "$1" "$DIR/requests"; }

# -- answers that are none
refused "a proxy's page" 7 'HTTP status 502' at html job list c
refused "JSON of another shape" 20 'could not understand' at garbage job status $K
refused "an empty answer" 20 'could not understand' at empty job list c
refused "an endless answer" 10 'over 64 MB' at huge host list
refused "a redirect" 10 'redirects to another address' at moved host list
refused "a limit" 10 'too many requests' at full host list
refused "a path that is not there" 6 'nothing at this path' at other image resolve x
says "an image" 0 '^eos/hello@sha256:00$' at good image resolve eos/hello
says "an image as JSON" 0 '"digest": "sha256:00"' at good image resolve eos/hello --output json
says "what is asked is told" 0 'eos: GET http://.*/good/v1/version: status 200 in [0-9]+ ms' at good version c -v
says "the gateway's version" 0 '^cluster c: gateway 9.9$' at good version c
says "fields of a newer gateway are no trouble" 0 'status: RUNNING on host-1' at good job status $K
refused "nobody listens" 7 'could not reach the gateway at http://127.0.0.1:1: Connection refused' \
    eos host list --gateway http://127.0.0.1:1
refused "a name that does not resolve" 7 'could not reach the gateway' eos host list --gateway http://no-such-host.invalid
refused "another protocol" 3 'must begin with http:// or https://' eos host list --gateway ftp://x

# -- tokens
refused "no token" 30 'a bearer token is needed' at token host list
echo '# mine
secret-token-of-sixteen' > "$DIR/token"
holds "a token from a file" at token host list --token-file "$DIR/token"
holds "a token from the environment" env EOS_TOKEN=secret-token-of-sixteen "$BIN/eos" host list --gateway "$plain/token"
refused "a wrong token" 30 'bearer' env EOS_TOKEN=wrong "$BIN/eos" host list --gateway "$plain/token"
refused "a token with a line break" 3 'printable' env EOS_TOKEN=$'a\nX-Evil: 1' "$BIN/eos" host list --gateway "$plain/token"
refused "a token file that is not there" 3 'could not read the token file' at token host list --token-file "$DIR/none"
cat > "$DIR/etc/clusters.json" <<JSON
[{"name": "c", "scheduler_uri": "$plain/token", "token_file": "$DIR/token"},
 {"name": "bare"}]
JSON
holds "a token of clusters.json" eos host list c
refused "two clusters and none named" 3 'choose one with --cluster' eos host list
holds "--cluster chooses" eos host list --cluster c
refused "a cluster without address" 3 'scheduler_uri' eos host list bare
refused "an unknown cluster" 3 'Unknown cluster: x' eos host list x
echo '[' > "$DIR/etc/clusters.json"
refused "a clusters.json that is broken" 3 'clusters.json' eos host list
rm "$DIR/etc/clusters.json"

# -- many clusters, of which one is not there
cat > "$DIR/etc/clusters.json" <<JSON
[{"name": "gone", "scheduler_uri": "http://127.0.0.1:1"}, {"name": "c", "scheduler_uri": "$plain/good"},
 {"name": "bare"}]
JSON
says "the jobs of the others are listed" 7 '^c/r/e/a$' eos job list '*'
holds "and nothing else" test "$(wc -l < "$DIR/out")" -eq 3
holds "who is missing is named" grep -q '^eos: cluster gone: could not reach the gateway at http://127.0.0.1:1' "$DIR/err"
holds "each of them" grep -q '^eos: cluster bare: .*scheduler_uri' "$DIR/err"
says "the same as JSON" 7 '"job": "c/r/e/ab"' eos job list '*' --output json
holds "that is JSON" jq -e 'length == 3' "$DIR/out"
says "their status too" 7 'status: RUNNING on host-1' eos job status '*'
refused "that nothing matches is not known then" 7 'cluster gone: could not reach' eos job status '*/nobody'
holds "and not said" bash -c "! grep -q 'no jobs matching' '$DIR/err'"
echo '[{"name": "gone", "scheduler_uri": "http://127.0.0.1:1"}]' > "$DIR/etc/clusters.json"
refused "none is there" 7 'cluster gone: could not reach' eos job list '*' --output json
rm "$DIR/etc/clusters.json"

# -- lists
says "nothing that matches, as Aurora says it in JSON" 0 '^\{"jobspec": "c/x/\*/\*", "error": "No matching jobs found"\}$' \
    at good job status c/x --write-json
refused "nothing that matches" 6 'Found no jobs matching c/x/\*/\*' at good job status c/x
says "all pages" 0 'Active tasks \(3\)' at pages job status $K
says "a pattern" 0 '^c/r/e/a$' at good job list 'c/r/*/a'
holds "of which one matches" test "$(at good job list 'c/r/*/a' | wc -l)" -eq 1
says "a list as JSON" 0 '"job": "c/r/e/ab"' at good job list c --output json
holds "that is JSON" jq -e 'length == 3 and .[0].summary.instanceCount == 1' "$DIR/out"
says "no job as JSON" 0 '^\[\]$' at good job list 'c/nobody*' --output json

# -- logs
printf 'raw \xff\x00 bytes\n' > "$DIR/expected"
at good task logs $K/0 > "$DIR/got"
holds "a log comes byte for byte" cmp "$DIR/expected" "$DIR/got"
: > "$DIR/requests"
says "a log that breaks goes on where it was" 0 '^two$' at good task logs --follow $K/0
holds "without losing or doubling" test "$(cat "$DIR/out")" = $'one\ntwo'
holds "from the last position" test "$(requests 'last=4')" -eq 1
says "a gateway that drains is come back to" 0 '^two$' at drain task logs --follow $K/0
refused_after() { says "$@"; }
refused "a task that has no log yet" 10 'has not been on a host yet' at queued task logs $K/0
says "unless it is followed" 0 '^two$' at queued task logs --follow $K/0
holds "which is told" grep -q 'has not been on a host yet, waiting' "$DIR/err"
refused_after "a task that is gone meanwhile" 6 'there is no such task' at gone task logs --follow $K/0
refused_after "an error in the stream" 10 'the disk is gone' at error task logs --follow $K/0
says "a reader that goes away is no error" 0 'one' bash -c "set -o pipefail; '$BIN/eos' task logs --follow $K/0 --gateway $plain/good | head -n 1"
refused "an instance that is missing" 2 'expected CLUSTER/ROLE/ENV/NAME/INSTANCE' at good task logs $K

# -- terminals
on_terminal() { script -qec "env $1 '$BIN/eos' ${*:2} --gateway $plain/good" /dev/null; }
says "colour on a terminal" 0 $'\033\\[1mHOST' on_terminal '-u NO_COLOR TERM=xterm' host list
says "none with NO_COLOR" 0 '^HOST +STATE' on_terminal 'NO_COLOR=1 TERM=xterm' host list
says "none on a dumb terminal" 0 '^HOST +STATE' on_terminal '-u NO_COLOR TERM=dumb' host list

# -- jobs
file=$DIR/job.aurora
mkdir "$DIR/below"
echo 'x' > "$file"
echo 'included' > "$DIR/below/x.include"
create() { local story=$1; shift; at "$story" job create $K "$file" --compiler cluster "$@"; }
: > "$DIR/requests"
says "a job is created" 0 'Job create succeeded: job url=.*/good/v1/jobs/r/e/n$' create good
says "a slash too many is no trouble" 0 '/good/v1/jobs/r/e/n$' create good/
says "what the configuration prints is shown" 0 '^hello$' create good
says "as JSON" 0 '"instanceCount": 1' create good --output json
: > "$DIR/requests"
says "files that the compiler needs are sent" 0 'succeeded' create files
holds "with their content" grep -q "$(printf 'included\n' | base64)" "$DIR/requests"
: > "$DIR/requests"
says "a gateway gets no other files" 0 '' create steal
holds "than those below the configuration" bash -c "! grep -q '$(base64 < /etc/hostname)' '$DIR/requests'"
holds "and is told so" grep -q '"isMissing":true' "$DIR/requests"
refused "a compiler that asks again and again" 3 'asks for files that it was given' create again
refused "an unknown image" 3 'eos/absent:9' create image
refused "a registry that is down" 7 'could not be reached' create down
refused "a second job" 4 'already exists' create exists
refused "a task that fails while it is waited for" 4 'instance 0 is FAILED: exit status 9' create failing --wait-until RUNNING
refused "a task that does not come" 9 'not RUNNING in time: instance 0 is PENDING: insufficient ram' \
    create slow --wait-until RUNNING --timeout 300ms
holds "a task that runs" create good --wait-until RUNNING
says "progress on a terminal" 9 'waiting for RUNNING: 0 of 1 instances, instance 0 is PENDING' script -qec \
    "TERM=xterm '$BIN/eos' job create $K '$file' --compiler cluster --gateway $plain/slow --wait-until RUNNING --timeout 300ms" /dev/null
says "instances are killed and waited for" 0 'Successfully killed instances \[0\]' at kill job kill $K/0
refused "no instances" 6 'use killall' at good job kill $K
refused "a task that does not end" 4 'Exceeded maximum number of errors' at good job kill $K/0 --timeout 200ms
refused "all at once, and it does not end" 9 'were not killed in time' at good job killall $K --timeout 200ms --no-batching

# -- TLS
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$DIR/key.pem" -out "$DIR/cert.pem" -days 2 -subj /CN=tests \
    -addext subjectAltName=IP:127.0.0.1 2> /dev/null
start_gateway tls "$DIR/cert.pem" "$DIR/key.pem"
refused "a certificate that nobody vouches for" 7 'certificate' eos host list --gateway "$URL/good"
holds "an authority of one's own" eos host list --gateway "$URL/good" --ca-file "$DIR/cert.pem"

# -- a lost answer: the same request again, and so the same request id (the last story: it counts)
: > "$DIR/requests"
kill "${pids[0]}" && wait "${pids[0]}" 2> /dev/null
start_gateway fresh
plain=$URL
holds "an answer that is lost is asked for again" create lost
holds "with one id" test "$(grep 'POST /lost/v1/jobs ' "$DIR/requests" | grep -o '"requestId":"[^"]*"' | sort | uniq -c | awk '{print $1}')" = 2
