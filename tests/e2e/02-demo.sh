#!/usr/bin/env bash
# The demo as a newcomer runs it: all five kinds of container run, and nothing is left afterwards.
. "$(dirname "$0")/../support/cluster.sh"

before=$(ls -d /tmp/eos-demo.* 2>/dev/null | sort)
check "the demo ends well" env EOS_BIN="$BIN" "$SOURCE/examples/demo"
cp "$OUT" "$PEERS_DIR/out.demo"
for row in 'hello_world/0 +host +-' 'native_docker_image/0 +docker image +sha256:' 'native_appc_image/0 +appc image +sha512-' \
    'docker_engine_tag/0 +docker engine' 'docker_engine_digest/0 +docker engine +sha256:'; do
    check "the table has $row" grep -Eq "^$row.* RUNNING\$" "$PEERS_DIR/out.demo"
done
check "the native container is the image" grep -q 'running as www-data in "Busybox, made on the spot"' "$PEERS_DIR/out.demo"
check "each of the five says something" test "$(grep -c ' says:$' "$PEERS_DIR/out.demo")" -eq 5
check "its directory is gone" test "$(ls -d /tmp/eos-demo.* 2>/dev/null | sort)" = "$before"
