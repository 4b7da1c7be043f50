/* The files of the tool's state: the journals of an enrollment and of an import, the session, and the counted passwords.
 * What is in them is either taken whole, and written again says the same, or refused with a sentence; what counts
 * passwords never counts down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enroll/app.h"
#include "enroll/file.h"
#include "enroll/import_journal.h"
#include "enroll/journal.h"
#include "enroll/logintries.h"
#include "enroll/session.h"
#include "fuzz/folder.h"
#include "fuzz/fuzz.h"
#include "fuzz/http_fake.h"
#include "fuzz/text_check.h"

#define PORTAL "https://localhost"

/* Where the room keeps its file is its own business: it is made to write one, and that is replaced. */
static char journal_file[FUZZ_PATH_MAX], import_file[FUZZ_PATH_MAX];

static void put(const char *path, const struct fuzz_input *input)
{
    struct error err = {0};

    fuzz_require(file_write_private(path, input->data, input->left, &err) == ERROR_NONE, "the file is written");
}

static void learn_paths(const char *folder)
{
    struct journal journal;
    struct import_journal import;
    struct error err = {0};

    if (journal_file[0])
        return;
    fuzz_require(journal_open(folder, PORTAL, "wang", &journal, &err) == ERROR_NONE, "there is a journal");
    snprintf(journal_file, sizeof journal_file, "%s", journal.path);
    journal_close(&journal);
    fuzz_require(import_journal_open(folder, "0123", &import, &err) == ERROR_NONE, "there is an import's journal");
    snprintf(import_file, sizeof import_file, "%s", import.path);
    import_journal_close(&import);
}

static void try_journal(const char *folder, const struct fuzz_input *input)
{
    struct journal journal, again;
    struct error err = {0};
    enum error_code status;

    put(journal_file, input);
    status = journal_open(folder, PORTAL, "wang", &journal, &err);
    if (status != ERROR_NONE) {
        text_require_sentence(status, &err);
        return;
    }
    fuzz_require(journal.state >= JOURNAL_PLANNED && journal.state <= JOURNAL_WRITTEN, "the state is one");
    fuzz_require(journal.signing_id && journal.encryption_id && journal.request_id && journal.registration,
                 "what the state needs is there");
    fuzz_require(journal_save(&journal, &err) == ERROR_NONE, "what was read can be written");
    journal_close(&journal);
    fuzz_require(journal_open(folder, PORTAL, "wang", &again, &err) == ERROR_NONE, "and read again");
    fuzz_require(journal_finish(&again, &err) == ERROR_NONE && again.state == JOURNAL_NONE, "and ended");
    journal_close(&again);
}

static void try_import(const char *folder, const struct fuzz_input *input)
{
    struct import_journal journal;
    struct error err = {0};
    enum error_code status;

    put(import_file, input);
    status = import_journal_open(folder, "0123", &journal, &err);
    if (status != ERROR_NONE) {
        text_require_sentence(status, &err);
        return;
    }
    fuzz_require(journal.state >= IMPORT_PLANNED && journal.state <= IMPORT_WRITTEN, "the state is one");
    fuzz_require(journal.name && journal.signing_id && journal.encryption_id && journal.signing_fingerprint &&
                     journal.encryption_fingerprint,
                 "what an import needs is there");
    fuzz_require(import_journal_save(&journal, &err) == ERROR_NONE, "what was read can be written");
    fuzz_require(import_journal_finish(&journal, &err) == ERROR_NONE, "and ended");
    import_journal_close(&journal);
}

static void try_session(const struct app *app, const struct fuzz_input *input)
{
    struct session session = {0};
    struct error err = {0};
    char path[FUZZ_PATH_MAX];
    enum error_code status;

    snprintf(path, sizeof path, "%s/session.json", app->state_folder);
    put(path, input);
    status = session_open(app, &session, &err);
    if (status != ERROR_NONE) {
        text_require_sentence(status, &err);
        text_require_no_secret(&err);
        return;
    }
    fuzz_require(session.account && portal_cookie(session.portal), "a session has account and cookie");
    session_close(app, &session);
}

/* Whatever the file says: after one more try there is no more room than before. */
static void try_tries(const struct app *app, const struct fuzz_input *input)
{
    const struct problem none = {0};
    struct error err = {0};
    char path[FUZZ_PATH_MAX];
    enum error_code before, begun;

    snprintf(path, sizeof path, "%s/login-tries.json", app->state_folder);
    put(path, input);
    before = logintries_check(app, "wang", &err);
    if (before != ERROR_NONE)
        text_require_sentence(before, &err);
    begun = logintries_begin(app, "wang", &err);
    fuzz_require(before == begun, "what may not be tried is not begun");
    if (begun != ERROR_NONE)
        return;
    (void)logintries_end(app, "wang", ERROR_NETWORK, &none, &err);
    (void)logintries_begin(app, "wang", &err);
    fuzz_require(logintries_check(app, "wang", &err) == ERROR_LOCKED, "the third try is not made without --last-try");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct app app = {.config = {.portal = {.url = (char *)PORTAL}}, .state_folder = (char *)fuzz_folder()};

    learn_paths(app.state_folder);
    switch (fuzz_byte(&input) % 4) {
    case 0:
        try_journal(app.state_folder, &input);
        break;
    case 1:
        try_import(app.state_folder, &input);
        break;
    case 2:
        http_fake_begin(&input);
        try_session(&app, &input);
        break;
    default:
        try_tries(&app, &input);
    }
    return 0;
}
