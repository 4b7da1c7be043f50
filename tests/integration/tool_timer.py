#!/usr/bin/env python3
"""enroll/renew-if-due, what the user's timer runs: quiet while nothing is due; else the user is told, and no window opens."""
from tool_world import *

SCRIPT = HERE.parents[1] / "enroll" / "renew-if-due"


SESSION = {"DISPLAY": ":9", "WAYLAND_DISPLAY": "wayland-9", "GPG_TTY": "/dev/tty9",
           "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere/bus"}


def shown(world):
    """What has been shown since the last look: the stand-in for notify-send writes its arguments, a line each."""
    seen = world.root / "shown"
    text = seen.read_text(encoding="utf-8") if seen.exists() else ""
    seen.unlink(missing_ok=True)
    return text


def timer(world, *arguments, answers=(), expect=0, notifications=True):
    folder = world.root / "bin"
    folder.mkdir(exist_ok=True)
    show = f'printf "%s\\n" "on $DISPLAY by $DBUS_SESSION_BUS_ADDRESS" "$@" >>"{world.root}/shown"'
    for name, text in (("pinward", f'env >"{world.root}/surroundings"\nexec "{os.environ["PINWARD_TOOL"]}" "$@"'),
                       ("notify-send", show if notifications else "exit 1")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    (world.pinentry / "script").write_text("".join(f"{each}\n" for each in answers))
    (world.pinentry / "log").unlink(missing_ok=True)
    done = subprocess.run([SCRIPT, *arguments], env={**world.env, **SESSION, "PATH": f"{folder}:{world.env['PATH']}"},
                          capture_output=True, text=True, timeout=120)
    check(done.returncode == expect, done)
    # By any of these a pinentry finds a screen, or somebody with one (pinentry-gnome3: a service on the bus).
    given = set(re.findall(r"^(\w+)=", (world.root / "surroundings").read_text(), re.M))
    check(not given & set(SESSION), given)
    return done.stdout


def nothing_is_due(world):
    world.enroll()
    timer(world)
    check(shown(world) == "")


def a_person_is_needed(world):
    world.enroll()
    world.set_clock(0)
    world.tool("logout")
    log = timer(world, expect=LOGIN)
    text = shown(world)
    check(text.startswith("on :9 by unix:path=/nowhere/bus\n"), text)
    check("run pinward login" in log, log)
    check("run pinward login" in text and "pinward renew" in text and "--urgency=critical" in text, text)

    # Without anything that could show it, the log has it all the same.
    log = timer(world, expect=LOGIN, notifications=False)
    check("run pinward login" in log and "no notification could be shown" in log, log)

    # With a session, but nobody who answers: the PIN is not given, nothing is renewed, and that is said.
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    before = world.count("Private Key")
    done = timer(world, "--accept-terms", world.terms_version(), "--yes", expect=CANCELLED)
    check("pinward renew" in shown(world) and world.count("Private Key") == before, done)


def it_is_renewed(world):
    """Where nobody need be asked but for the PIN, and the pinentry answers, it is done, and said."""
    world.enroll()
    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    own = world.root / "own"
    own.write_text(f"{PASSWORD}\n")
    own.chmod(0o600)
    timer(world, "--accept-terms", world.terms_version(), "--yes", "--password-file", own, answers=[f"pin {PIN}"])
    text = shown(world)
    check("are active and on the token" in text and "--urgency=normal" in text, text)


def markup_is_text(world):
    """A sentence that holds markup, here with the name of a token, is shown as it is."""
    world.configure(token="<b>&")
    timer(world, expect=TOKEN)
    text = shown(world)
    check("&lt;b&gt;&amp;" in text and "<b>" not in text, text)


if __name__ == "__main__":
    run([nothing_is_due, a_person_is_needed, it_is_renewed, markup_is_text])
