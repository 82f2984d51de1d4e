#!/usr/bin/env bash
# The registry client against Debian's docker-registry: open, with a password file, with a token server, with TLS.
. "$(dirname "$0")/../../support/service.sh"
here=$(cd "$(dirname "$0")" && pwd)
get=$EOS_BIN/test/registry_get

seed() { # REPOSITORY:TAG
    mkdir -p "$PEERS_DIR/rootfs/etc"
    head -c 3000000 /dev/urandom > "$PEERS_DIR/rootfs/etc/data"
    image_push "$PEERS_DIR/rootfs" "$1"
}
digest_by_skopeo() { skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/$1" "${@:2}" | sha256sum | cut -d' ' -f1; }

# -- open
registry_start
seed eos/hello:1.0
check "a manifest of an open registry" "$get" "http://$REGISTRY" eos/hello 1.0
says "has the digest that skopeo sees" "^digest=sha256:$(digest_by_skopeo eos/hello:1.0)\$" "$ERR"
says "without authentication" '^authentication=anonymous$' "$ERR"
layer=$(jq -r '.layers[0].digest' "$OUT")
size=$(jq -r '.layers[0].size' "$OUT")
check "a blob" "$get" "http://$REGISTRY" eos/hello 1.0 --blob "$layer" --size "$size"
check "has its digest" test "sha256:$(sha256sum "$OUT" | cut -d' ' -f1)" = "$layer"
skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false --format oci "docker://$REGISTRY/eos/hello:1.0" "docker://$REGISTRY/eos/oci:1.0"
check "an OCI manifest" "$get" "http://$REGISTRY" eos/oci 1.0
says "is one" '^media_type=application/vnd.oci.image.manifest.v1\+json$' "$ERR"
fails "an unknown repository" "code=5 .*registry http://$REGISTRY does not have image eos/absent:9: it answered 404 \((NAME|MANIFEST)_UNKNOWN" "$get" "http://$REGISTRY" eos/absent 9
fails "an unknown blob" "code=5 .*does not have blob sha256:0{64} of eos/hello" "$get" "http://$REGISTRY" eos/hello 1 --blob "sha256:$(printf '0%.0s' {1..64})"
peer_stop registry
fails "a registry that went down" "code=14 .*registry http://$REGISTRY could not be reached for image eos/hello:1.0" "$get" "http://$REGISTRY" eos/hello 1.0

# -- with a password file
htpasswd -Bbn reader secret > "$PEERS_DIR/htpasswd"
registry_start "auth: {htpasswd: {realm: tests, path: $PEERS_DIR/htpasswd}}"
cat > "$PEERS_DIR/config.json" <<JSON
{"auths": {"$REGISTRY": {"auth": "$(printf reader:secret | base64)"}}}
JSON
check "a manifest with a password" "$get" "http://$REGISTRY" eos/hello 1.0 --docker-config "$PEERS_DIR/config.json"
says "is authenticated" '^authentication=basic$' "$ERR"
check "a blob with a password" "$get" "http://$REGISTRY" eos/hello 1.0 --blob "$layer" --size "$size" --docker-config "$PEERS_DIR/config.json"
fails "no password" "code=16 .*none are known for $REGISTRY" "$get" "http://$REGISTRY" eos/hello 1.0
echo "machine 127.0.0.1 login reader password wrong" > "$PEERS_DIR/netrc"
fails "a wrong password" "code=16 .*registry http://$REGISTRY refused the user name or password for image eos/hello:1.0" "$get" "http://$REGISTRY" eos/hello 1.0 --netrc "$PEERS_DIR/netrc"
peer_stop registry

# -- with tokens
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$PEERS_DIR/key.pem" -out "$PEERS_DIR/cert.pem" \
    -days 2 -subj /CN=tests -addext subjectAltName=IP:127.0.0.1 2> /dev/null
peer_start tokens python3 "$here/token_server.py" "$PEERS_DIR/token-port" "$PEERS_DIR/key.pem" "$PEERS_DIR/cert.pem" "$PEERS_DIR/token-log"
wait_until 20 test -s "$PEERS_DIR/token-port" || die "the token server did not start"
registry_start "auth: {token: {realm: 'http://127.0.0.1:$(cat "$PEERS_DIR/token-port")/token', service: tests, issuer: tests, rootcertbundle: $PEERS_DIR/cert.pem}}"
cat > "$PEERS_DIR/config.json" <<JSON
{"auths": {"$REGISTRY": {"auth": "$(printf reader:secret | base64)"}}}
JSON
check "a manifest with a token" "$get" "http://$REGISTRY" eos/hello 1.0 --docker-config "$PEERS_DIR/config.json"
says "is authenticated" '^authentication=bearer$' "$ERR"
check "with the scope of the repository" test "$(jq -r '.query.scope[0]' "$PEERS_DIR/token-log" | sort -u)" = repository:eos/hello:pull
check "a blob with a token" "$get" "http://$REGISTRY" eos/hello 1.0 --blob "$layer" --size "$size" --docker-config "$PEERS_DIR/config.json"
fails "a token that gives no access" "code=16 .*registry http://$REGISTRY refused anonymous access to image eos/hello:1.0" "$get" "http://$REGISTRY" eos/hello 1.0
fails "an anonymous token for what is not there" "code=5 .*does not have image public/absent:1" "$get" "http://$REGISTRY" public/absent 1
fails "a user whom the token server does not know" "code=16 .*token server .*refused access to eos/hello \(401 UNAUTHORIZED: who are you\)" \
    "$get" "http://$REGISTRY" eos/hello 1.0 --netrc "$PEERS_DIR/netrc"
peer_stop registry

# -- with TLS of an authority that nobody knows
REGISTRY=127.0.0.1:$(free_port)
cat > "$PEERS_DIR/registry.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $PEERS_DIR/registry}}
http: {addr: "$REGISTRY", tls: {certificate: $PEERS_DIR/cert.pem, key: $PEERS_DIR/key.pem}}
YAML
peer_start registry docker-registry serve "$PEERS_DIR/registry.yml"
wait_until 10 port_is_open "${REGISTRY##*:}" || die "the registry did not start"
fails "an unknown certificate" "code=14 .*registry https://$REGISTRY could not be reached.*certificate" "$get" "https://$REGISTRY" eos/hello 1.0
fails "TLS where none is expected" "code=(9|3) .*400|code=14 " "$get" "http://$REGISTRY" eos/hello 1.0

# -- with TLS of an authority that the system knows, which it does in a mount namespace of this command
system=/etc/ssl/certs/ca-certificates.crt
knowing() { unshare --mount --propagation private sh -c 'mount --bind "$0" "$1" && shift && exec "$@"' "$PEERS_DIR/cert.pem" $system "$@"; }
if [ "$(id -u)" = 0 ] && [ -f $system ]; then
    check "a manifest over TLS" knowing "$get" "https://$REGISTRY" eos/hello 1.0
    says "is the same" "^digest=sha256:$(sha256sum < "$OUT" | cut -d' ' -f1)\$" "$ERR"
    check "a blob over TLS" knowing "$get" "https://$REGISTRY" eos/hello 1.0 --blob "$layer" --size "$size"
    fails "another name than that of the certificate" "code=14 .*registry https://localhost:${REGISTRY##*:} could not be reached" \
        knowing "$get" "https://localhost:${REGISTRY##*:}" eos/hello 1.0
else
    say "skip TLS that is trusted: needs root and $system"
fi
