/*
 * config: the INI file of both programs: found, parsed and checked once, then constant.
 *
 * Where: $PINWARD_CONF (ignored when the process is setuid, setgid or has file capabilities), else
 *   $XDG_CONFIG_HOME/pinward/pinward.conf (else ~/.config/...), else /etc/pinward/pinward.conf, else the one
 *   installed with the program; when none of them exists, the defaults below. A file that exists and is wrong is an error, never skipped.
 * Owner: struct config is the caller's; strings in it are owned by it and freed by config_clear.
 * Thread rule: constant after config_load; may then be read from any thread.
 */
#ifndef PINWARD_COMMON_CONFIG_H
#define PINWARD_COMMON_CONFIG_H

#include <stdbool.h>

#include "config_rules.h"
#include "error.h"

/* [module] prompt: who asks for the PIN. */
enum config_prompt {
    CONFIG_PROMPT_MODULE,      /* the module, through pinentry */
    CONFIG_PROMPT_APPLICATION, /* the application, with C_Login(CKU_CONTEXT_SPECIFIC) */
};

/* [log] level: the least serious kind of line that is written. */
enum config_log_level {
    CONFIG_LOG_ERROR,
    CONFIG_LOG_WARNING,
    CONFIG_LOG_INFO,
    CONFIG_LOG_DEBUG,
};

/* [module] export: may a private key be made that can leave its token, and may it leave under a key that the program
 * knows? */
enum config_export {
    CONFIG_EXPORT_NEVER,
    CONFIG_EXPORT_ASK, /* when the user agrees with the PIN, to each birth and each export */
};

/* [ledger] journal: where its lines also go. */
enum config_journal {
    CONFIG_JOURNAL_NONE,
    CONFIG_JOURNAL_SYSLOG,
    CONFIG_JOURNAL_JOURNALD,
};

/* [remote] access: what a connection that was forwarded from another machine may do. */
enum config_remote {
    CONFIG_REMOTE_DENY, /* nothing: it is closed */
    CONFIG_REMOTE_ASK,  /* what a local one may, with the PIN at every use */
};

/* [agent] sandbox: what the token's module may do in a process of the agent's; each more than the one before. */
enum config_sandbox {
    CONFIG_SANDBOX_STRICT,  /* files: read all, write its own */
    CONFIG_SANDBOX_SOCKETS, /* and reach other programs of this machine: a card through pcscd */
    CONFIG_SANDBOX_NETWORK, /* and of others */
    CONFIG_SANDBOX_OFF,     /* what the user may */
};

#define CONFIG_CONNECTIONS_MAX 1024

struct config {
    char *file; /* the file that was read; NULL when there was none and these are the defaults */
    struct {
        char *backend; /* path of the token's own module; default: SoftHSM2 */
        char *backend_args; /* its C_Initialize gets this as pReserved, as NSS's softokn wants it; NULL: nothing */
        enum config_prompt prompt;
        enum config_level level; /* of private keys that no rule names */
        unsigned level_line;     /* where the file says it; 0: it does not, and this is the default */
        enum config_export export;
        char *pinentry;                /* path of the program; default /usr/bin/pinentry */
        unsigned login_grace_s;        /* a module-prompted login covers the first use within it; 0: never */
        unsigned prompt_timeout_s;     /* a prompt is answered within this or the use is denied */
        unsigned cool_down_s;          /* after two unanswered prompts in a row none is shown for this long; 0: never */
        unsigned pin_tries;            /* wrong PINs until the module locks the token's user PIN; 0: it does not count */
        unsigned pin_min_length;       /* the fewest bytes of a new PIN, where the token itself wants no more */
        unsigned batch_uses;           /* the most uses that one batch consent may be for; 0: there are none */
        unsigned batch_time_s;         /* and the longest time */
    } module;
    struct config_rules rules; /* [token "..."], [key "..."], [app "..."] */
    struct {
        char *url;             /* https://host[:port], no trailing slash; NULL: not configured */
        char *ca_file;         /* PEM: the pinned CA, for TLS and for issued certificates; NULL: not configured */
        char *captcha_command; /* program that gets the picture's path as its argument and prints the text that
                                * the user typed; NULL: draw it in the terminal and read a line */
        unsigned timeout_s;    /* for one call, its repeats included */
    } portal;
    struct {
        char *module; /* path of pinward-pkcs11.so, or pinward-client.so; NULL: beside the installed tool */
        bool isolated; /* keys are used by pinward-agent, not in the tool's own process */
        char *token;  /* token label the tool works with; NULL: the only initialised one */
    } token;
    struct {
        char *file; /* NULL: $XDG_STATE_HOME/pinward/pinward.log (else ~/.local/state/...) */
        enum config_log_level level;
    } log;
    struct {
        char *file;    /* default: ledger.jsonl in the user's state folder (state_folder_user_file); NULL: there is
                        * none */
        bool required; /* a decision that cannot be recorded is denied; default */
        enum config_journal journal;
    } ledger;
    struct {
        enum config_remote access;
        char *forwarders; /* names of programs, blanks between, besides those that agent/forwarder.c knows; NULL: none */
    } remote;
    struct {
        enum config_sandbox sandbox;
        char *writable;              /* files and folders, from the root, colons between; NULL: none more */
        unsigned connections;        /* at once, of all programs */
        unsigned client_connections; /* of one process */
        unsigned client_sessions;    /* the rest is of one connection */
        unsigned client_objects;     /* that it has made and that are still there */
        unsigned client_memory_mib;
        unsigned client_message_mib;
        unsigned client_cpu_s;   /* processor time; 0: any */
        unsigned client_stall_s; /* in the middle of a message */
        unsigned client_idle_s;  /* without a word; 0: any */
    } agent;
    struct {
        char *user;    /* whom pinward-agent --service runs as: a name or a uid */
        char *clients; /* names, uids and @groups with blanks between, of those it serves; NULL: nobody */
        char *folder;  /* below it a folder for each of them */
    } service;
};

/* Finds, reads and checks the configuration. On success *config is filled whole and the caller clears it.
 * ERROR_CONFIG: err says file, line and what was expected. *config is untouched on failure. */
enum error_code config_load(struct config *config, struct error *err);

/* The same from the named file only. */
enum error_code config_load_file(const char *path, struct config *config, struct error *err);

/* The word for it in the file. */
const char *config_sandbox_name(enum config_sandbox sandbox);

/* Frees the strings and zeroes *config; NULL-safe. */
void config_clear(struct config *config);

#endif
