/*
 * policy_program: the program that --app means, and rules of [app] that can match no program.
 *
 * Owner: returned strings are the caller's. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_POLICY_PROGRAM_H
#define PINWARD_ENROLL_POLICY_PROGRAM_H

#include "common/config_rules.h"
#include "common/error.h"

/* The path by which the kernel knows the program, links resolved. ERROR_USAGE when there is none, or it is a script,
 * whose program is its interpreter. */
enum error_code policy_program_resolve(const char *path, char **resolved, struct error *err);

/* A sentence when no program can match this rule of [app] now; NULL when one can, or the rule is of another kind. */
char *policy_program_warning(const struct config_rule *rule);

#endif
