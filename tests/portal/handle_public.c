/* What needs no session: time, captcha, password policy, CA certificates, CRL. */
#include <openssl/pem.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "ca_crl.h"
#include "captcha.h"
#include "handlers.h"
#include "store_captcha.h"
#include "uuid.h"

void handle_time_get(struct exchange *x)
{
    answer_json(x, 200, json_pack("{s:o}", "now", json_time(x->now_s)));
}

/* Test mode only: the text, in TEST_DIR/captcha/<SHA-256 of the picture>. */
static bool tell_test(const char *test_dir, const char *text, const uint8_t *png, size_t len)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    char hex[2 * crypto_hash_sha256_BYTES + 1], path[4096];
    FILE *file = NULL;
    bool ok;

    crypto_hash_sha256(digest, png, len);
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    if (snprintf(path, sizeof(path), "%s/captcha/%s", test_dir, hex) < (int)sizeof(path))
        file = fopen(path, "we");
    if (file == NULL)
        return false;
    ok = fputs(text, file) >= 0;
    return fclose(file) == 0 && ok;
}

void handle_captcha_post(struct exchange *x)
{
    char captcha_id[UUID_SIZE], text[CAPTCHA_LENGTH + 1];
    const char *test_dir = x->portal->clock.test_dir;
    uint8_t *png = NULL;
    size_t len = 0;

    if (!body_read_nothing(x))
        return;
    captcha_text(text);
    uuid_make(captcha_id);
    if (!captcha_draw(text, &png, &len) || (test_dir != NULL && !tell_test(test_dir, text, png, len)) ||
        !captcha_add(x->store, captcha_id, text, x->now_s))
        answer_failure(x);
    else
        answer_json(x, 201,
                    json_pack("{s:s, s:s, s:o, s:o}", "captcha_id", captcha_id, "image_type", "image/png",
                              "image", json_base64(png, len), "expires_at",
                              json_time(x->now_s + CAPTCHA_LIFETIME_S)));
    free(png);
}

void handle_password_policy_get(struct exchange *x)
{
    answer_json(x, 200,
                json_pack("{s:i, s:i, s:i, s:s}", "min_length", PASSWORD_MIN_LENGTH, "max_length",
                          PASSWORD_MAX_LENGTH, "min_classes", PASSWORD_MIN_CLASSES, "description",
                          password_policy_text));
}

void handle_ca_get(struct exchange *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL, *copy = NULL;
    long len = 0;

    if (bio != NULL && PEM_write_bio_X509(bio, x->portal->ca->issuing) == 1 &&
        PEM_write_bio_X509(bio, x->portal->ca->root) == 1)
        len = BIO_get_mem_data(bio, &text);
    if (len > 0)
        copy = malloc((size_t)len);
    if (copy != NULL) {
        memcpy(copy, text, (size_t)len);
        answer_bytes(x, "application/pem-certificate-chain", copy, (size_t)len);
    } else {
        answer_failure(x);
    }
    BIO_free(bio);
}

void handle_crl_get(struct exchange *x)
{
    struct error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    if (ca_crl_current(x->portal->ca, x->store, x->now_s, &der, &len, &err) == ERROR_NONE)
        answer_bytes(x, "application/pkix-crl", der, len);
    else
        answer_failure(x);
}
