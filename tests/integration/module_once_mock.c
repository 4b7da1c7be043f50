/* Uses that are one call, on the backend that records: second keys in a mechanism's parameters, and what a private key
 * may leave under. */
#include <string.h>

#include "once_world.h"
#include "support/pinentry_script.h"
#include "support/test.h"

/* ------------------------------------------------------------------ second keys in a mechanism's parameters
 */

#define CONCATENATE_BASE_AND_KEY 0x360UL

static CK_RV derive(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE second, CK_ULONG len)
{
    CK_MECHANISM mechanism = {type, &second, len};
    CK_OBJECT_HANDLE made;

    return fx.p11->C_DeriveKey(fx.session, &mechanism, ONCE_SECRET, NULL, 0, &made);
}

/* A token that takes private keys for it would sign, or encrypt raw, with one: it is not asked. */
static void private_key_wraps_nothing(void **state)
{
    CK_BYTE wrapped[512];
    CK_ULONG len = sizeof wrapped;

    (void)state;
    once_start_logged_in("level = medium\n");
    assert_rv(fx.p11->C_WrapKey(fx.session, &rsa, ONCE_PRIVATE, ONCE_SECRET, wrapped, &len),
              CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    assert_rv(fx.p11->C_WrapKey(fx.session, &rsa, ONCE_ENFORCED, ONCE_CARRIER, NULL, &len), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    assert_int_equal(mock->calls[CALL_C_WrapKey], 0);
    assert_int_equal(len, sizeof wrapped);
}

static void second_key_is_no_private_key(void **state)
{
    static const CK_MECHANISM_TYPE unjudged[] = {0x1052, 0x32,   0x33,   0x510,  0x511,
                                                 0x1203, 0x4023, 0x4024, 0x4025, 0x4026};

    (void)state;
    once_start_logged_in("level = low\n");
    assert_rv(derive(CONCATENATE_BASE_AND_KEY, ONCE_PRIVATE, sizeof(CK_OBJECT_HANDLE)),
              CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_rv(derive(CONCATENATE_BASE_AND_KEY, ONCE_ENFORCED, sizeof(CK_OBJECT_HANDLE)),
              CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_rv(derive(CONCATENATE_BASE_AND_KEY, 9, sizeof(CK_OBJECT_HANDLE)), CKR_KEY_HANDLE_INVALID);
    assert_rv(derive(CONCATENATE_BASE_AND_KEY, ONCE_SECRET, 1), CKR_MECHANISM_PARAM_INVALID);
    for (size_t i = 0; i < sizeof unjudged / sizeof unjudged[0]; i++)
        assert_rv(derive(unjudged[i], ONCE_SECRET, sizeof(CK_OBJECT_HANDLE)), CKR_MECHANISM_INVALID);
    assert_int_equal(mock->calls[CALL_C_DeriveKey], 0);
    assert_ok(derive(CONCATENATE_BASE_AND_KEY, ONCE_SECRET, sizeof(CK_OBJECT_HANDLE)));
    assert_int_equal(mock->calls[CALL_C_DeriveKey], 1);
}

/* Parameters of PKCS#11 3.0, and of NSS's mechanisms before it, as words of 8 bytes: the place of the handle, and of the flag
 * that says whether it counts. */
static const struct second_key {
    CK_MECHANISM_TYPE type;
    unsigned words, handle, flag;
    CK_ULONG counts, counts_not;
} second_keys[] = {
    {0x402a, 8, 5, 2, 4, 2}, /* HKDF: the salt */
    {0x402b, 8, 5, 2, 4, 1},
    {0x402e, 5, 2, 1, 1, 0}, /* IKE: the seed, the new key, the previous one, g^xy */
    {0x402f, 7, 6, 1, 0x101, 0},
    {0x4030, 9, 3, 1, 1, 0},
    {0x4031, 5, 2, 1, 1, 0},
    {CKM_VENDOR_DEFINED + 0x4E534350 + 34, 5, 2, 1, 1, 0},
    {CKM_VENDOR_DEFINED + 0x4E534350 + 37, 5, 2, 1, 1, 0},
};

static CK_RV derive_with(const struct second_key *how, CK_ULONG flag, CK_OBJECT_HANDLE second)
{
    CK_ULONG words[9] = {0};
    CK_MECHANISM mechanism = {how->type, words, how->words * sizeof *words};
    CK_OBJECT_HANDLE made;

    words[how->flag] = flag;
    words[how->handle] = second;
    if (how->type == 0x4030)
        words[2] = ONCE_SECRET; /* g^xy, which always counts */
    return fx.p11->C_DeriveKey(fx.session, &mechanism, ONCE_SECRET, NULL, 0, &made);
}

static void second_key_of_hkdf_and_ike_is_no_private_key(void **state)
{
    CK_ULONG prf = CKM_SHA256_HMAC;
    CK_MECHANISM prf_only = {0x4031, &prf, sizeof prf};
    CK_OBJECT_HANDLE made;

    (void)state;
    once_start_logged_in("level = low\n");
    for (size_t i = 0; i < sizeof second_keys / sizeof second_keys[0]; i++) {
        const struct second_key *how = &second_keys[i];
        const unsigned before = mock->calls[CALL_C_DeriveKey];

        assert_rv(derive_with(how, how->counts, ONCE_PRIVATE), CKR_KEY_FUNCTION_NOT_PERMITTED);
        assert_rv(derive_with(how, how->counts, 9), CKR_KEY_HANDLE_INVALID);
        assert_int_equal(mock->calls[CALL_C_DeriveKey], before);
        assert_ok(derive_with(how, how->counts, ONCE_SECRET));
        assert_ok(derive_with(how, how->counts_not, 9));
        assert_int_equal(mock->calls[CALL_C_DeriveKey], before + 2);
    }
    assert_ok(fx.p11->C_DeriveKey(fx.session, &prf_only, ONCE_SECRET, NULL, 0, &made));
    prf_only.mechanism = 0x402e;
    assert_rv(fx.p11->C_DeriveKey(fx.session, &prf_only, ONCE_SECRET, NULL, 0, &made), CKR_MECHANISM_PARAM_INVALID);
}

/* CKM_KIP_MAC has the key in its parameters, whatever C_SignInit is given. */
static void no_second_key_signs(void **state)
{
    CK_MECHANISM kip = {0x512, NULL, 0};

    (void)state;
    once_start_logged_in("level = low\n");
    assert_rv(fx.p11->C_SignInit(fx.session, &kip, ONCE_SECRET), CKR_MECHANISM_INVALID);
    assert_int_equal(mock->calls[CALL_C_SignInit], 0);
}

/* ------------------------------------------------------------------ what a private key may leave under */

/* CTR, GCM, OFB, ChaCha20, ECB and what nobody knows: of some, a second encryption is the decryption. */
static void nothing_leaves_by_what_encrypting_undoes(void **state)
{
    static const CK_MECHANISM_TYPE streams[] = {CKM_AES_CTR, CKM_AES_GCM, CKM_AES_OFB, 0x1226,
                                                CKM_AES_ECB, CKM_VENDOR_DEFINED + 7};
    static const CK_MECHANISM_TYPE wraps[] = {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD, 0x210b, CKM_AES_CBC_PAD};

    (void)state;
    once_start_logged_in("");
    script_set(&fx, ONCE_RIGHT ONCE_RIGHT ONCE_RIGHT ONCE_RIGHT);
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
        assert_rv(once_export_by(streams[i], ONCE_CARRIER), CKR_MECHANISM_INVALID);
    assert_int_equal(mock->calls[CALL_C_WrapKey] + (unsigned)script_asked(&fx), 0);
    for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++)
        assert_ok(once_export_by(wraps[i], ONCE_CARRIER));
    assert_int_equal(script_asked(&fx), 4);
}

/* Each condition counts for itself: a token may be wrong about the others, as imported keys that it says were
 * always sensitive. One that does not say does not count as good. */
static void every_condition_of_a_carrier_counts(void **state)
{
    static const CK_ATTRIBUTE_TYPE conditions[] = {CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
                                                   CKA_DECRYPT, CKA_UNWRAP};

    (void)state;
    once_start_logged_in("");
    script_set(&fx, ONCE_RIGHT);
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        mock->objects[ONCE_CARRIER].but = conditions[i];
        assert_rv(once_export_under(ONCE_CARRIER), CKR_KEY_NOT_WRAPPABLE);
    }
    assert_rv(once_export_under(ONCE_SECRET), CKR_KEY_NOT_WRAPPABLE);
    assert_int_equal(mock->calls[CALL_C_WrapKey] + (unsigned)script_asked(&fx), 0);
    mock->objects[ONCE_CARRIER].but = 0;
    assert_ok(once_export_under(ONCE_CARRIER));
    assert_int_equal(script_asked(&fx), 1);
}

#define TEST(f) cmocka_unit_test_teardown(f, once_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(private_key_wraps_nothing),
        TEST(second_key_is_no_private_key),
        TEST(second_key_of_hkdf_and_ike_is_no_private_key),
        TEST(no_second_key_signs),
        TEST(nothing_leaves_by_what_encrypting_undoes),
        TEST(every_condition_of_a_carrier_counts),
    };

    return cmocka_run_group_tests(tests, once_begin, once_end);
}
