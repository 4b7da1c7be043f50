/*
 * policy_explain: "pinward policy explain": the level of a key for a program, the rule that decides, and why the
 * others do not. The verdict is the module's own (pkcs11-module/policy.h).
 *
 * Owner: nothing kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_POLICY_EXPLAIN_H
#define PINWARD_ENROLL_POLICY_EXPLAIN_H

#include "enroll/app.h"

enum error_code policy_explain(struct app *app, struct error *err);

#endif
