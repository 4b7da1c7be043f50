/* Making a portal, choosing its key profile, and publishing terms. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin.h"
#include "ca_create.h"
#include "key_profile.h"
#include "store_terms.h"

#define TERMS_MAX (64 * 1024)

static bool publish(struct store *store, const char *version, const char *english, const char *chinese,
                    bool *is_new)
{
    enum store_result result;

    if (!store_begin(store))
        return false;
    result = terms_publish(store, version, english, chinese);
    *is_new = result == STORE_ROW;
    if (result != STORE_ROW)
        return result == STORE_DONE;
    return store_commit(store);
}

static enum error_code find_profile(const char *name, const struct key_profile **profile, struct error *err)
{
    const struct key_profile *found = key_profile_named(name);

    if (found == NULL)
        return error_set(err, ERROR_USAGE, "There is no key profile %s; choose one of %s.", name, key_profile_names);
    *profile = found;
    return ERROR_NONE;
}

static bool choose_profile(struct store *store, const struct key_profile *profile)
{
    return store_begin(store) && key_profile_choose(store, profile) && store_commit(store);
}

enum error_code admin_key_profile(struct admin *admin, int argc, char **argv, struct error *err)
{
    enum error_code status = admin_options(argc, argv, NULL, 0, 1, err);
    const struct key_profile *profile = NULL;

    if (status == ERROR_NONE)
        status = find_profile(argv[1], &profile, err);
    if (status != ERROR_NONE)
        return status;
    if (!choose_profile(admin->store, profile))
        return admin_store_error(admin, err);
    printf("New applications are for keys of the profile %s.\n", profile->name);
    return ERROR_NONE;
}

enum error_code admin_init(struct admin *admin, int argc, char **argv, struct error *err)
{
    struct ca_names names = {
        .country = "TW", .organization = "Pinward Reference", .name = "Pinward Reference"};
    const char *profile_name = "rsa-2048";
    const struct admin_option options[] = {
        {"country", &names.country, NULL},
        {"organization", &names.organization, NULL},
        {"name", &names.name, NULL},
        {"key-profile", &profile_name, NULL},
    };
    enum error_code status = admin_options(argc, argv, options, sizeof(options) / sizeof(options[0]), 0, err);
    const struct key_profile *profile = NULL;
    bool is_new = false;

    if (status == ERROR_NONE)
        status = find_profile(profile_name, &profile, err);
    if (status != ERROR_NONE)
        return status;
    if (mkdir(admin->data_dir, 0700) != 0 && errno != EEXIST)
        return error_set(err, ERROR_IO, "The folder %s cannot be made; choose another place.",
                         admin->data_dir);
    status = ca_create(admin->data_dir, &names, admin->now_s, err);
    if (status == ERROR_NONE)
        status = store_create(admin->data_dir, &admin->store, err);
    if (status != ERROR_NONE)
        return status;
    if (!choose_profile(admin->store, profile) ||
        !publish(admin->store, terms_first_version, terms_first_english, terms_first_chinese, &is_new))
        return admin_store_error(admin, err);
    printf("The portal is made in %s; applicants trust %s/root.pem.\n", admin->data_dir, admin->data_dir);
    return ERROR_NONE;
}

static char *read_text(const char *path)
{
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    char *text = calloc(1, TERMS_MAX + 1);
    size_t len = 0;

    if (file != NULL && text != NULL)
        len = fread(text, 1, TERMS_MAX, file);
    if (file != NULL)
        fclose(file);
    if (len > 0 && len < TERMS_MAX && strlen(text) == len)
        return text;
    free(text);
    return NULL;
}

enum error_code admin_publish_terms(struct admin *admin, int argc, char **argv, struct error *err)
{
    const char *version = NULL, *english_path = NULL, *chinese_path = NULL;
    const struct admin_option options[] = {
        {"version", &version, NULL},
        {"english", &english_path, NULL},
        {"chinese", &chinese_path, NULL},
    };
    enum error_code status = admin_options(argc, argv, options, sizeof(options) / sizeof(options[0]), 0, err);
    char *english = NULL, *chinese = NULL;
    bool is_new = false;

    if (status != ERROR_NONE)
        return status;
    english = read_text(english_path);
    chinese = read_text(chinese_path);
    if (english == NULL || chinese == NULL || version == NULL || version[0] == '\0' ||
        strlen(version) >= TERMS_VERSION_SIZE)
        status = error_set(err, ERROR_USAGE,
                           "A version of 1 to 32 bytes and two files of text are needed; see --help.");
    else if (!publish(admin->store, version, english, chinese, &is_new))
        status = admin_store_error(admin, err);
    else if (!is_new)
        status = error_set(err, ERROR_STATE, "Version %s of the terms exists already; give a new version.",
                           version);
    else
        printf("Version %s of the terms is the current one.\n", version);
    free(english);
    free(chinese);
    return status;
}
