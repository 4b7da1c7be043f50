/* The encryption key's request: RFC 4211 CertReqMessages, as this profile narrows it:
 *
 *   CertReqMessages ::= SEQUENCE OF CertReqMsg, exactly one
 *   CertReqMsg      ::= SEQUENCE { certReq, popo ProofOfPossession }
 *   certReq         ::= SEQUENCE { certReqId INTEGER 0, certTemplate }
 *   certTemplate    ::= SEQUENCE { subject, publicKey } (nothing that binds the CA)
 *   popo            ::= keyEncipherment [2] (RSA) or keyAgreement [3] (EC) { subsequentMessage [1] INTEGER }
 *
 * OpenSSL 3.0 parses CRMF but hands out neither the template's public key nor the kind of proof, so these two
 * are taken from the encoding that its parser has accepted. */
#include <openssl/crmf.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

struct span {
    const unsigned char *at;
    size_t len;
};

/* One DER element off the front of *rest: its class, tag and contents. */
static bool next_element(struct span *rest, int *class, int *tag, struct span *contents)
{
    const unsigned char *p = rest->at;
    long len = 0;
    int flags;

    if (rest->len == 0)
        return false;
    flags = ASN1_get_object(&p, &len, tag, class, (long)rest->len);
    if ((flags & 0x81) != 0 || len < 0) /* an error, or the indefinite length, which DER has not */
        return false;
    contents->at = p;
    contents->len = (size_t)len;
    rest->len -= (size_t)(p - rest->at) + (size_t)len;
    rest->at = p + len;
    return true;
}

static bool expect(struct span *rest, int class, int tag, struct span *contents)
{
    int got_class = 0, got_tag = 0;

    return next_element(rest, &got_class, &got_tag, contents) && got_class == class && got_tag == tag;
}

/* SubjectPublicKeyInfo is tagged IMPLICIT in the template; with its own tag restored, OpenSSL reads it. */
static EVP_PKEY *read_public_key(struct span contents)
{
    unsigned char *der = malloc(contents.len + 16);
    const unsigned char *start = der;
    unsigned char *end = der;
    EVP_PKEY *key = NULL;

    if (der == NULL)
        return NULL;
    ASN1_put_object(&end, 1, (int)contents.len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(end, contents.at, contents.len);
    end += contents.len;
    key = d2i_PUBKEY(NULL, &start, end - der);
    if (start != end) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    free(der);
    return key;
}

/* The template's [6] publicKey. */
static EVP_PKEY *find_public_key(struct span template)
{
    int class = 0, tag = 0;
    struct span contents;

    while (next_element(&template, &class, &tag, &contents)) {
        if (class == V_ASN1_CONTEXT_SPECIFIC && tag == 6)
            return read_public_key(contents);
    }
    return NULL;
}

/* keyEncipherment or, for a key that does ECDH, keyAgreement (RFC 4211 sections 4.2 and 4.3), with subsequentMessage
 * encrCert (0) or challengeResp (1): activation sends both in one. */
static bool possession_comes_later(struct span popo, const EVP_PKEY *key)
{
    int kind = key_profile_agrees(key) ? OSSL_CRMF_POPO_KEYAGREE : OSSL_CRMF_POPO_KEYENC;
    struct span proof, message;

    return expect(&popo, V_ASN1_CONTEXT_SPECIFIC, kind, &proof) && popo.len == 0 &&
           expect(&proof, V_ASN1_CONTEXT_SPECIFIC, OSSL_CRMF_POPOPRIVKEY_SUBSEQUENTMESSAGE, &message) &&
           proof.len == 0 && message.len == 1 && message.at[0] <= 1;
}

static EVP_PKEY *read_message(struct span messages)
{
    struct span list, message, request, id, template;
    EVP_PKEY *key;

    if (!expect(&messages, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, &list) || messages.len != 0 ||
        !expect(&list, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, &message) || list.len != 0 ||
        !expect(&message, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, &request) ||
        !expect(&request, V_ASN1_UNIVERSAL, V_ASN1_INTEGER, &id) || id.len != 1 || id.at[0] != 0 ||
        !expect(&request, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, &template))
        return NULL;
    key = find_public_key(template);
    if (key != NULL && !possession_comes_later(message, key)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

enum request_fault request_crmf_key(const uint8_t *der, size_t len, const X509_NAME *subject, EVP_PKEY **key)
{
    const unsigned char *end = der;
    OSSL_CRMF_MSGS *messages = d2i_OSSL_CRMF_MSGS(NULL, &end, (long)len);
    enum request_fault fault = REQUEST_CRMF_INVALID;
    const X509_NAME *name = NULL;
    EVP_PKEY *found = NULL;

    if (messages == NULL || end != der + len || sk_OSSL_CRMF_MSG_num(messages) != 1)
        goto out;
    name = OSSL_CRMF_CERTTEMPLATE_get0_subject(OSSL_CRMF_MSG_get0_tmpl(sk_OSSL_CRMF_MSG_value(messages, 0)));
    if (name == NULL)
        goto out;
    if (X509_NAME_cmp(name, subject) != 0) {
        fault = REQUEST_WRONG_SUBJECT;
        goto out;
    }
    found = read_message((struct span){der, len});
    if (found != NULL) {
        *key = found;
        fault = REQUEST_OK;
    }
out:
    sk_OSSL_CRMF_MSG_pop_free(messages, OSSL_CRMF_MSG_free);
    ERR_clear_error();
    return fault;
}
