/* Two hundred processes on one token, one counter and one ledger at once: each decision is one whole line, chained to the
 * one before, and each wrong PIN is counted once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "support/processes.h"
#include "support/test.h"
#include "tries_world.h"

#define PROCESSES 200
#define TRIES     15 /* the most that can be configured */
#define LEDGER    "state/pinward/ledger.jsonl"

static unsigned char initialised(void)
{
    return fx.p11->C_Initialize(NULL) == CKR_OK &&
           fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION, NULL, NULL, &fx.session) == CKR_OK;
}

/* How many of its calls did not go well. */
static unsigned char log_in_and_out(void)
{
    unsigned char bad;

    if (!initialised())
        return 1;
    bad = (unsigned char)((fixture_login(&fx, FIXTURE_PIN) != CKR_OK) + (fx.p11->C_Logout(fx.session) != CKR_OK));
    return (unsigned char)(bad + (fx.p11->C_Finalize(NULL) != CKR_OK));
}

/* How many wrong PINs it was told of, until the PIN is locked. */
static unsigned char guess(void)
{
    unsigned char wrong = 0;
    CK_RV rv;

    if (!initialised())
        return PROCESSES_FAILED;
    while ((rv = fixture_login(&fx, "000000")) == CKR_PIN_INCORRECT)
        wrong++;
    return rv == CKR_PIN_LOCKED ? wrong : PROCESSES_FAILED;
}

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;

    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        n++;
    }
    return n;
}

/* So many lines, of which so many are right, wrong and locked; and the tool finds the chain whole. */
static void expect_ledger(unsigned right, unsigned wrong, unsigned locked)
{
    char *ledger = folder_read(fx.folder, LEDGER);

    assert_int_equal(count(ledger, "\n"), right + wrong + locked);
    assert_int_equal(count(ledger, "\"operation\":\"login\""), right + wrong + locked);
    assert_int_equal(count(ledger, "\"rv\":\"0x00000000\""), right);
    assert_int_equal(count(ledger, "\"rv\":\"0x000000a0\""), wrong);
    assert_int_equal(count(ledger, "\"rv\":\"0x000000a4\""), locked);
    free(ledger);
    assert_int_equal(WEXITSTATUS(system(TEST_TOOL " log verify >/dev/null")), 0);
}

static void configure(void)
{
    char lines[64];

    snprintf(lines, sizeof lines, TRIES_APPLICATION "pin-tries = %d\n", TRIES);
    fixture_start(&fx, lines);
    fixture_stop(&fx);
    folder_unlink(fx.folder, LEDGER);
    folder_unlink(fx.folder, LEDGER ".head");
}

static void every_line_is_whole(void **state)
{
    (void)state;
    configure();
    assert_int_equal(processes_sum(PROCESSES, log_in_and_out), 0);
    expect_ledger(PROCESSES, 0, 0);
}

static void every_wrong_pin_is_counted_once(void **state)
{
    (void)state;
    configure();
    assert_int_equal(processes_sum(PROCESSES, guess), TRIES);
    expect_ledger(0, TRIES, PROCESSES);
    print_message("# %d processes, %d wrong PINs, %d lines of the ledger\n", PROCESSES, TRIES, PROCESSES + TRIES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tries_start, tries_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_line_is_whole),
        TEST(every_wrong_pin_is_counted_once),
    };

    return cmocka_run_group_tests(tests, tries_begin, tries_end);
}
