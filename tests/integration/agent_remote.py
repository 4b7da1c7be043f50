"""Connections that a real sshd or ssh forwards to pinward-agent: refused unless the configuration allows them, then shown as
what they are, with the PIN at every use.

Environment besides agent_world's: PINWARD_SSHD, a folder in which an sshd is unpacked, when /usr/sbin has none.
"""
import json
import os
import platform
import shutil
import socket
import subprocess

import agent_world
from agent_world import PIN, check, until

OK, DEVICE_ERROR = "0x00000000", "0x00000030"
ASK = "level = low\nlogin-grace = 30s\n[remote]\naccess = ask\n"


def find_sshd():
    """The program, and what it needs in its environment."""
    fetched = os.environ["PINWARD_SSHD"]
    if os.access("/usr/sbin/sshd", os.X_OK):
        return "/usr/sbin/sshd", {}
    libraries = ":".join(f"{fetched}{folder}/{platform.machine()}-linux-gnu" for folder in ("/lib", "/usr/lib"))
    return f"{fetched}/usr/sbin/sshd", {"LD_LIBRARY_PATH": libraries}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sshd:
    """One of the test's own on loopback, without the rights of root: where the test has them, in a namespace in which that
    is somebody else. It lets in whoever has the key that is made for it."""

    def __init__(self, world):
        self.world, self.root, self.port = world, world.root / "ssh", free_port()
        self.root.mkdir(mode=0o700)
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.root / name], check=True)
        shutil.copy(self.root / "user_key.pub", self.root / "authorized_keys")
        (self.root / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.root}/host_key\n"
            f"AuthorizedKeysFile {self.root}/authorized_keys\nStrictModes no\nUsePAM no\nPidFile none\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nStreamLocalBindUnlink yes\n")
        self.user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        self.processes = []
        program, environment = find_sshd()
        self.said = open(self.root / "said", "w+b")
        self.processes.append(subprocess.Popen(
            [*self.as_somebody(), program, "-D", "-e", "-f", self.root / "config"], stdin=subprocess.DEVNULL,
            stdout=self.said, stderr=self.said, env={**os.environ, **environment}))
        until(lambda: b"listening on 127.0.0.1" in (self.root / "said").read_bytes(), "sshd does not listen")

    def as_somebody(self):
        if os.geteuid() != 0:
            return []
        self.user = "somebody"
        (self.root / "passwd").write_text(f"somebody:x:1000:1000::{self.root}:/bin/sh\n")
        return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                'mount --bind "$1" /etc/passwd && shift && exec unshare --user --map-user=1000 --map-group=1000 "$@"', "sh",
                self.root / "passwd"]

    def forward(self, *option):
        """An ssh that forwards until the end of the test."""
        self.processes.append(subprocess.Popen(
            ["ssh", "-F", "none", "-N", "-p", str(self.port), "-i", self.root / "user_key", "-o", "IdentitiesOnly=yes",
             "-o", f"UserKnownHostsFile={self.root}/known_hosts", "-o", "StrictHostKeyChecking=accept-new",
             "-o", "ExitOnForwardFailure=yes", *option, f"{self.user}@127.0.0.1"],
            stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said))

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=agent_world.TIMEOUT_S)
        self.said.close()


def forwarded(test):
    """Runs test(world, far, through) for a socket that sshd connects (ssh -L), and one that ssh does (ssh -R)."""
    def run(world):
        if os.geteuid() == 0 and subprocess.run(["unshare", "--user", "--map-root-user", "true"], check=False,
                                                capture_output=True).returncode != 0:
            return "sshd would need rights of root, and this machine allows no other user here"
        sshd = None
        try:
            sshd = Sshd(world)
            for option, through in (("-L", "sshd"), ("-R", "ssh")):
                far = world.root / "run" / f"far{option}"
                sshd.forward(option, f"{far}:{world.socket}")
                until(far.exists, f"ssh {option} does not forward: {(sshd.root / 'said').read_bytes().decode()}")
                test(world, far, through)
        finally:
            if sshd:
                sshd.end()
        return None
    run.__name__ = test.__name__
    return run


def client_of(world, address):
    """A program of the other machine's: all that it has is the forwarded socket."""
    environment = world.client_environment
    world.client_environment = lambda: {**environment(), "P11_KIT_SERVER_ADDRESS": f"unix:path={address}"}
    try:
        return world.client()
    finally:
        world.client_environment = environment


@forwarded
def test_forwarded_is_refused(world, far, through):
    """By default; a local program is served meanwhile. Nobody is asked anything, and the log says how to allow it."""
    if not world.agent:
        world.start()
    refused = world.log().count("forwarded from another machine")
    check(client_of(world, far)("init") != OK, f"{through}: it is served")
    until(lambda: world.log().count("forwarded from another machine") == refused + 1, "the log does not say so")
    check("access = ask in [remote]" in world.log() and world.windows() == [] and world.ledger() == [], world.log())
    check(world.client()("init") == OK, "a local program is not served")


@forwarded
def test_forwarded_needs_the_pin_at_every_use(world, far, through):
    """Allowed, it is shown as remote in window and ledger, and level low is not its."""
    if not world.agent:
        with open(world.root / "pinward.conf", "r+", encoding="utf-8") as conf:
            text = conf.read()
            conf.seek(0)
            conf.write(text.replace("[log]", f"{ASK}[log]"))
        world.start()
    windows, lines = len(world.windows()), len(world.ledger())
    world.script(f"pin {PIN}", f"pin {PIN}", "cancel")
    client = client_of(world, far)
    client.ready()
    check(client("sign") == OK and len(world.windows()) == windows + 2, "level low is not enough")
    check(client("sign") != OK and len(world.windows()) == windows + 3, "each use asks")
    for window in world.windows()[windows:]:
        check("first use of a key" not in window, "a remote login has no grace")
        check("REMOTE, through: " in window and f"{through} (process" in window, window)
    written = world.ledger()[lines:]
    check([(line["operation"], line["verdict"], line.get("remote")) for line in written] ==
          [("login", "allowed", True), ("sign", "allowed", True), ("sign", "denied", True)], json.dumps(written))
    shown = subprocess.run([os.environ["PINWARD_TOOL"], "log", "show"], env=world.environment(), capture_output=True,
                           text=True, timeout=agent_world.TIMEOUT_S, check=True)
    check("(remote)" in shown.stdout, shown.stdout)


def test_server_of_p11_kit_is_one(world):
    """It serves others, who are not here to be named."""
    world.start()
    far = world.root / "run" / "far"
    server = subprocess.Popen(
        ["p11-kit", "server", "-f", "-n", far, "--provider", os.environ["PINWARD_P11_CLIENT"], "pkcs11:"],
        env=world.client_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(far.exists, "p11-kit server does not serve")
        client = client_of(world, far)
        check(client("init") != OK or client("session") != OK, "it is served")
        until(lambda: "forwarded from another machine" in world.log(), "the refusal is not in the log")
    finally:
        server.terminate()
        server.wait(timeout=agent_world.TIMEOUT_S)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    # A key that its token does not protect by itself, so that its level is the rules' to say.
    agent_world.run_all(TESTS, "pinward-remote-",
                        lambda folder: agent_world.World(folder, always_authenticate=False))
