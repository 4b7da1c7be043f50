/*
 * wild-pinentry: a pinentry that misbehaves. It speaks pinentry's side of the Assuan protocol by hand, so that it can break it
 * at any byte. WILD_PINENTRY names the way (the table below); the PIN that it knows is the test's (fuzz/fuzz.h), a new one
 * where two fields were asked for. It ends with its connection, but for those that stay, which the module has to end.
 *
 * "told" writes a byte to the pipe WILD_ASKED when the question is there, and answers when there is one for it in WILD_GO.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

#define LATE_MS 1300 /* the test's limit is a second */

static bool confirms; /* the question is a CONFIRM */
static const char *pin = FUZZ_SECRET;

static void wait_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static void say_bytes(const char *bytes, size_t len)
{
    for (ssize_t n; len > 0; bytes += n, len -= (size_t)n) {
        n = write(STDOUT_FILENO, bytes, len);
        if (n <= 0)
            _exit(4);
    }
}

static void say(const char *text)
{
    say_bytes(text, strlen(text));
}

/* What an honest one says. */
static const char *right_answer(void)
{
    static char text[128];

    snprintf(text, sizeof text, "%s%s%sOK\n", confirms ? "" : "D ", confirms ? "" : pin, confirms ? "" : "\n");
    return text;
}

/* For ever, but not longer than there is somebody to hear it. */
static void repeat(const char *text)
{
    for (;;)
        say(text);
}

static void hang(void)
{
    char byte;

    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    _exit(3);
}

/* ------------------------------------------------------------------ ways that agree */

static void answer(void)
{
    say(right_answer());
}

static void answer_in_bytes(void)
{
    for (const char *c = right_answer(); *c; c++)
        say_bytes(c, 1);
}

static void answer_in_two_pieces(void)
{
    const char *text = right_answer();

    say_bytes(text, 1);
    wait_ms(20);
    say(text + 1);
}

static void answer_escaped(void)
{
    for (const char *c = confirms ? "" : pin; *c; c++) {
        char escaped[16];

        snprintf(escaped, sizeof escaped, "%s%%%02X", c == pin ? "D " : "", (unsigned)*c);
        say(escaped);
    }
    say(confirms ? "OK agreed\n" : "\nOK and that was it\n");
}

static void answer_among_others(void)
{
    say("# a comment\nS A_STATUS with words\n");
    if (!confirms) {
        say("D ");
        say_bytes(pin, 3);
        say("\n# another\nD ");
        say(pin + 3);
        say("\n");
    }
    say("OK\n");
}

static void answer_twice(void)
{
    answer();
    answer();
}

static void answer_slowly(void)
{
    wait_ms(100);
    answer();
}

static void answer_and_close(void)
{
    answer();
    _exit(0);
}

/* Ignores that it is to end: only SIGKILL is left. */
static void answer_and_stay(void)
{
    signal(SIGTERM, SIG_IGN);
    answer();
    for (;;)
        pause();
}

/* ------------------------------------------------------------------ ways that do not */

static void answer_wrong(void)
{
    say(confirms ? "ERR 83886194 Not confirmed <Pinentry>\n" : "D wrong-pin\nOK\n");
}

static void answer_nothing(void)
{
    say(confirms ? "ERR 83886179 Operation cancelled <Pinentry>\n" : "OK\n");
}

static void answer_with_nul(void)
{
    if (confirms)
        say_bytes("\0OK\n", 4);
    else
        say_bytes("D " FUZZ_SECRET "\0\nOK\n", sizeof "D " FUZZ_SECRET "\0\nOK\n" - 1);
}

static void answer_a_prefix(void)
{
    say(confirms ? "O\nK\n" : "D s3cret-471\nOK\n");
}

static void stop(void)
{
    raise(SIGSTOP);
    answer();
}

static void die(void)
{
    _exit(3);
}

static void be_killed(void)
{
    raise(SIGKILL);
}

static void half_a_line(void)
{
    const char *text = right_answer();

    say_bytes(text, strcspn(text, "\n"));
    _exit(3);
}

static void no_ok(void)
{
    say(confirms ? "S AGREED\n" : "D " FUZZ_SECRET "\n");
    _exit(3);
}

static void no_ok_and_hang(void)
{
    say(confirms ? "S AGREED\n" : "D " FUZZ_SECRET "\n");
    hang();
}

static void half_an_ok(void)
{
    const char *text = right_answer();

    say_bytes(text, strlen(text) - 2);
    _exit(3);
}

static void half_an_ok_and_hang(void)
{
    const char *text = right_answer();

    say_bytes(text, strlen(text) - 2);
    hang();
}

static void data_and_an_error(void)
{
    say("D " FUZZ_SECRET "\nERR 83886179 Operation cancelled <Pinentry>\n");
}

static void error_of_0(void)
{
    say("D " FUZZ_SECRET "\nERR 0 no error\n");
}

static void error_without_number(void)
{
    say("D " FUZZ_SECRET "\nERR\n");
}

static void error_of_words(void)
{
    say("D " FUZZ_SECRET "\nERR none\n");
}

static void nearly_ok(void)
{
    say("OKAY\n");
    hang();
}

static void answer_late(void)
{
    signal(SIGTERM, SIG_IGN);
    wait_ms(LATE_MS);
    answer();
}

static void rest_is_late(void)
{
    const char *text = right_answer();

    signal(SIGTERM, SIG_IGN);
    say_bytes(text, strlen(text) / 2);
    wait_ms(LATE_MS);
    say(text + strlen(text) / 2);
}

static void flood_with_data(void)
{
    repeat("D 7777777777777777777777777777777777777777777777777777777777777777\n");
}

static void flood_without_end_of_line(void)
{
    repeat("D 7777777777777777777777777777777777777777777777777777777777777777");
}

static void flood_with_status(void)
{
    repeat("S STATUS and nothing more\n");
}

static void flood_with_comments(void)
{
    repeat("# and nothing more\n");
}

static void flood_with_inquiries(void)
{
    repeat("INQUIRE QUALITY 7777\n");
}

static void garbage(void)
{
    static const char noise[] = "\x00\xff\x01garbage\nD %zz\n\n\xfe";

    say_bytes(noise, sizeof noise);
    _exit(3);
}

/* ------------------------------------------------------------------ as it is told */

static int open_pipe(const char *variable, int flags)
{
    const char *path = getenv(variable);

    return path ? open(path, flags | O_CLOEXEC) : -1;
}

/* Answers whatever has become of the question; it has to be made to end. */
static void answer_when_told(void)
{
    const int asked = open_pipe("WILD_ASKED", O_WRONLY), go = open_pipe("WILD_GO", O_RDONLY);
    char byte = 0;

    signal(SIGTERM, SIG_IGN);
    if (asked < 0 || go < 0 || write(asked, &byte, 1) != 1 || read(go, &byte, 1) != 1)
        _exit(5);
    answer();
}

/* ------------------------------------------------------------------ all of it */

enum stage { AT_START, AT_SETTING, AT_QUESTION };

static const struct way {
    const char *name;
    enum stage stage;
    void (*act)(void);
} ways[] = {
    {"bytes", AT_QUESTION, answer_in_bytes},
    {"two pieces", AT_QUESTION, answer_in_two_pieces},
    {"escaped", AT_QUESTION, answer_escaped},
    {"among others", AT_QUESTION, answer_among_others},
    {"twice", AT_QUESTION, answer_twice},
    {"slow", AT_QUESTION, answer_slowly},
    {"closes", AT_QUESTION, answer_and_close},
    {"stays", AT_QUESTION, answer_and_stay},
    {"told", AT_QUESTION, answer_when_told},
    {"wrong", AT_QUESTION, answer_wrong},
    {"nothing", AT_QUESTION, answer_nothing},
    {"nul", AT_QUESTION, answer_with_nul},
    {"prefix", AT_QUESTION, answer_a_prefix},
    {"silent", AT_START, hang},
    {"dies at once", AT_START, die},
    {"garbage at once", AT_START, garbage},
    {"flood at once", AT_START, flood_with_comments},
    {"dies at a setting", AT_SETTING, die},
    {"hangs at a setting", AT_SETTING, hang},
    {"hangs", AT_QUESTION, hang},
    {"stops", AT_QUESTION, stop},
    {"dies", AT_QUESTION, die},
    {"is killed", AT_QUESTION, be_killed},
    {"half a line", AT_QUESTION, half_a_line},
    {"no OK", AT_QUESTION, no_ok},
    {"no OK, hangs", AT_QUESTION, no_ok_and_hang},
    {"half an OK", AT_QUESTION, half_an_ok},
    {"half an OK, hangs", AT_QUESTION, half_an_ok_and_hang},
    {"data and ERR", AT_QUESTION, data_and_an_error},
    {"ERR 0", AT_QUESTION, error_of_0},
    {"ERR", AT_QUESTION, error_without_number},
    {"ERR none", AT_QUESTION, error_of_words},
    {"OKAY", AT_QUESTION, nearly_ok},
    {"late", AT_QUESTION, answer_late},
    {"rest is late", AT_QUESTION, rest_is_late},
    {"flood of data", AT_QUESTION, flood_with_data},
    {"flood without a line", AT_QUESTION, flood_without_end_of_line},
    {"flood of status", AT_QUESTION, flood_with_status},
    {"flood of comments", AT_QUESTION, flood_with_comments},
    {"flood of inquiries", AT_QUESTION, flood_with_inquiries},
    {"garbage", AT_QUESTION, garbage},
};

static const struct way *find_way(const char *name)
{
    for (size_t i = 0; name && i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    _exit(6);
}

static void act_at(const struct way *way, enum stage stage)
{
    if (way->stage == stage)
        way->act();
}

/* A new PIN is typed twice, in one window. */
static void act_at_question(const struct way *way)
{
    if (!confirms && strcmp(pin, FUZZ_NEW_SECRET) == 0)
        say("S PIN_REPEATED\n");
    act_at(way, AT_QUESTION);
}

int main(void)
{
    const struct way *way = find_way(getenv("WILD_PINENTRY"));
    char line[4096];

    act_at(way, AT_START);
    say("OK Pleased to meet you\n");
    while (fgets(line, sizeof line, stdin)) {
        confirms = strncmp(line, "CONFIRM", 7) == 0;
        if (strncmp(line, "SETREPEAT ", 10) == 0)
            pin = FUZZ_NEW_SECRET;
        if (strncmp(line, "SETDESC", 7) == 0)
            act_at(way, AT_SETTING);
        if (confirms || strncmp(line, "GETPIN", 6) == 0)
            act_at_question(way);
        else
            say("OK\n");
        if (strncmp(line, "BYE", 3) == 0)
            return 0;
    }
    return 0;
}
