# Shell functions that start the real peers of Eos for the demo and the end-to-end tests: a registry,
# a Docker engine, images made on the spot.  Source it; nothing runs by itself.
#
# Every peer is a child whose process id stands in "$PEERS_DIR/<name>.pid"; peers_stop ends them all
# and removes what they mounted.  PEERS_DIR is a directory of the caller's.

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# wait_until SECONDS COMMAND…: tries until it succeeds; fails when the time is over.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" > /dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# A TCP port of the loopback address on which nobody listens now.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        ss -Hltn "sport = :$port" | grep -q . || break
    done
    echo $port
}

# peers_stop: in the reverse of the order in which they were started.
peers_stop() {
    : "${PEERS_DIR:?}"
    local file pid
    for file in $(ls -t "$PEERS_DIR"/*.pid 2>/dev/null); do
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null || true
        wait_until 20 peer_is_gone "$pid" || kill -9 "$pid" 2>/dev/null || true
        rm -f "$file"
    done
    find /sys/fs/cgroup -mindepth 2 -depth -type d -path "*/$(basename "$PEERS_DIR")*" -exec rmdir {} + 2>/dev/null || true
    [ ! -f "$PEERS_DIR/made-directories" ] || xargs rmdir 2>/dev/null < "$PEERS_DIR/made-directories" || true
    rm -f "$PEERS_DIR/made-directories"
    local mount
    { grep -s " $PEERS_DIR/" /proc/self/mounts || true; } | cut -d' ' -f2 | sort -r | while read -r mount; do
        umount "$mount" 2>/dev/null || umount -l "$mount" 2>/dev/null || true
    done
}

peer_is_gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; }

# registry_start [EXTRA-YAML]: sets REGISTRY to "127.0.0.1:PORT".
registry_start() {
    : "${PEERS_DIR:?}"
    local try
    for try in 1 2 3 4 5; do
        REGISTRY=127.0.0.1:$(free_port)
        cat > "$PEERS_DIR/registry.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $PEERS_DIR/registry}, delete: {enabled: true}}
http: {addr: "$REGISTRY"}
${1:-}
YAML
        docker-registry serve "$PEERS_DIR/registry.yml" > "$PEERS_DIR/registry.log" 2>&1 &
        echo $! > "$PEERS_DIR/registry.pid"
        if wait_until 10 curl -s -o /dev/null "http://$REGISTRY/v2/"; then
            return 0
        fi
        peer_is_gone "$(cat "$PEERS_DIR/registry.pid")" || kill "$(cat "$PEERS_DIR/registry.pid")"
    done
    die "the registry did not start: $(tail -n 3 "$PEERS_DIR/registry.log")"
}

# rootfs_make DIRECTORY: a root file system of busybox, 2 MB.
rootfs_make() {
    : "${1:?rootfs_make: which directory?}"
    mkdir -p "$1"/{bin,etc,tmp,proc,sys,dev,var,root}
    chmod 1777 "$1/tmp"
    cp "$(command -v busybox)" "$1/bin/busybox"
    local applet
    for applet in $("$1/bin/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
    done
    echo 'root:x:0:0:root:/root:/bin/sh' > "$1/etc/passwd"
    echo 'root:x:0:' > "$1/etc/group"
    echo 'PRETTY_NAME="Busybox, made on the spot"' > "$1/etc/os-release"
    # With sanitizers the executor is not static, and a Docker engine starts it from within the image.
    local library
    for library in $(ldd "${EOS_BIN:-/nowhere}/eos-executor" 2>/dev/null | grep -o '/[^ ]*'); do
        mkdir -p "$1$(dirname "$library")"
        cp "$library" "$1$library"
    done
}

# image_push ROOTFS NAME:TAG: as a Docker image of one layer, into the registry.
image_push() {
    : "${1:?}" "${2:?}" "${PEERS_DIR:?}"
    local layout=$PEERS_DIR/layout.$RANDOM tag=${2##*:}
    umoci init --layout "$layout" > /dev/null 2>&1
    umoci new --image "$layout:$tag" > /dev/null 2>&1
    umoci insert --image "$layout:$tag" "$1" / > /dev/null 2>&1
    umoci config --image "$layout:$tag" --config.env PATH=/bin --config.cmd /bin/sh > /dev/null 2>&1
    skopeo copy --quiet --format v2s2 --dest-tls-verify=false "oci:$layout:$tag" "docker://$REGISTRY/$2"
    rm -rf "$layout"
}

# aci_make ROOTFS NAME DIRECTORY: an AppC image for simple discovery in DIRECTORY; prints its image id.
aci_make() {
    : "${1:?}" "${2:?}" "${3:?}" "${PEERS_DIR:?}"
    local arch=amd64 build=$PEERS_DIR/aci.$RANDOM file
    [ "$(uname -m)" != aarch64 ] || arch=aarch64
    file=$3/$2-latest-linux-$arch.aci
    mkdir -p "$build" "$(dirname "$file")"
    cat > "$build/manifest" <<JSON
{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "$2",
 "labels": [{"name": "version", "value": "latest"}, {"name": "os", "value": "linux"}, {"name": "arch", "value": "$arch"}]}
JSON
    ln -s "$1" "$build/rootfs"
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$build" -cf "$build/image.tar" --transform 's,^\./,,' \
        manifest
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$(dirname "$1")" --transform "s,^$(basename "$1"),rootfs," \
        -rf "$build/image.tar" "$(basename "$1")"
    echo "sha512-$(sha512sum "$build/image.tar" | cut -d' ' -f1)"
    gzip -n < "$build/image.tar" > "$file"
    rm -rf "$build"
}

# docker_start: sets DOCKER_SOCKET to an engine that answers: the host's own, or one that is started
# here with all its files below PEERS_DIR.  `docker_start own` never uses the host's.  The engine
# insists on some fixed paths, so it gets its own view of those.
docker_start() {
    : "${PEERS_DIR:?}"
    DOCKER_SOCKET=/var/run/docker.sock
    if [ "${1:-}" != own ] && docker_answers; then
        return 0
    fi
    DOCKER_SOCKET=$PEERS_DIR/docker.sock
    local fixed
    for fixed in /etc/docker /run/docker /run/containerd; do
        [ -d $fixed ] || { mkdir $fixed && echo $fixed >> "$PEERS_DIR/made-directories"; }
    done
    unshare --mount --propagation slave bash -c '
        for fixed in /etc/docker /run/docker /run/containerd; do mount -t tmpfs none $fixed; done
        exec dockerd --data-root "$0/docker" --exec-root "$0/docker-exec" --pidfile "$0/dockerd.own" \
            -H "unix://$0/docker.sock" --bridge=none --iptables=false --ip6tables=false \
            --cgroup-parent "/$(basename "$0")"
        ' "$PEERS_DIR" > "$PEERS_DIR/docker.log" 2>&1 &
    echo $! > "$PEERS_DIR/docker.pid"
    wait_until 60 docker_answers || die "the Docker engine did not start: $(tail -n 3 "$PEERS_DIR/docker.log")"
}

docker_answers() { [ "$(curl -s -m 5 --unix-socket "$DOCKER_SOCKET" http://docker/_ping)" = OK ]; }
