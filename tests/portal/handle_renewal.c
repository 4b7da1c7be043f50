/* Renewal: inside the last month, with new keys, signed by the old signing key. */
#include <stdlib.h>
#include <string.h>

#include "applying.h"
#include "handlers.h"
#include "renewal_window.h"
#include "request.h"
#include "store_certificate.h"

struct renewal {
    struct applying applying;
    const char *signing_serial;
    const char *encryption_serial;
    struct certificate signing;
    struct certificate encryption;
};

static void answer_fault(struct exchange *x, enum request_fault fault)
{
    if (fault == REQUEST_NO_MEMORY)
        answer_failure(x);
    else
        applying_answer_fault(x, request_fault_reason(fault), request_fault_text(fault));
}

/* Both old certificates, as one pair of this account. */
static bool find_pair(struct exchange *x, struct renewal *r)
{
    enum store_result signing = certificate_find(x->store, r->signing_serial, x->now_s, &r->signing);
    enum store_result encryption = certificate_find(x->store, r->encryption_serial, x->now_s, &r->encryption);

    if (signing == STORE_FAILED || encryption == STORE_FAILED) {
        answer_failure(x);
        return false;
    }
    if (signing == STORE_DONE || encryption == STORE_DONE ||
        strcmp(r->signing.account, x->session.account) != 0 || r->signing.use != CERTIFICATE_SIGNING ||
        r->encryption.use != CERTIFICATE_ENCRYPTION ||
        strcmp(r->signing.application_id, r->encryption.application_id) != 0) {
        answer_fault(x, REQUEST_PAIR_MISMATCH);
        return false;
    }
    return true;
}

static bool pair_is_active(struct exchange *x, const struct renewal *r)
{
    if (r->signing.state == CERTIFICATE_EXPIRED || r->encryption.state == CERTIFICATE_EXPIRED) {
        answer_problem(x, PROBLEM_CERTIFICATE_EXPIRED,
                       "The certificates are expired and cannot be renewed; register again.");
        return false;
    }
    if (r->signing.state != CERTIFICATE_ACTIVE || r->encryption.state != CERTIFICATE_ACTIVE) {
        answer_problem(
            x, PROBLEM_CERTIFICATE_NOT_ACTIVE,
            "The signing certificate is %s and the encryption certificate is %s; only an active pair can be "
            "renewed.",
            certificate_state_name(r->signing.state), certificate_state_name(r->encryption.state));
        return false;
    }
    return true;
}

static bool window_is_open(struct exchange *x, const struct renewal *r)
{
    int64_t opens_at = renewal_window_opens_at(r->signing.not_after);
    char text[CLOCK_RFC3339_LENGTH];
    char detail[160];

    if (renewal_window_is_open(r->signing.not_after, x->now_s))
        return true;
    clock_format_rfc3339(opens_at, text);
    snprintf(detail, sizeof(detail), "Renewal opens at %s; try again then.", text);
    answer_problem_with(x, PROBLEM_RENEWAL_TOO_EARLY, json_pack("{s:s}", "opens_at", text), detail);
    return false;
}

/* The PKCS#10 inside the signed request; it belongs to the exchange. */
static bool open_request(struct exchange *x, const struct renewal *r, struct bytes *pkcs10)
{
    uint8_t *der = NULL, *content = NULL;
    size_t len = 0, content_len = 0;
    const unsigned char *at;
    enum request_fault fault;
    X509 *signer;

    if (certificate_der(x->store, r->signing_serial, &der, &len) != STORE_ROW) {
        answer_failure(x);
        return false;
    }
    at = der;
    signer = d2i_X509(NULL, &at, (long)len);
    free(der);
    if (signer == NULL) {
        answer_failure(x);
        return false;
    }
    fault = signed_request_open(r->applying.sent.data, r->applying.sent.len, signer, &content, &content_len);
    X509_free(signer);
    if (fault != REQUEST_OK) {
        answer_fault(x, fault);
        return false;
    }
    pkcs10->data = content;
    pkcs10->len = content_len;
    return exchange_own(x, content);
}

static void renew(struct exchange *x, struct renewal *r)
{
    struct account account;
    struct bytes pkcs10;

    if (!applying_is_new(x, &r->applying) || !applying_terms_hold(x, &r->applying) || !find_pair(x, r) ||
        !pair_is_active(x, r) || !window_is_open(x, r) || !applying_none_open(x) ||
        !open_request(x, r, &pkcs10))
        return;
    r->applying.replaces = r->signing.application_id;
    if (account_find(x->store, x->session.account, x->now_s, &account) == STORE_ROW)
        applying_submit(x, &r->applying, &account, pkcs10);
    else
        answer_failure(x);
}

void handle_renewals_post(struct exchange *x)
{
    struct renewal r = {.applying = {.renewal = true, .replaces = ""}};
    const struct member members[] = {
        {"request_id", MEMBER_UUID, UUID_SIZE - 1, &r.applying.request_id},
        {"terms_version", MEMBER_TEXT, TERMS_VERSION_SIZE - 1, &r.applying.terms_version},
        {"terms_sha256", MEMBER_HEX, TERMS_SHA256_SIZE - 1, &r.applying.terms_sha256},
        {"old_signing_serial", MEMBER_HEX, SERIAL_SIZE - 1, &r.signing_serial},
        {"old_encryption_serial", MEMBER_HEX, SERIAL_SIZE - 1, &r.encryption_serial},
        {"signed_request", MEMBER_BASE64, 64 * 1024, &r.applying.sent},
    };

    if (!body_read(x, members, sizeof(members) / sizeof(members[0])))
        return;
    if (store_begin(x->store))
        renew(x, &r);
    else
        answer_failure(x);
}
