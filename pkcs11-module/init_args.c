#include "pkcs11-module/init_args.h"

#include <string.h>

static int count_functions(const CK_C_INITIALIZE_ARGS *given)
{
    return (given->CreateMutex != NULL) + (given->DestroyMutex != NULL) + (given->LockMutex != NULL) +
           (given->UnlockMutex != NULL);
}

CK_RV init_args_take(const CK_C_INITIALIZE_ARGS *given, const char *parameters, struct init_args *taken)
{
    const int functions = given ? count_functions(given) : 0;

    if (functions != 0 && functions != 4)
        return CKR_ARGUMENTS_BAD;
    if (functions == 4 && !(given->flags & CKF_OS_LOCKING_OK))
        return CKR_CANT_LOCK;
    memset(taken, 0, sizeof *taken);
    taken->args.flags = CKF_OS_LOCKING_OK;
    if (given) {
        taken->args.flags |= given->flags;
        taken->args.pReserved = given->pReserved;
    }
    if (parameters)
        taken->args.pReserved = (CK_VOID_PTR)parameters;
    return CKR_OK;
}

bool init_args_give_up_locking(const CK_C_INITIALIZE_ARGS *given, struct init_args *taken)
{
    if (given && (given->flags & CKF_OS_LOCKING_OK))
        return false;
    taken->args.flags &= ~CKF_OS_LOCKING_OK;
    return true;
}
