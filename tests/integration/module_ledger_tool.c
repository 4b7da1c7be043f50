/* What the tool says of the ledger that the module wrote: pinward log show and pinward log verify. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT      "pin " FIXTURE_PIN "\n"
#define LEDGER     "state/pinward/ledger.jsonl"
#define TOOL_USAGE 2
#define TOOL_STATE 17
#define TOOL_BAD   18

static struct fixture fx;

static void forget_ledger(void)
{
    folder_unlink(fx.folder, LEDGER);
    folder_unlink(fx.folder, LEDGER ".head");
}

static int start(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "");
    forget_ledger();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* What the tool prints (both streams), on the heap; its exit status. */
static char *tool(const char *arguments, int *status)
{
    char command[2 * FOLDER_PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    FILE *out;

    snprintf(command, sizeof command, "%s %s 2>&1", TEST_TOOL, arguments);
    out = popen(command, "re");
    assert_non_null(out);
    if (getdelim(&text, &size, '\0', out) < 0) {
        free(text);
        text = strdup("");
    }
    *status = WEXITSTATUS(pclose(out));
    return text;
}

static void tool_says(const char *arguments, int expected, const char *says)
{
    int status;
    char *text = tool(arguments, &status);

    if (status != expected)
        fail_msg("exit status %d, not %d: %s", status, expected, text);
    assert_contains(text, says);
    assert_not_contains(text, FIXTURE_PIN);
    free(text);
}

static void decide_twice(void)
{
    struct use_result signature;

    script_set(&fx, RIGHT);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    script_set(&fx, "cancel\n");
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_CANCELED);
}

static void tool_shows_the_ledger(void **state)
{
    int status;
    char *text;

    (void)state;
    tool_says("log show", TOOL_STATE, "There is no ledger");
    decide_twice();
    text = tool("log show", &status);
    assert_int_equal(status, 0);
    assert_int_equal(count_lines(text), 3);
    assert_contains(text, "TIME");
    assert_contains(text, "allowed  sign     asked");
    assert_contains(text, "denied   sign     asked");
    assert_contains(text, KEY_HIGH_RSA);
    assert_contains(text, FIXTURE_TOKEN);
    assert_contains(text, "test-module_ledger");
    free(text);
    text = tool("log show --last 1", &status);
    assert_int_equal(count_lines(text), 2);
    assert_contains(text, KEY_PLAIN_RSA);
    assert_not_contains(text, KEY_HIGH_RSA);
    free(text);
    tool_says("log show --json --last 1", 0, "[\n{\"time\":\"");
    tool_says("log show --last 5", 0, KEY_HIGH_RSA);
    tool_says("log show --last 0", TOOL_USAGE, "--last takes a number");
    tool_says("log show --last 1x", TOOL_USAGE, "--last takes a number");
    tool_says("log show --last -1", TOOL_USAGE, "--last takes a number");
}

/* Another ledger than the configured one. */
static void tool_takes_a_file(void **state)
{
    char arguments[2 * FOLDER_PATH_MAX], path[FOLDER_PATH_MAX];

    (void)state;
    decide_twice();
    fixture_configure(&fx, "[ledger]\nfile = /nonexistent/ledger\n");
    snprintf(arguments, sizeof arguments, "log verify --file %s", folder_path(fx.folder, LEDGER, path));
    tool_says(arguments, 0, "is whole: 2 lines.");
    snprintf(arguments, sizeof arguments, "log show --last 1 --file %s", path);
    tool_says(arguments, 0, KEY_PLAIN_RSA);
    tool_says("log verify", TOOL_STATE, "There is no ledger");
}

static void tool_verifies_the_ledger(void **state)
{
    char *ledger;
    char *place;

    (void)state;
    tool_says("log verify", TOOL_STATE, "There is no ledger");
    tool_says("log verify --file /nonexistent/ledger", TOOL_STATE, "/nonexistent/ledger");
    decide_twice();
    tool_says("log verify", 0, "is whole: 2 lines.");
    tool_says("log verify --json", 0, "\"whole\": true");
    ledger = folder_read(fx.folder, LEDGER);
    place = strstr(ledger, "allowed");
    memcpy(place, "denied ", 7);
    folder_write(fx.folder, LEDGER, ledger);
    tool_says("log verify", TOOL_BAD, "line 1: changed after it was written.");
    tool_says("log verify --json", TOOL_BAD, "\"fault\": \"changed\"");
    memcpy(place, "allowed", 7);
    *strchr(ledger, '\n') = '\0';
    folder_write(fx.folder, LEDGER, ledger);
    tool_says("log verify", TOOL_BAD, "line 1: torn");
    tool_says("log show", 0, "line 1 cannot be read");
    free(ledger);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tool_shows_the_ledger),
        TEST(tool_takes_a_file),
        TEST(tool_verifies_the_ledger),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
