# Shell functions that sign images in a registry as cosign does, with openssl and curl.  Source it behind
# peers.sh or service.sh; REGISTRY is "host:port" and PEERS_DIR a directory of the caller's.

SIMPLE_TYPE=application/vnd.dev.cosign.simplesigning.v1+json
BUNDLE_TYPE=application/vnd.dev.sigstore.bundle.v0.3+json
OCI_MANIFEST=application/vnd.oci.image.manifest.v1+json
OCI_INDEX=application/vnd.oci.image.index.v1+json

# key_make NAME [ed25519]: NAME.pem is secret, NAME.pub is public.
key_make() {
    if [ "${2:-}" = ed25519 ]; then
        openssl genpkey -algorithm ed25519 -out "$1.pem"
    else
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.pem"
    fi 2> /dev/null
    openssl pkey -in "$1.pem" -pubout -out "$1.pub"
}

# sign_file KEY FILE: the signature in base64.
sign_file() {
    if grep -q '^ED25519' <(openssl pkey -in "$1.pem" -noout -text); then
        openssl pkeyutl -sign -inkey "$1.pem" -rawin -in "$2" | base64 -w0
    else
        openssl dgst -sha256 -sign "$1.pem" "$2" | base64 -w0
    fi
}

digest_file() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }
size_file() { stat -c %s "$1"; }

# descriptor FILE TYPE [JSON]: of a file, with more members.
descriptor() {
    jq -nc --arg d "$(digest_file "$1")" --argjson s "$(size_file "$1")" --arg t "$2" --argjson m "${3:-{\}}" \
        '{mediaType: $t, digest: $d, size: $s} + $m'
}

# blob_push REPOSITORY FILE
blob_push() {
    local location
    location=$(curl -sf -m 20 -o /dev/null -D - -X POST "http://$REGISTRY/v2/$1/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
    case $location in /*) location=http://$REGISTRY$location ;; esac
    case $location in *\?*) location=$location\& ;; *) location=$location? ;; esac
    curl -sf -m 20 -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" "${location}digest=$(digest_file "$2")"
}

# manifest_push REPOSITORY REFERENCE FILE [TYPE]
manifest_push() {
    curl -sf -m 20 -o /dev/null -X PUT -H "Content-Type: ${4:-$OCI_MANIFEST}" --data-binary "@$3" "http://$REGISTRY/v2/$1/manifests/$2"
}

# payload_make DIGEST: what cosign signs, on stdout.
payload_make() {
    printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}' \
        "${REGISTRY:-}/any" "$1"
}

# layer_make KEY PAYLOAD-FILE: the layer of a signature.
layer_make() {
    descriptor "$2" "$SIMPLE_TYPE" "$(jq -nc --arg s "$(sign_file "$1" "$2")" '{annotations: {"dev.cosignproject.cosign/signature": $s}}')"
}

# signature_manifest CONFIG-FILE LAYER…: on stdout.
signature_manifest() {
    local config=$1
    shift
    printf '%s\n' "$@" | jq -sc --argjson c "$(descriptor "$config" application/vnd.oci.image.config.v1+json)" --arg t "$OCI_MANIFEST" \
        '{schemaVersion: 2, mediaType: $t, config: $c, layers: .}'
}

# sign_push REPOSITORY DIGEST KEY…: at the tag of cosign, one signature by each key.
sign_push() {
    local repository=$1 digest=$2 work=$PEERS_DIR/sign.$RANDOM key layers=()
    shift 2
    mkdir "$work"
    printf '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}' > "$work/config"
    blob_push "$repository" "$work/config"
    payload_make "$digest" > "$work/payload"
    blob_push "$repository" "$work/payload"
    for key in "$@"; do layers+=("$(layer_make "$key" "$work/payload")"); done
    signature_manifest "$work/config" "${layers[@]}" > "$work/manifest"
    manifest_push "$repository" "${digest/:/-}.sig" "$work/manifest"
    rm -r "$work"
}

# bundle_make KEY DIGEST [PREDICATE-TYPE]: a bundle of sigstore with a DSSE envelope, on stdout.
bundle_make() {
    local type=application/vnd.in-toto+json work=$PEERS_DIR/bundle.$RANDOM
    mkdir "$work"
    jq -njc --arg h "${2#sha256:}" --arg p "${3:-https://sigstore.dev/cosign/sign/v1}" \
        '{_type: "https://in-toto.io/Statement/v1", subject: [{digest: {sha256: $h}, annotations: {}}], predicateType: $p, predicate: {}}' > "$work/statement"
    { printf 'DSSEv1 %d %s %d ' ${#type} "$type" "$(size_file "$work/statement")" && cat "$work/statement"; } > "$work/pae"
    jq -nc --arg b "$BUNDLE_TYPE" --arg t "$type" --arg p "$(base64 -w0 < "$work/statement")" --arg s "$(sign_file "$1" "$work/pae")" \
        '{mediaType: $b, verificationMaterial: {publicKey: {hint: "x"}}, dsseEnvelope: {payload: $p, payloadType: $t, signatures: [{sig: $s}]}}'
    rm -r "$work"
}

# bundle_manifest EMPTY-FILE BUNDLE-FILE SUBJECT-DIGEST: the manifest that attaches a bundle to an image, on stdout.
bundle_manifest() {
    jq -nc --argjson c "$(descriptor "$1" application/vnd.oci.empty.v1+json)" --argjson l "$(descriptor "$2" "$BUNDLE_TYPE")" --arg d "$3" \
        --arg t "$OCI_MANIFEST" --arg b "$BUNDLE_TYPE" \
        '{schemaVersion: 2, mediaType: $t, artifactType: $b, config: $c, layers: [$l], subject: {mediaType: $t, digest: $d, size: 1}}'
}
