#!/usr/bin/env python3
"""A portal and a network that mean harm, as a table: what they do, what the tool says, and with which exit status. Each is
refused with one sentence and in time, and leaves token, portal, state and files as they were; in the end an honest
portal finishes what none of them could spoil."""
import base64
import zlib

from tool_between import Between, Cut, change_json
from tool_forge import forge, openssl
from tool_world import *

JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
APPLY = ("apply", "--name", "me", "--accept-terms", "1", "--yes")


# What every login at the token writes: the ledger's line, the counter of tries, SoftHSM2's flags of the token.
OF_A_LOGIN = re.compile(r"\.lock$|/ledger\.jsonl|/retry/|/token\.object$")


def files(world):
    """Everything else that is kept: the token's files, the tool's own, what stands beside."""
    kept = {}
    for folder in ("tokens", "state", "home"):
        for path in sorted((world.root / folder).rglob("*")):
            if path.is_file() and not OF_A_LOGIN.search(str(path)):
                kept[str(path.relative_to(world.root))] = path.read_bytes()
    return kept


def refused(world, name, arguments, answers, expect, says):
    """One sentence, this status, and nothing changed."""
    before = files(world), world.portal_state()
    (world.pinentry / "script").write_text("".join(f"{answer}\n" for answer in answers))
    done = subprocess.run([os.environ["PINWARD_TOOL"], *arguments], env=world.env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    text = f"{name}: exit {done.returncode}, expected {expect}\n{done.stdout}{done.stderr}"
    check(done.returncode == expect, text)
    check(says in done.stderr, f"{text}\nmissing: {says}")
    check(re.fullmatch(r"pinward: [^\n]+[.)]\n", done.stderr), f"not one sentence: {text}")
    check((world.pinentry / "script").read_text() == "", f"{text}\nanswers that nobody asked for are left")
    check(PASSWORD not in done.stdout + done.stderr, "the password was printed")
    after = files(world), world.portal_state()
    changed = sorted(n for n in before[0].keys() | after[0].keys() if before[0].get(n) != after[0].get(n))
    check(after == before, f"something has changed {changed}: {text}")


# -- who the portal is --


def certificate(world, name, ca, subject, alternative, *more):
    """A TLS certificate by the CA whose files are CA.pem and CA.key."""
    base = world.root / name
    (world.root / "tls.cnf").write_text(f"subjectAltName={alternative}\nextendedKeyUsage=serverAuth\n")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{base}.key", "-out", f"{base}.csr", "-subj",
            subject)
    openssl("x509", "-req", "-in", f"{base}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-extfile",
            world.root / "tls.cnf", "-out", f"{base}.pem", *(more or ("-days", "30")))
    return f"{base}.pem", f"{base}.key"


def identities(world):
    """No password is asked for by, and no byte of a request goes to, somebody who is not the portal."""
    world.register()
    root = world.data / "root"
    stranger = world.root / "stranger"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{stranger}.key", "-out", f"{stranger}.pem",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    right = ("/CN=localhost", "DNS:localhost,IP:127.0.0.1")
    for name, identity in (
            ("wrong-ca", certificate(world, "wrong-ca", stranger, *right)),
            ("self-signed", (f"{stranger}.pem", f"{stranger}.key")),
            ("wrong-host", certificate(world, "wrong-host", root, "/CN=portal.example", "DNS:portal.example")),
            ("name-in-cn-only", certificate(world, "cn-only", root, "/CN=localhost", "DNS:other.example")),
            ("expired", certificate(world, "expired", root, *right, "-days", "-1")),
            ("not-for-servers", (world.data / "issuing.pem", world.data / "issuing.key"))):
        between = Between(world, identity)
        world.configure(url=between.url)
        asked = world.asked()
        refused(world, name, ("login", "--account", "wang"), (), TLS, "does not prove to be the one")
        check(world.asked() == asked and between.requests == [], f"{name}: a password was asked for, or a request sent")
        between.close()
    between = Between(world, certificate(world, "honest", root, *right))
    world.configure(url=between.url)
    world.tool("login", "--account", "wang", answers=["cancel"], expect=CANCELLED)  # the same, without a lie in it
    between.close()


# -- answers that are no answers --


def constant(status, headers, body):
    return lambda *_: (status, headers, body)


def endless(piece, pause_s=0.0):
    def pieces():
        while True:
            yield piece
            time.sleep(pause_s)
    return lambda *_: (200, JSON, pieces())


def silence(*_):
    time.sleep(5)
    return 200, JSON, b"{}"


def many_headers(*_):
    return 200, {**JSON, **{f"X-{i}": "x" * 4000 for i in range(200)}}, b"{}"


def png(width, height, rows=b""):
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def captcha(picture):
    return change_json("/captcha", lambda a: a.update(image=base64.b64encode(picture).decode()))


def answers_of_any_call(other):
    """Any call will do: the registration is the shortest verb."""
    not_allowed = "not what its API allows"
    unreachable = "cannot be reached"
    rows = [
        ("nothing", constant(200, JSON, b""), PROTOCOL, "not a JSON object"),
        ("malformed JSON", constant(200, JSON, b'{"account": '), PROTOCOL, "not a JSON object"),
        ("deep JSON", constant(200, JSON, b"[" * 100000), PROTOCOL, "not a JSON object"),
        ("an array", constant(200, JSON, b"[]"), PROTOCOL, "not a JSON object"),
        ("a member twice", constant(200, JSON, b'{"account": "a", "account": "b"}'), PROTOCOL, "not a JSON object"),
        ("not UTF-8", constant(200, JSON, b'{"account": "\xff\xfe"}'), PROTOCOL, "not a JSON object"),
        ("a NUL in text", constant(200, JSON, b'{"account": "a\\u0000b"}'), PROTOCOL, "not a JSON object"),
        ("another type", constant(200, JSON, b'{"account": 1}'), PROTOCOL, not_allowed),
        ("a number beyond all", constant(200, JSON, b'{"account": 1e999999}'), PROTOCOL, "not a JSON object"),
        ("HTML", constant(200, {"Content-Type": "text/html"}, b"<html>"), PROTOCOL, "not JSON"),
        ("no type", constant(200, {}, b"{}"), PROTOCOL, "not JSON"),
        ("another coding", constant(200, {**JSON, "Content-Encoding": "gzip"}, zlib.compress(b"{}")), PROTOCOL,
         not_allowed),
        ("oversized", constant(200, JSON, b"x" * 3000000), PROTOCOL, "too large"),
        ("endless", endless(b"x" * 65536), PROTOCOL, "too large"),
        ("endless, and slowly", endless(b" ", 0.2), NETWORK, unreachable),
        ("endless headers", many_headers, NETWORK, unreachable),
        ("cut off", lambda m, p, s, h, body: (s, h, Cut(body)), NETWORK, unreachable),
        ("silence", silence, NETWORK, unreachable),
        ("an error without words", constant(500, PROBLEM, b""), NETWORK, "try again later"),
        ("words for the terminal", constant(418, PROBLEM, json.dumps({"detail": "\x1b]0;owned\x07\u202e\nok."}).encode()),
         REFUSED, "??"),
        ("a deep problem", constant(400, PROBLEM, b"[" * 100000), REFUSED, "status 400"),
    ]
    rows += [(f"redirect {status}", constant(status, {"Location": f"{other.url}/api/v1/registration"}, b""), PROTOCOL,
              "sends us elsewhere") for status in (301, 302, 303, 307, 308)]
    return [(name, ("registration",), (), hook, expect, says) for name, hook, expect, says in rows]


def captchas():
    """What is no picture is shown to nobody, and no password is asked for."""
    whole = png(200, 80, (b"\0" + b"\xff" * 200) * 80)
    no_picture = "not a picture that can be drawn"
    rows = [("text", b"Look here", no_picture), ("nothing", b"", no_picture), ("a GIF", b"GIF89a" + bytes(40), no_picture),
            ("a signature only", whole[:8], no_picture), ("a cut PNG", whole[:45], no_picture),
            ("a PNG without rows", png(200, 80), no_picture), ("a PNG of gigabytes", png(60000, 60000), no_picture),
            ("a PNG of no size", png(0, 80), no_picture)]
    login = ("login", "--account", "wang")
    return [(f"captcha: {name}", login, (), captcha(body), PROTOCOL, says) for name, body, says in rows] + [
        ("captcha: another type", login, (), change_json("/captcha", lambda a: a.update(image_type="image/svg+xml")), PROTOCOL,
         "not a PNG"),
        ("captcha: not base64", login, (), change_json("/captcha", lambda a: a.update(image="%%%")), PROTOCOL, "not a PNG"),
        ("captcha: an id that is a path", login, (), change_json("/captcha", lambda a: a.update(captcha_id="../x")), PROTOCOL,
         "not a PNG")]


def profiles():
    """What the portal wants of the new keys, and what it says the terms are."""
    def profile(**change):
        return change_json("/registration", lambda a: a["profile"].update(change))
    rows = [(f"RSA of {bits} bits", profile(key_bits=bits), "too weak or of a kind") for bits in (512, 1024, 2047, -1)]
    rows += [
        ("keys of a weak kind", profile(key_type="DSA"), "too weak or of a kind"),
        ("a signing key that certifies", profile(signing_key_usage=["keyCertSign"]), "key_usage"),
        ("an encryption key that signs", profile(encryption_key_usage=["digitalSignature"]), "key_usage"),
        ("no usage", profile(signing_key_usage=[]), "key_usage"),
        ("a thousand years", profile(validity_days=365000), "validity_days"),
        ("other terms than their hash", change_json("/terms", lambda a: a.update(text="You owe me money.")), "not that of text"),
        ("a request that is not for us", change_json("/applications", lambda a: a.update(applications="none")), "not what its API"),
    ]
    return [(f"profile: {name}", APPLY, (), hook, PROTOCOL, says) for name, hook, says in rows]


# -- certificates and challenges --


def forged(world, use, data=None, **change):
    """The challenge's certificate of this use, issued anew by the portal's own CA (or the one in data) with what change
    says."""
    def alter(answer):
        der = base64.b64decode(answer[f"{use}_certificate"])
        answer[f"{use}_certificate"] = base64.b64encode(forge(world, der, data=data, **change)).decode()
    return change_json("/challenge", alter)


def altered(member, change):
    """The bytes of a member of the challenge, changed."""
    def alter(answer):
        answer[member] = base64.b64encode(change(base64.b64decode(answer[member]))).decode()
    return change_json("/challenge", alter)


def unknown_root(world):
    """The signing certificate by a CA that nobody has pinned, with its whole chain."""
    data = world.root / "other-ca"
    data.mkdir()
    openssl("req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", data / "issuing.key", "-out", data / "issuing.pem",
            "-subj", "/CN=Nobody", "-addext", "keyUsage=keyCertSign,cRLSign")
    issue = forged(world, "signing", data=data)
    root = base64.b64encode(openssl("x509", "-in", data / "issuing.pem", "-outform", "DER")).decode()

    def hook(method, path, *answer):
        return change_json("/challenge", lambda a: a.update(chain=[root]))(method, path, *issue(method, path, *answer))
    return hook


def swapped(answer):
    one, two = "signing_certificate", "encryption_certificate"
    answer[one], answer[two] = answer[two], answer[one]


def challenges(world):
    """Rows of activate: the PIN is typed for the token, the password only when both certificates are right."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", world.root / "m.key", "-out", world.root / "m.pem",
            "-subj", "/CN=Mallory")
    enveloped = openssl("cms", "-encrypt", "-aes256", "-outform", "DER", world.root / "m.pem", input=b"z" * 32)
    pin, both = (f"pin {PIN}",), (f"pin {PIN}", f"pin {PASSWORD}")
    use = "digitalSignature,nonRepudiation"
    subject = "/C=TW/O=Ex, Inc/CN=Mallory/serialNumber=R-wang"

    def rows_of_certificates():
        return [
            ("another key", forged(world, "signing", key=world.root / "m.key"), CERTIFICATE, "for another key"),
            ("another subject", forged(world, "signing", subject=subject), CERTIFICATE, "another subject"),
            ("valid for ten years", forged(world, "signing", days=3650), CERTIFICATE, "valid for another time"),
            ("a usage more", forged(world, "signing", usage=f"{use},keyCertSign"), CERTIFICATE, "another key usage"),
            ("a usage less", forged(world, "signing", usage="digitalSignature"), CERTIFICATE, "another key usage"),
            ("a purpose more", forged(world, "signing", purpose="emailProtection,clientAuth,codeSigning"), CERTIFICATE,
             "another extended key usage"),
            ("a weak digest", forged(world, "signing", digest="sha1"), CERTIFICATE, "too weak"),
            ("encryption that signs", forged(world, "encryption", usage=f"keyEncipherment,{use}"), CERTIFICATE,
             "another key usage"),
            ("a CA", forged(world, "signing", ca="TRUE"), CERTIFICATE, "is not a CA"),
            ("another name", forged(world, "signing", email="mallory@example.org"), CERTIFICATE, "other names than"),
            ("an unknown root", unknown_root(world), CERTIFICATE, "does not chain to the pinned CA"),
            ("no chain", change_json("/challenge", lambda a: a.update(chain=[])), CERTIFICATE, "does not chain"),
            ("a chain without end", change_json("/challenge", lambda a: a.update(chain=a["chain"] * 2000)), PROTOCOL, "too large"),
            ("swapped", change_json("/challenge", swapped), CERTIFICATE, "serial number"),
            ("malformed DER", altered("signing_certificate", lambda der: b"\x30\x84" + der), PROTOCOL, "cannot be read"),
            ("cut DER", altered("encryption_certificate", lambda der: der[:-1]), PROTOCOL, "cannot be read"),
            ("DER and more", altered("signing_certificate", lambda der: der + b"\0"), PROTOCOL, "cannot be read"),
            ("a signature of its own", altered("signing_certificate", lambda der: der[:-1] + bytes([der[-1] ^ 1])),
             CERTIFICATE, "does not chain"),
        ]

    rows = [(name, pin, hook, expect, says) for name, hook, expect, says in rows_of_certificates()] + [
        ("a short nonce", both, altered("nonce", lambda nonce: nonce[:31]), PROTOCOL, "may be signed"),
        ("a nonce that is a document", both, altered("nonce", lambda nonce: nonce * 40), PROTOCOL, "may be signed"),
        ("enveloped to somebody else", both, altered("enveloped", lambda _: enveloped), PROTOCOL, "not enveloped to"),
        ("malformed CMS", both, altered("enveloped", lambda cms: cms[:40]), PROTOCOL, "not enveloped to"),
    ]
    return [(f"challenge: {name}", ("activate",), answers, hook, expect, says) for name, answers, hook, expect, says in rows]


def replay(world, between):
    """A challenge that was replaced meanwhile: the portal takes no answer to it."""
    seen = []

    def again(_method, path, status, headers, body):
        if path.endswith("/challenge"):
            seen.append(body)
            body = seen[0]
        return status, headers, body

    between.hook = again
    world.tool("activate", answers=[f"pin {PIN}", "cancel"], expect=CANCELLED)
    refused(world, "a replayed challenge", ("activate",), (f"pin {PIN}", f"pin {PASSWORD}"), STATE,
            "run the same command again")
    between.hook = None


def run_rows(world, between, rows):
    for name, arguments, answers, hook, expect, says in rows:
        between.hook = hook
        refused(world, name, arguments, answers, expect, says)
    between.hook = None


def table(world):
    between, other = Between(world), Between(world)
    world.configure(url=between.url, timeout=3)
    world.login()
    rows = answers_of_any_call(other) + captchas() + profiles()
    run_rows(world, between, rows)
    check(other.requests == [], "a redirection was followed")
    world.apply()
    more = challenges(world)
    run_rows(world, between, more)
    replay(world, between)
    world.activate(says="are active and on the token")
    check(world.count("Private Key") == 2 and world.count("Certificate") == 4, world.objects())
    print(f"# {len(rows) + len(more) + 1} refused")
    between.close()
    other.close()


def times(world):
    """Honest certificates of a portal whose clock is wrong."""
    for account, days, says in (("early", -400, "has expired by this machine's clock"),
                                ("late", 10, "is not valid yet by this machine's clock")):
        world.set_clock(days)
        world.new_token(account)
        world.configure(token=account)
        world.login(account)
        world.apply()
        refused(world, account, ("activate",), (f"pin {PIN}",), CERTIFICATE, says)


if __name__ == "__main__":
    run([identities, table, times])
