#include "tpm/tpm_broker.h"

#include <string.h>

#define NAMED_MAX    6           /* three handles and three authorizations (Part 1, 18) */
#define FIRST_HANDLE 0x80100000u /* above those that a TPM gives */

/* Part 2, 7.2: TPM_HT, a handle's first byte. */
enum handle_type { HANDLE_HMAC_SESSION = 0x02, HANDLE_POLICY_SESSION = 0x03, HANDLE_OBJECT = 0x80 };

/* What a command names: the objects, by their handles in the TPM, and the sessions. */
struct named {
    uint32_t objects[NAMED_MAX];
    size_t object_count;
    struct tpm_thing *sessions[NAMED_MAX];
    size_t session_count;
};

static enum handle_type type_of(uint32_t handle)
{
    return (enum handle_type)(handle >> 24);
}

static bool is_session(uint32_t handle)
{
    return type_of(handle) == HANDLE_HMAC_SESSION || type_of(handle) == HANDLE_POLICY_SESSION;
}

bool tpm_broker_init(struct tpm_broker *broker, int tpm)
{
    memset(broker, 0, sizeof *broker);
    broker->tpm = tpm;
    broker->next_handle = FIRST_HANDLE;
    return tpm_commands(tpm, broker->commands, TPM_COMMANDS_MAX, &broker->command_count);
}

static const struct tpm_command *find_command(const struct tpm_broker *broker, uint32_t code)
{
    for (size_t i = 0; i < broker->command_count; i++)
        if (broker->commands[i].code == code)
            return &broker->commands[i];
    return NULL;
}

/* ------------------------------------------------------------------ what was taken out */

static struct tpm_thing *find(struct tpm_broker *broker, uint32_t handle)
{
    struct tpm_thing *things = is_session(handle) ? broker->sessions : broker->objects;
    const size_t count = is_session(handle) ? TPM_SESSIONS_MAX : TPM_OBJECTS_MAX;

    for (size_t i = 0; handle && i < count; i++) {
        if (things[i].handle == handle) {
            things[i].used = ++broker->now;
            return &things[i];
        }
    }
    return NULL;
}

/* A free place, or that of the one that nobody has used for longest. */
static struct tpm_thing *find_place(struct tpm_broker *broker, struct tpm_thing *things, size_t count)
{
    struct tpm_thing *place = &things[0];

    for (size_t i = 1; i < count && place->handle; i++)
        if (!things[i].handle || things[i].used < place->used)
            place = &things[i];
    if (is_session(place->handle))
        (void)tpm_flush(broker->tpm, place->handle);
    place->handle = 0;
    place->used = ++broker->now;
    return place;
}

/* ------------------------------------------------------------------ before a command */

static void put_object_in(struct tpm_broker *broker, unsigned char *handle, struct named *named)
{
    const struct tpm_thing *object = find(broker, tpm_read_u32(handle));
    uint32_t *loaded = &named->objects[named->object_count];

    if (object && tpm_context_load(broker->tpm, &object->context, loaded)) {
        tpm_write_u32(handle, *loaded);
        named->object_count++;
    }
}

static void put_session_in(struct tpm_broker *broker, uint32_t handle, struct named *named)
{
    struct tpm_thing *session = find(broker, handle);
    uint32_t loaded;

    if (session && tpm_context_load(broker->tpm, &session->context, &loaded))
        named->sessions[named->session_count++] = session;
}

/* Puts in what the command's handles and its authorizations name. What the broker does not know is left for the TPM to
 * refuse. */
static void put_in(struct tpm_broker *broker, const struct tpm_command *command, struct tpm_message *message,
                   struct named *named)
{
    uint32_t sessions[TPM_AUTHORIZATIONS_MAX];
    const size_t count = tpm_authorizations(message, command, sessions);

    for (size_t i = 0; i < command->handles && i < 3; i++) {
        const size_t at = TPM_HEADER + 4 * i;
        const uint32_t handle = at + 4 <= message->len ? tpm_read_u32(message->bytes + at) : 0;

        if (type_of(handle) == HANDLE_OBJECT)
            put_object_in(broker, message->bytes + at, named);
        else if (is_session(handle))
            put_session_in(broker, handle, named);
    }
    for (size_t i = 0; i < count; i++)
        put_session_in(broker, sessions[i], named);
}

/* ------------------------------------------------------------------ after it */

/* A session that is not there any more ended with the command (Part 1, 17.6: continueSession). */
static void take_out(struct tpm_broker *broker, struct named *named)
{
    for (size_t i = 0; i < named->object_count; i++)
        (void)tpm_flush(broker->tpm, named->objects[i]);
    for (size_t i = 0; i < named->session_count; i++)
        if (!tpm_context_save(broker->tpm, named->sessions[i]->handle, &named->sessions[i]->context))
            named->sessions[i]->handle = 0;
}

/* The command has brought a new object or session: takes it out, and names an object anew. */
static void take_new_out(struct tpm_broker *broker, struct tpm_message *response)
{
    const uint32_t handle = tpm_read_u32(response->bytes + TPM_HEADER);
    struct tpm_thing *place;

    if (is_session(handle)) {
        place = find_place(broker, broker->sessions, TPM_SESSIONS_MAX);
        if (tpm_context_save(broker->tpm, handle, &place->context))
            place->handle = handle;
    } else if (type_of(handle) == HANDLE_OBJECT) {
        place = find_place(broker, broker->objects, TPM_OBJECTS_MAX);
        if (tpm_context_save(broker->tpm, handle, &place->context))
            place->handle = broker->next_handle++;
        (void)tpm_flush(broker->tpm, handle);
        tpm_write_u32(response->bytes + TPM_HEADER, place->handle);
    }
}

/* Objects live here and not in the TPM; a session is the TPM's also while it is out. */
static bool flush(struct tpm_broker *broker, const struct tpm_message *message, struct tpm_message *response)
{
    const uint32_t handle = message->len >= TPM_HEADER + 4 ? tpm_read_u32(message->bytes + TPM_HEADER) : 0;
    struct tpm_thing *thing = find(broker, handle);

    if (thing)
        thing->handle = 0;
    if (!thing || is_session(handle))
        return tpm_transmit(broker->tpm, message, response);
    tpm_answer_success(response);
    return true;
}

bool tpm_broker_carry_out(struct tpm_broker *broker, struct tpm_message *message, struct tpm_message *response)
{
    const struct tpm_command *command = find_command(broker, tpm_code(message));
    struct named named = {.object_count = 0};
    bool answered;

    if (!command)
        return tpm_transmit(broker->tpm, message, response);
    if (command->code == TPM_CC_FLUSH_CONTEXT)
        return flush(broker, message, response);
    put_in(broker, command, message, &named);
    answered = tpm_transmit(broker->tpm, message, response);
    take_out(broker, &named);
    if (answered && command->answers_handle && tpm_code(response) == 0 && response->len >= TPM_HEADER + 4)
        take_new_out(broker, response);
    return answered;
}
