/*
 * requests: PKCS#10 requests for the portal's bench, each with two key pairs of its own: a line of base64 for each.
 *
 * Usage: pinward-bench-requests COUNT SUBJECT-DN
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/portal-tests/enrollee.h"

static void make_request(const char *subject_dn)
{
    const struct request_options options = {.subject_dn = subject_dn};
    struct enrollee enrollee = {NULL, NULL};
    struct der request;
    json_t *text;

    enrollee_make(&enrollee);
    request = enrollee_request(&enrollee, &options);
    text = base64_new(request.data, request.len);
    puts(json_string_value(text));
    json_decref(text);
    der_clear(&request);
    enrollee_clear(&enrollee);
}

int main(int argc, char **argv)
{
    if (argc != 3 || sodium_init() < 0) {
        fprintf(stderr, "usage: pinward-bench-requests COUNT SUBJECT-DN\n");
        return 2;
    }
    for (unsigned long i = 0; i < strtoul(argv[1], NULL, 10); i++)
        make_request(argv[2]);
    return 0;
}
