/*
 * config_section: the header line of a section of the configuration file, [name] or [name "argument"].
 *
 * The headers are read here and not by inih, which cuts them at 50 bytes: a label or a path that was cut would name
 * another key or program. Between the quotes \" stands for a quote and \\ for a backslash, as in git's configuration.
 * Owner: struct config_section owns its strings. Thread rule: no shared state.
 */
#ifndef PINWARD_COMMON_CONFIG_SECTION_H
#define PINWARD_COMMON_CONFIG_SECTION_H

#include <stdbool.h>

#include "error.h"

struct config_section {
    char *name;     /* "" before the first header */
    char *argument; /* what is between the quotes; NULL when there are none */
    unsigned line;
};

/* Does the line, leading blanks skipped, begin a section? */
bool config_section_is_header(const char *line);

/* Reads a header. ERROR_CONFIG: *why holds half a sentence without file and line. *section is untouched on failure,
 * and is not cleared first on success. */
enum error_code config_section_parse(const char *line, unsigned line_number, struct config_section *section,
                                     struct error *why);

/* Frees the strings and zeroes *section. */
void config_section_clear(struct config_section *section);

#endif
