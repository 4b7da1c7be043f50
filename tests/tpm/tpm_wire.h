/*
 * tpm_wire: commands and responses of a TPM 2.0 as bytes, and the few commands that the broker gives by itself.
 *
 * "Part 2" and "Part 3" are those of the TPM 2.0 Library Specification. Owner: the caller's buffers; the descriptor is a
 * stream socket to the TPM. Thread rule: one thread a descriptor.
 */
#ifndef PINWARD_TESTS_TPM_WIRE_H
#define PINWARD_TESTS_TPM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TPM_MESSAGE_MAX 4096
#define TPM_HEADER      10 /* tag, size, command or response code (Part 3, 5.2) */

/* Part 2, 6.5.2: TPM_CC. */
#define TPM_CC_DICTIONARY_ATTACK_PARAMETERS 0x13Au
#define TPM_CC_CONTEXT_LOAD                 0x161u
#define TPM_CC_CONTEXT_SAVE                 0x162u
#define TPM_CC_FLUSH_CONTEXT                0x165u
#define TPM_CC_GET_CAPABILITY               0x17Au

struct tpm_message {
    unsigned char bytes[TPM_MESSAGE_MAX];
    size_t len;
};

/* An object or a session that was taken out of the TPM (Part 2, 14.5: TPMS_CONTEXT). */
struct tpm_context {
    unsigned char bytes[TPM_MESSAGE_MAX - TPM_HEADER];
    size_t len;
};

/* Where in a command the handles are, and whether the response has one (Part 2, 8.9: TPMA_CC). */
struct tpm_command {
    uint32_t code;
    unsigned handles;
    bool answers_handle;
};

uint32_t tpm_read_u32(const unsigned char *at);
void tpm_write_u32(unsigned char *at, uint32_t value);

/* The command's or the response's code. */
uint32_t tpm_code(const struct tpm_message *message);

/* A whole message; false at the end of the stream, and for what is no message. */
bool tpm_receive(int fd, struct tpm_message *message);
bool tpm_send(int fd, const struct tpm_message *message);

/* Sends and receives; false when the TPM has gone. A refusal is a response too. */
bool tpm_transmit(int tpm, const struct tpm_message *command, struct tpm_message *response);

/* The sessions that authorize the command (Part 1, 18.6); how many. None in a malformed command. */
#define TPM_AUTHORIZATIONS_MAX 3
size_t tpm_authorizations(const struct tpm_message *message, const struct tpm_command *command,
                          uint32_t handles[TPM_AUTHORIZATIONS_MAX]);

/* A response without parameters: success. */
void tpm_answer_success(struct tpm_message *response);

/* TPM2_ContextSave, TPM2_ContextLoad, TPM2_FlushContext. false when the TPM refuses. */
bool tpm_context_save(int tpm, uint32_t handle, struct tpm_context *context);
bool tpm_context_load(int tpm, const struct tpm_context *context, uint32_t *handle);
bool tpm_flush(int tpm, uint32_t handle);

/* Every command that the TPM has. false when it does not say, or has more than max. */
bool tpm_commands(int tpm, struct tpm_command *commands, size_t max, size_t *count);

/* As many wrong secrets as a test suite wants: a TPM refuses everybody after a few (Part 1, 19.8). */
bool tpm_forgive_wrong_secrets(int tpm);

#endif
