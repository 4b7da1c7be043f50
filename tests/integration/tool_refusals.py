#!/usr/bin/env python3
"""What the tool refuses, in one sentence that says what to do, leaving token and portal as they were."""
from tool_world import *


def unchanged(world, act):
    """Runs act and checks that token and portal are as before."""
    before = world.objects(), world.portal_state()
    act()
    check((world.objects(), world.portal_state()) == before, "token or portal has changed")


def portal_of_another_ca(world):
    first = world.register()
    other = world.root / "other-data"
    subprocess.run([os.environ["PINWARD_PORTAL_ADMIN"], "--data", other, "--test-mode", world.test_mode, "init"],
                   env=world.env, check=True, capture_output=True)
    world.configure(ca_file=other / "root.pem")
    asked = world.asked()
    world.tool("login", "--account", "wang", expect=TLS, says="does not prove to be the one whose CA is pinned")
    check(world.asked() == asked, "a password was asked for before the portal had proved who it is")
    world.configure()
    world.login(first_password=first)


def portal_is_away(world):
    world.login()
    world.stop_portal()
    world.tool("status", expect=NETWORK, says="cannot be reached")


def proxy_is_not_for_loopback(world):
    world.login()
    world.tool("registration", env={"https_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"})


def captcha_misread(world):
    """A wrong text costs no password try; after three the tool gives up. A program that never ends is ended."""
    first = world.register()
    reader = world.root / "reader"
    conf = world.root / "pinward.conf"
    text = conf.read_text()
    conf.write_text(text.replace(str(HERE / "tool_captcha"), str(reader)))
    for script, answers, expect, says in (("echo 000000", [f"pin {first}"], LOGIN, "did not match the picture"),
                                          ("exit 0", [], CANCELLED, "gave no text"),
                                          ("exec sleep 1000", [], CANCELLED, "gave no text")):
        reader.write_text(f"#!/bin/sh\n{script}\n")
        reader.chmod(0o755)
        conf.write_text(conf.read_text().replace("[portal]", "prompt-timeout = 2s\n[portal]", 1)
                        if "sleep" in script else conf.read_text())
        world.tool("login", "--account", "wang", answers=answers, expect=expect, says=says)
    reader.unlink()
    world.tool("login", "--account", "wang", expect=CONFIG, says="cannot be run")
    conf.write_text(text)
    world.login(first_password=first)


def third_login(world):
    world.login()
    world.tool("logout")
    world.tool("login", "--account", "wang", answers=["pin wrong-1"], expect=LOGIN, says="2 tries are left")
    world.tool("login", "--account", "wang", answers=["pin wrong-2"], expect=LOGIN, says="one try is left")
    asked = world.asked()
    world.tool("login", "--account", "wang", expect=LOCKED, says="--last-try")
    check(world.asked() == asked, "the third password was asked for")
    # The right password with --last-try: the account was never locked, and the count begins anew.
    world.tool("login", "--account", "wang", "--last-try", answers=[f"pin {PASSWORD}"])
    world.tool("logout")
    world.tool("login", "--account", "wang", answers=["pin wrong-1"], expect=LOGIN, says="2 tries are left")


def locked_and_unlocked(world):
    world.login()
    world.tool("logout")
    for answer in ("pin wrong-1", "pin wrong-2"):
        world.tool("login", "--account", "wang", answers=[answer], expect=LOGIN)
    world.tool("login", "--account", "wang", "--last-try", answers=["pin wrong-3"], expect=LOCKED,
               says="only the registration authority can unlock")
    world.admin("unlock", "wang")
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])


def first_password_not_changed(world):
    first = world.register()
    world.tool("login", "--account", "wang", answers=[f"pin {first}", "cancel"], expect=CANCELLED)
    world.tool("registration", expect=STATE, says="run pinward passwd first")
    world.tool("passwd", answers=[f"pin {first}", f"repeat {PASSWORD}"])
    world.tool("registration")


def no_account(world):
    """What cannot be an account costs no call of the portal, no captcha and no window."""
    asked = world.asked()
    world.stop_portal()
    for account in (" wang", "Wang", "../wang", ".wang", "wang\n", "王小明", "w" * 33, "w" * 300):
        world.tool("login", "--account", account, expect=USAGE, says="is no account: give the one on the password sheet")
    check(world.asked() == asked, "somebody was asked for a password")


def not_logged_in(world):
    for verb in ("registration", "apply", "activate", "renew", "status", "passwd", "logout"):
        world.tool(verb, expect=LOGIN, says="run pinward login first")


def terms_not_accepted(world):
    world.login()
    unchanged(world, lambda: world.tool("apply", "--name", "me", "--yes", "--accept-terms", "99", expect=STATE,
                                        says="not those named with --accept-terms"))
    unchanged(world, lambda: world.tool("apply", "--name", "me", "--yes", expect=USAGE, says="give --accept-terms"))
    unchanged(world, lambda: world.tool("apply", "--name", "me", expect=USAGE, says="give --yes"))


def registration_pending(world):
    first = world.register("wang", "Wang", "--pending")
    world.login(first_password=first)
    unchanged(world, lambda: world.tool("apply", "--name", "me", "--yes", expect=STATE, says="not approved yet"))
    world.admin("approve", "wang")
    world.apply()


def pin_wrong_or_cancelled(world):
    world.login()
    terms = world.terms_version()
    apply = ("apply", "--name", "me", "--accept-terms", terms, "--yes")
    unchanged(world, lambda: world.tool(*apply, answers=["cancel"], expect=CANCELLED, says="cancel"))
    unchanged(world, lambda: world.tool(*apply, answers=["pin 000000"] * 3, expect=TOKEN, says="The PIN was wrong"))
    world.tool(*apply, answers=[f"pin {PIN}"])
    unchanged(world, lambda: world.activate(answers=[f"pin {PIN}", "cancel"], expect=CANCELLED))
    unchanged(world, lambda: world.activate(answers=[f"pin {PIN}", "pin wrong-password"], expect=LOGIN,
                                            says="2 tries are left"))
    # Where no batch is allowed every use asks: the login's PIN covers the first, the signature. The password is right, but
    # the use of the decryption key is refused: nothing is activated.
    world.configure(batch_uses="0")
    unchanged(world, lambda: world.activate(answers=[f"pin {PIN}", f"pin {PASSWORD}", "cancel"], expect=CANCELLED,
                                            says="was done"))
    # A batch of one use does for the signature only.
    world.configure(batch_uses="1")
    unchanged(world, lambda: world.activate(answers=[f"pin {PIN}", f"pin {PASSWORD}", "cancel"], expect=CANCELLED,
                                            says="was done"))
    world.configure()
    world.activate()


def name_taken(world):
    world.enroll()
    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    unchanged(world, lambda: world.tool("renew", "--name", "me", "--accept-terms", world.terms_version(), "--yes",
                                        answers=[f"pin {PIN}"], expect=STATE, says="choose another name with --name"))


def activation_on_another_token(world):
    world.login()
    world.apply()
    world.new_token("other")
    world.configure(token="other")
    asked = world.asked()
    unchanged(world, lambda: world.tool("activate", expect=TOKEN, says="insert that token"))
    check(world.asked() == asked, "a PIN or a password was asked for in vain")
    # Without the journal the keys are looked for on the token.
    env = {"XDG_STATE_HOME": str(world.root / "elsewhere")}
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"], env=env)
    unchanged(world, lambda: world.tool("activate", answers=[f"pin {PIN}"], expect=TOKEN, env=env,
                                        says="does not hold the keys of this application"))
    world.configure()
    world.activate()


def keys_gone(world):
    """The same token, but the keys have been deleted from it."""
    world.login()
    world.apply()
    for each in world.objects():
        kind = {"Private Key": "privkey", "Public Key": "pubkey"}.get(each["kind"].split(" Object")[0])
        if kind:
            subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--login", "--pin", PIN,
                            "--delete-object", "--type", kind, "--id", each["ID"]], env=world.env, check=True,
                           capture_output=True)
    unchanged(world, lambda: world.tool("activate", answers=[f"pin {PIN}"], expect=TOKEN, says="does not hold the key"))


def renewal_too_early(world):
    world.enroll()
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    asked = world.asked()
    unchanged(world, lambda: world.tool("renew", "--yes", expect=STATE, says="Renewal opens at"))
    check(world.asked() == asked)


def renewal_without_anything(world):
    world.login()
    unchanged(world, lambda: world.tool("renew", "--yes", expect=STATE, says="pinward apply"))


def renewal_after_expiry(world):
    world.enroll()
    world.set_clock(60)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    unchanged(world, lambda: world.tool("renew", "--yes", expect=STATE, says="register again"))


def renewal_without_old(world):
    """Each of the two old certificates, then an old key, is missing."""
    world.enroll()
    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    renew = ("renew", "--accept-terms", world.terms_version(), "--yes")
    saved = world.root / "saved-tokens"
    shutil.copytree(world.root / "tokens", saved)
    for kind, label, missing, answers in (("cert", "me (signing)", "the old signing certificate", ()),
                                          ("cert", "me (encryption)", "the old encryption certificate", ()),
                                          ("privkey", "me (signing)", "the old signing key", [f"pin {PIN}"]),
                                          ("privkey", "me (encryption)", "the old encryption key", [f"pin {PIN}"])):
        subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--login", "--pin", PIN,
                        "--delete-object", "--type", kind, "--label", label], env=world.env, check=True,
                       capture_output=True)
        unchanged(world, lambda: world.tool(*renew, answers=answers, expect=TOKEN, says=missing))
        shutil.rmtree(world.root / "tokens")
        shutil.copytree(saved, world.root / "tokens")


def apply_with_certificates(world):
    world.enroll()
    unchanged(world, lambda: world.tool("apply", "--name", "again", "--yes", expect=STATE, says="pinward renew"))


def damaged_state(world):
    world.login()
    world.apply()
    journal = world.root / "state" / "pinward" / world.state_files()[0]
    text = journal.read_text()
    for damage in ("", text[:len(text) // 2], text.replace('"submitted"', '"sent"'), "[]"):
        journal.write_text(damage)
        unchanged(world, lambda: world.tool("activate", expect=STATE, says="is damaged"))
    journal.write_text(text)
    journal.chmod(0o644)
    world.tool("activate", expect=5, says="only you can read and write")
    journal.chmod(0o600)
    world.activate()


def configuration(world):
    (world.root / "pinward.conf").write_text("[module]\n")
    world.tool("status", expect=CONFIG, says="url")
    world.tool("fly", expect=USAGE, says="pinward --help")
    check("activate" in world.tool("--help") and "--name" in world.tool("apply", "--help"))
    check(world.tool("--version").startswith("pinward "))


if __name__ == "__main__":
    run([portal_of_another_ca, portal_is_away, proxy_is_not_for_loopback, captcha_misread, third_login, locked_and_unlocked,
         first_password_not_changed, no_account, not_logged_in, terms_not_accepted, registration_pending, pin_wrong_or_cancelled,
         name_taken, activation_on_another_token, keys_gone, renewal_too_early, renewal_without_anything,
         renewal_after_expiry, renewal_without_old, apply_with_certificates, damaged_state, configuration])
