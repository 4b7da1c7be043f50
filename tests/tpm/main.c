/*
 * with-tpm PROGRAM [ARGUMENT...]: runs a program on a machine with a TPM of its own.
 *
 * The TPM is swtpm's, new each time; the broker (tpm_broker.h) lets the program and its children share it. They find it
 * through TPM2_PKCS11_TCTI. It goes when the program ends, or when with-tpm does. Exits as the program does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tpm/tpm_broker.h"

#define STATUS_NOT_RUN 125

#define CLIENTS_MAX    64

enum { WATCH_SIGNALS, WATCH_COMMANDS, WATCH_CONTROL, WATCH_CLIENTS };

/* A connection: swtpm's two sockets are one for commands, and one for control ("set locality"). */
struct client {
    int fd; /* -1 is a free place */
    bool control;
};

struct machine {
    char folder[sizeof "/tmp/pinward-tpm-XXXXXX"]; /* short: the path of a socket has 108 bytes (unix(7)) */
    pid_t swtpm;
    pid_t program;
    int tpm;
    int signals; /* signalfd(2) */
    int commands, control;
    struct client clients[CLIENTS_MAX];
    struct tpm_broker broker;
};

/* The children's signal mask is empty, and they end with us. */
static void begin_child(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool start_swtpm(struct machine *machine)
{
    char state[64], number[16];
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    snprintf(state, sizeof state, "dir=%s", machine->folder);
    snprintf(number, sizeof number, "%d", pair[1]);
    machine->tpm = pair[0];
    machine->swtpm = fork();
    if (machine->swtpm == 0) {
        begin_child();
        fcntl(pair[1], F_SETFD, 0);
        execlp("swtpm", "swtpm", "socket", "--tpm2", "--fd", number, "--tpmstate", state, "--log", "level=0", "--flags",
               "not-need-init,startup-clear", (char *)NULL);
        perror("swtpm");
        _exit(STATUS_NOT_RUN);
    }
    close(pair[1]);
    return machine->swtpm > 0;
}

static int listen_at(const struct machine *machine, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", machine->folder, name);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || listen(fd, CLIENTS_MAX) < 0)
        return -1;
    return fd;
}

static bool start(struct machine *machine)
{
    sigset_t signals;

    for (size_t i = 0; i < CLIENTS_MAX; i++)
        machine->clients[i].fd = -1;
    strcpy(machine->folder, "/tmp/pinward-tpm-XXXXXX");
    if (!mkdtemp(machine->folder))
        return false;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    machine->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    machine->commands = listen_at(machine, "tpm");
    machine->control = listen_at(machine, "tpm.ctrl");
    return machine->signals >= 0 && machine->commands >= 0 && machine->control >= 0 && start_swtpm(machine) &&
           tpm_forgive_wrong_secrets(machine->tpm) && tpm_broker_init(&machine->broker, machine->tpm);
}

static bool run(struct machine *machine, char **program)
{
    char where[64];

    snprintf(where, sizeof where, "swtpm:path=%s/tpm", machine->folder);
    setenv("TPM2_PKCS11_TCTI", where, 1);
    machine->program = fork();
    if (machine->program == 0) {
        begin_child();
        execv(program[0], program);
        perror(program[0]);
        _exit(STATUS_NOT_RUN);
    }
    return machine->program > 0;
}

/* ------------------------------------------------------------------ serving */

static void watch(const struct machine *machine, struct pollfd watched[WATCH_CLIENTS + CLIENTS_MAX])
{
    watched[WATCH_SIGNALS] = (struct pollfd){.fd = machine->signals, .events = POLLIN};
    watched[WATCH_COMMANDS] = (struct pollfd){.fd = machine->commands, .events = POLLIN};
    watched[WATCH_CONTROL] = (struct pollfd){.fd = machine->control, .events = POLLIN};
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        watched[WATCH_CLIENTS + i] = (struct pollfd){.fd = machine->clients[i].fd, .events = POLLIN};
}

static void accept_client(struct machine *machine, int listening, bool control)
{
    const int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

    for (size_t i = 0; fd >= 0 && i < CLIENTS_MAX; i++) {
        if (machine->clients[i].fd < 0) {
            machine->clients[i] = (struct client){.fd = fd, .control = control};
            return;
        }
    }
    close(fd);
}

/* Whatever is asked for is granted: the locality does not matter here. */
static bool answer_control(int fd)
{
    static const unsigned char success[4];
    unsigned char request[64];

    return recv(fd, request, sizeof request, 0) > 0 &&
           send(fd, success, sizeof success, MSG_NOSIGNAL) == sizeof success;
}

/* Something has come from a client. false when the TPM has gone. */
static bool answer(struct machine *machine, struct client *client)
{
    struct tpm_message command, response;
    bool stays;

    if (client->control) {
        stays = answer_control(client->fd);
    } else {
        stays = tpm_receive(client->fd, &command);
        if (stays && !tpm_broker_carry_out(&machine->broker, &command, &response))
            return false;
        stays = stays && tpm_send(client->fd, &response);
    }
    if (!stays) {
        close(client->fd);
        client->fd = -1;
    }
    return true;
}

/* true when the program has ended, with its status. Whoever wants an end of with-tpm has one of the program. */
static bool has_ended(struct machine *machine, int *status)
{
    struct signalfd_siginfo signal;

    while (read(machine->signals, &signal, sizeof signal) > 0)
        if (signal.ssi_signo != SIGCHLD)
            kill(machine->program, (int)signal.ssi_signo);
    if (waitpid(machine->program, status, WNOHANG) != machine->program)
        return false;
    machine->program = 0;
    return true;
}

static bool serve(struct machine *machine, int *status)
{
    struct pollfd watched[WATCH_CLIENTS + CLIENTS_MAX];

    for (;;) {
        watch(machine, watched);
        if (poll(watched, WATCH_CLIENTS + CLIENTS_MAX, -1) < 0 && errno != EINTR)
            return false;
        if (watched[WATCH_SIGNALS].revents && has_ended(machine, status))
            return true;
        for (size_t i = 0; i < CLIENTS_MAX; i++)
            if (watched[WATCH_CLIENTS + i].revents && !answer(machine, &machine->clients[i]))
                return false;
        if (watched[WATCH_COMMANDS].revents)
            accept_client(machine, machine->commands, false);
        if (watched[WATCH_CONTROL].revents)
            accept_client(machine, machine->control, true);
    }
}

/* ------------------------------------------------------------------ the end */

static void end_child(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

static void remove_file(const struct machine *machine, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", machine->folder, name);
    unlink(path);
}

static void stop(struct machine *machine)
{
    end_child(machine->program);
    end_child(machine->swtpm);
    for (size_t i = 0; i < 4; i++)
        remove_file(machine, (const char *[]){"tpm", "tpm.ctrl", "tpm2-00.permall", ".lock"}[i]);
    rmdir(machine->folder);
}

int main(int argc, char **argv)
{
    static struct machine machine;
    int status = -1;
    bool good;

    if (argc < 2) {
        fputs("usage: with-tpm PROGRAM [ARGUMENT...]\n", stderr);
        return STATUS_NOT_RUN;
    }
    good = start(&machine) && run(&machine, argv + 1) && serve(&machine, &status);
    stop(&machine);
    if (!good)
        fputs("with-tpm: the TPM could not be started, or has gone\n", stderr);
    if (!good || !WIFEXITED(status))
        return STATUS_NOT_RUN;
    return WEXITSTATUS(status);
}
