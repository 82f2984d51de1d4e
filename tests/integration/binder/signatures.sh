#!/usr/bin/env bash
# eos-binder and signed images: in Debian's registry, made with openssl, and in a registry of files, for
# referrers and for what is hostile.  (Debian builds skopeo and podman without sigstore.)
. "$(dirname "$0")/../../support/service.sh"
. "$(dirname "$0")/../../support/signing.sh"
here=$(cd "$(dirname "$0")" && pwd)
call_program=$EOS_BIN/test/binder_call
url=ipc://$PEERS_DIR/binder.sock
keys=$PEERS_DIR/keys
files=$PEERS_DIR/files
log=$PEERS_DIR/requests
export HOME=$PEERS_DIR EOS_CONFIG_ROOT=$PEERS_DIR/none AURORA_CONFIG_ROOT=$PEERS_DIR/none

binder_start() { # FLAG…
    peer_start binder "$EOS_BIN/eos-binder" --listen "$url" "$@"
    wait_until 20 grep -q serving "$PEERS_DIR/binder.log" || die "eos-binder did not start: $(cat "$PEERS_DIR/binder.log")"
}
call() { "$call_program" --url "$url" "${@:2}" "$1"; }
verify() { # REFERENCE [KEY…]
    local reference=$1
    shift
    for key in "$@"; do jq -n --arg n "$key" --rawfile p "$keys/$key.pub" '{name: $n, pem: $p}'; done |
        jq -s --arg r "$reference" '{cluster: "strict", reference: $r, skipCache: true, keys: .}' | call Verify
}
bind() { # CLUSTER IMAGE [JSON]
    jq -n --arg c "$1" --arg i "$2" --argjson m "${3:-{\}}" \
        '{cluster: $c, skipCache: true, job: {key: {role: "r", environment: "e", name: "n"}, taskConfig: {container: {docker: {image: $i}}}}} + $m' | call Bind
}
bind_native() { # CLUSTER NAME TAG
    jq -n --arg c "$1" --arg n "$2" --arg t "$3" \
        '{cluster: $c, job: {key: {role: "r", environment: "e", name: "n"}, taskConfig: {container: {mesos: {image: {docker: {name: $n, tag: $t}}}}}}}' | call Bind
}
is() { # NAME JQ-CONDITION: of the output of the command before
    checks=$((checks + 1))
    if jq -e "$2" "$OUT" > /dev/null 2>> "$ERR"; then say "ok   $1"; else report "$1" "not $2"; fi
}
digest_of() { echo "sha256:$(curl -sf -H "Accept: $OCI_MANIFEST, $OCI_INDEX, application/vnd.docker.distribution.manifest.v2+json" \
    "http://$REGISTRY/v2/$1/manifests/$2" | sha256sum | cut -d' ' -f1)"; }
copy() { skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false "$@"; }

registry_start
mkdir -p "$PEERS_DIR/rootfs/etc" "$keys" "$files"
echo hello > "$PEERS_DIR/rootfs/etc/hello"
for key in team other third; do key_make "$keys/$key"; done
key_make "$keys/edward" ed25519
image_push "$PEERS_DIR/rootfs" team/app:1
plain=$(digest_of team/app 1)
for name in unsigned wrong edward both bundle attested; do copy "docker://$REGISTRY/team/app:1" "docker://$REGISTRY/team/$name:1"; done
copy "docker://$REGISTRY/team/app:1" "docker://$REGISTRY/free/app:1"
copy "docker://$REGISTRY/team/app:1" "docker://$REGISTRY/nobody/app:1"

peer_start static python3 "$here/static_registry.py" "$files" "$PEERS_DIR/port" "$log"
wait_until 20 test -s "$PEERS_DIR/port" || die "the registry of files did not start"
static=127.0.0.1:$(cat "$PEERS_DIR/port")
cat > "$PEERS_DIR/clusters.json" <<JSON
[{"name": "strict", "docker_registry": "http://$REGISTRY", "docker_signatures": [
    {"images": "$REGISTRY/team/", "keys": ["$keys/team.pub"]},
    {"images": "$REGISTRY/team/edward", "keys": ["$keys/edward.pub"]},
    {"images": "$REGISTRY/team/both", "keys": ["$keys/other.pub", "$keys/edward.pub"]},
    {"images": "$REGISTRY/nobody/", "keys": []},
    {"images": "$static", "keys": ["$keys/team.pub", "$keys/edward.pub"]},
    {"images": "127.0.0.1:1", "keys": ["$keys/team.pub"]}]},
 {"name": "pinning", "docker_registry": "http://$REGISTRY", "docker_pin": true},
 {"name": "lax", "docker_registry": "http://$REGISTRY"}]
JSON
binder_start --clusters "$PEERS_DIR/clusters.json"

# -- the tag of cosign
sign_push team/app "$plain" "$keys/team"
sign_push team/wrong "$plain" "$keys/other"
sign_push team/edward "$plain" "$keys/edward"
sign_push team/both "$plain" "$keys/other" "$keys/edward"
check "a signed image binds" bind strict "$REGISTRY/team/app:1"
is "to its digest, without being told to pin" ".job.taskConfig.container.docker.image == \"$REGISTRY/team/app@$plain\""
id=sha256:$(openssl pkey -pubin -in "$keys/team.pub" -outform DER | sha256sum | cut -d' ' -f1)
is "and the record says who signed" ".bindings[0].signedBy == \"$keys/team.pub\" and .bindings[0].signingKeyId == \"$id\""
check "as a template" bind strict '{{docker.image[team/app][1]}}'
is "too" ".bindings[0].signedBy == \"$keys/team.pub\""
check "by its digest" bind strict "$REGISTRY/team/app@$plain"
is "is looked at too" ".bindings[0].signedBy == \"$keys/team.pub\" and .bindings[0].tag == \"\""
check "in a Mesos container" bind_native strict team/app 1
is "it is pinned and recorded" ".job.taskConfig.container.mesos.image.docker == {name: \"team/app\", tag: \"$plain\"} and .bindings[0].signedBy != \"\""
check "in a Mesos container by digest" bind_native strict team/app "$plain"
is "it is recorded" ".job.taskConfig.container.mesos.image.docker.tag == \"$plain\" and .bindings[0].signedBy != \"\""
check "Ed25519" bind strict "$REGISTRY/team/edward:1"
check "any one of two keys" bind strict "$REGISTRY/team/both:1"
is "is named" ".bindings[0].signedBy == \"$keys/other.pub\""
fails "an image without a signature" "code=9 .*image $REGISTRY/team/unsigned:1 must be signed by $keys/team.pub, and has no signature" bind strict "$REGISTRY/team/unsigned:1"
fails "one without a signature, by digest" "code=9 .*has no signature" bind strict "$REGISTRY/team/unsigned@$plain"
fails "one without a signature, in a Mesos container" "code=9 .*has no signature" bind_native strict team/unsigned 1
fails "one without a signature, in a command line" "code=9 .*has no signature" bind strict "$REGISTRY/free/app:1" \
    '{"job": {"taskConfig": {"executorData": "{{docker.image[team/unsigned][1]}}"}}}'
fails "a signature by another key" "code=9 .*image $REGISTRY/team/wrong:1 must be signed by $keys/team.pub, and its signature does not count: it was made with another key" bind strict "$REGISTRY/team/wrong:1"
fails "an image that nobody may sign" "code=9 .*may not be bound: the policy of the cluster has no key" bind strict "$REGISTRY/nobody/app:1"
fails "a registry that is down" "code=14 .*could not be reached" bind strict 127.0.0.1:1/a:1
check "an image that no rule is about" bind strict "$REGISTRY/free/app:1"
is "stays a tag" ".bindings == [] and .job.taskConfig.container.docker.image == \"$REGISTRY/free/app:1\""
check "a cluster without rules" bind lax "$REGISTRY/team/unsigned:1"
is "asks for none" '.bindings == []'
fails "a reference that is not understood where some must be signed" "code=3 .*byte" bind strict "$REGISTRY/team/unsigned:1 "

# -- the default to pin
check "a cluster that pins" bind pinning "$REGISTRY/team/app:1"
is "pins" ".job.taskConfig.container.docker.image == \"$REGISTRY/team/app@$plain\" and .bindings[0].signedBy == \"\""
check "unless told not to" bind pinning "$REGISTRY/team/app:1" '{"noPin": true}'
is "stays a tag" ".job.taskConfig.container.docker.image == \"$REGISTRY/team/app:1\""
check "which does not keep one that must be signed from its digest" bind strict "$REGISTRY/team/app:1" '{"noPin": true}'
is "it is pinned" ".job.taskConfig.container.docker.image == \"$REGISTRY/team/app@$plain\""

# -- Verify
check "by the policy" verify "$REGISTRY/team/app:1"
is "tells how" ".policy == \"$REGISTRY/team/\" and .algorithm == \"ecdsa-p256\" and .form == \"simple-signing\" and .found == \"tag\" and
    .binding.signedBy == \"$keys/team.pub\" and .binding.digest == \"$plain\" and (.signatureDigest | startswith(\"sha256:\"))"
check "by a key" verify "$REGISTRY/team/wrong:1" team other
is "names it" '.policy == "" and .binding.signedBy == "other"'
check "by a key of Ed25519" verify "$REGISTRY/team/both:1" edward
is "names its algorithm" '.algorithm == "ed25519"'
fails "by a key that did not sign" "code=9 .*must be signed by other, and its signature does not count: it was made with another key" verify "$REGISTRY/team/app:1" other
fails "by many keys that did not sign" "code=9 .*must be signed by one of other, edward, third and 1 more, and its" verify "$REGISTRY/team/app:1" other edward third other
fails "neither policy nor key" "code=9 .*no rule of docker_signatures is about image $REGISTRY/free/app:1: name a key" verify "$REGISTRY/free/app:1"
fails "an image that is not there" "code=5 .*does not have image" verify "$REGISTRY/team/absent:1" team
fails "a malformed key" "code=3 .*field keys\[0\]: expected one block" call Verify <<< "{\"cluster\": \"lax\", \"reference\": \"$REGISTRY/team/app:1\", \"keys\": [{\"name\": \"k\", \"pem\": \"x\"}]}"
fails "too many keys" "code=3 .*field keys: there are over 32" call Verify <<< "{\"cluster\": \"lax\", \"reference\": \"$REGISTRY/team/app:1\", \"keys\": [$(printf '{},%.0s' {1..32}){}]}"

# -- indexes: the digest that is bound is the one that must be signed
one=$(curl -sf -H "Accept: application/vnd.docker.distribution.manifest.v2+json" "http://$REGISTRY/v2/team/app/manifests/1" | wc -c)
for name in index parts; do
    copy "docker://$REGISTRY/team/app:1" "docker://$REGISTRY/team/$name:amd64"
    jq -nc --arg d "$plain" --argjson s "$one" '{schemaVersion: 2, mediaType: "application/vnd.docker.distribution.manifest.list.v2+json",
        manifests: [{mediaType: "application/vnd.docker.distribution.manifest.v2+json", digest: $d, size: $s, platform: {os: "linux", architecture: "amd64"}}]}' > "$PEERS_DIR/index"
    manifest_push "team/$name" 1 "$PEERS_DIR/index" application/vnd.docker.distribution.manifest.list.v2+json
done
sign_push team/index "$(digest_file "$PEERS_DIR/index")" "$keys/team"
sign_push team/parts "$plain" "$keys/team"
check "an index that is signed binds" bind strict "$REGISTRY/team/index:1"
is "to the index" ".bindings[0].digest == \"$(digest_file "$PEERS_DIR/index")\" and .bindings[0].platform == \"linux/amd64\""
fails "its part has no signature of its own" "code=9 .*has no signature" bind strict "$REGISTRY/team/index:amd64"
fails "an index of which a part is signed" "code=9 .*has no signature" bind strict "$REGISTRY/team/parts:1"
check "the part binds" bind strict "$REGISTRY/team/parts:amd64"

# -- referrers where the registry has none: the tag of the digest
printf '{}' > "$PEERS_DIR/empty"
attach() { # REPOSITORY KEY [PREDICATE-TYPE]
    bundle_make "$2" "$plain" "${@:3}" > "$PEERS_DIR/bundle"
    bundle_manifest "$PEERS_DIR/empty" "$PEERS_DIR/bundle" "$plain" > "$PEERS_DIR/attachment"
    blob_push "$1" "$PEERS_DIR/empty"
    blob_push "$1" "$PEERS_DIR/bundle"
    manifest_push "$1" "$(digest_file "$PEERS_DIR/attachment")" "$PEERS_DIR/attachment"
    jq -nc --argjson e "$(descriptor "$PEERS_DIR/attachment" "$OCI_MANIFEST" "{\"artifactType\": \"$BUNDLE_TYPE\"}")" --arg t "$OCI_INDEX" \
        '{schemaVersion: 2, mediaType: $t, manifests: [$e]}' > "$PEERS_DIR/list"
    manifest_push "$1" "${plain/:/-}" "$PEERS_DIR/list" "$OCI_INDEX"
}
check "a bundle is attached" attach team/bundle "$keys/team"
check "it binds" bind strict "$REGISTRY/team/bundle:1"
check "and is told" verify "$REGISTRY/team/bundle:1"
is "as a referrer" '.form == "bundle" and .found == "referrer"'
check "a bundle that says how the image was built" attach team/attested "$keys/team" https://slsa.dev/provenance/v1
fails "is no signature" "code=9 .*its signature does not count: what the key signed does not say that an image is signed" bind strict "$REGISTRY/team/attested:1"

# -- referrers of OCI 1.1, and what is hostile
curl -sf -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$REGISTRY/v2/team/app/manifests/1" > "$PEERS_DIR/image"
lay() { # REPOSITORY: the image, in the registry of files
    mkdir -p "$files/$1"/{manifests,blobs}
    cp "$PEERS_DIR/image" "$files/$1/manifests/1"
}
blobs_of() { grep "$1/blobs" "$log" | grep -cv "$(jq -r .config.digest "$PEERS_DIR/image")"; } # that are no configuration
lay_blob() { cp "$2" "$files/$1/blobs/$(digest_file "$2")"; }
lay_referrer() { # REPOSITORY MANIFEST [ARTIFACT-TYPE]
    mkdir -p "$files/$1/referrers"
    cp "$2" "$files/$1/manifests/$(digest_file "$2")"
    jq -nc --argjson e "$(descriptor "$2" "$OCI_MANIFEST" "{\"artifactType\": \"${3:-$BUNDLE_TYPE}\"}")" --arg t "$OCI_INDEX" \
        '{schemaVersion: 2, mediaType: $t, manifests: [$e]}' > "$files/$1/referrers/$plain"
}
printf '{}' > "$PEERS_DIR/config"
payload_make "$plain" > "$PEERS_DIR/payload"
bundle_make "$keys/edward" "$plain" > "$PEERS_DIR/bundle"
bundle_manifest "$PEERS_DIR/empty" "$PEERS_DIR/bundle" "$plain" > "$PEERS_DIR/attachment"

lay good/bundle
lay_blob good/bundle "$PEERS_DIR/bundle"
lay_referrer good/bundle "$PEERS_DIR/attachment"
check "a bundle among the referrers" bind strict "$static/good/bundle:1"
is "counts" ".bindings[0].signedBy == \"$keys/edward.pub\""
lay good/signature
lay_blob good/signature "$PEERS_DIR/payload"
signature_manifest "$PEERS_DIR/config" "$(layer_make "$keys/team" "$PEERS_DIR/payload")" |
    jq -c --arg d "$plain" '. + {artifactType: "application/vnd.dev.cosign.artifact.sig.v1+json", subject: {digest: $d, size: 1}}' > "$PEERS_DIR/manifest"
lay_referrer good/signature "$PEERS_DIR/manifest" application/vnd.dev.cosign.artifact.sig.v1+json
check "a simple signature among the referrers" bind strict "$static/good/signature:1"
lay good/message
jq -nc --arg s "$(sign_file "$keys/team" "$PEERS_DIR/image")" '{messageSignature: {messageDigest: {algorithm: "SHA2_256"}, signature: $s}}' > "$PEERS_DIR/message"
lay_blob good/message "$PEERS_DIR/message"
bundle_manifest "$PEERS_DIR/empty" "$PEERS_DIR/message" "$plain" > "$PEERS_DIR/manifest"
lay_referrer good/message "$PEERS_DIR/manifest"
check "a bundle with a signature of the bytes" bind strict "$static/good/message:1"

no_signature="must be signed by $keys/team.pub or $keys/edward.pub, and has no signature"
lay bad/subject
lay_blob bad/subject "$PEERS_DIR/bundle"
jq -c '.subject.digest = "sha256:" + ("0" * 64)' "$PEERS_DIR/attachment" > "$PEERS_DIR/manifest"
lay_referrer bad/subject "$PEERS_DIR/manifest"
fails "an attachment to another image" "$no_signature" bind strict "$static/bad/subject:1"
jq -c 'del(.subject)' "$PEERS_DIR/attachment" > "$PEERS_DIR/manifest"
lay_referrer bad/subject "$PEERS_DIR/manifest"
fails "an attachment to nothing" "$no_signature" bind strict "$static/bad/subject:1"
lay bad/bytes
cp "$PEERS_DIR/empty" "$files/bad/bytes/blobs/$(digest_file "$PEERS_DIR/bundle")"
lay_referrer bad/bytes "$PEERS_DIR/attachment"
fails "a bundle of other bytes" "$no_signature" bind strict "$static/bad/bytes:1"
lay bad/replay
payload_make "sha256:$(printf '0%.0s' {1..64})" > "$PEERS_DIR/replayed"
lay_blob bad/replay "$PEERS_DIR/replayed"
signature_manifest "$PEERS_DIR/config" "$(layer_make "$keys/team" "$PEERS_DIR/replayed")" > "$files/bad/replay/manifests/${plain/:/-}.sig"
fails "the signature of another image" "its signature does not count: the key signed another image: sha256:0000" bind strict "$static/bad/replay:1"
lay bad/large
head -c 70000 /dev/zero > "$PEERS_DIR/zeros"
lay_blob bad/large "$PEERS_DIR/zeros"
signature_manifest "$PEERS_DIR/config" "$(layer_make "$keys/team" "$PEERS_DIR/zeros")" > "$files/bad/large/manifests/${plain/:/-}.sig"
fails "a payload that is too large" "$no_signature" bind strict "$static/bad/large:1"
check "is not fetched" test "$(blobs_of bad/large)" -eq 0
lay bad/longer
{ cat "$PEERS_DIR/payload" && head -c 70000 /dev/zero; } > "$files/bad/longer/blobs/$(digest_file "$PEERS_DIR/payload")"
signature_manifest "$PEERS_DIR/config" "$(layer_make "$keys/team" "$PEERS_DIR/payload")" > "$files/bad/longer/manifests/${plain/:/-}.sig"
fails "a payload that is longer than said" "$no_signature" bind strict "$static/bad/longer:1"
lay bad/many
for i in $(seq 40); do
    printf 'payload %d' "$i" > "$PEERS_DIR/one"
    lay_blob bad/many "$PEERS_DIR/one"
    descriptor "$PEERS_DIR/one" "$SIMPLE_TYPE" '{"annotations": {"dev.cosignproject.cosign/signature": "AAAA"}}'
done > "$PEERS_DIR/layers"
jq -sc --argjson c "$(descriptor "$PEERS_DIR/config" x)" '{schemaVersion: 2, config: $c, layers: .}' "$PEERS_DIR/layers" > "$files/bad/many/manifests/${plain/:/-}.sig"
fails "forty signatures that count for nothing" "none of its 32 signatures counts: it was made with another key" bind strict "$static/bad/many:1"
check "are not all fetched" test "$(blobs_of bad/many)" -eq 32
lay bad/manifest
for text in '' '[]' '{"schemaVersion":2}' '{"schemaVersion":2,"layers":[null,1,{"mediaType":1}]}' "$(printf '[%.0s' {1..2000})" "$(head -c 1100000 /dev/zero | tr '\0' ' ')"; do
    printf %s "$text" > "$files/bad/manifest/manifests/${plain/:/-}.sig"
    fails "a manifest of signatures that is none: ${text:0:30}" "$no_signature" bind strict "$static/bad/manifest:1"
done
lay bad/trouble
mkdir -p "$files/bad/trouble/referrers"
echo 403 > "$files/bad/trouble/referrers/$plain.status"
fails "referrers that may not be read" "code=7 .*denies access to referrers/$plain of bad/trouble" bind strict "$static/bad/trouble:1"

# -- one flight, one cache
: > "$log"
bind_request() { jq -n --arg i "$static/good/bundle:1" '{cluster: "strict", job: {taskConfig: {container: {docker: {image: $i}}}}}'; }
peer_stop binder
binder_start --clusters "$PEERS_DIR/clusters.json"
bind_request > "$PEERS_DIR/request"
many() { call Bind --repeat 50 < "$PEERS_DIR/request"; }
check "fifty at once" many
check "have all the answer" test "$(sort -u "$OUT" | wc -l) $(wc -l < "$OUT")" = "1 50"
check "of one flight" test "$(grep -c good/bundle/manifests/1 "$log") $(blobs_of good/bundle)" = "1 1"
check "and later ones" many
check "of the cache" test "$(grep -c good/bundle/manifests/1 "$log") $(blobs_of good/bundle)" = "1 1"
check "metrics" call Metrics <<< '{}'
says "count what was checked" 'eos_binder_signatures_total\{result=\\"good\\"\} 1' "$OUT"

# -- Inspect
inspect() { jq -n --arg r "$1" --arg p "${2:-}" '{cluster: "strict", reference: $r, platform: $p}' | call Inspect; }
check "an image" inspect "$REGISTRY/team/app:1"
skopeo inspect --tls-verify=false "docker://$REGISTRY/team/app:1" > "$PEERS_DIR/skopeo"
skopeo inspect --tls-verify=false --config "docker://$REGISTRY/team/app:1" > "$PEERS_DIR/skopeo-config"
is "is what skopeo sees" "$(jq -c '{d: .Digest, l: .Layers, a: .Architecture, o: .Os, e: .Env, c: .Created}' "$PEERS_DIR/skopeo") as \$s |
    .binding.digest == \$s.d and [.layers[].digest] == \$s.l and .config.architecture == \$s.a and .config.os == \$s.o and .config.env == \$s.e and
    .config.created == \$s.c and .manifest.digest == \$s.d and .manifest.platform == (\$s.o + \"/\" + \$s.a) and .manifests == []"
is "with its command and sizes" "$(jq -c .config.Cmd "$PEERS_DIR/skopeo-config") == .config.cmd and
    (.sizeBytes | tonumber) == ([.layers[].sizeBytes | tonumber] | add) + $(jq -r .config.size "$PEERS_DIR/image") and .binding.signedBy == \"\""
check "an index" inspect "$REGISTRY/team/index:1"
is "tells of both" ".binding.digest == \"$(digest_file "$PEERS_DIR/index")\" and .manifest.digest == \"$plain\" and (.manifests | length) == 1 and .manifest.platform == \"linux/amd64\" and (.layers | length) > 0"
fails "a platform that is not there" "code=5 .*not there for linux/s390x, only for linux/amd64" inspect "$REGISTRY/team/index:1" linux/s390x
fails "a malformed platform" "code=3 .*expected a platform as" inspect "$REGISTRY/team/index:1" linux
fails "an image that is not there" "code=5 .*does not have image" inspect "$REGISTRY/team/absent:1"
check "an unsigned image" inspect "$REGISTRY/team/unsigned:1"
lay bad/config
fails "a configuration that is not there" "code=5 .*does not have blobs/sha256" inspect "$static/bad/config:1"
printf '{"config": {"Env": 1}}' > "$files/bad/config/blobs/$(jq -r .config.digest "$PEERS_DIR/image")"
fails "a configuration of other bytes" "code=15 .*sent wrong bytes" inspect "$static/bad/config:1"
check "it drains and ends well" peer_stop binder

# -- starting
refuses() { # NAME PATTERN ENTRY
    echo "[{\"name\": \"c\", $3}]" > "$PEERS_DIR/bad.json"
    fails "$1" "$2" "$EOS_BIN/eos-binder" --listen "$url" --clusters "$PEERS_DIR/bad.json"
}
refuses "docker_pin that is no switch" 'cluster "c": docker_pin is neither true nor false' '"docker_pin": "yes"'
refuses "a key that is not there" "cluster \"c\": docker_signatures entry 1: key $keys/none.pub: could not open it: No such file" "\"docker_signatures\": [{\"images\": \"h\", \"keys\": [\"$keys/none.pub\"]}]"
refuses "a private key" "there is a private key where a public one" "\"docker_signatures\": [{\"images\": \"h\", \"keys\": [\"$keys/team.pem\"]}]"
refuses "a misspelled rule" "something besides" '"docker_signatures": [{"image": "h", "keys": []}]'
