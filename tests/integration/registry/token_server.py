#!/usr/bin/env python3
"""A token server for Debian's docker-registry: signs ES256 tokens with openssl.

usage: token_server.py PORT-FILE KEY CERTIFICATE LOG

The user "reader" with the password "secret" may pull everything, anybody may pull "public/*".
"""
import base64
import hashlib
import http.server
import json
import os
import subprocess
import sys
import time
import urllib.parse

port_file, key, certificate, log = sys.argv[1:]


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def key_id():
    der = subprocess.check_output(
        ["openssl", "x509", "-in", certificate, "-pubkey", "-noout"])
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=der,
                         stdout=subprocess.PIPE, check=True).stdout
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[i:i + 4] for i in range(0, len(text), 4))


def raw_signature(der):
    """The two numbers of an ASN.1 signature, 32 bytes each."""
    def number(at):
        length = der[at + 1]
        return der[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0"), at + 2 + length
    first, at = number(2)
    return first + number(at)[0]


def sign(claims):
    header = {"typ": "JWT", "alg": "ES256", "kid": KEY_ID}
    text = encode(json.dumps(header).encode()) + b"." + encode(json.dumps(claims).encode())
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text,
                         stdout=subprocess.PIPE, check=True).stdout
    return (text + b"." + encode(raw_signature(der))).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        authorization = self.headers.get("Authorization", "")
        with open(log, "a") as out:
            out.write(json.dumps({"query": query, "authorization": authorization}) + "\n")
        reader = "Basic " + base64.b64encode(b"reader:secret").decode()
        if authorization and authorization != reader:
            return self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]})
        access = []
        for scope in query.get("scope", []):
            kind, name, actions = scope.split(":")
            if authorization == reader or name.startswith("public/"):
                access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        token = sign({"iss": "tests", "sub": "", "aud": query["service"][0], "exp": now + 300,
                      "nbf": now - 10, "iat": now, "jti": str(now), "access": access})
        self.answer(200, {"token": token, "expires_in": 300})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


KEY_ID = key_id()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w") as out:
    out.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
