/* isal.c - zlib and gzip streams, and raw deflate, with igzip of ISA-L: faster than zlib. */
#include "codec/encoder.h"

#if PICKLE__HAVE_ISAL

#include <isa-l/igzip_lib.h>

typedef struct isal_state {
    struct inflate_state stream;
    /* isal_inflate() would read the header too, but forgets what it found there when the input
     * comes in pieces. */
    struct isal_gzip_header gzip;
    struct isal_zlib_header zlib;
    bool in_body;
} isal_state;

static bool isal_start(void *state, pickle_codec codec, const pickle_alloc *alloc)
{
    isal_state *s = state;

    (void)alloc; /* all there is, is in the state */
    isal_inflate_init(&s->stream);
    isal_gzip_header_init(&s->gzip);
    memset(&s->zlib, 0, sizeof s->zlib);
    if (codec == PICKLE_CODEC_DEFLATE)
        s->stream.crc_flag = ISAL_DEFLATE;
    else
        s->stream.crc_flag = codec == PICKLE_CODEC_GZIP ? ISAL_GZIP : ISAL_ZLIB;
    s->in_body = codec == PICKLE_CODEC_DEFLATE; /* which has no header */
    return true;
}

static int read_header(isal_state *s)
{
    int ret = s->stream.crc_flag == ISAL_GZIP ? isal_read_gzip_header(&s->stream, &s->gzip)
                                              : isal_read_zlib_header(&s->stream, &s->zlib);

    s->in_body = ret == ISAL_DECOMP_OK;
    return s->in_body && s->zlib.dict_flag ? ISAL_NEED_DICT : ret;
}

static pickle_status isal_error(int ret, pickle__chunk *chunk)
{
    static const char *const problems[] = {
        [-ISAL_INVALID_BLOCK] = "invalid block",
        [-ISAL_INVALID_SYMBOL] = "invalid code",
        [-ISAL_INVALID_LOOKBACK] = "invalid distance",
        [-ISAL_INVALID_WRAPPER] = "invalid header",
        [-ISAL_UNSUPPORTED_METHOD] = "unknown compression method",
        [-ISAL_INCORRECT_CHECKSUM] = "incorrect checksum",
    };

    if (ret == ISAL_NEED_DICT)
        chunk->problem = "needs a preset dictionary,";
    else if (ret < 0 && (size_t)-ret < sizeof problems / sizeof *problems)
        chunk->problem = problems[-ret];
    return PICKLE_ERR_CODEC;
}

/*
 * Moves `in` on. When the stream is over, whole bytes that lie behind it may
 * wait in the bit buffer; newer versions give them back. They may be from an
 * earlier chunk.
 */
static void consume(const struct inflate_state *z, pickle__chunk *chunk)
{
    size_t left = z->avail_in;

    if (z->block_state == ISAL_BLOCK_FINISH)
        left += (size_t)z->read_in_length / 8;
    if (left > chunk->in_len)
        chunk->unread = left - chunk->in_len;
    else
        chunk->in += chunk->in_len - left;
}

static pickle_status isal_step(void *state, pickle__chunk *chunk)
{
    isal_state *s = state;
    struct inflate_state *z = &s->stream;
    int ret;

    z->next_in = pickle__unconst(chunk->in);
    z->avail_in = (uint32_t)chunk->in_len;
    z->next_out = chunk->out;
    z->avail_out = (uint32_t)chunk->out_len;
    ret = s->in_body ? isal_inflate(z) : read_header(s);
    chunk->out = z->next_out;
    consume(z, chunk);
    if (ret < 0 || ret == ISAL_NEED_DICT)
        return isal_error(ret, chunk);
    return z->block_state == ISAL_BLOCK_FINISH ? PICKLE_END : PICKLE_OK;
}

static void isal_finish(void *state)
{
    (void)state;
}

const pickle__decoder pickle__inflate_decoder = { sizeof(isal_state), isal_start, isal_step,
                                                  isal_finish };

/* ----------------------------------------------------------------- encoder */

/* For the longest blocks that igzip makes at its levels. */
static const uint32_t level_sizes[] = { 0, ISAL_DEF_LVL1_EXTRA_LARGE, ISAL_DEF_LVL2_EXTRA_LARGE };

typedef struct isal_encoder {
    struct isal_zstream stream;
    const pickle_alloc *alloc;
} isal_encoder;

static bool isal_encoder_start(void *state, const pickle_compression *how,
                               const pickle_alloc *alloc)
{
    uint32_t level = how->level < 2 ? (uint32_t)how->level : 2; /* see deflate.c */
    isal_encoder *s = state;

    isal_deflate_init(&s->stream);
    s->alloc = alloc;
    s->stream.level = level;
    s->stream.level_buf_size = level_sizes[level];
    if (level > 0)
        s->stream.level_buf = pickle__alloc(alloc, level_sizes[level]);
    return level == 0 || s->stream.level_buf;
}

static void isal_encoder_prime(void *state, const void *before, size_t len)
{
    isal_deflate_set_dict(&((isal_encoder *)state)->stream, pickle__unconst(before), (uint32_t)len);
}

static pickle_status isal_encoder_step(void *state, pickle__chunk *chunk, pickle__flush flush)
{
    struct isal_zstream *z = &((isal_encoder *)state)->stream;
    int ret;

    z->next_in = pickle__unconst(chunk->in);
    z->avail_in = (uint32_t)chunk->in_len;
    z->next_out = chunk->out;
    z->avail_out = (uint32_t)chunk->out_len;
    z->flush = flush == PICKLE__SYNC ? SYNC_FLUSH : NO_FLUSH;
    z->end_of_stream = flush == PICKLE__LAST;
    ret = isal_deflate(z);
    chunk->in = z->next_in;
    chunk->in_len = z->avail_in;
    chunk->out = z->next_out;
    chunk->out_len = z->avail_out;
    if (ret != COMP_OK)
        return PICKLE_ERR_CODEC;
    if (flush == PICKLE__SYNC)
        return z->avail_out > 0 ? PICKLE_END : PICKLE_OK;
    return z->internal_state.state == ZSTATE_END ? PICKLE_END : PICKLE_OK;
}

static void isal_encoder_finish(void *state)
{
    isal_encoder *s = state;

    pickle__free(s->alloc, s->stream.level_buf, s->stream.level_buf_size);
}

const pickle__encoder pickle__isal_encoder = { sizeof(isal_encoder), isal_encoder_start,
                                               isal_encoder_step, isal_encoder_finish,
                                               isal_encoder_prime };

#endif
