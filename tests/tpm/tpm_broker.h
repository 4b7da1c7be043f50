/*
 * tpm_broker: many programs on one TPM, as the kernel's /dev/tpmrm0 does it for a real one. A TPM holds three objects and
 * three sessions at a time; the broker takes them out after every command, and puts those that a command names back in
 * before it. Programs know objects by handles of the broker's own; a session keeps its handle.
 *
 * Programs that end without a word leave objects and sessions behind: those that nobody has used for longest make room.
 * Sequences (objects that change with use) are not kept.
 *
 * Owner: struct tpm_broker is main's. Thread rule: one thread; a command is carried out before the next is read.
 */
#ifndef PINWARD_TESTS_TPM_BROKER_H
#define PINWARD_TESTS_TPM_BROKER_H

#include "tpm/tpm_wire.h"

#define TPM_OBJECTS_MAX  512
#define TPM_SESSIONS_MAX 48 /* a TPM knows 64 that are loaded or taken out */
#define TPM_COMMANDS_MAX 256

/* An object or a session. */
struct tpm_thing {
    uint32_t handle; /* 0 is a free place */
    unsigned long used;
    struct tpm_context context;
};

struct tpm_broker {
    int tpm;
    struct tpm_command commands[TPM_COMMANDS_MAX];
    size_t command_count;
    uint32_t next_handle;
    unsigned long now; /* counts uses */
    struct tpm_thing objects[TPM_OBJECTS_MAX];
    struct tpm_thing sessions[TPM_SESSIONS_MAX];
};

/* Asks the TPM what it can do. false when it does not say. */
bool tpm_broker_init(struct tpm_broker *broker, int tpm);

/* Carries out a program's command (which is changed). false when the TPM has gone. */
bool tpm_broker_carry_out(struct tpm_broker *broker, struct tpm_message *message, struct tpm_message *response);

#endif
