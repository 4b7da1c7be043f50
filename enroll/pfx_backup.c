#include "enroll/pfx_export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "common/i18n.h"
#include "enroll/file.h"
#include "enroll/pfx_file.h"
#include "enroll/pfx_password.h"
#include "enroll/wrap.h"

static enum error_code pfx_backup_write_chain(const char *path, const STACK_OF(X509) * chain, struct error *err)
{
    BIO *memory = BIO_new(BIO_s_mem());
    struct pfx_file staged = {0};
    struct bytes pem = {0};
    char *data = NULL;
    bool ok = memory != NULL;
    enum error_code status;

    for (int i = 0; ok && i < sk_X509_num(chain); i++) {
        ok = PEM_write_bio_X509(memory, sk_X509_value(chain, i)) == 1;
    }
    ok = ok && bytes_set(&pem, "", 0);
    if (ok && BIO_get_mem_data(memory, &data) > 0) {
        ok = bytes_set(&pem, data, (size_t)BIO_get_mem_data(memory, &data));
    }
    BIO_free(memory);
    status = ok ? pfx_file_stage(path, &pem, &staged, err) : error_set(err, ERROR_MEMORY, "%s", "");
    if (status == ERROR_NONE) {
        status = pfx_file_publish(&staged, false, err);
    }
    pfx_file_drop(&staged);
    bytes_clear(&pem);
    return status;
}

static const char *const pfx_backup_names[] = {PFX_BACKUP_SIGNING, PFX_BACKUP_ENCRYPTION, PFX_BACKUP_CHAIN};

#define PFX_BACKUP_FILES 3

/* Everything into a folder that does not have its name yet. */
static enum error_code pfx_backup_fill(const struct app *app, struct pfx_take *take, const char *folder,
                                       const struct secret *password, struct error *err)
{
    char *paths[PFX_BACKUP_FILES] = {NULL};
    enum error_code status = ERROR_NONE;

    for (size_t i = 0; i < PFX_BACKUP_FILES; i++) {
        paths[i] = file_join(folder, pfx_backup_names[i]);
        status = paths[i] ? status : ERROR_MEMORY;
    }
    if (status == ERROR_NONE) {
        status = pfx_export_pair(app, take, password, paths[0], paths[1], err);
    }
    if (status == ERROR_NONE) {
        status = pfx_backup_write_chain(paths[2], take->pair.chain, err);
    }
    for (size_t i = 0; i < PFX_BACKUP_FILES; i++) {
        free(paths[i]);
    }
    return status;
}

static void pfx_backup_discard(const char *folder)
{
    for (size_t i = 0; i < PFX_BACKUP_FILES; i++) {
        char *path = file_join(folder, pfx_backup_names[i]);

        if (path) {
            (void)unlink(path);
        }
        free(path);
    }
    (void)rmdir(folder);
}

static enum error_code pfx_backup_folder(const struct app *app, struct pfx_take *take, const char *folder,
                                         const struct secret *password, struct error *err)
{
    char *staged = NULL;
    enum error_code status;

    if (asprintf(&staged, "%s.XXXXXX", folder) < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (!mkdtemp(staged)) { /* mode 0700 */
        free(staged);
        return error_set(err, ERROR_IO, _("The folder %s cannot be made: check the permissions of what it is to be in."),
                         folder);
    }
    status = pfx_backup_fill(app, take, staged, password, err);
    if (status == ERROR_NONE) {
        status = pfx_file_rename_folder(staged, folder, err);
    }
    if (status != ERROR_NONE) {
        pfx_backup_discard(staged);
    }
    free(staged);
    return status;
}

/* The folder's name without slashes at its end, in which a staged name would otherwise be. */
static enum error_code pfx_backup_target(const struct app *app, char **folder, struct error *err)
{
    char *name = app->options.folder ? strdup(app->options.folder) : NULL;
    enum error_code status;

    if (!name) {
        return error_set(err, ERROR_USAGE, _("Say which folder the backup is to be: --folder FOLDER."));
    }
    for (size_t len = strlen(name); len > 1 && name[len - 1] == '/'; len--) {
        name[len - 1] = '\0';
    }
    status = pfx_file_check_absent(name, err);
    if (status != ERROR_NONE) {
        free(name);
        return status;
    }
    *folder = name;
    return ERROR_NONE;
}

enum error_code pfx_backup(struct app *app, struct error *err)
{
    struct secret *password = NULL;
    struct pfx_take take = {0};
    char *folder = NULL;
    enum error_code status = pfx_backup_target(app, &folder, err);

    if (status == ERROR_NONE) {
        status = pfx_take_begin(app, &take, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_password_choose(app, _("Choose the password of the backup."), take.pair.name, &password, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_backup_folder(app, &take, folder, password, err);
    }
    if (status == ERROR_NONE) {
        output_note(&app->output, "folder", output_text(folder));
        pfx_export_note(app, &take, PFX_BACKUP_SIGNING, PFX_BACKUP_ENCRYPTION);
        wrap_say(stdout, _("The pair \"%s\" and its chain are in the folder %s, read back and checked. Whoever has it and its "
                 "password has the keys: keep both safe, and apart.\n"),
               take.pair.name, folder);
    }
    secret_free(&password);
    pfx_take_end(&take);
    free(folder);
    return status;
}
