/* process_state: what a library can leave behind in its host: descriptors and children. */
#ifndef PINWARD_TESTS_PROCESS_STATE_H
#define PINWARD_TESTS_PROCESS_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* Open descriptors of this process. */
int process_descriptors(void);

/* Has this process a child, living or dead? */
bool process_has_child(void);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t process_now_ms(void);

void process_sleep_ms(long ms);

#endif
