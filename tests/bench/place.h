/*
 * place: a token as one module shows it, with what the operations of the bench need of it.
 *
 * Owner: the caller's struct; the module stays loaded. Thread rule: opened and closed by one thread; then constant.
 */
#ifndef PINWARD_BENCH_PLACE_H
#define PINWARD_BENCH_PLACE_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

#define PLACE_PIN         "123456"
#define PLACE_SESSIONS    8 /* as many threads as an operation is measured with */
#define PLACE_RSA         "rsa"
#define PLACE_P256        "p256"
#define PLACE_OBJECT      "object %04lu"
#define PLACE_OBJECT_SIZE 32

struct place {
    CK_FUNCTION_LIST *functions;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE sessions[PLACE_SESSIONS]; /* the first keeps the login */
    CK_OBJECT_HANDLE rsa, rsa_public, p256;
    CK_BYTE encrypted[256]; /* something for the RSA key to decrypt */
    CK_ULONG encrypted_len;
    char wanted[PLACE_OBJECT_SIZE]; /* label of an object to be searched for */
};

/* Ends the program, saying what returned what, unless rv is CKR_OK. */
void place_must(CK_RV rv, const char *what);

/* dlopen and C_GetFunctionList; ends the program when that fails. */
CK_FUNCTION_LIST *place_load(const char *path);

/* C_Initialize for use by several threads. A module that shares its backend with one that was opened before may say that
 * it is initialised already. */
void place_initialize(CK_FUNCTION_LIST *functions);

/* Loads and initialises the module, finds the token of that label, opens the sessions, logs in, and finds the keys. objects:
 * how many data objects are on the token. Ends the program when something is not there. */
void place_open(const char *path, const char *token_label, CK_ULONG objects, struct place *place);

#endif
