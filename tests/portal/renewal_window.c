#include "renewal_window.h"

#include "ca.h"

int64_t renewal_window_opens_at(int64_t not_after_s)
{
    return not_after_s - (int64_t)CA_RENEWAL_WINDOW_DAYS * CLOCK_DAY_S;
}

bool renewal_window_is_open(int64_t not_after_s, int64_t now_s)
{
    return now_s >= renewal_window_opens_at(not_after_s) && now_s <= not_after_s;
}
