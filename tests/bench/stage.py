"""stage: where the bench runs: what was built, a folder of its own, configurations and tokens in it, and servers that end
with it.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
TOKEN = "bench"


class Settings:
    """How long, and what for."""

    def __init__(self):
        self.seconds = 1.0
        self.quick = False
        self.write = False


class Cannot(Exception):
    """What this machine does not let the bench do, in one sentence."""


def built():
    """The folder of the build that is measured."""
    return pathlib.Path(os.environ.get("PINWARD_BENCH_BUILD") or ROOT / "build" / "release")


def library(*candidates):
    """The first of these that is installed, where {multiarch} is the machine's folder of libraries."""
    multiarch = f"/usr/lib/{os.uname().machine}-linux-gnu"
    for candidate in candidates:
        path = candidate.format(multiarch=multiarch)
        if os.path.exists(path):
            return path
    return None


class Stage:
    """One folder, and all that runs in it. The name of the folder with sockets is short, since a socket's path must be."""

    def __init__(self, settings):
        self.settings = settings
        self.folder = pathlib.Path(os.environ.get("PINWARD_BENCH_FOLDER") or ROOT / "build" / "bench")
        self.work = self.folder / "work"
        self.processes = []

    def __enter__(self):
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="pinward-bench-"))
        return self

    def __exit__(self, *why):
        self.end_all()
        shutil.rmtree(self.sockets, ignore_errors=True)
        shutil.rmtree(self.work, ignore_errors=True)

    # -- programs --

    def program(self, name):
        return str(built() / "tests" / "bench" / f"pinward-bench-{name}")

    @property
    def module(self):
        return str(built() / "pkcs11-module" / "pinward-pkcs11.so")

    @property
    def agent(self):
        return str(built() / "pkcs11-module" / "agent" / "pinward-agent")

    @property
    def pinentry(self):
        return str(built() / "tests" / "pinentry" / "scripted-pinentry")

    def environment(self, folder, **more):
        return {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": str(folder / "state"),
                "XDG_RUNTIME_DIR": str(self.sockets), "PINWARD_CONF": str(folder / "pinward.conf"),
                "SOFTHSM2_CONF": str(folder / "softhsm2.conf"), "SCRIPTED_PINENTRY_DIR": str(folder), **more}

    def run(self, *words, env, timeout=900):
        """What the program printed. It must end well."""
        done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def serve(self, words, env, ready, log):
        """Starts a server and waits until ready() is true; Cannot, with its last words, when it ends before that."""
        with open(log, "wb") as said:
            server = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                      start_new_session=True)
        self.processes.append(server)
        for _ in range(400):
            if ready():
                return server
            if server.poll() is not None:
                break
            time.sleep(0.05)
        lines = pathlib.Path(log).read_text(errors="replace").split("\n")
        raise Cannot(f"{os.path.basename(words[0])} does not serve: {' '.join(lines[-3:]).strip() or 'no reason given'}")

    def end(self, server):
        """Ends the server with all that it started."""
        if server in self.processes:
            self.processes.remove(server)
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(server.pid, number)
                server.wait(timeout=5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass

    def end_all(self):
        for server in list(self.processes):
            self.end(server)

    # -- tokens --

    def configure(self, folder, *lines):
        """Pinward's configuration: keys of the bench are at level low, unless lines say otherwise."""
        folder.mkdir(parents=True, exist_ok=True)
        text = ["[module]", f"pinentry = {self.pinentry}", *lines, "[log]", f"file = {folder}/pinward.log"]
        (folder / "pinward.conf").write_text("\n".join(text) + "\n")
        os.chmod(folder / "pinward.conf", 0o600)

    def store(self, folder):
        """An empty SoftHSM2 store there."""
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([ROOT / "softhsm-config" / "make-store", folder], check=True, stdout=subprocess.DEVNULL)

    def filled_store(self, folder, objects):
        """The store with the token of the bench. It is filled in memory where there is a file system for that, since SoftHSM2
        waits for the disk at each object, and then copied."""
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.store(folder)
        with tempfile.TemporaryDirectory(prefix="pinward-bench-", dir=memory) as scratch:
            self.store(pathlib.Path(scratch))
            env = {**self.environment(folder), "SOFTHSM2_CONF": f"{scratch}/softhsm2.conf"}
            self.run(self.program("fill"), SOFTHSM, TOKEN, str(objects), env=env)
            shutil.copytree(f"{scratch}/tokens", folder / "tokens", dirs_exist_ok=True)


def say(text):
    print(text, file=sys.stderr, flush=True)
