/* The HTTP side: TLS versions, sizes, malformed input, methods, and a database that is busy or damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <sqlite3.h>

#include "story.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    return fixture_start(&fixture, "http", NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

/* True when a handshake with exactly this version succeeds. */
static bool can_speak(int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    char address[64];
    bool ok = false;
    BIO *bio;

    SSL_CTX_set_security_level(context, 0); /* so that it is the server that refuses old versions */
    assert_int_equal(SSL_CTX_set_min_proto_version(context, version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(context, version), 1);
    snprintf(address, sizeof(address), "127.0.0.1:%u", fixture.port);
    bio = BIO_new_ssl_connect(context);
    BIO_set_conn_hostname(bio, address);
    ok = BIO_do_connect(bio) == 1 && BIO_do_handshake(bio) == 1;
    BIO_free_all(bio);
    SSL_CTX_free(context);
    return ok;
}

static void only_tls_1_2_and_1_3_are_spoken(void **state)
{
    (void)state;
    assert_false(can_speak(TLS1_VERSION));
    assert_false(can_speak(TLS1_1_VERSION));
    assert_true(can_speak(TLS1_2_VERSION));
    assert_true(can_speak(TLS1_3_VERSION));
}

static void expect(struct client *c, const char *method, const char *path, const char *type, const char *body,
                   long status, const char *slug)
{
    struct answer answer;

    client_send(c, method, path, type, body, body == NULL ? 0 : strlen(body), &answer);
    assert_problem(&answer, status, slug);
    answer_clear(&answer);
}

static void unknown_paths_and_methods_are_refused(void **state)
{
    static const char *const paths[] = {
        "/nothing",          "/session/", "/applications//challenge", "/applications/1/2/challenge",
        "/certificates/1/2", ""};
    struct client *c = client_new(&fixture);
    struct answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        expect(c, "GET", paths[i], NULL, NULL, 404, "not-found");
    client_call(c, "PATCH", "/session", NULL, &answer);
    assert_problem(&answer, 405, "method-not-allowed");
    assert_string_equal(answer_header(&answer, "allow"), "POST, GET, HEAD, DELETE");
    answer_clear(&answer);
    expect(c, "DELETE", "/time", NULL, NULL, 405, "method-not-allowed");
    client_call(c, "HEAD", "/time", NULL, &answer);
    assert_status(&answer, 200);
    assert_int_equal(answer.len, 0);
    answer_clear(&answer);
    client_free(&c);
}

static void without_a_session_one_must_log_in(void **state)
{
    static const char *const calls[][2] = {
        {"GET", "/session"},        {"DELETE", "/session"},     {"PUT", "/password"},
        {"GET", "/registration"},   {"GET", "/terms"},          {"POST", "/applications"},
        {"GET", "/applications"},   {"GET", "/applications/1"}, {"POST", "/applications/1/challenge"},
        {"POST", "/renewals"},      {"GET", "/certificates"},   {"POST", "/applications/1/activation"},
        {"GET", "/certificates/1"},
    };
    struct client *c = client_new(&fixture);

    (void)state;
    client_header(c, "Cookie: pinward_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        expect(c, calls[i][0], calls[i][1], NULL, NULL, 401, "login-required");
    client_free(&c);
}

static void bodies_must_be_what_the_api_describes(void **state)
{
    static const char json[] = "application/json";
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "\"text\"",
        "{} {}",
        "{\"account\":1}",
        "{\"account\":\"\"}",
        "{\"account\":null}",
        "{\"account\":\"a\",\"account\":\"b\"}",
        "{\"account\":\"a\\u0000b\"}",
        "{\"account\":\"\xff\xfe\"}",
    };
    struct client *c = client_new(&fixture);
    struct answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        expect(c, "POST", "/session", json, bodies[i], 400, "bad-request");
    expect(c, "POST", "/session", NULL, "{}", 415, "unsupported-media-type");
    expect(c, "POST", "/session", "text/plain", "{}", 415, "unsupported-media-type");
    expect(c, "POST", "/session", "application/json; charset=latin1", "{}", 415, "unsupported-media-type");
    expect(c, "POST", "/captcha", json, "{\"more\":1}", 400, "bad-request");
    expect(c, "POST", "/captcha", "text/plain", "x", 415, "unsupported-media-type");
    client_send(c, "POST", "/captcha", json, "{}", 2, &answer);
    assert_status(&answer, 201);
    answer_clear(&answer);
    client_free(&c);
}

static void the_wrong_member_is_named(void **state)
{
    static const char *const wrong[][2] = {
        {"request_id", "11111111-1111-1111-8111-111111111111"}, /* not version 4 */
        {"request_id", "11111111-1111-4111-8111-11111111111A"}, /* not lower case */
        {"request_id", "1"},
        {"terms_version", "a version that is far longer than any version has ever been"},
        {"terms_sha256", "XYZ"},
        {"request", "not base64!"},
        {"request", "AAA"}, /* no padding */
        {"request", ""},
    };
    struct answer answer;
    char field[40];
    struct user u;

    (void)state;
    user_start(&fixture, &u, "malformed");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "request_id", "11111111-1111-4111-8111-111111111111",
                                 "terms_version", "1", "terms_sha256", u.terms_sha256, "request", "AAAA");

        json_object_set_new(body, wrong[i][0], json_string(wrong[i][1]));
        client_call(u.client, "POST", "/applications", body, &answer);
        assert_problem(&answer, 400, "bad-request");
        snprintf(field, sizeof(field), "/%s", wrong[i][0]);
        assert_string_equal(answer_text(&answer, "field"), field);
        answer_clear(&answer);
    }
    user_clear(&u);
}

static void too_large_bodies_are_refused(void **state)
{
    const size_t len = 256 * 1024 + 1;
    char *body = malloc(len);
    struct client *c = client_new(&fixture);
    struct answer answer;

    (void)state;
    assert_non_null(body);
    memset(body, ' ', len);
    client_send(c, "POST", "/session", "application/json", body, len, &answer);
    assert_problem(&answer, 413, "too-large");
    answer_clear(&answer);
    client_send(c, "POST", "/session", "application/json", body, len - 1, &answer); /* allowed, but no JSON */
    assert_problem(&answer, 400, "bad-request");
    answer_clear(&answer);
    client_use_chunks(c); /* the length is known only when it has come */
    client_send(c, "POST", "/session", "application/json", body, len, &answer);
    assert_problem(&answer, 413, "too-large");
    answer_clear(&answer);
    client_send(c, "POST", "/session", "application/json", "{}", 2, &answer);
    assert_problem(&answer, 400, "bad-request");
    answer_clear(&answer);
    client_free(&c);
    free(body);
}

static void date_follows_the_portals_clock(void **state)
{
    struct client *c = client_new(&fixture);
    struct answer answer;

    (void)state;
    fixture_set_clock(&fixture, -340 * (int64_t)STORY_DAY_S);
    client_call(c, "GET", "/time", NULL, &answer);
    assert_status(&answer, 200);
    /* "2025-12-17T..." and "Wed, 17 Dec 2025 ..." */
    assert_memory_equal(answer_header(&answer, "date") + 12, answer_text(&answer, "now"), 4);
    assert_memory_equal(answer_header(&answer, "date") + 5, answer_text(&answer, "now") + 8, 2);
    assert_string_equal(answer_header(&answer, "cache-control"), "");
    answer_clear(&answer);
    fixture_set_clock(&fixture, 0);
    client_free(&c);
}

static sqlite3 *open_database(void)
{
    char path[400];
    sqlite3 *db = NULL;

    snprintf(path, sizeof(path), "%s/portal.db", fixture.data);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void a_locked_database_is_told_as_busy(void **state)
{
    struct client *c = client_new(&fixture);
    sqlite3 *db = open_database();
    struct answer answer;

    (void)state;
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    client_call(c, "POST", "/captcha", NULL, &answer);
    assert_problem(&answer, 503, "busy");
    assert_string_equal(answer_header(&answer, "retry-after"), "5");
    answer_clear(&answer);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    client_call(c, "POST", "/captcha", NULL, &answer);
    assert_status(&answer, 201);
    answer_clear(&answer);
    sqlite3_close(db);
    client_free(&c);
}

/* Nothing of what is wrong inside is told, and what still works goes on. */
static void a_damaged_database_is_an_internal_problem(void **state)
{
    struct client *c = client_new(&fixture);
    sqlite3 *db = open_database();
    struct answer answer;

    (void)state;
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE crl RENAME TO lost", NULL, NULL, NULL), SQLITE_OK);
    client_call(c, "GET", "/crl", NULL, &answer);
    assert_problem(&answer, 500, "internal");
    assert_null(strstr(answer.body, "crl"));
    answer_clear(&answer);
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE lost RENAME TO crl", NULL, NULL, NULL), SQLITE_OK);
    client_call(c, "GET", "/crl", NULL, &answer);
    assert_status(&answer, 200);
    answer_clear(&answer);
    sqlite3_close(db);
    client_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_tls_1_2_and_1_3_are_spoken),
        cmocka_unit_test(unknown_paths_and_methods_are_refused),
        cmocka_unit_test(without_a_session_one_must_log_in),
        cmocka_unit_test(bodies_must_be_what_the_api_describes),
        cmocka_unit_test(the_wrong_member_is_named),
        cmocka_unit_test(too_large_bodies_are_refused),
        cmocka_unit_test(date_follows_the_portals_clock),
        cmocka_unit_test(a_locked_database_is_told_as_busy),
        cmocka_unit_test(a_damaged_database_is_an_internal_problem),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
