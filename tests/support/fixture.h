/*
 * fixture: one token, one configuration, one scripted pinentry, and the module, for one test program.
 *
 * A test starts the module with the configuration it wants, opens a session, and ends with fixture_stop.
 * Nothing outside the fixture's folder is read or written. Owner: the test program's; usually one static
 * struct fixture. Thread rule: set-up from one thread.
 */
#ifndef PINWARD_TESTS_FIXTURE_H
#define PINWARD_TESTS_FIXTURE_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

#include "support/folder.h"

#define FIXTURE_TOKEN  "Test token"
#define FIXTURE_PIN    "739146-pin"
#define FIXTURE_SO_PIN "so-58201734"

struct fixture {
    char folder[FOLDER_PATH_MAX];
    void *library;         /* pinward-pkcs11.so */
    CK_FUNCTION_LIST *p11; /* its functions */
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session; /* of the test, opened by fixture_start */
};

/* Makes the folder, sets the environment, makes the token with the keys of the set (enum key_set), loads the
 * module. fixture_end undoes all of it. */
void fixture_begin(struct fixture *fx, unsigned key_set);
void fixture_end(struct fixture *fx);

/* The same without a token: folder, environment and module only. */
void fixture_begin_bare(struct fixture *fx);

/* Loads and unloads the module (fixture_begin does the first, fixture_end the second). */
void fixture_load(struct fixture *fx);
void fixture_unload(struct fixture *fx);

/* Writes the configuration: the fixture's backend, pinentry and log, then these lines (which begin in section
 * [module]). A line may override nothing: a key is given once. */
void fixture_configure(struct fixture *fx, const char *lines);

/* fixture_configure, C_Initialize, and an R/W session, not logged in. */
void fixture_start(struct fixture *fx, const char *lines);

/* The same, logged in with the PIN given by the application: without the grace of a login. */
void fixture_start_logged_in(struct fixture *fx, const char *lines);

/* C_Finalize when the module is initialised. As a cmocka teardown too. */
void fixture_stop(struct fixture *fx);

/* Another session on the token, of the same kind. */
CK_SESSION_HANDLE fixture_session(struct fixture *fx);

CK_RV fixture_login(struct fixture *fx, const char *pin);

/* The module's log so far, on the heap. */
char *fixture_log(struct fixture *fx);
void fixture_log_forget(struct fixture *fx);

/* Paths of what was built. */
const char *fixture_module_path(void);
const char *fixture_pinentry_path(void);

#endif
