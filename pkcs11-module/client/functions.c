#include "pkcs11-module/client/functions.h"

#include <dlfcn.h>
#include <pthread.h>

static void *library;
static CK_FUNCTION_LIST *p11_kit; /* its list */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

CK_FUNCTION_LIST functions_list;

static CK_RV give_list(CK_FUNCTION_LIST_PTR_PTR out)
{
    if (!out)
        return CKR_ARGUMENTS_BAD;
    *out = &functions_list;
    return CKR_OK;
}

/* p11-kit's client up to 0.24 loses the label behind a PIN that is NULL. An empty one says the same to the agent: the PIN
 * is asked for (PKCS#11 2.40, 5.5, C_InitToken). */
static CK_RV init_token(CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len, CK_UTF8CHAR_PTR label)
{
    static CK_UTF8CHAR empty[1];
    /* It reads the label to a NUL, where the standard has 32 bytes. */
    CK_UTF8CHAR ended[32 + 1] = "";

    if (label)
        for (size_t i = 0; i < sizeof ended - 1; i++)
            ended[i] = label[i];
    return p11_kit->C_InitToken(slot, pin ? pin : empty, pin ? pin_len : 0, label ? ended : NULL);
}

static void load(void)
{
    CK_C_GetFunctionList get = NULL;
    void *loaded = dlopen(PINWARD_P11_KIT_CLIENT, RTLD_NOW | RTLD_LOCAL);

    if (loaded)
        *(void **)&get = dlsym(loaded, "C_GetFunctionList");
    if (!get || get(&p11_kit) != CKR_OK) {
        if (loaded)
            dlclose(loaded);
        return;
    }
    functions_list = *p11_kit;
    functions_list.C_GetFunctionList = give_list;
    functions_list.C_InitToken = init_token;
    library = loaded;
}

bool functions_load(void)
{
    bool loaded;

    pthread_mutex_lock(&lock);
    if (!library)
        load();
    loaded = library != NULL;
    pthread_mutex_unlock(&lock);
    return loaded;
}

/* With this module goes the connection. */
static void __attribute__((destructor)) unload(void)
{
    if (library)
        dlclose(library);
}
