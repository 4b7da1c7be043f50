#include "fixture.h"

#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 40

extern char **environ;

const char fixture_portal_program[] = PORTAL_PROGRAM;

/* Starts argv with its stdout in a pipe; -1: it cannot be started. */
static pid_t start(const char *const *argv, int *output_fd)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    int ends[2];

    if (pipe(ends) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    if (posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (pid < 0)
        close(ends[0]);
    else
        *output_fd = ends[0];
    return pid;
}

static int wait_exit(pid_t pid)
{
    int status = 0;

    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int fixture_run(char output[FIXTURE_OUTPUT_MAX], const char *const *argv)
{
    char dropped[FIXTURE_OUTPUT_MAX];
    char *to = output == NULL ? dropped : output;
    size_t len = 0;
    ssize_t got;
    int fd = -1;
    pid_t pid = start(argv, &fd);

    if (pid < 0)
        return -1;
    while (len < FIXTURE_OUTPUT_MAX - 1 && (got = read(fd, to + len, FIXTURE_OUTPUT_MAX - 1 - len)) > 0)
        len += (size_t)got;
    to[len] = '\0';
    close(fd);
    return wait_exit(pid);
}

int fixture_admin(const struct fixture *f, char output[FIXTURE_OUTPUT_MAX], const char *const *words)
{
    const char *argv[WORDS_MAX + 6] = {ADMIN_PROGRAM, "--data", f->data, "--test-mode", f->test};

    for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        argv[5 + i] = words[i];
    return fixture_run(output, argv);
}

/* The server has printed its line when it is ready; an end of file before that means it failed. */
static bool read_ready_line(int fd, struct fixture *f)
{
    char line[200] = "";
    size_t len = 0;
    unsigned port = 0;

    while (len < sizeof(line) - 1 && read(fd, line + len, 1) == 1 && line[len] != '\n')
        len++;
    if (sscanf(line, "listening on https://localhost:%u", &port) != 1)
        return false;
    f->port = (uint16_t)port;
    snprintf(f->url, sizeof(f->url), "https://localhost:%u", port);
    return true;
}

static bool start_server(struct fixture *f, const char *const *options)
{
    const char *argv[WORDS_MAX + 10] = {PORTAL_PROGRAM, "--data", f->data,
                                        "--port",       "0",      "--exit-with-parent"};
    size_t count = 6;
    bool ready;
    int fd = -1;

    if (!f->real) {
        argv[count++] = "--test-mode";
        argv[count++] = f->test;
    }
    for (size_t i = 0; options != NULL && i < WORDS_MAX && options[i] != NULL; i++)
        argv[count++] = options[i];
    f->pid = start(argv, &fd);
    if (f->pid < 0)
        return false;
    ready = read_ready_line(fd, f);
    close(fd);
    if (!ready)
        (void)wait_exit(f->pid);
    return ready;
}

int fixture_end_server(struct fixture *f, int signal_number)
{
    pid_t pid = f->pid;

    f->pid = -1;
    if (pid <= 0 || kill(pid, signal_number) != 0)
        return -1;
    return wait_exit(pid);
}

bool fixture_start(struct fixture *f, const char *name, const char *const *options)
{
    const char *init[] = {"init", NULL};
    char path[400];

    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "%s/run-%s-XXXXXX", TEST_DIR, name);
    if (mkdtemp(f->dir) == NULL)
        return false;
    snprintf(f->data, sizeof(f->data), "%s/data", f->dir);
    snprintf(f->test, sizeof(f->test), "%s/test", f->dir);
    if (mkdir(f->test, 0700) != 0 ||
        (mkdir(TEST_DIR "/exchanges", 0755) != 0 && access(TEST_DIR "/exchanges", W_OK) != 0))
        return false;
    snprintf(path, sizeof(path), "%s/exchanges/%s.jsonl", TEST_DIR, name);
    f->record = fopen(path, "we");
    return f->record != NULL && fixture_admin(f, NULL, init) == 0 && start_server(f, options);
}

bool fixture_restart(struct fixture *f, int signal_number, const char *const *options)
{
    (void)fixture_end_server(f, signal_number);
    return start_server(f, options);
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat;
    (void)type;
    (void)where;
    return remove(path);
}

bool fixture_stop(struct fixture *f)
{
    bool clean = fixture_end_server(f, SIGTERM) == 0;

    if (f->record != NULL)
        clean = fclose(f->record) == 0 && clean;
    (void)nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return clean;
}

void fixture_set_clock(const struct fixture *f, int64_t offset_s)
{
    char path[400];
    FILE *file;

    snprintf(path, sizeof(path), "%s/clock-offset", f->test);
    file = fopen(path, "we");
    if (file == NULL)
        return;
    fprintf(file, "%lld\n", (long long)offset_s);
    fclose(file);
}
