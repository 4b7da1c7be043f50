/* hostile_token: SoftHSM2 behind a token's module that has turned against the process that loads it: in C_Initialize it
 * tries what it has no business with, and writes into $XDG_STATE_HOME/pinward/hostile what it got, a line "NAME ERRNO" for
 * each. When $XDG_STATE_HOME/deadly names one of the second table, it tries that as well. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dlfcn.h>

#include "pkcs11-module/p11.h"

static CK_FUNCTION_LIST *behind;
static CK_FUNCTION_LIST shown;

/* ------------------------------------------------------------------ what has an answer: 0, or an errno */

static int result(long answer)
{
    return answer < 0 ? errno : 0;
}

static int close_after(int fd)
{
    const int rc = result(fd);

    if (fd >= 0)
        close(fd);
    return rc;
}

static int open_below(const char *variable, const char *name, int flags)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", getenv(variable), name);
    return close_after(open(path, flags, 0600));
}

static int read_system(void)
{
    return close_after(open("/etc/passwd", O_RDONLY));
}

static int write_state(void)
{
    return open_below("XDG_STATE_HOME", "pinward/written", O_WRONLY | O_CREAT);
}

static int write_home(void)
{
    return open_below("HOME", ".profile", O_WRONLY | O_CREAT);
}

/* Landlock asks nothing of this before its third version: no right to write is wanted. */
static int empty_home(void)
{
    return open_below("HOME", "kept", O_RDONLY | O_TRUNC);
}

static int open_home_to_others(void)
{
    char path[512];
    int fd, rc;

    snprintf(path, sizeof path, "%s/kept", getenv("HOME"));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    rc = fd < 0 ? errno : result(fchmod(fd, 0666));
    if (fd >= 0)
        close(fd);
    return rc;
}

static int remove_home(void)
{
    char path[512];

    snprintf(path, sizeof path, "%s/kept", getenv("HOME"));
    return result(unlink(path));
}

static int open_unix(void)
{
    return close_after(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int open_log(void)
{
    return close_after(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int open_internet(void)
{
    return close_after(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* To the agent's control socket, as a stand-in for the session's services. */
static int connect_unix(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc;

    snprintf(address.sun_path, sizeof address.sun_path, "%s/pinward/agent.socket.control", getenv("XDG_RUNTIME_DIR"));
    rc = fd < 0 ? errno : result(connect(fd, (const struct sockaddr *)&address, sizeof address));
    if (fd >= 0)
        close(fd);
    return rc;
}

static void *nothing(void *data)
{
    return data;
}

static int start_thread(void)
{
    pthread_t thread;
    const int rc = pthread_create(&thread, NULL, nothing, NULL);

    if (rc == 0)
        pthread_join(thread, NULL);
    return rc;
}

static int start_process(void)
{
    const long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(0);
    if (pid > 0)
        (void)waitpid((pid_t)pid, NULL, 0);
    return result(pid);
}

static int signal_listener(void)
{
    return result(kill(getppid(), 0));
}

static int read_listener(void)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/mem", (long)getppid());
    return close_after(open(path, O_RDONLY));
}

static int map_writable_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const int rc = page == MAP_FAILED ? errno : 0;

    if (rc == 0)
        munmap(page, 4096);
    return rc;
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const int rc = result(mprotect(page, 4096, PROT_READ | PROT_EXEC));

    munmap(page, 4096);
    return rc;
}

static int become_dumpable(void)
{
    return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int raise_limit(void)
{
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

    return result(setrlimit(RLIMIT_CORE, &none));
}

static int make_namespace(void)
{
    return result(unshare(CLONE_NEWUSER));
}

static const struct {
    const char *name;
    int (*attempt)(void);
} attempts[] = {
    {"read-system", read_system},       {"write-state", write_state},
    {"empty-home", empty_home},         {"home-to-others", open_home_to_others},
    {"write-home", write_home},         {"remove-home", remove_home},
    {"socket-log", open_log},           {"socket-unix", open_unix},
    {"connect-unix", connect_unix},     {"socket-internet", open_internet},
    {"thread", start_thread},           {"process", start_process},
    {"signal", signal_listener},        {"read-listener", read_listener},
    {"writable-code", map_writable_code}, {"make-code", make_code},
    {"dumpable", become_dumpable},      {"limit", raise_limit},
    {"namespace", make_namespace},
};

/* ------------------------------------------------------------------ what ends the process */

static void die_execve(void)
{
    char *const arguments[] = {(char *)"true", NULL};

    execv("/bin/true", arguments);
}

static void die_ptrace(void)
{
    (void)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static void die_other_memory(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};

    (void)process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

#ifdef __x86_64__
#define X32_BIT 0x40000000L /* the same processor's other convention: __X32_SYSCALL_BIT */

static void die_x32(void)
{
    (void)syscall(X32_BIT | SYS_getpid);
}
#endif

static const struct {
    const char *name;
    void (*attempt)(void);
} deadly[] = {
    {"execve", die_execve},
    {"ptrace", die_ptrace},
    {"other-memory", die_other_memory},
#ifdef __x86_64__
    {"x32", die_x32},
#endif
};

static void try_deadly(void)
{
    char path[512], name[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s/deadly", getenv("XDG_STATE_HOME"));
    file = fopen(path, "re");
    if (!file)
        return;
    if (fscanf(file, "%31s", name) == 1)
        for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
            if (strcmp(deadly[i].name, name) == 0)
                deadly[i].attempt();
    fclose(file);
}

/* ------------------------------------------------------------------ the module */

static CK_RV hostile_initialize(CK_VOID_PTR arguments)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof path, "%s/pinward/hostile", getenv("XDG_STATE_HOME"));
    out = fopen(path, "we");
    for (size_t i = 0; out && i < sizeof attempts / sizeof attempts[0]; i++)
        fprintf(out, "%s %d\n", attempts[i].name, attempts[i].attempt());
    if (out)
        fclose(out);
    try_deadly();
    return behind->C_Initialize(arguments);
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    void *library = dlopen(HOSTILE_BEHIND, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;

    if (!get || get(&behind) != CKR_OK)
        return CKR_GENERAL_ERROR;
    shown = *behind;
    shown.C_Initialize = hostile_initialize;
    *list = &shown;
    return CKR_OK;
}
