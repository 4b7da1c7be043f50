/* mechanism: the copy has nothing in common with what it was made from. */
#include "pkcs11-module/mechanism.h"

#include <string.h>

#include "support/test.h"

static void ecdh_is_copied_whole(void **state)
{
    static const CK_MECHANISM_TYPE types[] = {CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        CK_BYTE shared[] = "shared", point[] = "point";
        CK_ECDH1_DERIVE_PARAMS params = {CKD_SHA1_KDF, 6, shared, 5, point};
        CK_MECHANISM from = {types[i], &params, sizeof params};
        struct mechanism mechanism;
        const CK_ECDH1_DERIVE_PARAMS *copy;

        assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
        memset(shared, 0, sizeof shared);
        memset(point, 0, sizeof point);
        memset(&params, 0, sizeof params);
        memset(&from, 0, sizeof from);
        copy = mechanism.copy.pParameter;
        assert_int_equal(mechanism.copy.mechanism, types[i]);
        assert_int_equal(mechanism.copy.ulParameterLen, sizeof params);
        assert_int_equal(copy->kdf, CKD_SHA1_KDF);
        assert_int_equal(copy->shared_data_len, 6);
        assert_memory_equal(copy->shared_data, "shared", 6);
        assert_int_equal(copy->public_data_len, 5);
        assert_memory_equal(copy->public_data, "point", 5);
        mechanism_clear(&mechanism);
        assert_null(mechanism.copy.pParameter);
    }
}

static void oaep_is_copied_whole(void **state)
{
    CK_BYTE label[] = "label";
    CK_RSA_PKCS_OAEP_PARAMS params = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, label, 5};
    CK_MECHANISM from = {CKM_RSA_PKCS_OAEP, &params, sizeof params};
    struct mechanism mechanism;
    const CK_RSA_PKCS_OAEP_PARAMS *copy;

    (void)state;
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
    memset(label, 0, sizeof label);
    memset(&params, 0, sizeof params);
    copy = mechanism.copy.pParameter;
    assert_int_equal(copy->hash_alg, CKM_SHA256);
    assert_int_equal(copy->mgf, CKG_MGF1_SHA256);
    assert_int_equal(copy->source, CKZ_DATA_SPECIFIED);
    assert_int_equal(copy->source_data_len, 5);
    assert_memory_equal(copy->source_data, "label", 5);
    mechanism_clear(&mechanism);
}

/* CK_EDDSA_PARAMS of PKCS#11 3.0, which p11-kit's header leaves out; without any it is plain Ed25519. */
static void eddsa_is_copied_whole(void **state)
{
    struct {
        CK_BBOOL prehash;
        CK_ULONG context_len;
        CK_BYTE *context;
    } params, *copy;
    CK_BYTE context[] = "context";
    CK_MECHANISM from = {CKM_EDDSA, &params, sizeof params};
    struct mechanism mechanism;

    (void)state;
    memset(&params, 0, sizeof params);
    params.prehash = CK_TRUE;
    params.context_len = 7;
    params.context = context;
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
    memset(context, 0, sizeof context);
    memset(&params, 0, sizeof params);
    copy = mechanism.copy.pParameter;
    assert_int_equal(copy->prehash, CK_TRUE);
    assert_int_equal(copy->context_len, 7);
    assert_memory_equal(copy->context, "context", 7);
    mechanism_clear(&mechanism);
    from = (CK_MECHANISM){CKM_EDDSA, NULL, 0};
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
    mechanism_clear(&mechanism);
}

/* CKM_RSA_AES_KEY_WRAP: parameters that point to parameters that point to a label. */
static void rsa_aes_key_wrap_is_copied_whole(void **state)
{
    CK_BYTE label[] = "label";
    CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, label, 5};
    struct {
        CK_ULONG key_bits;
        CK_RSA_PKCS_OAEP_PARAMS *oaep;
    } params = {256, &oaep}, *copy;
    CK_MECHANISM from = {0x1054, &params, sizeof params};
    struct mechanism mechanism;

    (void)state;
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
    memset(label, 0, sizeof label);
    memset(&oaep, 0, sizeof oaep);
    copy = mechanism.copy.pParameter;
    assert_int_equal(copy->key_bits, 256);
    assert_int_equal(copy->oaep->hash_alg, CKM_SHA256);
    assert_memory_equal(copy->oaep->source_data, "label", 5);
    mechanism_clear(&mechanism);
    params.oaep = NULL;
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_MECHANISM_PARAM_INVALID);
}

/* What points to nothing stays so, and is not freed. */
static void empty_parts_stay_empty(void **state)
{
    CK_BYTE byte = 1;
    CK_ECDH1_DERIVE_PARAMS ecdh = {CKD_NULL, 0, &byte, 0, NULL};
    CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA_1, CKG_MGF1_SHA1, 0, NULL, 0};
    CK_MECHANISM from = {CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh};
    struct mechanism mechanism;

    (void)state;
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
    assert_null(((CK_ECDH1_DERIVE_PARAMS *)mechanism.copy.pParameter)->public_data);
    mechanism_clear(&mechanism);
    from = (CK_MECHANISM){CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep};
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
    assert_null(((CK_RSA_PKCS_OAEP_PARAMS *)mechanism.copy.pParameter)->source_data);
    mechanism_clear(&mechanism);
    from = (CK_MECHANISM){CKM_RSA_PKCS, NULL, 0};
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
    assert_null(mechanism.copy.pParameter);
    mechanism_clear(&mechanism);
}

static void other_parameters_are_copied_as_bytes(void **state)
{
    CK_BYTE iv[16] = "initialisation v";
    CK_MECHANISM from = {CKM_AES_CBC_PAD, iv, sizeof iv};
    struct mechanism mechanism;

    (void)state;
    assert_int_equal(mechanism_copy(&from, &mechanism), CKR_OK);
    memset(iv, 0, sizeof iv);
    assert_int_equal(mechanism.copy.ulParameterLen, sizeof iv);
    assert_memory_equal(mechanism.copy.pParameter, "initialisation v", sizeof iv);
    mechanism_clear(&mechanism);
}

/* Refused, with the caller's struct as it was. */
static void what_cannot_be_read_is_refused(void **state)
{
    CK_ECDH1_DERIVE_PARAMS ecdh = {CKD_NULL, 0, NULL, 0, NULL};
    const CK_MECHANISM bad_lengths[] = {{CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh - 1},
                                        {CKM_ECDH1_DERIVE, &ecdh, 0},
                                        {CKM_ECDH1_DERIVE, NULL, 0},
                                        {CKM_RSA_PKCS_OAEP, &ecdh, 1},
                                        {CKM_RSA_PKCS_OAEP, NULL, 0}};
    const CK_MECHANISM missing = {CKM_AES_CBC_PAD, NULL, 16};
    struct mechanism mechanism, before;

    (void)state;
    memset(&mechanism, 0x5A, sizeof mechanism);
    before = mechanism;
    for (size_t i = 0; i < sizeof bad_lengths / sizeof bad_lengths[0]; i++)
        assert_int_equal(mechanism_copy(&bad_lengths[i], &mechanism), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(mechanism_copy(&missing, &mechanism), CKR_MECHANISM_PARAM_INVALID);
    assert_int_equal(mechanism_copy(NULL, &mechanism), CKR_ARGUMENTS_BAD);
    assert_memory_equal(&mechanism, &before, sizeof mechanism);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecdh_is_copied_whole),
        cmocka_unit_test(oaep_is_copied_whole),
        cmocka_unit_test(eddsa_is_copied_whole),
        cmocka_unit_test(rsa_aes_key_wrap_is_copied_whole),
        cmocka_unit_test(empty_parts_stay_empty),
        cmocka_unit_test(other_parameters_are_copied_as_bytes),
        cmocka_unit_test(what_cannot_be_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
