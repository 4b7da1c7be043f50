/* The password policy, first passwords and hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "password.h"

static size_t check(const char *password, const char *account, const char *old_password)
{
    struct secret *secret = secret_from(password, strlen(password));
    struct secret *old = old_password == NULL ? NULL : secret_from(old_password, strlen(old_password));
    const char *reasons[PASSWORD_REASONS_MAX];
    size_t count = password_check(secret, account, old, reasons);

    for (size_t i = 0; i < count; i++)
        assert_int_equal(reasons[i][strlen(reasons[i]) - 1], '.');
    secret_free(&secret);
    secret_free(&old);
    return count;
}

static void the_policy_counts_length_and_classes(void **state)
{
    char longest[PASSWORD_MAX_LENGTH + 2];

    (void)state;
    assert_int_equal(check("Seven-Herons", "ming", NULL), 0);    /* 12 bytes, lower, upper, other */
    assert_int_equal(check("Seven-Heron", "ming", NULL), 1);     /* 11 */
    assert_int_equal(check("seven-herons", "ming", NULL), 1);    /* two classes */
    assert_int_equal(check("sevenherons42", "ming", NULL), 1);   /* two classes */
    assert_int_equal(check("seven-herons-42", "ming", NULL), 0); /* lower, digit, other */
    assert_int_equal(check("密碼密碼Ab密碼", "ming", NULL), 0);  /* other counts, in bytes of UTF-8 */
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "A1", 2);
    longest[PASSWORD_MAX_LENGTH] = '\0';
    assert_int_equal(check(longest, "ming", NULL), 0);
    longest[PASSWORD_MAX_LENGTH] = 'x';
    longest[PASSWORD_MAX_LENGTH + 1] = '\0';
    assert_int_equal(check(longest, "ming", NULL), 1);
}

static void account_name_old_and_common_passwords_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check("Seven-MING-Herons", "ming", NULL), 1);
    assert_int_equal(check("Seven-Herons", "ming", "Seven-Herons"), 1);
    assert_int_equal(check("Password-12345", "ming", NULL), 1);
    assert_int_equal(check("Administrator1!", "ming", NULL), 1);
    assert_int_equal(check("My-Password-Is-Long-1", "ming", NULL),
                     0); /* a word among others is not all of it */
    assert_int_equal(check("", "ming", NULL), 2);
}

static void first_passwords_are_long_readable_and_never_the_same(void **state)
{
    struct secret *one = password_first_new(), *two = password_first_new();

    (void)state;
    assert_int_equal(secret_length(one), 23);
    assert_int_equal(strspn(secret_bytes(one), "abcdefghjkmnpqrstuvwxyz23456789-"), 23);
    assert_false(secret_equal(one, two));
    secret_free(&one);
    secret_free(&two);
}

static void hashes_are_argon2id_and_salted(void **state)
{
    char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE], nobody[PASSWORD_HASH_SIZE];
    struct secret *right = secret_from("Seven-Herons", 12), *wrong = secret_from("Seven-Heronz", 12);

    (void)state;
    assert_true(password_hash(right, hash));
    assert_true(password_hash(right, again));
    assert_true(password_hash_of_nobody(nobody));
    assert_memory_equal(hash, "$argon2id$", 10);
    assert_string_not_equal(hash, again);
    assert_true(password_verify(right, hash));
    assert_false(password_verify(wrong, hash));
    assert_false(password_verify(right, nobody));
    secret_free(&right);
    secret_free(&wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_counts_length_and_classes),
        cmocka_unit_test(account_name_old_and_common_passwords_are_refused),
        cmocka_unit_test(first_passwords_are_long_readable_and_never_the_same),
        cmocka_unit_test(hashes_are_argon2id_and_salted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
