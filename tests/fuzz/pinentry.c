/* What a pinentry answers: whatever comes, and in whatever pieces, the question ends with an answer that fits a secret,
 * or with a refusal that leaves nothing behind and says nothing of what was typed.
 *
 * The peer is in this process: it takes the place of common/pinentry_process.c, and of common/pinentry_environment.c, so
 * that the same is sent on every machine; neither is linked. The input: a byte for the kind of question, one for the
 * length of the pieces, and what pinentry writes. */
#include "common/pinentry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/pinentry_environment.h"
#include "common/pinentry_process.h"
#include "common/pinentry_quality.h"
#include "fuzz/fuzz.h"

#define KIND_CONFIRM 1
#define KIND_REPEAT  2
#define KIND_QUALITY 4
#define KIND_SILENT  8 /* after its last byte it says nothing more, instead of ending */
#define KIND_WINDOWS 16 /* there is no terminal */

#define ANSWER_MAX 512

static struct fuzz_input peer;
static uint8_t kind;
static size_t piece;
static unsigned started, ended;

enum error_code pinentry_process_start(const char *program, unsigned timeout_s, int cancel_fd,
                                       struct pinentry_process *process, struct error *err)
{
    (void)program, (void)timeout_s, (void)err;
    started++;
    *process = (struct pinentry_process){
        .pid = 1, .pidfd = -1, .fd = open("/dev/null", O_RDWR | O_CLOEXEC), .cancel_fd = cancel_fd};
    fuzz_require(process->fd >= 0, "there is a descriptor");
    return ERROR_NONE;
}

ssize_t pinentry_process_read(struct pinentry_process *process, int fd, void *buffer, size_t size)
{
    const uint8_t *bytes;
    size_t len;

    (void)fd;
    if (peer.left == 0 && (kind & KIND_SILENT)) {
        process->timed_out = true;
        errno = ETIMEDOUT;
        return -1;
    }
    bytes = fuzz_bytes(&peer, size < piece ? size : piece, &len);
    memcpy(buffer, bytes, len);
    return (ssize_t)len;
}

ssize_t pinentry_process_write(struct pinentry_process *process, int fd, const void *buffer, size_t size)
{
    (void)process, (void)fd;
    fuzz_require(memchr(buffer, '\0', size) == NULL, "what is sent are lines of text");
    return (ssize_t)size;
}

void pinentry_process_end(struct pinentry_process *process)
{
    if (process->fd >= 0)
        close(process->fd);
    process->fd = -1;
    ended++;
}

const char *pinentry_environment_terminal(char *buffer, size_t size)
{
    (void)buffer, (void)size;
    return kind & KIND_WINDOWS ? NULL : "/dev/tty1";
}

const char *pinentry_environment_locale(const char *category)
{
    (void)category;
    return "C.UTF-8";
}

static int percent(const void *rules, const char *pin, size_t len)
{
    (void)rules;
    return len > 0 && pin[len - 1] == '-' ? -1 : 50;
}

static void check_pin(const struct pinentry_question *question)
{
    struct secret *answer = NULL;
    struct error err = {0};
    const enum error_code status = pinentry_get_pin(question, &answer, &err);

    if (status == ERROR_NONE) {
        fuzz_require(answer && secret_length(answer) <= ANSWER_MAX, "an answer is bounded");
        fuzz_require(secret_bytes(answer)[secret_length(answer)] == '\0', "an answer has a NUL behind it");
    } else {
        fuzz_require(!answer && err.text[0], "a question that failed has no answer, and says why");
        fuzz_require(!strstr(err.text, FUZZ_SECRET), "what was typed is in no sentence");
    }
    secret_free(&answer);
}

static void check_yes(const struct pinentry_question *question)
{
    struct error err = {0};

    if (pinentry_confirm(question, &err) != ERROR_NONE)
        fuzz_require(err.text[0], "a refusal says why");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pinentry_quality quality = {.percent = percent};
    struct pinentry_question question = {.program = "/bin/pinentry", .cancel_fd = -1, .text = "A program.\nPIN?"};

    unsetenv("TERM");
    unsetenv("DISPLAY");
    peer = (struct fuzz_input){data, size};
    kind = fuzz_byte(&peer);
    piece = (size_t)fuzz_byte(&peer) + 1;
    started = ended = 0;
    if (kind & KIND_REPEAT)
        question.repeat = "Again:";
    if (kind & KIND_QUALITY)
        question.quality = &quality;
    if (kind & KIND_CONFIRM) {
        check_yes(&question);
    } else {
        question.prompt = "PIN:";
        check_pin(&question);
    }
    fuzz_require(started == 1 && ended == 1, "what was started has been ended");
    return 0;
}
