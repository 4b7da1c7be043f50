/*
 * app: what every verb works with: configuration, command line, state folder.
 *
 * Owner: main makes it and clears it; verbs borrow it.
 * Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_APP_H
#define PINWARD_ENROLL_APP_H

#include <stdbool.h>

#include "common/config.h"
#include "common/error.h"
#include "enroll/output.h"

/* What the command line can say; each verb's row in the table names those that it takes. */
struct app_options {
    const char *account;      /* --account: who logs in */
    const char *name;         /* --name: the name of the new keys */
    const char *accept_terms; /* --accept-terms: version or SHA-256 of the terms that are accepted */
    const char *key;          /* --key: the key that is meant: its label, or id:HEX */
    const char *program;      /* --app: the path of the program that is meant */
    bool yes;                 /* --yes: the registration shown is right */
    bool last_try;   /* --last-try: spend the last password try before the portal locks the account */
    bool start_over; /* --start-over: forget what was begun and cannot be completed */
    bool if_due;     /* --if-due: renew only in the last month */
    bool json;       /* --json: print JSON for programs */
    const char *last; /* --last: how many lines, counted from the end */
    const char *language;          /* --lang: of messages */
    const char *output;            /* --output: the name of the files that are written */
    const char *reason;            /* --reason: why certificates are to be revoked */
    const char *certificate;       /* --certificate: which certificates are meant */
    const char *password_file;     /* --password-file: where the portal's password stands */
    const char *new_password_file; /* --new-password-file: and the new one */
    const char *signing;           /* --signing: the PFX file of the signing key */
    const char *encryption;        /* --encryption: the PFX file of the encryption key */
    const char *file;              /* --file: the PFX file that is meant */
    const char *folder;            /* --folder: of a backup */
    const char *label;             /* --label: of a new token */
    bool exportable;               /* --exportable: the new keys can leave the token */
    bool legacy;                   /* --legacy: PFX for old systems */
    bool allow_expired;            /* --allow-expired: import certificates that have expired */
};

struct app {
    struct config config;
    struct app_options options;
    struct output output; /* for programs */
    char *state_folder;
};

/* Loads the configuration, checks what the verb needs (portal: that one is configured), and opens the log. On failure
 * nothing is left behind. */
enum error_code app_init(struct app *app, const struct app_options *options, bool portal, struct error *err);
void app_clear(struct app *app);

#endif
