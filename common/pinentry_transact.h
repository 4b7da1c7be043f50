/*
 * pinentry_transact: one command to pinentry, and everything that it answers up to OK or ERR.
 *
 * In the place of assuan_transact, which takes an ERR without a number, or with 0, for success: here only an OK is one.
 * Owner: none. Thread rule: whoever has the context; its waits are bounded by the context's own reads and writes.
 */
#ifndef PINWARD_COMMON_PINENTRY_TRANSACT_H
#define PINWARD_COMMON_PINENTRY_TRANSACT_H

#include <assuan.h>

/* What is done with what comes before the OK; NULL: data and inquiries are errors, status lines are passed over. */
struct pinentry_listener {
    gpg_error_t (*take_data)(void *of, const void *data, size_t len);
    gpg_error_t (*take_inquiry)(void *of, const char *line); /* answers with assuan_send_data */
    gpg_error_t (*take_status)(void *of, const char *line);
    void *of;
};

/* 0: pinentry said OK. Else its error, the connection's or a listener's. */
gpg_error_t pinentry_transact(assuan_context_t ctx, const char *command, const struct pinentry_listener *listener);

#endif
