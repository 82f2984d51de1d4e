#!/usr/bin/env bash
# eos-binder over rpc, against Debian's registry and against one that counts what it is asked.
. "$(dirname "$0")/../../support/service.sh"
here=$(cd "$(dirname "$0")" && pwd)
call_program=$EOS_BIN/test/binder_call
url=ipc://$PEERS_DIR/binder.sock
log=$PEERS_DIR/requests
export HOME=$PEERS_DIR EOS_CONFIG_ROOT=$PEERS_DIR/none AURORA_CONFIG_ROOT=$PEERS_DIR/none

binder_start() { # FLAG…
    peer_start binder "$EOS_BIN/eos-binder" --listen "$url" "$@"
    wait_until 20 grep -q serving "$PEERS_DIR/binder.log" || die "eos-binder did not start: $(cat "$PEERS_DIR/binder.log")"
}
call() { "$call_program" --url "$url" "${@:2}" "$1"; }
resolve() { # CLUSTER REFERENCE [FLAG…]
    local cluster=$1 reference=$2
    shift 2
    jq -n --arg c "$cluster" --arg r "$reference" --argjson s "${SKIP:-false}" '{cluster: $c, reference: $r, skipCache: $s}' | call Resolve "$@"
}
bind() { # CLUSTER JOB [PIN]
    jq -n --arg c "$1" --argjson j "$2" --argjson p "${3:-false}" '{cluster: $c, job: $j, pin: $p}' | call Bind
}
is() { # NAME JQ-CONDITION: of the output of the command before
    checks=$((checks + 1))
    if jq -e "$2" "$OUT" > /dev/null 2>> "$ERR"; then say "ok   $1"; else report "$1" "not $2"; fi
}
asked() { [ "$(grep -c "$1" "$log" || true)" -eq "$2" ] || { cat "$log" >&2; false; }; }
forget() { : > "$log"; }

registry_start
mkdir -p "$PEERS_DIR/rootfs/etc"
echo hello > "$PEERS_DIR/rootfs/etc/hello"
image_push "$PEERS_DIR/rootfs" eos/hello:1.0
peer_start misbehave python3 "$here/../registry/misbehave.py" "$PEERS_DIR/ports" "$log"
wait_until 20 test -s "$PEERS_DIR/ports" || die "the server did not start"
read -r port _ < "$PEERS_DIR/ports"
cat > "$PEERS_DIR/clusters.json" <<JSON
[{"name": "real", "docker_registry": "http://$REGISTRY"},
 {"name": "odd", "docker_registry": "http://127.0.0.1:$port"},
 {"name": "down", "docker_registry": "http://127.0.0.1:1"},
 {"name": "wrong", "docker_registry": "127.0.0.1:5000"},
 {"name": "stranger", "docker_registry": "http://192.0.2.1"}]
JSON
echo '[{"name": "down", "docker_registry": "http://127.0.0.1:1/"}]' > "$PEERS_DIR/more.json"
binder_start --clusters "$PEERS_DIR/clusters.json" --clusters "$PEERS_DIR/more.json" --negative-cache-ttl 1h

# -- Resolve
digest=$(skopeo inspect --tls-verify=false "docker://$REGISTRY/eos/hello:1.0" | jq -r .Digest)
before=$(date +%s%3N)
check "a template" resolve real '{{docker.image[eos/hello][1.0]}}'
is "is bound as Aurora does it" ".binding.resolved == \"$REGISTRY/eos/hello@$digest\""
is "with all that there is to know" ".binding | .reference == \"{{docker.image[eos/hello][1.0]}}\" and .registry == \"http://$REGISTRY\" and
    .repository == \"eos/hello\" and .tag == \"1.0\" and .digest == \"$digest\" and .platform == \"linux/$(skopeo inspect --tls-verify=false "docker://$REGISTRY/eos/hello:1.0" | jq -r .Architecture)\" and .authentication == \"anonymous\" and
    .mediaType == \"application/vnd.docker.distribution.manifest.v2+json\" and (.sizeBytes | tonumber) > 100 and
    (.resolvedAtMs | tonumber) >= $before"
check "a plain reference" resolve real eos/hello:1.0
is "is the same image" ".binding.resolved == \"$REGISTRY/eos/hello@$digest\" and .binding.reference == \"eos/hello:1.0\""
check "a reference with its host" resolve odd "$REGISTRY/eos/hello:1.0"
is "goes there and not to the cluster's registry" ".binding.registry == \"http://$REGISTRY\" and .binding.digest == \"$digest\""
check "a digest" resolve real "eos/hello@$digest"
is "has no tag" '.binding.tag == ""'
check "a reference with tag and digest" resolve real "eos/hello:1.0@$digest"
check "an index" resolve odd many/platforms:1
is "keeps its own digest and tells its platforms" '.binding.platform == "linux/s390x,linux/arm64/v8,linux/amd64,windows/amd64" and (.binding.mediaType | test("index"))'

fails "an unknown image" "code=5 .*registry http://$REGISTRY does not have image eos/absent:9" resolve real eos/absent:9
fails "an unknown tag" "code=5 .*registry http://$REGISTRY does not have image eos/hello:2" resolve real '{{docker.image[eos/hello][2]}}'
fails "a registry that is down" "code=14 .*registry http://127.0.0.1:1 could not be reached for image a/b:1: connection refused" resolve down a/b:1
fails "credentials that are needed" "code=16 .*none are known for 127.0.0.1:$port" resolve odd auth/basic/a:1
fails "access denied" "code=7 .*denies access" resolve odd auth/denied/a:1
fails "a lie" "code=15 .*says sha256:0" resolve odd lies/header:1
fails "a malformed reference" "code=3 .*image \"eos/hello:x y\": byte 12 is not one of" resolve real 'eos/hello:x y'
fails "half a template" "code=3 .*expected \{\{docker.image\[NAME\]\[TAG\]\}\}" resolve real '{{docker.image[eos/hello]}}'
fails "a malformed template" "code=3 .*in its name: byte 1 is not a lower-case" resolve real '{{docker.image[Eos][1]}}'
fails "an empty reference" "code=3 .*is empty" resolve real ''
fails "an unknown cluster" "code=5 .*Unknown cluster: nowhere. Known clusters: real, odd, down, wrong, stranger" resolve nowhere a/b:1
fails "no cluster where there are several" "code=3 .*field cluster: a name is needed" resolve '' a/b:1
fails "a registry that is no URL" "code=9 .*docker_registry of cluster \"wrong\": .*must start with https" resolve wrong a/b:1
fails "plain HTTP to a stranger" "code=9 .*plain HTTP to 192.0.2.1 is not allowed" resolve stranger a/b:1

# -- the cache
forget
check "once" resolve odd cache/a:1
check "and again" resolve odd cache/a:1
check "asks once" asked cache/a/manifests 1
SKIP=true check "without the cache" resolve odd cache/a:1
is "and gets the same" '.binding | .mediaType != "" and .digest != "" and (.sizeBytes | tonumber) > 100'
check "asks again" asked cache/a/manifests 2
check "but only whether it is still the same" grep -q "HEAD.*cache/a/manifests/1" "$log"
copy() { skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false "${@:3}" "docker://$REGISTRY/$1" "docker://$REGISTRY/$2"; }
copy eos/hello:1.0 eos/moving:1
check "a tag that moves" resolve real eos/moving:1
is "is asked for as it is" ".binding.digest == \"$digest\""
copy eos/hello:1.0 eos/moving:1 --format oci
moved=$(skopeo inspect --tls-verify=false "docker://$REGISTRY/eos/moving:1" | jq -r .Digest)
check "it is remembered" resolve real eos/moving:1
is "as it was" ".binding.digest == \"$digest\""
SKIP=true check "and not when it is asked for anew" resolve real eos/moving:1
is "it has moved" ".binding.digest == \"$moved\" and .binding.digest != \"$digest\" and (.binding.mediaType | test(\"oci\"))"
fails "what is not there" "code=5" resolve odd cache/a:2
fails "what is still not there" "code=5" resolve odd cache/a:2
check "is asked for once" asked cache/a/manifests/2 1
forget
SKIP=true check "a hundred callers at once" resolve odd flaky/500:1 --repeat 100
check "have all the answer" test "$(sort -u "$OUT" | wc -l) $(wc -l < "$OUT")" = "1 100"
check "of one flight" asked flaky/500/manifests 3
check "its metrics" call Metrics <<< '{}'
says "count the cache" 'eos_binder_answers_total\{source=\\"cache\\"\} [2-9]' "$OUT"

# -- Bind
job() { # CONTAINER [EXECUTOR-DATA]
    jq -n --argjson c "$1" --arg d "${2:-\{\}}" '{key: {role: "r", environment: "e", name: "n"}, instanceCount: 3,
        taskConfig: {executorName: "AuroraExecutor", executorData: $d, container: $c}}'
}
template='{{docker.image[eos/hello][1.0]}}'
bound=$REGISTRY/eos/hello@$digest
check "a job without images" bind real "$(job '{"mesos": {}}')"
is "comes back as it is" '.job.instanceCount == 3 and .job.key.name == "n" and .bindings == []'
check "a job without images needs no cluster" bind nowhere "$(job '{"mesos": {}}')"
check "a Docker container" bind real "$(job "{\"docker\": {\"image\": \"$template\"}}")"
is "is bound" ".job.taskConfig.container.docker.image == \"$bound\" and (.bindings | length) == 1 and .bindings[0].digest == \"$digest\""
check "templates wherever they stand" bind real "$(job "{\"docker\": {\"image\": \"$template\", \"parameters\": [{\"name\": \"env\", \"value\": \"I=$template\"}]}}" \
    "{\"task\": {\"processes\": [{\"cmdline\": \"echo $template $template {{docker.image[eos/hello]}} {{mesos.instance}}\"}]}}")"
is "are all bound, once" "(.bindings | length) == 1 and .job.taskConfig.container.docker.parameters[0].value == \"I=$bound\" and
    (.job.taskConfig.executorData | fromjson | .task.processes[0].cmdline) == \"echo $bound $bound {{docker.image[eos/hello]}} {{mesos.instance}}\""
check "a Mesos container with a template as its name" bind real "$(job "{\"mesos\": {\"image\": {\"docker\": {\"name\": \"$template\", \"tag\": \"x\"}}}}")"
is "gets the digest as its tag" ".job.taskConfig.container.mesos.image.docker == {name: \"$REGISTRY/eos/hello\", tag: \"$digest\"}"
check "a plain tag" bind real "$(job '{"mesos": {"image": {"docker": {"name": "eos/hello", "tag": "1.0"}}}}')"
is "stays" '.job.taskConfig.container.mesos.image.docker.tag == "1.0" and .bindings == []'
check "a plain tag with pin" bind real "$(job '{"mesos": {"image": {"docker": {"name": "eos/hello", "tag": "1.0"}}}}')" true
is "is pinned" ".job.taskConfig.container.mesos.image.docker == {name: \"eos/hello\", tag: \"$digest\"} and .bindings[0].reference == \"eos/hello:1.0\""
check "an engine's plain tag with pin" bind odd "$(job "{\"docker\": {\"image\": \"$REGISTRY/eos/hello:1.0\"}}")" true
is "is pinned too" ".job.taskConfig.container.docker.image == \"$bound\""
check "a digest with pin" bind down "$(job "{\"docker\": {\"image\": \"a/b@$digest\"}}")" true
is "is left alone" ".job.taskConfig.container.docker.image == \"a/b@$digest\" and .bindings == []"
check "two images" bind odd "$(job '{"mesos": {}}' '{{docker.image[two/a][1]}} {{docker.image[two/b][1]}}')"
is "have two records" '[.bindings[].repository] == ["two/a", "two/b"]'
fails "one of two images that is not there" "code=5 .*does not have image two/b:9" bind odd "$(job '{"mesos": {}}' '{{docker.image[two/a][1]}} {{docker.image[two/b][9]}}')"
fails "too many images" "code=3 .*over 64 different image references" \
    bind odd "$(job '{"mesos": {}}' "$(for i in $(seq 65); do printf '{{docker.image[a][%d]}}' "$i"; done)")"
fails "an unknown image" "code=5 .*$REGISTRY does not have image eos/absent:9" bind real "$(job '{"docker": {"image": "{{docker.image[eos/absent][9]}}"}}')"
fails "a cluster that is not known" "code=5 .*Unknown cluster: nowhere" bind nowhere "$(job '{"docker": {"image": "{{docker.image[a][1]}}"}}')"
fails "no job" "code=3 .*field job: missing" call Bind <<< '{"cluster": "real"}'

# -- callers that give up, and the end
fails "a caller that gives up" "code=1 " resolve odd slow/hang:1 --give-up 200ms --repeat 3
peer_stop misbehave
fails "what was cached is no answer for a registry that is down" "code=14 .*could not be reached" env SKIP=true bash -c \
    'jq -n "{cluster: \"odd\", reference: \"cache/a:1\", skipCache: true}" | "$0" --url "$1" Resolve' "$call_program" "$url"
peer_start misbehave python3 "$here/../registry/misbehave.py" "$PEERS_DIR/ports2" "$log"
wait_until 20 test -s "$PEERS_DIR/ports2"
forget
jq -n --arg r "127.0.0.1:$(cut -d' ' -f1 "$PEERS_DIR/ports2")/slow/hang:1" '{cluster: "real", reference: $r}' > "$PEERS_DIR/request"
"$call_program" --url "$url" Resolve < "$PEERS_DIR/request" > "$PEERS_DIR/hanging.out" 2>&1 &
hanging=$!
wait_until 10 grep -q slow/hang "$log" || die "the call that hangs did not come"
kill -TERM "$(cat "$PEERS_DIR/binder.pid")"
kill -TERM "$(cat "$PEERS_DIR/binder.pid")"
checks=$((checks + 1))
if wait "$(cat "$PEERS_DIR/binder.pid")"; then say "ok   it stops at once when told twice"; else report "stop" "exit status $?"; fi
rm -f "$PEERS_DIR/binder.pid"
kill $hanging 2> /dev/null
wait $hanging 2> /dev/null

# -- one registry call at a time
binder_start --clusters "$PEERS_DIR/clusters.json" --concurrency 1 --cache-entries 0 --registry-timeout 30s
slow=127.0.0.1:$(cut -d' ' -f1 "$PEERS_DIR/ports2")
image_push "$PEERS_DIR/rootfs" eos/other:1.0
check "wait for their turn" bind real "$(job '{"mesos": {}}' '{{docker.image[eos/hello][1.0]}} {{docker.image[eos/other][1.0]}}')"
is "and are all bound" '(.bindings | length) == 2'
forget
jq -n --arg r "$slow/slow/hang:1" '{cluster: "real", reference: $r}' > "$PEERS_DIR/request"
"$call_program" --url "$url" --give-up 1s Resolve < "$PEERS_DIR/request" > "$PEERS_DIR/hanging.out" 2>&1 &
hanging=$!
wait_until 10 grep -q slow/hang "$log" || die "the call that hangs did not come"
fails "one that gives up while it waits" "code=1 " resolve odd ok/a:1 --give-up 100ms
check "the next one has its turn when the one before gives up" resolve real eos/hello:1.0
wait $hanging
check "nobody asked for what was given up" asked ok/a 0
peer_stop binder

# -- starting
fails "a clusters file that is not there" "flag --clusters: could not open $PEERS_DIR/nothing" "$EOS_BIN/eos-binder" --listen "$url" --clusters "$PEERS_DIR/nothing"
echo '[1]' > "$PEERS_DIR/bad.json"
fails "a clusters file that is wrong" "$PEERS_DIR/bad.json: entry 1: clusters must be maps" "$EOS_BIN/eos-binder" --listen "$url" --clusters "$PEERS_DIR/bad.json"
fails "a public address without a key" "cluster.key" "$EOS_BIN/eos-binder" --listen tcp://192.0.2.1:7000
htpasswd -Bbn reader secret > "$PEERS_DIR/htpasswd"
peer_stop registry
registry_start "auth: {htpasswd: {realm: tests, path: $PEERS_DIR/htpasswd}}"
mkdir "$PEERS_DIR/.docker"
echo "{\"auths\": {\"$REGISTRY\": {\"auth\": \"$(printf reader:secret | base64)\"}}}" > "$PEERS_DIR/.docker/config.json"
echo "[{\"name\": \"only\", \"docker_registry\": \"http://$REGISTRY\"}]" > "$PEERS_DIR/only.json"
EOS_CLUSTERS=$PEERS_DIR/only.json binder_start
check "the only cluster needs no name, credentials are found at home" resolve '' eos/hello:1.0
is "with a password" '.binding.authentication == "basic"'
check "it drains and ends well" peer_stop binder
