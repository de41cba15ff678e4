/* encoder.h - what a codec implements: a state that turns bytes into one compressed stream. */
#ifndef PICKLE__ENCODER_H
#define PICKLE__ENCODER_H

#include "codec/decoder.h"

typedef enum pickle__flush {
    PICKLE__GO_ON, /* more input follows                                 */
    PICKLE__SYNC,  /* all out, up to a whole byte; the stream can go on  */
    PICKLE__LAST   /* the stream ends with this input                    */
} pickle__flush;

typedef struct pickle__encoder {
    size_t state_size;
    /* Fills a state that holds anything; how->level is the codec's own. False: no memory, and
     * nothing to finish. */
    bool (*start)(void *state, const pickle_compression *how, const pickle_alloc *alloc);
    /*
     * Goes on as far as input and room allow: moves `in` and `out` on, and lowers
     * their lengths. PICKLE_OK; PICKLE_END once
     * all is out that the flush asked for; or an error. One that has begun to flush goes on with it
     * until it is done.
     */
    pickle_status (*step)(void *state, pickle__chunk *chunk, pickle__flush flush);
    void (*finish)(void *state);
    /* Raw deflate: what stands before the input, after start(); else NULL. */
    void (*prime)(void *state, const void *before, size_t len);
} pickle__encoder;

extern const pickle__encoder pickle__zlib_encoder;    /* raw deflate with zlib           */
extern const pickle__encoder pickle__isal_encoder;    /* raw deflate with ISA-L          */
extern const pickle__encoder pickle__deflate_encoder; /* zlib and gzip, around either    */
extern const pickle__encoder pickle__bz2_encoder;
extern const pickle__encoder pickle__lzma_encoder; /* xz and lzma */
extern const pickle__encoder pickle__lz4_encoder;
extern const pickle__encoder pickle__zstd_encoder;
extern const pickle__encoder pickle__parallel_encoder; /* raw deflate and bz2, by blocks */

/* Which of the two does it; NULL: that one is not built in. */
const pickle__encoder *pickle__raw_deflate(const pickle_compression *how);
/* Which may stand in for it where it is about as good: see parallel.c. NULL: none. */
const pickle__encoder *pickle__fast_deflate(const pickle_compression *how);

/* Moves bytes that wait at `*at`, `*left` of them, to where there is room. */
static inline void pickle__drain(const unsigned char **at, size_t *left, pickle__chunk *chunk)
{
    size_t n = *left < chunk->out_len ? *left : chunk->out_len;

    if (n == 0)
        return;
    memcpy(chunk->out, *at, n);
    *at += n;
    *left -= n;
    chunk->out += n;
    chunk->out_len -= n;
}

#endif
