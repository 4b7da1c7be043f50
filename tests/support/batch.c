#include "support/batch.h"

#include <string.h>

#include "support/p11_v3.h"
#include "support/test.h"

const struct pinward_consent_functions *batch_functions(const struct fixture *fx)
{
    CK_VERSION version = {1, 0};
    CK_INTERFACE *found = NULL;
    const struct pinward_consent_functions *functions;

    assert_ok(p11_v3_get_interface(fx)((CK_UTF8CHAR *)PINWARD_CONSENT_INTERFACE, &version, &found, 0));
    assert_non_null(found);
    functions = found->pFunctionList;
    assert_memory_equal(&functions->version, &version, sizeof version);
    return functions;
}

CK_RV batch_request(const struct fixture *fx, CK_ULONG uses, CK_ULONG time_s, CK_ULONG *batch)
{
    return batch_functions(fx)->request_batch(fx->session, uses, time_s, (const CK_UTF8CHAR *)BATCH_PURPOSE,
                                              strlen(BATCH_PURPOSE), batch);
}

CK_ULONG batch_count(const struct fixture *fx)
{
    CK_ULONG count = 77;

    assert_ok(batch_functions(fx)->list_batches(fx->session, NULL, &count));
    return count;
}
