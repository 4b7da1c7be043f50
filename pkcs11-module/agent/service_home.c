#include "pkcs11-module/agent/service_home.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"

#define LOCALE_MAX 32

extern char **environ;

/* What decides where files are and how people are spoken to; the rest is the service's own environment. */
enum { HOME_OWN, HOME_STATE, HOME_SOFTHSM, HOME_SETTINGS, HOME_LOCALE, HOME_NAMES };
static const char *const names[HOME_NAMES] = {"HOME=", "XDG_STATE_HOME=", "SOFTHSM2_CONF=", "PINWARD_CONF=", "LC_ALL="};
static const char *const dropped[] = {"XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "XDG_RUNTIME_DIR=", "GPG_TTY=", "DISPLAY=",
                                      "WAYLAND_DISPLAY=", "DBUS_SESSION_BUS_ADDRESS=", "LANGUAGE="};

/* ------------------------------------------------------------------ the folder */

/* One that is there already must be the service's, and nobody else's to look into. */
static bool make_folder(const char *path)
{
    struct stat st;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return false;
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO))) {
        errno = EPERM;
        return false;
    }
    return true;
}

/* SoftHSM2 finds its store by this file alone. One that is there stays as it is. */
static bool make_softhsm(const char *folder, const char *conf)
{
    const int fd = open(conf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool written;

    if (fd < 0)
        return errno == EEXIST;
    written = dprintf(fd, "directories.tokendir = %s/tokens\nobjectstore.backend = file\nobjectstore.umask = 0077\n"
                          "log.level = ERROR\n",
                      folder) > 0;
    if (close(fd) == 0 && written)
        return true;
    (void)unlink(conf);
    return false;
}

static char *join(const char *first, const char *second)
{
    char *whole = NULL;

    return asprintf(&whole, "%s%s", first, second) < 0 ? NULL : whole;
}

static bool make_all(const char *folder)
{
    char *state = join(folder, "/state");
    char *tokens = join(folder, "/tokens");
    char *conf = join(folder, "/softhsm2.conf");
    const bool made = state && tokens && conf && make_folder(folder) && make_folder(state) && make_folder(tokens) &&
                      make_softhsm(folder, conf);

    free(state);
    free(tokens);
    free(conf);
    return made;
}

/* ------------------------------------------------------------------ the environment */

/* glibc makes a path of it: nothing that could lead elsewhere. */
static bool is_locale(const char *locale)
{
    static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@";
    const size_t len = locale ? strlen(locale) : 0;

    return len > 0 && len <= LOCALE_MAX && locale[0] != '.' && strspn(locale, fit) == len;
}

/* The user's own settings, SETTINGS's folder/users/NAME.conf, or without such a file those of the service. */
static char *settings_of(const struct service *service, uid_t uid)
{
    const char *slash = strrchr(service->settings, '/');
    char buffer[16384];
    struct passwd entry, *user = NULL;
    char *path = NULL;
    int n;

    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &user) == 0 && user && !strchr(user->pw_name, '/'))
        n = asprintf(&path, "%.*s/users/%s.conf", (int)(slash - service->settings), service->settings, user->pw_name);
    else
        n = asprintf(&path, "%.*s/users/%lu.conf", (int)(slash - service->settings), service->settings, (unsigned long)uid);
    if (n < 0)
        return NULL;
    if (access(path, F_OK) == 0 || errno != ENOENT) /* one that cannot be read is not passed over */
        return path;
    free(path);
    return strdup(service->settings);
}

static bool is_replaced(const char *variable, bool locale)
{
    for (size_t i = 0; i < HOME_NAMES; i++)
        if ((i != HOME_LOCALE || locale) && strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++)
        if (strncmp(variable, dropped[i], strlen(dropped[i])) == 0)
            return true;
    return false;
}

/* Takes the values' strings. NULL: no memory. */
static char **build(char *values[HOME_NAMES], bool locale)
{
    size_t count = 0, used = 0;
    char **environment;

    while (environ[count])
        count++;
    environment = calloc(count + HOME_NAMES + 1, sizeof *environment);
    for (size_t i = 0; environment && i < count; i++)
        if (!is_replaced(environ[i], locale) && (environment[used] = strdup(environ[i])))
            used++;
    for (size_t i = 0; i < HOME_NAMES; i++) {
        if (environment && values[i])
            environment[used++] = values[i];
        else
            free(values[i]);
    }
    return environment;
}

static char *assign(int name, const char *value, const char *below)
{
    char *text = NULL;

    return value && asprintf(&text, "%s%s%s", names[name], value, below) < 0 ? NULL : text;
}

static char **environment_of(const struct service *service, uid_t uid, const char *folder, const char *locale)
{
    char *settings = settings_of(service, uid);
    char *values[HOME_NAMES] = {assign(HOME_OWN, folder, ""), assign(HOME_STATE, folder, "/state"),
                                assign(HOME_SOFTHSM, folder, "/softhsm2.conf"), assign(HOME_SETTINGS, settings, ""),
                                assign(HOME_LOCALE, is_locale(locale) ? locale : NULL, "")};
    char **environment = NULL;

    free(settings);
    if (values[HOME_OWN] && values[HOME_STATE] && values[HOME_SOFTHSM] && values[HOME_SETTINGS])
        environment = build(values, is_locale(locale));
    else
        for (size_t i = 0; i < HOME_NAMES; i++)
            free(values[i]);
    return environment;
}

enum error_code service_home_open(const struct service *service, uid_t uid, const char *locale, char ***environment,
                                  struct error *err)
{
    char *folder = NULL;
    char **made = NULL;
    enum error_code status = ERROR_NONE;

    if (asprintf(&folder, "%s/%lu", service->folder, (unsigned long)uid) < 0)
        return error_set(err, ERROR_MEMORY, NULL);
    if (!make_all(folder)) {
        status = error_set(err, ERROR_IO, _("The folder %s of a user of the service cannot be used: %s."), folder,
                           fork_safe_error(errno));
    } else {
        made = environment_of(service, uid, folder, locale);
        status = made ? ERROR_NONE : error_set(err, ERROR_MEMORY, NULL);
    }
    free(folder);
    if (status == ERROR_NONE)
        *environment = made;
    return status;
}

void service_home_free(char **environment)
{
    for (char **each = environment; each && *each; each++)
        free(*each);
    free(environment);
}
