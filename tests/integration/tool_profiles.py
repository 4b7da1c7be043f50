#!/usr/bin/env python3
"""Every kind of keys that the portal may want: enrolled, used by openssl through the module, renewed."""
from tool_between import Between, change_json
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


def key_uri(label):
    return f"pkcs11:token=card;object={label.replace(' ', '%20')};type=private"


def sign_and_verify(world, name):
    message = world.root / "message"
    message.write_text("Signed by me.\n")
    signed = world.root / "message.p7s"
    openssl(world, "cms", "-sign", "-engine", "pkcs11", "-keyform", "engine", "-inkey", key_uri(f"{name} (signing)"),
            "-signer", certificate(world, f"{name} (signing)"), "-in", message, "-out", signed, answers=[f"pin {PIN}"] * 2)
    chain = world.root / "chain.pem"
    chain.write_bytes((world.data / "root.pem").read_bytes() + (world.data / "issuing.pem").read_bytes())
    subprocess.run(["openssl", "cms", "-verify", "-in", signed, "-CAfile", chain, "-out", os.devnull], check=True,
                   capture_output=True)


def encrypt_and_decrypt(world, name):
    message, sealed, opened = (world.root / each for each in ("secret", "secret.p7m", "opened"))
    message.write_text("For me alone.\n")
    subprocess.run(["openssl", "cms", "-encrypt", "-aes256", "-in", message, "-out", sealed,
                    certificate(world, f"{name} (encryption)")], check=True, capture_output=True)
    openssl(world, "cms", "-decrypt", "-engine", "pkcs11", "-keyform", "engine", "-inkey", key_uri(f"{name} (encryption)"),
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


def of_profile(profile):
    def test(world):
        story(world, profile)

    test.__name__ = profile.replace("-", "_")
    test.world = {"key_profile": profile}
    return test


if __name__ == "__main__":
    run([of_profile(profile) for profile in SHOWN])
