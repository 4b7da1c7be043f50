#!/usr/bin/env python3
"""A portal that lies: answers that were changed on the way. Nothing of it may reach the token or be activated."""
import base64
import hashlib

from tool_between import Between, change_json
from tool_world import *


def issue(world, between, change):
    """A hook that has the challenge's signing certificate issued anew by the portal's own CA, with what change says."""

    def alter(answer):
        der = base64.b64decode(answer["signing_certificate"])
        (world.root / "old.der").write_bytes(der)
        openssl("x509", "-inform", "DER", "-in", world.root / "old.der", "-pubkey", "-noout", "-out",
                world.root / "public.pem")
        answer["signing_certificate"] = base64.b64encode(forge(world, der, **change)).decode()

    between.hook = change_json("/challenge", alter)


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options).stdout


def forge(world, der, subject=None, days=365, usage="digitalSignature,nonRepudiation", ca="FALSE",
          email="wang@example.org"):
    """A certificate for the same key, issued by the real issuing CA."""
    serial = openssl("x509", "-inform", "DER", "-noout", "-serial", input=der).decode().strip().split("=")[1]
    (world.root / "forge.cnf").write_text(
        f"basicConstraints=critical,CA:{ca}\nkeyUsage=critical,{usage}\nextendedKeyUsage=emailProtection,clientAuth\n"
        f"subjectAltName=email:{email}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", world.root / "any.key")
    openssl("req", "-new", "-key", world.root / "any.key", "-subj", subject or "/C=TW/O=Ex, Inc/CN=王小明/serialNumber=R-wang",
            "-utf8", "-out", world.root / "any.csr")
    return openssl("x509", "-req", "-in", world.root / "any.csr", "-CA", world.data / "issuing.pem", "-CAkey",
                   world.data / "issuing.key", "-set_serial", "0x" + serial, "-days", str(days), "-extfile",
                   world.root / "forge.cnf", "-force_pubkey", world.root / "public.pem", "-outform", "DER", "-sha384")


def issued(world):
    world.login()
    world.apply()
    between = Between(world)
    world.configure(url=between.url)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    # The journal belongs to a portal's address; the lying one takes over the honest one's.
    state = world.root / "state" / "pinward"
    honest = state / world.state_files()[0]
    text = honest.read_text()
    honest.unlink()
    name = hashlib.sha256(f"{between.url} wang".encode()).hexdigest()[:16]
    (state / f"enrollment-{name}.json").write_text(text)
    (state / f"enrollment-{name}.json").chmod(0o600)
    return between


def refused(world, expect, says, answers=(f"pin {PIN}",)):
    before = world.objects(), world.portal_state()
    world.tool("activate", answers=answers, expect=expect, says=says)
    check((world.objects(), world.portal_state()) == before, "token or portal has changed")


def certificates(world):
    between = issued(world)
    for change, says in (({"subject": "/C=TW/O=Ex, Inc/CN=Mallory/serialNumber=R-wang"}, "another subject"),
                         ({"days": 3650}, "valid for another time"),
                         ({"usage": "digitalSignature,nonRepudiation,keyCertSign"}, "another key usage"),
                         ({"ca": "TRUE"}, "is not a CA"),
                         ({"email": "mallory@example.org"}, "other names than the registered e-mail")):
        issue(world, between, change)
        refused(world, CERTIFICATE, says)
    issue(world, between, {})  # the same forgery without a lie in it passes, so that the lies were what was refused
    world.tool("activate", answers=[f"pin {PIN}", "cancel"], expect=CANCELLED, says="what was promised")

    def swap(answer):
        answer["signing_certificate"], answer["encryption_certificate"] = (answer["encryption_certificate"],
                                                                           answer["signing_certificate"])

    between.hook = change_json("/challenge", swap)
    refused(world, CERTIFICATE, "serial number")
    between.hook = change_json("/challenge", lambda a: a.update(chain=[]))
    refused(world, CERTIFICATE, "does not chain to the pinned CA")
    between.hook = change_json("/challenge", lambda a: a.update(signing_certificate="MIIB"))
    refused(world, PROTOCOL, "a certificate cannot be read")
    between.close()


def challenges(world):
    between = issued(world)
    between.hook = change_json("/challenge", lambda a: a.update(nonce=base64.b64encode(b"x" * 31).decode()))
    refused(world, PROTOCOL, "may be signed", answers=(f"pin {PIN}", f"pin {PASSWORD}"))
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", world.root / "m.key", "-out", world.root / "m.pem",
            "-subj", "/CN=Mallory")
    other = openssl("cms", "-encrypt", "-aes256", "-outform", "DER", world.root / "m.pem", input=b"z" * 32)
    between.hook = change_json("/challenge", lambda a: a.update(enveloped=base64.b64encode(other).decode()))
    refused(world, PROTOCOL, "not enveloped to the new encryption key", answers=(f"pin {PIN}", f"pin {PASSWORD}"))
    between.close()


def after_activation(world):
    """The certificates are right in the challenge and wrong in the download: they are not written."""
    between = issued(world)
    first = []

    def swap(method, path, status, headers, body):
        if "/certificates/" in path and status == 200:
            first.append(body)
            body = first[0]
        return status, headers, body

    between.hook = swap
    world.activate(expect=CERTIFICATE, says="encryption certificate has not the serial number")
    check(world.count("Certificate") == 0, world.objects())
    between.hook = None  # the portal comes to its senses, and the same command completes
    world.tool("activate", answers=[f"pin {PIN}"], says="are active and on the token")
    check(world.count("Certificate") == 4)
    between.close()


def answers(world):
    """Answers that are no answers."""
    world.login()
    between = Between(world)
    world.configure(url=between.url)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    json_type = {"Content-Type": "application/json"}
    problem = {"Content-Type": "application/problem+json"}
    for hook, expect, says in (
            (lambda *a: (200, json_type, b"[" * 100000), PROTOCOL, "not a JSON object"),
            (lambda *a: (200, json_type, b"{\"account\":1}"), PROTOCOL, "not what its API allows"),
            (lambda *a: (200, {"Content-Type": "text/html"}, b"<html>"), PROTOCOL, "not JSON"),
            (lambda *a: (200, json_type, b"x" * 3000000), PROTOCOL, "too large"),
            (lambda *a: (302, {"Location": "https://localhost:1/"}, b""), REFUSED, "status 302"),
            (lambda *a: (500, problem, b""), NETWORK, "try again later"),
            (lambda *a: (418, problem, json.dumps({"detail": "\x1b]0;owned\x07\u202e"}).encode()), REFUSED, "??")):
        between.hook = hook
        world.tool("registration", expect=expect, says=says)
    between.hook = change_json("/terms", lambda a: a.update(text="You owe me money."))
    world.tool("apply", "--name", "me", "--yes", "--accept-terms", "1", expect=PROTOCOL, says="not that of text")
    between.hook = change_json("/registration", lambda a: a["profile"].update(key_bits=512))
    world.tool("apply", "--name", "me", "--yes", "--accept-terms", "1", expect=PROTOCOL, says="key_bits")
    check(world.count("Private Key") == 0)
    between.close()


def lost_answers(world):
    """Answers that get lost are asked for again, where that does no harm; nothing happens twice."""
    world.login()
    between = Between(world)
    world.configure(url=between.url)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    seen = set()

    def lose_first(method, path, status, headers, body):
        if (method, path) not in seen and "/session" not in path:
            seen.add((method, path))
            raise ConnectionError
        return status, headers, body

    between.hook = lose_first
    world.apply()
    world.activate(says="are active and on the token")  # also when the activation's own answer was lost
    check(sum(1 for method, path in between.requests if path.endswith("/activation")) == 1)
    check(world.count("Private Key") == 2 and world.count("Certificate") == 4)
    check(len(world.status()["certificates"]) == 2)
    between.close()


if __name__ == "__main__":
    run([certificates, challenges, after_activation, answers, lost_answers])
