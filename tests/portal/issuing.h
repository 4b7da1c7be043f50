/*
 * issuing: makes the two certificates of an application.
 *
 * Thread rule: that of the struct store. Expects an open transaction.
 */
#ifndef PINWARD_PORTAL_ISSUING_H
#define PINWARD_PORTAL_ISSUING_H

#include "ca.h"
#include "request.h"

/* Issues both certificates, stores them on hold, and makes the application "issued"; *application is brought
 * up to date. */
enum error_code issuing_run(const struct ca *ca, struct store *store, const struct registration *registration,
                            const struct enrollment_request *request, int64_t now_s,
                            struct application *application, struct error *err);

/* The same for an application that waited for its approval. */
enum error_code issuing_run_waiting(const struct ca *ca, struct store *store, int64_t now_s,
                                    struct application *application, struct error *err);

#endif
