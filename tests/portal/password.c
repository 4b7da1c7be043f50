#include "password.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "libsodium's hash fits");

const char password_policy_text[] =
    "12 to 128 bytes, with at least three of: lower-case letters, upper-case letters, digits, other "
    "characters. "
    "It must not contain the account name, be a common password, or equal the old one.";

/* Words at the heart of the most common passwords: one of them with digits or signs around it is refused. */
static const char *const common_words[] = {
    "password", "passw0rd", "p@ssword", "p@ssw0rd", "qwerty",        "qwertz",   "azerty",
    "letmein",  "welcome",  "iloveyou", "changeme", "administrator", "trustno1", "football",
    "baseball", "superman", "123456",   "1q2w3e4r", "abc123",        "1qaz2wsx", "zaq12wsx",
    "dragon",   "monkey",   "sunshine", "princess",
};

static unsigned count_classes(const char *bytes, size_t len)
{
    bool lower = false, upper = false, digit = false, other = false;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c >= 'a' && c <= 'z')
            lower = true;
        else if (c >= 'A' && c <= 'Z')
            upper = true;
        else if (c >= '0' && c <= '9')
            digit = true;
        else
            other = true;
    }
    return (unsigned)lower + (unsigned)upper + (unsigned)digit + (unsigned)other;
}

/* True when a common word is all there is, but for at most six digits or signs. */
static bool is_common(const char *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof(common_words) / sizeof(common_words[0]); i++) {
        const char *hit = strcasestr(bytes, common_words[i]);
        size_t letters = 0, word_len = strlen(common_words[i]);

        if (hit == NULL)
            continue;
        for (size_t j = 0; j < len; j++) {
            bool inside = bytes + j >= hit && bytes + j < hit + word_len;

            if (!inside && isalpha((unsigned char)bytes[j]))
                letters++;
        }
        if (letters == 0 && len - word_len <= 6)
            return true;
    }
    return false;
}

size_t password_check(const struct secret *password, const char *account, const struct secret *old,
                      const char *reasons[PASSWORD_REASONS_MAX])
{
    const char *bytes = secret_bytes(password);
    size_t len = secret_length(password);
    size_t count = 0;

    if (len < PASSWORD_MIN_LENGTH)
        reasons[count++] = "It is shorter than 12 bytes.";
    if (len > PASSWORD_MAX_LENGTH)
        reasons[count++] = "It is longer than 128 bytes.";
    if (count_classes(bytes, len) < PASSWORD_MIN_CLASSES)
        reasons[count++] =
            "It has fewer than three of lower-case letters, upper-case letters, digits and others.";
    if (account[0] != '\0' && strcasestr(bytes, account) != NULL)
        reasons[count++] = "It contains the account name.";
    if (old != NULL && secret_equal(password, old))
        reasons[count++] = "It equals the old password.";
    if (is_common(bytes, len))
        reasons[count++] = "It is a common password.";
    return count;
}

bool password_hash(const struct secret *password, char hash[PASSWORD_HASH_SIZE])
{
    return crypto_pwhash_str_alg(hash, secret_bytes(password), secret_length(password),
                                 crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool password_verify(const struct secret *password, const char *hash)
{
    return crypto_pwhash_str_verify(hash, secret_bytes(password), secret_length(password)) == 0;
}

bool password_hash_of_nobody(char hash[PASSWORD_HASH_SIZE])
{
    struct secret *random = password_first_new();
    bool ok = random != NULL && password_hash(random, hash);

    secret_free(&random);
    return ok;
}

struct secret *password_first_new(void)
{
    static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789"; /* no i, l, o, 0, 1 */
    struct secret *password = secret_new(23);

    for (unsigned i = 0; password != NULL && i < 23; i++) {
        char c = '-';

        if (i % 6 != 5)
            c = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
        (void)secret_append(password, &c, 1); /* its capacity is the length */
        secret_wipe(&c, 1);
    }
    return password;
}
