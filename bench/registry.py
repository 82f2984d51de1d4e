"""For the benches that need a registry: one of their own, on tmpfs, that is gone when they end."""
import hashlib, http.client, json, os, random, re, shutil, signal, subprocess, sys, tempfile, time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("EOS_BIN", os.path.join(SOURCE, "build/bin"))
BUILD = os.path.dirname(os.path.abspath(BIN))
OCI = "application/vnd.oci.image."


def run(*command, **options):
    options.setdefault("stdout", subprocess.DEVNULL)
    return subprocess.run(command, check=True, stderr=subprocess.PIPE, **options)


def timed(*command, **options):
    """Milliseconds of a whole process."""
    started = time.perf_counter()
    run(*command, **options)
    return (time.perf_counter() - started) * 1000


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"bench: {what} within {seconds} s")
        time.sleep(0.05)


# -- a registry, with everything that it is asked in its log --------------------------------------------

class Registry:
    def __init__(self, directory):
        self.directory = directory
        self.log = open(f"{directory}/registry.log", "w+b")
        for _ in range(5):
            self.address = f"127.0.0.1:{random.randrange(20000, 30000)}"
            self.start()
            if self.process.poll() is None:
                return
        raise SystemExit("bench: the registry did not start")

    def start(self):
        config = f"{self.directory}/registry.yml"
        with open(config, "w") as file:
            json.dump({"version": 0.1, "log": {"level": "warn"}, "http": {"addr": self.address},
                       "storage": {"filesystem": {"rootdirectory": f"{self.directory}/registry"}}}, file)
        self.process = subprocess.Popen(["docker-registry", "serve", config], stdout=self.log, stderr=subprocess.STDOUT)
        wait_for(lambda: self.process.poll() is not None or self.answers(), 20, "the registry did not answer")

    def answers(self):
        try:
            return self.request("GET", "/v2/").status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def request(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection(self.address)
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def push_blob(self, repository, file):
        with open(file, "rb") as opened:
            digest = "sha256:" + hashlib.file_digest(opened, "sha256").hexdigest()
            opened.seek(0)
            where = self.request("POST", f"/v2/{repository}/blobs/uploads/").getheader("Location").split(self.address, 1)[1]
            answer = self.request("PUT", f"{where}&digest={digest}", opened, {"Content-Length": str(os.path.getsize(file))})
        assert answer.status == 201, answer.status
        return {"digest": digest, "size": os.path.getsize(file)}

    def push(self, repository, layers, tags=("1",)):
        """`layers`: (file, form, diff_id), the lowest first.  Each tag gets a manifest of its own."""
        config = f"{self.directory}/config.json"
        with open(config, "w") as file:
            json.dump({"architecture": "amd64" if os.uname().machine == "x86_64" else "arm64", "os": "linux", "config": {},
                       "rootfs": {"type": "layers", "diff_ids": [diff_id for _, _, diff_id in layers]}}, file)
        config = {"mediaType": OCI + "config.v1+json", **self.push_blob(repository, config)}
        layers = [{"mediaType": OCI + "layer.v1.tar+" + form, **self.push_blob(repository, file)} for file, form, _ in layers]
        for tag in tags:
            manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": layers,
                                   "annotations": {"tag": tag}}).encode()
            answer = self.request("PUT", f"/v2/{repository}/manifests/{tag}", manifest,
                                  {"Content-Type": OCI + "manifest.v1+json"})
            assert answer.status == 201, answer.status

    def blob_requests(self, start):
        """How often each blob was given since the log had `start` bytes."""
        counts = {}
        with open(f"{self.directory}/registry.log", errors="replace") as log:
            log.seek(start)
            for digest in re.findall(r'"GET /v2/\S+/blobs/(sha256:\w+) HTTP/1.1" 200', log.read()):
                counts[digest] = counts.get(digest, 0) + 1
        return counts


def digest_of(file):
    with open(file, "rb") as opened:
        return "sha256:" + hashlib.file_digest(opened, "sha256").hexdigest()


def with_registry(name, work):
    """Calls `work` with a registry and a directory, and ends both however it ends."""
    directory = tempfile.mkdtemp(prefix=f"eos-bench-{name}.", dir=os.environ.get("EOS_BENCH_TMPFS", "/dev/shm"))
    registry = None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        registry = Registry(directory)
        work(registry, directory)
    except subprocess.CalledProcessError as error:
        said = (error.stdout or error.stderr[:0]) + error.stderr
        raise SystemExit(f"{name}: {' '.join(error.cmd)}: {said[-500:]}")
    finally:
        if registry:
            registry.stop()
        shutil.rmtree(directory, ignore_errors=True)
