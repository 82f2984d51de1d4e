#!/usr/bin/env python3
"""A gateway that answers what a test wants to see handled: each path prefix is one story.

Prints its address and serves until it is killed.  Requests are noted, one line each, in the file that
is given as the first argument."""
import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

RUNNING = {"taskId": "t-1", "hostId": "h", "hostname": "host-1", "instanceId": 0,
           "task": {"job": {"role": "r", "environment": "e", "name": "n"}}}
TASK = {"assignedTask": RUNNING, "status": "RUNNING", "taskEvents": [{"timestampMs": "5", "status": "RUNNING"}]}
state = {"follow": 0, "create": 0, "kill": 0, "polls": 0, "queued": 0}
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, status, body, kind="application/json", **headers):
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def problem(self, status, code, detail):
        self.reply(status, {"title": "x", "status": status, "code": code, "detail": detail}, "application/problem+json")

    def note(self, body):
        with lock, open(sys.argv[1], "a") as log:
            print(self.command, self.path, "token=" + str(self.headers.get("Authorization")),
                  "last=" + str(self.headers.get("Last-Event-ID")), body, file=log)

    def events(self, text, whole=True):
        """Server-sent events in chunks; a stream that is not whole breaks off."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if whole:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        self.close_connection = not whole

    def follow(self, story):
        with lock:
            state["follow"] += 1
            count = state["follow"]
        last = self.headers.get("Last-Event-ID")
        if story == "drain" and last is None:
            return self.events("retry: 1000\n\nid: 4\ndata: one\ndata: \n\nevent: drain\ndata: come back\n\n")
        if last is None:
            return self.events("retry: 1000\n\n: heartbeat\n\nid: 4\ndata: one\ndata: \n\n", whole=False)
        if story == "gone":
            return self.problem(404, "NOT_FOUND", "there is no such task")
        if story == "error":
            return self.events('event: error\ndata: {"code": "INTERNAL", "detail": "the disk is gone"}\n\n')
        return self.events("id: %d\ndata: two\ndata: \n\nevent: end\ndata: the log is complete\n\n" % (int(last) + 4))

    def tasks(self, story):
        if story in ("pages",):
            page = int((parse_qs(urlsplit(self.path).query).get("pageToken") or ["0"])[0])
            tasks = [dict(TASK, assignedTask=dict(RUNNING, instanceId=page, taskId="t-%d" % page))]
            return self.reply(200, {"tasks": tasks, "nextPageToken": str(page + 1) if page < 2 else ""})
        if story == "slow":
            return self.reply(200, {"tasks": [dict(TASK, status="PENDING")]})
        if story == "failing":
            events = [{"timestampMs": "7", "status": "FAILED", "message": "exit status 9"}]
            return self.reply(200, {"tasks": [dict(TASK, status="FAILED", taskEvents=events)]})
        if story == "queued":
            with lock:
                state["queued"] += 1
                waits = state["queued"] < 4
            waiting = dict(TASK, assignedTask=dict(RUNNING, hostId=""), status="PENDING")
            return self.reply(200, {"tasks": [waiting if waits else TASK]})
        if story == "kill":
            with lock:
                state["polls"] += 1
                alive = state["polls"] < 4
            return self.reply(200, {"tasks": [TASK] if alive else []})
        self.reply(200, {"tasks": [TASK], "someFieldOfTheFuture": {"x": 1}})

    def answer(self, body):
        path = urlsplit(self.path).path
        _, story, *rest = path.split("/", 2)
        path = "/" + (rest[0] if rest else "")
        if story == "token" and self.headers.get("Authorization") != "Bearer secret-token-of-sixteen":
            return self.problem(401, "UNAUTHENTICATED", "a bearer token is needed")
        if story == "html":
            return self.reply(502, "<h1>Bad Gateway</h1>", "text/html")
        if story == "garbage":
            return self.reply(200, "{\"tasks\": 7}")
        if story == "empty":
            return self.reply(200, "")
        if story == "huge":
            return self.reply(200, b" " * (70 << 20))
        if story == "moved":
            return self.reply(307, "", "text/plain", Location="http://127.0.0.1:1/")
        if story == "full":
            return self.problem(429, "RESOURCE_EXHAUSTED", "too many requests")
        if path == "/v1/tasks":
            return self.tasks(story)
        if path.endswith("/log"):
            if "follow=true" in self.path:
                return self.follow(story)
            return self.reply(200, b"raw \xff\x00 bytes\n", "application/octet-stream")
        if path == "/v1/pending":
            return self.reply(200, {"reasons": [{"taskId": "t-1", "instanceId": 0, "reason": "insufficient ram"}]})
        if path == "/v1/hosts":
            return self.reply(200, {"hosts": [{"hostname": "host-1", "isConnected": True}]})
        if path == "/v1/jobs" and self.command == "GET":
            keys = [{"role": "r", "environment": "e", "name": name} for name in ("a", "b", "ab")]
            return self.reply(200, {"jobs": [{"key": key, "instanceCount": 1} for key in keys]})
        if path == "/v1/jobs":
            with lock:
                state["create"] += 1
                first = state["create"] == 1
            if story == "lost" and first:  # it was done, but the answer never comes
                self.close_connection = True
                return None
            if story == "image":
                return self.problem(404, "NOT_FOUND", "registry http://r: eos/absent:9 is unknown")
            if story == "down":
                return self.problem(503, "UNAVAILABLE", "registry http://r could not be reached")
            if story == "exists":
                return self.problem(409, "ALREADY_EXISTS", "job r/e/n already exists")
            return self.reply(200, {"key": "c/r/e/n", "instanceCount": 1})
        if path.startswith("/v1/jobs/") and path.endswith(":kill"):
            return self.reply(200, {"taskIds": ["t-1"]})
        if path.startswith("/v1/jobs/"):
            return self.reply(200, {"createdAtMs": "5"})
        if path == "/v1/images:resolve" and story == "good":
            name = json.loads(body)["reference"]
            return self.reply(200, {"binding": {"reference": name, "resolved": name + "@sha256:00", "digest": "sha256:00"}})
        if path == "/v1/version":
            return self.reply(200, {"version": "9.9", "cluster": "c"})
        if path == "/v1/compile":
            return self.compile(story, body)
        self.problem(404, "NOT_FOUND", "there is nothing at this path")

    def compile(self, story, body):
        files = [file["path"] for file in json.loads(body)["files"]]
        wanted = {"files": [files[0].replace("job.aurora", "below/x.include")], "steal": ["/etc/hostname"],
                  "again": [files[0]]}.get(story)
        if wanted and (len(files) == 1 or story == "again"):
            return self.reply(200, {"neededFiles": wanted})
        job = {"key": {"role": "r", "environment": "e", "name": "n"}, "instanceCount": 1, "taskConfig": {}}
        self.reply(200, {"jobs": [{"cluster": "c", "key": "c/r/e/n", "job": job}], "printed": "hello\n"})

    def do_GET(self):
        self.note("")
        self.answer("")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.note(body)
        self.answer(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        """A client that goes away is a story too."""


server = Server(("127.0.0.1", 0), Handler)
scheme = "http"
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https"
print("%s://127.0.0.1:%d" % (scheme, server.server_address[1]), flush=True)
server.serve_forever()
