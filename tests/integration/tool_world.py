"""tool_world: a world for one test of the enrollment tool: a reference portal in test mode, SoftHSM2 tokens, the module
with a scripted pinentry, and the tool with its own configuration and state. All of it under one temporary folder.

With PINWARD_TEST_ISOLATED the tool's keys are used by a pinward-agent ([token] isolated = yes).

Environment (set by CTest): PINWARD_TOOL, PINWARD_MODULE, PINWARD_PORTAL, PINWARD_PORTAL_ADMIN,
PINWARD_SCRIPTED_PINENTRY; PINWARD_AGENT.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import jsonschema

PIN = "123456"
PASSWORD = "Correct-Horse-7"
DAY = 86400
ISOLATED = "PINWARD_TEST_ISOLATED" in os.environ
HERE = pathlib.Path(__file__).resolve().parent
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"

# The tool's exit statuses (common/error.h).
USAGE, CONFIG, IO, CANCELLED, NETWORK, TLS, PROTOCOL = 2, 3, 5, 7, 9, 10, 11
LOGIN, LOCKED, REFUSED, TOKEN, CERTIFICATE, STATE, PFX, DUE, EXPIRED = 12, 13, 14, 15, 16, 17, 19, 20, 21

# What each verb may print with --json.
SCHEMA = json.loads((HERE.parents[1] / "docs" / "tool-output.schema.json").read_text(encoding="utf-8"))


def check_document(verb, text):
    """The document of a run with --json keeps to the schema of its verb."""
    document = json.loads(text)
    resolver = jsonschema.RefResolver("", SCHEMA)
    faults = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in
              jsonschema.Draft202012Validator(SCHEMA["$defs"][verb], resolver=resolver).iter_errors(document)]
    check(not faults, f"{verb}: {faults}\n{text}")
    return document


def verb_of(arguments):
    """The verb, of one word or of two, at the head of a command line."""
    two = " ".join(arguments[:2])
    return two if two in SCHEMA["$defs"] else arguments[0]


class Skipped(Exception):
    """What this machine does not let a test do."""


class World:
    def __init__(self, offset_days=-340, approval="automatic", key_profile="rsa-2048", isolated=ISOLATED):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="pinward-tool-", dir=os.getcwd()))
        self.test_mode = self.root / "test"
        self.data = self.root / "data"
        self.pinentry = self.root / "pinentry"
        for folder in (self.test_mode, self.pinentry, self.root / "tokens", self.root / "state", self.root / "home"):
            folder.mkdir()
        self.portal = None
        self.url = None
        self.isolated = isolated
        self.agent = None
        self.runtime = None
        self.before = []  # what runs the tool
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "home"),
            "LC_ALL": "C.UTF-8",
            "XDG_STATE_HOME": str(self.root / "state"),
            "PINWARD_CONF": str(self.root / "pinward.conf"),
            "SOFTHSM2_CONF": str(self.root / "softhsm2.conf"),
            "SCRIPTED_PINENTRY_DIR": str(self.pinentry),
            "PINWARD_TEST_CAPTCHAS": str(self.test_mode / "captcha"),
        }
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.env[name] = value
        (self.root / "softhsm2.conf").write_text(
            f"directories.tokendir = {self.root}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.set_clock(offset_days)
        self.admin("init", "--country", "TW", "--organization", "Example CA", "--key-profile", key_profile)
        self.start_portal(approval)
        self.new_token("card")
        self.configure()
        if isolated:
            self.start_agent()

    # -- parts --

    def set_clock(self, days):
        """Moves the portal's clock to real time plus days."""
        (self.test_mode / "clock-offset").write_text(f"{int(days * DAY)}\n")

    def admin(self, *arguments):
        command = [os.environ["PINWARD_PORTAL_ADMIN"], "--data", self.data, "--test-mode", self.test_mode, *arguments]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"portal-admin {arguments}: {done.stderr}")
        return done.stdout

    def start_portal(self, approval="automatic", data=None):
        data = data or self.data
        port_file = self.root / "port"
        port_file.unlink(missing_ok=True)
        self.portal = subprocess.Popen(
            [os.environ["PINWARD_PORTAL"], "--data", data, "--test-mode", self.test_mode, "--port", "0", "--port-file",
             port_file, "--approval", approval, "--exit-with-parent"],
            env=self.env, stdout=open(self.root / "portal.log", "ab"), stderr=subprocess.STDOUT)
        for _ in range(300):
            if port_file.exists() and port_file.read_text().strip():
                break
            check(self.portal.poll() is None, "the portal ended at once")
            time.sleep(0.05)
        self.url = f"https://localhost:{port_file.read_text().strip()}"
        return self.url

    def stop_portal(self):
        if self.portal:
            self.portal.terminate()
            self.portal.wait(timeout=20)
            self.portal = None

    def start_agent(self):
        """One that has the token, the configuration and the pinentry."""
        if not self.runtime:
            self.runtime = tempfile.mkdtemp(prefix="pinward-run-", dir="/tmp")  # the name of a socket is short
            self.env["XDG_RUNTIME_DIR"] = self.runtime
        # LeakSanitizer reads the memory of its own process, which the agent forbids to everybody.
        env = {**self.env, "ASAN_OPTIONS": "detect_leaks=0:intercept_tls_get_addr=0"}
        self.agent = subprocess.Popen([*self.before, os.environ["PINWARD_AGENT"]], env=env, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, text=True)
        check(self.agent.stdout.readline().startswith("P11_KIT_SERVER_ADDRESS="), "the agent ended at once")

    def stop_agent(self):
        if self.agent:
            self.agent.terminate()
            self.agent.communicate(timeout=20)
            self.agent = None

    def new_token(self, label):
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"],
                       env=self.env, check=True, capture_output=True)

    def configure(self, url=None, ca_file=None, backend=SOFTHSM, token="card", prompt="module", pinentry=None,
                  timeout=60, isolated=None, **module):
        isolated = self.isolated if isolated is None else isolated
        lines = ["[module]", f"backend = {backend}", f"pinentry = {pinentry or os.environ['PINWARD_SCRIPTED_PINENTRY']}",
                 f"prompt = {prompt}"]
        lines += [f"{name.replace('_', '-')} = {value}" for name, value in module.items()]
        lines += ["[portal]", f"url = {url or self.url}", f"ca-file = {ca_file or self.data / 'root.pem'}",
                  f"captcha-command = {HERE / 'tool_captcha'}", f"timeout = {timeout}",
                  "[token]", "isolated = yes" if isolated else f"module = {os.environ['PINWARD_MODULE']}",
                  f"label = {token}",
                  "[log]", f"file = {self.root}/pinward.log", "level = debug"]
        (self.root / "pinward.conf").write_text("\n".join(lines) + "\n")

    def register(self, account="wang", name="王小明", *more):
        sheet = self.admin("register", "--common-name", name, "--country", "TW", "--organization", "Ex, Inc",
                           "--email", f"{account}@example.org", "--registration-number", f"R-{account}", "--account",
                           account, "--json", *more)
        return json.loads(sheet)["first_password"]

    # -- the tool --

    def tool(self, *arguments, answers=(), expect=0, says=None, env=None):
        """Runs pinward with these answers in the pinentry's script; checks exit status, text, and that all were used."""
        (self.pinentry / "script").write_text("".join(f"{answer}\n" for answer in answers))
        done = subprocess.run([*self.before, os.environ["PINWARD_TOOL"], *arguments], env={**self.env, **(env or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
        text = f"pinward {' '.join(arguments)}: exit {done.returncode}, expected {expect}\n{done.stdout}{done.stderr}"
        check(done.returncode == expect, text)
        check(says is None or says in done.stdout + done.stderr, f"{text}\nmissing: {says}")
        check((self.pinentry / "script").read_text() == "", f"{text}\nanswers that nobody asked for are left")
        for secret in (PIN, PASSWORD):
            check(secret not in done.stdout + done.stderr, "a secret was printed")
        if "--json" in arguments:
            document = check_document(verb_of(arguments), done.stdout)
            failed = isinstance(document, dict) and document["error"]
            check((failed["exit_status"] if failed else 0) == expect, text)
        return done.stdout

    def be_without_privileges(self):
        """Tests may run as root; from here tool and agent are an ordinary user's, without any capability."""
        # LeakSanitizer reads the memory of its own process, which tool and agent forbid to everybody.
        self.env["ASAN_OPTIONS"] = "detect_leaks=0:intercept_tls_get_addr=0"
        if os.getuid() == 0:
            self.before = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

    def be_nobody_special(self):
        """From here the tool is not root's: p11-kit, for one, does not read root's own configuration."""
        if os.getuid() == 0:
            self.before = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
            if subprocess.run([*self.before, "true"], capture_output=True).returncode != 0:
                raise Skipped("root, and this machine allows no other user here")

    def login(self, account="wang", first_password=None):
        """Registers the account and logs in, changing the first password."""
        first = first_password or self.register(account)
        return self.tool("login", "--account", account, answers=[f"pin {first}", f"repeat {PASSWORD}"])

    def apply(self, name="me", **options):
        return self.tool("apply", "--name", name, "--accept-terms", self.terms_version(), "--yes",
                         **{"answers": [f"pin {PIN}"], **options})

    def activate(self, **options):
        # One PIN entry for the login and both uses (batch consent).
        return self.tool("activate", **{"answers": [f"pin {PIN}", f"pin {PASSWORD}"], **options})

    def enroll(self, account="wang"):
        self.login(account)
        self.apply()
        self.activate()

    def terms_version(self):
        """The version of the terms, as the tool shows it when others are accepted; that changes nothing."""
        if not hasattr(self, "_terms"):
            shown = self.tool("apply", "--name", "x", "--accept-terms", "other", "--yes", expect=STATE)
            self._terms = re.search(r"^Terms, version (\S+) \(SHA-256", shown, re.M).group(1)
        return self._terms

    def status(self, expect=0):
        return json.loads(self.tool("status", "--json", expect=expect))

    # -- what is there --

    def objects(self, token="card"):
        """What is on the token: a list of dictionaries, read past the module."""
        done = subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", token, "--login", "--pin", PIN,
                               "--list-objects"], env=self.env, capture_output=True, text=True, check=True)
        found = []
        for line in done.stdout.splitlines():
            if not line.startswith(" ") and line.strip():
                found.append({"kind": line.split(";")[0].strip()})
            elif ":" in line and found:
                name, value = line.strip().split(":", 1)
                found[-1][name.strip()] = value.strip()
        return found

    def count(self, kind, token="card"):
        return sum(1 for each in self.objects(token) if each["kind"].startswith(kind))

    def portal_state(self):
        """What the portal keeps of applications and certificates, for comparing before and after."""
        applications = json.loads(self.admin("list", "applications", "--json"))
        certificates = json.loads(self.admin("list", "certificates", "--json"))
        return json.dumps([applications, certificates], sort_keys=True)

    def asked(self):
        """How many questions the pinentry has been asked so far."""
        log = self.pinentry / "log"
        return sum(1 for line in log.read_text().splitlines() if line in ("GETPIN", "CONFIRM")) if log.exists() else 0

    def state_files(self):
        return sorted(p.name for p in (self.root / "state" / "pinward").glob("enrollment-*.json"))

    def end_pinentries(self):
        """A pinentry whose script said "hang" outlives the tool that was killed under it."""
        mark = f"SCRIPTED_PINENTRY_DIR={self.pinentry}\0".encode()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes() and "pinentry" in os.readlink(process / "exe"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:  # ended meanwhile, or not ours to look at
                pass

    def close(self):
        self.stop_portal()
        self.stop_agent()
        self.end_pinentries()
        if self.runtime:
            shutil.rmtree(self.runtime, ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)


def check(condition, message="check failed"):
    if not condition:
        raise AssertionError(message)


def until(condition, message, timeout_s=60):
    """Waits for what another process is about to do."""
    end = time.monotonic() + timeout_s
    while not condition():
        check(time.monotonic() < end, message)
        time.sleep(0.02)


def run(tests):
    """Runs the tests, each in a world of its own unless it takes none, and reports them as TAP."""
    failed = 0
    wanted = sys.argv[1:]
    tests = [t for t in tests if not wanted or t.__name__ in wanted]
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        world = None
        try:
            world = World(**getattr(test, "world", {}))
            test(world)
            print(f"ok {number} - {test.__name__}", flush=True)
        except Skipped as why:
            print(f"ok {number} - {test.__name__} # SKIP {why}", flush=True)
        except Exception:  # any failure, also of a helper, is this test's
            failed += 1
            print(f"not ok {number} - {test.__name__}")
            print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
            for log in (world.root / "pinward.log", world.root / "portal.log") if world else ():
                if log.exists():
                    print(f"# {log.name}:\n# " + "\n# ".join(log.read_text().splitlines()[-15:]), flush=True)
        finally:
            if world:
                world.close()
    sys.exit(1 if failed else 0)
