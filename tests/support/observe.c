#include "support/observe.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/backend_direct.h"
#include "support/keys.h"
#include "support/pinentry_script.h"
#include "support/test.h"
#include "support/use.h"

const char *observe_level(struct fixture *fx, CK_SESSION_HANDLE session, const char *label)
{
    struct use_result signature;
    const char *level = NULL;
    char *questions;
    CK_RV rv;

    script_set(fx, "");
    rv = use_sign(fx, session, key_private(fx->p11, session, label), &signature);
    questions = script_questions(fx);
    if (rv == CKR_OK && questions[0] == '\0')
        level = "low";
    else if (rv == CKR_FUNCTION_REJECTED && strstr(questions, "CONFIRM\n") && !strstr(questions, "GETPIN\n"))
        level = "medium";
    else if (rv == CKR_FUNCTION_CANCELED && strstr(questions, "GETPIN\n"))
        level = "high";
    else
        fail_msg("C_Sign with \"%s\": 0x%lx, and asked was: %s", label, rv, questions);
    if (rv == CKR_OK)
        assert_true(use_signature_is_good(fx, label, &signature));
    else
        assert_true(use_result_is_untouched(&signature));
    free(questions);
    return level;
}

static void token_names(char label[33], char serial[17])
{
    struct backend_direct direct;
    CK_TOKEN_INFO info;

    backend_direct_open(&direct);
    assert_ok(direct.p11->C_GetTokenInfo(backend_slot(direct.p11, CK_TRUE), &info));
    backend_direct_close(&direct);
    snprintf(label, 33, "%.32s", (const char *)info.label);
    label[strlen(FIXTURE_TOKEN)] = '\0';
    snprintf(serial, 17, "%.16s", (const char *)info.serialNumber);
    serial[strcspn(serial, " ")] = '\0';
}

char *observe_fill_in(const char *text)
{
    static const char *const marks[] = {"{self}", "{token}", "{serial}"};
    static char self[PATH_MAX], label[33], serial[17];
    const char *const values[] = {self, label, serial};
    char *filled = calloc(1, strlen(text) + 4 * sizeof self);

    if (!self[0]) {
        assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
        token_names(label, serial);
    }
    while (*text) {
        size_t i = 0;

        while (i < 3 && strncmp(text, marks[i], strlen(marks[i])) != 0)
            i++;
        if (i < 3)
            strcat(filled, values[i]);
        else
            strncat(filled, text, 1);
        text += i < 3 ? strlen(marks[i]) : 1;
    }
    return filled;
}
