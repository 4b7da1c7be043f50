/*
 * client: the programs that were driven through the module, and what of them a user wants to know.
 *
 * Files: client_table.c (the data, which docs/clients.md tells too; tests/clients/table compares), client.c (the program
 * as it is installed here). Owner: all is constant. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_CLIENT_H
#define PINWARD_ENROLL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* How a program comes to the module. */
enum client_way {
    CLIENT_TOLD,    /* by an option or a setting of its own */
    CLIENT_P11_KIT, /* p11-kit names it */
    CLIENT_ENGINE,  /* OpenSSL's engine pkcs11: PKCS11_MODULE_PATH, else p11-kit */
};

/* How many windows one use costs with prompt = module and the default login-grace, as the program's test counts them. */
struct client_use {
    const char *program;
    const char *use;
    unsigned prompts;
};

/* The texts are msgids. */
struct client {
    const char *title;
    const char *const *programs; /* names; ended by NULL */
    const char *package;         /* whose version counts; NULL: that of the program's own package */
    const char *tested;          /* what that version begins with, behind its epoch, where it was tested */
    enum client_way way;
    const char *told;            /* CLIENT_TOLD: a command line or a setting; %s stands for the module's path */
    const char *mode;            /* why prompt = module suits it */
    const char *refusal;         /* what it does when the user refuses */
    const char *limits;          /* NULL: none known */
    const struct client_use *uses; /* ended by one without a program */
};

/* What holds for a program that is not in the table; it has no programs and no uses. */
extern const struct client client_unknown;

/* Ended by one without a title. */
extern const struct client client_table[];

/* The client that a program is of, by name or path; client_unknown when it is in nobody's list. */
const struct client *client_find(const char *program);

/* Where the program is: a path as it is, a name as PATH has it, else as root's has it (openvpn); links resolved. The caller
 * frees it; NULL: it is not there. */
char *client_path(const char *program);

#define CLIENT_VERSION_MAX 256

/* The Debian package and its version, as "openssl 3.0.22-1". path: of the program, NULL when it is not there. false: it
 * is of no package, or dpkg-query does not answer. */
bool client_version(const struct client *client, const char *path, char version[CLIENT_VERSION_MAX]);

/* Is that the version that was tested? */
bool client_version_is_tested(const struct client *client, const char *version);

#endif
