/* OCSP over HTTP (RFC 6960 appendix A.1): the request as a body, or in base64 in the path. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handlers.h"
#include "ocsp.h"

static void answer(struct exchange *x, const uint8_t *request, size_t len)
{
    uint8_t *response = NULL;
    size_t response_len = 0;

    if (ocsp_answer(x->portal->ca, x->portal->ocsp_signer, x->store, x->now_s, request, len, &response,
                    &response_len))
        answer_bytes(x, "application/ocsp-response", response, response_len);
    else
        answer_failure(x);
}

void handle_ocsp_post(struct exchange *x)
{
    static const char type[] = "application/ocsp-request";

    if (x->content_type == NULL || strcasecmp(x->content_type, type) != 0) {
        answer_problem(x, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body is not %s; send an OCSP request.", type);
        return;
    }
    answer(x, (const uint8_t *)x->body, x->body_len);
}

/* What is no base64 is answered like a request that is none. */
void handle_ocsp_get(struct exchange *x)
{
    uint8_t request[ROUTE_VARIABLE_SIZE];
    size_t len = 0;

    if (sodium_base642bin(request, sizeof(request), x->id, strlen(x->id), NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        len = 0;
    answer(x, request, len);
}
