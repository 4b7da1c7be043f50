/* pinward: the enrollment tool. main understands the command line and hands over to the verb. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"
#include "enroll/app.h"
#include "enroll/cli.h"
#include "enroll/text.h"
#include "enroll/verbs.h"
#include "enroll/wipealloc.h"

/* The sentence may hold words of the portal or the token. */
static int main_fail(const struct error *err)
{
    char *clean = text_clean(error_text(err), false);

    fprintf(stderr, "pinward: %s\n", clean ? clean : error_meaning(err->code));
    free(clean);
    return error_exit_code(err->code);
}

static enum error_code main_run(const struct cli_command *command, struct error *err)
{
    struct app app = {0};
    enum error_code status;

    if (!wipealloc_install()) {
        return error_set(err, ERROR_INTERNAL, _("libcurl cannot be set up: install it again."));
    }
    status = app_init(&app, &command->options, command->verb->portal, err);
    if (status != ERROR_NONE) {
        return status;
    }
    status = command->verb->run(&app, err);
    app_clear(&app);
    return status;
}

int main(int argc, char *argv[])
{
    struct cli_command command = {0};
    struct error err = {0};
    enum error_code status;

    setlocale(LC_ALL, "");
    i18n_bind();
    signal(SIGPIPE, SIG_IGN); /* a pinentry or portal that goes away is an error to report, not our end */
    if (cli_parse(argc, argv, verbs_table, &command, &err) != ERROR_NONE) {
        return main_fail(&err);
    }
    switch (command.action) {
    case CLI_HELP:
        cli_print_help(stdout, verbs_table, command.group);
        break;
    case CLI_VERB_HELP:
        cli_print_verb_help(stdout, command.verb);
        break;
    case CLI_VERSION:
        printf("pinward %s\n", PINWARD_VERSION);
        break;
    case CLI_RUN:
        status = main_run(&command, &err);
        if (status != ERROR_NONE) {
            err.code = status; /* the status decides, whatever the sentence was made for */
            return main_fail(&err);
        }
        break;
    }
    return fflush(stdout) == 0 ? 0 : error_exit_code(ERROR_IO);
}
