#include "enroll/pfx_password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/i18n.h"
#include "enroll/ask.h"
#include "enroll/pfx_file.h"
#include "enroll/secret_file.h"
#include "enroll/text.h"

#define PFX_PASSWORD_TRIES    3
#define PFX_PASSWORD_MIN      12
#define PFX_PASSWORD_LONG     20 /* from here on the kinds of characters do not matter */
#define PFX_PASSWORD_DISTINCT 6
#define PFX_PASSWORD_CLASSES  3

/* Bits for lower case, upper case, digits and others; how many different characters there are. */
static void pfx_password_count(const struct secret *password, int *classes, int *distinct)
{
    const unsigned char *p = (const unsigned char *)secret_bytes(password);
    bool seen[128] = {false};
    bool class_seen[4] = {false};

    *classes = 0;
    *distinct = 0;
    for (size_t i = 0; i < secret_length(password); i++) {
        const int class = p[i] >= 'a' && p[i] <= 'z' ? 0 : p[i] >= 'A' && p[i] <= 'Z' ? 1 : p[i] >= '0' && p[i] <= '9' ? 2 : 3;

        *distinct += seen[p[i] & 127] ? 0 : 1;
        *classes += class_seen[class] ? 0 : 1;
        seen[p[i] & 127] = true;
        class_seen[class] = true;
    }
    secret_wipe(seen, sizeof seen);
}

/* Systems disagree on how other characters are written in a PFX (RFC 7292, B.1 wants UTF-16; PBES2 takes bytes). */
static bool pfx_password_is_plain(const struct secret *password)
{
    for (size_t i = 0; i < secret_length(password); i++) {
        if (secret_bytes(password)[i] < 0x20 || secret_bytes(password)[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

const char *pfx_password_fault(const struct secret *password, const char *name)
{
    int classes;
    int distinct;

    if (!pfx_password_is_plain(password)) {
        return _("Use letters A to Z, digits and signs of the keyboard only: other systems read others differently.");
    }
    if (secret_length(password) < PFX_PASSWORD_MIN) {
        return _("The password must have at least 12 characters.");
    }
    pfx_password_count(password, &classes, &distinct);
    if (distinct < PFX_PASSWORD_DISTINCT) {
        return _("The password must have at least 6 different characters.");
    }
    if (classes < PFX_PASSWORD_CLASSES && secret_length(password) < PFX_PASSWORD_LONG) {
        return _("The password must have three of: small letters, capitals, digits, other signs; or at least 20 "
                 "characters.");
    }
    if (name && name[0] && strcasestr(secret_bytes(password), name)) {
        return _("The password must not contain the name of the keys.");
    }
    return NULL;
}

static enum error_code pfx_password_from_file(const struct app *app, const char *name, struct secret **password,
                                              struct error *err)
{
    struct secret *read = NULL;
    enum error_code status = secret_file_read(app->options.new_password_file, &read, err);
    const char *fault = status == ERROR_NONE ? pfx_password_fault(read, name) : NULL;

    if (fault) {
        status = error_set(err, ERROR_USAGE, "%s", fault);
    }
    if (status != ERROR_NONE) {
        secret_free(&read);
        return status;
    }
    *password = read;
    return ERROR_NONE;
}

enum error_code pfx_password_choose(const struct app *app, const char *what, const char *name,
                                    struct secret **password, struct error *err)
{
    const char *rules = _("At least 12 characters; of small letters, capitals, digits and other signs three kinds.");
    const char *fault = NULL;
    char *text = NULL;
    enum error_code status = ERROR_NONE;

    if (app->options.new_password_file) {
        return pfx_password_from_file(app, name, password, err);
    }
    if (asprintf(&text, "%s\n%s", what, rules) < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    for (int tries = 0; tries < PFX_PASSWORD_TRIES; tries++) {
        struct secret *typed = NULL;

        status = ask_new_password(&app->config, text, fault, &typed, err);
        if (status != ERROR_NONE) {
            break;
        }
        fault = pfx_password_fault(typed, name);
        if (!fault) {
            *password = typed;
            break;
        }
        secret_free(&typed);
        status = error_set(err, ERROR_USAGE, "%s", fault);
    }
    free(text);
    return status;
}

/* One password that is typed or read from --password-file. */
static enum error_code pfx_password_ask(const struct app *app, const char *path, const char *problem,
                                        struct secret **password, struct error *err)
{
    char *shown;
    char *text = NULL;
    enum error_code status;

    if (app->options.password_file) {
        return secret_file_read(app->options.password_file, password, err);
    }
    shown = text_clean(path, false);
    if (!shown || asprintf(&text, _("Open the file %s."), shown) < 0) {
        free(shown);
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = ask_password(&app->config, text, _("Password of the file:"), problem, password, err);
    free(shown);
    free(text);
    return status;
}

static enum error_code pfx_password_open_asking(const struct app *app, const char *path, const struct bytes *file,
                                                struct secret **password, struct pfx *pfx, struct error *err)
{
    const int tries = app->options.password_file ? 1 : PFX_PASSWORD_TRIES;
    enum error_code status = ERROR_LOGIN;

    for (int i = 0; i < tries && status == ERROR_LOGIN; i++) {
        struct secret *typed = NULL;

        status = pfx_password_ask(app, path, i > 0 ? _("The password was wrong.") : NULL, &typed, err);
        if (status == ERROR_NONE) {
            status = pfx_read(file, path, typed, pfx, err);
        }
        if (status == ERROR_NONE && password) {
            secret_free(password);
            *password = typed;
            typed = NULL;
        }
        secret_free(&typed);
    }
    return status;
}

enum error_code pfx_password_open(const struct app *app, const char *path, struct secret **password, struct pfx *pfx,
                                  struct error *err)
{
    struct bytes file = {0};
    enum error_code status = pfx_file_read(path, &file, err);

    if (status == ERROR_NONE) {
        /* What is no PFX at all is not worth a password. */
        status = password && *password ? pfx_read(&file, path, *password, pfx, err) : pfx_look(&file, path, err);
    }
    if ((status == ERROR_NONE && !(password && *password)) || status == ERROR_LOGIN) {
        status = pfx_password_open_asking(app, path, &file, password, pfx, err);
    }
    bytes_clear(&file);
    return status;
}
