#!/usr/bin/env python3
"""Answers after an activation that are wrong, and answers that are lost, until the portal comes to its senses. What is
refused at once is in tool_hostile."""
import hashlib

from tool_between import Between
from tool_world import *


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
    run([after_activation, lost_answers])
