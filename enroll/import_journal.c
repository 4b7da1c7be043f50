#include "enroll/import_journal.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/i18n.h"
#include "enroll/file.h"
#include "enroll/lock.h"
#include "enroll/text.h"

#define IMPORT_VERSION  1
#define IMPORT_FILE_MAX 16384

static const char *const import_state_names[] = {
    [IMPORT_PLANNED] = "planned",
    [IMPORT_SIGNING] = "signing",
    [IMPORT_ENCRYPTION] = "encryption",
    [IMPORT_WRITTEN] = "written",
};

/* Every string of the journal; all are needed from the first state on. */
static const struct import_field {
    const char *name;
    size_t offset;
    bool hex;
} import_fields[] = {
    {"name", offsetof(struct import_journal, name), false},
    {"signing_id", offsetof(struct import_journal, signing_id), true},
    {"encryption_id", offsetof(struct import_journal, encryption_id), true},
    {"signing_fingerprint", offsetof(struct import_journal, signing_fingerprint), true},
    {"encryption_fingerprint", offsetof(struct import_journal, encryption_fingerprint), true},
};

#define IMPORT_FIELD_COUNT (sizeof import_fields / sizeof import_fields[0])

static char **import_string(const struct import_journal *journal, const struct import_field *field)
{
    return (char **)(void *)((char *)journal + field->offset);
}

static void import_clear_fields(struct import_journal *journal)
{
    for (size_t i = 0; i < IMPORT_FIELD_COUNT; i++) {
        char **string = import_string(journal, &import_fields[i]);

        free(*string);
        *string = NULL;
    }
    journal->state = IMPORT_NONE;
}

static bool import_read_field(const json_t *json, const struct import_field *field, struct import_journal *journal)
{
    const char *value = json_string_value(json_object_get(json, field->name));
    struct bytes bytes = {0};
    bool ok = value && value[0] && (!field->hex || codec_hex_decode(value, &bytes));

    bytes_clear(&bytes);
    if (ok) {
        *import_string(journal, field) = strdup(value);
    }
    return ok && *import_string(journal, field);
}

/* Fills the journal; returns the member that is wrong, NULL: none. */
static const char *import_read(const json_t *json, struct import_journal *journal)
{
    const char *state = json_string_value(json_object_get(json, "state"));

    if (json_integer_value(json_object_get(json, "version")) != IMPORT_VERSION) {
        return "version";
    }
    for (int i = IMPORT_PLANNED; state && i <= IMPORT_WRITTEN; i++) {
        if (strcmp(import_state_names[i], state) == 0) {
            journal->state = (enum import_state)i;
        }
    }
    if (journal->state == IMPORT_NONE) {
        return "state";
    }
    for (size_t i = 0; i < IMPORT_FIELD_COUNT; i++) {
        if (!import_read_field(json, &import_fields[i], journal)) {
            return import_fields[i].name;
        }
    }
    return NULL;
}

static enum error_code import_load(struct import_journal *journal, struct error *err)
{
    struct bytes text = {0};
    bool found = false;
    json_error_t why = {0};
    const char *wrong;
    json_t *json;
    enum error_code status = file_read_private(journal->path, IMPORT_FILE_MAX, &found, &text, err);

    if (status != ERROR_NONE || !found) {
        return status;
    }
    json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &why);
    text_clean_in_place(why.text); /* it quotes the file */
    wrong = json ? import_read(json, journal) : why.text;
    json_decref(json);
    bytes_clear(&text);
    if (!wrong) {
        return ERROR_NONE;
    }
    import_clear_fields(journal);
    return error_set(err, ERROR_STATE,
                     _("The journal %s is damaged (%s): put back a good copy of it, or move it away and remove from the "
                       "token what was half imported."),
                     journal->path, wrong);
}

static char *import_path(const char *folder, const char *token_serial, const char *suffix)
{
    char digest[CODEC_SHA256_HEX_SIZE];
    char *path = NULL;

    codec_sha256_hex(token_serial, strlen(token_serial), digest);
    return asprintf(&path, "%s/import-%.16s.%s", folder, digest, suffix) < 0 ? NULL : path;
}

enum error_code import_journal_open(const char *folder, const char *token_serial, struct import_journal *journal,
                                    struct error *err)
{
    struct import_journal opened = {.lock = -1};
    char *lock_path = import_path(folder, token_serial, "lock");
    char holder[LOCK_HOLDER_SIZE];
    enum error_code status;

    opened.path = import_path(folder, token_serial, "json");
    if (!opened.path || !lock_path) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    status = lock_take(lock_path, 0, &opened.lock, holder, err);
    if (status == ERROR_STATE) {
        error_set(err, status, _("Another pinward (%s) imports to this token: wait until it has ended, then try again."),
                  holder);
    }
    if (status == ERROR_NONE) {
        status = import_load(&opened, err);
    }
out:
    free(lock_path);
    if (status != ERROR_NONE) {
        import_journal_close(&opened);
        return status;
    }
    *journal = opened;
    return ERROR_NONE;
}

enum error_code import_journal_save(const struct import_journal *journal, struct error *err)
{
    json_t *json = json_pack("{s:i, s:s}", "version", IMPORT_VERSION, "state", import_state_names[journal->state]);
    bool ok = json != NULL;
    char *text;
    enum error_code status;

    for (size_t i = 0; ok && i < IMPORT_FIELD_COUNT; i++) {
        ok = json_object_set_new(json, import_fields[i].name,
                                 json_string(*import_string(journal, &import_fields[i]))) == 0;
    }
    text = ok ? json_dumps(json, JSON_INDENT(2)) : NULL;
    status = text ? file_write_private(journal->path, text, strlen(text), err)
                  : error_set(err, ERROR_MEMORY, "%s", "");
    free(text);
    json_decref(json);
    return status;
}

enum error_code import_journal_finish(struct import_journal *journal, struct error *err)
{
    enum error_code status = file_remove(journal->path, err);

    if (status == ERROR_NONE) {
        import_clear_fields(journal);
    }
    return status;
}

void import_journal_close(struct import_journal *journal)
{
    import_clear_fields(journal);
    if (journal->path && journal->lock >= 0) {
        close(journal->lock);
    }
    free(journal->path);
    memset(journal, 0, sizeof *journal);
    journal->lock = -1;
}
