/* io.c - readers over memory and descriptors, and the window that slides over a reader. */
#include "base/io.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

/* Fits the second-level cache, and hides the cost of a system call. */
#define WINDOW ((size_t)128 << 10)

/* ---------------------------------------------------------- memory reader */

typedef struct memory_reader {
    pickle__reader reader;
    const unsigned char *at, *end;
    const pickle_alloc *alloc;
} memory_reader;

static pickle_status memory_read(pickle__reader *r, void *dst, size_t size, size_t *got,
                                 pickle_error *err)
{
    memory_reader *m = (memory_reader *)r;
    size_t left = (size_t)(m->end - m->at);

    (void)err;
    *got = size < left ? size : left;
    memcpy(dst, m->at, *got);
    m->at += *got;
    return PICKLE_OK;
}

static void memory_close(pickle__reader *r)
{
    memory_reader *m = (memory_reader *)r;

    pickle__free(m->alloc, m, sizeof *m);
}

pickle__reader *pickle__memory_reader(const void *data, size_t size, const pickle_alloc *alloc)
{
    memory_reader *m = pickle__alloc(alloc, sizeof *m);

    if (!m)
        return NULL;
    m->reader = (pickle__reader){ memory_read, memory_close };
    m->at = size > 0 ? data : "";
    m->end = m->at + size;
    m->alloc = alloc;
    return &m->reader;
}

/* ------------------------------------------------------ descriptor reader */

typedef struct fd_reader {
    pickle__reader reader;
    int fd;
    uint64_t offset;
    const pickle_alloc *alloc;
} fd_reader;

static pickle_status fd_read(pickle__reader *r, void *dst, size_t size, size_t *got,
                             pickle_error *err)
{
    fd_reader *f = (fd_reader *)r;
    ssize_t n;

    /* Some systems refuse more than INT_MAX at once. */
    if (size > 1u << 30)
        size = 1u << 30;
    do {
        n = read(f->fd, dst, size);
    } while (n < 0 && errno == EINTR);
    *got = n > 0 ? (size_t)n : 0;
    if (n < 0) {
        pickle__io_error(err, f->offset, "cannot read");
        return PICKLE_ERR_IO;
    }
    f->offset += *got;
    return PICKLE_OK;
}

static void fd_close(pickle__reader *r)
{
    fd_reader *f = (fd_reader *)r;

    pickle__free(f->alloc, f, sizeof *f);
}

pickle__reader *pickle__fd_reader(int fd, const pickle_alloc *alloc)
{
    fd_reader *f = pickle__alloc(alloc, sizeof *f);

    if (!f)
        return NULL;
    f->reader = (pickle__reader){ fd_read, fd_close };
    f->fd = fd;
    f->offset = 0;
    f->alloc = alloc;
    return &f->reader;
}

bool pickle__fd_read(int fd, void *dst, size_t size, size_t *got, pickle_error *err)
{
    fd_reader f = { .fd = fd };
    size_t n = 1;

    for (*got = 0; *got < size && n > 0; *got += n)
        if (fd_read(&f.reader, (char *)dst + *got, size - *got, &n, err) != PICKLE_OK)
            return false;
    return true;
}

/* ----------------------------------------------------------------- source */

/* All but the error, which is large, and only looked at when `status` says so. */
static void clear(pickle__source *s)
{
    memset(s, 0, offsetof(pickle__source, error));
}

void pickle__source_memory(pickle__source *s, const void *data, size_t size, bool stable)
{
    clear(s);
    s->at = size > 0 ? data : "";
    s->end = s->at + size;
    s->base = size;
    s->stable = stable;
    s->ended = true;
}

bool pickle__source_reader(pickle__source *s, pickle__reader *reader, uint64_t limit,
                           const pickle_alloc *alloc)
{
    clear(s);
    s->alloc = alloc;
    s->read_limit = limit;
    s->buffer = pickle__alloc(alloc, WINDOW);
    if (!s->buffer) {
        pickle__close(reader);
        return false;
    }
    s->reader = reader;
    s->size = WINDOW;
    s->at = s->end = s->buffer;
    return true;
}

void pickle__source_close(pickle__source *s)
{
    pickle__close(s->reader);
    pickle__free(s->alloc, s->buffer, s->size);
    clear(s);
}

/* Read some bytes to `dst` and count them; 0 at the end, and when reading failed. */
static size_t read_some(pickle__source *s, void *dst, size_t size)
{
    uint64_t quota = s->read_limit - s->base;
    size_t got = 0;

    if (s->ended || s->status != PICKLE_OK)
        return 0;
    /* One byte more than allowed, to tell the end at the limit from a stream that goes on. */
    if (quota < size)
        size = (size_t)quota + 1;
    s->status = pickle__read(s->reader, dst, size, &got, &s->error);
    if (s->status != PICKLE_OK)
        return 0;
    if (got > quota) {
        s->status = PICKLE_ERR_LIMIT;
        pickle__fail(&s->error, PICKLE_ERR_LIMIT, s->read_limit,
                     "input is longer than limits.inflated_bytes, %" PRIu64, s->read_limit);
        return 0;
    }
    s->ended = got == 0;
    s->base += got;
    return got;
}

/* Another size for the buffer, not less than what it holds. */
static bool resize(pickle__source *s, size_t size)
{
    size_t at = (size_t)(s->at - s->buffer), end = (size_t)(s->end - s->buffer);
    unsigned char *buffer = pickle__realloc(s->alloc, s->buffer, s->size, size);

    if (!buffer) {
        s->status = PICKLE_ERR_NOMEM;
        return pickle__no_memory(&s->error, s->base);
    }
    s->buffer = buffer;
    s->size = size;
    s->at = buffer + at;
    s->end = buffer + end;
    return true;
}

bool pickle__source_refill(pickle__source *s, size_t n)
{
    size_t left = pickle__source_left(s);

    if (!s->reader)
        return left >= n;
    if (left > 0 && s->at != s->buffer)
        memmove(s->buffer, s->at, left);
    s->at = s->buffer;
    s->end = s->buffer + left;
    while (left < n) {
        size_t got;

        /* Twice as large: it is full, so it never holds more than twice what was read. */
        if (left == s->size && !resize(s, s->size > SIZE_MAX / 2 ? SIZE_MAX : s->size * 2))
            return false;
        got = read_some(s, s->buffer + left, s->size - left);
        if (got == 0)
            return false;
        left += got;
        s->end = s->buffer + left;
    }
    return true;
}

void pickle__source_settle(pickle__source *s, size_t most)
{
    if (!s->reader || (most > s->size && !resize(s, most)))
        return;
    if (pickle__source_refill(s, s->size) || s->status != PICKLE_OK)
        return;
    pickle__close(s->reader);
    s->reader = NULL;
    s->stable = true;
    if (s->end > s->buffer)
        resize(s, (size_t)(s->end - s->buffer));
}

/* What the window has, up to `n` bytes. */
static size_t take(pickle__source *s, unsigned char *dst, size_t n)
{
    size_t left = pickle__source_left(s);

    if (n > left)
        n = left;
    memcpy(dst, s->at, n);
    s->at += n;
    return n;
}

bool pickle__source_copy(pickle__source *s, void *dst, size_t n)
{
    unsigned char *at = dst;

    if (!s->reader && pickle__source_left(s) < n)
        return false;
    for (;;) {
        size_t got = take(s, at, n);

        at += got;
        n -= got;
        if (n == 0)
            return true;
        if (n < s->size) {
            if (!pickle__source_refill(s, n))
                return false;
        } else {
            got = read_some(s, at, n);
            if (got == 0)
                return false;
            at += got;
            n -= got;
        }
    }
}
