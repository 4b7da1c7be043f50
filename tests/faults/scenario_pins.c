#include "faults/scenario_internal.h"

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/judge.h"
#include "fuzz/module_token.h"
#include "pkcs11-module/entry_consent.h"

#define BATCH_USES 2

void scenario_init_token(void)
{
    CK_UTF8CHAR label[32];

    memset(label, ' ', sizeof label);
    judge_call_begin(0);
    (void)scenario_call_end(CALL_C_InitToken, dispatch_list_3_0.C_InitToken(0, NULL, 0, label), CKR_OK);
}

static void set_pin(void)
{
    (void)SCENARIO_DO(C_SetPIN, scenario_session(), NULL, 0, NULL, 0);
}

/* On record as a login, whose answers it may give (include/pinward.h). */
static void use_batch(void)
{
    static const CK_UTF8CHAR purpose[] = "to sign what is there";
    CK_ULONG batch = 0;
    CK_RV rv;

    scenario_call_begin();
    rv = entry_consent_list.request_batch(scenario_session(), BATCH_USES, 60, purpose, sizeof purpose - 1, &batch);
    (void)scenario_call_end(CALL_C_Login, rv, CKR_OK);
    for (int n = 0; n < BATCH_USES; n++)
        scenario_sign(TOKEN_ALPHA);
}

/* Of three tries two are wrong: before the last the user is asked, though the program has a PIN. */
static void spend_last_try(void)
{
    const CK_SESSION_HANDLE session = scenario_session();
    CK_BYTE wrong[] = "wrong-pin", right[] = FUZZ_SECRET;

    for (int n = 0; n < 2; n++)
        (void)SCENARIO_DO_EXPECTING(CKR_PIN_INCORRECT, C_Login, session, CKU_USER, wrong, sizeof wrong - 1);
    (void)SCENARIO_DO(C_Login, session, CKU_USER, right, sizeof right - 1);
}

static void be_security_officer(void)
{
    const CK_SESSION_HANDLE session = scenario_session();

    (void)SCENARIO_DO(C_Login, session, CKU_SO, NULL, 0);
    (void)SCENARIO_DO(C_InitPIN, session, NULL, 0);
    (void)SCENARIO_DO(C_SetPIN, session, NULL, 0, NULL, 0);
}

void scenario_pins(void)
{
    use_batch();
    scenario_log_out();
    spend_last_try();
    set_pin();
    scenario_log_out();
    be_security_officer();
}
