/*
 * progress: a line on the terminal that says what is being waited for, and for how long; nothing when stderr
 * is none.
 *
 * Only around waits in which nobody is asked for anything: a pinentry may be using the same terminal.
 * Owner: the caller (progress_begin/_end). Thread rule: it has a thread of its own between the two; one at a
 * time.
 */
#ifndef PINWARD_ENROLL_PROGRESS_H
#define PINWARD_ENROLL_PROGRESS_H

struct progress;

/* After a second without progress_end the line appears. NULL: there is no terminal, or no thread for it. */
struct progress *progress_begin(const char *text);

/* Takes the line away. NULL-safe. */
void progress_end(struct progress **progress);

#endif
