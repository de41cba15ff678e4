/* output.c - buffered output to a terminal, a pipe or a file that is put in place when complete. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

bool out_open_file(output *o, const char *path)
{
    pickle_error err;

    start(o, -1);
    o->ascii = false;
    o->target = path;
    o->file = pickle_file_open(path, NULL, &err);
    if (!o->file)
        complain_error(path, &err);
    return o->file != NULL;
}

/* ------------------------------------------------------------------- write */

void out_flush(output *o)
{
    pickle_sink sink = o->file ? pickle_file_sink(o->file) : pickle_sink_fd(&o->fd);

    if (!o->error && !sink.write(sink.ctx, o->buf, o->len))
        o->error = errno;
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

int out_close(output *o, bool keep)
{
    pickle_error err = { .sys = 0 };

    out_flush(o);
    if (o->file && keep && !pickle_file_commit(o->file, &err))
        o->error = err.sys;
    else if (!keep)
        pickle_file_discard(o->file);
    if (!o->error || o->error == EPIPE)
        return EXIT_DONE;
    complain(o->target ? o->target : "standard output", "cannot write: %s", strerror(o->error));
    return EXIT_TROUBLE;
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
