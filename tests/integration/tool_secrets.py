#!/usr/bin/env python3
"""No PIN, password, session cookie or exported key stays where somebody could find it: not in the arguments or the
environment of the tool, of the programs that it starts and of the reference portal, in no log, ledger, journal or answer, and
not in the memory of the tool when it ends and of the portal when it has answered, of which a core would be a part. Each is
searched for as it is and as programs write it."""
import resource

from secret_search import Secrets, memory, started_with
from tool_world import *

# Each has a word of its own, which stands in it as it is however the rest is escaped.
SECRET_PIN = "Pin-73915802/46"
FIRST_OWN = 'Old "Kestrel\\ 83&%+ at dusk'
SECOND_OWN = "New ~Curlew/ 29=? ß at dawn"
PFX_PASSWORD = 'Sent "Plovers\\ 61&%+ ebb'
PFX_SECOND = "Kept ~Dunlins/ 47=? flow"
LABEL = "vault"


class Watched:
    """A world whose tool is stopped at its end, and whose pinentry and captcha-command tell how they were started."""

    def __init__(self, world):
        self.world = world
        self.secrets = Secrets()
        self.started = world.root / "started"
        world.new_token(LABEL)
        subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", LABEL, "--login", "--pin", PIN, "--change-pin",
                        "--new-pin", SECRET_PIN], env=world.env, check=True, capture_output=True)
        self.secrets.add("PIN", SECRET_PIN)
        world.configure(token=LABEL, pinentry=self.telling(os.environ["PINWARD_SCRIPTED_PINENTRY"]), export="ask")
        conf = world.root / "pinward.conf"
        captcha = self.telling(HERE / "tool_captcha")
        conf.write_text(re.sub(r"captcha-command = .*", f"captcha-command = {captcha}", conf.read_text()))
        # Iterations of a key derivation would fill a larger quarantine of freed memory with nothing else.
        self.env = {**world.env, "LD_PRELOAD": os.environ["PINWARD_STOP_LIBRARY"], "ASAN_OPTIONS":
                    f"{world.env.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0:quarantine_size_mb=16"}
        self.figures = [0, 0]
        self.portal_after = set()
        self.left = []

    def telling(self, program):
        """The program, which first notes its own and its parent's arguments and environment."""
        script = self.world.root / f"telling-{pathlib.Path(program).name}"
        script.write_text("#!/bin/sh\nunset LD_PRELOAD\n"
                          f"for pid in $$ $PPID; do cat /proc/$pid/cmdline /proc/$pid/environ; done >>{self.started}\n"
                          f"exec {program} \"$@\"\n")
        script.chmod(0o755)
        return script

    def tool(self, *arguments, answers=(), expect=0):
        """Runs the tool, and looks at all of its memory, and at the portal's, when it has done its work."""
        world = self.world
        (world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in answers))
        process = subprocess.Popen([os.environ["PINWARD_TOOL"], *arguments], env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        check(os.WIFSTOPPED(status), f"{arguments}: ended ({status}) without a stop")
        try:
            seen = [*started_with(process.pid), *memory(process.pid)]
            if arguments[0] not in self.portal_after:  # once for each verb
                self.portal_after.add(arguments[0])
                portal = world.portal.pid
                seen += [(f"the portal's {place}", data) for place, data in [*started_with(portal), *memory(portal)]]
        finally:
            process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60)
        text = f"pinward {' '.join(arguments)}: exit {process.returncode}, expected {expect}\n{out.decode()}{err.decode()}"
        check(process.returncode == expect, text)
        check((world.pinentry / "script").read_text() == "", f"{text}\nanswers that nobody asked for are left")
        self.figures = [self.figures[0] + 1, self.figures[1] + sum(len(data) for _, data in seen)]
        self.look(f"pinward {' '.join(arguments)}", [*seen, ("stdout", out), ("stderr", err)])
        return out.decode()

    def look(self, arguments, seen):
        self.left += [f"left by {arguments}: {name} in {where}"
                      for where, data in seen for name in self.secrets.found(data)]

    def files(self):
        """Whatever the runs have written, but for the file that keeps the session and what belongs to the pinentry, to the
        portal's test mode and to this test."""
        mine = {self.world.root / "state" / "pinward" / "session.json", self.world.pinentry / "script"}
        return [p for p in self.world.root.rglob("*") if p.is_file() and p not in mine]

    def end(self):
        """What is left when all is done."""
        started = self.started.read_bytes()
        check(b"PINWARD_CONF=" in started and b"telling-scripted-pinentry" in started, "nobody told how it was started")
        logs = [p.name for p in self.files()]
        check({"pinward.log", "ledger.jsonl", "portal.log", "started", "log"} <= set(logs), logs)
        self.look("all", [(str(p), p.read_bytes()) for p in self.files()])
        check(not self.left, "\n".join(self.left))
        print(f"# {self.figures[0]} runs, {self.figures[1] >> 20} MiB of memory and {len(logs)} files searched for "
              f"{len(self.secrets.wanted)} secrets in {sum(map(len, self.secrets.wanted.values()))} forms")


def login(watched, first, own=None):
    watched.tool("login", "--account", "wang", answers=[f"pin {first}"] + ([f"repeat {own}"] if own else []))
    session = json.loads((watched.world.root / "state" / "pinward" / "session.json").read_text())
    watched.secrets.add(f"cookie {len(watched.secrets.wanted)}", session["cookie"])


def number(name, text):
    """The bytes of a number in what openssl pkey -text prints."""
    digits = re.search(rf"^{name}:\n((?: +[0-9a-f:]+\n)+)", text, re.M)[1]
    return bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits)).lstrip(b"\0")


def add_key(watched, path, password, *numbers):
    """The private key in a PFX file."""
    pem = subprocess.run(["openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nodes", "-nocerts"], check=True,
                         input=password.encode(), capture_output=True).stdout
    text = subprocess.run(["openssl", "pkey", "-text", "-noout"], input=pem, check=True, capture_output=True).stdout
    for name in numbers:
        watched.secrets.add_number(f"{name} of the key in {path.name}", number(name, text.decode()))


def left_nowhere(world):
    watched = Watched(world)
    folder = world.root
    first = world.register()
    for name, text in (("first password", first), ("own password", FIRST_OWN), ("new password", SECOND_OWN),
                       ("PFX password", PFX_PASSWORD), ("second PFX password", PFX_SECOND)):
        watched.secrets.add(name, text)
    login(watched, first, FIRST_OWN)
    watched.tool("passwd", answers=["pin " + FIRST_OWN[:-1], f"repeat {SECOND_OWN}"], expect=LOGIN)
    watched.tool("passwd", answers=[f"pin {FIRST_OWN}", f"repeat {SECOND_OWN}"])
    watched.tool("logout")
    login(watched, SECOND_OWN)
    watched.tool("apply", "--name", "me", "--accept-terms", "1", "--yes", "--exportable",
                 answers=[f"pin {SECRET_PIN}"] * 3)
    watched.tool("activate", answers=[f"pin {SECRET_PIN}", f"pin {SECOND_OWN}"])
    signing, encryption = folder / "signing.pfx", folder / "encryption.pfx"
    files = ("--signing", str(signing), "--encryption", str(encryption))
    export = [f"pin {SECRET_PIN}", f"repeat {PFX_PASSWORD}", f"pin {SECRET_PIN}", f"pin {SECRET_PIN}"]
    watched.tool("pfx", "export", *files, answers=export)
    for path in (signing, encryption):
        add_key(watched, path, PFX_PASSWORD, "prime1", "prime2", "privateExponent")
    watched.tool("backup", "--folder", str(folder / "backup"), "--legacy", answers=export)
    watched.tool("pfx", "passwd", "--file", str(signing), answers=[f"pin {PFX_PASSWORD}", f"repeat {PFX_SECOND}"])
    watched.tool("pfx", "passwd", "--file", str(folder / "backup" / "signing.pfx"), "--legacy",
                 answers=[f"pin {PFX_PASSWORD}", f"repeat {PFX_SECOND}"])
    watched.tool("suspend", "--certificate", "encryption", "--yes", answers=[f"pin {SECOND_OWN}"])
    world.admin("resume", next(c["serial"] for c in world.status()["certificates"] if c["state"] == "suspended"))
    world.set_clock(0)
    login(watched, SECOND_OWN)
    watched.tool("renew", "--name", "new", "--accept-terms", "1", "--yes",
                 answers=[f"pin {SECRET_PIN}", f"pin {SECOND_OWN}"])
    watched.tool("pfx", "import", *files, "--name", "again",
                 answers=[f"pin {PFX_SECOND}", f"pin {PFX_PASSWORD}", f"pin {SECRET_PIN}"], expect=STATE)
    watched.end()


def no_core(world):
    """The tool leaves no core, wherever the system sends them and however large they may be."""
    world.login()
    for number in (signal.SIGQUIT, signal.SIGSEGV):
        (world.pinentry / "script").write_text("hang\n")
        process = subprocess.Popen(
            [os.environ["PINWARD_TOOL"], "passwd"], cwd=world.root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env={**world.env, "ASAN_OPTIONS": f"{world.env.get('ASAN_OPTIONS', '')}:disable_coredump=0:handle_segv=0"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2))
        while (world.pinentry / "script").read_text():
            check(process.poll() is None, "it ended without a question")
            time.sleep(0.02)
        process.send_signal(number)
        _, status = os.waitpid(process.pid, 0)
        check(os.WTERMSIG(status) == number and not os.WCOREDUMP(status), status)
        world.end_pinentries()
    check(not list(world.root.glob("core*")), "there is a core")


if __name__ == "__main__":
    run([left_nowhere, no_core])
