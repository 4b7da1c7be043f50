/* Small rules: the renewal window, times, UUIDs, names, members of a body, routes, captcha texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "body.h"
#include "captcha.h"
#include "clock.h"
#include "renewal_window.h"
#include "route.h"
#include "subject.h"
#include "uuid.h"

static void renewal_opens_thirty_days_before_expiry_and_ends_with_it(void **state)
{
    const int64_t not_after = 2000000000, opens_at = not_after - 30 * (int64_t)CLOCK_DAY_S;

    (void)state;
    assert_int_equal(renewal_window_opens_at(not_after), opens_at);
    assert_false(renewal_window_is_open(not_after, opens_at - 1));
    assert_true(renewal_window_is_open(not_after, opens_at));
    assert_true(renewal_window_is_open(not_after, not_after));
    assert_false(renewal_window_is_open(not_after, not_after + 1));
}

static void times_are_written_as_the_standards_say(void **state)
{
    char rfc3339[CLOCK_RFC3339_LENGTH], http[CLOCK_HTTP_LENGTH];

    (void)state;
    clock_format_rfc3339(1795356000, rfc3339);
    assert_string_equal(rfc3339, "2026-11-22T14:00:00Z");
    clock_format_http(1795356000, http);
    assert_string_equal(http, "Sun, 22 Nov 2026 14:00:00 GMT");
}

static void uuids_are_random_and_of_version_4(void **state)
{
    char one[UUID_SIZE], two[UUID_SIZE];

    (void)state;
    for (int i = 0; i < 100; i++) {
        uuid_make(one);
        uuid_make(two);
        assert_true(body_is_uuid(one));
        assert_string_not_equal(one, two);
    }
    assert_false(body_is_uuid("3f0a6b1e-7a64-4c53-9d0c-2f1f5a1c9b1"));
    assert_false(body_is_uuid("3f0a6b1e-7a64-1c53-9d0c-2f1f5a1c9b10"));
    assert_false(body_is_uuid("3f0a6b1e-7a64-4c53-7d0c-2f1f5a1c9b10"));
    assert_false(body_is_uuid("3F0A6B1E-7A64-4C53-9D0C-2F1F5A1C9B10"));
    assert_false(body_is_uuid(""));
}

static void subjects_become_names_that_rfc_4514_writes(void **state)
{
    struct registration r = {"王小明, Jr.", "a+b \"c\" <d>;\\", "TW", "ming@example.org", "R-1"};
    X509_NAME *name = subject_name_new(&r);
    char text[512], small[8];

    (void)state;
    assert_true(subject_name_text(name, text, sizeof(text)));
    assert_string_equal(text, "serialNumber=R-1,CN=王小明\\, Jr.,O=a\\+b \\\"c\\\" \\<d\\>\\;\\\\,C=TW");
    assert_false(subject_name_text(name, small, sizeof(small)));
    X509_NAME_free(name);
    r.organization[0] = '\0';
    name = subject_name_new(&r);
    assert_true(subject_name_text(name, text, sizeof(text)));
    assert_string_equal(text, "serialNumber=R-1,CN=王小明\\, Jr.,C=TW");
    X509_NAME_free(name);
}

static void unfit_subjects_are_refused(void **state)
{
    const struct registration right = {"Ming", "", "TW", "ming@example.org", "R-1"};
    struct registration wrong[] = {
        {"", "", "TW", "ming@example.org", "R-1"},
        {"Mi\nng", "", "TW", "ming@example.org", "R-1"},
        {"Ming", "", "tw", "ming@example.org", "R-1"},
        {"Ming", "", "T", "ming@example.org", "R-1"},
        {"Ming", "", "TW", "ming", "R-1"},
        {"Ming", "", "TW", "ming@a@b", "R-1"},
        {"Ming", "", "TW", "ming@example.org,x@y", "R-1"},
        {"Ming", "", "TW", "ming@example.org", ""},
        {"Ming", "", "TW", "ming@example.org", "R_1"},
        {"\xff\xfe", "", "TW", "ming@example.org", "R-1"},
        {"Ming", "O\tO", "TW", "ming@example.org", "R-1"},
    };
    struct error err;

    (void)state;
    assert_int_equal(subject_check(&right, &err), ERROR_NONE);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(subject_check(&wrong[i], &err), ERROR_USAGE);
}

struct input {
    const char *text;
    const char *id;
    struct bytes bytes;
    struct secret *secret;
};

/* Reads a body against three members and gives the exchange, which the caller frees. */
static struct exchange *read(const char *body, bool expected, struct input *input)
{
    static const struct portal portal;
    const struct member members[] = {
        {"text", MEMBER_TEXT, 5, &input->text},
        {"bytes", MEMBER_BASE64, 4, &input->bytes},
        {"secret", MEMBER_SECRET, 8, &input->secret},
    };
    struct exchange *x = exchange_new(&portal);

    assert_non_null(x);
    assert_true(exchange_reserve_body(x, strlen(body)));
    memcpy(x->body, body, strlen(body));
    x->body_len = strlen(body);
    x->content_type = "application/json; charset=UTF-8";
    assert_int_equal(body_read(x, members, 3), expected);
    assert_int_equal(x->response.status, expected ? 0 : 400);
    return x;
}

static void bodies_are_read_against_their_table(void **state)
{
    static const char *const wrong[] = {
        "{\"text\":\"abcdef\",\"bytes\":\"AAAA\",\"secret\":\"s\"}",       /* too long */
        "{\"text\":\"a\",\"bytes\":\"AAAAAAA=\",\"secret\":\"s\"}",        /* five bytes */
        "{\"text\":\"a\",\"bytes\":\"AAA\",\"secret\":\"s\"}",             /* no padding */
        "{\"text\":\"a\",\"bytes\":\"AA\\nAA\",\"secret\":\"s\"}",         /* a line break */
        "{\"text\":\"a\",\"bytes\":\"AB==\",\"secret\":\"s\"}",            /* bits behind the last byte */
        "{\"text\":\"a\",\"bytes\":\"AAAA\"}",                             /* one is missing */
        "{\"text\":\"a\",\"bytes\":\"AAAA\",\"secret\":\"s\",\"more\":1}", /* one too many */
        "{\"text\":\"a\",\"bytes\":\"AAAA\",\"secret\":\"123456789\"}",
        "{\"text\":[\"a\"],\"bytes\":\"AAAA\",\"secret\":\"s\"}",
    };
    struct input input = {0};
    struct exchange *x = read("{\"text\":\"\\u4e2d\",\"bytes\":\"AAEC\",\"secret\":\"hush\"}", true, &input);

    (void)state;
    assert_string_equal(input.text, "中");
    assert_int_equal(input.bytes.len, 3);
    assert_memory_equal(input.bytes.data, "\x00\x01\x02", 3);
    assert_string_equal(secret_bytes(input.secret), "hush");
    /* what the JSON tree held of it is wiped */
    assert_int_equal(json_string_value(json_object_get(x->json, "secret"))[0], '\0');
    exchange_free(&x);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        x = read(wrong[i], false, &input);
        exchange_free(&x);
    }
}

static void a_problem_never_quotes_the_body(void **state)
{
    struct input input = {0};
    struct exchange *x = read("{\"secret\": hunter2", false, &input);

    (void)state;
    assert_null(memmem(x->response.body, x->response.body_len, "hunter2", 7));
    exchange_free(&x);
}

static void routes_match_whole_paths_only(void **state)
{
    char id[ROUTE_VARIABLE_SIZE], allow[ROUTE_ALLOW_SIZE], path[2 * ROUTE_VARIABLE_SIZE];
    const struct route *route = NULL;

    (void)state;
    assert_int_equal(route_find("GET", "/api/v1/applications/abc", &route, id, allow), ROUTE_FOUND);
    assert_string_equal(id, "abc");
    assert_int_equal(route_find("POST", "/api/v1/applications/abc/challenge", &route, id, allow),
                     ROUTE_FOUND);
    assert_string_equal(route->path, "/applications/{id}/challenge");
    assert_int_equal(route_find("HEAD", "/api/v1/time", &route, id, allow), ROUTE_FOUND);
    assert_int_equal(route_find("GET", "/api/v1/applications/abc/challenge", &route, id, allow),
                     ROUTE_NO_METHOD);
    assert_string_equal(allow, "POST");
    assert_int_equal(route_find("GET", "/api/v1/applications/", &route, id, allow), ROUTE_NO_PATH);
    assert_int_equal(route_find("GET", "/api/v1/timex", &route, id, allow), ROUTE_NO_PATH);
    assert_int_equal(route_find("GET", "/api/v2/time", &route, id, allow), ROUTE_NO_PATH);
    assert_int_equal(route_find("GET", "/api/v1/ocsp/a/b//c=", &route, id, allow), ROUTE_FOUND);
    assert_string_equal(id, "a/b//c=");
    assert_int_equal(route_find("GET", "/api/v1/ocsp/", &route, id, allow), ROUTE_NO_PATH);
    for (int len = ROUTE_VARIABLE_SIZE - 1; len <= ROUTE_VARIABLE_SIZE; len++) {
        snprintf(path, sizeof(path), "/api/v1/certificates/%0*d", len, 0);
        assert_int_equal(route_find("GET", path, &route, id, allow),
                         len < ROUTE_VARIABLE_SIZE ? ROUTE_FOUND : ROUTE_NO_PATH);
    }
}

static void captchas_are_pictures_that_are_drawn_anew(void **state)
{
    char text[CAPTCHA_LENGTH + 1];
    uint8_t *one = NULL, *two = NULL;
    size_t one_len = 0, two_len = 0;

    (void)state;
    captcha_text(text);
    assert_int_equal(strspn(text, "ACDEFHJKLMNPRTUVWXY34679"), CAPTCHA_LENGTH);
    assert_true(captcha_draw(text, &one, &one_len));
    assert_true(captcha_draw(text, &two, &two_len));
    assert_memory_equal(one, "\x89PNG\r\n\x1a\n", 8);
    assert_true(one_len != two_len || memcmp(one, two, one_len) != 0);
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renewal_opens_thirty_days_before_expiry_and_ends_with_it),
        cmocka_unit_test(times_are_written_as_the_standards_say),
        cmocka_unit_test(uuids_are_random_and_of_version_4),
        cmocka_unit_test(subjects_become_names_that_rfc_4514_writes),
        cmocka_unit_test(unfit_subjects_are_refused),
        cmocka_unit_test(bodies_are_read_against_their_table),
        cmocka_unit_test(a_problem_never_quotes_the_body),
        cmocka_unit_test(routes_match_whole_paths_only),
        cmocka_unit_test(captchas_are_pictures_that_are_drawn_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
