/*
 * p11_kit_modules: the modules that are registered in p11-kit, told from its files as pkcs11.conf(5) has them: those of
 * packages, then of this machine, then of the user, each completing or changing the one of the same name before it. As for
 * p11-kit itself, root has none of his own.
 *
 * Owner: the list is the caller's, ended with p11_kit_modules_free. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_P11_KIT_MODULES_H
#define PINWARD_ENROLL_P11_KIT_MODULES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct p11_kit_module {
    char name[NAME_MAX + 1]; /* of its files, with .module */
    char file[PATH_MAX];     /* the one that says which library it is */
    char library[PATH_MAX];  /* links resolved; "": none is named, or it is not there */
    bool restricted;         /* to some programs, by enable-in */
    struct p11_kit_module *next;
};

/* NULL also when there is no memory. */
struct p11_kit_module *p11_kit_modules_list(void);
void p11_kit_modules_free(struct p11_kit_module **list);

/* Where a file changes what is registered: the user's folder, for root this machine's. false: there is none. */
bool p11_kit_modules_own_folder(char folder[PATH_MAX]);

#endif
