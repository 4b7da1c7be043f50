/*
 * bad_world: where bad calls are made: a token with keys and objects, the module or its backend alone in
 * front of it, and the arguments of right calls. For functions that no backend at hand has, the token is the
 * mock (support/mock.h).
 *
 * Owner: the test program. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_BAD_WORLD_H
#define PINWARD_TESTS_BAD_WORLD_H

#include "support/fixture.h"
#include "support/p11_make.h"

enum bad_object {
    OBJECT_PRIVATE, /* RSA: signs, decrypts, unwraps */
    OBJECT_PRIVATE_EC,
    OBJECT_PUBLIC,
    OBJECT_AES,
    OBJECT_HMAC,
    OBJECT_CARRIER,
    OBJECT_EXPORTABLE, /* a private key that may leave under OBJECT_CARRIER */
    OBJECT_DATA,       /* a CKO_DATA of the session, made anew for each case */
    OBJECTS
};

enum bad_mechanism {
    MECHANISM_SIGN, /* CKM_SHA256_RSA_PKCS */
    MECHANISM_RSA,  /* CKM_RSA_PKCS */
    MECHANISM_HMAC,
    MECHANISM_AES, /* CKM_AES_CBC_PAD */
    MECHANISM_DIGEST,
    MECHANISM_WRAP,
    MECHANISM_ECDH,
    MECHANISM_MAKE_AES,
    MECHANISM_MAKE_EC,
    MECHANISMS
};

enum bad_data {
    DATA_TEXT,
    DATA_RSA_CIPHERTEXT, /* of DATA_TEXT to OBJECT_PUBLIC */
    DATA_AES_CIPHERTEXT,
    DATA_SIGNATURE, /* of DATA_TEXT by OBJECT_PRIVATE */
    DATA_MAC,
    DATA_WRAPPED, /* a secret key, encrypted to OBJECT_PUBLIC */
    DATA_PIN,
    DATAS
};

enum bad_template {
    TEMPLATE_NAME,     /* a label: to find, to set, to copy with */
    TEMPLATE_COPY,     /* the same, and not on the token */
    TEMPLATE_READ,     /* a label's buffer */
    TEMPLATE_OBJECT,   /* a CKO_DATA of the session */
    TEMPLATE_ON_TOKEN, /* the same on the token */
    TEMPLATE_PRIVATE,  /* an EC private key to be imported */
    TEMPLATE_SECRET,   /* a secret key of the session, its class and type said */
    TEMPLATE_SECRET_ON_TOKEN,
    TEMPLATE_AES, /* the same, to be generated */
    TEMPLATE_AES_ON_TOKEN,
    TEMPLATE_EC_ON_TOKEN,
    TEMPLATE_EC,    /* a public key to be generated */
    TEMPLATE_EMPTY, /* what a private key is generated with */
    TEMPLATES
};

/* What is in progress in the session. */
enum bad_operation {
    DURING_NOTHING,
    DURING_SEARCH,
    DURING_ENCRYPTION,
    DURING_DECRYPTION, /* with OBJECT_PRIVATE */
    DURING_AES_DECRYPTION,
    DURING_AES_DECRYPTION_PART, /* a part has been decrypted */
    DURING_ENCRYPTION_PART,
    DURING_DIGEST,
    DURING_DIGEST_PART,
    DURING_SIGNATURE,      /* with OBJECT_PRIVATE */
    DURING_SIGNATURE_PART, /* the same, consented to, a part signed */
    DURING_MAC,
    DURING_MAC_PART,
    DURING_VERIFICATION,
    DURING_VERIFICATION_PART,
    DURING_MAC_VERIFICATION,
    /* On the mock only. */
    DURING_RECOVERY,
    DURING_MESSAGE_SIGNATURE,
    DURING_MESSAGE_SIGNATURE_PART, /* a message, consented to, has begun */
    DURING_MESSAGE_DECRYPTION,
    DURING_MESSAGE_DECRYPTION_PART,
    DURINGS
};

/* Operations of one kind exclude each other; an operation is of no use to the functions of another kind. */
enum bad_family {
    FAMILY_NONE,
    FAMILY_SEARCH,
    FAMILY_ENCRYPTION,
    FAMILY_DECRYPTION,
    FAMILY_DIGEST,
    FAMILY_SIGNATURE,
    FAMILY_VERIFICATION,
    FAMILY_OF_THE_MOCK
};
enum bad_family bad_world_family(enum bad_operation operation);

struct bad_bytes {
    CK_BYTE bytes[512];
    CK_ULONG len;
};

#define BAD_TEMPLATE_MAX 8

struct bad_world {
    struct fixture *fx;
    const char *rsa;           /* the label of OBJECT_PRIVATE and OBJECT_PUBLIC */
    CK_FUNCTION_LIST *p11;     /* the module's functions, or the backend's */
    CK_FUNCTION_LIST_3_0 list; /* the same as a list of 3.0, in so far as there are */
    bool module;               /* PINs can be asked for */
    bool mock;                 /* the token is the mock */
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE main;    /* keeps the login */
    CK_SESSION_HANDLE session; /* of the case */
    CK_OBJECT_HANDLE objects[OBJECTS];
    CK_OBJECT_HANDLE destroyed; /* was one */
    CK_MECHANISM mechanisms[MECHANISMS];
    struct bad_bytes data[DATAS];
    struct {
        CK_ATTRIBUTE attributes[BAD_TEMPLATE_MAX];
        CK_ULONG count;
    } templates[TEMPLATES];

    /* Where results go. */
    CK_BYTE result[4096];
    CK_ULONG room;
    CK_BYTE given[1024];
    CK_BYTE read[64];
};

/* The world without the module, whose backend has been initialised directly, or with it, initialised by
 * fixture_start. */
void bad_world_open(struct bad_world *world, struct fixture *fx, CK_FUNCTION_LIST *p11, bool module);

/* With the module in front of the mock, which mock_start must have initialised. */
void bad_world_open_mock(struct bad_world *world, struct fixture *fx);

/* Fills in the data that only keys can make. They need no secret between the two worlds. */
void bad_world_make_data(struct bad_world *world);

/* A session for one case; what begins in it. */
void bad_world_begin_case(struct bad_world *world, bool may_write);
CK_RV bad_world_begin_operation(struct bad_world *world, enum bad_operation operation);
void bad_world_end_case(struct bad_world *world);

/* The user is logged in, with a session of the world's that keeps it so, or logged out. */
void bad_world_ensure_login(struct bad_world *world);
void bad_world_log_out(struct bad_world *world);

/* All objects that the main session sees. */
CK_ULONG bad_world_count_objects(struct bad_world *world);

#endif
