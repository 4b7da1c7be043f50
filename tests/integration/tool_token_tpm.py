#!/usr/bin/env python3
"""The tool's verbs for tokens on one that is no SoftHSM2: a TPM (with-tpm). And what an application for certificates comes to
there: tpm2-pkcs11 makes no key that only signs or only decrypts, so it makes none, and nothing is left of the try."""
from tool_token import INIT, NEW_PIN, OTHER, SO_PIN, tokens
from tool_world import *


class Machine(World):
    """With the TPM's tokens in place of SoftHSM2's."""

    def __init__(self):
        super().__init__(offset_days=0)
        (self.root / "tpm").mkdir()
        self.env.update(TPM2_PKCS11_TCTI=os.environ["TPM2_PKCS11_TCTI"], TPM2_PKCS11_STORE=str(self.root / "tpm"),
                        TSS2_LOG="all+NONE", LSAN_OPTIONS=os.environ.get("LSAN_OPTIONS", ""))
        self.configure()

    def new_token(self, label):
        pass

    def configure(self, **options):
        super().configure(**{"backend": os.environ["PINWARD_TPM2"], **options})


def on_a_tpm(_):
    world = Machine()
    try:
        check(tokens(world) == {"": "blank"}, tokens(world))
        world.tool("token", "init", "--label", "card", answers=INIT, says='The token "card" is ready')
        check(tokens(world)["card"] == "ready", tokens(world))
        check(json.loads(world.tool("token", "info", "--json"))["token"]["label"] == "card")
        world.tool("pin", "change", answers=[f"pin {NEW_PIN}", f"repeat {OTHER}"])
        world.login()
        before = world.portal_state()
        world.apply(answers=[f"pin {NEW_PIN}", f"pin {OTHER}"], expect=TOKEN, says="generating a key pair")  # the first is the old
        check(world.portal_state() == before, "the portal knows of it")
        world.tool("pin", "unblock", answers=[f"pin {SO_PIN}", f"repeat {NEW_PIN}"], says="has its new PIN")
        world.tool("apply", answers=[f"pin {NEW_PIN}"], expect=TOKEN, says="generating a key pair")
    finally:
        world.close()


on_a_tpm.world = {"offset_days": 0}

if __name__ == "__main__":
    run([on_a_tpm])
