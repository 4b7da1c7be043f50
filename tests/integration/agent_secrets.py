"""No PIN stays in any process of an isolated program: not in the program, in the agent or in the process of the agent's that serves
it. While a login's grace keeps one, it is in that last process, in pages only that are in no core, in no child and locked;
after each use, wrong PINs, a cancelled window, a pinentry that dies and one that is too slow, and after a PIN that the
program brought itself, it is in none of them; nor is it in the arguments and environments, the log, the ledger and the
files of the state. None of the agent's processes leaves a core.

Environment: as agent_world, and PINWARD_SANITIZE: AddressSanitizer locks no memory."""
import os
import pathlib
import resource
import signal

import softhsm_token
from agent_world import World, check, run_all, until
from secret_search import Secrets, flags, memory, started_with

SECRET_PIN = softhsm_token.PIN = "Pin-73915802/46"
WRONG_PIN = "Bad+Guessing 61"
OK, REJECTED, CANCELLED, FAILED = "0x00000000", "0x00000200", "0x00000050", "0x00000006"
STEPS = [  # what the user types, and what the program is told
    ("a wrong PIN and the right one", [f"pin {WRONG_PIN}", f"pin {SECRET_PIN}"], OK),
    ("three wrong PINs", [f"pin {WRONG_PIN}"] * 3, REJECTED),
    ("a cancelled window", ["cancel"], CANCELLED),
    ("a pinentry that dies", ["die"], FAILED),
    ("no answer", ["timeout"], REJECTED),
    ("a signature", [f"pin {SECRET_PIN}"], OK),
]


class SecretsWorld(World):
    def __init__(self, folder):
        super().__init__(folder, lines="cool-down = 0\n")
        self.secrets = Secrets()
        self.secrets.add("PIN", SECRET_PIN)
        self.secrets.add("wrong PIN", WRONG_PIN)
        self.looks, self.searched = 0, 0

    def environment(self):
        # What is freed is overwritten at once, as the agent has the C library do: AddressSanitizer's own memory has a word for it.
        environment = super().environment()
        environment["ASAN_OPTIONS"] += ":max_free_fill_size=1048576:free_fill_byte=165:quarantine_size_mb=16"
        return environment

    def look(self, places):
        """Where there is a secret: (place, which)."""
        places = list(places)
        self.looks += 1
        self.searched += sum(len(data) for _, data in places)
        return [(place, secret) for place, data in places for secret in self.secrets.found(data)]

    def nowhere(self, when, processes):
        for name, pid in processes.items():
            places = [*started_with(pid), *memory(pid)]
            check(sum(len(data) for _, data in places) > 100000, f"{when}: nothing to look at in {name}")
            check(not (left := self.look(places)), f"{when}: in {name}: {left}")

    def connected(self):
        """A program that has logged in, and all processes that have to do with it."""
        client = self.client()
        client.ready()
        worker = next(worker for worker, pid, _ in self.connections() if pid == client.pid)
        return client, {"the program": client.pid, "the agent": self.agent.pid, "its process for the program": worker}


def unreadable(world):
    """Why this machine does not let the test look; None: it does."""
    try:
        with open(f"/proc/{world.agent.pid}/mem", "rb"):
            return None
    except PermissionError:
        return "only root may read the memory of the agent"


def test_grace_keeps_it_in_its_own_pages(world):
    world.start()
    if reason := unreadable(world):
        return reason
    world.script(f"pin {SECRET_PIN}")
    _, processes = world.connected()
    worker = processes.pop("its process for the program")
    world.nowhere("after login", processes)
    found = world.look(memory(worker))
    check(found, "the PIN that the grace keeps is not found: then nothing else would be")
    wanted = {"dd", "wf"} | (set() if "address" in os.environ["PINWARD_SANITIZE"] else {"lo"})
    all_flags = flags(worker)
    for place, secret in found:
        check(wanted <= all_flags[place.split()[0]], f"{secret} at {place}: {all_flags[place.split()[0]]}")
    return None


def test_left_in_no_process(world):
    world.start()
    if reason := unreadable(world):
        return reason
    world.script(f"pin {SECRET_PIN}")
    client, processes = world.connected()
    check(client("sign") == OK, "the login is the consent for the first signature")
    world.nowhere("after the first signature", processes)
    for what, answers, expected in STEPS:
        world.script(*answers)
        answer = client("sign")
        check(answer == expected, f"{what}: {answer}")
        world.nowhere(f"after {what}", processes)
    own = world.client()
    check([own("init"), own("session"), own(f"login {SECRET_PIN}")] == [OK, OK, OK], "a program logs in with its own PIN")
    worker = next(worker for worker, pid, _ in world.connections() if pid == own.pid)
    world.nowhere("after a PIN of the program's", {**processes, "the process for it": worker})
    mine = {world.root / "pinentry" / "script"}
    files = [(str(p), p.read_bytes()) for p in world.root.rglob("*") if p.is_file() and p not in mine]
    check({"pinward.log", "ledger.jsonl", "log"} <= {pathlib.Path(name).name for name, _ in files}, files)
    check(not (left := world.look(files)), left)
    print(f"# {world.looks} looks, {world.searched >> 20} MiB searched for {len(world.secrets.wanted)} PINs")
    return None


def test_no_process_leaves_a_core(world):
    """With as large a core as the system allows, and in the midst of a question."""
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    world.start(cwd=world.root, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (most, most)))
    world.script("hang")
    client = world.client()
    check([client("init"), client("session")] == [OK, OK], "a program connects")
    client.ask("login")
    until(world.windows, "nobody is asked")
    worker = world.connections()[0][0]
    os.kill(worker, signal.SIGQUIT)
    check(client.answer() == "0x00000030", "the program is told that the device failed")
    world.agent.send_signal(signal.SIGQUIT)
    world.agent.wait(timeout=40)
    check(not list(world.root.rglob("core*")), "there is a core")
    return None


if __name__ == "__main__":
    run_all([test_grace_keeps_it_in_its_own_pages, test_left_in_no_process, test_no_process_leaves_a_core], "agent-secrets-",
            SecretsWorld)
