/* pinward-portal-admin: options and the table of verbs. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "wiping_json.h"

static const struct admin_verb verbs[] = {
    {"init", "[--country C] [--organization O] [--name N] [--key-profile P]",
     "make the CA and an empty database; P as below, rsa-2048 when none is given", false, admin_init},
    {"register",
     "--common-name CN --country C --email E --registration-number N\n"
     "           [--organization O] [--account NAME] [--pending] [--json]",
     "register a subject and print its password sheet", true, admin_register},
    {"approve", "ACCOUNT|APPLICATION_ID", "approve a registration, or an application (which issues it)", true,
     admin_approve},
    {"list", "accounts|applications|certificates [--json]", "list them, newest first", true, admin_list},
    {"unlock", "ACCOUNT", "forget the wrong passwords of an account", true, admin_unlock},
    {"reset-password", "ACCOUNT [--json]", "print a new password sheet; unlocks the account too", true,
     admin_reset_password},
    {"suspend", "SERIAL", "put a certificate on hold", true, admin_suspend},
    {"resume", "SERIAL", "end the hold", true, admin_resume},
    {"revoke", "SERIAL [--reason R]",
     "revoke for good; R: unspecified, keyCompromise, affiliationChanged,\n"
     "           superseded, cessationOfOperation, privilegeWithdrawn",
     true, admin_revoke},
    {"key-profile", "PROFILE",
     "which keys new applications are for: rsa-2048, rsa-3072, rsa-4096,\n"
     "           ec-p256 or ec-p384",
     true, admin_key_profile},
    {"publish-terms", "--version V --english FILE --chinese FILE", "make new terms the current ones", true,
     admin_publish_terms},
};

static void print_usage(FILE *to)
{
    fputs("Usage: pinward-portal-admin --data DIR [--test-mode DIR] VERB [argument...]\n"
          "The registration authority of Pinward's reference portal.\n\n",
          to);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        fprintf(to, "  %s %s\n           %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
}

enum error_code admin_store_error(const struct admin *admin, struct error *err)
{
    if (store_failure(admin->store) == STORE_FAILURE_BUSY)
        return error_set(err, ERROR_IO, "The database is busy; try again in a few seconds.");
    return error_set(err, ERROR_IO, "The database in %s failed; see the message above.", admin->data_dir);
}

static const struct admin_option *find_option(const char *argument, const struct admin_option *options,
                                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(argument, "--", 2) == 0 && strcmp(argument + 2, options[i].name) == 0)
            return &options[i];
    }
    return NULL;
}

enum error_code admin_options(int argc, char **argv, const struct admin_option *options, size_t option_count,
                              int operands_wanted, struct error *err)
{
    int operands = 0;

    for (int i = 1; i < argc; i++) {
        const struct admin_option *option = find_option(argv[i], options, option_count);

        if (option == NULL && strncmp(argv[i], "--", 2) == 0)
            return error_set(err, ERROR_USAGE, "%s does not know the option %s; see --help.", argv[0],
                             argv[i]);
        if (option == NULL)
            argv[++operands] = argv[i];
        else if (option->flag != NULL)
            *option->flag = true;
        else if (i + 1 < argc)
            *option->value = argv[++i];
        else
            return error_set(err, ERROR_USAGE, "%s has no value; give one behind it.", argv[i]);
    }
    if (operands != operands_wanted)
        return error_set(err, ERROR_USAGE, "%s takes %d argument(s) besides its options; see --help.",
                         argv[0], operands_wanted);
    return ERROR_NONE;
}

static const struct admin_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static enum error_code run(struct admin *admin, int argc, char **argv, struct error *err)
{
    const struct admin_verb *verb = argc == 0 ? NULL : find_verb(argv[0]);
    enum error_code status = ERROR_NONE;

    if (verb == NULL || admin->data_dir == NULL)
        return error_set(err, ERROR_USAGE, "--data DIR or the verb is missing or not known; see --help.");
    admin->now_s = clock_now_s(&admin->clock);
    if (verb->needs_store)
        status = store_open(admin->data_dir, &admin->store, err);
    if (status == ERROR_NONE)
        status = verb->run(admin, argc, argv, err);
    if (admin->store != NULL)
        store_rollback(admin->store); /* what a verb did not commit did not happen */
    store_close(&admin->store);
    return status;
}

int main(int argc, char **argv)
{
    struct admin admin = {0};
    struct error err = {0};
    int i = 1;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_usage(stdout);
            return 0;
        }
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc)
            admin.data_dir = argv[++i];
        else if (strcmp(argv[i], "--test-mode") == 0 && i + 1 < argc)
            admin.clock.test_dir = argv[++i];
        else
            break;
    }
    wiping_json_install();
    if (sodium_init() < 0) {
        fputs("pinward-portal-admin: libsodium cannot be started.\n", stderr);
        return 1;
    }
    if (run(&admin, argc - i, argv + i, &err) == ERROR_NONE)
        return 0;
    fprintf(stderr, "pinward-portal-admin: %s\n", error_text(&err));
    return error_exit_code(err.code);
}
