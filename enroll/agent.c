#include "enroll/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/agent_place.h"
#include "common/i18n.h"

#define AGENT_ANSWER_TIMEOUT_MS 5000
#define AGENT_STOP_TIMEOUT_MS   10000
#define AGENT_STOP_STEP_MS      50

char *agent_socket(void)
{
    static const char prefix[] = "unix:path=";
    const char *address = getenv("P11_KIT_SERVER_ADDRESS");

    /* p11-kit reads %xx in it as a byte; an agent's own address has none. */
    if (address && strncmp(address, prefix, sizeof prefix - 1) == 0 && !strpbrk(address, "%;")) {
        return strdup(address + sizeof prefix - 1);
    }
    return agent_place_socket();
}

static enum error_code agent_none(const char *path, struct error *err)
{
    if (!path) {
        return error_set(err, ERROR_STATE,
                         _("There is no pinward-agent, and no place for one: XDG_RUNTIME_DIR is not set."));
    }
    return error_set(err, ERROR_STATE,
                     _("No pinward-agent runs at %s. Start it with systemctl --user start pinward-agent.socket, or run "
                       "pinward-agent."),
                     path);
}

static enum error_code agent_connect(int *connection, struct error *err)
{
    char *path = agent_socket();
    char *control = path ? agent_place_control(path) : NULL;
    struct sockaddr_un address;
    enum error_code status = ERROR_NONE;
    int fd = -1;

    if (control && agent_place_address(control, &address)) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        status = agent_none(path, err);
        if (fd >= 0) {
            close(fd);
        }
    } else {
        *connection = fd;
    }
    free(control);
    free(path);
    return status;
}

/* All that the agent answers, on the heap; empty when it stalls. */
static char *agent_read_all(int fd)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    char chunk[4096];
    ssize_t n;

    if (!out) {
        return NULL;
    }
    while (poll(&readable, 1, AGENT_ANSWER_TIMEOUT_MS) == 1 && (n = read(fd, chunk, sizeof chunk)) > 0) {
        fwrite(chunk, 1, (size_t)n, out);
    }
    return fclose(out) == 0 ? text : NULL;
}

static enum error_code agent_ask(const char *request, char **answer, struct error *err)
{
    enum error_code status;
    int fd;

    status = agent_connect(&fd, err);
    if (status != ERROR_NONE) {
        return status;
    }
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request)) {
        status = error_set(err, ERROR_IO, _("pinward-agent does not listen: %s."), strerror(errno));
    } else {
        *answer = agent_read_all(fd);
        status = *answer ? ERROR_NONE : error_set(err, ERROR_MEMORY, NULL);
    }
    close(fd);
    return status;
}

static bool agent_take_connection(struct agent_status *status, const char *value)
{
    struct agent_connection *more =
        realloc(status->connections, (status->count + 1) * sizeof *status->connections);
    long long since;
    int program = 0;

    if (!more) {
        return false;
    }
    status->connections = more;
    more += status->count;
    // NOLINTNEXTLINE(cert-err34-c): pinward-agent's own numbers; what is no number is refused
    if (sscanf(value, "%ld %ld %lld %n", &more->served_by, &more->client, &since, &program) != 3 || program == 0) {
        return false;
    }
    more->since = (time_t)since;
    more->program = strdup(value + program);
    status->count += more->program != NULL;
    return more->program != NULL;
}

/* One line of the answer; words that this version does not know are passed over. */
static bool agent_take_line(struct agent_status *status, const char *word, const char *value)
{
    char **text = strcmp(word, "socket") == 0       ? &status->socket
                  : strcmp(word, "version") == 0    ? &status->version
                  : strcmp(word, "protection") == 0 ? &status->protection
                                                    : NULL;

    if (text) {
        free(*text);
        *text = strdup(value);
        return *text != NULL;
    }
    if (strcmp(word, "pid") == 0) {
        status->pid = strtol(value, NULL, 10);
    } else if (strcmp(word, "uid") == 0) {
        status->uid = strtoul(value, NULL, 10);
    } else if (strcmp(word, "since") == 0) {
        status->since = (time_t)strtoll(value, NULL, 10);
    } else if (strcmp(word, "activated") == 0) {
        status->activated = strcmp(value, "yes") == 0;
    } else if (strcmp(word, "connection") == 0) {
        return agent_take_connection(status, value);
    }
    return true;
}

/* false: it is cut, or no answer of an agent's. */
static bool agent_parse(char *answer, struct agent_status *status)
{
    char *rest = NULL;

    for (char *line = strtok_r(answer, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *value = strchr(line, ' ');

        if (strcmp(line, "end") == 0) {
            return status->socket && status->version && status->protection && status->pid > 0;
        }
        if (!value) {
            return false;
        }
        *value++ = '\0';
        if (!agent_take_line(status, line, value)) {
            return false;
        }
    }
    return false;
}

enum error_code agent_ask_status(struct agent_status *status, struct error *err)
{
    struct agent_status taken = {0};
    char *answer = NULL;
    enum error_code code = agent_ask("status\n", &answer, err);

    if (code == ERROR_NONE && !agent_parse(answer, &taken)) {
        code = error_set(err, ERROR_PROTOCOL, _("What listens there does not answer as pinward-agent does."));
    }
    free(answer);
    if (code == ERROR_NONE) {
        *status = taken;
    } else {
        agent_status_clear(&taken);
    }
    return code;
}

void agent_status_clear(struct agent_status *status)
{
    for (size_t i = 0; i < status->count; i++) {
        free(status->connections[i].program);
    }
    free(status->connections);
    free(status->socket);
    free(status->version);
    free(status->protection);
    *status = (struct agent_status){0};
}

enum error_code agent_stop(struct error *err)
{
    char *answer = NULL;
    enum error_code status = agent_ask("stop\n", &answer, err);
    int fd;

    free(answer);
    if (status != ERROR_NONE) {
        return status;
    }
    for (int waited_ms = 0; waited_ms < AGENT_STOP_TIMEOUT_MS; waited_ms += AGENT_STOP_STEP_MS) {
        if (agent_connect(&fd, NULL) != ERROR_NONE) {
            return ERROR_NONE;
        }
        close(fd);
        (void)poll(NULL, 0, AGENT_STOP_STEP_MS);
    }
    return error_set(err, ERROR_TIMEOUT, _("pinward-agent was asked to stop and has not."));
}
