/*
 * tool_stop_at_end: preloaded into the tool by a test, it stops the process (SIGSTOP) when it has done everything and is
 * about to end, so that the test can read what is left in its memory. The programs that the tool starts are not stopped.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static void stop(void)
{
    prctl(PR_SET_DUMPABLE, 1); /* the tool forbids what the test is here for */
    raise(SIGSTOP);
}

/* Registered before the tool and its libraries register anything, so it is called after all of theirs. */
__attribute__((constructor)) static void stop_at_end(void)
{
    if (strcmp(program_invocation_short_name, "pinward") == 0) {
        (void)atexit(stop);
    }
}
