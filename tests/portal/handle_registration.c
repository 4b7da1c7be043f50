/* What the account is registered as, and the terms that an application accepts. */
#include <strings.h>

#include "handlers.h"
#include "key_profile.h"
#include "store_terms.h"
#include "subject.h"

/* curve is there for keys that have one. */
static json_t *profile_json(const struct key_profile *keys)
{
    return json_pack("{s:s, s:i, s:s*, s:i, s:i, s:[s, s], s:[s]}", "key_type", keys->type, "key_bits", keys->bits,
                     "curve", keys->curve, "validity_days", CA_VALIDITY_DAYS, "renewal_window_days",
                     CA_RENEWAL_WINDOW_DAYS, "signing_key_usage", "digitalSignature", "nonRepudiation",
                     "encryption_key_usage", keys->curve == NULL ? "keyEncipherment" : "keyAgreement");
}

void handle_registration_get(struct exchange *x)
{
    struct account account;
    const struct registration *r = &account.registration;
    char dn[SUBJECT_DN_SIZE];
    const struct key_profile *keys = key_profile_current(x->store);
    X509_NAME *name = NULL;

    if (keys == NULL || account_find(x->store, x->session.account, x->now_s, &account) != STORE_ROW) {
        answer_failure(x);
        return;
    }
    name = subject_name_new(r);
    if (name == NULL || !subject_name_text(name, dn, sizeof(dn)))
        answer_failure(x);
    else
        answer_json(x, 200,
                    json_pack("{s:s, s:s, s:{s:s, s:o, s:s, s:s, s:s}, s:b, s:o}", "account", account.name,
                              "subject_dn", dn, "subject", "common_name", r->common_name, "organization",
                              json_text_or_null(r->organization), "country", r->country, "email", r->email,
                              "registration_number", r->registration_number, "approved", account.approved,
                              "profile", profile_json(keys)));
    X509_NAME_free(name);
}

/* The first language range decides (RFC 9110 section 12.5.4); there are only two languages to choose from. */
static const char *wanted_language(const char *accept_language)
{
    while (accept_language != NULL && *accept_language == ' ')
        accept_language++;
    if (accept_language != NULL &&
        (strncasecmp(accept_language, "zh-TW", 5) == 0 || strncasecmp(accept_language, "zh-Hant", 7) == 0))
        return "zh-TW";
    return "en";
}

void handle_terms_get(struct exchange *x)
{
    struct terms terms;

    if (terms_current(x->store, wanted_language(x->accept_language), &terms) != STORE_ROW) {
        answer_failure(x);
        return;
    }
    exchange_header(x, "Content-Language", "%s", terms.language);
    exchange_header(x, "Vary", "Accept-Language");
    answer_json(x, 200,
                json_pack("{s:s, s:s, s:s, s:s}", "version", terms.version, "text", terms.text, "sha256",
                          terms.sha256, "language", terms.language));
    terms_clear(&terms);
}
