#include "enroll/flow_adopt.h"

#include <stdlib.h>

#include "common/i18n.h"
#include "enroll/certlist.h"
#include "enroll/codec.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

static enum error_code flow_adopt_key(struct flow *flow, X509 *certificate, char **id, char **label,
                                      struct error *err)
{
    EVP_PKEY *public_key = X509_get0_pubkey(certificate);
    struct token_key key = {0};
    bool found = false;
    char *hex = NULL;
    enum error_code status = ERROR_NONE;

    if (public_key) {
        status = token_find_key_of(flow->token, public_key, &found, &key, err);
    }
    if (status == ERROR_NONE && !found) {
        status = error_set(
            err, ERROR_TOKEN,
            _("The token \"%s\" does not hold the keys of this application: insert the token on which they "
              "were generated and run the same command again."),
            token_label(flow->token));
    }
    if (status == ERROR_NONE) {
        hex = codec_hex_encode(key.id.data, key.id.len);
        status = hex ? journal_set(id, hex, err) : error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        status = journal_set(label, key.label, err);
    }
    free(hex);
    token_key_clear(&key);
    return status;
}

/* Everything of the journal but the keys. */
static enum error_code flow_adopt_rest(struct flow *flow, const struct portal_application *application,
                                       struct error *err)
{
    struct journal *journal = &flow->journal;
    struct portal_registration registration = {0};
    char uuid[CODEC_UUID_SIZE];
    enum error_code status = portal_get_registration(flow->session.portal, &registration, err);

    if (status != ERROR_NONE) {
        return status;
    }
    portal_registration_clear(&flow->promised);
    flow->promised = registration;
    json_decref(journal->registration);
    journal->registration = json_incref(registration.json);
    if (!codec_uuid_new(uuid)) {
        return error_set(err, ERROR_INTERNAL, _("The system gives no random numbers."));
    }
    if (journal_set(&journal->activation_id, uuid, err) != ERROR_NONE ||
        journal_set(&journal->request_id, application->request_id, err) != ERROR_NONE ||
        journal_set(&journal->application_id, application->application_id, err) != ERROR_NONE ||
        journal_set(&journal->account, flow->session.account, err) != ERROR_NONE ||
        journal_set(&journal->token_label, token_label(flow->token), err) != ERROR_NONE ||
        journal_set(&journal->token_serial, token_serial(flow->token), err) != ERROR_NONE) {
        return ERROR_MEMORY;
    }
    journal->renewal = application->renewal;
    return ERROR_NONE;
}

static enum error_code flow_adopt_application(struct flow *flow, const struct portal_application *application,
                                              struct error *err)
{
    struct portal_challenge challenge = {0};
    enum error_code status =
        portal_get_challenge(flow->session.portal, application->application_id, &challenge, err);

    if (status == ERROR_NONE) {
        status = flow_use_token(flow, err);
    }
    if (status == ERROR_NONE) {
        status = flow_adopt_key(flow, challenge.signing, &flow->journal.signing_id,
                                &flow->journal.signing_label, err);
    }
    if (status == ERROR_NONE) {
        status = flow_adopt_key(flow, challenge.encryption, &flow->journal.encryption_id,
                                &flow->journal.encryption_label, err);
    }
    if (status == ERROR_NONE) {
        status = flow_adopt_rest(flow, application, err);
    }
    if (status == ERROR_NONE) {
        flow->journal.state = JOURNAL_SUBMITTED;
        status = journal_save(&flow->journal, err);
    }
    portal_challenge_clear(&challenge);
    return status;
}

static bool flow_adopt_is_here(const struct certlist *list, const struct portal_certificate *row)
{
    return list->places[row - list->portal.items] == CERTLIST_HERE;
}

static void flow_adopt_say_already(const struct flow *flow, const struct certlist *list, const char *application_id)
{
    struct output *output = &flow->app->output;
    char *token = text_clean(list->token, false);

    wrap_say(stdout, _("The certificates are active and on the token \"%s\" already: nothing is left to do."),
             token ? token : "?");
    free(token);
    output_note(output, "account", json_string(flow->session.account));
    output_note(output, "application_id", json_string(application_id));
    output_note(output, "token", output_text(list->token));
    output_note(output, "activated", json_true());
    output_note(output, "already", json_true());
}

/* Nothing is open at the portal: an earlier run did it all and could not say so, or there is nothing. */
static enum error_code flow_adopt_nothing(struct flow *flow, bool *already, struct error *err)
{
    struct certlist list = {0};
    const struct portal_certificate *signing;
    const struct portal_certificate *encryption;
    enum error_code status = certlist_read(flow->app, flow->session.portal, &list, err);

    if (status != ERROR_NONE) {
        return status;
    }
    signing = portal_certificates_find(&list.portal, PORTAL_SIGNING, "active");
    encryption = portal_certificates_find(&list.portal, PORTAL_ENCRYPTION, "active");
    if (!signing || !encryption) {
        status = error_set(err, ERROR_STATE, _("There is no application to activate: begin one with pinward apply."));
    } else if (flow_adopt_is_here(&list, signing) && flow_adopt_is_here(&list, encryption)) {
        flow_adopt_say_already(flow, &list, signing->application_id);
        *already = true;
    } else {
        status = error_set(err, ERROR_STATE,
                           _("There is no application to activate: the certificates are active, but not both on a token "
                             "that is here. With the token that has their keys, pinward download puts them back."));
    }
    certlist_clear(&list);
    return status;
}

enum error_code flow_adopt(struct flow *flow, bool *already, struct error *err)
{
    struct portal_application application = {0};
    bool found = false;
    enum error_code status = portal_find_open_application(flow->session.portal, &found, &application, err);

    if (status != ERROR_NONE) {
        return status;
    }
    if (!found) {
        return flow_adopt_nothing(flow, already, err);
    }
    status = flow_adopt_application(flow, &application, err);
    portal_application_clear(&application);
    return status;
}
