"""pkcs11-tool's own tests, on the backend and through the module at level high: the verdicts must be the same.

Every run has a token of its own, a copy of one that was made on the backend, so that both sides see the same keys in
the same order. "card" is SoftHSM2 as a card presents itself (support/card_backend.c): pkcs11-tool tests signatures, and
EC keys to the end, only there.

Environment (set by CTest): PINWARD_MODULE, PINWARD_SCRIPTED_PINENTRY, PINWARD_SOFTHSM, PINWARD_CARD_BACKEND, and
PINWARD_PRELOAD, the sanitizers' runtime for a program that was built without.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

import softhsm_token

PIN = softhsm_token.PIN


def check(condition, message="check failed"):
    if not condition:
        raise AssertionError(message)


class Run:
    """One run of pkcs11-tool, and what it left."""

    def __init__(self, world, token, backend, prompt, arguments, answer=f"pin {PIN}"):
        self.root = pathlib.Path(tempfile.mkdtemp(dir=world))
        shutil.copytree(world / token / "tokens", self.root / "tokens")
        for folder in ("pinentry", "state"):
            (self.root / folder).mkdir()
        (self.root / "pinentry" / "script").write_text(f"{answer}\n" * 100)
        softhsm_token.configure(self.root)
        self.configure(backend, prompt)
        module = os.environ["PINWARD_MODULE"] if prompt else backend
        done = subprocess.run(["pkcs11-tool", "--module", module, "--login", "--pin", PIN, *arguments],
                              env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def configure(self, backend, prompt):
        # The scripted pinentry brings the sanitizers' runtime that it was built with.
        pinentry = self.root / "scripted-pinentry"
        pinentry.write_text(f"#!/bin/sh\nunset LD_PRELOAD\nexec {os.environ['PINWARD_SCRIPTED_PINENTRY']}\n")
        pinentry.chmod(0o700)
        conf = self.root / "pinward.conf"
        conf.write_text(f"[module]\nbackend = {backend}\nprompt = {prompt or 'module'}\n"
                        f"pinentry = {pinentry}\n")
        conf.chmod(0o600)

    def environment(self):
        # pkcs11-tool leaks; only what the module does wrong counts here.
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), "LC_ALL": "C.UTF-8",
                "LD_PRELOAD": os.environ.get("PINWARD_PRELOAD", ""), "ASAN_OPTIONS": "detect_leaks=0",
                "UBSAN_OPTIONS": "halt_on_error=1",
                "SOFTHSM2_CONF": str(self.root / "softhsm2.conf"), "PINWARD_CONF": str(self.root / "pinward.conf"),
                "XDG_STATE_HOME": str(self.root / "state"), "SCRIPTED_PINENTRY_DIR": str(self.root / "pinentry")}

    def text(self):
        return f"exit {self.status}\n{self.out}{self.err}"

    def asked(self):
        """What the pinentry was asked about: the operation in each window's first line."""
        log = self.root / "pinentry" / "log"
        return re.findall(r"DESC A program wants to ([A-Z]+(?: or [A-Z]+)?)", log.read_text()) if log.exists() else []

    def decisions(self):
        ledger = self.root / "state" / "pinward" / "ledger.jsonl"
        lines = [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []
        return [line for line in lines if line["how"] != "application's PIN"]  # a login, which is no consent

    def uses(self):
        """How many lines say that a use of a private key came out right."""
        return len(re.findall(r": OK$", re.split(r"^Signatures", self.out, flags=re.M)[-1], re.M))


def verdict(run):
    """What both sides must have in common. What must differ, and why:
    - a new key is another one each time;
    - keys made through the module are born with CKA_ALWAYS_AUTHENTICATE, which prompt = application shows."""
    out = re.sub(r"(EC_POINT: +)[0-9a-f]+", r"\1...", run.out)
    out = out.replace("always authenticate, ", "")
    return f"exit {run.status}\n{out}{run.err}"


def same(world, token, backend, *arguments):
    """Runs it on the backend and through the module in both ways; returns the three runs."""
    direct = Run(world, token, backend, None, arguments)
    ways = [Run(world, token, backend, prompt, arguments) for prompt in ("module", "application")]
    for run, prompt in zip(ways, ("module", "application")):
        check(verdict(run) == verdict(direct),
              f"prompt = {prompt}: {verdict(run)}\non the backend: {verdict(direct)}")
    return direct, *ways


def expect_agreed(module, application):
    """Every use was agreed to: in a window each, or by a context-specific login each."""
    uses = module.uses()
    check(uses > 0 and len(module.asked()) >= uses, f"{len(module.asked())} windows for {uses} uses")
    check(all(d["verdict"] == "allowed" for d in module.decisions() + application.decisions()), "a use was denied")
    check(len(module.decisions()) == len(module.asked()), "a decision without a window")
    check(application.asked() == [] and len(application.decisions()) == len(module.decisions()),
          f"prompt = application: {application.asked()}, {len(application.decisions())} decisions")


# ------------------------------------------------------------------ --test


def test_of_softhsm(world):
    direct, *ways = same(world, "signing", softhsm_token.LIBRARY, "--test")
    check("\nNo errors\n" in direct.out, direct.text())
    expect_agreed(*ways)


def test_of_a_card(world):
    """Multi-part signatures, too small buffers and length queries are in it."""
    direct, *ways = same(world, "signing", os.environ["PINWARD_CARD_BACKEND"], "--test")
    check("\nNo errors\n" in direct.out and "all 4 signature functions seem to work" in direct.out, direct.text())
    expect_agreed(*ways)


def test_with_decryption(world):
    """It ends at OAEP with a label, which SoftHSM2 does not have: with the same error through the module."""
    direct, *ways = same(world, "both", os.environ["PINWARD_CARD_BACKEND"], "--test")
    check(direct.status == 1 and "C_DecryptInit failed: rv = CKR_ARGUMENTS_BAD" in direct.err and
          "    RSA-PKCS: OK\n    RSA-PKCS-OAEP:" in direct.out, direct.text())
    expect_agreed(*ways)
    check("DECRYPT" in ways[0].asked(), "no window for the decryption")


def test_of_protected_keys(world):
    """Keys with CKA_ALWAYS_AUTHENTICATE, for which pkcs11-tool logs in by itself."""
    direct, *ways = same(world, "protected", softhsm_token.LIBRARY, "--test")
    check("\nNo errors\n" in direct.out, direct.text())
    expect_agreed(*ways)


def test_of_protected_keys_on_a_card(world):
    """SoftHSM2 itself ends such an operation at a length query; through the module the verdict is that for a key
    without the attribute."""
    card = os.environ["PINWARD_CARD_BACKEND"]
    plain = Run(world, "signing", card, None, ["--test"])
    ways = [Run(world, "protected", card, prompt, ["--test"]) for prompt in ("module", "application")]
    for run in ways:
        other_slot, plain_slot = (re.sub(r"Using slot.*\n", "", verdict(r)) for r in (run, plain))
        check(other_slot == plain_slot, run.text())
    expect_agreed(*ways)


def test_refused(world):
    """What the user does not agree to does not come out right; here that is raw RSA, which may sign or decrypt."""
    run = Run(world, "signing", softhsm_token.LIBRARY, "module", ["--test"], answer="cancel")
    check("ERR: C_Sign() returned CKR_FUNCTION_CANCELED" in run.out and "\n1 errors\n" in run.out and run.uses() == 0,
          run.text())
    check(run.asked() == ["DECRYPT or SIGN"] and [d["verdict"] for d in run.decisions()] == ["denied"], run.text())


# ------------------------------------------------------------------ --test-ec


def test_ec(world):
    """Generates a key pair, gives it another id, signs with it, deletes it. What is done to the key the module asks for
    whoever asks for the signature."""
    arguments = ["--test-ec", "--session-rw", "--id", "33", "--key-type", "EC:prime256v1"]
    direct, module, application = same(world, "signing", os.environ["PINWARD_CARD_BACKEND"], *arguments)
    check("==> OK" in direct.out and direct.status == 0, direct.text())
    check(module.asked()[:1] == ["CHANGE"] and module.asked()[-1:] == ["DELETE"] and "SIGN" in module.asked(),
          f"{module.asked()}")
    check(application.asked() == ["CHANGE", "DELETE"], f"{application.asked()}")


def test_ec_of_softhsm(world):
    """It ends at ECDSA with SHA-1, which SoftHSM2 does not have."""
    direct, *_ = same(world, "signing", softhsm_token.LIBRARY, "--test-ec", "--session-rw", "--id", "33", "--key-type",
                      "EC:prime256v1")
    check(direct.status == 1 and "CKR_MECHANISM_INVALID" in direct.err, direct.text())


# ------------------------------------------------------------------ --test-fork


def test_fork(world):
    """C_Initialize in a forked child: the standard wants it to work (2.40, 5.4). SoftHSM2 2.6.1 alone answers that it
    has been initialised; the module mends that."""
    direct = Run(world, "signing", softhsm_token.LIBRARY, None, ["--test-fork"])
    for prompt in ("module", "application"):
        run = Run(world, "signing", softhsm_token.LIBRARY, prompt, ["--test-fork"])
        check(run.status == 0 and "in forked child" in run.out, run.text())
        known = "C_Initialize in child\n failed: rv = CKR_CRYPTOKI_ALREADY_INITIALIZED" in direct.err
        check(known or verdict(run) == verdict(direct), direct.text())


# ------------------------------------------------------------------ --test-threads

THREADS = ["--test-threads", "ILGISLT0", "--test-threads", "INGISL", "--test-threads", "ILIL", "--list-objects"]
INITIALIZED = re.compile(r"(C_Initialize *returned |Main C_Initialize\(NULL\) rv:)"
                         r"(CKR_OK|CKR_CRYPTOKI_ALREADY_INITIALIZED)$", re.M)


def threads_verdict(run):
    """Of threads each has its own order of lines, and which one initialises first is chance. How long the main thread
    waits for them is too. What describes token and objects goes to standard output word by word from two threads, so that
    only its words are the same each time. The token shows a PIN pad through the module, because the module asks, and with prompt =
    application that its key wants a login for each use."""
    text = INITIALIZED.sub(r"\1...", run.out + run.err).replace(", PIN pad present", "")
    text = text.replace("always authenticate, ", "")
    ended = re.split(r"(?=^test_threads all threads have ended)", text, flags=re.M)
    lines = [l for l in ended[0].splitlines() if not l.startswith("test_threads ") and l]
    of_thread = {n: [l for l in lines if l.startswith(f"Test thread {n} ")] for n in range(3)}
    described = sorted(word for l in lines if not l.startswith("Test thread") for word in l.split())
    return run.status, of_thread, described, ended[-1]


def test_threads(world):
    """Three threads call C_Initialize, C_GetInfo, C_GetSlotList and C_GetTokenInfo beside the main one. SoftHSM2 alone
    mostly crashes then; the verdict to compare with is that of one whose C_Initialize is serialised."""
    direct = Run(world, "signing", os.environ["PINWARD_CARD_BACKEND"], None, THREADS)
    check(direct.status == 0 and "Private Key Object" in direct.out, direct.text())
    for prompt in ("module", "application") * 3:
        run = Run(world, "signing", softhsm_token.LIBRARY, prompt, THREADS)
        check(threads_verdict(run) == threads_verdict(direct),
              f"{threads_verdict(run)}\non the backend:\n{threads_verdict(direct)}")
        answers = [rv for _, rv in INITIALIZED.findall(run.out + run.err)]
        check(len(answers) == 5 and answers.count("CKR_OK") == 1, f"C_Initialize answered {answers}")


# ------------------------------------------------------------------


TESTS = [test_of_softhsm, test_of_a_card, test_with_decryption, test_of_protected_keys,
         test_of_protected_keys_on_a_card, test_refused, test_ec, test_ec_of_softhsm, test_fork, test_threads]


def run_all(world):
    softhsm_token.make(world / "signing", decrypt=False)
    softhsm_token.make(world / "both", decrypt=True)
    softhsm_token.make(world / "protected", decrypt=False, always_authenticate=True)
    failed = 0
    tests = [t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        try:
            test(world)
            print(f"ok {number} - {test.__name__}", flush=True)
        except Exception:  # any failure, also of a helper, is this test's
            failed += 1
            print(f"not ok {number} - {test.__name__}")
            print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    return failed


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="pkcs11-tool-", dir=os.getcwd()) as folder:
        failures = run_all(pathlib.Path(folder))
    sys.exit(1 if failures else 0)
