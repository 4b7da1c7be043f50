#include <string.h>

#include "fuzz/module_token_internal.h"

/* What must hold of the private keys on the token after every call. */

static bool is_on(struct token_object *object, CK_ATTRIBUTE_TYPE type)
{
    return *token_flag(object, type) != CK_FALSE;
}

/* What protects a key only ever grows, and what it is for stays. */
static void check_settled(const struct token_object *object)
{
    for (size_t i = 0; i < TOKEN_FLAGS; i++) {
        const bool was = object->before[i] != CK_FALSE, is = object->flags[i] != CK_FALSE;

        switch (token_flag_types[i]) {
        case CKA_PRIVATE:
        case CKA_SENSITIVE:
        case CKA_ALWAYS_AUTHENTICATE:
        case CKA_WRAP_WITH_TRUSTED:
            fuzz_require(is || !was, "what protects a private key is not taken from it");
            break;
        case CKA_EXTRACTABLE:
        case CKA_TRUSTED:
            fuzz_require(was || !is, "what would weaken a private key is not given to it");
            break;
        case CKA_TOKEN:
        case CKA_MODIFIABLE:
        case CKA_LOCAL:
        case CKA_ALWAYS_SENSITIVE:
        case CKA_NEVER_EXTRACTABLE:
            break;
        default:
            fuzz_require(is == was, "a private key keeps its roles");
        }
    }
}

static enum judge_level level_of(struct token_object *object)
{
    return judge_level(object->label, is_on(object, CKA_ALWAYS_AUTHENTICATE));
}

static void check_born(struct token_object *object)
{
    const bool high = judge_level(object->label, false) == JUDGE_HIGH;

    fuzz_require(is_on(object, CKA_PRIVATE) && is_on(object, CKA_SENSITIVE), "a private key is born private and sensitive");
    fuzz_require(object->may_leave || !is_on(object, CKA_EXTRACTABLE), "no private key is born that can leave unasked");
    fuzz_require(!high || object->copy_of || (token_habits & TOKEN_LACKS_GUARD) || is_on(object, CKA_ALWAYS_AUTHENTICATE),
                 "a private key of level high is born guarded");
}

void token_check(void)
{
    for (size_t i = 1; i <= TOKEN_OBJECTS; i++) {
        struct token_object *object = &token_objects[i];

        if (!object->exists)
            continue;
        if (object->object_class == CKO_PRIVATE_KEY) {
            if (object->settled || object->copy_of) {
                check_settled(object);
                fuzz_require(level_of(object) <= object->level_before, "a private key's level is not lowered");
            }
            if (!object->settled && object->born_in)
                check_born(object);
        }
        memcpy(object->before, object->flags, sizeof object->before);
        object->level_before = level_of(object);
        object->settled = true;
    }
}
