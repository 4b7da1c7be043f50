/*
 * prompters: the service's end of its links to the prompters (prompter.h), by which a question reaches the display of the
 * user whose key is to be used.
 *
 * A user's first prompter is asked until it ends: one that comes later, started by who knows what, does not take its
 * place. Whose a link is says the kernel (unix(7), SO_PEERCRED).
 * Owner: struct prompters is the listener's, zeroed before use. Thread rule: one thread, which nothing here makes wait.
 */
#ifndef PINWARD_AGENT_PROMPTERS_H
#define PINWARD_AGENT_PROMPTERS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/pinentry_environment.h"
#include "pkcs11-module/agent/service.h"

#define PROMPTERS_MAX 256

struct prompters_row {
    bool used;
    bool offered; /* it has said where questions appear */
    int link;
    uid_t uid;
    struct pinentry_environment environment;
};

struct prompters {
    struct prompters_row rows[PROMPTERS_MAX];
};

/* Takes the connection that waits at the socket, if the service admits its user. */
void prompters_take(struct prompters *prompters, int listening, const struct service *service);

/* Adds the links to what is waited for; returns how many. */
size_t prompters_wait_for(const struct prompters *prompters, struct pollfd *on);

/* Reads what has come at the link, or notes that it has gone. */
void prompters_read(struct prompters *prompters, int link);

/* The locale of the user's prompter, or NULL. */
const char *prompters_locale(const struct prompters *prompters, uid_t uid);

/* Has a pinentry started where this user is. *fd: the socket to it. false: nobody is there. */
bool prompters_ask(struct prompters *prompters, uid_t uid, int *fd, struct pinentry_environment *environment);

void prompters_end(struct prompters *prompters);

#endif
