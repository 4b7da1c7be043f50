/* agent_calls: the calls of one connection, as p11-kit's client puts them on it, and as somebody else may. */
#include "pkcs11-module/agent/calls.h"

#include <poll.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkcs11-module/agent/exchange.h"
#include "pkcs11-module/agent/frame.h"
#include "support/test.h"

#define BODY_SIZE    17
#define MESSAGE_SIZE (FRAME_HEADER_SIZE + BODY_SIZE)
#define ANSWER_SIZE  (FRAME_HEADER_SIZE + 44)
#define WAITS        1 /* a session whose call waits to be let go */
#define QUICKLY      300

#define MESSAGE_MAX ((size_t)64 << 20)

struct world {
    int client;
    int server;
    CK_FUNCTION_LIST functions;
    struct calls calls;
    pthread_t thread;
};

static sem_t let_go;

/* The answer tells the session. Descriptors that are open are read as ever, also amid an exchange. */
static CK_RV get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info)
{
    int ends[2];
    char c = 0;

    if (session == WAITS)
        sem_wait(&let_go);
    if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1 || read(ends[0], &c, 1) != 1 || c != 'x')
        return CKR_GENERAL_ERROR;
    close(ends[0]);
    close(ends[1]);
    *info = (CK_SESSION_INFO){.slotID = session};
    return CKR_OK;
}

static void *serve(void *data)
{
    struct world *world = data;

    calls_serve(&world->calls);
    return NULL;
}

/* In the place of watch.c: looks until the service has ended. */
static void *look(void *data)
{
    struct world *world = data;
    struct pollfd more = {.fd = world->calls.turns.more, .events = POLLIN};
    pthread_t service;
    int due_ms = -1;

    assert_int_equal(pthread_create(&service, NULL, serve, world), 0);
    while (pthread_tryjoin_np(service, NULL) != 0) {
        (void)poll(&more, 1, due_ms >= 0 ? due_ms : 20);
        due_ms = calls_look(&world->calls);
    }
    return NULL;
}

static int set_up(void **state)
{
    const struct frame_limits limits = {.size_max = MESSAGE_MAX, .idle_ms = -1, .stall_ms = 30000};
    struct world *world = calloc(1, sizeof *world);
    struct error err = {0};
    unsigned char greeting = 0;
    int ends[2];

    assert_non_null(world);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    world->client = ends[0];
    world->server = ends[1];
    world->functions.C_GetSessionInfo = get_session_info;
    sem_init(&let_go, 0, 0);
    assert_int_equal(calls_open(world->server, &limits, &world->functions, &world->calls, &err), ERROR_NONE);
    assert_int_equal(pthread_create(&world->thread, NULL, look, world), 0);
    assert_int_equal(send(world->client, &greeting, 1, 0), 1);
    assert_int_equal(recv(world->client, &greeting, 1, 0), 1);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    close(world->client);
    pthread_join(world->thread, NULL);
    calls_close(&world->calls);
    close(world->server);
    free(world);
    return 0;
}

static void put_number(unsigned char *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(number >> (24 - 8 * i));
}

/* C_GetSessionInfo (call 13, one number of 64 bits) of that session. */
static void write_message(unsigned char message[MESSAGE_SIZE], uint32_t code, unsigned char session)
{
    static const unsigned char body[] = "\0\0\0\x0d\0\0\0\1u";

    memset(message, 0, MESSAGE_SIZE);
    put_number(message, code);
    put_number(message + 8, BODY_SIZE);
    memcpy(message + FRAME_HEADER_SIZE, body, sizeof body - 1);
    message[MESSAGE_SIZE - 1] = session;
}

static void ask(const struct world *world, uint32_t code, unsigned char session)
{
    unsigned char message[MESSAGE_SIZE];

    write_message(message, code, session);
    assert_int_equal(send(world->client, message, sizeof message, 0), sizeof message);
}

static void expect(const struct world *world, uint32_t code, unsigned char session)
{
    unsigned char answer[ANSWER_SIZE], wanted[4];

    put_number(wanted, code);
    assert_int_equal(recv(world->client, answer, sizeof answer, MSG_WAITALL), sizeof answer);
    assert_memory_equal(answer, wanted, sizeof wanted);
    assert_int_equal(answer[FRAME_HEADER_SIZE + 4 + 4 + 4 + 7], session);
}

static void expect_end(const struct world *world)
{
    char c;

    assert_true(recv(world->client, &c, 1, 0) <= 0);
}

static void test_in_pieces(void **state)
{
    const struct world *world = *state;
    unsigned char message[MESSAGE_SIZE];

    write_message(message, 16, 7);
    for (size_t i = 0; i < sizeof message; i++) {
        assert_int_equal(send(world->client, &message[i], 1, 0), 1);
        usleep(i % 8 == 0 ? 1000 : 0);
    }
    expect(world, 16, 7);
}

static void test_two_in_one(void **state)
{
    const struct world *world = *state;
    unsigned char messages[2 * MESSAGE_SIZE];

    write_message(messages, 16, 7);
    write_message(messages + MESSAGE_SIZE, 17, 7);
    assert_int_equal(send(world->client, messages, sizeof messages, 0), sizeof messages);
    expect(world, 16, 7);
    expect(world, 17, 7);
}

/* While one call waits another is answered, and so it is when it follows many that came in quick succession.
 */
static void test_side_by_side(void **state)
{
    const struct world *world = *state;

    for (uint32_t round = 0; round < 2; round++) {
        ask(world, 16, WAITS);
        ask(world, 17, 7);
        expect(world, 17, 7);
        sem_post(&let_go);
        expect(world, 16, WAITS);
        for (uint32_t i = 0; i < QUICKLY; i++) {
            ask(world, 100 + i, 9);
            expect(world, 100 + i, 9);
        }
    }
}

/* Options are p11-kit's to pass over. */
static void test_long(void **state)
{
    static const size_t options = (size_t)1 << 20;
    const struct world *world = *state;
    unsigned char *message = calloc(1, MESSAGE_SIZE + options);

    assert_non_null(message);
    write_message(message, 16, 7);
    put_number(message + 4, (uint32_t)options);
    memmove(message + FRAME_HEADER_SIZE + options, message + FRAME_HEADER_SIZE, BODY_SIZE);
    for (size_t sent = 0; sent < MESSAGE_SIZE + options;)
        sent += (size_t)send(world->client, message + sent, MESSAGE_SIZE + options - sent, 0);
    expect(world, 16, 7);
    free(message);
}

static void test_too_long(void **state)
{
    const struct world *world = *state;
    unsigned char header[FRAME_HEADER_SIZE] = {0};

    put_number(header + 8, MESSAGE_MAX);
    assert_int_equal(send(world->client, header, sizeof header, 0), sizeof header);
    expect_end(world);
}

static void test_no_message(void **state)
{
    const struct world *world = *state;
    unsigned char message[MESSAGE_SIZE];

    write_message(message, 16, 7);
    message[FRAME_HEADER_SIZE + 3] = 250; /* no such call */
    assert_int_equal(send(world->client, message, sizeof message, 0), sizeof message);
    expect_end(world);
}

static void test_nothing_is_left(void **state)
{
    CK_FUNCTION_LIST functions = {.C_GetSessionInfo = get_session_info};
    static const unsigned char zeros[MESSAGE_SIZE + 1];
    struct exchange exchange;
    const unsigned char *answer;
    size_t size;

    (void)state;
    assert_true(exchange_open(&exchange));
    write_message(exchange_request(&exchange, 0, MESSAGE_SIZE), 16, 7);
    assert_true(exchange_run(&exchange, &functions, &answer, &size));
    assert_int_equal(size, ANSWER_SIZE);
    assert_memory_equal(exchange.request.bytes, zeros, sizeof zeros);
    exchange_done(&exchange);
    assert_memory_equal(exchange.answer.bytes, zeros, sizeof zeros);
    exchange_close(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_in_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_side_by_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_message, set_up, tear_down),
        cmocka_unit_test(test_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
