/* SoftHSM2: a token in a folder; what Pinward's tests run on unless told otherwise. */
#include <stdio.h>
#include <stdlib.h>

#include "support/backend_direct.h"
#include "support/backend_kind.h"
#include "support/fixture.h"
#include "support/test.h"

static void prepare(const char *folder, char arguments[BACKEND_ARGUMENTS_MAX])
{
    char text[FOLDER_PATH_MAX + 128], path[FOLDER_PATH_MAX];

    (void)arguments;
    snprintf(text, sizeof text,
             "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", folder);
    folder_write(folder, "softhsm2.conf", text);
    assert_int_equal(setenv("SOFTHSM2_CONF", folder_path(folder, "softhsm2.conf", path), 1), 0);
}

const struct backend_kind backend_softhsm2 = {
    .name = "softhsm2",
    .library = TEST_BACKEND,
    .prepare = prepare,
    .make_token = backend_make_token,
};
