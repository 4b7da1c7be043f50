#include "enroll/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/i18n.h"
#include "common/utf8.h"
#include "enroll/text.h"

#define PROBLEM_TYPE_PREFIX "urn:pinward:problem:"

/* What each problem is to us. A row without a sentence shows the portal's own. */
static const struct {
    const char *slug;
    enum error_code code;
    const char *sentence;
} problem_table[] = {
    {"account-locked", ERROR_LOCKED,
     N_("The account is locked after three wrong passwords: only the registration authority can unlock it.")},
    {"already-activated", ERROR_STATE, N_("The certificates are already active: pinward status shows them.")},
    {"already-certified", ERROR_STATE,
     N_("You already have certificates that are active: renew them with pinward renew when the time has "
        "come.")},
    {"application-open", ERROR_STATE,
     N_("An application of yours is not yet activated: complete it with pinward activate.")},
    {"captcha-wrong", ERROR_LOGIN, N_("The characters did not match the picture: try again with a new one.")},
    {"certificate-expired", ERROR_STATE,
     N_("The certificates have expired and cannot be renewed: register again at the registration authority, "
        "then use "
        "pinward apply.")},
    {"certificate-not-active", ERROR_STATE,
     N_("The old certificates are not active (suspended, revoked or already renewed): pinward status shows "
        "them; ask "
        "the registration authority.")},
    {"challenge-expired", ERROR_STATE, N_("The activation took too long: run the same command again.")},
    {"login-failed", ERROR_LOGIN, N_("The password was wrong.")},
    {"login-required", ERROR_LOGIN,
     N_("Nobody is logged in, or the session has ended: run pinward login first.")},
    {"not-activated", ERROR_STATE, N_("The certificate is not active yet: run pinward activate.")},
    {"not-issued", ERROR_STATE,
     N_("The registration authority has not approved the application yet: run pinward activate when it "
        "has.")},
    {"password-change-required", ERROR_STATE,
     N_("The first password must be changed: run pinward passwd first.")},
    {"password-too-weak", ERROR_REFUSED, NULL},
    {"possession-not-shown", ERROR_REFUSED, NULL},
    {"registration-not-approved", ERROR_STATE,
     N_("The registration is not approved yet: ask the registration authority, then run the same command "
        "again.")},
    {"renewal-too-early", ERROR_STATE, NULL},
    {"request-id-reused", ERROR_REFUSED, NULL},
    {"request-invalid", ERROR_REFUSED, NULL},
    {"terms-outdated", ERROR_STATE,
     N_("The terms have changed: run the same command again to read the new ones.")},
};

/* Adds text, cleaned, behind the *used bytes of out; what does not fit is cut, between characters. */
static void problem_add(char *out, size_t size, size_t *used, const char *text)
{
    char *clean = text ? text_clean(text, false) : NULL;
    size_t len = clean ? strlen(clean) : 0;

    if (clean && len >= size - *used) {
        len = utf8_whole(clean, size - *used - 1);
    }
    if (len > 0) {
        memcpy(out + *used, clean, len);
    }
    *used += len;
    out[*used] = '\0';
    free(clean);
}

static void problem_copy(char *out, size_t size, const char *text)
{
    size_t used = 0;

    problem_add(out, size, &used, text);
}

/* Why a password is too weak, in the words of the contract's portal (docs/portal-api.yaml), which has them in English only. */
static const char *const problem_reasons[] = {
    N_("It is shorter than 12 bytes."),
    N_("It is longer than 128 bytes."),
    N_("It has fewer than three of lower-case letters, upper-case letters, digits and others."),
    N_("It contains the account name."),
    N_("It equals the old password."),
    N_("It is a common password."),
};

/* The reason in the user's language where it is one that we know, else as the portal says it. */
static const char *problem_translate(const char *reason)
{
    for (size_t i = 0; i < sizeof problem_reasons / sizeof problem_reasons[0]; i++) {
        if (strcmp(reason, problem_reasons[i]) == 0) {
            return _(problem_reasons[i]);
        }
    }
    return reason;
}

static void problem_join_reasons(const json_t *document, char *out, size_t size)
{
    const json_t *reasons = json_object_get(document, "reasons");
    size_t used = 0;
    size_t i;
    json_t *reason;

    problem_copy(out, size, json_string_value(json_object_get(document, "reason")));
    json_array_foreach(reasons, i, reason)
    {
        char one[128];

        problem_copy(one, sizeof one, json_string_value(reason));
        /* Sentences of wide characters follow each other without a blank. */
        if (used > 0 && (unsigned char)out[used - 1] < 0x80) {
            problem_add(out, size, &used, " ");
        }
        problem_add(out, size, &used, problem_translate(one));
    }
}

void problem_parse(int status, const char *content_type, const struct bytes *body, struct problem *problem)
{
    struct problem parsed = {.status = status, .tries_left = -1};
    json_t *document = NULL;
    const json_t *tries;
    const char *type;

    if (strcmp(content_type, "application/problem+json") == 0 && body->len > 0) {
        document = json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, NULL);
    }
    type = json_string_value(json_object_get(document, "type"));
    if (type && strncmp(type, PROBLEM_TYPE_PREFIX, strlen(PROBLEM_TYPE_PREFIX)) == 0) {
        problem_copy(parsed.slug, sizeof parsed.slug, type + strlen(PROBLEM_TYPE_PREFIX));
    }
    tries = json_object_get(document, "tries_left");
    if (json_is_integer(tries) && json_integer_value(tries) >= 0 && json_integer_value(tries) <= 100) {
        parsed.tries_left = (int)json_integer_value(tries);
    }
    problem_copy(parsed.opens_at, sizeof parsed.opens_at,
                 json_string_value(json_object_get(document, "opens_at")));
    problem_copy(parsed.detail, sizeof parsed.detail, json_string_value(json_object_get(document, "detail")));
    problem_join_reasons(document, parsed.reasons, sizeof parsed.reasons);
    json_decref(document);
    *problem = parsed;
}

bool problem_is(const struct problem *problem, const char *slug)
{
    return strcmp(problem->slug, slug) == 0;
}

enum error_code problem_error(const struct problem *problem, struct error *err)
{
    if (problem_is(problem, "renewal-too-early") && problem->opens_at[0]) {
        return error_set(err, ERROR_STATE, _("Renewal opens at %s: run pinward renew then."),
                         problem->opens_at);
    }
    if (problem_is(problem, "password-too-weak") && problem->reasons[0]) {
        return error_set(err, ERROR_REFUSED, _("The portal does not take this password: %s"), problem->reasons);
    }
    for (size_t i = 0; i < sizeof problem_table / sizeof problem_table[0]; i++) {
        if (!problem_is(problem, problem_table[i].slug)) {
            continue;
        }
        if (problem_table[i].sentence) {
            return error_set(err, problem_table[i].code, "%s", _(problem_table[i].sentence));
        }
        return error_set(err, problem_table[i].code, _("The portal refused: %s%s%s%s"),
                         problem->detail[0] ? problem->detail : problem->slug,
                         problem->reasons[0] ? " (" : "", problem->reasons, problem->reasons[0] ? ")" : "");
    }
    if (problem->status >= 300 && problem->status <= 399) {
        return error_set(err, ERROR_PROTOCOL,
                         _("The portal sends us elsewhere (status %d), which is never followed: check that url names "
                           "the right portal."),
                         problem->status);
    }
    if (problem->status >= 500) {
        return error_set(err, ERROR_NETWORK, _("The portal failed (status %d): try again later."),
                         problem->status);
    }
    return error_set(err, ERROR_REFUSED, _("The portal refused (status %d): %s"), problem->status,
                     problem->detail[0] ? problem->detail
                                        : _("it did not say why; ask the registration authority."));
}
