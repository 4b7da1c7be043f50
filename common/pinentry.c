#include "common/pinentry.h"

#include <assuan.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/assuan_memory.h"
#include "common/i18n.h"
#include "common/pinentry_process.h"
#include "common/pinentry_quality.h"
#include "common/pinentry_transact.h"

#define DEFAULT_TIMEOUT_S 120
#define PIN_CAPACITY      512
#define REPEAT_TRIES      3
/* ASSUAN_LINELENGTH counts the line end; a command must fit in one line. */
#define COMMAND_MAX (ASSUAN_LINELENGTH - 2)

struct conversation {
    struct pinentry_process process;
    bool started; /* the process */
    assuan_context_t ctx;
    struct secret *answer; /* filled while GETPIN is answered */
    const struct pinentry_quality *quality; /* of the question */
    bool overflow;         /* the answer did not fit */
    bool repeated;         /* pinentry itself had the new PIN typed twice */
};

/* ------------------------------------------------------------------ libassuan's way to the socket */

static struct pinentry_process *hook_process(assuan_context_t ctx)
{
    struct conversation *c = assuan_get_pointer(ctx);

    return &c->process;
}

static ssize_t hook_read(assuan_context_t ctx, assuan_fd_t fd, void *buffer, size_t size)
{
    return pinentry_process_read(hook_process(ctx), fd, buffer, size);
}

static ssize_t hook_write(assuan_context_t ctx, assuan_fd_t fd, const void *buffer, size_t size)
{
    return pinentry_process_write(hook_process(ctx), fd, buffer, size);
}

/* The socket is the only one that libassuan has, and it closes it also when the handshake fails: whoever of the two is first
 * says so, since a second close would be of another thread's descriptor. */
static int hook_close(assuan_context_t ctx, assuan_fd_t fd)
{
    struct pinentry_process *process = hook_process(ctx);

    if (fd == process->fd)
        process->fd = -1;
    return close(fd);
}

static void hook_usleep(assuan_context_t ctx, unsigned int usec)
{
    (void)ctx;
    usleep(usec);
}

static int hook_log(assuan_context_t ctx, void *data, unsigned int category, const char *message)
{
    (void)ctx, (void)data, (void)category, (void)message;
    return 0; /* libassuan's trace would hold the PIN */
}

/* Only what a client on a connected socket uses; libassuan never spawns or connects here. */
static struct assuan_system_hooks system_hooks = {
    .version = ASSUAN_SYSTEM_HOOKS_VERSION,
    .usleep = hook_usleep,
    .close = hook_close,
    .read = hook_read,
    .write = hook_write,
};

/* ------------------------------------------------------------------ commands */

/* verb and text as one command line, percent-escaped as Assuan asks; cut, between characters, where a line ends. */
static void command_with_text(char command[COMMAND_MAX + 1], const char *verb, const char *text)
{
    size_t n = (size_t)snprintf(command, COMMAND_MAX + 1, "%s ", verb);
    size_t whole = n; /* up to here no UTF-8 character is cut */

    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        const bool escape = *c == '%' || *c < 0x20;

        if ((*c & 0xC0) != 0x80)
            whole = n;
        if (n + (escape ? 3 : 1) > COMMAND_MAX) {
            n = whole;
            break;
        }
        if (escape)
            n += (size_t)snprintf(command + n, COMMAND_MAX + 1 - n, "%%%02X", *c);
        else
            command[n++] = (char)*c;
    }
    command[n] = '\0';
}

/* Sends a setting. One that this pinentry does not know is no reason to stop; a broken connection is. */
static gpg_error_t send_setting(struct conversation *c, const char *verb, const char *text)
{
    char command[COMMAND_MAX + 1];
    gpg_error_t rc;

    if (!text || !text[0])
        return 0;
    command_with_text(command, verb, text);
    rc = pinentry_transact(c->ctx, command, NULL);
    return gpg_err_source(rc) == GPG_ERR_SOURCE_PINENTRY || gpg_err_code(rc) == GPG_ERR_ASS_UNKNOWN_CMD ||
                   gpg_err_code(rc) == GPG_ERR_UNKNOWN_OPTION || gpg_err_code(rc) == GPG_ERR_UNKNOWN_COMMAND ||
                   gpg_err_code(rc) == GPG_ERR_NOT_IMPLEMENTED
               ? 0
               : rc;
}

static gpg_error_t send_option(struct conversation *c, const char *name, const char *value)
{
    char verb[64];
    char command[COMMAND_MAX + 1];

    if (!value || !value[0])
        return 0;
    snprintf(verb, sizeof verb, "OPTION %s=", name);
    command_with_text(command, verb, value);
    /* "OPTION name= value" is not what pinentry expects: close the gap. */
    memmove(command + strlen(verb), command + strlen(verb) + 1, strlen(command + strlen(verb)));
    return send_setting(c, command, " ");
}

static gpg_error_t take_flavor(void *data, const void *buffer, size_t len)
{
    bool *text_only = data;

    *text_only = (len == 3 && memcmp(buffer, "tty", 3) == 0) || (len == 6 && memcmp(buffer, "curses", 6) == 0);
    return 0;
}

/* Does this pinentry know terminals only? Without one, pinentry-tty would take its commands for the PIN. One that does
 * not say what it is may have windows. */
static bool is_for_terminals(struct conversation *c)
{
    bool text_only = false;
    const struct pinentry_listener listener = {.take_data = take_flavor, .of = &text_only};

    (void)pinentry_transact(c->ctx, "GETINFO flavor", &listener);
    return text_only;
}

static gpg_error_t send_environment(struct conversation *c, pid_t owner_pid)
{
    const struct pinentry_environment *environment = &c->process.environment;
    char owner[128];
    char host[64] = "";
    gpg_error_t rc;

    if (!environment->terminal[0] && is_for_terminals(c))
        return gpg_error(GPG_ERR_ENOTTY);
    gethostname(host, sizeof host - 1);
    snprintf(owner, sizeof owner, "%ld/%lu %s", (long)(owner_pid ? owner_pid : getpid()), (unsigned long)getuid(),
             host);
    rc = send_option(c, "ttyname", environment->terminal);
    if (!rc)
        rc = send_option(c, "ttytype", environment->terminal_type);
    if (!rc)
        rc = send_option(c, "display", environment->display);
    if (!rc)
        rc = send_option(c, "lc-ctype", environment->lc_ctype);
    if (!rc)
        rc = send_option(c, "lc-messages", environment->lc_messages);
    if (!rc)
        rc = send_option(c, "owner", owner);
    return rc;
}

static gpg_error_t send_question(struct conversation *c, const struct pinentry_question *q, const char *prompt,
                                 const char *error)
{
    char timeout[16];
    gpg_error_t rc;

    snprintf(timeout, sizeof timeout, "%u", q->timeout_s ? q->timeout_s : DEFAULT_TIMEOUT_S);
    rc = send_setting(c, "SETTIMEOUT", timeout);
    if (!rc)
        rc = send_setting(c, "SETTITLE", q->title);
    if (!rc)
        rc = send_setting(c, "SETDESC", q->text);
    if (!rc)
        rc = send_setting(c, "SETPROMPT", prompt);
    if (!rc)
        rc = send_setting(c, "SETERROR", error);
    if (!rc)
        rc = send_setting(c, "SETOK", q->ok_label ? q->ok_label : _("_OK"));
    if (!rc)
        rc = send_setting(c, "SETCANCEL", q->cancel_label ? q->cancel_label : _("_Cancel"));
    return rc;
}

/* ------------------------------------------------------------------ answers */

static gpg_error_t take_data(void *data, const void *buffer, size_t len)
{
    struct conversation *c = data;

    if (!secret_append(c->answer, buffer, len))
        c->overflow = true;
    return 0;
}

static gpg_error_t take_status(void *data, const char *line)
{
    struct conversation *c = data;

    if (strncmp(line, "PIN_REPEATED", strlen("PIN_REPEATED")) == 0)
        c->repeated = true;
    return 0;
}

static gpg_error_t take_inquiry(void *data, const char *line)
{
    struct conversation *c = data;

    return pinentry_quality_answer(c->ctx, c->quality, line);
}

/* What a failed command means to the caller. */
static enum error_code failure(const struct conversation *c, const char *program, gpg_error_t rc, struct error *err)
{
    if (c->process.cancelled)
        return error_set(err, ERROR_TIMEOUT, _("The question was withdrawn."));
    if (c->process.timed_out || gpg_err_code(rc) == GPG_ERR_TIMEOUT)
        return error_set(err, ERROR_TIMEOUT, _("There was no answer in time."));
    switch (gpg_err_code(rc)) {
    case GPG_ERR_CANCELED:
    case GPG_ERR_FULLY_CANCELED:
    case GPG_ERR_NOT_CONFIRMED:
        return error_set(err, ERROR_CANCELLED, _("The question was answered with Cancel."));
    case GPG_ERR_ENOMEM:
        return error_set(err, ERROR_MEMORY, _("There is no locked memory left for the PIN."));
    case GPG_ERR_ENOTTY:
        return error_set(err, ERROR_PROMPT,
                         _("The PIN could not be asked for: %s has neither a display nor a terminal. Start the program "
                           "in a terminal or on a desktop, or name a terminal in GPG_TTY."),
                         program);
    case GPG_ERR_WINDOW_TOO_SMALL:
        return error_set(err, ERROR_PROMPT,
                         _("The PIN could not be asked for: the terminal is too small for the question. Make it "
                           "larger, 80 by 24 or more."));
    default:
        return error_set(err, ERROR_PROMPT, _("The PIN could not be asked for: %s failed (%s)."), program,
                         gpg_strerror(rc));
    }
}

/* ------------------------------------------------------------------ the conversation */

static enum error_code conversation_begin(struct conversation *c, const struct pinentry_question *q,
                                          struct error *err)
{
    static const struct assuan_malloc_hooks memory = ASSUAN_MEMORY_HOOKS;
    enum error_code status;
    gpg_error_t rc;

    memset(c, 0, sizeof *c);
    c->quality = q->quality;
    status = pinentry_process_start(q->program, q->timeout_s ? q->timeout_s : DEFAULT_TIMEOUT_S, q->cancel_fd,
                                    &c->process, err);
    if (status != ERROR_NONE)
        return status;
    c->started = true;
    rc = assuan_new_ext(&c->ctx, GPG_ERR_SOURCE_DEFAULT, (assuan_malloc_hooks_t)&memory, hook_log, NULL);
    if (!rc) {
        assuan_set_pointer(c->ctx, c);
        assuan_ctx_set_system_hooks(c->ctx, &system_hooks);
        assuan_set_flag(c->ctx, ASSUAN_NO_LOGGING, 1);
        assuan_begin_confidential(c->ctx);
        rc = assuan_socket_connect_fd(c->ctx, c->process.fd, 0);
    }
    if (!rc)
        rc = send_environment(c, q->owner);
    return rc ? failure(c, q->program, rc, err) : ERROR_NONE;
}

static void conversation_end(struct conversation *c)
{
    if (c->ctx)
        assuan_release(c->ctx);
    c->ctx = NULL;
    if (c->started)
        pinentry_process_end(&c->process);
    secret_free(&c->answer);
}

/* One GETPIN into c->answer. */
static enum error_code ask_once(struct conversation *c, const struct pinentry_question *q, const char *prompt,
                                const char *error, struct error *err)
{
    const struct pinentry_listener listener = {
        .take_data = take_data, .take_inquiry = take_inquiry, .take_status = take_status, .of = c};
    gpg_error_t rc;

    c->overflow = false;
    secret_free(&c->answer);
    c->answer = secret_new(PIN_CAPACITY);
    if (!c->answer)
        return error_set(err, ERROR_MEMORY, _("There is no locked memory left for the PIN."));
    rc = send_question(c, q, prompt, error);
    if (!rc)
        rc = pinentry_transact(c->ctx, "GETPIN", &listener);
    if (rc)
        return failure(c, q->program, rc, err);
    if (c->overflow)
        return error_set(err, ERROR_PROMPT, _("The answer is longer than any PIN or password can be."));
    return ERROR_NONE;
}

/* A new PIN, typed twice: by pinentry's own second field where it has one, else by asking again. */
static enum error_code ask_twice(struct conversation *c, const struct pinentry_question *q, struct error *err)
{
    const char *error = q->error;
    struct secret *first = NULL;
    enum error_code status;

    for (int tries = 0; tries < REPEAT_TRIES; tries++) {
        c->repeated = false;
        if (send_setting(c, "SETREPEAT", q->repeat) != 0 ||
            send_setting(c, "SETREPEATERROR", _("The two entries were not the same.")) != 0 ||
            (q->quality && send_setting(c, "SETQUALITYBAR", _("Quality:")) != 0))
            return error_set(err, ERROR_PROMPT, _("The PIN could not be asked for: %s failed."), q->program);
        status = ask_once(c, q, q->prompt, error, err);
        if (status != ERROR_NONE || c->repeated)
            return status;
        first = c->answer;
        c->answer = NULL;
        status = ask_once(c, q, q->repeat, NULL, err);
        if (status == ERROR_NONE && secret_equal(first, c->answer)) {
            secret_free(&first);
            return ERROR_NONE;
        }
        secret_free(&first);
        if (status != ERROR_NONE)
            return status;
        error = _("The two entries were not the same.");
    }
    return error_set(err, ERROR_CANCELLED, _("The two entries were not the same, three times over."));
}

enum error_code pinentry_get_pin(const struct pinentry_question *question, struct secret **answer,
                                 struct error *err)
{
    struct conversation c;
    enum error_code status = conversation_begin(&c, question, err);

    if (status == ERROR_NONE)
        status = question->repeat ? ask_twice(&c, question, err)
                                  : ask_once(&c, question, question->prompt, question->error, err);
    if (status == ERROR_NONE) {
        *answer = c.answer;
        c.answer = NULL;
    }
    conversation_end(&c);
    return status;
}

enum error_code pinentry_confirm(const struct pinentry_question *question, struct error *err)
{
    struct conversation c;
    enum error_code status = conversation_begin(&c, question, err);

    if (status == ERROR_NONE) {
        gpg_error_t rc = send_question(&c, question, NULL, question->error);

        if (!rc)
            rc = pinentry_transact(c.ctx, "CONFIRM", NULL);
        if (rc)
            status = failure(&c, question->program, rc, err);
    }
    conversation_end(&c);
    return status;
}
