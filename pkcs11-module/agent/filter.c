#include "pkcs11-module/agent/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"

/* Names, since not every architecture has every call. */
static const char *const allowed[] = {
    /* memory; new executable pages are of files only: rules below */
    "brk", "madvise", "membarrier", "memfd_create", "mincore", "mlock", "mlock2", "mremap", "msync", "munlock", "munmap",
    /* threads and this process; new ones: rules below */
    "arch_prctl", "exit", "exit_group", "futex", "futex_time64", "futex_waitv", "get_robust_list", "getcpu", "getegid",
    "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getresgid", "getresuid",
    "getrlimit", "getrusage", "getsid", "gettid", "getuid", "rseq", "sched_get_priority_max", "sched_get_priority_min",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield", "set_robust_list", "set_tid_address",
    "sysinfo", "times", "umask", "uname",
    /* signals and time */
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday", "nanosleep", "pause",
    "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "setitimer", "sigaltstack", "signalfd4", "sigreturn", "time", "timerfd_create",
    "timerfd_gettime", "timerfd_settime",
    /* files; which of them may be written is Landlock's affair */
    "access", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate",
    "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents", "getdents64",
    "link", "linkat", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "pread64", "preadv", "pwrite64",
    "pwritev", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "stat", "statfs",
    "statx", "unlink", "unlinkat", "write", "writev",
    /* waiting, and talking on what is open */
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "getpeername", "getrandom",
    "getsockname", "getsockopt", "pipe", "pipe2", "poll", "ppoll", "pselect6", "recvfrom", "recvmsg", "select", "sendmsg",
    "sendto", "setsockopt", "shutdown", "socketpair",
};

/* Whoever calls these in such a process is not who was meant to run there. */
static const char *const deadly[] = {
    "execve",  "execveat", "kcmp",   "kexec_file_load", "kexec_load",   "init_module", "finit_module",
    "process_vm_readv", "process_vm_writev", "ptrace",  "process_madvise", "bpf", "userfaultfd",
};

static const int prctl_options[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP,
                                    PR_SET_VMA};

/* Is it a terminal; how much is there to read; do not block. None of them changes a device. */
static const unsigned long ioctl_requests[] = {TCGETS, FIONREAD, FIONBIO, FIOCLEX};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ------------------------------------------------------------------ what an argument must be */

static struct scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

static struct scmp_arg_cmp equal(unsigned argument, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};
}

/* The kernel looks at no more than 32 bits of it. */
static struct scmp_arg_cmp word(unsigned argument, uint32_t value)
{
    return masked(argument, UINT32_MAX, value);
}

/* ------------------------------------------------------------------ the rules */

/* 0, or a negative errno. A call that this architecture does not have needs no rule. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count, const struct scmp_arg_cmp *args)
{
    const int number = seccomp_syscall_resolve_name(name);

    return number < 0 ? 0 : seccomp_rule_add_array(filter, action, number, count, args);
}

static int add_all(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add(filter, action, names[i], 0, NULL);
    return rc;
}

/* Pages are written or executed, never both, and what was written is not made executable. A library is mapped executable
 * when it is loaded. */
static int add_memory(scmp_filter_ctx filter)
{
    static const char *const maps[] = {"mmap", "mmap2"};
    const struct scmp_arg_cmp not_executable = masked(2, PROT_EXEC, 0);
    const struct scmp_arg_cmp of_a_file[] = {
        masked(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
        masked(3, MAP_ANONYMOUS, 0),
    };
    int rc = add(filter, SCMP_ACT_ALLOW, "mprotect", 1, &not_executable);

    for (size_t i = 0; i < COUNT(maps) && rc == 0; i++) {
        rc = add(filter, SCMP_ACT_ALLOW, maps[i], 1, &not_executable);
        if (rc == 0)
            rc = add(filter, SCMP_ACT_ALLOW, maps[i], 2, of_a_file);
    }
    return rc;
}

/* Threads, no processes. clone3 has its flags where a filter cannot look: the C library takes clone instead when there is
 * no clone3 (ENOSYS). */
static int add_threads(scmp_filter_ctx filter)
{
#ifdef __s390__ /* the flags come second there: clone(2) */
    const struct scmp_arg_cmp thread = masked(1, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
#else
    const struct scmp_arg_cmp thread = masked(0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
#endif
    const struct scmp_arg_cmp own = equal(0, (scmp_datum_t)getpid());
    int rc = add(filter, SCMP_ACT_ALLOW, "clone", 1, &thread);

    if (rc == 0)
        rc = add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
    if (rc == 0)
        rc = add(filter, SCMP_ACT_ALLOW, "tgkill", 1, &own); /* raise(3), abort(3) */
    return rc;
}

/* Limits are read, not set: prlimit(2) with a NULL for the new ones. */
static int add_options(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp read_only = equal(2, 0);
    const struct scmp_arg_cmp of_this_process = equal(0, 0);
    int rc = add(filter, SCMP_ACT_ALLOW, "prlimit64", 2, (const struct scmp_arg_cmp[]){of_this_process, read_only});

    for (size_t i = 0; i < COUNT(prctl_options) && rc == 0; i++)
        rc = add(filter, SCMP_ACT_ALLOW, "prctl", 1,
                 (const struct scmp_arg_cmp[]){word(0, (uint32_t)prctl_options[i])});
    for (size_t i = 0; i < COUNT(ioctl_requests) && rc == 0; i++)
        rc = add(filter, SCMP_ACT_ALLOW, "ioctl", 1, (const struct scmp_arg_cmp[]){word(1, (uint32_t)ioctl_requests[i])});
    return rc;
}

/* What is opened to be read is not emptied: Landlock knows truncation from its third version on. Nor is a file opened to
 * others; a time is set of what is open. */
static int add_files(scmp_filter_ctx filter)
{
    static const struct {
        const char *name;
        unsigned flags; /* which argument they are */
    } opens[] = {{"open", 1}, {"openat", 2}};
    const struct scmp_arg_cmp own_mode = masked(1, 07777, S_IRUSR | S_IWUSR);
    const struct scmp_arg_cmp of_what_is_open = equal(1, 0);
    int rc = add(filter, SCMP_ACT_ALLOW, "fchmod", 1, &own_mode);

    if (rc == 0)
        rc = add(filter, SCMP_ACT_ALLOW, "utimensat", 1, &of_what_is_open);
    for (size_t i = 0; i < COUNT(opens) && rc == 0; i++) {
        const struct scmp_arg_cmp kinds[] = {
            masked(opens[i].flags, O_TRUNC, 0),
            masked(opens[i].flags, O_TRUNC | O_ACCMODE, O_TRUNC | O_WRONLY),
            masked(opens[i].flags, O_TRUNC | O_ACCMODE, O_TRUNC | O_RDWR),
        };

        for (size_t kind = 0; kind < COUNT(kinds) && rc == 0; kind++)
            rc = add(filter, SCMP_ACT_ALLOW, opens[i].name, 1, &kinds[kind]);
    }
    return rc;
}

static int add_domain(scmp_filter_ctx filter, int domain)
{
    return add(filter, SCMP_ACT_ALLOW, "socket", 1, (const struct scmp_arg_cmp[]){word(0, (uint32_t)domain)});
}

/* Always: datagrams to the system's log. They reach no service that does anything for who sends them. */
static int add_sockets(scmp_filter_ctx filter, enum config_sandbox sandbox)
{
    const struct scmp_arg_cmp datagrams[] = {
        word(0, AF_UNIX),
        masked(1, 0xf, SOCK_DGRAM),
    };
    int rc;

    if (sandbox == CONFIG_SANDBOX_STRICT)
        return add(filter, SCMP_ACT_ALLOW, "socket", COUNT(datagrams), datagrams);
    rc = add_domain(filter, AF_UNIX);
    if (rc == 0)
        rc = add(filter, SCMP_ACT_ALLOW, "connect", 0, NULL);
    if (rc != 0 || sandbox == CONFIG_SANDBOX_SOCKETS)
        return rc;
    rc = add_domain(filter, AF_INET);
    if (rc == 0)
        rc = add_domain(filter, AF_INET6);
    if (rc == 0)
        rc = add(filter, SCMP_ACT_ALLOW, "sendmmsg", 0, NULL); /* the resolver */
    return rc == 0 ? add(filter, SCMP_ACT_ALLOW, "recvmmsg", 0, NULL) : rc;
}

static int fill(scmp_filter_ctx filter, enum config_sandbox sandbox)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (rc == 0)
        rc = add_all(filter, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
    if (rc == 0)
        rc = add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
    if (rc == 0)
        rc = add_memory(filter);
    if (rc == 0)
        rc = add_threads(filter);
    if (rc == 0)
        rc = add_options(filter);
    if (rc == 0)
        rc = add_files(filter);
    return rc == 0 ? add_sockets(filter, sandbox) : rc;
}

enum error_code filter_install(enum config_sandbox sandbox, struct error *err)
{
    scmp_filter_ctx filter;
    int rc = -ENOMEM;

    if (sandbox == CONFIG_SANDBOX_OFF)
        return ERROR_NONE;
    filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter) {
        rc = fill(filter, sandbox);
        if (rc == 0)
            rc = seccomp_load(filter);
        seccomp_release(filter);
    }
    if (rc == 0)
        return ERROR_NONE;
    return error_set(err, ERROR_INTERNAL,
                     _("The process cannot protect itself (%s): %s. It does not serve; [agent] sandbox = off would."),
                     "seccomp", fork_safe_error(-rc));
}

bool filter_is_available(void)
{
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}
