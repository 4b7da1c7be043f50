/*
 * key_facts: what the gate needs to know of an object before it lets it be used.
 *
 * Owner: plain values, copied freely. Thread rule: none.
 */
#ifndef PINWARD_MODULE_KEY_FACTS_H
#define PINWARD_MODULE_KEY_FACTS_H

#include <stdbool.h>

#include "common/config_rules.h"
#include "pkcs11-module/p11.h"

#define KEY_LABEL_MAX CONFIG_KEY_LABEL_MAX
#define KEY_ID_MAX    CONFIG_KEY_ID_MAX

struct key_facts {
    CK_OBJECT_CLASS object_class;
    /* The rest is read for private keys only; label and id also where the class does not say what it is. */
    CK_KEY_TYPE key_type;           /* CK_UNAVAILABLE_INFORMATION when the token does not say */
    bool always_authenticate;       /* the backend itself asks for the PIN at every use */
    bool extractable;               /* false when the token does not say */
    CK_ULONG output_len;            /* bytes of a signature; RSA: also the most that a decryption gives; 0: unknown */
    char label[KEY_LABEL_MAX + 1];  /* CKA_LABEL, cut at a whole character */
    bool label_whole;               /* nothing was cut, and no NUL is in it: it may be compared */
    CK_BYTE id[KEY_ID_MAX];         /* CKA_ID; none when it is longer */
    CK_ULONG id_len;
    enum config_level level;        /* judged by policy_judge when they were read (session_key_facts); else high */
};

/* Reads the facts from the token. CKR_OBJECT_HANDLE_INVALID, or whatever else C_GetAttributeValue said: the object
 * must then not be used. */
CK_RV key_facts_read(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                     struct key_facts *facts);

/* The label of the facts, from the bytes of a CKA_LABEL, which may be of any length and need not be UTF-8. */
void key_facts_set_label(struct key_facts *facts, const unsigned char *label, CK_ULONG len);

/* Would the window say the same of both, and the gate do the same with them? */
bool key_facts_are_of_one_key(const struct key_facts *a, const struct key_facts *b);

/* By its class it holds no private key. Neither this nor a private key: a class of a later standard, or a vendor's own. */
bool key_facts_is_harmless(const struct key_facts *facts);

static inline bool key_facts_is_private_key(const struct key_facts *facts)
{
    return facts->object_class == CKO_PRIVATE_KEY;
}

#endif
