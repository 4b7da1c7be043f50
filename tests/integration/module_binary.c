/* What the shared object exports, needs, and how it is hardened: read from the file with readelf. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/test.h"

/* readelf's output on the module, on the heap. */
static char *readelf(const char *options)
{
    char command[512];
    char *text = NULL;
    size_t size = 0;
    FILE *pipe;

    snprintf(command, sizeof command, "LC_ALL=C readelf -W %s '%s'", options, fixture_module_path());
    pipe = popen(command, "r"); // NOLINT(cert-env33-c)
    assert_non_null(pipe);
    assert_true(getdelim(&text, &size, '\0', pipe) > 0);
    assert_int_equal(pclose(pipe), 0);
    return text;
}

/* The defined symbols of the dynamic table that others can see. */
static void exports_only_the_entries(void **state)
{
    char *table = readelf("--dyn-syms");
    char *save = NULL;
    int exported = 0;

    (void)state;
    for (char *line = strtok_r(table, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char bind[16], visibility[16], section[16], name[128];

        if (sscanf(line, " %*d: %*x %*s %*s %15s %15s %15s %127s", bind, visibility, section, name) != 4 ||
            strcmp(bind, "LOCAL") == 0 || strcmp(section, "UND") == 0)
            continue;
        assert_true(strcmp(name, "C_GetFunctionList") == 0 || strcmp(name, "C_GetInterface") == 0 ||
                    strcmp(name, "C_GetInterfaceList") == 0);
        assert_string_equal(visibility, "DEFAULT");
        exported++;
    }
    assert_int_equal(exported, 3);
    free(table);
}

/* A host's libcrypto must not meet another one through the module, and p11-kit, which may load the module, is the
 * agent's. */
static void needs_no_openssl(void **state)
{
    char *dynamic = readelf("--dynamic");

    (void)state;
    assert_contains(dynamic, "libsodium");
    assert_not_contains(dynamic, "libcrypto");
    assert_not_contains(dynamic, "libssl");
    assert_not_contains(dynamic, "libgcrypt");
    assert_not_contains(dynamic, "libcurl");
    assert_not_contains(dynamic, "libp11-kit");
    assert_not_contains(dynamic, "RPATH");
    free(dynamic);
}

/* What keeps its result in memory of all threads, or changes what is the host's: its environment, locale, folder, the
 * disposition of its signals, its life. */
static void imports_nothing_of_the_hosts(void **state)
{
    static const char *const refused[] = {
        "strtok", "localtime", "gmtime",  "ctime",  "asctime", "getpwuid", "getpwnam", "rand",   "srand",
        "system", "popen",     "setenv",  "putenv", "unsetenv", "clearenv", "setlocale", "textdomain", "chdir",
        "umask",  "signal",    "sigaction", "exit",  "_exit",   "fork",
    };
    char *table = readelf("--dyn-syms");
    char *save = NULL;
    int imported = 0;

    (void)state;
    for (char *line = strtok_r(table, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char section[16], name[128];

        if (sscanf(line, " %*d: %*x %*s %*s %*s %*s %15s %127[^@ ]", section, name) != 2 || strcmp(section, "UND") != 0)
            continue;
        for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
            if (strcmp(name, refused[i]) == 0)
                fail_msg("the module imports %s", name);
        imported++;
    }
    assert_in_range(imported, 50, 1000);
    free(table);
}

static void is_hardened(void **state)
{
    char *dynamic = readelf("--dynamic");
    char *segments = readelf("--segments");
    char *stack = strstr(segments, "GNU_STACK");

    (void)state;
    assert_contains(dynamic, "NOW");
    assert_not_contains(dynamic, "TEXTREL");
    assert_contains(segments, "GNU_RELRO");
    assert_non_null(stack);
    stack[strcspn(stack, "\n")] = '\0';
    assert_not_contains(stack, "RWE");
    assert_contains(stack, " RW ");
    free(dynamic);
    free(segments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_only_the_entries),
        cmocka_unit_test(needs_no_openssl),
        cmocka_unit_test(imports_nothing_of_the_hosts),
        cmocka_unit_test(is_hardened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
