/*
 * verbs: the table of what pinward can do. A new verb is a new row.
 */
#ifndef PINWARD_ENROLL_VERBS_H
#define PINWARD_ENROLL_VERBS_H

#include "enroll/cli.h"

/* Ended by a row without a name. */
extern const struct cli_verb verbs_table[];

#endif
