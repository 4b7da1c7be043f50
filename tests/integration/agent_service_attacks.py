"""What programs of a user's try against pinward-agent --service: the service's files and processes are another user's, so
that none of it works. Each attack is made on something of the attacker's own, too, where it does."""
import json
import os
import shutil
import subprocess

import agent_world
import service_world
from agent_world import PIN, check
from service_world import HUA, MING, SERVICE

OK = "0x00000000"

# As the attacker: tries everything on each path, and says what worked.
ON_FILES = r"""
import os, sys

def worked(name, attack, *arguments):
    try:
        attack(*arguments)
        print(name)
    except PermissionError:
        pass

def read(path):
    with open(path, "rb") as file:
        file.read(1)

def append(path):
    with open(path, "ab") as file:
        file.write(b"x")

def replace(path):
    os.rename(path, path + ".old")
    with open(path, "wb") as file:
        file.write(b"another")

for path in sys.argv[1:]:
    if os.path.basename(path) == "folder":
        path = os.path.dirname(path)
        worked(f"list {path}", os.listdir, path)
        worked(f"make {path}", os.mkdir, path + "/made")
        continue
    worked(f"read {path}", read, path)
    worked(f"append {path}", append, path)
    worked(f"chmod {path}", os.chmod, path, 0o666)
    worked(f"rename {path}", replace, path)
    worked(f"remove {path}", os.remove, path)
"""

# As the attacker: tries everything on each process.
ON_PROCESSES = r"""
import ctypes, os, signal, sys

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE = 0x4206

def worked(name, attack, *arguments):
    try:
        attack(*arguments)
        print(name)
    except PermissionError:
        pass

def read(path):
    with open(path, "rb", 0) as file:
        file.read(1)

def read_memory(pid):
    with open(f"/proc/{pid}/maps") as maps:
        start = int(maps.readline().split("-")[0], 16)
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        memory.seek(start)
        memory.read(16)

def read_vm(pid):
    class Part(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
    buffer = ctypes.create_string_buffer(16)
    own, other = Part(ctypes.cast(buffer, ctypes.c_void_p), 16), Part(id(libc), 16)
    if libc.process_vm_readv(pid, ctypes.byref(own), 1, ctypes.byref(other), 1, 0) == -1 and ctypes.get_errno() == 1:
        raise PermissionError

def trace(pid):
    if libc.ptrace(PTRACE_SEIZE, pid, 0, 0) == -1:
        raise PermissionError

def take_descriptor(pid):
    if libc.syscall(438, os.pidfd_open(pid), 0, 0) == -1:  # pidfd_getfd
        raise PermissionError

for pid in map(int, sys.argv[1:]):
    worked("memory", read_memory, pid)
    worked("environment", read, f"/proc/{pid}/environ")
    worked("process_vm_readv", read_vm, pid)
    worked("ptrace", trace, pid)
    worked("descriptors", os.listdir, f"/proc/{pid}/fd")
    worked("pidfd_getfd", take_descriptor, pid)
    worked("stop", os.kill, pid, signal.SIGSTOP)
    worked("kill", os.kill, pid, signal.SIGKILL)
"""


def used(world):
    """Ming has signed once: token, counter, ledger and log are there."""
    world.start()
    ming = world.user(MING)
    ming.prompter()
    ming.script(f"pin {PIN}")
    client = ming.client()
    check([client("init"), client("session"), client("login wrong"), client("login"), client("sign")] ==
          [OK, OK, "0x000000a0", OK, OK], "signs")
    return ming, client


def attack_files(attacker, folder, files):
    status, said = attacker.run("/usr/bin/python3", "-c", ON_FILES, *files, folder / "folder")
    check(status == 0, said)
    return said


def test_files_are_out_of_reach(world):
    """Token, counter of wrong PINs, ledger and log: not read, not written, not removed, not replaced, by the user whose they
    are or by another."""
    ming, client = used(world)
    files = [path for path in ming.place.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    check({"ledger.jsonl", "ledger.jsonl.head", "pinward.log", "softhsm2.conf"} <= names and len(names) > 6, f"{names}")
    before = {path: path.stat().st_ino for path in files}
    for attacker in (ming, world.user(HUA)):
        said = attack_files(attacker, ming.place, files)
        check(said == "", said)
    check({path: path.stat().st_ino for path in files} == before, "a file is another one")
    check(client("session") == OK, "the service no longer serves")
    own = ming.home / "own"
    own.mkdir()
    (own / "file").write_text("x")
    service_world.give(own, MING)
    said = attack_files(ming, own, [own / "file"])
    check(all(f"{verb} {own}" in said for verb in ("read", "append", "chmod", "rename", "list", "make")), said)


def test_processes_are_out_of_reach(world):
    """The one that takes connections and the one that has the PIN and the token: neither read, traced, nor ended."""
    ming, client = used(world)
    serving = [int(line.split()[1]) for line in world.control("status") if line.startswith("connection ")]
    check(serving, "no process serves the connection")
    for attacker in (ming, world.user(HUA)):
        status, said = attacker.run("/usr/bin/python3", "-c", ON_PROCESSES, str(world.agent.pid), *map(str, serving))
        check(status == 0 and said == "", said)
    check(client("session") == OK, "the service no longer serves")
    status, said = ming.run("/usr/bin/python3", "-c", ON_PROCESSES, str(client.pid))
    check({"memory", "environment", "descriptors", "kill"} <= set(said.split()), said)


def test_token_cannot_be_gone_around(world):
    """The token's own module, in the user's own process, finds no token; so that no PIN is tried past the counter."""
    ming, _ = used(world)
    other = ming.client()
    answer = other(f"direct {os.environ['PINWARD_SOFTHSM']} {ming.place}/softhsm2.conf")
    check(answer != OK, f"it answers {answer}")
    conf = ming.home / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {ming.place}/tokens\nobjectstore.backend = file\n")
    conf.chmod(0o644)
    status, said = ming.run("softhsm2-util", "--show-slots", environment={"SOFTHSM2_CONF": str(conf)})
    check("Label:            card" not in said, said)


def test_counter_outlives_its_attacker(world):
    """Ten wrong PINs lock the token for new programs and a new service, whatever the user removes of their own files."""
    world.start()
    ming = world.user(MING)
    ming.prompter()
    ming.script("ok")
    client = ming.client()
    check([client("init"), client("session")] == [OK, OK], "connects")
    check([client(f"login wrong-{n}") for n in range(10)][-1] == "0x000000a0", "ten tries")
    shutil.rmtree(ming.home / ".local", ignore_errors=True)
    for again in range(2):
        other = ming.client()
        check([other("init"), other("session"), other(f"login {PIN}")] == [OK, OK, "0x000000a4"], "it is not locked")
        if again == 0:
            world.kill()
            world.start()


def test_prompter_of_an_attacker_agrees_to_nothing(world):
    """A program of the user's kills the prompter and takes its place: it sees questions, and has no PIN to answer with. Its
    guesses are counted, and in the ledger."""
    world.start()
    ming = world.user(MING)
    first = ming.prompter()
    ming.run("/usr/bin/kill", "-9", str(first.pid))
    ming.prompter()
    ming.script("pin 000000", "pin 111111", "ok")
    client = ming.client()
    check([client("init"), client("session")] == [OK, OK], "connects")
    check(client("login") != OK and client("sign") != OK, "it is allowed")
    lines = world.ledger_of(MING)
    check(lines and all(line["verdict"] == "denied" for line in lines), f"{lines}")


def test_ledger_of_the_service_verifies(world):
    """After all of the attacks on it the chain is whole; one that root changes is not."""
    if not in_reach():
        return "the service's user cannot reach the tool where it was built"
    ming, _ = used(world)
    ledger = ming.place / "state" / "pinward" / "ledger.jsonl"
    attack_files(ming, ledger.parent, [ledger, ledger.with_suffix(".jsonl.head")])

    def verify():
        return subprocess.run([os.environ["PINWARD_TOOL"], "log", "verify"], capture_output=True, text=True, check=False,
                              env={**world.environment(), "XDG_STATE_HOME": str(ming.place / "state")},
                              timeout=agent_world.TIMEOUT_S, user=SERVICE)
    check(verify().returncode == 0, f"{verify()}")
    text = ledger.read_text()
    ledger.write_text(text.replace('"verdict":"denied"', '"verdict":"allowed"', 1))
    check(verify().returncode == 18, f"{verify()}")
    return None


def in_reach():
    """Can the service's user run the tool where it was built?"""
    try:
        return subprocess.run([os.environ["PINWARD_TOOL"], "--version"], user=SERVICE, capture_output=True,
                              check=False).returncode == 0
    except PermissionError:
        return False


def test_stolen_store_has_its_pin_only(world):
    """Whoever takes the disk away has SoftHSM2's encryption against them, and no counter: any number of guesses, and the right
    PIN opens it. That is the token's strength, not the service's."""
    ming, _ = used(world)
    stolen = world.root / "stolen"
    shutil.copytree(ming.place, stolen)
    service_world.give(stolen, HUA)
    (stolen / "softhsm2.conf").write_text(f"directories.tokendir = {stolen}/tokens\nobjectstore.backend = file\n")
    thief = world.user(HUA)
    guess = ["pkcs11-tool", "--module", os.environ["PINWARD_SOFTHSM"], "--login", "--list-objects", "--type", "privkey"]
    environment = {"SOFTHSM2_CONF": str(stolen / "softhsm2.conf")}
    for number in range(12):
        status, said = thief.run(*guess, "--pin", f"wrong-{number}", environment=environment)
        check(status != 0 and "CKR_PIN_INCORRECT" in said, said)
    status, said = thief.run(*guess, "--pin", PIN, environment=environment)
    check(status == 0 and "Private Key Object" in said, said)
    check(not any(b"PRIVATE KEY" in path.read_bytes() for path in stolen.rglob("*.object")), "a key lies there as it is")


REPLAY = r"""
import socket, struct, sys

s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
said = open(sys.argv[2], "rb").read()

def answer(size):
    data = b""
    while len(data) < size:
        more = s.recv(size - len(data))
        if not more:
            sys.exit("the service closes the connection")
        data += more
    return data

s.sendall(said[:1])  # p11-kit's: a version, then messages: number, length of options, length of the body
answer(1)
at = calls = 0
said = said[1:]
while at < len(said):
    size = 12 + sum(struct.unpack(">II", said[at + 4:at + 12]))
    s.sendall(said[at:at + size])
    answer(sum(struct.unpack(">II", answer(12)[4:])))
    at, calls = at + size, calls + 1
print(calls)
"""


def test_replay_is_no_consent(world):
    """All bytes of a sitting in which the user agreed, sent again: another process, no login, every use asks anew."""
    world.start()
    ming = world.user(MING)
    ming.prompter()
    ming.script(f"pin {PIN}")
    capture = ming.home / "capture"
    relay = ("import os, socket, sys, threading\nl = socket.socket(socket.AF_UNIX)\nl.bind(sys.argv[1])\nl.listen(1)\n"
             "print('listening', flush=True)\na, _ = l.accept()\nb = socket.socket(socket.AF_UNIX)\nb.connect(sys.argv[2])\n"
             "def pump(x, y, f):\n    while True:\n        d = x.recv(65536)\n        if not d:\n            break\n"
             "        if f:\n            f.write(d)\n            f.flush()\n        y.sendall(d)\n    y.shutdown(socket.SHUT_WR)\n"
             "threading.Thread(target=pump, args=(b, a, None), daemon=True).start()\npump(a, b, open(sys.argv[3], 'wb'))\n")
    between = ming.home / "between"
    relaying = ming.start("/usr/bin/python3", "-c", relay, between, world.socket, capture)
    try:
        check(relaying.stdout.readline() == "listening\n", "the relay does not listen")
        environment = ming.environment
        ming.environment = lambda: {**environment(), "P11_KIT_SERVER_ADDRESS": f"unix:path={between}"}
        client = ming.client()
        ming.environment = environment
        client.ready()
        check(client("sign") == OK and len(ming.windows()) == 1, "signs")
        allowed = [line["operation"] for line in world.ledger_of(MING) if line["verdict"] == "allowed"]
        client.kill()
        relaying.wait(timeout=agent_world.TIMEOUT_S)
    finally:
        relaying.kill()
        relaying.communicate()
    status, said = ming.run("/usr/bin/python3", "-c", REPLAY, world.socket, capture)
    check(status == 0 and int(said) > 5, said)
    check(len(ming.windows()) == 2, "the replayed login does not ask")
    check(world.ledger_of(MING)[-1]["verdict"] == "denied", f"{world.ledger_of(MING)}")
    check([line["operation"] for line in world.ledger_of(MING) if line["verdict"] == "allowed"] == allowed,
          json.dumps(world.ledger_of(MING)))


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    service_world.run_all(TESTS, "pinward-attacks-")
