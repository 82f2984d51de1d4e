#!/usr/bin/env python3
"""OCI layouts that no tool makes.

usage: make_layout.py DIRECTORY

DIRECTORY gets the images "layers" (120 of them), "zstd" (a layer of that kind), "nested" (an index in an index, with an attestation
beside the image), and one for each architecture by its name.
"""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

directory = sys.argv[1]
OCI = "application/vnd.oci.image."
os.makedirs(directory + "/blobs/sha256")


def put(media_type, data, **more):
    digest = hashlib.sha256(data).hexdigest()
    with open("%s/blobs/sha256/%s" % (directory, digest), "wb") as out:
        out.write(data)
    return dict({"mediaType": OCI + media_type, "digest": "sha256:" + digest, "size": len(data)}, **more)


def archive(name, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def image(archives, compress, kind, architecture="amd64"):
    config = {"architecture": architecture, "os": "linux", "config": {"Env": ["PATH=/bin"]}, "rootfs": {
        "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest() for data in archives]}}
    layers = [put("layer.v1.tar+" + kind, compress(data)) for data in archives]
    return put("manifest.v1+json", json.dumps({
        "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
        "config": put("config.v1+json", json.dumps(config).encode()), "layers": layers}).encode())


def index(entries):
    return put("index.v1+json", json.dumps({
        "schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": entries}).encode())


def named(descriptor, name):
    return dict(descriptor, annotations={"org.opencontainers.image.ref.name": name})


many = image([archive("file-%d" % i, b"%d\n" % i) for i in range(120)], gzip.compress, "gzip")
small = image([archive("hello", b"hello\n")], zstd, "zstd")
other = image([archive("hello", b"other\n")], gzip.compress, "gzip", "arm64")
noted = image([archive("note", b"{}\n")], gzip.compress, "gzip")
inner = index([
    dict(noted, platform={"os": "unknown", "architecture": "unknown"}, annotations={
        "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": small["digest"]}),
    dict(other, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
    dict(small, platform={"os": "linux", "architecture": "amd64"})])
outer = index([inner])
with open(directory + "/oci-layout", "w") as out:
    json.dump({"imageLayoutVersion": "1.0.0"}, out)
with open(directory + "/index.json", "w") as out:
    json.dump({"schemaVersion": 2, "manifests": [
        named(many, "layers"), named(small, "zstd"), named(outer, "nested")] + [
            named(image([archive("for", name.encode())], gzip.compress, "gzip", name), name)
            for name in ("amd64", "arm64", "arm", "s390x")]}, out)
