#include "enroll/captcha_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "enroll/command.h"
#include "enroll/file.h"

#define CAPTCHA_END_MS 2000

enum error_code captcha_command_run(const char *program, const char *folder, const struct bytes *png,
                                    unsigned timeout_s, char **text, struct error *err)
{
    char line[COMMAND_LINE_MAX] = "";
    char *path = file_join(folder, "captcha.png");
    char *argv[] = {(char *)program, path, NULL};
    struct command_run run;
    enum error_code status;
    ssize_t len;

    if (!path) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = file_write_private(path, png->data, png->len, err);
    if (status != ERROR_NONE) {
        goto out;
    }
    if (!command_start(argv, false, &run)) {
        status = error_set(err, ERROR_CONFIG,
                           _("The captcha-command %s cannot be run (%s): correct it in [portal]."), program,
                           strerror(errno));
        goto out;
    }
    len = command_read_line(&run, timeout_s, line);
    command_end(&run, len > 0 ? CAPTCHA_END_MS : 0);
    if (len <= 0) {
        status = error_set(err, ERROR_CANCELLED,
                           _("The captcha-command %s gave no text, so nothing was done."), program);
        goto out;
    }
    *text = strdup(line);
    status = *text ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
out:
    unlink(path);
    free(path);
    return status;
}
