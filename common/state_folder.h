/*
 * state_folder: where the files that Pinward writes for itself are: $XDG_STATE_HOME/pinward, else
 * ~/.local/state/pinward (XDG base directory specification).
 *
 * Neither variable is looked at when the process is setuid, setgid or has file capabilities: who started it must not
 * say where it writes.
 * Owner: returned strings are the caller's. Thread rule: no state; as safe as getenv is.
 */
#ifndef PINWARD_COMMON_STATE_FOLDER_H
#define PINWARD_COMMON_STATE_FOLDER_H

/* The path of the file called name in that folder, on the heap. NULL: there is no such folder, or no memory. Nothing
 * is made. */
char *state_folder_file(const char *name);

/* The same, but where the environment names no folder (or must not be asked), below the effective user's home in the
 * user database. */
char *state_folder_user_file(const char *name);

/* Makes every folder of path that is missing, 0700. Says nothing of failure: the open that follows does. */
void state_folder_make_for(const char *path);

#endif
