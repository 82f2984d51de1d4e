#!/usr/bin/env bash
# The image store against Debian's docker-registry, with images made by its usual tools; then store.py
# against registries that misbehave.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../../support/peers.sh
if [ "$(id -u)" != 0 ]; then
    say "unpacking images needs root: skipped"
    exit 77
fi
PEERS_DIR=$(mktemp -d /tmp/eos-images.XXXXXX) || exit 1
trap 'peers_stop || true; rm -rf "$PEERS_DIR"' EXIT
registry_start
rootfs_make "$PEERS_DIR/rootfs"
image_push "$PEERS_DIR/rootfs" eos/hello:1.0
IMAGE_ID=$(aci_make "$PEERS_DIR/rootfs" example.org/hello "$PEERS_DIR/aci")
export REGISTRY IMAGE_ID PEERS_DIR
./store.py "$@"
