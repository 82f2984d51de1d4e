#!/usr/bin/env bash
# What bad input gets: one clear sentence, the right code on HTTP and as exit status, and no effect.
. "$(dirname "$0")/../support/cluster.sh"
cluster_peers without-docker
cluster_start --insecure-registry 127.0.0.1

job() { # job NAME [KEYWORDS] [TASK-KEYWORDS]: writes a job file and prints its path
    cat > "$PEERS_DIR/$1.aurora" <<AURORA
task = Task(name='t', processes=[Process(name='p', cmdline='sleep 1000')],
            resources=Resources(${3:-cpu=0.1, ram=16*MB, disk=16*MB}))
jobs = [Service(cluster='$CLUSTER', role='www-data', environment='devel', name='$1', task=task${2:+, $2})]
AURORA
    echo "$PEERS_DIR/$1.aurora"
}
key() { echo "$CLUSTER/www-data/devel/$1"; }
no_job() { ! eos job list "$CLUSTER/*" | grep -q "/$1\$"; }

# -- a configuration that does not compile
cat > "$PEERS_DIR/broken.aurora" <<'AURORA'
task = SequentialTask(processes=[Process(name='p', cmdline='true')],
jobs = [Service(cluster='devcluster', role='www-data', environment='devel', name='broken', task=tusk)]
AURORA
refused "a syntax error" 3 'broken\.aurora:[0-9]+:[0-9]+: ' eos job create "$(key broken)" "$PEERS_DIR/broken.aurora"
check "shows the line" grep -q 'task = SequentialTask' "$PEERS_DIR/err"
check "and a caret" grep -Eq '^ *\|? *\^' "$PEERS_DIR/err"
sed -i "1s/,\$/, resources=Resources(cpu=1, ram=MB, disk=MB))/" "$PEERS_DIR/broken.aurora"
refused "an unknown name" 3 'broken\.aurora:2:[0-9]+: .*tusk' eos job create "$(key broken)" "$PEERS_DIR/broken.aurora"
check "a config error leaves no job" no_job broken
request=$(jq -n --rawfile text "$PEERS_DIR/broken.aurora" '{source: {files: [{path: "broken.aurora", content: ($text | @base64)}], user: "me"}}')
http_is "over HTTP it is a problem with diagnostics" 400 \
    '.code == "INVALID_ARGUMENT" and (.detail | test("broken.aurora:2")) and .diagnostics[0].at.line == 2' POST /v1/jobs "$request"

# -- images
file=$(job no_image "container=Mesos(image=DockerImage(name='eos/absent', tag='9'))")
refused "an unknown image" 3 "$REGISTRY.*eos/absent|eos/absent.*$REGISTRY" eos job create "$(key no_image)" "$file" --pin
file=$(job no_image "container=Docker(image='{{docker.image[eos/absent][9]}}')")
refused "an unknown image of the binder" 3 "$REGISTRY.*eos/absent|eos/absent.*$REGISTRY" eos job create "$(key no_image)" "$file"
check "leaves no job" no_job no_image
http_is "an unknown image over HTTP" 404 '.code == "NOT_FOUND"' POST /v1/images:resolve '{"reference": "eos/absent:9"}'
kill "$(cat "$PEERS_DIR/registry.pid")"
wait_until 10 peer_is_gone "$(cat "$PEERS_DIR/registry.pid")"
file=$(job no_registry "container=Docker(image='{{docker.image[eos/hello][1.0]}}')")
refused "a registry that is down" 7 "$REGISTRY" eos job create "$(key no_registry)" "$file"
check "leaves no job" no_job no_registry
http_is "a registry that is down over HTTP" 503 '.code == "UNAVAILABLE" and (.detail | startswith("registry "))' POST /v1/images:resolve '{"reference": "eos/hello:1.0"}'

# -- roles, sizes, keys
sed "s/role='www-data'/role='no-such-user'/" "$(job stranger)" > "$PEERS_DIR/stranger2.aurora"
refused "a role that is no user on the host" 4 'no-such-user' \
    eos job create "$CLUSTER/no-such-user/devel/stranger" "$PEERS_DIR/stranger2.aurora" --wait-until RUNNING --timeout 20s
check "its status says why" eos job status "$CLUSTER/no-such-user/devel/stranger"
check "in words" grep -q 'role "no-such-user" is not a user' "$PEERS_DIR/out"
eos job killall "$CLUSTER/no-such-user/devel/stranger" > /dev/null 2>&1

file=$(job giant '' 'cpu=0.1, ram=4096*GB, disk=16*MB')
check "a task larger than any host is accepted" eos job create "$(key giant)" "$file"
check "and stays pending" eos job status "$(key giant)"
check "with the reason" grep -Eq 'ram' "$PEERS_DIR/out"
http_is "the reason over HTTP" 200 '.reasons[0].reason | test("ram")' GET '/v1/pending?role=www-data&name=giant'
check "giant is killed" eos job killall "$(key giant)"

refused "a malformed job key" 2 'CLUSTER/ROLE/ENV/NAME' eos job create not-a-key "$file"
refused "an unknown cluster" 3 'Unknown cluster: nowhere' eos job create nowhere/www-data/devel/x "$file"
refused "a key that the file does not have" 3 'Could not find job' eos job create "$(key other)" "$file"

# -- HTTP
http_is "an unknown field" 400 '.code == "INVALID_ARGUMENT" and (.detail | test("reqest_id|reqestId"))' POST /v1/jobs '{"reqestId": "x"}'
http_is "something that is not JSON" 400 '.code == "INVALID_ARGUMENT"' POST /v1/jobs '{"job":'
head -c 20000000 /dev/zero | tr '\0' ' ' > "$PEERS_DIR/big"
http_is "a body over the limit" 413 '.code == "RESOURCE_EXHAUSTED"' POST /v1/jobs "@$PEERS_DIR/big"
http_is "a path that is not there" 404 '.code == "NOT_FOUND"' GET /v1/jab
http_is "a job that is not there" 404 '.code == "NOT_FOUND"' GET /v1/jobs/www-data/devel/nothing
http_is "a kill of what is not there" 404 '.code == "NOT_FOUND"' POST /v1/jobs/www-data/devel/nothing:kill '{}'
refused "a kill of what is not there, by command" 6 'nothing' eos job killall "$(key nothing)"

# -- a second job of the same name
file=$(job twice)
check "a first job" eos job create "$(key twice)" "$file"
refused "a second job of the same name" 4 'already exists' eos job create "$(key twice)" "$file"
request=$(http GET /v1/jobs/www-data/devel/twice | jq '{job: .job}')
http_is "a second job over HTTP" 409 '.code == "ALREADY_EXISTS"' POST /v1/jobs "$request"
eventually "there is one task of it" 20 running_count www-data/devel/twice 1
check "which is killed" eos job killall "$(key twice)"

# -- doors
refused "a launcher on a public address without a cluster key" 1 'cluster.key' \
    timeout 10 "$BIN/eos-launcher" --listen tcp://192.0.2.1:7000 --scheduler "tcp://192.0.2.2:7001" --state-dir "$PEERS_DIR/launcher2" --cluster $CLUSTER
refused "a gateway on a public address without tokens" 1 'token' timeout 10 "$BIN/eos-gateway" --http 0.0.0.0:0 --cluster $CLUSTER
