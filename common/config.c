#include "common/config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_file.h"
#include "common/i18n.h"
#include "common/state_folder.h"

/* The shapes a value can have; each has one parser below. */
enum value_kind {
    VALUE_PATH,
    VALUE_TEXT,
    VALUE_URL,
    VALUE_LEVEL,
    VALUE_PROMPT,
    VALUE_LOG_LEVEL,
    VALUE_DURATION,
    VALUE_COUNT,
    VALUE_YES_NO,
    VALUE_JOURNAL,
    VALUE_EXPORT,
    VALUE_REMOTE,
    VALUE_SANDBOX,
    VALUE_PATHS,
};

struct config_key {
    const char *section;
    const char *name;
    enum value_kind kind;
    size_t offset;   /* of the member in struct config */
    unsigned max;    /* for VALUE_DURATION, in seconds, and VALUE_COUNT */
    unsigned min;
};

#define MEMBER(m) offsetof(struct config, m)

/* Every key there is. A key without a row is an error in the file. */
static const struct config_key config_keys[] = {
    {"module", "backend", VALUE_PATH, MEMBER(module.backend), 0, 0},
    {"module", "backend-args", VALUE_TEXT, MEMBER(module.backend_args), 0, 0},
    {"module", "prompt", VALUE_PROMPT, MEMBER(module.prompt), 0, 0},
    {"module", "level", VALUE_LEVEL, MEMBER(module.level), 0, 0},
    {"module", "export", VALUE_EXPORT, MEMBER(module.export), 0, 0},
    {"module", "pinentry", VALUE_PATH, MEMBER(module.pinentry), 0, 0},
    {"module", "login-grace", VALUE_DURATION, MEMBER(module.login_grace_s), 300, 0},
    {"module", "prompt-timeout", VALUE_DURATION, MEMBER(module.prompt_timeout_s), 3600, 1},
    {"module", "cool-down", VALUE_DURATION, MEMBER(module.cool_down_s), 3600, 0},
    {"module", "pin-tries", VALUE_COUNT, MEMBER(module.pin_tries), 15, 0},
    {"module", "pin-min-length", VALUE_COUNT, MEMBER(module.pin_min_length), 64, 0},
    {"module", "batch-uses", VALUE_COUNT, MEMBER(module.batch_uses), 10000, 0},
    {"module", "batch-time", VALUE_DURATION, MEMBER(module.batch_time_s), 3600, 1},
    {"portal", "url", VALUE_URL, MEMBER(portal.url), 0, 0},
    {"portal", "ca-file", VALUE_PATH, MEMBER(portal.ca_file), 0, 0},
    {"portal", "captcha-command", VALUE_PATH, MEMBER(portal.captcha_command), 0, 0},
    {"portal", "timeout", VALUE_DURATION, MEMBER(portal.timeout_s), 600, 1},
    {"token", "module", VALUE_PATH, MEMBER(token.module), 0, 0},
    {"token", "isolated", VALUE_YES_NO, MEMBER(token.isolated), 0, 0},
    {"token", "label", VALUE_TEXT, MEMBER(token.token), 0, 0},
    {"log", "file", VALUE_PATH, MEMBER(log.file), 0, 0},
    {"log", "level", VALUE_LOG_LEVEL, MEMBER(log.level), 0, 0},
    {"ledger", "file", VALUE_PATH, MEMBER(ledger.file), 0, 0},
    {"ledger", "required", VALUE_YES_NO, MEMBER(ledger.required), 0, 0},
    {"ledger", "journal", VALUE_JOURNAL, MEMBER(ledger.journal), 0, 0},
    {"remote", "access", VALUE_REMOTE, MEMBER(remote.access), 0, 0},
    {"remote", "forwarders", VALUE_TEXT, MEMBER(remote.forwarders), 0, 0},
    {"agent", "sandbox", VALUE_SANDBOX, MEMBER(agent.sandbox), 0, 0},
    {"agent", "writable", VALUE_PATHS, MEMBER(agent.writable), 0, 0},
    {"agent", "connections", VALUE_COUNT, MEMBER(agent.connections), CONFIG_CONNECTIONS_MAX, 1},
    {"agent", "client-connections", VALUE_COUNT, MEMBER(agent.client_connections), CONFIG_CONNECTIONS_MAX, 1},
    {"agent", "client-sessions", VALUE_COUNT, MEMBER(agent.client_sessions), 65536, 1},
    {"agent", "client-objects", VALUE_COUNT, MEMBER(agent.client_objects), 65536, 1},
    {"agent", "client-memory", VALUE_COUNT, MEMBER(agent.client_memory_mib), 4096, 16},
    {"agent", "client-message", VALUE_COUNT, MEMBER(agent.client_message_mib), 1024, 1},
    {"agent", "client-cpu", VALUE_DURATION, MEMBER(agent.client_cpu_s), 86400, 0},
    {"agent", "client-stall", VALUE_DURATION, MEMBER(agent.client_stall_s), 86400, 1},
    {"agent", "client-idle", VALUE_DURATION, MEMBER(agent.client_idle_s), 86400, 0},
    {"service", "user", VALUE_TEXT, MEMBER(service.user), 0, 0},
    {"service", "clients", VALUE_TEXT, MEMBER(service.clients), 0, 0},
    {"service", "folder", VALUE_PATH, MEMBER(service.folder), 0, 0},
};

#define KEY_COUNT (sizeof config_keys / sizeof config_keys[0])

/* What is being filled, and which keys the file has given already. */
struct config_build {
    struct config config;
    bool seen[KEY_COUNT];
};

static const char *const prompt_words[] = {"module", "application", NULL};
static const char *const log_level_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const yes_no_words[] = {"no", "yes", NULL};
static const char *const journal_words[] = {"none", "syslog", "journald", NULL};
static const char *const export_words[] = {"never", "ask", NULL};
static const char *const remote_words[] = {"deny", "ask", NULL};
static const char *const sandbox_words[] = {"strict", "sockets", "network", "off", NULL};

/* The position of value among words, -1 when it is none of them. Positions are the enums' values. */
static int config_word(const char *const *words, const char *value)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    return -1;
}

static bool config_set_string(char **member, const char *value, size_t len)
{
    char *copy = strndup(value, len);

    if (copy) {
        free(*member);
        *member = copy;
    }
    return copy != NULL;
}

/* "30", "30s", "5m"; false when it is neither or out of range. */
static bool config_parse_duration(const char *value, const struct config_key *key, unsigned *seconds)
{
    char *end;
    unsigned long n;

    if (value[0] < '0' || value[0] > '9')
        return false;
    n = strtoul(value, &end, 10);
    if (n > 86400)
        return false;
    if (strcmp(end, "m") == 0)
        n *= 60;
    else if (*end != '\0' && strcmp(end, "s") != 0)
        return false;
    if (n < key->min || n > key->max)
        return false;
    *seconds = (unsigned)n;
    return true;
}

/* A number of things, in decimal digits only. */
static bool config_parse_count(const char *value, const struct config_key *key, unsigned *count)
{
    unsigned long n;

    if (!value[0] || strspn(value, "0123456789") != strlen(value) || strlen(value) > 9)
        return false;
    n = strtoul(value, NULL, 10);
    if (n < key->min || n > key->max)
        return false;
    *count = (unsigned)n;
    return true;
}

/* Absolute paths with colons between. */
static bool config_parse_paths(const char *value, char **member)
{
    const char *colon;

    for (const char *at = value;; at = colon + 1) {
        if (*at != '/')
            return false;
        colon = strchr(at, ':');
        if (!colon)
            break;
    }
    return config_set_string(member, value, strlen(value));
}

/* https://host[:port]; a slash at the end is dropped. */
static bool config_parse_url(const char *value, char **member)
{
    static const char scheme[] = "https://";
    const size_t scheme_len = sizeof scheme - 1;
    size_t len = strlen(value);

    if (strncmp(value, scheme, scheme_len) != 0)
        return false;
    if (value[len - 1] == '/' && len > scheme_len)
        len--;
    if (len == scheme_len || memchr(value + scheme_len, '/', len - scheme_len) || strpbrk(value, "@?# \t"))
        return false;
    return config_set_string(member, value, len);
}

/* The words that a key of such a kind takes. */
static const struct {
    const char *const *words;
    const char *expected;
} config_words[] = {
    [VALUE_PROMPT] = {prompt_words, "module, application"},
    [VALUE_LOG_LEVEL] = {log_level_words, "error, warning, info, debug"},
    [VALUE_YES_NO] = {yes_no_words, "yes, no"},
    [VALUE_JOURNAL] = {journal_words, "none, syslog, journald"},
    [VALUE_EXPORT] = {export_words, "never, ask"},
    [VALUE_REMOTE] = {remote_words, "deny, ask"},
    [VALUE_SANDBOX] = {sandbox_words, "strict, sockets, network, off"},
};

_Static_assert(sizeof(enum config_prompt) == sizeof(int) && sizeof(enum config_log_level) == sizeof(int) &&
                   sizeof(enum config_journal) == sizeof(int) && sizeof(enum config_export) == sizeof(int) &&
                   sizeof(enum config_remote) == sizeof(int) && sizeof(enum config_sandbox) == sizeof(int),
               "every word but yes and no is stored as an int");

static const char *config_store_word(const struct config_key *key, const char *value, void *member)
{
    const int word = config_word(config_words[key->kind].words, value);

    if (word < 0)
        return config_words[key->kind].expected;
    if (key->kind == VALUE_YES_NO)
        *(bool *)member = word == 1;
    else
        memcpy(member, &word, sizeof word);
    return NULL;
}

/* Stores the value; on failure says what was expected. */
static const char *config_store(const struct config_key *key, const char *value, struct config *config)
{
    void *member = (char *)config + key->offset;

    switch (key->kind) {
    case VALUE_PATH:
        return value[0] == '/' && config_set_string(member, value, strlen(value)) ? NULL
                                                                                  : _("an absolute path");
    case VALUE_TEXT:
        return value[0] && config_set_string(member, value, strlen(value)) ? NULL : _("a text");
    case VALUE_PATHS:
        return config_parse_paths(value, member) ? NULL : _("absolute paths with a colon between them");
    case VALUE_URL:
        return config_parse_url(value, member) ? NULL : "https://HOST[:PORT]";
    case VALUE_DURATION:
        return config_parse_duration(value, key, member) ? NULL
                                                         : _("a time in seconds or minutes within its limits, "
                                                             "such as 30s or 2m");
    case VALUE_COUNT:
        return config_parse_count(value, key, member) ? NULL : _("a whole number within its limits");
    case VALUE_LEVEL:
        return config_level_parse(value, member) ? NULL : "high, medium, low";
    case VALUE_PROMPT:
    case VALUE_LOG_LEVEL:
    case VALUE_YES_NO:
    case VALUE_JOURNAL:
    case VALUE_EXPORT:
    case VALUE_REMOTE:
    case VALUE_SANDBOX:
        return config_store_word(key, value, member);
    }
    return _("a key of this version");
}

/* A section's header: most need no more than what their keys say. */
static enum error_code config_take_section(void *data, const struct config_section *section, struct error *why)
{
    struct config_build *build = data;

    if (section->argument)
        return config_rules_begin(&build->config.rules, section, why);
    if (strcmp(section->name, "key") == 0 || strcmp(section->name, "app") == 0)
        return error_set(why, ERROR_CONFIG, _("the section says nothing of whose it is; expected [%s \"name\"]"),
                         section->name);
    return ERROR_NONE;
}

static enum error_code config_take_key(struct config_build *build, size_t i, const char *value, unsigned line,
                                       struct error *why)
{
    const char *name = config_keys[i].name;
    const char *expected;

    if (build->seen[i])
        return error_set(why, ERROR_CONFIG, _("\"%s\" is given a second time; expected it once"), name);
    build->seen[i] = true;
    expected = config_store(&config_keys[i], value, &build->config);
    if (expected)
        return error_set(why, ERROR_CONFIG, _("\"%s\" is not a value for %s; expected %s"), value, name, expected);
    if (config_keys[i].offset == MEMBER(module.level))
        build->config.module.level_line = line;
    return ERROR_NONE;
}

static enum error_code config_take_pair(void *data, const struct config_section *section, const char *name,
                                        const char *value, unsigned line, struct error *why)
{
    struct config_build *build = data;

    if (config_rules_is_rule(section))
        return config_rules_set(&build->config.rules, name, value, why);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(config_keys[i].section, section->name) == 0 && strcmp(config_keys[i].name, name) == 0)
            return config_take_key(build, i, value, line, why);
    return error_set(why, ERROR_CONFIG,
                     _("there is no \"%s\" in a section [%s]; expected one of the keys in man pinward.conf"), name,
                     section->name);
}

/* The whole file into build. */
static enum error_code config_read(const char *path, struct config_build *build, struct error *err)
{
    static const struct config_file_taker taker = {config_take_section, config_take_pair};
    struct error why = {0};
    unsigned line = 0;
    enum error_code status = config_file_read(path, &taker, build, err);

    if (status != ERROR_NONE)
        return status;
    status = config_rules_finish(&build->config.rules, &line, &why);
    return status == ERROR_NONE ? ERROR_NONE : error_set(err, status, _("%s, line %u: %s."), path, line, why.text);
}

const char *config_sandbox_name(enum config_sandbox sandbox)
{
    return sandbox_words[sandbox];
}

static bool config_defaults(struct config *config)
{
    config->module.prompt = CONFIG_PROMPT_MODULE;
    config->module.level = CONFIG_LEVEL_HIGH;
    config->module.export = CONFIG_EXPORT_NEVER;
    config->module.login_grace_s = 30;
    config->module.prompt_timeout_s = 120;
    config->module.cool_down_s = 60;
    config->module.pin_tries = 10;
    config->module.pin_min_length = 6;
    config->module.batch_uses = 100;
    config->module.batch_time_s = 600;
    config->portal.timeout_s = 60;
    config->log.level = CONFIG_LOG_INFO;
    config->ledger.required = true;
    config->remote.access = CONFIG_REMOTE_DENY;
    config->agent.sandbox = CONFIG_SANDBOX_STRICT;
    config->agent.connections = 256;
    config->agent.client_connections = 32;
    config->agent.client_sessions = 1024;
    config->agent.client_objects = 4096;
    config->agent.client_memory_mib = 64;
    config->agent.client_message_mib = 16;
    config->agent.client_stall_s = 30;
    config->service.user = strdup("pinward");
    config->service.folder = strdup("/var/lib/pinward");
    config->module.backend = strdup(PINWARD_DEFAULT_BACKEND);
    config->module.pinentry = strdup(PINWARD_DEFAULT_PINENTRY);
    return config->module.backend && config->module.pinentry && config->service.user && config->service.folder;
}

/* path NULL: defaults only. */
static enum error_code config_build_from(const char *path, struct config *config, struct error *err)
{
    struct config_build build = {0};
    enum error_code status = ERROR_MEMORY;

    if (!config_defaults(&build.config))
        goto out;
    if (path) {
        build.config.file = strdup(path);
        if (!build.config.file)
            goto out;
        status = config_read(path, &build, err);
        if (status != ERROR_NONE)
            goto out;
    }
    if (!build.config.ledger.file)
        build.config.ledger.file = state_folder_user_file("ledger.jsonl");
    *config = build.config;
    return ERROR_NONE;
out:
    if (status == ERROR_MEMORY)
        error_set(err, ERROR_MEMORY, _("There is no memory left to read the configuration."));
    config_clear(&build.config);
    return status;
}

enum error_code config_load_file(const char *path, struct config *config, struct error *err)
{
    return config_build_from(path, config, err);
}

enum error_code config_load(struct config *config, struct error *err)
{
    char *path = NULL;
    enum error_code status = config_file_find(&path, err);

    if (status == ERROR_NONE)
        status = config_build_from(path, config, err);
    free(path);
    return status;
}

void config_clear(struct config *config)
{
    if (!config)
        return;
    free(config->file);
    free(config->module.backend);
    free(config->module.backend_args);
    free(config->module.pinentry);
    config_rules_clear(&config->rules);
    free(config->portal.url);
    free(config->portal.ca_file);
    free(config->portal.captcha_command);
    free(config->token.module);
    free(config->token.token);
    free(config->log.file);
    free(config->ledger.file);
    free(config->remote.forwarders);
    free(config->agent.writable);
    free(config->service.user);
    free(config->service.clients);
    free(config->service.folder);
    memset(config, 0, sizeof *config);
}
