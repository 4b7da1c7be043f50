#!/usr/bin/env python3
"""The enrollment from the first login to a renewed certificate, each verb as a person uses it."""
import fcntl
import pty
import re
import select
import struct
import termios
import urllib.parse

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
    asked = world.asked()
    world.tool("activate", says="active and on the token \"card\" already")
    check(world.asked() == asked, "somebody was asked for nothing")

    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    check(all(c["renewal_due"] for c in world.status(expect=DUE)["certificates"]))
    enveloped = envelope(world)
    # One PIN entry for the login, the signatures of the new and the old key, and the proof of possession.
    world.tool("renew", "--accept-terms", world.terms_version(), "--yes",
               answers=[f"pin {PIN}", f"pin {PASSWORD}"],
               says="are active and on the token")
    states = sorted((c["use"], c["state"]) for c in world.status()["certificates"])
    check(states == [("encryption", "active"), ("encryption", "renewed"), ("signing", "active"), ("signing", "renewed")])
    world.tool("log", "show", says="batch of up to 6 uses within 600 s, for: Renew the certificates")
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
    world.tool("status", says="has not issued the certificates")
    world.admin("approve", world.status()["open_application"])
    world.tool("status", says="complete it with pinward activate")
    world.activate()
    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    world.tool("renew", "--accept-terms", world.terms_version(), "--yes", answers=[f"pin {PIN}"],
               expect=STATE, says="has not approved")
    world.admin("approve", world.status(expect=DUE)["open_application"])
    world.tool("apply", expect=STATE, says="complete it with pinward renew")
    world.activate(says="The old keys and certificates stay")  # pinward renew would do the same
    check(world.count("Certificate") == 6)


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


class Terminal:
    """The tool on a terminal, with a person who reads and types."""

    def __init__(self, world, *arguments):
        self.text = ""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.execve(os.environ["PINWARD_TOOL"], ["pinward", *arguments], {"TERM": "xterm-256color", **world.env})

    def until(self, part, seconds=30):
        end = time.monotonic() + seconds
        while part not in self.text:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            check(ready, f"waiting for {part}:\n{self.text}")
            try:
                self.text += os.read(self.terminal, 65536).decode(errors="replace")
            except OSError:
                break
        check(part in self.text, f"no {part}:\n{self.text}")

    def answer(self, question, line):
        self.until(question)
        self.text = self.text.split(question, 1)[1]
        os.write(self.terminal, f"{line}\n".encode())

    def end(self):
        while True:
            try:
                data = os.read(self.terminal, 65536)
            except OSError:  # the other side has closed
                break
            if not data:
                break
            self.text += data.decode(errors="replace")
        _, status = os.waitpid(self.process, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


def on_a_terminal(world):
    """Everything asked for: account, captcha drawn in characters, is this right, the terms, the name."""
    first = world.register()
    conf = world.root / "pinward.conf"
    conf.write_text("".join(l for l in conf.read_text().splitlines(True) if "captcha-command" not in l))
    (world.pinentry / "script").write_text(f"pin {first}\nrepeat {PASSWORD}\n")
    terminal = Terminal(world, "login")
    terminal.answer("Account:", "wang")
    terminal.until("The characters in the picture:")
    drawing = terminal.text
    check("█" in drawing and drawing.count("\n") > 5, repr(drawing))
    check(max(len(line) for line in drawing.split("\r\n")) <= 80, "the drawing is wider than a terminal")
    captcha = max((world.test_mode / "captcha").iterdir(), key=lambda p: p.stat().st_mtime)
    terminal.answer("The characters in the picture:", "")  # another one, please
    terminal.until("The characters in the picture:")
    another = max((world.test_mode / "captcha").iterdir(), key=lambda p: p.stat().st_mtime)
    check(another != captcha and "█" in terminal.text, "there was no other picture")
    terminal.answer("The characters in the picture:", another.read_text().strip().lower())
    check(terminal.end() == 0, terminal.text)
    asked = (world.pinentry / "log").read_text()
    check(urllib.parse.quote(world.url, safe=":/") in asked and "account%20wang" in asked.replace(" ", "%20"), asked)

    (world.pinentry / "script").write_text(f"pin {PIN}\n")
    terminal = Terminal(world, "apply")
    terminal.answer("Is this right?", "maybe")
    terminal.answer("Is this right?", "no")
    check(terminal.end() == CANCELLED and "so nothing was done" in terminal.text, terminal.text)
    terminal = Terminal(world, "apply")
    terminal.answer("Is this right?", "yes")
    terminal.answer("Do you accept these terms?", "y")
    terminal.answer("Name for the new keys:", "  my keys ")
    check(terminal.end() == 0, terminal.text)
    check(key_usage(world, "my keys (signing)") == "sign")
    world.activate()
    for verb in (("log", "show"), ("token", "info"), ("status",), ("registration",), ("token", "list")):
        terminal = Terminal(world, *verb)
        check(terminal.end() == 0, terminal.text)
        lines = [line.split("\x1b[K")[-1] for line in terminal.text.split("\r\n")]  # what a slow portal shows goes again
        check(verb != ("token", "info") or "6 to 255" in terminal.text, terminal.text)
        check(all(len(line) <= 80 or " " not in line.strip() for line in lines), f"{verb}: {max(lines, key=len)}")


def misread_captchas(world):
    """Three pictures that are misread cost no password try, and what to do is said."""
    first = world.register()
    conf = world.root / "pinward.conf"
    whole = conf.read_text()
    misread = world.root / "misread"
    misread.write_text("#!/bin/sh\necho WRONG\n")
    misread.chmod(0o700)
    conf.write_text(re.sub("captcha-command = .*", f"captcha-command = {misread}", whole))
    world.tool("login", "--account", "wang", answers=[f"pin {first}"], expect=LOGIN, says="run pinward login")
    conf.write_text(whole)
    world.tool("login", "--account", "wang", answers=[f"pin {first}", "repeat short", f"repeat {PASSWORD}"])
    asked = (world.pinentry / "log").read_text()
    check("does not take this password" in asked.replace("%20", " ") and ".;" not in asked, asked)
    world.tool("logout")
    first = world.register("ming")
    world.tool("login", "--account", "ming", "--lang", "zh-TW", answers=[f"pin {first}", "repeat short", f"repeat {PASSWORD}"])
    asked = urllib.parse.unquote((world.pinentry / "log").read_text()[len(asked):])
    check("長度不足" in asked and "shorter" not in asked, "the reasons are in another language")


def starting_over(world):
    """An application that can no longer be completed is forgotten, with its keys, and another one takes its place."""
    world.login()
    terms = world.terms_version()
    world.tool("apply", "--name", "me", "--accept-terms", terms, "--yes", answers=[f"pin {PIN}"])
    again = ("apply", "--name", "me", "--accept-terms", terms, "--yes", "--start-over")
    world.tool(*again, expect=STATE, says="have the registration authority revoke it")
    serials = [c["serial"] for c in world.status()["certificates"]]
    for serial in serials:
        world.admin("revoke", serial)
    keys = sorted(o["ID"] for o in world.objects() if o["kind"].startswith("Private Key"))
    world.tool(*again, answers=[f"pin {PIN}"] * 3, says="What was begun is forgotten")
    new_keys = sorted(o["ID"] for o in world.objects() if o["kind"].startswith("Private Key"))
    check(len(new_keys) == 2 and not set(keys) & set(new_keys), new_keys)
    world.activate()


if __name__ == "__main__":
    run([story, on_a_terminal, misread_captchas, starting_over, approval_by_hand, application_prompts, password, other_state_folder])
