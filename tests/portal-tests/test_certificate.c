/* Certificates and the CRL: profiles, chain, download, and what the revocation list says at each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "story.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    return fixture_start(&fixture, "certificate", NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

static X509_CRL *get_crl(struct client *c)
{
    const unsigned char *at;
    struct answer answer;
    X509_CRL *crl;

    client_call(c, "GET", "/crl", NULL, &answer);
    assert_status(&answer, 200);
    assert_string_equal(answer_header(&answer, "content-type"), "application/pkix-crl");
    assert_string_equal(answer_header(&answer, "cache-control"), "");
    at = (const unsigned char *)answer.body;
    crl = d2i_X509_CRL(NULL, &at, (long)answer.len);
    assert_non_null(crl);
    answer_clear(&answer);
    return crl;
}

/* The reason under which the CRL lists the serial; -1: it does not list it; 0 also when it gives no reason.
 */
static int listed_reason(struct client *c, const char *serial)
{
    X509_CRL *crl = get_crl(c);
    X509_REVOKED *entry = NULL;
    BIGNUM *number = NULL;
    ASN1_INTEGER *wanted;
    ASN1_ENUMERATED *code;
    int reason = -1;

    BN_hex2bn(&number, serial);
    wanted = BN_to_ASN1_INTEGER(number, NULL);
    if (X509_CRL_get0_by_serial(crl, &entry, wanted) == 1) {
        code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
        reason = code == NULL ? 0 : (int)ASN1_ENUMERATED_get(code);
        ASN1_ENUMERATED_free(code);
    }
    ASN1_INTEGER_free(wanted);
    BN_free(number);
    X509_CRL_free(crl);
    return reason;
}

static int64_t crl_number(struct client *c)
{
    X509_CRL *crl = get_crl(c);
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    int64_t value = -1;

    assert_int_equal(ASN1_INTEGER_get_int64(&value, number), 1);
    ASN1_INTEGER_free(number);
    X509_CRL_free(crl);
    return value;
}

static STACK_OF(X509) * get_chain(struct client *c)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct answer answer;
    X509 *x509;
    BIO *bio;

    client_call(c, "GET", "/ca", NULL, &answer);
    assert_status(&answer, 200);
    assert_string_equal(answer_header(&answer, "content-type"), "application/pem-certificate-chain");
    bio = BIO_new_mem_buf(answer.body, (int)answer.len);
    while ((x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        sk_X509_push(chain, x509);
    BIO_free(bio);
    answer_clear(&answer);
    assert_int_equal(sk_X509_num(chain), 2);
    return chain;
}

static X509 *download(struct user *u, const char *serial)
{
    const unsigned char *at;
    struct answer answer;
    char path[128];
    X509 *x509;

    story_path(path, "/certificates/*", serial);
    client_call(u->client, "GET", path, NULL, &answer);
    assert_status(&answer, 200);
    assert_string_equal(answer_header(&answer, "content-type"), "application/pkix-cert");
    at = (const unsigned char *)answer.body;
    x509 = d2i_X509(NULL, &at, (long)answer.len);
    assert_non_null(x509);
    answer_clear(&answer);
    return x509;
}

/* OpenSSL's own verification, with strict RFC 5280 checks and the portal's CRL. Returns X509_V_OK or the
 * error. */
static int verify(struct client *c, X509 *x509)
{
    STACK_OF(X509) *chain = get_chain(c);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE *store = X509_STORE_new();
    X509_CRL *crl = get_crl(c);
    int error;

    X509_STORE_add_cert(store, sk_X509_value(chain, 1));
    X509_STORE_add_crl(store, crl);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_init(context, store, x509, chain);
    X509_verify_cert(context);
    error = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_CRL_free(crl);
    sk_X509_pop_free(chain, X509_free);
    return error;
}

static void assert_email(X509 *x509, const char *email)
{
    assert_int_equal(X509_check_email(x509, email, 0, 0), 1);
}

static void certificates_follow_their_profiles(void **state)
{
    X509 *signing, *encryption;
    X509_NAME *name;
    struct user u;
    int days = 0, seconds = 0;

    (void)state;
    user_enroll(&fixture, &u, "profile-user");
    signing = download(&u, u.signing_serial);
    encryption = download(&u, u.encryption_serial);
    name = enrollee_name(u.subject_dn);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(signing), name), 0);
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(encryption), name), 0);
    assert_int_equal(X509_get_key_usage(signing), KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
    assert_int_equal(X509_get_key_usage(encryption), KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_extended_key_usage(signing), XKU_SMIME | XKU_SSL_CLIENT);
    assert_int_equal(X509_get_extended_key_usage(encryption), XKU_SMIME);
    assert_int_equal(X509_check_ca(signing), 0);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(signing), u.keys.signing_key), 1);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(encryption), u.keys.encryption_key), 1);
    assert_email(signing, "ming@example.org");
    assert_email(encryption, "ming@example.org");
    assert_true(X509_get_ext_by_NID(signing, NID_crl_distribution_points, -1) >= 0);
    ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(signing), X509_get0_notAfter(signing));
    assert_int_equal(days * 86400 + seconds, 365 * 86400);
    assert_int_equal(verify(u.client, signing), X509_V_OK);
    assert_int_equal(verify(u.client, encryption), X509_V_OK);
    X509_NAME_free(name);
    X509_free(signing);
    X509_free(encryption);
    user_clear(&u);
}

static void on_hold_until_activated(void **state)
{
    struct answer answer;
    char path[128];
    X509 *signing;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "hold-user");
    user_apply(&u);
    assert_int_equal(listed_reason(u.client, u.signing_serial), CRL_REASON_CERTIFICATE_HOLD);
    assert_int_equal(listed_reason(u.client, u.encryption_serial), CRL_REASON_CERTIFICATE_HOLD);
    story_path(path, "/certificates/*", u.signing_serial);
    client_call(u.client, "GET", path, NULL, &answer);
    assert_problem(&answer, 403, "not-activated");
    answer_clear(&answer);
    user_activate(&u);
    assert_int_equal(listed_reason(u.client, u.signing_serial), -1);
    assert_int_equal(listed_reason(u.client, u.encryption_serial), -1);
    signing = download(&u, u.signing_serial);
    assert_int_equal(verify(u.client, signing), X509_V_OK);
    X509_free(signing);
    user_clear(&u);
}

static int admin(const char *verb, const char *serial, const char *option, const char *value)
{
    const char *words[] = {verb, serial, option, value, NULL};

    return fixture_admin(&fixture, NULL, words);
}

static void suspended_resumed_and_revoked(void **state)
{
    char certificate_state[16];
    X509 *signing;
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "revoked-user");
    signing = download(&u, u.signing_serial);
    assert_int_equal(admin("suspend", u.signing_serial, NULL, NULL), 0);
    assert_int_equal(listed_reason(u.client, u.signing_serial), CRL_REASON_CERTIFICATE_HOLD);
    assert_int_equal(verify(u.client, signing), X509_V_ERR_CERT_REVOKED);
    user_certificate_state(&u, u.signing_serial, certificate_state);
    assert_string_equal(certificate_state, "suspended");
    assert_int_not_equal(admin("suspend", u.signing_serial, NULL, NULL), 0);
    assert_int_equal(admin("resume", u.signing_serial, NULL, NULL), 0);
    assert_int_equal(listed_reason(u.client, u.signing_serial), -1);
    assert_int_not_equal(admin("resume", u.signing_serial, NULL, NULL), 0);

    assert_int_not_equal(admin("revoke", u.signing_serial, "--reason", "boredom"), 0);
    assert_int_equal(admin("revoke", u.signing_serial, "--reason", "keyCompromise"), 0);
    assert_int_equal(listed_reason(u.client, u.signing_serial), CRL_REASON_KEY_COMPROMISE);
    assert_int_equal(admin("revoke", u.encryption_serial, NULL, NULL), 0);
    assert_int_equal(listed_reason(u.client, u.encryption_serial), 0); /* unspecified: no reason is written */
    assert_int_not_equal(admin("revoke", u.signing_serial, NULL, NULL), 0);
    assert_int_not_equal(admin("revoke", "1234", NULL, NULL), 0);
    user_certificate_state(&u, u.signing_serial, certificate_state);
    assert_string_equal(certificate_state, "revoked");
    X509_free(signing);
    user_apply(&u); /* nothing is left of the pair: the user may apply again */
    user_clear(&u);
}

static void crl_is_made_anew_only_when_it_must(void **state)
{
    struct client *c = client_new(&fixture);
    int64_t first;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "crl-user");
    first = crl_number(c);
    assert_int_equal(crl_number(c), first);
    user_apply(&u);
    assert_int_equal(crl_number(c), first + 1);
    fixture_set_clock(&fixture, 13 * 3600);
    assert_int_equal(crl_number(c), first + 2); /* half of its 24 hours are over */
    fixture_set_clock(&fixture, 0);
    assert_int_equal(crl_number(c), first + 3); /* a list of the future is not served */
    assert_true(fixture_restart(&fixture, 15, NULL));
    user_clear(&u);
    client_free(&c);
    c = client_new(&fixture);
    assert_int_equal(crl_number(c), first + 3); /* kept over a restart */
    client_free(&c);
}

static void only_ones_own_certificates_are_there(void **state)
{
    struct user owner, other;
    struct answer answer;
    char path[128];

    (void)state;
    user_enroll(&fixture, &owner, "cert-owner");
    user_start(&fixture, &other, "cert-other");
    story_path(path, "/certificates/*", owner.signing_serial);
    client_call(other.client, "GET", path, NULL, &answer);
    assert_problem(&answer, 404, "not-found");
    answer_clear(&answer);
    client_call(other.client, "GET", "/certificates", NULL, &answer);
    assert_int_equal(json_array_size(json_object_get(answer.json, "certificates")), 0);
    answer_clear(&answer);
    client_call(owner.client, "GET", "/certificates/1234", NULL, &answer);
    assert_problem(&answer, 404, "not-found");
    answer_clear(&answer);
    user_clear(&owner);
    user_clear(&other);
}

static void the_list_pairs_them_and_tells_when_renewal_opens(void **state)
{
    struct answer answer;
    const json_t *first, *second;
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "list-user");
    client_call(u.client, "GET", "/certificates", NULL, &answer);
    first = json_array_get(json_object_get(answer.json, "certificates"), 0);
    second = json_array_get(json_object_get(answer.json, "certificates"), 1);
    assert_true(json_equal(json_object_get(first, "partner_serial"), json_object_get(second, "serial")));
    assert_true(json_equal(json_object_get(second, "partner_serial"), json_object_get(first, "serial")));
    assert_true(strcmp(json_string_value(json_object_get(first, "renewal_opens_at")),
                       json_string_value(json_object_get(first, "not_after"))) < 0);
    assert_int_equal(strlen(answer_text(&answer, "now")), 20);
    answer_clear(&answer);
    user_clear(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_follow_their_profiles),
        cmocka_unit_test(on_hold_until_activated),
        cmocka_unit_test(suspended_resumed_and_revoked),
        cmocka_unit_test(crl_is_made_anew_only_when_it_must),
        cmocka_unit_test(only_ones_own_certificates_are_there),
        cmocka_unit_test(the_list_pairs_them_and_tells_when_renewal_opens),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
