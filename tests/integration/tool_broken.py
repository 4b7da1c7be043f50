#!/usr/bin/env python3
"""A token that breaks in the midst of a flow, or loses what was on it: the tool says so, sends the portal nothing that is
wrong, writes nothing that is wrong, and goes on where it was once the token is whole."""
from tool_world import *

BROKEN = os.environ["PINWARD_BROKEN_TOKEN"]


def begun(world):
    """Logged in, on the token that can break."""
    world.login()
    world.configure(backend=BROKEN)


def refused_application(world, how, says):
    before = world.portal_state()
    world.apply(env={"PINWARD_BROKEN": how}, expect=TOKEN, says=says)
    check(world.portal_state() == before, "the portal has been told of a request")


def request(world):
    """A signature that fails, and one that does not verify, are not sent."""
    begun(world)
    refused_application(world, "cannot sign", "The token failed")
    refused_application(world, "signs wrong", "signature on the request does not verify")
    world.apply()
    world.activate()
    check(world.count("Private Key") == 2 and world.count("Certificate") == 4, world.objects())


def refused_activation(world, how, expect, says):
    world.activate(env={"PINWARD_BROKEN": how}, expect=expect, says=says)
    check('"activated"' not in world.portal_state(), "the portal takes the certificates for active")
    check(world.count("Certificate") == 0, world.objects())


def possession(world):
    """Without proof of possession of both keys no certificate is active, and none is on the token."""
    begun(world)
    world.apply()
    refused_activation(world, "cannot sign", TOKEN, "The token failed")
    refused_activation(world, "cannot decrypt", TOKEN, None)
    refused_activation(world, "signs wrong", REFUSED, None)
    world.activate()
    check(world.count("Certificate") == 4, world.objects())


def kept(world):
    """A certificate that the token took and did not keep is missed at once, and written by the same command again."""
    begun(world)
    world.apply()
    world.activate(env={"PINWARD_BROKEN": "keeps no certificate"}, expect=TOKEN, says="did not keep the certificate")
    world.tool("activate", answers=[f"pin {PIN}"], says="are active and on the token")
    check(world.count("Certificate") == 4, world.objects())


def lost_key(world):
    """A key that is gone cannot be activated, whatever else is on the token."""
    begun(world)
    world.apply()
    before = world.portal_state()
    identity = next(o["ID"] for o in world.objects() if o["kind"].startswith("Private Key") and "signing" in o["label"])
    subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--login", "--pin", PIN, "--delete-object",
                    "--type", "privkey", "--id", identity], env=world.env, capture_output=True, check=True)
    world.activate(answers=[f"pin {PIN}"], expect=TOKEN, says='does not hold the key "me (signing)"')
    check(world.portal_state() == before and world.count("Certificate") == 0, world.objects())


def renewal(world):
    """A renewal that the old key does not sign, or signs wrong, is not sent."""
    begun(world)
    world.apply()
    world.activate()
    world.set_clock(0)
    world.tool("login", "--account", "wang", answers=[f"pin {PASSWORD}"])
    renew = ("renew", "--name", "new", "--accept-terms", world.terms_version(), "--yes")
    before = world.portal_state()
    for how, says in (("cannot sign", "The token failed"), ("signs wrong", "does not verify"),
                      ("cannot sign again", "The token failed")):
        world.tool(*renew, answers=[f"pin {PIN}"], env={"PINWARD_BROKEN": how}, expect=TOKEN, says=says)
        check(world.portal_state() == before, "the portal has been told of a renewal")
    world.tool(*renew, answers=[f"pin {PIN}", f"pin {PASSWORD}"], says="are active and on the token")


if __name__ == "__main__":
    run([request, possession, kept, lost_key, renewal])
