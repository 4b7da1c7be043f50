/*
 * check_place: says which check failed where no test runs: in another thread, or around the tests. There cmocka has nowhere
 * to go back to: it calls exit(-1) and keeps to itself which check it was, while other threads go on beside the exit's handlers.
 *
 * test.h puts a note of the place before each check. A program that ends in that way is then ended at once, with a line that
 * names the place and a status that fails the test.
 * Owner: everything is the thread's own. Thread rule: any thread.
 */
#ifndef PINWARD_TESTS_CHECK_PLACE_H
#define PINWARD_TESTS_CHECK_PLACE_H

/* The check that comes next. */
void check_place(const char *file, int line);

#endif
