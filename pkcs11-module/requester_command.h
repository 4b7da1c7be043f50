/*
 * requester_command: a program's arguments as one line that can be shown. People give PINs and passwords to programs as
 * arguments; those that can be told from their option or their URI are shown as "*".
 *
 * Owner: the caller's buffers. Thread rule: no shared state.
 */
#ifndef PINWARD_MODULE_REQUESTER_COMMAND_H
#define PINWARD_MODULE_REQUESTER_COMMAND_H

#include <stddef.h>

/* raw: arguments, each but the last ended by NUL, len bytes in all, perhaps cut, REQUESTER_COMMAND_MAX at most; those after
 * them are not shown. out: of size bytes, harmless UTF-8, cut where it is full. */
void requester_command_show(const char *raw, size_t len, char *out, size_t size);

#endif
