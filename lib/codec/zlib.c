/* zlib.c - zlib and gzip streams, and raw deflate, with zlib. */
#include "codec/encoder.h"

#if PICKLE__HAVE_ZLIB

#define ZLIB_CONST
#include <zlib.h>

static voidpf zlib_alloc(voidpf opaque, uInt count, uInt size)
{
    return pickle__codec_alloc(opaque, count, size);
}

static void init_stream(z_stream *z, const pickle_alloc *alloc)
{
    memset(z, 0, sizeof *z);
    z->zalloc = zlib_alloc;
    z->zfree = pickle__codec_free;
    z->opaque = pickle__unconst(alloc);
}

/* ISA-L stands in for it where both are there: see isal.c. */
#if !PICKLE__HAVE_ISAL

static bool zlib_start(void *state, pickle_codec codec, const pickle_alloc *alloc)
{
    z_stream *z = state;
    int bits = MAX_WBITS;

    if (codec == PICKLE_CODEC_GZIP)
        bits = MAX_WBITS + 16;
    else if (codec == PICKLE_CODEC_DEFLATE)
        bits = -MAX_WBITS;
    init_stream(z, alloc);
    return inflateInit2(z, bits) == Z_OK;
}

static pickle_status zlib_step(void *state, pickle__chunk *chunk)
{
    z_stream *z = state;
    int ret;

    z->next_in = chunk->in;
    z->avail_in = (uInt)chunk->in_len;
    z->next_out = chunk->out;
    z->avail_out = (uInt)chunk->out_len;
    ret = inflate(z, Z_NO_FLUSH);
    chunk->in = z->next_in;
    chunk->out = z->next_out;
    switch (ret) {
    case Z_OK:
    case Z_BUF_ERROR: /* nothing to do */
        return PICKLE_OK;
    case Z_STREAM_END:
        return PICKLE_END;
    case Z_MEM_ERROR:
        return PICKLE_ERR_NOMEM;
    case Z_NEED_DICT:
        chunk->problem = "needs a preset dictionary,";
        return PICKLE_ERR_CODEC;
    default:
        if (z->msg)
            chunk->problem = z->msg;
        return PICKLE_ERR_CODEC;
    }
}

static void zlib_finish(void *state)
{
    inflateEnd(state);
}

const pickle__decoder pickle__inflate_decoder = { sizeof(z_stream), zlib_start, zlib_step,
                                                  zlib_finish };

#endif

/* ----------------------------------------------------------------- encoder */

static bool deflate_start(void *state, const pickle_compression *how, const pickle_alloc *alloc)
{
    z_stream *z = state;

    init_stream(z, alloc);
    return deflateInit2(z, how->level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK;
}

static void deflate_prime(void *state, const void *before, size_t len)
{
    deflateSetDictionary(state, before, (uInt)len);
}

static pickle_status deflate_step(void *state, pickle__chunk *chunk, pickle__flush flush)
{
    static const int flushes[] = {
        [PICKLE__GO_ON] = Z_NO_FLUSH, [PICKLE__SYNC] = Z_SYNC_FLUSH, [PICKLE__LAST] = Z_FINISH
    };
    z_stream *z = state;
    int ret;

    z->next_in = chunk->in;
    z->avail_in = (uInt)chunk->in_len;
    z->next_out = chunk->out;
    z->avail_out = (uInt)chunk->out_len;
    ret = deflate(z, flushes[flush]);
    chunk->in = z->next_in;
    chunk->in_len = z->avail_in;
    chunk->out = z->next_out;
    chunk->out_len = z->avail_out;
    if (ret == Z_STREAM_END || (flush == PICKLE__SYNC && z->avail_out > 0))
        return PICKLE_END;
    return ret == Z_OK || ret == Z_BUF_ERROR ? PICKLE_OK : PICKLE_ERR_CODEC;
}

static void deflate_finish(void *state)
{
    deflateEnd(state);
}

const pickle__encoder pickle__zlib_encoder = { sizeof(z_stream), deflate_start, deflate_step,
                                               deflate_finish, deflate_prime };

#endif
