/* The topics of "pinward help": what leads through several verbs, or to programs that are not Pinward's. */
#include <stdio.h>
#include <stdlib.h>

#include "common/config.h"
#include "common/error.h"
#include "common/i18n.h"
#include "enroll/cli_help.h"
#include "enroll/text.h"
#include "enroll/token_admin.h"
#include "enroll/wrap.h"

#define CLI_STEP_COLUMNS 34

/* A paragraph, with an empty line behind it. */
static void cli_topic_say(FILE *out, const char *text)
{
    const size_t columns = wrap_columns(out);

    wrap_print(out, text, columns > 0 ? columns : WRAP_COLUMNS, 0);
    fputs("\n\n", out);
}

static void cli_topic_step(FILE *out, const char *command, const char *text)
{
    const size_t columns = wrap_columns(out);

    fputs("  ", out);
    text_print_cell(out, command, CLI_STEP_COLUMNS);
    wrap_print(out, text, columns > 0 ? columns : WRAP_COLUMNS, CLI_STEP_COLUMNS + 2);
    fputc('\n', out);
}

static void cli_topic_first_time(FILE *out)
{
    cli_topic_say(out, _("You need the password sheet from the registration authority (account, first password, address of "
                         "the portal) and the portal's root certificate as a file. Then, one after the other:"));
    cli_topic_step(out, "pinward help configuration", _("says how to write both into a file"));
    cli_topic_step(out, "pinward doctor", _("says what is still missing, and the command that mends it"));
    cli_topic_step(out, "pinward token init --label NAME", _("makes a token, where your keys will live, and its PIN"));
    cli_topic_step(out, "pinward login", _("account, first password, captcha; then a password of your own"));
    cli_topic_step(out, "pinward apply", _("you accept the terms; both key pairs are made on the token"));
    cli_topic_step(out, "pinward status", _("shows the certificates as soon as the registration authority has issued them"));
    cli_topic_step(out, "pinward activate", _("writes them to the token; they can be used from now on"));
    cli_topic_step(out, "pinward help signing", _("says how to sign a file with them"));
}

static void cli_topic_configuration(FILE *out)
{
    cli_topic_say(out, _("The file is ~/.config/pinward/pinward.conf (or, for everybody on this machine, "
                         "/etc/pinward/pinward.conf); write it with any text editor. The address of the portal is on your password "
                         "sheet; the file of its root certificate comes from the registration authority, and its path "
                         "begins with /. The folder has to be there first:"));
    fputs("    mkdir -p ~/.config/pinward\n\n", out);
    cli_topic_say(out, _("What stands in the file:"));
    fputs("    [portal]\n"
          "    url = https://portal.example\n"
          "    ca-file = /home/USER/portal-root.pem\n\n", out);
    cli_topic_say(out, _("With several tokens, also say which one holds your keys:"));
    fputs("    [token]\n"
          "    label = NAME\n\n", out);
    cli_topic_say(out, _("Nobody but you may be able to change the file. man pinward.conf has every key."));
}

/* The commands of the signing topic, with what is known of this user's world filled in. */
static void cli_topic_commands(FILE *out, const char *module, const char *url, const char *ca_file)
{
    cli_topic_say(out, _("openssl wants the certificates as files. Fetch yours from the token and the portal's chain, once "
                         "(NAME is the name that you gave your keys):"));
    fprintf(out,
            "    export PKCS11_MODULE_PATH=%s\n"
            "    pkcs11-tool --module \"$PKCS11_MODULE_PATH\" --read-object --type cert \\\n"
            "        --label 'NAME (signing)' --output-file me.der\n"
            "    openssl x509 -inform DER -in me.der -out me.pem\n"
            "    curl --cacert %s \\\n"
            "        --output chain.pem %s/api/v1/ca\n\n", module, ca_file, url);
    cli_topic_say(out, _("Sign a file. A window asks for the PIN, and says what for:"));
    fputs("    openssl cms -sign -engine pkcs11 -keyform engine \\\n"
          "        -inkey 'pkcs11:object=NAME%20(signing);type=private' -signer me.pem \\\n"
          "        -certfile chain.pem -binary -in FILE -outform DER -out FILE.p7s\n\n", out);
    cli_topic_say(out, _("A blank in NAME is written %20 there."));
    cli_topic_say(out, _("Check the signature, as whoever gets it can:"));
    fprintf(out,
            "    openssl cms -verify -binary -inform DER -in FILE.p7s -content FILE \\\n"
            "        -CAfile %s -purpose smimesign -out /dev/null\n\n", ca_file);
}

static void cli_topic_signing(FILE *out)
{
    struct config config = {0};
    const bool known = config_load(&config, NULL) == ERROR_NONE;
    char *module = token_module_path(&config);

    cli_topic_say(out, _("Every program that speaks PKCS#11 (mail, browsers, office programs, ssh) can use your keys: where "
                         "it asks for a module, or a security device, give it this file:"));
    fprintf(out, "    %s\n\n", module ? module : "pinward-pkcs11.so");
    cli_topic_commands(out, module ? module : "pinward-pkcs11.so",
                       config.portal.url ? config.portal.url : "https://portal.example",
                       config.portal.ca_file ? config.portal.ca_file : "portal-root.pem");
    cli_topic_say(out, _("These commands are in the Debian packages opensc, openssl, libengine-pkcs11-openssl and curl."));
    cli_topic_step(out, "pinward doctor --app PROGRAM", _("says how another program comes to the module, and how often it asks"));
    free(module);
    if (known) {
        config_clear(&config);
    }
}

static void cli_topic_exit_status(FILE *out)
{
    for (int code = ERROR_NONE; code < ERROR_COUNT; code++) {
        fprintf(out, "  %2d  %s\n", error_exit_code((enum error_code)code), error_meaning((enum error_code)code));
    }
}

const struct cli_topic cli_topics[] = {
    {"first-time", N_("from nothing to a signed file, step by step"), cli_topic_first_time},
    {"configuration", N_("the file that says where the portal is"), cli_topic_configuration},
    {"signing", N_("how programs use the keys; a file signed with openssl"), cli_topic_signing},
    {"exit-status", N_("what the exit status says, for scripts"), cli_topic_exit_status},
    {0},
};
