/*
 * judge: has the user agreed to what the token is made to do with a private key? Knows nothing of the gate: what was
 * agreed to is what stood in the windows (module_user.c), what was done is what reached the token (module_token.c), and
 * the levels are those of the configuration that module.c wrote.
 *
 * A violation ends the program (fuzz_require).
 * Owner: everything is kept here, from judge_begin on. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_JUDGE_H
#define PINWARD_TESTS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JUDGE_LABEL_MAX 31

enum judge_use {
    JUDGE_SIGN,
    JUDGE_DECRYPT,
    JUDGE_UNWRAP,
    JUDGE_DERIVE,
    JUDGE_EXPORT,
    JUDGE_EXPORT_TO_PROGRAM,
    JUDGE_CREATE_EXPORTABLE,
    JUDGE_COPY,
    JUDGE_CHANGE,
    JUDGE_DELETE,
};

enum judge_level { JUDGE_HIGH, JUDGE_MEDIUM, JUDGE_LOW };

/* What the configuration says, as the judge understands it. */
struct judge_rules {
    enum judge_level level;  /* of keys that no rule names: those labelled "medium" and "low" are what they are called */
    bool application_asks;   /* prompt = application */
    unsigned login_grace_s;
    bool export_asks;
};

void judge_begin(const struct judge_rules *rules);

enum judge_level judge_level(const char *label, bool always_authenticate);
const struct judge_rules *judge_rules(void);

/* The application's calls, one in the other when it calls while a window is open. session: a number that no other session
 * ever gets; 0: the call has none. */
void judge_call_begin(unsigned session);
void judge_call_end(void);
unsigned judge_call(void);         /* the number of the innermost call; 0: none is in progress */
unsigned judge_call_session(void); /* its session */

/* The clock of the world. */
uint64_t judge_now(void);
int64_t judge_time_ms(void);
void judge_time_passes(int64_t ms);

/* ------------------------------------------------------------------ consents */

/* A window about the use of a key, answered with the right PIN, or (by_pin false) with a yes. */
struct judge_window {
    enum judge_use use;
    bool sign_or_decrypt; /* it said that it may be either */
    bool by_pin;
    char label[JUDGE_LABEL_MAX + 1];
    bool has_data;
    unsigned char data[32]; /* the SHA-256 that it showed */
};
void judge_agreed(const struct judge_window *window);

/* A window for logging in, answered with the right PIN. */
void judge_agreed_to_login(void);

/* A window for a batch, answered with the right PIN. */
void judge_agreed_to_batch(unsigned uses, unsigned time_s);
void judge_batches_revoked(void);

/* The application has logged in for one use with the right PIN. */
void judge_presented(void);

/* The token has told something else of its keys than what they are: what a window calls a key proves nothing any more,
 * and to agree to the worse kind of export is to agree to the other. */
void judge_keys_unknown(void);

/* Nobody is logged in any more. */
void judge_logged_out(void);

/* ------------------------------------------------------------------ uses */

/* What the token is made to do with a private key. */
struct judge_work {
    enum judge_use use;
    const char *label;
    enum judge_level level;
    unsigned session;  /* of the application, that it is done for */
    uint64_t begun_at; /* the operation's beginning, by judge_now; 0: it is a single call */
    const void *data;  /* all that is signed, decrypted or unwrapped; NULL: not all of it is known */
    size_t data_len;
};
void judge_work(const struct judge_work *work);

/* Was there, in this call, a window for this use of a key with this label? For what needs one whatever the level. */
bool judge_window_in_call(enum judge_use use, const char *label);

#endif
