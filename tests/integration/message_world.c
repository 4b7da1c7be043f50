#include "message_world.h"

#include <string.h>

#include "support/pinentry_script.h"
#include "support/test.h"

struct fixture fx;
struct mock_backend *mock;
CK_FUNCTION_LIST_3_0 *v3;
CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
CK_BYTE message_parameter[4];
CK_BYTE message_result[64];
CK_ULONG message_result_len;

void message_start_with(const char *lines, CK_VERSION version_3)
{
    mock = mock_reset();
    mock->version_3 = version_3;
    mock->objects[MESSAGE_SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[MESSAGE_PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[MESSAGE_ENFORCED] = mock->objects[MESSAGE_PRIVATE];
    mock->objects[MESSAGE_ENFORCED].always_authenticate = CK_TRUE;
    mock->objects[MESSAGE_VENDOR] = (struct mock_object){.exists = true, .object_class = CKO_VENDOR_DEFINED | 1};
    v3 = p11_v3_functions(&fx);
    mock_start(&fx, lines);
    script_set(&fx, "");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, (CK_BYTE_PTR)MESSAGE_PIN, strlen(MESSAGE_PIN)));
}

void message_start(const char *lines)
{
    message_start_with(lines, (CK_VERSION){3, 0});
}

int message_stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

CK_RV message_sign(const char *data)
{
    message_result_len = sizeof message_result;
    return v3->C_SignMessage(fx.session, message_parameter, sizeof message_parameter, (CK_BYTE_PTR)data, strlen(data), message_result,
                             &message_result_len);
}

CK_RV message_sign_part(const char *part, bool last)
{
    message_result_len = sizeof message_result;
    return v3->C_SignMessageNext(fx.session, message_parameter, sizeof message_parameter, (CK_BYTE_PTR)part, strlen(part),
                                 last ? message_result : NULL, last ? &message_result_len : NULL);
}

CK_RV message_decrypt(const char *data)
{
    message_result_len = sizeof message_result;
    return v3->C_DecryptMessage(fx.session, message_parameter, sizeof message_parameter, (CK_BYTE_PTR) "ad", 2, (CK_BYTE_PTR)data,
                                strlen(data), message_result, &message_result_len);
}

CK_RV message_decrypt_part(const char *part, CK_FLAGS flags)
{
    message_result_len = sizeof message_result;
    return v3->C_DecryptMessageNext(fx.session, message_parameter, sizeof message_parameter, (CK_BYTE_PTR)part, strlen(part), message_result,
                                    &message_result_len, flags);
}

void message_expect(enum p11_call call, unsigned calls, int asked)
{
    assert_int_equal(mock->calls[call], calls);
    assert_int_equal(script_asked(&fx), asked);
    mock->calls[call] = 0;
}

int message_begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
    return 0;
}

int message_end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}
