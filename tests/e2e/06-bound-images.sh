#!/usr/bin/env bash
# What a job's images are bound to: pinned tags, records, tags that move, images that must be signed.
. "$(dirname "$0")/../support/cluster.sh"
. "$(dirname "$0")/../support/signing.sh"
cluster_peers without-docker
key_make "$PEERS_DIR/team"
key_make "$PEERS_DIR/other" ed25519
copy() { skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false "docker://$REGISTRY/$1" "docker://$REGISTRY/$2"; }
digest_of() { skopeo inspect --tls-verify=false "docker://$REGISTRY/$1" | jq -r .Digest; }
copy eos/hello:1.0 team/hello:1.0
copy eos/hello:1.0 team/unsigned:1.0
old=$(digest_of eos/hello:1.0)
sign_push team/hello "$old" "$PEERS_DIR/team"
CLUSTER_KEYS=", \"docker_signatures\": [{\"images\": \"$REGISTRY/team/\", \"keys\": [\"$PEERS_DIR/team.pub\"]}]"
cluster_start

cat > "$PEERS_DIR/job.aurora" <<AURORA
include('$SOURCE/examples/greeting.include')
jobs = [greeter(name, container=Mesos(image=DockerImage(name=image, tag='1.0')))
        for name, image in [('pinned', 'eos/hello'), ('loose', 'eos/hello'), ('signed', 'team/hello'), ('unsigned', 'team/unsigned')]]
AURORA
job=$CLUSTER/www-data/devel
create() { eos job create "$job/$1" "$PEERS_DIR/job.aurora" --wait-until RUNNING "${@:2}"; }

# -- pinning and the record
check "a pinned job runs" create pinned --pin --output json
check "its tag is a digest" jq -e ".bindings[0].digest == \"$old\"" "$PEERS_DIR/out"
check "the record is with the job" eos job status "$job/pinned" --images
check "for people" grep -q "bound to: eos/hello@$old" "$PEERS_DIR/out"
check "with where it was found" grep -q "registry: http://$REGISTRY, repository eos/hello, tag 1.0" "$PEERS_DIR/out"
check "and as JSON" eos job status "$job/pinned" --images --output json
check "all of it" jq -e ".[0].images[0] | .reference == \"eos/hello:1.0\" and .registry == \"http://$REGISTRY\" and .digest == \"$old\" and
    (.mediaType | test(\"manifest\")) and (.sizeBytes | tonumber) > 0 and (.resolvedAtMs | tonumber) > 0 and .authentication == \"anonymous\"" "$PEERS_DIR/out"
check "which is only shown when asked for" eos job status "$job/pinned" --output json
check "or not" jq -e '.[0] | has("images") | not' "$PEERS_DIR/out"
check "the task runs the digest" bash -c '"$BIN/eos" job status "$0" --output json | jq -e ".[0].active[0].assignedTask.task.container.mesos.image.docker.tag == \"$1\""' "$job/pinned" "$old"
refused "both at once" 2 'exclude each other' create other --pin --no-pin

# -- tags that move
check "nothing is outdated" eos image outdated "$job/pinned"
check "and nothing is said" test ! -s "$PEERS_DIR/out"
check "a job that is not pinned runs" create loose
check "nobody knows what it runs" eos image outdated "$job/loose"
check "which is said" grep -q 'eos/hello:1.0 is a tag that is not pinned' "$PEERS_DIR/err"
echo new > "$PEERS_DIR/rootfs/etc/new"
image_push "$PEERS_DIR/rootfs" eos/hello:1.0
new=$(digest_of eos/hello:1.0)
outdated() { local status=0; eos image outdated "$@" || status=$?; [ $status -eq 4 ]; }
check "the tag has moved" outdated "$job/pinned"
check "from what runs" grep -q "runs: $old" "$PEERS_DIR/out"
check "to what does not" grep -q "now:  $new" "$PEERS_DIR/out"
check "as JSON too" outdated "$job/pinned" --output json
check "with both" jq -e ".[0] | .state == \"moved\" and .instances == 1 and .digest == \"$old\" and .now == \"$new\"" "$PEERS_DIR/out"
curl -sf -X DELETE "http://$REGISTRY/v2/eos/hello/manifests/$new"
check "the tag is gone" outdated "$job/pinned"
check "which is said" grep -q 'there is no such tag any more' "$PEERS_DIR/out"
refused "a job that is not there" 6 'no|No|not' eos image outdated "$job/absent"

# -- signatures
refused "an unsigned image" 4 "image team/unsigned:1.0 must be signed by $PEERS_DIR/team.pub, and has no signature" create unsigned
check "a signed image runs" create signed
check "its record" eos job status "$job/signed" --images
check "says who signed" grep -q "signed by: $PEERS_DIR/team.pub (sha256:" "$PEERS_DIR/out"
check "and it is pinned, as a signature is of a digest" grep -q "bound to: team/hello@$old" "$PEERS_DIR/out"
check "the image is verified" eos image verify team/hello:1.0 --output json
check "by the policy" jq -e ".policy == \"$REGISTRY/team/\" and .binding.signedBy == \"$PEERS_DIR/team.pub\"" "$PEERS_DIR/out"
check "by a key" eos image verify team/hello:1.0 --key "$PEERS_DIR/other.pub" --key "$PEERS_DIR/team.pub"
check "for people" grep -Eq "^signed by +$PEERS_DIR/team.pub$" "$PEERS_DIR/out"
refused "by another key" 4 "must be signed by $PEERS_DIR/other.pub, and its signature does not count" eos image verify team/hello:1.0 --key "$PEERS_DIR/other.pub"
refused "by a private key" 3 'flag --key: there is a private key' eos image verify team/hello:1.0 --key "$PEERS_DIR/team.pem"
refused "by a key that is not there" 3 'flag --key: could not read' eos image verify team/hello:1.0 --key "$PEERS_DIR/none"

# -- looking into images
check "an image is inspected" eos image inspect team/hello:1.0
check "by its digest" grep -Eq "^digest +$old$" "$PEERS_DIR/out"
check "with its command" grep -Eq '^command +\["/bin/sh"\]$' "$PEERS_DIR/out"
check "as JSON" eos image inspect team/hello:1.0 --output json
check "it says what skopeo says" jq -e "$(skopeo inspect --tls-verify=false "docker://$REGISTRY/team/hello:1.0" | jq -c '{d: .Digest, l: .Layers, e: .Env, a: .Architecture}') as \$s |
    .binding.digest == \$s.d and [.layers[].digest] == \$s.l and .config.env == \$s.e and .config.architecture == \$s.a" "$PEERS_DIR/out"
refused "a platform that is none" 6 'expected a platform' eos image inspect team/hello:1.0 --platform x
