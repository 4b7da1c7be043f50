/* The reference portal's request parser: method, path, header lines and body of one request, as the server hands them to
 * its routes, on a portal with an account, a session and a CA. Every request is answered once, with JSON or with what its
 * route gives, and no answer holds a password. Nothing is committed, so that each request meets the same portal.
 *
 * The input: a byte for the method, one for the headers (session, content type, language), the path up to a NUL, the
 * body. "+DER" in a path has the body judged as a request for certificates by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <sodium.h>

#include "ca_create.h"
#include "fuzz/folder.h"
#include "fuzz/fuzz.h"
#include "portal.h"
#include "request.h"
#include "route.h"
#include "store_account.h"
#include "store_terms.h"
#include "subject.h"

#define NOW    1795356000 /* 2026-11-22 */
#define COOKIE "the-cookie-of-the-session"

static struct portal portal;
static struct store *store;
static X509_NAME *subject;

static int refuse_commit(void *unused)
{
    (void)unused;
    return 1;
}

static void add_account(void)
{
    struct account account = {.name = "wang",
                              .approved = true,
                              .registration = {.common_name = "Wang",
                                               .country = "TW",
                                               .email = "wang@example.org",
                                               .registration_number = "R-1"}};
    uint8_t hash[SESSION_HASH_SIZE];

    fuzz_require(password_hash_of_nobody(account.password_hash), "there is memory");
    memcpy(portal.nobody_hash, account.password_hash, sizeof portal.nobody_hash);
    crypto_hash_sha256(hash, (const unsigned char *)COOKIE, strlen(COOKIE));
    fuzz_require(store_begin(store) &&
                     terms_publish(store, terms_first_version, terms_first_english, terms_first_chinese) == STORE_ROW &&
                     store_commit(store),
                 "there are terms");
    fuzz_require(account_add(store, &account, NOW) == STORE_ROW && account_approve(store, "wang", NOW) == STORE_ROW &&
                     account_set_password(store, "wang", account.password_hash, false) &&
                     session_add(store, hash, "wang", NOW),
                 "there are an account and its session");
    subject = subject_name_new(&account.registration);
    fuzz_require(subject != NULL, "the account has a subject");
}

/* A portal of its own, once. */
static void set_up(void)
{
    static const struct ca_names names = {"TW", "Example", "Example"};
    struct error err = {0};
    struct ca *ca = NULL;
    sqlite3_stmt *statement;

    if (store)
        return;
    fuzz_require(sodium_init() >= 0, "there is libsodium");
    fuzz_require(ca_create(fuzz_folder(), &names, NOW, &err) == ERROR_NONE && ca_open(fuzz_folder(), &ca, &err) == ERROR_NONE,
                 "there is a CA");
    fuzz_require(store_create(fuzz_folder(), &store, &err) == ERROR_NONE, "there is a database");
    portal = (struct portal){.data_dir = fuzz_folder(), .ca = ca, .ocsp_signer = ocsp_signer_new(ca), .idle_limit_s = 900};
    add_account();
    statement = store_query(store, "SELECT 1", "");
    fuzz_require(statement != NULL, "there is a connection");
    (void)sqlite3_commit_hook(sqlite3_db_handle(statement), refuse_commit, NULL);
    sqlite3_finalize(statement);
}

static void judge_request(const struct fuzz_input *input)
{
    struct enrollment_request request = {0};
    uint8_t *content = NULL;
    size_t len = 0;
    const enum request_fault fault =
        enrollment_request_read(input->data, input->left, subject, key_profile_named("rsa-2048"), &request);

    if (fault == REQUEST_OK)
        fuzz_require(request.signing_key && request.encryption_key, "a request that is taken has both keys");
    else
        fuzz_require(request_fault_reason(fault)[0] && request_fault_text(fault)[0], "a refusal says why");
    enrollment_request_clear(&request);
    fuzz_require(signed_request_open(input->data, input->left, portal.ca->issuing, &content, &len) != REQUEST_OK,
                 "no request is signed by the CA");
    free(content);
}

static void answer_request(struct fuzz_input *input, const char *method, uint8_t headers, const char *path)
{
    static const char *const types[] = {"application/json", "application/json; charset=utf-8", "application/ocsp-request",
                                        NULL};
    struct exchange *x = exchange_new(&portal);
    char allow[ROUTE_ALLOW_SIZE];

    fuzz_require(x != NULL && exchange_reserve_body(x, input->left), "there is memory");
    if (route_find(method, path, &x->route, x->id, allow) == ROUTE_FOUND) {
        if (input->left)
            memcpy(x->body, input->data, input->left);
        x->body_len = input->left;
        x->now_s = NOW;
        x->content_type = types[headers >> 1 & 3];
        x->accept_language = headers & 8 ? "zh-TW" : NULL;
        x->cookie = headers & 1 ? NULL : COOKIE;
        x->store = store;
        route_run(x);
        fuzz_require(x->response.status >= 200 && x->response.status <= 599, "every request is answered");
        fuzz_require(!x->response.body || fuzz_contains(input->data, input->left, FUZZ_SECRET) ||
                         !fuzz_contains(x->response.body, x->response.body_len, FUZZ_SECRET),
                     "no answer holds what was not asked with");
    }
    exchange_free(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"};
    struct fuzz_input input = {data, size};
    const uint8_t method = fuzz_byte(&input), headers = fuzz_byte(&input);
    char *path = fuzz_text(&input);

    set_up();
    if (strstr(path, "+DER"))
        judge_request(&input);
    else
        answer_request(&input, methods[method % (sizeof methods / sizeof methods[0])], headers, path);
    free(path);
    ERR_clear_error();
    return 0;
}
