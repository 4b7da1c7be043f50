/*
 * config_file: finding and reading the INI file (inih); what its keys mean is config's business.
 *
 * Owner: nothing is kept between calls. Thread rule: any thread.
 */
#ifndef PINWARD_COMMON_CONFIG_FILE_H
#define PINWARD_COMMON_CONFIG_FILE_H

#include <stdbool.h>

#include "error.h"

/* Called for each name = value. false: not acceptable; *why then holds half a sentence without file and line. */
typedef bool config_file_take(void *data, const char *section, const char *name, const char *value,
                              struct error *why);

/* Sets *path to the file to read, on the heap, or to NULL when there is none. ERROR_CONFIG when PINWARD_CONF
 * names a file that does not exist. */
enum error_code config_file_find(char **path, struct error *err);

/* Reads path and hands every pair to take, up to the first error. The file must belong to root or the user and
 * be writable by nobody else, since it decides how keys are protected. */
enum error_code config_file_read(const char *path, config_file_take *take, void *data, struct error *err);

#endif
