#!/usr/bin/env python3
"""A forward proxy that finds every host on this machine and writes down what it is asked.

usage: forward_proxy.py PORT-FILE LOG [USER:PASSWORD]

A line of LOG is the method and the target.  With a third argument only who says that may use it.
"""
import base64
import os
import select
import socket
import socketserver
import sys
import urllib.parse

port_file, log_file = sys.argv[1:3]
expected = "Basic " + base64.b64encode(sys.argv[3].encode()).decode() if len(sys.argv) > 3 else None


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode()
        if not line:
            return
        method, target, version = line.split()
        headers = []
        while True:
            header = self.rfile.readline().decode()
            if header in ("\r\n", ""):
                break
            headers.append(header)
        said = [h.split(":", 1)[1].strip() for h in headers if h.lower().startswith("proxy-authorization:")]
        with open(log_file, "a") as out:
            out.write("%s %s\n" % (method, target))
        if expected and said != [expected]:
            self.wfile.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\nConnection: close\r\n"
                             b"Proxy-Authenticate: Basic realm=proxy\r\n\r\n")
            return
        if method == "CONNECT":
            peer = socket.create_connection(("127.0.0.1", int(target.rsplit(":", 1)[1])))
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            url = urllib.parse.urlparse(target)
            peer = socket.create_connection(("127.0.0.1", url.port or 80))
            kept = [h for h in headers if not h.lower().startswith(("proxy-", "connection:"))]
            path = url.path + ("?" + url.query if url.query else "")
            peer.sendall(("%s %s %s\r\n%sConnection: close\r\n\r\n" % (method, path, version, "".join(kept))).encode())
        self.pump(peer)

    def pump(self, peer):
        ends = {self.connection: peer, peer: self.connection}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    peer.close()
                    return
                ends[end].sendall(data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w") as out:
    out.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
