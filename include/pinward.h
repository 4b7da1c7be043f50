/**
 * @file
 * pinward.h: what pinward-pkcs11.so offers beyond PKCS#11. Include the PKCS#11 declarations (3.0) before it.
 */
#ifndef PINWARD_H
#define PINWARD_H

/** A vendor attribute (PKCS#11 2.40, 4.3) of private keys, which the module answers: does the token itself ask
 * for the PIN at every use of the key, besides the gate? CK_BBOOL, read-only; other objects do not have it
 * (CKR_ATTRIBUTE_TYPE_INVALID). CKA_ALWAYS_AUTHENTICATE, by contrast, says what an application is to do,
 * which with prompt = module is nothing. May be read from any thread, like any attribute (5.7,
 * C_GetAttributeValue). */
#define CKA_PINWARD_ENFORCED (CKA_VENDOR_DEFINED | 0x50570001UL)

/**
 * Batch consent: the user is asked once for up to n uses of private keys of one token within t seconds, for a
 * purpose that the application names. Such a batch belongs to the process. It covers signing, decrypting,
 * unwrapping and deriving with any protected key of the token; never exporting, copying, changing or deleting
 * one. It ends when it is used up, when its time is over, when it is revoked, and with the login: C_Logout,
 * the last session closed, a new PIN, C_Finalize. A use that the token then refuses is spent too.
 *
 * The interface is found with C_GetInterface (PKCS#11 3.0, 5.4) by this name; its list of functions is a
 * struct pinward_consent_functions, which is constant, the module's, and valid as long as the module is
 * loaded:
 *
 *     CK_INTERFACE *found;
 *     const struct pinward_consent_functions *consent;
 *
 *     if (C_GetInterface((CK_UTF8CHAR *)PINWARD_CONSENT_INTERFACE, NULL, &found, 0) == CKR_OK)
 *         consent = found->pFunctionList;
 *
 * Thread rule: all functions may be called from any thread, after C_Initialize. All answer
 * CKR_CRYPTOKI_NOT_INITIALIZED before it and in a forked child, CKR_SESSION_HANDLE_INVALID for a session that
 * is not the application's, and CKR_FUNCTION_NOT_SUPPORTED where there are no batches: with prompt =
 * application, with batch-uses = 0, and on a token whose PIN is typed at its reader. Outputs are untouched
 * unless CKR_OK or CKR_BUFFER_TOO_SMALL is returned.
 */
#define PINWARD_CONSENT_INTERFACE "Vendor Pinward Consent Interface"

#define PINWARD_PURPOSE_MAX 128 /**< bytes of UTF-8 */
#define PINWARD_ALL_BATCHES 0UL /**< for revoke_batch */

/** A batch that may still be used. */
struct pinward_batch {
    CK_ULONG number;       /**< never 0; not given twice before C_Finalize */
    CK_ULONG uses_left;    /**< of those that the user agreed to */
    CK_ULONG seconds_left; /**< until its time is over */
    CK_UTF8CHAR purpose[PINWARD_PURPOSE_MAX + 1]; /**< NUL-terminated */
};

/** The functions of the interface, all of which begin with a session: it says whose token is meant. */
struct pinward_consent_functions {
    CK_VERSION version; /**< 1.0; within major version 1 functions are only added at the end */

    /** The most that request_batch takes (batch-uses and batch-time of the configuration). */
    CK_RV (*get_limits)(CK_SESSION_HANDLE session, CK_ULONG *uses, CK_ULONG *time_s);

    /* doxygen wants the arguments to begin on the line of the name. */
    /* clang-format off */
    /** Asks the user. purpose: purpose_len bytes of UTF-8, 1 to PINWARD_PURPOSE_MAX, without control
     * characters; shown as the application's own words. When nobody is logged in to the session's token yet,
     * the same PIN logs the user in, as C_Login would. *batch: its number. Does not return before the user
     * has answered. CKR_ARGUMENTS_BAD: uses or time_s is 0 or more than get_limits says, or the purpose
     * cannot be shown. CKR_PIN_INCORRECT: three times. CKR_FUNCTION_REJECTED: nobody answered.
     * CKR_FUNCTION_CANCELED: the user refused. CKR_USER_ANOTHER_ALREADY_LOGGED_IN: the security officer is.
     * CKR_USER_NOT_LOGGED_IN, CKR_SESSION_CLOSED: what happened meanwhile. CKR_PIN_LOCKED,
     * CKR_USER_PIN_NOT_INITIALIZED, CKR_FUNCTION_FAILED and others of C_Login (PKCS#11 2.40, 5.6). */
    CK_RV (*request_batch)(CK_SESSION_HANDLE session, CK_ULONG uses, CK_ULONG time_s, const CK_UTF8CHAR *purpose,
                           CK_ULONG purpose_len, CK_ULONG *batch);
    /* clang-format on */

    /** The batches of the session's token, in the convention of PKCS#11 2.40, 5.2: batches NULL asks for the
     * number only; CKR_BUFFER_TOO_SMALL when *count is less than it. The elements are the caller's. */
    CK_RV (*list_batches)(CK_SESSION_HANDLE session, struct pinward_batch *batches, CK_ULONG *count);

    /** Ends one, or PINWARD_ALL_BATCHES, of the session's token. CKR_ARGUMENTS_BAD: there is none of that
     * number (any more). A use that is in progress is not undone. */
    CK_RV (*revoke_batch)(CK_SESSION_HANDLE session, CK_ULONG batch);
};

#endif
