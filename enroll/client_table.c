#include "enroll/client.h"

#include "common/i18n.h"

const struct client client_unknown = {
    .way = CLIENT_TOLD,
    .told = "%s",
    .mode = N_("The module asks, whatever the program can do. prompt = application is for programs that log in with "
               "CKU_CONTEXT_SPECIFIC before each use and really ask their user."),
    .refusal = N_("The program's call answers CKR_FUNCTION_CANCELED, or CKR_FUNCTION_REJECTED when nobody answered in "
                  "time, and no key is used."),
    .limits = N_("A program that closes its last session is logged out, and asks again when it opens the next."),
    .uses = (const struct client_use[]){{0}},
};

/* A program comes with its test, tests/clients, and its section in docs/clients.md. */
const struct client client_table[] = {
    {
        .title = "OpenSC pkcs11-tool",
        .programs = (const char *const[]){"pkcs11-tool", NULL},
        .tested = "0.23.",
        .way = CLIENT_TOLD,
        .told = "pkcs11-tool --module %s",
        .mode = N_("The module asks: with prompt = application pkcs11-tool answers for the user, with the PIN that it got "
                   "for the login."),
        .refusal = N_("It says that C_Login or C_SignUpdate failed with CKR_FUNCTION_CANCELED, ends with status 1 and writes "
                      "nothing."),
        .limits = N_("--sign and --decrypt take the key by --id, not by --label. A signature that is refused after the "
                     "login is tried once more, in parts, which is a second window."),
        .uses = (const struct client_use[]){{"pkcs11-tool", "--list-objects", 0},
                                            {"pkcs11-tool", "--login --list-objects", 1},
                                            {"pkcs11-tool", "--sign", 1},
                                            {"pkcs11-tool", "--decrypt", 1},
                                            {"pkcs11-tool", "--keypairgen", 1},
                                            {"pkcs11-tool", "--delete-object", 2},
                                            {"pkcs11-tool", "--change-pin", 2},
                                            {0}},
    },
    {
        .title = "GnuTLS",
        .programs = (const char *const[]){"p11tool", "certtool", "gnutls-cli", NULL},
        .tested = "3.7.",
        .way = CLIENT_P11_KIT,
        .mode = N_("The module asks: with prompt = application GnuTLS answers for the user, with the PIN that it got for the "
                   "login."),
        .refusal = N_("It says \"PKCS #11 error\", ends with status 1 and writes nothing; a TLS connection is not made."),
        .limits = N_("p11tool --login --list-all opens a session, and so logs in, anew for each private key; without --login "
                     "it lists certificates and public keys and asks nobody."),
        .uses = (const struct client_use[]){{"p11tool", "--list-all", 0},
                                            {"p11tool", "--login --list-all", 3},
                                            {"p11tool", "--test-sign", 1},
                                            {"certtool", "--p7-detached-sign", 1},
                                            {"gnutls-cli", "TLS client certificate", 1},
                                            {0}},
    },
    {
        .title = "p11-kit",
        .programs = (const char *const[]){"p11-kit", NULL},
        .tested = "0.24.",
        .way = CLIENT_P11_KIT,
        .mode = N_("The module asks, in the process that loads it: behind p11-kit server that is the server, so its "
                   "pinentry must be able to show a window from there."),
        .refusal = N_("The program in front of it gets CKR_FUNCTION_CANCELED, as if it had loaded the module itself."),
        .limits = N_("Where p11-kit knows the token's own module too, such as SoftHSM2's, it offers the token a second time, "
                     "past the gate: a module file of the same name with the line \"enable-in: none\" ends that. p11-kit "
                     "does not read root's own configuration."),
        .uses = (const struct client_use[]){{"p11-kit", "list-modules", 0},
                                            {"p11-kit", "signature through p11-kit-proxy.so", 1},
                                            {"p11-kit", "signature through p11-kit server", 1},
                                            {0}},
    },
    {
        .title = "OpenSSL",
        .programs = (const char *const[]){"openssl", "sign-many", NULL},
        .package = "openssl",
        .tested = "3.0.",
        .way = CLIENT_ENGINE,
        .mode = N_("The module asks: with prompt = application libp11's engine asks on the terminal at each use, and fails "
                   "where there is none."),
        .refusal = N_("The engine gives no key (PKCS11_get_private_key returned NULL), or the signature fails when the user "
                      "refuses only that; openssl ends with an error and writes nothing."),
        .limits = N_("Each openssl is a process of its own and asks by itself: many signatures with one PIN entry need a "
                     "program that asks for a batch, such as sign-many."),
        .uses = (const struct client_use[]){{"openssl", "cms -sign", 1},
                                            {"openssl", "cms -decrypt", 1},
                                            {"openssl", "req -new", 1},
                                            {"openssl", "s_client", 1},
                                            {"sign-many", "100 signatures", 1},
                                            {0}},
    },
    {
        .title = "curl",
        .programs = (const char *const[]){"curl", NULL},
        .tested = "7.88.",
        .way = CLIENT_ENGINE,
        .mode = N_("The module asks: with prompt = application libp11's engine asks on the terminal at each use, and fails "
                   "where there is none."),
        .refusal = N_("It says that it failed to load the private key from the engine, ends with status 58 and sends nothing."),
        .uses = (const struct client_use[]){{"curl", "https", 1}, {"curl", "https, three pages", 1}, {0}},
    },
    {
        .title = "OpenSSH",
        .programs = (const char *const[]){"ssh", "ssh-add", "ssh-agent", "ssh-keygen", NULL},
        .tested = "9.2",
        .way = CLIENT_TOLD,
        .told = "ssh -o PKCS11Provider=%s",
        .mode = N_("The module asks: with prompt = application ssh-agent, which has no terminal, refuses every signature."),
        .refusal = N_("ssh says that signing failed and goes on to other ways to log in; when there are none it ends with "
                      "\"Permission denied\" and status 255."),
        .limits = N_("ssh-add wants the PIN typed at it as well, because ssh-agent takes no token without; that PIN agrees to "
                     "nothing. ssh-agent loads modules only from the folders that its option -P allows, and its windows "
                     "appear where it was started."),
        .uses = (const struct client_use[]){{"ssh-keygen", "-D", 0},
                                            {"ssh", "-o PKCS11Provider", 1},
                                            {"ssh-add", "-s", 0},
                                            {"ssh-agent", "each login", 1},
                                            {0}},
    },
    {
        .title = "PyKCS11",
        .programs = (const char *const[]){"python3-pykcs11", "python3", NULL},
        .package = "python3-pykcs11",
        .tested = "1.5.",
        .way = CLIENT_TOLD,
        .told = "PyKCS11Lib().load(\"%s\")",
        .mode = N_("The module asks: session.login(None). With prompt = application the program itself must log in with "
                   "CKU_CONTEXT_SPECIFIC before each use, or gets CKR_USER_NOT_LOGGED_IN."),
        .refusal = N_("It raises PyKCS11Error: CKR_FUNCTION_CANCELED, or CKR_FUNCTION_REJECTED when nobody answers in time."),
        .uses = (const struct client_use[]){{"python3-pykcs11", "sign", 1}, {0}},
    },
    {
        .title = "Go",
        .programs = (const char *const[]){"golang-github-miekg-pkcs11-dev", "go", NULL},
        .package = "golang-github-miekg-pkcs11-dev",
        .tested = "1.0.",
        .way = CLIENT_TOLD,
        .told = "pkcs11.New(\"%s\")",
        .mode = N_("The module asks: Login with an empty PIN, which the binding hands on as none."),
        .refusal = N_("The call returns the error CKR_FUNCTION_CANCELED, or CKR_FUNCTION_REJECTED when nobody answers in time."),
        .uses = (const struct client_use[]){{"golang-github-miekg-pkcs11-dev", "sign", 1}, {0}},
    },
    {
        .title = "NSS",
        .programs = (const char *const[]){"modutil", "certutil", "cmsutil", NULL},
        .tested = "3.87.",
        .way = CLIENT_TOLD,
        .told = "modutil -dbdir sql:$HOME/.pki/nssdb -add Pinward -libfile %s",
        .mode = N_("The module asks: NSS has no question of its own for a token with a protected authentication path. With "
                   "prompt = application cmsutil answers for the user, with the PIN that it got for the login."),
        .refusal = N_("NSS asks for the login a second time; then the tool ends with an error and writes nothing."),
        .limits = N_("certutil -L -h TOKEN logs in only to list certificates."),
        .uses = (const struct client_use[]){{"modutil", "-add", 0},
                                            {"certutil", "-L -h TOKEN", 1},
                                            {"certutil", "-K -h TOKEN", 1},
                                            {"cmsutil", "-S", 1},
                                            {"cmsutil", "-D", 1},
                                            {0}},
    },
    {
        .title = "Poppler pdfsig",
        .programs = (const char *const[]){"pdfsig", NULL},
        .tested = "22.12.",
        .way = CLIENT_TOLD,
        .told = "modutil -dbdir sql:$HOME/.pki/nssdb -add Pinward -libfile %s",
        .mode = N_("The module asks; -nss-pwd is the password of NSS's own database, never the PIN. With prompt = application "
                   "pdfsig logs in with -nss-pwd and answers with -kpw, which everybody on the machine sees; without -kpw "
                   "it answers with an empty PIN and does not sign."),
        .refusal = N_("pdfsig ends with an error; after a refusal in the second window it leaves a file that is not a "
                      "signed document."),
        .limits = N_("It signs twice, the first time to learn how long a signature is, so it shows two windows."),
        .uses = (const struct client_use[]){{"pdfsig", "-add-signature", 2}, {0}},
    },
    {
        .title = "Java",
        .programs = (const char *const[]){"keytool", "jarsigner", "java", NULL},
        .tested = "17.",
        .way = CLIENT_TOLD,
        .told = N_("in the configuration of SunPKCS11: library = %s"),
        .mode = N_("The module asks: with -protected keytool and jarsigner ask for no PIN themselves. With prompt = application "
                   "they cannot ask, and do not sign."),
        .refusal = N_("keytool and jarsigner end with an error and write nothing."),
        .uses = (const struct client_use[]){{"keytool", "-list", 1}, {"jarsigner", "a signature", 1}, {0}},
    },
    {
        .title = "OpenVPN",
        .programs = (const char *const[]){"openvpn", NULL},
        .tested = "2.6.",
        .way = CLIENT_TOLD,
        .told = "openvpn --pkcs11-providers %s --pkcs11-id ID --pkcs11-protected-authentication 1",
        .mode = N_("The module asks, because of --pkcs11-protected-authentication 1."),
        .refusal = N_("The TLS handshake fails and there is no tunnel."),
        .limits = N_("Each renegotiation of the keys (--reneg-sec) is one more window."),
        .uses = (const struct client_use[]){{"openvpn", "--show-pkcs11-ids", 0}, {"openvpn", "a connection", 1}, {0}},
    },
    {
        .title = "Firefox",
        .programs = (const char *const[]){"firefox-esr", "firefox", NULL},
        .tested = "153.",
        .way = CLIENT_TOLD,
        .told = "modutil -dbdir sql:PROFILE -add Pinward -libfile %s",
        .mode = N_("The module asks: Firefox shows a note that the token wants a login, and no field for a PIN."),
        .refusal = N_("It opens the page without a certificate, and asks no further."),
        .limits = N_("Each new TLS connection to the server is a signature, and a window: a server that resumes sessions and "
                     "keeps connections open costs the fewest. An answer that comes at once, such as a failure to show the "
                     "window, leaves Firefox waiting for its own note: end it."),
        .uses = (const struct client_use[]){{"firefox-esr", "a login to a page", 1}, {0}},
    },
    {
        .title = "Chromium",
        .programs = (const char *const[]){"chromium", "google-chrome", NULL},
        .tested = "156.",
        .way = CLIENT_TOLD,
        .told = "modutil -dbdir sql:$HOME/.pki/nssdb -add Pinward -libfile %s",
        .mode = N_("The module asks, after a dialog of Chromium's own (Unlock Security Device) that wants a password: type any "
                   "letter there and never the PIN, since nothing is done with it. With prompt = application that dialog "
                   "comes twice, takes the PIN, and does not say what for."),
        .refusal = N_("It shows its own dialog again; when that is cancelled too, it opens the page without a certificate."),
        .limits = N_("Each new TLS connection to the server is a signature, and a window. Without a display it waits for ever "
                     "for an answer to its dialog, also with --headless."),
        .uses = (const struct client_use[]){{"chromium", "a login to a page", 1}, {0}},
    },
    {
        .title = "LibreOffice",
        .programs = (const char *const[]){"libreoffice", "soffice", "lowriter", NULL},
        .package = "libreoffice-core",
        .tested = "7.4.",
        .way = CLIENT_TOLD,
        .told = "modutil -dbdir sql:PROFILE -add Pinward -libfile %s",
        .mode = N_("The module asks, after a dialog of LibreOffice's own (Enter Password) that wants one: type any letter there "
                   "and never the PIN, since nothing is done with it. With prompt = application it answers with an empty "
                   "PIN and does not sign."),
        .refusal = N_("It finds no certificate to sign with and writes nothing."),
        .limits = N_("It logs in to list certificates, so the PIN agrees to a signature within login-grace only; later there "
                     "is a second window. With --headless it cannot show its dialog and does not sign."),
        .uses = (const struct client_use[]){{"libreoffice", "a signed PDF", 1}, {0}},
    },
    {0},
};
