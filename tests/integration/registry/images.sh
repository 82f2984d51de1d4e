#!/usr/bin/env bash
# Images of every kind and of every tool: `eos image resolve` says of each the digest that `skopeo inspect` says, and the client gets
# every byte of it.
. "$(dirname "$0")/../../support/service.sh"
here=$(cd "$(dirname "$0")" && pwd)
get=$EOS_BIN/test/registry_get
export HOME=$PEERS_DIR XDG_RUNTIME_DIR=$PEERS_DIR NO_COLOR=1
registry_start

# -- images
push() { skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false "$@"; }
mkdir -p "$PEERS_DIR/rootfs/etc"
echo hello > "$PEERS_DIR/rootfs/etc/hello"
image_push "$PEERS_DIR/rootfs" kinds/v2s2:1
push --format oci "docker://$REGISTRY/kinds/v2s2:1" "docker://$REGISTRY/kinds/oci:1"
python3 "$here/make_layout.py" "$PEERS_DIR/layout"
for name in layers zstd amd64 arm64 arm s390x; do push "oci:$PEERS_DIR/layout:$name" "docker://$REGISTRY/kinds/$name:1"; done
upload() { # REPOSITORY MEDIA-TYPE FILE [TAG]: a manifest as it is
    curl -sf -X PUT -H "Content-Type: $2" --data-binary "@$3" "http://$REGISTRY/v2/$1/manifests/${4:-sha256:$(sha256sum < "$3" | cut -d' ' -f1)}"
}
blob_of() { echo "$PEERS_DIR/layout/blobs/sha256/${1#sha256:}"; }
upload_index() { # REPOSITORY DIGEST [TAG]: with all that is in it
    local file entry type
    file=$(blob_of "$2")
    while read -r type entry; do
        case $type in
            *index*) upload_index "$1" "$entry" ;;
            *)
                for blob in $(jq -r '.config.digest, .layers[].digest' "$(blob_of "$entry")"); do
                    local where
                    where=$(curl -sf -i -X POST "http://$REGISTRY/v2/$1/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
                    curl -sf -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$(blob_of "$blob")" "$where&digest=$blob"
                done
                upload "$1" "$type" "$(blob_of "$entry")"
                ;;
        esac
    done < <(jq -r '.manifests[] | "\(.mediaType) \(.digest)"' "$file")
    upload "$1" application/vnd.oci.image.index.v1+json "$file" ${3:+"$3"}
}
upload_index kinds/nested "$(jq -r '.manifests[2].digest' "$PEERS_DIR/layout/index.json")" 1
kinds='v2s2 oci layers zstd nested'

four_platforms() {
    local podman=(podman --root "$PEERS_DIR/podman" --runroot "$PEERS_DIR/podman-run" --storage-driver vfs) platform
    "${podman[@]}" manifest create four || return
    for platform in amd64 arm64/v8 arm/v7 s390x; do
        local variant=${platform#*/}
        [ "$variant" != "$platform" ] || variant=
        "${podman[@]}" manifest add --tls-verify=false --os linux --arch "${platform%%/*}" ${variant:+--variant "$variant"} four "docker://$REGISTRY/kinds/${platform%%/*}:1" || return
    done
    "${podman[@]}" manifest push --tls-verify=false --format oci four "docker://$REGISTRY/kinds/four:1" &&
        "${podman[@]}" manifest push --tls-verify=false --format v2s2 four "docker://$REGISTRY/kinds/list:1"
}
if command -v podman > /dev/null; then
    check "podman makes an index of four platforms" four_platforms
    kinds="$kinds four list"
else
    say "skip what podman makes: it is not installed"
fi

# -- services
peer_start binder "$EOS_BIN/eos-binder" --listen "ipc://$PEERS_DIR/binder.sock"
gateway=127.0.0.1:$(free_port)
peer_start gateway "$EOS_BIN/eos-gateway" --http "$gateway" --binder "ipc://$PEERS_DIR/binder.sock" --cluster test
wait_until 20 port_is_open "${gateway##*:}" || die "the gateway did not start: $(cat "$PEERS_DIR/gateway.log")"
resolve() { "$EOS_BIN/eos" image resolve --gateway "http://$gateway" "$@"; }

not_found() { resolve "$REGISTRY/$1" && return 0; return 1; }

# -- one after the other
whole() { # REPOSITORY: of the image for this machine the config and some layers
    local digest size
    "$get" "http://$REGISTRY" "$1" 1 --choose-platform > "$PEERS_DIR/manifest" || return
    jq -r '.config, .layers[] | "\(.digest) \(.size)"' "$PEERS_DIR/manifest" | sort -u | sed -n 1,6p | while read -r digest size; do
        [ "sha256:$("$get" "http://$REGISTRY" "$1" 1 --blob "$digest" --size "$size" | sha256sum | cut -d' ' -f1)" = "$digest" ] || return
    done
}
for kind in $kinds; do
    digest=$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/kinds/$kind:1" | sha256sum | cut -d' ' -f1)
    check "$kind: resolves" resolve "$REGISTRY/kinds/$kind:1"
    says "$kind: to what skopeo has" "^$REGISTRY/kinds/$kind@sha256:$digest\$" "$OUT"
    check "$kind: by tag and digest" resolve "$REGISTRY/kinds/$kind:1@sha256:$digest"
    says "$kind: is the same" "^$REGISTRY/kinds/$kind@sha256:$digest\$" "$OUT"
    [ $kind = nested ] || # skopeo 1.9 does not look into an index in an index
        check "$kind: skopeo says so itself" test "$(skopeo inspect --tls-verify=false "docker://$REGISTRY/kinds/$kind:1" | jq -r .Digest)" = "sha256:$digest"
    check "$kind: is there" whole "kinds/$kind"
done
check "an index is told by its platforms" resolve "$REGISTRY/kinds/nested:1" --output json
is_of() { jq -e "$1" "$OUT" > /dev/null; }
check "which it names" is_of '.mediaType == "application/vnd.oci.image.index.v1+json"'
fails "an image that is not there" "registry http://$REGISTRY does not have image kinds/absent:1" not_found kinds/absent:1
