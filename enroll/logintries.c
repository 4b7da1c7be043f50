#include "enroll/logintries.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/i18n.h"
#include "enroll/file.h"
#include "enroll/lock.h"

#define LOGINTRIES_FILE     "login-tries.json"
#define LOGINTRIES_LOCK     "login-tries.lock"
#define LOGINTRIES_FILE_MAX 65536
#define LOGINTRIES_WAIT_MS  5000 /* the lock is held for one small file's writing */

/* The file's one object: portal's address, blank, account -> wrong passwords in a row. */
static enum error_code logintries_load(const struct app *app, json_t **counts, struct error *err)
{
    char *path = file_join(app->state_folder, LOGINTRIES_FILE);
    struct bytes text = {0};
    bool found = false;
    json_t *json;
    enum error_code status;

    if (!path) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = file_read_private(path, LOGINTRIES_FILE_MAX, &found, &text, err);
    if (status == ERROR_NONE) {
        json = found ? json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL)
                     : json_object();
        if (json_is_object(json)) {
            *counts = json;
        } else {
            /* Not knowing how many tries are spent, none may be made. */
            json_decref(json);
            status = error_set(
                err, ERROR_LOCKED,
                _("The count of wrong passwords in %s is damaged: make sure that your password is right, "
                  "remove the file, and try again."),
                path);
        }
    }
    bytes_clear(&text);
    free(path);
    return status;
}

static enum error_code logintries_store(const struct app *app, const json_t *counts, struct error *err)
{
    char *path = file_join(app->state_folder, LOGINTRIES_FILE);
    char *text = json_dumps(counts, JSON_INDENT(2) | JSON_SORT_KEYS);
    enum error_code status;

    status = path && text ? file_write_private(path, text, strlen(text), err)
                          : error_set(err, ERROR_MEMORY, "%s", "");
    free(text);
    free(path);
    return status;
}

static char *logintries_key(const struct app *app, const char *account)
{
    char *key = NULL;

    return asprintf(&key, "%s %s", app->config.portal.url, account) < 0 ? NULL : key;
}

/* A damaged entry counts as the last try. */
static int logintries_get(const json_t *counts, const char *key)
{
    const json_t *count = json_object_get(counts, key);

    if (!count) {
        return 0;
    }
    return json_is_integer(count) && json_integer_value(count) >= 0 &&
                   json_integer_value(count) < LOGINTRIES_LOCK_AT
               ? (int)json_integer_value(count)
               : LOGINTRIES_LOCK_AT;
}

static enum error_code logintries_judge(const struct app *app, const char *account, int count,
                                        struct error *err)
{
    if (count >= LOGINTRIES_LOCK_AT - 1 && !app->options.last_try) {
        return error_set(
            err, ERROR_LOCKED,
            _("Two wrong passwords have been given for account %s and a third would lock it: ask the "
              "registration authority, or be sure of the password and add --last-try."),
            account);
    }
    return ERROR_NONE;
}

/* Changes one count under the lock: judge first if asked to, then set it (set < 0: add one; 0: forget). */
static enum error_code logintries_update(const struct app *app, const char *account, bool judge, int set,
                                         struct error *err)
{
    char *lock_path = file_join(app->state_folder, LOGINTRIES_LOCK);
    char holder[LOCK_HOLDER_SIZE];
    char *key = logintries_key(app, account);
    json_t *counts = NULL;
    enum error_code status;
    int lock = -1;
    int count;

    if (!lock_path || !key) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    status = lock_take(lock_path, LOGINTRIES_WAIT_MS, &lock, holder, err);
    if (status == ERROR_STATE) {
        error_set(err, status, _("Another pinward (%s) is counting a password try: try again when it has ended."), holder);
    }
    if (status != ERROR_NONE) {
        goto out;
    }
    status = logintries_load(app, &counts, err);
    if (status != ERROR_NONE) {
        goto out;
    }
    count = logintries_get(counts, key);
    status = judge ? logintries_judge(app, account, count, err) : ERROR_NONE;
    if (status != ERROR_NONE) {
        goto out;
    }
    if (set == 0) {
        json_object_del(counts, key);
    } else {
        json_object_set_new(counts, key, json_integer(set < 0 ? count + 1 : set));
    }
    status = logintries_store(app, counts, err);
out:
    if (lock >= 0) {
        close(lock);
    }
    json_decref(counts);
    free(key);
    free(lock_path);
    return status;
}

enum error_code logintries_check(const struct app *app, const char *account, struct error *err)
{
    char *key = logintries_key(app, account);
    json_t *counts = NULL;
    enum error_code status;

    if (!key) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = logintries_load(app, &counts, err);
    if (status == ERROR_NONE) {
        status = logintries_judge(app, account, logintries_get(counts, key), err);
    }
    json_decref(counts);
    free(key);
    return status;
}

enum error_code logintries_begin(const struct app *app, const char *account, struct error *err)
{
    return logintries_update(app, account, true, -1, err);
}

/* How many are counted now, for a try whose outcome does not say so. */
static int logintries_counted(const struct app *app, const char *account)
{
    char *key = logintries_key(app, account);
    json_t *counts = NULL;
    int count = LOGINTRIES_LOCK_AT;

    if (key && logintries_load(app, &counts, NULL) == ERROR_NONE) {
        count = logintries_get(counts, key);
    }
    json_decref(counts);
    free(key);
    return count;
}

enum error_code logintries_end(const struct app *app, const char *account, enum error_code outcome,
                               const struct problem *problem, struct error *err)
{
    int counted = logintries_counted(app, account);

    if (outcome == ERROR_NONE) {
        return logintries_update(app, account, false, 0, err);
    }
    if (problem_is(problem, "login-failed")) {
        int left = problem->tries_left >= 0 ? problem->tries_left : LOGINTRIES_LOCK_AT - counted;

        if (LOGINTRIES_LOCK_AT - left > counted) { /* others have tried too */
            (void)logintries_update(app, account, false, LOGINTRIES_LOCK_AT - left, NULL);
        }
        return error_set(
            err, ERROR_LOGIN,
            left == 1 ? _("The password was wrong: one try is left, and pinward will not use it without "
                          "--last-try.")
                      : _("The password was wrong: %d tries are left before the account is locked."),
            left);
    }
    if (problem_is(problem, "account-locked")) {
        /* From here the portal guards the account; once it is unlocked, counting starts anew. */
        (void)logintries_update(app, account, false, 0, NULL);
    } else if (outcome == ERROR_TLS || (problem->status >= 400 && problem->status < 500)) {
        /* The portal has not looked at the password: the try is given back. */
        (void)logintries_update(app, account, false, counted > 0 ? counted - 1 : 0, NULL);
    }
    return outcome;
}
