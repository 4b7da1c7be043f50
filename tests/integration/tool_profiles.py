#!/usr/bin/env python3
"""Every kind of keys that the portal may want: enrolled, used by openssl through the module, renewed."""
from tool_between import Between, change_json
from tool_pfx import APPLY, EXPORT, PFX_PASSWORD, target
from tool_world import *

SHOWN = {"rsa-3072": "RSA-3072", "ec-p256": "EC P-256", "ec-p384": "EC P-384"}


def certificate(world, label):
    """The certificate with this label, read past the module and written as PEM."""
    path = world.root / f"{label}.pem"
    der = subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--read-object", "--type", "cert",
                          "--label", label], env=world.env, capture_output=True, check=True).stdout
    subprocess.run(["openssl", "x509", "-inform", "DER", "-out", path], input=der, check=True)
    return path


def key_usage(world, label):
    return next(each["Usage"] for each in world.objects()
                if each["kind"].startswith("Private Key") and each.get("label") == label)


def openssl(world, *arguments, answers=()):
    """openssl with the token's keys, through libp11's engine and the module."""
    # The sanitizers' runtime is for the program that was built without it, not for the pinentry, which has its own.
    pinentry = world.root / "pinentry.sh"
    pinentry.write_text(f"#!/bin/sh\nunset LD_PRELOAD\nexec {os.environ['PINWARD_SCRIPTED_PINENTRY']}\n")
    pinentry.chmod(0o755)
    world.configure(pinentry=pinentry, login_grace="0")  # so that the use has a window of its own
    (world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in answers))
    env = {**world.env, "PKCS11_MODULE_PATH": os.environ["PINWARD_MODULE"],
           "LD_PRELOAD": os.environ.get("PINWARD_PRELOAD", ""), "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(["openssl", *map(str, arguments)], env=env, capture_output=True, text=True, timeout=60)
    world.configure()
    check(done.returncode == 0, f"openssl {arguments}\n{done.stdout}{done.stderr}")
    check((world.pinentry / "script").read_text() == "", "answers that nobody asked for are left")


def key_uri(label, token="card"):
    return f"pkcs11:token={token};object={label.replace(' ', '%20')};type=private"


def sign_and_verify(world, name, token="card"):
    message = world.root / "message"
    message.write_text("Signed by me.\n")
    signed = world.root / "message.p7s"
    openssl(world, "cms", "-sign", "-engine", "pkcs11", "-keyform", "engine", "-inkey", key_uri(f"{name} (signing)", token),
            "-signer", certificate(world, f"{name} (signing)"), "-in", message, "-out", signed, answers=[f"pin {PIN}"] * 2)
    chain = world.root / "chain.pem"
    chain.write_bytes((world.data / "root.pem").read_bytes() + (world.data / "issuing.pem").read_bytes())
    subprocess.run(["openssl", "cms", "-verify", "-in", signed, "-CAfile", chain, "-out", os.devnull], check=True,
                   capture_output=True)


def encrypt_and_decrypt(world, name, token="card"):
    message, sealed, opened = (world.root / each for each in ("secret", "secret.p7m", "opened"))
    message.write_text("For me alone.\n")
    subprocess.run(["openssl", "cms", "-encrypt", "-aes256", "-in", message, "-out", sealed,
                    certificate(world, f"{name} (encryption)")], check=True, capture_output=True)
    openssl(world, "cms", "-decrypt", "-engine", "pkcs11", "-keyform", "engine", "-inkey", key_uri(f"{name} (encryption)", token),
            "-recip", certificate(world, f"{name} (encryption)"), "-in", sealed, "-out", opened, answers=[f"pin {PIN}"] * 2)
    check(opened.read_text().split() == message.read_text().split(), opened.read_text())


def last_question(world):
    lines = (world.pinentry / "log").read_text().splitlines()
    return next(line for line in reversed(lines) if line.startswith("  DESC "))


def expect_keys(world, profile, name):
    ec = profile.startswith("ec")
    check(key_usage(world, f"{name} (signing)") == "sign", key_usage(world, f"{name} (signing)"))
    check(key_usage(world, f"{name} (encryption)") == ("derive" if ec else "decrypt"),
          key_usage(world, f"{name} (encryption)"))
    # Secrets agreed on are session objects; none is left, and nothing of them was ever on the token.
    check(world.count("Secret Key") == 0, world.objects())


def story(world, profile):
    world.login()
    check(f"{SHOWN[profile]} keys" in world.tool("registration"))
    check(f": {SHOWN[profile]}, " in world.apply())
    world.activate(says="are active and on the token")
    expect_keys(world, profile, "me")
    use = "derive" if profile.startswith("ec") else "decrypt"
    check(f'{use} with key "me (encryption)": allowed (batch' in (world.root / "pinward.log").read_text())
    sign_and_verify(world, "me")
    encrypt_and_decrypt(world, "me")
    check(use.upper() in last_question(world), last_question(world))

    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    world.tool("renew", "--name", "new", "--accept-terms", world.terms_version(), "--yes",
               answers=[f"pin {PIN}", f"pin {PASSWORD}"], says="are active and on the token")
    expect_keys(world, profile, "new")
    states = sorted((c["use"], c["state"]) for c in world.status()["certificates"])
    check(states == [("encryption", "active"), ("encryption", "renewed"), ("signing", "active"), ("signing", "renewed")])
    encrypt_and_decrypt(world, "me")  # old mail is still read


def application_prompts(world):
    """prompt = application: the tool brings the PIN, also for the one use that is a derivation."""
    world.configure(prompt="application")
    world.login()
    world.apply(answers=[f"pin {PIN}", f"pin {PIN}"])
    world.activate(answers=[f"pin {PIN}", f"pin {PASSWORD}", f"pin {PIN}", "cancel"], expect=CANCELLED,
                   says="You cancelled the PIN entry")
    world.activate(answers=[f"pin {PIN}", f"pin {PASSWORD}", f"pin {PIN}", "pin 999999"], expect=TOKEN,
                   says="The PIN was wrong")
    check(all(c["state"] == "issued" for c in world.status()["certificates"]), world.status())
    world.activate(answers=[f"pin {PIN}", f"pin {PASSWORD}", f"pin {PIN}", f"pin {PIN}"])
    check(world.count("Certificate") == 4)


application_prompts.world = {"key_profile": "ec-p256"}


def no_secret_is_left(world):
    """What is derived is destroyed before the session ends: the calls that reach the token, as OpenSC's spy writes them."""
    spied = world.root / "spied"
    world.env.update(PKCS11SPY=SOFTHSM, PKCS11SPY_OUTPUT=str(spied))
    world.login()
    world.apply()
    world.configure(backend=next(pathlib.Path("/usr/lib").glob("*/pkcs11/pkcs11-spy.so")))
    # The spy never frees its own table; that the tool frees what it has is seen in the other stories.
    world.activate(says="are active and on the token",
                   env={"ASAN_OPTIONS": f"{world.env.get('ASAN_OPTIONS', '')}:detect_leaks=0".lstrip(":")})
    calls = re.split(r"^\d+: ", spied.read_text(errors="replace"), flags=re.M)
    derived = next(n for n, call in enumerate(calls) if call.startswith("C_DeriveKey"))
    handle = re.search(r"\[out\] hKey = (0x[0-9a-f]+)", calls[derived]).group(1)
    own = [call for call in calls[derived + 1:] if re.search(rf"hObject = {handle}$", call, re.M)]
    check(len(own) >= 2 and own[-1].startswith("C_DestroyObject") and "CKR_OK" in own[-1], own)
    check(all(call.startswith("C_GetAttributeValue") for call in own[:own.index(own[-1])]), own)
    check(sum(call.startswith("C_DeriveKey") for call in calls) == 1)


no_secret_is_left.world = {"key_profile": "ec-p256"}


def backed_up_and_restored(world):
    """EC keys in PFX files, which openssl reads, and back on another token, where they do what they did."""
    world.configure(export="ask")
    world.login()
    world.tool("apply", "--name", "me", "--accept-terms", world.terms_version(), "--yes", "--exportable", answers=APPLY)
    world.activate()
    world.tool("backup", "--folder", target(world, "backup"), answers=EXPORT)
    files = list((world.root / "backup").glob("*.pfx"))
    check(len(files) == 2, files)
    for pfx in files:
        shown = subprocess.run(["openssl", "pkcs12", "-in", pfx, "-passin", f"pass:{PFX_PASSWORD}", "-nodes"], check=True,
                               capture_output=True, text=True).stdout
        text = subprocess.run(["openssl", "pkey", "-text", "-noout"], input=shown, check=True, capture_output=True,
                              text=True).stdout
        check("NIST CURVE: P-384" in text, text)
    world.new_token("spare")
    world.configure(token="spare")
    world.tool("restore", "--folder", target(world, "backup"), answers=[f"pin {PFX_PASSWORD}", f"pin {PIN}"])
    usage = {o["label"]: o["Usage"] for o in world.objects("spare") if o["kind"].startswith("Private Key")}
    check(usage == {"me (signing)": "sign", "me (encryption)": "derive"}, usage)
    sign_and_verify(world, "me", "spare")
    encrypt_and_decrypt(world, "me", "spare")


backed_up_and_restored.world = {"key_profile": "ec-p384"}


def other_keys_than_promised(world):
    """The portal promises one profile and keeps to another, or wants keys that no careful person would make."""
    world.login()
    between = Between(world)
    world.configure(url=between.url)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    rsa = {"key_type": "RSA", "key_bits": 2048, "encryption_key_usage": ["keyEncipherment"]}
    p256 = {"key_type": "EC", "key_bits": 256, "curve": "P-256", "encryption_key_usage": ["keyAgreement"]}
    for profile, says in (
            ({**rsa, "key_bits": 1024}, "too weak or of a kind that is not made here"),
            ({**rsa, "key_type": "DSA"}, "too weak or of a kind that is not made here"),
            ({**p256, "curve": "P-192", "key_bits": 192}, "too weak or of a kind that is not made here"),
            ({**p256, "curve": "secp256k1"}, "too weak or of a kind that is not made here"),
            ({**p256, "curve": "P-384"}, "too weak or of a kind that is not made here"),
            ({**p256, "encryption_key_usage": ["keyEncipherment"]}, "not for a key that only decrypts"),
            ({**p256, "encryption_key_usage": ["keyAgreement", "digitalSignature"]}, "not for a key that only decrypts"),
            ({**p256, "signing_key_usage": ["digitalSignature", "keyAgreement"]}, "not for a key that only signs")):
        def change(answer, profile=profile):
            answer["profile"].pop("curve", None)
            answer["profile"].update(profile)

        between.hook = change_json("/registration", change)
        world.tool("apply", "--name", "me", "--yes", "--accept-terms", "1", expect=PROTOCOL, says=says)
    check(world.count("Private Key") == 0 and not between.requests[-1][1].endswith("/applications"))

    def promise_rsa(answer):
        answer["profile"].pop("curve", None)
        answer["profile"].update(rsa)

    between.hook = change_json("/registration", promise_rsa)
    world.apply(expect=REFUSED, says="A key is not of the profile")  # which is of P-384 in truth
    check(world.status()["certificates"] == [])
    between.hook = None  # the portal says what it wants, but the keys are of another kind
    world.tool("apply", expect=STATE, says="The portal now wants EC P-384 keys, and what was begun is with RSA-2048")
    world.tool("apply", "--name", "me", "--accept-terms", world.terms_version(), "--yes", "--start-over",
               answers=[f"pin {PIN}"] * 3, says="EC P-384")
    check(world.count("Private Key") == 2, world.objects())

    def swap(answer):  # certificates for other keys than those that were asked for
        answer["signing_certificate"] = answer["encryption_certificate"]

    between.hook = change_json("/challenge", swap)
    before = world.objects(), world.portal_state()
    world.activate(answers=[f"pin {PIN}"], expect=CERTIFICATE, says="serial number")
    check((world.objects(), world.portal_state()) == before, "token or portal has changed")
    between.close()


other_keys_than_promised.world = {"key_profile": "ec-p384"}


def changed_between(world):
    """The portal's profile is EC when RSA keys are renewed: each pair keeps its kind, and the old one comes back too."""
    world.login()
    world.apply()
    world.activate()
    world.admin("key-profile", "ec-p256")
    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    world.tool("renew", "--name", "new", "--accept-terms", world.terms_version(), "--yes",
               answers=[f"pin {PIN}", f"pin {PASSWORD}"], says="are active and on the token")
    expect_keys(world, "rsa-2048", "me")
    expect_keys(world, "ec-p256", "new")
    states = sorted((c["use"], c["state"]) for c in world.status()["certificates"])
    check(states == [("encryption", "active"), ("encryption", "renewed"), ("signing", "active"), ("signing", "renewed")])
    for label in ("me (encryption)", "me (signing)", "new (encryption)"):
        subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--login", "--pin", PIN,
                        "--delete-object", "--type", "cert", "--label", label], env=world.env, check=True, capture_output=True)
    said = world.tool("download", "--certificate", "all", answers=[f"pin {PIN}"])
    check(said.count("written to the token") == 3 and said.count("already") == 1, said)
    for name in ("me", "new"):
        encrypt_and_decrypt(world, name)
    sign_and_verify(world, "new")


def rsa_4096(world):
    """The largest keys, both made at once on the token."""
    world.login()
    world.apply(says=": RSA-4096, ")
    world.activate(says="are active and on the token")
    expect_keys(world, "rsa-4096", "me")
    for use in ("signing", "encryption"):
        text = subprocess.run(["openssl", "x509", "-in", certificate(world, f"me ({use})"), "-noout", "-text"], check=True,
                              capture_output=True, text=True).stdout
        check("Public-Key: (4096 bit)" in text, text)


rsa_4096.world = {"key_profile": "rsa-4096"}


def of_profile(profile):
    def test(world):
        story(world, profile)

    test.__name__ = profile.replace("-", "_")
    test.world = {"key_profile": profile}
    return test


if __name__ == "__main__":
    run([*(of_profile(profile) for profile in SHOWN), rsa_4096, changed_between, application_prompts, no_secret_is_left,
         backed_up_and_restored, other_keys_than_promised])
