/* wiping_json: makes jansson wipe every buffer it frees, since request bodies hold passwords. Once, before
 * threads. */
#ifndef PINWARD_PORTAL_WIPING_JSON_H
#define PINWARD_PORTAL_WIPING_JSON_H

void wiping_json_install(void);

#endif
