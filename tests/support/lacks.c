#include "support/lacks.h"

#include <stdio.h>
#include <string.h>

#include "support/backend_direct.h"
#include "support/backend_kind.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/test.h"

void lacks_skip(const char *name, const char *format, ...)
{
    char what[256];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    isolated_lacks(name, what); /* what p11-kit's protocol does not carry, a program behind it lacks too */
    if (backend_kind() == &backend_softhsm2)
        fail_msg("%s would be skipped: %s", name, what);
    printf("skipped on %s: %s: %s\n", backend_kind()->name, name, what);
    skip();
}

void lacks_on(const char *name, const char *call, CK_RV rv, CK_RV lacking)
{
    if (rv == lacking)
        lacks_skip(name, "%s answers %s", call, lacks_rv_name(rv));
}

void lacks_mechanism(struct fixture *fx, const char *name, CK_MECHANISM_TYPE type, CK_FLAGS flags, const char *what)
{
    CK_MECHANISM_INFO info = {.flags = 0};
    const CK_RV rv = fx->p11->C_GetMechanismInfo(fx->slot, type, &info);

    if (rv != CKR_OK)
        lacks_skip(name, "C_GetMechanismInfo(%s) answers %s", what, lacks_rv_name(rv));
    if ((info.flags & flags) != flags)
        lacks_skip(name, "%s without the flags 0x%lx", what, flags & ~info.flags);
}

void lacks_security_officer(struct fixture *fx, const char *name)
{
    CK_RV rv;

    if (backend_kind() == &backend_softhsm2)
        return;
    rv = fx->p11->C_Login(fx->session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN));
    lacks_on(name, "C_Login(CKU_SO)", rv, CKR_USER_TYPE_INVALID);
    assert_ok(rv);
    assert_ok(fx->p11->C_Logout(fx->session));
}

void lacks_empty_slot(struct fixture *fx, const char *name)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CK_TOKEN_INFO info;

    assert_ok(fx->p11->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        assert_ok(fx->p11->C_GetTokenInfo(slots[i], &info));
        if (!(info.flags & CKF_TOKEN_INITIALIZED))
            return;
    }
    lacks_skip(name, "no slot has a token that is still to be initialised");
}

void lacks_bool(struct fixture *fx, const char *name, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool right,
                const char *what)
{
    if (key_bool(fx->p11, fx->session, object, type) != right)
        lacks_skip(name, "%s reads %s", what, right ? "false" : "true");
}

/* Two signatures begun with one key; the login is made for the first, and the second is tried. */
static CK_RV sign_with_the_login_of_another(CK_FUNCTION_LIST *p11, const CK_SESSION_HANDLE sessions[2])
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE signature[256];
    CK_ULONG len = sizeof signature;

    for (size_t i = 0; i < 2; i++)
        assert_ok(p11->C_SignInit(sessions[i], &mechanism, key_private(p11, sessions[i], KEY_HIGH_RSA)));
    if (p11->C_Login(sessions[0], CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)) != CKR_OK)
        return CKR_USER_NOT_LOGGED_IN; /* it knows no such login: the gate checks by itself */
    return p11->C_Sign(sessions[1], (CK_BYTE_PTR) "x", 1, signature, &len);
}

void lacks_login_for_one_operation(const char *name)
{
    struct backend_direct direct;
    CK_SESSION_HANDLE sessions[2];
    CK_RV rv;

    backend_direct_open(&direct);
    for (size_t i = 0; i < 2; i++)
        assert_ok(direct.p11->C_OpenSession(backend_slot(direct.p11, CK_TRUE), CKF_SERIAL_SESSION, NULL, NULL,
                                            &sessions[i]));
    assert_ok(direct.p11->C_Login(sessions[0], CKU_USER, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    rv = sign_with_the_login_of_another(direct.p11, sessions);
    backend_direct_close(&direct);
    lacks_on(name, "C_Sign with the context-specific login of another session", rv, CKR_OK);
    assert_rv(rv, CKR_USER_NOT_LOGGED_IN);
}

#define NAMED(rv) {rv, #rv}

static const struct {
    CK_RV rv;
    const char *name;
} names[] = {
    NAMED(CKR_OK),
    NAMED(CKR_GENERAL_ERROR),
    NAMED(CKR_FUNCTION_FAILED),
    NAMED(CKR_ARGUMENTS_BAD),
    NAMED(CKR_ATTRIBUTE_READ_ONLY),
    NAMED(CKR_ATTRIBUTE_SENSITIVE),
    NAMED(CKR_ATTRIBUTE_TYPE_INVALID),
    NAMED(CKR_ATTRIBUTE_VALUE_INVALID),
    NAMED(CKR_DATA_LEN_RANGE),
    NAMED(CKR_DEVICE_ERROR),
    NAMED(CKR_FUNCTION_NOT_SUPPORTED),
    NAMED(CKR_KEY_FUNCTION_NOT_PERMITTED),
    NAMED(CKR_KEY_HANDLE_INVALID),
    NAMED(CKR_KEY_NOT_WRAPPABLE),
    NAMED(CKR_KEY_UNEXTRACTABLE),
    NAMED(CKR_MECHANISM_INVALID),
    NAMED(CKR_MECHANISM_PARAM_INVALID),
    NAMED(CKR_OBJECT_HANDLE_INVALID),
    NAMED(CKR_OPERATION_NOT_INITIALIZED),
    NAMED(CKR_PIN_INCORRECT),
    NAMED(CKR_TEMPLATE_INCOMPLETE),
    NAMED(CKR_TEMPLATE_INCONSISTENT),
    NAMED(CKR_TOKEN_WRITE_PROTECTED),
    NAMED(CKR_USER_ALREADY_LOGGED_IN),
    NAMED(CKR_USER_NOT_LOGGED_IN),
    NAMED(CKR_USER_TYPE_INVALID),
};

const char *lacks_rv_name(CK_RV rv)
{
    static char number[24];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].rv == rv)
            return names[i].name;
    snprintf(number, sizeof number, "0x%lx", rv);
    return number;
}
