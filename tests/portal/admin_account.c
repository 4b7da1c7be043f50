/* Registrations: registering, approving, unlocking, new passwords. */
#include <ctype.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "body.h"
#include "issuing.h"
#include "subject.h"

#define ADDRESS_DEFAULT "https://localhost:8443"

static bool is_account_name(const char *name)
{
    size_t len = strlen(name);

    return len >= 3 && len < ACCOUNT_NAME_SIZE && isalnum((unsigned char)name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* A name that nobody has to think of: "u" and eight digits. */
static void make_account_name(char out[ACCOUNT_NAME_SIZE])
{
    snprintf(out, ACCOUNT_NAME_SIZE, "u%08u", randombytes_uniform(100000000));
}

static void print_sheet_text(const char *account, const char *address, const struct secret *password)
{
    printf("Password sheet\n"
           "  Account:        %s\n"
           "  First password: %s\n"
           "  Portal:         %s\n"
           "Log in with \"pinward login\"; the portal then asks for a password of your own. This one is "
           "shown only\n"
           "here: keep the sheet to yourself until you have changed it.\n",
           account, secret_bytes(password), address);
}

static enum error_code print_sheet_json(const char *account, const char *address,
                                        const struct secret *password, struct error *err)
{
    json_t *sheet = json_pack("{s:s, s:s, s:s}", "account", account, "first_password", secret_bytes(password),
                              "portal", address);
    int failed = sheet == NULL || json_dumpf(sheet, stdout, JSON_INDENT(2)) != 0;

    json_decref(sheet);
    putchar('\n');
    if (failed)
        return error_set(err, ERROR_MEMORY, "There is no memory to print the sheet; reset the password.");
    return ERROR_NONE;
}

/* The one place where a first password is shown. stdout's buffer is taken away first, so that no copy stays
 * there. */
static enum error_code print_sheet(struct admin *admin, const char *account, const struct secret *password,
                                   bool json, struct error *err)
{
    char address[128];

    if (store_setting_get(admin->store, "address", address, sizeof(address)) == STORE_FAILED)
        return admin_store_error(admin, err);
    if (address[0] == '\0')
        snprintf(address, sizeof(address), "%s", ADDRESS_DEFAULT);
    setvbuf(stdout, NULL, _IONBF, 0);
    if (json)
        return print_sheet_json(account, address, password, err);
    print_sheet_text(account, address, password);
    return ERROR_NONE;
}

struct register_options {
    const char *common_name;
    const char *organization;
    const char *country;
    const char *email;
    const char *registration_number;
    const char *account;
    bool pending;
    bool json;
};

static bool copy_text(char *out, size_t size, const char *value)
{
    return value == NULL || snprintf(out, size, "%s", value) < (int)size;
}

static enum error_code fill_account(const struct register_options *o, struct account *account,
                                    struct error *err)
{
    struct registration *r = &account->registration;

    if (!copy_text(r->common_name, sizeof(r->common_name), o->common_name) ||
        !copy_text(r->organization, sizeof(r->organization), o->organization) ||
        !copy_text(r->country, sizeof(r->country), o->country) ||
        !copy_text(r->email, sizeof(r->email), o->email) ||
        !copy_text(r->registration_number, sizeof(r->registration_number), o->registration_number))
        return error_set(err, ERROR_USAGE, "One of the subject's values is too long; shorten it.");
    if (o->account != NULL && !is_account_name(o->account))
        return error_set(
            err, ERROR_USAGE,
            "The account is not 3 to 32 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit.");
    if (o->account != NULL)
        snprintf(account->name, sizeof(account->name), "%s", o->account);
    else
        make_account_name(account->name);
    account->approved = !o->pending;
    return subject_check(r, err);
}

static enum error_code add_account(struct admin *admin, const struct account *account, struct error *err)
{
    enum store_result result = STORE_FAILED;

    if (store_begin(admin->store))
        result = account_add(admin->store, account, admin->now_s);
    if (result == STORE_DONE)
        return error_set(err, ERROR_STATE, "The account %s exists already; choose another name.",
                         account->name);
    if (result == STORE_FAILED || !store_commit(admin->store))
        return admin_store_error(admin, err);
    return ERROR_NONE;
}

enum error_code admin_register(struct admin *admin, int argc, char **argv, struct error *err)
{
    struct register_options o = {0};
    const struct admin_option options[] = {
        {"common-name", &o.common_name, NULL}, {"organization", &o.organization, NULL},
        {"country", &o.country, NULL},         {"email", &o.email, NULL},
        {"account", &o.account, NULL},         {"registration-number", &o.registration_number, NULL},
        {"pending", NULL, &o.pending},         {"json", NULL, &o.json},
    };
    enum error_code status = admin_options(argc, argv, options, sizeof(options) / sizeof(options[0]), 0, err);
    struct account account = {0};
    struct secret *password = NULL;

    if (status == ERROR_NONE)
        status = fill_account(&o, &account, err);
    if (status != ERROR_NONE)
        return status;
    password = password_first_new();
    if (password == NULL || !password_hash(password, account.password_hash))
        status = error_set(err, ERROR_MEMORY, "There is no memory to make a password; free some.");
    if (status == ERROR_NONE)
        status = add_account(admin, &account, err);
    if (status == ERROR_NONE)
        status = print_sheet(admin, account.name, password, o.json, err);
    secret_free(&password);
    return status;
}

static enum error_code no_such_account(const char *name, struct error *err)
{
    return error_set(err, ERROR_USAGE, "There is no account %s; see \"list accounts\".", name);
}

static enum error_code approve_application(struct admin *admin, const char *application_id, struct error *err)
{
    struct application application;
    enum error_code status;
    struct ca *ca = NULL;
    enum store_result result;

    status = ca_open(admin->data_dir, &ca, err);
    if (status != ERROR_NONE)
        return status;
    result = store_begin(admin->store) ? application_find(admin->store, application_id, &application)
                                       : STORE_FAILED;
    if (result == STORE_DONE)
        status = error_set(err, ERROR_USAGE, "There is no application %s; see \"list applications\".",
                           application_id);
    else if (result == STORE_FAILED)
        status = admin_store_error(admin, err);
    else if (application.state != APPLICATION_SUBMITTED)
        status = error_set(err, ERROR_STATE, "The application is approved already; there is nothing to do.");
    else
        status = issuing_run_waiting(ca, admin->store, admin->now_s, &application, err);
    if (status == ERROR_NONE && !store_commit(admin->store))
        status = admin_store_error(admin, err);
    if (status == ERROR_NONE)
        printf("Issued %s (signing) and %s (encryption); %s can activate them.\n", application.signing_serial,
               application.encryption_serial, application.account);
    ca_close(&ca);
    return status;
}

enum error_code admin_approve(struct admin *admin, int argc, char **argv, struct error *err)
{
    enum error_code status = admin_options(argc, argv, NULL, 0, 1, err);
    enum store_result result;

    if (status != ERROR_NONE)
        return status;
    if (body_is_uuid(argv[1]))
        return approve_application(admin, argv[1], err);
    result = account_approve(admin->store, argv[1], admin->now_s);
    if (result == STORE_DONE)
        return no_such_account(argv[1], err);
    if (result == STORE_FAILED)
        return admin_store_error(admin, err);
    printf("The registration of %s is approved.\n", argv[1]);
    return ERROR_NONE;
}

enum error_code admin_unlock(struct admin *admin, int argc, char **argv, struct error *err)
{
    enum error_code status = admin_options(argc, argv, NULL, 0, 1, err);
    enum store_result result;

    if (status != ERROR_NONE)
        return status;
    result = account_unlock(admin->store, argv[1]);
    if (result == STORE_DONE)
        return no_such_account(argv[1], err);
    if (result == STORE_FAILED)
        return admin_store_error(admin, err);
    printf("%s is unlocked and has all its tries again.\n", argv[1]);
    return ERROR_NONE;
}

static bool set_password(struct admin *admin, const char *name, const char *hash)
{
    return store_begin(admin->store) && account_set_password(admin->store, name, hash, true) &&
           session_remove_others(admin->store, name, NULL) && store_commit(admin->store);
}

enum error_code admin_reset_password(struct admin *admin, int argc, char **argv, struct error *err)
{
    bool json = false;
    const struct admin_option options[] = {{"json", NULL, &json}};
    enum error_code status = admin_options(argc, argv, options, 1, 1, err);
    struct secret *password = NULL;
    char hash[PASSWORD_HASH_SIZE];
    struct account account;
    enum store_result result;

    if (status != ERROR_NONE)
        return status;
    result = account_find(admin->store, argv[1], admin->now_s, &account);
    if (result == STORE_DONE)
        return no_such_account(argv[1], err);
    if (result == STORE_FAILED)
        return admin_store_error(admin, err);
    password = password_first_new();
    if (password == NULL || !password_hash(password, hash))
        status = error_set(err, ERROR_MEMORY, "There is no memory to make a password; free some.");
    else if (!set_password(admin, account.name, hash))
        status = admin_store_error(admin, err);
    else
        status = print_sheet(admin, account.name, password, json, err);
    secret_free(&password);
    return status;
}
