/*
 * module_token_internal: what the files of the token share: module_token.c (sessions, login), module_token_object.c (the
 * objects, and the functions on them), module_token_check.c (what must hold of them), module_token_work.c and
 * module_token_once.c (the functions that use keys), module_token_public.c (messages without a private key).
 *
 * Owner: module_token.c. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_MODULE_TOKEN_INTERNAL_H
#define PINWARD_TESTS_MODULE_TOKEN_INTERNAL_H

#include "fuzz/fuzz.h"
#include "fuzz/module_token.h"

/* Attributes that are true or false. */
#define TOKEN_FLAGS 18

struct token_object {
    bool exists;
    bool settled;        /* it was there when the last call ended; */
    CK_BBOOL before[TOKEN_FLAGS];  /* and was like this, */
    enum judge_level level_before; /* and of this level */
    unsigned born_in;    /* the call that made it; 0: there from the beginning */
    unsigned copy_of;    /* the handle of the original; 0: none */
    bool may_leave;      /* the user agreed to that when it was made */
    CK_OBJECT_CLASS object_class;
    CK_KEY_TYPE key_type;
    char label[JUDGE_LABEL_MAX + 1];
    CK_BBOOL flags[TOKEN_FLAGS];
    unsigned session;    /* serial of the session that it ends with; 0: it is the token's */
};

enum token_kind { KIND_SIGN, KIND_SIGN_RECOVER, KIND_DECRYPT, KIND_MESSAGE_SIGN, KIND_MESSAGE_DECRYPT, TOKEN_KINDS };

/* An operation in progress. */
struct token_operation {
    bool active;
    bool private_key;
    bool guarded;    /* the token itself wants a context-specific login */
    bool logged_in;  /* and has had it */
    bool judged;     /* what it does next is agreed to */
    bool parts;      /* of a message */
    char label[JUDGE_LABEL_MAX + 1];
    enum judge_level level;
    uint64_t begun_at;
};

struct token_session {
    bool open;
    bool of_application;
    unsigned serial;
    unsigned works_for; /* the serial of the application's session that it belongs to */
    CK_FLAGS flags;
    struct token_operation operations[TOKEN_KINDS];
    bool finding;
    unsigned found_next;
};

extern struct token_object token_objects[TOKEN_OBJECTS + 1];
extern struct token_session token_session_table[TOKEN_SESSIONS + 1];
extern unsigned token_habits;

/* Every function begins with it: CKR_SESSION_HANDLE_INVALID, or the error that was asked for. */
CK_RV token_enter(CK_SESSION_HANDLE handle, struct token_session **session);

/* NULL: there is none of that handle. */
struct token_object *token_object(CK_OBJECT_HANDLE handle);

/* A class that is not known might be one. */
bool token_is_private(const struct token_object *object);

extern const CK_ATTRIBUTE_TYPE token_flag_types[TOKEN_FLAGS];
CK_BBOOL *token_flag(struct token_object *object, CK_ATTRIBUTE_TYPE type);

/* What is done at once with a private key, in this session. */
void token_work(const struct token_session *session, const struct token_object *object, enum judge_use use, const void *data,
                size_t data_len);

/* Whatever the token makes is so long. Is there room for it? CKR_OK with *ready false: only the length was asked for. */
#define TOKEN_OUTPUT_LEN 32
CK_RV token_has_room(const CK_BYTE *out, CK_ULONG *out_len, bool *ready);

void token_fill_objects(CK_FUNCTION_LIST_3_0 *functions);
void token_fill_work(CK_FUNCTION_LIST_3_0 *functions);
void token_fill_once(CK_FUNCTION_LIST_3_0 *functions);
void token_fill_public(CK_FUNCTION_LIST_3_0 *functions);

/* A new object in the lowest place; NULL: there is none. */
struct token_object *token_new_object(const struct token_session *session, CK_OBJECT_HANDLE *handle);

/* Makes the object what the template says. */
CK_RV token_apply(struct token_object *object, const CK_ATTRIBUTE *template, CK_ULONG count, bool change);

#endif
