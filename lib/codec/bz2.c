/* bz2.c - bzip2 streams with libbz2. */
#include "codec/decoder.h"

#if PICKLE__HAVE_BZIP2

#include <stdio.h> /* bzlib.h of some systems wants it */

#include <bzlib.h>

static void *bz2_alloc(void *opaque, int count, int size)
{
    return pickle__codec_alloc(opaque, (size_t)count, (size_t)size);
}

static bool bz2_start(void *state, pickle__codec codec, const pickle_alloc *alloc)
{
    bz_stream *bz = state;

    (void)codec;
    memset(bz, 0, sizeof *bz);
    bz->bzalloc = bz2_alloc;
    bz->bzfree = pickle__codec_free;
    bz->opaque = pickle__unconst(alloc);
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

#endif
