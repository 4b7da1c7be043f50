/*
 * problem: every way in which the API says no, as RFC 9457 problem documents.
 *
 * Purpose: one row a problem type: its slug, its HTTP status and its title. docs/portal-api.yaml documents
 * the same rows, and tests/portal-tests fails when the two differ. Thread rule: constant tables; any thread.
 */
#ifndef PINWARD_PORTAL_PROBLEM_H
#define PINWARD_PORTAL_PROBLEM_H

#include <jansson.h>

/* X(name, HTTP status, slug, title) */
#define PROBLEM_LIST(X)                                                                                      \
    X(PROBLEM_BAD_REQUEST, 400, "bad-request", "The request is not understood")                              \
    X(PROBLEM_LOGIN_REQUIRED, 401, "login-required", "Nobody is logged in")                                  \
    X(PROBLEM_LOGIN_FAILED, 401, "login-failed", "Account or password is wrong")                             \
    X(PROBLEM_PASSWORD_CHANGE_REQUIRED, 403, "password-change-required", "The password must be changed")     \
    X(PROBLEM_REGISTRATION_NOT_APPROVED, 403, "registration-not-approved",                                   \
      "The registration is not approved")                                                                    \
    X(PROBLEM_POSSESSION_NOT_SHOWN, 403, "possession-not-shown", "Possession of a key was not shown")        \
    X(PROBLEM_CERTIFICATE_NOT_ACTIVE, 403, "certificate-not-active", "The certificate is not active")        \
    X(PROBLEM_NOT_ACTIVATED, 403, "not-activated", "The certificate is not activated")                       \
    X(PROBLEM_NOT_FOUND, 404, "not-found", "There is nothing here")                                          \
    X(PROBLEM_METHOD_NOT_ALLOWED, 405, "method-not-allowed", "The method is not allowed here")               \
    X(PROBLEM_TERMS_OUTDATED, 409, "terms-outdated", "The accepted terms are not the current ones")          \
    X(PROBLEM_REQUEST_ID_REUSED, 409, "request-id-reused", "The request id belongs to another request")      \
    X(PROBLEM_APPLICATION_OPEN, 409, "application-open", "Another application is open")                      \
    X(PROBLEM_ALREADY_CERTIFIED, 409, "already-certified", "The account already has its certificates")       \
    X(PROBLEM_NOT_ISSUED, 409, "not-issued", "The certificates are not issued yet")                          \
    X(PROBLEM_ALREADY_ACTIVATED, 409, "already-activated", "The application is already activated")           \
    X(PROBLEM_RENEWAL_TOO_EARLY, 409, "renewal-too-early", "Renewal is not open yet")                        \
    X(PROBLEM_CHALLENGE_EXPIRED, 410, "challenge-expired", "The challenge is expired or replaced")           \
    X(PROBLEM_CERTIFICATE_EXPIRED, 410, "certificate-expired", "The certificate is expired")                 \
    X(PROBLEM_TOO_LARGE, 413, "too-large", "The body is too large")                                          \
    X(PROBLEM_UNSUPPORTED_MEDIA_TYPE, 415, "unsupported-media-type", "The media type is not supported")      \
    X(PROBLEM_CAPTCHA_WRONG, 422, "captcha-wrong", "The captcha is wrong")                                   \
    X(PROBLEM_PASSWORD_TOO_WEAK, 422, "password-too-weak", "The new password is too weak")                   \
    X(PROBLEM_REQUEST_INVALID, 422, "request-invalid", "The certificate request is not acceptable")          \
    X(PROBLEM_ACCOUNT_LOCKED, 423, "account-locked", "The account is locked")                                \
    X(PROBLEM_INTERNAL, 500, "internal", "The portal failed")                                                \
    X(PROBLEM_BUSY, 503, "busy", "The portal is busy")

enum problem {
#define X(name, status, slug, title) name,
    PROBLEM_LIST(X)
#undef X
        PROBLEM_COUNT
};

#define PROBLEM_TYPE_PREFIX "urn:pinward:problem:"

unsigned problem_status(enum problem problem);
const char *problem_slug(enum problem problem);

/* A new problem document, or NULL without memory. detail is one plain sentence. */
json_t *problem_new(enum problem problem, const char *detail);

#endif
