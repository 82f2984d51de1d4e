#!/usr/bin/env python3
"""AppC images, made and judged by actool, found by simple and by meta discovery on web servers of the
test, driven through fetch_image.  Needs root: the servers listen on the ports 443 and 80 of a network of
their own, under names that only exist here."""
import base64, bz2, gzip, hashlib, http.server, io, json, lzma, os, shutil, socket, ssl, subprocess, sys
import tarfile, tempfile, threading, time

if os.geteuid() != 0 or not shutil.which("actool"):
    print("AppC images need root and actool: skipped")
    sys.exit(77)
FETCH = os.path.abspath(sys.argv[1])
TOP = os.environ.get("EOS_APPC_TOP")
if not TOP:
    TOP = tempfile.mkdtemp(prefix="eos-appc.")
    with open(f"{TOP}/hosts", "w") as file:
        file.write("127.0.0.1 localhost web.test other.test plain.test\n")
    for name, hosts in (("", "DNS:web.test,DNS:other.test,DNS:localhost"), ("own.", "DNS:web.test")):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN=eos {name}test",
                        "-addext", f"subjectAltName={hosts}", "-keyout", f"{TOP}/{name}key", "-out", f"{TOP}/{name}cert"], check=True, capture_output=True)
    cage = ('ip link set lo up && mount --bind "$0/hosts" /etc/hosts && '
            'mount --bind "$0/cert" /etc/ssl/certs/ca-certificates.crt && exec "$@"')
    done = subprocess.run(["unshare", "--net", "--mount", "sh", "-c", cage, TOP, *sys.argv], env={**os.environ, "EOS_APPC_TOP": TOP})
    shutil.rmtree(TOP)
    sys.exit(done.returncode)

ARCH = {"x86_64": "amd64", "aarch64": "aarch64"}[os.uname().machine]
HERE = [{"name": "os", "value": "linux"}, {"name": "arch", "value": ARCH}]
failures, count = [], 0


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


# -- images ------------------------------------------------------------------------------------------

def build(name, files=(), directory=None, version=None, labels=HERE, pack=None, check=True, **members):
    """An ACI of actool's for simple discovery in `directory`; returns its id.  `files` is path -> content; None is a directory."""
    work = tempfile.mkdtemp(dir=WORK)
    os.makedirs(f"{work}/layout/rootfs")
    for path, content in dict(files).items():
        full = f"{work}/layout/rootfs/{path}"
        os.makedirs(full if content is None else os.path.dirname(full), exist_ok=True)
        if content is not None:
            with open(full, "w") as file:
                file.write(content)
    labels = list(labels) + ([{"name": "version", "value": version}] if version else [])
    document = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": name, "labels": labels, **members}
    with open(f"{work}/layout/manifest", "w") as file:
        json.dump(document, file)
    target = f"{directory or ACI}/{name}-{version or 'latest'}-linux-{ARCH}.aci"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    run("actool", "build", "--overwrite", *(["--no-compression"] if pack else []), f"{work}/layout", target)
    if check:
        run("actool", "validate", target)
    with open(target, "rb") as file:
        data = file.read()
    if pack:
        with open(target, "wb") as file:
            file.write(pack(data))
    plain = data if pack else gzip.decompress(data)
    return "sha512-" + hashlib.sha512(plain).hexdigest()


def needs(name, identity=None, labels=(), **members):
    found = {"imageName": name, **members}
    if identity:
        found["imageID"] = identity
    if labels:
        found["labels"] = [{"name": key, "value": value} for key, value in labels]
    return found


# -- the store ---------------------------------------------------------------------------------------

def fetch(*arguments):
    done = subprocess.run([FETCH, *arguments[:-1], STORE, arguments[-1]], capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1) and not done.stderr, f"exit status {done.returncode}: {done.stdout}{done.stderr}"
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert os.listdir(f"{STORE}/staging") == [], "staging is not empty"
    return answers


def one(*arguments):
    answers = fetch(*arguments)
    assert len(answers) == 1 and "error" not in answers[0], answers
    return answers[0]


def refused(*arguments, words=(), code=None):
    answers = fetch(*arguments)
    assert len(answers) == 1 and "error" in answers[0], answers
    message = answers[0]["error"]
    for word in words:
        assert word in message, f"{message!r} lacks {word!r}"
    assert code is None or answers[0]["code"] == code, answers[0]
    assert "\n" not in message and not message.endswith("."), message


def look(image, script):
    """What a shell sees in the image's root, as the kernel stacks it."""
    top = tempfile.mkdtemp(dir=WORK)
    for name in ("upper", "work", "root"):
        os.mkdir(f"{top}/{name}")
    lower = ":".join(reversed(image["layers"]))
    return run("unshare", "-m", "sh", "-c",
               f"mount -t overlay overlay -o 'lowerdir={lower},upperdir={top}/upper,workdir={top}/work' {top}/root && cd {top}/root && {script}")


def listing(image):
    return [line[2:] for line in look(image, "find . -mindepth 1 | sort").splitlines()]


def check(function):
    global count, WORK, STORE, ACI, PREFIX
    if len(sys.argv) > 2 and sys.argv[2] not in function.__name__:
        return
    count += 1
    began = time.monotonic()
    WORK = tempfile.mkdtemp(prefix="appc.", dir=TOP)
    STORE, ACI = f"{WORK}/store", f"{WORK}/aci"
    os.mkdir(ACI)
    PREFIX = ("--prefix", ACI)
    web.reset()
    try:
        function()
        print("ok  ", function.__name__, "%.1f s" % (time.monotonic() - began), flush=True)
    except Exception as problem:  # the next test shall run as well
        failures.append(function.__name__)
        print("FAIL", function.__name__, repr(problem), flush=True)
    shutil.rmtree(WORK)


# -- the web -----------------------------------------------------------------------------------------

class Web:
    """All hosts of the test.  `pages` is "host/path" -> bytes or a function that answers."""

    def __init__(self):
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args):
                pass

            def do_GET(self):
                try:
                    web.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass

        self.reset()
        for port in (443, 80, 8443):  # the last one trusts and shows a certificate that the system does not know
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
            server.daemon_threads = True
            server.handle_error = lambda *args: None  # clients that hang up or do not trust us
            if port != 80:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                own = "own." if port == 8443 else ""
                context.load_cert_chain(f"{TOP}/{own}cert", f"{TOP}/{own}key")
                if own:
                    context.verify_mode = ssl.CERT_REQUIRED
                    context.load_verify_locations(f"{TOP}/own.cert")
                server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def reset(self):
        self.pages, self.asked = {}, []

    def answer(self, handler):
        scheme = "http" if handler.connection.getsockname()[1] == 80 else "https"
        place = handler.headers["Host"] + handler.path
        self.asked.append((f"{scheme}://{place}", handler.headers.get("Authorization")))
        page = self.pages.get(f"{scheme}://{place}", self.pages.get(place))
        if callable(page):
            page(handler)
        elif page is None:
            send(handler, 404, b"not here")
        else:
            send(handler, 200, page)

    def paths(self):
        return [url for url, _ in self.asked]

    def put(self, url, directory=None):
        """Serves the archives of `directory` below url."""
        directory = directory or ACI
        for base, _, files in os.walk(directory):
            for name in files:
                full = os.path.join(base, name)
                with open(full, "rb") as file:
                    self.pages[f"{url}/{os.path.relpath(full, directory)}"] = file.read()

    def discover(self, at, *tags):
        metas = "".join(f'<meta name="ac-discovery" content="{tag}">' for tag in tags)
        metas += f'<meta name="ac-discovery-pubkeys" content="{at} https://{at}/keys.gpg">'
        self.pages[f"{at if '/' in at else at + '/'}?ac-discovery=1"] = f"<html><head>{metas}</head><body>hello</body></html>".encode()


def send(handler, status, body, headers=(), sent=None):
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body if sent is None else sent)


TEMPLATE = "{name}-{version}-{os}-{arch}.{ext}"
web = Web()


# Forms

@check
def every_compression():
    forms = {"gzip": None, "plain": bytes, "bzip2": bz2.compress, "xz": lzma.compress}
    for name, pack in forms.items():
        identity = build(f"x.org/{name}", {"bin/f": name}, pack=pack)
        for request in (f"appc:x.org/{name}@{identity}", f"appc:x.org/{name}"):
            image = one(*PREFIX, request)
            assert image["digest"] == identity and look(image, "cat bin/f") == name
    encrypted = f"{ACI}/x.org/secret-latest-linux-{ARCH}.aci"
    with open(encrypted, "wb") as file:
        file.write(bytes.fromhex("8c0d0409030286d3b9f5cf") + os.urandom(3000))
    refused(*PREFIX, "appc:x.org/secret", words=["damaged"], code=15)


@check
def what_the_manifest_says():
    app = {"exec": ["/bin/f", "-x"], "user": "0", "group": "0", "workingDirectory": "/srv",
           "environment": [{"name": "A", "value": "1"}]}
    identity = build("x.org/a", {"bin/f": "x"}, app=app)
    image = one(*PREFIX, f"appc:x.org/a@{identity}")
    assert image["environment"] == ["A=1"] and image["directory"] == "/srv"
    build("x.org/many", labels=HERE, annotations=[{"name": "authors", "value": "me"}], version="1.0")
    one(*PREFIX, "appc:x.org/many:1.0")
    build("x.org/noarch", labels=[])
    one(*PREFIX, "appc:x.org/noarch")


@check
def what_actool_refuses_is_refused():
    good = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "x.org/a", "labels": HERE}
    wrong = {
        "kind": {"acKind": "PodManifest"}, "version": {"acVersion": "eight"}, "no version": {"acVersion": ""},
        "name": {"name": "X.org"}, "label": {"labels": [{"name": "A B", "value": "x"}]},
        "label twice": {"labels": [{"name": "a", "value": "x"}] * 2}, "label name": {"labels": [{"name": "name", "value": "x"}]},
        "dependency": {"dependencies": [{"imageName": ""}]}, "dependency's id": {"dependencies": [{"imageName": "a", "imageID": "sha512-"}]},
        "variable": {"app": {"exec": ["/x"], "user": "0", "group": "0", "environment": [{"name": "a b", "value": "x"}]}},
        "directory": {"app": {"exec": ["/x"], "user": "0", "group": "0", "workingDirectory": "srv"}},
    }
    os.makedirs(f"{ACI}/x.org")
    for name, change in {"good": {}, **wrong}.items():
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for path, data in (("manifest", json.dumps({**good, **change}).encode()), ("rootfs", None)):
                info = tarfile.TarInfo(path)
                info.type, info.mode = (tarfile.DIRTYPE, 0o755) if data is None else (tarfile.REGTYPE, 0o644)
                info.size = len(data or b"")
                archive.addfile(info, io.BytesIO(data or b""))
        path = f"{ACI}/x.org/a-latest-linux-{ARCH}.aci"
        with open(path, "wb") as file:
            file.write(out.getvalue())
        judged = subprocess.run(["actool", "validate", path], capture_output=True).returncode == 0
        answers = fetch(*PREFIX, "appc:x.org/a")
        assert judged == ("error" not in answers[0]) == (name == "good"), f"{name}: actool says {judged}, the store {answers}"


# Dependencies

@check
def dependencies_lie_below_in_order():
    base = build("x.org/base", {"bin/sh": "base", "etc/a": "base", "etc/b": "base", "low": "base"},
                 app={"exec": ["/x"], "user": "0", "group": "0", "environment": [{"name": "BASE", "value": "1"}]})
    tool = build("x.org/tool", {"etc/a": "tool", "etc/b": "tool"}, dependencies=[needs("x.org/base", base)])
    more = build("x.org/more", {"etc/b": "more", "low": None})
    top = build("x.org/top", {"etc/c": "top"}, dependencies=[needs("x.org/tool", tool), needs("x.org/more", more)],
                app={"exec": ["/x"], "user": "0", "group": "0", "environment": [{"name": "TOP", "value": "1"}]})
    image = one(*PREFIX, f"appc:x.org/top@{top}")
    assert image["digest"] == top and image["environment"] == ["TOP=1"]
    assert [layer.split("/")[-2] for layer in image["layers"]] == [base, tool, more, top]
    assert look(image, "cat bin/sh etc/a etc/b etc/c") == "basetoolmoretop" and "low" in listing(image)
    assert look(image, "test -d low && echo directory") == "directory\n"
    # All of it is there by its ids: nothing is looked for again.
    shutil.rmtree(ACI)
    assert one(*PREFIX, f"appc:x.org/top@{top}") == image


@check
def dependencies_by_name_and_labels():
    one_id = build("x.org/lib", {"f": "1"}, version="1")
    build("x.org/lib", {"f": "2"}, version="2")
    build("x.org/lib", {"f": "latest"})
    for version, content in (("1", "1"), ("2", "2"), (None, "latest")):
        labels = [("version", version)] if version else []
        build("x.org/top", dependencies=[needs("x.org/lib", labels=labels)])
        assert look(one(*PREFIX, "appc:x.org/top"), "cat f") == content
    # The id decides, and the labels must fit it.
    build("x.org/top", dependencies=[needs("x.org/lib", one_id, labels=[("version", "1")])])
    assert look(one(*PREFIX, "appc:x.org/top"), "cat f") == "1"
    build("x.org/top", dependencies=[needs("x.org/lib", one_id, labels=[("version", "2")])])
    refused(*PREFIX, "appc:x.org/top", words=["dependency x.org/lib", 'has version "1"', '"2" was asked for'], code=9)


@check
def a_dependency_that_two_have_is_fetched_once():
    build("web.test/base", {"f": "base"})
    build("web.test/a", {"g": "a"}, dependencies=[needs("web.test/base")])
    build("web.test/b", {"f": "b"}, dependencies=[needs("web.test/base")])
    build("web.test/top", dependencies=[needs("web.test/a"), needs("web.test/b")])
    web.put("https://web.test")
    web.discover("web.test", "web.test https://web.test/" + TEMPLATE)
    image = one("appc:web.test/top")
    assert len(image["layers"]) == 4 and look(image, "cat f g") == "ba"
    for name in ("base", "a", "b", "top"):
        assert sum(f"/{name}-latest" in url for url in web.paths()) == 1, web.paths()


@check
def dependencies_that_are_not_what_was_said():
    wrong = "sha512-" + "0" * 128
    lib = build("x.org/lib", {"f": "x" * 5000})
    build("x.org/top", dependencies=[needs("x.org/lib", wrong)])
    refused(*PREFIX, "appc:x.org/top", words=["x.org/top", "dependency x.org/lib", "image id is sha512-", "and not sha512-000"], code=15)
    build("x.org/top", dependencies=[needs("x.org/none")])
    refused(*PREFIX, "appc:x.org/top", words=["dependency x.org/none", "No such file"], code=5)
    build("x.org/top", dependencies=[needs("x.org/lib", lib, size=100)])
    refused(*PREFIX, "appc:x.org/top", words=["dependency x.org/lib", "larger than it may be"], code=11)
    build("x.org/top", dependencies=[needs("x.org/lib", lib, size=1 << 20)])
    one(*PREFIX, "appc:x.org/top")
    build("x.org/other", labels=[{"name": "os", "value": "freebsd"}, {"name": "arch", "value": "amd64"}])
    build("x.org/top", dependencies=[needs("x.org/other")])
    refused(*PREFIX, "appc:x.org/top", words=["dependency x.org/other", 'os "freebsd"'], code=9)
    shutil.copy(f"{ACI}/x.org/lib-latest-linux-{ARCH}.aci", f"{ACI}/x.org/liar-latest-linux-{ARCH}.aci")
    build("x.org/top", dependencies=[needs("x.org/liar")])
    refused(*PREFIX, "appc:x.org/top", words=["dependency x.org/liar", 'calls itself "x.org/lib"'], code=9)


@check
def circles():
    build("x.org/self", dependencies=[needs("x.org/self")])
    refused(*PREFIX, "appc:x.org/self", words=["depends on itself"], code=9)
    build("x.org/c", dependencies=[needs("x.org/a")])
    build("x.org/b", dependencies=[needs("x.org/c")])
    top = build("x.org/a", dependencies=[needs("x.org/b")])
    for request in ("appc:x.org/a", f"appc:x.org/a@{top}"):
        refused(*PREFIX, request, words=["dependency x.org/a: it depends on itself, through x.org/c"], code=9)


@check
def depth_and_number():
    build("x.org/d0", {"f": "0"})
    for i in range(1, 18):
        build(f"x.org/d{i}", dependencies=[needs(f"x.org/d{i - 1}")], check=False)
    assert len(one(*PREFIX, "appc:x.org/d16")["layers"]) == 17
    refused(*PREFIX, "appc:x.org/d17", words=["over 16 images deep"], code=11)
    # Each level asks twice for the one below it: 2^16 ways, but few images.
    build("x.org/w0")
    for i in range(1, 14):
        build(f"x.org/w{i}", dependencies=[needs(f"x.org/w{i - 1}")] * 2, check=False)
    refused(*PREFIX, "appc:x.org/w13", words=["more than 500 images"], code=11)
    assert len(one(*PREFIX, "appc:x.org/w7")["layers"]) == 8


# White lists

@check
def a_white_list_is_all_that_remains():
    build("x.org/base", {"bin/sh": "sh", "bin/ls": "ls", "etc/a": "base", "usr/share/doc/x": "doc", "empty": None})
    build("x.org/top", {"etc/a": "top", "etc/b": "b", "srv/f": "f"}, dependencies=[needs("x.org/base")],
          pathWhitelist=["/bin/sh", "/etc/a", "/usr/share", "/empty/", "/nowhere", "/srv/../etc/b"])
    image = one(*PREFIX, "appc:x.org/top")
    assert listing(image) == ["bin", "bin/sh", "empty", "etc", "etc/a", "etc/b", "usr", "usr/share"], listing(image)
    assert look(image, "cat bin/sh etc/a etc/b") == "shtopb"
    # The images themselves are whole, and another one sees all of them.
    build("x.org/all", dependencies=[needs("x.org/base")])
    assert "usr/share/doc/x" in listing(one(*PREFIX, "appc:x.org/all"))
    assert one(*PREFIX, "appc:x.org/top") == image, "made again"


@check
def white_lists_of_dependencies():
    build("x.org/low", {"a": "low", "b": "low", "c": "low"})
    build("x.org/lib", {"b": "lib", "d": "lib", "e": "lib"}, dependencies=[needs("x.org/low")], pathWhitelist=["/a", "/b", "/d"])
    build("x.org/top", {"e": "top"}, dependencies=[needs("x.org/low"), needs("x.org/lib")])
    image = one(*PREFIX, "appc:x.org/top")
    # What lib hides is hidden in lib and below it, and nowhere else.
    assert listing(image) == ["a", "b", "c", "d", "e"] and look(image, "cat a b c d e") == "lowliblowlibtop"
    build("x.org/top", {"e": "top"}, dependencies=[needs("x.org/lib")], pathWhitelist=["/b", "/c", "/e"])
    image = one(*PREFIX, "appc:x.org/top")
    assert listing(image) == ["b", "e"] and look(image, "cat b e") == "libtop"


@check
def what_a_white_list_leaves_is_unchanged():
    work = f"{WORK}/layout"
    os.makedirs(f"{work}/rootfs/d/sub")
    for path, mode in (("d/suid", 0o4755), ("d/sub/f", 0o640)):
        with open(f"{work}/rootfs/{path}", "w") as file:
            file.write("x")
        os.chown(f"{work}/rootfs/{path}", 5, 6)
        os.chmod(f"{work}/rootfs/{path}", mode)
    os.symlink("suid", f"{work}/rootfs/d/link")
    os.symlink("d", f"{work}/rootfs/through")
    os.chown(f"{work}/rootfs/d", 7, 8)
    os.chmod(f"{work}/rootfs/d", 0o2751)
    os.utime(f"{work}/rootfs/d", (1000, 1000))
    os.chmod(f"{work}/rootfs", 0o711)
    document = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "x.org/a", "labels": HERE,
                "pathWhitelist": ["/d/suid", "/d/link", "/d/sub/f", "/through", "/through/suid"]}
    with open(f"{work}/manifest", "w") as file:
        json.dump(document, file)
    os.makedirs(f"{ACI}/x.org")
    run("actool", "build", work, f"{ACI}/x.org/a-latest-linux-{ARCH}.aci")
    image = one(*PREFIX, "appc:x.org/a")
    assert listing(image) == ["d", "d/link", "d/sub", "d/sub/f", "d/suid", "through"], listing(image)
    root = image["layers"][0]
    facts = {path: (oct(os.lstat(f"{root}/{path}").st_mode & 0o7777), os.lstat(f"{root}/{path}").st_uid, os.lstat(f"{root}/{path}").st_gid)
             for path in (".", "d", "d/suid", "d/sub/f")}
    assert facts == {".": ("0o711", 0, 0), "d": ("0o2751", 7, 8), "d/suid": ("0o4755", 5, 6), "d/sub/f": ("0o640", 5, 6)}, facts
    assert os.stat(f"{root}/d").st_mtime == 1000 and os.readlink(f"{root}/d/link") == "suid"


@check
def what_is_beneath_stays_as_long_as_it_is_used():
    base = build("x.org/base", {"a": "a", "b": "b"})
    top = build("x.org/top", dependencies=[needs("x.org/base", base)], pathWhitelist=["/a"])
    other = build("x.org/other", dependencies=[needs("x.org/base", base)])
    image = one(*PREFIX, "appc:x.org/top")
    one(*PREFIX, "appc:x.org/other")
    run(FETCH, *PREFIX, "--prune", "--used", top, STORE)
    assert one("--prefix", f"{WORK}/none", f"appc:x.org/top@{top}") == {**image, "request": f"appc:x.org/top@{top}"}, "gone"
    assert not os.path.exists(f"{STORE}/appc/{other}") and os.path.exists(f"{STORE}/appc/{base}")
    run(FETCH, *PREFIX, "--prune", STORE)
    assert os.listdir(f"{STORE}/appc") == [], os.listdir(f"{STORE}/appc")


# Discovery

@check
def simple_discovery_on_the_web():
    identity = build("x.org/a", {"f": "x"}, version="1.0")
    web.put("https://web.test/images")
    assert one("--prefix", "https://web.test/images/", "appc:x.org/a:1.0")["digest"] == identity
    assert web.paths() == [f"https://web.test/images/x.org/a-1.0-linux-{ARCH}.aci"]
    refused("--prefix", "https://web.test/images/", "appc:x.org/a:2.0", words=["x.org/a:2.0", "https://web.test/images/", "404"], code=5)
    refused("--prefix", "http://web.test/images/", "appc:x.org/b", words=["plain HTTP"], code=9)


@check
def meta_discovery():
    identity = build("web.test/team/app", {"f": "x"}, version="1.2")
    build("web.test/team/app", {"f": "latest"})
    web.put("https://other.test/store")
    web.discover("web.test/team/app", "web.test https://other.test/store/" + TEMPLATE, "web.test hdfs://other.test/" + TEMPLATE)
    image = one("appc:web.test/team/app:1.2")
    assert image["digest"] == identity
    assert web.paths() == ["https://web.test/team/app?ac-discovery=1", f"https://other.test/store/web.test/team/app-1.2-linux-{ARCH}.aci"]
    assert look(one("appc:web.test/team/app"), "cat f") == "latest"
    one(f"appc:web.test/team/app@{identity}")


@check
def meta_discovery_finds_what_actool_finds():
    web.discover("web.test", "web.test https://other.test/" + TEMPLATE, "web.test https://web.test/{os}/{name}.{ext}",
                 "example.org https://wrong.test/" + TEMPLATE)
    for name in ("web.test/a/b:1", "web.test:2", "web.test/c"):
        labels = f"{name},os=linux,arch={ARCH}"
        said = run("env", f"SSL_CERT_FILE={TOP}/cert", "actool", "discover", "--json", labels)
        web.asked.clear()
        refused(f"appc:{name}", words=["404"], code=5)
        assert f'"{web.paths()[-1]}"' in said, f"{web.paths()[-1]} is not in {said}"


@check
def meta_discovery_goes_up():
    build("web.test/a/b/c", {"f": "x"})
    web.put("https://web.test")
    web.discover("web.test", "web.test https://web.test/" + TEMPLATE)
    web.pages["web.test/a?ac-discovery=1"] = b"<html>nothing here</html>"
    one("appc:web.test/a/b/c")
    assert web.paths()[:4] == [f"https://web.test{path}?ac-discovery=1" for path in ("/a/b/c", "/a/b", "/a", "/")], web.paths()


@check
def meta_discovery_that_leads_nowhere():
    refused("appc:web.test/a", words=["web.test/a", "meta discovery", "no \"ac-discovery\" tags"], code=5)
    web.discover("web.test/a", "elsewhere.test https://web.test/" + TEMPLATE)
    refused("appc:web.test/a", words=["no \"ac-discovery\" tag is for this name"], code=5)
    web.discover("web.test/a", "web.test https://web.test/{channel}/" + TEMPLATE)
    refused("appc:web.test/a", words=["no \"ac-discovery\" tag is for this name"], code=5)
    web.discover("web.test/a", "web.test http://web.test/" + TEMPLATE)
    refused("appc:web.test/a", words=["http://web.test/", "plain HTTP"], code=9)
    web.discover("web.test/a", "web.test https://web.test/" + TEMPLATE)
    refused("appc:web.test/a", words=[f"https://web.test/web.test/a-latest-linux-{ARCH}.aci", "404"], code=5)
    web.pages["web.test/a?ac-discovery=1"] = b"<!-- " + b"x" * (2 << 20)
    refused("appc:web.test/a", words=["over 1048576 bytes"], code=11)
    refused("appc:nowhere.test/a", words=["meta discovery", "nowhere.test"], code=14)
    refused("appc:hello", words=["meta discovery", "hello"], code=14)


@check
def another_place_when_the_first_fails():
    build("web.test/a", {"f": "x"})
    web.put("https://other.test")
    web.discover("web.test/a", "web.test https://web.test/" + TEMPLATE, "web.test https://other.test/" + TEMPLATE)
    one("appc:web.test/a")
    assert len(web.paths()) == 3


@check
def meta_discovery_of_dependencies():
    lib = build("other.test/lib", {"f": "lib"}, version="3")
    build("web.test/app", {"g": "app"}, dependencies=[needs("other.test/lib", lib, labels=[("version", "3")])])
    web.put("https://web.test")
    web.put("https://other.test")
    web.discover("web.test/app", "web.test https://web.test/" + TEMPLATE)
    web.discover("other.test", "other.test https://other.test/" + TEMPLATE)
    image = one("appc:web.test/app")
    assert look(image, "cat f g") == "libapp"
    assert f"https://other.test/other.test/lib-3-linux-{ARCH}.aci" in web.paths()


@check
def a_prefix_goes_before_the_host():
    build("web.test/a", {"f": "prefix"})
    web.discover("web.test", "web.test https://web.test/" + TEMPLATE)
    web.put("https://web.test")
    assert look(one(*PREFIX, "--meta", "appc:web.test/a"), "cat f") == "prefix" and web.paths() == []
    elsewhere = ("--prefix", f"{WORK}/none")
    refused(*elsewhere, "appc:web.test/a", words=[f"{WORK}/none", "No such file"], code=5)
    assert web.paths() == []
    one(*elsewhere, "--meta", "appc:web.test/a")


# Servers

@check
def plain_http_where_it_is_permitted():
    build("plain.test/a", {"f": "x"})
    web.put("http://plain.test")
    web.pages["http://plain.test/a?ac-discovery=1"] = f'<meta name=ac-discovery content="plain.test http://plain.test/{TEMPLATE}">'.encode()
    refused("appc:plain.test/a", words=["https://plain.test/a"], code=14)  # its certificate is for others
    assert web.paths() == []
    one("--insecure-registry", "plain.test", "appc:plain.test/a")
    build("localhost/a", {"f": "x"})
    web.put("http://localhost")
    one("--prefix", "http://localhost/", "appc:localhost/a")


@check
def redirections():
    build("web.test/a", {"f": "x"})
    web.put("https://other.test")
    file = f"web.test/a-latest-linux-{ARCH}.aci"
    to = lambda where: lambda handler: send(handler, 302, b"", [("Location", where)])
    web.pages["web.test/a?ac-discovery=1"] = to("/moved?to=1")
    web.pages["web.test/moved?to=1"] = f'<meta name=ac-discovery content="web.test https://web.test/x/{TEMPLATE}">'.encode()
    web.pages[f"web.test/x/{file}"] = to(f"https://other.test/{file}")
    one("appc:web.test/a")
    for where, words, code in ((f"http://other.test/{file}", ["from https to http"], 9), ("file:///etc/passwd", [], None),
                               (f"https://web.test/x/{file}", ["too often"], 9)):
        web.pages[f"web.test/x/{file}"] = to(where)
        refused("appc:web.test/a", words=words, code=code)


@check
def credentials():
    build("web.test/a", {"f": "x"})
    with open(f"{ACI}/web.test/a-latest-linux-{ARCH}.aci", "rb") as file:
        data = file.read()
    allowed = "Basic " + base64.b64encode(b"me:secret").decode()
    page = f'<meta name=ac-discovery content="web.test https://web.test/{TEMPLATE}">'.encode()
    guard = lambda body: lambda handler: send(handler, 200, body) if handler.headers.get("Authorization") == allowed else send(handler, 401, b"who?")
    archive = f"web.test/web.test/a-latest-linux-{ARCH}.aci"
    web.pages["web.test/a?ac-discovery=1"], web.pages[archive] = page, guard(data)
    refused("appc:web.test/a", words=["401"], code=16)
    with open(f"{WORK}/netrc", "w") as file:
        file.write("machine web.test login me password secret\n")
    netrc = ("--netrc", f"{WORK}/netrc")
    one(*netrc, "appc:web.test/a")
    # They stay with their host.
    web.pages[archive] = lambda handler: send(handler, 302, b"", [("Location", "https://other.test/a")])
    web.pages["other.test/a"] = data
    web.asked.clear()
    one(*netrc, "appc:web.test/a")
    assert [sent for url, sent in web.asked if "other.test" in url] == [None], web.asked
    assert all(sent == allowed for url, sent in web.asked if "web.test/" in url.split("?")[0].replace("other.test", "")), web.asked
    refused("--netrc", f"{WORK}/none", "appc:web.test/a", words=[f"{WORK}/none"])


@check
def certificates():
    build("x.org/a", {"f": "x"})
    web.put("https://web.test:8443")
    prefix = ("--prefix", "https://web.test:8443/")
    refused(*prefix, "appc:x.org/a", words=["certificate"], code=14)
    directory = f"{WORK}/certs/web.test:8443"
    os.makedirs(directory)
    shutil.copy(f"{TOP}/own.cert", f"{directory}/ca.crt")
    refused(*prefix, "--certs-dir", f"{WORK}/certs", "appc:x.org/a", words=["https://web.test:8443/"], code=14)
    shutil.copy(f"{TOP}/own.cert", f"{directory}/client.cert")
    shutil.copy(f"{TOP}/own.key", f"{directory}/client.key")
    one(*prefix, "--certs-dir", f"{WORK}/certs", "appc:x.org/a")
    os.truncate(f"{directory}/ca.crt", 50)
    refused(*prefix, "--certs-dir", f"{WORK}/certs", "appc:x.org/a", words=["ca.crt"])


@check
def busy_servers_are_asked_again():
    build("x.org/a", {"f": "x"})
    with open(f"{ACI}/x.org/a-latest-linux-{ARCH}.aci", "rb") as file:
        data = file.read()
    answers = [(503, b"", []), (429, b"", [("Retry-After", "0")]), (200, data, [])]
    web.pages[f"web.test/x.org/a-latest-linux-{ARCH}.aci"] = lambda handler: send(handler, *answers.pop(0))
    one("--prefix", "https://web.test/", "appc:x.org/a")
    web.pages[f"web.test/x.org/a-latest-linux-{ARCH}.aci"] = lambda handler: send(handler, 500, b"oh")
    refused("--prefix", "https://web.test/", "appc:x.org/a", words=["HTTP status 500"], code=14)


@check
def a_broken_download_goes_on():
    build("x.org/a", {"f": os.urandom(400000).hex()})
    with open(f"{ACI}/x.org/a-latest-linux-{ARCH}.aci", "rb") as file:
        data = file.read()
    page = f"localhost/x.org/a-latest-linux-{ARCH}.aci"
    ranges = []

    def cut(tag, has_ranges):
        def answer(handler):
            wanted = handler.headers.get("Range")
            ranges.append((wanted, handler.headers.get("If-Range")))
            start = int(wanted[6:-1]) if wanted and has_ranges else 0
            stop = len(data) if len(ranges) > 2 else start + 100000
            head = [("ETag", tag)] + ([("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")] if start else [])
            send(handler, 206 if start else 200, data[start:], head, data[start:stop])
            if stop < len(data):
                handler.close_connection = True
                handler.connection.shutdown(socket.SHUT_RDWR)
        return answer

    for has_ranges in (True, False):
        ranges.clear()
        web.pages[page] = cut('"one"', has_ranges)
        image = one("--prefix", "http://localhost/", "appc:x.org/a")
        assert len(look(image, "cat f")) == 800000 and len(ranges) == 3, ranges
        assert ranges[0][0] is None and ranges[1][0].startswith("bytes=") and ranges[1][1] == '"one"'
        shutil.rmtree(STORE)
    ranges.clear()
    web.pages[page] = cut('W/"weak"', True)
    refused("--prefix", "http://localhost/", "appc:x.org/a", words=["broke after"], code=14)
    ranges.clear()
    tags = iter('"%d"' % i for i in range(9))
    web.pages[page] = lambda handler: cut(next(tags), False)(handler)
    refused("--prefix", "http://localhost/", "appc:x.org/a", words=["changed while"], code=15)


@check
def what_has_not_changed_is_not_read_again():
    build("x.org/a", {"f": "old"}, dependencies=[needs("x.org/lib")])
    build("x.org/lib", {"g": "lib"})
    one(*PREFIX, "appc:x.org/a")
    for directory in os.listdir(f"{STORE}/appc"):
        assert os.stat(f"{STORE}/appc/{directory}").st_nlink
    before = {name: os.stat(f"{STORE}/appc/{name}").st_ino for name in os.listdir(f"{STORE}/appc")}
    one(*PREFIX, "appc:x.org/a")
    assert {name: os.stat(f"{STORE}/appc/{name}").st_ino for name in os.listdir(f"{STORE}/appc")} == before
    build("x.org/a", {"f": "new"})
    assert look(one(*PREFIX, "appc:x.org/a"), "cat f") == "new"
    # The same on the web, by ETag.
    statuses = []

    def tagged(handler):
        with open(f"{ACI}/x.org/a-latest-linux-{ARCH}.aci", "rb") as file:
            data = file.read()
        tag = '"%s"' % hashlib.sha256(data).hexdigest()
        known = handler.headers.get("If-None-Match") == tag
        statuses.append(304 if known else 200)
        if known:
            handler.send_response(304)
            handler.send_header("ETag", tag)
            handler.end_headers()
        else:
            send(handler, 200, data, [("ETag", tag)])

    web.pages[f"web.test/x.org/a-latest-linux-{ARCH}.aci"] = tagged
    for _ in range(2):
        assert look(one("--prefix", "https://web.test/", "appc:x.org/a"), "cat f") == "new"
    build("x.org/a", {"f": "newer"})
    assert look(one("--prefix", "https://web.test/", "appc:x.org/a"), "cat f") == "newer"
    assert statuses == [200, 304, 200], statuses
    # What is gone from the store is fetched, whatever was written down.
    shutil.rmtree(f"{STORE}/appc")
    os.mkdir(f"{STORE}/appc")
    assert look(one("--prefix", "https://web.test/", "appc:x.org/a"), "cat f") == "newer"


print(f"{count - len(failures)} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
