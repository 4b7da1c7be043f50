#include "tries_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/test.h"

struct fixture fx;
struct use_result tries_signature;

int tries_start(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    folder_remove(folder_path(fx.folder, "state", path));
    fixture_log_forget(&fx);
    script_set(&fx, "");
    return mkdir(path, 0700);
}

int tries_stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

CK_OBJECT_HANDLE tries_key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

CK_FLAGS tries_pin_flags(void)
{
    CK_TOKEN_INFO info;

    assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &info));
    return info.flags & TRIES_FLAGS;
}

CK_RV tries_login_asking(void)
{
    return fx.p11->C_Login(fx.session, CKU_USER, NULL, 0);
}

CK_RV tries_context_login(const char *pin)
{
    return fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)pin, strlen(pin));
}

CK_RV tries_set_pin(const char *old_pin, const char *new_pin)
{
    return fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)old_pin, strlen(old_pin), (CK_BYTE_PTR)new_pin, strlen(new_pin));
}

void tries_wrong_logins(int count)
{
    for (int n = 0; n < count; n++)
        assert_rv(fixture_login(&fx, "000000"), CKR_PIN_INCORRECT);
}

void tries_expect_log(const char *part)
{
    char *log = fixture_log(&fx);

    assert_contains(log, part);
    free(log);
}

void tries_expect_question(const char *part)
{
    char *questions = script_questions(&fx);

    assert_contains(questions, part);
    free(questions);
}

void tries_reset_by_so(void)
{
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    assert_ok(fx.p11->C_InitPIN(fx.session, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    assert_ok(fx.p11->C_Logout(fx.session));
}

/* PKCS#11 2.40, 5.5: in a public R/W session C_SetPIN changes the user's PIN. */
void tries_lacks_public_set_pin(const char *name)
{
    lacks_on(name, "C_SetPIN in a public session", tries_set_pin(FIXTURE_PIN, FIXTURE_PIN), CKR_USER_NOT_LOGGED_IN);
}

/* A wrong old PIN is one to the backend. */
void tries_expect_wrong_set_pin(const char *name)
{
    const CK_RV rv = tries_set_pin("000000", "123-new-pin");

    lacks_on(name, "C_SetPIN in a public session with a wrong PIN", rv, CKR_OK);
    assert_rv(rv, CKR_PIN_INCORRECT);
}

int tries_begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
    return 0;
}

int tries_end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}
