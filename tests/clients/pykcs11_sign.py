"""pykcs11_sign.py MODULE TOKEN ID INPUT OUTPUT [PIN]: signs a file with the private key of that id (SHA-256, PKCS#1), as any
program that uses PyKCS11 would, and verifies the signature with the public key on the token."""
import sys

import PyKCS11


def main(module, label, identifier, source, target, pin=None):
    library = PyKCS11.PyKCS11Lib()
    library.load(module)
    slot = next(s for s in library.getSlotList(tokenPresent=True) if library.getTokenInfo(s).label.strip() == label)
    session = library.openSession(slot)
    session.login(pin)  # None: the module asks for it
    identifier = tuple(bytes.fromhex(identifier))
    private, = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY), (PyKCS11.CKA_ID, identifier)])
    public, = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PUBLIC_KEY), (PyKCS11.CKA_ID, identifier)])
    with open(source, "rb") as file:
        data = file.read()
    mechanism = PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS)
    signature = session.sign(private, data, mechanism)
    if not session.verify(public, data, signature, mechanism):
        raise SystemExit("the token does not verify it")
    with open(target, "wb") as file:
        file.write(bytes(signature))
    session.logout()
    session.closeSession()


if __name__ == "__main__":
    main(*sys.argv[1:])
