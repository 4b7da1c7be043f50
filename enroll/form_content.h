/*
 * form_content: what stands on each form.
 *
 * Owner: facts are borrowed. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_FORM_CONTENT_H
#define PINWARD_ENROLL_FORM_CONTENT_H

#include "enroll/certlist.h"
#include "enroll/form.h"

/* One kind of form; the three that there are. */
struct form_plan {
    const char *name; /* in the names of files */
    const char *title;
    const char *chosen;        /* the heading over the certificates; NULL: it is not about certificates */
    const char *const *asks;   /* what the applicant declares, ended by NULL */
    const char *command;       /* what the registration authority runs: behind pinward-portal-admin */
    const char *nothing;       /* why there is nothing to fill in */
    const char *const *states; /* of the certificates that it can be about, ended by NULL */
    bool reasons;
};

extern const struct form_plan form_plan_revoke;
extern const struct form_plan form_plan_resume;
extern const struct form_plan form_plan_reset_password;

struct form_facts {
    const char *account;
    const struct portal_registration *registration; /* NULL: not known, to be written by hand */
    const struct certlist *list;
    const bool *chosen; /* NULL: none */
    const char *reason; /* name of RFC 5280 section 5.3.1; NULL: to be ticked */
};

/* ERROR_USAGE: no such reason. */
enum error_code form_content_check_reason(const struct form_plan *plan, const char *reason,
                                          struct error *err);

/* Is a certificate in this state one that the form can be about? */
bool form_content_concerns(const struct form_plan *plan, const char *state);
const char *form_content_nothing(const struct form_plan *plan);
const char *form_content_footer(const struct form_plan *plan);

/* Fills in the empty form. */
enum error_code form_content(const struct form_plan *plan, const struct form_facts *facts, struct form *form,
                             struct error *err);

#endif
