/*
 * prompter_question: a pinentry on a socket that somebody else speaks at, and a process beside it that ends it when the
 * other end of the socket closes: the question was withdrawn, or the service has ended.
 *
 * Owner: the descriptor stays the caller's. Thread rule: a process with one thread, which ignores SIGCHLD.
 */
#ifndef PINWARD_AGENT_PROMPTER_QUESTION_H
#define PINWARD_AGENT_PROMPTER_QUESTION_H

/* Both processes end with this one. One that does not start closes its end, which tells the service. */
void prompter_question_begin(const char *pinentry, int fd);

#endif
