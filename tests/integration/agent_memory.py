"""What idle programs cost: the memory of a hundred of the agent's processes, each with a program that has logged in and waits."""
import pathlib

import agent_world
from agent_world import PIN, check

OK = "0x00000000"
PROGRAMS, CONNECTIONS_EACH = 4, 25  # a hundred connections; more than 32 of one process are refused
OWN_MAX_KIB = 3 * 1024


def memory_kib(pid):
    """proc(5), status: (its own, resident). Its own is what it has written and the files in memory that it made, which go when it
    goes; the rest is the text of libraries, which is there once however many processes there are."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    kib = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines) if name.startswith(("Rss", "VmRSS"))}
    return kib["RssAnon"] + kib["RssShmem"], kib["VmRSS"]


def test_a_hundred_idle_programs(world):
    world.start()
    for _ in range(PROGRAMS):
        answer = world.client()(f"many {CONNECTIONS_EACH} {PIN}")
        check(answer == OK, f"connections, sessions, logins: {answer}")
    connections = world.connections()
    check(len(connections) == PROGRAMS * CONNECTIONS_EACH, f"{len(connections)} connections")
    own, resident = zip(*(memory_kib(worker) for worker, _, _ in connections))
    print(f"# {len(own)} idle connections: {sum(own) / len(own):.0f} KiB each of their own, {max(own)} KiB at most; "
          f"resident with what is shared {max(resident)} KiB")
    check(max(own) < OWN_MAX_KIB, f"a process has {max(own)} KiB of its own")


if __name__ == "__main__":
    agent_world.run_all([test_a_hundred_idle_programs], "pinward-memory-")
