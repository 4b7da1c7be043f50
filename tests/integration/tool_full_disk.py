#!/usr/bin/env python3
"""The disk that the tool keeps its journals on is full: from the beginning of a run, but for some room, and from each call of the
portal on; it is read-only; a journal is cut or overwritten. Each time the tool says so and ends, or does without; nothing is
lost and nothing is made twice; and once there is room the same command goes on. In the end there is one pair of
certificates, its keys and certificates are on the token and nothing else is, and no journal is left.

The state folder is a small tmpfs in a mount namespace of its own; where the machine allows none the test is skipped."""
import errno

from tool_between import Between
from tool_killed import ACTIVATE, APPLY, RENEW, RUNS_MAX, Enrollment, Figures
from tool_world import *

PAGE = 4096
SIZE = 1 << 20
NAMESPACE = "PINWARD_TEST_NAMESPACE"
LEAVES = (0, 1, 2, 3)  # pages


class Disk:
    """The folder of the state, on a disk that can be filled."""

    def __init__(self, world):
        self.folder = world.root / "state"
        self.ballast = self.folder / "ballast"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", self.folder], check=True)

    def fill(self, leaves=0):
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError as why:
                check(why.errno == errno.ENOSPC, why)
            file.truncate(max(0, file.tell() - leaves * PAGE))

    def free(self):
        self.ballast.unlink(missing_ok=True)

    def leave(self):
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def read_only(self, yes):
        subprocess.run(["mount", "-o", f"remount,{'ro' if yes else 'rw'}", self.folder], check=True)


def check_said(verb, status, words):
    """It did without, or it ended with a sentence about what is wrong."""
    said = words.strip().splitlines()
    check(status in (0, IO, STATE, TOKEN), f"{verb}: {status}\n{words}")
    check(status == 0 or (said and len(said[-1]) > 30), f"{verb}: {status}\n{words}")


def full_at_the_beginning(enrollment, disk, verb, figures):
    """Until a run has room enough for all of it."""
    for leaves in LEAVES:
        disk.fill(leaves)
        status, words = enrollment.run(verb)
        disk.free()
        figures.add("full but for some room", verb)
        check_said(verb, status, words)
        enrollment.look()
        if status == 0:
            return True
    return False


def full_at_calls(enrollment, disk, verb, figures):
    """From each call of the portal on. Where a run brought the journal to another state, from its first call again."""
    at, state = 1, enrollment.state()
    for _ in range(RUNS_MAX):
        calls = []

        def reached(*call):
            calls.append(call)
            if len(calls) == at:
                disk.fill()

        enrollment.between.before = reached
        status, words = enrollment.run(verb)
        enrollment.between.before = None
        disk.free()
        check_said(verb, status, words)
        if status == 0:
            return
        check(len(calls) >= at, f"{verb} failed with room: {words}")
        figures.add("full from a call on", verb)
        enrollment.look()
        at = at + 1 if enrollment.state() == state else 1
        state = enrollment.state()
    check(False, "the runs come to no end")


def read_only(enrollment, disk, verb, figures):
    before = enrollment.world.objects(enrollment.token)
    disk.read_only(True)
    status, words = enrollment.run(verb)
    disk.read_only(False)
    figures.add("read-only", verb)
    check_said(verb, status, words)
    check(status != 0 and enrollment.world.objects(enrollment.token) == before, f"{verb}: {words}")


def damaged(enrollment, verb, figures):
    """A journal of which a part is gone, or that is something else, is not believed, and not thrown away."""
    path = enrollment.world.root / "state" / "pinward" / enrollment.world.state_files()[0]
    whole, before = path.read_bytes(), enrollment.world.objects(enrollment.token)
    for damage in (b"", whole[:len(whole) // 2], whole[:-2], b"\xff" * len(whole), b"{}", whole + whole):
        path.write_bytes(damage)
        status, words = enrollment.run(verb)
        figures.add("journal damaged", verb)
        check_said(verb, status, words)
        check(status != 0 and path.read_bytes() == damage, f"{verb} with {damage[:40]!r}: {status}\n{words}")
        check(enrollment.world.objects(enrollment.token) == before, f"{verb} with {damage[:40]!r} changed the token")
    path.write_bytes(whole)


def enroll_on(disk, enrollment, figures):
    read_only(enrollment, disk, APPLY, figures)
    full_at_the_beginning(enrollment, disk, APPLY, figures)
    full_at_calls(enrollment, disk, APPLY, figures)
    damaged(enrollment, ACTIVATE, figures)
    read_only(enrollment, disk, ACTIVATE, figures)
    full_at_the_beginning(enrollment, disk, ACTIVATE, figures) or full_at_calls(enrollment, disk, ACTIVATE, figures)
    enrollment.check_complete()
    enrollment.world.set_clock(0)
    enrollment.again()
    enrollment.most = 4
    read_only(enrollment, disk, RENEW, figures)
    full_at_calls(enrollment, disk, RENEW, figures)
    enrollment.check_complete(renewed=True)


def enroll(world):
    disk, between, figures = Disk(world), Between(world), Figures()
    try:
        enroll_on(disk, Enrollment(world, between, 1), figures)
    finally:
        disk.leave()
        between.close()
    figures.say(len(figures.tried), 1)
    check(sum(figures.tried.values()) > 20, figures.tried)


def enter_namespace():
    """This program again, where it may mount; a reason when the machine does not allow that."""
    if os.environ.get(NAMESPACE):
        return None
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    tried = subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    if tried.returncode != 0:
        return f"no file system can be mounted here ({tried.stderr.strip()})"
    os.execvpe("unshare", [*unshare, sys.executable, "-B", __file__], {**os.environ, NAMESPACE: "1"})


if __name__ == "__main__":
    if reason := enter_namespace():
        print(f"1..1\nok 1 - enroll # SKIP {reason}")
    else:
        run([enroll])
