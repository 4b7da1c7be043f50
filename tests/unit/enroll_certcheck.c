/* certcheck: a right certificate passes, and each way of being wrong is refused with its own sentence. */
#include <string.h>

#include <openssl/x509v3.h>

#include "enroll/certcheck.h"
#include "enroll/certificate.h"
#include "enroll_ca.h"
#include "tests/support/test.h"

#define SERIAL 0x1234
#define DAY_S  86400L

static struct enroll_ca ca;
static struct enroll_ca other_ca;
static EVP_PKEY *key;
static EVP_PKEY *other_key;
static X509_NAME *subject;
static struct bytes subject_der;

/* What is promised of a signing certificate, kept. */
static struct enroll_leaf right_leaf(void)
{
    return (struct enroll_leaf){
        .key = key,
        .subject = subject,
        .serial = SERIAL,
        .not_before_s = -60,
        .days = 365,
        .key_usage = "critical,digitalSignature,nonRepudiation",
        .extended = "emailProtection,clientAuth",
        .constraints = "critical,CA:FALSE",
        .names = "email:wang@example.org",
        .digest = EVP_sha256(),
        .version = X509_VERSION_3,
    };
}

static struct certcheck_promise signing_promise(void)
{
    return (struct certcheck_promise){
        .use = CERTCHECK_SIGNING,
        .serial = "1234",
        .key = key,
        .subject = &subject_der,
        .email = "wang@example.org",
        .key_usage = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
        .validity_days = 365,
    };
}

static enum error_code verify_with(const struct enroll_leaf *leaf, const struct certcheck_promise *promise,
                                   X509 *intermediate, time_t now, struct error *err)
{
    struct certcheck_trust trust = {.roots = X509_STORE_new(), .untrusted = sk_X509_new_null(), .now = now};
    X509 *certificate = enroll_issue(&ca, leaf);
    enum error_code status;

    assert_int_equal(X509_STORE_add_cert(trust.roots, ca.root), 1);
    if (intermediate) {
        sk_X509_push(trust.untrusted, intermediate);
    }
    status = certcheck_verify(certificate, promise, &trust, NULL, err);
    X509_free(certificate);
    sk_X509_free(trust.untrusted);
    X509_STORE_free(trust.roots);
    return status;
}

static void assert_refused(const struct enroll_leaf *leaf, const char *says)
{
    struct certcheck_promise promise = signing_promise();
    struct error err = {0};

    assert_int_equal(verify_with(leaf, &promise, ca.issuing, time(NULL), &err), ERROR_CERTIFICATE);
    if (!strstr(err.text, says)) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
    }
}

static void accepts_what_was_promised(void **state)
{
    struct enroll_leaf leaf = right_leaf();
    struct certcheck_promise promise = signing_promise();
    struct error err = {0};

    (void)state;
    assert_int_equal(verify_with(&leaf, &promise, ca.issuing, time(NULL), &err), ERROR_NONE);
    leaf.key_usage = "critical,keyEncipherment";
    leaf.extended = "emailProtection";
    promise.use = CERTCHECK_ENCRYPTION;
    promise.key_usage = KU_KEY_ENCIPHERMENT;
    assert_int_equal(verify_with(&leaf, &promise, ca.issuing, time(NULL), &err), ERROR_NONE);
}

/* A key that agrees on secrets, which OpenSSL's purpose for encryption does not know. */
static void a_key_agreement_certificate_is_judged_as_strictly(void **state)
{
    static const struct {
        const char *usage;
        const char *extended;
        const char *says;
    } rows[] = {
        {"critical,keyAgreement,digitalSignature", "emailProtection", "another key usage"},
        {"critical,keyEncipherment", "emailProtection", "another key usage"},
        {"critical,keyAgreement,keyEncipherment", "emailProtection", "another key usage"},
        {"critical,keyAgreement", "clientAuth", "another extended key usage"},
        {"critical,keyAgreement", "emailProtection,clientAuth", "another extended key usage"},
    };
    struct enroll_leaf leaf = right_leaf();
    struct certcheck_promise promise = signing_promise();
    EVP_PKEY *agreeing = EVP_EC_gen("P-256");
    struct error err = {0};

    (void)state;
    leaf.key = promise.key = agreeing;
    leaf.key_usage = "critical,keyAgreement";
    leaf.extended = "emailProtection";
    promise.use = CERTCHECK_ENCRYPTION;
    promise.key_usage = KU_KEY_AGREEMENT;
    assert_int_equal(verify_with(&leaf, &promise, ca.issuing, time(NULL), &err), ERROR_NONE);
    assert_int_equal(verify_with(&leaf, &promise, other_ca.issuing, time(NULL), &err), ERROR_CERTIFICATE);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        leaf.key_usage = rows[i].usage;
        leaf.extended = rows[i].extended;
        assert_int_equal(verify_with(&leaf, &promise, ca.issuing, time(NULL), &err), ERROR_CERTIFICATE);
        assert_non_null(strstr(err.text, rows[i].says));
    }
    EVP_PKEY_free(agreeing);
}

static void accepts_a_clock_a_little_behind(void **state)
{
    struct enroll_leaf leaf = right_leaf();
    struct certcheck_promise promise = signing_promise();
    struct error err = {0};

    (void)state;
    leaf.not_before_s = 120;
    assert_int_equal(verify_with(&leaf, &promise, ca.issuing, time(NULL), &err), ERROR_NONE);
    leaf.not_before_s = CERTCHECK_CLOCK_SKEW_S + 60;
    assert_refused(&leaf, "not valid yet");
}

/* Each row: the member that is changed, and what the refusal says. */
static void refuses_each_wrong_extension(void **state)
{
    static const struct {
        size_t member;
        const char *value;
        const char *says;
    } rows[] = {
        {offsetof(struct enroll_leaf, key_usage), NULL, "another key usage"},
        {offsetof(struct enroll_leaf, key_usage), "critical,digitalSignature", "another key usage"},
        {offsetof(struct enroll_leaf, key_usage), "critical,digitalSignature,nonRepudiation,keyCertSign",
         "another key usage"},
        {offsetof(struct enroll_leaf, key_usage), "critical,keyEncipherment", "another key usage"},
        {offsetof(struct enroll_leaf, extended), NULL, "another extended key usage"},
        {offsetof(struct enroll_leaf, extended), "emailProtection", "another extended key usage"},
        {offsetof(struct enroll_leaf, extended), "emailProtection,clientAuth,serverAuth",
         "another extended key usage"},
        {offsetof(struct enroll_leaf, extended), "emailProtection,clientAuth,1.2.3.4",
         "another extended key usage"},
        {offsetof(struct enroll_leaf, extended), "anyExtendedKeyUsage", "another extended key usage"},
        {offsetof(struct enroll_leaf, constraints), NULL, "is not a CA"},
        {offsetof(struct enroll_leaf, constraints), "critical,CA:TRUE", "is not a CA"},
        {offsetof(struct enroll_leaf, names), NULL, "other names"},
        {offsetof(struct enroll_leaf, names), "email:mallory@example.org", "other names"},
        {offsetof(struct enroll_leaf, names), "email:wang@example.org,email:boss@example.org", "other names"},
        {offsetof(struct enroll_leaf, names), "DNS:wang@example.org", "other names"},
        {offsetof(struct enroll_leaf, unknown_critical), "1.2.3.4.5", "does not chain"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct enroll_leaf leaf = right_leaf();

        *(const char **)(void *)((char *)&leaf + rows[i].member) = rows[i].value;
        assert_refused(&leaf, rows[i].says);
    }
}

static void refuses_another_key_or_subject(void **state)
{
    struct enroll_leaf leaf = right_leaf();
    X509_NAME *mallory = enroll_name("Mallory");
    X509_NAME *same_but_printable = X509_NAME_new();

    (void)state;
    leaf.key = other_key;
    assert_refused(&leaf, "another key");
    leaf = right_leaf();
    leaf.subject = mallory;
    assert_refused(&leaf, "another subject");
    /* Equal for X509_NAME_cmp, but not the DER that was promised. */
    X509_NAME_add_entry_by_NID(same_but_printable, NID_countryName, V_ASN1_PRINTABLESTRING,
                               (const unsigned char *)"TW", -1, -1, 0);
    X509_NAME_add_entry_by_NID(same_but_printable, NID_commonName, V_ASN1_PRINTABLESTRING,
                               (const unsigned char *)"Wang", -1, -1, 0);
    assert_int_equal(X509_NAME_cmp(same_but_printable, subject), 0);
    leaf.subject = same_but_printable;
    assert_refused(&leaf, "another subject");
    leaf = right_leaf();
    leaf.serial = SERIAL + 1;
    assert_refused(&leaf, "serial number");
    X509_NAME_free(mallory);
    X509_NAME_free(same_but_printable);
}

static void refuses_another_validity(void **state)
{
    struct enroll_leaf leaf = right_leaf();

    (void)state;
    leaf.days = 366;
    assert_refused(&leaf, "valid for another time");
    leaf.days = 364;
    assert_refused(&leaf, "valid for another time");
    leaf.days = 365;
    leaf.extra_s = 1;
    assert_refused(&leaf, "valid for another time");
    leaf = right_leaf();
    leaf.not_before_s = -366 * DAY_S;
    assert_refused(&leaf, "has expired");
}

static void refuses_weak_or_old_forms(void **state)
{
    struct enroll_leaf leaf = right_leaf();

    (void)state;
    leaf.digest = EVP_sha1();
    assert_refused(&leaf, "too weak");
    leaf.digest = EVP_md5();
    assert_refused(&leaf, "too weak");
    leaf = right_leaf();
    leaf.version = X509_VERSION_2;
    assert_refused(&leaf, "version 3");
}

static void refuses_another_chain(void **state)
{
    struct enroll_leaf leaf = right_leaf();
    struct certcheck_promise promise = signing_promise();
    struct error err = {0};

    (void)state;
    assert_int_equal(verify_with(&leaf, &promise, NULL, time(NULL), &err), ERROR_CERTIFICATE);
    assert_non_null(strstr(err.text, "does not chain to the pinned CA"));
    assert_int_equal(verify_with(&leaf, &promise, other_ca.issuing, time(NULL), &err), ERROR_CERTIFICATE);
    leaf.self_signed = 1;
    assert_refused(&leaf, "does not chain");
}

/* A CA of the same names and another key: only the signature tells. */
static void refuses_a_namesake_of_the_ca(void **state)
{
    struct certcheck_trust trust = {
        .roots = X509_STORE_new(), .untrusted = sk_X509_new_null(), .now = time(NULL)};
    struct enroll_leaf leaf = right_leaf();
    struct certcheck_promise promise = signing_promise();
    X509 *forged = enroll_issue(&other_ca, &leaf);
    struct error err = {0};

    (void)state;
    X509_STORE_add_cert(trust.roots, ca.root);
    sk_X509_push(trust.untrusted, other_ca.issuing);
    sk_X509_push(trust.untrusted, other_ca.root);
    assert_int_equal(certcheck_verify(forged, &promise, &trust, NULL, &err), ERROR_CERTIFICATE);
    assert_non_null(strstr(err.text, "does not chain"));
    X509_free(forged);
    sk_X509_free(trust.untrusted);
    X509_STORE_free(trust.roots);
}

static void gives_the_verified_chain(void **state)
{
    struct certcheck_trust trust = {
        .roots = X509_STORE_new(), .untrusted = sk_X509_new_null(), .now = time(NULL)};
    struct enroll_leaf leaf = right_leaf();
    struct certcheck_promise promise = signing_promise();
    X509 *certificate = enroll_issue(&ca, &leaf);
    STACK_OF(X509) *chain = NULL;

    (void)state;
    X509_STORE_add_cert(trust.roots, ca.root);
    sk_X509_push(trust.untrusted, ca.issuing);
    assert_int_equal(certcheck_verify(certificate, &promise, &trust, &chain, NULL), ERROR_NONE);
    assert_int_equal(sk_X509_num(chain), 3);
    assert_int_equal(X509_cmp(sk_X509_value(chain, 0), certificate), 0);
    assert_int_equal(X509_cmp(sk_X509_value(chain, 2), ca.root), 0);
    sk_X509_pop_free(chain, X509_free);
    X509_free(certificate);
    sk_X509_free(trust.untrusted);
    X509_STORE_free(trust.roots);
}

static int set_up(void **state)
{
    (void)state;
    enroll_ca_init(&ca);
    enroll_ca_init(&other_ca);
    key = enroll_rsa_key();
    other_key = enroll_rsa_key();
    subject = enroll_name("Wang");
    assert_true(certificate_name_der(subject, &subject_der));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    enroll_ca_clear(&ca);
    enroll_ca_clear(&other_ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    X509_NAME_free(subject);
    bytes_clear(&subject_der);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_was_promised),
        cmocka_unit_test(a_key_agreement_certificate_is_judged_as_strictly),    cmocka_unit_test(accepts_a_clock_a_little_behind),
        cmocka_unit_test(refuses_each_wrong_extension), cmocka_unit_test(refuses_another_key_or_subject),
        cmocka_unit_test(refuses_another_validity),     cmocka_unit_test(refuses_weak_or_old_forms),
        cmocka_unit_test(refuses_another_chain),        cmocka_unit_test(refuses_a_namesake_of_the_ca),
        cmocka_unit_test(gives_the_verified_chain),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
