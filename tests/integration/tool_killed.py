#!/usr/bin/env python3
"""The tool is killed (SIGKILL) before and after every step that it notes in a journal, at every call of the portal and
every window, and inside the token; and every answer of the portal is lost, late, cut off, asked for twice, or that to
another question. Each time the same command goes on. In the end there is one pair of certificates, its keys and
certificates are on the token and nothing else is, and no journal is left.

Points are tried one after the other on the same enrollment: what is run after a point must get past it to reach the
next one. After each, token and portal are looked at."""
import sqlite3

from tool_between import Between, Cut
from tool_pfx_import import IMPORT, check_imported, quick_backup
from tool_world import *

APPLY = ("apply", "--name", "me", "--accept-terms", "1", "--yes")
ACTIVATE = ("activate",)
RENEW = ("renew", "--accept-terms", "1", "--yes")
ANSWERS = {APPLY: [f"pin {PIN}"] * 3, ACTIVATE: [f"pin {PIN}", f"pin {PASSWORD}"], RENEW: [f"pin {PIN}", f"pin {PASSWORD}"]}
RUNS_MAX = 80


class Figures:
    """How often each kind of point was tried; each that is counted was recovered from, or the test has failed."""

    def __init__(self):
        self.tried = {}

    def add(self, kind, verb):
        name = f"{verb[0] if verb[0] != 'pfx' else 'pfx import'}: {kind}"
        self.tried[name] = self.tried.get(name, 0) + 1

    def say(self, kinds, least):
        """kinds: how many different ones there must be; least: how many points of each."""
        total = sum(self.tried.values())
        for name, count in sorted(self.tried.items()):
            print(f"#   {name}: {count}")
        check(len(self.tried) == kinds and min(self.tried.values()) >= least, f"fewer than {kinds} x {least}: {self.tried}")
        print(f"# points tried {total}, recovered {total}", flush=True)


class Enrollment:
    """An account and a token of its own, and a portal behind a server that can do harm."""

    def __init__(self, world, between, number):
        self.world, self.between = world, between
        self.account, self.token = f"user{number}", f"card{number}"
        self.most = 2  # private keys, applications x 2
        world.new_token(self.token)
        self.configure()
        world.login(self.account)

    def configure(self, **options):
        self.world.configure(url=self.between.url, token=self.token, **options)

    def again(self):
        """Back to this account, after others."""
        self.configure()
        self.world.tool("login", "--account", self.account, answers=[f"pin {PASSWORD}"])

    def start(self, verb, answers=None, **environment):
        answers = ANSWERS[verb] if answers is None else answers
        (self.world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in answers))
        return subprocess.Popen([os.environ["PINWARD_TOOL"], *verb], env={**self.world.env, **environment},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, verb, answers=None, **environment):
        """Exit status and words of a run that may be killed."""
        process = self.start(verb, answers, **environment)
        out, err = process.communicate(timeout=90)
        return process.returncode, out + err

    def state(self):
        """How far the journal is; None: there is none."""
        names = self.world.state_files()
        path = self.world.root / "state" / "pinward" / names[0] if names else None
        return json.loads(path.read_text())["state"] if path else None

    def look(self):
        """Never more keys than the journal names, never more applications than were meant."""
        keys = [o for o in self.world.objects(self.token) if o["kind"].startswith("Private Key") and o.get("ID")]
        with sqlite3.connect(f"file:{self.world.data / 'portal.db'}?mode=ro", uri=True) as store:
            query = "SELECT COUNT(*) FROM application WHERE account = ?"
            applications = store.execute(query, (self.account,)).fetchone()[0]
        check(len(keys) <= self.most and 2 * applications <= self.most, f"{keys}, {applications} applications")

    def check_complete(self, renewed=False, stillborn=False):
        """stillborn: SoftHSM2 was killed too, and leaves what it had made and not yet given a class: no program finds that
        by what it is, or uses it, and the gate lets nobody touch what it cannot judge. pkcs11-tool calls it data."""
        pairs = 2 if renewed else 1
        objects = [each for each in self.world.objects(self.token)
                   if not (stillborn and each["kind"].startswith("Data object") and each.get("label") == "<empty>")]
        kinds = sorted(each["kind"].split(" Object")[0] for each in objects)
        check(kinds == ["Certificate"] * (2 * pairs + 2) + ["Private Key"] * 2 * pairs + ["Public Key"] * 2 * pairs,
              f"{self.account}: {objects}")
        status = json.loads(self.world.tool("status", "--json"))
        states = sorted(each["state"] for each in status["certificates"])
        check(states == ["active"] * 2 + (["renewed"] * 2 if renewed else []), f"{self.account}: {status}")
        check(all(each["on_token"] for each in status["certificates"]), f"{self.account}: {status}")
        left = [p.name for p in (self.world.root / "state" / "pinward").iterdir() if p.name.endswith((".json", ".new"))]
        check(sorted(left) in (["session.json"], ["login-tries.json", "session.json"]), f"left: {left}")


# -- killed at calls of the portal --


def killed_at_calls(enrollment, verb, after, figures):
    """Before the call reaches the portal, or after the portal has acted and before it says so. Where a run brought the
    journal to another state, from its first call again."""
    between, at = enrollment.between, 1
    state = enrollment.state()
    for _ in range(RUNS_MAX):
        calls, process = [], []

        def reached(*answer):
            calls.append(answer)
            if len(calls) == at:
                while not process:  # it is being started
                    time.sleep(0.01)
                process[0].kill()
                raise ConnectionError
            return answer[2:]

        between.before, between.hook = (None, reached) if after else (reached, None)
        process.append(enrollment.start(verb))
        out, err = process[0].communicate(timeout=90)
        between.before = between.hook = None
        if len(calls) < at:
            check(process[0].returncode == 0, f"{verb}: {process[0].returncode}\n{out}{err}")
            return
        check(process[0].returncode == -signal.SIGKILL, f"{verb}: {process[0].returncode}\n{out}{err}")
        figures.add("killed after a call" if after else "killed before a call", verb)
        enrollment.look()
        at = at + 1 if enrollment.state() == state else 1
        state = enrollment.state()
    check(False, "the runs come to no end")


# -- killed at steps --


def killed_at_steps(run, verb, look, journal, figures):
    """Before and after each time that the journal is written, and removed. When it is gone all is done, and the same
    command says that there is nothing to do any more."""
    when, kills = "before", 0
    for _ in range(RUNS_MAX):
        status, words = run({"PINWARD_KILL_NOTE": when})
        if status == 0 or (status == STATE and kills and not journal()):
            return
        kills += 1
        check(status == -signal.SIGKILL, f"{verb} {when}: {status}\n{words}")
        figures.add(f"killed {when} a step is noted", verb)
        look()
        when = "after" if when == "before" else "before"
    check(False, "the runs come to no end")


def preload(world, **environment):
    # The sanitizer's runtime is then not the first library, which it would complain of.
    return {"LD_PRELOAD": os.environ["PINWARD_KILL_LIBRARY"],
            "ASAN_OPTIONS": world.env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0", **environment}


def steps_of(enrollment, verb, figures):
    killed_at_steps(lambda more: enrollment.run(verb, **preload(enrollment.world, **more)), verb, enrollment.look,
                    enrollment.state, figures)


# -- answers that do not come as they were given --


def drop(*_):
    raise ConnectionError


def late(method, _path, *answer):
    """Too late for what changes something; a little late for the rest."""
    time.sleep(1.5 if method == "POST" else 0.1)
    return answer


def cut(_method, _path, status, headers, body):
    return status, headers, Cut(body)


FAULTS = {"answer lost": drop, "answer late": late, "answer cut off": cut, "asked twice": None,
          "answer to another question": None}


def with_faults(enrollment, verb, kind, figures):
    """Each answer in each state of the journal once; runs until one ends well."""
    between, seen = enrollment.between, set()
    last = []

    def meet(method, path):
        point = (enrollment.state(), method, re.sub(r"[0-9a-f-]{32,36}", "ID", path))
        new = point not in seen
        seen.add(point)
        if new:
            figures.add(kind, verb)
        return new

    def hook(method, path, *answer):
        other = last[-1] if last else answer
        last.append(answer)
        if not meet(method, path):
            return answer
        return other if kind == "answer to another question" else FAULTS[kind](method, path, *answer)

    between.hook, between.twice = (None, meet) if kind == "asked twice" else (hook, None)
    enrollment.configure(timeout=1 if kind == "answer late" else 60)
    try:
        for _ in range(RUNS_MAX):
            status, words = enrollment.run(verb)
            check(0 <= status < 126, f"{verb} with {kind}: {status}\n{words}")
            if status == 0:
                return
            enrollment.look()
        check(False, "the runs come to no end")
    finally:
        between.hook = between.twice = None
        enrollment.configure()


# -- the tests --


def everywhere(world):
    """Apply, activate and, when their month has come, renew: one enrollment for each kind of point."""
    between, figures = Between(world), Figures()
    kinds = [("steps", steps_of),
             ("before calls", lambda e, verb, f: killed_at_calls(e, verb, False, f)),
             ("after calls", lambda e, verb, f: killed_at_calls(e, verb, True, f))]
    kinds += [(kind, lambda e, verb, f, kind=kind: with_faults(e, verb, kind, f)) for kind in FAULTS]
    enrollments = []
    for number, (_, points) in enumerate(kinds, 1):
        enrollment = Enrollment(world, between, number)
        points(enrollment, APPLY, figures)
        points(enrollment, ACTIVATE, figures)
        enrollment.check_complete()
        enrollments.append(enrollment)
    world.set_clock(0)
    for enrollment, (_, points) in zip(enrollments, kinds):
        enrollment.again()
        enrollment.most = 4
        points(enrollment, RENEW, figures)
        world.tool("status", "--json")
        enrollment.check_complete(renewed=True)
    figures.say(3 * (len(kinds) + 1), 3)  # steps count twice: before and after
    between.close()


def importing(world):
    """pfx import, which calls nobody: before and after each of its steps."""
    folder, ca = quick_backup(world)
    world.new_token("spare")
    world.configure(token="spare", ca_file=ca)
    figures = Figures()
    verb = ("pfx", "import", "--signing", f"{folder}/signing.pfx", "--encryption", f"{folder}/encryption.pfx",
            "--name", "me")

    def run(more):
        (world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in [*IMPORT, *IMPORT[1:] * 4]))
        done = subprocess.run([os.environ["PINWARD_TOOL"], *verb], env={**world.env, **preload(world, **more)},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)
        return done.returncode, done.stdout + done.stderr

    def look():
        check(world.count("Private Key", "spare") <= 2, world.objects("spare"))

    killed_at_steps(run, verb, look, lambda: list((world.root / "state" / "pinward").glob("import-*.json")), figures)
    check_imported(world, certificates=3)
    figures.say(2, 5)


def at_windows(world):
    """While a window is open: at the token's PIN, at the password, and, where every use asks, at the decryption's PIN."""
    between, figures = Between(world), Figures()
    enrollment = Enrollment(world, between, 1)
    for verb, answers in ((APPLY, []), (ACTIVATE, []), (ACTIVATE, ANSWERS[ACTIVATE][:1]), (ACTIVATE, ANSWERS[ACTIVATE])):
        if verb == ACTIVATE and enrollment.state() is None:
            check(enrollment.run(APPLY)[0] == 0)
        enrollment.configure(batch_uses="0")
        process = enrollment.start(verb, [*answers, "hang"])
        for _ in range(1000):
            if (world.pinentry / "script").read_text() == "":
                break
            time.sleep(0.02)
        process.kill()
        process.communicate()
        figures.add("killed at a window", verb)
        enrollment.look()
    enrollment.configure()
    check(enrollment.run(ACTIVATE)[0] == 0)
    enrollment.check_complete()
    figures.say(2, 1)
    between.close()


def in_the_token(world):
    """While the token writes to its files: at every STEPth of its writes, until a run ends by itself."""
    between, figures = Between(world), Figures()
    enrollment = Enrollment(world, between, 1)
    at, status = 1, -signal.SIGKILL
    while status != 0:
        status, words = enrollment.run(APPLY, ANSWERS[APPLY] * 2, **preload(world, PINWARD_KILL_AT=str(at),
                                                                            PINWARD_KILL_UNDER=str(world.root / "tokens")))
        check(status in (0, -signal.SIGKILL), f"at write {at}: {status}\n{words}")
        if status != 0:
            figures.add("killed in the token", APPLY)
        at += int(os.environ.get("STEP", "9"))
    check(enrollment.run(ACTIVATE)[0] == 0)
    enrollment.check_complete(stillborn=True)
    figures.say(1, 3)
    between.close()


if __name__ == "__main__":
    run([everywhere, importing, at_windows, in_the_token])
