/* secret: fixed capacity, wiped, locked, sealed, and not inherited by a child. */
#include "common/secret.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

#define PIN     "4711-\0-pin"
#define PIN_LEN (sizeof PIN - 1)

static unsigned init_calls;

static void capacity_is_a_limit(void **state)
{
    struct secret *s = secret_new(8);

    (void)state;
    assert_null(secret_new(0));
    assert_null(secret_new(SECRET_CAPACITY_MAX + 1));
    assert_non_null(s);
    assert_int_equal(secret_length(s), 0);
    assert_string_equal(secret_bytes(s), "");
    assert_true(secret_append(s, "12345", 5));
    assert_false(secret_append(s, "6789", 4));
    assert_false(secret_append(s, "6789", SIZE_MAX));
    assert_int_equal(secret_length(s), 5);
    assert_string_equal(secret_bytes(s), "12345");
    assert_true(secret_append(s, "678", 3));
    assert_true(secret_append(s, NULL, 0));
    assert_false(secret_append(s, "9", 1));
    assert_string_equal(secret_bytes(s), "12345678");
    secret_free(&s);
    assert_null(s);
    secret_free(&s);
    secret_free(NULL);
}

static void every_capacity_can_be_filled(void **state)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 63, 64, 65, 511, 512, 4079, 4080, 4095, 4096};
    char bytes[SECRET_CAPACITY_MAX];

    (void)state;
    memset(bytes, 'p', sizeof bytes);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct secret *s = secret_from(bytes, sizes[i]);
        struct secret *copy;

        assert_non_null(s);
        assert_int_equal(secret_length(s), sizes[i]);
        assert_memory_equal(secret_bytes(s), bytes, sizes[i]);
        assert_int_equal(secret_bytes(s)[sizes[i]], '\0');
        copy = secret_copy(s);
        assert_true(secret_equal(s, copy));
        assert_ptr_not_equal(secret_bytes(s), secret_bytes(copy));
        secret_free(&s);
        secret_free(&copy);
    }
    assert_null(secret_from(bytes, SECRET_CAPACITY_MAX + 1));
}

static void bytes_are_any_bytes(void **state)
{
    struct secret *a = secret_from(PIN, PIN_LEN);
    struct secret *b = secret_from(PIN, PIN_LEN - 1);
    struct secret *c = secret_from("4711-\0-pix", PIN_LEN);
    struct secret *empty = secret_from("", 0);

    (void)state;
    assert_int_equal(secret_length(a), PIN_LEN);
    assert_memory_equal(secret_bytes(a), PIN, PIN_LEN);
    assert_true(secret_equal(a, a));
    assert_false(secret_equal(a, b));
    assert_false(secret_equal(a, c));
    assert_int_equal(secret_length(empty), 0);
    assert_false(secret_equal(a, empty));
    secret_free(&a);
    secret_free(&b);
    secret_free(&c);
    secret_free(&empty);
}

static void cleared_is_wiped_whole(void **state)
{
    struct secret *s = secret_from(PIN, PIN_LEN);
    char buffer[] = PIN;

    (void)state;
    secret_clear(s);
    assert_int_equal(secret_length(s), 0);
    for (size_t i = 0; i <= PIN_LEN; i++)
        assert_int_equal(secret_bytes(s)[i], 0);
    assert_true(secret_append(s, PIN, PIN_LEN)); /* the capacity stays */
    secret_free(&s);
    secret_wipe(buffer, sizeof buffer);
    for (size_t i = 0; i < sizeof buffer; i++)
        assert_int_equal(buffer[i], 0);
}

/* Can this process read the byte? The kernel is asked, which does not crash. */
static bool is_readable(const char *byte)
{
    int fds[2];
    bool readable;

    assert_int_equal(pipe(fds), 0);
    readable = write(fds[1], byte, 1) == 1;
    assert_true(readable || errno == EFAULT);
    close(fds[0]);
    close(fds[1]);
    return readable;
}

static void sealed_cannot_be_read(void **state)
{
    struct secret *s = secret_from(PIN, PIN_LEN);

    (void)state;
    assert_true(is_readable(secret_bytes(s)));
    secret_seal(s);
    assert_false(is_readable(secret_bytes(s)));
    secret_unseal(s);
    assert_memory_equal(secret_bytes(s), PIN, PIN_LEN);
    secret_seal(s);
    secret_free(&s);
    assert_null(s);
}

static void overrun_meets_a_guard_page(void **state)
{
    struct secret *s = secret_new(64);

    (void)state;
    assert_false(is_readable(secret_bytes(s) + 4096));
    secret_free(&s);
}

/* The kernel's flags of the mapping that holds the byte (proc(5), smaps, VmFlags). */
static void mapping_flags(const char *byte, char *flags, size_t size)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    bool inside = false;
    char line[512];

    assert_non_null(smaps);
    flags[0] = '\0';
    while (fgets(line, sizeof line, smaps)) {
        uintptr_t first, end;

        if (sscanf(line, "%lx-%lx ", &first, &end) == 2)
            inside = (uintptr_t)byte >= first && (uintptr_t)byte < end;
        if (inside && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, size, "%s", line + 8);
    }
    fclose(smaps);
}

static void memory_is_locked_and_private(void **state)
{
    struct secret *s = secret_from(PIN, PIN_LEN);
    char flags[512];

    (void)state;
    mapping_flags(secret_bytes(s), flags, sizeof flags);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* for them mlock does nothing */
    assert_contains(flags, " lo");                                  /* never in the swap */
#endif
    assert_contains(flags, " dd"); /* nor in a core dump */
    assert_contains(flags, " wf"); /* nor in a child */
    secret_free(&s);
}

/* The child sees zeros, sealed or not, and may free what it inherited. */
static int check_child(struct secret **s, struct secret **sealed)
{
    if (secret_length(*s) != 0 || secret_bytes(*s)[0] != '\0' || memcmp(secret_bytes(*s), PIN, PIN_LEN) == 0)
        return 1;
    secret_unseal(*sealed);
    if (secret_length(*sealed) != 0 || secret_bytes(*sealed)[0] != '\0')
        return 2;
    secret_seal(*sealed);
    secret_free(s);
    secret_free(sealed);
    return *s || *sealed ? 3 : 0;
}

static void child_inherits_zeros(void **state)
{
    struct secret *s = secret_from(PIN, PIN_LEN);
    struct secret *sealed = secret_from(PIN, PIN_LEN);
    int status;
    pid_t pid;

    (void)state;
    secret_seal(sealed);
    pid = fork();
    if (pid == 0)
        _exit(check_child(&s, &sealed));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_memory_equal(secret_bytes(s), PIN, PIN_LEN);
    secret_free(&s);
    secret_free(&sealed);
}

/* In the place of libsodium's for this program. */
__attribute__((visibility("default"))) int sodium_init(void)
{
    int (*theirs)(void);

    *(void **)&theirs = dlsym(RTLD_NEXT, "sodium_init");
    init_calls++;
    return theirs();
}

static void library_is_begun_once(void **state)
{
    (void)state;
    for (int n = 0; n < 3; n++) {
        struct secret *s = secret_from(PIN, PIN_LEN);

        assert_non_null(s);
        assert_true(secret_ready());
        secret_free(&s);
    }
    assert_int_equal(init_calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_a_limit),          cmocka_unit_test(every_capacity_can_be_filled),
        cmocka_unit_test(bytes_are_any_bytes),          cmocka_unit_test(cleared_is_wiped_whole),
        cmocka_unit_test(sealed_cannot_be_read),        cmocka_unit_test(overrun_meets_a_guard_page),
        cmocka_unit_test(memory_is_locked_and_private), cmocka_unit_test(child_inherits_zeros),
        cmocka_unit_test(library_is_begun_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
