#!/usr/bin/env python3
"""No PIN stays in a program that uses the module: while a login's grace keeps one, it is in pages only that are locked, in no
core and in no forked child; after each use, a wrong PIN, a cancelled window and a change of the PIN it is nowhere in the
program's memory, in which the module is still loaded and logged in, nor after a logout, C_Finalize or the module's end; and never in its arguments and environment, in those
of its pinentry, in the log, the ledger or the state folder. Searched for as it is and as programs write it.

Environment (set by CTest): PINWARD_MODULE, PINWARD_PINENTRY_HOST, PINWARD_SCRIPTED_PINENTRY, PINWARD_SOFTHSM, and
PINWARD_SANITIZE: AddressSanitizer locks no memory, so that only other builds show the lock."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import softhsm_token
from secret_search import Secrets, flags, memory

SECRET_PIN = "Pin-73915802/46"
WRONG_PIN = "Bad+Guessing 61"
NEW_PIN = "Own%Thrushes~29"
LOGIN = (["login"], [f"pin {NEW_PIN}"], ["login 0x00000000"])
STEPS = [  # what the host does up to its next stop, the windows' answers, and what it then says
    (["login"], [f"pin {SECRET_PIN}"], ["login 0x00000000"]),
    (["key", "a key", "sign"], [], ["key 0x00000000", "sign 0x00000000"]),
    (["sign"], [f"pin {WRONG_PIN}", f"pin {SECRET_PIN}"], ["sign 0x00000000"]),
    (["sign"], [f"pin {WRONG_PIN}"] * 3, ["sign 0x00000200"]),
    (["sign"], ["cancel"], ["sign 0x00000050"]),
    (["sign"], ["die"], ["sign 0x00000006"]),
    (["sign"], ["timeout"], ["sign 0x00000200"]),
    (["set-pin"], [f"pin {SECRET_PIN}", f"repeat {NEW_PIN}"], ["set-pin 0x00000000"]),
    (["sign"], [f"pin {NEW_PIN}"], ["sign 0x00000000"]),
    (["logout"], [], ["logout 0x00000000"]),
    LOGIN,
    (["logout"], [], ["logout 0x00000000"]),
    LOGIN,
    (["finalize"], [], ["finalize 0x00000000"]),
    (["begin"], [], ["begin 0x00000000"]),
    LOGIN,
    (["reload"], [], ["reload 0x00000000"]),
]


def check(condition, message):
    if not condition:
        raise AssertionError(message)


class World:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="secrets-", dir=os.getcwd()))
        softhsm_token.PIN = SECRET_PIN
        softhsm_token.make(self.root, decrypt=True)
        for folder in ("pinentry", "state"):
            (self.root / folder).mkdir()
        self.script = self.root / "pinentry" / "script"
        self.started = self.root / "started"
        conf = self.root / "pinward.conf"
        conf.write_text(f"[log]\nfile = {self.root}/pinward.log\nlevel = debug\n[module]\ncool-down = 0\n"
                        f"backend = {os.environ['PINWARD_SOFTHSM']}\npinentry = {self.telling()}\n")
        conf.chmod(0o600)
        self.secrets = Secrets()
        for name, pin in (("PIN", SECRET_PIN), ("wrong PIN", WRONG_PIN), ("new PIN", NEW_PIN)):
            self.secrets.add(name, pin)
        self.looks, self.searched, self.left = 0, 0, []

    def telling(self):
        """The scripted pinentry, which first notes its own and the host's arguments and environment."""
        script = self.root / "telling-pinentry"
        script.write_text(f"#!/bin/sh\nfor pid in $$ $PPID; do cat /proc/$pid/cmdline /proc/$pid/environ; done >>{self.started}\n"
                          f"exec {os.environ['PINWARD_SCRIPTED_PINENTRY']} \"$@\"\n")
        script.chmod(0o700)
        return script

    def start(self):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root), "LC_ALL": "C.UTF-8",
                       "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
                       "LSAN_OPTIONS": os.environ.get("LSAN_OPTIONS", ""),
                       "SOFTHSM2_CONF": str(self.root / "softhsm2.conf"), "PINWARD_CONF": str(self.root / "pinward.conf"),
                       "XDG_STATE_HOME": str(self.root / "state"), "SCRIPTED_PINENTRY_DIR": str(self.root / "pinentry")}
        steps = [word for words, _, _ in STEPS for word in (*words, "stop")]
        return subprocess.Popen([os.environ["PINWARD_PINENTRY_HOST"], os.environ["PINWARD_MODULE"], "stop", *steps],
                                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def look(self, where, seen):
        """What of it holds a secret: (name of the place, which)."""
        found, searched = [], 0
        for place, data in seen:
            searched += len(data)
            found += [(f"{where}: {place}", secret) for secret in self.secrets.found(data)]
        check(searched > 10000, f"{where}: there is nothing to look at")
        self.looks += 1
        self.searched += searched
        return found

    def look_while_kept(self, pid):
        """The grace keeps the PIN of the login: nowhere but in its own pages."""
        found = self.look("after login", memory(pid))
        wanted = {"dd", "wf"} | (set() if "address" in os.environ["PINWARD_SANITIZE"] else {"lo"})
        all_flags = flags(pid)
        check(found, "the PIN that the grace keeps is not found: then nothing else would be")
        for place, secret in found:
            start = place.split(": ", 1)[1].split()[0]
            check(wanted <= all_flags[start], f"{secret} at {place}: {' '.join(sorted(all_flags[start]))}")
        return len(found)

    def files(self):
        mine = {self.script}
        return [p for p in self.root.rglob("*") if p.is_file() and p not in mine]


def wait_for_stop(process):
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    check(os.WIFSTOPPED(status), f"the host ended ({status})")


def left_nowhere(world):
    process = world.start()
    try:
        for number, (words, answers, _) in enumerate(STEPS):
            wait_for_stop(process)
            if number > 0 and STEPS[number - 1][0] == ["login"]:
                kept = world.look_while_kept(process.pid)
            else:
                world.left += world.look(f"before {words}, number {number}", memory(process.pid))
            world.script.write_text("".join(f"{answer}\n" for answer in answers))
            process.send_signal(signal.SIGCONT)
        wait_for_stop(process)
        world.left += world.look("at the end", memory(process.pid))
        process.send_signal(signal.SIGCONT)
        out = process.communicate(timeout=60)[0]
    finally:
        process.kill()
        process.wait()
    said = [line for line in out.splitlines() if not line.startswith("#") and not line.startswith("stop")]
    check(said == [line for _, _, lines in STEPS for line in lines], out)
    check(world.script.read_text() == "", "answers that nobody asked for are left")
    check(b"telling-pinentry" in world.started.read_bytes(), "nobody told how it was started")
    names = {p.name for p in world.files()}
    check({"pinward.log", "ledger.jsonl", "started", "log"} <= names, names)
    world.left += world.look("files", [(str(p), p.read_bytes()) for p in world.files()])
    check(not world.left, "\n".join(f"{secret} left in {place}" for place, secret in world.left))
    print(f"# {world.looks} looks, {world.searched >> 20} MiB searched for {len(world.secrets.wanted)} PINs in "
          f"{sum(map(len, world.secrets.wanted.values()))} forms; kept by the grace in {kept} places of its own pages")


if __name__ == "__main__":
    print("1..1")
    the_world = World()
    try:
        left_nowhere(the_world)
        print("ok 1 - left_nowhere")
    except Exception as why:
        print(f"not ok 1 - left_nowhere\n# {why}".replace("\n", "\n# "))
        sys.exit(1)
    finally:
        shutil.rmtree(the_world.root)
