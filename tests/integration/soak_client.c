/*
 * soak-client HOW MODULE SOCKET SEED: one program that uses the agent for a moment, and how it ends:
 *
 *   finalize   logs in, signs a few times, C_Finalize
 *   exit       the same, and ends without a word
 *   kill       logs in and signs until SIGKILL ends it, somewhere
 *   garbage    sends bytes that are no message
 *   idle       connects, says nothing, and is killed
 *
 * It writes a dot for each signature that it got, and what a call answered when that was not CKR_OK.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LIFE_MS   500 /* of one that is killed, at most */
#define USES      3
#define USES_MANY 1000000

static CK_FUNCTION_LIST *p11;

static void must(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    printf("%s: 0x%lx\n", what, rv);
    exit(EXIT_FAILURE);
}

/* From now on SIGKILL may come at any instant. */
static void die_soon(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    const struct itimerspec when = {.it_value.tv_nsec = (1 + rand() % LIFE_MS) * 1000000L};
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &when, NULL) != 0)
        exit(EXIT_FAILURE);
}

static void load(const char *module)
{
    void *library = dlopen(module, RTLD_NOW);
    CK_C_GetFunctionList get = NULL;

    if (library)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    must(get ? get(&p11) : CKR_GENERAL_ERROR, "C_GetFunctionList");
}

static CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG count = 0;

    must(p11->C_FindObjectsInit(session, &wanted, 1), "C_FindObjectsInit");
    must(p11->C_FindObjects(session, &key, 1, &count), "C_FindObjects");
    must(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    return key;
}

static void use(int times)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;

    must(p11->C_Initialize(NULL), "C_Initialize");
    must(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    must(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    must(p11->C_Login(session, CKU_USER, NULL, 0), "C_Login");
    key = find_key(session);
    while (times-- > 0) {
        CK_BYTE signature[256];
        CK_ULONG len = sizeof signature;

        must(p11->C_SignInit(session, &mechanism, key), "C_SignInit");
        must(p11->C_Sign(session, (CK_BYTE_PTR)"some data", 9, signature, &len), "C_Sign");
        if (write(STDOUT_FILENO, ".", 1) != 1)
            exit(EXIT_FAILURE);
    }
}

static void send_garbage(int fd)
{
    unsigned char bytes[512];
    const size_t len = 1 + (size_t)rand() % sizeof bytes;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)rand();
    bytes[0] = (unsigned char)(rand() % 2); /* often the version of the protocol, so that more of it is looked at */
    (void)!send(fd, bytes, len, MSG_NOSIGNAL);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        must(CKR_DEVICE_REMOVED, "connect");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return EXIT_FAILURE;
    srand((unsigned)strtoul(argv[4], NULL, 10));
    if (strcmp(argv[1], "garbage") == 0 || strcmp(argv[1], "idle") == 0) {
        const int fd = connect_to(argv[3]);

        die_soon();
        if (argv[1][0] == 'g')
            send_garbage(fd);
        pause();
    }
    load(argv[2]);
    if (strcmp(argv[1], "kill") == 0) {
        die_soon();
        use(USES_MANY);
    }
    use(1 + rand() % USES);
    if (strcmp(argv[1], "exit") == 0)
        _exit(EXIT_SUCCESS);
    must(p11->C_Finalize(NULL), "C_Finalize");
    return EXIT_SUCCESS;
}
