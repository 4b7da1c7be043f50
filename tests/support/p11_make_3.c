#include "support/p11_make.h"

#define V(n, T) (T)(v[n])
#define CALL1(name, T1)                                                                                      \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1));                                                                          \
    }
#define CALL2(name, T1, T2)                                                                                  \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1), V(1, T2));                                                                \
    }
#define CALL3(name, T1, T2, T3)                                                                              \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1), V(1, T2), V(2, T3));                                                      \
    }
#define CALL4(name, T1, T2, T3, T4)                                                                          \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1), V(1, T2), V(2, T3), V(3, T4));                                            \
    }
#define CALL5(name, T1, T2, T3, T4, T5)                                                                      \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1), V(1, T2), V(2, T3), V(3, T4), V(4, T5));                                  \
    }
#define CALL6(name, T1, T2, T3, T4, T5, T6)                                                                  \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1), V(1, T2), V(2, T3), V(3, T4), V(4, T5), V(5, T6));                        \
    }
#define CALL7(name, T1, T2, T3, T4, T5, T6, T7)                                                              \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1), V(1, T2), V(2, T3), V(3, T4), V(4, T5), V(5, T6), V(6, T7));              \
    }
#define CALL8(name, T1, T2, T3, T4, T5, T6, T7, T8)                                                          \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1), V(1, T2), V(2, T3), V(3, T4), V(4, T5), V(5, T6), V(6, T7), V(7, T8));    \
    }
#define CALL9(name, T1, T2, T3, T4, T5, T6, T7, T8, T9)                                                      \
    static CK_RV call_##name(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v)                            \
    {                                                                                                        \
        return p11->name(V(0, T1), V(1, T2), V(2, T3), V(3, T4), V(4, T5), V(5, T6),                         \
                         V(6, T7), V(7, T8), V(8, T9));                                                      \
    }
P11_CALLS(CALL1, CALL2, CALL3, CALL4, CALL5, CALL6, CALL8)
P11_CALLS_3_0(CALL1, CALL2, CALL3, CALL4, CALL5, CALL6, CALL7, CALL8, CALL9)

#define ROW1(name, ...) {#name, call_##name, 1},
#define ROW2(name, ...) {#name, call_##name, 2},
#define ROW3(name, ...) {#name, call_##name, 3},
#define ROW4(name, ...) {#name, call_##name, 4},
#define ROW5(name, ...) {#name, call_##name, 5},
#define ROW6(name, ...) {#name, call_##name, 6},
#define ROW7(name, ...) {#name, call_##name, 7},
#define ROW8(name, ...) {#name, call_##name, 8},
#define ROW9(name, ...) {#name, call_##name, 9},
const struct p11_maker_3_0 p11_makers_3_0[P11_CALL_COUNT_3_0] = {
    P11_CALLS(ROW1, ROW2, ROW3, ROW4, ROW5, ROW6, ROW8)
    P11_CALLS_3_0(ROW1, ROW2, ROW3, ROW4, ROW5, ROW6, ROW7, ROW8, ROW9)
};
