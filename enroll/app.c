#include "enroll/app.h"

#include <stdlib.h>
#include <string.h>


#include "common/i18n.h"
#include "common/log.h"
#include "common/secret.h"
#include "enroll/file.h"

static enum error_code app_check_portal(const struct config *config, struct error *err)
{
    const char *file = config->file;

    if (!file) {
        return error_set(err, ERROR_CONFIG,
                         _("There is no configuration file yet: pinward help configuration shows what to write "
                           "into which."));
    }
    if (!config->portal.url || strncmp(config->portal.url, "https://", 8) != 0) {
        return error_set(err, ERROR_CONFIG,
                         _("The portal's address is missing: set url = https://... in [portal] of %s."),
                         file);
    }
    if (!config->portal.ca_file) {
        return error_set(
            err, ERROR_CONFIG,
            _("The portal's CA is missing: set ca-file in [portal] of %s to the PEM file of its root."),
            file);
    }
    return ERROR_NONE;
}

enum error_code app_init(struct app *app, const struct app_options *options, bool portal, struct error *err)
{
    struct app made = {.options = *options};
    struct error log_err = {0};
    enum error_code status;

    if (!secret_ready()) {
        return error_set(err, ERROR_INTERNAL, _("The system gives no random numbers."));
    }
    status = config_load(&made.config, err);
    if (status != ERROR_NONE) {
        return status;
    }
    if (portal) {
        status = app_check_portal(&made.config, err);
    }
    if (status == ERROR_NONE) {
        status = file_state_folder(&made.state_folder, err);
    }
    if (status != ERROR_NONE) {
        app_clear(&made);
        return status;
    }
    (void)log_open(&made.config, &log_err); /* without a log the work goes on */
    *app = made;
    return ERROR_NONE;
}

void app_clear(struct app *app)
{
    log_close();
    free(app->state_folder);
    app->state_folder = NULL;
    config_clear(&app->config);
}
