#!/usr/bin/env python3
"""Layers of random entries, unpacked by umoci one over the other and by the image store's code for overlayfs:
what a container sees must be the same.

Two things differ on purpose and are not made here: a hard link to a file of a lower layer, which has no
place in a layer of its own, and entries below a directory that the layer does not name."""
import io, os, random, shutil, stat, subprocess, sys, tarfile, tempfile

if os.geteuid() != 0 or not shutil.which("umoci"):
    print("unpacking layers needs root and umoci: skipped")
    sys.exit(77)
UNPACK = os.path.abspath(sys.argv[1])
SEEDS = range(int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else range(10)
TOP = os.environ.get("EOS_UMOCI_TOP")
if not TOP:
    TOP = tempfile.mkdtemp(prefix="eos-umoci.")
    done = subprocess.run(["unshare", "--mount", *sys.argv], env={**os.environ, "EOS_UMOCI_TOP": TOP})
    shutil.rmtree(TOP)
    sys.exit(done.returncode)
NAMES = ["a", "b", "c", "d"]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


class Layer:
    """An archive, and what it has made so far: the kinds of its own names."""

    def __init__(self, chance):
        self.chance, self.kinds, self.out = chance, {"": "dir"}, io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w", format=chance.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))

    def add(self, name, kind=tarfile.REGTYPE, data=b"", link=""):
        info = tarfile.TarInfo(self.chance.choice(["", "./"]) + name)
        info.type, info.linkname, info.size = kind, link, len(data)
        info.mode = self.chance.choice([0o644, 0o755, 0o4755, 0o2711, 0o600]) if kind != tarfile.DIRTYPE else self.chance.choice([0o755, 0o1777, 0o2750])
        info.uid, info.gid, info.mtime = self.chance.randrange(5), self.chance.randrange(70000), self.chance.randrange(1 << 31)
        self.tar.addfile(info, io.BytesIO(data))

    def directory(self, depth):
        """One that the layer names, perhaps made now."""
        path = ""
        for _ in range(self.chance.randrange(depth + 1)):
            path = f"{path}/{self.chance.choice(NAMES)}".strip("/")
            if self.kinds.get(path) != "dir":
                self.forget(path)
                self.add(path, tarfile.DIRTYPE)
                self.kinds[path] = "dir"
        return path

    def forget(self, path):
        for name in [n for n in self.kinds if n == path or n.startswith(path + "/")]:
            del self.kinds[name]

    def entry(self):
        chance, parent = self.chance, self.directory(3)
        name = chance.choice(NAMES)
        path = f"{parent}/{name}".strip("/")
        kind = chance.choice(["file"] * 4 + ["link", "hardlink", "fifo", "dir", "dir", "whiteout", "opaque"])
        files = [n for n, k in self.kinds.items() if k in ("file", "link") and n != path and not path.startswith(n + "/") and not n.startswith(path + "/")]
        if kind == "whiteout":
            if path not in self.kinds:
                self.add(f"{parent}/.wh.{name}".strip("/"))
            return
        if kind == "opaque":
            self.add(f"{parent}/.wh..wh..opq".strip("/"))
            return
        if kind == "hardlink" and not files:
            return
        if kind == "dir" and self.kinds.get(path) == "dir":
            return self.add(path, tarfile.DIRTYPE)
        self.forget(path)
        self.kinds[path] = kind if kind != "hardlink" else "file"
        if kind == "file":
            self.add(path, data=chance.randbytes(chance.choice([0, 1, 511, 512, 5000])))
        elif kind == "link":
            self.add(path, tarfile.SYMTYPE, link=chance.choice(["a", "../b", "/c/d", "nowhere"]))
        elif kind == "hardlink":
            self.add(path, tarfile.LNKTYPE, link=chance.choice(files))
        else:
            self.add(path, tarfile.FIFOTYPE if kind == "fifo" else tarfile.DIRTYPE)

    def make(self):
        for _ in range(self.chance.randrange(1, 25)):
            self.entry()
        self.tar.close()
        return self.out.getvalue()


def facts(root):
    """Everything that a process could tell, but for the times of directories, which overlayfs may change."""
    found, inodes = {}, {}
    for base, directories, files in os.walk(root):
        for name in directories + files:
            full = os.path.join(base, name)
            if not os.path.lexists(full):
                continue  # overlayfs lists a whiteout that hides nothing, where no other layer has the directory
            path, st = os.path.relpath(full, root), os.lstat(full)
            fact = [oct(st.st_mode), st.st_uid, st.st_gid]
            if not stat.S_ISDIR(st.st_mode):
                fact += [int(st.st_mtime)]
                inodes.setdefault(st.st_ino, []).append(path)
            if stat.S_ISLNK(st.st_mode):
                fact += [os.readlink(full)]
            elif stat.S_ISREG(st.st_mode):
                with open(full, "rb") as file:
                    fact += [file.read()]
            found[path] = fact
    for paths in inodes.values():
        for path in paths:
            found[path] += [sorted(paths)]
    return found


def by_umoci(work, layers):
    run("umoci", "init", "--layout", f"{work}/oci")
    run("umoci", "new", "--image", f"{work}/oci:x")
    for layer in layers:
        run("umoci", "raw", "add-layer", "--image", f"{work}/oci:x", layer)
    run("umoci", "unpack", "--image", f"{work}/oci:x", f"{work}/bundle")
    return facts(f"{work}/bundle/rootfs")


def by_eos(work, layers):
    roots = []
    for i, layer in enumerate(layers):
        run(UNPACK, "docker", layer, f"{work}/layer{i}")
        roots.append(f"{work}/layer{i}/root")
    # overlayfs does not look at the mark on a layer's own root, so the store does.
    opaque = [i for i, root in enumerate(roots) if "trusted.overlay.opaque" in os.listxattr(root)]
    roots = roots[opaque[-1]:] if opaque else roots
    for name in ("upper", "work", "merged"):
        os.mkdir(f"{work}/{name}")
    run("mount", "-t", "overlay", "overlay", "-o",
        f"lowerdir={':'.join(reversed(roots))},upperdir={work}/upper,workdir={work}/work", f"{work}/merged")
    found = facts(f"{work}/merged")
    run("umount", f"{work}/merged")
    return found


different = 0
for seed in SEEDS:
    chance = random.Random(seed)
    work = tempfile.mkdtemp(dir=TOP)
    layers = []
    for i in range(chance.randrange(1, 4)):
        layers.append(f"{work}/{i}.tar")
        with open(layers[-1], "wb") as file:
            file.write(Layer(chance).make())
    theirs, ours = by_umoci(work, layers), by_eos(work, layers)
    if theirs != ours:
        different += 1
        print(f"FAIL seed {seed}:")
        for path in sorted(theirs.keys() | ours.keys()):
            if theirs.get(path) != ours.get(path):
                print(f"    {path}: umoci {str(theirs.get(path))[:150]}, eos {str(ours.get(path))[:150]}")
    shutil.rmtree(work)
print(f"{len(SEEDS) - different} alike, {different} different")
sys.exit(1 if different else 0)
