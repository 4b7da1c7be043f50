/* store_schema: the tables. A change of them raises STORE_SCHEMA_VERSION. */
#ifndef PINWARD_PORTAL_STORE_SCHEMA_H
#define PINWARD_PORTAL_STORE_SCHEMA_H

#define STORE_SCHEMA_VERSION 1

extern const char store_schema_sql[];

#endif
