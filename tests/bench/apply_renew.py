"""apply_renew: what `pinward apply`, `activate` and `renew` cost from their start to the portal's answer, on a token and a portal
that are warm; and apply's job done by hand with pkcs11-tool, openssl and curl, in turns.

Key generation is most of it and takes as long as chance wants. So the figure to look at is what the tool needs beyond its
slower key generation, of which 15 % and 150 ms are meant to be the most. By hand the keys come one after the other; and the
request that openssl makes has no part for the encryption key, so that the portal refuses it: the same way for the data, less
work for the portal.
"""
import os
import re
import subprocess
import sys
import time

from figures import median, ratio, summary, verdict
from stage import ROOT, built

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from tool_world import LOGIN, PASSWORD, PIN, SOFTHSM, World, check  # noqa: E402,F401 (portal.py uses them too)

LIMIT_MS = 150
ISSUED_DAYS = -340  # the last month has begun today


def use_build(folder):
    """Tells tool_world what was built, and makes its worlds in the folder."""
    build = built()
    os.environ.update(
        PINWARD_TOOL=str(build / "enroll" / "pinward"), PINWARD_MODULE=str(build / "pkcs11-module" / "pinward-pkcs11.so"),
        PINWARD_PORTAL=str(build / "tests" / "portal" / "pinward-portal"),
        PINWARD_PORTAL_ADMIN=str(build / "tests" / "portal" / "pinward-portal-admin"),
        PINWARD_SCRIPTED_PINENTRY=str(build / "tests" / "pinentry" / "scripted-pinentry"))
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)


def timed(act):
    begin = time.monotonic()
    result = act()
    return time.monotonic() - begin, result


def by_hand(world, number):
    """Two key pairs, a signed PKCS#10, and three requests over TLS. Returns the time of the slower key generation."""
    def command(*words, **more):
        done = subprocess.run(words, env=world.env, capture_output=True, text=True, **more)
        check(done.returncode == 0, f"{words}: {done.stderr}")

    seconds = []
    for use in ("signing", "encryption"):
        seconds.append(timed(lambda: command(
            "pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--login", "--pin", PIN, "--keypairgen", "--key-type",
            "rsa:2048", "--label", f"hand{number} ({use})", "--id", f"{number:02x}{len(seconds):02x}"))[0])
    request = world.root / "request.der"
    command("openssl", "req", "-new", "-engine", "pkcs11", "-keyform", "engine", "-key",
            f"pkcs11:token=card;object=hand{number}%20(signing);type=private;pin-value={PIN}", "-subj",
            "/C=TW/O=Ex, Inc/CN=Wang/serialNumber=R-1", "-outform", "DER", "-out", str(request))
    api = f"{world.url}/api/v1"
    command("curl", "-sS", "--cacert", str(world.data / "root.pem"), "-o", "/dev/null", f"{api}/registration", "-o", "/dev/null",
            f"{api}/terms", "--next", "-sS", "--cacert", str(world.data / "root.pem"), "-o", "/dev/null", "--data-binary",
            f"@{request}", "-H", "Content-Type: application/json", f"{api}/applications")
    return max(seconds)


def slower_pair(said):
    """The time of the slower key generation, as the tool tells it."""
    return max(float(s) for s in re.findall(r"\": [^\":,]+, ([0-9.]+) s", said))


def renew(world, number):
    return world.tool("renew", "--name", f"new{number}", "--accept-terms", world.terms_version(), "--yes",
                      answers=[f"pin {PIN}", f"pin {PASSWORD}"])


def one_round(world, number, figures):
    """An account that applies, activates, and renews when the last month has come; and the same application by hand."""
    def note(name, act, pair):
        total, result = timed(act)
        figures.setdefault(name, []).append((total, total - 1.15 * pair(result)))

    account = f"user{number}"
    world.set_clock(ISSUED_DAYS)
    world.login(account)
    note("pinward apply", lambda: world.apply(name=f"me{number}"), slower_pair)
    note("pkcs11-tool, openssl, curl", lambda: by_hand(world, number), lambda slower: slower)
    note("pinward activate", world.activate, lambda said: 0)
    world.set_clock(0)
    world.tool("login", "--account", account, answers=[f"pin {PASSWORD}"])
    note("pinward renew (with its activation)", lambda: renew(world, number), slower_pair)


def measure(place):
    before = os.getcwd()
    use_build(place.work / "enroll")
    world = World(offset_days=ISSUED_DAYS)
    figures = {}
    try:
        world.env["PKCS11_MODULE_PATH"] = SOFTHSM
        for number in range(1 if place.settings.quick else max(5, round(11 * place.settings.seconds))):
            one_round(world, number, figures)
    finally:
        world.close()
        os.chdir(before)
    rows, raw = [], {}
    for name, values in figures.items():
        total, beyond = summary([v[0] * 1000 for v in values]), summary([v[1] * 1000 for v in values])
        raw[name] = {"total": total, "beyond": beyond}
        made = name != "pinward activate"  # it makes no keys
        rows.append([name, f"{total['median']:.0f}", f"{total['q1']:.0f} to {total['q3']:.0f}",
                     f"{beyond['median']:.0f}" if made else "-", f"{max(v[1] for v in values) * 1000:.0f}" if made else "-"])
    beyond = raw["pinward apply"]["beyond"]
    by_tools = median([v[0] for v in figures["pkcs11-tool, openssl, curl"]])
    return {"raw": raw, "verdicts": [
        f"pinward apply, beyond 1.15 times its slower key generation: {beyond['median']:.0f} ms; limit {LIMIT_MS} ms: "
        f"{verdict(beyond, LIMIT_MS, False)}.",
        f"pinward apply takes {ratio(median([v[0] for v in figures['pinward apply']]) / by_tools)} of the time of the same by hand.",
    ], "tables": {"enroll": {
        "title": "From the command to the portal's answer, with RSA-2048 pairs, milliseconds",
        "columns": ["", "median", "middle half", "beyond 1.15 x slower pair, median", "worst"], "rows": rows}}}
