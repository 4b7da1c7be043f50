/* The careless token in the place of pkcs11-module/backend.c: nothing is loaded. What it has not answers
 * CKR_FUNCTION_NOT_SUPPORTED. */
#include "pkcs11-module/backend.h"

#include <string.h>

#include "fuzz/module_token.h"
#include "support/p11_calls.h"

#define LACK1(name, T1)                                                                                      \
    static CK_RV lack_##name(T1 a)                                                                           \
    {                                                                                                        \
        (void)a;                                                                                             \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
#define LACK2(name, T1, T2)                                                                                  \
    static CK_RV lack_##name(T1 a, T2 b)                                                                     \
    {                                                                                                        \
        (void)a, (void)b;                                                                                    \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
#define LACK3(name, T1, T2, T3)                                                                              \
    static CK_RV lack_##name(T1 a, T2 b, T3 c)                                                               \
    {                                                                                                        \
        (void)a, (void)b, (void)c;                                                                           \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
#define LACK4(name, T1, T2, T3, T4)                                                                          \
    static CK_RV lack_##name(T1 a, T2 b, T3 c, T4 d)                                                         \
    {                                                                                                        \
        (void)a, (void)b, (void)c, (void)d;                                                                  \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
#define LACK5(name, T1, T2, T3, T4, T5)                                                                      \
    static CK_RV lack_##name(T1 a, T2 b, T3 c, T4 d, T5 e)                                                   \
    {                                                                                                        \
        (void)a, (void)b, (void)c, (void)d, (void)e;                                                         \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
#define LACK6(name, T1, T2, T3, T4, T5, T6)                                                                  \
    static CK_RV lack_##name(T1 a, T2 b, T3 c, T4 d, T5 e, T6 f)                                             \
    {                                                                                                        \
        (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;                                                \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
#define LACK7(name, T1, T2, T3, T4, T5, T6, T7)                                                              \
    static CK_RV lack_##name(T1 a, T2 b, T3 c, T4 d, T5 e, T6 f, T7 g)                                       \
    {                                                                                                        \
        (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g;                                       \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
#define LACK8(name, T1, T2, T3, T4, T5, T6, T7, T8)                                                          \
    static CK_RV lack_##name(T1 a, T2 b, T3 c, T4 d, T5 e, T6 f, T7 g, T8 h)                                 \
    {                                                                                                        \
        (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;                              \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
#define LACK9(name, T1, T2, T3, T4, T5, T6, T7, T8, T9)                                                      \
    static CK_RV lack_##name(T1 a, T2 b, T3 c, T4 d, T5 e, T6 f, T7 g, T8 h, T9 i)                           \
    {                                                                                                        \
        (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h, (void)i;                     \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                                   \
    }
P11_CALLS(LACK1, LACK2, LACK3, LACK4, LACK5, LACK6, LACK8)
P11_CALLS_3_0(LACK1, LACK2, LACK3, LACK4, LACK5, LACK6, LACK7, LACK8, LACK9)

#define MEMBER(name, ...) .name = lack_##name,
static const CK_FUNCTION_LIST_3_0 lacking = {
    .version = {3, 0},
    P11_CALLS(MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER)
    P11_CALLS_3_0(MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER, MEMBER)
};

static CK_FUNCTION_LIST_3_0 list;

CK_RV backend_open(const char *path, const char *parameters, CK_VOID_PTR given, struct backend *backend)
{
    (void)path, (void)parameters, (void)given;
    list = lacking;
    token_fill(&list);
    *backend = (struct backend){.functions = (CK_FUNCTION_LIST *)&list,
                                .functions_3 = token_has_messages() ? &list : NULL};
    return CKR_OK;
}

CK_RV backend_close(struct backend *backend)
{
    (void)backend;
    for (CK_SESSION_HANDLE handle = 1; handle <= TOKEN_SESSIONS; handle++)
        (void)list.C_CloseSession(handle);
    return CKR_OK;
}
