/*
 * applying: what a new application and a renewal have in common: repeats of a request, the terms, the request
 * itself.
 *
 * Thread rule: that of the exchange. Every function expects an open transaction; one that returns false has
 * answered.
 */
#ifndef PINWARD_PORTAL_APPLYING_H
#define PINWARD_PORTAL_APPLYING_H

#include "body.h"

struct applying {
    const char *request_id;
    const char *terms_version;
    const char *terms_sha256;
    struct bytes sent; /* what the request id stands for */
    bool renewal;
    const char *replaces; /* application id of the old pair; "": none */
};

/* False when this request id was seen before: answered with the application as it is now, or as a conflict.
 */
bool applying_is_new(struct exchange *x, const struct applying *applying);

bool applying_terms_hold(struct exchange *x, const struct applying *applying);
bool applying_none_open(struct exchange *x);

/* Judges the PKCS#10, stores the application, issues when approval is automatic, commits, and answers 201. */
void applying_submit(struct exchange *x, const struct applying *applying, const struct account *account,
                     struct bytes pkcs10);

void applying_answer_fault(struct exchange *x, const char *reason, const char *text);

/* The Application object of the API; NULL: no memory. */
json_t *applying_json(const struct application *application);

/* The session's application named in the path; false: answered 404. Needs no transaction. */
bool applying_find(struct exchange *x, struct application *application);

#endif
