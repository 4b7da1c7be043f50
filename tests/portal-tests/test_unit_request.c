/* Reading what an applicant sends: nothing but an unchanged request is accepted, and nothing crashes the
 * reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enrollee.h"
#include "request.h"

static const char dn[] = "serialNumber=R-1,CN=Ming,O=Example,C=TW";
static const char *profile; /* of the keys of this round */

struct made {
    struct enrollee keys;
    struct der request;
    X509_NAME *subject;
};

static int set_up(void **state)
{
    struct request_options options = {.subject_dn = dn};
    struct made *made = calloc(1, sizeof(*made));

    assert_non_null(made);
    enrollee_make_of(&made->keys, profile);
    made->request = enrollee_request(&made->keys, &options);
    made->subject = enrollee_name(dn);
    *state = made;
    return 0;
}

static int tear_down(void **state)
{
    struct made *made = *state;

    enrollee_clear(&made->keys);
    der_clear(&made->request);
    X509_NAME_free(made->subject);
    free(made);
    return 0;
}

/* A heap copy of exactly that length, so that reading past it is seen. */
static enum request_fault read_copy(const unsigned char *der, size_t len, const X509_NAME *subject)
{
    struct enrollment_request request = {NULL, NULL, {0}, {0}};
    unsigned char *copy = malloc(len == 0 ? 1 : len);
    enum request_fault fault;

    assert_non_null(copy);
    memcpy(copy, der, len);
    fault = enrollment_request_read(copy, len, subject, key_profile_named(profile), &request);
    free(copy);
    if (fault == REQUEST_OK) {
        assert_non_null(request.signing_key);
        assert_non_null(request.encryption_key);
    }
    enrollment_request_clear(&request);
    return fault;
}

static void a_right_request_gives_both_keys(void **state)
{
    const struct made *made = *state;
    struct enrollment_request request;

    assert_int_equal(enrollment_request_read(made->request.data, made->request.len, made->subject,
                                             key_profile_named(profile), &request),
                     REQUEST_OK);
    assert_int_equal(EVP_PKEY_eq(request.signing_key, made->keys.signing_key), 1);
    assert_int_equal(EVP_PKEY_eq(request.encryption_key, made->keys.encryption_key), 1);
    assert_memory_not_equal(request.signing_spki_sha256, request.encryption_spki_sha256, SHA256_SIZE);
    enrollment_request_clear(&request);
}

static void every_cut_is_refused(void **state)
{
    const struct made *made = *state;

    for (size_t len = 0; len < made->request.len; len++)
        assert_int_not_equal(read_copy(made->request.data, len, made->subject), REQUEST_OK);
}

static void every_changed_byte_is_refused(void **state)
{
    const struct made *made = *state;
    struct der changed = {malloc(made->request.len), made->request.len};

    assert_non_null(changed.data);
    memcpy(changed.data, made->request.data, changed.len);
    for (size_t i = 0; i < changed.len; i++) {
        unsigned char bit = (unsigned char)(1U << (i % 8));

        changed.data[i] ^= bit;
        assert_int_not_equal(read_copy(changed.data, changed.len, made->subject), REQUEST_OK);
        changed.data[i] ^= bit;
    }
    der_clear(&changed);
}

static void something_behind_the_request_is_refused(void **state)
{
    const struct made *made = *state;
    unsigned char *longer = calloc(1, made->request.len + 1);

    assert_non_null(longer);
    memcpy(longer, made->request.data, made->request.len);
    assert_int_equal(read_copy(longer, made->request.len + 1, made->subject), REQUEST_NOT_PKCS10);
    free(longer);
}

/* The CRMF is signed with the rest, so an applicant can send any bytes there: its reader is tried on its own.
 */
static void no_crmf_bytes_crash_the_reader(void **state)
{
    const struct made *made = *state;
    const unsigned char *der = made->request.data;
    size_t found = 0;

    for (size_t i = 0; i + 2 < made->request.len; i++) {
        size_t len = 0;
        EVP_PKEY *key = NULL;

        /* Where the CertReqMessages, a SEQUENCE, begin is found by trying. */
        if (der[i] == 0x30 && der[i + 1] == 0x81)
            len = 3U + der[i + 2];
        else if (der[i] == 0x30 && der[i + 1] == 0x82 && i + 3 < made->request.len)
            len = 4U + ((size_t)der[i + 2] << 8) + der[i + 3];
        if (len == 0 || len > made->request.len - i)
            continue;
        if (request_crmf_key(made->request.data + i, len, made->subject, &key) == REQUEST_OK) {
            unsigned char *copy = malloc(len);

            found++;
            EVP_PKEY_free(key);
            assert_non_null(copy);
            for (size_t j = 0; j < len * 8; j++) {
                memcpy(copy, made->request.data + i, len);
                copy[j / 8] ^= (unsigned char)(1U << (j % 8));
                key = NULL;
                (void)request_crmf_key(copy, len, made->subject, &key);
                EVP_PKEY_free(key);
            }
            free(copy);
        }
    }
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_request_gives_both_keys),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_changed_byte_is_refused),
        cmocka_unit_test(something_behind_the_request_is_refused),
        cmocka_unit_test(no_crmf_bytes_crash_the_reader),
    };

    profile = "rsa-2048";
    if (cmocka_run_group_tests_name("rsa-2048", tests, set_up, tear_down) != 0)
        return 1;
    profile = "ec-p256";
    return cmocka_run_group_tests_name("ec-p256", tests, set_up, tear_down);
}
