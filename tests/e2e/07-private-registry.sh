#!/usr/bin/env bash
# A registry with an authority of its own and a password, and a mirror that stands in for it.
. "$(dirname "$0")/../support/cluster.sh"
registry_start
rootfs_make "$PEERS_DIR/rootfs"
for tag in 1.0 2.0; do
    echo $tag > "$PEERS_DIR/rootfs/etc/tag"
    image_push "$PEERS_DIR/rootfs" team/hello:$tag
done
mirror=$REGISTRY
kill "$(cat "$PEERS_DIR/registry.pid")"
mv "$PEERS_DIR/registry.yml" "$PEERS_DIR/mirror.yml"

# -- what its owner sets up
private=127.0.0.1:$(free_port)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$PEERS_DIR/key.pem" -out "$PEERS_DIR/cert.pem" \
    -days 2 -subj /CN=registry -addext subjectAltName=IP:127.0.0.1 2> /dev/null
htpasswd -Bbn reader secret > "$PEERS_DIR/htpasswd"
cat > "$PEERS_DIR/registry.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $PEERS_DIR/registry}}
auth: {htpasswd: {realm: tests, path: $PEERS_DIR/htpasswd}}
http: {addr: "$private", tls: {certificate: $PEERS_DIR/cert.pem, key: $PEERS_DIR/key.pem}}
YAML
registry_run() { # NAME ADDRESS
    docker-registry serve "$PEERS_DIR/$1.yml" > "$PEERS_DIR/$1.log" 2>&1 &
    echo $! > "$PEERS_DIR/$1.pid"
    wait_until 10 port_is_open "${2##*:}" || die "the registry did not start: $(tail -n 3 "$PEERS_DIR/$1.log")"
}
port_is_open() { ss -Hltn "sport = :$1" | grep -q .; }
registry_run registry "$private"

# -- what a user of it sets up
export HTTP EOS_CONFIG_ROOT=$PEERS_DIR/etc AURORA_CONFIG_ROOT=$PEERS_DIR/etc HOME=$PEERS_DIR
HTTP=127.0.0.1:$(free_port)
mkdir -p "$PEERS_DIR/etc" "$PEERS_DIR/certs.d/$private" "$PEERS_DIR/.docker"
cat > "$PEERS_DIR/etc/clusters.json" <<JSON
[{"name": "$CLUSTER", "scheduler_uri": "http://$HTTP", "docker_registry": "https://$private",
  "docker_mirrors": {"$private": ["http://$mirror"]}}]
JSON
cat > "$PEERS_DIR/job.aurora" <<AURORA
include('$SOURCE/examples/greeting.include')
jobs = [greeter('first', container=Mesos(image=DockerImage(name='team/hello', tag='1.0'))),
        greeter('second', container=Mesos(image=DockerImage(name='team/hello', tag='2.0')))]
AURORA
job=$CLUSTER/www-data/devel
create() { eos job create "$job/$1" "$PEERS_DIR/job.aurora" --pin --wait-until RUNNING; }

dev_start --certs-dir "$PEERS_DIR/certs.d"
refused "an authority that nobody knows" 7 "could not be reached .*\\(its authority belongs into $PEERS_DIR/certs.d/" eos image resolve team/hello:1.0
cp "$PEERS_DIR/cert.pem" "$PEERS_DIR/certs.d/$private/ca.crt"
refused "a password that is missing" 30 "registry https://$private needs a user name and password for team/hello" eos image resolve team/hello:1.0
check "skopeo writes down who the user is" skopeo login --authfile "$HOME/.docker/config.json" --cert-dir "$PEERS_DIR/certs.d/$private" \
    -u reader -p secret "$private"

# -- and has
check "a job with an image of the private registry runs" create first
check "with the user's own password" eos job status "$job/first" --images --output json
check "as its record says" jq -e ".[0].images[0] | .registry == \"https://$private\" and .authentication == \"basic\"" "$PEERS_DIR/out"
registry_run mirror "$mirror"
kill "$(cat "$PEERS_DIR/registry.pid")"
check "a job runs while the registry is down and its mirror is not" create second
check "under the registry's name" bash -c '"$BIN/eos" job status "$0" --images | grep -q "$1"' "$job/second" "registry: https://$private"
kill "$(cat "$PEERS_DIR/mirror.pid")"
refused "both down" 7 "registry https://$private could not be reached.*; also tried: http://$mirror \\(unavailable\\)" eos image resolve team/hello:1.0 --skip-cache
check "the tasks go on" running_count www-data/devel/second 1
