/*
 * pfx_export: the verbs that write PFX files: of a pair of keys that leaves the token, or with another password.
 *
 * Files: pfx_export.c, pfx_backup.c, pfx_passwd.c.
 *
 * Nothing is said to have been exported before what is on disk was read back with the password and compared.
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_PFX_EXPORT_H
#define PINWARD_ENROLL_PFX_EXPORT_H

#include "common/error.h"
#include "enroll/app.h"
#include "enroll/pfx.h"
#include "enroll/pfx_file.h"
#include "enroll/pfx_take.h"

/* What a backup's folder holds. */
#define PFX_BACKUP_SIGNING    "signing.pfx"
#define PFX_BACKUP_ENCRYPTION "encryption.pfx"
#define PFX_BACKUP_CHAIN      "chain.pem"

enum error_code pfx_export(struct app *app, struct error *err);
enum error_code pfx_backup(struct app *app, struct error *err);
enum error_code pfx_passwd(struct app *app, struct error *err);

/* -- what they share: pfx_export.c -- */

/* As --legacy says. */
enum pfx_protection pfx_export_protection(const struct app *app);

/* Makes the file beside its place and reads it back. *staged is the caller's to drop, also on failure. */
enum error_code pfx_export_stage(const char *path, const struct pfx *pfx, const struct secret *password,
                                 enum pfx_protection protection, struct pfx_file *staged, struct error *err);

/* Takes both keys and makes both files, or none. */
enum error_code pfx_export_pair(const struct app *app, struct pfx_take *take, const struct secret *password,
                                const char *signing_path, const char *encryption_path, struct error *err);

/* What a program is told of a pair that was exported. */
void pfx_export_note(struct app *app, const struct pfx_take *take, const char *signing, const char *encryption);

#endif
