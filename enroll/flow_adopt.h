/*
 * flow_adopt: an application that this state folder has no journal of (it was lost, or begun elsewhere with
 * the same token) gets one, so that it can be completed: its keys are found on the token by the issued
 * certificates.
 *
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_FLOW_ADOPT_H
#define PINWARD_ENROLL_FLOW_ADOPT_H

#include "enroll/flow.h"

/* Leaves the journal at JOURNAL_SUBMITTED. *already, and the journal as it was: nothing is left to do, since the
 * certificates are active and on the token; that was said. ERROR_STATE: there is no application to activate; ERROR_TOKEN:
 * the token does not hold its keys. */
enum error_code flow_adopt(struct flow *flow, bool *already, struct error *err);

#endif
