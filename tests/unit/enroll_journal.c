/* journal and file: what was written is read back; what is damaged, cut, or not ours is refused, never
 * guessed. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enroll/file.h"
#include "enroll/journal.h"
#include "enroll_state.h"
#include "tests/support/test.h"

#define PORTAL "https://portal.example"
#define UUID   "5aab10ec-97cf-4f21-b3d1-b67800576f73"

static int set_up(void **state)
{
    struct enroll_state *made = calloc(1, sizeof *made);

    enroll_state_init(made);
    *state = made;
    return 0;
}

static int tear_down(void **state)
{
    enroll_state_clear(*state);
    free(*state);
    return 0;
}

static struct journal opened(const struct enroll_state *state)
{
    struct journal journal;

    assert_int_equal(journal_open(state->folder, PORTAL, "wang", &journal, NULL), ERROR_NONE);
    return journal;
}

static void set(char **field, const char *value)
{
    assert_int_equal(journal_set(field, value, NULL), ERROR_NONE);
}

/* A journal with everything in it that a submitted application needs. */
static void fill(struct journal *journal)
{
    set(&journal->account, "wang");
    set(&journal->token_label, "card \"1\"");
    set(&journal->token_serial, "0123");
    set(&journal->signing_id, "00ff");
    set(&journal->signing_label, "me (signing)");
    set(&journal->encryption_id, "01ff");
    set(&journal->encryption_label, "me (encryption)");
    set(&journal->terms_version, "1");
    set(&journal->terms_sha256, "abcd");
    set(&journal->request_id, UUID);
    set(&journal->activation_id, UUID);
    set(&journal->request, "MAA=");
    set(&journal->application_id, UUID);
    journal->registration = json_pack("{s:s}", "account", "wang");
    journal->state = JOURNAL_SUBMITTED;
}

static struct bytes read_file(const char *path)
{
    struct bytes text = {0};
    bool found = false;

    assert_int_equal(file_read_private(path, 100000, &found, &text, NULL), ERROR_NONE);
    assert_true(found);
    return text;
}

static void write_file(const char *path, const void *data, size_t len)
{
    assert_int_equal(file_write_private(path, data, len, NULL), ERROR_NONE);
}

static void is_read_back(void **state)
{
    struct journal journal = opened(*state);

    assert_int_equal(journal.state, JOURNAL_NONE);
    fill(&journal);
    assert_int_equal(journal_save(&journal, NULL), ERROR_NONE);
    journal_close(&journal);
    journal = opened(*state);
    assert_int_equal(journal.state, JOURNAL_SUBMITTED);
    assert_string_equal(journal.token_label, "card \"1\"");
    assert_string_equal(journal.application_id, UUID);
    assert_null(journal.old_signing_serial);
    assert_false(journal.renewal);
    assert_string_equal(json_string_value(json_object_get(journal.registration, "account")), "wang");
    assert_int_equal(journal_finish(&journal, NULL), ERROR_NONE);
    assert_int_equal(journal.state, JOURNAL_NONE);
    journal_close(&journal);
    journal = opened(*state);
    assert_int_equal(journal.state, JOURNAL_NONE);
    journal_close(&journal);
}

static void belongs_to_one_portal_and_account(void **state)
{
    const struct enroll_state *s = *state;
    struct journal journal = opened(s);
    struct journal other;

    fill(&journal);
    assert_int_equal(journal_save(&journal, NULL), ERROR_NONE);
    assert_int_equal(journal_open(s->folder, PORTAL, "wang2", &other, NULL), ERROR_NONE);
    assert_int_equal(other.state, JOURNAL_NONE);
    journal_close(&other);
    assert_int_equal(journal_open(s->folder, PORTAL ":444", "wang", &other, NULL), ERROR_NONE);
    assert_int_equal(other.state, JOURNAL_NONE);
    journal_close(&other);
    assert_null(strstr(journal.path, "wang"));
    journal_close(&journal);
}

/* Cut at every length, the file is never taken for a journal. */
static void refuses_every_truncation(void **state)
{
    const struct enroll_state *s = *state;
    struct journal journal = opened(s);
    char *path = strdup(journal.path);
    struct bytes whole;

    fill(&journal);
    assert_int_equal(journal_save(&journal, NULL), ERROR_NONE);
    journal_close(&journal);
    whole = read_file(path);
    for (size_t len = 0; len < whole.len; len += 7) {
        struct error err = {0};

        write_file(path, whole.data, len);
        assert_int_equal(journal_open(s->folder, PORTAL, "wang", &journal, &err), ERROR_STATE);
        assert_contains(err.text, path);
    }
    write_file(path, whole.data, whole.len);
    journal = opened(s);
    journal_close(&journal);
    bytes_clear(&whole);
    free(path);
}

/* What the sentence quotes of a damaged file cannot drive the terminal. */
static void quotes_nothing_that_drives_a_terminal(void **state)
{
    static const char damaged[] = "{\"version\": \x1b]0;title\x07 \xc3}";
    const struct enroll_state *s = *state;
    struct journal journal = opened(s);
    char *path = strdup(journal.path);
    struct error err = {0};

    journal_close(&journal);
    write_file(path, damaged, strlen(damaged));
    assert_int_equal(journal_open(s->folder, PORTAL, "wang", &journal, &err), ERROR_STATE);
    for (const char *c = err.text; *c; c++)
        assert_in_range((unsigned char)*c, 0x20, 0x7e);
    free(path);
}

static void refuses_each_damaged_member(void **state)
{
    static const struct {
        const char *member;
        const char *json; /* NULL: the member is missing */
    } rows[] = {
        {"version", "2"},
        {"version", NULL},
        {"state", "\"gone\""},
        {"state", "4"},
        {"renewal", "\"no\""},
        {"signing_id", NULL},
        {"signing_id", "\"0\""},
        {"signing_id", "\"XY\""},
        {"signing_id", "17"},
        {"request_id", "\"1\""},
        {"request", "\"%%\""},
        {"registration", "[]"},
        {"registration", NULL},
        {"application_id", NULL},
        {"application_id", "\"../../etc\""},
        {"encryption_label", NULL},
        {"token_serial", "null"},
    };
    const struct enroll_state *s = *state;
    struct journal journal = opened(s);
    char *path = strdup(journal.path);
    struct bytes whole;

    fill(&journal);
    assert_int_equal(journal_save(&journal, NULL), ERROR_NONE);
    journal_close(&journal);
    whole = read_file(path);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *json = json_loadb((const char *)whole.data, whole.len, 0, NULL);
        struct error err = {0};
        char *text;

        if (rows[i].json) {
            json_object_set_new(json, rows[i].member, json_loads(rows[i].json, JSON_DECODE_ANY, NULL));
        } else {
            json_object_del(json, rows[i].member);
        }
        text = json_dumps(json, 0);
        write_file(path, text, strlen(text));
        assert_int_equal(journal_open(s->folder, PORTAL, "wang", &journal, &err), ERROR_STATE);
        assert_contains(err.text, rows[i].member);
        free(text);
        json_decref(json);
    }
    bytes_clear(&whole);
    free(path);
}

static void one_process_at_a_time(void **state)
{
    const struct enroll_state *s = *state;
    struct journal journal = opened(s);
    struct journal second;
    struct error err = {0};
    char us[64];

    assert_int_equal(journal_open(s->folder, PORTAL, "wang", &second, &err), ERROR_STATE);
    snprintf(us, sizeof us, "Another pinward (process %ld)", (long)getpid());
    assert_contains(err.text, us);
    journal_close(&journal);
    second = opened(s);
    journal_close(&second);
}

static void keeps_the_old_one_when_it_cannot_write(void **state)
{
    const struct enroll_state *s = *state;
    struct journal journal = opened(s);
    char *real;

    fill(&journal);
    assert_int_equal(journal_save(&journal, NULL), ERROR_NONE);
    real = journal.path;
    journal.path = file_join(s->folder, "missing/journal");
    assert_int_equal(journal_save(&journal, NULL), ERROR_IO);
    free(journal.path);
    journal.path = real;
    journal_close(&journal);
    journal = opened(s);
    assert_int_equal(journal.state, JOURNAL_SUBMITTED);
    journal_close(&journal);
}

static void refuses_files_of_others(void **state)
{
    const struct enroll_state *s = *state;
    char *path = file_join(s->folder, "private");
    char *link = file_join(s->folder, "link");
    struct bytes text = {0};
    struct stat st;
    bool found = false;

    assert_int_equal(file_read_private(path, 100, &found, &text, NULL), ERROR_NONE);
    assert_false(found);
    write_file(path, "text", 4);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(file_read_private(path, 4, &found, &text, NULL), ERROR_NONE);
    assert_true(found && text.len == 4);
    assert_int_equal(file_read_private(path, 3, &found, &text, NULL), ERROR_IO);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(file_read_private(link, 100, &found, &text, NULL), ERROR_IO);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(file_read_private(path, 100, &found, &text, NULL), ERROR_IO);
    bytes_clear(&text);
    free(path);
    free(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(belongs_to_one_portal_and_account, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_every_truncation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(quotes_nothing_that_drives_a_terminal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_each_damaged_member, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_process_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_old_one_when_it_cannot_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_files_of_others, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
