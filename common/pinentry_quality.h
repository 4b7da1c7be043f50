/*
 * pinentry_quality: the bar with which a pinentry shows how good a new PIN is, while it is typed: SETQUALITYBAR and the
 * INQUIRE QUALITY that follows each change. A pinentry without a bar is asked as if there were none.
 *
 * Owner: the struct is the caller's; the PIN in an inquiry is wiped. Thread rule: as libassuan's context.
 */
#ifndef PINWARD_COMMON_PINENTRY_QUALITY_H
#define PINWARD_COMMON_PINENTRY_QUALITY_H

#include <assuan.h>
#include <stddef.h>

struct pinentry_quality {
    /* 1 to 100; negative: it would be refused. */
    int (*percent)(const void *rules, const char *pin, size_t len);
    const void *rules;
};

/* An inquiry of the server during GETPIN, for pinentry_transact; data: a struct pinentry_quality, or NULL. */
gpg_error_t pinentry_quality_answer(assuan_context_t ctx, const struct pinentry_quality *quality, const char *line);

#endif
