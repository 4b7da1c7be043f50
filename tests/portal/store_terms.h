/*
 * store_terms: the versions of the terms in each language; the last one published is the current one.
 *
 * Owner: struct terms owns its text (terms_clear). Thread rule: that of the struct store.
 */
#ifndef PINWARD_PORTAL_STORE_TERMS_H
#define PINWARD_PORTAL_STORE_TERMS_H

#include "store.h"

#define TERMS_VERSION_SIZE 33
#define TERMS_SHA256_SIZE  65

struct terms {
    char version[TERMS_VERSION_SIZE];
    char language[16]; /* "en" or "zh-TW" */
    char sha256[TERMS_SHA256_SIZE];
    char *text;
};

/* The current version in the language, else in English. */
enum store_result terms_current(struct store *store, const char *language, struct terms *terms);
void terms_clear(struct terms *terms);

/* STORE_ROW: this is the hash of the current version in one of its languages. */
enum store_result terms_are_current(struct store *store, const char *version, const char *sha256);

/* Makes a new current version; STORE_DONE: the version exists already. Needs an open transaction. */
enum store_result terms_publish(struct store *store, const char *version, const char *english,
                                const char *chinese);

/* The terms that a new portal starts with. */
extern const char terms_first_version[];
extern const char terms_first_english[];
extern const char terms_first_chinese[];

#endif
