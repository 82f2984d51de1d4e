#!/usr/bin/env bash
# Runs a program with a registry, images and a Docker engine of its own, and takes them down again.
#   with-peers.sh PROGRAM [ARGUMENT…]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../support/peers.sh"
if [ "$(id -u)" != 0 ]; then
    say "containers need root: skipped"
    exit 77
fi
PEERS_DIR=$(mktemp -d /tmp/eos-test.XXXXXX) || exit 1
chmod 755 "$PEERS_DIR"
finish() {
    local status=$?
    trap - EXIT INT TERM
    peers_stop || true
    rm -rf "$PEERS_DIR"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

registry_start
rootfs_make "$PEERS_DIR/rootfs"
image_push "$PEERS_DIR/rootfs" eos/hello:1.0
# One whose processes are to be a user without a name on the host.
umoci init --layout "$PEERS_DIR/user" > /dev/null 2>&1
umoci new --image "$PEERS_DIR/user:1.0" > /dev/null 2>&1
umoci insert --image "$PEERS_DIR/user:1.0" "$PEERS_DIR/rootfs" / > /dev/null 2>&1
umoci config --image "$PEERS_DIR/user:1.0" --config.env PATH=/bin --config.env COLOUR=green --config.user 12345 \
    > /dev/null 2>&1
skopeo copy --quiet --format v2s2 --dest-tls-verify=false "oci:$PEERS_DIR/user:1.0" "docker://$REGISTRY/eos/user:1.0"
docker_start own
export TEST_REGISTRY=$REGISTRY TEST_DOCKER_SOCKET=$DOCKER_SOCKET TEST_APPC_PREFIX=$PEERS_DIR/aci/
TEST_APPC_ID=$(aci_make "$PEERS_DIR/rootfs" example.org/hello "$PEERS_DIR/aci")
# One that needs the other, which it hides but for what a shell needs.
mkdir -p "$PEERS_DIR/layered/rootfs/etc" "$PEERS_DIR/aci/example.org"
echo layered > "$PEERS_DIR/layered/rootfs/etc/greeting"
jq -n --arg id "$TEST_APPC_ID" '{acKind: "ImageManifest", acVersion: "0.8.11", name: "example.org/layered", labels: [{name: "version", value: "1.0"}],
    app: {exec: ["/bin/sh"], user: "0", group: "0", environment: [{name: "COLOUR", value: "blue"}]},
    dependencies: [{imageName: "example.org/hello", imageID: $id}],
    pathWhitelist: ["/bin/busybox", "/bin/sh", "/bin/cat", "/bin/ls", "/etc/greeting", "/etc/passwd", "/proc", "/dev", "/sys", "/tmp"]
    }' > "$PEERS_DIR/layered/manifest"
actool build --overwrite "$PEERS_DIR/layered" "$PEERS_DIR/aci/example.org/layered-1.0-linux-$(
    [ "$(uname -m)" = aarch64 ] && echo aarch64 || echo amd64).aci"
export TEST_APPC_ID
"$@"
