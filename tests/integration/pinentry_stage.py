"""pinentry_stage: a host that uses the module, real pinentries, and a terminal or a display to see and type on. All state
is under one temporary folder.

Environment (set by CTest): PINWARD_MODULE, PINWARD_PINENTRY_HOST, PINWARD_SCRIPTED_PINENTRY.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

PIN = "735911"
WRONG = "271828"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
LABEL = "王小明的簽章金鑰"
ENGLISH = {"LC_ALL": "C.UTF-8"}
CHINESE = {"LC_ALL": "C.UTF-8", "LANGUAGE": "zh_TW"}


class Skip(Exception):
    """What is missing for a test."""


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def wait_for(condition, what, timeout_s=15):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {timeout_s} s")


class Stage:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="pinward-stage-", dir=os.getcwd()))
        for folder in ("tokens", "state", "home", "pinentry"):
            (self.root / folder).mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "home"),
            "XDG_STATE_HOME": str(self.root / "state"),
            "PINWARD_CONF": str(self.root / "pinward.conf"),
            "SOFTHSM2_CONF": str(self.root / "softhsm2.conf"),
            "SCRIPTED_PINENTRY_DIR": str(self.root / "pinentry"),
        }
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.env[name] = value
        (self.root / "softhsm2.conf").write_text(
            f"directories.tokendir = {self.root}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "card", "--pin", PIN, "--so-pin", "87654321"],
                       env=self.env, check=True, capture_output=True)
        self.children = []
        self.tmux = None

    def close(self):
        if self.tmux:
            subprocess.run([*self.tmux, "kill-server"], env=self.env, capture_output=True)
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
            child.wait(timeout=20)
        shutil.rmtree(self.root)

    def configure(self, pinentry, **module):
        module = {"login_grace": 0, "prompt_timeout": "20s", **module}
        lines = ["[module]", f"backend = {SOFTHSM}", f"pinentry = {pinentry}"]
        lines += [f"{name.replace('_', '-')} = {value}" for name, value in module.items()]
        lines += ["[log]", f"file = {self.root}/pinward.log", "level = debug"]
        (self.root / "pinward.conf").write_text("\n".join(lines) + "\n")

    def log(self):
        path = self.root / "pinward.log"
        return path.read_text() if path.exists() else ""

    def host(self, *steps):
        return [os.environ["PINWARD_PINENTRY_HOST"], os.environ["PINWARD_MODULE"], *steps]

    def run_host(self, *steps, env=None, **options):
        """The host in a session of its own, so that it has no terminal; what it printed."""
        done = subprocess.run(self.host(*steps), env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, start_new_session=True, **options)
        check(done.returncode == 0, done.stderr)
        return done.stdout

    def start(self, command, **options):
        child = subprocess.Popen(command, **options)
        self.children.append(child)
        return child

    # -- a terminal, drawn by tmux --

    def terminal(self, command, env, rows=24):
        need("tmux")
        # A folder of the build may have a path that is too long for a socket's.
        self.tmux = ["tmux", "-u", "-L", f"pinward-{os.getpid()}", "-f", "/dev/null"]
        assignments = " ".join(f"{name}='{value}'" for name, value in {**self.env, **env}.items())
        subprocess.run([*self.tmux, "new-session", "-d", "-x", "80", "-y", str(rows), f"env {assignments} sh"],
                       env={**self.env, **env, "TMUX_TMPDIR": str(self.socket_folder())}, check=True, capture_output=True)
        self.env["TMUX_TMPDIR"] = str(self.socket_folder())
        self.type("PS1= ; clear; " + " ".join(f"'{word}'" if word[0] not in "<>2" else word for word in command))

    def socket_folder(self):
        return self.root if len(str(self.root)) < 60 else "/tmp"

    def type(self, text):
        subprocess.run([*self.tmux, "send-keys", "-l", text], env=self.env, check=True, capture_output=True)
        subprocess.run([*self.tmux, "send-keys", "Enter"], env=self.env, check=True, capture_output=True)

    def screen(self):
        return subprocess.run([*self.tmux, "capture-pane", "-p"], env=self.env, check=True, capture_output=True,
                              text=True).stdout

    def wait_screen(self, *texts):
        def shows():
            screen = self.screen()
            return screen if all(text in screen for text in texts) else None
        try:
            return wait_for(shows, f"{texts} on the terminal")
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows\n{self.screen()}") from None


def run(tests):
    """Runs the tests, each on a stage of its own, and reports them as TAP."""
    failed = 0
    wanted = sys.argv[1:]
    tests = [test for test in tests if not wanted or test.__name__ in wanted]
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        stage = Stage()
        try:
            test(stage)
            print(f"ok {number} - {test.__name__}", flush=True)
        except Skip as why:
            print(f"ok {number} - {test.__name__} # SKIP {why}", flush=True)
        except Exception:  # any failure, also of a helper, is this test's
            failed += 1
            print(f"not ok {number} - {test.__name__}")
            print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
            print("# log:\n# " + "\n# ".join(stage.log().splitlines()[-15:]), flush=True)
        finally:
            stage.close()
    sys.exit(1 if failed else 0)
