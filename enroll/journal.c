#include "enroll/journal.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "enroll/codec.h"
#include "enroll/file.h"
#include "enroll/lock.h"
#include "enroll/text.h"

#define JOURNAL_VERSION  1
#define JOURNAL_FILE_MAX 262144

static const char *const journal_state_names[] = {
    [JOURNAL_PLANNED] = "planned",     [JOURNAL_KEYED] = "keyed",         [JOURNAL_REQUESTED] = "requested",
    [JOURNAL_SUBMITTED] = "submitted", [JOURNAL_ACTIVATED] = "activated", [JOURNAL_WRITTEN] = "written",
};

enum journal_form { JOURNAL_TEXT, JOURNAL_HEX, JOURNAL_UUID, JOURNAL_BASE64 };

/* Every string of the journal: its name in the file, where it is, its form, and from which state on it must
 * be there. */
static const struct journal_field {
    const char *name;
    size_t offset;
    enum journal_form form;
    enum journal_state needed_from;
} journal_fields[] = {
    {"account", offsetof(struct journal, account), JOURNAL_TEXT, JOURNAL_PLANNED},
    {"token_label", offsetof(struct journal, token_label), JOURNAL_TEXT, JOURNAL_PLANNED},
    {"token_serial", offsetof(struct journal, token_serial), JOURNAL_TEXT, JOURNAL_PLANNED},
    {"signing_id", offsetof(struct journal, signing_id), JOURNAL_HEX, JOURNAL_PLANNED},
    {"signing_label", offsetof(struct journal, signing_label), JOURNAL_TEXT, JOURNAL_PLANNED},
    {"encryption_id", offsetof(struct journal, encryption_id), JOURNAL_HEX, JOURNAL_PLANNED},
    {"encryption_label", offsetof(struct journal, encryption_label), JOURNAL_TEXT, JOURNAL_PLANNED},
    {"request_id", offsetof(struct journal, request_id), JOURNAL_UUID, JOURNAL_PLANNED},
    {"activation_id", offsetof(struct journal, activation_id), JOURNAL_UUID, JOURNAL_PLANNED},
    {"terms_version", offsetof(struct journal, terms_version), JOURNAL_TEXT, JOURNAL_NONE},
    {"terms_sha256", offsetof(struct journal, terms_sha256), JOURNAL_HEX, JOURNAL_NONE},
    {"request", offsetof(struct journal, request), JOURNAL_BASE64, JOURNAL_NONE},
    {"application_id", offsetof(struct journal, application_id), JOURNAL_UUID, JOURNAL_SUBMITTED},
    {"old_signing_serial", offsetof(struct journal, old_signing_serial), JOURNAL_TEXT, JOURNAL_NONE},
    {"old_encryption_serial", offsetof(struct journal, old_encryption_serial), JOURNAL_TEXT, JOURNAL_NONE},
};

#define JOURNAL_FIELD_COUNT (sizeof journal_fields / sizeof journal_fields[0])

static char **journal_string(const struct journal *journal, const struct journal_field *field)
{
    return (char **)(void *)((char *)journal + field->offset);
}

static void journal_clear_fields(struct journal *journal)
{
    for (size_t i = 0; i < JOURNAL_FIELD_COUNT; i++) {
        char **string = journal_string(journal, &journal_fields[i]);

        free(*string);
        *string = NULL;
    }
    json_decref(journal->registration);
    journal->registration = NULL;
    journal->state = JOURNAL_NONE;
    journal->renewal = false;
    journal->exportable = false;
}

static bool journal_form_valid(enum journal_form form, const char *text)
{
    struct bytes bytes = {0};
    bool ok = true;

    if (form == JOURNAL_UUID) {
        return codec_uuid_valid(text);
    }
    if (form == JOURNAL_HEX) {
        ok = codec_hex_decode(text, &bytes) && bytes.len > 0;
    } else if (form == JOURNAL_BASE64) {
        ok = codec_base64_decode(text, &bytes) && bytes.len > 0;
    }
    bytes_clear(&bytes);
    return ok;
}

static bool journal_read_state(const json_t *json, enum journal_state *state)
{
    const char *name = json_string_value(json_object_get(json, "state"));

    for (int i = JOURNAL_PLANNED; name && i <= JOURNAL_WRITTEN; i++) {
        if (strcmp(journal_state_names[i], name) == 0) {
            *state = (enum journal_state)i;
            return true;
        }
    }
    return false;
}

/* One string; what is wrong is its name. */
static bool journal_read_field(const json_t *json, const struct journal_field *field, struct journal *journal)
{
    const json_t *value = json_object_get(json, field->name);
    bool needed = field->needed_from != JOURNAL_NONE && journal->state >= field->needed_from;

    if (!value) {
        return !needed;
    }
    if (!json_is_string(value) || !journal_form_valid(field->form, json_string_value(value))) {
        return false;
    }
    *journal_string(journal, field) = strdup(json_string_value(value));
    return *journal_string(journal, field) != NULL;
}

/* Fills the journal; returns the member that is wrong, NULL: none. */
static const char *journal_read(const json_t *json, struct journal *journal)
{
    const json_t *renewal = json_object_get(json, "renewal");

    if (json_integer_value(json_object_get(json, "version")) != JOURNAL_VERSION) {
        return "version";
    }
    if (!journal_read_state(json, &journal->state)) {
        return "state";
    }
    if (!json_is_boolean(renewal)) {
        return "renewal";
    }
    journal->renewal = json_is_true(renewal);
    journal->exportable = json_is_true(json_object_get(json, "exportable"));
    for (size_t i = 0; i < JOURNAL_FIELD_COUNT; i++) {
        if (!journal_read_field(json, &journal_fields[i], journal)) {
            return journal_fields[i].name;
        }
    }
    journal->registration = json_incref(json_object_get(json, "registration"));
    return json_is_object(journal->registration) ? NULL : "registration";
}

static enum error_code journal_load(struct journal *journal, struct error *err)
{
    struct bytes text = {0};
    bool found = false;
    json_error_t why = {0};
    const char *wrong;
    json_t *json;
    enum error_code status = file_read_private(journal->path, JOURNAL_FILE_MAX, &found, &text, err);

    if (status != ERROR_NONE || !found) {
        return status;
    }
    json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &why);
    text_clean_in_place(why.text); /* it quotes the file */
    wrong = json ? journal_read(json, journal) : why.text;
    json_decref(json);
    bytes_clear(&text);
    if (wrong) {
        journal_clear_fields(journal);
        return error_set(
            err, ERROR_STATE,
            _("The journal %s is damaged (%s): put back a good copy of it, or move it away; then pinward "
              "activate completes an application that was already sent."),
            journal->path, wrong);
    }
    return ERROR_NONE;
}

/* The file's name must not show the account, nor hold what a file name cannot. */
static char *journal_path(const char *folder, const char *portal, const char *account, const char *suffix)
{
    char digest[CODEC_SHA256_HEX_SIZE];
    char *both = NULL;
    char *path = NULL;

    if (asprintf(&both, "%s %s", portal, account) < 0) {
        return NULL;
    }
    codec_sha256_hex(both, strlen(both), digest);
    free(both);
    return asprintf(&path, "%s/enrollment-%.16s.%s", folder, digest, suffix) < 0 ? NULL : path;
}

enum error_code journal_open(const char *folder, const char *portal, const char *account,
                             struct journal *journal, struct error *err)
{
    struct journal opened = {.lock = -1};
    char *lock_path = journal_path(folder, portal, account, "lock");
    char holder[LOCK_HOLDER_SIZE];
    enum error_code status;

    opened.path = journal_path(folder, portal, account, "json");
    if (!opened.path || !lock_path) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    status = lock_take(lock_path, 0, &opened.lock, holder, err);
    if (status == ERROR_STATE) {
        error_set(err, status,
                  _("Another pinward (%s) is at work for this account: wait until it has ended, then try again."), holder);
    }
    if (status == ERROR_NONE) {
        status = journal_load(&opened, err);
    }
out:
    free(lock_path);
    if (status != ERROR_NONE) {
        journal_close(&opened);
        return status;
    }
    *journal = opened;
    return ERROR_NONE;
}

enum error_code journal_set(char **field, const char *value, struct error *err)
{
    char *copy = value ? strdup(value) : NULL;

    if (value && !copy) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    free(*field);
    *field = copy;
    return ERROR_NONE;
}

static json_t *journal_json(const struct journal *journal)
{
    json_t *json = json_pack("{s:i, s:s, s:b, s:b, s:O}", "version", JOURNAL_VERSION, "state",
                             journal_state_names[journal->state], "renewal", journal->renewal, "exportable",
                             journal->exportable, "registration", journal->registration);

    for (size_t i = 0; json && i < JOURNAL_FIELD_COUNT; i++) {
        const char *value = *journal_string(journal, &journal_fields[i]);

        if (value && json_object_set_new(json, journal_fields[i].name, json_string(value)) != 0) {
            json_decref(json);
            json = NULL;
        }
    }
    return json;
}

enum error_code journal_save(const struct journal *journal, struct error *err)
{
    json_t *json = journal_json(journal);
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    enum error_code status = text ? file_write_private(journal->path, text, strlen(text), err)
                                  : error_set(err, ERROR_MEMORY, "%s", "");

    free(text);
    json_decref(json);
    return status;
}

enum error_code journal_finish(struct journal *journal, struct error *err)
{
    enum error_code status = file_remove(journal->path, err);

    if (status == ERROR_NONE) {
        journal_clear_fields(journal);
    }
    return status;
}

void journal_close(struct journal *journal)
{
    journal_clear_fields(journal);
    if (journal->path && journal->lock >= 0) {
        close(journal->lock);
    }
    free(journal->path);
    memset(journal, 0, sizeof *journal);
    journal->lock = -1;
}
