/* The account's certificates: their list, their download, and suspending them. */
#include <string.h>

#include "auth.h"
#include "body.h"
#include "crl_reason.h"
#include "handlers.h"
#include "renewal_window.h"
#include "store_certificate.h"

/* An expired one is so since its end. */
static int64_t state_since(const struct certificate *c)
{
    return c->state == CERTIFICATE_EXPIRED ? c->not_after : c->state_since;
}

static json_t *certificate_json(const struct certificate *c)
{
    const char *reason = c->state == CERTIFICATE_REVOKED ? crl_reason_name(c->reason) : NULL;

    return json_pack("{s:s, s:s, s:s, s:o, s:s?, s:s, s:o, s:o, s:o, s:s, s:s}", "serial", c->serial, "use",
                     certificate_use_name(c->use), "state", certificate_state_name(c->state), "state_since",
                     json_time(state_since(c)), "reason", reason, "subject_dn", c->subject_dn, "not_before",
                     json_time(c->not_before), "not_after", json_time(c->not_after), "renewal_opens_at",
                     json_time(renewal_window_opens_at(c->not_after)), "application_id", c->application_id,
                     "partner_serial", c->partner_serial);
}

void handle_certificates_get(struct exchange *x)
{
    sqlite3_stmt *row = certificate_list(x->store, x->session.account);
    json_t *list = json_array();
    enum store_result result;

    while ((result = store_step(x->store, row)) == STORE_ROW) {
        struct certificate certificate;

        certificate_read(row, x->now_s, &certificate);
        (void)json_array_append_new(list, certificate_json(&certificate));
    }
    sqlite3_finalize(row);
    if (result == STORE_FAILED) {
        json_decref(list);
        answer_failure(x);
        return;
    }
    answer_json(x, 200, json_pack("{s:o, s:o}", "now", json_time(x->now_s), "certificates", list));
}

/* The session's certificate named in the path; false: answered. */
static bool find_own(struct exchange *x, struct certificate *certificate)
{
    enum store_result result = certificate_find(x->store, x->id, x->now_s, certificate);

    if (result == STORE_FAILED) {
        answer_failure(x);
        return false;
    }
    /* Another account's certificate is as unknown as one that does not exist. */
    if (result == STORE_DONE || strcmp(certificate->account, x->session.account) != 0) {
        answer_problem(x, PROBLEM_NOT_FOUND,
                       "This account has no such certificate; list them to see which it has.");
        return false;
    }
    return true;
}

void handle_certificate_get(struct exchange *x)
{
    struct certificate certificate;
    struct application application;
    uint8_t *der = NULL;
    size_t len = 0;

    if (!find_own(x, &certificate))
        return;
    if (application_find(x->store, certificate.application_id, &application) != STORE_ROW) {
        answer_failure(x);
        return;
    }
    if (application.state != APPLICATION_ACTIVATED) {
        answer_problem(x, PROBLEM_NOT_ACTIVATED,
                       "The certificate is not activated yet; activate its application.");
        return;
    }
    if (certificate_der(x->store, certificate.serial, &der, &len) == STORE_ROW)
        answer_bytes(x, "application/pkix-cert", der, len);
    else
        answer_failure(x);
}

/* Can this certificate be suspended, or is it already? False: answered. */
static bool is_suspendable(struct exchange *x, const struct certificate *certificate)
{
    if (certificate->state == CERTIFICATE_EXPIRED) {
        answer_problem(x, PROBLEM_CERTIFICATE_EXPIRED,
                       "The certificate is expired; there is nothing to suspend.");
        return false;
    }
    if (certificate->state == CERTIFICATE_ISSUED || certificate->state == CERTIFICATE_REVOKED) {
        answer_problem(x, PROBLEM_CERTIFICATE_NOT_ACTIVE,
                       "The certificate is %s; only an active or a renewed one can be suspended.",
                       certificate->state == CERTIFICATE_ISSUED ? "not activated" : "revoked");
        return false;
    }
    return true;
}

/* Suspending what is suspended changes nothing and succeeds, so that a lost answer can be asked for again. */
static void suspend(struct exchange *x)
{
    struct certificate certificate;

    if (!store_begin(x->store)) {
        answer_failure(x);
        return;
    }
    if (!find_own(x, &certificate) || !is_suspendable(x, &certificate))
        return;
    if (certificate.state != CERTIFICATE_SUSPENDED &&
        (certificate_suspend(x->store, certificate.serial, x->now_s) != STORE_ROW ||
         !store_commit(x->store))) {
        answer_failure(x);
        return;
    }
    if (find_own(x, &certificate))
        answer_json(x, 200, certificate_json(&certificate));
}

void handle_suspension_post(struct exchange *x)
{
    struct secret *password = NULL;
    const struct member members[] = {{"password", MEMBER_SECRET, 1024, &password}};
    struct certificate certificate;

    if (!body_read(x, members, 1) || !find_own(x, &certificate) || !is_suspendable(x, &certificate))
        return;
    if (auth_check(x, x->session.account, password, NULL))
        suspend(x); /* which looks again: the password took its time */
}
