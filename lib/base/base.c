/* base.c - errors, escaped bytes for messages, growable memory, byte sinks. */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* ------------------------------------------------------------------ errors */

const char *pickle_status_name(pickle_status code)
{
#define NAME(status) \
    case status:     \
        return #status
    switch (code) {
        NAME(PICKLE_OK);
        NAME(PICKLE_END);
        NAME(PICKLE_MORE);
        NAME(PICKLE_ERR_ARG);
        NAME(PICKLE_ERR_NOMEM);
        NAME(PICKLE_ERR_IO);
        NAME(PICKLE_ERR_CANCELED);
        NAME(PICKLE_ERR_TRUNCATED);
        NAME(PICKLE_ERR_OPCODE);
        NAME(PICKLE_ERR_OPERAND);
        NAME(PICKLE_ERR_STACK);
        NAME(PICKLE_ERR_MEMO);
        NAME(PICKLE_ERR_VALUE);
        NAME(PICKLE_ERR_LIMIT);
        NAME(PICKLE_ERR_DENIED);
        NAME(PICKLE_ERR_CODEC);
        NAME(PICKLE_ERR_UNSUPPORTED);
        NAME(PICKLE_ERR_TYPE);
        NAME(PICKLE_ERR_MISSING);
        NAME(PICKLE_ERR_RANGE);
    }
#undef NAME
    return "PICKLE_ERR_UNKNOWN";
}

bool pickle__vfail(pickle_error *err, pickle_status code, uint64_t offset, const char *format,
                   va_list args)
{
    if (err) {
        err->code = code;
        err->sys = 0;
        err->offset = offset;
        err->opcode = 0;
        vsnprintf(err->message, sizeof err->message, format, args);
    }
    return false;
}

bool pickle__fail(pickle_error *err, pickle_status code, uint64_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    pickle__vfail(err, code, offset, format, args);
    va_end(args);
    return false;
}

bool pickle__no_memory(pickle_error *err, uint64_t offset)
{
    return pickle__fail(err, PICKLE_ERR_NOMEM, offset, "out of memory");
}

/* Writes one byte as it appears in a message to `dst`, which has room for 4; returns the length. */
static size_t escape_byte(char *dst, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    if (c == '\\') {
        memcpy(dst, "\\\\", 2);
        return 2;
    }
    if (c >= 0x20 && c < 0x7f) {
        *dst = (char)c;
        return 1;
    }
    dst[0] = '\\';
    dst[1] = 'x';
    dst[2] = hex[c >> 4];
    dst[3] = hex[c & 15];
    return 4;
}

bool pickle__io_error(pickle_error *err, uint64_t offset, const char *what)
{
    int number = errno;

    pickle__fail(err, PICKLE_ERR_IO, offset, "%s: %s", what, strerror(number));
    if (err)
        err->sys = number;
    return false;
}

const char *pickle__escape(char *dst, size_t size, const void *bytes, size_t len)
{
    static const char dots[] = "...";
    const unsigned char *src = bytes;
    size_t n = 0, cut = 0; /* written, and where the dots would go */

    if (size == 0)
        return dst;
    for (size_t i = 0; i < len; i++) {
        char piece[4];
        size_t width = escape_byte(piece, src[i]);

        if (width >= size - n) {
            size_t room = size - 1 - cut;

            n = cut + (room < 3 ? room : 3);
            memcpy(dst + cut, dots, n - cut);
            break;
        }
        memcpy(dst + n, piece, width);
        n += width;
        if (size - n > 3)
            cut = n;
    }
    dst[n] = '\0';
    return dst;
}

/* --------------------------------------------------------- growable memory */

bool pickle__buf_reserve(pickle_buf *buf, size_t more)
{
    size_t need, cap = buf->cap < 128 ? 128 : buf->cap;
    void *data;

    if (more <= buf->cap - buf->len)
        return true;
    if (!pickle__add(buf->len, more, &need))
        return false;
    if (cap <= SIZE_MAX / 2)
        cap *= 2;
    if (cap < need)
        cap = need;
    data = pickle__realloc(buf->alloc, buf->data, buf->cap, cap);
    if (!data)
        return false;
    buf->data = data;
    buf->cap = cap;
    return true;
}

bool pickle__buf_add(pickle_buf *buf, const void *data, size_t len)
{
    if (!pickle__buf_reserve(buf, len))
        return false;
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return true;
}

void pickle_buf_free(pickle_buf *buf)
{
    if (!buf)
        return;
    pickle__free(buf->alloc, buf->data, buf->cap);
    buf->data = NULL;
    buf->len = buf->cap = 0;
}

/* ------------------------------------------------------------------- sinks */

static bool write_buf(void *ctx, const void *data, size_t len)
{
    return pickle__buf_add(ctx, data, len);
}

pickle_sink pickle_sink_buf(pickle_buf *buf)
{
    return (pickle_sink){ write_buf, buf };
}

bool pickle__sink_is_buf(pickle_sink out)
{
    return out.write == write_buf;
}

static bool write_fd(void *ctx, const void *data, size_t len)
{
    const int *fd = ctx;
    const unsigned char *at = data;

    while (len > 0) {
        /* Some systems refuse more than INT_MAX at once. */
        ssize_t n = write(*fd, at, len < 1u << 30 ? len : 1u << 30);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

pickle_sink pickle_sink_fd(int *fd)
{
    return (pickle_sink){ write_fd, fd };
}
