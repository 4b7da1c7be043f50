#!/usr/bin/env python3
"""PFX files that come (back) onto a token: what is wrong with them is told apart and changes nothing, an import that is
killed anywhere is completed by the same command."""
import shutil

from tool_pfx import APPLY, EXPORT, OTHER_PASSWORD, PFX_PASSWORD, enroll, openssl, target
from tool_world import *

IMPORT = [f"pin {PFX_PASSWORD}", f"pin {PIN}"]  # one password opens both files


def backup(world):
    """A pair that the portal has issued, in a folder; then a token that has never seen it."""
    enroll(world, "--exportable")
    world.tool("backup", "--folder", target(world, "backup"), answers=EXPORT)
    world.new_token("spare")
    world.configure(token="spare")
    return target(world, "backup")


def import_files(world, signing, encryption, *options, **run):
    return world.tool("pfx", "import", "--signing", str(signing), "--encryption", str(encryption), *options,
                      **{"answers": IMPORT, **run})


def check_imported(world, name="me", certificates=4, token="spare"):
    """Exactly the pair and its chain is there, its keys are as protected as ones that were born here, and they work."""
    # What SoftHSM2 leaves when it is killed between making an object and giving it a class: no program can find it by
    # what it is, nor use it, and the gate lets nobody touch what it cannot judge.
    objects = [each for each in world.objects(token) if not each["kind"].startswith("Data object")]
    kinds = [each["kind"].split(" Object")[0] for each in objects]
    check(sorted(kinds) == ["Certificate"] * certificates + ["Private Key"] * 2 + ["Public Key"] * 2,
          f"on {token}: {kinds}\n{objects}")
    for label, usage in ((f"{name} (signing)", "sign"), (f"{name} (encryption)", "decrypt")):
        key, = [each for each in objects if each["kind"].startswith("Private Key") and each["label"] == label]
        check(key["Usage"] == usage and "always authenticate" in key["Access"] and "sensitive" in key["Access"], key)
        check("extractable" not in key["Access"].replace("never extractable", ""), key)
    check(not list((world.root / "state" / "pinward").glob("import-*.json")), "the journal is left")
    sign(world, f"{name} (signing)", token)


def sign(world, label, token):
    data, signature, certificate = world.root / "to-sign", world.root / "signature", world.root / "certificate.pem"
    data.write_bytes(b"what is signed")
    key, = [each for each in world.objects(token) if each["kind"].startswith("Private Key") and each["label"] == label]
    common = ["pkcs11-tool", "--module", SOFTHSM, "--token-label", token, "--id", key["ID"]]
    subprocess.run([*common, "--login", "--pin", PIN, "--sign", "--mechanism", "SHA256-RSA-PKCS", "-i", data, "-o",
                    signature], env=world.env, check=True, capture_output=True, input=f"{PIN}\n".encode())
    der = subprocess.run([*common, "--read-object", "--type", "cert"], env=world.env, check=True,
                         capture_output=True).stdout
    certificate.write_text(openssl("x509", "-inform", "DER", "-pubkey", "-noout", data=der))
    openssl("dgst", "-sha256", "-verify", certificate, "-signature", signature, data)


def restored(world):
    folder = backup(world)
    # Without export = ask too: coming is not leaving.
    document = json.loads(world.tool("restore", "--folder", folder, "--json", answers=IMPORT))
    check(document["name"] == "me" and document["token"] == "spare", document)
    check_imported(world)
    serials = {each["serial"] for each in json.loads(world.admin("list", "certificates", "--json"))}
    check({document["signing_serial"], document["encryption_serial"]} <= serials, document)
    world.tool("restore", "--folder", folder, answers=IMPORT, expect=STATE, says='on the token "spare" already')
    check_imported(world)
    # An imported key cannot leave: it was not created here to be exported.
    world.configure(token="spare", export="ask")
    world.tool("backup", "--folder", target(world, "again"), answers=[f"pin {PIN}"], expect=STATE, says="can never leave")
    world.new_token("third")
    world.configure(token="third")
    import_files(world, f"{folder}/signing.pfx", f"{folder}/encryption.pfx", "--name", "old me")
    check_imported(world, "old me", token="third")


# -- files that are wrong --


class Authority:
    """A CA of openssl's making, and pairs that it has issued."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.ca = folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "ca.key", "-out", self.ca, "-subj",
                f"/CN={folder.name}", "-days", "3650")

    def certificate(self, name, usage, subject="/CN=Wang", days="30", start=None):
        """NAME.key and NAME.pem."""
        key, request, pem = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / "extensions"
        extensions.write_text(f"keyUsage=critical,{usage}\nbasicConstraints=critical,CA:FALSE\n")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", subject)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
                "-days", days, "-out", pem, "-extfile", extensions)
        return pem

    def pfx(self, name, *options, password=PFX_PASSWORD):
        path = self.folder / f"{name}.pfx"
        openssl("pkcs12", "-export", "-inkey", self.folder / f"{name}.key", "-in", self.folder / f"{name}.pem", "-out",
                path, "-passout", f"pass:{password}", *options)
        return path


SIGNING, ENCRYPTION = "digitalSignature,nonRepudiation", "keyEncipherment"


def wrong_files(world):
    """The table: what is given, what is said, and with which exit status; the token stays empty."""
    authority = Authority(world.root / "authority")
    stranger = Authority(world.root / "stranger")
    folder = world.root / "files"
    folder.mkdir()
    for name, usage, *more in (("s", SIGNING), ("e", ENCRYPTION), ("other-e", ENCRYPTION, "/CN=Lin"),
                               ("both", f"{SIGNING},{ENCRYPTION}"), ("old-s", SIGNING, "/CN=Wang", "-1"),
                               ("old-e", ENCRYPTION, "/CN=Wang", "-1"), ("later-e", ENCRYPTION, "/CN=Wang", "90")):
        authority.certificate(name, usage, *more)
        authority.pfx(name)
    for name, usage in (("s", SIGNING), ("e", ENCRYPTION)):
        stranger.certificate(name, usage)
        stranger.pfx(name)
    good_s, good_e = authority.folder / "s.pfx", authority.folder / "e.pfx"
    whole = good_s.read_bytes()
    files = {"cut": whole[:-100], "cut early": whole[:3], "empty": b"", "text": b"-----BEGIN CERTIFICATE-----\n",
             "zeros": bytes(4096), "changed": whole[:-200] + bytes([whole[-200] ^ 1]) + whole[-199:],
             "large": bytes(2 * 1048576), "pem": (authority.folder / "s.pem").read_bytes()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    openssl("pkcs12", "-export", "-nokeys", "-in", authority.folder / "s.pem", "-out", folder / "no-key", "-passout",
            f"pass:{PFX_PASSWORD}")
    openssl("pkcs12", "-export", "-nocerts", "-inkey", authority.folder / "s.key", "-out", folder / "no-certificate",
            "-passout", f"pass:{PFX_PASSWORD}")
    authority.pfx("s", "-nomac").rename(folder / "no-mac")
    authority.pfx("s")
    os.mkfifo(folder / "pipe")
    right, wrong = IMPORT[:1], ["pin not it", "pin nor this", "pin no"]
    rows = [
        (good_s, good_e, wrong, LOGIN, "was wrong, so nothing was done"),
        (folder / "cut", good_e, [], PFX, "is cut off"),
        (folder / "cut early", good_e, [], PFX, "is cut off"),
        (folder / "empty", good_e, [], PFX, "is not a PFX file"),
        (folder / "text", good_e, [], PFX, "is not a PFX file"),
        (folder / "pem", good_e, [], PFX, "is not a PFX file"),
        (folder / "zeros", good_e, [], PFX, "is not a PFX file"),
        (folder / "large", good_e, [], PFX, "is too large"),
        (folder / "changed", good_e, right * 3, LOGIN, "was wrong"),
        (folder / "missing", good_e, [], IO, "cannot be read"),
        (folder, good_e, [], IO, "is not a file"),
        (folder / "pipe", good_e, [], IO, "is not a file"),
        (folder / "no-key", good_e, right, PFX, "no private key"),
        (folder / "no-certificate", good_e, right, PFX, "no certificate"),
        (folder / "no-mac", good_e, [], PFX, "is not protected by a password"),
        (good_s, folder / "cut", right, PFX, "is cut off"),
        (good_e, good_s, right, PFX, "swapped"),
        (good_s, good_s, right, PFX, "swapped"),
        (authority.folder / "both.pfx", good_e, right, PFX, "neither one for signing nor one for encryption"),
        (good_s, authority.folder / "other-e.pfx", right, PFX, "do not belong together"),
        (good_s, authority.folder / "later-e.pfx", right, PFX, "do not belong together"),
        (good_s, stranger.folder / "e.pfx", right, PFX, "do not belong together"),
        (stranger.folder / "s.pfx", stranger.folder / "e.pfx", right, CERTIFICATE, "not issued by the CA"),
        (authority.folder / "old-s.pfx", authority.folder / "old-e.pfx", right, CERTIFICATE, "has expired"),
    ]
    world.configure(ca_file=authority.ca)
    for signing, encryption, answers, status, says in rows:
        import_files(world, signing, encryption, "--name", "me", answers=answers, expect=status, says=says)
        check(world.objects() == [], f"{signing}: something was written")
    check(not list((world.root / "state").glob("pinward/import-*.json")))
    import_files(world, good_s, good_e, "--name", "x" * 65, answers=IMPORT, expect=USAGE, says="1 to 64 bytes")
    import_files(world, good_s, good_e, answers=IMPORT, expect=USAGE, says="--name NAME")
    check(world.objects() == [])

    # Each file with its own password, and old ones: RC2 and triple DES, as Windows 7 wrote them.
    authority.pfx("e", "-legacy", "-descert", password=OTHER_PASSWORD)
    authority.pfx("s", "-legacy")
    import_files(world, good_s, good_e, "--name", "me", answers=IMPORT[:1] + [f"pin {OTHER_PASSWORD}", f"pin {PIN}"])
    check_imported(world, certificates=3, token="card")
    import_files(world, authority.folder / "old-s.pfx", authority.folder / "old-e.pfx", "--name", "me", "--allow-expired",
                 expect=STATE, says='key named "me (signing)"')
    import_files(world, authority.folder / "old-s.pfx", authority.folder / "old-e.pfx", "--name", "old", "--allow-expired")
    check(world.count("Private Key") == 4)


# -- killed --


def run_restore(world, folder, kill=None):
    """The verb, with more PINs than it may want; its exit status."""
    (world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in IMPORT + [f"pin {PIN}"] * 4))
    env = dict(world.env)
    if kill:
        env |= {"LD_PRELOAD": os.environ["PINWARD_KILL_LIBRARY"], "PINWARD_KILL_UNDER": str(kill[0]),
                "PINWARD_KILL_AT": str(kill[1])}
        # The sanitizer's runtime is then not the first library, which it would complain of.
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    done = subprocess.run([os.environ["PINWARD_TOOL"], "restore", "--folder", folder, "--name", "me"], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
    check(done.returncode in ((0, -signal.SIGKILL) if kill else (0,)), f"{kill}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode


def quick_backup(world, name="backup"):
    """A backup as it may come from elsewhere, whose password is hashed so seldom that it takes no time to open."""
    authority = Authority(world.root / f"{name}-authority")
    folder = world.root / name
    folder.mkdir()
    for each, usage in (("signing", SIGNING), ("encryption", ENCRYPTION)):
        authority.certificate(each, usage)
        authority.pfx(each, "-iter", "1").rename(folder / f"{each}.pfx")
    return folder, authority.ca


def killed_at(world, under, step):
    """Killed at every step-th write below a path, each time on a token of its own, until a run ends by itself: the same
    command completes it, and nothing else is on the token."""
    folder, ca = quick_backup(world)
    at, kills = 1, 0
    while True:
        token = f"spare{at}"
        world.new_token(token)
        world.configure(token=token, ca_file=ca)
        ended = run_restore(world, folder, (under, at)) == 0
        if not ended:
            kills += 1
            run_restore(world, folder)
        check_imported(world, certificates=3, token=token)
        if ended:
            break
        at += step
    print(f"# killed at {kills} points, recovered {kills}")
    return kills


def killed_between_steps(world):
    """Before and after every state of the journal is on disk."""
    check(killed_at(world, world.root / "state" / "pinward" / "import-", 1) >= 8)


def killed_in_the_token(world):
    check(killed_at(world, world.root / "tokens", int(os.environ.get("STEP", "97"))) >= 4)


def other_files_first(world):
    """What was begun is completed, or forgotten, before other files are imported."""
    folder, ca = quick_backup(world)
    world.configure(ca_file=ca)
    # The lock, two moments of "planned", two of "signing".
    check(run_restore(world, folder, (world.root / "state" / "pinward" / "import-", 5)) != 0)
    check(world.count("Private Key") == 1)
    other, ca = quick_backup(world, "other")
    world.configure(ca_file=ca)
    pair = other / "signing.pfx", other / "encryption.pfx"
    import_files(world, *pair, "--name", "new", expect=STATE, says='as "me", was begun')
    import_files(world, *pair, "--name", "new", "--start-over", answers=IMPORT + [f"pin {PIN}"])
    check_imported(world, "new", certificates=3, token="card")


if __name__ == "__main__":
    run([restored, wrong_files, killed_between_steps, killed_in_the_token, other_files_first])
