/* Applying for a first pair of certificates, and looking at applications. */
#include <string.h>

#include "applying.h"
#include "handlers.h"
#include "store_certificate.h"

/* False: it has answered. */
static bool may_apply(struct exchange *x, struct account *account)
{
    enum store_result pair;

    if (account_find(x->store, x->session.account, x->now_s, account) != STORE_ROW) {
        answer_failure(x);
        return false;
    }
    if (!account->approved) {
        answer_problem(x, PROBLEM_REGISTRATION_NOT_APPROVED,
                       "The registration is not approved, or ended when its certificates expired; ask the "
                       "registration authority.");
        return false;
    }
    if (!applying_none_open(x))
        return false;
    pair = certificate_pair_in_use(x->store, x->session.account, x->now_s);
    if (pair == STORE_FAILED)
        answer_failure(x);
    if (pair == STORE_ROW)
        answer_problem(
            x, PROBLEM_ALREADY_CERTIFIED,
            "The account has an active or suspended pair of certificates; renew it when its time comes.");
    return pair == STORE_DONE;
}

void handle_applications_post(struct exchange *x)
{
    struct applying applying = {.replaces = ""};
    const struct member members[] = {
        {"request_id", MEMBER_UUID, UUID_SIZE - 1, &applying.request_id},
        {"terms_version", MEMBER_TEXT, TERMS_VERSION_SIZE - 1, &applying.terms_version},
        {"terms_sha256", MEMBER_HEX, TERMS_SHA256_SIZE - 1, &applying.terms_sha256},
        {"request", MEMBER_BASE64, 16 * 1024, &applying.sent},
    };
    struct account account;

    if (!body_read(x, members, sizeof(members) / sizeof(members[0])))
        return;
    if (!store_begin(x->store)) {
        answer_failure(x);
        return;
    }
    if (applying_is_new(x, &applying) && applying_terms_hold(x, &applying) && may_apply(x, &account))
        applying_submit(x, &applying, &account, applying.sent);
}

void handle_applications_get(struct exchange *x)
{
    sqlite3_stmt *row = application_list(x->store, x->session.account);
    json_t *list = json_array();
    enum store_result result;

    while ((result = store_step(x->store, row)) == STORE_ROW) {
        struct application application;

        application_read(row, &application);
        (void)json_array_append_new(list, applying_json(&application));
    }
    sqlite3_finalize(row);
    if (result == STORE_FAILED) {
        json_decref(list);
        answer_failure(x);
        return;
    }
    answer_json(x, 200, json_pack("{s:o}", "applications", list));
}

void handle_application_get(struct exchange *x)
{
    struct application application;

    if (applying_find(x, &application))
        answer_json(x, 200, applying_json(&application));
}
