#!/usr/bin/env bash
# The registry client against a registry that misbehaves in every way that matters.
. "$(dirname "$0")/../../support/service.sh"
here=$(cd "$(dirname "$0")" && pwd)
get=$EOS_BIN/test/registry_get
log=$PEERS_DIR/requests

peer_start misbehave python3 "$here/misbehave.py" "$PEERS_DIR/ports" "$log"
wait_until 20 test -s "$PEERS_DIR/ports" || die "the server did not start"
read -r port storage_port < "$PEERS_DIR/ports"
url=http://127.0.0.1:$port

blob_file=$PEERS_DIR/blob
python3 -c 'import sys; sys.stdout.buffer.write(bytes((i * 7 + i // 251) % 256 for i in range(1 << 20)))' > "$blob_file"
blob=sha256:$(sha256sum "$blob_file" | cut -d' ' -f1)
size=$(stat -c %s "$blob_file")

manifest() { "$get" "$url" "$@"; }
get_blob() { # REPOSITORY [FLAG…]
    local repository=$1
    shift
    "$get" "$url" "$repository" 1 --blob "$blob" --size "$size" "$@"
}
is_whole() { get_blob "$@" | cmp - "$blob_file"; }
ports_and_paths() { jq -r 'select(.path | test($re)) | "\(.port) \(.path) \(.authorization) \(.range)"' --arg re "$1" < "$log"; }
count() { ports_and_paths "$1" | wc -l; }
count_is() { [ "$(count "$1")" -eq "$2" ] || { ports_and_paths "$1" >&2; false; }; }

# -- what it should be
check "a manifest" manifest ok/image 1
says "its digest is that of the bytes" "^digest=sha256:$(sha256sum < "$OUT" | cut -d' ' -f1)\$" "$ERR"
check "a blob" is_whole ok/image
check "a blob that is read slowly" is_whole ok/image --pause 2ms
check "a blob from which more is asked than a host bears" eval "get_blob ok/slow/image --repeat 40 | wc -c | grep -qx $((40 * size))"
check "is sixteen blobs at a time" test "$(curl -s "$url/most")" = 16
check "a blob that is given up" test "$(get_blob ok/image --cancel 2>&1 >/dev/null | grep -c 'code=1$')" = 1
check "a manifest without a digest header" manifest lies/silent 1

# -- whether a tag is what it was
methods() { jq -r 'select(.path | test($re)) | .method' --arg re "$1" < "$log" | tr '\n' ' '; }
known=$(manifest ok/image 1 2>&1 >/dev/null | sed -n 's/^digest=//p')
check "a tag that is what it was" manifest ok/head 1 --known "$known"
says "has its digest" "^digest=$known\$" "$ERR"
check "is only asked about" test "$(methods ok/head)" = "HEAD "
check "a tag that has moved" manifest ok/moved 1 --known "sha256:$(printf '1%.0s' {1..64})"
says "has its new digest" "^digest=$known\$" "$ERR"
check "is fetched, for no header is believed" test "$(methods ok/moved)" = "HEAD GET "
check "a registry without a digest in its headers" manifest ok/silent 1 --known "$known"
check "is asked again with GET" test "$(methods ok/silent)" = "HEAD GET "
check "a registry that does not know HEAD" manifest ok/nohead 1 --known "$known"
check "is asked with GET" test "$(methods ok/nohead)" = "HEAD GET "
check "HEAD with authentication" manifest auth/bearer/head 1 --known "$known"
says "which is known" '^authentication=bearer$' "$ERR"
fails "a tag that is gone" "code=5 .*does not have image ok/image:2" manifest ok/image 2 --known "$known"

# -- indexes
check "an index as it is" manifest many/platforms 1
says "is an index" 'media_type=application/vnd.oci.image.index' "$ERR"
says "of no platform" '^platform=$' "$ERR"
check "an index followed" manifest many/platforms 1 --choose-platform
says "is an image" 'media_type=application/vnd.oci.image.manifest' "$ERR"
says "of this machine" '^platform=linux/(amd64|arm64)' "$ERR"
says "with the digest of the index" '^index_digest=sha256:[0-9a-f]{64}$' "$ERR"
check "a nested index" manifest many/nested 1 --choose-platform
fails "an index that is nested too deep" "code=9 .*nested over 3 deep" manifest many/deep 1 --choose-platform
fails "an index that lies about a size" "code=15 .*sent [0-9]+ bytes instead of [0-9]+ for sha256:" manifest many/sizes 1 --choose-platform
fails "an index for other machines" "code=5 .*many/elsewhere:1: the image is not there for linux/.*, only for windows/amd64" \
    manifest many/elsewhere 1 --choose-platform

# -- what is no image
fails "an unknown tag" "code=5 .*registry $url does not have image ok/image:2: it answered 404 \(MANIFEST_UNKNOWN: manifest unknown\)" manifest ok/image 2
fails "a web page" "code=9 .*registry $url: image odd/html:1: .*no manifest" manifest odd/html 1
fails "schema 1" "code=12 .*odd/schema1:1: .*schema 1" manifest odd/schema1 1
fails "too large" "code=9 .*more than 4194304 bytes for image odd/large:1" manifest odd/large 1
fails "an artifact" "code=9 .*odd/artifact:1: .*not of an image" manifest odd/artifact 1
fails "types that differ" "code=9 .*Content-Type" manifest odd/type 1

peer_start pages python3 -u -m http.server --bind 127.0.0.1 --directory "$PEERS_DIR" 0
wait_until 20 grep -q port "$PEERS_DIR/pages.log" || die "the web server did not start"
pages=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$PEERS_DIR/pages.log")
fails "a host that is no registry" "code=9 .*error=$pages is no registry \(its answer to /v2/ was 404\), so it did not give image ok/image:1" "$get" "$pages" ok/image 1
fails "a registry behind a proxy with pages of its own" "code=5 .*does not have image auth/page:1: it answered 404" manifest auth/page 1 --netrc /dev/null

# -- lies
fails "a digest header that lies" "code=15 .*registry $url says sha256:0{64} for lies/header:1" manifest lies/header 1
fails "manifest bytes that are not of the digest" "code=15 .*wrong bytes for lies/bytes" \
    manifest lies/bytes "$(manifest ok/image 1 2>&1 >/dev/null | sed -n 's/^digest=//p')"
fails "blob bytes that are not of the digest" "code=15 .*wrong bytes for lies/blob" get_blob lies/blob
fails "a blob that is too long" "code=15 .*more than $size bytes" get_blob lies/long
fails "a blob that is too short" "code=15 .*$((size - 1)) bytes instead of $size" get_blob lies/short

# -- trouble that passes, and trouble that does not
check "two answers 503" manifest flaky/500 1
check "two connections cut" manifest flaky/cut 1
check "429 with Retry-After" manifest flaky/429 1
fails "500 for ever" "code=14 .*registry $url did not give image flaky/always:1: it answered 500 \(UNKNOWN: broken\)" manifest flaky/always 1
check "was tried four times" count_is flaky/always 4
fails "429 with a Retry-After that is too far away" "code=8 .*too many requests .* 429 \(TOOMANYREQUESTS: slow down\)" manifest flaky/later 1
check "was tried once" count_is flaky/later 1
fails "no answer" "code=4 .*registry $url did not deliver image slow/hang:1 within 300 ms" manifest slow/hang 1 --deadline 300ms
check "503 with a date in Retry-After" manifest flaky/date 1
check "a registry that is restarted" manifest flaky/restart 1 --deadline 100s
check "an answer that does not begin" manifest slow/once 1 --deadline 3s
check "a blob that stalls" is_whole slow/stall --deadline 4s
check "a blob without an end" is_whole cut/end
check "a blob in pieces" is_whole cut/ranges
check "asked for the rest only" test "$(ports_and_paths cut/ranges | awk '{ print $NF }' | tr '\n' ' ' | grep -c 'bytes=262144-.*bytes=524288-.*bytes=786432-')" = 1
check "a blob in pieces from a registry without ranges" is_whole cut/rangeless
fails "a registry that goes on elsewhere" "code=15 .*did not continue" get_blob cut/wrong

# -- redirects
check "a manifest from a second host" manifest redirect/storage 1
check "a blob from a second host" is_whole redirect/storage
cat > "$PEERS_DIR/config.json" <<JSON
{"auths": {"127.0.0.1:$port": {"auth": "$(printf reader:secret | base64)"}}}
JSON
check "a blob from a second host with authentication" is_whole auth/basic/redirect/storage --docker-config "$PEERS_DIR/config.json"
check "the second host got no credentials" test -z "$(jq -r "select(.port == $storage_port) | .authorization" "$log" | tr -d '\n')"
fails "a redirect to itself" "code=9 .*redirected over 5 times" manifest redirect/loop 1
fails "a redirect to plain HTTP" "code=9 .*plain HTTP to 192.0.2.1 is not allowed" manifest redirect/plain 1
fails "a redirect to a file" "code=9 .*must start with https" manifest redirect/file 1
fails "a redirect without a target" "code=9 .*answered 307" manifest redirect/nowhere 1

# -- a blob that is somewhere else
check "a blob that its registry does not have" is_whole auth/basic/gone --docker-config "$PEERS_DIR/config.json" --url "http://127.0.0.1:$storage_port/storage/blobs/x"
fails "and its URL neither" "code=5 .*does not have blob .*; also tried: http://127.0.0.1:$storage_port/elsewhere \(not found\)" \
    get_blob ok/gone --url "http://127.0.0.1:$storage_port/elsewhere"
fails "a URL without TLS" "code=5 .*; also tried: http://192.0.2.1/x \(refused\)" get_blob ok/gone --url http://192.0.2.1/x
fails "a URL that is none" "code=5 .*; also tried: file:///etc/passwd \(refused\)" get_blob ok/gone --url file:///etc/passwd

# -- mirrors
mirrors() { # MIRROR…: the JSON of docker_mirrors
    printf '{"%s": [%s]}' "127.0.0.1:$port" "$(printf '"%s",' "$@" | sed 's/,$//')"
}
mirror=http://127.0.0.1:$storage_port
home=$url
check "a mirror" manifest ok/mirrored 1 --mirrors "$(mirrors "$mirror/good")"
says "is asked" "^source=$mirror\$" "$ERR"
check "instead of the registry" count_is /v2/ok/mirrored 0
check "a mirror that does not have it" manifest ok/a1 1 --mirrors "$(mirrors "$mirror/absent")"
says "leaves it to the registry" "^source=$home\$" "$ERR"
check "a mirror that is out of order" manifest ok/a2 1 --mirrors "$(mirrors "$mirror/broken")" --rounds 3
check "was asked twice, and then no more" count_is broken/ok/a2 2
check "a mirror that is down" manifest ok/a3 1 --mirrors "$(mirrors http://127.0.0.1:1)"
check "a mirror that wants a password" manifest ok/a4 1 --mirrors "$(mirrors "$mirror/denying")"
check "a mirror that is no registry" manifest ok/a5 1 --mirrors "$(mirrors "$mirror/page")"
check "a mirror that may not be asked" manifest ok/a6 1 --mirrors "$(mirrors http://192.0.2.1)"
check "a mirror that lies" manifest ok/a7 1 --mirrors "$(mirrors "$mirror/lying" "$mirror/good")"
says "has no say" "^source=$mirror\$" "$ERR"
says "but the next one" "^digest=$known\$" "$ERR"
check "a blob of a mirror" is_whole ok/a8 --mirrors "$(mirrors "$mirror/good")"
check "a blob of which a mirror gave half" is_whole ok/a9 --mirrors "$(mirrors "$mirror/half")"
check "comes from the registry from there on" test "$(ports_and_paths '^/v2/ok/a9/' | awk '{ print $NF }')" = "bytes=$((size / 2))-"
fails "a blob about which a mirror lied" "code=15 .*registry $mirror sent wrong bytes for lying/ok/b1" get_blob ok/b1 --mirrors "$(mirrors "$mirror/lying")"
check "a blob that is gone elsewhere but not here" is_whole ok/gone --mirrors "$(mirrors "$mirror/absent" "$mirror/good")"
fails "an image that nobody has" "code=5 .*registry $home does not have image ok/image:2.*; also tried: $mirror \(not found\), http://127.0.0.1:1 \(unavailable\)" \
    manifest ok/image 2 --mirrors "$(mirrors "$mirror/absent" http://127.0.0.1:1)"
fails "mirrors that are malformed" "code=3 .*registry \"127.0.0.1:$port\": mirror 1: " manifest ok/image 1 --mirrors "$(mirrors mirror-a)"
check "mirrors of another registry" manifest ok/b2 1 --mirrors '{"docker.io": ["http://127.0.0.1:1"]}'
says "are not asked" "^source=$home\$" "$ERR"

# -- authentication
fails "Basic without credentials" "code=16 .*registry $url needs a user name and password for auth/basic/a, and none are known for 127.0.0.1:$port" manifest auth/basic/a 1
check "Basic" manifest auth/basic/a 1 --docker-config "$PEERS_DIR/config.json"
says "and says so" '^authentication=basic$' "$ERR"
check "Basic from a directory" manifest auth/basic/a 1 --docker-config "$PEERS_DIR"
echo "machine 127.0.0.1 login reader password secret" > "$PEERS_DIR/netrc"
check "Basic from .netrc" manifest auth/basic/a 1 --netrc "$PEERS_DIR/netrc"
echo "machine 127.0.0.1 login reader password wrong" > "$PEERS_DIR/netrc"
fails "Basic with a wrong password" "code=16 .*refused the user name or password for image auth/basic/a:1 \(401 UNAUTHORIZED: authentication required\)" \
    manifest auth/basic/a 1 --netrc "$PEERS_DIR/netrc"
check "Bearer" manifest auth/bearer/a 1
says "and says so" '^authentication=bearer$' "$ERR"
check "the token server was asked for what the challenge said" count_is 'token\?service=the%20service&scope=repository:auth/bearer/a:pull%2Cpush$' 1
check "Bearer with access_token" manifest auth/access/a 1
check "Bearer with credentials" manifest auth/private/a 1 --docker-config "$PEERS_DIR/config.json"
fails "Bearer without credentials" "code=16 .*refused anonymous access to image auth/private/a:1" manifest auth/private/a 1
check "many requests at the same time" eval "get_blob auth/bearer/many --repeat 40 | wc -c | grep -qx $((40 * size))"
check "take one token" count_is 'token\?.*auth/bearer/many' 1
fails "many requests that are refused a token" "code=16 .*no token for you" manifest auth/refused/many 1 --repeat 40
check "do not ask for one each" test "$(count 'token\?.*auth/refused/many')" -lt 20
check "a token server with too much to do" manifest auth/overload/a 1
check "a blob in pieces with a token that is good for one" is_whole auth/bearer/cut/1
check "took four tokens" count_is 'token\?.*auth/bearer/cut/1' 4
fails "a token server that refuses" "code=16 .*token server 127.0.0.1:$port of registry $url refused access to auth/refused/a \(401 UNAUTHORIZED: no token" manifest auth/refused/a 1
fails "a token server that answers something else" "code=16 .*token server .*its answer has no token" manifest auth/broken/a 1
fails "a token server that would see plain credentials" "code=9 .*token server .*plain HTTP to 192.0.2.1 is not allowed" manifest auth/elsewhere/a 1
cat > "$PEERS_DIR/identity.json" <<JSON
{"auths": {"127.0.0.1:$port": {"auth": "$(printf '<token>:' | base64)", "identitytoken": "the token"}}}
JSON
check "an identity token" manifest auth/identity/a 1 --docker-config "$PEERS_DIR/identity.json"
fails "403" "code=7 .*denies access to image auth/denied/a:1: it answered 403 \(DENIED: not for you\)" manifest auth/denied/a 1
fails "401 without a word" "code=16 .*does not say how to authenticate" manifest auth/mute/a 1

# -- credential helpers
mkdir "$PEERS_DIR/bin"
helper() { # NAME: with its script on stdin
    { echo '#!/bin/sh'; cat; } > "$PEERS_DIR/bin/docker-credential-$1"
    chmod +x "$PEERS_DIR/bin/docker-credential-$1"
    echo "{\"credHelpers\": {\"127.0.0.1:$port\": \"$1\"}}" > "$PEERS_DIR/$1.json"
}
export PATH=$PEERS_DIR/bin:$PATH
helper good <<SH
read -r server
[ "\$1 \$server" = "get 127.0.0.1:$port" ] && echo '{"ServerURL": "x", "Username": "reader", "Secret": "secret"}'
SH
check "a credential helper" manifest auth/basic/h 1 --docker-config "$PEERS_DIR/good.json"
says "gives a password" '^authentication=basic$' "$ERR"
check "is asked for tokens too" manifest auth/private/h 1 --docker-config "$PEERS_DIR/good.json"
helper token <<< 'cat > /dev/null; echo "{\"Username\": \"<token>\", \"Secret\": \"the token\"}"'
check "and may give an identity token" manifest auth/identity/h 1 --docker-config "$PEERS_DIR/token.json"
helper none <<< 'echo "credentials not found in native keychain"; exit 1'
fails "a helper that knows nothing" "code=16 .*none are known for 127.0.0.1:$port" manifest auth/basic/h 1 --docker-config "$PEERS_DIR/none.json"
helper failing <<< 'echo oops; exit 3'
fails "a helper that fails" "code=9 .*registry $url: credential helper \"docker-credential-failing\" failed" manifest auth/basic/h 1 --docker-config "$PEERS_DIR/failing.json"
helper babbling <<< 'echo "{}"'
fails "a helper that talks nonsense" "code=9 .*no credential" manifest auth/basic/h 1 --docker-config "$PEERS_DIR/babbling.json"
helper endless <<< 'exec cat /dev/zero'
fails "a helper that never ends" "code=9 .*too long an answer" manifest auth/basic/h 1 --docker-config "$PEERS_DIR/endless.json"
helper hanging <<< 'exec sleep 1000'
fails "a helper that hangs" "code=4 .*did not deliver image auth/basic/h:1 within 500 ms" manifest auth/basic/h 1 --docker-config "$PEERS_DIR/hanging.json" --deadline 500ms
rm "$PEERS_DIR/bin/docker-credential-hanging"
fails "a helper that is not there" "code=9 .*could not start the credential helper \"docker-credential-hanging\"" manifest auth/basic/h 1 --docker-config "$PEERS_DIR/hanging.json"

# -- before anything is sent
fails "a registry that is down" "code=14 .*registry http://127.0.0.1:1 could not be reached for image a/b:1: connection refused" "$get" http://127.0.0.1:1 a/b 1
fails "a host that is not there" "code=14 .*registry https://no.such.host.invalid could not be reached" "$get" https://no.such.host.invalid a/b 1
fails "plain HTTP to a stranger" "code=9 .*plain HTTP to 192.0.2.1 is not allowed without --insecure-registry 192.0.2.1" "$get" http://192.0.2.1 a/b 1
fails "a malformed name" "code=3 .*repository: byte 1 is not" manifest Upper/case 1
fails "a malformed tag" "code=3 .*image a/b: byte 2 is not one of" manifest a/b 'x y'
fails "a malformed digest" "code=3 .*hexadecimal digits" manifest a/b sha256:12
fails "a malformed URL" "code=3 .*nothing behind its host" "$get" "$url/path" a/b 1
fails "a credentials file that is not there" "code=5 .*could not open \"$PEERS_DIR/none\"" manifest ok/image 1 --docker-config "$PEERS_DIR/none"
echo '{"auths": 1}' > "$PEERS_DIR/bad.json"
fails "a credentials file that is wrong" "code=3 .*file \"$PEERS_DIR/bad.json\": \"auths\" is no JSON object" manifest ok/image 1 --docker-config "$PEERS_DIR/bad.json"
check "a hundred at once" manifest ok/image 1 --repeat 100
