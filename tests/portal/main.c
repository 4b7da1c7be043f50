/* pinward-portal: the reference portal's server. Options, start-up, and waiting for the signal that ends it.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certificate_server.h"
#include "server.h"
#include "wiping_json.h"

struct options {
    const char *data_dir;
    const char *listen;
    const char *port_file;
    const char *certificate_port_file;
    const char *test_dir;
    uint16_t port;
    int certificate_port; /* -1: that listener is not wanted */
    bool approve_automatically;
    bool exit_with_parent;
    int64_t idle_limit_s;
};

static const char usage[] =
    "Usage: pinward-portal --data DIR [option...]\n"
    "Serves Pinward's reference portal over HTTPS until SIGTERM or SIGINT.\n"
    "\n"
    "  --data DIR            the folder that \"pinward-portal-admin --data DIR init\" made\n"
    "  --listen ADDRESS      numeric address to listen on (default 127.0.0.1)\n"
    "  --port N              port; 0 chooses a free one (default 8443)\n"
    "  --port-file FILE      write the port to FILE when ready\n"
    "  --certificate-port N  also serve, on this port, a page that shows whose client certificate it was\n"
    "                        opened with; 0 chooses a free port (default: no such page)\n"
    "  --certificate-port-file FILE\n"
    "                        write that port to FILE when ready\n"
    "  --approval MODE       automatic: issue at once (default); manual: wait for \"approve\"\n"
    "  --idle-limit SECONDS  end a session that is not used for so long (default 900)\n"
    "  --exit-with-parent    end when the process that started this one ends\n"
    "  --test-mode DIR       NOT FOR REAL USE: clock offset from DIR/clock-offset, captcha texts to "
    "DIR/captcha/\n"
    "  --help                this text\n";

static bool read_number(const char *text, long min, long max, long *out)
{
    char *end = NULL;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
        return false;
    *out = value;
    return true;
}

static enum error_code set_limits(struct options *o, int option, const char *value, struct error *err)
{
    long number = 0;

    switch (option) {
    case 'p':
    case 'P':
        if (!read_number(value, 0, 65535, &number))
            return error_set(err, ERROR_USAGE, "--%s is not a number from 0 to 65535; give one.",
                             option == 'p' ? "port" : "certificate-port");
        if (option == 'p')
            o->port = (uint16_t)number;
        else
            o->certificate_port = (int)number;
        return ERROR_NONE;
    case 'i':
        if (!read_number(value, 1, SESSION_LIFETIME_S, &number))
            return error_set(err, ERROR_USAGE,
                             "--idle-limit is not a number of seconds from 1 to 28800; give one.");
        o->idle_limit_s = number;
        return ERROR_NONE;
    default:
        return error_set(err, ERROR_USAGE, "An option is not known or has no value; see --help.");
    }
}

static enum error_code set_option(struct options *o, int option, const char *value, struct error *err)
{
    switch (option) {
    case 'd':
        o->data_dir = value;
        return ERROR_NONE;
    case 'l':
        o->listen = value;
        return ERROR_NONE;
    case 'f':
        o->port_file = value;
        return ERROR_NONE;
    case 't':
        o->test_dir = value;
        return ERROR_NONE;
    case 'x':
        o->exit_with_parent = true;
        return ERROR_NONE;
    case 'F':
        o->certificate_port_file = value;
        return ERROR_NONE;
    case 'a':
        o->approve_automatically = strcmp(value, "automatic") == 0;
        if (!o->approve_automatically && strcmp(value, "manual") != 0)
            return error_set(err, ERROR_USAGE,
                             "--approval is neither automatic nor manual; give one of them.");
        return ERROR_NONE;
    default:
        return set_limits(o, option, value, err);
    }
}

static enum error_code read_options(int argc, char **argv, struct options *o, struct error *err)
{
    static const struct option table[] = {
        {"data", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"port", required_argument, NULL, 'p'},
        {"port-file", required_argument, NULL, 'f'},
        {"approval", required_argument, NULL, 'a'},
        {"idle-limit", required_argument, NULL, 'i'},
        {"certificate-port", required_argument, NULL, 'P'},
        {"certificate-port-file", required_argument, NULL, 'F'},
        {"test-mode", required_argument, NULL, 't'},
        {"exit-with-parent", no_argument, NULL, 'x'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    enum error_code status = ERROR_NONE;
    int option;

    opterr = 0;
    while (status == ERROR_NONE && (option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        status = set_option(o, option, optarg, err);
    }
    if (status == ERROR_NONE && (optind < argc || o->data_dir == NULL))
        status = error_set(err, ERROR_USAGE,
                           "--data DIR is missing, or there is an argument too many; see --help.");
    return status;
}

/* The file appears whole or not at all. */
static enum error_code write_port_file(const char *path, uint16_t port, struct error *err)
{
    char temporary[4096];
    FILE *file = NULL;
    bool ok = false;

    if (snprintf(temporary, sizeof(temporary), "%s.new", path) < (int)sizeof(temporary))
        file = fopen(temporary, "we");
    if (file != NULL) {
        ok = fprintf(file, "%u\n", port) > 0;
        ok = fclose(file) == 0 && ok;
    }
    if (ok && rename(temporary, path) == 0)
        return ERROR_NONE;
    return error_set(err, ERROR_IO, "The port file %s cannot be written; choose another place.", path);
}

static enum error_code prepare_test_mode(const char *test_dir, struct error *err)
{
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/captcha", test_dir) >= (int)sizeof(path) ||
        (mkdir(path, 0700) != 0 && errno != EEXIST))
        return error_set(err, ERROR_IO, "The test folder %s cannot be used; create it first.", test_dir);
    fputs("pinward-portal: test mode: the clock can be set and captchas are told. NOT FOR REAL USE.\n",
          stderr);
    return ERROR_NONE;
}

/* Later, certificates and password sheets say where the portal is. */
static enum error_code record_address(const char *data_dir, const char *address, struct error *err)
{
    struct store *store = NULL;
    enum error_code status = store_open(data_dir, &store, err);

    if (status == ERROR_NONE && !store_setting_set(store, "address", address))
        status =
            error_set(err, ERROR_IO, "The database in %s cannot be written; check the folder.", data_dir);
    store_close(&store);
    return status;
}

/* Both listeners, and what others are to know of them. */
struct listeners {
    struct server *api;
    struct certificate_server *page; /* NULL: not wanted */
};

static enum error_code start_listeners(const struct portal *portal, const struct options *o,
                                       struct listeners *listeners, struct error *err)
{
    enum error_code status = server_start(portal, o->listen, o->port, &listeners->api, err);

    if (status != ERROR_NONE || o->certificate_port < 0)
        return status;
    status =
        certificate_server_start(portal, o->listen, (uint16_t)o->certificate_port, &listeners->page, err);
    if (status == ERROR_NONE && o->certificate_port_file != NULL)
        status = write_port_file(o->certificate_port_file, certificate_server_port(listeners->page), err);
    return status;
}

static enum error_code serve(const struct portal *portal, const struct options *o, const sigset_t *ends,
                             struct error *err)
{
    struct listeners listeners = {NULL, NULL};
    char address[64];
    enum error_code status = start_listeners(portal, o, &listeners, err);
    int signal_number = 0;

    if (status == ERROR_NONE) {
        snprintf(address, sizeof(address), "https://localhost:%u", server_port(listeners.api));
        status = record_address(o->data_dir, address, err);
    }
    if (status == ERROR_NONE && o->port_file != NULL)
        status = write_port_file(o->port_file, server_port(listeners.api), err);
    if (status == ERROR_NONE) {
        printf("listening on %s\n", address);
        fflush(stdout);
        (void)sigwait(ends, &signal_number);
    }
    certificate_server_stop(&listeners.page);
    server_stop(&listeners.api);
    return status;
}

static enum error_code run(const struct options *o, const sigset_t *ends, struct error *err)
{
    struct portal portal = {
        .data_dir = o->data_dir,
        .clock = {.test_dir = o->test_dir},
        .idle_limit_s = o->idle_limit_s,
        .approve_automatically = o->approve_automatically,
    };
    struct ca *ca = NULL;
    enum error_code status = ERROR_NONE;

    if (o->test_dir != NULL)
        status = prepare_test_mode(o->test_dir, err);
    if (status == ERROR_NONE && !password_hash_of_nobody(portal.nobody_hash))
        status = error_set(err, ERROR_MEMORY, "There is no memory to hash passwords; free some.");
    if (status == ERROR_NONE)
        status = ca_open(o->data_dir, &ca, err);
    portal.ca = ca;
    if (status == ERROR_NONE) {
        portal.ocsp_signer = ocsp_signer_new(ca);
        if (portal.ocsp_signer == NULL)
            status = error_set(err, ERROR_MEMORY, "There is no memory for the OCSP responder; free some.");
    }
    if (status == ERROR_NONE)
        status = serve(&portal, o, ends, err);
    ocsp_signer_free(&portal.ocsp_signer);
    ca_close(&ca);
    return status;
}

/* False: the parent is gone already. */
static bool tie_to_parent(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent;
}

/* Passwords and cookies pass through buffers of the libraries, which do not wipe them: what is freed is overwritten, and there
 * is no core. */
static void leave_nothing(void)
{
    const struct rlimit none = {0};

    (void)mallopt(M_PERTURB, 0xa5);
    (void)setrlimit(RLIMIT_CORE, &none);
}

int main(int argc, char **argv)
{
    struct options o = {.listen = "127.0.0.1",
                        .port = 8443,
                        .certificate_port = -1,
                        .approve_automatically = true,
                        .idle_limit_s = 900};
    pid_t parent = getppid();
    struct error err = {0};
    sigset_t ends;

    /* Blocked in every thread: the main thread alone takes them, by waiting for them. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    leave_nothing();
    wiping_json_install();
    if (sodium_init() < 0) {
        fputs("pinward-portal: libsodium cannot be started.\n", stderr);
        return 1;
    }
    if (read_options(argc, argv, &o, &err) == ERROR_NONE && (!o.exit_with_parent || tie_to_parent(parent)))
        (void)run(&o, &ends, &err);
    if (err.code == ERROR_NONE)
        return 0;
    fprintf(stderr, "pinward-portal: %s\n", error_text(&err));
    return error_exit_code(err.code);
}
