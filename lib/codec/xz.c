/* xz.c - xz and lzma streams with liblzma. */
#include "codec/encoder.h"

#if PICKLE__HAVE_LZMA

#include <lzma.h>

/* A header asks for up to 4 GiB at once: presets need 65 MiB, this is enough for a dictionary of
 * 512 MiB. */
#define MEMORY_LIMIT ((uint64_t)520 << 20)

typedef struct xz_state {
    lzma_stream stream;
    lzma_allocator allocator;
} xz_state;

static pickle_status xz_status(lzma_ret ret, pickle__chunk *chunk)
{
    switch (ret) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* nothing to do, twice */
        return PICKLE_OK;
    case LZMA_STREAM_END:
        return PICKLE_END;
    case LZMA_MEM_ERROR:
        return PICKLE_ERR_NOMEM;
    case LZMA_MEMLIMIT_ERROR:
        chunk->problem = "needs a dictionary of more than 512 MiB,";
        return PICKLE_ERR_LIMIT;
    case LZMA_OPTIONS_ERROR:
        chunk->problem = "unknown filter or option";
        return PICKLE_ERR_UNSUPPORTED;
    default:
        return PICKLE_ERR_CODEC;
    }
}

static void init_stream(xz_state *s, const pickle_alloc *alloc)
{
    s->stream = (lzma_stream)LZMA_STREAM_INIT;
    s->allocator =
        (lzma_allocator){ pickle__codec_alloc, pickle__codec_free, pickle__unconst(alloc) };
    s->stream.allocator = &s->allocator;
}

static bool xz_start(void *state, pickle_codec codec, const pickle_alloc *alloc)
{
    xz_state *s = state;

    (void)codec; /* either may follow the other */
    init_stream(s, alloc);
    return lzma_auto_decoder(&s->stream, MEMORY_LIMIT, 0) == LZMA_OK;
}

static pickle_status xz_step(void *state, pickle__chunk *chunk)
{
    lzma_stream *lz = &((xz_state *)state)->stream;
    lzma_ret ret;

    lz->next_in = chunk->in;
    lz->avail_in = chunk->in_len;
    lz->next_out = chunk->out;
    lz->avail_out = chunk->out_len;
    ret = lzma_code(lz, LZMA_RUN);
    chunk->in = lz->next_in;
    chunk->out = lz->next_out;
    return xz_status(ret, chunk);
}

static void xz_finish(void *state)
{
    lzma_end(&((xz_state *)state)->stream);
}

const pickle__decoder pickle__lzma_decoder = { sizeof(xz_state), xz_start, xz_step, xz_finish };

/* ----------------------------------------------------------------- encoder */

static lzma_ret start_alone(lzma_stream *lz, int level)
{
    lzma_options_lzma options;

    lzma_lzma_preset(&options, (uint32_t)level);
    return lzma_alone_encoder(lz, &options);
}

static lzma_ret start_threads(lzma_stream *lz, const pickle_compression *how, lzma_check check)
{
    lzma_mt options = {
        .threads = how->threads,
        .preset = (uint32_t)how->level,
        .check = check,
    };

    /* Its threads allocate, at the same time: the caller's allocator need not bear that. */
    lz->allocator = NULL;
    return lzma_stream_encoder_mt(lz, &options);
}

static bool xz_encoder_start(void *state, const pickle_compression *how, const pickle_alloc *alloc)
{
    lzma_check check = how->check > 0 ? (lzma_check)(how->check - 1) : LZMA_CHECK_CRC64;
    xz_state *s = state;
    lzma_ret ret;

    init_stream(s, alloc);
    if (how->codec == PICKLE_CODEC_LZMA)
        ret = start_alone(&s->stream, how->level);
    else if (how->threads > 1)
        ret = start_threads(&s->stream, how, check);
    else
        ret = lzma_easy_encoder(&s->stream, (uint32_t)how->level, check);
    if (ret != LZMA_OK)
        lzma_end(&s->stream);
    return ret == LZMA_OK;
}

static pickle_status xz_encoder_step(void *state, pickle__chunk *chunk, pickle__flush flush)
{
    lzma_stream *lz = &((xz_state *)state)->stream;
    lzma_ret ret;

    lz->next_in = chunk->in;
    lz->avail_in = chunk->in_len;
    lz->next_out = chunk->out;
    lz->avail_out = chunk->out_len;
    ret = lzma_code(lz, flush == PICKLE__LAST ? LZMA_FINISH : LZMA_RUN);
    chunk->in = lz->next_in;
    chunk->in_len = lz->avail_in;
    chunk->out = lz->next_out;
    chunk->out_len = lz->avail_out;
    return xz_status(ret, chunk);
}

const pickle__encoder pickle__lzma_encoder = { sizeof(xz_state), xz_encoder_start, xz_encoder_step,
                                               xz_finish, NULL };

#endif
