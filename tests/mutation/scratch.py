"""scratch: a copy of the tree in build/mutation/, its build, and the tests there. The work tree itself is only read."""
import json
import os
import re
import signal
import subprocess
import time

JOBS = str(os.cpu_count() or 1)

# What follows is run when none of a mutation's own tests has noticed. The rest of the suite is the enrollment tool, the
# portal and other people's programs, and the same suites on other backends.
WIDER = r"^(unit\.(common|gate|agent)_|fuzz\.(config|module|ledger|pinentry)$|faults\.|integration\.|isolated\.)"

# Plain, because a mutation must be noticed by what a test looks at; warnings are for people who meant what they wrote.
CONFIGURATION = ("-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS=-Wno-error -w")


class Broken(Exception):
    """The mutation, or the tree, is of no use."""


def quiet(*words):
    return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def end_leftovers(folder):
    """A test that fails half-way may leave processes: those whose program is in the folder are ended."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(f"{folder}/"):
                os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass  # it has ended, or is another user's


class Scratch:
    def __init__(self, root):
        self.root = root
        self.tree = root / "build" / "mutation" / "tree"
        self.build = root / "build" / "mutation" / "build"
        self.targets = set()
        self.tests = {}

    def prepare(self):
        """The copy as the work tree is now, configured: what an earlier run built is used."""
        self.copy()
        self.must("cmake", "-S", str(self.tree), "-B", str(self.build), "-G", "Ninja", *CONFIGURATION)
        listed = quiet("ninja", "-C", str(self.build), "-t", "targets", "all").stdout
        self.targets = {line.rpartition(":")[0] for line in listed.splitlines()}
        listed = quiet("ctest", "--test-dir", str(self.build), "--show-only=json-v1")
        self.tests = {test["name"]: test for test in json.loads(listed.stdout)["tests"]}

    def copy(self):
        listed = subprocess.run(["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                check=True, capture_output=True, text=True).stdout
        names = {name for name in listed.split("\0") if name and (self.root / name).is_file()}
        for name in names:
            self.copy_file(name)
        for path in list(self.tree.rglob("*")):
            if path.is_file() and str(path.relative_to(self.tree)) not in names:
                path.unlink()

    def copy_file(self, name):
        """Only what differs, so that only what differs is built."""
        source, target = self.root / name, self.tree / name
        content = source.read_bytes()
        if target.is_file() and target.read_bytes() == content:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(source.stat().st_mode & 0o777)

    def must(self, *words):
        done = quiet(*words)
        if done.returncode != 0:
            raise Broken(f"the tree itself cannot be configured:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def build_for(self, names):
        done = quiet("ninja", "-C", str(self.build), "-j", JOBS, *self.targets_of(names))
        if done.returncode != 0:
            raise Broken("it does not compile:\n" + done.stdout[-1500:])

    def targets_of(self, names):
        """What these tests run: their own programs, the module, the agent, and what they are told of in the environment."""
        words = {"pkcs11-module/pinward-pkcs11.so", "pkcs11-module/agent/pinward-agent"}
        for name in names:
            stem = name.rpartition(".")[2]
            words.update(f"{kind}-{stem}" for kind in ("test", "fuzz", "faults"))
            words.update(os.path.relpath(value.partition("=")[2], self.build) for value in self.environment_of(name))
        return sorted(words & self.targets)

    def environment_of(self, name):
        return [value for prop in self.tests[name].get("properties", []) if prop["name"] == "ENVIRONMENT"
                for value in prop["value"] if "=/" in value]

    def first_failure(self, pattern, jobs="1"):
        """The first test that fails and how long it took, or None; and how many were run."""
        done = quiet("ctest", "--test-dir", str(self.build), "-j", jobs, "-R", pattern, "--stop-on-failure")
        end_leftovers(self.build)
        ended = re.findall(r"Test\s+#\d+: (\S+) \.*\s*(.+?)\s+([\d.]+) sec", done.stdout)
        for name, verdict, seconds in ended:
            if not re.match(r"Passed|\*\*\*Skipped|\*\*\*Not Run", verdict):
                return (name, float(seconds)), len(ended)
        if done.returncode != 0 or not ended:
            raise Broken(f"no test was run by {pattern}:\n{done.stdout[-500:]}")
        return None, len(ended)

    def try_one(self, mutation):
        """Breaks the copy, and mends it again whatever comes. (test, its seconds) or None; how many ran; the time it took."""
        path = self.tree / mutation.file
        text = path.read_text(encoding="utf-8")
        begun = time.monotonic()
        names = mutation.tests.split()
        if text.count(mutation.old) != 1:
            raise Broken(f"its text is in {mutation.file} {text.count(mutation.old)} times")
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        try:
            found, ran = self.run(names, exactly(names), "1")
            if not found:
                found, more = self.run([name for name in self.tests if re.match(WIDER, name)], WIDER, JOBS)
                ran += more
        finally:
            path.write_text(text, encoding="utf-8")
        if found and found[0] not in names and self.run([found[0]], exactly([found[0]]), "1")[0]:
            raise Broken(f"only {found[0]} failed, which it does without a mutation, too")
        return found, ran, time.monotonic() - begun

    def run(self, names, pattern, jobs):
        self.build_for(names)
        return self.first_failure(pattern, jobs)


def exactly(names):
    return "^(" + "|".join(re.escape(name) for name in names) + ")$"
