#!/usr/bin/env python3
"""A registry that misbehaves in the way that the name of the repository says.

usage: misbehave.py PORT-FILE LOG

Listens on two ports: the registry, and a storage server that it redirects to, which is a mirror too.  PORT-FILE gets both.
Every request is logged as one JSON line.  The image is /v2/<repository>/manifests/1, whose only layer
is the bytes of BLOB.
"""
import base64
import email.utils
import hashlib
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

port_file, log_file = sys.argv[1:]
V2 = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
BLOB = bytes((i * 7 + i // 251) % 256 for i in range(1 << 20))
CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
lock = threading.Lock()
counts = {}


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(media_type, data, **more):
    return dict({"mediaType": media_type, "digest": digest(data), "size": len(data)}, **more)


def image(media_type=V2, config_type="application/vnd.docker.container.image.v1+json", note=""):
    return json.dumps({
        "schemaVersion": 2, "mediaType": media_type,
        "config": descriptor(config_type, CONFIG),
        "layers": [descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", BLOB)],
        "annotations": {"note": note}}).encode()


def index(entries):
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()


def for_platform(os_name, architecture, variant=""):
    data = image(OCI, "application/vnd.oci.image.config.v1+json", architecture + variant)
    documents[digest(data)] = (OCI, data)
    platform = {"os": os_name, "architecture": architecture}
    if variant:
        platform["variant"] = variant
    return descriptor(OCI, data, platform=platform)


def nested(depth, data):
    for _ in range(depth):
        documents[digest(data)] = (INDEX, data)
        data = index([descriptor(INDEX, data)])
    return data


documents = {}
attestation = image(OCI, "application/vnd.oci.image.config.v1+json", "attestation")
four = index([
    descriptor(OCI, attestation, platform={"os": "unknown", "architecture": "unknown"},
               annotations={"vnd.docker.reference.type": "attestation-manifest"}),
    for_platform("linux", "s390x"), for_platform("linux", "arm64", "v8"),
    for_platform("linux", "amd64"), for_platform("windows", "amd64")])
documents[digest(four)] = (INDEX, four)
only_windows = index([for_platform("windows", "amd64")])
plain = image()
documents[digest(plain)] = (V2, plain)
by_tag = {
    "many/platforms": (INDEX, four),
    "many/nested": (INDEX, nested(1, four)),
    "many/deep": (INDEX, nested(4, four)),
    "many/elsewhere": (INDEX, only_windows),
    "many/sizes": (INDEX, index([dict(descriptor(INDEX, four), size=len(four) + 1)])),
    "odd/html": ("text/html", b"<html>log in here</html>"),
    "odd/schema1": ("application/vnd.docker.distribution.manifest.v1+prettyjws",
                    b'{"schemaVersion":1,"name":"x","tag":"1","fsLayers":[],"history":[]}'),
    "odd/large": (V2, b" " * (5 << 20)),
    "odd/artifact": (OCI, image(OCI, "application/vnd.cncf.helm.config.v1+json")),
    "odd/type": (OCI, plain),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.note()
        path = urllib.parse.urlparse(self.path).path
        if path == "/v2/":
            return self.answer(200, b"{}", "application/json", {"Docker-Distribution-Api-Version": "registry/2.0"})
        if path.startswith("/storage/"):
            return self.serve_storage()
        if path == "/token":
            return self.serve_token()
        if path == "/most":
            return self.json(counts.get("most", 0))
        parts = path.split("/")
        if parts[1] != "v2" or len(parts) < 6:
            return self.answer(404, b"no such page", "text/plain")
        self.repository, kind, what = "/".join(parts[2:-2]), parts[-2], parts[-1]
        if self.server is storage:
            return self.serve_as_mirror(kind, what)
        if not self.is_admitted() or self.is_troubled(kind):
            return None
        return self.serve_manifest(what) if kind == "manifests" else self.serve_blob(what)

    do_POST = do_GET

    def do_HEAD(self):
        if "nohead" in self.path:
            self.note()
            return self.answer(405, b"", "text/plain")
        return self.do_GET()

    def note(self):
        length = int(self.headers.get("Content-Length", 0))
        self.form = self.rfile.read(length).decode()
        with lock, open(log_file, "a") as out:
            out.write(json.dumps({
                "port": self.server.server_port, "method": self.command, "path": self.path, "form": self.form,
                "authorization": self.headers.get("Authorization", ""),
                "range": self.headers.get("Range", "")}) + "\n")

    def nth(self):
        """How often this repository has been asked, from 1."""
        with lock:
            counts[self.path] = counts.get(self.path, 0) + 1
            return counts[self.path]

    # -- the second host as a mirror

    def serve_as_mirror(self, kind, what):
        """In the mood that the first part of the repository names."""
        mood, self.repository = self.repository.split("/", 1)
        data = BLOB if kind == "blobs" else plain
        headers = {"Docker-Content-Digest": digest(data)}
        if mood == "absent":
            return self.error(404, "NAME_UNKNOWN", "no such image")
        if mood == "broken":
            return self.error(500, "UNKNOWN", "out of order")
        if mood == "denying":
            return self.answer(401, b"", "text/plain", {"WWW-Authenticate": 'Basic realm="mirror"'})
        if mood == "page":
            return self.answer(404, b"<html>no such page</html>", "text/html")
        if mood == "lying":
            data = data[:-1] + b"x" if kind == "blobs" else data.replace(b'"size"', b'"size" ')
        if mood == "half" and kind == "blobs":
            if self.headers.get("Range"):
                return self.error(503, "UNAVAILABLE", "going down")
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:len(data) // 2])
            self.close_connection = True
            return None
        return self.answer(200, data, V2 if kind == "manifests" else "application/octet-stream", headers)

    # -- authentication

    def is_admitted(self):
        authorization = self.headers.get("Authorization", "")
        home = "http://%s" % self.headers["Host"]
        name = self.repository.split("/")
        if name[0] != "auth":
            return True
        if name[1] == "denied":
            self.error(403, "DENIED", "not for you")
            return False
        if name[1] == "mute":
            self.answer(401, b"", "text/plain")
            return False
        if name[1] == "basic":
            if authorization == "Basic " + base64.b64encode(b"reader:secret").decode():
                return True
            challenge = 'Basic realm="the, registry"'
        elif name[1] == "elsewhere":
            challenge = 'Bearer realm="http://192.0.2.1/token",service="s"'
        else:
            with lock:
                token = tokens.get(authorization[7:], [0, 0])
                if authorization.startswith("Bearer ") and token[0] > 0 and token[1] > time.monotonic():
                    token[0] -= 1
                    return True
            challenge = ('Negotiate, bearer realm="%s/token", service="the service",'
                         'scope="repository:%s:pull,push"' % (home, self.repository))
        self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
                    "application/json", {"WWW-Authenticate": challenge})
        return False

    def serve_token(self):
        """A token that is good for as many requests as the repository's last part says."""
        query = urllib.parse.parse_qs(self.form or urllib.parse.urlparse(self.path).query)
        name = query["scope"][0].split(":")[1].split("/")
        authorization = self.headers.get("Authorization", "")
        if name[1] == "refused":
            return self.error(401, "UNAUTHORIZED", "no token for you")
        if name[1] == "private" and not authorization:
            return self.json({"token": "worthless"})
        if name[1] == "identity" and query.get("refresh_token") != ["the token"]:
            return self.error(401, "UNAUTHORIZED", "no identity")
        if name[1] == "broken":
            return self.answer(200, b"<html>", "text/html")
        if name[1] == "overload" and self.nth() < 3:
            return self.error(503, "UNAVAILABLE", "no token now")
        with lock:
            token = "token-%d" % len(tokens)
            lifetime = 0.3 if name[1] == "brief" else 3600
            tokens[token] = [int(name[-1]) if name[-1].isdigit() else 1000, time.monotonic() + lifetime]
        return self.json({"access_token" if name[1] == "access" else "token": token,
                          "expires_in": 3600})

    # -- trouble

    def is_troubled(self, kind):
        """Trouble of the connection, for manifests and blobs alike."""
        n = self.nth()
        if self.repository == "flaky/500" and n < 3:
            self.error(503, "UNAVAILABLE", "try again")
        elif self.repository == "flaky/always":
            self.error(500, "UNKNOWN", "broken")
        elif self.repository == "flaky/429" and n == 1:
            self.answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
                        "application/json", {"Retry-After": "1"})
        elif self.repository == "flaky/later":
            self.answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
                        "application/json", {"Retry-After": "3600"})
        elif self.repository == "flaky/cut" and n < 3:
            self.close_connection = True
            self.connection.close()
        elif self.repository == "slow/hang":
            stopping.wait(60)
        elif self.repository == "slow/once" and n == 1:
            stopping.wait(60)
        elif self.repository == "flaky/date" and n == 1:
            self.answer(503, b"", "text/plain", {"Retry-After": email.utils.formatdate(time.time() + 1, usegmt=True)})
        elif self.repository == "flaky/restart" and n < 5:
            self.error(502, "UNKNOWN", "restarting")
        elif self.repository == "auth/page":
            self.answer(404, b"<html>no such page</html>", "text/html")
        elif self.repository == "redirect/loop":
            self.answer(307, b"", "text/plain", {"Location": self.path})
        elif self.repository == "redirect/plain":
            self.answer(307, b"", "text/plain", {"Location": "http://192.0.2.1/x"})
        elif self.repository == "redirect/file":
            self.answer(307, b"", "text/plain", {"Location": "file:///etc/passwd"})
        elif self.repository == "redirect/nowhere":
            self.answer(307, b"", "text/plain")
        elif self.repository.endswith("redirect/storage"):
            self.answer(307, b"", "text/plain", {
                "Location": "http://127.0.0.1:%d/storage%s" % (storage.server_port, self.path)})
        else:
            return False
        return True

    # -- content

    def serve_manifest(self, what):
        if what.startswith("sha256:"):
            media_type, data = documents.get(what, (None, None))
            if not data:
                return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        elif what != "1":
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        else:
            media_type, data = by_tag.get(self.repository, (V2, plain))
        headers = {"Docker-Content-Digest": digest(data)}
        if self.repository == "lies/header":
            headers["Docker-Content-Digest"] = "sha256:" + "0" * 64
        elif self.repository == "lies/bytes":
            data = data.replace(b'"size"', b'"size" ')
        elif self.repository.endswith("/silent"):
            headers = {}
        return self.answer(200, data, media_type, headers)

    def serve_blob(self, what):
        if what != digest(BLOB):
            return self.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if self.repository.endswith("gone"):
            return self.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if self.repository == "lies/blob":
            return self.answer(200, BLOB[:-1] + b"x", "application/octet-stream")
        if self.repository == "lies/long":
            return self.answer(200, BLOB + b"x", "application/octet-stream")
        if self.repository == "lies/short":
            return self.answer(200, BLOB[:-1], "application/octet-stream")
        if self.repository == "cut/end":
            return self.serve_open_ended()
        if "/cut/" in "/" + self.repository:
            return self.serve_in_pieces()
        if "/slow/" in "/" + self.repository:
            return self.serve_slowly()
        return self.answer(200, BLOB, "application/octet-stream")

    def serve_in_pieces(self):
        """A quarter of the blob, then the connection breaks."""
        ask = self.headers.get("Range", "")
        start = int(ask[6:-1]) if ask else 0
        takes_ranges = self.repository != "cut/rangeless"
        if self.repository == "cut/wrong" and start:
            start = 0
            takes_ranges = True
        data = BLOB[start:] if takes_ranges else BLOB
        self.send_response(206 if ask and takes_ranges else 200)
        if ask and takes_ranges:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(BLOB) - 1, len(BLOB)))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        part = len(BLOB) // 4 * (1 if takes_ranges else 1 + self.nth())
        self.wfile.write(data[:part])
        self.wfile.flush()
        self.close_connection = True

    def serve_slowly(self):
        """In ten parts, for half a second; counts how many are under way."""
        with lock:
            counts["now"] = counts.get("now", 0) + 1
            counts["most"] = max(counts.get("most", 0), counts["now"])
        ask = self.headers.get("Range", "")
        start = int(ask[6:-1]) if ask else 0
        self.send_response(206 if ask else 200)
        if ask:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(BLOB) - 1, len(BLOB)))
        self.send_header("Content-Length", str(len(BLOB) - start))
        self.end_headers()
        stalls = self.repository == "slow/stall" and not ask
        for at in range(start, len(BLOB), len(BLOB) // 10):
            if stalls and at > len(BLOB) // 2:
                stopping.wait(60)
            self.wfile.write(BLOB[at:min(at + len(BLOB) // 10, len(BLOB))])
            self.wfile.flush()
            time.sleep(0.05)
        with lock:
            counts["now"] -= 1

    def serve_open_ended(self):
        """All of it in chunks, and then no end."""
        if self.headers.get("Range"):
            return self.answer(416, b"", "text/plain")
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n" % len(BLOB) + BLOB + b"\r\n")
        self.wfile.flush()
        self.close_connection = True
        return None

    def serve_storage(self):
        if self.headers.get("Authorization"):
            return self.answer(400, b"credentials came along", "text/plain")
        return self.answer(200, plain if "/manifests/" in self.path else BLOB, "application/octet-stream"
                           if "/blobs/" in self.path else V2)

    # -- answers

    def json(self, body):
        self.answer(200, json.dumps(body).encode(), "application/json")

    def error(self, status, code, message):
        self.answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(),
                    "application/json")

    def answer(self, status, data, media_type, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, *args):
        pass


tokens = {}
stopping = threading.Event()
registry = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
storage = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
registry.daemon_threads = storage.daemon_threads = True
threading.Thread(target=storage.serve_forever, daemon=True).start()
with open(port_file + ".new", "w") as out:
    out.write("%d %d" % (registry.server_port, storage.server_port))
os.rename(port_file + ".new", port_file)
registry.serve_forever()
