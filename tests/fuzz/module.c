/* The module as a whole, on a careless token, with a user who answers as the input says: any sequence of calls, with any
 * sessions, keys, mechanisms and templates, also while a window is open. After each call:
 *
 *  - no private-key call reached the token without a consent for that key, operation and session (judge.h);
 *  - no private key has become weaker, or was born weak (module_token.h);
 *  - neither the PIN nor a private value is in any output.
 *
 * The input: the world (module_world.h), then a byte for each call and bytes for its arguments and for the user's
 * answers. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/module_calls.h"
#include "fuzz/module_token.h"
#include "fuzz/module_user.h"
#include "fuzz/module_world.h"

#define CALLS_MAX 200
#define DEPTH_MAX 2

static struct fuzz_input input;
static unsigned depth;

/* One call while a window is open: what another thread of the application might do. */
static void meanwhile(void)
{
    if (depth >= DEPTH_MAX)
        return;
    depth++;
    calls_make(&input, true);
    depth--;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = (struct fuzz_input){data, size};
    depth = 0;
    world_begin(&input);
    user_begin(&input, meanwhile);
    calls_begin();
    for (unsigned i = 0; i < CALLS_MAX && input.left > 0; i++)
        calls_make(&input, false);
    calls_end();
    world_end();
    return 0;
}
