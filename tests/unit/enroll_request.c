/* request, crmf, dn: what is sent is what OpenSSL's own parsers read back. */
#include <string.h>

#include <openssl/cms.h>
#include <openssl/crmf.h>
#include <openssl/x509.h>

#include "enroll/certificate.h"
#include "enroll/crmf.h"
#include "enroll/dn.h"
#include "enroll/possession.h"
#include "enroll/request.h"
#include "enroll_ca.h"
#include "tests/support/test.h"

static EVP_PKEY *signing;
static EVP_PKEY *encryption;
static const char *curve; /* of the keys of this round; NULL: they are RSA */

static X509_NAME *parse(const char *text)
{
    X509_NAME *name = NULL;

    assert_int_equal(dn_parse(text, &name, NULL), ERROR_NONE);
    return name;
}

/* The text that OpenSSL writes for a name gives that name again, to the byte. */
static void assert_same_name(const X509_NAME *name, unsigned long flags)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    X509_NAME *again;
    struct bytes one = {0};
    struct bytes two = {0};

    assert_true(X509_NAME_print_ex(bio, name, 0, flags) > 0);
    BIO_write(bio, "", 1);
    BIO_get_mem_data(bio, &text);
    again = parse(text);
    assert_true(certificate_name_der(name, &one) && certificate_name_der(again, &two));
    assert_true(bytes_equal(&one, &two));
    bytes_clear(&one);
    bytes_clear(&two);
    X509_NAME_free(again);
    BIO_free(bio);
}

static X509_NAME *awkward_name(void)
{
    static const struct {
        int nid;
        const char *value;
    } entries[] = {
        {NID_countryName, "TW"},
        {NID_organizationName, "Ex, Inc + \"Sons\" <a;b>\\ "},
        {NID_organizationalUnitName, "#1"},
        {NID_commonName, " 王小明 = "},
        {NID_serialNumber, "R-1/2:3"},
        {NID_pkcs9_emailAddress, "a@b.example"},
    };
    X509_NAME *name = X509_NAME_new();

    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        assert_int_equal(X509_NAME_add_entry_by_NID(name, entries[i].nid, MBSTRING_UTF8,
                                                    (const unsigned char *)entries[i].value, -1, -1, 0),
                         1);
    }
    return name;
}

static void dn_reads_what_openssl_writes(void **state)
{
    X509_NAME *name = awkward_name();

    (void)state;
    assert_same_name(name, XN_FLAG_RFC2253);
    assert_same_name(name, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    /* A second value in the RDN of the common name. */
    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_givenName, MBSTRING_UTF8,
                                                (const unsigned char *)"W", -1, -1, -1),
                     1);
    assert_same_name(name, XN_FLAG_RFC2253);
    X509_NAME_free(name);
}

static void dn_keeps_order_and_hex(void **state)
{
    X509_NAME *name = parse("serialNumber=R-1,CN=#0C0457616E67,O=Ex\\, Inc,C=TW");
    X509_NAME_ENTRY *entry;

    (void)state;
    assert_int_equal(X509_NAME_entry_count(name), 4);
    entry = X509_NAME_get_entry(name, 0);
    assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), NID_countryName);
    assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry)), V_ASN1_PRINTABLESTRING);
    entry = X509_NAME_get_entry(name, 2);
    assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry)), V_ASN1_UTF8STRING);
    assert_memory_equal(ASN1_STRING_get0_data(X509_NAME_ENTRY_get_data(entry)), "Wang", 4);
    X509_NAME_free(name);
}

static void dn_refuses_what_is_no_name(void **state)
{
    static const char *const texts[] = {
        "",       "CN",     "CN=",        "=x",      "CN=a,",    "CN=a+",    "CN=a,,O=b",
        "CN=a\"", "CN=a\\", "CN=a\\zz",   "CN=#",    "CN=#0",    "CN=#0C05", "CN=#02017F",
        "XX=a",   "C=TWN",  "1.2.3=\xff", "CN=\xff", "CN=a;O=b", "CN=#zz",   ",CN=a"};
    X509_NAME *name = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (dn_parse(texts[i], &name, NULL) != ERROR_PROTOCOL) {
            fail_msg("\"%s\" was read as a name", texts[i]);
        }
    }
    assert_null(name);
}

/* OpenSSL's CRMF parser reads our message, with this subject and id 0. */
static void crmf_is_what_openssl_reads(void **state)
{
    X509_NAME *subject = awkward_name();
    struct bytes der = {0};
    const unsigned char *p;
    OSSL_CRMF_MSGS *messages;
    OSSL_CRMF_MSG *message;
    unsigned char *again = NULL;

    (void)state;
    assert_int_equal(crmf_build(subject, encryption, &der, NULL), ERROR_NONE);
    p = der.data;
    messages = d2i_OSSL_CRMF_MSGS(NULL, &p, (long)der.len);
    assert_non_null(messages);
    assert_ptr_equal(p, der.data + der.len);
    assert_int_equal(sk_OSSL_CRMF_MSG_num(messages), 1);
    message = sk_OSSL_CRMF_MSG_value(messages, 0);
    assert_int_equal(OSSL_CRMF_MSG_get_certReqId(message), 0);
    assert_int_equal(
        X509_NAME_cmp(OSSL_CRMF_CERTTEMPLATE_get0_subject(OSSL_CRMF_MSG_get0_tmpl(message)), subject), 0);
    assert_int_equal(i2d_OSSL_CRMF_MSGS(messages, &again), (int)der.len);
    assert_memory_equal(again, der.data, der.len);
    /* The end is popo [2] (keyEncipherment) or [3] (keyAgreement) { [1] INTEGER challengeResp (1) }: RFC 4211 sections 4.2
     * and 4.3. */
    assert_int_equal(der.data[der.len - 5], curve ? 0xA3 : 0xA2);
    assert_memory_equal(der.data + der.len - 4, "\x03\x81\x01\x01", 4);
    OPENSSL_free(again);
    sk_OSSL_CRMF_MSG_pop_free(messages, OSSL_CRMF_MSG_free);
    X509_NAME_free(subject);
    bytes_clear(&der);
}

static struct bytes build(X509_NAME *subject)
{
    struct bytes der = {0};

    assert_int_equal(request_build(subject, signing, encryption, &der, NULL), ERROR_NONE);
    return der;
}

static void request_is_signed_and_carries_the_other_key(void **state)
{
    X509_NAME *subject = enroll_name("Wang");
    struct bytes der = build(subject);
    struct bytes crmf = {0};
    const unsigned char *p = der.data;
    X509_REQ *request = d2i_X509_REQ(NULL, &p, (long)der.len);
    ASN1_OBJECT *oid = OBJ_txt2obj(REQUEST_ENCRYPTION_OID, 1);
    const ASN1_OCTET_STRING *value;
    X509_ATTRIBUTE *attribute;

    (void)state;
    assert_non_null(request);
    assert_ptr_equal(p, der.data + der.len);
    assert_int_equal(X509_REQ_verify(request, signing), 1);
    assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(request), signing), 1);
    assert_int_equal(X509_NAME_cmp(X509_REQ_get_subject_name(request), subject), 0);
    assert_int_equal(X509_REQ_get_attr_count(request), 1);
    attribute = X509_REQ_get_attr(request, X509_REQ_get_attr_by_OBJ(request, oid, -1));
    assert_non_null(attribute);
    assert_int_equal(X509_ATTRIBUTE_count(attribute), 1);
    value = X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_OCTET_STRING, NULL);
    assert_non_null(value);
    assert_int_equal(crmf_build(subject, encryption, &crmf, NULL), ERROR_NONE);
    assert_int_equal(ASN1_STRING_length(value), (int)crmf.len);
    assert_memory_equal(ASN1_STRING_get0_data(value), crmf.data, crmf.len);
    bytes_clear(&crmf);
    bytes_clear(&der);
    ASN1_OBJECT_free(oid);
    X509_REQ_free(request);
    X509_NAME_free(subject);
}

static X509 *issue(const struct enroll_ca *ca, X509_NAME *subject, EVP_PKEY *key)
{
    struct enroll_leaf leaf = {.key = key,
                               .subject = subject,
                               .serial = 7,
                               .days = 30,
                               .key_usage = "digitalSignature,keyEncipherment",
                               .extended = "emailProtection",
                               .digest = EVP_sha256(),
                               .version = X509_VERSION_3};

    return enroll_issue(ca, &leaf);
}

static void renewal_verifies_and_holds_the_request(void **state)
{
    struct enroll_ca ca;
    X509_NAME *subject = enroll_name("Wang");
    struct bytes request = build(subject);
    struct bytes der = {0};
    X509_STORE *store = X509_STORE_new();
    BIO *content = BIO_new(BIO_s_mem());
    EVP_PKEY *old_key = curve ? EVP_EC_gen(curve) : enroll_rsa_key();
    CMS_ContentInfo *cms;
    const unsigned char *p;
    char *data = NULL;
    X509 *old;

    (void)state;
    enroll_ca_init(&ca);
    old = issue(&ca, subject, old_key);
    assert_int_equal(request_sign_renewal(&request, old, old_key, &der, NULL), ERROR_NONE);
    p = der.data;
    cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.len);
    assert_non_null(cms);
    X509_STORE_add_cert(store, ca.root);
    X509_STORE_add_cert(store, ca.issuing); /* to build the chain with; the root is its end */
    assert_int_equal(CMS_verify(cms, NULL, store, NULL, content, CMS_BINARY), 1);
    assert_int_equal(BIO_get_mem_data(content, &data), (long)request.len);
    assert_memory_equal(data, request.data, request.len);
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    X509_STORE_free(store);
    X509_free(old);
    EVP_PKEY_free(old_key);
    enroll_ca_clear(&ca);
    X509_NAME_free(subject);
    bytes_clear(&request);
    bytes_clear(&der);
}

#define APPLICATION "5aab10ec-97cf-4f21-b3d1-b67800576f73"

static void possession_signs_only_its_own_form(void **state)
{
    unsigned char message[22 + 37 + 32];
    struct bytes nonce = {0};
    struct bytes signature = {0};
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    (void)state;
    memcpy(message, "pinward-activation-v1", 22);
    memcpy(message + 22, APPLICATION, 37);
    memset(message + 59, 'n', 32);
    assert_true(bytes_set(&nonce, message + 59, 31));
    assert_int_equal(possession_sign(signing, APPLICATION, &nonce, &signature, NULL), ERROR_PROTOCOL);
    assert_true(bytes_set(&nonce, message + 59, 32));
    assert_int_equal(possession_sign(signing, APPLICATION, &nonce, &signature, NULL), ERROR_NONE);
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, curve ? EVP_sha384() : EVP_sha256(), NULL, signing), 1);
    assert_int_equal(EVP_DigestVerify(context, signature.data, signature.len, message, sizeof message), 1);
    EVP_MD_CTX_free(context);
    bytes_clear(&nonce);
    bytes_clear(&signature);
}

static struct bytes envelop(X509 *certificate, int recipients, const char *content, int len)
{
    STACK_OF(X509) *to = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(content, len);
    struct bytes der = {0};
    unsigned char *encoded = NULL;
    CMS_ContentInfo *cms;
    int size;

    for (int i = 0; i < recipients; i++) {
        sk_X509_push(to, certificate);
    }
    cms = CMS_encrypt(to, bio, EVP_aes_256_cbc(), CMS_BINARY);
    assert_non_null(cms);
    size = i2d_CMS_ContentInfo(cms, &encoded);
    assert_true(size > 0 && bytes_set(&der, encoded, (size_t)size));
    OPENSSL_free(encoded);
    CMS_ContentInfo_free(cms);
    BIO_free(bio);
    sk_X509_free(to);
    return der;
}

static void possession_decrypts_only_what_is_ours(void **state)
{
    static const char content[] = "0123456789abcdef0123456789abcdef";
    struct enroll_ca ca;
    X509_NAME *subject = enroll_name("Wang");
    struct secret *decrypted = NULL;
    struct bytes der;
    X509 *own;

    (void)state;
    enroll_ca_init(&ca);
    own = issue(&ca, subject, encryption);
    der = envelop(own, 1, content, 32);
    assert_int_equal(possession_decrypt(encryption, own, &der, &decrypted, NULL), ERROR_NONE);
    assert_int_equal(secret_length(decrypted), 32);
    assert_memory_equal(secret_bytes(decrypted), content, 32);
    secret_free(&decrypted);
    assert_int_equal(possession_decrypt(signing, own, &der, &decrypted, NULL), ERROR_TOKEN);
    assert_int_equal(possession_decrypt(encryption, ca.issuing, &der, &decrypted, NULL), ERROR_PROTOCOL);
    der.len -= 1;
    assert_int_equal(possession_decrypt(encryption, own, &der, &decrypted, NULL), ERROR_PROTOCOL);
    bytes_clear(&der);
    der = envelop(own, 2, content, 32);
    assert_int_equal(possession_decrypt(encryption, own, &der, &decrypted, NULL), ERROR_PROTOCOL);
    bytes_clear(&der);
    der = envelop(own, 1, content, 31);
    assert_int_equal(possession_decrypt(encryption, own, &der, &decrypted, NULL), ERROR_PROTOCOL);
    bytes_clear(&der);
    assert_null(decrypted);
    X509_free(own);
    X509_NAME_free(subject);
    enroll_ca_clear(&ca);
}

static int set_up(void **state)
{
    (void)state;
    signing = curve ? EVP_EC_gen(curve) : enroll_rsa_key();
    encryption = curve ? EVP_EC_gen(curve) : enroll_rsa_key();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(signing);
    EVP_PKEY_free(encryption);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dn_reads_what_openssl_writes),
        cmocka_unit_test(dn_keeps_order_and_hex),
        cmocka_unit_test(dn_refuses_what_is_no_name),
        cmocka_unit_test(crmf_is_what_openssl_reads),
        cmocka_unit_test(request_is_signed_and_carries_the_other_key),
        cmocka_unit_test(renewal_verifies_and_holds_the_request),
        cmocka_unit_test(possession_signs_only_its_own_form),
        cmocka_unit_test(possession_decrypts_only_what_is_ours),
    };

    int failed = cmocka_run_group_tests_name("RSA", tests, set_up, tear_down);

    curve = "P-384";
    return failed + cmocka_run_group_tests_name("EC", tests, set_up, tear_down);
}
