#!/usr/bin/env bash
# Images on the hosts: pulled, listed, pruned, imported; used by jobs with and without a registry.
. "$(dirname "$0")/../support/cluster.sh"
LAST=$PEERS_DIR/out # of the last command that was checked

# layers_push NAME LAYOUT: eos/NAME:1 in the registry, two layers below and one of its own.
layers_push() {
    umoci new --image "$2:$1" > /dev/null 2>&1
    umoci insert --image "$2:$1" "$PEERS_DIR/rootfs" / > /dev/null 2>&1
    umoci insert --image "$2:$1" "$PEERS_DIR/shared" /shared > /dev/null 2>&1
    echo "$1" > "$PEERS_DIR/own"
    umoci insert --image "$2:$1" "$PEERS_DIR/own" /own > /dev/null 2>&1
    umoci config --image "$2:$1" --config.env PATH=/bin > /dev/null 2>&1
    skopeo copy --quiet --dest-tls-verify=false "oci:$2:$1" "docker://$REGISTRY/eos/$1:1"
}

job() { # NAME IMAGE TAG COMMAND
    cat > "$PEERS_DIR/$1.aurora" <<AURORA
p = Process(name='p', cmdline='''$4''')
t = Task(name='t', processes=[p], resources=Resources(cpu=0.1, ram=32*MB, disk=16*MB))
jobs = [Job(cluster='$CLUSTER', role='root', environment='test', name='$1', task=t, max_task_failures=1,
            container=Mesos(image=DockerImage(name='$2', tag='$3')))]
AURORA
}
run_job() { eos job create "$CLUSTER/root/test/$1" "$PEERS_DIR/$1.aurora" --wait-until "${2:-FINISHED}" --timeout 60s; }
images() { eos image list --output json | jq -r '.hosts[0].response.images[] | [.digest, .isUsed, .isImported, (.names | map(.name) | join(","))] | @tsv'; }
has_image() { images | grep -q -- "$1"; }
lacks_image() { ! images | grep -q -- "$1"; }

REGISTRY_LOG_ACCESSLOG_DISABLED=false registry_start
rootfs_make "$PEERS_DIR/rootfs"
chmod 755 "$PEERS_DIR"
head -c 300000 /dev/urandom > "$PEERS_DIR/shared"
LAYOUT=$PEERS_DIR/layout
umoci init --layout "$LAYOUT" > /dev/null 2>&1
for i in 0 1 2 3 4 5 6 7 8 9; do layers_push "app$i" "$LAYOUT"; done
cluster_start
HOST=$(eos host list --output json | jq -r '.hosts[0].hostname')

# -- pull, list, prune ------------------------------------------------------------------------------
check "no image yet" test "$(eos image list | wc -l)" -eq 1
check "pull" eos image pull eos/app0:1
check "and it says what came" grep -Eq "^$HOST sha256:[0-9a-f]{64}\$" "$LAST"
check "without a word about progress in a pipe" test ! -s "$PEERS_DIR/err"
DIGEST=$(cut -d' ' -f2 "$LAST")
check "list" eos image list
check "shows name and digest" grep -Eq "^$HOST +eos/app0:1 +${DIGEST:0:19} +[0-9.]+ [kM]B " "$LAST"
check "list as JSON" eos image list --host "$HOST" --output json
check "with sizes" jq -e '.hosts[0].response.images[0] | (.sizeBytes | tonumber) > 1000000 and .layers == 3 and .kind == "docker"' "$LAST"
check "pull as JSON" eos image pull eos/app0:1 --output json
check "has the digest" jq -e --arg d "$DIGEST" '.hosts[0].response.digest == $d' "$LAST"
refused "an image that is not there" 6 "eos/nothing:1" eos image pull eos/nothing:1
refused "a host that is not there" 6 "no host" eos image list --host nowhere
refused "a malformed name" 6 "field reference" eos image pull 'eos//x:1'
check "dry run" eos image prune --dry-run
check "says what would go" grep -q "would remove eos/app0:1 $DIGEST" "$LAST"
check "and it is still there" has_image "eos/app0:1"
check "prune" eos image prune
check "says what went" grep -q "removed eos/app0:1 $DIGEST" "$LAST"
check "and it is gone" test "$(eos image list | wc -l)" -eq 1
STORE=$PEERS_DIR/eos/launcher/images
check "nothing is left of it" test -z "$(find "$STORE"/{layers,blobs,images,names,references,trash} -mindepth 1)"
prune_says() { # STATUS IMAGE PATTERN
    eos image prune "$2" > /dev/null 2> "$PEERS_DIR/refused"
    [ $? -eq "$1" ] && grep -q "$3" "$PEERS_DIR/refused"
}
check "an image that no host has" prune_says 6 eos/app0:1 "no host has the image eos/app0:1"

# -- ten tasks at once ------------------------------------------------------------------------------
: > "$PEERS_DIR/registry.log"
for i in 0 1 2 3 4 5 6 7 8 9; do
    job "app$i" "eos/app$i" 1 "cat /own; while true; do sleep 1; done"
    eos job create "$CLUSTER/root/test/app$i" "$PEERS_DIR/app$i.aurora" --wait-until PENDING > /dev/null 2>&1 &
    CREATES="${CREATES:-} $!"
done
for pid in $CREATES; do wait "$pid"; done
ten_run() { [ "$(http GET "/v1/tasks?role=root&environment=test&statuses=RUNNING" | jq '.tasks | length')" -eq 10 ]; }
eventually "ten tasks with ten images run" 60 ten_run
blobs_fetched() { grep -ao 'GET /v2/[^ ]*/blobs/sha256:[0-9a-f]*' "$PEERS_DIR/registry.log" | sed 's/.*blobs.//' | sort | uniq -c; }
check "the registry's log tells of blobs" test "$(blobs_fetched | wc -l)" -ge 22
check "each was fetched once" test -z "$(blobs_fetched | awk '$1 != 1')"
check "all are in use" test "$(images | grep -c 'true')" -eq 10
check "prune takes none of them" eos image prune
check "none" test "$(images | wc -l)" -eq 10
check "not even when it is named" prune_says 4 eos/app3:1 "eos/app3:1 is used by a task"
kill -9 "$(service_pid launcher)"
eventually "the launcher comes back" 30 has_image "eos/app3:1"
all_used() { [ "$(images | awk '$2 == "true"' | wc -l)" -eq 10 ]; }
eventually "and still knows what is used" 30 all_used
check "prune after a crash" eos image prune
check "takes nothing that runs" test "$(images | wc -l)" -eq 10
check "whose root is whole" test "$(eos task logs "$CLUSTER/root/test/app3/0")" = app3
for i in 0 1 2 3 4 5 6 7 8 9; do eos job killall "$CLUSTER/root/test/app$i" > /dev/null 2>&1 & KILLS="${KILLS:-} $!"; done
for pid in $KILLS; do wait "$pid"; done
none_used() { ! images | awk '$2 == "true"' | grep -q .; }
eventually "nothing is used any more" 30 none_used
check "now they go" eos image prune
check "all" test "$(images | wc -l)" -eq 0

# -- a long pull ------------------------------------------------------------------------------------
cat > "$PEERS_DIR/slow" <<'PYTHON'
import http.server, sys, time, urllib.request
class Slow(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        request = urllib.request.Request(f"http://{sys.argv[1]}{self.path}", headers={"Accept": self.headers.get("Accept", "*/*")})
        with urllib.request.urlopen(request) as answer:
            body = answer.read()
            self.send_response(answer.status)
            for name in ("Content-Type", "Docker-Content-Digest"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2])
        if len(body) > 100000:
            self.wfile.flush()
            time.sleep(4)
        self.wfile.write(body[len(body) // 2:])
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 "$PEERS_DIR/slow" "$REGISTRY" > "$PEERS_DIR/slow.port" &
echo $! > "$PEERS_DIR/slow.pid"
wait_until 10 test -s "$PEERS_DIR/slow.port"
job slow "127.0.0.1:$(cat "$PEERS_DIR/slow.port")/eos/app5" 1 "cat /own"
check "a job whose image comes slowly runs" run_job slow
progress_of() { http GET "/v1/tasks?role=root&environment=test&name=$1" | jq -r '.tasks[0].taskEvents[] | select(.status == "STARTING") | .message'; }
check "its events told how far the pull was" grep -Eq '^Fetching the image: [0-9]+ of 3 layers, [0-9.]+ of [0-9.]+ MB\.$' <(progress_of slow)
check "prune it" eos image prune
check "a pull at a terminal" script -qec "$BIN/eos image pull 127.0.0.1:$(cat "$PEERS_DIR/slow.port")/eos/app6:1" "$PEERS_DIR/typescript"
check "shows how far it is" grep -Eaq "$HOST: [0-9]+ of 3 layers, [0-9.]+ [kM]B of [0-9.]+ [kM]B" "$PEERS_DIR/typescript"
check "and in the end the digest" grep -Eaq "$HOST sha256:[0-9a-f]{64}" "$PEERS_DIR/typescript"
check "prune that" eos image prune

# -- import -----------------------------------------------------------------------------------------
skopeo copy --quiet "oci:$LAYOUT:app1" "docker-archive:$PEERS_DIR/docker.tar:local/docker:2"
skopeo copy --quiet "oci:$LAYOUT:app2" "oci-archive:$PEERS_DIR/oci.tar:local/archive:2"
gzip -k "$PEERS_DIR/docker.tar"
skopeo copy --quiet "oci:$LAYOUT:app4" "docker-archive:$PEERS_DIR/app4.tar:local/four:2"
cat > "$PEERS_DIR/modern" <<'PYTHON'
import json, os, shutil, sys, tarfile
layout, tag, name, out = sys.argv[1:]
index = json.load(open(f"{layout}/index.json"))
entry = next(m for m in index["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == tag)
blob = lambda d: "blobs/" + d.replace(":", "/")
manifest = json.load(open(f"{layout}/{blob(entry['digest'])}"))
entry["annotations"] = {"io.containerd.image.name": "docker.io/" + name, "org.opencontainers.image.ref.name": name.split(":")[1]}
used = [entry["digest"], manifest["config"]["digest"]] + [l["digest"] for l in manifest["layers"]]
files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode(),
         "manifest.json": json.dumps([{"Config": blob(used[1]), "RepoTags": [name], "Layers": [blob(d) for d in used[2:]]}]).encode()}
with tarfile.open(out, "w") as tar:
    for digest in dict.fromkeys(used):
        tar.add(f"{layout}/{blob(digest)}", blob(digest))
    for path, data in files.items():
        open(out + ".part", "wb").write(data)
        tar.add(out + ".part", path)
os.remove(out + ".part")
PYTHON
python3 "$PEERS_DIR/modern" "$LAYOUT" app3 local/modern:2 "$PEERS_DIR/modern.tar"
check "a layout by its tag" eos image import "$LAYOUT" local/layout:app4
check "says host, digest and name" grep -Eq "^$HOST local/layout:app4 sha256:[0-9a-f]{64}\$" "$LAST"
refused "a layout needs a name" 3 'it has "app0", "app1"' eos image import "$LAYOUT"
refused "and one that is in it" 3 "no image of that name" eos image import "$LAYOUT" local/layout:other
check "what docker save writes" eos image import "$PEERS_DIR/docker.tar"
check "has its name" grep -q " local/docker:2 " "$LAST"
check "in gzip, with another name" eos image import "$PEERS_DIR/docker.tar.gz" local/gzip:1
check "an OCI archive" eos image import "$PEERS_DIR/oci.tar" local/archive:2
check "both at once, as Docker writes it now" eos image import "$PEERS_DIR/modern.tar"
check "has its name, too" grep -q " local/modern:2 " "$LAST"
check "twice has the same effect" eos image import "$PEERS_DIR/modern.tar" --output json
check "and says so" jq -e --arg h "$HOST" '.hosts[0] | .host == $h and (.hostId | length > 0) and .response.name == "local/modern:2"' "$LAST"
refused "what is no archive" 3 "no tar archive" eos image import "$BIN/eos" x:1
refused "what is not there" 3 "could not open" eos image import "$PEERS_DIR/nothing" x:1
refused "an empty directory" 3 "neither an index.json" eos image import "$PEERS_DIR/etc" x:1
check "the list says which are imported" test "$(eos image list | grep -c ' imported$')" -eq 5
check "uploads are gone" test -z "$(ls "$STORE/uploads")"
check "prune leaves them" eos image prune
check "all five names" test "$(eos image list | grep -c ' imported$')" -eq 5
# An imported name comes before what the registry has under it, until it is pulled.
check "under a name that the registry has, too" eos image import "$PEERS_DIR/app4.tar" eos/app7:1
check "is imported" grep -q " imported" <(eos image list | grep " eos/app7:1 ")
job first eos/app7 1 "cat /own"
check "a job with that name" run_job first
check "is what was imported" test "$(eos task logs "$CLUSTER/root/test/first/0")" = app4
check "pull asks the registry for it" eos image pull eos/app7:1
check "which makes it the registry's" grep -Evq " imported" <(eos image list | grep " eos/app7:1 ")
job second eos/app7 1 "cat /own"
check "a job with that name now" run_job second
check "is what the registry has" test "$(eos task logs "$CLUSTER/root/test/second/0")" = app7

# The launcher dies at several moments of an import, which is begun again.
head -c 12000000 /dev/urandom > "$PEERS_DIR/large"
umoci new --image "$LAYOUT:large" > /dev/null 2>&1
umoci insert --image "$LAYOUT:large" "$PEERS_DIR/large" /large > /dev/null 2>&1
for pause in 0.05 0.15 0.3; do
    eos image import "$LAYOUT" local/large:large > /dev/null 2>&1 &
    importing=$!
    sleep "$pause"
    kill -9 "$(service_pid launcher)"
    wait "$importing"
    eventually "the launcher comes back" 30 eos image list --host "$HOST"
done
check "an import that was broken is finished" eos image import "$LAYOUT" local/large:large
check "with all that was sent" cmp "$PEERS_DIR/large" "$(find "$STORE/layers" -name large)"
check "and nothing is left of the others" test -z "$(find "$STORE"/{uploads,staging,trash} -mindepth 1)"
check "away with it" eos image prune local/large:large
peers_registry=$(cat "$PEERS_DIR/registry.pid"); kill "$peers_registry"; wait "$peers_registry" 2>/dev/null; rm "$PEERS_DIR/registry.pid"
for name in docker gzip archive modern layout; do
    tag=2; own=app1
    case $name in gzip) tag=1 ;; archive) own=app2 ;; modern) own=app3 ;; layout) tag=app4 own=app4 ;; esac
    job "$name" "local/$name" "$tag" "cat /own"
    check "a job with local/$name runs without a registry" run_job "$name"
    check "and is that image" test "$(eos task logs "$CLUSTER/root/test/$name/0")" = "$own"
done
MODERN=$(eos image list --output json | jq -r '.hosts[0].response.images[] | select(.names[].name == "local/modern:2") | .digest')
job bydigest local/modern "$MODERN" "cat /own"
check "by its digest as well" run_job bydigest
check "an imported image goes when it is named, with all its names" eos image prune local/docker:2
check "all of them" lacks_image local/gzip:1
check "and its layers stay with those that share them" has_image local/archive:2
check "the rest goes with --imported" eos image prune --imported
check "all" test "$(images | wc -l)" -eq 0

cp -r "$LAYOUT" "$PEERS_DIR/damaged"
OWN=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "app9") | .digest' "$LAYOUT/index.json")
OWN=$(jq -r '.layers[2].digest' "$LAYOUT/blobs/${OWN/://}")
printf XXXX | dd of="$PEERS_DIR/damaged/blobs/${OWN/://}" bs=1 seek=20 conv=notrunc 2> /dev/null
refused "a layout with a damaged layer" 3 "host $HOST: $PEERS_DIR/damaged: blob ${OWN:0:19}: what came" eos image import "$PEERS_DIR/damaged" local/damaged:app9
