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

large() { # with a restart of the registry once the first bytes have come
    "$get" "http://$REGISTRY" eos/large 1.0 --blob "$large_digest" --size "$large_size" --pause 5ms --deadline 100s > "$PEERS_DIR/large" &
    local pid=$!
    wait_until 20 test -s "$PEERS_DIR/large" && peer_stop registry
    peer_start registry docker-registry serve "$PEERS_DIR/registry.yml"
    wait $pid && [ "sha256:$(sha256sum < "$PEERS_DIR/large" | cut -d' ' -f1)" = "$large_digest" ]
}

# -- open
registry_start
mkdir -p "$PEERS_DIR/rootfs/etc"
head -c 15000000 /dev/urandom > "$PEERS_DIR/rootfs/etc/data"
image_push "$PEERS_DIR/rootfs" eos/large:1.0
"$get" "http://$REGISTRY" eos/large 1.0 > "$OUT" 2> "$ERR"
large_digest=$(jq -r '.layers[0].digest' "$OUT") large_size=$(jq -r '.layers[0].size' "$OUT")
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
authority=$PEERS_DIR/authority
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$authority.key" -out "$authority.pem" -days 2 \
    -subj "/CN=authority of the tests" 2> /dev/null
certify() { # NAME SUBJECT [EXTENSION]: a key and a certificate by that authority
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$PEERS_DIR/$1.key" -out "$PEERS_DIR/$1.csr" -subj "$2" 2> /dev/null
    openssl x509 -req -in "$PEERS_DIR/$1.csr" -CA "$authority.pem" -CAkey "$authority.key" -CAcreateserial -days 2 -out "$PEERS_DIR/$1.pem" \
        -extfile <(echo "${3:-basicConstraints=CA:false}") 2> /dev/null
}
certify server /CN=server 'subjectAltName=IP:127.0.0.1,DNS:registry.test'
certify client /CN=client
registry_start_tls() { # [EXTRA-TLS-YAML]: on a port that REGISTRY then names
    REGISTRY=127.0.0.1:$(free_port)
    cat > "$PEERS_DIR/registry.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $PEERS_DIR/registry}}
http: {addr: "$REGISTRY", tls: {certificate: $PEERS_DIR/server.pem, key: $PEERS_DIR/server.key${1:-}}}
YAML
    peer_start registry docker-registry serve "$PEERS_DIR/registry.yml"
    wait_until 10 port_is_open "${REGISTRY##*:}" || die "the registry did not start"
    port=${REGISTRY##*:} certs=$PEERS_DIR/certs.d/$REGISTRY
    mkdir -p "$certs"
}
registry_start_tls
fails "an unknown certificate" "code=14 .*registry https://$REGISTRY could not be reached.*certificate.* \(its authority belongs into /nowhere/$REGISTRY/ca.crt\)" \
    "$get" "https://$REGISTRY" eos/hello 1.0
fails "TLS where none is expected" "code=(9|3) .*400|code=14 " "$get" "http://$REGISTRY" eos/hello 1.0
cp "$authority.pem" "$certs/ca.crt"
trusting() { "$get" "https://$REGISTRY" eos/hello 1.0 --certs-dir "$PEERS_DIR/certs.d" "$@"; }
check "a manifest over TLS of an authority of the registry's own" trusting
check "a blob over it" trusting --blob "$layer" --size "$size"
check "has its digest" test "sha256:$(sha256sum "$OUT" | cut -d' ' -f1)" = "$layer"
fails "that authority is not one for other registries" "code=14 .*registry https://localhost:$port could not be reached.*certificate" \
    "$get" "https://localhost:$port" eos/hello 1.0 --certs-dir "$PEERS_DIR/certs.d"

# -- through a proxy, which alone knows where registry.test is
peer_start proxy python3 "$here/forward_proxy.py" "$PEERS_DIR/proxy-port" "$PEERS_DIR/proxy-log"
peer_start strict python3 "$here/forward_proxy.py" "$PEERS_DIR/strict-port" "$PEERS_DIR/strict-log" user:secret
wait_until 20 test -s "$PEERS_DIR/proxy-port" -a -s "$PEERS_DIR/strict-port" || die "the proxies did not start"
proxy=127.0.0.1:$(cat "$PEERS_DIR/proxy-port") strict=127.0.0.1:$(cat "$PEERS_DIR/strict-port")
mkdir "$PEERS_DIR/certs.d/registry.test:$port"
cp "$authority.pem" "$PEERS_DIR/certs.d/registry.test:$port/ca.crt"
through() { # VARIABLE=VALUE… -- FLAG…
    local settings=()
    while [ "$1" != -- ]; do settings+=("$1"); shift; done
    shift
    env "${settings[@]}" "$get" "https://registry.test:$port" eos/hello 1.0 --certs-dir "$PEERS_DIR/certs.d" "$@"
}
check "a manifest through a proxy" through HTTPS_PROXY="http://$proxy" --
check "went that way" grep -qx "CONNECT registry.test:$port" "$PEERS_DIR/proxy-log"
check "a blob through a proxy" through https_proxy="http://$proxy" -- --blob "$layer" --size "$size"
check "a proxy that wants a password" through HTTPS_PROXY="http://user:secret@$strict" --
fails "a proxy that gets none" "code=14 .*could not be reached.* 407" through HTTPS_PROXY="http://$strict" -- --deadline 3s
fails "NO_PROXY" "code=14 .*could not be reached.*resolve" through HTTPS_PROXY="http://$proxy" NO_PROXY=other.test,registry.test -- --deadline 3s
fails "a proxy that is down" "code=14 .*could not be reached" through HTTPS_PROXY=http://127.0.0.1:1 -- --deadline 3s
: > "$PEERS_DIR/proxy-log"
check "loopback" env HTTPS_PROXY="http://$proxy" "$get" "https://$REGISTRY" eos/hello 1.0 --certs-dir "$PEERS_DIR/certs.d"
check "is no way for a proxy" test ! -s "$PEERS_DIR/proxy-log"
fails "a layer's URL that leads to this machine, by a registry that is not on it" "code=5 .*also tried: http://127.0.0.1:$port/x \(refused\)" \
    through HTTPS_PROXY="http://$proxy" -- --blob "sha256:$(printf '0%.0s' {1..64})" --url "http://127.0.0.1:$port/x"

# -- with TLS of an authority that the system knows, which it does in a mount namespace of this command
system=/etc/ssl/certs
known=$PEERS_DIR/system
knowing() { unshare --mount --propagation private sh -c 'mount --bind "$0" "$1" && shift && exec "$@"' "$known" $system "$@"; }
if [ "$(id -u)" = 0 ] && [ -f $system/ca-certificates.crt ]; then
    mkdir "$known"
    cp "$authority.pem" "$known/ca-certificates.crt"
    cp "$authority.pem" "$known/$(openssl x509 -hash -noout -in "$authority.pem").0"
    check "a manifest over TLS that the system trusts" knowing "$get" "https://$REGISTRY" eos/hello 1.0
    fails "another name than that of the certificate" "code=14 .*registry https://localhost:$port could not be reached" \
        knowing "$get" "https://localhost:$port" eos/hello 1.0
    cp "$PEERS_DIR/cert.pem" "$certs/ca.crt"
    check "authorities of the registry's own are more, and not others" \
        knowing "$get" "https://$REGISTRY" eos/hello 1.0 --certs-dir "$PEERS_DIR/certs.d"
    cp "$authority.pem" "$certs/ca.crt"
else
    say "skip TLS that the system trusts: needs root and $system"
fi
peer_stop registry

# -- with client certificates
registry_start_tls ", clientcas: [$authority.pem]"
cp "$authority.pem" "$certs/ca.crt"
fails "no client certificate where one is needed" "code=14 .*registry https://$REGISTRY could not be reached.*certificate" trusting --deadline 3s
cp "$PEERS_DIR/client.pem" "$certs/client.cert"
fails "a certificate without its key" "code=3 .*certificates in \"$PEERS_DIR/certs.d\": \"$REGISTRY\": \"client.key\" is missing" trusting
cp "$PEERS_DIR/client.key" "$certs/client.key"
check "a manifest with a client certificate" trusting
check "a blob with a client certificate" trusting --blob "$layer" --size "$size"
cp "$PEERS_DIR/cert.pem" "$certs/client.cert"
cp "$PEERS_DIR/key.pem" "$certs/client.key"
fails "a client certificate of a stranger" "code=14 .*could not be reached" trusting --deadline 3s
cp "$PEERS_DIR/server.key" "$certs/client.key"
fails "a key that is not that of the certificate" "code=14 .*could not be reached" trusting
peer_stop registry

# -- that redirects to a second host for blobs
peer_start storage python3 -u -m http.server --bind 127.0.0.1 --directory "$PEERS_DIR/registry" 0
wait_until 20 grep -q port "$PEERS_DIR/storage.log" || die "the storage server did not start"
storage=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$PEERS_DIR/storage.log")
registry_start "middleware: {storage: [{name: redirect, options: {baseurl: '$storage/'}}]}"
check "a blob from a second host" "$get" "http://$REGISTRY" eos/hello 1.0 --blob "$layer" --size "$size"
check "has its digest" test "sha256:$(sha256sum "$OUT" | cut -d' ' -f1)" = "$layer"
check "came from there" grep -q "GET /docker/registry/v2/blobs/sha256/.*/data" "$PEERS_DIR/storage.log"
check "a manifest of that registry" "$get" "http://$REGISTRY" eos/hello 1.0
peer_stop registry

# -- restarted while a blob is on its way
registry_start
check "a large blob while the registry restarts" large
