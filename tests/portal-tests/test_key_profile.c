/* The key profile: what is promised, what is refused, and an enrollment and its renewal with each kind of
 * key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include "story.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    if (!fixture_start(&fixture, "key_profile", NULL))
        return -1;
    fixture_set_clock(&fixture, -340 * (int64_t)STORY_DAY_S);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

static void choose(const char *profile)
{
    const char *const words[] = {"key-profile", profile, NULL};

    assert_int_equal(fixture_admin(&fixture, NULL, words), 0);
}

static void expect_promise(struct user *u, const char *type, int bits, const char *curve)
{
    struct answer answer;
    const json_t *profile;

    client_call(u->client, "GET", "/registration", NULL, &answer);
    assert_status(&answer, 200);
    profile = json_object_get(answer.json, "profile");
    assert_string_equal(json_string_value(json_object_get(profile, "key_type")), type);
    assert_int_equal(json_integer_value(json_object_get(profile, "key_bits")), bits);
    if (curve == NULL)
        assert_null(json_object_get(profile, "curve"));
    else
        assert_string_equal(json_string_value(json_object_get(profile, "curve")), curve);
    answer_clear(&answer);
}

/* The digest of ECDH's KDF and the key usage go with the key. */
static void expect_challenge(const struct answer *challenge, int kdf_nid)
{
    struct der enveloped = base64_read(answer_text(challenge, "enveloped"));
    X509 *encryption = base64_certificate(answer_text(challenge, "encryption_certificate"));
    const unsigned char *at = enveloped.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)enveloped.len);
    CMS_RecipientInfo *recipient;
    X509_ALGOR *algorithm = NULL;

    assert_non_null(cms);
    assert_int_equal(sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms)), 1);
    recipient = sk_CMS_RecipientInfo_value(CMS_get0_RecipientInfos(cms), 0);
    if (kdf_nid == NID_undef) {
        assert_int_equal(CMS_RecipientInfo_type(recipient), CMS_RECIPINFO_TRANS);
        assert_int_equal(X509_get_key_usage(encryption), KU_KEY_ENCIPHERMENT);
    } else {
        assert_int_equal(CMS_RecipientInfo_type(recipient), CMS_RECIPINFO_AGREE);
        assert_int_equal(CMS_RecipientInfo_kari_get0_alg(recipient, &algorithm, NULL), 1);
        assert_int_equal(OBJ_obj2nid(algorithm->algorithm), kdf_nid);
        assert_int_equal(X509_get_key_usage(encryption), KU_KEY_AGREEMENT);
    }
    CMS_ContentInfo_free(cms);
    X509_free(encryption);
    der_clear(&enveloped);
}

static void activate_and_look(struct user *u, int kdf_nid)
{
    struct answer challenge, answer;
    char path[128];

    user_challenge(u, &challenge);
    expect_challenge(&challenge, kdf_nid);
    story_path(path, "/applications/*/activation", u->application_id);
    client_call(u->client, "POST", path, user_activation_body(u, &challenge), &answer);
    assert_status(&answer, 200);
    answer_clear(&answer);
    answer_clear(&challenge);
}

static const struct row {
    const char *profile;
    const char *type;
    int bits;
    const char *curve;
    int kdf_nid;
} rows[] = {
    {"rsa-3072", "RSA", 3072, NULL, NID_undef},
    {"ec-p256", "EC", 256, "P-256", NID_dhSinglePass_stdDH_sha256kdf_scheme},
    {"ec-p384", "EC", 384, "P-384", NID_dhSinglePass_stdDH_sha384kdf_scheme},
};

static void every_profile_enrolls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct user u;

        choose(rows[i].profile);
        user_start(&fixture, &u, rows[i].profile);
        u.key_profile = rows[i].profile;
        expect_promise(&u, rows[i].type, rows[i].bits, rows[i].curve);
        user_apply(&u);
        activate_and_look(&u, rows[i].kdf_nid);
        user_clear(&u);
    }
}

/* The profile changes between enrollment and renewal: the old key signs, whatever it is. */
static void a_renewal_takes_the_new_profile(void **state)
{
    static const char *const ways[][2] = {{"rsa-2048", "ec-p384"}, {"ec-p256", "rsa-2048"}};

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char name[16];
        struct enrollee keys;
        struct answer answer;
        struct user u;

        snprintf(name, sizeof(name), "mover-%zu", i);
        choose(ways[i][0]);
        user_start(&fixture, &u, name);
        u.key_profile = ways[i][0];
        user_apply(&u);
        user_activate(&u);
        choose(ways[i][1]);
        fixture_set_clock(&fixture, 0);
        user_log_in(&u);
        client_call(u.client, "POST", "/renewals", user_renewal_body(&u, &keys), &answer);
        assert_problem(&answer, 422, "request-invalid"); /* still of the old profile */
        assert_string_equal(answer_text(&answer, "reason"), "wrong-key");
        answer_clear(&answer);
        enrollee_clear(&keys);
        u.key_profile = ways[i][1];
        client_call(u.client, "POST", "/renewals", user_renewal_body(&u, &keys), &answer);
        assert_status(&answer, 201);
        answer_clear(&answer);
        enrollee_clear(&keys);
        fixture_set_clock(&fixture, -340 * (int64_t)STORY_DAY_S);
        user_clear(&u);
    }
}

static void expect_fault(struct user *u, EVP_PKEY *signing, EVP_PKEY *encryption,
                         struct request_options options, const char *reason)
{
    const struct enrollee keys = {signing, encryption};
    struct answer answer;
    struct der request;

    options.subject_dn = u->subject_dn;
    request = enrollee_request(&keys, &options);
    client_call(u->client, "POST", "/applications", user_application_body(u, &request), &answer);
    assert_problem(&answer, 422, "request-invalid");
    assert_string_equal(answer_text(&answer, "reason"), reason);
    answer_clear(&answer);
    der_clear(&request);
}

static EVP_PKEY *encoded_as(const char *parameter, const char *value)
{
    EVP_PKEY *key = enrollee_key("ec-p384");

    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, parameter, value), 1);
    return key;
}

static void other_keys_are_refused(void **state)
{
    EVP_PKEY *const good = enrollee_key("ec-p384"), *const other = enrollee_key("ec-p384");
    EVP_PKEY *const wrong[] = {
        enrollee_key("ec-p256"),
        enrollee_rsa(2048),
        encoded_as(OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT),
        encoded_as(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                   OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED),
        EVP_EC_gen("secp256k1"),
        EVP_EC_gen("brainpoolP384r1"),
    };
    const struct request_options plain = {0};
    struct user u;

    (void)state;
    choose("ec-p384");
    user_start(&fixture, &u, "odd-keys");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        expect_fault(&u, wrong[i], other, plain, "wrong-key");
        expect_fault(&u, good, wrong[i], plain, "wrong-key");
        EVP_PKEY_free(wrong[i]);
    }
    expect_fault(&u, good, other, (struct request_options){.md = EVP_sha256()}, "bad-signature");
    expect_fault(&u, good, other, (struct request_options){.crmf_other_popo = true}, "crmf-invalid");
    expect_fault(&u, good, good, plain, "same-keys");
    EVP_PKEY_free(good);
    EVP_PKEY_free(other);
    user_clear(&u);
}

static void rsa_keys_do_not_agree(void **state)
{
    struct enrollee keys;
    struct user u;

    (void)state;
    choose("rsa-2048");
    user_start(&fixture, &u, "rsa-agrees");
    enrollee_make(&keys);
    expect_fault(&u, keys.signing_key, keys.encryption_key, (struct request_options){.crmf_other_popo = true},
                 "crmf-invalid");
    enrollee_clear(&keys);
    user_clear(&u);
}

static void no_other_profile_can_be_chosen(void **state)
{
    const char *const names[] = {"rsa-1024", "ec-p521", "", "EC-P256"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *const words[] = {"key-profile", names[i], NULL};

        assert_int_not_equal(fixture_admin(&fixture, NULL, words), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_enrolls),          cmocka_unit_test(a_renewal_takes_the_new_profile),
        cmocka_unit_test(other_keys_are_refused),         cmocka_unit_test(rsa_keys_do_not_agree),
        cmocka_unit_test(no_other_profile_can_be_chosen),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
