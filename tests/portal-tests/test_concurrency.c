/* Many requests at once, and a server that is killed among them: counts stay right and the database stays
 * whole. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <sodium.h>
#include <sqlite3.h>

#include "story.h"

#define THREADS 8

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    return fixture_start(&fixture, "concurrency", NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

/* One request that is made ready first and sent by a thread of its own. cmocka's assertions and the record
 * belong to the main thread, so this uses curl alone. */
struct shot {
    CURL *curl;
    struct curl_slist *headers;
    char *body;
    long status;
    CURLcode code;
    pthread_t thread;
};

static size_t drop(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static void load_shot(struct shot *shot, const char *path, const char *cookie, json_t *body)
{
    char url[200], ca_file[400], line[200];

    memset(shot, 0, sizeof(*shot));
    snprintf(url, sizeof(url), "%s/api/v1%s", fixture.url, path);
    snprintf(ca_file, sizeof(ca_file), "%s/root.pem", fixture.data);
    snprintf(line, sizeof(line), "Cookie: pinward_session=%s", cookie);
    shot->body = json_dumps(body, 0);
    json_decref(body);
    shot->headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), line);
    shot->curl = curl_easy_init();
    curl_easy_setopt(shot->curl, CURLOPT_URL, url);
    curl_easy_setopt(shot->curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(shot->curl, CURLOPT_HTTPHEADER, shot->headers);
    curl_easy_setopt(shot->curl, CURLOPT_POSTFIELDS, shot->body);
    curl_easy_setopt(shot->curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(shot->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(shot->curl, CURLOPT_TIMEOUT, 60L);
}

static void *fire(void *context)
{
    struct shot *shot = context;

    shot->code = curl_easy_perform(shot->curl);
    curl_easy_getinfo(shot->curl, CURLINFO_RESPONSE_CODE, &shot->status);
    return NULL;
}

static void fire_all(struct shot *shots)
{
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&shots[i].thread, NULL, fire, &shots[i]), 0);
}

static void wait_all(struct shot *shots)
{
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(shots[i].thread, NULL);
        curl_easy_cleanup(shots[i].curl);
        curl_slist_free_all(shots[i].headers);
        free(shots[i].body);
    }
}

static size_t count_status(const struct shot *shots, long status)
{
    size_t count = 0;

    for (size_t i = 0; i < THREADS; i++)
        count += shots[i].status == status;
    return count;
}

static void guesses_at_once_share_one_count(void **state)
{
    struct shot shots[THREADS];
    char id[40], text[16];
    struct user u;

    (void)state;
    user_register(&fixture, &u, "guessed", NULL);
    for (size_t i = 0; i < THREADS; i++) {
        story_captcha(&fixture, u.client, id, text);
        load_shot(&shots[i], "/session", "",
                  json_pack("{s:s, s:s, s:s, s:s}", "account", u.account, "password", "wrong password",
                            "captcha_id", id, "captcha_text", text));
    }
    fire_all(shots);
    wait_all(shots);
    assert_int_equal(count_status(shots, 401), 2);
    assert_int_equal(count_status(shots, 423), THREADS - 2);
    user_clear(&u);
}

static void one_captcha_serves_one_of_many(void **state)
{
    struct shot shots[THREADS];
    char id[40], text[16];
    struct user u;

    (void)state;
    user_register(&fixture, &u, "one-captcha", NULL);
    story_captcha(&fixture, u.client, id, text);
    for (size_t i = 0; i < THREADS; i++)
        load_shot(&shots[i], "/session", "",
                  json_pack("{s:s, s:s, s:s, s:s}", "account", u.account, "password", u.password,
                            "captcha_id", id, "captcha_text", text));
    fire_all(shots);
    wait_all(shots);
    assert_int_equal(count_status(shots, 201), 1);
    assert_int_equal(count_status(shots, 422), THREADS - 1);
    user_clear(&u);
}

static json_t *make_application(struct user *u)
{
    struct request_options options = {.subject_dn = u->subject_dn};
    struct der request;
    json_t *body;

    enrollee_clear(&u->keys);
    enrollee_make(&u->keys);
    request = enrollee_request(&u->keys, &options);
    body = user_application_body(u, &request);
    der_clear(&request);
    return body;
}

static size_t count_applications(struct user *u)
{
    struct answer answer;
    size_t count;

    client_call(u->client, "GET", "/applications", NULL, &answer);
    assert_status(&answer, 200);
    count = json_array_size(json_object_get(answer.json, "applications"));
    answer_clear(&answer);
    return count;
}

static void one_request_sent_many_times_at_once_is_one_application(void **state)
{
    struct shot shots[THREADS];
    char cookie[100];
    struct user u;
    json_t *body;

    (void)state;
    user_start(&fixture, &u, "many-times");
    client_cookie(u.client, cookie, sizeof(cookie));
    body = make_application(&u);
    for (size_t i = 0; i < THREADS; i++)
        load_shot(&shots[i], "/applications", cookie, json_incref(body));
    fire_all(shots);
    wait_all(shots);
    assert_int_equal(count_status(shots, 201), 1);
    assert_int_equal(count_status(shots, 200), THREADS - 1);
    assert_int_equal(count_applications(&u), 1);
    json_decref(body);
    user_clear(&u);
}

static void check_integrity(void)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;
    char path[400];

    snprintf(path, sizeof(path), "%s/portal.db", fixture.data);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT count(*) FROM application AS a WHERE state <> 'submitted' AND"
                                        " (SELECT count(*) FROM certificate AS c"
                                        "  WHERE c.application_id = a.application_id) <> 2"
                                        " UNION ALL SELECT count(*) FROM pragma_foreign_key_check",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        assert_int_equal(sqlite3_column_int(statement, 0), 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* Whether the kill came before, within or after the change: the same request again gives one application,
 * whole. */
static void a_killed_server_has_done_all_of_a_request_or_nothing(void **state)
{
    struct shot shots[THREADS];
    struct user u[THREADS];
    json_t *bodies[THREADS];
    char cookie[100], name[40];

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        snprintf(name, sizeof(name), "killed-%zu", i);
        user_start(&fixture, &u[i], name);
        client_cookie(u[i].client, cookie, sizeof(cookie));
        bodies[i] = make_application(&u[i]);
        load_shot(&shots[i], "/applications", cookie, json_incref(bodies[i]));
    }
    fire_all(shots);
    usleep(randombytes_uniform(60000)); /* some requests are then done, some under way, some waiting */
    assert_true(fixture_restart(&fixture, SIGKILL, NULL));
    wait_all(shots);
    check_integrity();
    for (size_t i = 0; i < THREADS; i++) {
        struct answer answer;

        client_call(u[i].client, "POST", "/applications", bodies[i], &answer);
        assert_true(answer.status == 201 || answer.status == 200);
        assert_string_equal(answer_text(&answer, "state"), "issued");
        answer_clear(&answer);
        assert_int_equal(count_applications(&u[i]), 1);
        user_clear(&u[i]);
    }
    check_integrity();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guesses_at_once_share_one_count),
        cmocka_unit_test(one_captcha_serves_one_of_many),
        cmocka_unit_test(one_request_sent_many_times_at_once_is_one_application),
        cmocka_unit_test(a_killed_server_has_done_all_of_a_request_or_nothing),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
