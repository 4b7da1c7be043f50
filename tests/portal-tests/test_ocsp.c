/* OCSP (RFC 6960): what the responder says of each state, who signs it, nonces, and requests that are none.
 * Requests are made and answers verified by OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sodium.h>

#include "story.h"

static struct fixture fixture;
static X509 *issuing, *root;

static X509 *read_pem(const char *name)
{
    char path[400];
    X509 *x509;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", fixture.data, name);
    file = fopen(path, "re");
    assert_non_null(file);
    x509 = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(x509);
    return x509;
}

static int set_up(void **state)
{
    (void)state;
    if (!fixture_start(&fixture, "ocsp", NULL))
        return -1;
    issuing = read_pem("issuing.pem");
    root = read_pem("root.pem");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(issuing);
    X509_free(root);
    return fixture_stop(&fixture) ? 0 : -1;
}

/* The CertID of this serial number at this issuer, by this digest. */
static OCSP_CERTID *make_id(const EVP_MD *digest, X509 *issuer, const char *serial)
{
    ASN1_INTEGER *number;
    BIGNUM *value = NULL;
    OCSP_CERTID *id;

    BN_hex2bn(&value, serial);
    number = BN_to_ASN1_INTEGER(value, NULL);
    id = OCSP_cert_id_new(digest, X509_get_subject_name(issuer), X509_get0_pubkey_bitstr(issuer), number);
    ASN1_INTEGER_free(number);
    BN_free(value);
    assert_non_null(id);
    return id;
}

static OCSP_REQUEST *make_request(const EVP_MD *digest, X509 *issuer, const char *serial)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();

    assert_non_null(OCSP_request_add0_id(request, make_id(digest, issuer, serial)));
    return request;
}

static OCSP_RESPONSE *read_response(const struct answer *answer)
{
    const unsigned char *at = (const unsigned char *)answer->body;
    OCSP_RESPONSE *response;

    assert_status(answer, 200);
    assert_string_equal(answer_header(answer, "content-type"), "application/ocsp-response");
    response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer->len);
    assert_non_null(response);
    return response;
}

static OCSP_RESPONSE *post(OCSP_REQUEST *request)
{
    struct client *c = client_new(&fixture);
    unsigned char *der = NULL;
    int len = i2d_OCSP_REQUEST(request, &der);
    OCSP_RESPONSE *response;
    struct answer answer;

    client_send(c, "POST", "/ocsp", "application/ocsp-request", der, (size_t)len, &answer);
    response = read_response(&answer);
    answer_clear(&answer);
    OPENSSL_free(der);
    client_free(&c);
    return response;
}

/* RFC 6960 appendix A.1: base64, then percent-encoded. */
static OCSP_RESPONSE *get(OCSP_REQUEST *request)
{
    struct client *c = client_new(&fixture);
    unsigned char *der = NULL;
    int len = i2d_OCSP_REQUEST(request, &der);
    char base64[600], path[1000] = "/ocsp/";
    OCSP_RESPONSE *response;
    struct answer answer;

    sodium_bin2base64(base64, sizeof(base64), der, (size_t)len, sodium_base64_VARIANT_ORIGINAL);
    for (const char *p = base64; *p != '\0'; p++)
        snprintf(path + strlen(path), sizeof(path) - strlen(path), strchr("+/=", *p) ? "%%%02X" : "%c", *p);
    client_call(c, "GET", path, NULL, &answer);
    response = read_response(&answer);
    answer_clear(&answer);
    OPENSSL_free(der);
    client_free(&c);
    return response;
}

/* Verifies the answer's signature up to the root, as the issuing CA's delegate. */
static OCSP_BASICRESP *verify(OCSP_RESPONSE *response)
{
    OCSP_BASICRESP *basic;
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *untrusted = sk_X509_new_null();

    assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
    basic = OCSP_response_get1_basic(response);
    assert_non_null(basic);
    X509_STORE_add_cert(store, root);
    sk_X509_push(untrusted, issuing);
    assert_int_equal(OCSP_basic_verify(basic, untrusted, store, 0), 1);
    sk_X509_free(untrusted);
    X509_STORE_free(store);
    return basic;
}

struct status {
    int status;
    int reason;
    int64_t next_update_s; /* behind thisUpdate */
};

static struct status find(OCSP_BASICRESP *basic, const EVP_MD *digest, X509 *issuer, const char *serial)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
    OCSP_CERTID *id = make_id(digest, issuer, serial);
    struct status found = {-1, -1, 0};
    int days = 0, seconds = 0;

    assert_int_equal(
        OCSP_resp_find_status(basic, id, &found.status, &found.reason, &revoked, &this_update, &next_update),
        1);
    assert_int_equal(revoked != NULL, found.status == V_OCSP_CERTSTATUS_REVOKED);
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, this_update, next_update), 1);
    found.next_update_s = days * STORY_DAY_S + seconds;
    OCSP_CERTID_free(id);
    return found;
}

/* The state as OCSP tells it now, and that GET says the same. */
static struct status ask(const char *serial)
{
    OCSP_REQUEST *request = make_request(EVP_sha1(), issuing, serial);
    OCSP_RESPONSE *posted = post(request), *got = get(request);
    OCSP_BASICRESP *one = verify(posted), *other = verify(got);
    struct status found = find(one, EVP_sha1(), issuing, serial);
    struct status again = find(other, EVP_sha1(), issuing, serial);

    assert_int_equal(found.status, again.status);
    assert_int_equal(found.reason, again.reason);
    assert_int_equal(found.next_update_s, 60);
    OCSP_BASICRESP_free(one);
    OCSP_BASICRESP_free(other);
    OCSP_RESPONSE_free(posted);
    OCSP_RESPONSE_free(got);
    OCSP_REQUEST_free(request);
    return found;
}

static void assert_asked(const char *serial, int status, int reason)
{
    struct status found = ask(serial);

    assert_int_equal(found.status, status);
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        assert_int_equal(found.reason, reason);
}

static int admin(const char *verb, const char *serial, const char *option, const char *value)
{
    const char *words[] = {verb, serial, option, value, NULL};

    return fixture_admin(&fixture, NULL, words);
}

static void every_state_is_told(void **state)
{
    struct user u;

    (void)state;
    user_start(&fixture, &u, "ocsp-states");
    user_apply(&u);
    assert_asked(u.signing_serial, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
    user_activate(&u);
    assert_asked(u.signing_serial, V_OCSP_CERTSTATUS_GOOD, 0);
    assert_asked(u.encryption_serial, V_OCSP_CERTSTATUS_GOOD, 0);
    assert_int_equal(admin("suspend", u.signing_serial, NULL, NULL), 0);
    assert_asked(u.signing_serial, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
    assert_asked(u.encryption_serial, V_OCSP_CERTSTATUS_GOOD, 0);
    assert_int_equal(admin("resume", u.signing_serial, NULL, NULL), 0);
    assert_asked(u.signing_serial, V_OCSP_CERTSTATUS_GOOD, 0);
    assert_int_equal(admin("revoke", u.signing_serial, "--reason", "keyCompromise"), 0);
    assert_asked(u.signing_serial, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE);
    assert_int_equal(admin("revoke", u.encryption_serial, NULL, NULL), 0);
    assert_asked(u.encryption_serial, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_NOSTATUS);
    assert_asked("1f00000000000000000000000000000001", V_OCSP_CERTSTATUS_UNKNOWN, 0);
    user_clear(&u);
}

/* The first time in the certificate's life at which the test verifies it is now; the portal's clock may be
 * elsewhere. */
static void the_signer_is_a_delegate_of_the_ca_and_short_lived(void **state)
{
    OCSP_REQUEST *request = make_request(EVP_sha256(), issuing, "1234");
    OCSP_RESPONSE *response = post(request);
    OCSP_BASICRESP *basic = verify(response);
    const ASN1_OCTET_STRING *key_id = NULL;
    const X509_NAME *by_name = NULL;
    int days = 0, seconds = 0;
    X509 *signer = NULL;

    (void)state;
    assert_int_equal(OCSP_resp_get0_signer(basic, &signer, NULL), 1);
    assert_int_equal(X509_check_issued(issuing, signer), X509_V_OK);
    assert_int_equal(X509_get_extended_key_usage(signer), XKU_OCSP_SIGN);
    assert_int_equal(X509_get_key_usage(signer), KU_DIGITAL_SIGNATURE);
    assert_true(X509_get_ext_by_NID(signer, NID_id_pkix_OCSP_noCheck, -1) >= 0);
    assert_int_equal(X509_check_ca(signer), 0);
    ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(signer), X509_get0_notAfter(signer));
    assert_int_equal(days, 7);
    assert_int_equal(OCSP_resp_get0_id(basic, &key_id, &by_name), 1);
    assert_non_null(key_id);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    OCSP_REQUEST_free(request);
}

/* Its certificate is replaced before it ends, and when the clock has left it; the same time keeps the same
 * one. */
static void the_signer_is_replaced_in_time(void **state)
{
    static const int64_t clocks[] = {0, 3600, 4 * STORY_DAY_S, 400 * STORY_DAY_S, 0};
    static const int new_one[] = {0, 0, 1, 1, 1};
    OCSP_REQUEST *request = make_request(EVP_sha256(), issuing, "1234");
    X509 *before = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        OCSP_RESPONSE *response;
        OCSP_BASICRESP *basic;
        X509 *signer = NULL;
        time_t now;

        fixture_set_clock(&fixture, clocks[i]);
        response = post(request);
        basic = OCSP_response_get1_basic(response);
        signer = sk_X509_value(OCSP_resp_get0_certs(basic), 0);
        now = time(NULL) + clocks[i];
        assert_int_equal(X509_cmp_time(X509_get0_notBefore(signer), &now), -1);
        assert_int_equal(X509_cmp_time(X509_get0_notAfter(signer), &now), 1);
        if (before != NULL)
            assert_int_equal(X509_cmp(before, signer) != 0, new_one[i]);
        X509_free(before);
        before = X509_dup(signer);
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(response);
    }
    X509_free(before);
    OCSP_REQUEST_free(request);
}

static void a_nonce_is_echoed(void **state)
{
    OCSP_REQUEST *request = make_request(EVP_sha256(), issuing, "1234");
    unsigned char nonce[128];
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;

    (void)state;
    response = post(request);
    basic = verify(response);
    assert_int_equal(OCSP_check_nonce(request, basic), 2); /* neither has one */
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    memset(nonce, 0x5a, sizeof(nonce));
    OCSP_request_add1_nonce(request, nonce, sizeof(nonce));
    response = post(request);
    basic = verify(response);
    assert_int_equal(OCSP_check_nonce(request, basic), 1);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    OCSP_REQUEST_free(request);
}

static void several_at_once(void **state)
{
    OCSP_REQUEST *request;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "ocsp-several");
    request = make_request(EVP_sha256(), issuing, u.signing_serial);
    OCSP_request_add0_id(request, make_id(EVP_sha1(), issuing, u.encryption_serial));
    OCSP_request_add0_id(request, make_id(EVP_sha384(), issuing, "1234"));
    response = post(request);
    basic = verify(response);
    assert_int_equal(OCSP_resp_count(basic), 3);
    assert_int_equal(find(basic, EVP_sha256(), issuing, u.signing_serial).status, V_OCSP_CERTSTATUS_GOOD);
    assert_int_equal(find(basic, EVP_sha1(), issuing, u.encryption_serial).status, V_OCSP_CERTSTATUS_GOOD);
    assert_int_equal(find(basic, EVP_sha384(), issuing, "1234").status, V_OCSP_CERTSTATUS_UNKNOWN);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    OCSP_REQUEST_free(request);
    user_clear(&u);
}

/* Another issuer's number, also behind one of its own; and an identifier by a digest that proves nothing. */
static void there_is_no_authority_over_others(void **state)
{
    OCSP_REQUEST *requests[] = {make_request(EVP_sha256(), root, "1234"),
                                make_request(EVP_sha256(), issuing, "1234"),
                                make_request(EVP_md5(), issuing, "1234")};

    (void)state;
    OCSP_request_add0_id(requests[1], make_id(EVP_sha256(), root, "1234"));
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        OCSP_RESPONSE *response = post(requests[i]);

        assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_UNAUTHORIZED);
        OCSP_RESPONSE_free(response);
        OCSP_REQUEST_free(requests[i]);
    }
}

static void assert_malformed(OCSP_RESPONSE *response)
{
    assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
    OCSP_RESPONSE_free(response);
}

/* A request with this nonce, or with an extension of this OID. */
static OCSP_REQUEST *request_with(const char *oid, const void *value, int len, int critical)
{
    OCSP_REQUEST *request = make_request(EVP_sha256(), issuing, "1234");
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    ASN1_OCTET_STRING_set(octets, value, len);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets);
    OCSP_REQUEST_add_ext(request, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
    return request;
}

#define NONCE_OID "1.3.6.1.5.5.7.48.1.2"

static void requests_that_are_none_are_malformed(void **state)
{
    static const char *const bodies[] = {"", "x", "\x30\x03\x30\x01\x00", "\x30\x04\x30\x02\x30\x00",
                                         "\x30\x84\xff\xff\xff\xff"};
    static const struct {
        const char *oid;
        const char *value;
        int len;
        int critical;
    } extensions[] = {
        {NONCE_OID, "\x04\x00", 2, 0},   /* an empty nonce */
        {NONCE_OID, "\x30\x00", 2, 0},   /* no OCTET STRING */
        {"1.2.3.4.5", "\x05\x00", 2, 1}, /* critical, and nobody knows it */
    };
    struct client *c = client_new(&fixture);
    unsigned char nonce[129] = {1};
    OCSP_REQUEST *request;
    struct answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        client_send(c, "POST", "/ocsp", "application/ocsp-request", bodies[i],
                    i < 3 ? strlen(bodies[i]) + (i == 2) : 6, &answer);
        assert_malformed(read_response(&answer));
        answer_clear(&answer);
    }
    client_call(c, "GET", "/ocsp/%21not-base64", NULL, &answer);
    assert_malformed(read_response(&answer));
    answer_clear(&answer);
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        request =
            request_with(extensions[i].oid, extensions[i].value, extensions[i].len, extensions[i].critical);
        assert_malformed(post(request));
        OCSP_REQUEST_free(request);
    }
    request = make_request(EVP_sha256(), issuing, "1234");
    OCSP_request_add1_nonce(request, nonce, sizeof(nonce));
    assert_malformed(post(request));
    OCSP_REQUEST_free(request);
    request = make_request(EVP_sha256(), issuing, "1");
    for (int i = 1; i < 33; i++)
        OCSP_request_add0_id(request, make_id(EVP_sha256(), issuing, "1"));
    assert_malformed(post(request));
    OCSP_REQUEST_free(request);
    client_send(c, "POST", "/ocsp", "application/json", "{}", 2, &answer);
    assert_problem(&answer, 415, "unsupported-media-type");
    answer_clear(&answer);
    client_free(&c);
}

/* A certificate says where to ask. */
static void certificates_name_the_responder(void **state)
{
    STACK_OF(OPENSSL_STRING) * urls;
    char expected[100], path[128];
    const unsigned char *at;
    struct answer answer;
    struct user u;
    X509 *x509;

    (void)state;
    user_enroll(&fixture, &u, "ocsp-aia");
    story_path(path, "/certificates/*", u.signing_serial);
    client_call(u.client, "GET", path, NULL, &answer);
    at = (const unsigned char *)answer.body;
    x509 = d2i_X509(NULL, &at, (long)answer.len);
    assert_non_null(x509);
    urls = X509_get1_ocsp(x509);
    snprintf(expected, sizeof(expected), "%s/api/v1/ocsp", fixture.url);
    assert_int_equal(sk_OPENSSL_STRING_num(urls), 1);
    assert_string_equal(sk_OPENSSL_STRING_value(urls, 0), expected);
    X509_email_free(urls);
    X509_free(x509);
    answer_clear(&answer);
    user_clear(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_is_told),
        cmocka_unit_test(the_signer_is_a_delegate_of_the_ca_and_short_lived),
        cmocka_unit_test(a_nonce_is_echoed),
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(there_is_no_authority_over_others),
        cmocka_unit_test(requests_that_are_none_are_malformed),
        cmocka_unit_test(certificates_name_the_responder),
        cmocka_unit_test(the_signer_is_replaced_in_time), /* last: it moves the clock */
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
