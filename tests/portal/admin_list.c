/* Lists for the registration authority, as a table or as JSON. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "exchange.h"

static json_t *account_row(sqlite3_stmt *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:o}", "account", sqlite3_column_text(row, 0),
                     "common_name", sqlite3_column_text(row, 1), "email", sqlite3_column_text(row, 2),
                     "registration_number", sqlite3_column_text(row, 3), "approved",
                     sqlite3_column_int(row, 4), "locked", sqlite3_column_int(row, 5), "created_at",
                     json_time(sqlite3_column_int64(row, 6)));
}

static sqlite3_stmt *account_list(struct store *store)
{
    return store_query(store,
                       "SELECT account, common_name, email, registration_number, approved_at IS NOT NULL,"
                       " failed_tries >= ?, created_at FROM account ORDER BY created_at DESC, account",
                       "i", (int64_t)ACCOUNT_TRIES_MAX);
}

static json_t *application_row(sqlite3_stmt *row)
{
    struct application a;

    application_read(row, &a);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "application_id", a.application_id, "account",
                     a.account, "kind", a.renewal ? "renewal" : "new", "state",
                     application_state_name(a.state), "submitted_at", json_time(a.submitted_at),
                     "signing_serial", json_text_or_null(a.signing_serial), "encryption_serial",
                     json_text_or_null(a.encryption_serial));
}

static json_t *certificate_row(sqlite3_stmt *row, int64_t now_s)
{
    struct certificate c;

    certificate_read(row, now_s, &c);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "serial", c.serial, "account", c.account, "use",
                     certificate_use_name(c.use), "state", certificate_state_name(c.state), "subject_dn",
                     c.subject_dn, "not_after", json_time(c.not_after));
}

enum list_kind {
    LIST_ACCOUNTS,
    LIST_APPLICATIONS,
    LIST_CERTIFICATES,
};

static sqlite3_stmt *start(struct admin *admin, enum list_kind kind)
{
    if (kind == LIST_ACCOUNTS)
        return account_list(admin->store);
    if (kind == LIST_APPLICATIONS)
        return application_list(admin->store, NULL);
    return certificate_list(admin->store, NULL);
}

static json_t *read_row(struct admin *admin, enum list_kind kind, sqlite3_stmt *row)
{
    if (kind == LIST_ACCOUNTS)
        return account_row(row);
    if (kind == LIST_APPLICATIONS)
        return application_row(row);
    return certificate_row(row, admin->now_s);
}

static void print_cell(const json_t *value)
{
    if (json_is_string(value))
        printf("%s", json_string_value(value));
    else if (json_is_boolean(value))
        printf("%s", json_is_true(value) ? "yes" : "no");
    else
        printf("-");
}

/* Tab-separated, with a head line. */
static void print_table(const json_t *list)
{
    const json_t *entry;
    const char *name;
    json_t *value;
    size_t index;

    json_array_foreach(list, index, entry)
    {
        if (index == 0) {
            json_object_foreach((json_t *)(uintptr_t)entry, name, value) printf("%s\t", name);
            putchar('\n');
        }
        json_object_foreach((json_t *)(uintptr_t)entry, name, value)
        {
            print_cell(value);
            putchar('\t');
        }
        putchar('\n');
    }
}

enum error_code admin_list(struct admin *admin, int argc, char **argv, struct error *err)
{
    static const char *const names[] = {"accounts", "applications", "certificates"};
    bool json = false;
    const struct admin_option options[] = {{"json", NULL, &json}};
    enum error_code status = admin_options(argc, argv, options, 1, 1, err);
    enum list_kind kind = LIST_ACCOUNTS;
    enum store_result result;
    sqlite3_stmt *row;
    json_t *list;

    if (status != ERROR_NONE)
        return status;
    while (kind <= LIST_CERTIFICATES && strcmp(names[kind], argv[1]) != 0)
        kind++;
    if (kind > LIST_CERTIFICATES)
        return error_set(err, ERROR_USAGE,
                         "%s is not a list; ask for accounts, applications or certificates.", argv[1]);
    row = start(admin, kind);
    list = json_array();
    while ((result = store_step(admin->store, row)) == STORE_ROW)
        (void)json_array_append_new(list, read_row(admin, kind, row));
    sqlite3_finalize(row);
    if (result == STORE_FAILED)
        status = admin_store_error(admin, err);
    else if (json)
        status = json_dumpf(list, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF ? ERROR_NONE
                                                                                       : ERROR_IO;
    else
        print_table(list);
    json_decref(list);
    return status;
}
