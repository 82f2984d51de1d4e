#!/usr/bin/env python3
"""A registry whose answers are files: DIRECTORY/<repository>/manifests/<reference>, .../blobs/<digest> and, where
the repository has that directory, .../referrers/<digest>.  A file "<name>.status" holds another status than 200.

usage: static_registry.py DIRECTORY PORT-FILE LOG
"""
import http.server
import json
import os
import sys
import urllib.parse

directory, port_file, log_file = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
        with open(log_file, "a") as out:
            out.write(path + "\n")
        file = os.path.join(directory, path[len("/v2/"):])
        status, data = 404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not here"}]}'
        if os.path.exists(file + ".status"):
            with open(file + ".status") as source:
                status = int(source.read())
        elif os.path.isfile(file):
            with open(file, "rb") as source:
                status, data = 200, source.read()
        self.send_response(status)
        self.send_header("Content-Type", media_type(data))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def media_type(data):
    try:
        return json.loads(data)["mediaType"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "application/octet-stream"


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(port_file + ".new", "w") as out:
    out.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
