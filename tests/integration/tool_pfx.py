#!/usr/bin/env python3
"""Keys that leave the token as PFX files, and files that get another password; each checked with openssl pkcs12."""
import resource
import shutil
import stat

from tool_world import *

PFX_PASSWORD = "Sunny-Tuesday-42"
OTHER_PASSWORD = "Rainy-Wednesday-43"
APPLY = [f"pin {PIN}"] * 3  # the login, which also covers the request, and the birth of each key
EXPORT = [f"pin {PIN}", f"repeat {PFX_PASSWORD}", f"pin {PIN}", f"pin {PIN}"]


def enroll(world, *options):
    world.configure(export="ask")
    world.login()
    world.tool("apply", "--name", "me", "--accept-terms", world.terms_version(), "--yes", *options,
               answers=APPLY if options else APPLY[:1])
    world.activate()


def openssl(*arguments, expect=0, data=None):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True)
    check((done.returncode == 0) == (expect == 0), f"openssl {arguments}: {done.stderr.decode()}")
    return done.stdout.decode() + done.stderr.decode()


def pkcs12(path, *more, password=PFX_PASSWORD, expect=0):
    return openssl("pkcs12", "-in", path, "-passin", f"pass:{password}", *more, expect=expect)


def target(world, name):
    return str(world.root / name)


def export(world, signing, encryption, *options, **run):
    return world.tool("pfx", "export", "--signing", signing, "--encryption", encryption, *options,
                      **{"answers": EXPORT, **run})


def export_is_refused(world, *options, expect, says):
    """Through pinward-agent no key is exported, whatever else speaks against it."""
    answers = EXPORT[:1]
    if ISOLATED:
        answers, expect, says = [], STATE, "Run the same command with isolated = no"
    export(world, target(world, "s.pfx"), target(world, "e.pfx"), *options, answers=answers, expect=expect, says=says)


def fingerprint(world, label):
    der = subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--read-object", "--type", "cert",
                          "--label", label], env=world.env, capture_output=True, check=True).stdout
    return openssl("x509", "-inform", "DER", "-noout", "-fingerprint", data=der)


def check_pfx(world, path, label, legacy=False):
    """openssl opens it, the key belongs to the certificate, that is the token's, and the chain is with it."""
    check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, oct(os.stat(path).st_mode))
    pem = pkcs12(path, "-nodes")
    check(openssl("pkey", "-pubout", data=pem.encode()) == openssl("x509", "-pubkey", "-noout", data=pem.encode()), path)
    check(openssl("x509", "-noout", "-fingerprint", data=pem.encode()) == fingerprint(world, label), path)
    check(pem.count("BEGIN CERTIFICATE") == 3 and pem.count("BEGIN PRIVATE KEY") == 1, pem)
    check(f"friendlyName: {label}" in pem, pem)
    info = pkcs12(path, "-info", "-noout")
    wanted = (["PBES2, PBKDF2, AES-256-CBC, Iteration 250000, PRF hmacWithSHA256", "MAC: sha256, Iteration 250000"]
              if not legacy else ["pbeWithSHA1And3-KeyTripleDES-CBC", "MAC: sha1"])
    check(all(each in info for each in wanted), info)
    check(("PBES2" in info) != legacy and "RC2" not in info, info)


def exported(world):
    enroll(world, "--exportable")
    signing, encryption = target(world, "signing.pfx"), target(world, "encryption.pfx")
    export(world, signing, encryption, says="read back and checked")
    check_pfx(world, signing, "me (signing)")
    check_pfx(world, encryption, "me (encryption)")
    check((world.pinentry / "log").read_text().count("wants to EXPORT your key") == 2)
    for path in (signing, encryption):
        pkcs12(path, "-noout", password="wrong", expect=1)

    # Never over something that is there, whatever it is; and both or none.
    before = pathlib.Path(signing).read_bytes()
    os.symlink("/nowhere/at/all", target(world, "dangling"))
    os.mkdir(target(world, "folder"))
    for taken in (signing, target(world, "dangling"), target(world, "folder")):
        for pair in ((taken, target(world, "new.pfx")), (target(world, "new.pfx"), taken)):
            export(world, *pair, answers=[], expect=IO, says="is there already and is not overwritten")
    check(pathlib.Path(signing).read_bytes() == before and not os.path.lexists(target(world, "new.pfx")))
    check(not [p for p in os.listdir(world.root) if p.startswith("new.pfx")], os.listdir(world.root))

    legacy = target(world, "old-signing.pfx"), target(world, "old-encryption.pfx")
    document = json.loads(export(world, *legacy, "--legacy", "--name", "me", "--json"))
    check(document["signing"] == legacy[0] and document["legacy"] and document["name"] == "me", document)
    check_pfx(world, legacy[0], "me (signing)", legacy=True)
    check_pfx(world, legacy[1], "me (encryption)", legacy=True)


def backed_up(world):
    enroll(world, "--exportable")
    folder = target(world, "backup")
    world.tool("backup", "--folder", folder + "/", answers=EXPORT, says="and its chain are in the folder")
    check(sorted(os.listdir(folder)) == ["chain.pem", "encryption.pfx", "signing.pfx"], os.listdir(folder))
    check(stat.S_IMODE(os.stat(folder).st_mode) == 0o700)
    check_pfx(world, f"{folder}/signing.pfx", "me (signing)")
    check_pfx(world, f"{folder}/encryption.pfx", "me (encryption)")
    certificate = target(world, "own.pem")
    pathlib.Path(certificate).write_text(pkcs12(f"{folder}/signing.pfx", "-nokeys", "-clcerts"))
    openssl("verify", "-CAfile", f"{folder}/chain.pem", certificate)
    world.tool("backup", "--folder", folder, expect=IO, says="is there already")
    # A question that is refused leaves nothing behind.
    world.tool("backup", "--folder", target(world, "second"), answers=EXPORT[:3] + ["cancel"], expect=CANCELLED)
    check(not [p for p in os.listdir(world.root) if p.startswith("second")], os.listdir(world.root))


def refused(world):
    """Keys that were not created to be exported never are, and what is asked for stays undone."""
    enroll(world)
    paths = target(world, "s.pfx"), target(world, "e.pfx")
    export_is_refused(world, expect=STATE, says="was created so that it can never leave the token")
    export_is_refused(world, "--name", "you", expect=STATE, says='named "you"')
    world.tool("pfx", "export", "--signing", paths[0], expect=USAGE, says="--encryption FILE")
    export(world, paths[0], paths[0], answers=[], expect=USAGE)
    check(not os.path.exists(paths[0]))


def configured_never(world):
    """The configuration says no: before anything is made, and for keys that were made while it said yes."""
    world.login()
    before = world.portal_state()
    world.tool("apply", "--name", "me", "--accept-terms", world.terms_version(), "--yes", "--exportable",
               answers=APPLY[:1], expect=CONFIG, says="set export = ask in [module]")
    check(world.objects() == [] and world.portal_state() == before and world.state_files() == [])
    world.configure(export="ask")
    # A birth that is refused is none; the same command goes on.
    options = ("apply", "--name", "me", "--accept-terms", world.terms_version(), "--yes", "--exportable")
    world.tool(*options, answers=[f"pin {PIN}", f"pin {PIN}", "cancel"], expect=CANCELLED)
    check(world.count("Private Key") == 1)
    world.tool("apply", answers=[f"pin {PIN}", f"pin {PIN}"])
    world.activate()
    world.configure()
    export_is_refused(world, expect=CONFIG, says="set export = ask in [module]")
    check(not os.path.exists(target(world, "s.pfx")))


def passwords(world):
    """Passwords that are no good are asked for again; the third ends it."""
    enroll(world, "--exportable")
    paths = target(world, "s.pfx"), target(world, "e.pfx")
    bad = [("Short-1", "at least 12 characters"), ("aaaaAAAA1111", "6 different"), ("onlysmallletters", "three of"),
           ("Me is my name 1", "name of the keys"), ("Größe-über-alles-1", "A to Z")]
    for word, why in bad:
        export(world, *paths, answers=[EXPORT[0]] + [f"repeat {word}"] * 3, expect=USAGE, says=why)
    check(not os.path.exists(paths[0]))
    file = world.root / "password"
    file.write_text("too short\n")
    file.chmod(0o600)
    export(world, *paths, "--new-password-file", str(file), answers=EXPORT[:1], expect=USAGE)
    file.write_text(PFX_PASSWORD + "\n")
    export(world, *paths, "--new-password-file", str(file), answers=[f"pin {PIN}"] * 3)
    check_pfx(world, paths[0], "me (signing)")
    more = target(world, "s2.pfx"), target(world, "e2.pfx")
    export(world, *more, answers=[f"pin {PIN}", "repeat short", f"repeat {PFX_PASSWORD}", f"pin {PIN}", f"pin {PIN}"])
    check_pfx(world, more[1], "me (encryption)")


def full_disk(world):
    """A file system that takes no more: nothing of either file is left."""
    enroll(world, "--exportable")
    for path in (world.root / "state" / "pinward").glob("ledger.jsonl*"):
        path.unlink()
    (world.root / "pinward.log").unlink()
    (world.pinentry / "log").unlink()
    (world.pinentry / "log").symlink_to("/dev/null")
    paths = target(world, "s.pfx"), target(world, "e.pfx")
    (world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in EXPORT))

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as a full disk: an error, no signal
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = subprocess.run([os.environ["PINWARD_TOOL"], "pfx", "export", "--signing", paths[0], "--encryption", paths[1]],
                          env=world.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100,
                          preexec_fn=limit, restore_signals=False)
    check(done.returncode == IO and "s.pfx cannot be written" in done.stderr, done.stdout + done.stderr)
    check(not [p for p in os.listdir(world.root) if "pfx" in p], os.listdir(world.root))
    export(world, *paths)
    check(os.path.getsize(paths[0]) > 3000, "the limit has cut off nothing")


def passwd(world):
    """pfx passwd on files of openssl's making: the key stays, the protection becomes ours."""
    key, certificate, path = target(world, "k.pem"), target(world, "c.pem"), target(world, "own.pfx")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=me",
            "-days", "30")
    for options in ((), ("-legacy",)):
        pathlib.Path(path).unlink(missing_ok=True)
        openssl("pkcs12", "-export", "-inkey", key, "-in", certificate, "-out", path, "-passout", f"pass:{PFX_PASSWORD}",
                "-name", "mine", *options)
        before = pathlib.Path(path).read_bytes()
        run = lambda answers, **more: world.tool("pfx", "passwd", "--file", path, answers=answers, **more)
        run(["pin wrong", "pin wrong", "pin wrong"], expect=LOGIN, says="was wrong, so nothing was done")
        run([f"pin {PFX_PASSWORD}", "cancel"], expect=CANCELLED)
        check(pathlib.Path(path).read_bytes() == before, "a refusal changed the file")
        run(["pin wrong", f"pin {PFX_PASSWORD}", f"repeat {OTHER_PASSWORD}"], says="has its new password")
        pkcs12(path, "-noout", expect=1)
        pem = pkcs12(path, "-nodes", password=OTHER_PASSWORD)
        check(openssl("pkey", "-pubout", data=pem.encode()) == openssl("pkey", "-in", key, "-pubout"))
        check("friendlyName: mine" in pem, pem)
        check("Iteration 250000" in pkcs12(path, "-info", "-noout", password=OTHER_PASSWORD))
    link = target(world, "link.pfx")
    os.symlink(path, link)
    world.tool("pfx", "passwd", "--file", link, expect=IO, says="is not a file itself")
    check(os.path.islink(link))


if __name__ == "__main__":
    run([exported, backed_up, refused, configured_never, passwords, full_disk, passwd])
