/* uuid: random UUIDs (RFC 9562 section 5.4) in lower case. Any thread. */
#ifndef PINWARD_PORTAL_UUID_H
#define PINWARD_PORTAL_UUID_H

#include "store_application.h"

void uuid_make(char out[UUID_SIZE]);

#endif
