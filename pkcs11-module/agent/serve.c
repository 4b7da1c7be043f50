#include "pkcs11-module/agent/serve.h"

#include <p11-kit/p11-kit.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/agent/calls.h"
#include "pkcs11-module/agent/forwarder.h"
#include "pkcs11-module/agent/harden.h"
#include "pkcs11-module/agent/peer.h"
#include "pkcs11-module/agent/quota.h"
#include "pkcs11-module/agent/sandbox.h"
#include "pkcs11-module/agent/serve_consent.h"
#include "pkcs11-module/agent/watch.h"
#include "pkcs11-module/dispatch.h"
#include "pkcs11-module/entry.h"
#include "pkcs11-module/requester.h"

#define TOKEN_LABEL_SIZE 32

/* What the client wants to tell the token's module (pReserved) is dropped: which token there is, and where, is the
 * agent's configuration, and the client's bytes do not even end in a NUL. */
static CK_RV serve_initialize(void *init_args)
{
    CK_C_INITIALIZE_ARGS own = {.flags = CKF_OS_LOCKING_OK};

    (void)init_args;
    return own_C_Initialize(&own);
}

/* Of this process's one connection. */
static struct calls *served;

/* Other calls end with it, and get their answers first: p11-kit's client closes the connection once it has this one, and aborts
 * its program when another thread still waits there. */
static CK_RV serve_finalize(void *reserved)
{
    const CK_RV rv = own_C_Finalize(reserved);

    turns_be_last(&served->turns);
    return rv;
}

/* On the wire a label is a text of any length that ends in a NUL; PKCS#11 wants 32 bytes padded with blanks (2.40, 5.5,
 * C_InitToken), and a token's module reads as many. pinward-client.so says with an empty PIN that none comes with it, since
 * p11-kit loses the label behind one that is NULL. */
static CK_RV serve_init_token(CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len, CK_UTF8CHAR_PTR label)
{
    CK_UTF8CHAR padded[TOKEN_LABEL_SIZE];

    if (!label)
        return own_C_InitToken(slot, pin, pin_len, NULL);
    if (pin && pin_len == 0)
        pin = NULL;
    else if (!pin && !label[0]) {
        log_error("p11-kit has lost the label of a new token, as its versions up to 0.24 do when no PIN comes with it: "
                  "make the token with pinward token init");
        return CKR_ARGUMENTS_BAD;
    }
    memset(padded, ' ', sizeof padded);
    memcpy(padded, label, strnlen((const char *)label, sizeof padded));
    return own_C_InitToken(slot, pin, pin_len, padded);
}

/* A program that connects speaks first, at once. */
static bool speaks(int connection, const struct config *config)
{
    struct pollfd first = {.fd = connection, .events = POLLIN};

    return poll(&first, 1, (int)config->agent.client_stall_s * 1000) == 1;
}

static enum error_code serve_calls(struct calls *calls, const struct peer *peer, struct error *err)
{
    struct watch watch;
    enum error_code status = watch_start(calls, peer, &watch, err);

    if (status != ERROR_NONE)
        return status;
    calls_serve(calls);
    watch_stop(&watch);
    (void)own_C_Finalize(NULL);
    return ERROR_NONE;
}

static enum error_code serve_client(int connection, const struct peer *peer, enum policy_trust trust,
                                    const struct config *config, struct error *err)
{
    const struct frame_limits limits = {
        .size_max = (size_t)config->agent.client_message_mib << 20,
        .idle_ms = config->agent.client_idle_s > 0 ? (int)config->agent.client_idle_s * 1000 : -1,
        .stall_ms = (int)config->agent.client_stall_s * 1000,
    };
    CK_FUNCTION_LIST functions = dispatch_list;
    struct calls calls;
    enum error_code status;

    functions.C_Initialize = serve_initialize;
    functions.C_Finalize = serve_finalize;
    functions.C_InitToken = serve_init_token;
    quota_install(config, &functions);
    if (trust != POLICY_TRUST_NOT_THERE) /* for whoever is elsewhere each use is asked for */
        serve_consent_install(&functions);
    status = calls_open(connection, &limits, &functions, &calls, err);
    if (status != ERROR_NONE)
        return status;
    served = &calls;
    status = serve_calls(&calls, peer, err);
    calls_close(&calls);
    return status;
}

/* Nothing that the client says is read before the process is confined. */
static enum error_code serve_peer(const struct serve_task *task, const struct peer *peer, const struct config *config,
                                  struct error *err)
{
    const enum policy_trust local = task->service ? POLICY_TRUST_PIN : POLICY_TRUST_YES;
    struct requester_client client = {.pid = peer->pid,
                                      .uid = peer->uid,
                                      .trust = POLICY_TRUST_NOT_THERE,
                                      .unchanged = peer_unchanged,
                                      .program = peer_program,
                                      .data = peer};
    enum error_code status;

    if (peer->uid != task->uid)
        return error_set(err, ERROR_REFUSED, _("A connection of another user (uid %lu) was refused."),
                         (unsigned long)peer->uid);
    status = forwarder_judge(peer, local, &client.trust, err);
    if (status != ERROR_NONE)
        return status;
    if (!speaks(task->connection, config))
        return ERROR_NONE;
    requester_serve(&client);
    status = sandbox_enter(config, err);
    return status == ERROR_NONE ? serve_client(task->connection, peer, client.trust, config, err) : status;
}

/* Where the configuration is wrong its log may be too: then the usual one is told. */
static enum error_code configure(struct config *config, struct error *err)
{
    const struct config fallback = {.log = {.level = CONFIG_LOG_INFO}};
    const enum error_code status = config_load(config, err);

    (void)log_open(status == ERROR_NONE ? config : &fallback, NULL);
    return status;
}

enum error_code serve_connection(const struct serve_task *task, struct error *err)
{
    struct peer peer = {.pidfd = -1, .memory = -1};
    struct config config = {0};
    enum error_code status = configure(&config, err);

    (void)signal(SIGPIPE, SIG_IGN); /* a client that goes is an error of write */
    p11_kit_be_quiet();             /* what is wrong with a message is the client's affair */
    if (status == ERROR_NONE)
        status = harden_connection(&config, err);
    if (status == ERROR_NONE && !peer_look(task->connection, task->pidfd, &peer))
        status = error_set(err, ERROR_INTERNAL, _("The other end of the connection is not known."));
    if (status == ERROR_NONE && task->service)
        peer_take(&peer, task->memory, task->program);
    if (status == ERROR_NONE)
        status = serve_peer(task, &peer, &config, err);
    peer_clear(&peer);
    config_clear(&config);
    close(task->connection);
    return status;
}
