/* decoder.h - what a codec implements: a state that turns one compressed stream into bytes. */
#ifndef PICKLE__DECODER_H
#define PICKLE__DECODER_H

#include "codec/codec.h"
#include "pickle_config.h"

/* What step() works on: it moves `in` and `out` on. The lengths fit 31 bits. */
typedef struct pickle__chunk {
    const unsigned char *in;
    size_t in_len;
    unsigned char *out;
    size_t out_len;      /* never 0 */
    size_t unread;       /* at the end: bytes before `in` that are not of the stream */
    const char *problem; /* for the message, when step() fails: a constant */
} pickle__chunk;

typedef struct pickle__decoder {
    size_t state_size;
    /* Fills a state that holds anything; false: no memory, and nothing to finish. */
    bool (*start)(void *state, pickle_codec codec, const pickle_alloc *alloc);
    /*
     * Goes on as far as input and room allow. PICKLE_OK; PICKLE_END when the stream is over and its
     * checksum right, with `in` and `unread` telling where; or an error. To do nothing and return
     * PICKLE_OK says that the stream is cut off.
     */
    pickle_status (*step)(void *state, pickle__chunk *chunk);
    void (*finish)(void *state);
} pickle__decoder;

extern const pickle__decoder pickle__inflate_decoder; /* zlib, gzip and raw deflate */
extern const pickle__decoder pickle__bz2_decoder;
extern const pickle__decoder pickle__lzma_decoder; /* xz and lzma */
extern const pickle__decoder pickle__lz4_decoder;
extern const pickle__decoder pickle__zstd_decoder;

/* PICKLE_ERR_UNSUPPORTED with the option of the build that is missing; returns false. */
PICKLE__COLD bool pickle__codec_missing(pickle_codec codec, pickle_error *err);

/* Memory for libraries that do not tell the size of what they free; `opaque` is the allocator. */
void *pickle__codec_alloc(void *opaque, size_t count, size_t size);
void pickle__codec_free(void *opaque, void *ptr);

/* For libraries that only read what they take without const. */
static inline void *pickle__unconst(const void *p)
{
    return (void *)(uintptr_t)p;
}

#endif
