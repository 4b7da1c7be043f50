#include "enroll/crmf.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "common/i18n.h"

/* RFC 4211 section 4.2: SubsequentMessage ::= INTEGER { encrCert (0), challengeResp (1) } */
#define CRMF_CHALLENGE_RESPONSE 1
#define CRMF_SUBSEQUENT_MESSAGE 0 /* index in the CHOICE below */
#define CRMF_KEY_ENCIPHERMENT   0 /* index in the CHOICE below: RSA */
#define CRMF_KEY_AGREEMENT      1 /* the same for EC (RFC 4211 section 4.3) */

/* Only the members that are used; the tags are those of RFC 4211 appendix B (implicit tags, but a CHOICE is
 * always tagged explicitly: X.680 section 31.2.7). */
typedef struct {
    X509_NAME *subject;
    X509_PUBKEY *public_key;
} CRMF_TEMPLATE;

typedef struct {
    ASN1_INTEGER *id;
    CRMF_TEMPLATE *template;
} CRMF_REQUEST;

typedef struct {
    int type;
    union {
        ASN1_INTEGER *subsequent_message;
    } value;
} CRMF_PRIVATE_KEY;

typedef struct {
    int type;
    union {
        CRMF_PRIVATE_KEY *key_encipherment;
        CRMF_PRIVATE_KEY *key_agreement;
    } value;
} CRMF_POSSESSION;

typedef struct {
    CRMF_REQUEST *request;
    CRMF_POSSESSION *possession;
} CRMF_MESSAGE;

DEFINE_STACK_OF(CRMF_MESSAGE)

ASN1_SEQUENCE(CRMF_TEMPLATE) =
    {
        ASN1_EXP(CRMF_TEMPLATE, subject, X509_NAME, 5),
        ASN1_IMP(CRMF_TEMPLATE, public_key, X509_PUBKEY, 6),
} static_ASN1_SEQUENCE_END(CRMF_TEMPLATE)

        ASN1_SEQUENCE(CRMF_REQUEST) =
            {
                ASN1_SIMPLE(CRMF_REQUEST, id, ASN1_INTEGER),
                ASN1_SIMPLE(CRMF_REQUEST, template, CRMF_TEMPLATE),
} static_ASN1_SEQUENCE_END(CRMF_REQUEST)

                ASN1_CHOICE(CRMF_PRIVATE_KEY) =
                    {
                        ASN1_IMP(CRMF_PRIVATE_KEY, value.subsequent_message, ASN1_INTEGER, 1),
} static_ASN1_CHOICE_END(CRMF_PRIVATE_KEY)

                        ASN1_CHOICE(CRMF_POSSESSION) =
                            {
                                ASN1_EXP(CRMF_POSSESSION, value.key_encipherment, CRMF_PRIVATE_KEY, 2),
                                ASN1_EXP(CRMF_POSSESSION, value.key_agreement, CRMF_PRIVATE_KEY, 3),
} static_ASN1_CHOICE_END(CRMF_POSSESSION)

                                ASN1_SEQUENCE(CRMF_MESSAGE) =
                                    {
                                        ASN1_SIMPLE(CRMF_MESSAGE, request, CRMF_REQUEST),
                                        ASN1_SIMPLE(CRMF_MESSAGE, possession, CRMF_POSSESSION),
} static_ASN1_SEQUENCE_END(CRMF_MESSAGE)

                                        ASN1_ITEM_TEMPLATE(CRMF_MESSAGES) = ASN1_EX_TEMPLATE_TYPE(
                                            ASN1_TFLG_SEQUENCE_OF, 0, CRMF_MESSAGES, CRMF_MESSAGE)
                                            static_ASN1_ITEM_TEMPLATE_END(CRMF_MESSAGES)

    /* A choice's member is made by hand: OpenSSL makes a new choice empty. */
    static bool crmf_fill_possession(CRMF_POSSESSION * possession, const EVP_PKEY *public_key)
{
    const bool agrees = EVP_PKEY_get_base_id(public_key) == EVP_PKEY_EC;
    CRMF_PRIVATE_KEY *private_key = (CRMF_PRIVATE_KEY *)ASN1_item_new(ASN1_ITEM_rptr(CRMF_PRIVATE_KEY));

    if (!private_key) {
        return false;
    }
    possession->type = agrees ? CRMF_KEY_AGREEMENT : CRMF_KEY_ENCIPHERMENT;
    if (agrees) {
        possession->value.key_agreement = private_key;
    } else {
        possession->value.key_encipherment = private_key;
    }
    private_key->value.subsequent_message = ASN1_INTEGER_new();
    if (!private_key->value.subsequent_message) {
        return false;
    }
    private_key->type = CRMF_SUBSEQUENT_MESSAGE;
    return ASN1_INTEGER_set(private_key->value.subsequent_message, CRMF_CHALLENGE_RESPONSE) == 1;
}

static CRMF_MESSAGE *crmf_message(X509_NAME *subject, EVP_PKEY *public_key)
{
    CRMF_MESSAGE *message = (CRMF_MESSAGE *)ASN1_item_new(ASN1_ITEM_rptr(CRMF_MESSAGE));

    if (message && ASN1_INTEGER_set(message->request->id, 0) == 1 &&
        X509_NAME_set(&message->request->template->subject, subject) == 1 &&
        X509_PUBKEY_set(&message->request->template->public_key, public_key) == 1 &&
        crmf_fill_possession(message->possession, public_key)) {
        return message;
    }
    ASN1_item_free((ASN1_VALUE *)message, ASN1_ITEM_rptr(CRMF_MESSAGE));
    return NULL;
}

enum error_code crmf_build(X509_NAME *subject, EVP_PKEY *public_key, struct bytes *der, struct error *err)
{
    CRMF_MESSAGE *message = crmf_message(subject, public_key);
    STACK_OF(CRMF_MESSAGE) *messages = sk_CRMF_MESSAGE_new_null();
    unsigned char *encoded = NULL;
    int len = -1;
    bool ok = false;

    if (message && messages && sk_CRMF_MESSAGE_push(messages, message) > 0) {
        len = ASN1_item_i2d((ASN1_VALUE *)messages, &encoded, ASN1_ITEM_rptr(CRMF_MESSAGES));
        ok = len > 0 && bytes_set(der, encoded, (size_t)len);
    }
    OPENSSL_free(encoded);
    sk_CRMF_MESSAGE_free(messages);
    ASN1_item_free((ASN1_VALUE *)message, ASN1_ITEM_rptr(CRMF_MESSAGE));
    if (!ok) {
        ERR_clear_error();
        return error_set(err, ERROR_INTERNAL, _("The request for the encryption key cannot be encoded."));
    }
    return ERROR_NONE;
}
