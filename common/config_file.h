/*
 * config_file: finding and reading the INI file (inih); what its keys mean is config's business.
 *
 * Owner: nothing is kept between calls. Thread rule: any thread.
 */
#ifndef PINWARD_COMMON_CONFIG_FILE_H
#define PINWARD_COMMON_CONFIG_FILE_H

#include "config_section.h"
#include "error.h"

/* What is called with the file's parts, in their order. ERROR_CONFIG: not acceptable; *why then holds half a sentence
 * without file and line. */
struct config_file_taker {
    enum error_code (*section)(void *data, const struct config_section *section, struct error *why);
    enum error_code (*pair)(void *data, const struct config_section *section, const char *name, const char *value,
                            unsigned line, struct error *why);
};

/* Sets *path to the file to read, on the heap, or to NULL when there is none. ERROR_CONFIG when PINWARD_CONF
 * names a file that does not exist. */
enum error_code config_file_find(char **path, struct error *err);

/* Reads path and hands every section and pair to the taker, up to the first error. The file must belong to root or the
 * user and be writable by nobody else, since it decides how keys are protected. */
enum error_code config_file_read(const char *path, const struct config_file_taker *taker, void *data,
                                 struct error *err);

#endif
