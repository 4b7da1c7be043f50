/*
 * flow: an enrollment as a table of steps. Each step leads to a state of the journal; a step whose state has
 * been reached is not run again, and the state is on disk before the next step begins.
 *
 * Files: flow.c (running), flow_consent.c (what the user agrees to), flow_keys.c (token and keys),
 * flow_submit.c (the request), flow_discard.c (beginning anew), flow_activate.c, flow_apply.c, flow_renew.c.
 * Owner: struct flow is the verb's. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_FLOW_H
#define PINWARD_ENROLL_FLOW_H

#include <stddef.h>

#include "common/error.h"
#include "enroll/app.h"
#include "enroll/journal.h"
#include "enroll/portal.h"
#include "enroll/session.h"
#include "enroll/token.h"

struct flow {
    struct app *app;
    struct session session;
    struct journal journal;
    struct token *token;                 /* NULL until a step needs it */
    struct token_batch batch;            /* the uses of keys to come, for which the user is asked once; 0: none */
    bool resumed;                        /* an earlier run has begun this enrollment */
    struct portal_registration promised; /* the journal's registration, read */
};

struct flow_step {
    enum journal_state reaches;
    const char *title; /* what is being done, shown when it begins */
    enum error_code (*run)(struct flow *flow, struct error *err);
};

/* Opens session and journal. */
enum error_code flow_open(struct app *app, struct flow *flow, struct error *err);
void flow_close(struct flow *flow);

/* Runs the steps whose states have not been reached, in order. */
enum error_code flow_run(struct flow *flow, const struct flow_step *steps, size_t count, struct error *err);

/* Notes what the journal says for programs (--json). */
void flow_note(const struct flow *flow);

/* The verbs. */
enum error_code flow_apply(struct app *app, struct error *err);
enum error_code flow_activate(struct app *app, struct error *err);
enum error_code flow_renew(struct app *app, struct error *err);

/* -- flow_consent.c -- */

/* Shows the registration and asks whether it is right; it becomes what is promised. */
enum error_code flow_confirm_registration(struct flow *flow, struct error *err);

/* Before a begun enrollment goes on: has the registration changed meanwhile? */
enum error_code flow_refresh_registration(struct flow *flow, struct error *err);

/* Shows the terms and asks whether they are accepted. */
enum error_code flow_accept_terms(struct flow *flow, struct error *err);

/* -- flow_keys.c -- */

/* The token, opened; nobody is asked for a PIN. */
enum error_code flow_find_token(struct flow *flow, struct error *err);

/* The token, opened and logged in. ERROR_TOKEN: it is not the one on which the enrollment was begun. */
enum error_code flow_use_token(struct flow *flow, struct error *err);

/* Logs in to the opened token, with one PIN entry for all uses that flow->batch names. */
enum error_code flow_log_in(struct flow *flow, struct error *err);

/* A new id of a request. */
enum error_code flow_new_uuid(char **field, struct error *err);

/* Chooses all ids and the labels made from name, which no key on the token may have yet. */
enum error_code flow_plan_keys(struct flow *flow, const char *name, struct error *err);

/* The step to JOURNAL_KEYED. */
enum error_code flow_step_generate(struct flow *flow, struct error *err);

/* The key pairs that the journal names. ERROR_TOKEN: not on this token. */
enum error_code flow_find_keys(struct flow *flow, struct token_key *signing, struct token_key *encryption,
                               struct error *err);

/* -- flow_submit.c -- */

/* ERROR_STATE when the portal has an application that is not activated. */
enum error_code flow_check_no_open_application(struct flow *flow, struct error *err);

/* What has been signed is not what the portal wants: it is to be signed anew, with the same keys, under a new
 * id. */
enum error_code flow_withdraw_request(struct flow *flow, struct error *err);

/* What both kinds of request have in common: the DER of the PKCS#10. */
enum error_code flow_build_request(struct flow *flow, struct bytes *der, struct error *err);

/* The step to JOURNAL_SUBMITTED. */
enum error_code flow_step_submit(struct flow *flow, struct error *err);

/* -- flow_discard.c -- */

/* --start-over: forgets what was begun and can no longer be completed, and deletes its keys. ERROR_STATE: it
 * can be completed, so it is kept. */
enum error_code flow_discard(struct flow *flow, struct error *err);

/* -- from issued to written: flow_activate.c -- */

enum error_code flow_step_activate(struct flow *flow, struct error *err);
enum error_code flow_step_write(struct flow *flow, struct error *err);

/* Removes the journal and says that the certificates can be used. */
enum error_code flow_complete(struct flow *flow, struct error *err);

#endif
