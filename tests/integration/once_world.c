#include "once_world.h"

#include <string.h>

#include "support/pinentry_script.h"
#include "support/test.h"

struct fixture fx;
struct mock_backend *mock;
CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

void once_start(const char *lines)
{
    mock = mock_reset();
    mock->objects[ONCE_SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[ONCE_PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[ONCE_ENFORCED] = mock->objects[ONCE_PRIVATE];
    mock->objects[ONCE_ENFORCED].always_authenticate = CK_TRUE;
    mock->objects[ONCE_CARRIER] = mock->objects[ONCE_SECRET];
    mock->objects[ONCE_CARRIER].carries = true;
    mock_start(&fx, lines);
    script_set(&fx, "");
}

void once_start_logged_in(const char *lines)
{
    once_start(lines);
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, (CK_BYTE_PTR)ONCE_PIN, strlen(ONCE_PIN)));
}

int once_stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

CK_RV once_export_by(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE carrier)
{
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_BYTE wrapped[64];
    CK_ULONG len = sizeof wrapped;

    return fx.p11->C_WrapKey(fx.session, &mechanism, carrier, ONCE_PRIVATE, wrapped, &len);
}

CK_RV once_export_under(CK_OBJECT_HANDLE carrier)
{
    return once_export_by(CKM_AES_KEY_WRAP_PAD, carrier);
}

int once_begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
    return 0;
}

int once_end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}
