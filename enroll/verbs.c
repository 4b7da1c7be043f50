#include "enroll/verbs.h"

#include "common/i18n.h"
#include "enroll/account.h"
#include "enroll/agent_verbs.h"
#include "enroll/download.h"
#include "enroll/doctor.h"
#include "enroll/flow.h"
#include "enroll/form_verbs.h"
#include "enroll/log_verbs.h"
#include "enroll/pfx_export.h"
#include "enroll/pfx_import.h"
#include "enroll/policy_explain.h"
#include "enroll/renew_due.h"
#include "enroll/status.h"
#include "enroll/token_verbs.h"
#include "enroll/suspend.h"

#define VERBS_ACCEPTING                                                                                      \
    (CLI_TAKES(CLI_NAME) | CLI_TAKES(CLI_ACCEPT_TERMS) | CLI_TAKES(CLI_YES) | CLI_TAKES(CLI_START_OVER) |  \
     CLI_TAKES(CLI_EXPORTABLE))
#define VERBS_IMPORTING                                                                                              \
    (CLI_TAKES(CLI_NAME) | CLI_TAKES(CLI_ALLOW_EXPIRED) | CLI_TAKES(CLI_PASSWORD_FILE) | CLI_TAKES(CLI_START_OVER))
#define VERBS_EXPORTING (CLI_TAKES(CLI_NAME) | CLI_TAKES(CLI_LEGACY) | CLI_TAKES(CLI_NEW_PASSWORD_FILE))

#define VERBS_FORM CLI_TAKES(CLI_OUTPUT)

const struct cli_verb verbs_table[] = {
    {"doctor", N_("look what is missing or wrong, and say how to mend it"),
     N_("Looks at configuration, locale, pinentry, backend, module, token, p11-kit, isolation, portal, its TLS certificate, clock and "
        "ledger: a line for each, and below what is wrong the command that mends it. With --app, at one program: its version, "
        "whether it finds the module, how many windows a use costs, what it does when you refuse. Changes nothing and asks "
        "for no PIN. Exit status 22 when something is wrong."),
     CLI_TAKES(CLI_APP), false, doctor_run},
    {"login", N_("log in at the portal"),
     N_("Logs in with account, password and captcha. After the first login the portal asks for a new "
        "password. The "
        "session is kept until it has been idle for some minutes or you log out."),
     CLI_TAKES(CLI_ACCOUNT) | CLI_TAKES(CLI_LAST_TRY) | CLI_TAKES(CLI_PASSWORD_FILE) | CLI_TAKES(CLI_NEW_PASSWORD_FILE), true,
     account_login},
    {"logout", N_("end the session at the portal"), N_("Ends the session and forgets it."), 0, true,
     account_logout},
    {"passwd", N_("change the password of the portal"),
     N_("Says the portal's rules for passwords, then asks for the old password and twice for the new one."),
     CLI_TAKES(CLI_LAST_TRY) | CLI_TAKES(CLI_PASSWORD_FILE) | CLI_TAKES(CLI_NEW_PASSWORD_FILE), true, account_passwd},
    {"registration", N_("show what the registration authority has registered"),
     N_("Shows the subject that your certificates will have, and whether the registration is approved."),
     0, true, account_registration},
    {"apply", N_("apply for certificates, with new keys on the token"),
     N_("Shows the registration and the terms, generates a signing and an encryption key pair on the token, "
        "and sends "
        "the request. Stopped at any point, the same command goes on where it was."),
     VERBS_ACCEPTING, true, flow_apply},
    {"activate", N_("activate the issued certificates and write them to the token"),
     N_("Checks both certificates, shows the portal that both private keys are on this token, activates the "
        "certificates with your password, and writes them to the token."),
     CLI_TAKES(CLI_LAST_TRY) | CLI_TAKES(CLI_PASSWORD_FILE), true, flow_activate},
    {"renew", N_("renew the certificates, with new keys on the token"),
     N_("In the last month of the certificates: generates new key pairs, signs the request with the old "
        "signing key, "
        "and activates the new certificates. The old keys stay on the token."),
     VERBS_ACCEPTING | CLI_TAKES(CLI_LAST_TRY) | CLI_TAKES(CLI_PASSWORD_FILE) | CLI_TAKES(CLI_IF_DUE), true, renew_run},
    {"status", N_("show the certificates and the days left"),
     N_("Lists the account's certificates: use, state, end, days left, and whether they are on this token. Exit status 20 "
        "when one of them should be renewed now, 21 when all have expired, so that a timer can call it."),
     0, true, status_show},
    {"download", N_("write certificates to the token that holds their keys"),
     N_("Shows the account's certificates, asks which are wanted, and writes those whose private keys are on this "
        "token, after checking them; says of the others that they are elsewhere."),
     CLI_TAKES(CLI_CERTIFICATE), true, download_run},
    {"suspend", N_("suspend certificates at once, with the password"),
     N_("Shows the certificates that can be suspended, asks which are meant and for the portal's password. The "
        "revocation list and OCSP say so from then on. Only the registration authority can resume them."),
     CLI_TAKES(CLI_CERTIFICATE) | CLI_TAKES(CLI_YES) | CLI_TAKES(CLI_LAST_TRY) | CLI_TAKES(CLI_PASSWORD_FILE), true,
     suspend_run},
    {"form revoke", N_("fill in the form with which certificates are revoked"),
     N_("Writes a form to print, sign and hand to the registration authority, as PDF and as text, in the language of "
        "the messages. Files are never overwritten."),
     VERBS_FORM | CLI_TAKES(CLI_CERTIFICATE) | CLI_TAKES(CLI_REASON), true, form_revoke},
    {"form resume", N_("fill in the form with which suspended certificates are resumed"),
     N_("Writes a form to print, sign and hand to the registration authority, as PDF and as text, in the language of "
        "the messages. Files are never overwritten."),
     VERBS_FORM | CLI_TAKES(CLI_CERTIFICATE), true, form_resume},
    {"form reset-password", N_("fill in the form with which a new password is asked for"),
     N_("Writes a form to print, sign and hand to the registration authority, as PDF and as text, in the language of "
        "the messages. Needs no login; without one, your name and number are left to be written by hand. Files are "
        "never overwritten."),
     VERBS_FORM | CLI_TAKES(CLI_ACCOUNT), true, form_reset_password},
    {"pfx export", N_("export a pair of keys and certificates to two PFX files"),
     N_("Writes the signing key and the encryption key, each with its certificate and chain, to a file that a new "
        "password protects (AES-256, PBKDF2). Only keys that were created with apply --exportable or renew --exportable "
        "can leave the token, and the module asks for each. Nothing is overwritten; what was written is read back and "
        "checked."),
     VERBS_EXPORTING | CLI_TAKES(CLI_SIGNING) | CLI_TAKES(CLI_ENCRYPTION), false, pfx_export},
    {"pfx import", N_("import a pair of keys and certificates from two PFX files"),
     N_("Checks both files (password, use, that they belong together, validity, issuer) and writes keys and certificates to "
        "the token, where every use needs the PIN. Stopped at any point, the same command goes on where it was."),
     VERBS_IMPORTING | CLI_TAKES(CLI_SIGNING) | CLI_TAKES(CLI_ENCRYPTION), false, pfx_import},
    {"pfx passwd", N_("change the password of a PFX file"),
     N_("Opens the file with its password and writes it again with a new one. The old file stays until the new one is "
        "written, read back and checked."),
     CLI_TAKES(CLI_FILE) | CLI_TAKES(CLI_LEGACY) | CLI_TAKES(CLI_PASSWORD_FILE) | CLI_TAKES(CLI_NEW_PASSWORD_FILE), false,
     pfx_passwd},
    {"backup", N_("back up a pair of keys and certificates and their chain to a folder"),
     N_("Makes a new folder with signing.pfx, encryption.pfx and chain.pem, as pfx export does; pinward restore brings "
        "them back."),
     VERBS_EXPORTING | CLI_TAKES(CLI_FOLDER), false, pfx_backup},
    {"restore", N_("bring a pair of keys and certificates back from the folder of a backup"),
     N_("Imports signing.pfx and encryption.pfx of the folder, as pfx import does."),
     VERBS_IMPORTING | CLI_TAKES(CLI_FOLDER), false, pfx_restore},
    {"token list", N_("show which tokens there are"),
     N_("Lists every token that the module finds: name, serial number, and the state of its PIN."), 0, false,
     token_verb_list},
    {"token info", N_("show one token and what certificates are on it"),
     N_("Shows the token that is configured, or the only one: maker, state of the PIN, certificates. Asks for no PIN."), 0,
     false, token_verb_info},
    {"token init", N_("make a new token, with its PINs"),
     N_("Makes a token of a blank one; the PINs of its security officer and of its user are chosen in the module's windows. "
        "With SoftHSM2 and no store of tokens yet, a store of your own is made first. Nothing that is in use is erased."),
     CLI_TAKES(CLI_LABEL), false, token_verb_init},
    {"pin change", N_("change the PIN of the token"),
     N_("Asks for the present PIN and twice for the new one, in the module's windows."), 0, false, pin_verb_change},
    {"pin unblock", N_("set a new PIN when the old one is lost or locked"),
     N_("Asks for the PIN of the security officer and twice for the user's new PIN, in the module's windows."), 0, false,
     pin_verb_unblock},
    {"policy explain", N_("say what the use of a key needs, and by which rule"),
     N_("Prints the level of a private key for a program: high (the PIN at every use), medium (a confirmation) or "
        "low (nothing more), the rule of the configuration that decides, and why the other rules that match do not. "
        "Logs in to the token, since its private keys cannot be seen otherwise."),
     CLI_TAKES(CLI_KEY) | CLI_TAKES(CLI_APP), false, policy_explain},
    {"log show", N_("show which program was allowed to use which key, and when"),
     N_("Shows the ledger: a line for each decision of the module, the newest last."),
     CLI_TAKES(CLI_LAST) | CLI_TAKES(CLI_FILE), false, log_show},
    {"log verify", N_("check that nothing in the ledger was changed or taken out"),
     N_("Follows the chain of hashes through the ledger and compares its end with FILE.head. Names the first line "
        "that is not as it was written, and why. Exit status 18 when there is one, 17 when there is no ledger."),
     CLI_TAKES(CLI_FILE), false, log_verify},
    {"agent status", N_("show whether pinward-agent runs, and which programs are connected"),
     N_("Shows the agent's process, where programs find it, what protects it, and every program that is connected. Exit "
        "status 17 when there is none."),
     0, false, agent_verb_status},
    {"agent stop", N_("end pinward-agent and every connection to it"),
     N_("Asks the agent to stop and waits until it has. What is being asked is withdrawn; programs that are connected get "
        "CKR_DEVICE_ERROR from then on. Where systemd holds the socket, the next program that connects starts it again."),
     0, false, agent_verb_stop},
    {0},
};
