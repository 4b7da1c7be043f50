/*
 * install_place: where this program or module is installed, told from where it was loaded, so that what was installed
 * together is found together under any prefix (cmake --install --prefix).
 *
 * Owner: returned strings are the caller's. Thread rule: no state; any thread.
 */
#ifndef PINWARD_COMMON_INSTALL_PLACE_H
#define PINWARD_COMMON_INSTALL_PLACE_H

/* The prefix, links resolved and without a slash at its end: the folder of the code that calls this, less bin/ or
 * the folder of modules. NULL: it lies elsewhere, such as in a build's folder, or there is no memory. */
char *install_place_prefix(void);

/* prefix + "/" + below, for a below that is relative to it; NULL as above. */
char *install_place_path(const char *below);

#endif
