/*
 * log_words: what the ledger's words for a use and for how it was decided are called in the user's language. The ledger
 * itself has them in English, always.
 *
 * Owner: nothing kept. Thread rule: no shared state.
 */
#ifndef PINWARD_ENROLL_LOG_WORDS_H
#define PINWARD_ENROLL_LOG_WORDS_H

/* The word itself when it is none that this version's module writes. */
const char *log_word(const char *word);

#endif
