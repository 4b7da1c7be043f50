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

/* everything: of a service's connections, those of other users too. */
static void print_status(FILE *out, const struct control_facts *facts, uid_t uid, bool everything)
{
    char words[HARDEN_WORDS_SIZE];

    harden_words(facts->sandbox, words);
    fprintf(out, "version %s\npid %ld\nuid %lu\nsince %lld\nsocket %s\nactivated %s\nprotection %s\n", PINWARD_VERSION,
            (long)getpid(), (unsigned long)geteuid(), (long long)facts->since, facts->endpoint->path, facts->endpoint->activated ? "yes" : "no",
            words);
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        const struct worker *row = &facts->workers->rows[i];

        if (row->pid == 0 || (!everything && row->uid != uid))
            continue;
        fprintf(out, "connection %ld %ld %lld ", (long)row->pid, (long)row->client, (long long)row->since);
        print_program(out, row->program);
    }
    fprintf(out, "end\n");
}

static void send_status(int fd, const struct control_facts *facts, uid_t uid, bool everything)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return;
    print_status(out, facts, uid, everything);
    if (fclose(out) == 0)
        (void)send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    free(text);
}

/* Who runs the agent, and of a service root and those whom it serves: these see what is theirs, and do not end it. */
static bool may_ask(const struct service *service, uid_t uid)
{
    return uid == geteuid() || (service && (uid == 0 || service_admits(service, uid)));
}

static bool may_all(const struct service *service, uid_t uid)
{
    return uid == geteuid() || (service && uid == 0);
}

bool control_answer(const struct control_facts *facts)
{
    const struct service *service = facts->workers->service;
    const int fd = accept4(facts->endpoint->control, NULL, NULL, SOCK_CLOEXEC);
    char request[REQUEST_MAX] = "";
    struct peer peer;
    uid_t uid = (uid_t)-1;
    bool stop;

    if (fd < 0)
        return false;
    if (peer_look(fd, -1, &peer)) {
        uid = peer.uid;
        if (may_ask(service, uid))
            read_request(fd, request);
        peer_clear(&peer);
    }
    stop = strcmp(request, "stop") == 0 && may_all(service, uid);
    if (stop)
        log_info("the agent is asked to stop");
    if (strcmp(request, "status") == 0)
        send_status(fd, facts, uid, may_all(service, uid));
    close(fd);
    return stop;
}
