#include "enroll/chain.h"

#include <stdlib.h>

#include "enroll/certificate.h"

enum error_code chain_write(struct token *token, const STACK_OF(X509) * chain, struct error *err)
{
    enum error_code status = ERROR_NONE;

    for (int i = 1; status == ERROR_NONE && i < sk_X509_num(chain); i++) {
        X509 *ca = sk_X509_value(chain, i);
        char *label = certificate_common_name(ca);
        struct bytes id = {0};

        if (label && certificate_key_id(ca, &id)) {
            status = token_write_certificate(token, ca, label, &id, err);
        } else {
            status = error_set(err, ERROR_MEMORY, "%s", "");
        }
        bytes_clear(&id);
        free(label);
    }
    return status;
}
