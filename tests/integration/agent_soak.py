"""Fifty programs at a time connect to one agent, log in, sign, and end: in order, without a word, by SIGKILL anywhere, or having said
nothing sensible. Afterwards the agent is as it was: no process, no descriptor, no memory more; and every use is in the ledger.

PINWARD_SOAK_S: how many seconds (default: 10). PINWARD_SOAK_CLIENT: soak_client.c.
"""
import collections
import fcntl
import os
import pathlib
import random
import subprocess
import threading
import time

import agent_world
from agent_world import PIN, check, until

PROGRAMS = 50
HOWS = ["finalize", "exit", "kill", "garbage", "idle"]
SECONDS = float(os.environ.get("PINWARD_SOAK_S", "10"))
ANSWERS = 400  # that the user's script has ready at least
# What one process may have more at the end: what a C library keeps for another time, and a sanitizer for good.
MEMORY_KIB = 8192 if os.environ.get("PINWARD_SANITIZE") else 1024


def stat_of(pid):
    """(state, parent), or None when it has ended and was waited for."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def children(pid):
    rows = [(int(name), stat_of(name)) for name in os.listdir("/proc") if name.isdecimal()]
    return {child: row[0] for child, row in rows if row and row[1] == pid}


def memory_kib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:  # the agent shows them to nobody but root
        return None


def pinentries(world):
    mark = f"SCRIPTED_PINENTRY_DIR={world.root / 'pinentry'}\0".encode()
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if "pinentry" in os.readlink(process / "exe") and mark in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            pass
    return found


class User:
    """Answers every window with the PIN: keeps the script long, under the lock under which pinentries take from it."""

    def __init__(self, world):
        self.path = world.root / "pinentry" / "script"
        self.log = world.root / "pinentry" / "log"
        self.stop = threading.Event()
        self.fill()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def fill(self):
        with open(self.path, "r+") as script:
            fcntl.flock(script, fcntl.LOCK_EX)
            if script.read().count("\n") < ANSWERS:
                script.seek(0)
                script.write(f"pin {PIN}\n" * 2 * ANSWERS)
                script.truncate()

    def work(self):
        while not self.stop.wait(0.2):
            self.fill()
            if self.log.exists() and self.log.stat().st_size > 1 << 20:  # ten minutes of windows are not to be read
                self.log.unlink()

    def end(self):
        self.stop.set()
        self.thread.join()


class Soak:
    def __init__(self, world):
        self.world = world
        self.end = time.monotonic() + SECONDS
        self.lock = threading.Lock()
        self.ended = collections.Counter()     # by how
        self.got = collections.Counter()       # signatures, by pid
        self.killed = collections.Counter()    # by pid: each may have had one that it did not live to count
        self.failures = []

    def run(self):
        threads = [threading.Thread(target=self.one_after_the_other, args=(number,)) for number in range(PROGRAMS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def one_after_the_other(self, number):
        choose = random.Random(number)
        hows = HOWS[number % len(HOWS):] + HOWS[:number % len(HOWS)]
        while True:
            self.one(hows[0], choose.randrange(1 << 31))
            hows = hows[1:] + hows[:1]
            if self.failures or time.monotonic() >= self.end:
                return

    def one(self, how, seed):
        client = subprocess.Popen([*self.world.prefix, os.environ["PINWARD_SOAK_CLIENT"], how, os.environ["PINWARD_P11_CLIENT"],
                                   str(self.world.socket), str(seed)], env=self.world.client_environment(),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=True)
        said, _ = client.communicate(timeout=120)
        expected = 0 if how in ("finalize", "exit") else -9
        with self.lock:
            self.ended[how] += 1
            self.got[client.pid] += said.count(b".")
            self.killed[client.pid] += how == "kill"
            if client.returncode != expected or said.strip(b"."):
                self.failures.append(f"{how}, {seed}: {client.returncode} {said}")

    def check_ledger(self, lines):
        """Each signature that a program got is a use in the ledger; one that was killed may have had one more."""
        used = collections.Counter(line["pid"] for line in lines if line["operation"] == "sign" and line["verdict"] == "allowed")
        wrong = {pid: (used[pid], self.got[pid], self.killed[pid]) for pid in self.got | used
                 if not self.got[pid] <= used[pid] <= self.got[pid] + self.killed[pid]}
        check(not wrong, f"uses in the ledger, signatures, kills: {wrong}")
        return sum(used.values())


def look(world, steady):
    """Of the agent, and of the process that serves the program that stays: descriptors and memory."""
    [served_by] = [own for own, client, _ in world.connections() if client == steady.pid]
    return {name: (descriptors(pid), memory_kib(pid)) for name, pid in (("agent", world.agent.pid), ("its process", served_by))}


def quiet(world):
    """Only the program that stays is connected."""
    until(lambda: len(world.connections()) == 1 and len(children(world.agent.pid)) == 1,
          f"processes are left: {world.connections()}, {children(world.agent.pid)}")
    until(lambda: not pinentries(world), "a pinentry is left")
    check("Z" not in children(world.agent.pid).values(), "a process was not waited for")


def test_soak(world):
    world.asan_options = ":quarantine_size_mb=1"  # else what is freed is kept, and looks like a leak
    world.start()
    user = User(world)
    try:
        steady = world.client()
        steady.ready()
        check(steady("sign") == "0x00000000")
        warm = Soak(world)
        warm.end = 0  # one round: what is kept for good is kept now
        warm.run()
        check(not warm.failures, f"{warm.failures[:5]}")
        quiet(world)
        before = look(world, steady)
        soak = Soak(world)
        soak.run()
        check(not soak.failures, f"{soak.failures[:5]}")
        quiet(world)
        after = look(world, steady)
        check(steady("sign") == "0x00000000", "the program that stays")
    finally:
        user.end()
    for name in before:
        check(after[name][0] == before[name][0] and after[name][1] <= before[name][1] + MEMORY_KIB, f"{name}: {before}, {after}")
    soak.got += warm.got
    soak.killed += warm.killed
    soak.got[steady.pid] += 2
    used = soak.check_ledger(world.ledger())
    verified = subprocess.run([os.environ["PINWARD_TOOL"], "log", "verify"], env=world.environment(), capture_output=True, text=True)
    check(verified.returncode == 0, verified.stdout + verified.stderr)
    state = subprocess.run([os.environ["PINWARD_TOOL"], "token", "list", "--json"], env=world.environment(), capture_output=True,
                           text=True)
    check('"state": "ready"' in state.stdout, f"a wrong PIN was counted that was none: {state.stdout}{state.stderr}")
    print(f"# {sum(soak.ended.values())} programs in {SECONDS:.0f} s: {dict(sorted(soak.ended.items()))}")
    print(f"# uses in the ledger: {used}; signatures that programs lived to count: {sum(soak.got.values())}; "
          f"lines: {len(world.ledger())}, whole and chained")
    for name, (count, memory) in before.items():
        print(f"# {name}: descriptors {count} before, {after[name][0]} after; memory {memory} KiB before, {after[name][1]} after")


if __name__ == "__main__":
    agent_world.run_all([test_soak], "pinward-soak-")
