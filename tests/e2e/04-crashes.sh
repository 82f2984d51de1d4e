#!/usr/bin/env bash
# kill -9 of each daemon while tasks run: tasks go on, the cluster is whole again within 10 s, and
# nothing is lost or doubled.
. "$(dirname "$0")/../support/cluster.sh"
cluster_peers without-docker
cluster_start

cat > "$PEERS_DIR/steady.aurora" <<AURORA
count = Process(name='count', cmdline='i=0; while true; do i=\$((i+1)); echo \$i; sleep 0.2; done')
task = SequentialTask(processes=[count], resources=Resources(cpu=0.05, ram=16*MB, disk=16*MB))
jobs = [Service(cluster='$CLUSTER', role='www-data', environment='devel', name='steady', task=task, instances=3),
        Service(cluster='$CLUSTER', role='www-data', environment='devel', name='boxed', task=task, instances=2,
                container=Mesos(image=DockerImage(name='eos/hello', tag='1.0')))]
AURORA
for name in steady boxed; do
    check "$name runs" eos job create "$CLUSTER/www-data/devel/$name" "$PEERS_DIR/steady.aurora" --wait-until RUNNING
done
steady=$(task_ids www-data/devel/steady RUNNING)
boxed=$(task_ids www-data/devel/boxed RUNNING)
pids=$(pgrep -f 'eos-executor.*'"$PEERS_DIR" | sort)

same_tasks() {
    [ "$(task_ids www-data/devel/steady RUNNING)" = "$steady" ] && [ "$(task_ids www-data/devel/boxed RUNNING)" = "$boxed" ]
}
log_grows() {
    local before after
    before=$(eos task logs "$CLUSTER/www-data/devel/$1/0" | tail -n 1)
    sleep 0.5
    after=$(eos task logs "$CLUSTER/www-data/devel/$1/0" | tail -n 1)
    [ "${after:-0}" -gt "${before:-0}" ]
}
healthy() { [ "$(curl -s -o /dev/null -m 5 -w '%{http_code}' "http://$HTTP/healthz")" = 200 ]; }

for service in config binder scheduler launcher gateway; do
    old=$(service_pid $service)
    check "kill -9 of eos-$service" kill -9 "$old"
    eventually "eos-$service is there again" 10 bash -c 'new=$(pgrep -P '"$DEV"' -f "eos-'$service'( |$)") && [ "$new" != '"$old"' ]'
    eventually "the cluster is whole again" 10 healthy
    eventually "the same tasks run" 10 same_tasks
    check "their executors are the same" test "$(pgrep -f 'eos-executor.*'"$PEERS_DIR" | sort)" = "$pids"
    eventually "the logs of host tasks go on" 5 log_grows steady
    eventually "the logs of boxed tasks go on" 5 log_grows boxed
done

check "an instance can be killed after all that" eos job kill "$CLUSTER/www-data/devel/steady/2"
eventually "and is gone" 15 running_count www-data/devel/steady 2

# An executor that dies takes its task along; the service's task comes back under a new id.
victim=$(pgrep -f 'eos-executor.*'"$(head -n 1 <<< "$boxed")" | head -n 1)
check "kill -9 of an executor" kill -9 "$victim"
boxed_is_replaced() { running_count www-data/devel/boxed 2 && [ "$(task_ids www-data/devel/boxed RUNNING)" != "$boxed" ]; }
eventually "its task is replaced" 30 boxed_is_replaced

# kill -9 of the whole suite at once: the tasks go on without it, and are found again.
steady=$(task_ids www-data/devel/steady RUNNING)
boxed=$(task_ids www-data/devel/boxed RUNNING)
all=$(for service in config binder scheduler launcher gateway; do service_pid $service; done)
kill -9 "$DEV" $all
wait "$DEV" 2>/dev/null
check "tasks run without the suite" pgrep -f 'eos-executor.*'"$PEERS_DIR"
dev_start
eventually "the same tasks are found again" 15 same_tasks
