"""softhsm_token: a SoftHSM2 token with one RSA key pair, made with exactly the attributes that a test wants.

Command-line tools leave the attributes that they do not name to the token, which then lets a key do everything.
"""
import ctypes
import os
import subprocess

PIN = "123456"
LIBRARY = os.environ["PINWARD_SOFTHSM"]

# PKCS#11 2.40, pkcs11t.h
CKU_USER = 1
CKF_RW_SESSION, CKF_SERIAL_SESSION = 2, 4
CKM_RSA_PKCS_KEY_PAIR_GEN = 0
CKA_TOKEN, CKA_PRIVATE, CKA_LABEL, CKA_ID = 0x1, 0x2, 0x3, 0x102
CKA_SENSITIVE, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP = 0x103, 0x104, 0x105, 0x106, 0x107
CKA_SIGN, CKA_VERIFY, CKA_MODULUS_BITS, CKA_PUBLIC_EXPONENT = 0x108, 0x10A, 0x121, 0x122
CKA_EXTRACTABLE, CKA_ALWAYS_AUTHENTICATE = 0x162, 0x202

ulong = ctypes.c_ulong


class Attribute(ctypes.Structure):
    _fields_ = [("type", ulong), ("value", ctypes.c_char_p), ("length", ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", ulong), ("parameter", ctypes.c_void_p), ("length", ulong)]


def template(attributes):
    """A template of a dictionary whose values are bool, int (CK_ULONG) or bytes."""
    rows = []
    for kind, value in attributes.items():
        if isinstance(value, bool):
            value = bytes([value])
        elif isinstance(value, int):
            value = bytes(ulong(value))
        rows.append(Attribute(kind, value, len(value)))
    return (Attribute * len(rows))(*rows), ulong(len(rows))


def configure(folder):
    """softhsm2.conf in the folder, for the tokens below it."""
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")


def call(function, *arguments):
    rv = function(*arguments)
    if rv != 0:
        raise RuntimeError(f"{function.__name__} answered 0x{rv:x}")


def log_in(p11):
    """A read-write session on the first token."""
    slots, count, session = (ulong * 8)(), ulong(8), ulong()
    call(p11.C_GetSlotList, ctypes.c_ubyte(1), slots, ctypes.byref(count))
    call(p11.C_OpenSession, ulong(slots[0]), ulong(CKF_RW_SESSION | CKF_SERIAL_SESSION), None, None,
         ctypes.byref(session))
    call(p11.C_Login, session, ulong(CKU_USER), PIN.encode(), ulong(len(PIN)))
    return session


def make(folder, decrypt, always_authenticate=False):
    """Makes the folder, and in it a token and its key."""
    (folder / "tokens").mkdir(parents=True)
    configure(folder)
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "card", "--pin", PIN, "--so-pin", "12345678"],
                   check=True, capture_output=True)
    common = {CKA_TOKEN: True, CKA_LABEL: b"a key", CKA_ID: b"\x01"}
    public, public_count = template({**common, CKA_MODULUS_BITS: 2048, CKA_PUBLIC_EXPONENT: b"\x01\x00\x01",
                                     CKA_VERIFY: True, CKA_ENCRYPT: decrypt, CKA_WRAP: decrypt})
    private, private_count = template({**common, CKA_PRIVATE: True, CKA_SENSITIVE: True, CKA_EXTRACTABLE: False,
                                       CKA_SIGN: True, CKA_DECRYPT: decrypt, CKA_UNWRAP: decrypt,
                                       CKA_ALWAYS_AUTHENTICATE: always_authenticate})
    p11 = ctypes.CDLL(LIBRARY)
    call(p11.C_Initialize, None)
    try:
        handles = ulong(), ulong()
        call(p11.C_GenerateKeyPair, log_in(p11), ctypes.byref(Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN)), public,
             public_count, private, private_count, ctypes.byref(handles[0]), ctypes.byref(handles[1]))
    finally:
        call(p11.C_Finalize, None)
