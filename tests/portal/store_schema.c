#include "store_schema.h"

/* Times are seconds since 1970 UTC of the portal's clock. Every query of the portal is answered from a
 * primary key or one of the indexes below, so none of them slows down as the tables grow. */
const char store_schema_sql[] =
    "CREATE TABLE setting ("
    "  name TEXT PRIMARY KEY,"
    "  value TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE account ("
    "  account TEXT PRIMARY KEY,"
    "  password_hash TEXT NOT NULL," /* Argon2id, crypto_pwhash_str */
    "  password_change_required INTEGER NOT NULL,"
    "  failed_tries INTEGER NOT NULL DEFAULT 0,"
    "  created_at INTEGER NOT NULL,"
    "  approved_at INTEGER," /* NULL: the registration authority has not approved it yet */
    "  common_name TEXT NOT NULL,"
    "  organization TEXT,"
    "  country TEXT NOT NULL,"
    "  email TEXT NOT NULL,"
    "  registration_number TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    /* Tries on accounts that do not exist are counted like others, so that nobody learns which ones exist. */
    "CREATE TABLE unknown_account ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name_hash BLOB NOT NULL UNIQUE,"
    "  failed_tries INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE captcha ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  captcha_id TEXT NOT NULL UNIQUE,"
    "  text TEXT NOT NULL,"
    "  expires_at INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX captcha_expires_at ON captcha (expires_at);"

    "CREATE TABLE session ("
    "  token_hash BLOB PRIMARY KEY," /* SHA-256 of the cookie; the cookie itself is stored nowhere */
    "  account TEXT NOT NULL REFERENCES account,"
    "  created_at INTEGER NOT NULL,"
    "  last_used_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX session_account ON session (account);"
    "CREATE INDEX session_last_used_at ON session (last_used_at);"

    "CREATE TABLE terms ("
    "  seq INTEGER NOT NULL," /* the highest is the current version */
    "  language TEXT NOT NULL,"
    "  version TEXT NOT NULL,"
    "  text TEXT NOT NULL,"
    "  sha256 TEXT NOT NULL,"
    "  PRIMARY KEY (seq, language),"
    "  UNIQUE (version, language)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE application ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  application_id TEXT NOT NULL UNIQUE,"
    "  account TEXT NOT NULL REFERENCES account,"
    "  kind TEXT NOT NULL CHECK (kind IN ('new', 'renewal')),"
    "  state TEXT NOT NULL CHECK (state IN ('submitted', 'issued', 'activated')),"
    "  request_id TEXT NOT NULL,"
    "  request_sha256 BLOB NOT NULL," /* of what was sent: the same id with other bytes is another request */
    "  request BLOB NOT NULL,"        /* the PKCS#10, for an approval that comes later */
    "  terms_version TEXT NOT NULL,"
    "  terms_sha256 TEXT NOT NULL,"
    "  replaces TEXT REFERENCES application (application_id)," /* a renewal: the pair that it renews */
    "  submitted_at INTEGER NOT NULL,"
    "  issued_at INTEGER,"
    "  activated_at INTEGER,"
    "  activation_request_id TEXT,"
    "  UNIQUE (account, request_id)"
    ") STRICT;"
    "CREATE INDEX application_account ON application (account, seq);"
    "CREATE INDEX application_waiting ON application (account) WHERE state <> 'activated';"
    "CREATE INDEX application_replaces ON application (replaces) WHERE replaces IS NOT NULL;"

    "CREATE TABLE certificate ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  serial TEXT NOT NULL UNIQUE,"
    "  application_id TEXT NOT NULL REFERENCES application (application_id),"
    "  account TEXT NOT NULL REFERENCES account,"
    "  use TEXT NOT NULL CHECK (use IN ('signing', 'encryption')),"
    "  state TEXT NOT NULL CHECK (state IN ('issued', 'active', 'renewed', 'suspended', 'revoked')),"
    "  resumes_to TEXT CHECK (resumes_to IN ('active', 'renewed'))," /* while suspended */
    "  state_since INTEGER NOT NULL,"
    "  reason INTEGER," /* CRLReason of a revoked certificate, RFC 5280 section 5.3.1 */
    "  subject_dn TEXT NOT NULL,"
    "  not_before INTEGER NOT NULL,"
    "  not_after INTEGER NOT NULL,"
    "  der BLOB NOT NULL,"
    "  UNIQUE (application_id, use)"
    ") STRICT;"
    "CREATE INDEX certificate_account ON certificate (account, seq);"
    "CREATE INDEX certificate_in_use ON certificate (account, not_after) WHERE state IN ('active', "
    "'suspended');"
    "CREATE INDEX certificate_on_crl ON certificate (not_after) WHERE state IN ('issued', 'suspended', "
    "'revoked');"

    /* Every key that was ever applied with: no key is certified twice. */
    "CREATE TABLE key ("
    "  spki_sha256 BLOB PRIMARY KEY,"
    "  application_id TEXT NOT NULL REFERENCES application (application_id)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE challenge ("
    "  application_id TEXT PRIMARY KEY REFERENCES application (application_id),"
    "  challenge_id TEXT NOT NULL,"
    "  nonce BLOB NOT NULL,"
    "  enveloped_sha256 BLOB NOT NULL," /* of the enveloped bytes: a reader of the database cannot answer */
    "  expires_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    /* One row. change counts what would alter the list; the list was made at made_change. */
    "CREATE TABLE crl ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  change INTEGER NOT NULL,"
    "  made_change INTEGER NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  this_update INTEGER NOT NULL,"
    "  der BLOB NOT NULL"
    ") STRICT;"
    "INSERT INTO crl VALUES (1, 1, 0, 0, 0, x'');";
