#!/usr/bin/env python3
"""Tokens themselves: a first one on a machine where nothing is configured, its PINs, and what is said of each."""
from tool_world import *

SO_PIN = "so-58201734"
NEW_PIN = "739146-pin"
INIT = [f"repeat {SO_PIN}", f"pin {SO_PIN}", f"repeat {NEW_PIN}"]  # the SO's PIN twice, his login, the user's PIN twice


def bare(world):
    """The environment of somebody who has configured nothing: neither SoftHSM2 nor a store of its tokens."""
    del world.env["SOFTHSM2_CONF"]
    (world.root / "pinward.conf").write_text(
        f"[module]\npinentry = {os.environ['PINWARD_SCRIPTED_PINENTRY']}\n[token]\nmodule = "
        f"{os.environ['PINWARD_MODULE']}\n[log]\nfile = {world.root}/pinward.log\n")


def tokens(world):
    return {each["label"]: each["state"] for each in json.loads(world.tool("token", "list", "--json"))["tokens"]}


def first_token(world):
    bare(world)
    home = world.root / "home"
    document = json.loads(world.tool("token", "init", "--label", "我的卡", "--json", answers=INIT))
    conf = home / ".config" / "softhsm2" / "softhsm2.conf"
    check(document["store"] == str(conf) and document["label"] == "我的卡", document)
    store = home / ".local" / "share" / "softhsm2" / "tokens"
    check(f"directories.tokendir = {store}\n" in conf.read_text(), conf.read_text())
    check(store.stat().st_mode & 0o777 == 0o700 and conf.stat().st_mode & 0o777 == 0o600)
    check(tokens(world) == {"我的卡": "ready", "": "blank"}, tokens(world))
    check("我的卡" in world.tool("token", "list"))
    info = json.loads(world.tool("token", "info", "--json"))
    check(info["token"]["label"] == "我的卡" and info["certificates"] == [], info)
    # And it is one that can be used: its owner logs in, a key is made on it and signs.
    world.env["SOFTHSM2_CONF"] = str(conf)
    subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "我的卡", "--login", "--pin", NEW_PIN, "--keypairgen",
                    "--key-type", "rsa:2048", "--id", "01"], env=world.env, check=True, capture_output=True)

    # A second one goes into the same store; what is there is never made again, nor erased.
    del world.env["SOFTHSM2_CONF"]
    before = conf.read_bytes()
    world.tool("token", "init", "--label", "我的卡", expect=STATE, says="already")
    document = json.loads(world.tool("token", "init", "--label", "second", "--json", answers=INIT))
    check(document["store"] is None and conf.read_bytes() == before, document)
    check(tokens(world) == {"我的卡": "ready", "second": "ready", "": "blank"}, tokens(world))
    world.tool("token", "info", expect=TOKEN, says="name the one to use with label in [token]")


def kept_stores(world):
    """SoftHSM2's configuration that is there already is used as it is: the one that the environment names, the user's own,
    and one that leads nowhere just now."""
    home = world.root / "home"
    document = json.loads(world.tool("token", "init", "--label", "named", "--json", answers=INIT))
    check(document["store"] is None and not (home / ".config/softhsm2").exists(), document)
    check("named" in tokens(world) and "card" in tokens(world), tokens(world))

    bare(world)
    conf = home / ".config/softhsm2/softhsm2.conf"
    conf.parent.mkdir(parents=True)
    (home / "keys").mkdir()
    text = f"# mine\ndirectories.tokendir = {home}/keys\nobjectstore.backend = file\n"
    conf.write_text(text)
    document = json.loads(world.tool("token", "init", "--label", "own", "--json", answers=INIT))
    check(document["store"] is None and conf.read_text() == text and not (home / ".local/share").exists(), document)
    check(tokens(world) == {"own": "ready", "": "blank"} and len(list((home / "keys").iterdir())) == 1, tokens(world))

    conf.rename(home / "elsewhere")  # on a disk that is not there, for instance
    conf.symlink_to(home / "not-mounted")
    world.tool("token", "init", "--label", "another", expect=CONFIG, says=f"{conf} cannot be read")
    check(conf.is_symlink() and not (home / ".local/share").exists())


def names(world):
    for label in ("", " x", "x ", "a\nb", "x" * 33, "\u202eevil"):
        world.tool("token", "init", "--label", label, expect=USAGE)
    world.tool("token", "init", expect=USAGE, says="--label LABEL")
    check(tokens(world) == {"card": "ready", "": "blank"}, tokens(world))


def cancelled(world):
    """A window that is cancelled: before anything is made, and between the two PINs."""
    world.tool("token", "init", "--label", "new", answers=["cancel"], expect=CANCELLED)
    check("new" not in tokens(world))
    world.tool("token", "init", "--label", "new", answers=INIT[:2] + ["cancel"], expect=CANCELLED)
    check(tokens(world)["new"] == "no-pin", tokens(world))
    world.configure(token="new")
    world.tool("pin", "unblock", answers=INIT[1:], says="has its new PIN")
    check(tokens(world)["new"] == "ready")


def login(world, pin):
    done = subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--login", "--pin", pin,
                           "--list-objects"], env=world.env, capture_output=True)
    return done.returncode == 0


def pins(world):
    so = "12345678"  # tool_world's
    world.tool("pin", "change", answers=["pin not-it", f"repeat {NEW_PIN}"], expect=TOKEN, says="PIN was wrong")
    world.tool("pin", "change", answers=[f"pin {PIN}", "cancel"], expect=CANCELLED)
    check(login(world, PIN))
    document = json.loads(world.tool("pin", "change", "--json", answers=[f"pin {PIN}", f"repeat {NEW_PIN}"]))
    check(document["token"] == "card" and login(world, NEW_PIN) and not login(world, PIN), document)

    # The wrong one above still counts: a change without a login forgives none.
    world.configure(pin_tries=3)
    for _ in range(2):
        world.tool("pin", "change", answers=["pin not-it", f"repeat {OTHER}"], expect=TOKEN)
    check(tokens(world)["card"] == "locked", tokens(world))
    world.tool("pin", "change", expect=LOCKED, says="pinward pin unblock")
    check("pinward pin unblock" in world.tool("token", "list"))
    world.tool("pin", "unblock", answers=["pin wrong-so-pin", "cancel"], expect=CANCELLED)
    world.tool("pin", "unblock", answers=[f"pin {so}", f"repeat {OTHER}"], says="has its new PIN")
    check(tokens(world)["card"] == "ready" and login(world, OTHER))


OTHER = "602-another-847"

if __name__ == "__main__":
    run([first_token, kept_stores, names, cancelled, pins])
