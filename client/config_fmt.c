#include "base/cleanup.h"
#include "client/config.h"
#include "client/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

/* Lays configurations out anew: the compiler knows how, and this replaces the files. */

typedef Eos__Config__V1__CompileResponse compile_response;

static bool write_all(int fd, const char *text, struct error *err)
{
    for (size_t len = strlen(text); len > 0;) {
        ssize_t written = write(fd, text, len);
        if (written < 0)
            return error_set_errno(err, errno, "could not write the new text");
        text += written;
        len -= (size_t)written;
    }
    return true;
}

static bool fill(int fd, const char *text, mode_t mode, struct error *err)
{
    if (!write_all(fd, text, err))
        return false;
    if (fchmod(fd, mode) != 0 || fsync(fd) != 0)
        return error_set_errno(err, errno, "could not write the new text");
    return true;
}

/* The file is either as it was or as it shall be, whenever the machine stops; a link goes on leading to
 * it. */
static bool replace(const char *path, const char *text, struct error *err)
{
    char real[PATH_MAX], temporary[PATH_MAX + 16];
    struct stat info;
    if (!realpath(path, real) || stat(real, &info) != 0)
        return error_set_errno(err, errno, "could not find \"%.120s\"", path);
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", real);
    cleanup_close int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not replace \"%.120s\"", path);
    bool is_done = fill(fd, text, info.st_mode & 07777, err);
    if (is_done && rename(temporary, real) != 0)
        is_done = error_set_errno(err, errno, "could not replace \"%.120s\"", path);
    if (!is_done)
        unlink(temporary);
    return is_done;
}

static enum exit_status run(const struct invocation *invocation, const char *path,
                            struct source *source, compile_response **ret_response)
{
    struct error err;
    if (!source_init(source, invocation->arena, invocation->flags, NULL, &err))
        return output_complain(STATUS_SYNTAX, &err);
    source->request.format = true;
    if (!source_read(source, path, &err) || !compiler_run_local(source, ret_response, &err))
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    return compiler_report(*ret_response) ? STATUS_INVALID_CONFIGURATION : STATUS_OK;
}

static bool is_changed(const struct source *source, const char *formatted)
{
    const ProtobufCBinaryData *content = &source->request.files[0]->content;
    return !slice_equal((struct slice){ (const char *)content->data, content->len },
                        slice_of(formatted));
}

/* One file; adds its name to `out` when it is not laid out, or the new text when it came from stdin. */
static enum exit_status format_file(const struct invocation *invocation, const char *path,
                                    struct text *out)
{
    struct source source;
    compile_response *response;
    struct error err;
    bool is_stdin = strcmp(path, "-") == 0, is_check = invocation->flags->check;
    enum exit_status status = run(invocation, path, &source, &response);
    if (status != STATUS_OK)
        return status;
    if (is_stdin && !is_check) {
        text_add(out, response->formatted);
        return STATUS_OK;
    }
    if (!is_changed(&source, response->formatted))
        return STATUS_OK;
    output_add_printable(out, path);
    text_add_char(out, '\n');
    if (is_check)
        return STATUS_COMMAND_FAILURE;
    return replace(path, response->formatted, &err) ? STATUS_OK
                                                    : output_complain(STATUS_FATAL, &err);
}

/* A file that does not parse stays as it is, and the others are laid out all the same. */
enum exit_status config_fmt(const struct invocation *invocation)
{
    cleanup_text struct text out = TEXT_INIT;
    enum exit_status worst = STATUS_OK;
    for (int i = 0; i < invocation->argument_count; i++) {
        enum exit_status status = format_file(invocation, invocation->arguments[i], &out);
        if (status != STATUS_OK && (worst == STATUS_OK || worst == STATUS_COMMAND_FAILURE))
            worst = status;
    }
    enum exit_status status = output_print(&out);
    return worst != STATUS_OK ? worst : status;
}
