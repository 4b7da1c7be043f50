/* i18n: messages in the user's language. _() marks and translates, N_() only marks. The text domain is
 * "pinward"; translations are in po/. dgettext, not gettext: a host application has a domain of its own. */
#ifndef PINWARD_COMMON_I18N_H
#define PINWARD_COMMON_I18N_H

#include <libintl.h>

#define _(text)  dgettext("pinward", text)
#define N_(text) text

/* Binds the domain to its folder ($PINWARD_LOCALEDIR of the build); does not touch the host's locale. */
void i18n_bind(void);

#endif
