/*
 * io.h - where bytes come from and go to: a reader is a stream of bytes, a
 * source is a window onto memory or onto a reader, a writer takes bytes.
 */
#ifndef PICKLE__IO_H
#define PICKLE__IO_H

#include "base/base.h"

/*
 * A stream of bytes. read() fills up to `size` bytes of `dst` and sets *got;
 * PICKLE_OK with *got == 0 is the end, and only when everything (checksums,
 * trailers) was found to be right. Errors fill `err`. close() frees it all,
 * the reader below it included.
 */
typedef struct pickle__reader pickle__reader;
struct pickle__reader {
    pickle_status (*read)(pickle__reader *r, void *dst, size_t size, size_t *got,
                          pickle_error *err);
    void (*close)(pickle__reader *r);
};

static inline pickle_status pickle__read(pickle__reader *r, void *dst, size_t size, size_t *got,
                                         pickle_error *err)
{
    return r->read(r, dst, size, got, err);
}

static inline void pickle__close(pickle__reader *r)
{
    if (r)
        r->close(r);
}

/* Readers over memory and over a descriptor (which stays open). NULL: no memory. */
pickle__reader *pickle__memory_reader(const void *data, size_t size, const pickle_alloc *alloc);
pickle__reader *pickle__fd_reader(int fd, const pickle_alloc *alloc);

/* Up to `size` bytes of a file, less where it ends: *got. False: reading failed. */
bool pickle__fd_read(int fd, void *dst, size_t size, size_t *got, pickle_error *err);

/*
 * A stream that takes bytes. write() takes them all. finish() comes last: then
 * everything is out, trailers too. close() frees the writer; without finish()
 * the output is a torso. After a failure each further call fails with the same
 * error.
 */
typedef struct pickle__writer pickle__writer;
struct pickle__writer {
    bool (*write)(pickle__writer *w, const void *data, size_t len, pickle_error *err);
    bool (*finish)(pickle__writer *w, pickle_error *err);
    void (*close)(pickle__writer *w);
};

/*
 * A window onto a stream. Over memory the window is everything. Over a reader
 * it is a buffer that pickle__source_need() slides and refills.
 */
typedef struct pickle__source {
    const unsigned char *at, *end; /* the window: what is at hand                       */
    uint64_t base;                 /* stream offset of `end`                            */
    pickle__reader *reader;        /* NULL: memory                                      */
    unsigned char *buffer;         /* the window's memory, over a reader                */
    size_t size;                   /* of `buffer`                                       */
    bool stable;                   /* memory that outlives the document: may be pointed into */
    bool ended;                    /* the reader said so                                */
    pickle_status status;          /* what the reader failed with, else PICKLE_OK       */
    uint64_t read_limit;           /* bytes the reader may give; LIMIT beyond         */
    const pickle_alloc *alloc;
    pickle_error error; /* filled when status is                             */
} pickle__source;

void pickle__source_memory(pickle__source *s, const void *data, size_t size, bool stable);
/* Takes over `reader`, also on failure (no memory: false). */
bool pickle__source_reader(pickle__source *s, pickle__reader *reader, uint64_t limit,
                           const pickle_alloc *alloc);
void pickle__source_close(pickle__source *s);

static inline uint64_t pickle__source_offset(const pickle__source *s)
{
    return s->base - (uint64_t)(s->end - s->at);
}

static inline size_t pickle__source_left(const pickle__source *s)
{
    return (size_t)(s->end - s->at);
}

/* Get at least `n` bytes into the window, growing it if it must; false at the end of the stream,
 * or when reading failed (then s->status is not PICKLE_OK). Moves the window: `at` changes. */
bool pickle__source_refill(pickle__source *s, size_t n);

static inline bool pickle__source_need(pickle__source *s, size_t n)
{
    return pickle__likely(pickle__source_left(s) >= n) || pickle__source_refill(s, n);
}

/* A stream of which nothing was taken yet, and nothing is wrong with, is read to its end, if that
 * comes before `most` bytes or within the window: then the source is memory of its own, and stable.
 */
void pickle__source_settle(pickle__source *s, size_t most);

/* Copy out exactly `n` bytes, the bulk of them read straight into `dst`; false as above. */
bool pickle__source_copy(pickle__source *s, void *dst, size_t n);

#endif
