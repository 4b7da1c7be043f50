/* The mechanisms that a private key signs or decrypts with, through the gate at level high: asked once, the window
 * says what for, the result is right (OpenSSL says so), a refusal leaves nothing, and parameters changed meanwhile do
 * not matter. PKCS#1 with a hash and ECDSA: module_sign; PKCS#1 decryption: module_decrypt; ECDH: module_once. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"
#include "support/verify.h"

#define RIGHT "pin " FIXTURE_PIN "\n"
#define LATE  "late 400 " FIXTURE_PIN "\n"

#define KEY_ED25519 "high ed25519"

static struct fixture fx;
static const char *const rsa_labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};

/* ------------------------------------------------------------------ what is signed, and with what */

enum input { INPUT_DATA, INPUT_DIGEST, INPUT_DIGEST_INFO, INPUT_BLOCK };

struct row {
    CK_MECHANISM_TYPE type;
    const char *name;
    enum input input;
    bool pss;
    const char *window;
};

static const struct row rows[] = {
    {CKM_RSA_PKCS, "CKM_RSA_PKCS", INPUT_DIGEST_INFO, false, "wants to SIGN with your key"},
    {CKM_RSA_X_509, "CKM_RSA_X_509", INPUT_BLOCK, false, "wants to DECRYPT or SIGN with your key"},
    {CKM_RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS", INPUT_DIGEST, true, "wants to SIGN with your key"},
    {CKM_SHA256_RSA_PKCS_PSS, "CKM_SHA256_RSA_PKCS_PSS", INPUT_DATA, true, "wants to SIGN with your key"},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void sha256(unsigned char digest[32])
{
    unsigned int len = 32;

    assert_int_equal(EVP_Digest(USE_DATA, USE_DATA_LEN, digest, &len, EVP_sha256(), NULL), 1);
}

/* RFC 8017, 9.2: the block 00 01 FF ... 00 DigestInfo, and where in it the DigestInfo begins. */
static CK_ULONG make_block(CK_BYTE block[256])
{
    static const char prefix[] = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    const CK_ULONG info = 256 - 51;

    memset(block, 0xFF, 256);
    block[0] = 0;
    block[1] = 1;
    block[info - 1] = 0;
    memcpy(block + info, prefix, 19);
    sha256(block + 256 - 32);
    return info;
}

static CK_ULONG make_input(enum input input, CK_BYTE bytes[256])
{
    CK_ULONG info;

    switch (input) {
    case INPUT_DATA:
        memcpy(bytes, USE_DATA, USE_DATA_LEN);
        return USE_DATA_LEN;
    case INPUT_DIGEST:
        sha256(bytes);
        return 32;
    case INPUT_DIGEST_INFO:
        info = make_block(bytes);
        memmove(bytes, bytes + info, 256 - info);
        return 256 - info;
    case INPUT_BLOCK:
        (void)make_block(bytes);
        return 256;
    }
    return 0;
}

/* With the salt's length told, so that a signature with another one is bad. */
static bool signature_is_good(const char *label, const struct row *row, const struct use_result *signature)
{
    EVP_PKEY *pkey = verify_rsa_key(fx.p11, fx.session, key_public(fx.p11, fx.session, label));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    unsigned char digest[32];
    bool good;

    sha256(digest);
    assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, row->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
    if (row->pss)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32), 1);
    good = EVP_PKEY_verify(ctx, signature->bytes, signature->len, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

/* ------------------------------------------------------------------ one signature, in a thread if need be */

struct signing {
    const struct row *row;
    const char *label;
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_MECHANISM mechanism;
    struct use_result signature;
    CK_RV rv;
};

static void signing_init(struct signing *s, const struct row *row, const char *label)
{
    *s = (struct signing){.row = row, .label = label, .pss = {CKM_SHA256, CKG_MGF1_SHA256, 32}};
    s->mechanism.mechanism = row->type;
    if (row->pss) {
        s->mechanism.pParameter = &s->pss;
        s->mechanism.ulParameterLen = sizeof s->pss;
    }
    use_result_init(&s->signature);
}

static void *signing_run(void *data)
{
    struct signing *s = data;
    CK_BYTE in[256];
    const CK_ULONG len = make_input(s->row->input, in);

    s->rv = fx.p11->C_SignInit(fx.session, &s->mechanism, key_private(fx.p11, fx.session, s->label));
    if (s->rv == CKR_OK)
        s->rv = fx.p11->C_Sign(fx.session, in, len, s->signature.bytes, &s->signature.len);
    return NULL;
}

static void expect_question(const char *window, const char *label)
{
    char *questions = script_questions(&fx);

    assert_contains(questions, window);
    assert_contains(questions, label);
    free(questions);
    assert_int_equal(script_asked(&fx), 1);
}

/* ------------------------------------------------------------------ RSA signatures */

static void every_rsa_signature_asks_and_is_right(void **state)
{
    struct signing s;

    (void)state;
    for (size_t r = 0; r < ROWS; r++) {
        lacks_mechanism(&fx, __func__, rows[r].type, CKF_SIGN, rows[r].name);
        for (size_t i = 0; i < 2; i++) {
            script_set(&fx, "cancel\n");
            signing_init(&s, &rows[r], rsa_labels[i]);
            signing_run(&s);
            assert_rv(s.rv, CKR_FUNCTION_CANCELED);
            assert_true(use_result_is_untouched(&s.signature));
            assert_rv(use_sign_data(&fx, fx.session, &s.signature), CKR_OPERATION_NOT_INITIALIZED);
            expect_question(rows[r].window, rsa_labels[i]);

            script_set(&fx, RIGHT);
            signing_init(&s, &rows[r], rsa_labels[i]);
            signing_run(&s);
            assert_ok(s.rv);
            expect_question(rows[r].window, rsa_labels[i]);
            assert_true(signature_is_good(rsa_labels[i], &rows[r], &s.signature));
        }
    }
}

/* Another thread asks for no salt at all while the user reads. */
static void pss_is_by_the_parameters_of_the_init_call(void **state)
{
    struct signing s;
    pthread_t thread;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry the parameters of PSS with a hash");
    for (size_t r = 0; r < ROWS; r++) {
        if (!rows[r].pss)
            continue;
        script_set(&fx, LATE);
        signing_init(&s, &rows[r], KEY_HIGH_RSA);
        assert_int_equal(pthread_create(&thread, NULL, signing_run, &s), 0);
        script_wait_question(&fx);
        s.pss.sLen = 0;
        s.mechanism.mechanism = CKM_RSA_X_509;
        pthread_join(thread, NULL);
        assert_ok(s.rv);
        assert_true(signature_is_good(KEY_HIGH_RSA, &rows[r], &s.signature));
    }
}

/* ------------------------------------------------------------------ RSA decryption */

struct decryption {
    CK_RSA_PKCS_OAEP_PARAMS oaep;
    CK_MECHANISM mechanism;
    const char *label;
    struct use_result message, data;
    CK_RV rv;
};

static void decryption_init(struct decryption *d, CK_MECHANISM_TYPE type, const char *label)
{
    EVP_PKEY *pkey = verify_rsa_key(fx.p11, fx.session, key_public(fx.p11, fx.session, label));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    unsigned char block[256] = {0};
    const bool raw = type == CKM_RSA_X_509;

    *d = (struct decryption){.label = label, .oaep = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0}};
    d->mechanism = raw ? (CK_MECHANISM){type, NULL, 0} : (CK_MECHANISM){type, &d->oaep, sizeof d->oaep};
    memcpy(block + (raw ? sizeof block - USE_DATA_LEN : 0), USE_DATA, USE_DATA_LEN);
    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, raw ? RSA_NO_PADDING : RSA_PKCS1_OAEP_PADDING), 1);
    d->message.len = sizeof d->message.bytes;
    assert_int_equal(EVP_PKEY_encrypt(ctx, d->message.bytes, &d->message.len, block, raw ? sizeof block : USE_DATA_LEN),
                     1);
    use_result_init(&d->data);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

static void *decryption_run(void *data)
{
    struct decryption *d = data;

    d->rv = fx.p11->C_DecryptInit(fx.session, &d->mechanism, key_private(fx.p11, fx.session, d->label));
    if (d->rv == CKR_OK)
        d->rv = use_decrypt_data(&fx, fx.session, &d->message, &d->data);
    return NULL;
}

static bool ends_with_the_data(const struct use_result *data)
{
    return data->len >= USE_DATA_LEN &&
           memcmp(data->bytes + data->len - USE_DATA_LEN, USE_DATA, USE_DATA_LEN) == 0;
}

static void every_decryption_asks_and_is_right(void **state)
{
    const struct {
        CK_MECHANISM_TYPE type;
        const char *name, *window;
    } kinds[] = {{CKM_RSA_PKCS_OAEP, "CKM_RSA_PKCS_OAEP", "wants to DECRYPT with your key"},
                 {CKM_RSA_X_509, "CKM_RSA_X_509", "wants to DECRYPT or SIGN with your key"}};
    struct decryption d;

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        lacks_mechanism(&fx, __func__, kinds[k].type, CKF_DECRYPT, kinds[k].name);
        for (size_t i = 0; i < 2; i++) {
            script_set(&fx, "cancel\n");
            decryption_init(&d, kinds[k].type, rsa_labels[i]);
            decryption_run(&d);
            assert_rv(d.rv, CKR_FUNCTION_CANCELED);
            assert_true(use_result_is_untouched(&d.data));
            expect_question(kinds[k].window, rsa_labels[i]);

            script_set(&fx, RIGHT);
            decryption_init(&d, kinds[k].type, rsa_labels[i]);
            decryption_run(&d);
            assert_ok(d.rv);
            assert_true(ends_with_the_data(&d.data));
            expect_question(kinds[k].window, rsa_labels[i]);
        }
    }
}

static void oaep_is_by_the_parameters_of_the_init_call(void **state)
{
    struct decryption d;
    pthread_t thread;

    (void)state;
    lacks_mechanism(&fx, __func__, CKM_RSA_PKCS_OAEP, CKF_DECRYPT, "CKM_RSA_PKCS_OAEP");
    script_set(&fx, LATE);
    decryption_init(&d, CKM_RSA_PKCS_OAEP, KEY_PLAIN_RSA);
    assert_int_equal(pthread_create(&thread, NULL, decryption_run, &d), 0);
    script_wait_question(&fx);
    d.oaep.hash_alg = CKM_SHA512;
    d.mechanism.mechanism = CKM_RSA_X_509;
    pthread_join(thread, NULL);
    assert_ok(d.rv);
    assert_true(use_data_is_right(&d.data));
}

/* ------------------------------------------------------------------ Ed25519 */

static bool ed25519_is_good(const struct use_result *signature)
{
    CK_BYTE point[64];
    CK_ATTRIBUTE attribute = {CKA_EC_POINT, point, sizeof point};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *pkey;
    bool good;

    assert_ok(fx.p11->C_GetAttributeValue(fx.session, key_public(fx.p11, fx.session, KEY_ED25519), &attribute, 1));
    assert_in_range(attribute.ulValueLen, 32, sizeof point); /* the last 32 bytes, in an OCTET STRING or not */
    pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point + attribute.ulValueLen - 32, 32);
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey), 1);
    good = EVP_DigestVerify(ctx, signature->bytes, signature->len, (const unsigned char *)USE_DATA, USE_DATA_LEN) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

/* LeakSanitizer's, where there is one. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* SoftHSM2 2.6.1 leaks the curve's name at each C_SignInit with an Edwards key. */
static CK_RV sign_init_ed25519(void)
{
    CK_MECHANISM mechanism = {CKM_EDDSA, NULL, 0};
    const CK_OBJECT_HANDLE key = key_private(fx.p11, fx.session, KEY_ED25519);
    CK_RV rv;

    if (__lsan_disable)
        __lsan_disable();
    rv = fx.p11->C_SignInit(fx.session, &mechanism, key);
    if (__lsan_enable)
        __lsan_enable();
    return rv;
}

static CK_RV sign_ed25519(struct use_result *signature)
{
    const CK_RV rv = sign_init_ed25519();

    use_result_init(signature);
    return rv == CKR_OK ? use_sign_data(&fx, fx.session, signature) : rv;
}

static void ed25519_asks_and_is_right(void **state)
{
    const struct key_wish wish = key_wish_new(KEY_ED25519);
    CK_OBJECT_HANDLE public_key, private_key;
    struct use_result signature;
    CK_ULONG len = 0;

    (void)state;
    lacks_mechanism(&fx, __func__, CKM_EDDSA, CKF_SIGN, "CKM_EDDSA");
    assert_ok(key_make_ed25519(fx.p11, fx.session, &wish, &public_key, &private_key));
    script_set(&fx, "cancel\n");
    assert_rv(sign_ed25519(&signature), CKR_FUNCTION_CANCELED);
    assert_true(use_result_is_untouched(&signature));
    expect_question("wants to SIGN with your key", KEY_ED25519);

    assert_ok(sign_init_ed25519());
    assert_ok(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, NULL, &len));
    assert_int_equal(len, 64);
    assert_int_equal(script_asked(&fx), 0);
    script_set(&fx, RIGHT);
    assert_ok(use_sign_data(&fx, fx.session, &signature));
    expect_question("wants to SIGN with your key", KEY_ED25519);
    assert_true(ed25519_is_good(&signature));
}

/* ------------------------------------------------------------------ */

static int start(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_rsa_signature_asks_and_is_right),
        TEST(pss_is_by_the_parameters_of_the_init_call),
        TEST(every_decryption_asks_and_is_right),
        TEST(oaep_is_by_the_parameters_of_the_init_call),
        TEST(ed25519_asks_and_is_right),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
