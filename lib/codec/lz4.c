/* lz4.c - lz4 frames with liblz4. */
#include "codec/encoder.h"

#if PICKLE__HAVE_LZ4

#include <lz4frame.h>

typedef struct lz4_state {
    LZ4F_dctx *dctx;
    size_t wanted; /* what the library asks for: a header, or a block */
} lz4_state;

/* The library takes an allocator only where it is linked statically: it uses malloc for its blocks,
 * which are at most 4 MiB each. */
static bool lz4_start(void *state, pickle_codec codec, const pickle_alloc *alloc)
{
    lz4_state *s = state;

    (void)codec;
    (void)alloc;
    s->wanted = LZ4F_HEADER_SIZE_MIN;
    return !LZ4F_isError(LZ4F_createDecompressionContext(&s->dctx, LZ4F_VERSION));
}

static pickle_status lz4_error(size_t ret, pickle__chunk *chunk)
{
    chunk->problem = LZ4F_getErrorName(ret);
    return strcmp(chunk->problem, "ERROR_allocation_failed") == 0 ? PICKLE_ERR_NOMEM
                                                                  : PICKLE_ERR_CODEC;
}

/* With an error the library does not tell what it wrote before: so it gets no more at once than it
 * asks for, and what comes before a bad block is not lost. */
static pickle_status lz4_step(void *state, pickle__chunk *chunk)
{
    lz4_state *s = state;
    size_t in_len = s->wanted < chunk->in_len ? s->wanted : chunk->in_len;
    size_t out_len = chunk->out_len;
    size_t ret = LZ4F_decompress(s->dctx, chunk->out, &out_len, chunk->in, &in_len, NULL);

    if (LZ4F_isError(ret))
        return lz4_error(ret, chunk);
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

/* ----------------------------------------------------------------- encoder */

/*
 * The library's output depends on how the input is cut into calls. joblib puts
 * an io.BufferedWriter of 1 MiB before python-lz4: what fits is gathered; else
 * what was gathered goes out, and after it, at once, what is longer than the
 * buffer. From arrays it comes in pieces of 16 MiB.
 */
#define GATHER_SIZE ((size_t)1 << 20)
#define PIECE_SIZE  ((size_t)16 << 20)

typedef struct lz4_encoder {
    LZ4F_cctx *cctx;
    LZ4F_preferences_t preferences;
    const pickle_alloc *alloc;
    unsigned char *gathered; /* GATHER_SIZE */
    size_t gathered_len;
    unsigned char *output;
    size_t output_size;
    const unsigned char *at; /* in `output`: what has no room yet */
    size_t left;
    bool begun, ended;
} lz4_encoder;

static void lz4_encoder_finish(void *state)
{
    lz4_encoder *s = state;

    LZ4F_freeCompressionContext(s->cctx);
    pickle__free(s->alloc, s->gathered, GATHER_SIZE);
    pickle__free(s->alloc, s->output, s->output_size);
}

/* As python-lz4 sets up its LZ4FrameFile: linked blocks of the default size, 64 KiB, and no
 * checksums. It begins the frame at once; the header has to wait for the room here. */
static bool lz4_encoder_start(void *state, const pickle_compression *how, const pickle_alloc *alloc)
{
    lz4_encoder *s = state;

    memset(s, 0, sizeof *s);
    s->alloc = alloc;
    s->preferences.compressionLevel = how->level;
    s->gathered = pickle__alloc(alloc, GATHER_SIZE);
    if (s->gathered && !LZ4F_isError(LZ4F_createCompressionContext(&s->cctx, LZ4F_VERSION)))
        return true;
    lz4_encoder_finish(s);
    return false;
}

/* Room in `output` for what becomes of `len` bytes; nothing waits there now. */
static bool lz4_room(lz4_encoder *s, size_t len)
{
    size_t need = LZ4F_compressBound(len, &s->preferences) + LZ4F_HEADER_SIZE_MAX;
    unsigned char *grown;

    if (need <= s->output_size)
        return true;
    grown = pickle__realloc(s->alloc, s->output, s->output_size, need);
    if (!grown)
        return false;
    s->output = grown;
    s->output_size = need;
    return true;
}

/* One call of the library: a header, a piece, or (NULL) the end of the frame. */
static pickle_status lz4_piece(lz4_encoder *s, const void *piece, size_t len, pickle__chunk *chunk)
{
    size_t ret;

    if (!lz4_room(s, len))
        return PICKLE_ERR_NOMEM;
    if (!s->begun)
        ret = LZ4F_compressBegin(s->cctx, s->output, s->output_size, &s->preferences);
    else if (piece)
        ret = LZ4F_compressUpdate(s->cctx, s->output, s->output_size, piece, len, NULL);
    else
        ret = LZ4F_compressEnd(s->cctx, s->output, s->output_size, NULL);
    if (LZ4F_isError(ret))
        return lz4_error(ret, chunk);
    s->begun = true;
    s->at = s->output;
    s->left = ret;
    return PICKLE_OK;
}

static pickle_status lz4_gathered(lz4_encoder *s, pickle__chunk *chunk)
{
    size_t len = s->gathered_len;

    s->gathered_len = 0;
    return lz4_piece(s, s->gathered, len, chunk);
}

/* `in` is what one call brought. */
static pickle_status lz4_take(lz4_encoder *s, pickle__chunk *chunk)
{
    size_t len = chunk->in_len < PIECE_SIZE ? chunk->in_len : PIECE_SIZE;
    const unsigned char *piece = chunk->in;

    if (len > GATHER_SIZE - s->gathered_len && s->gathered_len > 0)
        return lz4_gathered(s, chunk);
    chunk->in += len;
    chunk->in_len -= len;
    if (len > GATHER_SIZE)
        return lz4_piece(s, piece, len, chunk);
    memcpy(s->gathered + s->gathered_len, piece, len);
    s->gathered_len += len;
    return PICKLE_OK;
}

static pickle_status lz4_encoder_step(void *state, pickle__chunk *chunk, pickle__flush flush)
{
    lz4_encoder *s = state;

    pickle__drain(&s->at, &s->left, chunk);
    if (s->left > 0)
        return PICKLE_OK;
    if (!s->begun)
        return lz4_piece(s, NULL, 0, chunk);
    if (chunk->in_len > 0)
        return lz4_take(s, chunk);
    if (flush != PICKLE__LAST)
        return PICKLE_OK;
    if (s->ended)
        return PICKLE_END;
    if (s->gathered_len > 0)
        return lz4_gathered(s, chunk);
    s->ended = true;
    return lz4_piece(s, NULL, 0, chunk);
}

const pickle__encoder pickle__lz4_encoder = { sizeof(lz4_encoder), lz4_encoder_start,
                                              lz4_encoder_step, lz4_encoder_finish, NULL };

#endif
