/* config: every key, and every way to get it wrong, with file, line and what was expected. */
#include "common/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/test.h"

static char folder[FOLDER_PATH_MAX];
static char path[FOLDER_PATH_MAX];

static int begin(void **state)
{
    (void)state;
    folder_make(folder);
    (void)folder_path(folder, "test.conf", path);
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void load(const char *text, struct config *config)
{
    struct error err = {0};

    folder_write(folder, "test.conf", text);
    if (config_load_file(path, config, &err) != ERROR_NONE)
        fail_msg("%s", error_text(&err));
}

static void defaults_hold_for_an_empty_file(void **state)
{
    struct config config;

    (void)state;
    load("", &config);
    assert_string_equal(config.file, path);
    assert_int_equal(config.module.level, CONFIG_LEVEL_HIGH);
    assert_int_equal(config.module.prompt, CONFIG_PROMPT_MODULE);
    assert_int_equal(config.module.login_grace_s, 30);
    assert_int_equal(config.module.prompt_timeout_s, 120);
    assert_int_equal(config.module.cool_down_s, 60);
    assert_int_equal(config.module.pin_tries, 10);
    assert_int_equal(config.module.pin_min_length, 6);
    assert_int_equal(config.log.level, CONFIG_LOG_INFO);
    assert_int_equal(config.module.backend[0], '/');
    assert_string_equal(config.module.pinentry, "/usr/bin/pinentry");
    assert_null(config.portal.url);
    assert_null(config.log.file);
    assert_true(config.ledger.required);
    assert_int_equal(config.ledger.journal, CONFIG_JOURNAL_NONE);
    assert_int_equal(config.module.export, CONFIG_EXPORT_NEVER);
    config_clear(&config);
    assert_null(config.module.backend);
    config_clear(NULL);
}

static void every_key_is_read(void **state)
{
    struct config config;

    (void)state;
    load("[module]\nbackend=/b\nprompt=application\nlevel=medium\nexport=ask\npinentry=/"
         "p\nlogin-grace=5m\nprompt-timeout=60m\ncool-down=60m\npin-tries=15\npin-min-length=64\n"
         "[portal]\nurl=https://localhost:8443/\nca-file=/c\ncaptcha-command=/k\n"
         "[token]\nmodule=/m\nlabel=My token\n[log]\nfile=/l\nlevel=debug\n"
         "[ledger]\nfile=/e\nrequired=no\njournal=journald\n",
         &config);
    assert_string_equal(config.module.backend, "/b");
    assert_int_equal(config.module.prompt, CONFIG_PROMPT_APPLICATION);
    assert_int_equal(config.module.level, CONFIG_LEVEL_MEDIUM);
    assert_int_equal(config.module.export, CONFIG_EXPORT_ASK);
    assert_string_equal(config.module.pinentry, "/p");
    assert_int_equal(config.module.login_grace_s, 300);
    assert_int_equal(config.module.prompt_timeout_s, 3600);
    assert_int_equal(config.module.cool_down_s, 3600);
    assert_int_equal(config.module.pin_tries, 15);
    assert_int_equal(config.module.pin_min_length, 64);
    assert_string_equal(config.portal.url, "https://localhost:8443");
    assert_string_equal(config.portal.ca_file, "/c");
    assert_string_equal(config.portal.captcha_command, "/k");
    assert_string_equal(config.token.module, "/m");
    assert_string_equal(config.token.token, "My token");
    assert_string_equal(config.log.file, "/l");
    assert_int_equal(config.log.level, CONFIG_LOG_DEBUG);
    assert_string_equal(config.ledger.file, "/e");
    assert_false(config.ledger.required);
    assert_int_equal(config.ledger.journal, CONFIG_JOURNAL_JOURNALD);
    config_clear(&config);
}

static void keys_of_the_agent_are_read(void **state)
{
    struct config config;

    (void)state;
    load("[agent]\nsandbox=network\nwritable=/a:/b c\nconnections=1024\nclient-connections=1\nclient-sessions=2\n"
         "client-objects=3\nclient-memory=16\nclient-message=4\nclient-stall=1\nclient-cpu=1440m\nclient-idle=5s\n",
         &config);
    assert_int_equal(config.agent.sandbox, CONFIG_SANDBOX_NETWORK);
    assert_string_equal(config.agent.writable, "/a:/b c");
    assert_int_equal(config.agent.connections, 1024);
    assert_int_equal(config.agent.client_connections, 1);
    assert_int_equal(config.agent.client_sessions, 2);
    assert_int_equal(config.agent.client_objects, 3);
    assert_int_equal(config.agent.client_memory_mib, 16);
    assert_int_equal(config.agent.client_message_mib, 4);
    assert_int_equal(config.agent.client_stall_s, 1);
    assert_int_equal(config.agent.client_cpu_s, 86400);
    assert_int_equal(config.agent.client_idle_s, 5);
    config_clear(&config);
    load("", &config);
    assert_int_equal(config.agent.sandbox, CONFIG_SANDBOX_STRICT);
    config_clear(&config);
}

static void what_is_wrong_of_the_agent_is_refused(void **state)
{
    static const char *const wrong[] = {"sandbox=Off", "sandbox=", "writable=a", "writable=/a:", "writable=/a:b",
                                        "connections=0", "connections=1025", "client-memory=15", "client-sessions=-1"};
    struct config config;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[128];

        snprintf(text, sizeof text, "[agent]\n%s\n", wrong[i]);
        folder_write(folder, "test.conf", text);
        if (config_load_file(path, &config, NULL) != ERROR_CONFIG)
            fail_msg("%s is taken", wrong[i]);
    }
}

static void ledger_has_a_default_place(void **state)
{
    struct config config;

    (void)state;
    setenv("XDG_STATE_HOME", "/state", 1);
    load("", &config);
    assert_string_equal(config.ledger.file, "/state/pinward/ledger.jsonl");
    config_clear(&config);
    setenv("XDG_STATE_HOME", "relative", 1);
    setenv("HOME", "/home/me", 1);
    load("", &config);
    assert_string_equal(config.ledger.file, "/home/me/.local/state/pinward/ledger.jsonl");
    config_clear(&config);
    unsetenv("HOME"); /* then the user database's */
    load("", &config);
    assert_contains(config.ledger.file, "/.local/state/pinward/ledger.jsonl");
    config_clear(&config);
}

/* Comments, blanks, indentation, Windows line ends, a byte order mark, no newline at the end. */
static void files_as_people_write_them(void **state)
{
    struct config config;

    (void)state;
    load("\xef\xbb\xbf; a comment\r\n# another\r\n\r\n   [module]   \r\n\tlevel  =  low   ; inline\r\n"
         "    prompt = application\r\n  login-grace = 0\r\nbackend = /a;b c#d\r\n\t\npinentry = /last",
         &config);
    assert_int_equal(config.module.level, CONFIG_LEVEL_LOW);
    assert_int_equal(config.module.prompt, CONFIG_PROMPT_APPLICATION);
    assert_int_equal(config.module.login_grace_s, 0);
    assert_string_equal(config.module.backend, "/a;b c#d");
    assert_string_equal(config.module.pinentry, "/last");
    config_clear(&config);
}

/* ------------------------------------------------------------------ files that are wrong */

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *text;
    unsigned line;
    const char *says; /* the whole sentence behind "FILE, line N: " */
} bad[] = {
    {"level = high\n", 1,
     "there is no \"level\" in a section []; expected one of the keys in man pinward.conf."},
    {"[modul]\nlevel = high\n", 2,
     "there is no \"level\" in a section [modul]; expected one of the keys in man pinward.conf."},
    {"[Module]\nlevel = high\n", 2,
     "there is no \"level\" in a section [Module]; expected one of the keys in man pinward.conf."},
    {"[module]\nLevel = high\n", 2,
     "there is no \"Level\" in a section [module]; expected one of the keys in man pinward.conf."},
    {"[module]\n\n; x\nlevel = High\n", 4, "\"High\" is not a value for level; expected high, medium, low."},
    {"[module]\nlevel =\n", 2, "\"\" is not a value for level; expected high, medium, low."},
    {"[module]\nlevel = high low\n", 2, "\"high low\" is not a value for level; expected high, medium, low."},
    {"[module]\nprompt = user\n", 2, "\"user\" is not a value for prompt; expected module, application."},
    {"[log]\nlevel = all\n", 2, "\"all\" is not a value for level; expected error, warning, info, debug."},
    {"[ledger]\nrequired = true\n", 2, "\"true\" is not a value for required; expected yes, no."},
    {"[ledger]\nrequired =\n", 2, "\"\" is not a value for required; expected yes, no."},
    {"[module]\nexport = yes\n", 2, "\"yes\" is not a value for export; expected never, ask."},
    {"[ledger]\njournal = systemd\n", 2,
     "\"systemd\" is not a value for journal; expected none, syslog, journald."},
    {"[ledger]\nfile = ledger.jsonl\n", 2,
     "\"ledger.jsonl\" is not a value for file; expected an absolute path."},
    {"[module]\nbackend = softhsm.so\n", 2,
     "\"softhsm.so\" is not a value for backend; expected an absolute path."},
    {"[module]\nbackend = \"/a\"\n", 2, "\"\"/a\"\" is not a value for backend; expected an absolute path."},
    {"[token]\nlabel =\n", 2, "\"\" is not a value for label; expected a text."},
    {"[portal]\nurl = http://h\n", 2, "\"http://h\" is not a value for url; expected https://HOST[:PORT]."},
    {"[portal]\nurl = https://\n", 2, "\"https://\" is not a value for url; expected https://HOST[:PORT]."},
    {"[portal]\nurl = https:///\n", 2, "\"https:///\" is not a value for url; expected https://HOST[:PORT]."},
    {"[portal]\nurl = https://h/p\n", 2,
     "\"https://h/p\" is not a value for url; expected https://HOST[:PORT]."},
    {"[portal]\nurl = https://u@h\n", 2,
     "\"https://u@h\" is not a value for url; expected https://HOST[:PORT]."},
    {"[module]\nlevel = low\nlevel = high\n", 3, "\"level\" is given a second time; expected it once."},
    {"[module]\nlevel = low\n[log]\n[module]\nlevel = low\n", 5,
     "\"level\" is given a second time; expected it once."},
    {"[module]\nlevel\n", 2, "expected \"name = value\" or \"[section]\"."},
    {"[module\nlevel = low\n", 1, "expected \"name = value\" or \"[section]\"."},
    {"garbage", 1, "expected \"name = value\" or \"[section]\"."},
    /* Of two faults the first is told. */
    {"[module]\nnonsense\nlevel = bad\n", 2, "expected \"name = value\" or \"[section]\"."},
    {"[module]\nlevel = bad\nnonsense\n", 2, "\"bad\" is not a value for level; expected high, medium, low."},
    {"[module]\nnonsense\nbackend = /" X50 X50 X50 X50 "\n", 2,
     "expected \"name = value\" or \"[section]\"."},
    {"[module]\nbackend = /" X50 X50 X50 X50 "\n", 2,
     "the line is too long or holds a NUL; expected at most 198 characters."},
    {"; " X50 X50 X50 X50 "\n[module]\n", 1,
     "the line is too long or holds a NUL; expected at most 198 characters."},
};

static void expect_error(const char *expected)
{
    struct config config;
    struct config untouched;
    struct error err = {0};

    memset(&untouched, 0x5a, sizeof untouched);
    config = untouched;
    assert_int_equal(config_load_file(path, &config, &err), ERROR_CONFIG);
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_string_equal(error_text(&err), expected);
    assert_memory_equal(&config, &untouched, sizeof config);
}

static void bad_files_are_named(void **state)
{
    char expected[1024];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        folder_write(folder, "test.conf", bad[i].text);
        snprintf(expected, sizeof expected, "%s, line %u: %s", path, bad[i].line, bad[i].says);
        expect_error(expected);
    }
}

static void durations_have_limits(void **state)
{
    static const char *const values[] = {"-1",  "+1",   "",     "s",   "30 s",
                                         "1h",  "1.5",  "0x10", "301", "6m",
                                         "1e3", "30sm", "m",    "١٠",  "99999999999999999999"};
    char text[128], expected[512];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        snprintf(text, sizeof text, "[module]\nlogin-grace = %s\n", values[i]);
        folder_write(folder, "test.conf", text);
        snprintf(expected, sizeof expected,
                 "%s, line 2: \"%s\" is not a value for login-grace; expected a time in seconds or minutes "
                 "within its "
                 "limits, such as 30s or 2m.",
                 path, values[i]);
        expect_error(expected);
    }
    folder_write(folder, "test.conf", "[module]\nprompt-timeout = 0\n");
    assert_int_equal(config_load_file(path, &(struct config){0}, NULL), ERROR_CONFIG);
    folder_write(folder, "test.conf", "[module]\nprompt-timeout = 61m\n");
    assert_int_equal(config_load_file(path, &(struct config){0}, NULL), ERROR_CONFIG);
}

static void counts_have_limits(void **state)
{
    static const char *const values[] = {"-1", "+1", "", "16", "1s", "0x5", "1.0", "5 5", "١", "4294967296"};
    char text[128], expected[512];
    struct config config;

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        snprintf(text, sizeof text, "[module]\npin-tries = %s\n", values[i]);
        folder_write(folder, "test.conf", text);
        snprintf(expected, sizeof expected,
                 "%s, line 2: \"%s\" is not a value for pin-tries; expected a whole number within its limits.", path,
                 values[i]);
        expect_error(expected);
    }
    load("[module]\npin-tries = 0\ncool-down = 0\n", &config);
    assert_int_equal(config.module.pin_tries, 0);
    assert_int_equal(config.module.cool_down_s, 0);
    config_clear(&config);
}

static void nul_in_a_line_is_refused(void **state)
{
    static const char text[] = "[module]\nlevel = low\0bad\n";
    FILE *file = fopen(path, "we");
    char expected[512];

    (void)state;
    assert_int_equal(fwrite(text, 1, sizeof text - 1, file), sizeof text - 1);
    fclose(file);
    snprintf(expected, sizeof expected,
             "%s, line 2: the line is too long or holds a NUL; expected at most 198 characters.", path);
    expect_error(expected);
}

/* A file that decides how keys are protected is its owner's alone. */
static void others_must_not_write_it(void **state)
{
    static const mode_t modes[] = {0620, 0602, 0666};
    struct config config;
    char expected[512];

    (void)state;
    folder_write(folder, "test.conf", "");
    snprintf(expected, sizeof expected,
             "%s can be written by other users, who could weaken the protection of your keys: run chmod go-w "
             "on it.",
             path);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        expect_error(expected);
    }
    assert_int_equal(chmod(path, 0644), 0);
    load("", &config);
    config_clear(&config);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, 0), 0);
        snprintf(expected, sizeof expected,
                 "%s belongs to another user, who could weaken the protection of your keys: make it your own "
                 "(chown).",
                 path);
        expect_error(expected);
        assert_int_equal(chown(path, 0, 0), 0);
    }
}

static void what_is_no_file_is_refused(void **state)
{
    struct error err = {0};
    struct config config;

    (void)state;
    assert_int_equal(config_load_file(folder, &config, &err), ERROR_CONFIG);
    assert_contains(error_text(&err), "is not a regular file.");
    folder_unlink(folder, "test.conf");
    assert_int_equal(config_load_file(path, &config, &err), ERROR_CONFIG);
    assert_contains(error_text(&err), "test.conf cannot be read: No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(config_load_file(path, &config, &err), ERROR_CONFIG);
    assert_contains(error_text(&err), "is not a regular file.");
    folder_unlink(folder, "test.conf");
}

/* ------------------------------------------------------------------ finding it */

static void found_in_order(void **state)
{
    char sub[FOLDER_PATH_MAX];
    struct error err = {0};
    struct config config;

    (void)state;
    folder_write(folder, "test.conf", "[token]\nlabel = named\n");
    assert_int_equal(mkdir(folder_path(folder, "pinward", sub), 0700), 0);
    folder_write(folder, "pinward/pinward.conf", "[token]\nlabel = found\n");
    setenv("PINWARD_CONF", path, 1);
    setenv("XDG_CONFIG_HOME", folder, 1);
    assert_int_equal(config_load(&config, &err), ERROR_NONE);
    assert_string_equal(config.token.token, "named");
    config_clear(&config);

    setenv("PINWARD_CONF", "", 1);
    assert_int_equal(config_load(&config, &err), ERROR_NONE);
    assert_string_equal(config.token.token, "found");
    config_clear(&config);

    setenv("PINWARD_CONF", "/nonexistent/x.conf", 1);
    assert_int_equal(config_load(&config, &err), ERROR_CONFIG);
    assert_contains(error_text(&err), "PINWARD_CONF names /nonexistent/x.conf, which cannot be read");

    unsetenv("PINWARD_CONF");
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    assert_int_equal(config_load(&config, &err), ERROR_NONE);
    assert_null(config.token.token);
    config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_for_an_empty_file),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(keys_of_the_agent_are_read),
        cmocka_unit_test(what_is_wrong_of_the_agent_is_refused),
        cmocka_unit_test(ledger_has_a_default_place),
        cmocka_unit_test(files_as_people_write_them),
        cmocka_unit_test(bad_files_are_named),
        cmocka_unit_test(durations_have_limits),
        cmocka_unit_test(counts_have_limits),
        cmocka_unit_test(nul_in_a_line_is_refused),
        cmocka_unit_test(others_must_not_write_it),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(found_in_order),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
