"""apply: what `pinward apply` costs from its start to the portal's answer, beside the same job done by hand with pkcs11-tool,
openssl and curl, in turns, on a token and a portal that are warm.

Key generation is most of it and takes as long as chance wants. So the figure to look at is what apply needs beyond its slower
key generation, of which 15 % and 150 ms are meant to be the most. By hand the keys come one after the other; and the
request that openssl makes has no part for the encryption key, so that the portal refuses it: the same way for the data, less
work for the portal.

Usage: apply.py [ROUNDS]. Environment: as tests/integration/tool_world.py.
"""
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from tool_world import PIN, SOFTHSM, World, check  # noqa: E402


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


def apply(world, number):
    said = world.apply(name=f"me{number}")
    return max(float(s) for s in re.findall(r"\": [^\":,]+, ([0-9.]+) s", said))


def report(name, totals, beyond):
    print(f"{name:<34}{statistics.median(totals) * 1000:10.0f} ms{statistics.median(beyond) * 1000:12.0f} ms"
          f"{max(beyond) * 1000:10.0f} ms")


def main(rounds):
    world = World()
    tool, hand = ([], []), ([], [])
    try:
        world.env["PKCS11_MODULE_PATH"] = SOFTHSM
        for number in range(rounds):
            world.login(f"user{number}")
            for act, (totals, beyond) in ((apply, tool), (by_hand, hand)):
                total, slower = timed(lambda: act(world, number))
                totals.append(total)
                beyond.append(total - 1.15 * slower)
    finally:
        world.close()
    print(f"An application with two RSA-2048 pairs, {rounds} rounds       median   beyond 1.15 x slower pair: median, worst")
    report("pinward apply", *tool)
    report("pkcs11-tool, openssl, curl", *hand)
    print(f"ratio of the medians {statistics.median(tool[0]) / statistics.median(hand[0]):.2f}; "
          f"pinward apply beyond its slower pair: {statistics.median(tool[1]) * 1000:.0f} ms (150 ms or less)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
