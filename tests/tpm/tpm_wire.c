#include "tpm/tpm_wire.h"

#include <string.h>
#include <sys/socket.h>

#define TAG_NO_SESSIONS  0x8001u
#define TAG_SESSIONS     0x8002u
#define CAP_COMMANDS     2u
#define HANDLE_LOCKOUT   0x4000000Au
#define HANDLE_PASSWORD  0x40000009u /* TPM_RS_PW: an authorization by a password in clear */
#define COMMANDS_AT_ONCE 64u

static uint32_t read_u16(const unsigned char *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static void write_u16(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

uint32_t tpm_read_u32(const unsigned char *at)
{
    return read_u16(at) << 16 | read_u16(at + 2);
}

void tpm_write_u32(unsigned char *at, uint32_t value)
{
    write_u16(at, value >> 16);
    write_u16(at + 2, value);
}

uint32_t tpm_code(const struct tpm_message *message)
{
    return tpm_read_u32(message->bytes + 6);
}

/* ------------------------------------------------------------------ messages */

static bool receive_whole(int fd, unsigned char *bytes, size_t len)
{
    return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

bool tpm_receive(int fd, struct tpm_message *message)
{
    size_t len;

    if (!receive_whole(fd, message->bytes, TPM_HEADER))
        return false;
    len = tpm_read_u32(message->bytes + 2);
    if (len < TPM_HEADER || len > sizeof message->bytes)
        return false;
    message->len = len;
    return len == TPM_HEADER || receive_whole(fd, message->bytes + TPM_HEADER, len - TPM_HEADER);
}

bool tpm_send(int fd, const struct tpm_message *message)
{
    return send(fd, message->bytes, message->len, MSG_NOSIGNAL) == (ssize_t)message->len;
}

bool tpm_transmit(int tpm, const struct tpm_message *command, struct tpm_message *response)
{
    return tpm_send(tpm, command) && tpm_receive(tpm, response);
}

/* Each: a handle, a nonce (TPM2B), one byte of attributes, a secret or an HMAC (TPM2B). */
size_t tpm_authorizations(const struct tpm_message *message, const struct tpm_command *command,
                          uint32_t handles[TPM_AUTHORIZATIONS_MAX])
{
    size_t at = TPM_HEADER + 4 * command->handles, end, count = 0;

    if (read_u16(message->bytes) != TAG_SESSIONS || at + 4 > message->len)
        return 0;
    end = tpm_read_u32(message->bytes + at);
    at += 4;
    if (end > message->len - at)
        return 0;
    end += at;
    while (count < TPM_AUTHORIZATIONS_MAX && at + 6 <= end) {
        handles[count++] = tpm_read_u32(message->bytes + at);
        at += 6 + read_u16(message->bytes + at + 4) + 1;
        if (at + 2 > end)
            return 0;
        at += 2 + read_u16(message->bytes + at);
    }
    return count;
}

static void begin(struct tpm_message *message, uint32_t tag, uint32_t code)
{
    write_u16(message->bytes, tag);
    tpm_write_u32(message->bytes + 6, code);
    message->len = TPM_HEADER;
}

static void add_u32(struct tpm_message *message, uint32_t value)
{
    tpm_write_u32(message->bytes + message->len, value);
    message->len += 4;
}

static void add(struct tpm_message *message, const unsigned char *bytes, size_t len)
{
    memcpy(message->bytes + message->len, bytes, len);
    message->len += len;
}

static void end(struct tpm_message *message)
{
    tpm_write_u32(message->bytes + 2, (uint32_t)message->len);
}

void tpm_answer_success(struct tpm_message *response)
{
    begin(response, TAG_NO_SESSIONS, 0);
    end(response);
}

/* false also when the TPM refuses. */
static bool command(int tpm, struct tpm_message *message, struct tpm_message *response)
{
    end(message);
    return tpm_transmit(tpm, message, response) && tpm_code(response) == 0;
}

/* ------------------------------------------------------------------ commands */

bool tpm_context_save(int tpm, uint32_t handle, struct tpm_context *context)
{
    struct tpm_message message, response;

    begin(&message, TAG_NO_SESSIONS, TPM_CC_CONTEXT_SAVE);
    add_u32(&message, handle);
    if (!command(tpm, &message, &response))
        return false;
    context->len = response.len - TPM_HEADER;
    memcpy(context->bytes, response.bytes + TPM_HEADER, context->len);
    return true;
}

bool tpm_context_load(int tpm, const struct tpm_context *context, uint32_t *handle)
{
    struct tpm_message message, response;

    begin(&message, TAG_NO_SESSIONS, TPM_CC_CONTEXT_LOAD);
    add(&message, context->bytes, context->len);
    if (!command(tpm, &message, &response) || response.len < TPM_HEADER + 4)
        return false;
    *handle = tpm_read_u32(response.bytes + TPM_HEADER);
    return true;
}

bool tpm_flush(int tpm, uint32_t handle)
{
    struct tpm_message message, response;

    begin(&message, TAG_NO_SESSIONS, TPM_CC_FLUSH_CONTEXT);
    add_u32(&message, handle);
    return command(tpm, &message, &response);
}

static bool get_commands(int tpm, uint32_t first, struct tpm_message *response)
{
    struct tpm_message message;

    begin(&message, TAG_NO_SESSIONS, TPM_CC_GET_CAPABILITY);
    add_u32(&message, CAP_COMMANDS);
    add_u32(&message, first);
    add_u32(&message, COMMANDS_AT_ONCE);
    return command(tpm, &message, response) && response->len >= TPM_HEADER + 9;
}

/* TPMA_CC: the index in bits 0-15, V (vendor's own) in 29, cHandles in 25-27, rHandle in 28. */
static struct tpm_command command_of(uint32_t attributes)
{
    return (struct tpm_command){.code = attributes & 0x2000FFFFu,
                                .handles = attributes >> 25 & 7,
                                .answers_handle = (attributes >> 28 & 1) != 0};
}

bool tpm_commands(int tpm, struct tpm_command *commands, size_t max, size_t *count)
{
    struct tpm_message response;
    size_t found = 0;
    uint32_t next = 0;
    bool more = true;

    while (more) {
        uint32_t here;

        if (!get_commands(tpm, next, &response))
            return false;
        more = response.bytes[TPM_HEADER] != 0;
        here = tpm_read_u32(response.bytes + TPM_HEADER + 5);
        if (here == 0 || here > max - found || response.len < TPM_HEADER + 9 + 4 * here)
            return false;
        for (uint32_t i = 0; i < here; i++)
            commands[found++] = command_of(tpm_read_u32(response.bytes + TPM_HEADER + 9 + 4 * i));
        next = commands[found - 1].code + 1;
    }
    *count = found;
    return true;
}

bool tpm_forgive_wrong_secrets(int tpm)
{
    static const unsigned char empty_password[] = {0, 0, 0, 0, 0}; /* nonce, attributes, the password: none */
    struct tpm_message message, response;

    begin(&message, TAG_SESSIONS, TPM_CC_DICTIONARY_ATTACK_PARAMETERS);
    add_u32(&message, HANDLE_LOCKOUT);
    add_u32(&message, 4 + sizeof empty_password);
    add_u32(&message, HANDLE_PASSWORD);
    add(&message, empty_password, sizeof empty_password);
    add_u32(&message, INT32_MAX); /* tries */
    add_u32(&message, 1);         /* seconds until one of them is given back */
    add_u32(&message, 1);         /* seconds until the lockout's own secret may be tried again */
    return command(tpm, &message, &response);
}
