"""service_world: pinward-agent --service as a user of its own, and users of it with a session each: real uids, which need no
account. Only root can make processes of theirs.

Environment as agent_world's.
"""
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess

import agent_world
import softhsm_token
from agent_world import check, until

SERVICE, MING, HUA, STRANGER = 64901, 64902, 64903, 64904


def give(path, uid):
    """The file, or the folder with all that is in it."""
    for each in (path, *path.rglob("*")):
        os.chown(each, uid, uid, follow_symlinks=False)


class User:
    """Somebody who is logged in to the machine: a folder with what their pinentry answers, a prompter, programs."""

    def __init__(self, world, uid):
        self.world, self.uid, self.home = world, uid, world.root / f"home-{uid}"
        (self.home / "pinentry").mkdir(parents=True)
        self.script("")
        give(self.home, uid)
        self.home.chmod(0o700)
        self.prompters, self.clients = [], []

    @property
    def place(self):
        """What the service keeps of this user's."""
        return self.world.var / str(self.uid)

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8", "TERM": "xterm",
                "ASAN_OPTIONS": "detect_leaks=0:intercept_tls_get_addr=0",
                "PINWARD_CLIENT_MODULE": os.environ["PINWARD_P11_CLIENT"],
                "P11_KIT_SERVER_ADDRESS": f"unix:path={self.world.socket}"}

    def start(self, *command, environment=None, **options):
        return subprocess.Popen(command, env={**self.environment(), **(environment or {})}, cwd="/", user=self.uid,
                                group=self.uid, extra_groups=[], text=True,
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                   **options})

    def run(self, *command, **options):
        """Exit status, and what it said."""
        process = self.start(*command, **options)
        out, err = process.communicate(timeout=agent_world.TIMEOUT_S)
        return process.returncode, out + err

    def prompter(self):
        """In this user's session, until the end of the test."""
        environment = {"SCRIPTED_PINENTRY_DIR": str(self.home / "pinentry"), "PINWARD_CONF": str(self.world.conf),
                       "GPG_TTY": ""}
        process = self.start(self.world.agent_program, "--prompt", "--socket", self.world.socket, environment=environment)
        self.prompters.append(process)
        check("are put here" in process.stdout.readline(), "the prompter does not begin")
        return process

    def client(self):
        """agent_client.py, with nothing but the socket's address."""
        client = agent_world.Client.__new__(agent_world.Client)
        client.process = self.start("/usr/bin/python3", "-B", self.world.bin / "agent_client.py", stdin=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL)
        client.pid = client.process.pid
        self.clients.append(client)
        return client

    def script(self, *answers):
        path = self.home / "pinentry" / "script"
        path.write_text("".join(f"{answer}\n" for answer in answers))
        os.chown(path, self.uid, self.uid)

    def asked(self):
        path = self.home / "pinentry" / "log"
        return path.read_text() if path.exists() else ""

    def windows(self):
        return re.findall(r"^  DESC (.*)$", self.asked(), flags=re.M)

    def end(self):
        for client in self.clients:
            client.kill()
        for process in self.prompters:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=agent_world.TIMEOUT_S)


class World(agent_world.World):
    """The service's own; whatever of agent_world.World is about one user's agent is about the service here."""

    def __init__(self, folder, clients=f"{MING} {HUA}", lines="", always_authenticate=True):
        self.root = pathlib.Path(folder)
        self.root.chmod(0o755)
        self.bin, self.var, self.conf = self.root / "bin", self.root / "var", self.root / "pinward.conf"
        self.socket = self.root / "run" / "agent.socket"
        self.users, self.agent, self.clients, self.prefix = {}, None, [], []
        self.bin.mkdir(mode=0o755)
        for source in (os.environ["PINWARD_AGENT"], os.environ["PINWARD_SCRIPTED_PINENTRY"],
                       pathlib.Path(__file__).parent / "agent_client.py"):
            shutil.copy(source, self.bin)  # the build may lie where other users cannot go
        self.agent_program = self.bin / "pinward-agent"
        self.agent_program.chmod(0o711)  # as it is installed
        self.conf.write_text(f"[module]\nbackend = {os.environ['PINWARD_SOFTHSM']}\n{lines}"
                             f"pinentry = {self.bin}/scripted-pinentry\n[log]\nlevel = debug\n"
                             f"[service]\nuser = {SERVICE}\nclients = {clients}\nfolder = {self.var}\n")
        self.conf.chmod(0o644)
        self.card = self.root / "card"
        softhsm_token.make(self.card, decrypt=False, always_authenticate=always_authenticate)

    def give_token(self, uid):
        """The user gets a token, which the service keeps."""
        place = self.var / str(uid)
        shutil.copytree(self.card / "tokens", place / "tokens")
        give(place, SERVICE)
        for each in (place, *place.rglob("*")):
            each.chmod(0o700 if each.is_dir() else 0o600)

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.var), "LC_ALL": "C.UTF-8",
                "ASAN_OPTIONS": "detect_leaks=0:intercept_tls_get_addr=0", "PINWARD_CONF": str(self.conf)}

    def start(self, *arguments, tokens=(MING,)):
        """As root, who makes the folders and becomes the service's user."""
        for uid in tokens:
            if not (self.var / str(uid)).exists():
                self.var.mkdir(mode=0o700, exist_ok=True)
                os.chown(self.var, SERVICE, SERVICE)
                self.give_token(uid)
        self.agent = subprocess.Popen([self.agent_program, "--service", "--socket", self.socket, *arguments],
                                      env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        return self.agent.stdout.readline()

    def user(self, uid):
        if uid not in self.users:
            self.users[uid] = User(self, uid)
        return self.users[uid]

    def ledger_of(self, uid):
        path = self.var / str(uid) / "state" / "pinward" / "ledger.jsonl"
        return [agent_world.json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def log(self):
        return "".join(path.read_text(errors="replace") for path in sorted(self.var.rglob("pinward.log")))

    def kill(self):
        self.agent.send_signal(signal.SIGKILL)
        self.agent.communicate(timeout=agent_world.TIMEOUT_S)

    def end(self):
        for user in self.users.values():
            user.end()
        super().end()


def sees_programs():
    """May root here tell other users' programs? A container may not let it (CAP_SYS_PTRACE)."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    return bool(int(re.search(r"^CapEff:\t([0-9a-f]+)$", status, flags=re.M).group(1), 16) >> 19 & 1)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def run_all(tests, prefix):
    """As agent_world.run_all."""
    if os.geteuid() == 0:
        agent_world.run_all(tests, prefix, World)
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        print(f"ok {number} - {test.__name__} # SKIP needs root, to be several users")
