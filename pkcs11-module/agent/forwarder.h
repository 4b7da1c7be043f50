/*
 * forwarder: is the program that connected one that only passes on what another machine asks: sshd (a socket that its user
 * forwards to this machine), ssh (one that is forwarded from here), p11-kit remote, and the like?
 *
 * The kernel names the program that connected, never the one behind it. A relay of the user's own making cannot be told from
 * any other program of the user's: this is for connections that were forwarded as they usually are.
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_AGENT_FORWARDER_H
#define PINWARD_AGENT_FORWARDER_H

#include <stdbool.h>

#include "common/config.h"
#include "common/error.h"
#include "pkcs11-module/agent/peer.h"
#include "pkcs11-module/policy.h"

/* A process that this one cannot see is one from elsewhere. */
bool forwarder_is(const struct peer *peer, const struct config *config);

/* *trust: what an answer given for this peer is worth; local, unless it is a forwarder. ERROR_REFUSED: it is one, and [remote]
 * access allows none; the log is open. A configuration that cannot be read is left to C_Initialize to complain of. */
enum error_code forwarder_judge(const struct peer *peer, enum policy_trust local, enum policy_trust *trust,
                                struct error *err);

#endif
