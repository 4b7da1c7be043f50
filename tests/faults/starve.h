/*
 * starve: memory that cannot be had, when it is told so, in the calls of the program's to the module (tests/fuzz/judge.h
 * knows when one is in progress): malloc, calloc, realloc, mmap, mlock, madvise and what is made of them.
 *
 * Without a sanitizer these functions take the place of libc's for the whole program, so that the libraries that the module
 * uses starve too. With one, which has a malloc of its own, the linker puts them in the place of those that the module's own
 * code calls (CMakeLists.txt), and what is left behind by a failure is found as a leak.
 * Owner: everything is kept here. Thread rule: one thread.
 */
#ifndef PINWARD_TESTS_STARVE_H
#define PINWARD_TESTS_STARVE_H

#include <stdbool.h>

/* The allocation of that number fails (0: none), and with for_good every later one too. */
void starve_begin(unsigned at, bool for_good);

/* How many there were since, and whether it came to that one. */
unsigned starve_count(void);
bool starve_happened(void);

#endif
