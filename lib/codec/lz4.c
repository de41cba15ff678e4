/* lz4.c - lz4 frames with liblz4. */
#include "codec/decoder.h"

#if PICKLE__HAVE_LZ4

#include <lz4frame.h>

typedef struct lz4_state {
    LZ4F_dctx *dctx;
    size_t wanted; /* what the library asks for: a header, or a block */
} lz4_state;

/* The library takes an allocator only where it is linked statically: it uses malloc for its blocks,
 * which are at most 4 MiB each. */
static bool lz4_start(void *state, pickle__codec codec, const pickle_alloc *alloc)
{
    lz4_state *s = state;

    (void)codec;
    (void)alloc;
    s->wanted = LZ4F_HEADER_SIZE_MIN;
    return !LZ4F_isError(LZ4F_createDecompressionContext(&s->dctx, LZ4F_VERSION));
}

/* With an error the library does not tell what it wrote before: so it gets no more at once than it
 * asks for, and what comes before a bad block is not lost. */
static pickle_status lz4_step(void *state, pickle__chunk *chunk)
{
    lz4_state *s = state;
    size_t in_len = s->wanted < chunk->in_len ? s->wanted : chunk->in_len;
    size_t out_len = chunk->out_len;
    size_t ret = LZ4F_decompress(s->dctx, chunk->out, &out_len, chunk->in, &in_len, NULL);

    if (LZ4F_isError(ret)) {
        chunk->problem = LZ4F_getErrorName(ret);
        return strcmp(chunk->problem, "ERROR_allocation_failed") == 0 ? PICKLE_ERR_NOMEM
                                                                      : PICKLE_ERR_CODEC;
    }
    chunk->in += in_len;
    chunk->out += out_len;
    s->wanted = ret;
    return ret == 0 ? PICKLE_END : PICKLE_OK;
}

static void lz4_finish(void *state)
{
    lz4_state *s = state;

    LZ4F_freeDecompressionContext(s->dctx);
}

const pickle__decoder pickle__lz4_decoder = { sizeof(lz4_state), lz4_start, lz4_step, lz4_finish };

#endif
