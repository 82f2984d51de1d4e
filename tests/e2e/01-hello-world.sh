#!/usr/bin/env bash
# One process on the host's filesystem, from the file to the log and back to nothing.
. "$(dirname "$0")/../support/cluster.sh"
cluster_start

KEY=$CLUSTER/www-data/devel/hello_world
check "the job is created and runs" eos job create "$KEY" "$SOURCE/examples/hello_world.aurora" --wait-until RUNNING
check "it is listed" eos job list "$CLUSTER/www-data"
check "the list has its key" grep -qx "$KEY" "$PEERS_DIR/out"
check "its status is shown" eos job status "$KEY"
check "as RUNNING" grep -q 'status: RUNNING' "$PEERS_DIR/out"
check "and as JSON" eos job status "$KEY" --output json
check "that is JSON" jq -e '.[0].active[0].status == "RUNNING"' "$PEERS_DIR/out"
eventually "its log is read" 10 bash -c '"$BIN/eos" task logs "$0/0" | grep -q "hello world from instance 0"' "$KEY"
check "the host is listed" eos host list --output json
check "the job is inspected" eos job inspect "$KEY" "$SOURCE/examples/hello_world.aurora"

id=$(task_ids www-data/devel/hello_world RUNNING)
sandbox=$(http GET "/v1/tasks/$id" | jq -r .sandboxPath)
check "stdout lies where Aurora put it" grep -q 'hello world' "$sandbox/.logs/hello/0/stdout"
check "the sandbox is the role's" test "$(stat -c %U "$sandbox")" = www-data

refused "a second job of the same name" 4 'already exists' eos job create "$KEY" "$SOURCE/examples/hello_world.aurora"
check "one instance is killed" eos job kill "$KEY/0"
eventually "and comes not back" 20 running_count www-data/devel/hello_world 0
refused "a kill of what is not there" 6 'not|No' eos job killall "$CLUSTER/www-data/devel/nothing"
