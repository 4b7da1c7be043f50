/*
 * descriptor: descriptors that cannot be taken for the host's standard input, output or error.
 *
 * Owner: the descriptor is the caller's. Thread rule: any thread.
 */
#ifndef PINWARD_COMMON_DESCRIPTOR_H
#define PINWARD_COMMON_DESCRIPTOR_H

/* The same open file on a descriptor above 2, close-on-exec; fd itself when it is one already, or -1. A host that has
 * closed its standard descriptors still prints to them, and what it prints must go nowhere. -1 with errno, fd closed:
 * there is none left. */
int descriptor_above_stdio(int fd);

#endif
