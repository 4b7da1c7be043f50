/* config: the file that is installed: as it is it changes nothing, and each of its lines can be uncommented. */
#include "common/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/folder.h"
#include "support/test.h"

static char folder[FOLDER_PATH_MAX];

static int begin(void **state)
{
    (void)state;
    folder_make(folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* The installed file, with or without the marks in front of its keys and sections; prose has a blank behind its mark. */
static void load(bool uncommented, struct config *config)
{
    FILE *installed = fopen(TEST_INSTALLED_CONF, "re");
    struct error err = {0};
    char path[FOLDER_PATH_MAX];
    char text[16384];
    size_t len = 0;
    char line[512];

    assert_non_null(installed);
    while (fgets(line, sizeof line, installed)) {
        const bool is_key = line[0] == ';' && line[1] != ' ';
        const char *kept = uncommented && is_key ? line + 1 : line;

        assert_true(len + strlen(kept) < sizeof text);
        len += (size_t)sprintf(text + len, "%s", kept);
    }
    fclose(installed);
    folder_write(folder, "test.conf", text);
    if (config_load_file(folder_path(folder, "test.conf", path), config, &err) != ERROR_NONE)
        fail_msg("%s", error_text(&err));
}

static void assert_same_module(const struct config *a, const struct config *b)
{
    assert_string_equal(a->module.backend, b->module.backend);
    assert_string_equal(a->module.pinentry, b->module.pinentry);
    assert_int_equal(a->module.prompt, b->module.prompt);
    assert_int_equal(a->module.level, b->module.level);
    assert_int_equal(a->module.export, b->module.export);
    assert_int_equal(a->module.login_grace_s, b->module.login_grace_s);
    assert_int_equal(a->module.prompt_timeout_s, b->module.prompt_timeout_s);
    assert_int_equal(a->module.cool_down_s, b->module.cool_down_s);
    assert_int_equal(a->module.pin_tries, b->module.pin_tries);
    assert_int_equal(a->module.pin_min_length, b->module.pin_min_length);
    assert_int_equal(a->module.batch_uses, b->module.batch_uses);
    assert_int_equal(a->module.batch_time_s, b->module.batch_time_s);
}

static void assert_same_rest(const struct config *a, const struct config *b)
{
    assert_int_equal(a->portal.timeout_s, b->portal.timeout_s);
    assert_int_equal(a->log.level, b->log.level);
    assert_int_equal(a->ledger.required, b->ledger.required);
    assert_int_equal(a->ledger.journal, b->ledger.journal);
}

static void assert_same_agent(const struct config *a, const struct config *b)
{
    assert_int_equal(a->agent.sandbox, b->agent.sandbox);
    assert_int_equal(a->agent.connections, b->agent.connections);
    assert_int_equal(a->agent.client_connections, b->agent.client_connections);
    assert_int_equal(a->agent.client_sessions, b->agent.client_sessions);
    assert_int_equal(a->agent.client_objects, b->agent.client_objects);
    assert_int_equal(a->agent.client_memory_mib, b->agent.client_memory_mib);
    assert_int_equal(a->agent.client_message_mib, b->agent.client_message_mib);
    assert_int_equal(a->agent.client_stall_s, b->agent.client_stall_s);
    assert_int_equal(a->agent.client_cpu_s, b->agent.client_cpu_s);
    assert_int_equal(a->agent.client_idle_s, b->agent.client_idle_s);
}

static void as_installed_it_changes_nothing(void **state)
{
    struct config config, defaults;

    (void)state;
    load(false, &config);
    assert_int_equal(config_load_file(NULL, &defaults, NULL), ERROR_NONE);
    assert_same_module(&config, &defaults);
    assert_same_rest(&config, &defaults);
    assert_same_agent(&config, &defaults);
    assert_string_equal(config.ledger.file, defaults.ledger.file);
    assert_null(config.portal.url);
    assert_null(config.token.token);
    assert_int_equal(config.rules.count, 0);
    config_clear(&config);
    config_clear(&defaults);
}

static void uncommented_it_says_the_defaults(void **state)
{
    struct config config, defaults;

    (void)state;
    load(true, &config);
    assert_int_equal(config_load_file(NULL, &defaults, NULL), ERROR_NONE);
    assert_same_module(&config, &defaults);
    assert_same_rest(&config, &defaults);
    assert_same_agent(&config, &defaults);
    assert_string_equal(config.portal.url, "https://portal.example"); /* and the examples are read */
    assert_non_null(config.module.backend_args);
    assert_int_equal(config.rules.count, 3);
    config_clear(&config);
    config_clear(&defaults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_installed_it_changes_nothing),
        cmocka_unit_test(uncommented_it_says_the_defaults),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
