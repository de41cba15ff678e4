/* zstd.c - zstd frames with libzstd. */
#include "codec/decoder.h"

#if PICKLE__HAVE_ZSTD

#include <zstd.h>
#include <zstd_errors.h>

/* The library takes an allocator only where it is linked statically: it uses malloc, for a window
 * of at most 128 MiB unless told otherwise. */
static bool zstd_start(void *state, pickle__codec codec, const pickle_alloc *alloc)
{
    ZSTD_DStream **stream = state;

    (void)codec;
    (void)alloc;
    *stream = ZSTD_createDStream();
    return *stream != NULL;
}

static pickle_status zstd_error(size_t ret, pickle__chunk *chunk)
{
    switch (ZSTD_getErrorCode(ret)) {
    case ZSTD_error_memory_allocation:
        return PICKLE_ERR_NOMEM;
    case ZSTD_error_frameParameter_windowTooLarge:
        chunk->problem = "needs a window of more than 128 MiB,";
        return PICKLE_ERR_LIMIT;
    default:
        chunk->problem = ZSTD_getErrorName(ret);
        return PICKLE_ERR_CODEC;
    }
}

/* With an error the library does not tell what it wrote before: that is lost. */
static pickle_status zstd_step(void *state, pickle__chunk *chunk)
{
    ZSTD_DStream **stream = state;
    ZSTD_inBuffer in = { chunk->in, chunk->in_len, 0 };
    ZSTD_outBuffer out = { chunk->out, chunk->out_len, 0 };
    size_t ret = ZSTD_decompressStream(*stream, &out, &in);

    if (ZSTD_isError(ret))
        return zstd_error(ret, chunk);
    chunk->in += in.pos;
    chunk->out += out.pos;
    return ret == 0 ? PICKLE_END : PICKLE_OK;
}

static void zstd_finish(void *state)
{
    ZSTD_DStream **stream = state;

    ZSTD_freeDStream(*stream);
}

const pickle__decoder pickle__zstd_decoder = { sizeof(ZSTD_DStream *), zstd_start, zstd_step,
                                               zstd_finish };

#endif
