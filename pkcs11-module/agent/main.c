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

#include "common/agent_place.h"
#include "common/config.h"
#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/agent/endpoint.h"
#include "pkcs11-module/agent/harden.h"
#include "pkcs11-module/agent/listener.h"
#include "pkcs11-module/agent/prompter.h"
#include "pkcs11-module/agent/serve.h"
#include "pkcs11-module/agent/service.h"
#include "pkcs11-module/agent/service_starter.h"
#include "pkcs11-module/agent/service_user.h"
#include "pkcs11-module/agent/starter.h"
#include "pkcs11-module/agent/workers.h"

static int fail(const struct error *err)
{
    log_error("%s", error_text(err));
    fprintf(stderr, "pinward-agent: %s\n", error_text(err));
    return error_exit_code(err->code);
}

static int given(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

/* One connection, on the descriptors that the listener gave; arguments as workers.h says. It ends with the listener, however
 * that ends. */
static int main_connection(char *const arguments[])
{
    const char *listener = arguments[0];
    const bool service = arguments[1] != NULL;
    const struct serve_task task = {.connection = WORKERS_CONNECTION,
                                    .pidfd = given(WORKERS_PIDFD),
                                    .uid = service ? (uid_t)strtoul(arguments[1], NULL, 10) : geteuid(),
                                    .service = service,
                                    .memory = service ? given(WORKERS_MEMORY) : -1,
                                    .program = service ? arguments[2] : ""};
    struct error err = {0};

    if (fcntl(WORKERS_CONNECTION, F_SETFD, FD_CLOEXEC) != 0 || fcntl(WORKERS_CHANNEL, F_SETFD, FD_CLOEXEC) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || strtol(listener, NULL, 10) != (long)getppid()) {
        error_set(&err, ERROR_USAGE, _("%s is for pinward-agent's own use."), WORKERS_ARGUMENT);
        return fail(&err);
    }
    if (service)
        service_starter_use(WORKERS_CHANNEL);
    else
        starter_use(WORKERS_CHANNEL);
    return serve_connection(&task, &err) == ERROR_NONE ? EXIT_SUCCESS : fail(&err);
}

/* service: NULL for this user's own agent. */
static enum error_code main_listen(const char *path, const struct config *config, const struct service *service,
                                   struct error *err)
{
    struct endpoint endpoint;
    enum error_code status;

    (void)log_open(config, NULL); /* without a log the agent still works */
    status = endpoint_open(path, service != NULL, &endpoint, err);
    if (status != ERROR_NONE)
        return status;
    printf("P11_KIT_SERVER_ADDRESS=unix:path=%s\n", endpoint.path);
    fflush(stdout);
    status = listener_run(&endpoint, config, service, err);
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
        status = main_listen(path, &config, NULL, &err);
    config_clear(&config);
    return status == ERROR_NONE ? EXIT_SUCCESS : fail(&err);
}

/* root may make the folders of a machine without systemd; then it is root no more. */
static enum error_code main_become(const char *path, const struct config *config, struct error *err)
{
    char *folder = strdup(path ? path : AGENT_PLACE_SERVICE);
    char *slash = folder ? strrchr(folder, '/') : NULL;

    if (slash && slash != folder) {
        *slash = '\0';
        service_user_make_folder(config->service.user, folder, 0755);
    }
    free(folder);
    service_user_make_folder(config->service.user, config->service.folder, 0700);
    return service_user_become(config->service.user, err);
}

/* For several users. It hardens itself as the user that it becomes. */
static int main_service(const char *path)
{
    struct service service = {0};
    struct config config = {0};
    struct error err = {0};
    enum error_code status = config_load(&config, &err);

    if (status == ERROR_NONE)
        status = service_open(&config, &service, &err);
    if (status == ERROR_NONE)
        status = main_become(path, &config, &err);
    if (status == ERROR_NONE)
        status = harden_process(&err);
    if (status == ERROR_NONE)
        status = main_listen(path, &config, &service, &err);
    service_clear(&service);
    config_clear(&config);
    return status == ERROR_NONE ? EXIT_SUCCESS : fail(&err);
}

static int main_prompter(const char *path)
{
    struct config config = {0};
    struct error err = {0};
    enum error_code status = harden_process(&err);

    if (status == ERROR_NONE)
        status = config_load(&config, &err);
    if (status == ERROR_NONE)
        status = prompter_run(path ? path : AGENT_PLACE_SERVICE, &config, &err);
    config_clear(&config);
    return status == ERROR_NONE ? EXIT_SUCCESS : fail(&err);
}

static int usage(FILE *out, int status)
{
    fprintf(out, "%s", _("usage: pinward-agent [--service | --prompt] [--socket PATH]\n\n"
                         "Serves programs that load p11-kit-client.so at a socket, by default\n"
                         "$XDG_RUNTIME_DIR/pinward/agent.socket, or at the one that systemd gives.\n"
                         "`pinward agent status` says who is connected, `pinward agent stop` ends it.\n\n"
                         "--service  for the users that [service] clients names, as a user of its own\n"
                         "--prompt   puts the questions of that service in this session\n"));
    return status;
}

/* What is wanted, and where: main_agent, main_service or main_prompter, with --socket or without. */
static int main_run(int argc, char **argv)
{
    int (*run)(const char *path) = main_agent;

    if (argc > 1 && strcmp(argv[1], "--service") == 0)
        run = main_service;
    else if (argc > 1 && strcmp(argv[1], "--prompt") == 0)
        run = main_prompter;
    if (run != main_agent) {
        argc--;
        argv++;
    }
    if (argc == 3 && strcmp(argv[1], "--socket") == 0)
        return run(argv[2]);
    return argc == 1 ? run(NULL) : usage(stderr, error_exit_code(ERROR_USAGE));
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    i18n_bind();
    if ((argc == 3 || argc == 5) && strcmp(argv[1], WORKERS_ARGUMENT) == 0)
        return main_connection(argv + 2);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("pinward-agent %s\n", PINWARD_VERSION) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, EXIT_SUCCESS);
    return main_run(argc, argv);
}
