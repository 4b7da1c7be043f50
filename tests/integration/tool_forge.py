"""tool_forge: certificates that a dishonest portal could issue, made with openssl by the portal's own issuing CA."""
import subprocess


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options).stdout


def purposes(der):
    """emailProtection, and for signing clientAuth."""
    text = openssl("x509", "-inform", "DER", "-noout", "-ext", "extendedKeyUsage,keyUsage", input=der).decode()
    return "emailProtection,clientAuth" if "Client Auth" in text else "emailProtection"


def usages(der):
    text = openssl("x509", "-inform", "DER", "-noout", "-ext", "keyUsage", input=der).decode()
    return "keyEncipherment" if "Key Encipherment" in text else "digitalSignature,nonRepudiation"


def forge(world, der, subject=None, days=365, usage=None, purpose=None, ca="FALSE", email="wang@example.org", key=None,
          digest="sha384", data=None):
    """The certificate der again, for the same key (or that of the file key), with what is given changed. data: the folder
    of issuing.pem and issuing.key."""
    data = data or world.data
    serial = openssl("x509", "-inform", "DER", "-noout", "-serial", input=der).decode().strip().split("=")[1]
    public = openssl("pkey", "-in", key, "-pubout") if key else openssl("x509", "-inform", "DER", "-pubkey", "-noout",
                                                                        input=der)
    (world.root / "public.pem").write_bytes(public)
    (world.root / "forge.cnf").write_text(
        f"basicConstraints=critical,CA:{ca}\nkeyUsage=critical,{usage or usages(der)}\n"
        f"extendedKeyUsage={purpose or purposes(der)}\nsubjectAltName=email:{email}\nsubjectKeyIdentifier=hash\n"
        "authorityKeyIdentifier=keyid\n")
    if not (world.root / "any.key").exists():
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", world.root / "any.key")
    openssl("req", "-new", "-key", world.root / "any.key", "-subj", subject or "/C=TW/O=Ex, Inc/CN=王小明/serialNumber=R-wang",
            "-utf8", "-out", world.root / "any.csr")
    return openssl("x509", "-req", "-in", world.root / "any.csr", "-CA", data / "issuing.pem", "-CAkey",
                   data / "issuing.key", "-set_serial", "0x" + serial, "-days", days, "-extfile",
                   world.root / "forge.cnf", "-force_pubkey", world.root / "public.pem", "-outform", "DER", f"-{digest}")
