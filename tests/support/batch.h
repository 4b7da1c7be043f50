/*
 * batch: the module's vendor interface (include/pinward.h), as an application finds and uses it.
 *
 * Owner: the list is the module's, as long as the fixture has it loaded. Thread rule: any thread.
 */
#ifndef PINWARD_TESTS_BATCH_H
#define PINWARD_TESTS_BATCH_H

#include "support/fixture.h"

#include "include/pinward.h"

#define BATCH_PURPOSE "Sign the letters of November"

const struct pinward_consent_functions *batch_functions(const struct fixture *fx);

/* request_batch for BATCH_PURPOSE in the fixture's session. */
CK_RV batch_request(const struct fixture *fx, CK_ULONG uses, CK_ULONG time_s, CK_ULONG *batch);

/* How many batches there are. */
CK_ULONG batch_count(const struct fixture *fx);

#endif
