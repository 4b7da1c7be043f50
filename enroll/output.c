#include "enroll/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "enroll/text.h"

/* A run that is interrupted may be ended, and its document written, by another thread than the verb's. */
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;

enum error_code output_begin(struct output *output, struct error *err)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (!stream || fflush(stdout) != 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        error_set(err, ERROR_IO, _("The standard output cannot be used (%s)."), strerror(errno));
        if (stream) {
            fclose(stream);
        } else if (fd >= 0) {
            close(fd);
        }
        return ERROR_IO;
    }
    output->stream = stream;
    return ERROR_NONE;
}

static void output_note_locked(struct output *output, const char *name, json_t *value)
{
    if (output->stream && !output->document) {
        output->document = json_object();
    }
    if (!output->stream || !output->document) {
        json_decref(value);
        return;
    }
    (void)json_object_set_new(output->document, name, value);
}

void output_note(struct output *output, const char *name, json_t *value)
{
    pthread_mutex_lock(&output_lock);
    output_note_locked(output, name, value);
    pthread_mutex_unlock(&output_lock);
}

json_t *output_text(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();
    char *clean = json ? NULL : text_clean(text, false);

    if (clean) {
        json = json_string(clean);
    }
    free(clean);
    return json;
}

void output_set(struct output *output, json_t *document)
{
    const char *name;
    json_t *value;

    json_object_foreach(document, name, value)
    {
        output_note(output, name, json_incref(value));
    }
    json_decref(document);
}

FILE *output_stream(struct output *output)
{
    output->written = true;
    return output->stream ? output->stream : stdout;
}

/* JSON holds UTF-8 only, and what reads it may show it. */
static json_t *output_error(const struct error *err)
{
    char *clean = text_clean(error_text(err), false);
    json_t *json = json_pack("{s:s, s:i, s:s}", "name", error_name(err->code), "exit_status",
                             error_exit_code(err->code), "message", clean ? clean : error_name(err->code));

    free(clean);
    return json;
}

static bool output_end_locked(struct output *output, const char *verb, const struct error *err)
{
    bool ok = true;

    if (!output->stream) {
        return true;
    }
    if (!output->written) {
        output_note_locked(output, "verb", json_string(verb));
        output_note_locked(output, "error", err->code == ERROR_NONE ? json_null() : output_error(err));
        ok = output->document &&
             json_dumpf(output->document, output->stream, JSON_INDENT(2) | JSON_SORT_KEYS) == 0 &&
             fputc('\n', output->stream) != EOF;
    }
    ok = fclose(output->stream) == 0 && ok;
    json_decref(output->document);
    *output = (struct output){0};
    return ok;
}

bool output_end(struct output *output, const char *verb, const struct error *err)
{
    bool ok;

    pthread_mutex_lock(&output_lock);
    ok = output_end_locked(output, verb, err);
    pthread_mutex_unlock(&output_lock);
    return ok;
}
