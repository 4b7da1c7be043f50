/*
 * i18n: messages in the user's language. _() marks and translates, N_() only marks.
 *
 * The text domain is "pinward"; translations are in po/. dgettext, not gettext: a host application has a domain of its
 * own. Nor has the host's locale to be the user's: many hosts never call setlocale, and the module must not do so for
 * them. Texts are looked up in the locale that the environment names (LC_ALL, LC_MESSAGES, LANG), as UTF-8.
 *
 * Owner: translations belong to the C library and stay valid. Thread rule: any thread.
 */
#ifndef PINWARD_COMMON_I18N_H
#define PINWARD_COMMON_I18N_H

#define _(text)  i18n_text(text)
#define N_(text) text

/* Binds the domain to its folder (below the prefix of an installation, else $PINWARD_LOCALEDIR of the build) and takes
 * the locale from the environment; later calls keep the first one's. Changes no locale that the host can see. */
void i18n_bind(void);

/* The translation of text, or text itself. Leaves errno and the thread's locale as they were. */
const char *i18n_text(const char *text) __attribute__((format_arg(1)));

#endif
