/* cool_down: when nobody is asked, and when again. */
#include "pkcs11-module/cool_down.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pkcs11-module/counter_file.h"
#include "retry_world.h"
#include "support/process_state.h"
#include "support/test.h"

static void two_unanswered_start_a_cool_down(void **state)
{
    struct cool_down cool_down;

    (void)state;
    cool_down_init(&cool_down, 1);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_true(cool_down_is_on(&cool_down));
    process_sleep_ms(1050);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false); /* the row goes on */
    assert_true(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_CANCELLED, false); /* a window that was open all the while */
    assert_false(cool_down_is_on(&cool_down));
}

static void answers_end_the_row(void **state)
{
    static const enum error_code answers[] = {ERROR_NONE, ERROR_CANCELLED};
    struct cool_down cool_down;

    (void)state;
    cool_down_init(&cool_down, 60);
    for (size_t i = 0; i < 2; i++) {
        cool_down_note(&cool_down, ERROR_TIMEOUT, false);
        cool_down_note(&cool_down, answers[i], false);
        cool_down_note(&cool_down, ERROR_TIMEOUT, false);
        assert_false(cool_down_is_on(&cool_down));
        cool_down_note(&cool_down, answers[i], false);
    }
    /* Neither a failure nor a withdrawal says anything of the user. */
    cool_down_note(&cool_down, ERROR_TIMEOUT, true);
    cool_down_note(&cool_down, ERROR_TIMEOUT, true);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    cool_down_note(&cool_down, ERROR_PROMPT, false);
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_true(cool_down_is_on(&cool_down));
}

static void cool_down_can_be_switched_off(void **state)
{
    struct cool_down cool_down;
    char path[FOLDER_PATH_MAX];

    (void)state;
    cool_down_init(&cool_down, 0);
    for (int n = 0; n < 3; n++)
        cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_false(cool_down_is_on(&cool_down));
    assert_int_equal(access(folder_path(world_folder, "pinward", path), F_OK), -1);
}

static void damaged_cool_down_asks_on(void **state)
{
    struct cool_down cool_down;
    int fd;

    (void)state;
    cool_down_init(&cool_down, 60);
    for (int n = 0; n < 2; n++)
        cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_true(cool_down_is_on(&cool_down));
    fd = open(cool_down.path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_false(cool_down_is_on(&cool_down));
}

/* CLOCK_BOOTTIME begins anew: a time that lies ahead is of an earlier boot. */
static void cool_down_ends_with_the_boot(void **state)
{
    struct cool_down cool_down;
    struct counter_file file;

    (void)state;
    cool_down_init(&cool_down, 60);
    assert_int_equal(counter_file_open(cool_down.path, &file, NULL), ERROR_NONE);
    file.numbers[0] = 5;
    file.numbers[1] = UINT64_C(1) << 60;
    assert_int_equal(counter_file_save(&file, NULL), ERROR_NONE);
    counter_file_close(&file);
    assert_false(cool_down_is_on(&cool_down));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_start, world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_unanswered_start_a_cool_down),
        TEST(answers_end_the_row),
        TEST(cool_down_can_be_switched_off),
        TEST(damaged_cool_down_asks_on),
        TEST(cool_down_ends_with_the_boot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
