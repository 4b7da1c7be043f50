#include "pkcs11-module/agent/prompters.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "pkcs11-module/agent/peer.h"
#include "pkcs11-module/agent/prompt_wire.h"

/* Links of one user's, those included that have said nothing yet. */
#define LINKS_OF_USER 8

static struct prompters_row *find_offered(const struct prompters *prompters, uid_t uid)
{
    for (size_t i = 0; i < PROMPTERS_MAX; i++)
        if (prompters->rows[i].used && prompters->rows[i].offered && prompters->rows[i].uid == uid)
            return (struct prompters_row *)&prompters->rows[i];
    return NULL;
}

/* A free row, if this user may have one more. */
static struct prompters_row *find_free(struct prompters *prompters, uid_t uid)
{
    struct prompters_row *free_row = NULL;
    size_t links = 0;

    for (size_t i = 0; i < PROMPTERS_MAX; i++) {
        links += prompters->rows[i].used && prompters->rows[i].uid == uid;
        if (!prompters->rows[i].used && !free_row)
            free_row = &prompters->rows[i];
    }
    return links < LINKS_OF_USER ? free_row : NULL;
}

static void drop(struct prompters_row *row)
{
    if (row->offered)
        log_info("the prompter of uid %lu has gone", (unsigned long)row->uid);
    close(row->link);
    *row = (struct prompters_row){.used = false};
}

void prompters_take(struct prompters *prompters, int listening, const struct service *service)
{
    const int link = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct prompters_row *row;
    struct peer peer;

    if (link < 0)
        return;
    if (peer_look(link, -1, &peer)) {
        row = service_admits(service, peer.uid) ? find_free(prompters, peer.uid) : NULL;
        if (row)
            *row = (struct prompters_row){.used = true, .link = link, .uid = peer.uid};
        else
            log_warning("a prompter of uid %lu was refused", (unsigned long)peer.uid);
        peer_clear(&peer);
        if (row)
            return;
    }
    close(link);
}

size_t prompters_wait_for(const struct prompters *prompters, struct pollfd *on)
{
    size_t count = 0;

    for (size_t i = 0; i < PROMPTERS_MAX; i++)
        if (prompters->rows[i].used)
            on[count++] = (struct pollfd){.fd = prompters->rows[i].link, .events = POLLIN};
    return count;
}

/* It speaks once; a second word, or none, ends it. */
static bool take_offer(struct prompters *prompters, struct prompters_row *row)
{
    struct prompt_message message;
    int fd;

    if (!prompt_wire_receive(row->link, &message, &fd))
        return false;
    if (fd >= 0)
        close(fd);
    if (message.kind != PROMPT_OFFER || row->offered)
        return false;
    if (find_offered(prompters, row->uid)) {
        (void)prompt_wire_send(row->link, PROMPT_DOUBLE, NULL, -1);
        return false;
    }
    if (!prompt_wire_send(row->link, PROMPT_TAKEN, NULL, -1))
        return false;
    row->environment = message.environment;
    row->offered = true;
    log_info("questions to uid %lu are put by a prompter", (unsigned long)row->uid);
    return true;
}

void prompters_read(struct prompters *prompters, int link)
{
    for (size_t i = 0; i < PROMPTERS_MAX; i++) {
        struct prompters_row *row = &prompters->rows[i];

        if (row->used && row->link == link && !take_offer(prompters, row))
            drop(row);
    }
}

const char *prompters_locale(const struct prompters *prompters, uid_t uid)
{
    const struct prompters_row *row = find_offered(prompters, uid);

    return row && row->environment.lc_messages[0] ? row->environment.lc_messages : NULL;
}

/* The other end of the socket goes to the prompter, which hands it on to the pinentry: what is typed passes neither of them,
 * nor this process. */
bool prompters_ask(struct prompters *prompters, uid_t uid, int *fd, struct pinentry_environment *environment)
{
    struct prompters_row *row = find_offered(prompters, uid);
    int pair[2];
    bool sent;

    if (!row || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    sent = prompt_wire_send(row->link, PROMPT_QUESTION, NULL, pair[1]);
    close(pair[1]);
    if (!sent) {
        close(pair[0]);
        drop(row);
        return false;
    }
    *fd = pair[0];
    *environment = row->environment;
    return true;
}

void prompters_end(struct prompters *prompters)
{
    for (size_t i = 0; i < PROMPTERS_MAX; i++)
        if (prompters->rows[i].used)
            drop(&prompters->rows[i]);
}
