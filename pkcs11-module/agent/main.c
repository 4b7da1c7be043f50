/* pinward-agent: the gate in processes of its own. Programs reach it through p11-kit's client module
 * (p11-kit-client.so) at the socket that it prints. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/config.h"
#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/agent/endpoint.h"
#include "pkcs11-module/agent/harden.h"
#include "pkcs11-module/agent/listener.h"
#include "pkcs11-module/agent/serve.h"
#include "pkcs11-module/agent/starter.h"
#include "pkcs11-module/agent/workers.h"

static int fail(const struct error *err)
{
    log_error("%s", error_text(err));
    fprintf(stderr, "pinward-agent: %s\n", error_text(err));
    return error_exit_code(err->code);
}

/* One connection, on the descriptors that the listener gave. It ends with the listener, however that ends. */
static int main_connection(const char *listener)
{
    const int pidfd = fcntl(WORKERS_PIDFD, F_SETFD, FD_CLOEXEC) == 0 ? WORKERS_PIDFD : -1;
    struct error err = {0};

    if (fcntl(WORKERS_CONNECTION, F_SETFD, FD_CLOEXEC) != 0 || fcntl(WORKERS_CHANNEL, F_SETFD, FD_CLOEXEC) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || strtol(listener, NULL, 10) != (long)getppid()) {
        error_set(&err, ERROR_USAGE, _("%s is for pinward-agent's own use."), WORKERS_ARGUMENT);
        return fail(&err);
    }
    starter_use(WORKERS_CHANNEL);
    return serve_connection(WORKERS_CONNECTION, pidfd, &err) == ERROR_NONE ? EXIT_SUCCESS : fail(&err);
}

static enum error_code main_listen(const char *path, const struct config *config, struct error *err)
{
    struct endpoint endpoint;
    enum error_code status;

    (void)log_open(config, NULL); /* without a log the agent still works */
    status = endpoint_open(path, &endpoint, err);
    if (status != ERROR_NONE)
        return status;
    printf("P11_KIT_SERVER_ADDRESS=unix:path=%s\n", endpoint.path);
    fflush(stdout);
    status = listener_run(&endpoint, config, err);
    endpoint_close(&endpoint);
    return status;
}

/* A configuration that is wrong is told now, not by every connection. */
static int main_agent(const char *path)
{
    struct config config = {0};
    struct error err = {0};
    enum error_code status = harden_process(&err);

    if (status == ERROR_NONE)
        status = config_load(&config, &err);
    if (status == ERROR_NONE)
        status = main_listen(path, &config, &err);
    config_clear(&config);
    return status == ERROR_NONE ? EXIT_SUCCESS : fail(&err);
}

static int usage(FILE *out, int status)
{
    fprintf(out, "%s", _("usage: pinward-agent [--socket PATH]\n\n"
                         "Serves programs that load p11-kit-client.so at a socket, by default\n"
                         "$XDG_RUNTIME_DIR/pinward/agent.socket, or at the one that systemd gives.\n"
                         "`pinward agent status` says who is connected, `pinward agent stop` ends it.\n"));
    return status;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    i18n_bind();
    if (argc == 3 && strcmp(argv[1], WORKERS_ARGUMENT) == 0)
        return main_connection(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("pinward-agent %s\n", PINWARD_VERSION) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, EXIT_SUCCESS);
    if (argc == 3 && strcmp(argv[1], "--socket") == 0)
        return main_agent(argv[2]);
    return argc == 1 ? main_agent(NULL) : usage(stderr, error_exit_code(ERROR_USAGE));
}
