#include "enroll/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

#define DOCTOR_TITLE_COLUMNS 14
#define DOCTOR_PATH_CHARACTERS                                                                                        \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,@~"

static const char *const doctor_verdict_names[] = {
    [DOCTOR_OK] = "ok",
    [DOCTOR_NOTE] = "note",
    [DOCTOR_WRONG] = "wrong",
};

static const char *doctor_word(enum doctor_verdict verdict)
{
    switch (verdict) {
    case DOCTOR_OK:
        return _("ok");
    case DOCTOR_NOTE:
        return _("note");
    case DOCTOR_WRONG:
        break;
    }
    return _("WRONG");
}

/* A path stays in one piece: it is there to be copied. */
static bool doctor_is_path(const char *says)
{
    return says && says[0] == '/' && says[strspn(says, DOCTOR_PATH_CHARACTERS)] == '\0';
}

/* What was found may hold words of the portal or a token. */
static void doctor_print(const struct doctor_check *check, const struct doctor_finding *finding)
{
    char *says = text_clean(finding->says, false);
    char *mend = text_clean(finding->mend, false);

    text_print_cell(stdout, _(check->title), DOCTOR_TITLE_COLUMNS);
    text_print_cell(stdout, doctor_word(finding->verdict), 7);
    wrap_print(stdout, says ? says : "", doctor_is_path(says) ? 0 : wrap_columns(stdout), DOCTOR_TITLE_COLUMNS + 7);
    putchar('\n');
    if (mend && mend[0]) {
        printf("%*s%s\n", DOCTOR_TITLE_COLUMNS + 7, "", mend);
    }
    fflush(stdout);
    free(says);
    free(mend);
}

enum error_code doctor_run(struct app *app, struct error *err)
{
    const bool of_program = app->options.program != NULL;
    json_t *rows = json_array();
    unsigned wrong = 0;

    for (const struct doctor_check *check = of_program ? doctor_app_checks : doctor_checks; check->name; check++) {
        struct doctor_finding finding = {.verdict = DOCTOR_OK};

        check->look(app, &finding);
        wrong += finding.verdict == DOCTOR_WRONG ? 1 : 0;
        doctor_print(check, &finding);
        json_array_append_new(rows, json_pack("{s:s, s:s, s:o, s:o}", "name", check->name, "verdict",
                                              doctor_verdict_names[finding.verdict], "says",
                                              output_text(finding.says), "mend", output_text(finding.mend)));
    }
    output_note(&app->output, "checks", rows);
    if (of_program) {
        output_note(&app->output, "app", doctor_app_facts(app));
    }
    output_note(&app->output, "wrong", json_integer(wrong));
    if (wrong == 0) {
        if (!of_program) {
            printf("%s\n", _("Nothing is wrong."));
        }
        return ERROR_NONE;
    }
    return error_set(err, ERROR_DOCTOR, _("Something is wrong (%u of the lines above): run what stands below each."), wrong);
}
