/* Many processes on one SoftHSM2 token at once: each sees it, logs in, and keeps it, whatever the others write. */
#include <string.h>

#include "support/fixture.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/processes.h"
#include "support/test.h"
#include "support/use.h"

#define ROUNDS 8

static struct fixture fx;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static bool sees_the_token(void)
{
    CK_SLOT_ID slots[4];
    CK_ULONG count = sizeof slots / sizeof slots[0];
    CK_TOKEN_INFO info;

    if (fx.p11->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        return false;
    for (CK_ULONG i = 0; i < count; i++)
        if (slots[i] == fx.slot)
            return fx.p11->C_GetTokenInfo(fx.slot, &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED);
    return false;
}

/* One life of a process on the token; every login rewrites the token's file. */
static bool lives_well(void)
{
    struct use_result signature;
    bool well;

    if (fx.p11->C_Initialize(NULL) != CKR_OK)
        return false;
    well = sees_the_token() &&
           fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &fx.session) == CKR_OK &&
           fixture_login(&fx, FIXTURE_PIN) == CKR_OK &&
           use_sign(&fx, fx.session, key_find(fx.p11, fx.session, CKO_PRIVATE_KEY, KEY_PLAIN_RSA), &signature) ==
               CKR_OK &&
           fx.p11->C_Logout(fx.session) == CKR_OK;
    return fx.p11->C_Finalize(NULL) == CKR_OK && well;
}

static unsigned char count_bad_lives(void)
{
    unsigned char bad = 0;

    for (int n = 0; n < ROUNDS; n++)
        bad = (unsigned char)(bad + !lives_well());
    return bad;
}

static void expect_all_well(int processes)
{
    fixture_start(&fx, "level = low\n");
    fixture_stop(&fx);
    assert_int_equal(processes_sum(processes, count_bad_lives), 0);
}

static void eight_processes_start_at_once(void **state)
{
    (void)state;
    expect_all_well(8);
}

static void twenty_four_processes_start_at_once(void **state)
{
    (void)state;
    expect_all_well(24);
}

/* ------------------------------------------------------------------ a session that stays open meanwhile */

/* A wrong PIN is the token's answer; CKR_GENERAL_ERROR is that of a backend that has lost its token. */
static unsigned char count_lost_tokens(void)
{
    unsigned char lost = 0;

    if (fx.p11->C_Initialize(NULL) != CKR_OK ||
        fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &fx.session) != CKR_OK)
        return PROCESSES_FAILED;
    for (int n = 0; n < 4 * ROUNDS; n++) {
        lost = (unsigned char)(lost + (fixture_login(&fx, "000000") != CKR_PIN_INCORRECT));
        lost = (unsigned char)(lost + !sees_the_token());
    }
    return lost;
}

static void nobody_loses_the_token(void **state)
{
    (void)state;
    fixture_start(&fx, "pin-tries = 0\n");
    fixture_stop(&fx);
    assert_int_equal(processes_sum(8, count_lost_tokens), 0);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_PLAIN_RSA);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(eight_processes_start_at_once),
        TEST(twenty_four_processes_start_at_once),
        TEST(nobody_loses_the_token),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
