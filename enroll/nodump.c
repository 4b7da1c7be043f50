#include "enroll/nodump.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void nodump_install(void)
{
    const struct rlimit none = {0};

    /* Where cores go to a program (core_pattern, core(5)), the limit of 0 does not count; not being dumpable does. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
}
