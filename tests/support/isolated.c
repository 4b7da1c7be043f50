#include "support/isolated.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

static char folder[] = "/tmp/pinward-isolated-XXXXXX"; /* the name of a socket is short */
static pid_t agent;

bool isolated(void)
{
    return getenv("PINWARD_TEST_ISOLATED") != NULL;
}

void isolated_lacks(const char *name, const char *what)
{
    if (!isolated())
        return;
    printf("skipped in isolated mode: %s: %s\n", name, what);
    skip();
}

const char *isolated_module(const char *module)
{
    if (!isolated())
        return module;
    return strcmp(getenv("PINWARD_TEST_ISOLATED"), "pinward-client") == 0 ? TEST_CLIENT : TEST_P11_CLIENT;
}

static void run_agent(int out, const char *socket)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(out, STDOUT_FILENO);
    setenv("ASAN_OPTIONS", "detect_leaks=0:intercept_tls_get_addr=0", 1); /* the agent's memory is nobody's to search */
    execl(TEST_AGENT, "pinward-agent", "--socket", socket, (char *)NULL);
    _exit(127);
}

void isolated_begin(void)
{
    char socket[sizeof folder + 16];
    char address[256];
    FILE *said;
    int out[2];

    if (!isolated())
        return;
    assert_non_null(mkdtemp(folder));
    snprintf(socket, sizeof socket, "%s/agent.socket", folder);
    assert_int_equal(pipe(out), 0);
    agent = fork();
    if (agent == 0)
        run_agent(out[1], socket);
    close(out[1]);
    said = fdopen(out[0], "r");
    assert_non_null(said);
    assert_non_null(fgets(address, sizeof address, said)); /* it listens */
    fclose(said);
    snprintf(address, sizeof address, "unix:path=%s", socket);
    assert_int_equal(setenv("P11_KIT_SERVER_ADDRESS", address, 1), 0);
}

void isolated_end(void)
{
    if (agent <= 0)
        return;
    kill(agent, SIGTERM);
    waitpid(agent, NULL, 0);
    agent = 0;
    rmdir(folder);
    strcpy(folder + sizeof folder - 7, "XXXXXX");
}
