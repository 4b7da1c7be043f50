/*
 * admin: pinward-portal-admin, the registration authority's command line: a table of verbs.
 *
 * Thread rule: one thread.
 */
#ifndef PINWARD_PORTAL_ADMIN_H
#define PINWARD_PORTAL_ADMIN_H

#include "clock.h"
#include "store_certificate.h"

struct admin {
    const char *data_dir;
    struct portal_clock clock;
    int64_t now_s;
    struct store *store; /* NULL for the verb that makes it */
};

struct admin_verb {
    const char *name;
    const char *arguments; /* for the usage text */
    const char *help;
    bool needs_store;
    /* argv[0] is the verb. */
    enum error_code (*run)(struct admin *admin, int argc, char **argv, struct error *err);
};

/* One option with a value, and where it goes. */
struct admin_option {
    const char *name; /* without the dashes */
    const char **value;
    bool *flag; /* instead of value: an option without one */
};

/* Reads options into the table's places and leaves the operands in argv[1..*count]. Every option may be given
 * once and everywhere behind the verb. */
enum error_code admin_options(int argc, char **argv, const struct admin_option *options, size_t option_count,
                              int operands_wanted, struct error *err);

/* A failed store as an error. */
enum error_code admin_store_error(const struct admin *admin, struct error *err);

/* admin_setup.c */
enum error_code admin_init(struct admin *admin, int argc, char **argv, struct error *err);
enum error_code admin_key_profile(struct admin *admin, int argc, char **argv, struct error *err);
enum error_code admin_publish_terms(struct admin *admin, int argc, char **argv, struct error *err);
/* admin_account.c */
enum error_code admin_register(struct admin *admin, int argc, char **argv, struct error *err);
enum error_code admin_approve(struct admin *admin, int argc, char **argv, struct error *err);
enum error_code admin_unlock(struct admin *admin, int argc, char **argv, struct error *err);
enum error_code admin_reset_password(struct admin *admin, int argc, char **argv, struct error *err);
/* admin_certificate.c */
enum error_code admin_suspend(struct admin *admin, int argc, char **argv, struct error *err);
enum error_code admin_resume(struct admin *admin, int argc, char **argv, struct error *err);
enum error_code admin_revoke(struct admin *admin, int argc, char **argv, struct error *err);
/* admin_list.c */
enum error_code admin_list(struct admin *admin, int argc, char **argv, struct error *err);

#endif
