/* i18n: texts in the user's language in a host that never called setlocale, and nothing changed for that host.
 * No locale of a language need be installed for this: glibc's C.UTF-8 obeys LANGUAGE. */
#include "common/i18n.h"

#include <errno.h>
#include <libintl.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AGREE_ZH_TW "同意(_A)"

static int set_user_language(void **state)
{
    (void)state;
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("LANGUAGE", "zh_TW", 1);
    i18n_bind();
    return 0;
}

/* Later C libraries take C.UTF-8 for a locale without a language, as C is. */
static void need_language_in_c_utf8(void)
{
    locale_t locale = newlocale(LC_MESSAGES_MASK, "C.UTF-8", (locale_t)0);
    locale_t before;
    int obeyed;

    if (locale == (locale_t)0)
        skip();
    before = uselocale(locale);
    obeyed = strcmp(dgettext("pinward", "_Refuse"), "_Refuse") != 0;
    uselocale(before);
    freelocale(locale);
    if (!obeyed)
        skip();
}

static void test_text_is_the_users(void **state)
{
    (void)state;
    need_language_in_c_utf8();
    assert_string_equal(_("_Agree"), AGREE_ZH_TW);
    assert_string_equal(_("a text that no catalogue has"), "a text that no catalogue has");
}

static void test_host_keeps_its_locale(void **state)
{
    (void)state;
    assert_string_equal(setlocale(LC_ALL, NULL), "C");
    (void)_("_Agree");
    assert_string_equal(setlocale(LC_ALL, NULL), "C");
    assert_ptr_equal(uselocale((locale_t)0), LC_GLOBAL_LOCALE);
    assert_string_equal(dgettext("pinward", "_Agree"), "_Agree");
}

static void test_thread_keeps_its_locale(void **state)
{
    locale_t own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(own);

    (void)state;
    (void)_("_Agree");
    assert_ptr_equal(uselocale(before), own);
    freelocale(own);
}

static void test_errno_is_kept(void **state)
{
    (void)state;
    errno = EXDEV;
    (void)_("New PIN:");
    assert_int_equal(errno, EXDEV);
}

static void *look_up(void *unused)
{
    uintptr_t wrong = 0;

    (void)unused;
    for (int i = 0; i < 2000; i++) {
        i18n_bind();
        wrong += strcmp(_("_Agree"), AGREE_ZH_TW) != 0 || uselocale((locale_t)0) != LC_GLOBAL_LOCALE;
    }
    return (void *)wrong;
}

static void test_threads_at_once(void **state)
{
    pthread_t threads[4];

    (void)state;
    need_language_in_c_utf8();
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, NULL), 0);
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        void *wrong = NULL;

        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_the_users),     cmocka_unit_test(test_host_keeps_its_locale),
        cmocka_unit_test(test_thread_keeps_its_locale), cmocka_unit_test(test_errno_is_kept),
        cmocka_unit_test(test_threads_at_once),
    };

    return cmocka_run_group_tests_name("i18n", tests, set_user_language, NULL);
}
