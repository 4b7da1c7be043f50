/* Rules for tokens, keys and programs, through the real module: what it asks at a use, and how keys are born. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/backend_direct.h"
#include "support/fixture.h"
#include "support/keys.h"
#include "support/observe.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

static struct fixture fx;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static void start(const char *lines)
{
    char *filled = observe_fill_in(lines);

    fixture_start_logged_in(&fx, filled);
    free(filled);
}

/* ------------------------------------------------------------------ levels */

static void rules_give_keys_their_level(void **state)
{
    static const struct {
        const char *lines;
        const char *label;
        const char *level;
    } rows[] = {
        {"level = low\n", KEY_PLAIN_RSA, "low"},
        /* A key. */
        {"[key \"plain rsa\"]\nlevel = medium\n", KEY_PLAIN_RSA, "medium"},
        {"level = low\n[key \"plain rsa\"]\nlevel = high\n", KEY_PLAIN_RSA, "high"},
        {"[key \"plain rsa\"]\nlevel = low\n", KEY_PLAIN_RSA, "low"},
        {"[key \"plain rsa\"]\nlevel = low\n", KEY_PUBLIC_RSA, "high"},
        {"[key \"id:706c61696e20727361\"]\nlevel = low\n", KEY_PLAIN_RSA, "low"},
        {"[key \"id:706C61696E20727361\"]\nlevel = medium\n", KEY_PLAIN_RSA, "medium"},
        {"[key \"id:706c61696e207273\"]\nlevel = low\n", KEY_PLAIN_RSA, "high"},
        {"[key \"plain rs\"]\nlevel = low\n", KEY_PLAIN_RSA, "high"},
        {"[key \"Plain RSA\"]\nlevel = low\n", KEY_PLAIN_RSA, "high"},
        /* A token. */
        {"[token \"{token}\"]\nlevel = low\n", KEY_PLAIN_RSA, "low"},
        {"level = low\n[token \"{token}\"]\nlevel = medium\n", KEY_PLAIN_RSA, "medium"},
        {"[token \"serial:{serial}\"]\nlevel = medium\n", KEY_PLAIN_RSA, "medium"},
        {"[token \"{serial}\"]\nlevel = low\n", KEY_PLAIN_RSA, "high"},
        {"[token \"another\"]\nlevel = low\n", KEY_PLAIN_RSA, "high"},
        /* A program. */
        {"[app \"{self}\"]\nlevel = low\n", KEY_PLAIN_RSA, "low"},
        {"level = low\n[app \"{self}\"]\nlevel = high\n", KEY_PLAIN_RSA, "high"},
        {"[app \"/usr/bin/openssl\"]\nlevel = low\n", KEY_PLAIN_RSA, "high"},
        /* The most specific, then the strictest. */
        {"[token \"{token}\"]\nlevel = high\n[key \"plain rsa\"]\nlevel = low\n", KEY_PLAIN_RSA, "low"},
        {"[app \"{self}\"]\nlevel = low\n[key \"plain rsa\"]\nlevel = medium\n", KEY_PLAIN_RSA, "medium"},
        {"[app \"{self}\"]\nlevel = high\n[key \"plain rsa\"]\nlevel = low\n", KEY_PLAIN_RSA, "high"},
        {"[token \"serial:{serial}\"]\nlevel = medium\n[token \"{token}\"]\nlevel = low\n", KEY_PLAIN_RSA, "medium"},
        /* A key that the token itself protects. */
        {"level = low\n[key \"high rsa\"]\nlevel = low\n[app \"{self}\"]\nlevel = low\n", KEY_HIGH_RSA, "high"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start(rows[i].lines);
        for (int use = 0; use < 2; use++) { /* the facts are read at the first and kept for the second */
            const char *level = observe_level(&fx, fx.session, rows[i].label);

            if (strcmp(level, rows[i].level) != 0)
                fail_msg("use %d of \"%s\" is %s, expected %s, with\n%s", use, rows[i].label, level, rows[i].level,
                         rows[i].lines);
        }
        fixture_stop(&fx);
    }
}

/* Each key its own, in one session. */
static void keys_of_one_session_differ(void **state)
{
    (void)state;
    start("level = medium\n[key \"plain rsa\"]\nlevel = low\n");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(observe_level(&fx, fx.session, KEY_PLAIN_RSA), "low");
        assert_string_equal(observe_level(&fx, fx.session, KEY_PUBLIC_RSA), "medium");
        assert_string_equal(observe_level(&fx, fx.session, KEY_HIGH_RSA), "high");
    }
}

/* prompt = application: what an application is told follows the rules too. */
static void always_authenticate_follows_the_rules(void **state)
{
    (void)state;
    start("level = low\nprompt = application\n[key \"plain rsa\"]\nlevel = high\n");
    assert_true(key_bool(fx.p11, fx.session, key_private(fx.p11, fx.session, KEY_PLAIN_RSA),
                         CKA_ALWAYS_AUTHENTICATE));
    assert_false(key_bool(fx.p11, fx.session, key_private(fx.p11, fx.session, KEY_PUBLIC_RSA),
                          CKA_ALWAYS_AUTHENTICATE));
}

/* Deleting a key is a use of it: a key that is low may be deleted, its neighbour not. */
static void deletion_follows_the_rules(void **state)
{
    struct key_wish wish = key_wish_new("passing");
    CK_OBJECT_HANDLE public_key, private_key;

    (void)state;
    start("[key \"passing\"]\nlevel = low\n");
    wish.on_token = false;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    script_set(&fx, "");
    assert_rv(fx.p11->C_DestroyObject(fx.session, key_private(fx.p11, fx.session, KEY_PLAIN_RSA)),
              CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 1);
    assert_ok(fx.p11->C_DestroyObject(fx.session, private_key));
    assert_int_equal(script_asked(&fx), 0);
}

/* ------------------------------------------------------------------ new keys */

/* Does the token itself protect the key of this label? Then the keys go. */
static bool born_protected(const char *lines, const char *label)
{
    struct key_wish wish = key_wish_new(label);
    CK_OBJECT_HANDLE public_key, private_key;
    struct backend_direct direct;
    CK_SESSION_HANDLE session;
    bool protected;

    start(lines);
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    fixture_stop(&fx);
    backend_direct_open(&direct);
    assert_ok(direct.p11->C_OpenSession(backend_slot(direct.p11, CK_TRUE), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                        NULL, &session));
    assert_ok(direct.p11->C_Login(session, CKU_USER, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    private_key = key_private(direct.p11, session, label);
    protected = key_always_authenticates(direct.p11, session, private_key);
    assert_ok(direct.p11->C_DestroyObject(session, private_key));
    assert_ok(direct.p11->C_DestroyObject(session, key_public(direct.p11, session, label)));
    backend_direct_close(&direct);
    return protected;
}

static void keys_are_born_by_their_rule(void **state)
{
    (void)state;
    assert_true(born_protected("[key \"other\"]\nlevel = low\n", "born"));
    assert_false(born_protected("[key \"born\"]\nlevel = low\n", "born"));
    assert_false(born_protected("[key \"id:626f726e\"]\nlevel = medium\n", "born"));
    assert_true(born_protected("level = low\n[key \"born\"]\nlevel = high\n", "born"));
    assert_false(born_protected("[token \"{token}\"]\nlevel = low\n", "born"));
    assert_true(born_protected("level = medium\n[token \"serial:{serial}\"]\nlevel = high\n", "born"));
    assert_true(born_protected("[token \"{token}\"]\nlevel = low\n[key \"born\"]\nlevel = high\n", "born"));
}

/* Others will use the key too: the program that makes it does not make it weaker. */
static void birth_does_not_follow_the_program(void **state)
{
    (void)state;
    assert_true(born_protected("[app \"{self}\"]\nlevel = low\n", "born"));
    assert_false(born_protected("level = low\n[app \"{self}\"]\nlevel = high\n", "born"));
}

/* A template that names the key twice could be read as either. */
static void contradicting_template_is_born_high(void **state)
{
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_ATTRIBUTE public_template[] = {{CKA_EC_PARAMS, p256, sizeof p256}};
    CK_ATTRIBUTE private_template[] = {{CKA_SIGN, &yes, sizeof yes},
                                       {CKA_LABEL, (CK_VOID_PTR) "born", 4},
                                       {CKA_LABEL, (CK_VOID_PTR) "born", 4}};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE public_key, private_key;
    CK_RV rv;

    (void)state;
    start("prompt = application\n[key \"born\"]\nlevel = low\n");
    rv = fx.p11->C_GenerateKeyPair(fx.session, &mechanism, public_template, 1, private_template, 3, &public_key,
                                   &private_key);
    if (rv == CKR_OK) /* else the token refused it, which is as good */
        assert_true(key_bool(fx.p11, fx.session, private_key, CKA_ALWAYS_AUTHENTICATE));
}

/* ------------------------------------------------------------------ programs */

static void copy_self(const char *to)
{
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    struct stat st;

    assert_int_equal(fstat(from, &st), 0);
    for (off_t done = 0; done < st.st_size;) {
        const ssize_t n = sendfile(fd, from, NULL, (size_t)(st.st_size - done));

        assert_true(n > 0);
        done += n;
    }
    close(from);
    close(fd);
}

/* In the program that the test started: the level that this program sees, as its exit status. */
static int observe_as_program(const char *folder, bool unlinked)
{
    static const char *const levels[] = {"high", "medium", "low"};
    const char *level;
    char self[FOLDER_PATH_MAX];

    assert_true(snprintf(fx.folder, sizeof fx.folder, "%s", folder) > 0);
    fixture_load(&fx);
    if (unlinked)
        assert_int_equal(unlink(folder_path(folder, "program", self)), 0);
    assert_ok(fx.p11->C_Initialize(NULL));
    fx.slot = backend_slot(fx.p11, CK_TRUE);
    fx.session = fixture_session(&fx);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    level = observe_level(&fx, fx.session, KEY_PLAIN_RSA);
    fixture_stop(&fx);
    fixture_unload(&fx);
    for (int i = 0; i < 3; i++)
        if (strcmp(levels[i], level) == 0)
            return 10 + i;
    return 1;
}

/* The level that another program (a copy of this one) sees; how: "stay", or "unlink" for one whose file is gone. */
static int level_of_program(const char *path, const char *how)
{
    const pid_t pid = fork();
    int status;

    if (pid == 0) {
        setenv("OBSERVE_IN", fx.folder, 1);
        execl(path, path, how, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define SEES_HIGH 10
#define SEES_LOW  12

static void rule_holds_for_one_program(void **state)
{
    char path[FOLDER_PATH_MAX], link_path[FOLDER_PATH_MAX], lines[1024];

    (void)state;
    copy_self(folder_path(fx.folder, "program", path));
    assert_int_equal(symlink(path, folder_path(fx.folder, "link", link_path)), 0);
    snprintf(lines, sizeof lines, "[app \"%s\"]\nlevel = low\n", path);
    start(lines);
    assert_string_equal(observe_level(&fx, fx.session, KEY_PLAIN_RSA), "high"); /* this is another */
    assert_int_equal(level_of_program(path, "stay"), SEES_LOW);
    assert_int_equal(level_of_program(link_path, "stay"), SEES_LOW); /* the kernel resolves it */
    fixture_stop(&fx);

    /* A rule names the file itself: one that names a link matches nothing. */
    snprintf(lines, sizeof lines, "[app \"%s\"]\nlevel = low\n", link_path);
    fixture_configure(&fx, lines);
    assert_int_equal(level_of_program(link_path, "stay"), SEES_HIGH);

    /* A program whose file was replaced or removed is no longer the one that the rule names. */
    snprintf(lines, sizeof lines, "[app \"%s\"]\nlevel = low\n", path);
    fixture_configure(&fx, lines);
    assert_int_equal(level_of_program(path, "unlink"), SEES_HIGH);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA | KEYS_PUBLIC_RSA);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        TEST(rules_give_keys_their_level),
        TEST(keys_of_one_session_differ),
        TEST(always_authenticate_follows_the_rules),
        TEST(deletion_follows_the_rules),
        TEST(keys_are_born_by_their_rule),
        TEST(birth_does_not_follow_the_program),
        TEST(contradicting_template_is_born_high),
        TEST(rule_holds_for_one_program),
    };

    /* Without exit handlers: LeakSanitizer's cannot look at a program whose file is gone. */
    if (argc == 2 && getenv("OBSERVE_IN"))
        _exit(observe_as_program(getenv("OBSERVE_IN"), strcmp(argv[1], "unlink") == 0));
    return cmocka_run_group_tests(tests, begin, end);
}
