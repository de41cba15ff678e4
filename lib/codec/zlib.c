/* zlib.c - zlib and gzip streams with zlib. */
#include "codec/decoder.h"

/* ISA-L stands in for it where both are there: see isal.c. */
#if PICKLE__HAVE_ZLIB && !PICKLE__HAVE_ISAL

#define ZLIB_CONST
#include <zlib.h>

static voidpf zlib_alloc(voidpf opaque, uInt count, uInt size)
{
    return pickle__codec_alloc(opaque, count, size);
}

static bool zlib_start(void *state, pickle__codec codec, const pickle_alloc *alloc)
{
    z_stream *z = state;
    int bits = codec == PICKLE__CODEC_GZIP ? MAX_WBITS + 16 : MAX_WBITS;

    memset(z, 0, sizeof *z);
    z->zalloc = zlib_alloc;
    z->zfree = pickle__codec_free;
    z->opaque = pickle__unconst(alloc);
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
