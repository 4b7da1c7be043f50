#!/usr/bin/env python3
"""The tool is killed before every request it makes, after every request that changes something (done, but its answer
lost), and at every PIN it asks for; the same command then goes on. In the end there is one pair of certificates, two private keys, and no journal."""
from tool_between import Between
from tool_world import *


class Killer:
    """Ends the running tool at one of its requests."""

    def __init__(self, world):
        self.between = Between(world)
        self.between.before = self.reached
        self.between.hook = self.after
        self.process = None
        self.at = None
        self.after_portal = False
        self.count = 0

    def reached(self, method, _path, after=False):
        if after != self.after_portal or (after and method == "GET"):
            return
        self.count += 1
        if self.at == self.count and self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise ConnectionError

    def after(self, method, path, status, headers, body):
        self.reached(method, path, True)
        return status, headers, body

    def run(self, world, arguments, answers, at, after_portal):
        """True when the tool was killed, False when it had ended before."""
        (world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in answers))
        self.at, self.after_portal, self.count = None, after_portal, 0
        self.process = subprocess.Popen([os.environ["PINWARD_TOOL"], *arguments], env=world.env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)
        self.at = at
        text, _ = self.process.communicate(timeout=60)
        status = self.process.returncode
        self.process, self.at = None, None
        check(status in (0, -signal.SIGKILL), f"{arguments} at {at}: {status}\n{text}")
        return status != 0


APPLY_ANSWERS = [f"pin {PIN}"] * 3
APPLY = ("apply", "--name", "me", "--accept-terms", "1", "--yes")
ACTIVATE_ANSWERS = [f"pin {PIN}", f"pin {PASSWORD}"]


def complete(world, killer, account, token, verb):
    """What was killed, once more and undisturbed; and activation, where that was not it."""
    if verb == "apply":
        killer.run(world, APPLY, APPLY_ANSWERS, None, False)
    killer.run(world, ("activate",), ACTIVATE_ANSWERS, None, False)
    check_complete(world, account, token)


def check_complete(world, account, token):
    keys = [o for o in world.objects(token) if o["kind"].startswith("Private Key")]
    check(len(keys) == 2, f"{account}: {world.objects(token)}")
    check(world.count("Public Key", token) == 2 and world.count("Certificate", token) == 4, world.objects(token))
    status = json.loads(world.tool("status", "--json"))
    check([c["state"] for c in status["certificates"]] == ["active"] * 2, f"{account}: {status}")
    check(all(c["on_token"] for c in status["certificates"]), f"{account}: {status}")
    check(world.state_files() == [], "the journal is left")


def begin(world, killer, number):
    """A new account and a new token, logged in through the killer."""
    account, token = f"user{number}", f"card{number}"
    first = world.register(account)
    world.new_token(token)
    world.configure(url=killer.between.url, token=token)
    world.login(account, first)
    return account, token


def kill_everywhere(world, killer, arguments, answers, after_portal):
    """Runs the verb again and again, killed at its first request, then at its second, ...; where that brought the
    journal to another state, at the first again, until a run ends by itself. Returns how often it was killed."""
    kills, at, state = 0, 1, journal_state(world)
    while killer.run(world, arguments, answers, at, after_portal):
        kills, at = kills + 1, at + 1
        if journal_state(world) != state:
            at, state = 1, journal_state(world)
        check(kills < 60, "the runs come to no end")
    return kills


def journal_state(world):
    files = world.state_files()
    return json.loads((world.root / "state" / "pinward" / files[0]).read_text())["state"] if files else None


def at_requests(world):
    killer = Killer(world)
    for number, (after_portal, least) in enumerate(((False, 12), (True, 3)), 1):
        account, token = begin(world, killer, number)
        kills = kill_everywhere(world, killer, APPLY, APPLY_ANSWERS, after_portal)
        kills += kill_everywhere(world, killer, ("activate",), ACTIVATE_ANSWERS, after_portal)
        check(kills >= least, f"killed only {kills} times")
        check_complete(world, account, token)
    killer.between.close()


def at_questions(world):
    """Killed while a window is open: at the login's PIN, at the password, and, where every use asks, at the decryption's
    PIN."""
    killer = Killer(world)
    for number, (arguments, answers) in enumerate(((APPLY, []), (("activate",), []), (("activate",), [f"pin {PIN}"]),
                                                   (("activate",), [f"pin {PIN}", f"pin {PASSWORD}"])), 100):
        account, token = begin(world, killer, number)
        if arguments == ("activate",):
            killer.run(world, APPLY, APPLY_ANSWERS, None, False)
        world.configure(url=killer.between.url, token=token, batch_uses="0")
        (world.pinentry / "script").write_text("".join(f"{a}\n" for a in answers) + "hang\n")
        process = subprocess.Popen([os.environ["PINWARD_TOOL"], *arguments], env=world.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(400):
            if (world.pinentry / "script").read_text() == "":
                break
            time.sleep(0.02)
        process.kill()
        process.wait()
        world.configure(url=killer.between.url, token=token)
        complete(world, killer, account, token, arguments[0])
    killer.between.close()


def in_key_generation(world):
    """Killed while the token makes keys, at different moments."""
    killer = Killer(world)
    for number, delay in enumerate((0.0, 0.05, 0.15, 0.3), 200):
        account, token = begin(world, killer, number)
        (world.pinentry / "script").write_text("".join(f"{a}\n" for a in APPLY_ANSWERS))
        process = subprocess.Popen([os.environ["PINWARD_TOOL"], *APPLY], env=world.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if line.startswith("Generating"):
                break
        time.sleep(delay)
        process.kill()
        process.stdout.close()
        process.wait()
        complete(world, killer, account, token, "apply")
    killer.between.close()


def in_the_token(world):
    """Killed while the token writes to its files: at every STEPth of its writes, until a run ends by itself."""
    killer = Killer(world)
    account, token = begin(world, killer, 400)
    at = 1
    while True:
        (world.pinentry / "script").write_text("".join(f"{a}\n" for a in APPLY_ANSWERS * 2))
        env = {**world.env, "LD_PRELOAD": os.environ["PINWARD_KILL_LIBRARY"], "PINWARD_KILL_AT": str(at),
               "PINWARD_KILL_UNDER": str(world.root / "tokens")}
        # The sanitizer's runtime is then not the first library, which it would complain of.
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        done = subprocess.run([os.environ["PINWARD_TOOL"], *APPLY], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            break
        check(done.returncode == -signal.SIGKILL, f"at write {at}: {done.returncode}\n{done.stdout}{done.stderr}")
        at += int(os.environ.get("STEP", "9"))
    check(at > 20, f"the token writes only {at - 1} times")
    killer.run(world, ("activate",), ACTIVATE_ANSWERS, None, False)
    check_complete(world, account, token)
    killer.between.close()


def in_the_token_with_ec_keys(world):
    """The same with keys that have a curve and no modulus."""
    in_the_token(world)


in_the_token_with_ec_keys.world = {"key_profile": "ec-p256"}


def in_renewals(world):
    """Renewals of several accounts, each killed elsewhere."""
    killer = Killer(world)
    renew = ("renew", "--accept-terms", "1", "--yes")
    answers = [f"pin {PIN}", f"pin {PASSWORD}"]
    kills = ((1, True), (2, True), (3, True), (7, False), (10, False))
    for number, _ in enumerate(kills, 300):
        account, token = begin(world, killer, number)
        killer.run(world, APPLY, APPLY_ANSWERS, None, False)
        killer.run(world, ("activate",), ACTIVATE_ANSWERS, None, False)
    world.set_clock(0)
    for number, (at, after_portal) in enumerate(kills, 300):
        account, token = f"user{number}", f"card{number}"
        world.configure(url=killer.between.url, token=token)
        world.tool("login", "--account", account, answers=[f"pin {PASSWORD}"])
        check(killer.run(world, renew, answers, at, after_portal), "the renewal was not killed")
        killer.run(world, renew, answers, None, False)
        states = sorted((c["use"], c["state"]) for c in world.status()["certificates"])
        check(states == [("encryption", "active"), ("encryption", "renewed"), ("signing", "active"),
                         ("signing", "renewed")], states)
        check(world.count("Private Key", token) == 4 and world.count("Certificate", token) == 6, world.objects(token))
        check(world.state_files() == [], "the journal is left")
    killer.between.close()


if __name__ == "__main__":
    run([in_the_token, in_the_token_with_ec_keys, in_renewals, at_questions, in_key_generation, at_requests])
