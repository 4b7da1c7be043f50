#include "enroll/agent_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/i18n.h"
#include "enroll/agent.h"
#include "enroll/codec.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

static json_t *agent_verb_connections(const struct agent_status *status)
{
    json_t *rows = json_array();
    char since[CODEC_TIME_SIZE];

    for (size_t i = 0; i < status->count; i++) {
        const struct agent_connection *each = &status->connections[i];
        char *program = text_clean(each->program, false); /* valid UTF-8, as JSON wants it */

        codec_time_format(each->since, since);
        json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:s}", "program", program ? program : "?", "pid",
                                              (json_int_t)each->client, "served_by", (json_int_t)each->served_by,
                                              "since", since));
        free(program);
    }
    return rows;
}

static void agent_verb_note(struct app *app, const struct agent_status *status)
{
    char since[CODEC_TIME_SIZE];

    codec_time_format(status->since, since);
    output_note(&app->output, "agent",
                json_pack("{s:o, s:I, s:I, s:s, s:s, s:b, s:s}", "socket", output_text(status->socket), "pid",
                          (json_int_t)status->pid, "uid", (json_int_t)status->uid,
                          "version", status->version, "since", since, "activated", status->activated, "protection",
                          status->protection));
    output_note(&app->output, "connections", agent_verb_connections(status));
}

static void agent_verb_print(const struct agent_status *status)
{
    char since[CODEC_TIME_SIZE];

    codec_time_show(status->since, since);
    wrap_say(stdout, _("pinward-agent %s serves at %s (process %ld, since %s)."), status->version, status->socket,
             status->pid, since);
    if (status->uid != (unsigned long)geteuid()) {
        wrap_say(stdout, _("It is a service of another user's (uid %lu), whose files your programs cannot read."), status->uid);
    }
    if (status->activated) {
        wrap_say(stdout, "%s", _("systemd has started it, and starts it again when a program connects."));
    }
    wrap_say(stdout, _("Protection of its processes: %s."), status->protection);
    if (status->count == 0) {
        wrap_say(stdout, "%s", _("No program is connected."));
        return;
    }
    text_print_cell(stdout, _("Process"), 10);
    text_print_cell(stdout, _("Connected since"), 18);
    printf("%s\n", _("Program"));
    for (size_t i = 0; i < status->count; i++) {
        char *program = text_clean(status->connections[i].program, false);
        char pid[32];

        codec_time_show(status->connections[i].since, since);
        snprintf(pid, sizeof pid, "%ld", status->connections[i].client);
        text_print_cell(stdout, pid, 10);
        text_print_cell(stdout, since, 18);
        printf("%s\n", program ? program : "?");
        free(program);
    }
}

enum error_code agent_verb_status(struct app *app, struct error *err)
{
    struct agent_status status;
    const enum error_code code = agent_ask_status(&status, err);

    if (code != ERROR_NONE) {
        return code;
    }
    agent_verb_note(app, &status);
    agent_verb_print(&status);
    agent_status_clear(&status);
    return ERROR_NONE;
}

enum error_code agent_verb_stop(struct app *app, struct error *err)
{
    const enum error_code code = agent_stop(err);

    (void)app;
    if (code == ERROR_NONE) {
        wrap_say(stdout, "%s", _("pinward-agent has stopped."));
    }
    return code;
}
