#include "applying.h"

#include <sodium.h>
#include <string.h>

#include "issuing.h"
#include "subject.h"
#include "uuid.h"

json_t *applying_json(const struct application *a)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "application_id", a->application_id,
                     "kind", a->renewal ? "renewal" : "new", "state", application_state_name(a->state),
                     "submitted_at", json_time(a->submitted_at), "issued_at", json_time(a->issued_at),
                     "activated_at", json_time(a->activated_at), "signing_serial",
                     json_text_or_null(a->signing_serial), "encryption_serial",
                     json_text_or_null(a->encryption_serial), "request_id", a->request_id);
}

bool applying_find(struct exchange *x, struct application *application)
{
    enum store_result result = application_find(x->store, x->id, application);

    if (result == STORE_FAILED) {
        answer_failure(x);
        return false;
    }
    /* Another account's application is as unknown as one that does not exist. */
    if (result == STORE_DONE || strcmp(application->account, x->session.account) != 0) {
        answer_problem(x, PROBLEM_NOT_FOUND,
                       "This account has no such application; list them to see which it has.");
        return false;
    }
    return true;
}

bool applying_is_new(struct exchange *x, const struct applying *applying)
{
    uint8_t sha256[SHA256_SIZE];
    struct application first;
    enum store_result result =
        application_find_by_request(x->store, x->session.account, applying->request_id, &first);

    if (result == STORE_DONE)
        return true;
    if (result == STORE_FAILED) {
        answer_failure(x);
        return false;
    }
    crypto_hash_sha256(sha256, applying->sent.data, applying->sent.len);
    if (first.renewal == applying->renewal && memcmp(sha256, first.request_sha256, sizeof(sha256)) == 0)
        answer_json(x, 200, applying_json(&first));
    else
        answer_problem(x, PROBLEM_REQUEST_ID_REUSED,
                       "This request id was sent with another request; use a new id for a new request.");
    return false;
}

bool applying_terms_hold(struct exchange *x, const struct applying *applying)
{
    enum store_result result = terms_are_current(x->store, applying->terms_version, applying->terms_sha256);

    if (result == STORE_FAILED)
        answer_failure(x);
    if (result == STORE_DONE)
        answer_problem(x, PROBLEM_TERMS_OUTDATED,
                       "These are not the current terms; read the current ones and accept them.");
    return result == STORE_ROW;
}

bool applying_none_open(struct exchange *x)
{
    struct application open;
    enum store_result result = application_find_open(x->store, x->session.account, x->now_s, &open);

    if (result == STORE_FAILED)
        answer_failure(x);
    if (result == STORE_ROW)
        answer_problem_with(x, PROBLEM_APPLICATION_OPEN,
                            json_pack("{s:s}", "application_id", open.application_id),
                            "Another application of this account is not activated yet; activate it first.");
    return result == STORE_DONE;
}

void applying_answer_fault(struct exchange *x, const char *reason, const char *text)
{
    answer_problem_with(x, PROBLEM_REQUEST_INVALID, json_pack("{s:s}", "reason", reason), text);
}

static struct application make_application(const struct exchange *x, const struct applying *applying)
{
    struct application a = {.renewal = applying->renewal, .submitted_at = x->now_s};

    uuid_make(a.application_id);
    memcpy(a.account, x->session.account, sizeof(a.account));
    snprintf(a.request_id, sizeof(a.request_id), "%s", applying->request_id);
    snprintf(a.terms_version, sizeof(a.terms_version), "%s", applying->terms_version);
    snprintf(a.terms_sha256, sizeof(a.terms_sha256), "%s", applying->terms_sha256);
    snprintf(a.replaces, sizeof(a.replaces), "%s", applying->replaces);
    crypto_hash_sha256(a.request_sha256, applying->sent.data, applying->sent.len);
    return a;
}

/* False: it has answered. */
static bool add_keys(struct exchange *x, const struct enrollment_request *request, const char *application_id)
{
    enum store_result signing = key_add(x->store, request->signing_spki_sha256, application_id);
    enum store_result encryption = STORE_FAILED;

    if (signing != STORE_FAILED)
        encryption = key_add(x->store, request->encryption_spki_sha256, application_id);
    if (encryption == STORE_FAILED)
        answer_failure(x);
    else if (signing == STORE_DONE || encryption == STORE_DONE)
        applying_answer_fault(x, request_fault_reason(REQUEST_KEY_REUSED),
                              request_fault_text(REQUEST_KEY_REUSED));
    return signing == STORE_ROW && encryption == STORE_ROW;
}

static void submit(struct exchange *x, const struct applying *applying, const struct account *account,
                   struct bytes pkcs10, const struct enrollment_request *request)
{
    struct application application = make_application(x, applying);
    struct error err = {0};

    if (!application_add(x->store, &application, pkcs10.data, pkcs10.len)) {
        answer_failure(x);
        return;
    }
    if (!add_keys(x, request, application.application_id))
        return;
    if (x->portal->approve_automatically &&
        issuing_run(x->portal->ca, x->store, &account->registration, request, x->now_s, &application, &err) !=
            ERROR_NONE) {
        fprintf(stderr, "pinward-portal: %s\n", error_text(&err));
        answer_failure(x);
        return;
    }
    if (!store_commit(x->store)) {
        answer_failure(x);
        return;
    }
    exchange_header(x, "Location", PORTAL_API_PREFIX "/applications/%s", application.application_id);
    answer_json(x, 201, applying_json(&application));
}

void applying_submit(struct exchange *x, const struct applying *applying, const struct account *account,
                     struct bytes pkcs10)
{
    struct enrollment_request request = {NULL, NULL, {0}, {0}};
    X509_NAME *subject = subject_name_new(&account->registration);
    const struct key_profile *profile = key_profile_current(x->store);
    enum request_fault fault = REQUEST_NO_MEMORY;

    if (subject != NULL && profile != NULL)
        fault = enrollment_request_read(pkcs10.data, pkcs10.len, subject, profile, &request);
    if (fault == REQUEST_OK)
        submit(x, applying, account, pkcs10, &request);
    else if (fault == REQUEST_NO_MEMORY)
        answer_failure(x);
    else
        applying_answer_fault(x, request_fault_reason(fault), request_fault_text(fault));
    enrollment_request_clear(&request);
    X509_NAME_free(subject);
}
