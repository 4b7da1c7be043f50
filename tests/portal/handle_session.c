/* Logging in and out, and changing the password. */
#include <sodium.h>
#include <string.h>

#include "auth.h"
#include "body.h"
#include "handlers.h"
#include "store_captcha.h"

#define TOKEN_SIZE 32 /* 256 random bits */

/* Makes a session and sends its cookie; only the cookie's hash is kept. */
static bool start_session(struct exchange *x, const char *account)
{
    uint8_t token[TOKEN_SIZE];
    char cookie[sodium_base64_ENCODED_LEN(TOKEN_SIZE, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    uint8_t hash[SESSION_HASH_SIZE];
    bool ok;

    randombytes_buf(token, sizeof(token));
    sodium_bin2base64(cookie, sizeof(cookie), token, sizeof(token), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    crypto_hash_sha256(hash, (const unsigned char *)cookie, strlen(cookie));
    ok = store_begin(x->store) && session_add(x->store, hash, account, x->now_s) && store_commit(x->store);
    if (ok)
        exchange_header(x, "Set-Cookie",
                        PORTAL_SESSION_COOKIE "=%s; HttpOnly; Secure; SameSite=Strict; Path=/api", cookie);
    sodium_memzero(token, sizeof(token));
    sodium_memzero(cookie, sizeof(cookie));
    return ok;
}

void handle_session_post(struct exchange *x)
{
    const char *name = NULL, *captcha_id = NULL, *captcha_text = NULL;
    struct secret *password = NULL;
    const struct member members[] = {
        {"account", MEMBER_TEXT, ACCOUNT_NAME_SIZE - 1, &name},
        {"password", MEMBER_SECRET, 1024, &password},
        {"captcha_id", MEMBER_UUID, UUID_SIZE - 1, &captcha_id},
        {"captcha_text", MEMBER_TEXT, 32, &captcha_text},
    };
    enum store_result captcha;
    struct account account;

    if (!body_read(x, members, sizeof(members) / sizeof(members[0])))
        return;
    captcha = captcha_take(x->store, captcha_id, captcha_text, x->now_s);
    if (captcha == STORE_FAILED) {
        answer_failure(x);
        return;
    }
    if (captcha == STORE_DONE) {
        answer_problem(x, PROBLEM_CAPTCHA_WRONG,
                       "The text is not that of the picture, or the captcha was used or is "
                       "expired; ask for a new captcha and try again.");
        return;
    }
    if (!auth_check(x, name, password, &account))
        return;
    if (!start_session(x, account.name)) {
        answer_failure(x);
        return;
    }
    answer_json(x, 201,
                json_pack("{s:s, s:b, s:I}", "account", account.name, "password_change_required",
                          account.password_change_required, "idle_limit_s",
                          (json_int_t)x->portal->idle_limit_s));
}

void handle_session_get(struct exchange *x)
{
    answer_json(x, 200,
                json_pack("{s:s, s:b, s:o}", "account", x->session.account, "password_change_required",
                          x->session.password_change_required, "expires_at",
                          json_time(x->session.expires_at)));
}

void handle_session_delete(struct exchange *x)
{
    if (!session_remove(x->store, x->session_hash)) {
        answer_failure(x);
        return;
    }
    exchange_header(x, "Set-Cookie",
                    PORTAL_SESSION_COOKIE "=; HttpOnly; Secure; SameSite=Strict; Path=/api; Max-Age=0");
    answer_empty(x);
}

static void answer_weak(struct exchange *x, const char *const *reasons, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, json_string(reasons[i]));
    answer_problem_with(x, PROBLEM_PASSWORD_TOO_WEAK, json_pack("{s:o}", "reasons", list),
                        "The new password does not follow the policy; choose another one.");
}

static bool change_password(struct exchange *x, const char *hash)
{
    return store_begin(x->store) && account_set_password(x->store, x->session.account, hash, false) &&
           session_remove_others(x->store, x->session.account, x->session_hash) && store_commit(x->store);
}

void handle_password_put(struct exchange *x)
{
    struct secret *old_password = NULL, *new_password = NULL;
    const struct member members[] = {
        {"old_password", MEMBER_SECRET, 1024, &old_password},
        {"new_password", MEMBER_SECRET, 1024, &new_password},
    };
    const char *reasons[PASSWORD_REASONS_MAX];
    char hash[PASSWORD_HASH_SIZE];
    size_t count;

    if (!body_read(x, members, sizeof(members) / sizeof(members[0])) ||
        !auth_check(x, x->session.account, old_password, NULL))
        return;
    count = password_check(new_password, x->session.account, old_password, reasons);
    if (count > 0)
        answer_weak(x, reasons, count);
    else if (password_hash(new_password, hash) && change_password(x, hash))
        answer_empty(x);
    else
        answer_failure(x);
}
