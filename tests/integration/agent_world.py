"""agent_world: one pinward-agent on a SoftHSM2 token of its own, with the scripted pinentry, and the programs that connect.

Environment (set by CTest): PINWARD_AGENT, PINWARD_TOOL, PINWARD_SCRIPTED_PINENTRY, PINWARD_SOFTHSM, PINWARD_P11_CLIENT.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import softhsm_token

PIN = softhsm_token.PIN = "739146-pin"  # which no library has in its memory by chance
TIMEOUT_S = 40


def check(condition, message="check failed"):
    if not condition:
        raise AssertionError(message)


def until(condition, message):
    """Waits for what another process is about to do."""
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        check(time.monotonic() < end, message)
        time.sleep(0.02)


def parent(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[1])
    except OSError:  # it has ended
        return 0


def descendants(pid):
    """Processes below pid."""
    rows = [(int(name), parent(name)) for name in os.listdir("/proc") if name.isdecimal()]
    found, last = {pid}, set()
    while found != last:
        last = set(found)
        found |= {child for child, above in rows if above in found}
    return found - {pid}


class World:
    def __init__(self, folder, lines="", always_authenticate=True):
        self.root = pathlib.Path(folder)
        softhsm_token.make(self.root / "card", decrypt=False, always_authenticate=always_authenticate)
        for name in ("pinentry", "state", "run", "home"):
            (self.root / name).mkdir(mode=0o700)
        self.socket = self.root / "run" / "pinward" / "agent.socket"
        self.script("")
        conf = self.root / "pinward.conf"
        conf.write_text(f"[module]\nbackend = {os.environ['PINWARD_SOFTHSM']}\n"
                        f"pinentry = {os.environ['PINWARD_SCRIPTED_PINENTRY']}\n{lines}"
                        f"[log]\nfile = {self.root}/pinward.log\nlevel = debug\n")
        conf.chmod(0o600)
        self.prefix = []  # of every command line
        self.asan_options = ""
        self.agent = None
        self.clients = []

    def configure(self, *lines):
        """More of the configuration."""
        with open(self.root / "pinward.conf", "a", encoding="utf-8") as conf:
            conf.write("".join(f"{line}\n" for line in lines))

    def replace(self, old, new):
        """Something else in the configuration."""
        conf = self.root / "pinward.conf"
        text = conf.read_text()
        check(old in text, f"{old} is not in the configuration")
        conf.write_text(text.replace(old, new))

    def without_privileges(self):
        """Tests may run as root; from here on its programs are an ordinary user's, without any capability."""
        if os.geteuid() == 0:
            self.prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

    def environment(self):
        # LeakSanitizer reads the memory of its own process, which the agent forbids to everybody.
        return {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "LC_ALL": "C.UTF-8",
                "ASAN_OPTIONS": "detect_leaks=0:intercept_tls_get_addr=0" + self.asan_options,
                "SOFTHSM2_CONF": str(self.root / "card" / "softhsm2.conf"),
                "PINWARD_CONF": str(self.root / "pinward.conf"), "XDG_STATE_HOME": str(self.root / "state"),
                "XDG_RUNTIME_DIR": str(self.root / "run"), "SCRIPTED_PINENTRY_DIR": str(self.root / "pinentry"),
                "PINWARD_CLIENT_MODULE": os.environ["PINWARD_P11_CLIENT"],
                "P11_KIT_SERVER_ADDRESS": f"unix:path={self.socket}"}

    def client_environment(self):
        """Nothing of the token, the configuration or the pinentry: a program needs none of it."""
        environment = self.environment()
        for name in ("SOFTHSM2_CONF", "PINWARD_CONF", "SCRIPTED_PINENTRY_DIR", "XDG_STATE_HOME"):
            del environment[name]
        return environment

    # -- the agent

    def start(self, *arguments, **options):
        self.agent = subprocess.Popen([*self.prefix, os.environ["PINWARD_AGENT"], *arguments], env=self.environment(),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, **options)
        return self.agent.stdout.readline()

    def stop(self):
        """Its exit status and what it said."""
        if self.agent.poll() is None:
            self.agent.terminate()
        out, err = self.agent.communicate(timeout=TIMEOUT_S)
        return self.agent.returncode, out + err

    def control(self, request):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.connect(f"{self.socket}.control")
            connection.send(request.encode() + b"\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        return answer.decode().splitlines()

    def connections(self):
        """(its process, the client's process, the client's program) of each."""
        rows = [line.split(" ", 4) for line in self.control("status") if line.startswith("connection ")]
        return [(int(row[1]), int(row[2]), row[4]) for row in rows]

    # -- programs

    def run(self, *command, **options):
        return subprocess.run([*self.prefix, *command], env=self.client_environment(), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=TIMEOUT_S, cwd=self.root, **options)

    def pkcs11_tool(self, *arguments):
        return self.run("pkcs11-tool", "--module", os.environ["PINWARD_P11_CLIENT"], *arguments)

    def client(self, **environment):
        client = Client(self, **environment)
        self.clients.append(client)
        return client

    # -- what the user does, and what was asked and decided

    def script(self, *answers):
        (self.root / "pinentry" / "script").write_text("".join(f"{answer}\n" for answer in answers))

    def windows(self):
        log = self.root / "pinentry" / "log"
        return re.findall(r"^  DESC (.*)$", log.read_text(), flags=re.M) if log.exists() else []

    def ledger(self):
        path = self.root / "state" / "pinward" / "ledger.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def log(self):
        path = self.root / "pinward.log"
        return path.read_text() if path.exists() else ""

    def end(self):
        for client in self.clients:
            client.kill()
        if self.agent:
            if self.agent.poll() is None:
                self.agent.terminate()
            self.agent.communicate(timeout=TIMEOUT_S)


class Client:
    """agent_client.py as a process."""

    def __init__(self, world, **environment):
        script = pathlib.Path(__file__).parent / "agent_client.py"
        self.process = subprocess.Popen([*world.prefix, sys.executable, "-B", script],
                                        env={**world.client_environment(), **environment}, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.pid = self.process.pid

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)

    def answer(self):
        return self.process.stdout.readline().strip().split(" ")[-1]

    def __call__(self, line):
        self.ask(line)
        return self.answer()

    def ready(self):
        """Logged in, with the PIN that the next line of the pinentry's script has."""
        for line in ("init", "session", "login"):
            answer = self(line)
            check(answer == "0x00000000", f"{line} answered {answer}")

    def kill(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.communicate(timeout=TIMEOUT_S)


def run_all(tests, prefix, make_world=World):
    """Each test in a world of its own, made with the options that it may have as an attribute; TAP."""
    failed = 0
    chosen = [test for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]]
    print(f"1..{len(chosen)}")
    for number, test in enumerate(chosen, 1):
        folder = tempfile.mkdtemp(prefix=prefix)  # under /tmp: the name of a socket is short
        world = None
        try:
            world = make_world(folder, **getattr(test, "options", {}))
            skipped = test(world)
            print(f"ok {number} - {test.__name__}{f' # SKIP {skipped}' if skipped else ''}", flush=True)
        except Exception:  # any failure, also of a helper, is this test's
            failed += 1
            print(f"not ok {number} - {test.__name__}")
            print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
            if world:
                print("# " + "\n# ".join(world.log().splitlines()[-300:]), flush=True)
        finally:
            if world:
                world.end()
            shutil.rmtree(folder)
    sys.exit(1 if failed else 0)
