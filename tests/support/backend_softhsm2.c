/* SoftHSM2: a token in a folder; what Pinward's tests run on unless told otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void make_token(CK_FUNCTION_LIST *p11)
{
    CK_UTF8CHAR label[32];
    CK_SESSION_HANDLE session;

    memset(label, ' ', sizeof label);
    memcpy(label, FIXTURE_TOKEN, strlen(FIXTURE_TOKEN));
    assert_ok(p11->C_InitToken(backend_slot(p11, CK_FALSE), (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN), label));
    assert_ok(p11->C_OpenSession(backend_slot(p11, CK_TRUE), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                 &session));
    assert_ok(p11->C_Login(session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    assert_ok(p11->C_InitPIN(session, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    assert_ok(p11->C_CloseSession(session));
}

const struct backend_kind backend_softhsm2 = {
    .name = "softhsm2",
    .library = TEST_BACKEND,
    .prepare = prepare,
    .make_token = make_token,
};
