#include "pkcs11-module/agent/control.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "pkcs11-module/agent/harden.h"
#include "pkcs11-module/agent/peer.h"

#define REQUEST_MAX        32
#define REQUEST_TIMEOUT_MS 500

/* The request without its newline; "" when none comes. */
static void read_request(int fd, char request[REQUEST_MAX])
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    ssize_t n = 0;

    if (poll(&readable, 1, REQUEST_TIMEOUT_MS) == 1)
        n = recv(fd, request, REQUEST_MAX - 1, MSG_DONTWAIT);
    request[n > 0 ? n : 0] = '\0';
    request[strcspn(request, "\n")] = '\0';
}

/* A path may hold anything but must stay on its line. */
static void print_program(FILE *out, const char *program)
{
    for (; *program; program++)
        fputc((unsigned char)*program < 0x20 || *program == 0x7f ? '?' : *program, out);
    fputc('\n', out);
}

static void print_status(FILE *out, const struct control_facts *facts)
{
    char words[HARDEN_WORDS_SIZE];

    harden_words(facts->sandbox, words);
    fprintf(out, "version %s\npid %ld\nsince %lld\nsocket %s\nactivated %s\nprotection %s\n", PINWARD_VERSION,
            (long)getpid(), (long long)facts->since, facts->endpoint->path, facts->endpoint->activated ? "yes" : "no",
            words);
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        const struct worker *row = &facts->workers->rows[i];

        if (row->pid == 0)
            continue;
        fprintf(out, "connection %ld %ld %lld ", (long)row->pid, (long)row->client, (long long)row->since);
        print_program(out, row->program);
    }
    fprintf(out, "end\n");
}

static void send_status(int fd, const struct control_facts *facts)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return;
    print_status(out, facts);
    if (fclose(out) == 0)
        (void)send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    free(text);
}

bool control_answer(const struct control_facts *facts)
{
    const int fd = accept4(facts->endpoint->control, NULL, NULL, SOCK_CLOEXEC);
    char request[REQUEST_MAX] = "";
    struct peer peer;
    bool stop;

    if (fd < 0)
        return false;
    if (peer_look(fd, -1, &peer)) {
        if (peer.uid == geteuid())
            read_request(fd, request);
        peer_clear(&peer);
    }
    stop = strcmp(request, "stop") == 0;
    if (stop)
        log_info("the agent is asked to stop");
    if (strcmp(request, "status") == 0)
        send_status(fd, facts);
    close(fd);
    return stop;
}
