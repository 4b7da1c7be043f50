#include "support/mock.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "support/process_state.h"
#include "support/test.h"

const char *mock_backend_path(void)
{
    return TEST_MOCK_BACKEND;
}

struct mock_backend *mock_reset(void)
{
    static void *library;
    struct mock_backend *mock;

    if (!library)
        library = dlopen(TEST_MOCK_BACKEND, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    assert_non_null(library);
    mock = dlsym(library, "mock_backend");
    assert_non_null(mock);
    *mock = (struct mock_backend){
        .next_session = 1, .session_state = CKS_RW_USER_FUNCTIONS, .version = {2, 40}, .left_out = -1};
    return mock;
}

void mock_configure(struct fixture *fx, const char *backend, const char *lines)
{
    char text[4096];

    assert_true((size_t)snprintf(text, sizeof text,
                                 "[log]\nfile = %s/pinward.log\nlevel = debug\n"
                                 "[module]\nbackend = %s\npinentry = %s\n%s",
                                 fx->folder, backend, fixture_pinentry_path(), lines) < sizeof text);
    folder_write(fx->folder, "pinward.conf", text);
}

void mock_start(struct fixture *fx, const char *lines)
{
    mock_configure(fx, TEST_MOCK_BACKEND, lines);
    assert_ok(fx->p11->C_Initialize(NULL));
    fx->slot = 0;
    fx->session = fixture_session(fx);
}

void mock_wait_inside(struct mock_backend *mock, unsigned calls)
{
    for (int i = 0; i < 1000 && atomic_load(&mock->inside) < calls; i++)
        process_sleep_ms(5);
    assert_in_range(atomic_load(&mock->inside), calls, 1000);
}
