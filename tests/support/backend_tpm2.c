/* tpm2-pkcs11 on a TPM 2.0: keys that are used inside the TPM and stored, encrypted by it, in a database in a folder. The
 * program runs on a machine with such a TPM: a simulated one (tests/tpm). */
#include <stdlib.h>
#include <string.h>

#include "support/backend_direct.h"
#include "support/backend_kind.h"
#include "support/fixture.h"
#include "support/test.h"

static void prepare(const char *folder, char arguments[BACKEND_ARGUMENTS_MAX])
{
    char path[FOLDER_PATH_MAX];

    (void)arguments;
    if (!getenv("TPM2_PKCS11_TCTI"))
        fail_msg("there is no TPM: run this program with with-tpm");
    assert_int_equal(setenv("TPM2_PKCS11_STORE", folder_path(folder, "tokens", path), 1), 0);
}

const struct backend_kind backend_tpm2 = {
    .name = "tpm2",
    .library = TEST_TPM2,
    .prepare = prepare,
    .make_token = backend_make_token,
};
