#!/usr/bin/env python3
"""The tool in the hands of scripts: passwords from files, JSON, exit statuses, languages. tool_world checks every
document against docs/tool-output.schema.json."""
from tool_between import Between
from tool_story import Terminal
from tool_world import *


def password_file(world, name, password, mode=0o600):
    path = world.root / name
    path.unlink(missing_ok=True)
    path.write_text(password)
    path.chmod(mode)
    return str(path)


def without_a_person(world):
    """From the password sheet to certificates, with nobody but the PIN's owner asked; each verb gives its document."""
    first = password_file(world, "first", world.register() + "\n")
    own = password_file(world, "own", PASSWORD)
    world.tool("login", "--account", "wang", "--password-file", first, "--new-password-file", own, "--json")
    terms = world.terms_version()
    apply = json.loads(world.tool("apply", "--name", "me", "--accept-terms", terms, "--yes", "--json",
                                  answers=[f"pin {PIN}"]))
    check(apply["activated"] is False and apply["signing_key"] == "me (signing)", apply)
    activate = json.loads(world.tool("activate", "--password-file", own, "--json", answers=[f"pin {PIN}"]))
    check(activate["activated"] is True and activate["application_id"] == apply["application_id"], activate)
    status = world.status()
    check(status["standing"] == "well" and [c["on_token"] for c in status["certificates"]] == [True, True], status)
    for verb in (["registration"], ["log", "show"], ["log", "verify"]):
        world.tool(*verb, "--json")
    world.tool("policy", "explain", "--json", answers=[f"pin {PIN}"])
    again = json.loads(world.tool("activate", "--json"))
    check(again["already"] and again["application_id"] == apply["application_id"], again)
    another = password_file(world, "another", "Another-Horse-8")
    world.tool("passwd", "--password-file", own, "--new-password-file", another, "--json", says="at least")
    world.tool("logout", "--json")
    for verb in ("passwd", "logout", "registration", "apply", "activate", "renew", "status"):
        world.tool(verb, "--json", expect=LOGIN)
    world.tool("login", "--account", "wang", "--password-file", another)


def files_that_are_not_secret(world):
    """A file that somebody else could have read is refused before anything is sent."""
    world.login()
    for mode in (0o640, 0o604, 0o660, 0o644):
        path = password_file(world, "own", PASSWORD, mode)
        world.tool("login", "--account", "wang", "--password-file", path, expect=IO, says="only you can read")
    link = world.root / "link"
    link.symlink_to(password_file(world, "own", PASSWORD))
    world.tool("login", "--account", "wang", "--password-file", str(link), expect=IO)
    world.tool("login", "--account", "wang", "--password-file", str(world.root), expect=IO, says="only you can read")
    world.tool("login", "--account", "wang", "--password-file", "/nowhere", expect=IO, says="cannot be read")
    if os.geteuid() == 0:
        path = password_file(world, "own", PASSWORD)
        os.chown(path, 65534, 65534)
        world.tool("login", "--account", "wang", "--password-file", path, expect=IO, says="only you can read")
    for text in ("", "\n", "one\ntwo\n", f"{PASSWORD}\0", "x" * 1100):
        path = password_file(world, "own", text)
        world.tool("login", "--account", "wang", "--password-file", path, expect=USAGE, says="does not hold one line")
    for text in (PASSWORD, f"{PASSWORD}\n", f"{PASSWORD}\r\n"):
        world.tool("login", "--account", "wang", "--password-file", password_file(world, "own", text, 0o400))
    weak = password_file(world, "weak", "short")
    asked = world.asked()
    world.tool("passwd", "--password-file", password_file(world, "own", PASSWORD), "--new-password-file", weak,
               expect=REFUSED)
    check(world.asked() == asked, "somebody was asked")


def rules_before_typing(world):
    """The portal's rules stand on the terminal before the first password is asked for."""
    world.login()
    said = world.tool("passwd", answers=["cancel"], expect=CANCELLED)
    check("at least" in said and "12" in said, said)


def languages(world):
    world.login()
    world.tool("status", "--lang", "zh-TW", says="沒有憑證")
    world.tool("status", "--lang=en", says="There are no certificates", env={"LANGUAGE": "zh_TW"})
    world.tool("status", "--lang", "zh-TW", says="沒有憑證", env={"LC_ALL": "C"})
    world.tool("status", "--lang", "fr", expect=USAGE, says="en or zh-TW")
    check("用法" in world.tool("--help", "--lang", "zh-TW"))
    # The terms come in the language of the messages.
    world.tool("apply", "--name", "x", "--accept-terms", "other", "--yes", "--lang", "zh-TW", expect=STATE,
               says="憑證使用條款")
    world.tool("apply", "--name", "x", "--accept-terms", "other", "--yes", "--lang", "en", expect=STATE,
               says="Certificate terms")


def standing(world):
    """Renewal due is 20, expired is 21 and says to register again."""
    world.enroll()
    for days, expect, name, says in ((-340, 0, "well", None), (0, DUE, "renewal-due", "days: renew it now"),
                                     (23.5, DUE, "renewal-due", "expires within 48 hours: renew it now"),
                                     (60, EXPIRED, "expired", "register again")):
        world.set_clock(days)
        world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
        check(world.status(expect=expect)["standing"] == name)
        table = world.tool("status", expect=expect, says=says)
        check("VALID UNTIL" in table, table)


def renew_if_due(world):
    """What a timer calls: nothing to do is success; a login is needed only near the end; then it renews, once."""
    world.enroll()
    early = json.loads(world.tool("renew", "--if-due", "--json"))
    check(early["due"] is False, early)
    world.tool("renew", "--if-due", says="renewal opens at")  # the portal's clock decides
    world.set_clock(0)
    world.tool("logout")
    asked = world.asked()
    for more in ((), ("--json",)):
        said = world.tool("renew", "--if-due", *more, expect=LOGIN, says="run pinward login, then pinward renew")
        check("A renewal may be due, since the certificates on the token end at 20" in said or not more, said)
    check(world.asked() == asked, "somebody was asked, and there may be nobody")
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    own = password_file(world, "own", PASSWORD)
    terms = world.terms_version()
    renew = ("renew", "--if-due", "--accept-terms", terms, "--yes", "--password-file", own)
    world.tool(*renew, answers=[f"pin {PIN}"], says="are active and on the token")
    world.stop_portal()
    world.tool(*renew, says="Nothing is due: the certificates on the token are valid until")  # without the portal
    check(world.count("Private Key") == 4)


def names_that_are_no_text(world):
    """A file may have any name: the document keeps its members, and no terminal is driven."""
    world.login()
    strange = os.fsdecode(str(world.root).encode() + b"/a\xff\x1b[2J\nb")
    (world.pinentry / "script").write_text("")
    for more in ([], ["--json"]):
        done = subprocess.run([os.environ["PINWARD_TOOL"], "form", "reset-password", "--output", f"{strange}-{len(more)}", *more],
                              env=world.env, stdin=subprocess.DEVNULL, capture_output=True)
        said = (done.stderr if more else done.stdout).decode()  # is UTF-8
        check(done.returncode == 0 and "/a??[2J" in said and "\x1b" not in said, done)
        check(os.path.exists(f"{strange}-{len(more)}.pdf") and os.path.exists(f"{strange}-{len(more)}.txt"))
    document = check_document("form reset-password", done.stdout)
    check(document["pdf"].endswith("/a??[2J?b-1.pdf") and document["text"].endswith("/a??[2J?b-1.txt"), document)
    whole = [each["name"] for each in json.loads(doctor(world))["checks"]]
    folder = os.fsdecode(str(world.root).encode() + b"/\xff")
    os.mkdir(folder)
    world.env["PINWARD_CONF"] = shutil.copy(world.root / "pinward.conf", folder)
    rows = json.loads(doctor(world))["checks"]
    check([each["name"] for each in rows] == whole, rows)
    check(rows[0]["says"] == f"{world.root}/?/pinward.conf", rows[0])


def doctor(world):
    """Its document; the portal's clock is not this machine's, so it finds something."""
    return subprocess.run([os.environ["PINWARD_TOOL"], "doctor", "--json"], env=world.env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def nowhere_to_write(world):
    """An answer that does not arrive is a failure, and a sentence; a reader who has gone wants none."""
    world.login()
    read, write = os.pipe()
    os.close(read)
    for out, says in ((os.open("/dev/full", os.O_WRONLY), "cannot be written to the standard output"), (write, "")):
        for arguments in (("status",), ("registration",), ("--help",), ("status", "--help"), ("help", "signing")):
            done = subprocess.run([os.environ["PINWARD_TOOL"], *arguments], env=world.env, stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=subprocess.PIPE, text=True)
            check(done.returncode == IO and says in done.stderr and bool(says) == bool(done.stderr), f"{arguments}: {done}")
        os.close(out)


def captcha_without_drawing(world):
    """A terminal that cannot draw it gets the picture's path, and the picture goes with the answer."""
    first = world.register()
    conf = world.root / "pinward.conf"
    conf.write_text("".join(l for l in conf.read_text().splitlines(True) if "captcha-command" not in l))
    for env in ({"TERM": "dumb"}, {"LC_ALL": "C"}):
        (world.pinentry / "script").write_text("cancel\n" if "TERM" in env else f"pin {first}\nrepeat {PASSWORD}\n")
        kept, world.env = world.env, {**world.env, **env}
        terminal = Terminal(world, "login", "--account", "wang")
        world.env = kept
        terminal.until("The characters in the picture:")
        picture = pathlib.Path(re.search(r"viewer of\s+pictures:\r\n    (\S+)\r", terminal.text).group(1))
        check(picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_mode & 0o777 == 0o600)
        check("█" not in terminal.text)
        captcha = max((world.test_mode / "captcha").iterdir(), key=lambda p: p.stat().st_mtime)
        terminal.answer("The characters in the picture:", captcha.read_text().strip())
        check(terminal.end() == (CANCELLED if "TERM" in env else 0), terminal.text)
        check(not picture.exists(), "the picture was left")


def progress(world):
    """A wait for the portal shows on a terminal, and nowhere else."""
    world.login()
    between = Between(world)
    world.configure(url=between.url)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    between.before = lambda method, path: time.sleep(2.2 if "registration" in path else 0)
    terminal = Terminal(world, "registration")
    terminal.until("Waiting for the portal... 1 s")
    check(terminal.end() == 0 and "\r\x1b[K" in terminal.text, repr(terminal.text))
    done = subprocess.run([os.environ["PINWARD_TOOL"], "registration"], env=world.env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    check(done.returncode == 0 and done.stderr == "" and "Waiting" not in done.stdout, done)
    between.close()


if __name__ == "__main__":
    run([without_a_person, files_that_are_not_secret, rules_before_typing, languages, standing, renew_if_due,
         captcha_without_drawing, names_that_are_no_text, nowhere_to_write, progress])
