/*
 * setuid_host: a program with threads that is installed setuid and setgid, and uses the module.
 *
 *   setuid-host module MODULE    C_Initialize; says whether the mock backend was loaded
 *   setuid-host softhsm          says whether SoftHSM2 may be started
 *   setuid-host pinentry PROGRAM asks for a PIN with this program
 *
 * The first line of output is "secure 1" when the kernel has marked the program as one that has more rights than who
 * started it.
 */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "common/pinentry.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/softhsm.h"

/* LeakSanitizer asks; it cannot look into a setuid program. */
int __lsan_is_turned_off(void);

__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
    return 1;
}

static void *stay(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static int note_mock(struct dl_phdr_info *info, size_t size, void *found)
{
    (void)size;
    if (info->dlpi_name && strstr(info->dlpi_name, "mock-backend"))
        *(int *)found = 1;
    return 0;
}

static int use_module(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get_list;
    CK_FUNCTION_LIST *p11;
    int mock = 0;

    if (!library) {
        printf("%s\n", dlerror());
        return 1;
    }
    *(void **)&get_list = dlsym(library, "C_GetFunctionList");
    if (!get_list || get_list(&p11) != CKR_OK)
        return 1;
    printf("rv %lu\n", p11->C_Initialize(NULL));
    dl_iterate_phdr(note_mock, &mock);
    printf("mock %d\n", mock);
    (void)p11->C_Finalize(NULL);
    return 0;
}

static int ask(const char *program)
{
    const struct pinentry_question question = {.program = program, .timeout_s = 5, .cancel_fd = -1, .prompt = "PIN:"};
    struct secret *answer = NULL;
    struct error err = {0};

    printf("code %d\n", (int)pinentry_get_pin(&question, &answer, &err));
    secret_free(&answer);
    return 0;
}

int main(int argc, char **argv)
{
    pthread_t thread;

    if (argc < 2 || pthread_create(&thread, NULL, stay, NULL) != 0)
        return 1;
    printf("secure %lu\n", getauxval(AT_SECURE));
    if (strcmp(argv[1], "module") == 0 && argc == 3)
        return use_module(argv[2]);
    if (strcmp(argv[1], "pinentry") == 0 && argc == 3)
        return ask(argv[2]);
    printf("softhsm %d\n", softhsm_may_start());
    return 0;
}
