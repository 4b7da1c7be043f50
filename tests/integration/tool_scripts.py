#!/usr/bin/env python3
"""The tool in the hands of scripts: passwords from files, JSON, exit statuses, languages. tool_world checks every
document against docs/tool-output.schema.json."""
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
    world.tool("activate", "--json", expect=STATE)
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
    for days, expect, name, says in ((-340, 0, "well", None), (0, DUE, "renewal-due", "renew it now"),
                                     (60, EXPIRED, "expired", "register again")):
        world.set_clock(days)
        world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
        check(world.status(expect=expect)["standing"] == name)
        table = world.tool("status", expect=expect, says=says)
        check("VALID UNTIL" in table, table)


if __name__ == "__main__":
    run([without_a_person, files_that_are_not_secret, rules_before_typing, languages, standing])
