/* bz2.c - bzip2 streams with libbz2. */
#include "codec/encoder.h"

#if PICKLE__HAVE_BZIP2

#include <stdio.h> /* bzlib.h of some systems wants it */

#include <bzlib.h>

static void *bz2_alloc(void *opaque, int count, int size)
{
    return pickle__codec_alloc(opaque, (size_t)count, (size_t)size);
}

static void init_stream(bz_stream *bz, const pickle_alloc *alloc)
{
    memset(bz, 0, sizeof *bz);
    bz->bzalloc = bz2_alloc;
    bz->bzfree = pickle__codec_free;
    bz->opaque = pickle__unconst(alloc);
}

static bool bz2_start(void *state, pickle_codec codec, const pickle_alloc *alloc)
{
    bz_stream *bz = state;

    (void)codec;
    init_stream(bz, alloc);
    return BZ2_bzDecompressInit(bz, 0, 0) == BZ_OK;
}

static pickle_status bz2_step(void *state, pickle__chunk *chunk)
{
    bz_stream *bz = state;
    int ret;

    bz->next_in = pickle__unconst(chunk->in);
    bz->avail_in = (unsigned)chunk->in_len;
    bz->next_out = (char *)chunk->out;
    bz->avail_out = (unsigned)chunk->out_len;
    ret = BZ2_bzDecompress(bz);
    chunk->in += chunk->in_len - bz->avail_in;
    chunk->out += chunk->out_len - bz->avail_out;
    switch (ret) {
    case BZ_OK:
        return PICKLE_OK;
    case BZ_STREAM_END:
        return PICKLE_END;
    case BZ_MEM_ERROR:
        return PICKLE_ERR_NOMEM;
    default:
        return PICKLE_ERR_CODEC;
    }
}

static void bz2_finish(void *state)
{
    BZ2_bzDecompressEnd(state);
}

const pickle__decoder pickle__bz2_decoder = { sizeof(bz_stream), bz2_start, bz2_step, bz2_finish };

/* ----------------------------------------------------------------- encoder */

static bool bz2_encoder_start(void *state, const pickle_compression *how, const pickle_alloc *alloc)
{
    bz_stream *bz = state;

    init_stream(bz, alloc);
    return BZ2_bzCompressInit(bz, how->level, 0, 0) == BZ_OK;
}

static pickle_status bz2_encoder_step(void *state, pickle__chunk *chunk, pickle__flush flush)
{
    bz_stream *bz = state;
    int ret;

    bz->next_in = pickle__unconst(chunk->in);
    bz->avail_in = (unsigned)chunk->in_len;
    bz->next_out = (char *)chunk->out;
    bz->avail_out = (unsigned)chunk->out_len;
    ret = BZ2_bzCompress(bz, flush == PICKLE__LAST ? BZ_FINISH : BZ_RUN);
    chunk->in += chunk->in_len - bz->avail_in;
    chunk->in_len = bz->avail_in;
    chunk->out += chunk->out_len - bz->avail_out;
    chunk->out_len = bz->avail_out;
    return ret == BZ_STREAM_END ? PICKLE_END : ret > 0 ? PICKLE_OK : PICKLE_ERR_CODEC;
}

static void bz2_encoder_finish(void *state)
{
    BZ2_bzCompressEnd(state);
}

const pickle__encoder pickle__bz2_encoder = { sizeof(bz_stream), bz2_encoder_start,
                                              bz2_encoder_step, bz2_encoder_finish, NULL };

#endif
