/* A program forks while its threads work.
 *
 * AddressSanitizer (GCC 12, clang 14) hands a child the locks of its allocator as the parent's threads had them: the
 * child's first allocation may wait for ever. In such a build fork_among therefore waits until no thread works, which
 * proves less; the programs that use it run a second time from the release build, as plain.<name>. Any thread. */
#ifndef PINWARD_TESTS_FORK_AMONG_H
#define PINWARD_TESTS_FORK_AMONG_H

#include <sys/types.h>

/* What a thread does besides forking stands between these two; they do not nest. */
void fork_work_begin(void);
void fork_work_end(void);

/* fork(2), not between the two. */
pid_t fork_among(void);

#endif
