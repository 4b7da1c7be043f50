/*
 * interrupt: what SIGINT (Ctrl-C), SIGTERM and SIGHUP do to a run: it ends soon, in good order where it can, and
 * says what is left to do.
 *
 * A thread waits for the signals; all others have them blocked, so that no code of a library is interrupted in the
 * middle. The first signal ends the programs that this one waits for (a pinentry, a captcha-command) and makes
 * interrupt_fd readable; the run then unwinds like after any other failure. When it has not ended within two seconds,
 * or at a second signal, or at once while it is in a call that nothing can break off (the generation of a key), the
 * process ends where it stands. That is safe: it is what the journals are for.
 * Owner: the process has one. Thread rule: every function may be called from any thread.
 */
#ifndef PINWARD_ENROLL_INTERRUPT_H
#define PINWARD_ENROLL_INTERRUPT_H

#include <stdbool.h>

#include "common/error.h"

/* Begins to watch. Call before there is another thread. end, on a thread of its own, says on stderr and to programs how
 * the run ended when it is ended where it stands. A signal that was ignored stays so. false: no thread for it. */
bool interrupt_begin(void (*end)(void *context, const struct error *err), void *context);

/* The run is over: no signal changes any more how it ended. */
void interrupt_settle(void);

bool interrupt_seen(void);

/* Readable once interrupted; -1: nobody watches. */
int interrupt_fd(void);

/* false: interrupted meanwhile. */
bool interrupt_sleep(unsigned ms);

/* Waits until fd can be read; false: interrupted meanwhile. */
bool interrupt_wait(int fd);

/* What is left to do if the run is interrupted now: a translated sentence that lives as long as the process. NULL: run
 * the same command again. */
void interrupt_left(const char *sentence);

/* Between true and false the process is in a call that cannot be broken off. */
void interrupt_at_once(bool at_once);

/* Sets ERROR_INTERRUPTED and the sentence. */
enum error_code interrupt_error(struct error *err);

#endif
