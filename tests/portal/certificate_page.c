#include "certificate_page.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca.h"

#define PAGE_MAX     8192
#define ESCAPED_MAX  (6 * SUBJECT_DN_SIZE)
#define SENTENCE_MAX 200
#define HTML_CONTENT "text/html; charset=utf-8"
/* The icon is empty, and so not another request, which a browser may make on another connection: another
 * signature. */
#define PAGE_HEAD                                                                                            \
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\">" \
    "<title>%s</title></head>\n<body>\n"
#define PAGE_FOOT "</body>\n</html>\n"

/* For element content and quoted attributes. */
static void escape(const char *text, char out[ESCAPED_MAX])
{
    static const struct {
        char character;
        const char *reference;
    } table[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    size_t len = 0;

    for (; *text != '\0' && len + sizeof("&quot;") < ESCAPED_MAX; text++) {
        const char *reference = NULL;

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
            if (*text == table[i].character)
                reference = table[i].reference;
        if (reference == NULL)
            out[len++] = *text;
        else
            len += (size_t)snprintf(out + len, ESCAPED_MAX - len, "%s", reference);
    }
    out[len] = '\0';
}

__attribute__((format(printf, 3, 4))) static void answer_page(struct exchange *x, unsigned status,
                                                              const char *format, ...)
{
    char *page = malloc(PAGE_MAX);
    va_list arguments;
    int len = -1;

    if (page != NULL) {
        va_start(arguments, format);
        len = vsnprintf(page, PAGE_MAX, format, arguments);
        va_end(arguments);
    }
    if (len < 0 || len >= PAGE_MAX) {
        free(page);
        answer_failure(x);
        return;
    }
    answer_bytes(x, HTML_CONTENT, page, (size_t)len);
    x->response.status = status;
}

static void answer_refused(struct exchange *x, const char *sentence)
{
    answer_page(x, 403, PAGE_HEAD "<h1>No access</h1>\n<p id=\"reason\">%s</p>\n" PAGE_FOOT, "No access",
                sentence);
}

static void answer_welcome(struct exchange *x, const struct certificate *certificate)
{
    char subject[ESCAPED_MAX], account[ESCAPED_MAX], until[CLOCK_RFC3339_LENGTH];

    escape(certificate->subject_dn, subject);
    escape(certificate->account, account);
    clock_format_rfc3339(certificate->not_after, until);
    answer_page(
        x, 200,
        PAGE_HEAD
        "<h1>Welcome</h1>\n<dl>\n<dt>Subject</dt><dd id=\"subject\">%s</dd>\n"
        "<dt>Account</dt><dd id=\"account\">%s</dd>\n<dt>Serial number</dt><dd id=\"serial\">%s</dd>\n"
        "<dt>Valid until</dt><dd id=\"until\">%s</dd>\n</dl>\n" PAGE_FOOT,
        subject, subject, account, certificate->serial, until);
}

/* The portal's record of exactly this certificate; STORE_DONE: it has none. */
static enum store_result find_record(struct exchange *x, const uint8_t *der, size_t len,
                                     struct certificate *out)
{
    const uint8_t *at = der;
    X509 *certificate = len > INT32_MAX ? NULL : d2i_X509(NULL, &at, (long)len);
    char serial[SERIAL_SIZE];
    uint8_t *issued = NULL;
    size_t issued_len = 0;
    enum store_result result = STORE_DONE;

    if (certificate != NULL && ca_serial_text(certificate, serial))
        result = certificate_der(x->store, serial, &issued, &issued_len);
    if (result == STORE_ROW && (issued_len != len || memcmp(issued, der, len) != 0))
        result = STORE_DONE;
    if (result == STORE_ROW)
        result = certificate_find(x->store, serial, x->now_s, out);
    ERR_clear_error();
    free(issued);
    X509_free(certificate);
    return result;
}

/* A renewed one is valid until it expires, as CRL and OCSP say too. */
static bool is_in_force(const struct certificate *certificate, int64_t now_s)
{
    return (certificate->state == CERTIFICATE_ACTIVE || certificate->state == CERTIFICATE_RENEWED) &&
           certificate->not_before <= now_s;
}

void certificate_page_answer(struct exchange *x, const uint8_t *der, size_t len)
{
    struct certificate certificate;
    char sentence[SENTENCE_MAX];
    enum store_result result;

    if (der == NULL) {
        answer_refused(x, "Your browser has shown no certificate: choose one when it asks.");
        return;
    }
    result = find_record(x, der, len, &certificate);
    if (result == STORE_DONE) {
        answer_refused(x, "This certificate is not one of this CA: choose the one that you got here.");
    } else if (result != STORE_ROW) {
        answer_failure(x);
    } else if (certificate.use != CERTIFICATE_SIGNING) { /* also where TLS does not look at the key usage */
        answer_refused(x, "This certificate is for encryption: choose your signing certificate.");
    } else if (!is_in_force(&certificate, x->now_s)) {
        snprintf(sentence, sizeof(sentence), "This certificate is %s: choose one that is active.",
                 certificate_state_name(certificate.state));
        answer_refused(x, sentence);
    } else {
        answer_welcome(x, &certificate);
    }
}
