#include "faults/wild.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/pinentry.h"
#include "faults/scenario_internal.h"
#include "fuzz/fuzz.h"
#include "fuzz/judge.h"

#define PATIENCE_S 60 /* of what ends by itself, on any machine */

const struct wild_way wild_ways[] = {
    {"bytes", true, false, WILD_NOTHING, false},
    {"two pieces", true, false, WILD_NOTHING, false},
    {"escaped", true, false, WILD_NOTHING, false},
    {"among others", true, false, WILD_NOTHING, false},
    {"twice", true, false, WILD_NOTHING, false},
    {"slow", true, false, WILD_NOTHING, false},
    {"closes", true, false, WILD_NOTHING, false},
    {"stays", true, false, WILD_NOTHING, false},
    {"wrong", false, false, WILD_NOTHING, false},
    {"nothing", false, false, WILD_NOTHING, false},
    {"nul", false, true, WILD_NOTHING, false},
    {"prefix", false, true, WILD_NOTHING, false},
    {"silent", false, true, WILD_NOTHING, false},
    {"dies at once", false, false, WILD_NOTHING, false},
    {"garbage at once", false, false, WILD_NOTHING, false},
    {"flood at once", false, true, WILD_NOTHING, false},
    {"dies at a setting", false, false, WILD_NOTHING, false},
    {"hangs at a setting", false, true, WILD_NOTHING, false},
    {"hangs", false, true, WILD_NOTHING, false},
    {"stops", false, true, WILD_NOTHING, false},
    {"dies", false, false, WILD_NOTHING, false},
    {"is killed", false, false, WILD_NOTHING, false},
    {"half a line", false, false, WILD_NOTHING, false},
    {"no OK", false, false, WILD_NOTHING, false},
    {"no OK, hangs", false, true, WILD_NOTHING, false},
    {"half an OK", false, false, WILD_NOTHING, false},
    {"half an OK, hangs", false, true, WILD_NOTHING, false},
    {"data and ERR", false, false, WILD_NOTHING, false},
    {"ERR 0", false, true, WILD_NOTHING, false},
    {"ERR", false, true, WILD_NOTHING, false},
    {"ERR none", false, true, WILD_NOTHING, false},
    {"OKAY", false, true, WILD_NOTHING, false},
    {"late", false, true, WILD_NOTHING, false},
    {"rest is late", false, true, WILD_NOTHING, false},
    {"flood of data", false, true, WILD_NOTHING, false},
    {"flood without a line", false, true, WILD_NOTHING, false},
    {"flood of status", false, true, WILD_NOTHING, false},
    {"flood of comments", false, true, WILD_NOTHING, false},
    {"flood of inquiries", false, true, WILD_NOTHING, false},
    {"garbage", false, false, WILD_NOTHING, false},
    {"told", false, false, WILD_CLOSE_SESSION, false},
    {"told", false, false, WILD_CLOSE_SESSION, true},
    {"told", false, false, WILD_CLOSE_ALL, false},
    {"told", false, false, WILD_CLOSE_ALL, true},
    {"told", false, false, WILD_LOGOUT, false},
    {"told", false, false, WILD_LOGOUT, true},
    {"told", false, false, WILD_CANCEL, false},
    {"told", false, false, WILD_CANCEL, true},
    {"told", false, false, WILD_FINALIZE, false},
    {"told", false, false, WILD_FINALIZE, true},
};
const unsigned wild_way_count = sizeof wild_ways / sizeof wild_ways[0];

static int asked[2], go[2]; /* pipes */
static const struct wild_way *the_way;
static unsigned the_question, questions;
static bool in_call, second_runs;
static pthread_t second;
static CK_RV second_rv;

/* ------------------------------------------------------------------ the pipes */

/* A pipe, which a pinentry finds by the variable: it inherits no descriptor. */
static int make_pipe(const char *variable, int ends[2])
{
    char path[64];

    fuzz_require(pipe2(ends, O_CLOEXEC) == 0, "there is a pipe");
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), ends[0]);
    return setenv(variable, path, 1);
}

void wild_start(void)
{
    fuzz_require(make_pipe("WILD_ASKED", asked) == 0 && make_pipe("WILD_GO", go) == 0, "the pipes have names");
}

void wild_stop(void)
{
    for (int i = 0; i < 2; i++) {
        close(asked[i]);
        close(go[i]);
    }
}

static bool is_asked(void)
{
    struct pollfd question = {.fd = asked[0], .events = POLLIN};
    char byte;

    return poll(&question, 1, PATIENCE_S * 1000) == 1 && read(asked[0], &byte, 1) == 1;
}

static void let_it_answer(void)
{
    const char byte = 0;

    (void)!write(go[1], &byte, 1);
}

/* A pinentry that was ended first has not taken it. */
static void empty_pipes(void)
{
    struct pollfd pipes[2] = {{.fd = asked[0], .events = POLLIN}, {.fd = go[0], .events = POLLIN}};
    char byte;

    while (poll(pipes, 2, 0) > 0)
        for (int i = 0; i < 2; i++)
            if (pipes[i].revents)
                (void)!read(pipes[i].fd, &byte, 1);
}

/* ------------------------------------------------------------------ meanwhile */

static CK_RV do_meanwhile(enum wild_meanwhile meanwhile)
{
    const CK_FUNCTION_LIST_3_0 *p11 = &dispatch_list_3_0;

    switch (meanwhile) {
    case WILD_CLOSE_SESSION:
        return p11->C_CloseSession(scenario_session());
    case WILD_CLOSE_ALL:
        return p11->C_CloseAllSessions(0);
    case WILD_LOGOUT:
        return p11->C_Logout(scenario_session());
    case WILD_CANCEL:
        return p11->C_SessionCancel(scenario_session(), CKF_SIGN | CKF_DECRYPT | CKF_MESSAGE_SIGN | CKF_MESSAGE_DECRYPT);
    case WILD_FINALIZE:
        return p11->C_Finalize(NULL);
    case WILD_NOTHING:
        break;
    }
    return CKR_GENERAL_ERROR;
}

static void *be_second(void *unused)
{
    (void)unused;
    second_rv = CKR_GENERAL_ERROR;
    if (!is_asked())
        return NULL;
    if (the_way->at_once)
        let_it_answer();
    second_rv = do_meanwhile(the_way->meanwhile);
    if (!the_way->at_once)
        let_it_answer();
    return NULL;
}

void wild_settle(void)
{
    if (!second_runs)
        return;
    fuzz_require(pthread_join(second, NULL) == 0, "the second thread has ended");
    second_runs = false;
    empty_pipes();
    if (second_rv == CKR_OK && the_way->meanwhile != WILD_CANCEL)
        judge_logged_out();
}

CK_RV wild_meanwhile_rv(void)
{
    return second_rv;
}

/* ------------------------------------------------------------------ the questions */

void wild_begin(unsigned question, const struct wild_way *way)
{
    the_question = question;
    the_way = way;
    questions = 0;
    in_call = false;
    second_rv = CKR_GENERAL_ERROR;
}

unsigned wild_questions(void)
{
    return questions;
}

bool wild_asked_in_call(void)
{
    return in_call;
}

void wild_forget_call(void)
{
    in_call = false;
}

/* tests/fuzz/module_user.c is compiled under these names (CMakeLists.txt). */
enum error_code user_get_pin(const struct pinentry_question *question, struct secret **answer, struct error *err);
enum error_code user_confirm(const struct pinentry_question *question, struct error *err);
enum error_code __real_pinentry_get_pin(const struct pinentry_question *question, struct secret **answer, struct error *err);
enum error_code __wrap_pinentry_get_pin(const struct pinentry_question *question, struct secret **answer, struct error *err);
enum error_code __real_pinentry_confirm(const struct pinentry_question *question, struct error *err);
enum error_code __wrap_pinentry_confirm(const struct pinentry_question *question, struct error *err);

/* The question as the wild one gets it. */
static struct pinentry_question go_wild(const struct pinentry_question *question)
{
    struct pinentry_question wild = *question;

    in_call = true;
    wild.program = TEST_WILD_PINENTRY;
    wild.timeout_s = the_way->limited ? 1 : PATIENCE_S;
    setenv("WILD_PINENTRY", the_way->name, 1);
    if (the_way->meanwhile != WILD_NOTHING) {
        second_runs = true;
        fuzz_require(pthread_create(&second, NULL, be_second, NULL) == 0, "there is a second thread");
    }
    return wild;
}

/* The right answer has come: by a way that may give one. */
static void require_may_agree(void)
{
    fuzz_require(the_way->agrees || the_way->meanwhile != WILD_NOTHING, "what was no answer is none");
}

static void require_arrives(enum error_code code)
{
    fuzz_require(!the_way->agrees || code == ERROR_NONE, "an answer in time and by the protocol arrives");
}

enum error_code __wrap_pinentry_get_pin(const struct pinentry_question *question, struct secret **answer, struct error *err)
{
    const char *right = question->repeat ? FUZZ_NEW_SECRET : FUZZ_SECRET;
    struct pinentry_question wild;
    struct secret *told = NULL;
    enum error_code code;

    if (++questions != the_question)
        return user_get_pin(question, answer, err);
    wild = go_wild(question);
    code = __real_pinentry_get_pin(&wild, answer, err);
    require_arrives(code);
    if (code != ERROR_NONE || secret_length(*answer) != strlen(right) || strcmp(secret_bytes(*answer), right) != 0)
        return code;
    require_may_agree();
    if (user_get_pin(question, &told, err) == ERROR_NONE) /* tells the judge */
        secret_free(&told);
    return code;
}

enum error_code __wrap_pinentry_confirm(const struct pinentry_question *question, struct error *err)
{
    struct pinentry_question wild;
    enum error_code code;

    if (++questions != the_question)
        return user_confirm(question, err);
    wild = go_wild(question);
    code = __real_pinentry_confirm(&wild, err);
    require_arrives(code);
    if (code != ERROR_NONE)
        return code;
    require_may_agree();
    return user_confirm(question, err);
}
