#!/usr/bin/env python3
"""pinward doctor: each thing that it looks at, well and broken, and that what it says mends it."""
from tool_token import INIT
from tool_world import *

DOCTOR = 22
NAMES = ["configuration", "locale", "pinentry", "backend", "module", "token", "p11-kit", "agent", "portal", "tls", "clock",
         "ledger"]


def doctor(world, *wrong, env=None):
    """Runs it; exactly these checks are wrong. The findings by name."""
    before = world.asked(), world.portal_state()
    document = json.loads(world.tool("doctor", "--json", expect=DOCTOR if wrong else 0, env=env))
    found = {each["name"]: each for each in document["checks"]}
    check(list(found) == NAMES, found)
    check([name for name in NAMES if found[name]["verdict"] == "wrong"] == list(wrong), json.dumps(document, indent=1))
    check(document["wrong"] == len(wrong) and all(found[name]["mend"] for name in wrong), document)
    check((world.asked(), world.portal_state()) == before, "it asked or changed something")
    return found


def replace(world, old, new):
    conf = world.root / "pinward.conf"
    text = conf.read_text()
    check(old in text, f"{old} is not in the configuration")
    conf.write_text(text.replace(old, new))


def well(world):
    found = doctor(world)
    check('"card"' in found["token"]["says"] and found["token"]["mend"] == "pinward help first-time", "a token that is new")
    text = world.tool("doctor")
    check("Nothing is wrong." in text and str(world.root / "pinward.conf") in text, text)
    world.login()
    world.apply()
    check("as it was written (lines: " in doctor(world)["ledger"]["says"])
    world.activate()
    check(doctor(world)["token"] == {"name": "token", "verdict": "ok", "says": "card", "mend": ""})


def mend(world, finding):
    subprocess.run(finding["mend"], shell=True, check=True, env=world.env)


def registered(world):
    """p11-kit: not told of the module; told of it, and of its backend too; of the module alone."""
    world.be_nobody_special()
    found = doctor(world)["p11-kit"]
    check(found["verdict"] == "note" and "do not find the module" in found["says"], found)
    mend(world, found)
    folder = world.root / "home/.config/pkcs11/modules"
    (folder / "another.module").write_text(f"# SoftHSM2\nmodule: {SOFTHSM}\n")
    around = set()
    while (found := doctor(world)["p11-kit"])["verdict"] == "note":
        check("p11-kit offers the token past the gate as well" in found["says"] and found["mend"] not in around, found)
        around.add(found["mend"])
        mend(world, found)
    check(found["verdict"] == "ok" and found["says"] == str(folder / "pinward.module"), found)
    check(any("another.module" in each for each in around), around)
    # Debian's softhsm2 makes its module known to p11-kit.
    check(any("softhsm2.module" in each for each in around), around)
    check("enable-in: none" in (folder / "another.module").read_text())

    # Where the backend is p11-kit's proxy, any other module is one around it. "only": this machine's modules, which the
    # proxy would load, are no part of the test.
    (folder.parent / "pkcs11.conf").write_text("user-config: only\n")
    (folder / "another.module").write_text(f"module: {SOFTHSM}\n")
    proxy = subprocess.run(["pkg-config", "--variable=proxy_module", "p11-kit-1"], check=True, capture_output=True,
                           text=True).stdout.strip()
    replace(world, f"backend = {SOFTHSM}", f"backend = {proxy}")
    found = doctor(world)
    check(found["p11-kit"]["verdict"] == "note" and '"card"' in found["token"]["says"], found)
    check(f"backend = {os.path.realpath(SOFTHSM)}" in found["p11-kit"]["mend"], found)
    check("loaded pinward too" in (world.root / "pinward.log").read_text())


def registered_by_root(world):
    """Root has no configuration of its own: the machine's is the one to change."""
    if os.getuid() != 0 or pathlib.Path("/etc/pkcs11/modules").exists():
        raise Skipped("for root, on a machine without modules of its own")
    found = doctor(world)["p11-kit"]
    check("> /etc/pkcs11/modules/" in found["mend"], found)


def broken(world):
    world.login()
    world.apply()  # a ledger
    whole = (world.root / "pinward.conf").read_text()
    url = world.url

    def restored(*wrong, **more):
        found = doctor(world, *wrong, **more)
        (world.root / "pinward.conf").write_text(whole)
        return found

    restored("locale", env={"LC_ALL": "C"})
    replace(world, os.environ["PINWARD_SCRIPTED_PINENTRY"], "/nowhere/pinentry")
    restored("pinentry")
    replace(world, SOFTHSM, "/nowhere/module.so")
    restored("backend", "module", "token")
    replace(world, "label = card", "label = another")
    check("pinward token list" in restored("token")["token"]["mend"])
    world.new_token("second")
    replace(world, "label = card\n", "")
    found = restored("token")["token"]
    check("several tokens" in found["says"] and found["mend"] == "pinward token list", found)
    replace(world, url, "https://localhost:1")
    found = restored("portal")
    check(found["tls"]["verdict"] == found["clock"]["verdict"] == "note", found)
    stranger = world.root / "stranger"
    world_admin = [os.environ["PINWARD_PORTAL_ADMIN"], "--data", stranger, "--test-mode", world.test_mode]
    subprocess.run([*world_admin, "init", "--country", "TW", "--organization", "Other"], env=world.env, check=True,
                   capture_output=True)
    replace(world, str(world.data / "root.pem"), str(stranger / "root.pem"))
    restored("tls")
    replace(world, str(world.data / "root.pem"), "/nowhere/root.pem")
    found = restored("tls")
    check(found["portal"]["verdict"] == "note" and "openssl x509" in found["tls"]["mend"], found)
    replace(world, f"url = {url}\n", "")
    check("ca-file" in world.tool(*restored("portal")["portal"]["mend"].split()[1:]))
    world.set_clock(0.01)
    found = restored("clock")["clock"]
    check("timedatectl" in found["mend"] and "14 minutes" in found["says"], found)
    world.set_clock(0)
    ledger = world.root / "state" / "pinward" / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace("allowed", "denied", 1))
    check("line 1" in restored("ledger")["ledger"]["says"])


def nothing_configured(world):
    """A first-time user: the command below what is wrong makes the token."""
    del world.env["SOFTHSM2_CONF"]
    replace(world, "label = card\n", "")
    done = subprocess.run([os.environ["PINWARD_TOOL"], "doctor", "--json"], env=world.env, capture_output=True, text=True)
    mends = {each["mend"] for each in json.loads(done.stdout)["checks"] if each["verdict"] == "wrong"}
    check(done.returncode == DOCTOR and mends == {"pinward token init --label 'My token'"}, done.stdout)
    world.tool("token", "init", "--label", "My token", answers=INIT)
    check('"My token"' in doctor(world)["token"]["says"])


def of_a_program(world):
    """What is said of a program that is to use keys: tests/clients/table compares the rest with docs/clients.md."""
    def ask(program, expect=0, **env):
        before = world.asked()
        document = json.loads(world.tool("doctor", "--app", program, "--json", expect=expect, env=env))
        check(world.asked() == before, "it asked")
        return document["app"], {each["name"]: each for each in document["checks"]}

    app, found = ask("openssl", DOCTOR)
    check(app["client"] == "OpenSSL" and {"program": "openssl", "use": "cms -sign", "prompts": 1} in app["uses"], app)
    check(re.match(r"openssl \d", found["version"]["says"]) and "cms -sign: 1" in found["windows"]["says"], found)
    check(found["module"]["mend"] == f"export PKCS11_MODULE_PATH={os.path.realpath(os.environ['PINWARD_MODULE'])}", found)
    app, found = ask(app["path"], PKCS11_MODULE_PATH=os.environ["PINWARD_MODULE"])
    check(app["client"] == "OpenSSL" and found["module"]["verdict"] == "ok", found)

    world.be_nobody_special()
    _, found = ask("p11tool", DOCTOR)
    for verdict in ("wrong", "note"):  # not known; known, but SoftHSM2's own module as well
        check(found["module"]["verdict"] == verdict, found)
        subprocess.run(found["module"]["mend"], shell=True, check=True, env=world.env)
        _, found = ask("p11tool")
    check(found["module"]["verdict"] == "ok" and ask("openssl")[1]["module"]["verdict"] == "ok", found)

    app, _ = ask("chroot", PATH="/usr/bin:/bin")  # where openvpn is, too: Debian's PATH of users lacks it
    check(app["path"] == os.path.realpath("/usr/sbin/chroot"), app)

    own = world.root / "ssh"  # the name of a known program, of no package
    own.write_text("#!/bin/sh\n")
    own.chmod(0o700)
    app, found = ask(str(own))
    check(app["client"] == "OpenSSH" and found["version"]["verdict"] == "note", found)
    for program, path in ((str(own.rename(world.root / "mine")), str(world.root / "mine")), ("no-such-program", None)):
        app, found = ask(program)
        check((app["client"], app["path"], app["uses"]) == (None, path, []) and "ssh" in app["known"], app)
        check(found["module"]["mend"] == os.path.realpath(os.environ["PINWARD_MODULE"]) and found["refusal"]["says"], found)

    check("每次使用" in world.tool("doctor", "--app", "openssl", "--lang", "zh-TW"), "not in Chinese")
    world.configure(prompt="application", login_grace="0")
    _, found = ask("ssh")
    check("prompt = module" in found["mode"]["mend"] and "login-grace = 0" in found["windows"]["says"], found)


def locale_that_is_missing(world):
    """LANG names a locale that the machine lacks, as a new Debian does: its language and its UTF-8 hold all the same."""
    missing = {"LC_ALL": "", "LC_CTYPE": "", "LC_MESSAGES": "", "LANGUAGE": "", "LANG": "zh_TW_NOWHERE.UTF-8"}
    found = doctor(world, env=missing)
    check(found["locale"]["verdict"] == "note" and missing["LANG"] in found["locale"]["says"], found["locale"])
    check("沒有異常。" in world.tool("doctor", env=missing), "the language got lost")
    check("UTF-8" in doctor(world, env={**missing, "LANG": "de_NOWHERE.UTF-8"})["locale"]["says"])
    doctor(world, "locale", env={**missing, "LANG": "zh_TW_NOWHERE.BIG5"})


TESTS = [well, registered, registered_by_root, broken, nothing_configured, of_a_program, locale_that_is_missing]
for test in TESTS:
    test.world = {"offset_days": 0}

if __name__ == "__main__":
    run(TESTS)
