/* pinward: the enrollment tool. main understands the command line and hands over to the verb. */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "common/secret.h"
#include "enroll/app.h"
#include "enroll/cli.h"
#include "enroll/cli_help.h"
#include "enroll/interrupt.h"
#include "enroll/language.h"
#include "enroll/nodump.h"
#include "enroll/text.h"
#include "enroll/verbs.h"
#include "enroll/wipealloc.h"
#include "enroll/wrap.h"

/* The sentence may hold words of the portal or the token. */
static int main_fail(const struct error *err)
{
    char *clean = text_clean(error_text(err), false);

    wrap_say(stderr, "pinward: %s", clean ? clean : error_meaning(err->code));
    free(clean);
    return error_exit_code(err->code);
}

/* The run that an interruption may have to end where it stands. */
struct main_ending {
    struct app *app;
    const char *verb;
};

static void main_end(void *context, const struct error *err)
{
    struct main_ending *ending = context;

    (void)output_end(&ending->app->output, ending->verb, err);
    (void)main_fail(err);
}

/* The verb, and the document of its run. */
static enum error_code main_run_verb(const struct cli_command *command, struct app *app, struct error *err)
{
    enum error_code status = command->verb->run(app, err);

    secret_wipe_traces();
    if (status != ERROR_NONE && interrupt_seen()) {
        status = interrupt_error(err); /* whatever it was that was broken off */
    }
    app_clear(app);
    return status;
}

static enum error_code main_run(const struct cli_command *command, struct error *err)
{
    struct app app = {0};
    struct output output = {0};
    struct main_ending ending = {&app, command->verb->name};
    enum error_code status;

    nodump_install();
    if (!wipealloc_install()) {
        return error_set(err, ERROR_INTERNAL, _("libcurl cannot be set up: install it again."));
    }
    if (!interrupt_begin(main_end, &ending)) {
        return error_set(err, ERROR_INTERNAL, _("The system gives no thread that waits for signals."));
    }
    if (command->options.json) {
        status = output_begin(&output, err);
        if (status != ERROR_NONE) {
            return status;
        }
    }
    status = app_init(&app, &command->options, command->verb->portal, err);
    app.output = output;
    if (status == ERROR_NONE) {
        status = main_run_verb(command, &app, err);
    }
    interrupt_settle();
    err->code = status; /* the status decides, whatever the sentence was made for */
    if (!output_end(&app.output, command->verb->name, err) && status == ERROR_NONE) {
        status = error_set(err, ERROR_IO, _("The answer cannot be written to the standard output."));
    }
    return status;
}

/* The value of --lang, which is needed before the command line can be judged in it; NULL: not given. */
static const char *main_language(int argc, char *argv[])
{
    const char *language = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc) {
            language = argv[i + 1];
        } else if (strncmp(argv[i], "--lang=", 7) == 0) {
            language = argv[i] + 7;
        }
    }
    return language;
}

/* Everything that was printed has arrived? Who reads a pipe no further wants no sentence about it. */
static int main_end_output(struct error *err)
{
    struct pollfd reader = {.fd = STDOUT_FILENO};
    const bool flushed = fflush(stdout) == 0;

    if (flushed && !ferror(stdout)) {
        return 0;
    }
    error_set(err, ERROR_IO, _("The answer cannot be written to the standard output."));
    return poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) ? error_exit_code(err->code) : main_fail(err);
}

int main(int argc, char *argv[])
{
    struct cli_command command = {0};
    struct error err = {0};
    enum error_code status;

    signal(SIGPIPE, SIG_IGN); /* a pinentry or portal that goes away is an error to report, not our end */
    if (!language_set(main_language(argc, argv))) {
        error_set(&err, ERROR_USAGE, _("--lang takes en or zh-TW, not \"%s\"."), main_language(argc, argv));
        return main_fail(&err);
    }
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
    case CLI_TOPIC:
        command.topic->print(stdout);
        break;
    case CLI_VERSION:
        printf("pinward %s\n", PINWARD_VERSION);
        break;
    case CLI_RUN:
        status = main_run(&command, &err);
        if (status != ERROR_NONE) {
            return main_fail(&err);
        }
        break;
    }
    return main_end_output(&err);
}
