#include "common/i18n.h"

void i18n_bind(void)
{
    bindtextdomain("pinward", PINWARD_LOCALEDIR);
    bind_textdomain_codeset("pinward", "UTF-8");
}
