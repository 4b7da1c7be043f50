#include "common/agent_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *agent_place_socket(void)
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    char *path = NULL;

    /* The specification: a relative path in the variable is to be ignored. */
    if (!runtime || runtime[0] != '/' || asprintf(&path, "%s/pinward/agent.socket", runtime) < 0)
        return NULL;
    return path;
}

char *agent_place_control(const char *socket_path)
{
    char *path = NULL;

    return asprintf(&path, "%s.control", socket_path) < 0 ? NULL : path;
}

char *agent_place_prompt(const char *socket_path)
{
    char *path = NULL;

    return asprintf(&path, "%s.prompt", socket_path) < 0 ? NULL : path;
}

bool agent_place_address(const char *path, struct sockaddr_un *address)
{
    const size_t len = strlen(path);

    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (len >= sizeof address->sun_path)
        return false;
    memcpy(address->sun_path, path, len);
    return true;
}
