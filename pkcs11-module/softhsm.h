/*
 * softhsm: what SoftHSM2 2.6 needs its caller to see to, so that its faults stop at the gate.
 *
 * Its file token.object is rewritten at every login and every wrong PIN. The writer truncates it under a lock (fcntl),
 * gives the lock up, and only then, when the stdio buffer is flushed by fclose, do the bytes follow
 * (ObjectFile::writeAttributes, File::unlock). Meanwhile others read an empty file: a process that starts then does not
 * see the token; one that has it open answers CKR_GENERAL_ERROR, and if a second writer takes the empty file for the
 * state of things, the generation number in it begins anew and the first may not look again before C_Finalize. So
 * every call that reads or writes that file is made under a lock of the gate's own, which all processes of the user
 * share.
 *
 * Owner: the list with the guards is this room's; the path of the lock is set by softhsm_guard.
 * Thread rule: softhsm_guard under the runtime's lifecycle lock; the guards from any thread. The lock is held during a
 *   call to the backend, never while the user is asked.
 */
#ifndef PINWARD_MODULE_SOFTHSM_H
#define PINWARD_MODULE_SOFTHSM_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

/* Is the library at this path SoftHSM2? By its file's name, since a module says who it is only once it is
 * initialised. */
bool softhsm_is(const char *path);

/* false, with a line in the log: in a setuid program SoftHSM2 would take its configuration, and so the files that it
 * writes, from who started it (it reads SOFTHSM2_CONF and HOME with getenv). */
bool softhsm_may_start(void);

/* The same functions, those that touch token.object under the lock. */
CK_FUNCTION_LIST *softhsm_guard(CK_FUNCTION_LIST *functions);

#endif
