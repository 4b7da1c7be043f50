/* pem_file: a small text file of the data folder, whole in memory; wiped when freed, since it may be a
 * private key. No shared state; any thread. */
#ifndef PINWARD_PORTAL_PEM_FILE_H
#define PINWARD_PORTAL_PEM_FILE_H

/* A new string, or NULL. */
char *pem_file_read(const char *data_dir, const char *name);
void pem_file_free(char **text);

#endif
