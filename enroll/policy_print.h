/*
 * policy_print: a verdict of the policy on a key, for people and for programs.
 *
 * Owner: nothing kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_POLICY_PRINT_H
#define PINWARD_ENROLL_POLICY_PRINT_H

#include <jansson.h>

#include "common/config.h"
#include "pkcs11-module/policy.h"

/* On standard output. */
void policy_print_text(const struct config *config, const struct policy_case *judged);

/* A new object; NULL: no memory. */
json_t *policy_print_json(const struct config *config, const struct policy_case *judged);

#endif
