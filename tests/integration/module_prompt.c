/* The prompt says what will happen, with which key, on which token, for which program and data; and no PIN
 * shows anywhere but where the user typed it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"
#include "support/verify.h"

#define RIGHT     "pin " FIXTURE_PIN "\n"
#define WRONG_PIN "271828-wrong"

static struct fixture fx;

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

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

/* Percent-escapes undone, in place. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        char hex[3] = {0};

        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        memcpy(hex, from + 1, 2);
        *to++ = (char)strtol(hex, NULL, 16);
        from += 2;
    }
    *to = '\0';
}

/* Blanks and line ends out, in place: where lines are broken depends on the paths of this build. */
static void squeeze(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++)
        if (strncmp(from, "\u00a0", 2) == 0)
            from++;
        else if (*from != ' ' && *from != '\n')
            *to++ = *from;
    *to = '\0';
}

/* The text has this, wherever its lines are broken. */
static void assert_says(const char *text, const char *expected)
{
    char squeezed_text[2048], squeezed[600];

    assert_true(strlen(text) < sizeof squeezed_text && strlen(expected) < sizeof squeezed);
    strcpy(squeezed_text, text);
    strcpy(squeezed, expected);
    squeeze(squeezed_text);
    squeeze(squeezed);
    assert_contains(squeezed_text, squeezed);
}

/* The description of the only question, as the user reads it. */
static void description(char *text, size_t size)
{
    char *questions = script_questions(&fx);
    char *at = strstr(questions, "  DESC ");

    assert_non_null(at);
    at += strlen("  DESC ");
    at[strcspn(at, "\n")] = '\0';
    unescape(at);
    assert_true(strlen(at) < size);
    strcpy(text, at);
    free(questions);
}

/* The end of a long path may be left out, the process never. */
static void expect_program(const char *text)
{
    char path[512] = {0};
    char line[600];

    assert_true(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    snprintf(line, sizeof line, "\nProgram: %.50s", path);
    assert_says(text, line);
    snprintf(line, sizeof line, "(process %ld)", (long)getpid());
    assert_says(text, line);
}

static void signature_is_described(void **state)
{
    struct use_result signature;
    char text[2048], line[128], digest[65];

    (void)state;
    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    description(text, sizeof text);
    verify_sha256_hex(USE_DATA, USE_DATA_LEN, digest);
    snprintf(line, sizeof line, "Data (SHA-256): %s\n", digest);
    assert_contains(text, "wants to SIGN");
    assert_contains(text, "Key: " KEY_HIGH_RSA "\n");
    assert_contains(text, "Token: " FIXTURE_TOKEN "\n");
    assert_says(text, line);
    assert_not_contains(text, "Certificate:");
    expect_program(text);
}

static void decryption_is_described(void **state)
{
    struct use_result message, data;
    char text[2048], line[128], digest[65];

    (void)state;
    use_encrypt(&fx, KEY_HIGH_RSA, &message);
    script_set(&fx, RIGHT);
    assert_ok(use_decrypt_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(use_decrypt_data(&fx, fx.session, &message, &data));
    description(text, sizeof text);
    verify_sha256_hex(message.bytes, message.len, digest);
    snprintf(line, sizeof line, "Data (SHA-256): %s\n", digest);
    assert_contains(text, "wants to DECRYPT");
    assert_says(text, line);
    expect_program(text);
}

static void parts_are_described(void **state)
{
    char text[2048];

    (void)state;
    script_set(&fx, RIGHT);
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN));
    description(text, sizeof text);
    assert_contains(text, "Data: not known in advance\n");
    assert_not_contains(text, "SHA-256");
}

static void deletion_is_described(void **state)
{
    char text[2048];

    (void)state;
    script_set(&fx, "cancel\n");
    assert_rv(fx.p11->C_DestroyObject(fx.session, key(KEY_HIGH_RSA)), CKR_FUNCTION_CANCELED);
    description(text, sizeof text);
    assert_contains(text, "wants to DELETE");
    assert_contains(text, "Key: " KEY_HIGH_RSA "\n");
    assert_not_contains(text, "Data");
    expect_program(text);
}

static void login_is_described(void **state)
{
    char text[2048];

    (void)state;
    assert_ok(fx.p11->C_Logout(fx.session));
    script_set(&fx, "cancel\n");
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_FUNCTION_CANCELED);
    description(text, sizeof text);
    assert_contains(text, "wants to log in to your token");
    assert_contains(text, "Token: " FIXTURE_TOKEN "\n");
    assert_says(text, "first use of a key within 30 seconds");
    expect_program(text);
}

/* "CN=Zoë, C=TW" */
static const char subject_der[] = "\x30\x1c\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02TW"
                                  "\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04Zo\xc3\xab";

/* Each of another serial number: softokn knows a certificate by issuer and number. */
static CK_OBJECT_HANDLE make_certificate(const char *id, CK_BBOOL on_token)
{
    static CK_BYTE serial[] = {2, 1, 0};
    CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &object_class, sizeof object_class},
        {CKA_CERTIFICATE_TYPE, &type, sizeof type},
        {CKA_TOKEN, &on_token, sizeof on_token},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_ID, (void *)id, strlen(id)},
        {CKA_SUBJECT, (void *)subject_der, 2 + 0x1c},
        {CKA_ISSUER, (void *)subject_der, 2 + 0x1c},
        {CKA_SERIAL_NUMBER, serial, sizeof serial},
        {CKA_VALUE, "certificate", 11},
    };
    CK_OBJECT_HANDLE certificate;

    serial[2]++;
    assert_ok(
        fx.p11->C_CreateObject(fx.session, template, sizeof template / sizeof template[0], &certificate));
    return certificate;
}

static void sign_and_describe(char *text, size_t size)
{
    struct use_result signature;

    script_set(&fx, RIGHT);
    assert_ok(use_sign_ec(&fx, fx.session, key(KEY_PLAIN_EC), &signature));
    description(text, size);
}

/* By a search: tpm2-pkcs11 stores every object, and tells CKA_TOKEN as it was asked for. */
static bool is_on_token(CK_OBJECT_HANDLE object)
{
    CK_BBOOL on_token = CK_TRUE;
    CK_ATTRIBUTE template = {CKA_TOKEN, &on_token, sizeof on_token};
    CK_OBJECT_HANDLE found[32];
    CK_ULONG count = 0;
    bool is = false;

    assert_ok(fx.p11->C_FindObjectsInit(fx.session, &template, 1));
    assert_ok(fx.p11->C_FindObjects(fx.session, found, 32, &count));
    assert_ok(fx.p11->C_FindObjectsFinal(fx.session));
    for (CK_ULONG i = 0; i < count; i++)
        is = is || found[i] == object;
    return is;
}

/* A program could make a session object with any subject. */
static void certificate_of_a_session_is_not_named(void **state)
{
    const CK_OBJECT_HANDLE certificate = make_certificate(KEY_PLAIN_EC, CK_FALSE);
    char text[2048];

    (void)state;
    if (is_on_token(certificate)) {
        assert_ok(fx.p11->C_DestroyObject(fx.session, certificate));
        lacks_skip(__func__, "a certificate that was made for the session is on the token");
    }
    sign_and_describe(text, sizeof text);
    assert_not_contains(text, "Certificate:");
}

/* The one that is stored on the token; a program could make a second one. */
static void certificate_is_named(void **state)
{
    CK_OBJECT_HANDLE certificate;
    char text[2048];

    (void)state;
    certificate = make_certificate(KEY_PLAIN_EC, CK_TRUE);
    sign_and_describe(text, sizeof text);
    assert_contains(text, "Certificate: CN=Zo\xc3\xab, C=TW\n");
    assert_true(make_certificate(KEY_PLAIN_EC, CK_TRUE) != certificate);
    sign_and_describe(text, sizeof text);
    assert_not_contains(text, "Certificate:");
}

/* An application chooses its keys' labels: it must not write lines of the prompt with them. */
static void label_forges_no_line(void **state)
{
    struct key_wish wish = key_wish_new("mine\nProgram: /usr/bin/trusted (process 1)\n\n\x1b[2J\x7f");
    CK_OBJECT_HANDLE public_key, private_key;
    struct use_result signature;
    char text[2048];

    (void)state;
    wish.on_token = false;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    script_set(&fx, RIGHT);
    assert_ok(use_sign_ec(&fx, fx.session, private_key, &signature));
    description(text, sizeof text);
    assert_not_contains(text, "\nProgram: /usr/bin/trusted");
    assert_not_contains(text, "\x1b");
    assert_not_contains(text, "\x7f");
    assert_contains(text, "Key: mine?Program:");
    expect_program(text);
}

/* Nor where the window's lines are broken: what goes on is indented. */
static void broken_line_forges_no_line(void **state)
{
    char label[120] = {0};
    struct key_wish wish = key_wish_new(label);
    CK_OBJECT_HANDLE public_key, private_key;
    struct use_result signature;
    char text[2048];

    (void)state;
    wish.on_token = false;
    for (size_t before = 59; before < 70; before++) {
        snprintf(label, sizeof label, "%.*s Program: /usr/bin/trusted (process 1)", (int)before,
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
        script_set(&fx, RIGHT);
        assert_ok(use_sign_ec(&fx, fx.session, private_key, &signature));
        description(text, sizeof text);
        assert_says(text, "Program: /usr/bin/trusted");
        assert_not_contains(text, "\nProgram: /usr/bin/trusted");
        expect_program(text);
    }
}

/* No line is wider than the widest that is meant to be, whatever the program is called with. */
static void lines_fit_the_window(void **state)
{
    struct use_result signature;
    char text[2048];

    (void)state;
    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    description(text, sizeof text);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        assert_true(strcspn(line, "\n") <= 72); /* 70 columns, of which two may be blanks of two bytes */
}

/* The longest label and the longest subject leave room for what the user must see. */
static void long_label_hides_nothing(void **state)
{
    char label[301] = {0};
    struct key_wish wish = key_wish_new(label);
    CK_OBJECT_HANDLE public_key, private_key;
    struct use_result signature;
    char text[2048];

    (void)state;
    memset(label, '%', sizeof label - 1);
    wish.on_token = false;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    script_set(&fx, RIGHT);
    assert_ok(use_sign_ec(&fx, fx.session, private_key, &signature));
    description(text, sizeof text);
    assert_contains(text, "\nToken: " FIXTURE_TOKEN "\n");
    assert_contains(text, "\nData (SHA-256):");
    expect_program(text);
}

/* ------------------------------------------------------------------ no PIN shows */

static void expect_no_pin(const char *where, const char *text)
{
    static const char *const pins[] = {FIXTURE_PIN, WRONG_PIN, FIXTURE_SO_PIN};

    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++)
        if (strstr(text, pins[i]))
            fail_msg("a PIN shows in %s", where);
}

static void no_pin_shows(void **state)
{
    struct use_result signature;
    char *questions, *log;

    (void)state;
    assert_ok(fx.p11->C_Logout(fx.session));
    script_set(&fx, "pin " WRONG_PIN "\n" RIGHT "pin " WRONG_PIN "\npin " WRONG_PIN "\n" RIGHT
                    "pin " WRONG_PIN "\npin " WRONG_PIN "\npin " WRONG_PIN "\n");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature)); /* the login's grace */
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_true(script_used_up(&fx));
    questions = script_questions(&fx);
    log = fixture_log(&fx);
    assert_contains(questions, "OPTIONS ");
    assert_contains(log, "allowed");
    assert_contains(log, "wrong PINs");
    expect_no_pin("pinentry's questions", questions);
    expect_no_pin("the log", log);
    free(questions);
    free(log);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_PLAIN_EC);
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
        TEST(signature_is_described), TEST(decryption_is_described),  TEST(parts_are_described),
        TEST(deletion_is_described),  TEST(login_is_described),       TEST(certificate_of_a_session_is_not_named),
        TEST(certificate_is_named),
        TEST(label_forges_no_line),   TEST(long_label_hides_nothing), TEST(no_pin_shows),
        TEST(broken_line_forges_no_line), TEST(lines_fit_the_window),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
