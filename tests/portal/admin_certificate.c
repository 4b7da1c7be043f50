/* Suspending, resuming and revoking a certificate. The portal's CRL shows it from the next request on. */
#include <stdio.h>

#include "admin.h"
#include "crl_reason.h"

/* Ends the transaction around a change that had this result. */
static enum error_code finish(struct admin *admin, enum store_result result, const char *serial,
                              const char *done, const char *condition, struct error *err)
{
    struct certificate certificate;

    if (result == STORE_DONE) {
        result = certificate_find(admin->store, serial, admin->now_s, &certificate);
        if (result == STORE_DONE)
            return error_set(err, ERROR_USAGE, "There is no certificate %s; see \"list certificates\".",
                             serial);
        if (result == STORE_ROW)
            return error_set(err, ERROR_STATE, "The certificate is %s; only one that is %s can be %s.",
                             certificate_state_name(certificate.state), condition, done);
    }
    if (result == STORE_FAILED || !store_commit(admin->store))
        return admin_store_error(admin, err);
    printf("The certificate %s is %s.\n", serial, done);
    return ERROR_NONE;
}

enum error_code admin_suspend(struct admin *admin, int argc, char **argv, struct error *err)
{
    enum error_code status = admin_options(argc, argv, NULL, 0, 1, err);
    enum store_result result = STORE_FAILED;

    if (status != ERROR_NONE)
        return status;
    if (store_begin(admin->store))
        result = certificate_suspend(admin->store, argv[1], admin->now_s);
    return finish(admin, result, argv[1], "suspended", "active or renewed", err);
}

enum error_code admin_resume(struct admin *admin, int argc, char **argv, struct error *err)
{
    enum error_code status = admin_options(argc, argv, NULL, 0, 1, err);
    enum store_result result = STORE_FAILED;

    if (status != ERROR_NONE)
        return status;
    if (store_begin(admin->store))
        result = certificate_resume(admin->store, argv[1], admin->now_s);
    return finish(admin, result, argv[1], "resumed", "suspended", err);
}

enum error_code admin_revoke(struct admin *admin, int argc, char **argv, struct error *err)
{
    const char *reason = "unspecified";
    const struct admin_option options[] = {{"reason", &reason, NULL}};
    enum error_code status = admin_options(argc, argv, options, 1, 1, err);
    enum store_result result = STORE_FAILED;

    if (status != ERROR_NONE)
        return status;
    if (crl_reason_code(reason) < 0)
        return error_set(err, ERROR_USAGE, "The reason %s is not known; see --help for those that are.",
                         reason);
    if (store_begin(admin->store))
        result = certificate_revoke(admin->store, argv[1], crl_reason_code(reason), admin->now_s);
    return finish(admin, result, argv[1], "revoked", "neither revoked nor expired", err);
}
