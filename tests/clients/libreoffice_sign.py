"""libreoffice_sign PIPE FILE: has the LibreOffice that listens on PIPE write a letter and export it as a signed PDF, with
the certificate for signatures that it finds. Ends with status 1 when LibreOffice does not sign."""
import pathlib
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.io import IOException
from com.sun.star.security import NoPasswordException

DIGITAL_SIGNATURE = 0x80  # of the key usage extension


def properties(**values):
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


def connect(pipe):
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    end = time.monotonic() + 60
    while True:
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def signing_certificate(office):
    """As the dialog "Digital Signatures" finds it; LibreOffice logs in to the token for that."""
    initializer = office.ServiceManager.createInstanceWithContext("com.sun.star.xml.crypto.SEInitializer", office)
    environment = initializer.createSecurityContext("").getSecurityEnvironment()
    for certificate in environment.getPersonalCertificates():
        if certificate.getCertificateUsage() & DIGITAL_SIGNATURE:
            return certificate
    sys.exit("LibreOffice finds no certificate for signatures")


def sign(office, desktop, path):
    certificate = signing_certificate(office)
    print("signing as", certificate.SubjectName)
    letter = desktop.loadComponentFromURL("private:factory/swriter", "_blank", 0, properties(Hidden=True))
    letter.Text.setString("I hereby file trade mark 123456.")
    export = uno.Any("[]com.sun.star.beans.PropertyValue", properties(SignPDF=True, SignatureCertificate=certificate))
    letter.storeToURL(path.absolute().as_uri(), properties(FilterName="writer_pdf_Export", FilterData=export))


def main():
    office = connect(sys.argv[1])
    desktop = office.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", office)
    status = 0
    try:
        sign(office, desktop, pathlib.Path(sys.argv[2]))
    except (IOException, NoPasswordException) as error:
        print(f"{type(error).__name__}: {error.Message}")
        status = 1
    desktop.terminate()
    sys.exit(status)


main()
