#!/usr/bin/env python3
"""Ctrl-C and its like in every kind of wait: the tool ends soon, says in one sentence what is left to do and which command
does it, leaves no window and nothing half done, and that command then goes on. And two tools at once."""
from tool_between import Between
from tool_story import Terminal
from tool_world import *

APPLY = ("apply", "--name", "me", "--accept-terms", "1", "--yes")
INTERRUPTED = 130
NOTHING_BEGUN = "Interrupted before anything was begun: run the same command again when you like."
APPLICATION_LEFT = "Interrupted before the portal has confirmed the application: pinward apply goes on where it was."
ACTIVATION_LEFT = "Interrupted before the portal has confirmed the activation: pinward activate goes on where it was."
WRITING_LEFT = "Interrupted before the active certificates were all on the token: pinward activate writes them."
SAME_AGAIN = "Interrupted: run the same command again to do what is left."


def start(world, arguments, answers, **environment):
    (world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in answers))
    return subprocess.Popen([os.environ["PINWARD_TOOL"], *arguments], env={**world.env, **environment},
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(reached, what):
    for _ in range(1000):
        if reached():
            return
        time.sleep(0.02)
    check(False, f"never reached: {what}")


def children(process):
    """Whom the tool waits for: windows, captcha-commands."""
    return [int(pid) for task in pathlib.Path(f"/proc/{process.pid}/task").glob("*")
            for pid in (task / "children").read_text().split()]


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def check_ended(process, sentence, name):
    """In time: what it waits for would last far longer than this."""
    out, err = process.communicate(timeout=30)
    text = f"{name}: exit {process.returncode}\n{out}{err}"
    check(process.returncode == INTERRUPTED, text)
    check(err == f"pinward: {sentence}\n", f"{text}\nexpected: {sentence}")
    check(PIN not in out + err and PASSWORD not in out + err, text)


def no_secrets(world):
    for path in (world.root / "state").rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            check(PIN.encode() not in text and PASSWORD.encode() not in text, f"a secret is in {path}")
            check(not path.name.endswith(".new"), f"{path} is left")


def in_windows(world, number, arguments, answers, sentence):
    """The window hangs; the signal ends it and the tool."""
    process = start(world, arguments, [*answers, "hang"])
    wait_for(lambda: (world.pinentry / "script").read_text() == "" and children(process), "the window")
    windows = children(process)
    process.send_signal(number)
    check_ended(process, sentence, f"{arguments} in a window")
    wait_for(lambda: not any(alive(pid) for pid in windows), "the end of the window")
    no_secrets(world)


def in_the_network(world, between, number, arguments, answers, part, sentence):
    """The portal keeps the tool waiting; the signal comes meanwhile."""
    held = []

    def hold(_method, path):
        if part in path and not held:
            held.append(path)
            time.sleep(40)

    between.before = hold
    process = start(world, arguments, answers)
    wait_for(lambda: held, part)
    process.send_signal(number)
    check_ended(process, sentence, f"{arguments} at {part}")
    between.before = None
    no_secrets(world)


def waits(world):
    between = Between(world)
    world.configure(url=between.url, batch_uses="0")
    first = world.register()
    # login: its own window; the captcha's program
    in_windows(world, signal.SIGINT, ("login", "--account", "wang"), [], SAME_AGAIN)
    in_the_network(world, between, signal.SIGTERM, ("login", "--account", "wang"), [f"pin {first}"], "/session", SAME_AGAIN)
    world.tool("login", "--account", "wang", answers=[f"pin {first}", f"repeat {PASSWORD}"])
    # apply: before anything is begun, at the token's window, while the request is under way
    in_the_network(world, between, signal.SIGINT, APPLY, [], "/registration", NOTHING_BEGUN)
    in_windows(world, signal.SIGTERM, APPLY, [], NOTHING_BEGUN)
    check(world.state_files() == [] and world.objects() == [], "something was begun")
    between.before = lambda method, path: time.sleep(40) if method == "POST" and path.endswith("/applications") else None
    process = start(world, APPLY, [f"pin {PIN}"])
    wait_for(lambda: ("POST", "/api/v1/applications") in between.requests, "the request")
    process.send_signal(signal.SIGHUP)
    check_ended(process, APPLICATION_LEFT, "apply at its request")
    between.before = None
    world.tool(*APPLY, says="Going on where")
    # activate: the password's window, the decryption's window, the proof under way, the certificates under way
    in_windows(world, signal.SIGINT, ("activate",), [f"pin {PIN}"], ACTIVATION_LEFT)
    in_windows(world, signal.SIGTERM, ("activate",), [f"pin {PIN}", f"pin {PASSWORD}"], ACTIVATION_LEFT)
    in_the_network(world, between, signal.SIGTERM, ("activate",), [f"pin {PIN}"], "/challenge", ACTIVATION_LEFT)
    in_the_network(world, between, signal.SIGINT, ("activate",), [f"pin {PIN}", f"pin {PASSWORD}", f"pin {PIN}"],
                   "/certificates/", WRITING_LEFT)
    world.tool("activate", answers=[f"pin {PIN}"], says="are active and on the token")
    check(world.count("Private Key") == 2 and world.count("Certificate") == 4, world.objects())
    between.close()


def in_key_generation(world):
    """A token that takes its time over a key cannot be stopped; the tool ends all the same, and the token is mended by the
    next run."""
    world.login()
    world.terms_version()
    for number, name in ((signal.SIGINT, "INT"), (signal.SIGTERM, "TERM")):
        mark = world.root / f"slow-{name}"
        process = start(world, APPLY, [f"pin {PIN}"] * 2, LD_PRELOAD=os.environ["PINWARD_KILL_LIBRARY"], PINWARD_KILL_AT="6",
                        PINWARD_KILL_UNDER=str(world.root / "tokens"), PINWARD_KILL_SLOW=str(mark),
                        ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
        wait_for(mark.exists, "the generation")
        process.send_signal(number)
        check_ended(process, APPLICATION_LEFT, "key generation")
        no_secrets(world)
    # As many PINs as halves of keys are left to delete.
    out, _ = start(world, APPLY, [f"pin {PIN}"] * 6).communicate(timeout=60)
    check("Going on where" in out and "Next: pinward activate" in out, out)
    world.activate()
    check(world.count("Private Key") == 2 and world.count("Public Key") == 2, world.objects())


def elsewhere(world):
    """A question on the terminal, a program for captchas, a pause between two tries; a document for programs; a signal that
    was ignored."""
    first = world.register()
    conf = world.root / "pinward.conf"
    text = conf.read_text()
    reader = world.root / "reader"
    reader.write_text("#!/bin/sh\nexec sleep 100\n")
    reader.chmod(0o755)
    conf.write_text(text.replace(str(HERE / "tool_captcha"), str(reader)))
    process = start(world, ("login", "--account", "wang"), [])
    wait_for(lambda: children(process), "the captcha-command")
    process.send_signal(signal.SIGTERM)
    check_ended(process, SAME_AGAIN, "captcha-command")
    conf.write_text(text)
    world.login(first_password=first)
    terminal = Terminal(world, "apply", "--name", "me")
    terminal.until("[yes/no]")
    os.write(terminal.terminal, b"\x03")  # as typed: the terminal sends SIGINT to all that it has in front
    # A terminal wraps what it is told.
    check(terminal.end() == INTERRUPTED and NOTHING_BEGUN in " ".join(terminal.text.split()), terminal.text)
    world.stop_portal()
    process = start(world, ("apply", "--name", "me", "--json"), [])
    wait_for(lambda: "applications: Could" in (world.root / "pinward.log").read_text(), "the first try")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    check(process.returncode in (INTERRUPTED, NETWORK), out)  # the last try may have been over
    failed = check_document("apply", out)["error"]
    check(failed["name"] == ("ERROR_INTERRUPTED" if process.returncode == INTERRUPTED else "ERROR_NETWORK"), out)


def two_on_one_token(world):
    """Of two tools for one account, or at one token, the second learns whom it waits for; and when that one ends, works."""
    world.login()
    first = start(world, APPLY, ["hang"])
    wait_for(lambda: (world.pinentry / "script").read_text() == "", "the window")
    asked = world.asked()
    world.tool(*APPLY, expect=STATE, says=f"Another pinward (process {first.pid}) is at work for this account")
    world.tool("policy", "explain", expect=STATE,
               says=f'Another pinward (process {first.pid}) is at work with the token "card"')
    for verb in (("pin", "change"), ("pin", "unblock")):
        world.tool(*verb, expect=STATE, says=f'process {first.pid}) is at work with the token "card"')
    check(world.asked() == asked, "somebody was asked in vain")
    first.send_signal(signal.SIGTERM)
    check_ended(first, NOTHING_BEGUN, "the first of two")
    changing = start(world, ("pin", "change"), ["hang"])
    wait_for(lambda: (world.pinentry / "script").read_text() == "", "the window")
    world.tool(*APPLY, expect=STATE, says=f'process {changing.pid}) is at work with the token "card"')
    changing.send_signal(signal.SIGTERM)
    check_ended(changing, SAME_AGAIN, "pin change")
    world.apply()


if __name__ == "__main__":
    run([waits, in_key_generation, elsewhere, two_on_one_token])
