/* zstd.c - zstd frames with libzstd. */
#include "codec/encoder.h"

#if PICKLE__HAVE_ZSTD

#include <zstd.h>
#include <zstd_errors.h>

/* The library takes an allocator only where it is linked statically: it uses malloc, for a window
 * of at most 128 MiB unless told otherwise. */
static bool zstd_start(void *state, pickle_codec codec, const pickle_alloc *alloc)
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

/* ----------------------------------------------------------------- encoder */

/* No checksum and no length in the header, as Python's modules write a stream. */
static bool zstd_encoder_start(void *state, const pickle_compression *how,
                               const pickle_alloc *alloc)
{
    ZSTD_CCtx **stream = state;

    (void)alloc;
    *stream = ZSTD_createCCtx();
    if (!*stream)
        return false;
    ZSTD_CCtx_setParameter(*stream, ZSTD_c_compressionLevel, how->level);
    /* Refused where the library was built without threads: then one does it. */
    if (how->threads > 1)
        ZSTD_CCtx_setParameter(*stream, ZSTD_c_nbWorkers, (int)how->threads);
    return true;
}

static pickle_status zstd_encoder_step(void *state, pickle__chunk *chunk, pickle__flush flush)
{
    ZSTD_CCtx **stream = state;
    ZSTD_inBuffer in = { chunk->in, chunk->in_len, 0 };
    ZSTD_outBuffer out = { chunk->out, chunk->out_len, 0 };
    ZSTD_EndDirective end = flush == PICKLE__LAST ? ZSTD_e_end : ZSTD_e_continue;
    size_t ret = ZSTD_compressStream2(*stream, &out, &in, end);

    chunk->in += in.pos;
    chunk->in_len -= in.pos;
    chunk->out += out.pos;
    chunk->out_len -= out.pos;
    if (ZSTD_isError(ret))
        return ZSTD_getErrorCode(ret) == ZSTD_error_memory_allocation ? PICKLE_ERR_NOMEM
                                                                      : PICKLE_ERR_CODEC;
    return end == ZSTD_e_end && ret == 0 ? PICKLE_END : PICKLE_OK;
}

static void zstd_encoder_finish(void *state)
{
    ZSTD_CCtx **stream = state;

    ZSTD_freeCCtx(*stream);
}

const pickle__encoder pickle__zstd_encoder = { sizeof(ZSTD_CCtx *), zstd_encoder_start,
                                               zstd_encoder_step, zstd_encoder_finish, NULL };

#endif
