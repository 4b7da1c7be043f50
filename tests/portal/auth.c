#include "auth.h"

#include <string.h>

static void answer_locked(struct exchange *x)
{
    answer_problem(
        x, PROBLEM_ACCOUNT_LOCKED,
        "The account is locked after three wrong passwords; ask the registration authority to unlock it.");
}

/* The try was counted before; the third one has locked the account, which ends its sessions too. */
static void answer_wrong(struct exchange *x, const char *name, int64_t count)
{
    if (count < ACCOUNT_TRIES_MAX) {
        answer_problem_with(x, PROBLEM_LOGIN_FAILED,
                            json_pack("{s:I}", "tries_left", ACCOUNT_TRIES_MAX - count),
                            "The account or the password is wrong; check both before you try again.");
        return;
    }
    if (session_remove_others(x->store, name, NULL))
        answer_locked(x);
    else
        answer_failure(x);
}

bool auth_check(struct exchange *x, const char *name, const struct secret *password, struct account *account)
{
    enum store_result known;
    struct account found;
    int64_t count = 0;

    if (!account_try_begin(x->store, name, &count)) {
        answer_failure(x);
        return false;
    }
    if (count > ACCOUNT_TRIES_MAX) {
        answer_locked(x);
        return false;
    }
    known = account_find(x->store, name, x->now_s, &found);
    if (known == STORE_FAILED) {
        answer_failure(x);
        return false;
    }
    if (!password_verify(password, known == STORE_ROW ? found.password_hash : x->portal->nobody_hash) ||
        known != STORE_ROW) {
        answer_wrong(x, name, count);
        return false;
    }
    if (!account_try_succeeded(x->store, name)) {
        answer_failure(x);
        return false;
    }
    if (account != NULL)
        *account = found;
    return true;
}
