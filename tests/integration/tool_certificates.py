#!/usr/bin/env python3
"""Certificates' life after the enrollment: downloading them again, suspending them, and what the registration authority
does to them. CRL and OCSP are asked by plain OpenSSL and curl."""
import calendar

from tool_between import Between, change_json
from tool_forge import forge
from tool_story import Terminal
from tool_world import *

NOW = {"offset_days": 0}


def delete(world, kind, label, token="card"):
    subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", token, "--login", "--pin", PIN,
                    "--delete-object", "--type", kind, "--label", label], env=world.env, check=True, capture_output=True)


def delete_certificates(world):
    for use in ("signing", "encryption"):
        delete(world, "cert", f"me ({use})")


def serials(world):
    return {c["use"]: c["serial"] for c in world.status()["certificates"]}


def download_again(world):
    """Certificates that were deleted come back to their keys; one whose key is gone stays away, and is named."""
    world.enroll()
    delete_certificates(world)
    check([c["on_token"] for c in world.status()["certificates"]] == [False, False])
    world.tool("activate", expect=STATE, says="pinward download puts them back")
    world.tool("download", expect=USAGE, says="give --certificate")
    done = json.loads(world.tool("download", "--certificate", "all", "--json", answers=[f"pin {PIN}"]))
    check([c["outcome"] for c in done["certificates"]] == ["written", "written"], done)
    check([c["on_token"] for c in world.status()["certificates"]] == [True, True])
    key, certificate = (next(o["ID"] for o in world.objects() if o["kind"].startswith(kind) and o["label"] == "me (signing)")
                        for kind in ("Private Key", "Certificate"))
    check(key == certificate, "the certificate has another CKA_ID than its key")
    count = world.count("Certificate")
    world.tool("download", "--certificate", "signing,encryption", says="already")  # nobody is asked for a PIN
    check(world.count("Certificate") == count)

    delete_certificates(world)
    delete(world, "privkey", "me (signing)")
    said = world.tool("download", "--certificate", "all", answers=[f"pin {PIN}"])
    check("Signing certificate" in said and "elsewhere" in said and "Encryption certificate" in said, said)
    check([c["on_token"] for c in world.status()["certificates"] if c["use"] == "signing"] == [False])
    check([c["on_token"] for c in world.status()["certificates"] if c["use"] == "encryption"] == [True])
    # On another token nothing is written at all, and the exit status says so.
    world.new_token("other")
    world.configure(token="other")
    world.tool("download", "--certificate", "all", "--json", answers=[f"pin {PIN}"], expect=TOKEN)
    check(world.count("Certificate", "other") == 0, world.objects("other"))


def nss_sees_them(world):
    """NSS, which browsers use, takes a certificate only with every attribute that names it."""
    world.enroll()
    database = world.root / "nss"
    database.mkdir()
    for command in (["certutil", "-N", "-d", f"sql:{database}", "--empty-password"],
                    ["modutil", "-dbdir", f"sql:{database}", "-add", "Backend", "-libfile", SOFTHSM, "-force"]):
        subprocess.run(command, env=world.env, check=True, capture_output=True, timeout=30)
    (world.root / "pin").write_text(f"{PIN}\n")
    shown = subprocess.run(["certutil", "-L", "-d", f"sql:{database}", "-h", "card", "-f", world.root / "pin"], env=world.env,
                           check=True, capture_output=True, text=True, timeout=30).stdout
    for label, trust in (("me (signing)", "u,u,u"), ("me (encryption)", "u,u,u"), ("Pinward Reference Issuing CA", ",,")):
        check(re.search(rf"^card:{re.escape(label)} +{trust} *$", shown, re.M), f"{label}: {shown}")


def other_holder(world, serial, promised=None, **change):
    """The certificate of this serial number by the portal's own CA, for somebody else; the registration says promised."""
    def promise(answer):
        for name, value in (promised or {}).items():
            (answer["subject"] if name in answer["subject"] else answer)[name] = value

    def hook(method, path, status, headers, body):
        if path.endswith(f"/certificates/{serial}"):
            body = forge(world, body, **change)
        return change_json("/registration", promise)(method, path, status, headers, body)
    return hook


def download_is_checked(world):
    """What the portal sends is written only if it is what was promised."""
    world.enroll()
    delete_certificates(world)
    serial = serials(world)
    between = Between(world)
    world.configure(url=between.url)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])

    before = world.objects()
    bodies = {}

    def learn(method, path, status, headers, body):
        bodies[path.rsplit("/", 1)[-1]] = body
        return status, headers, body

    def swap(method, path, status, headers, body):
        return status, headers, bodies[serial["encryption"]] if path.endswith(serial["signing"]) else body

    between.hook = learn
    world.tool("download", "--certificate", "encryption", answers=[f"pin {PIN}"])
    delete(world, "cert", "me (encryption)")
    between.hook = swap
    world.tool("download", "--certificate", "signing", answers=[f"pin {PIN}"], expect=CERTIFICATE)
    check(world.objects() == before, "something was written")
    for change, says in (({"subject": "/C=TW/O=Ex, Inc/CN=Mallory/serialNumber=R-wang"}, "another subject"),
                         ({"email": "mallory@example.org"}, "other names than")):
        between.hook = other_holder(world, serial["signing"], **change)
        world.tool("download", "--certificate", "signing", answers=[f"pin {PIN}"], expect=CERTIFICATE, says=says)
    # Where the portal promises what it issues, the other certificate of the pair says what it should be.
    between.hook = None
    world.tool("download", "--certificate", "encryption", answers=[f"pin {PIN}"])
    before = world.objects()
    for change, member in (({"subject": "/C=TW/O=Ex, Inc/CN=Mallory/serialNumber=R-wang"},
                            {"subject_dn": "serialNumber=R-wang,CN=Mallory,O=Ex\\, Inc,C=TW"}),
                           ({"email": "mallory@example.org"}, {"email": "mallory@example.org"})):
        between.hook = other_holder(world, serial["signing"], member, **change)
        world.tool("download", "--certificate", "signing", answers=[f"pin {PIN}"], expect=CERTIFICATE,
                   says="another name or e-mail address than the other one of its pair")
    check(world.objects() == before, "something was written")
    between.hook = None
    world.tool("download", "--certificate", "signing", answers=[f"pin {PIN}"], says="written to the token")
    between.close()


def download_after_renewal(world):
    """The old encryption certificate, also when it has expired: what was encrypted to it is still read with it."""
    world.enroll()
    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    world.tool("renew", "--name", "new", "--accept-terms", world.terms_version(), "--yes",
               answers=[f"pin {PIN}", f"pin {PASSWORD}"])
    delete(world, "cert", "me (encryption)")
    world.set_clock(60)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    old = next(c["serial"] for c in world.status()["certificates"] if c["state"] == "expired" and c["use"] == "encryption")
    world.tool("download", "--certificate", old[:8], answers=[f"pin {PIN}"], says="written")
    check(any(o.get("label") == "me (encryption)" for o in world.objects() if o["kind"].startswith("Certificate")))


def fetch(world, path, *more):
    """What the portal gives to anybody."""
    return subprocess.run(["curl", "-fsS", "--cacert", world.data / "root.pem", *more, f"{world.url}/api/v1{path}"],
                          check=True, capture_output=True).stdout


def crl_made(world):
    """When the current CRL was made (thisUpdate)."""
    text = subprocess.run(["openssl", "crl", "-inform", "DER", "-noout", "-lastupdate"], input=fetch(world, "/crl"), check=True,
                          capture_output=True, env={**os.environ, "LC_ALL": "C"}).stdout.decode()
    return calendar.timegm(time.strptime(text.strip(), "lastUpdate=%b %d %H:%M:%S %Y GMT"))


def listed(world, serial):
    """Does the current CRL list it?"""
    text = subprocess.run(["openssl", "crl", "-inform", "DER", "-noout", "-text"], input=fetch(world, "/crl"), check=True,
                          capture_output=True).stdout.decode()
    return f"Serial Number: {serial.upper()}" in text


def ocsp(world, serial):
    """What openssl ocsp makes of the answer: good, revoked or unknown; its signature and its nonce must hold."""
    issuing = world.data / "issuing.pem"
    done = subprocess.run(["openssl", "ocsp", "-issuer", issuing, "-serial", f"0x{serial}", "-url",
                           # by address: a machine without a hosts file does not resolve localhost for openssl
                           f"{world.url.replace('localhost', '127.0.0.1')}/api/v1/ocsp", "-CAfile", world.data / "root.pem", "-verify_other", issuing],
                          capture_output=True, text=True)
    check("Response verify OK" in done.stderr and "onc" not in done.stderr, done.stdout + done.stderr)
    return re.search(r": (good|revoked|unknown)", done.stdout).group(1)


def state_of(world, serial):
    return next(c for c in world.status()["certificates"] if c["serial"] == serial)


def suspended_and_answer_lost(world):
    """The portal suspended them but the answers were lost: the tool finds out, and no password is sent twice."""
    between = Between(world)
    world.configure(url=between.url)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])

    def lose(method, path, status, headers, body):
        if path.endswith("/suspension"):
            raise ConnectionError
        return status, headers, body

    between.hook = lose
    world.tool("suspend", "--certificate", "all", "--yes", answers=[f"pin {PASSWORD}"], says="is suspended")
    check(sum(1 for _, path in between.requests if path.endswith("/suspension")) == 2)
    between.close()
    world.configure()
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])


def suspended(world):
    """Chosen, confirmed, with the password; CRL and OCSP know it at once; the registration authority resumes it."""
    world.enroll()
    serial = serials(world)
    check(not listed(world, serial["signing"]) and ocsp(world, serial["signing"]) == "good")
    world.tool("suspend", expect=USAGE, says="give --certificate")
    world.tool("suspend", "--certificate", "signing", expect=USAGE, says="give --yes")
    world.tool("suspend", "--certificate", "zz", "--yes", expect=USAGE, says="names none of the certificates")
    world.tool("suspend", "--certificate", "signing", "--yes", answers=["cancel"], expect=CANCELLED)
    world.tool("suspend", "--certificate", "signing", "--yes", answers=["pin Wrong-1"], expect=LOGIN, says="2 tries are left")
    check(state_of(world, serial["signing"])["state"] == "active")
    started, made = time.monotonic(), int(time.time())
    done = json.loads(world.tool("suspend", "--certificate", serial["signing"][:8], "--yes", "--json",
                                 answers=[f"pin {PASSWORD}"]))
    check([c["serial"] for c in done["suspended"]] == [serial["signing"]], done)
    check(listed(world, serial["signing"]) and ocsp(world, serial["signing"]) == "revoked")
    check(crl_made(world) >= made, "the CRL is of before the suspension")
    check(time.monotonic() - started < 60, "it took longer than a minute")
    check(not listed(world, serial["encryption"]) and ocsp(world, serial["encryption"]) == "good")
    world.tool("status", says="has been suspended since")
    world.tool("suspend", "--certificate", "signing", "--yes", expect=USAGE)  # it is suspended
    world.admin("resume", serial["signing"])
    check(not listed(world, serial["signing"]) and ocsp(world, serial["signing"]) == "good")
    check(state_of(world, serial["signing"])["state"] == "active")
    suspended_and_answer_lost(world)
    check([c["state"] for c in world.status()["certificates"]] == ["suspended"] * 2)
    world.tool("suspend", "--certificate", "all", "--yes", expect=STATE, says="no certificates that can be suspended")


suspended.world = NOW


def revoked_and_reset(world):
    """What the registration authority carries out shows in status: revocation for good, a reset password at the login."""
    serial = serials(world)
    world.admin("revoke", serial["signing"], "--reason", "keyCompromise")
    row = state_of(world, serial["signing"])
    check(row["state"] == "revoked" and row["reason"] == "keyCompromise", row)
    said = world.tool("status")
    check("was revoked at" in said and "(keyCompromise)" in said, said)
    sheet = json.loads(world.admin("reset-password", "wang", "--json"))
    world.tool("status", expect=LOGIN)  # the reset has ended the session
    world.tool("login", "--account", "wang", answers=[f"pin {sheet['first_password']}", "repeat Another-Horse-8"],
               says="must be changed now")
    check(state_of(world, serial["encryption"])["state"] == "active")


def on_a_terminal(world):
    """The table with numbers, the question, and wide characters that keep the columns."""
    world.enroll()
    (world.pinentry / "script").write_text(f"pin {PASSWORD}\n")
    terminal = Terminal(world, "suspend", "--lang", "zh-TW")
    terminal.until("要停用哪些")
    check(terminal.text.count("serialNumber=R-wang") == 1, terminal.text)  # the subject that both have, above them
    rows = [line for line in terminal.text.split("\r\n") if line[:1].isdigit()]
    check(len(rows) == 2 and len({columns(row) for row in rows}) == 1, rows)
    number = next(row.split()[0] for row in rows if "加密" in row)
    terminal.answer("要停用哪些", number)
    terminal.answer("「是」或「否」", "是")
    check(terminal.end() == 0, terminal.text)
    check({c["use"]: c["state"] for c in world.status()["certificates"]} == {"signing": "active", "encryption": "suspended"})
    world.admin("resume", serials(world)["encryption"])
    revoked_and_reset(world)


def columns(text):
    """How many columns text takes; ideographs take two."""
    import unicodedata
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


if __name__ == "__main__":
    run([download_again, nss_sees_them, download_is_checked, download_after_renewal, suspended, on_a_terminal])
