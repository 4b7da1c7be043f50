/* handlers: one function an operation of the API, in the order of the table in route.c. Each answers the
 * exchange once; a transaction that it leaves open is rolled back. */
#ifndef PINWARD_PORTAL_HANDLERS_H
#define PINWARD_PORTAL_HANDLERS_H

#include "exchange.h"

/* handle_public.c */
void handle_time_get(struct exchange *x);
void handle_captcha_post(struct exchange *x);
void handle_password_policy_get(struct exchange *x);
void handle_ca_get(struct exchange *x);
void handle_crl_get(struct exchange *x);
/* handle_session.c */
void handle_session_post(struct exchange *x);
void handle_session_get(struct exchange *x);
void handle_session_delete(struct exchange *x);
void handle_password_put(struct exchange *x);
/* handle_registration.c */
void handle_registration_get(struct exchange *x);
void handle_terms_get(struct exchange *x);
/* handle_application.c */
void handle_applications_post(struct exchange *x);
void handle_applications_get(struct exchange *x);
void handle_application_get(struct exchange *x);
/* handle_activation.c */
void handle_challenge_post(struct exchange *x);
void handle_activation_post(struct exchange *x);
/* handle_renewal.c */
void handle_renewals_post(struct exchange *x);
/* handle_certificate.c */
void handle_certificates_get(struct exchange *x);
void handle_certificate_get(struct exchange *x);
void handle_suspension_post(struct exchange *x);
/* handle_ocsp.c */
void handle_ocsp_post(struct exchange *x);
void handle_ocsp_get(struct exchange *x);

#endif
