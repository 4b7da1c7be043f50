/* NSS's softokn: a database in a folder, which its arguments name. Its security officer has an empty PIN, until the
 * database has its first user PIN; then none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/backend_direct.h"
#include "support/backend_kind.h"
#include "support/fixture.h"
#include "support/test.h"

static void prepare(const char *folder, char arguments[BACKEND_ARGUMENTS_MAX])
{
    const int len = snprintf(arguments, BACKEND_ARGUMENTS_MAX,
                             "configdir='sql:%s/tokens' dbTokenDescription='" FIXTURE_TOKEN "' flags=", folder);

    assert_in_range(len, 1, BACKEND_ARGUMENTS_MAX - 1);
    /* It derives a key from the PIN for every private attribute that it reads, at its own 10000 rounds: the suite would
     * take several times as long. The database is made with one. */
    setenv("NSS_MAX_MP_PBE_ITERATION_COUNT", "1", 1);
}

static void make_token(CK_FUNCTION_LIST *p11)
{
    CK_SESSION_HANDLE session;

    assert_ok(p11->C_OpenSession(backend_slot(p11, CK_TRUE), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                 &session));
    assert_ok(p11->C_Login(session, CKU_SO, (CK_BYTE_PTR) "", 0));
    assert_ok(p11->C_InitPIN(session, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    assert_ok(p11->C_CloseSession(session));
}

const struct backend_kind backend_softokn = {
    .name = "softokn",
    .library = TEST_SOFTOKN,
    .prepare = prepare,
    .make_token = make_token,
};
