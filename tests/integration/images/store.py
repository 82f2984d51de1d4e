#!/usr/bin/env python3
"""The image store with a real registry and with one that misbehaves, driven through fetch_image.
store.sh prepares what it needs: $REGISTRY with eos/hello:1.0, $PEERS_DIR/aci, $IMAGE_ID."""
import bz2, gzip, hashlib, http.server, io, json, os, shutil, signal, socket, subprocess, sys
import tarfile, tempfile, threading, time

FETCH = os.path.abspath(sys.argv[1])
REGISTRY, IMAGE_ID, PEERS = os.environ["REGISTRY"], os.environ["IMAGE_ID"], os.environ["PEERS_DIR"]
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
ACI_ARCH = {"x86_64": "amd64", "aarch64": "aarch64"}[os.uname().machine]
OCI = "application/vnd.oci.image."
MANIFEST, INDEX, LAYER = OCI + "manifest.v1+json", OCI + "index.v1+json", OCI + "layer.v1.tar+gzip"
MEMORY_LIMIT = 32 << 20
failures, count = [], 0


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            if data is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            else:
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


class Fake:
    """A registry in memory, which counts what it is asked for and may lie."""

    def __init__(self):
        self.blobs, self.manifests, self.asked, self.twist = {}, {}, [], {}
        self.stalled = threading.Event()  # set when a stalled answer has sent what it sends
        self.go = threading.Event()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # headers and body are two writes

            def log_message(self, *args):
                pass

            def do_GET(self):
                try:
                    fake.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *args: None  # clients that are killed or hang up
        self.host = "127.0.0.1:%d" % self.server.server_port
        self.url = "http://" + self.host
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler):
        parts = handler.path.split("/")
        kind, reference = parts[-2], parts[-1]
        self.asked.append(handler.path)
        twist = self.twist.get(reference)
        body, media = self.blobs.get(reference), "application/octet-stream"
        if kind == "manifests":
            media, body = self.manifests.get(("/".join(parts[2:-2]), reference), (None, None))
        elif kind != "blobs":
            body = b""
        if body is None or twist == "missing":
            return self.send(handler, 404, "application/json", b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not here"}]}')
        if twist == "stall":
            self.send(handler, 200, media, body, body[:len(body) // 2])
            handler.wfile.flush()
            self.stalled.set()
            self.go.wait(60)
            handler.wfile.write(body[len(body) // 2:])
        elif twist == "cut":
            self.send(handler, 200, media, body, body[:len(body) // 2])
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif twist is not None:
            self.send(handler, 200, media, twist)
        else:
            self.send(handler, 200, media, body)

    @staticmethod
    def send(handler, status, media, body, sent=None):
        handler.send_response(status)
        handler.send_header("Content-Type", media)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body if sent is None else sent)

    def put_blob(self, data):
        self.blobs[sha256(data)] = data
        return sha256(data)

    def put_manifest(self, name, tag, document, media=MANIFEST):
        data = json.dumps(document).encode()
        for reference in (tag, sha256(data)):
            self.manifests[name, reference] = (media, data)
        return sha256(data)

    def put_image(self, name, tag, layers, packed=None, config=None, kinds=None, twisted=()):
        packed = packed or [gzip.compress(layer, mtime=0) for layer in layers]
        text = {"architecture": ARCH, "os": "linux", "config": {"Env": ["A=1", "PATH=/bin"], "WorkingDir": "/srv"},
                "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]}}
        text.update(config or {})
        config_data = json.dumps(text).encode()
        document = {"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": {"mediaType": OCI + "config.v1+json", "digest": self.put_blob(config_data), "size": len(config_data)},
                    "layers": [{"mediaType": kinds[i] if kinds else LAYER, "digest": self.put_blob(data), "size": len(data)}
                               for i, data in enumerate(packed)]}
        document.update(twisted)
        return self.put_manifest(name, tag, document)

    def blob_count(self, digest=None):
        return sum("/blobs/" in path and (digest is None or path.endswith(digest)) for path in self.asked)

    def close(self):
        self.go.set()
        self.server.shutdown()
        self.server.server_close()


class Answers(list):
    status, stderr = 0, ""


def fetch(store, *arguments, prefix=()):
    done = subprocess.run([*prefix, FETCH, *arguments[:-1], store, *([arguments[-1]] if isinstance(arguments[-1], str) else arguments[-1])],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1), f"exit status {done.returncode}: {done.stdout}{done.stderr}"
    assert "\n" not in done.stderr.strip() and not done.stderr, done.stderr
    answers = Answers(json.loads(line) for line in done.stdout.splitlines())
    answers.status = done.returncode
    return answers


def one(store, *arguments):
    answers = fetch(store, *arguments)
    assert len(answers) == 1, answers
    assert "error" not in answers[0], answers[0]["error"]
    return answers[0]


def refused(store, *arguments, words=(), code=None, prefix=()):
    answers = fetch(store, *arguments, prefix=prefix)
    assert len(answers) == 1 and "error" in answers[0], answers
    message = answers[0]["error"]
    for word in words:
        assert word in message, f"{message!r} lacks {word!r}"
    assert code is None or answers[0]["code"] == code, answers[0]
    assert "\n" not in message and not message.endswith("."), message
    assert os.listdir(f"{store}/staging") == [], "staging is not empty"
    return message


def read(image, path):
    """What a container sees at path, by overlayfs's rules for plain files."""
    for layer in reversed(image["layers"]):
        full = os.path.join(layer, path)
        if os.path.lexists(full):
            with open(full, "rb") as file:
                return file.read()
    return None


def listing(image):
    """What the kernel makes of the layers."""
    top = tempfile.mkdtemp(dir=WORK)
    for name in ("upper", "work", "merged"):
        os.mkdir(f"{top}/{name}")
    lower = ":".join(reversed(image["layers"]))
    script = (f"mount -t overlay overlay -o lowerdir={lower},upperdir={top}/upper,workdir={top}/work {top}/merged && "
              f"cd {top}/merged && find . -mindepth 1 | sort")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [line[2:] for line in done.stdout.splitlines()]


def check(function):
    global count, WORK
    if len(sys.argv) > 2 and sys.argv[2] not in function.__name__:
        return
    count += 1
    began = time.monotonic()
    WORK = tempfile.mkdtemp(prefix="store.", dir=PEERS)
    fake = Fake()
    try:
        function(f"{WORK}/store", fake)
        print("ok  ", function.__name__, "%.1f s" % (time.monotonic() - began), flush=True)
    except Exception as problem:  # the next test shall run as well
        failures.append(function.__name__)
        print("FAIL", function.__name__, repr(problem), flush=True)
    fake.close()
    subprocess.run(["rm", "-rf", WORK], check=True)


HUB = ("--registry", f"http://{REGISTRY}")
ACI = ("--prefix", f"{PEERS}/aci/")


# With the real registry

@check
def pulls_what_the_usual_tools_pushed(store, fake):
    image = one(store, *HUB, "docker:eos/hello:1.0")
    assert image["digest"].startswith("sha256:") and len(image["layers"]) == 1
    assert "PATH=/bin" in image["environment"] and image["directory"] in ("", "/")
    root = image["layers"][0]
    assert root.startswith(os.path.realpath(store) + "/layers/sha256-")
    assert open(f"{root}/etc/passwd").read() == open(f"{PEERS}/rootfs/etc/passwd").read()
    assert os.readlink(f"{root}/bin/sh") == "busybox" and os.stat(f"{root}/tmp").st_mode & 0o7777 == 0o1777
    assert os.stat(store).st_mode & 0o777 == 0o700
    listed = subprocess.run(["skopeo", "inspect", "--tls-verify=false", f"docker://{REGISTRY}/eos/hello:1.0"],
                            capture_output=True, text=True, check=True)
    assert json.loads(listed.stdout)["Digest"] == image["digest"]
    assert one(store, f"docker:{REGISTRY}/eos/hello:1.0") == {**image, "request": f"docker:{REGISTRY}/eos/hello:1.0"}
    assert os.listdir(f"{store}/staging") == []


@check
def says_what_is_missing(store, fake):
    refused(store, *HUB, "docker:eos/hello:2.0", words=["eos/hello", REGISTRY, "404"], code=5)
    refused(store, *HUB, "docker:eos/nothing:1.0", words=["eos/nothing", REGISTRY], code=5)
    refused(store, *HUB, "docker:eos/hello@sha256:" + "0" * 64, words=["eos/hello", REGISTRY], code=5)
    refused(store, *HUB, "docker:eos/Hello:1", words=["image name"], code=3)
    refused(store, "docker:127.0.0.1:1/eos/hello:1.0", words=["eos/hello", "127.0.0.1:1"], code=14)


# One flight

@check
def fetches_each_blob_once(store, fake):
    base = [tar((f"base{i}", os.urandom(20000))) for i in range(4)]
    for i in range(10):
        fake.put_image(f"app{i}", "1", base + [tar((f"own{i}", b"x"))])
    answers = fetch(store, "--registry", fake.url, "--repeat", "5", [f"docker:app{i}:1" for i in range(10)])
    assert len(answers) == 50 and answers.status == 0, [a.get("error") for a in answers]
    assert len(os.listdir(f"{store}/layers")) == 14
    for digest in fake.blobs:
        kind = "layer" if fake.blobs[digest][:2] == b"\x1f\x8b" else "config"
        assert fake.blob_count(digest) == 1, f"{kind} {digest} was fetched {fake.blob_count(digest)} times"
    assert sum("/manifests/" in path for path in fake.asked) == 10
    assert all(len(answer["layers"]) == 5 for answer in answers)
    asked = len(fake.asked)
    again = fetch(store, "--registry", fake.url, [f"docker:app{i}:1" for i in range(10)])
    assert again.status == 0 and fake.blob_count() == 14 + 10, "something was fetched again"
    assert len(fake.asked) == asked + 10


@check
def forms_of_one_layer_share(store, fake):
    layer = tar(("f", b"x" * 100000))
    zstd = subprocess.run(["zstd", "-q", "-c"], input=layer, capture_output=True, check=True).stdout
    fake.put_image("a", "1", [layer])
    fake.put_image("b", "1", [layer], packed=[zstd], kinds=[OCI + "layer.v1.tar+zstd"])
    fake.put_image("c", "1", [layer], packed=[layer], kinds=["application/vnd.docker.image.rootfs.diff.tar"])
    images = [one(store, "--registry", fake.url, f"docker:{name}:1") for name in "abc"]
    assert images[0]["layers"] == images[1]["layers"] == images[2]["layers"]
    assert fake.blob_count(sha256(zstd)) == 0
    for name in "bc":
        other = one(f"{store}.{name}", "--registry", fake.url, f"docker:{name}:1")
        assert read(other, "f") == b"x" * 100000


@check
def another_registry_may_have_it(store, fake):
    layer = tar(("f", b"x" * 1000))
    fake.put_image("broken", "1", [layer])
    other = Fake()
    other.put_image("whole", "1", [layer], packed=[gzip.compress(layer, 1, mtime=7)])
    fake.twist[sha256(gzip.compress(layer, mtime=0))] = "missing"
    for _ in range(5):
        answers = {a["request"]: a for a in fetch(store, [f"docker:{fake.host}/broken:1", f"docker:{other.host}/whole:1"])}
        whole = answers[f"docker:{other.host}/whole:1"]
        assert "error" not in whole, whole["error"]
        shutil.rmtree(store)
    other.close()


@check
def many_layers(store, fake):
    layers = [tar((f"f{i}", b"%d" % i), ("same", b"%d" % i)) for i in range(120)]
    fake.put_image("many", "1", layers)
    image = one(store, "--registry", fake.url, "docker:many:1")
    assert len(image["layers"]) == 120 and read(image, "same") == b"119" and read(image, "f7") == b"7"


# What layers do to one another, as the kernel sees it

@check
def whiteouts_in_the_kernel(store, fake):
    fake.put_image("w", "1", [
        tar(("keep", b"1"), ("gone", b"1"), ("d", None), ("d/low", b"1"), ("d/e", None), ("d/e/low", b"1"),
            ("r", None), ("r/low", b"1")),
        tar((".wh.gone", b""), ("d", None), ("d/.wh..wh..opq", b""), ("d/high", b"2"), (".wh.r", b""), ("r", None), ("r/high", b"2"))])
    image = one(store, "--registry", fake.url, "docker:w:1")
    assert listing(image) == ["d", "d/high", "keep", "r", "r/high"], listing(image)


@check
def opaque_root(store, fake):
    fake.put_image("w", "1", [tar(("low", b"1")), tar((".wh..wh..opq", b""), ("middle", b"2")), tar(("high", b"3"))])
    image = one(store, "--registry", fake.url, "docker:w:1")
    assert listing(image) == ["high", "middle"] and len(image["layers"]) == 2


@check
def the_same_layer_twice(store, fake):
    a, b = tar(("f", b"a"), ("g", b"a")), tar((".wh.f", b""), ("g", b"b"))
    fake.put_image("w", "1", [a, b, a, tar()])
    image = one(store, "--registry", fake.url, "docker:w:1")
    assert listing(image) == ["f", "g"] and len(image["layers"]) == 3
    assert read(image, "g") == b"a"


# Without the registry

@check
def by_digest_it_needs_no_registry(store, fake):
    digest = fake.put_image("a", "1", [tar(("f", b"x"))])
    other = fake.put_image("a", "arm", [tar(("f", b"y"))])
    entries = [{"mediaType": MANIFEST, "digest": d, "size": len(fake.manifests["a", d][1]), "platform": {"os": "linux", "architecture": arch}}
               for d, arch in ((other, "s390x"), (digest, ARCH))]
    index = fake.put_manifest("a", "index", {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX)
    first = [one(store, "--registry", fake.url, f"docker:a@{d}") for d in (digest, index)]
    assert first[0]["digest"] == first[1]["digest"] == digest
    assert one(store, "--registry", fake.url, "docker:a:index")["digest"] == digest
    asked = len(fake.asked)
    for d, image in ((digest, first[0]), (index, first[1])):
        assert one(store, "--registry", fake.url, f"docker:a@{d}") == image
    assert len(fake.asked) == asked, f"the registry was asked: {fake.asked}"
    fake.twist["1"] = "missing"
    refused(store, "--registry", fake.url, "docker:a:1", words=["a:1", fake.host], code=5)


@check
def a_tag_is_looked_up_every_time(store, fake):
    fake.put_image("a", "1", [tar(("f", b"old"))])
    assert read(one(store, "--registry", fake.url, "docker:a:1"), "f") == b"old"
    fake.put_image("a", "1", [tar(("f", b"new"))])
    assert read(one(store, "--registry", fake.url, "docker:a:1"), "f") == b"new"


@check
def mends_itself(store, fake):
    digest = fake.put_image("a", "1", [tar(("f", b"x"))])
    image = one(store, "--registry", fake.url, f"docker:a@{digest}")
    for name in os.listdir(f"{store}/blobs"):
        with open(f"{store}/blobs/{name}", "w") as file:
            file.write("{}")
    for name in os.listdir(f"{store}/references"):
        with open(f"{store}/references/{name}", "w") as file:
            file.write("../../etc/passwd")
    shutil.rmtree(image["layers"][0])
    assert one(store, "--registry", fake.url, f"docker:a@{digest}") == image
    assert read(image, "f") == b"x"


# Lies and damage

def bad_image(store, fake, *words, code=None):
    return refused(store, "--registry", fake.url, "docker:bad:1", words=["bad", fake.host, *words], code=code)


@check
def the_config_lies_about_a_layer(store, fake):
    fake.put_image("bad", "1", [tar(("f", b"x"))], config={"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]}})
    bad_image(store, fake, "its content is sha256:", code=15)
    assert os.listdir(f"{store}/layers") == []


@check
def the_registry_lies_about_a_layer(store, fake):
    layer = tar(("f", os.urandom(300000)))
    packed, other = gzip.compress(layer, mtime=0), gzip.compress(tar(("f", os.urandom(300000))), mtime=0)
    fake.put_image("bad", "1", [layer])
    for twist in (other, packed[:-1], packed + b"x", packed[:1000], b"", b"<html>", "cut"):
        fake.twist[sha256(packed)] = twist
        bad_image(store, fake)
        assert os.listdir(f"{store}/layers") == []


@check
def the_registry_lies_about_documents(store, fake):
    fake.put_image("bad", "1", [tar(("f", b"x"))])
    config = json.loads(fake.manifests["bad", "1"][1])["config"]["digest"]
    fake.twist[config] = b'{"rootfs":{}}'
    bad_image(store, fake, code=15)
    fake.twist[config] = "missing"
    bad_image(store, fake, code=5)
    fake.twist["1"] = b"<html>"
    bad_image(store, fake, code=9)


@check
def damaged_archives(store, fake):
    plain = tar(("f", os.urandom(100000)))
    packed = gzip.compress(plain, mtime=0)
    for data in (packed[:50000], plain[:50000], b"no archive at all", os.urandom(1000)):
        fake.put_image("bad", "1", [plain], packed=[data])
        bad_image(store, fake, "layer sha256:", "damaged", code=15)
    escape = tar(("../../escaped", b"x"))
    fake.put_image("bad", "1", [escape])
    bad_image(store, fake, 'entry "../../escaped"', code=3)
    assert not os.path.exists(f"{store}/escaped") and not os.path.exists(f"{WORK}/escaped")


@check
def what_cannot_run(store, fake):
    layer = tar(("f", b"x"))
    fake.put_image("bad", "1", [layer], kinds=[OCI + "layer.v1.tar+gzip+encrypted"])
    bad_image(store, fake, "layer 1", "+encrypted", code=12)
    fake.put_image("bad", "1", [layer], config={"architecture": "s390x"})
    bad_image(store, fake, "linux/s390x", f"linux/{ARCH}", code=9)
    fake.put_image("bad", "1", [layer], twisted={"layers": []})
    bad_image(store, fake, "no layers", code=9)
    fake.put_image("bad", "1", [layer], config={"rootfs": {"diff_ids": []}})
    bad_image(store, fake, "0 layers and the manifest of 1", code=3)
    fake.put_manifest("bad", "1", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": sha256(b""), "size": 1, "platform": {"os": "linux", "architecture": "s390x"}}]}, INDEX)
    bad_image(store, fake, "s390x", code=5)


@check
def a_bomb(store, fake):
    layer = tar(("f", b"\0" * (400 << 20)))
    fake.put_image("bad", "1", [layer])
    bad_image(store, fake, "more than 200 times its size", code=11)


# Ends before the end

def stalling(fake):
    layer = tar(("first", b"1"), ("f", os.urandom(3 << 20)))
    fake.put_image("slow", "1", [layer])
    fake.twist[sha256(gzip.compress(layer, mtime=0))] = "stall"


@check
def a_deadline_says_how_far_it_came(store, fake):
    stalling(fake)
    refused(store, "--registry", fake.url, "--deadline", "700ms", "docker:slow:1",
            words=["after 700 ms 0 of 1 archives of image slow:1 from", fake.host], code=4)


@check
def closing_and_cancelling(store, fake):
    stalling(fake)
    refused(store, "--registry", fake.url, "--close", "docker:slow:1", words=["closing"], code=1)
    fake.put_image("quick", "1", [tar(("f", b"x"))])
    answers = fetch(store, "--registry", fake.url, "--repeat", "6", "--cancel", ["docker:quick:1"])
    assert len(answers) == 3 and answers.status == 0
    answers = fetch(store, "--registry", fake.url, "--repeat", "4", "--close-in-answer", ["docker:quick:1", "docker:slow:1"])
    assert len(answers) == 8 and [a.get("code") for a in answers] == [None] + [1] * 7, answers
    assert os.listdir(f"{store}/staging") == []


@check
def killed_in_the_middle(store, fake):
    stalling(fake)
    running = subprocess.Popen([FETCH, "--registry", fake.url, store, "docker:slow:1"], stdout=subprocess.DEVNULL)
    assert fake.stalled.wait(30)
    end = time.monotonic() + 30
    begun = []
    while not begun and time.monotonic() < end:
        begun = [name for _, _, files in os.walk(f"{store}/staging") for name in files]
    assert "first" in begun, "nothing had been unpacked when it was killed"
    second = fetch(store, "docker:x:1")
    assert "another process uses the image store" in second[0]["error"], second
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert os.listdir(f"{store}/staging") != []
    answers = fetch(store, ["docker:NOT"])
    assert answers.status == 1 and os.listdir(f"{store}/staging") == [] and os.listdir(f"{store}/layers") == []
    fake.go.set()
    assert read(one(store, "--registry", fake.url, "docker:slow:1"), "first") == b"1"


@check
def killed_at_any_moment(store, fake):
    for i in range(6):
        fake.put_image(f"a{i}", "1", [tar((f"f{i}.{j}", os.urandom(400000))) for j in range(3)])
    images = [f"docker:a{i}:1" for i in range(6)]
    for turn in range(12):
        before = len(fake.asked)
        running = subprocess.Popen([FETCH, "--registry", fake.url, store, *images], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while len(fake.asked) < before + 2 * turn + 1 and running.poll() is None and time.monotonic() < end:
            pass
        running.send_signal(signal.SIGKILL)
        running.wait()
    answers = fetch(store, "--registry", fake.url, images)
    assert answers.status == 0 and os.listdir(f"{store}/staging") == []
    for answer in answers:
        i = int(answer["request"][8])
        assert [os.listdir(layer) for layer in answer["layers"]] == [[f"f{i}.{j}"] for j in range(3)]
        assert all(os.path.getsize(f"{layer}/f{i}.{j}") == 400000 for j, layer in enumerate(answer["layers"]))


@check
def what_a_power_cut_may_have_torn(store, fake):
    fake.put_image("a", "1", [tar(("f", b"x"))])
    image = one(store, "--registry", fake.url, "docker:a:1")
    identity = one(store, *ACI, f"appc:example.org/hello@{IMAGE_ID}")["digest"]
    root, marks = image["layers"][0], f"{store}/unsynced"
    def damage():
        open(f"{root}/f", "w").close()
        for name in ("layers." + os.path.basename(root), f"appc.{identity}", "layers.sha256-gone"):
            open(f"{marks}/{name}", "w").close()
    damage()
    assert read(one(store, "--registry", fake.url, "docker:a:1"), "f") == b"", "the machine did not stop meanwhile"
    damage()
    with open(f"{marks}/boot_id", "w") as file:
        file.write("another life")
    for i in range(1, 5):  # what a crash left has the names that this start would take
        open(f"{store}/staging/{i}", "w").close()
    fetch(store, ["docker:NOT"])
    assert os.listdir(f"{store}/layers") == os.listdir(f"{store}/appc") == os.listdir(f"{store}/staging") == []
    assert os.listdir(marks) == ["boot_id"]
    assert read(one(store, "--registry", fake.url, "docker:a:1"), "f") == b"x"


@check
def marks_go_when_all_is_on_disk(store, fake):
    fake.put_image("quick", "1", [tar(("f", b"x"))])
    stalling(fake)
    fetch(store, "--registry", fake.url, ["docker:quick:1"])
    # As a program leaves it that closed at once; synced by the next one, which a slow image keeps open.
    open(f"{store}/unsynced/layers.{os.listdir(f'{store}/layers')[0]}", "w").close()
    running = subprocess.Popen([FETCH, "--registry", fake.url, "--deadline", "20s", store, "docker:slow:1"], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while os.listdir(f"{store}/unsynced") != ["boot_id"] and time.monotonic() < end:
        time.sleep(0.02)
    marks = os.listdir(f"{store}/unsynced")
    running.kill()
    running.wait()
    assert marks == ["boot_id"], marks


@check
def disk_full(store, fake):
    fake.put_image("big", "1", [tar(("small", b"x")), tar(("f", os.urandom(6 << 20)))])
    os.mkdir(store)
    script = (f'mount -t tmpfs -o size=4m none {store} && shift && "$@"; s=$?; '
              f'[ -z "$(ls {store}/staging)" ] || echo staging is not empty >&2; exit $s')
    answers = fetch(store, "--registry", fake.url, "docker:big:1", prefix=["unshare", "-m", "sh", "-c", script, "sh", "x"])
    message = answers[0]["error"]
    assert answers[0]["code"] == 8 and "big:1" in message, answers
    assert f'the disk of "{os.path.realpath(store)}" is full: ' in message and "MB are free, and the layer is 6.3 MB packed" in message, message


@check
def memory_does_not_grow_with_the_image(store, fake):
    # bzip2 inflates far more slowly than loopback delivers, so that all would pile up in between.
    layer = tar(("f", os.urandom(60 << 20)))
    fake.put_image("big", "1", [layer], packed=[bz2.compress(layer, 1)])
    fake.put_image("small", "1", [tar(("f", b"x"))])
    peaks = []
    for name in ("small", "big"):
        answers = fetch(f"{store}.{name}", "--registry", fake.url, "--peak", [f"docker:{name}:1"])
        assert answers.status == 0, answers
        peaks.append(int(answers[-1]["peak"].split()[0]) << 10)
    print(f"     peak memory: {peaks[0] >> 20} MB for a small image, {peaks[1] >> 20} MB for a layer of 60 MB")
    assert peaks[1] - peaks[0] < MEMORY_LIMIT


# Keeping

def look(store, *arguments, requests=()):
    """The answers of `requests`, and of --list or --prune: by name, and the whole."""
    answers = fetch(store, *arguments, list(requests))
    assert answers.status == 0, [a.get("error") for a in answers]
    entries = [a for a in answers if "removed" in a]
    return answers, {name: e for e in entries for name in e["names"] or [e["digest"]]}, answers[-1]


def kept(store):
    return {folder: sorted(os.listdir(f"{store}/{folder}")) for folder in ("images", "names", "layers", "blobs", "references", "appc")}


def old(store, digest, days):
    when = time.time() - days * 86400
    os.utime(f"{store}/images/{digest.replace(':', '-')}", (when, when))


@check
def lists_what_is_there(store, fake):
    base = tar(("base", os.urandom(100000)))
    a = fake.put_image("team/a", "1", [base, tar(("a", os.urandom(50000)))])
    fake.put_image("team/b", "2", [base])
    hub = ("--registry", fake.url)
    look(store, *hub, "--list", requests=["docker:team/a:1", f"docker:{fake.host}/team/b:2", f"docker:team/a@{a}"])
    _, found, whole = look(store, "--list")  # by the next life of the store
    assert sorted(found) == ["team/a:1", f"team/a@{a}", "team/b:2"], found
    _, found, whole = look(store, *hub, "--list")
    first, second = found["team/a:1"], found["team/b:2"]
    assert first["digest"] == a and first["layers"] == 2 and first["names"] == ["team/a:1", f"team/a@{a}"]
    assert 150000 <= first["bytes"] <= 200000 and first["shared"] == second["bytes"] == second["shared"] >= 100000
    assert whole["left"] == first["bytes"] and not any(e["used"] or e["imported"] or e["removed"] for e in found.values())
    identity = one(store, *ACI, f"appc:example.org/hello@{IMAGE_ID}")["digest"]
    _, found, _ = look(store, "--list", "--used", identity)
    assert found["example.org/hello"]["used"] and found["example.org/hello"]["bytes"] > 1000000


@check
def a_tag_that_moves_takes_its_name_along(store, fake):
    a = fake.put_image("a", "1", [tar(("f", b"1"))])
    look(store, "--registry", fake.url, "--list", requests=["docker:a:1"])
    b = fake.put_image("a", "1", [tar(("f", b"2"))])
    _, found, _ = look(store, "--registry", fake.url, "--list", requests=["docker:a:1"])
    assert found["a:1"]["digest"] == b and found[a]["names"] == []


@check
def prunes_what_nobody_uses(store, fake):
    base = tar(("base", os.urandom(100000)))
    digests = {n: fake.put_image(n, "1", [base, tar((n, os.urandom(50000)))]) for n in "abc"}
    hub = ("--registry", fake.url)
    look(store, *hub, "--list", requests=[f"docker:{n}:1" for n in "abc"])
    before = kept(store)
    _, found, whole = look(store, *hub, "--prune", "--dry", "--used", digests["b"])
    assert [found[f"{n}:1"]["removed"] for n in "abc"] == [True, False, True] and whole["freed"] >= 100000 and kept(store) == before
    for days, n in enumerate("abc"):
        old(store, digests[n], days)
    _, found, _ = look(store, *hub, "--prune", "--unused-for", "36h")
    assert [found[f"{n}:1"]["removed"] for n in "abc"] == [False, False, True]
    _, found, whole = look(store, *hub, "--prune", "--used", digests["b"])
    assert found["a:1"]["removed"] and not found["b:1"]["removed"] and found["b:1"]["used"]
    left = kept(store)
    assert [len(left[f]) for f in ("images", "names", "layers", "blobs", "references")] == [1, 1, 2, 2, 0], left
    assert one(store, *hub, "docker:b:1")["digest"] == digests["b"] and fake.blob_count() == 4 + 3, "something was fetched again"
    one(store, *hub, "docker:a:1")
    _, found, whole = look(store, *hub, "--prune", "--only", "a:1", "--only", "nothing:1")
    assert found["a:1"]["removed"] and not found["b:1"]["removed"] and whole["unknown"] == 1
    _, found, whole = look(store, *hub, "--prune", "--only", digests["b"][:19])
    assert found["b:1"]["removed"] and whole["left"] == 0
    assert not any(kept(store).values()) and os.listdir(f"{store}/trash") == []


@check
def prunes_by_size_the_longest_unused_first(store, fake):
    digests = {n: fake.put_image(n, "1", [tar((n, os.urandom(100000)))]) for n in "abcd"}
    look(store, "--registry", fake.url, "--list", requests=[f"docker:{n}:1" for n in "abcd"])
    for days, n in enumerate("bdac"):
        old(store, digests[n], days)
    _, found, whole = look(store, "--prune", "--keep", "250K")
    assert [found[f"{n}:1"]["removed"] for n in "abcd"] == [True, False, True, False] and whole["left"] <= 256000


@check
def a_container_of_an_unknown_image_keeps_all(store, fake):
    fake.put_image("a", "1", [tar(("f", b"1"))])
    _, found, _ = look(store, "--registry", fake.url, "--list", requests=["docker:a:1"])
    before = kept(store)
    for used in ("sha256:" + "0" * 64, ""):
        _, found, whole = look(store, "--registry", fake.url, "--prune", f"--used={used or 'x'}")
        assert not found["a:1"]["removed"] and kept(store) == before


@check
def keeps_by_itself(store, fake):
    digests = {n: fake.put_image(n, "1", [tar((n, os.urandom(100000)))]) for n in "abc"}
    hub = ("--registry", fake.url)
    look(store, *hub, "--list", requests=[f"docker:{n}:1" for n in "abc"])
    old(store, digests["a"], 40)
    old(store, digests["b"], 20)
    stalling(fake)
    running = subprocess.Popen([FETCH, *hub, "--deadline", "30s", "--gc-age", "30d", "--gc-size", "150K", "--used", digests["b"], store,
                                "docker:slow:1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    end = time.monotonic() + 20
    while os.listdir(f"{store}/images") != [digests["b"].replace(":", "-")] and time.monotonic() < end:
        time.sleep(0.02)
    left = os.listdir(f"{store}/images")
    fake.go.set()
    running.communicate()
    assert left == [digests["b"].replace(":", "-")], left
    assert running.returncode == 0, "what the pull under way had was taken away"


@check
def leftovers_of_pulls_and_imports(store, fake):
    fake.put_image("a", "1", [tar(("f", b"1"))])
    look(store, "--registry", fake.url, "--list", requests=["docker:a:1"])
    before = kept(store)
    for path in ("layers/sha256-" + "1" * 64, "uploads/x.part", "blobs/sha256-" + "2" * 64, "references/sha256-" + "3" * 64,
                 "names/" + "4" * 64, "images/torn"):
        full = f"{store}/{path}"
        os.mkdir(full) if path.startswith("layers") else open(full, "wb").write(b"x")
    _, found, whole = look(store, "--registry", fake.url, "--prune", "--unused-for", "1h")
    assert sorted(found) == ["a:1"] and len(os.listdir(f"{store}/layers")) == 2, "what may be a pull's was taken away at once"
    time.sleep(0.05)
    look(store, "--prune", "--unused-for", "1h", "--orphan-age", "10ms")
    assert kept(store) == before, kept(store)


@check
def who_prunes_gets_the_room_of_leftovers(store, fake):
    fake.put_image("a", "1", [tar(("f", b"1"))])
    hub = ("--registry", fake.url)
    look(store, *hub, "--list", requests=["docker:a:1"])
    before, layer, part = kept(store), f"{store}/layers/sha256-" + "1" * 64, f"{store}/uploads/sha256-" + "2" * 64 + ".part"
    os.mkdir(layer)
    for path in (f"{layer}/f", part):
        open(path, "wb").write(os.urandom(300000))
    hour = ("--unused-for", "1h")
    look(store, *hub, "--prune", *hour)
    look(store, *hub, "--prune", "--only", "a:2")
    assert os.path.exists(layer) and os.path.exists(part), "they may be of use within an hour"
    _, _, whole = look(store, *hub, "--prune", "--dry", "--keep", "1G")
    assert whole["freed"] >= 300000 and os.path.exists(layer), whole
    _, found, whole = look(store, *hub, "--prune", "--keep", "1G")
    assert whole["freed"] >= 300000 and kept(store) == before and not found["a:1"]["removed"], whole
    assert os.path.exists(part), "an import may be under way"
    time.sleep(0.02)
    _, _, whole = look(store, *hub, "--prune", "--keep", "1G", "--orphan-age", "10ms", "--used", "x")
    assert os.path.exists(part), "nothing goes when a container's image is not known"
    _, _, whole = look(store, *hub, "--prune", "--keep", "1G", "--orphan-age", "10ms")
    assert whole["freed"] >= 300000 and not os.path.exists(part) and kept(store) == before, whole


@check
def killed_while_pulling_and_pruning(store, fake):
    base = tar(("base", os.urandom(300000)))
    for i in range(4):
        fake.put_image(f"a{i}", "1", [base, tar((f"f{i}", os.urandom(300000)), *((f"d{i}.{k}", b"x") for k in range(200)))])
    images = [f"docker:a{i}:1" for i in range(4)]
    hub = ("--registry", fake.url)
    for turn in range(14):
        # All is pulled and everything pruned again, killed a little later in each turn.
        running = subprocess.Popen([FETCH, *hub, "--prune", store, *images], stdout=subprocess.DEVNULL)
        try:
            running.wait(0.02 + 0.012 * turn)
        except subprocess.TimeoutExpired:
            running.kill()
        running.wait()
        _, found, whole = look(store, *hub, "--list")
        for digest in {e["digest"] for e in found.values()}:
            record = open(f"{store}/images/{digest.replace(':', '-')}", "rb").read()
            for layer in os.listdir(f"{store}/layers"):
                assert os.listdir(f"{store}/layers/{layer}")
            assert len(record) > 100
        assert os.listdir(f"{store}/staging") == [] and os.listdir(f"{store}/trash") == []
    answers, found, _ = look(store, *hub, "--list", requests=images)
    for answer in [a for a in answers if "layers" in a and "request" in a]:
        i = int(answer["request"][8])
        assert len(read(answer, "base")) == 300000 and len(read(answer, f"f{i}")) == 300000 and read(answer, f"d{i}.199") == b"x"
    assert len(os.listdir(f"{store}/layers")) == 5
    look(store, *hub, "--prune")
    assert len(os.listdir(f"{store}/layers")) == 0 and not os.listdir(f"{store}/images")


@check
def pulls_and_prunes_at_once(store, fake):
    base = tar(("base", os.urandom(100000)))
    for i in range(6):
        fake.put_image(f"a{i}", "1", [base, tar((f"f{i}", os.urandom(20000)))])
    for turn in range(6):
        answers = fetch(store, "--registry", fake.url, "--repeat", "3", "--gc-size", "0", "--prune", [f"docker:a{i}:1" for i in range(6)])
        assert answers.status == 0, answers
        assert len([a for a in answers if "request" in a]) == 18


@check
def a_full_disk_can_be_pruned(store, fake):
    fake.put_image("a", "1", [tar(("f", os.urandom(2 << 20)))])
    fake.put_image("b", "1", [tar(("g", os.urandom(3 << 20)))])
    os.mkdir(store)
    run = f"{FETCH} --registry {fake.url}"
    script = (f'mount -t tmpfs -o size=4m none {store}; {run} {store} docker:a:1; {run} {store} docker:b:1; {run} --list {store}; '
              f'head -c 9m /dev/zero > {store}/fill; {run} --list {store} docker:a:1; {run} --prune {store}; rm {store}/fill; '
              f'{run} {store} docker:b:1')
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert "error" not in answers[0] and "is full" in answers[1]["error"], answers
    assert answers[2]["names"] == ["a:1"] and answers[4]["request"] == "docker:a:1", "the image that was there is lost"
    assert answers[7]["removed"] and answers[9]["request"] == "docker:b:1" and "error" not in answers[9], answers


# AppC


def aci(directory, name, manifest=None, entries=(), pack=gzip.compress, **members):
    document = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": name,
                "labels": [{"name": "os", "value": "linux"}, {"name": "arch", "value": ACI_ARCH}], **members}
    plain = tar(("manifest", json.dumps(document).encode() if manifest is None else manifest), ("rootfs", None), *entries)
    path = f"{directory}/{name}-latest-linux-{ACI_ARCH}.aci"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(pack(plain))
    return "sha512-" + hashlib.sha512(plain).hexdigest()


@check
def appc_by_id_and_by_name(store, fake):
    image = one(store, *ACI, f"appc:example.org/hello@{IMAGE_ID}")
    assert image["digest"] == IMAGE_ID and len(image["layers"]) == 1
    assert image["layers"][0] == f"{os.path.realpath(store)}/appc/{IMAGE_ID}/rootfs"
    assert os.readlink(f"{image['layers'][0]}/bin/sh") == "busybox"
    assert one(store, *ACI, "appc:example.org/hello")["digest"] == IMAGE_ID
    # What is there by its id is not looked for again.
    assert one(store, "--prefix", "/nowhere/", f"appc:example.org/hello@{IMAGE_ID}")["digest"] == IMAGE_ID
    answers = fetch(f"{store}.2", *ACI, "--repeat", "5", [f"appc:example.org/hello@{IMAGE_ID}"])
    assert len(answers) == 5 and answers.status == 0
    assert os.listdir(f"{store}/staging") == [] and os.listdir(f"{store}.2/staging") == []


@check
def appc_settings(store, fake):
    where = f"{WORK}/aci"
    for pack in (gzip.compress, bytes):
        identity = aci(where, "x.org/a", entries=[("rootfs/f", b"x")], pack=pack,
                       app={"workingDirectory": "/srv", "environment": [{"name": "A", "value": "1"}]})
        image = one(store, "--prefix", f"file://{where}/", f"appc:x.org/a@{identity}")
        assert image["environment"] == ["A=1"] and image["directory"] == "/srv" and read(image, "f") == b"x"
        shutil.rmtree(store)


@check
def appc_refused(store, fake):
    where = f"{WORK}/aci"
    prefix = ("--prefix", where)
    refused(store, *prefix, "appc:x.org/none", words=["x.org/none", where, "No such file"], code=5)
    identity = aci(where, "x.org/a", entries=[("rootfs/f", b"x")])
    wrong = "sha512-" + "0" * 128
    refused(store, *prefix, f"appc:x.org/a@{wrong}", words=["x.org/a", "image id is sha512-", "and not sha512-000"], code=15)
    assert os.listdir(f"{store}/appc") == []
    shutil.copy(f"{where}/x.org/a-latest-linux-{ACI_ARCH}.aci", f"{where}/x.org/b-latest-linux-{ACI_ARCH}.aci")
    refused(store, *prefix, f"appc:x.org/b@{identity}", words=['calls itself "x.org/a"'], code=9)
    aci(where, "x.org/d", manifest=b"{")
    refused(store, *prefix, "appc:x.org/d", words=["x.org/d", "manifest"], code=3)
    aci(where, "x.org/e", labels=[{"name": "os", "value": "plan9"}])
    refused(store, *prefix, "appc:x.org/e", words=["plan9"], code=9)
    os.mkfifo(f"{where}/x.org/f-latest-linux-{ACI_ARCH}.aci")
    refused(store, *prefix, "appc:x.org/f", words=["not a regular file"], code=9)
    aci(where, "x.org/g", entries=[("other", b"x")])
    refused(store, *prefix, "appc:x.org/g", words=['entry "other"'], code=3)


class Web:
    def __init__(self, directory):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=directory)

            def log_message(self, *args):
                pass

            def do_GET(self):
                target = None
                if self.path.startswith("/moved/"):
                    target = self.path[len("/moved"):]
                if self.path.startswith("/file/"):
                    target = "file:///etc/passwd"
                if target is None:
                    return super().do_GET()
                self.send_response(302)
                self.send_header("Location", target)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@check
def appc_over_http(store, fake):
    where = f"{WORK}/aci"
    identity = aci(where, "x.org/a", entries=[("rootfs/f", os.urandom(2 << 20))])
    web = Web(where)
    image = one(store, "--prefix", f"{web.url}/", f"appc:x.org/a@{identity}")
    assert image["digest"] == identity and len(read(image, "f")) == 2 << 20
    refused(store, "--prefix", f"{web.url}/", "appc:x.org/b", words=["x.org/b", web.url, "404"], code=5)
    one(f"{store}.2", "--prefix", f"{web.url}/moved/", f"appc:x.org/a@{identity}")
    refused(store, "--prefix", f"{web.url}/file/", "appc:x.org/c", words=["x.org/c", "no http or https URL"], code=9)
    refused(store, "--prefix", "http://127.0.0.1:1/", "appc:x.org/c", words=["127.0.0.1:1"], code=14)
    web.close()


print(f"{count - len(failures)} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
