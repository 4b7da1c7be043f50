/*
 * scripted-pinentry: a pinentry for tests. It speaks pinentry's side of the Assuan protocol (libassuan's server) and
 * answers each GETPIN and CONFIRM with the next line of a script.
 *
 * The folder named by SCRIPTED_PINENTRY_DIR holds
 *   script  one answer a line, taken from the top (locked, so that several pinentries may run at once):
 *             pin TEXT        the PIN TEXT                       empty       an empty PIN
 *             ok              agree to a CONFIRM                 cancel      Cancel, or No
 *             timeout         "no answer in time"                hang        never answer
 *             die             exit without an answer             garbage     bytes that are not Assuan
 *             late MS TEXT    the PIN (or ok) after MS ms        repeat TEXT the PIN, typed twice (SETREPEAT)
 *             err             a PIN and an ERR without a number
 *             flood           an answer of a megabyte            after MS ANSWER  any of these after MS ms
 *           An empty script answers "cancel": nothing is agreed to by accident.
 *   log     what was asked: a line "GETPIN" or "CONFIRM" and then the settings, a line each, percent-escaped.
 */
#include <assuan.h>
#include <errno.h>
#include <fcntl.h>
#include <gpg-error.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum setting { DESC, PROMPT, TITLE, FAULT, OK_LABEL, CANCEL_LABEL, REPEAT, TIME_LIMIT, BAR, OPTIONS, SETTINGS };

static const char *const setting_names[SETTINGS] = {"DESC",         "PROMPT", "TITLE",   "ERROR",  "OK",
                                                    "CANCEL_LABEL", "REPEAT", "TIMEOUT", "QUALITY_BAR",
                                                    "OPTIONS"};

static char settings[SETTINGS][4096];

static FILE *open_in_folder(const char *name, const char *mode)
{
    const char *folder = getenv("SCRIPTED_PINENTRY_DIR");
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
    file = fopen(path, mode);
    if (file)
        flock(fileno(file), LOCK_EX);
    return file;
}

/* "after MS ANSWER": waits, and leaves ANSWER. */
static void wait_as_told(char *answer)
{
    unsigned wait_ms;
    int skip = 0;

    if (sscanf(answer, "after %u %n", &wait_ms, &skip) == 1 && skip > 0) {
        usleep(wait_ms * 1000);
        memmove(answer, answer + skip, strlen(answer + skip) + 1);
    }
}

/* Takes the first line off the script. */
static void next_answer(char *answer, size_t size)
{
    static char rest[65536];
    FILE *script = open_in_folder("script", "r+");
    size_t n;

    snprintf(answer, size, "cancel");
    if (!script)
        return;
    if (fgets(answer, (int)size, script))
        answer[strcspn(answer, "\n")] = '\0';
    n = fread(rest, 1, sizeof rest, script);
    rewind(script);
    fwrite(rest, 1, n, script);
    fflush(script);
    if (ftruncate(fileno(script), (off_t)n) != 0 || !answer[0])
        snprintf(answer, size, "cancel");
    fclose(script);
    wait_as_told(answer);
}

static void log_question(const char *command)
{
    FILE *log = open_in_folder("log", "a");

    if (!log)
        return;
    fprintf(log, "%s\n", command);
    for (int i = 0; i < SETTINGS; i++)
        if (settings[i][0])
            fprintf(log, "  %s %s\n", setting_names[i], settings[i]);
    fclose(log);
}

static gpg_error_t keep(enum setting which, const char *line)
{
    snprintf(settings[which], sizeof settings[which], "%s", line);
    return 0;
}

#define SETTER(name, which)                                                                                  \
    static gpg_error_t name(assuan_context_t ctx, char *line)                                                \
    {                                                                                                        \
        (void)ctx;                                                                                           \
        return keep(which, line);                                                                            \
    }
SETTER(set_desc, DESC)
SETTER(set_prompt, PROMPT)
SETTER(set_title, TITLE)
SETTER(set_error, FAULT)
SETTER(set_ok, OK_LABEL)
SETTER(set_cancel, CANCEL_LABEL)
SETTER(set_repeat, REPEAT)
SETTER(set_timeout, TIME_LIMIT)
SETTER(set_bar, BAR)

static gpg_error_t option(assuan_context_t ctx, const char *name, const char *value)
{
    size_t len = strlen(settings[OPTIONS]);

    (void)ctx;
    snprintf(settings[OPTIONS] + len, sizeof settings[OPTIONS] - len, "%s=%s ", name, value);
    return 0;
}

/* Never answers; ends when whoever asked is gone. */
static void hang(void)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    _exit(3);
}

static void garbage(void)
{
    static const char noise[] = "\x00\xff\x01garbage\nD %zz\n\n\xfe";

    (void)!write(STDOUT_FILENO, noise, sizeof noise);
    _exit(3);
}

static gpg_error_t flood(assuan_context_t ctx)
{
    static char block[1024];

    memset(block, '7', sizeof block);
    for (int i = 0; i < 1024; i++)
        if (assuan_send_data(ctx, block, sizeof block) != 0)
            break;
    return 0;
}

/* A PIN, and an error that says not which. */
static gpg_error_t err(assuan_context_t ctx)
{
    static const char numberless[] = "ERR\n";

    (void)assuan_write_line(ctx, "D 123456");
    (void)!write(STDOUT_FILENO, numberless, sizeof numberless - 1);
    _exit(3);
}

/* What an answer does in either kind of question; true when it was one of these. */
static bool answer_common(assuan_context_t ctx, const char *answer, gpg_error_t *rc)
{
    if (strcmp(answer, "cancel") == 0)
        *rc = gpg_err_make(GPG_ERR_SOURCE_PINENTRY, GPG_ERR_CANCELED);
    else if (strcmp(answer, "timeout") == 0)
        *rc = gpg_err_make(GPG_ERR_SOURCE_PINENTRY, GPG_ERR_TIMEOUT);
    else if (strcmp(answer, "hang") == 0)
        hang();
    else if (strcmp(answer, "die") == 0)
        _exit(3);
    else if (strcmp(answer, "garbage") == 0)
        garbage();
    else if (strcmp(answer, "flood") == 0)
        *rc = flood(ctx);
    else if (strcmp(answer, "err") == 0)
        *rc = err(ctx);
    else
        return false;
    return true;
}

/* As a pinentry with a bar does while the user types, here once; the log has a line "  QUALITY n". */
static void ask_quality(assuan_context_t ctx, const char *pin)
{
    char keyword[1024];
    unsigned char *answer = NULL;
    size_t n = (size_t)snprintf(keyword, sizeof keyword, "QUALITY "), len = 0;
    FILE *log;

    for (; *pin && n + 4 < sizeof keyword; pin++) {
        if (*pin == ' ')
            keyword[n++] = '+';
        else if (*pin == '%' || *pin == '+' || (unsigned char)*pin < 0x20)
            n += (size_t)snprintf(keyword + n, sizeof keyword - n, "%%%02X", (unsigned char)*pin);
        else
            keyword[n++] = *pin;
    }
    keyword[n] = '\0';
    if (assuan_inquire(ctx, keyword, &answer, &len, 64) != 0)
        return;
    log = open_in_folder("log", "a");
    if (log) {
        fprintf(log, "  QUALITY %.*s\n", (int)len, (const char *)answer);
        fclose(log);
    }
    free(answer);
}

static gpg_error_t get_pin(assuan_context_t ctx, char *line)
{
    char answer[1024];
    gpg_error_t rc = 0;
    unsigned wait_ms;
    int skip = 0;

    (void)line;
    log_question("GETPIN");
    settings[FAULT][0] = '\0';
    next_answer(answer, sizeof answer);
    if (answer_common(ctx, answer, &rc))
        return rc;
    if (strcmp(answer, "empty") == 0)
        return 0;
    if (sscanf(answer, "late %u %n", &wait_ms, &skip) == 1 && skip > 0) {
        usleep(wait_ms * 1000);
    } else if (strncmp(answer, "repeat ", 7) == 0) {
        assuan_write_status(ctx, "PIN_REPEATED", "");
        skip = 7;
    } else if (strncmp(answer, "pin ", 4) == 0) {
        skip = 4;
    } else {
        return gpg_err_make(GPG_ERR_SOURCE_PINENTRY, GPG_ERR_CANCELED);
    }
    if (settings[BAR][0])
        ask_quality(ctx, answer + skip);
    settings[REPEAT][0] = settings[BAR][0] = '\0';
    return assuan_send_data(ctx, answer + skip, strlen(answer + skip));
}

static gpg_error_t confirm(assuan_context_t ctx, char *line)
{
    char answer[1024];
    gpg_error_t rc = 0;
    unsigned wait_ms;
    int skip = 0;

    (void)line;
    log_question("CONFIRM");
    next_answer(answer, sizeof answer);
    if (answer_common(ctx, answer, &rc))
        return rc;
    if (sscanf(answer, "late %u %n", &wait_ms, &skip) == 1 && skip > 0)
        usleep(wait_ms * 1000);
    return strcmp(answer + skip, "ok") == 0 ? 0 : gpg_err_make(GPG_ERR_SOURCE_PINENTRY, GPG_ERR_NOT_CONFIRMED);
}

int main(void)
{
    static const struct {
        const char *name;
        gpg_error_t (*handler)(assuan_context_t, char *);
    } commands[] = {
        {"SETDESC", set_desc},     {"SETPROMPT", set_prompt}, {"SETTITLE", set_title},
        {"SETERROR", set_error},   {"SETOK", set_ok},         {"SETCANCEL", set_cancel},
        {"SETREPEAT", set_repeat}, {"SETTIMEOUT", set_timeout}, {"SETQUALITYBAR", set_bar},
        {"GETPIN", get_pin},       {"CONFIRM", confirm},
    };
    assuan_fd_t fds[2] = {STDIN_FILENO, STDOUT_FILENO};
    assuan_context_t ctx;

    if (assuan_new(&ctx) || assuan_init_pipe_server(ctx, fds))
        return 1;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (assuan_register_command(ctx, commands[i].name, commands[i].handler, NULL))
            return 1;
    assuan_register_option_handler(ctx, option);
    while (assuan_accept(ctx) == 0)
        assuan_process(ctx);
    assuan_release(ctx);
    return 0;
}
