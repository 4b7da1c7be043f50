"""Limits of each client of pinward-agent: one floods, stalls, sends garbage or takes all there is; what it gets is told, and
another one signs meanwhile."""
import contextlib
import os
import socket
import struct
import subprocess
import sys

import agent_world
from agent_world import PIN, check, until

OK, DEVICE_ERROR, DEVICE_MEMORY, SESSION_COUNT = "0x00000000", "0x00000030", "0x00000031", "0x000000b1"
HOST_MEMORY = "0x00000002"
SANITIZED = bool(os.environ.get("PINWARD_SANITIZE"))
GREETING = b"\0"


def header(options, body):
    """A message of p11-kit's begins with the number of the call, and the lengths of what follows."""
    return struct.pack(">III", 16, options, body)


@contextlib.contextmanager
def bare(world, said=b""):
    """A connection without p11-kit's client."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(agent_world.TIMEOUT_S)
        connection.connect(str(world.socket))
        with contextlib.suppress(BrokenPipeError):  # it may be closed already
            connection.send(said)
        yield connection


def is_closed(connection):
    """By the agent, within the time that a test has."""
    try:
        while connection.recv(65536):
            pass
    except (BrokenPipeError, ConnectionResetError):
        pass
    except TimeoutError:
        return False
    return True


def good(world):
    """Another program, which is served all the while."""
    world.script(*[f"pin {PIN}"] * 8)
    client = world.client()
    client.ready()
    return client


def check_signs(client):
    answer = client("sign")
    check(answer == OK, f"the other program's signature: {answer}")


# ------------------------------------------------------------------ one limit after the other


def test_stalled_message(world):
    """Half a header, half a body, an answer that is not taken: closed in time; a client that says nothing is not."""
    world.configure("[agent]", "client-stall = 1")
    world.start()
    client = good(world)
    with bare(world, GREETING) as silent:
        for what in (header(0, 100)[:5], header(0, 100), header(0, 100) + b"x" * 99, header(100, 0) + b"x"):
            with bare(world, GREETING + what) as stalled:
                check(is_closed(stalled), f"{what} waits for ever")
        check_signs(client)
        check(silent.recv(1) == GREETING, "the greeting")
        silent.settimeout(0.2)
        try:
            check(silent.recv(1) != b"", "who has begun nothing is closed")
        except TimeoutError:
            pass
    check_signs(client)


def test_idle_connection(world):
    """Closed when it has said nothing; one whose user is being asked has said something."""
    world.configure("[agent]", "client-idle = 2")
    world.start()
    world.script(f"pin {PIN}", f"late 3500 {PIN}")
    client = world.client()
    client.ready()
    with bare(world, GREETING) as idle:
        check(idle.recv(1) == GREETING, "the greeting")
        check(client("sign") == OK, "the first use")
        check(client("sign") == OK, "a window that is open for longer than a client may be idle")
        check(is_closed(idle), "the idle one is left")
    until(lambda: world.connections() == [], "the program that has done is left")
    check("nothing was said for 2 s" in world.log(), world.log())


def test_long_message(world):
    """Refused by what it claims; nothing of it is read. What is allowed is read and found to be no call."""
    world.configure("[agent]", "client-message = 1")
    world.start()
    client = good(world)
    for options, body in ((0, 1 << 20), (1 << 20, 0), (0xffffffff, 0xffffffff), (0, 0x7fffffff)):
        with bare(world, GREETING + header(options, body)) as long:
            check(is_closed(long), f"a message of {options} and {body} bytes is waited for")
    until(lambda: world.log().count("claims to send") == 4, world.log())
    with bare(world, GREETING + header(0, (1 << 20) - 12)) as whole:
        whole.sendall(bytes((1 << 20) - 12))
        check(is_closed(whole), "garbage is answered")
    check(world.log().count("claims to send") == 4, "a message within the limit is refused by its length")
    check_signs(client)


def test_memory(world):
    """What a program has made for it counts: random bytes without end."""
    world.configure("[agent]", "client-memory = 32")
    world.start()
    client = good(world)
    greedy = world.client()
    check([greedy("init"), greedy("session")] == [OK, OK], "connects")
    check(greedy("random 1000000") == OK, "a million bytes")
    if SANITIZED:
        return None
    answer = greedy("random 200000000")
    check(answer in (DEVICE_MEMORY, HOST_MEMORY, DEVICE_ERROR), f"{answer}")
    print(f"# 200 MB of random bytes: {answer}")
    check_signs(client)
    return None


def test_sessions(world):
    """Those that are closed do not count."""
    world.configure("[agent]", "client-sessions = 5")
    world.start()
    client = good(world)
    greedy = world.client()
    check(greedy("init") == OK, "connects")
    answers = [greedy("session") for _ in range(7)]
    check(answers == [OK] * 5 + [SESSION_COUNT] * 2, f"{answers}")
    check([greedy("close"), greedy("session"), greedy("session")] == [OK, OK, SESSION_COUNT], "closing one makes room")
    check([greedy("close_all")] + [greedy("session") for _ in range(6)] == [OK] * 6 + [SESSION_COUNT], "closing all does")
    check([greedy("finalize"), greedy("init")] + [greedy("session") for _ in range(6)] == [OK] * 7 + [SESSION_COUNT],
          "a new beginning does")
    check(world.log().count("sessions and is refused more") == 2, "a line for each connection")
    check_signs(client)


def test_objects(world):
    """Those that are destroyed, and those of sessions that were closed, do not count."""
    world.configure("[agent]", "client-objects = 3")
    world.start()
    client = good(world)
    greedy = world.client()
    check([greedy("init"), greedy("session")] == [OK, OK], "connects")
    answers = [greedy("create") for _ in range(5)]
    check(answers == [OK] * 3 + [DEVICE_MEMORY] * 2, f"{answers}")
    check([greedy("destroy"), greedy("create"), greedy("create")] == [OK, OK, DEVICE_MEMORY], "destroying one makes room")
    check([greedy("close"), greedy("session"), greedy("create")] == [OK, OK, OK], "closing their session does")
    check_signs(client)


def test_processor_time(world):
    """A program that calls without end has its connection ended; the other one has its turn all the while."""
    world.configure("[agent]", "client-cpu = 1")
    world.start()
    client = good(world)
    greedy = world.client()
    check([greedy("init"), greedy("session")] == [OK, OK], "connects")
    greedy.ask("flood")
    check_signs(client)
    check(greedy.answer() == DEVICE_ERROR, "it is not ended")
    check_signs(client)
    until(lambda: "was ended by signal" in world.log(), world.log())


def test_all_connections_taken(world):
    """By one process, which has to give one up for each other that comes, and no more than it has too many."""
    world.configure("[agent]", "connections = 6", "client-connections = 6")
    world.start()
    with contextlib.ExitStack() as held:
        taken = [held.enter_context(bare(world, GREETING)) for _ in range(6)]
        check(all(each.recv(1) == GREETING for each in taken), "six are served")
        with bare(world, GREETING) as seventh:
            check(is_closed(seventh), "the same process gets a seventh")
        others = []
        for _ in range(3):
            others.append(world.client())
            until(lambda: others[-1]("init") == OK, "who has none gets none")
        check(world.log().count("is closed to make room") >= 3, world.log())
    check([each("session") for each in others] == [OK] * 3, "the others stay")


FLOOD = """
import os, socket, sys
for number in range(int(sys.argv[2])):
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(sys.argv[1])
            connection.send(b"\\0" + os.urandom(512))
        except OSError:
            pass
print("done")
"""


def test_flood_of_garbage(world):
    """Two processes connect and send garbage as fast as they can, while another one signs."""
    world.start()
    client = good(world)
    floods = [subprocess.Popen([sys.executable, "-c", FLOOD, str(world.socket), "60"], stdout=subprocess.PIPE, text=True)
              for _ in range(2)]
    for _ in range(3):
        check_signs(client)
    said = [flood.communicate(timeout=100)[0] for flood in floods]
    check(said == ["done\n"] * 2, f"{said}")
    until(lambda: len(world.connections()) == 1, "connections are left")
    check_signs(client)


def test_nothing_said(world):
    """Who connects and says nothing is closed in the same time as who begins and does not go on."""
    world.configure("[agent]", "client-stall = 1")
    world.start()
    client = good(world)
    with bare(world) as mute:
        check(is_closed(mute), "it is waited for for ever")
    check_signs(client)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    agent_world.run_all(TESTS, "pinward-agent-")
