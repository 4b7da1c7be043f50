#include "pkcs11-module/retry.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "common/log.h"

/* How long to wait for tries that are under way elsewhere, when there would be none left if they failed. */
#define WAIT_MS  10000
#define PAUSE_MS 5
#define PAUSE_NS 5000000

/* The two numbers of the file. Bit n of OPEN is for the try n before the last. */
enum { LAST_TRY, OPEN };

#define OPEN_BITS 64

void retry_init(struct retry *retry, unsigned limit)
{
    retry->limit = limit;
    if (!counter_file_locate("retry", retry->folder))
        retry->folder[0] = '\0';
}

static CK_RV unreliable(const char *why)
{
    log_error("%s Wrong PINs cannot be counted, so no PIN is taken. To do without the counter: pin-tries = 0 in section "
              "[module] of the configuration.",
              why);
    return CKR_FUNCTION_FAILED;
}

/* ------------------------------------------------------------------ the file of a token */

static CK_RV token_path(const struct retry *retry, const CK_TOKEN_INFO *token, char path[PATH_MAX])
{
    unsigned char hash[RETRY_HASH_BYTES];
    char hex[2 * RETRY_HASH_BYTES + 1];
    crypto_generichash_state state;

    if (!retry->folder[0])
        return unreliable("This user has no state folder: neither the environment nor the user database names one.");
    /* Fields of fixed length (CK_TOKEN_INFO), so no two tokens run into one another. */
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, token->manufacturerID, sizeof token->manufacturerID);
    crypto_generichash_update(&state, token->model, sizeof token->model);
    crypto_generichash_update(&state, token->serialNumber, sizeof token->serialNumber);
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", retry->folder, hex) >= PATH_MAX)
        return unreliable("The path of the state folder is too long.");
    return CKR_OK;
}

/* An open try that was never made, or made before the first, cannot be. */
static bool numbers_can_be(const uint64_t numbers[2])
{
    return numbers[LAST_TRY] < UINT64_MAX &&
           (numbers[LAST_TRY] >= OPEN_BITS || numbers[OPEN] >> numbers[LAST_TRY] == 0);
}

static CK_RV impossible_numbers(const char *path)
{
    struct error err = {0};

    counter_file_damaged(path, &err);
    return unreliable(error_text(&err));
}

/* Open tries, and of those the ones that nobody is busy with: the wrong ones. */
struct tally {
    unsigned open;
    unsigned wrong;
};

static struct tally tally_of(const struct counter_file *file)
{
    struct tally tally = {0};

    for (unsigned bit = 0; bit < OPEN_BITS && file->numbers[OPEN] >> bit != 0; bit++) {
        if (!(file->numbers[OPEN] >> bit & 1))
            continue;
        tally.open++;
        if (!counter_file_is_held(file, file->numbers[LAST_TRY] - bit))
            tally.wrong++;
    }
    return tally;
}

static CK_FLAGS flags_of(unsigned wrong, unsigned limit)
{
    CK_FLAGS flags = 0;

    if (wrong > 0)
        flags |= CKF_USER_PIN_COUNT_LOW;
    if (wrong + 1 == limit)
        flags |= CKF_USER_PIN_FINAL_TRY;
    if (wrong >= limit)
        flags |= CKF_USER_PIN_LOCKED;
    return flags;
}

CK_RV retry_look(const struct retry *retry, const CK_TOKEN_INFO *token, struct retry_state *state)
{
    struct counter_file file;
    struct error err = {0};
    char path[PATH_MAX];
    unsigned wrong;
    CK_RV rv;

    if (retry->limit == 0) {
        *state = (struct retry_state){.left = UINT_MAX};
        return CKR_OK;
    }
    rv = token_path(retry, token, path);
    if (rv != CKR_OK)
        return rv;
    if (counter_file_peek(path, &file, &err) != ERROR_NONE)
        return unreliable(error_text(&err));
    if (!numbers_can_be(file.numbers)) {
        rv = impossible_numbers(path);
    } else {
        wrong = tally_of(&file).wrong;
        state->wrong = wrong;
        state->left = wrong < retry->limit ? retry->limit - wrong : 0;
        state->flags = flags_of(wrong, retry->limit);
    }
    counter_file_close(&file);
    return rv;
}

/* ------------------------------------------------------------------ a try */

enum step { STEP_DONE, STEP_WAIT };

/* With the record locked. STEP_WAIT: whether there is a try left depends on one that is under way. */
static enum step write_try_down(const struct retry *retry, struct retry_try *attempt, CK_RV *rv)
{
    uint64_t *numbers = attempt->file.numbers;
    const struct tally tally = tally_of(&attempt->file);
    struct error err = {0};

    if (!numbers_can_be(numbers)) {
        *rv = impossible_numbers(attempt->file.path);
        return STEP_DONE;
    }
    if (tally.wrong >= retry->limit) {
        log_warning("%u wrong PINs: the token's PIN is locked until its security officer sets a new one through this "
                    "module (C_InitPIN)",
                    tally.wrong);
        *rv = CKR_PIN_LOCKED;
        return STEP_DONE;
    }
    if (tally.open >= retry->limit || numbers[OPEN] >> (OPEN_BITS - 1) != 0)
        return STEP_WAIT;
    numbers[LAST_TRY]++;
    numbers[OPEN] = numbers[OPEN] << 1 | 1;
    if (counter_file_save(&attempt->file, &err) != ERROR_NONE ||
        counter_file_hold(&attempt->file, numbers[LAST_TRY], &err) != ERROR_NONE)
        *rv = unreliable(error_text(&err));
    else
        attempt->number = numbers[LAST_TRY];
    return STEP_DONE;
}

CK_RV retry_begin(const struct retry *retry, const CK_TOKEN_INFO *token, struct retry_try *attempt)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    struct error err = {0};
    char path[PATH_MAX];
    CK_RV rv;

    attempt->number = 0;
    if (retry->limit == 0)
        return CKR_OK;
    rv = token_path(retry, token, path);
    for (int waited_ms = 0; rv == CKR_OK && waited_ms < WAIT_MS; waited_ms += PAUSE_MS) {
        enum step step;

        if (counter_file_open(path, &attempt->file, &err) != ERROR_NONE)
            return unreliable(error_text(&err));
        step = write_try_down(retry, attempt, &rv);
        if (attempt->number == 0)
            counter_file_close(&attempt->file);
        if (step == STEP_DONE)
            return rv;
        nanosleep(&pause, NULL);
    }
    if (rv == CKR_OK) {
        log_error("every try of the PIN that is left has been under way in other programs for ten seconds");
        rv = CKR_FUNCTION_FAILED;
    }
    return rv;
}

/* Numbers at the end that are no longer open are given again: nobody has them any more. */
static void drop_closed(uint64_t numbers[2])
{
    while (numbers[OPEN] != 0 && !(numbers[OPEN] & 1)) {
        numbers[OPEN] >>= 1;
        numbers[LAST_TRY]--;
    }
}

static void forgive(uint64_t numbers[2], uint64_t number, enum retry_verdict verdict)
{
    const uint64_t bit = numbers[LAST_TRY] - number;

    if (number > numbers[LAST_TRY] || bit >= OPEN_BITS)
        return; /* forgiven meanwhile, with those before it */
    if (verdict == RETRY_RIGHT)
        numbers[OPEN] &= (UINT64_C(1) << bit) - 1; /* what came after it stays */
    else
        numbers[OPEN] &= ~(UINT64_C(1) << bit);
    drop_closed(numbers);
}

void retry_end(struct retry_try *attempt, enum retry_verdict verdict)
{
    struct error err = {0};

    if (attempt->number == 0)
        return;
    if (verdict != RETRY_WRONG && counter_file_return(&attempt->file, &err) == ERROR_NONE) {
        forgive(attempt->file.numbers, attempt->number, verdict);
        (void)counter_file_save(&attempt->file, &err);
    }
    if (err.code != ERROR_NONE)
        log_error("%s The try that was just made stays counted as a wrong PIN.", error_text(&err));
    counter_file_close(&attempt->file);
    attempt->number = 0;
}

void retry_reset(const struct retry *retry, const CK_TOKEN_INFO *token)
{
    struct counter_file file;
    struct error err = {0};
    char path[PATH_MAX];

    if (retry->limit == 0 || token_path(retry, token, path) != CKR_OK)
        return;
    if (counter_file_peek(path, &file, &err) == ERROR_NONE && file.numbers[OPEN] != 0) {
        file.numbers[OPEN] = 0;
        (void)counter_file_save(&file, &err);
    }
    counter_file_close(&file);
    if (err.code != ERROR_NONE)
        unreliable(error_text(&err));
}
