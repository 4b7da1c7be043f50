#include "issuing.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subject.h"

/* The address of the API, which is known once the portal has been started. */
static bool find_address(struct store *store, char *out, size_t size)
{
    char address[128];
    enum store_result result = store_setting_get(store, "address", address, sizeof(address));

    out[0] = '\0';
    if (result == STORE_ROW)
        snprintf(out, size, "%s/api/v1", address);
    return result != STORE_FAILED;
}

static bool store_certificate(struct store *store, X509 *x509, const struct ca_order *order,
                              const struct application *application)
{
    struct certificate certificate = {
        .use = order->use,
        .state_since = order->not_before,
        .not_before = order->not_before,
        .not_after = order->not_after,
    };
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    bool ok = len > 0 && ca_serial_text(x509, certificate.serial) &&
              subject_name_text(order->subject, certificate.subject_dn, sizeof(certificate.subject_dn));

    memcpy(certificate.application_id, application->application_id, sizeof(certificate.application_id));
    memcpy(certificate.account, application->account, sizeof(certificate.account));
    ok = ok && certificate_add(store, &certificate, der, (size_t)len);
    OPENSSL_free(der);
    return ok;
}

static enum error_code issue_one(const struct ca *ca, struct store *store, const struct ca_order *order,
                                 const struct application *application, struct error *err)
{
    X509 *x509 = NULL;
    enum error_code status = ca_issue(ca, order, &x509, err);

    if (status == ERROR_NONE && !store_certificate(store, x509, order, application))
        status = error_set(err, ERROR_IO, "The certificate cannot be stored.");
    X509_free(x509);
    return status;
}

enum error_code issuing_run(const struct ca *ca, struct store *store, const struct registration *registration,
                            const struct enrollment_request *request, int64_t now_s,
                            struct application *application, struct error *err)
{
    X509_NAME *subject = subject_name_new(registration);
    char address[160];
    struct ca_order order = {
        .use = CERTIFICATE_SIGNING,
        .subject = subject,
        .email = registration->email,
        .key = request->signing_key,
        .not_before = now_s,
        .not_after = now_s + (int64_t)CA_VALIDITY_DAYS * CLOCK_DAY_S,
        .address = address,
    };
    enum error_code status;

    if (subject == NULL || !find_address(store, address, sizeof(address))) {
        X509_NAME_free(subject);
        return error_set(err, ERROR_INTERNAL, "The certificates cannot be made from what is registered.");
    }
    status = issue_one(ca, store, &order, application, err);
    order.use = CERTIFICATE_ENCRYPTION;
    order.key = request->encryption_key;
    if (status == ERROR_NONE)
        status = issue_one(ca, store, &order, application, err);
    X509_NAME_free(subject);
    if (status != ERROR_NONE)
        return status;
    if (!application_set_issued(store, application->application_id, now_s) ||
        application_find(store, application->application_id, application) != STORE_ROW)
        return error_set(err, ERROR_IO, "The application cannot be stored.");
    return ERROR_NONE;
}

enum error_code issuing_run_waiting(const struct ca *ca, struct store *store, int64_t now_s,
                                    struct application *application, struct error *err)
{
    struct enrollment_request request = {NULL, NULL, {0}, {0}};
    enum error_code status = ERROR_NONE;
    const struct key_profile *profile = NULL;
    X509_NAME *subject = NULL;
    struct account account;
    uint8_t *der = NULL;
    size_t len = 0;

    if (account_find(store, application->account, now_s, &account) != STORE_ROW ||
        application_request(store, application->application_id, &der, &len) != STORE_ROW)
        return error_set(err, ERROR_IO, "The application cannot be read from the database.");
    subject = subject_name_new(&account.registration);
    profile = key_profile_current(store);
    if (subject == NULL || profile == NULL ||
        enrollment_request_read(der, len, subject, profile, &request) != REQUEST_OK)
        status = error_set(err, ERROR_STATE,
                           "The request no longer fits the registration; the subject must apply anew.");
    else
        status = issuing_run(ca, store, &account.registration, &request, now_s, application, err);
    enrollment_request_clear(&request);
    X509_NAME_free(subject);
    free(der);
    return status;
}
