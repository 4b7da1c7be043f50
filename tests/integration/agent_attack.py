"""Programs of the same user's that attack pinward-agent or a program that uses it. Each prints what it tried and what it got:
also what the same user's programs can do, which docs/isolation.md says too."""
import os
import pathlib
import signal
import socket
import struct
import sys
import threading
import time

import agent_world
from agent_world import PIN, check, descendants, until

OK, DEVICE_ERROR = "0x00000000", "0x00000030"


def told(tried, got):
    print(f"# {tried}: {got}", flush=True)


def allowed(world):
    return [line["operation"] for line in world.ledger() if line["verdict"] == "allowed"]


READER = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 0x4206, 434, 438
def attempt(name, act):
    try:
        print(name, "got in" if act() else "refused")
    except OSError as error:
        print(name, "refused")
def vm_readv(pid):
    buffer = ctypes.create_string_buffer(8)
    here = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    there = (ctypes.c_size_t * 2)(int(sys.argv[2], 16), 8)
    return libc.process_vm_readv(pid, here, ctypes.c_ulong(1), there, ctypes.c_ulong(1), ctypes.c_ulong(0)) > 0
def steal(pid):
    fd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    return fd >= 0 and libc.syscall(SYS_PIDFD_GETFD, fd, 3, 0) >= 0
pid = int(sys.argv[1])
attempt("mem", lambda: open(f"/proc/{pid}/mem", "rb").fileno() >= 0)
attempt("environ", lambda: open(f"/proc/{pid}/environ", "rb").read(1) != b"")
attempt("maps", lambda: open(f"/proc/{pid}/maps", "rb").read(1) != b"")
attempt("fd", lambda: os.readlink(f"/proc/{pid}/fd/0") != "")
attempt("process_vm_readv", lambda: vm_readv(pid))
attempt("pidfd_getfd", lambda: steal(pid))
attempt("ptrace", lambda: libc.ptrace(PTRACE_SEIZE, pid, 0, 0) == 0)
"""


def first_page(pid):
    """An address that can be read in the process; only root may ask for the agent's."""
    line = next(row for row in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines() if " r" in row)
    return line.split("-")[0]


def test_reads_or_traces_another_process(world):
    """The agent's processes: refused in every way. The same program gets into any other of the user's."""
    world.without_privileges()
    world.start()
    world.script(f"pin {PIN}")
    client = world.client()
    client.ready()
    ((worker, _, _),) = world.connections()
    address = first_page(worker) if os.geteuid() == 0 else "0"
    done = world.run(sys.executable, "-c", READER, str(worker), address)
    told("reading and tracing the process that keeps the PIN", done.stdout.replace("\n", "; "))
    check(done.returncode == 0 and "got in" not in done.stdout and done.stdout.count("refused") == 7, done.stdout + done.stderr)
    done = world.run(sys.executable, "-c", READER, str(client.pid), first_page(client.pid))
    told("the same on the program that uses it", done.stdout.replace("\n", "; "))
    check(all(f"{name} got in" in done.stdout for name in ("environ", "maps", "fd")), done.stdout + done.stderr)


def test_preloads_into_the_program(world):
    """LD_PRELOAD: the attacker's code is in the program. It is asked for as that program, finds no PIN there, and is not in
    the agent."""
    library = os.path.realpath(pathlib.Path(os.environ["PINWARD_P11_CLIENT"]).parent / "p11-kit-trust.so")
    world.start()
    world.script(f"pin {PIN}", "cancel")
    client = world.client(LD_PRELOAD=library)
    client.ready()
    check(client("sign") == OK and client("sign") != OK, "each use asks")
    ((worker, _, _),) = world.connections()
    maps = {pid: pathlib.Path(f"/proc/{pid}/maps").read_text() for pid in (client.pid, worker)}
    told("LD_PRELOAD of the program", "its code is in the program" if library in maps[client.pid] else "nothing")
    check(library in maps[client.pid] and library not in maps[worker], "where the library is")
    check(allowed(world) == ["login", "sign"], f"{world.ledger()}")


def test_opens_the_tokens_files(world):
    """They are the same user's, whoever runs the agent as that user: it gets them, and with the PIN it has the key."""
    world.start()
    read = sum(len(path.read_bytes()) for path in (world.root / "card" / "tokens").rglob("*") if path.is_file())
    told("opening the token's files as the same user", f"{read} bytes read")
    check(read > 0, "the token has no files")


class Relay(threading.Thread):
    """Between one program and the agent; keeps what the program says."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.path, self.said = world.root / "relay", bytearray()
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(self.path))
        self.listening.listen(1)
        self.agent = socket.socket(socket.AF_UNIX)
        self.agent.connect(str(world.socket))
        self.start()

    def run(self):
        program, _ = self.listening.accept()
        threading.Thread(target=self.pump, args=[self.agent, program, None], daemon=True).start()
        self.pump(program, self.agent, self.said)

    @staticmethod
    def pump(source, sink, kept):
        while piece := source.recv(65536):
            if kept is not None:
                kept += piece
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


def messages(said):
    """The greeting, then each message: a header of three numbers, the last two of which are the lengths of what follows."""
    yield said[:1]
    at = 1
    while at < len(said):
        _, options, body = struct.unpack_from(">III", said, at)
        yield said[at:at + 12 + options + body]
        at += 12 + options + body


def receive(connection, size):
    got = b""
    while len(got) < size:
        piece = connection.recv(size - len(got))
        check(piece, "the agent has closed the connection")
        got += piece
    return got


def replay(connection, message):
    """Says it, and waits for the answer; its length."""
    connection.sendall(message)
    if len(message) == 1:
        return len(receive(connection, 1))
    _, options, body = struct.unpack(">III", receive(connection, 12))
    return len(receive(connection, options + body))


def test_replays_a_connection(world):
    """All that a program said when it logged in and signed, said once more on another connection: the user is asked anew."""
    world.start()
    world.script(f"pin {PIN}", f"pin {PIN}")
    relay = Relay(world)
    client = world.client(P11_KIT_SERVER_ADDRESS=f"unix:path={relay.path}")
    client.ready()
    check([client("sign"), client("sign")] == [OK, OK], "through the relay")
    before = allowed(world)
    client.kill()
    relay.join()
    world.script("cancel", "cancel", "cancel")
    windows = len(world.windows())
    with socket.socket(socket.AF_UNIX) as again:
        again.settimeout(agent_world.TIMEOUT_S)
        again.connect(str(world.socket))
        answers = [replay(again, message) for message in messages(bytes(relay.said))]
    told(f"replaying a login and two signatures in {len(answers)} messages",
         f"{sum(answers)} bytes of answers, {len(world.windows()) - windows} windows, no use")
    check(len(answers) > 10 and len(world.windows()) > windows, "nobody was asked")
    check(allowed(world) == before, f"{world.ledger()}")


def test_uses_a_pid_again(world):
    """The program dies while its user is asked, and another one gets its pid at once."""
    last = pathlib.Path("/proc/sys/kernel/ns_last_pid")
    if not os.access(last, os.W_OK):
        return "only root can choose the next pid"
    world.start()
    world.script(f"pin {PIN}", f"late 1500 {PIN}")
    client = world.client()
    client.ready()
    check(client("sign") == OK, "the first use")
    client.ask("sign")
    until(lambda: len(world.windows()) == 2, "no window")
    client.kill()
    pid = 0
    for _ in range(200):  # others may be quicker
        last.write_text(str(client.pid - 1))
        pid = os.posix_spawn("/bin/sleep", ["sleep", "20"], {})
        if pid == client.pid:
            break
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    until(lambda: len(world.ledger()) == 3, "no decision")
    last_line = world.ledger()[-1]
    told("another program under the pid of the one that was asked for",
         f"pid {'taken' if pid == client.pid else 'missed'}; {last_line['verdict']} ({last_line['how']})")
    if pid == client.pid:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    check(last_line["verdict"] == "denied" and allowed(world) == ["login", "sign"], f"{world.ledger()}")
    return None


def test_hands_on_the_connection(world):
    """A child that has the open connection of a parent that ends: it is closed, and serves nobody."""
    world.start()
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(world.socket))
        connection.send(b"\0")
        connection.recv(1)
        if os.fork() == 0:
            connection.settimeout(30)
            try:
                got = connection.recv(1)
            except OSError:
                got = b""
            os.write(writing, b"closed" if got == b"" else b"open")
        os._exit(0)
    os.waitpid(parent, 0)
    os.close(writing)
    got = os.read(reading, 16)
    os.close(reading)
    told("using the connection of a parent that has ended", got.decode())
    check(got == b"closed", f"{got}")
    until(lambda: world.connections() == [], "its process is left")


def test_kills_the_process_that_asks(world):
    """The same user's programs may send it signals: the use is denied, its window goes, nothing else happens."""
    world.start()
    world.script(f"pin {PIN}", "hang")
    client = world.client()
    client.ready()
    check(client("sign") == OK, "the first use")
    client.ask("sign")
    until(lambda: len(world.windows()) == 2, "no window")
    for worker, _, _ in world.connections():
        os.kill(worker, signal.SIGKILL)
    answer = client.answer()
    until(lambda: not descendants(world.agent.pid), "its window stays")
    told("killing the process that asks", f"the program is answered {answer}, and the window is gone")
    check(answer == DEVICE_ERROR and allowed(world) == ["login", "sign"], f"{world.ledger()}")


def test_asks_for_more_while_asked(world):
    """A second signature in the session whose first one waits for its user: one window, one use."""
    world.start()
    world.script(f"pin {PIN}", f"late 1500 {PIN}", "cancel")
    client = world.client()
    client.ready()
    check(client("sign") == OK, "the first use")
    client("aside")
    until(lambda: len(world.windows()) == 2, "no window")
    second = client("sign")
    first = client("joined")
    told("a second signature in the session of one that waits", f"{second}; the first one: {first}")
    check(second != OK, "the second one came along with the first one's consent")
    check(allowed(world).count("sign") == 1 + (first == OK), f"{world.ledger()}")


def test_shouts_at_the_control_socket(world):
    """Garbage, and connections that say nothing: the agent goes on, and serves."""
    world.start()
    control = f"{world.socket}.control"
    held = []
    for number in range(30):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(control)
        if number % 2:
            connection.send(os.urandom(200))
        held.append(connection)
    begun = time.monotonic()
    client = world.client()
    check(client("init") == OK, "it does not serve")
    told("30 connections to the control socket", f"a program is served after {time.monotonic() - begun:.1f} s")
    for connection in held:
        connection.close()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    agent_world.run_all(TESTS, "pinward-agent-")
