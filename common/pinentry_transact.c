#include "common/pinentry_transact.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* The number after ERR. */
static gpg_error_t error_of(const char *text)
{
    const unsigned long number = strtoul(text, NULL, 10);

    return number > 0 && number <= UINT32_MAX ? (gpg_error_t)number : gpg_error(GPG_ERR_ASS_INV_RESPONSE);
}

static gpg_error_t take_data(const struct pinentry_listener *listener, const char *data, int len)
{
    return listener->take_data ? listener->take_data(listener->of, data, len > 0 ? (size_t)len : 0)
                               : gpg_error(GPG_ERR_ASS_NO_DATA_CB);
}

/* What the listener sent is ended by END. */
static gpg_error_t take_inquiry(assuan_context_t ctx, const struct pinentry_listener *listener, const char *line)
{
    const gpg_error_t rc =
        listener->take_inquiry ? listener->take_inquiry(listener->of, line) : gpg_error(GPG_ERR_ASS_NO_INQUIRE_CB);

    return rc ? rc : assuan_send_data(ctx, NULL, 0);
}

/* One line of the answer; *more: others follow. */
static gpg_error_t take_line(assuan_context_t ctx, const struct pinentry_listener *listener, bool *more)
{
    assuan_response_t response;
    char *line;
    int len, at;
    gpg_error_t rc = assuan_client_read_response(ctx, &line, &len);

    if (!rc)
        rc = assuan_client_parse_response(ctx, line, len, &response, &at);
    if (rc)
        return rc;
    *more = response != ASSUAN_RESPONSE_OK;
    switch (response) {
    case ASSUAN_RESPONSE_OK:
    case ASSUAN_RESPONSE_COMMENT:
        return 0;
    case ASSUAN_RESPONSE_STATUS:
        return listener->take_status ? listener->take_status(listener->of, line + at) : 0;
    case ASSUAN_RESPONSE_DATA:
        return take_data(listener, line + at, len - at);
    case ASSUAN_RESPONSE_INQUIRE:
        return take_inquiry(ctx, listener, line + at);
    case ASSUAN_RESPONSE_ERROR:
        return error_of(line + at);
    default:
        return gpg_error(GPG_ERR_ASS_INV_RESPONSE);
    }
}

gpg_error_t pinentry_transact(assuan_context_t ctx, const char *command, const struct pinentry_listener *listener)
{
    static const struct pinentry_listener deaf = {0};
    gpg_error_t rc = assuan_write_line(ctx, command);
    bool more = true;

    while (!rc && more)
        rc = take_line(ctx, listener ? listener : &deaf, &more);
    return rc;
}
