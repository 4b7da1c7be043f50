/* portal: what every request handler needs and none changes: options, clock and CA of the running server.
 * Constant after start; any thread. */
#ifndef PINWARD_PORTAL_PORTAL_H
#define PINWARD_PORTAL_PORTAL_H

#include "ca.h"
#include "clock.h"
#include "ocsp_signer.h"

#define PORTAL_API_PREFIX     "/api/v1"
#define PORTAL_BODY_MAX       (256 * 1024)
#define PORTAL_SESSION_COOKIE "pinward_session"

struct portal {
    const char *data_dir;
    struct portal_clock clock;
    const struct ca *ca;
    struct ocsp_signer *ocsp_signer; /* has a lock of its own */
    int64_t idle_limit_s;
    bool approve_automatically;
    char nobody_hash[PASSWORD_HASH_SIZE]; /* what passwords of unknown accounts are verified against */
};

#endif
