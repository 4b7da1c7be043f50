#include "enroll/pfx_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/i18n.h"
#include "common/log.h"
#include "enroll/ask.h"
#include "enroll/certificate.h"
#include "enroll/file.h"
#include "enroll/import_journal.h"
#include "enroll/interrupt.h"
#include "enroll/pfx_export.h"
#include "enroll/pfx_pair.h"
#include "enroll/text.h"
#include "enroll/token_pair.h"
#include "enroll/wrap.h"

#define PFX_IMPORT_ID_LEN   20
#define PFX_IMPORT_NAME_MAX 64

struct pfx_import {
    struct app *app;
    struct pfx_pair pair;
    struct token *token;
    struct import_journal journal;
    bool resumed; /* an earlier run has begun */
};

/* ------------------------------------------------------------------ planning */

static bool pfx_import_fingerprint(const X509 *certificate, char hex[CODEC_SHA256_HEX_SIZE])
{
    unsigned char *der = NULL;
    const int len = i2d_X509(certificate, &der);

    if (len > 0) {
        codec_sha256_hex(der, (size_t)len, hex);
    }
    OPENSSL_free(der);
    return len > 0;
}

/* --name, else the name in the signing file, else what the person says. A new string. */
static enum error_code pfx_import_name(const struct pfx_import *import, char **name, struct error *err)
{
    static const char suffix[] = " (signing)";
    const char *inside = import->pair.signing.name;
    const size_t len = inside ? strlen(inside) : 0;

    if (import->app->options.name) {
        *name = strdup(import->app->options.name);
    } else if (len > sizeof suffix - 1 && strcmp(inside + len - (sizeof suffix - 1), suffix) == 0) {
        *name = strndup(inside, len - (sizeof suffix - 1));
    } else {
        return ask_line(_("Name for the keys:"), "--name NAME", name, err);
    }
    return *name ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
}

static enum error_code pfx_import_check_name(const char *name, struct error *err)
{
    char *clean = text_clean(name, false);
    const bool fit = clean && strcmp(clean, name) == 0 && name[0] && strlen(name) <= PFX_IMPORT_NAME_MAX;

    free(clean);
    return fit ? ERROR_NONE
               : error_set(err, ERROR_USAGE,
                           _("The name of the keys must be 1 to %d bytes of UTF-8 text on one line: give another with "
                             "--name."),
                           PFX_IMPORT_NAME_MAX);
}

static enum error_code pfx_import_check_label(struct pfx_import *import, enum token_use use, struct error *err)
{
    char *label = token_pair_label(import->journal.name, use);
    bool taken = false;
    enum error_code status = label ? token_has_label(import->token, label, &taken, err)
                                   : error_set(err, ERROR_MEMORY, "%s", "");

    if (status == ERROR_NONE && taken) {
        status =
            error_set(err, ERROR_STATE,
                      _("There is a key named \"%s\" on the token already: choose another name with --name."), label);
    }
    free(label);
    return status;
}

static enum error_code pfx_import_check_absent(struct pfx_import *import, const struct pfx *pfx, struct error *err)
{
    struct token_key key = {0};
    bool found = false;
    enum error_code status = token_find_key_of(import->token, X509_get0_pubkey(pfx->certificate), &found, &key, err);

    if (status == ERROR_NONE && found) {
        status = error_set(err, ERROR_STATE,
                           _("This key is on the token \"%s\" already, as \"%s\": nothing has to be imported."),
                           token_label(import->token), key.label);
    }
    token_key_clear(&key);
    return status;
}

static enum error_code pfx_import_new_id(char **id, struct error *err)
{
    unsigned char random[PFX_IMPORT_ID_LEN];

    if (RAND_bytes(random, sizeof random) != 1) {
        return error_set(err, ERROR_INTERNAL, _("The system gives no random numbers."));
    }
    *id = codec_hex_encode(random, sizeof random);
    return *id ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
}

static enum error_code pfx_import_note_files(struct pfx_import *import, struct error *err)
{
    char hex[CODEC_SHA256_HEX_SIZE];
    struct import_journal *journal = &import->journal;

    if (pfx_import_fingerprint(import->pair.signing.certificate, hex)) {
        journal->signing_fingerprint = strdup(hex);
    }
    if (pfx_import_fingerprint(import->pair.encryption.certificate, hex)) {
        journal->encryption_fingerprint = strdup(hex);
    }
    return journal->signing_fingerprint && journal->encryption_fingerprint ? ERROR_NONE
                                                                           : error_set(err, ERROR_MEMORY, "%s", "");
}

static enum error_code pfx_import_plan(struct pfx_import *import, struct error *err)
{
    struct import_journal *journal = &import->journal;
    enum error_code status = pfx_import_check_absent(import, &import->pair.signing, err);

    if (status == ERROR_NONE) {
        status = pfx_import_check_absent(import, &import->pair.encryption, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_import_name(import, &journal->name, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_import_check_name(journal->name, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_import_check_label(import, TOKEN_SIGNING, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_import_check_label(import, TOKEN_ENCRYPTION, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_import_new_id(&journal->signing_id, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_import_new_id(&journal->encryption_id, err);
    }
    return status == ERROR_NONE ? pfx_import_note_files(import, err) : status;
}

/* ------------------------------------------------------------------ writing */

static enum error_code pfx_import_key(struct pfx_import *import, enum token_use use, const char *hex_id,
                                      const struct pfx *pfx, struct error *err)
{
    struct bytes id = {0};
    char *label = token_pair_label(import->journal.name, use);
    struct token_key_spec spec = {.use = use, .id = &id, .label = label, .interrupted = import->resumed};
    struct token_key written = {0};
    bool found = false;
    enum error_code status = label && codec_hex_decode(hex_id, &id) ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");

    if (status == ERROR_NONE) {
        status = token_import_pair(import->token, pfx->key, &spec, err);
    }
    if (status == ERROR_NONE) {
        status = token_find_key_by_id(import->token, &id, &found, &written, err);
    }
    if (status == ERROR_NONE && (!found || EVP_PKEY_eq(written.pkey, pfx->key) != 1)) {
        status = error_set(err, ERROR_TOKEN, _("The token did not keep the key that was written: run the same command "
                                               "again."));
    }
    token_key_clear(&written);
    bytes_clear(&id);
    free(label);
    return status;
}

static enum error_code pfx_import_signing(struct pfx_import *import, struct error *err)
{
    return pfx_import_key(import, TOKEN_SIGNING, import->journal.signing_id, &import->pair.signing, err);
}

static enum error_code pfx_import_encryption(struct pfx_import *import, struct error *err)
{
    return pfx_import_key(import, TOKEN_ENCRYPTION, import->journal.encryption_id, &import->pair.encryption, err);
}

static enum error_code pfx_import_certificate(struct pfx_import *import, enum token_use use, const char *hex_id,
                                              const struct pfx *pfx, struct error *err)
{
    struct bytes id = {0};
    char *label = token_pair_label(import->journal.name, use);
    enum error_code status = label && codec_hex_decode(hex_id, &id)
                                 ? token_write_certificate(import->token, pfx->certificate, label, &id, err)
                                 : error_set(err, ERROR_MEMORY, "%s", "");

    bytes_clear(&id);
    free(label);
    return status;
}

static enum error_code pfx_import_chain(struct pfx_import *import, struct error *err)
{
    enum error_code status = ERROR_NONE;

    for (int i = 0; status == ERROR_NONE && i < sk_X509_num(import->pair.chain); i++) {
        X509 *ca = sk_X509_value(import->pair.chain, i);
        char *label = certificate_common_name(ca);
        struct bytes id = {0};

        status = label && certificate_key_id(ca, &id) ? token_write_certificate(import->token, ca, label, &id, err)
                                                      : error_set(err, ERROR_MEMORY, "%s", "");
        bytes_clear(&id);
        free(label);
    }
    return status;
}

static enum error_code pfx_import_certificates(struct pfx_import *import, struct error *err)
{
    enum error_code status =
        pfx_import_certificate(import, TOKEN_SIGNING, import->journal.signing_id, &import->pair.signing, err);

    if (status == ERROR_NONE) {
        status = pfx_import_certificate(import, TOKEN_ENCRYPTION, import->journal.encryption_id,
                                        &import->pair.encryption, err);
    }
    return status == ERROR_NONE ? pfx_import_chain(import, err) : status;
}

static const struct pfx_import_step {
    enum import_state reaches;
    const char *title;
    enum error_code (*run)(struct pfx_import *import, struct error *err);
} pfx_import_steps[] = {
    {IMPORT_PLANNED, N_("Looking whether the keys are on the token already."), pfx_import_plan},
    {IMPORT_SIGNING, N_("Writing the signing key to the token."), pfx_import_signing},
    {IMPORT_ENCRYPTION, N_("Writing the encryption key to the token."), pfx_import_encryption},
    {IMPORT_WRITTEN, N_("Writing the certificates to the token."), pfx_import_certificates},
};

static enum error_code pfx_import_run(struct pfx_import *import, struct error *err)
{
    for (size_t i = 0; i < sizeof pfx_import_steps / sizeof pfx_import_steps[0]; i++) {
        const struct pfx_import_step *step = &pfx_import_steps[i];
        enum error_code status;

        if (import->journal.state >= step->reaches) {
            continue;
        }
        if (interrupt_seen()) {
            return interrupt_error(err);
        }
        if (import->journal.state != IMPORT_NONE) {
            interrupt_left(_("Interrupted before the pair was all on the token: the same command, with the same files, goes "
                             "on where it was."));
        }
        printf("%s\n", _(step->title));
        fflush(stdout);
        status = step->run(import, err);
        if (status == ERROR_NONE) {
            import->journal.state = step->reaches;
            status = import_journal_save(&import->journal, err);
        }
        if (status != ERROR_NONE) {
            log_info("%s: %s", step->title, error_name(status));
            return status;
        }
    }
    return ERROR_NONE;
}

/* ------------------------------------------------------------------ an earlier run */

static enum error_code pfx_import_delete(struct token *token, const char *hex_id, struct error *err)
{
    struct bytes id = {0};
    enum error_code status;

    if (!codec_hex_decode(hex_id, &id)) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = token_delete_certificates(token, &id, err);
    if (status == ERROR_NONE) {
        status = token_delete_pair(token, &id, err);
    }
    bytes_clear(&id);
    return status;
}

/* --start-over: what an earlier run has written goes; the files still have it. */
static enum error_code pfx_import_discard(struct pfx_import *import, struct error *err)
{
    enum error_code status = pfx_import_delete(import->token, import->journal.signing_id, err);

    if (status == ERROR_NONE) {
        status = pfx_import_delete(import->token, import->journal.encryption_id, err);
    }
    if (status == ERROR_NONE) {
        status = import_journal_finish(&import->journal, err);
    }
    if (status == ERROR_NONE) {
        printf("%s\n", _("What was begun is forgotten."));
    }
    return status;
}

static enum error_code pfx_import_resume(struct pfx_import *import, struct error *err)
{
    const struct import_journal *journal = &import->journal;
    char signing[CODEC_SHA256_HEX_SIZE] = "";
    char encryption[CODEC_SHA256_HEX_SIZE] = "";

    if (journal->state == IMPORT_NONE) {
        return ERROR_NONE;
    }
    if (import->app->options.start_over) {
        return pfx_import_discard(import, err);
    }
    if (!pfx_import_fingerprint(import->pair.signing.certificate, signing) ||
        !pfx_import_fingerprint(import->pair.encryption.certificate, encryption)) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (strcmp(signing, journal->signing_fingerprint) != 0 || strcmp(encryption, journal->encryption_fingerprint) != 0) {
        return error_set(err, ERROR_STATE,
                         _("The import of other files, as \"%s\", was begun and is not complete: import those first, or "
                           "forget them with --start-over."),
                         journal->name);
    }
    import->resumed = true;
    printf("%s\n", _("Going on where an earlier run has stopped."));
    return ERROR_NONE;
}

/* ------------------------------------------------------------------ the verbs */

static enum error_code pfx_import_open(struct pfx_import *import, const char *signing, const char *encryption,
                                       struct error *err)
{
    enum error_code status = pfx_pair_open(import->app, signing, encryption, &import->pair, err);

    if (status == ERROR_NONE) {
        status = token_open(&import->app->config, &import->token, err);
    }
    if (status == ERROR_NONE) {
        status = import_journal_open(import->app->state_folder, token_serial(import->token), &import->journal, err);
    }
    return status == ERROR_NONE ? token_login(import->token, err) : status;
}

static enum error_code pfx_import_complete(struct pfx_import *import, struct error *err)
{
    struct app *app = import->app;
    char *signing = certificate_serial(import->pair.signing.certificate);
    char *encryption = certificate_serial(import->pair.encryption.certificate);

    output_note(&app->output, "name", output_text(import->journal.name));
    output_note(&app->output, "token", output_text(token_label(import->token)));
    output_note(&app->output, "signing_serial", json_string(signing ? signing : ""));
    output_note(&app->output, "encryption_serial", json_string(encryption ? encryption : ""));
    free(signing);
    free(encryption);
    wrap_say(stdout, _("The pair \"%s\" is on the token \"%s\", and every use of its keys needs the PIN. The keys that were imported "
             "cannot leave it again: keep the files.\n"),
           import->journal.name, token_label(import->token));
    return import_journal_finish(&import->journal, err);
}

static enum error_code pfx_import_files(struct app *app, const char *signing, const char *encryption, struct error *err)
{
    struct pfx_import import = {.app = app, .journal = {.lock = -1}};
    enum error_code status = pfx_import_open(&import, signing, encryption, err);

    if (status == ERROR_NONE) {
        status = pfx_import_resume(&import, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_import_run(&import, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_import_complete(&import, err);
    }
    import_journal_close(&import.journal);
    token_close(&import.token);
    pfx_pair_clear(&import.pair);
    return status;
}

enum error_code pfx_import(struct app *app, struct error *err)
{
    if (!app->options.signing || !app->options.encryption) {
        return error_set(err, ERROR_USAGE, _("Say which files are meant: --signing FILE and --encryption FILE."));
    }
    return pfx_import_files(app, app->options.signing, app->options.encryption, err);
}

enum error_code pfx_restore(struct app *app, struct error *err)
{
    char *signing = NULL;
    char *encryption = NULL;
    enum error_code status;

    if (!app->options.folder) {
        return error_set(err, ERROR_USAGE, _("Say which folder the backup is: --folder FOLDER."));
    }
    signing = file_join(app->options.folder, PFX_BACKUP_SIGNING);
    encryption = file_join(app->options.folder, PFX_BACKUP_ENCRYPTION);
    status = signing && encryption ? pfx_import_files(app, signing, encryption, err)
                                   : error_set(err, ERROR_MEMORY, "%s", "");
    free(signing);
    free(encryption);
    return status;
}
