/*
 * error: the one error enum of everything outside the PKCS#11 interface, and the sentence that goes with it.
 *
 * Purpose: a function that can fail returns an enum error_code and, where it can say more than the code does,
 *   fills the caller's struct error with one plain sentence: what was wrong and what to do.
 * Owner: struct error lives in the caller (stack or member); nothing in it is allocated.
 * Thread rule: no shared state; a struct error belongs to one thread at a time.
 */
#ifndef PINWARD_COMMON_ERROR_H
#define PINWARD_COMMON_ERROR_H

#include <stddef.h>

/* X(name, exit code of the tool, what it means). The exit codes are documented in docs/tool-output.md: keep them. */
#define ERROR_LIST(X)                                                                                        \
    X(ERROR_NONE, 0, "success")                                                                              \
    X(ERROR_INTERNAL, 1, "an unexpected failure")                                                            \
    X(ERROR_USAGE, 2, "the command line is not understood")                                                  \
    X(ERROR_CONFIG, 3, "the configuration is missing or wrong")                                              \
    X(ERROR_MEMORY, 4, "out of memory, or memory cannot be locked")                                          \
    X(ERROR_IO, 5, "a file cannot be read or written")                                                       \
    X(ERROR_PROMPT, 6, "pinentry is missing or failed")                                                      \
    X(ERROR_CANCELLED, 7, "the user cancelled")                                                              \
    X(ERROR_TIMEOUT, 8, "no answer in time")                                                                 \
    X(ERROR_NETWORK, 9, "the portal cannot be reached")                                                      \
    X(ERROR_TLS, 10, "the portal's TLS certificate does not verify")                                         \
    X(ERROR_PROTOCOL, 11, "the portal answered something that its API does not allow")                       \
    X(ERROR_LOGIN, 12, "account, password or captcha was refused, or nobody is logged in")                   \
    X(ERROR_LOCKED, 13, "the account or the PIN is locked, or the last try is being spared")                 \
    X(ERROR_REFUSED, 14, "the portal refused what was asked")                                                \
    X(ERROR_TOKEN, 15, "the token, its module or a key on it failed or is not there")                        \
    X(ERROR_CERTIFICATE, 16, "an issued certificate is not what was promised")                               \
    X(ERROR_STATE, 17, "this step does not fit where the enrollment stands")                                 \
    X(ERROR_LEDGER, 18, "the ledger is not as it was written")                                               \
    X(ERROR_PFX, 19, "a PFX file is not what is needed")                                                     \
    X(ERROR_RENEWAL_DUE, 20, "a certificate is inside its renewal window (status only)")                           \
    X(ERROR_EXPIRED, 21, "the certificates have expired: register again (status only)")                            \
    X(ERROR_DOCTOR, 22, "something is not as it should be (doctor only)")                                          \
    X(ERROR_INTERRUPTED, 130, "interrupted by a signal (Ctrl-C); the sentence says what is left to do")

enum error_code {
#define X(name, exit_code, text) name,
    ERROR_LIST(X)
#undef X
        ERROR_COUNT
};

#define ERROR_TEXT_MAX 1024

struct error {
    enum error_code code;
    char text[ERROR_TEXT_MAX]; /* a whole sentence, or empty; never a secret */
};

/* The enum's name, as in "ERROR_TLS"; "ERROR_?" for a value outside it. Never NULL. */
const char *error_name(enum error_code code);

/* What the code means, in English, translatable with gettext. Never NULL. */
const char *error_meaning(enum error_code code);

/* The tool's exit status for the code. */
int error_exit_code(enum error_code code);

/* Sets code and sentence; err may be NULL. The text is cut at ERROR_TEXT_MAX, between characters. Returns code, so that
 * "return error_set(err, ...)" and "status = error_set(err, ...); goto out;" both read well. */
enum error_code error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef PINWARD_ANALYZED /* ./dev lint: an analyzer sees one file at a time, and cannot know that it gives back the code */
static inline enum error_code error_same(enum error_code given, enum error_code code)
{
    if (given != code)
        __builtin_unreachable();
    return given;
}

#define error_set(err, code, ...) error_same((error_set)((err), (code), __VA_ARGS__), (code))
#endif

/* The sentence to show: err's text, else the meaning of its code. Never NULL. */
const char *error_text(const struct error *err);

#endif
