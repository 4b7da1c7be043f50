/* key_facts: what is read of an object, from tokens that answer well, badly or not at all. */
#include "pkcs11-module/key_facts.h"

#include <string.h>

#include "support/test.h"

/* The one object's attributes, as C_GetAttributeValue answers them. */
static CK_ATTRIBUTE attributes[16];
static size_t attribute_count;
static CK_RV answer;
static CK_ATTRIBUTE_TYPE failing; /* reading its value fails; CKA_VENDOR_DEFINED: none's does */
static bool ignores_room; /* as softokn does for session objects: it writes the value, however long */

static CK_RV get_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
                           CK_ULONG count)
{
    assert_int_equal(session, 11);
    assert_int_equal(object, 22);
    assert_int_equal(count, 1);
    if (answer != CKR_OK)
        return answer;
    if (template->type == failing && template->pValue)
        return CKR_DEVICE_ERROR;
    for (size_t i = 0; i < attribute_count; i++) {
        if (attributes[i].type != template->type)
            continue;
        if (template->pValue && template->ulValueLen < attributes[i].ulValueLen) {
            if (ignores_room)
                fail_msg("attribute 0x%lx would be written past its buffer", template->type);
            template->ulValueLen = CK_UNAVAILABLE_INFORMATION;
            return CKR_BUFFER_TOO_SMALL;
        }
        if (template->pValue)
            memcpy(template->pValue, attributes[i].pValue, attributes[i].ulValueLen);
        template->ulValueLen = attributes[i].ulValueLen;
        return CKR_OK;
    }
    template->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_FUNCTION_LIST backend = {.C_GetAttributeValue = get_attribute};

static void set(CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    attributes[attribute_count++] = (CK_ATTRIBUTE){type, (void *)value, len};
}

static CK_RV read_facts(struct key_facts *facts)
{
    return key_facts_read(&backend, 11, 22, facts);
}

static const CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;
static const CK_KEY_TYPE rsa = CKK_RSA;
static const CK_KEY_TYPE ec = CKK_EC;
static const CK_BBOOL yes = CK_TRUE;
static const CK_BBOOL no = CK_FALSE;

static int start(void **state)
{
    (void)state;
    attribute_count = 0;
    answer = CKR_OK;
    failing = CKA_VENDOR_DEFINED;
    ignores_room = false;
    return 0;
}

static void start_private_key(void)
{
    (void)start(NULL);
    set(CKA_CLASS, &private_class, sizeof private_class);
}

static void everything_is_read(void **state)
{
    static const CK_BYTE modulus[384];
    struct key_facts facts;

    (void)state;
    start_private_key();
    set(CKA_KEY_TYPE, &rsa, sizeof rsa);
    set(CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes);
    set(CKA_EXTRACTABLE, &no, sizeof no);
    set(CKA_MODULUS, modulus, sizeof modulus);
    set(CKA_LABEL, "label", 5);
    set(CKA_ID, "\1\2\3", 3);
    assert_int_equal(read_facts(&facts), CKR_OK);
    assert_true(key_facts_is_private_key(&facts));
    assert_int_equal(facts.key_type, CKK_RSA);
    assert_true(facts.always_authenticate);
    assert_false(facts.extractable);
    assert_int_equal(facts.output_len, 384);
    assert_string_equal(facts.label, "label");
    assert_int_equal(facts.id_len, 3);
    assert_memory_equal(facts.id, "\1\2\3", 3);
}

/* What a token does not say is taken for the worse. */
static void silent_token_is_distrusted(void **state)
{
    struct key_facts facts;

    (void)state;
    start_private_key();
    assert_int_equal(read_facts(&facts), CKR_OK);
    assert_int_equal(facts.key_type, CK_UNAVAILABLE_INFORMATION);
    assert_false(facts.extractable);
    assert_false(facts.always_authenticate);
    assert_int_equal(facts.output_len, 0);
    assert_string_equal(facts.label, "");
    assert_int_equal(facts.id_len, 0);
}

static void failure_leaves_no_facts(void **state)
{
    static const CK_RV failures[] = {CKR_OBJECT_HANDLE_INVALID, CKR_SESSION_HANDLE_INVALID,
                                     CKR_DEVICE_REMOVED};
    struct key_facts facts, untouched;

    (void)state;
    memset(&untouched, 0x5a, sizeof untouched);
    facts = untouched;
    for (size_t i = 0; i < 3; i++) {
        answer = failures[i];
        assert_int_equal(read_facts(&facts), failures[i]);
    }
    answer = CKR_OK;
    assert_int_equal(read_facts(&facts), CKR_ATTRIBUTE_TYPE_INVALID); /* an object of no class */
    set(CKA_CLASS, "\3", 1);
    assert_int_equal(read_facts(&facts), CKR_DEVICE_ERROR); /* of half a class */
    assert_memory_equal(&facts, &untouched, sizeof facts);
}

/* Without its label, id or guard it would be judged by other rules than its own. */
static void failure_at_one_attribute_leaves_no_facts(void **state)
{
    static const CK_ATTRIBUTE_TYPE needed[] = {CKA_ALWAYS_AUTHENTICATE, CKA_EXTRACTABLE, CKA_ID, CKA_LABEL};
    struct key_facts facts, untouched;

    (void)state;
    memset(&untouched, 0x5a, sizeof untouched);
    facts = untouched;
    start_private_key();
    set(CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes);
    set(CKA_EXTRACTABLE, &no, sizeof no);
    set(CKA_ID, "\1\2\3", 3);
    set(CKA_LABEL, "label", 5);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        failing = needed[i];
        assert_int_equal(read_facts(&facts), CKR_DEVICE_ERROR);
        assert_memory_equal(&facts, &untouched, sizeof facts);
    }
}

static void long_label_is_cut_at_a_character(void **state)
{
    char label[KEY_LABEL_MAX + 100];
    struct key_facts facts;

    (void)state;
    for (size_t lead = 0; lead < 3; lead++) {
        size_t n = lead;

        memset(label, 'x', lead);
        for (; n + 3 <= sizeof label; n += 3)
            memcpy(label + n, "\xe7\x8e\x8b", 3);
        start_private_key();
        set(CKA_LABEL, label, n);
        assert_int_equal(read_facts(&facts), CKR_OK);
        assert_int_equal(strlen(facts.label), lead + (KEY_LABEL_MAX - lead) / 3 * 3);
        assert_memory_equal(facts.label, label, strlen(facts.label));
    }
    memset(label, 'y', sizeof label);
    start_private_key();
    set(CKA_LABEL, label, KEY_LABEL_MAX);
    set(CKA_ID, label, KEY_ID_MAX);
    assert_int_equal(read_facts(&facts), CKR_OK);
    assert_int_equal(strlen(facts.label), KEY_LABEL_MAX);
    assert_int_equal(facts.id_len, KEY_ID_MAX);
}

/* Its window names it: it may hold a private key. */
static void object_of_unknown_class_has_its_name(void **state)
{
    static const CK_OBJECT_CLASS unknown = CKO_VENDOR_DEFINED | 7, harmless = CKO_CERTIFICATE;
    struct key_facts facts;

    (void)state;
    set(CKA_CLASS, &unknown, sizeof unknown);
    set(CKA_LABEL, "label", 5);
    set(CKA_ID, "\1\2\3", 3);
    assert_int_equal(read_facts(&facts), CKR_OK);
    assert_string_equal(facts.label, "label");
    assert_int_equal(facts.id_len, 3);
    failing = CKA_LABEL;
    assert_int_equal(read_facts(&facts), CKR_DEVICE_ERROR);
    attributes[0].pValue = (void *)&harmless;
    assert_int_equal(read_facts(&facts), CKR_OK);
}

/* Every value is longer than what is kept of it; what must have a certain length is then not known. */
static void no_value_is_written_past_its_buffer(void **state)
{
    static const CK_BYTE value[4096] = {CKO_PRIVATE_KEY};
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_KEY_TYPE,  CKA_ALWAYS_AUTHENTICATE, CKA_EXTRACTABLE,
                                              CKA_EC_PARAMS, CKA_ID,                  CKA_LABEL};
    struct key_facts facts;

    (void)state;
    start_private_key();
    ignores_room = true;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        set(types[i], value, sizeof value);
    assert_int_equal(read_facts(&facts), CKR_OK);
    assert_int_equal(facts.key_type, CK_UNAVAILABLE_INFORMATION);
    assert_false(facts.extractable);
    assert_int_equal(facts.id_len, 0);
    assert_string_equal(facts.label, "");

    start_private_key();
    ignores_room = true;
    set(CKA_KEY_TYPE, &ec, sizeof ec);
    set(CKA_EC_PARAMS, value, sizeof value);
    assert_int_equal(read_facts(&facts), CKR_OK);
    assert_int_equal(facts.output_len, 0);

    (void)start(NULL);
    ignores_room = true;
    set(CKA_CLASS, value, sizeof value);
    assert_int_equal(read_facts(&facts), CKR_DEVICE_ERROR);
}

/* PKCS#11 2.40, 2.3.1: r and s, each as long as the order. */
static void curves_tell_the_length(void **state)
{
    static const struct {
        const char *params;
        size_t len;
        CK_ULONG signature;
    } curves[] = {
        {"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10, 64}, /* P-256 */
        {"\x06\x05\x2b\x81\x04\x00\x22", 7, 96},              /* P-384 */
        {"\x06\x05\x2b\x81\x04\x00\x23", 7, 132},             /* P-521 */
        {"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x06", 10, 0},  /* not in the table */
        {"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01", 9, 0},       /* broken off */
        {"", 0, 0},
        {"0123456789012345678901234567890123456789", 40, 0}, /* explicit parameters */
    };
    struct key_facts facts;

    (void)state;
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        start_private_key();
        set(CKA_KEY_TYPE, &ec, sizeof ec);
        set(CKA_EC_PARAMS, curves[i].params, curves[i].len);
        assert_int_equal(read_facts(&facts), CKR_OK);
        assert_int_equal(facts.output_len, curves[i].signature);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_read),      TEST(silent_token_is_distrusted),
        TEST(failure_leaves_no_facts), TEST(failure_at_one_attribute_leaves_no_facts), TEST(long_label_is_cut_at_a_character),
        TEST(object_of_unknown_class_has_its_name),
        TEST(no_value_is_written_past_its_buffer),
        TEST(curves_tell_the_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
