#!/usr/bin/env python3
"""The enrollment from the first login to a renewed certificate, each verb as a person uses it."""
from tool_world import *


def key_usage(world, label, token="card"):
    for each in world.objects(token):
        if each["kind"].startswith("Private Key") and each.get("label") == label:
            return each["Usage"]
    raise AssertionError(f"no private key {label}")


def story(world):
    first = world.register()
    world.tool("login", "--account", "wang", answers=[f"pin {first}", f"repeat {PASSWORD}"], says="is logged in")
    registration = json.loads(world.tool("registration", "--json"))
    check(registration["account"] == "wang" and registration["approved"] is True)
    check("R-wang" in world.tool("registration"))

    world.apply(says="Next: pinward activate")
    check(world.count("Private Key") == 2 and world.count("Certificate") == 0)
    check(key_usage(world, "me (signing)") == "sign", key_usage(world, "me (signing)"))
    check(key_usage(world, "me (encryption)") == "decrypt", key_usage(world, "me (encryption)"))
    check(world.status()["open_application"] is not None)
    world.tool("apply", says="has been sent already")  # once more changes nothing
    check(world.count("Private Key") == 2)

    world.activate(says="are active and on the token")
    check(world.count("Certificate") == 4, world.objects())  # two of the user's, issuing CA, root
    status = world.status()
    check([c["state"] for c in status["certificates"]] == ["active", "active"], status)
    check(all(c["on_token"] and not c["renewal_due"] for c in status["certificates"]), status)
    check(world.state_files() == [], "the journal is left")
    world.tool("activate", expect=STATE, says="There is no application to activate")

    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    check(all(c["renewal_due"] for c in world.status(expect=DUE)["certificates"]))
    enveloped = envelope(world)
    # PINs: the login covers the new key's signature, then the old key's, then (activation) sign and decrypt.
    world.tool("renew", "--accept-terms", world.terms_version(), "--yes",
               answers=[f"pin {PIN}", f"pin {PIN}", f"pin {PASSWORD}", f"pin {PIN}", f"pin {PIN}"],
               says="are active and on the token")
    states = sorted((c["use"], c["state"]) for c in world.status()["certificates"])
    check(states == [("encryption", "active"), ("encryption", "renewed"), ("signing", "active"), ("signing", "renewed")])
    check(world.count("Private Key") == 4 and world.count("Certificate") == 6, world.objects())
    check(decrypt(world, enveloped, "me (encryption)") == b"for the old key")

    world.tool("logout", says="is logged out")
    world.tool("status", expect=LOGIN, says="run pinward login first")


def envelope(world):
    """A message to the first encryption certificate, by plain OpenSSL."""
    certificate = world.root / "encryption.pem"
    der = subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--read-object", "--type", "cert",
                          "--label", "me (encryption)"], env=world.env, capture_output=True, check=True).stdout
    subprocess.run(["openssl", "x509", "-inform", "DER", "-out", certificate], input=der, check=True)
    message = world.root / "message"
    message.write_bytes(b"for the old key")
    enveloped = world.root / "message.cms"
    subprocess.run(["openssl", "cms", "-encrypt", "-binary", "-aes256", "-in", message, "-outform", "DER", "-out",
                    enveloped, certificate], check=True)
    return enveloped


def decrypt(world, enveloped, label):
    """The content, with the content key unwrapped by the token's key of this label."""
    parsed = subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", enveloped], capture_output=True, text=True,
                            check=True).stdout.splitlines()
    # The recipient's encrypted key is the one OCTET STRING as long as the modulus.
    line = next(l for l in parsed if "OCTET STRING" in l and "l= 256" in l)
    offset, header = int(line.split(":")[0]), int(re.search(r"hl=(\d+)", line).group(1))
    der = enveloped.read_bytes()
    (world.root / "wrapped").write_bytes(der[offset + header:offset + header + 256])
    key_id = next(o["ID"] for o in world.objects() if o["kind"].startswith("Private Key") and o.get("label") == label)
    subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--login", "--pin", PIN, "--decrypt",
                    "--mechanism", "RSA-PKCS", "--id", key_id, "--login-type", "user", "--input-file",
                    world.root / "wrapped", "--output-file", world.root / "unwrapped"],
                   env=world.env, capture_output=True, check=True)
    secret = (world.root / "unwrapped").read_bytes().hex()
    line = next(l for l in parsed if "OCTET STRING" in l and "HEX DUMP" in l and "l=  16" in l)  # the IV
    iv = line.split(":")[-1]
    content = next(l for l in reversed(parsed) if "cont [ 0 ]" in l)
    offset, header = int(content.split(":")[0]), int(re.search(r"hl=(\d+)", content).group(1))
    length = int(re.search(r" l= *(\d+)", content).group(1))
    return subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-K", secret, "-iv", iv],
                          input=der[offset + header:offset + header + length], capture_output=True, check=True).stdout


def approval_by_hand(world):
    world.login()
    world.apply()
    world.tool("activate", expect=STATE, says="has not approved")
    application = world.status()["open_application"]
    world.admin("approve", application)
    world.activate()


approval_by_hand.world = {"approval": "manual"}


def application_prompts(world):
    """prompt = application: the token shows no PIN path of its own, so the tool asks, for the login and each use."""
    world.configure(prompt="application")
    world.login()
    world.apply(answers=[f"pin {PIN}", f"pin {PIN}"])
    world.activate(answers=[f"pin {PIN}", f"pin {PASSWORD}", f"pin {PIN}", f"pin {PIN}"])
    check(world.count("Certificate") == 4)


def password(world):
    world.login()
    world.tool("passwd", answers=[f"pin {PASSWORD}", "repeat short", "repeat Another-Horse-8"], says="is changed")
    world.tool("logout")
    world.tool("login", "--account", "wang", answers=["pin Another-Horse-8"])


def other_state_folder(world):
    """The journal is lost: activation finds the keys on the token by the certificates."""
    world.login()
    world.apply()
    env = {"XDG_STATE_HOME": str(world.root / "other")}
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"], env=env)
    world.activate(env=env)
    check(world.count("Certificate") == 4)


if __name__ == "__main__":
    run([story, approval_by_hand, application_prompts, password, other_state_folder])
