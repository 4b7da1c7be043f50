#include "problem.h"

struct problem_row {
    unsigned status;
    const char *slug;
    const char *title;
};

static const struct problem_row problem_rows[PROBLEM_COUNT] = {
#define X(name, status, slug, title) [name] = {status, slug, title},
    PROBLEM_LIST(X)
#undef X
};

unsigned problem_status(enum problem problem)
{
    return problem_rows[problem].status;
}

const char *problem_slug(enum problem problem)
{
    return problem_rows[problem].slug;
}

json_t *problem_new(enum problem problem, const char *detail)
{
    const struct problem_row *row = &problem_rows[problem];

    return json_pack("{s:s+, s:s, s:i, s:s}", "type", PROBLEM_TYPE_PREFIX, row->slug, "title", row->title,
                     "status", (int)row->status, "detail", detail);
}
