#include "enroll/pfx_export.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"
#include "enroll/pfx_file.h"
#include "enroll/pfx_password.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

static enum error_code pfx_passwd_write(struct app *app, const char *path, const struct pfx *pfx, struct error *err)
{
    struct pfx_file staged = {0};
    struct secret *password = NULL;
    enum error_code status =
        pfx_password_choose(app, _("Choose the new password of the PFX file."), pfx->name, &password, err);

    if (status == ERROR_NONE) {
        status = pfx_export_stage(path, pfx, password, pfx_export_protection(app), &staged, err);
    }
    /* Until here the old file is the only one of that name; it stays whatever has failed. */
    if (status == ERROR_NONE) {
        status = pfx_file_publish(&staged, true, err);
    }
    pfx_file_drop(&staged);
    secret_free(&password);
    return status;
}

enum error_code pfx_passwd(struct app *app, struct error *err)
{
    const char *path = app->options.file;
    struct pfx pfx = {0};
    enum error_code status;

    if (!path) {
        return error_set(err, ERROR_USAGE, _("Say which PFX file is meant: --file FILE."));
    }
    status = pfx_protect(err);
    if (status == ERROR_NONE) {
        status = pfx_file_check_replaceable(path, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_password_open(app, path, NULL, &pfx, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_passwd_write(app, path, &pfx, err);
    }
    pfx_clear(&pfx);
    if (status == ERROR_NONE) {
        char *shown = text_clean(path, false);

        output_note(&app->output, "file", output_text(path));
        output_note(&app->output, "legacy", json_boolean(app->options.legacy));
        wrap_say(stdout, _("The file %s has its new password, read back and checked.\n"), shown ? shown : "");
        free(shown);
    }
    return status;
}
