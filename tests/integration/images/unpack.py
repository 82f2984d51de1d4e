#!/usr/bin/env python3
"""Archives as strangers make them, unpacked by the image store's code: what is right must come out
as it is, and nothing that is wrong may touch anything outside of the layer."""
import bz2, gzip, hashlib, io, lzma, os, shutil, stat, subprocess, sys, tarfile, tempfile

if os.geteuid() != 0:
    print("whiteouts and owners need root: skipped")
    sys.exit(77)

UNPACK = os.path.abspath(sys.argv[1])
TOP = os.environ.get("EOS_UNPACK_TOP")
if not TOP:
    # Should a guard fail, then not at the cost of this machine: all but one directory is read-only.
    TOP = tempfile.mkdtemp(prefix="eos-unpack.")
    cage = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"'
    done = subprocess.run(["unshare", "--mount", "sh", "-c", cage, TOP, *sys.argv[:2]],
                          env={**os.environ, "EOS_UNPACK_TOP": TOP})
    subprocess.run(["rm", "-rf", TOP], check=True)
    sys.exit(done.returncode)
try:
    open("/usr/eos-unpack-test", "w")
    sys.exit("the root file system can be written: refusing to unpack hostile archives")
except OSError:
    pass
OUTSIDE = os.path.join(TOP, "outside")
failures = []
count = 0

REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
CHR, BLK, FIFO = tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE


def entry(name, kind=REG, data=b"", link="", mode=None, uid=0, gid=0, mtime=1000, dev=(0, 0), pax=None):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.uid, info.gid, info.mtime = kind, link, uid, gid, mtime
    info.mode = mode if mode is not None else (0o755 if kind == DIR else 0o644)
    info.devmajor, info.devminor = dev
    info.pax_headers = pax or {}
    info.size = len(data) if kind == REG else 0
    return info, data


def tar(*entries, fmt=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def unpack(data, kind="docker", limits=()):
    """Returns (ok, output, root)."""
    directory = tempfile.mkdtemp(dir=TOP)
    archive = os.path.join(TOP, "archive")
    with open(archive, "wb") as file:
        file.write(data)
    done = subprocess.run([UNPACK, kind, archive, directory, *limits], capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1):
        raise AssertionError(f"unpack_archive: exit status {done.returncode}: {done.stdout}{done.stderr}")
    root = os.path.join(directory, "root")
    if done.returncode == 1:
        assert os.listdir(root) == [], "a failure left something in the layer"
        assert os.listdir(os.path.join(directory, "trash")) == [], "a failure left something in the trash"
    return done.returncode == 0, done.stdout.strip(), root


def tree(path):
    found = {}
    for base, directories, files in os.walk(path):
        for name in directories + files:
            full = os.path.join(base, name)
            st = os.lstat(full)
            found[os.path.relpath(full, path)] = (st.st_mode, st.st_size if stat.S_ISREG(st.st_mode) else 0)
    return found


def check(function):
    """Runs a test at once, between two looks at what must not change."""
    global count
    count += 1
    shutil.rmtree(OUTSIDE, ignore_errors=True)
    os.makedirs(OUTSIDE)
    with open(os.path.join(OUTSIDE, "secret"), "w") as file:
        file.write("secret")
    before = tree(OUTSIDE)
    try:
        function()
        assert tree(OUTSIDE) == before, f"what is outside changed: {tree(OUTSIDE)}"
        with open(os.path.join(OUTSIDE, "secret")) as file:
            assert file.read() == "secret", "a file outside was written"
        assert os.stat(os.path.join(OUTSIDE, "secret")).st_nlink == 1, "a file outside was linked"
        print("ok  ", function.__name__)
    except Exception as problem:  # the next test shall run as well
        failures.append(function.__name__)
        print("FAIL", function.__name__, repr(problem))
    subprocess.run(["rm", "-rf", *(os.path.join(TOP, name) for name in os.listdir(TOP))], check=True)


def good(data, **options):
    ok, out, root = unpack(data, **options)
    assert ok, out
    return root


def bad(data, *words, **options):
    ok, out, _ = unpack(data, **options)
    assert not ok, "it was unpacked"
    assert "\n" not in out, f"more than one line: {out!r}"
    for word in words:
        assert word in out, f"{out!r} lacks {word!r}"


def text(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def is_whiteout(*path):
    st = os.lstat(os.path.join(*path))
    return stat.S_ISCHR(st.st_mode) and st.st_rdev == 0


def is_opaque(*path):
    try:
        return os.getxattr(os.path.join(*path), "trusted.overlay.opaque") == b"y"
    except OSError:
        return False


# What is right

@check
def attributes():
    cap = bytes.fromhex("0100000200040000000000000000000000000000")
    root = good(tar(
        entry("./", DIR, mode=0o751, uid=5, gid=6, mtime=11),
        entry("d", DIR, mode=0o2770, uid=1, gid=2, mtime=12),
        entry("d/f", data=b"hello", mode=0o4755, uid=1000, gid=1001, mtime=13,
              pax={"SCHILY.xattr.security.capability": cap.decode("latin1"), "SCHILY.xattr.user.note": "x"}),
        entry("d/l", SYM, link="/nowhere/at/all", uid=7, gid=8, mtime=14),
        entry("d/p", FIFO, mode=0o640, uid=3),
        entry("d/big", data=b"x" * 300000, mtime=15),
        entry("d/h", LNK, link="d/f")))
    assert text(root, "d/f") == "hello"
    st = os.stat(root)
    assert (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, st.st_mtime) == (0o751, 5, 6, 11)
    st = os.stat(f"{root}/d")
    assert (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, st.st_mtime) == (0o2770, 1, 2, 12), st
    st = os.stat(f"{root}/d/f")
    assert (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, st.st_mtime, st.st_nlink) == (0o4755, 1000, 1001, 13, 2)
    assert os.stat(f"{root}/d/h").st_ino == st.st_ino
    assert os.getxattr(f"{root}/d/f", "user.note") == b"x"
    st = os.lstat(f"{root}/d/l")
    assert (os.readlink(f"{root}/d/l"), st.st_uid, st.st_gid, st.st_mtime) == ("/nowhere/at/all", 7, 8, 14)
    assert stat.S_ISFIFO(os.lstat(f"{root}/d/p").st_mode) and os.lstat(f"{root}/d/p").st_uid == 3
    assert os.path.getsize(f"{root}/d/big") == 300000


@check
def capability_of_gnu_tar():
    source = os.path.join(TOP, "source")
    os.makedirs(source, exist_ok=True)
    with open(f"{source}/ping", "w"):
        pass
    cap = bytes.fromhex("0100000200200000000000000000000000000000")
    os.setxattr(f"{source}/ping", "security.capability", cap)
    os.setxattr(f"{source}/ping", "trusted.other", b"host")
    archive = f"{TOP}/ping.tar"
    subprocess.run(["tar", "--xattrs", "--xattrs-include=*", "-C", source, "-cf", archive, "ping"], check=True)
    root = good(open(archive, "rb").read())
    assert os.getxattr(f"{root}/ping", "security.capability") == cap
    assert os.listxattr(f"{root}/ping") == ["security.capability"]


@check
def digests_and_compressions():
    plain = tar(entry("f", data=b"hello" * 1000))
    digest = "sha256:" + hashlib.sha256(plain).hexdigest()
    half = len(plain) // 2
    forms = {"plain": plain, "gzip": gzip.compress(plain), "bzip2": bz2.compress(plain), "xz": lzma.compress(plain),
             "gzip members": gzip.compress(plain[:half]) + gzip.compress(plain[half:])}
    if shutil.which("zstd"):
        forms["zstd"] = subprocess.run(["zstd", "-q", "-c"], input=plain, capture_output=True, check=True).stdout
    for name, data in forms.items():
        ok, out, root = unpack(data)
        assert ok and out == digest, f"{name}: {out}"
        assert text(root, "f") == "hello" * 1000


@check
def digest_covers_what_follows_the_end():
    plain = tar(entry("f", data=b"x")) + b"\0" * 4096 + b"more"
    ok, out, _ = unpack(gzip.compress(plain))
    assert ok and out == "sha256:" + hashlib.sha256(plain).hexdigest(), out


@check
def empty_layers():
    for data in (tar(), gzip.compress(tar()), b"\0" * 1024, gzip.compress(b"\0" * 1024)):
        ok, out, root = unpack(data)
        assert ok and os.listdir(root) == [], out
        assert stat.S_IMODE(os.stat(root).st_mode) == 0o755


@check
def names_of_every_form():
    long = "/".join(["d" * 200] * 5)
    for fmt in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        root = good(tar(entry("für/ünï", data=b"u"), entry(long, data=b"l"), entry("l", SYM, link="t" * 300),
                        entry("h", LNK, link=long), fmt=fmt))
        assert text(root, "für/ünï") == "u" and text(root, long) == "l" and text(root, "h") == "l"
        assert os.readlink(f"{root}/l") == "t" * 300
    root = good(tar(entry("f\udcff", data=b"raw"), fmt=tarfile.GNU_FORMAT))
    assert os.listdir(os.fsencode(root)) == [b"f\xff"]


@check
def sparse_files():
    source = os.path.join(TOP, "sparse")
    with open(source, "wb") as file:
        file.write(b"head")
        file.seek(8 << 20)
        file.write(b"tail")
    for form in (["--format=gnu"], *(["--format=posix", f"--sparse-version={version}"] for version in ("1.0", "0.1", "0.0"))):
        archive = f"{TOP}/sparse.tar"
        subprocess.run(["tar", "-S", *form, "-C", TOP, "-cf", archive, "sparse"], check=True)
        root = good(open(archive, "rb").read())
        assert open(f"{root}/sparse", "rb").read() == open(source, "rb").read(), form
        assert os.stat(f"{root}/sparse").st_blocks * 512 < 1 << 20, f"{form}: the hole was filled"


@check
def missing_parents():
    os.umask(0o077)
    root = good(tar(entry("a/b/c", data=b"x")))
    for path in ("a", "a/b"):
        st = os.stat(f"{root}/{path}")
        assert (stat.S_IMODE(st.st_mode), st.st_uid) == (0o755, 0)


@check
def later_entries_win():
    root = good(tar(entry("x", DIR), entry("x/y/z/f", data=b"old"), entry("x", data=b"file"),
                    entry("s", SYM, link="x"), entry("s", data=b"not through the link"),
                    entry("d", DIR, mode=0o700), entry("d/keep", data=b"k"), entry("d", DIR, mode=0o711, uid=9),
                    entry("t", data=b"file"), entry("t", DIR), entry("t/f", data=b"in")))
    assert text(root, "x") == "file" and text(root, "s") == "not through the link"
    assert not os.path.islink(f"{root}/s")
    assert text(root, "d/keep") == "k" and stat.S_IMODE(os.stat(f"{root}/d").st_mode) == 0o711
    assert text(root, "t/f") == "in"


@check
def hard_links():
    root = good(tar(entry("s", SYM, link="/etc/passwd"), entry("h", LNK, link="s"), entry("f", data=b"x"),
                    entry("h2", LNK, link="./f"), entry("f", LNK, link="f"), entry("h2", LNK, link="f")))
    assert os.readlink(f"{root}/h") == "/etc/passwd" and text(root, "h2") == "x" and text(root, "f") == "x"


@check
def devices():
    root = good(tar(entry("dev/null", CHR, dev=(1, 3), mode=0o666), entry("dev/mem", CHR, dev=(1, 1)),
                    entry("dev/sda", BLK, dev=(8, 0)), entry("dev/forged", CHR, dev=(0, 0))))
    assert os.listdir(f"{root}/dev") == ["null"]
    st = os.stat(f"{root}/dev/null")
    assert st.st_rdev == os.makedev(1, 3) and stat.S_IMODE(st.st_mode) == 0o666


@check
def permissions_and_times():
    root = good(tar(
        entry("sticky", DIR, mode=0o1777), entry("setgid", mode=0o2755, uid=7, gid=8), entry("none", mode=0, data=b"x"),
        entry("all", mode=0o7777, uid=1, gid=1), entry("kind", mode=0o100644), entry("big", uid=3000000000, gid=4294967294),
        entry("h", LNK, link="all", mode=0o600, uid=99), entry("dev/zero", CHR, dev=(1, 5), mode=0o622, uid=4, mtime=5),
        entry("fine", mtime=1.25), entry("before", mtime=-86400), entry("far", mtime=1 << 40)))
    modes = {name: stat.S_IMODE(os.stat(f"{root}/{name}").st_mode) for name in ("sticky", "setgid", "none", "all", "kind", "h", "dev/zero")}
    assert modes == {"sticky": 0o1777, "setgid": 0o2755, "none": 0, "all": 0o7777, "kind": 0o644, "h": 0o7777, "dev/zero": 0o622}, modes
    st = os.stat(f"{root}/big")
    assert (st.st_uid, st.st_gid) == (3000000000, 4294967294) and os.stat(f"{root}/h").st_uid == 1
    st = os.stat(f"{root}/dev/zero")
    assert (st.st_uid, st.st_mtime) == (4, 5)
    assert os.stat(f"{root}/fine").st_mtime_ns == 1250000000 and os.stat(f"{root}/before").st_mtime == -86400
    assert os.stat(f"{root}/far").st_mtime > 1 << 33  # as far as the file system knows


@check
def names_of_owners_do_not_count():
    info, data = entry("f", uid=1234, gid=1235)
    info.uname, info.gname = "root", "root"
    root = good(tar((info, data)))
    st = os.stat(f"{root}/f")
    assert (st.st_uid, st.st_gid) == (1234, 1235)


@check
def times_of_directories_are_set_last():
    root = good(tar(entry("d", DIR, mtime=10), entry("d/e", DIR, mtime=11), entry("d/e/f", data=b"x"), entry("d/g", data=b"x"),
                    entry("d/e/.wh.h")))
    assert os.stat(f"{root}/d").st_mtime == 10 and os.stat(f"{root}/d/e").st_mtime == 11


@check
def extended_attributes():
    names = {"user.a": "1", "user.b.c": "2", "security.ima": "no", "security.selinux": "no", "security.evm": "no", "trusted.x": "no",
             "system.posix_acl_access": "no", "com.apple.quarantine": "no"}
    pax = {f"SCHILY.xattr.{name}": value for name, value in names.items()}
    root = good(tar(entry("f", data=b"x", pax=pax), entry("d", DIR, pax=pax), entry("l", SYM, link="f", pax=pax),
                    entry("p", FIFO, pax=pax), entry("dev/null", CHR, dev=(1, 3), pax=pax)))
    for path in ("f", "d"):
        assert sorted(os.listxattr(f"{root}/{path}")) == ["user.a", "user.b.c"], os.listxattr(f"{root}/{path}")
    assert os.getxattr(f"{root}/f", "user.b.c") == b"2"
    for path in ("l", "p", "dev/null"):
        assert os.listxattr(f"{root}/{path}", follow_symlinks=False) == []
    # As libarchive writes them.
    root = good(tar(entry("f", pax={"LIBARCHIVE.xattr.user.a": "aGVsbG8="})))
    assert os.getxattr(f"{root}/f", "user.a") == b"hello"
    # On a directory no capability means anything, and a later entry sets all anew.
    cap = bytes.fromhex("0100000200040000000000000000000000000000").decode("latin1")
    root = good(tar(entry("d", DIR, pax={"SCHILY.xattr.security.capability": cap}),
                    entry("f", pax={"SCHILY.xattr.security.capability": cap}), entry("f", data=b"again")))
    assert os.listxattr(f"{root}/d") == [] and os.listxattr(f"{root}/f") == []


@check
def dialects():
    deep = "p" * 90 + "/" + "q" * 90
    root = good(tar(entry(deep, data=b"prefix"), fmt=tarfile.USTAR_FORMAT))
    assert text(root, deep) == "prefix"
    v7 = bytearray(tar(entry("old", data=b"v7"), fmt=tarfile.USTAR_FORMAT))
    v7[257:265] = b"\0" * 8
    v7[156] = 0
    v7[148:156] = b" " * 8
    v7[148:156] = b"%06o\0 " % sum(v7[:512])
    assert text(good(bytes(v7)), "old") == "v7"
    # A global header, as of git, counts for all that follow and is no file.
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "c0ffee", "mtime": "77"}) as archive:
        for info, data in (entry("a", data=b"x"), entry("b/c", data=b"y")):
            archive.addfile(info, io.BytesIO(data))
    root = good(out.getvalue())
    assert sorted(os.listdir(root)) == ["a", "b"] and text(root, "b/c") == "y"
    # Contiguous files are files; a volume's label and what nobody knows are not.
    root = good(tar(entry("cont", tarfile.CONTTYPE, data=b"")))
    assert os.path.isfile(f"{root}/cont")
    root = good(tar(entry("label", b"V"), entry("f", data=b"x"), fmt=tarfile.GNU_FORMAT))
    assert "f" in os.listdir(root)
    # A size beyond what eight octal digits hold.
    for fmt in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        info, _ = entry("f", mtime=8 ** 11 + 5)
        assert os.stat(good(tar((info, b""), fmt=fmt)) + "/f").st_mtime == 8 ** 11 + 5
    # Bytes that are no UTF-8, said to be so.
    info, data = entry("x", data=b"raw", pax={"hdrcharset": "BINARY"})
    assert text(good(tar((info, data))), "x") == "raw"


@check
def one_archive_after_another():
    # Two zero blocks are the end: what follows belongs to the digest alone.
    plain = tar(entry("a", data=b"x")) + tar(entry("b", data=b"y"))
    ok, out, root = unpack(plain)
    assert ok and out == "sha256:" + hashlib.sha256(plain).hexdigest() and os.listdir(root) == ["a"], (out, os.listdir(root))
    # Of one zero block nobody can say whether it is the end; tar takes it for one.
    single = tar(entry("a", data=b"x"))[:1024] + b"\0" * 512 + tar(entry("b", data=b"y"))
    ok, out, root = unpack(single)
    assert not ok or os.listdir(root) == ["a"] or sorted(os.listdir(root)) == ["a", "b"]


@check
def behind_the_compressed_stream():
    packed = gzip.compress(tar(entry("f", data=b"x")))
    good(packed + b"\0" * 512)  # padding, as of tapes
    good(packed + b"garbage that is no member")  # which gzip does not look at either; the blob's digest is of all
    bad(packed + b"\x1f\x8bgarbage that begins like one", "damaged")


@check
def frames_of_zstd():
    if not shutil.which("zstd"):
        return
    pack = lambda data: subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout
    plain = tar(entry("f", data=os.urandom(100000)), entry("g", data=b"g"))
    skippable = b"\x50\x2a\x4d\x18\x04\0\0\0skip"
    for data in (b"".join(pack(plain[i:i + 7000]) for i in range(0, len(plain), 7000)),
                 skippable + pack(plain[:600]) + skippable + pack(plain[600:])):
        ok, out, root = unpack(data)
        assert ok and out == "sha256:" + hashlib.sha256(plain).hexdigest() and text(root, "g") == "g", out


# Whiteouts

@check
def whiteouts():
    root = good(tar(entry("d", DIR), entry("d/.wh.gone"), entry(".wh.top"), entry("n/.wh.x"), entry(".wh..wh.aufs"),
                    entry(".wh..wh.plnk", DIR), entry(".wh..wh.plnk/1.2", data=b"x")))
    assert is_whiteout(root, "d/gone") and is_whiteout(root, "top") and is_whiteout(root, "n/x")
    assert sorted(os.listdir(root)) == ["d", "n", "top"]


@check
def opaque_directories():
    root = good(tar(entry("d/.wh..wh..opq"), entry("d", DIR, mode=0o711), entry("d/f", data=b"x"),
                    entry("e", DIR), entry("e/f", data=b"y"), entry("e/.wh..wh..opq"), entry(".wh..wh..opq")))
    assert is_opaque(root, "d") and is_opaque(root, "e") and is_opaque(root)
    assert stat.S_IMODE(os.stat(f"{root}/d").st_mode) == 0o711
    assert text(root, "d/f") == "x" and text(root, "e/f") == "y"
    assert sorted(os.listdir(f"{root}/d")) == ["f"]


@check
def whiteouts_never_hide_the_same_layer():
    for first in (True, False):
        marks = [entry(".wh.f"), entry(".wh.d"), entry("p/.wh.l")]
        files = [entry("f", data=b"x"), entry("d", DIR), entry("d/g", data=b"y"), entry("p", DIR),
                 entry("p/l", SYM, link="/")]
        root = good(tar(*(marks + files if first else files + marks)))
        assert text(root, "f") == "x" and text(root, "d/g") == "y" and os.readlink(f"{root}/p/l") == "/"
        assert is_opaque(root, "d"), "what is below the directory in lower layers still shows"


@check
def whiteout_of_an_unnamed_parent():
    root = good(tar(entry(".wh.a"), entry("a/b/f", data=b"x"), entry("c/.wh.d"), entry("c/d/.wh.e")))
    assert text(root, "a/b/f") == "x" and is_opaque(root, "a") and not is_opaque(root, "a/b")
    assert stat.S_IMODE(os.stat(f"{root}/a").st_mode) == 0o755
    assert is_opaque(root, "c/d") and os.listdir(f"{root}/c/d") == []


@check
def markers_are_regular_files():
    # Of another kind they are names like any other, as they can be only in a layer of somebody who means it.
    root = good(tar(entry(".wh.d", DIR), entry(".wh.l", SYM, link="x"), entry("f", data=b"x"), entry(".wh.h", LNK, link="f")))
    assert sorted(os.listdir(root)) == [".wh.d", ".wh.h", ".wh.l", "f"], os.listdir(root)
    root = good(tar(entry("a/.wh..wh..opq", DIR)))
    assert os.listdir(root) == []


@check
def opaque_in_any_order():
    parts = [entry("d", DIR, mode=0o711), entry("d/.wh..wh..opq"), entry("d/f", data=b"x"), entry("d/.wh.g"), entry("d/s", DIR),
             entry("d/s/h", data=b"y")]
    for order in ((0, 1, 2, 3, 4, 5), (2, 0, 1, 3, 4, 5), (5, 4, 3, 2, 1, 0), (1, 5, 0, 3, 4, 2), (3, 1, 2, 5, 4, 0)):
        root = good(tar(*[parts[i] for i in order]))
        assert is_opaque(root, "d") and not is_opaque(root, "d/s"), order
        assert text(root, "d/f") == "x" and text(root, "d/s/h") == "y" and stat.S_IMODE(os.stat(f"{root}/d").st_mode) == 0o711
    # Hidden, made anew and hidden once more: what is of this layer stays.
    root = good(tar(entry(".wh.d"), entry("d", DIR), entry("d/f", data=b"x"), entry(".wh.d"), entry("d/.wh..wh..opq"), entry(".wh.d")))
    assert is_opaque(root, "d") and text(root, "d/f") == "x"


@check
def whiteouts_in_opaque_directories_hide_nothing():
    for parts in ([entry("d/.wh.a"), entry("d/.wh..wh..opq"), entry("d/.wh.b")], [entry(".wh.d"), entry("d", DIR), entry("d/.wh.a")],
                  [entry("d/.wh.a"), entry("d", DIR), entry(".wh.d")]):
        root = good(tar(*parts))
        assert is_opaque(root, "d") and os.listdir(f"{root}/d") == [], os.listdir(f"{root}/d")


@check
def what_an_entry_of_the_layer_replaced_is_hidden():
    # One over the other, the file takes the place of what the layers below have, and so the directory begins empty.
    root = good(tar(entry("t", data=b"file"), entry("t", DIR), entry("d", DIR), entry("d", SYM, link="x"), entry("d", DIR), entry("e", DIR)))
    assert is_opaque(root, "t") and is_opaque(root, "d") and not is_opaque(root, "e")


@check
def a_directory_that_a_file_replaces_hides_it():
    root = good(tar(entry("d/.wh..wh..opq"), entry("d", data=b"file"), entry("e", data=b"file"), entry("e", DIR), entry("e/f", data=b"x")))
    assert text(root, "d") == "file" and text(root, "e/f") == "x"


@check
def whiteouts_that_name_nothing():
    for name in (".wh.", ".wh..", ".wh...", "d/.wh.."):
        bad(tar(entry(name)), "no possible name", f'"{name}"')


@check
def whiteout_through_a_link():
    bad(tar(entry("l", SYM, link=OUTSIDE), entry("l/.wh.secret")), "parent directory")
    bad(tar(entry("l", SYM, link=OUTSIDE), entry("l/.wh..wh..opq")), "no directory")
    root = good(tar(entry("l", SYM, link=OUTSIDE), entry(".wh..wh..opq")))
    assert is_opaque(root) and not is_opaque(OUTSIDE)


@check
def opaque_on_a_link():
    # The mark's own directory is a link to the outside.
    bad(tar(entry("d", DIR), entry("d/l", SYM, link="../../../" + OUTSIDE), entry("d/l/.wh..wh..opq")), "no directory")
    assert not is_opaque(OUTSIDE)


@check
def overlay_attributes():
    for name in ("trusted.overlay.opaque", "trusted.overlay.redirect", "user.overlay.redirect"):
        bad(tar(entry("d", DIR, pax={f"SCHILY.xattr.{name}": "/"})), "overlayfs")


# Ways out

@check
def path_escapes():
    for name in ("../secret", "a/../../secret", OUTSIDE + "/secret", "/etc/eos-test", "..", "a/..", "./../x", "a//b"):
        for fmt in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            info, data = entry(name, data=b"overwritten")
            bad(tar((info, data), fmt=fmt), "the name")
    assert not os.path.exists("/etc/eos-test")


@check
def through_a_link():
    for link in (OUTSIDE, "../../outside", "../" * 30 + OUTSIDE):
        for last in (entry("l/secret", data=b"overwritten"), entry("l/new", data=b"x"), entry("l/new", DIR),
                     entry("l/new/deep/er", data=b"x"), entry("l/new", SYM, link="x"), entry("l/new", FIFO)):
            bad(tar(entry("l", SYM, link=link), last), "parent directory")


@check
def through_links_of_links():
    bad(tar(entry("a", SYM, link="b"), entry("b", SYM, link="c"), entry("c", SYM, link=OUTSIDE),
            entry("a/secret", data=b"overwritten")), "parent directory")
    bad(tar(entry("d", DIR), entry("d/up", SYM, link=".."), entry("u", SYM, link="d/up/d/up/.."),
            entry("u/outside/secret", data=b"overwritten"), entry("l", SYM, link="l"), entry("l/x", data=b"x")),
        "parent directory")
    bad(tar(entry("l", SYM, link="/proc/self/root" + OUTSIDE), entry("l/secret", data=b"overwritten")))


@check
def links_inside_are_followed_inside():
    root = good(tar(entry("usr/lib", DIR), entry("lib", SYM, link="/usr/lib"), entry("lib/f", data=b"x"),
                    entry("up", SYM, link="../../../usr"), entry("up/g", data=b"y")))
    assert text(root, "usr/lib/f") == "x" and text(root, "usr/g") == "y"
    assert os.readlink(f"{root}/lib") == "/usr/lib"


@check
def exchanged_for_a_link():
    root = good(tar(entry("d", DIR), entry("d/f", data=b"x"), entry("d", SYM, link=OUTSIDE)))
    assert os.readlink(f"{root}/d") == OUTSIDE
    bad(tar(entry("d", DIR), entry("d", SYM, link=OUTSIDE), entry("d/secret", data=b"overwritten")))
    # A directory's time is set at the end, when something else may stand in its place.
    before = os.stat(OUTSIDE).st_mtime
    good(tar(entry("d", DIR, mtime=7), entry("d", SYM, link=OUTSIDE)))
    assert os.stat(OUTSIDE).st_mtime == before


@check
def a_link_that_changes_under_way():
    # Safe when it is made, then exchanged, then written through: each entry finds its own way anew.
    steps = [entry("in", DIR), entry("l", SYM, link="in"), entry("l/f", data=b"inside")]
    root = good(tar(*steps, entry("l", SYM, link=OUTSIDE)))
    assert text(root, "in/f") == "inside"
    bad(tar(*steps, entry("l", SYM, link=OUTSIDE), entry("l/secret", data=b"overwritten")), "parent directory")
    bad(tar(*steps, entry("in", SYM, link=OUTSIDE), entry("l/secret", data=b"overwritten")), "parent directory")
    bad(tar(entry("a/b/c", DIR), entry("a/b", SYM, link="../.."), entry("a/b/c/f", data=b"x"), entry("a/b/../f")), "the name")
    # A hard link to a link, which then is another one's way.
    bad(tar(entry("l", SYM, link=OUTSIDE), entry("h", LNK, link="l"), entry("h/secret", data=b"overwritten")), "parent directory")
    bad(tar(entry("d", DIR), entry("d/f", data=b"x"), entry("d", SYM, link=OUTSIDE), entry("h", LNK, link="d/secret")), "does not have")
    bad(tar(entry("d", DIR), entry("l", SYM, link="d"), entry("d", SYM, link=OUTSIDE), entry("l/.wh.secret")), "parent directory")
    bad(tar(entry("l", SYM, link="/proc/self/fd"), entry("l/3", data=b"x")))
    bad(tar(entry("l", SYM, link="/proc/self/cwd"), entry("l/x", data=b"x")))


@check
def targets_of_links_are_only_text():
    root = good(tar(entry("a", SYM, link="../" * 1000 + "etc"), entry("b", SYM, link="/proc/self/root"), entry("c", SYM, link="l\nf")))
    assert os.readlink(f"{root}/c") == "l\nf" and os.readlink(f"{root}/b") == "/proc/self/root"
    bad(tar(entry("l", SYM, link="")), "link to nothing")
    bad(tar(entry("l", SYM, link="x" * 5000)), "symbolic link")


@check
def names_and_depths():
    good(tar(entry("/".join(["d"] * 128), DIR)))
    bad(tar(entry("/".join(["d"] * 129), DIR)), "over 128 directories deep")
    good(tar(entry("n" * 255)))
    bad(tar(entry("n" * 256)), "over 255 bytes")
    good(tar(entry("/".join(["n" * 250] * 16))))
    bad(tar(entry("/".join(["n" * 250] * 17))), "over 4095 bytes")
    bad(tar(entry("h", LNK, link="/".join(["d"] * 129))), "target", "over 128")
    bad(tar(entry("a/./b")), '"."')
    bad(tar(entry("././a")), '"."')
    bad(tar(entry("evil\x1b[2J\n", data=b"x"), entry("evil\x1b[2J\n/..")), "evil?[2J?")


@check
def onto_a_link():
    root = good(tar(entry("l", SYM, link=OUTSIDE + "/secret"), entry("l", data=b"own")))
    assert text(root, "l") == "own"
    root = good(tar(entry("l", SYM, link=OUTSIDE), entry("l", DIR, mode=0o777, uid=1234)))
    assert os.path.isdir(f"{root}/l") and not os.path.islink(f"{root}/l")
    assert os.stat(OUTSIDE).st_uid == 0


@check
def hard_links_out():
    secret = OUTSIDE + "/secret"
    bad(tar(entry("h", LNK, link=secret)), "target", "absolute")
    bad(tar(entry("h", LNK, link="../../outside/secret")), "target", '".."')
    bad(tar(entry("h", LNK, link="nothing")), "does not have")
    bad(tar(entry("l", SYM, link=OUTSIDE), entry("h", LNK, link="l/secret")), "does not have")
    bad(tar(entry("d", DIR), entry("h", LNK, link="d")), "no file")
    bad(tar(entry("h", LNK, link=".")), "root")
    bad(tar(entry(".wh.f"), entry("h", LNK, link="f")), "no file")
    # To a link, then written through: the link itself is replaced.
    root = good(tar(entry("l", SYM, link=secret), entry("h", LNK, link="l"), entry("h", data=b"own")))
    assert text(root, "h") == "own"


@check
def odd_roots():
    bad(tar(entry(".", data=b"x")), "root is not a directory")
    bad(tar(entry(".", SYM, link=OUTSIDE)), "root is not a directory")
    bad(tar(entry("./", LNK, link="f")), "root")
    info, _ = entry("/", SYM, link=OUTSIDE)
    bad(tar((info, b"")), "root is not a directory")
    info, _ = entry("/", DIR, mode=0o750)
    assert stat.S_IMODE(os.stat(good(tar((info, b"")))).st_mode) == 0o750


@check
def odd_owners():
    bad(tar(entry("f", uid=1 << 33)), "no possible user")
    bad(tar(entry("f", uid=(1 << 32) - 1)), "no possible user")


@check
def file_as_parent():
    bad(tar(entry("f", data=b"x"), entry("f/g", data=b"x")), "parent directory", '"f/g"')


@check
def deep_trees_are_swept():
    chain, entries = "d/" * 120, []
    for i in range(12):  # links make the tree deeper than any name
        entries += [entry((f"l{i - 1}/" if i else "") + chain, DIR)]
        entries += [entry(f"l{i}", SYM, link=(f"l{i - 1}/" if i else "") + chain)]
    bad(tar(*entries, entry("../x")), "the name")
    root = good(tar(*entries, entry("d", data=b"now a file")))
    assert text(root, "d") == "now a file"


# Damage and bombs

@check
def damaged_archives():
    noise = bytes(os.urandom(200000))
    plain = tar(entry("f", data=noise), entry("g", data=b"y" * 2000))
    packed = gzip.compress(plain)
    for cut in (1, 5, 20, len(packed) // 2, len(packed) - 9):
        bad(packed[:cut], "archive")
    bad(plain[:100000], "damaged")
    bad(plain[:700], "damaged")
    bad(b"<html>404 not found</html>" * 50, "damaged")
    bad(os.urandom(5000), "archive")
    for data in (b"", gzip.compress(b"")):
        ok, out, _ = unpack(data)
        assert ok or "archive" in out, out
    for at in (len(packed) - 1, len(packed) - 5, len(packed) // 2):  # the length, the checksum, the middle
        bad(packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1:], "damaged")
    if shutil.which("zstd"):
        packed = subprocess.run(["zstd", "-q", "-c"], input=plain, capture_output=True, check=True).stdout
        bad(packed[:len(packed) // 2], "damaged")


@check
def windows_of_zstd():
    if not shutil.which("zstd"):
        return
    def pack(log):  # how far back a frame may refer depends on the options alone, since its length is not known
        return subprocess.run(["zstd", "-q", "-c", f"--long={log}"], input=plain, capture_output=True, check=True).stdout
    plain = tar(entry("f", data=b"x" * 1000))
    good(pack(25) + b"\x50\x2a\x4d\x18\x03\0\0\0abc")
    bad(pack(26), "window of 67108864 bytes, more than 33554432")


@check
def memory_for_xz():
    # A dictionary is used as far as there are bytes to remember, and zeros make many out of few.
    plain = tar(entry("f", data=b"\0" * (1 << 20)))
    pack = lambda size: lzma.compress(plain, filters=[{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": size}])
    good(pack(64 << 20))
    bad(pack(128 << 20), "xz stream needs", "more than 83886080")
    bad(pack(1 << 20) + pack(512 << 20), "xz stream needs")
    half = len(plain) // 2
    root = good(lzma.compress(plain[:half]) + b"\0" * 8 + lzma.compress(plain[half:]))
    assert os.path.getsize(f"{root}/f") == 1 << 20
    packed = lzma.compress(plain)
    for data in (packed[:-1], packed[:len(packed) // 2], packed[:8]):
        bad(data, "xz stream is truncated")
    bad(packed + b"more than a header", "cannot be inflated")
    bad(packed[:100] + bytes([packed[100] ^ 1]) + packed[101:], "cannot be inflated")


@check
def last_block_may_be_short():
    plain = tar(entry("f", data=b"x" * 700), entry("g", data=b"hi\n"))
    whole = plain[:plain.index(b"hi\n") + 3]
    for data in (whole, gzip.compress(whole)):  # as umoci and others write it who do not close the archive
        root = good(data)
        assert text(root, "g") == "hi\n" and text(root, "f") == "x" * 700
    bad(whole[:1000], "damaged")


@check
def limits():
    many = tar(*[entry(f"f{i}") for i in range(101)])
    bad(many, "more than 100 entries", limits=["entries=100"])
    good(many, limits=["entries=101"])
    bad(tar(*[entry(f".wh.f{i}") for i in range(101)]), "more than 100 entries", limits=["entries=100"])
    bad(tar(entry("f", data=b"x" * 3000000)), "more than 2000000 bytes together", limits=["bytes=2000000"])
    bad(tar(entry("f", data=b"x")) + b"\0" * 3000000, "inflates to more than 2000000 bytes", limits=["bytes=2000000"])
    bomb = gzip.compress(tar(entry("f", data=b"\0" * (8 << 20))))
    bad(bomb, "more than 200 times its size", limits=["ratio_free_bytes=1048576"])
    bad(tar(*[entry(f"{i}" * 100, DIR) for i in range(9)]), "directories", limits=["directory_bytes=500"])
    good(gzip.compress(tar(entry("f", data=b"\0" * (8 << 20)))))


@check
def huge_sizes():
    info = tarfile.TarInfo("f")
    info.size = 1 << 60
    bad(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024, "more than 68719476736 bytes")
    source = os.path.join(TOP, "hole")
    with open(source, "wb") as file:
        file.truncate(1 << 40)
    archive = f"{TOP}/hole.tar"
    subprocess.run(["tar", "-S", "-C", TOP, "-cf", archive, "hole"], check=True)
    os.unlink(source)
    bad(open(archive, "rb").read(), "more than 68719476736 bytes")


@check
def header_bombs():
    bad(tar(entry("f", pax={"SCHILY.xattr.user.x": "x" * (3 << 20)})), "archive")
    # A sparse map that never ends costs memory for each of its numbers.
    numbers = b"9999999\n" + b"".join(b"%d\n1\n" % (i * 2) for i in range(1500000))
    numbers += b"\0" * (-len(numbers) % 512)
    info, _ = entry("f", pax={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "f",
                              "GNU.sparse.realsize": "99999999"})
    info.size = len(numbers)
    bad(tar((info, numbers)), "header of an entry", "4194304 bytes")


# AppC

MANIFEST = entry("manifest", data=b'{"acKind":"ImageManifest"}')


@check
def appc():
    plain = tar(MANIFEST, entry("rootfs", DIR, mode=0o751), entry("rootfs/f", data=b"x"), entry("rootfs/h", LNK, link="rootfs/f"),
                entry("rootfs/.wh.f", data=b"literal"))
    ok, out, root = unpack(gzip.compress(plain), kind="appc")
    assert ok and out == "sha512-" + hashlib.sha512(plain).hexdigest(), out
    assert sorted(os.listdir(root)) == [".wh.f", "f", "h"] and stat.S_IMODE(os.stat(root).st_mode) == 0o751
    good(tar(entry("./", DIR), entry("./rootfs", DIR), entry("./manifest", data=b"{}")), kind="appc")


@check
def appc_refused():
    bad(tar(entry("rootfs", DIR)), 'no file "manifest"', kind="appc")
    bad(tar(MANIFEST), 'no directory "rootfs"', kind="appc")
    bad(tar(MANIFEST, entry("rootfs", DIR), entry("other")), "neither", '"other"', kind="appc")
    bad(tar(MANIFEST, MANIFEST, entry("rootfs", DIR)), "one regular file", kind="appc")
    bad(tar(entry("manifest", SYM, link=OUTSIDE + "/secret"), entry("rootfs", DIR)), "one regular file", kind="appc")
    bad(tar(entry("manifest", DIR), entry("rootfs", DIR)), "one regular file", kind="appc")
    bad(tar(MANIFEST, entry("rootfs", SYM, link=OUTSIDE)), "root is not a directory", kind="appc")
    bad(tar(MANIFEST, entry("rootfs", DIR), entry("rootfs/h", LNK, link="manifest")), "out of rootfs", kind="appc")
    bad(tar(MANIFEST, entry("rootfs/../x", data=b"x")), '".."', kind="appc")
    bad(tar(entry("manifest", data=b"x" * (2 << 20)), entry("rootfs", DIR)), "1048576 bytes", kind="appc")


print(f"{count - len(failures)} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
