#include "enroll/pfx_export.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "enroll/pfx_file.h"
#include "enroll/pfx_password.h"
#include "enroll/pfx_take.h"
#include "enroll/wrap.h"

/* ------------------------------------------------------------------ one file */

/* Reads back what is on disk, as whoever needs it will. */
static enum error_code pfx_export_check(const struct pfx_file *staged, const struct pfx *pfx,
                                        const struct secret *password, struct error *err)
{
    struct bytes file = {0};
    struct pfx back = {0};
    enum error_code status = pfx_file_read(staged->staged, &file, err);

    if (status == ERROR_NONE) {
        status = pfx_read(&file, staged->path, password, &back, err);
    }
    if (status == ERROR_NONE &&
        (EVP_PKEY_eq(back.key, pfx->key) != 1 || X509_cmp(back.certificate, pfx->certificate) != 0)) {
        status = error_set(err, ERROR_INTERNAL, _("What was written to %s does not read back as it was."), staged->path);
    }
    pfx_clear(&back);
    bytes_clear(&file);
    return status;
}

enum error_code pfx_export_stage(const char *path, const struct pfx *pfx, const struct secret *password,
                                 enum pfx_protection protection, struct pfx_file *staged, struct error *err)
{
    struct bytes file = {0};
    enum error_code status = pfx_make(pfx, password, protection, &file, err);

    if (status == ERROR_NONE) {
        status = pfx_file_stage(path, &file, staged, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_export_check(staged, pfx, password, err);
    }
    bytes_clear(&file);
    return status;
}

enum pfx_protection pfx_export_protection(const struct app *app)
{
    return app->options.legacy ? PFX_LEGACY : PFX_MODERN;
}

/* ------------------------------------------------------------------ both files */

/* Both get their names, or none. */
static enum error_code pfx_export_publish(struct pfx_file *signing, struct pfx_file *encryption, struct error *err)
{
    enum error_code status = pfx_file_publish(signing, false, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = pfx_file_publish(encryption, false, err);
    if (status != ERROR_NONE) {
        (void)unlink(signing->path);
    }
    return status;
}

enum error_code pfx_export_pair(const struct app *app, struct pfx_take *take, const struct secret *password,
                                const char *signing_path, const char *encryption_path, struct error *err)
{
    const enum pfx_protection protection = pfx_export_protection(app);
    struct pfx_file signing = {0};
    struct pfx_file encryption = {0};
    enum error_code status = pfx_take_keys(take, err);

    if (status == ERROR_NONE) {
        status = pfx_export_stage(signing_path, &take->signing, password, protection, &signing, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_export_stage(encryption_path, &take->encryption, password, protection, &encryption, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_export_publish(&signing, &encryption, err);
    }
    pfx_file_drop(&signing);
    pfx_file_drop(&encryption);
    return status;
}

void pfx_export_note(struct app *app, const struct pfx_take *take, const char *signing, const char *encryption)
{
    output_note(&app->output, "name", output_text(take->pair.name));
    output_note(&app->output, "token", output_text(token_label(take->token)));
    output_note(&app->output, "signing", output_text(signing));
    output_note(&app->output, "encryption", output_text(encryption));
    output_note(&app->output, "legacy", json_boolean(app->options.legacy));
}

static enum error_code pfx_export_check_targets(const struct app *app, struct error *err)
{
    const char *signing = app->options.signing;
    const char *encryption = app->options.encryption;
    enum error_code status;

    if (!signing || !encryption) {
        return error_set(err, ERROR_USAGE,
                         _("Say where the files are to be: --signing FILE and --encryption FILE."));
    }
    if (strcmp(signing, encryption) == 0) {
        return error_set(err, ERROR_USAGE, _("The signing key and the encryption key go into two files."));
    }
    status = pfx_file_check_absent(signing, err);
    return status == ERROR_NONE ? pfx_file_check_absent(encryption, err) : status;
}

enum error_code pfx_export(struct app *app, struct error *err)
{
    const char *signing = app->options.signing;
    const char *encryption = app->options.encryption;
    struct secret *password = NULL;
    struct pfx_take take = {0};
    enum error_code status = pfx_export_check_targets(app, err);

    if (status == ERROR_NONE) {
        status = pfx_take_begin(app, &take, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_password_choose(app, _("Choose the password of the PFX files."), take.pair.name, &password, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_export_pair(app, &take, password, signing, encryption, err);
    }
    if (status == ERROR_NONE) {
        pfx_export_note(app, &take, signing, encryption);
        wrap_say(stdout, _("The pair \"%s\" is in %s and %s, read back and checked. Whoever has these files and their password has "
                 "the keys: keep both safe, and apart.\n"),
               take.pair.name, signing, encryption);
    }
    secret_free(&password);
    pfx_take_end(&take);
    return status;
}
