#include "common/i18n.h"

#include <libintl.h>
#include <locale.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/fork_safe.h"
#include "common/install_place.h"

/* The user's locale for messages; NULL until i18n_bind, and where the system has no such locale. Made once and kept:
 * another thread may be looking up a text in it. */
static _Atomic(locale_t) i18n_locale;

/* The domain is bound once, and stays so in a forked child: there, binding waits for ever for a lock of the C library when
 * another thread was looking up a text as its parent forked. */
static atomic_bool i18n_bound;

static void i18n_bind_domain(void)
{
    char *installed;

    if (atomic_load(&i18n_bound))
        return;
    installed = install_place_path(PINWARD_PLACE_OF_LOCALES);
    bindtextdomain("pinward", installed ? installed : PINWARD_LOCALEDIR); /* copies it */
    free(installed);
    bind_textdomain_codeset("pinward", "UTF-8");
    atomic_store(&i18n_bound, true);
}

void i18n_bind(void)
{
    locale_t none = (locale_t)0;
    locale_t users;

    i18n_bind_domain();
    if (atomic_load(&i18n_locale) != (locale_t)0)
        return;
    users = fork_safe_users_locale(LC_MESSAGES_MASK);
    if (users != (locale_t)0 && !atomic_compare_exchange_strong(&i18n_locale, &none, users))
        freelocale(users); /* another thread was first */
}

const char *i18n_text(const char *text)
{
    locale_t users = atomic_load(&i18n_locale);
    locale_t hosts;
    const char *translation;

    if (users == (locale_t)0)
        return fork_safe_text("pinward", text);
    hosts = uselocale(users); /* of this thread only */
    translation = fork_safe_text("pinward", text);
    uselocale(hosts);
    return translation;
}

/* A host that unloads the module: what was made for it goes too. */
__attribute__((destructor)) static void i18n_unload(void)
{
    locale_t users = atomic_exchange(&i18n_locale, (locale_t)0);

    if (users != (locale_t)0)
        freelocale(users);
}
