#!/usr/bin/env python3
"""Forms for the registration authority: what stands on them, in both languages; that they are never overwritten; and that
the commands printed on them, carried out, show in status. The PDF is read by poppler's programs."""
import stat

from tool_world import *


def pdf_text(path):
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout


def check_pdf(path, *words):
    """One page, every font embedded, and these words on it."""
    info = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    check(re.search(r"^Pages: +1$", info, re.M) and "A4" in info, info)
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    check(fonts and all(line.split()[-5] == "yes" for line in fonts), fonts)
    text = pdf_text(path)
    for word in words:
        check(word in text, f"no {word} in {path}:\n{text}")


def make(world, *arguments, expect=0, says=None, **options):
    """Runs pinward form with a new name, and returns name.pdf and name.txt."""
    world.forms = getattr(world, "forms", 0) + 1
    name = world.root / f"form-{world.forms}"
    done = json.loads(world.tool("form", *arguments, "--output", str(name), "--json", expect=expect, says=says, **options))
    if expect:
        check(not list(world.root.glob("form-%d.*" % world.forms)), "a file was left")
        return None, None
    pdf, text = pathlib.Path(done["pdf"]), pathlib.Path(done["text"])
    check((pdf, text) == (name.with_suffix(".pdf"), name.with_suffix(".txt")), done)
    for path in (pdf, text):
        check(stat.S_IMODE(path.stat().st_mode) == 0o600, f"the mode of {path}")
    return pdf, text


def carry_out(world, text):
    """The registration authority types what stands on the form."""
    wrapped = re.sub(r"\n    (?=--| ?[a-zA-Z]+$)", " ", text.read_text(), flags=re.M)
    commands = re.findall(r"^\[ \] pinward-portal-admin (.+)$", wrapped, re.M)
    check(commands, text.read_text())
    return [world.admin(*command.split()) for command in commands]


def states(world):
    return {c["use"]: (c["state"], c["reason"]) for c in world.status()["certificates"]}


def certificates(world):
    """revoke and resume, in English and Chinese."""
    world.enroll()
    serial = {c["use"]: c["serial"] for c in world.status()["certificates"]}
    make(world, "resume", "--certificate", "all", expect=STATE, says="nothing to resume")
    make(world, "revoke", expect=USAGE, says="give --certificate")
    make(world, "revoke", "--certificate", "signing", "--reason", "boredom", expect=USAGE, says="none of the reasons")
    world.tool("suspend", "--certificate", "encryption", "--yes", answers=[f"pin {PASSWORD}"])

    pdf, text = make(world, "resume", "--certificate", "all", "--lang", "zh-TW")
    check_pdf(pdf, "憑證恢復使用申請書", "王小明", "R-wang", serial["encryption"], "簽名或蓋章")
    check("憑證恢復使用申請書" in text.read_text() and serial["signing"] not in text.read_text(), text.read_text())
    carry_out(world, text)
    check(states(world)["encryption"] == ("active", None))

    pdf, text = make(world, "revoke", "--certificate", "signing", "--reason", "keyCompromise")
    check_pdf(pdf, "Request to revoke certificates", "王小明", "wang@example.org", serial["signing"], "Signature or seal")
    check("[x] A private key" in text.read_text() and serial["encryption"] not in text.read_text(), text.read_text())
    carry_out(world, text)
    check(states(world) == {"signing": ("revoked", "keyCompromise"), "encryption": ("active", None)})

    pdf, text = make(world, "revoke", "--certificate", "all", "--lang", "zh-TW")  # of one that is left; no reason ticked
    check_pdf(pdf, "憑證廢止申請書", serial["encryption"], "附照片的身分證件")
    check("[x]" not in text.read_text() and serial["signing"] not in text.read_text(), text.read_text())
    carry_out(world, text)
    check(states(world)["encryption"] == ("revoked", "unspecified"))


def reset_password(world):
    """Also by somebody who cannot log in; then the rest is left to be written by hand."""
    world.login()
    pdf, text = make(world, "reset-password")
    check_pdf(pdf, "Request for a new password", "王小明", "R-wang")
    world.tool("logout")
    make(world, "reset-password", expect=USAGE, says="give --account")
    make(world, "reset-password", "--account", "../wang", expect=USAGE, says="is no account")
    pdf, text = make(world, "reset-password", "--account", "wang", "--lang", "zh-TW")
    check_pdf(pdf, "密碼重設申請書", "wang")
    check(re.search(r"^姓名 +_{20}", text.read_text(), re.M), text.read_text())
    sheet = carry_out(world, text)[0]
    first = re.search(r"First password: +(\S+)", sheet).group(1)
    world.tool("login", "--account", "wang", answers=[f"pin {first}", "repeat Another-Horse-8"])


def never_overwritten(world):
    """Neither file is, and when one cannot be written the other is not left behind. The name is made up when none is
    given."""
    world.login()
    for suffix in ("pdf", "txt"):
        name = world.root / f"taken-{suffix}"
        taken = name.with_suffix(f".{suffix}")
        taken.write_text("mine")
        world.tool("form", "reset-password", "--output", str(name), expect=IO, says="is not overwritten")
        check(taken.read_text() == "mine" and len(list(world.root.glob(f"taken-{suffix}.*"))) == 1)
    dangling = world.root / "dangling.pdf"
    dangling.symlink_to(world.root / "elsewhere")
    world.tool("form", "reset-password", "--output", str(world.root / "dangling"), expect=IO, says="is not overwritten")
    check(not (world.root / "elsewhere").exists() and not (world.root / "dangling.txt").exists())
    world.tool("form", "reset-password", "--output", "/nowhere/form", expect=IO, says="cannot be written")
    before = os.getcwd()
    os.chdir(world.root)
    try:
        world.tool("form", "reset-password", says="pinward-reset-password-wang-")
    finally:
        os.chdir(before)
    check(len(list(world.root.glob("pinward-reset-password-wang-*"))) == 2)


if __name__ == "__main__":
    run([certificates, reset_password, never_overwritten])
