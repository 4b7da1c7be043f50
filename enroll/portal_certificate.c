#include "enroll/portal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/i18n.h"

static bool portal_state_valid(const char *state)
{
    static const char *const states[] = {"issued", "active", "renewed", "suspended", "revoked", "expired"};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i], state) == 0) {
            return true;
        }
    }
    return false;
}

/* Returns what is wrong with one row; NULL: nothing. */
static const char *portal_read_row(json_t *json, struct portal_certificate *row)
{
    const char *use = NULL;
    const char *not_before = NULL;
    const char *not_after = NULL;
    const char *opens_at = NULL;
    const char *since = NULL;
    json_t *reason = NULL;

    if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s}", "serial", &row->serial,
                    "use", &use, "state", &row->state, "state_since", &since, "reason", &reason, "subject_dn",
                    &row->subject_dn, "not_before", &not_before, "not_after", &not_after, "renewal_opens_at",
                    &opens_at, "application_id", &row->application_id, "partner_serial",
                    &row->partner_serial) != 0) {
        return "a certificate's members";
    }
    if (strcmp(use, "signing") != 0 && strcmp(use, "encryption") != 0) {
        return "use";
    }
    if (!portal_state_valid(row->state)) {
        return "state";
    }
    if (strspn(row->serial, "0123456789abcdef") != strlen(row->serial) || row->serial[0] == '\0' ||
        strlen(row->serial) > 64) {
        return "serial";
    }
    row->use = strcmp(use, "signing") == 0 ? PORTAL_SIGNING : PORTAL_ENCRYPTION;
    row->reason = json_string_value(reason);
    return codec_time_parse(since, &row->state_since) && codec_time_parse(not_before, &row->not_before) &&
                   codec_time_parse(not_after, &row->not_after) &&
                   codec_time_parse(opens_at, &row->renewal_opens_at)
               ? NULL
               : "a time";
}

/* Fills list from its JSON; returns what is wrong. */
static const char *portal_read_certificates(struct portal_certificates *list)
{
    json_t *rows = json_object_get(list->json, "certificates");
    const char *now = json_string_value(json_object_get(list->json, "now"));

    if (!now || !codec_time_parse(now, &list->now) || !json_is_array(rows)) {
        return "now or certificates";
    }
    list->items = calloc(json_array_size(rows) + 1, sizeof *list->items);
    if (!list->items) {
        return "out of memory";
    }
    for (; list->count < json_array_size(rows); list->count++) {
        const char *wrong = portal_read_row(json_array_get(rows, list->count), &list->items[list->count]);

        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

enum error_code portal_get_certificates(struct portal *portal, struct portal_certificates *list,
                                        struct error *err)
{
    struct portal_call call = {.method = "GET", .path = "/certificates", .repeatable = true};
    struct portal_certificates got = {0};
    const char *wrong;
    enum error_code status = portal_send(portal, &call, &got.json, err);

    if (status != ERROR_NONE) {
        return status;
    }
    wrong = portal_read_certificates(&got);
    if (wrong) {
        status = portal_bad_answer(err, call.path, wrong);
        portal_certificates_clear(&got);
        return status;
    }
    *list = got;
    return ERROR_NONE;
}

void portal_certificates_clear(struct portal_certificates *list)
{
    free(list->items);
    json_decref(list->json);
    memset(list, 0, sizeof *list);
}

const struct portal_certificate *portal_certificates_find(const struct portal_certificates *list,
                                                          enum portal_use use, const char *state)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].use == use && strcmp(list->items[i].state, state) == 0) {
            return &list->items[i];
        }
    }
    return NULL;
}

enum error_code portal_get_certificate(struct portal *portal, const char *serial, X509 **certificate,
                                       struct error *err)
{
    struct bytes der = {0};
    const unsigned char *p;
    X509 *read;
    char path[96];
    enum error_code status;

    snprintf(path, sizeof path, "/certificates/%s", serial);
    status = portal_download(portal, path, "application/pkix-cert", &der, err);
    if (status != ERROR_NONE) {
        return status;
    }
    p = der.data;
    read = der.len <= LONG_MAX ? d2i_X509(NULL, &p, (long)der.len) : NULL;
    if (!read || p != der.data + der.len) {
        X509_free(read);
        bytes_clear(&der);
        return portal_bad_answer(err, path, "not a certificate");
    }
    bytes_clear(&der);
    *certificate = read;
    return ERROR_NONE;
}

enum error_code portal_suspend(struct portal *portal, const char *serial, const struct secret *password,
                               struct error *err)
{
    struct portal_call call = {.method = "POST"};
    json_t *json_password = portal_json_secret(password, err);
    json_t *answer = NULL;
    const char *state;
    char path[96];
    enum error_code status;

    if (!json_password) {
        return ERROR_REFUSED;
    }
    snprintf(path, sizeof path, "/certificates/%s/suspension", serial);
    call.path = path;
    call.body = json_pack("{s:o}", "password", json_password);
    if (!call.body) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = portal_send(portal, &call, &answer, err);
    json_decref(call.body);
    if (status != ERROR_NONE) {
        return status;
    }
    state = json_string_value(json_object_get(answer, "state"));
    if (!state || strcmp(state, "suspended") != 0) {
        status = portal_bad_answer(err, path, "state");
    }
    json_decref(answer);
    return status;
}

enum error_code portal_get_ca(struct portal *portal, STACK_OF(X509) * *chain, struct error *err)
{
    struct bytes pem = {0};
    STACK_OF(X509) *read = NULL;
    X509 *certificate;
    BIO *bio;
    enum error_code status = portal_download(portal, "/ca", "application/pem-certificate-chain", &pem, err);

    if (status != ERROR_NONE) {
        return status;
    }
    bio = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    read = sk_X509_new_null();
    while (bio && read && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        if (!sk_X509_push(read, certificate)) {
            X509_free(certificate);
            break;
        }
    }
    ERR_clear_error(); /* the end of the file is reported as an error */
    BIO_free(bio);
    bytes_clear(&pem);
    if (!read || sk_X509_num(read) == 0) {
        sk_X509_pop_free(read, X509_free);
        return portal_bad_answer(err, "/ca", "no certificates");
    }
    *chain = read;
    return ERROR_NONE;
}
