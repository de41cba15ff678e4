/* output.c - buffered output to a terminal, a pipe or a file that is put in place when complete. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

/* -------------------------------------------------------------------- open */

/* The locale's name is all there is to go by: the command never calls setlocale, so that numbers
 * keep their points. */
static bool locale_has_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8") ||
                   strstr(value, "utf-8");
    }
    return false;
}

static bool wants_color(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void start(output *o, int fd)
{
    memset(o, 0, offsetof(output, buf));
    o->fd = fd;
    o->ascii = !locale_has_utf8();
}

void out_open(output *o, color_choice color)
{
    start(o, STDOUT_FILENO);
    o->terminal = isatty(STDOUT_FILENO);
    o->color = color == COLOR_ALWAYS || (color == COLOR_AUTO && o->terminal && wants_color());
}

/* A name beside the target that nobody has; the file gets the permissions it would have got. */
static bool open_beside(output *o)
{
    size_t size = strlen(o->target) + 32;

    o->temporary = malloc(size);
    o->fd = -1;
    if (!o->temporary) {
        errno = ENOMEM;
        return false;
    }
    for (int i = 0; o->fd < 0 && i < 100; i++) {
        snprintf(o->temporary, size, "%s.%ld-%d.tmp", o->target, (long)getpid(), i);
        o->fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (o->fd < 0 && errno != EEXIST)
            return false;
    }
    return o->fd >= 0;
}

static bool open_target(output *o, const char *path)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;

    /* Through symbolic links, so that they stay. */
    o->target = exists ? realpath(path, NULL) : strdup(path);
    if (!o->target)
        return false;
    if (exists && !S_ISREG(st.st_mode)) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
        return o->fd >= 0;
    }
    if (!open_beside(o))
        return false;
    return !exists || fchmod(o->fd, st.st_mode & 07777) == 0;
}

static void discard(output *o)
{
    if (o->temporary && o->fd >= 0)
        unlink(o->temporary);
    if (o->target && o->fd >= 0)
        close(o->fd);
    free(o->temporary);
    free(o->target);
}

bool out_open_file(output *o, const char *path)
{
    start(o, -1);
    o->ascii = false;
    if (open_target(o, path))
        return true;
    complain(path, "cannot write: %s", strerror(errno));
    discard(o);
    return false;
}

/* ------------------------------------------------------------------- write */

void out_flush(output *o)
{
    const char *p = o->buf;

    while (o->len > 0 && !o->error) {
        ssize_t n = write(o->fd, p, o->len);

        if (n < 0 && errno != EINTR)
            o->error = errno;
        if (n > 0) {
            p += n;
            o->len -= (size_t)n;
        }
    }
    o->len = 0;
}

void out_write(output *o, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0 && !o->error) {
        size_t n = sizeof o->buf - o->len;

        n = len < n ? len : n;
        memcpy(o->buf + o->len, p, n);
        o->len += n;
        p += n;
        len -= n;
        if (o->len == sizeof o->buf)
            out_flush(o);
    }
}

void out_text(output *o, const char *text)
{
    out_write(o, text, strlen(text));
}

void out_format(output *o, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    out_text(o, text);
}

static bool sink_write(void *ctx, const void *data, size_t len)
{
    output *o = ctx;

    out_write(o, data, len);
    return !o->error;
}

pickle_sink out_sink(output *o)
{
    return (pickle_sink){ sink_write, o };
}

void out_style(output *o, style s)
{
    if (o->color)
        out_format(o, "\033[%dm", s);
}

void out_plain(output *o)
{
    if (o->color)
        out_text(o, "\033[m");
}

void out_size(output *o, uint64_t size)
{
    static const char units[] = "kMGTPE";
    double scaled = (double)size / 1000;
    int unit = 0;

    if (size < 1000) {
        out_format(o, "%d byte%s", (int)size, size == 1 ? "" : "s");
        return;
    }
    /* 999.95 is shown as 1000.0 otherwise. */
    while (scaled >= 999.95) {
        scaled /= 1000;
        unit++;
    }
    out_format(o, "%.1f %cB", scaled, units[unit]);
}

/* ------------------------------------------------------------------- close */

static void close_file(output *o, bool keep)
{
    if (close(o->fd) != 0 && !o->error)
        o->error = errno;
    if (!o->temporary)
        return;
    if (keep && !o->error && rename(o->temporary, o->target) == 0)
        return;
    if (keep && !o->error)
        o->error = errno;
    unlink(o->temporary);
}

int out_close(output *o, bool keep)
{
    out_flush(o);
    if (o->target)
        close_file(o, keep);
    if (o->error && o->error != EPIPE)
        complain(o->target ? o->target : "standard output", "cannot write: %s", strerror(o->error));
    free(o->target);
    free(o->temporary);
    return o->error && o->error != EPIPE ? EXIT_TROUBLE : EXIT_DONE;
}

/* ------------------------------------------------------------------ errors */

/* Standard error, whatever is pending on standard output. */
static void start_complaint(output *o, const char *file)
{
    start(o, STDERR_FILENO);
    out_text(o, "pickle: ");
    if (file) {
        out_escaped(o, file, strlen(file));
        out_text(o, ": ");
    }
}

static void end_complaint(output *o)
{
    out_text(o, "\n");
    out_flush(o);
}

void complain(const char *file, const char *format, ...)
{
    char text[1024];
    output o;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    start_complaint(&o, file);
    out_escaped(&o, text, strlen(text));
    end_complaint(&o);
}

/* Is the error about a place in the input? */
static bool has_place(const pickle_error *err)
{
    return err->code >= PICKLE_ERR_TRUNCATED && err->code < PICKLE_ERR_TYPE;
}

void complain_error(const char *file, const pickle_error *err)
{
    output o;

    start_complaint(&o, file);
    if (has_place(err))
        out_format(&o, "byte %" PRIu64 ": ", err->offset);
    out_escaped(&o, err->message, strlen(err->message));
    end_complaint(&o);
}
