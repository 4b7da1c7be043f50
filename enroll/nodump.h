/*
 * nodump: no core of the tool. Secrets are in locked memory that a core leaves out, but a core that is taken in the midst
 * of a call would also hold what a library is just working on: a request, a file's password.
 *
 * Owner: process-wide; nodump_install is called once, at the start. The limit is inherited by the programs that the tool
 * starts (pinentry, a captcha-command); that other processes of the user may not trace it (ptrace(2)) is not.
 * Thread rule: before there are other threads.
 */
#ifndef PINWARD_ENROLL_NODUMP_H
#define PINWARD_ENROLL_NODUMP_H

void nodump_install(void);

#endif
