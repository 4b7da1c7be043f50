/* The account's certificates: their list and their download. */
#include <string.h>

#include "handlers.h"
#include "renewal_window.h"
#include "store_certificate.h"

static json_t *certificate_json(const struct certificate *c)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s}", "serial", c->serial, "use",
                     certificate_use_name(c->use), "state", certificate_state_name(c->state), "subject_dn",
                     c->subject_dn, "not_before", json_time(c->not_before), "not_after",
                     json_time(c->not_after), "renewal_opens_at",
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

void handle_certificate_get(struct exchange *x)
{
    struct certificate certificate;
    enum store_result result = certificate_find(x->store, x->id, x->now_s, &certificate);
    struct application application;
    uint8_t *der = NULL;
    size_t len = 0;

    if (result == STORE_DONE ||
        (result == STORE_ROW && strcmp(certificate.account, x->session.account) != 0)) {
        answer_problem(x, PROBLEM_NOT_FOUND,
                       "This account has no such certificate; list them to see which it has.");
        return;
    }
    if (result == STORE_FAILED ||
        application_find(x->store, certificate.application_id, &application) != STORE_ROW) {
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
