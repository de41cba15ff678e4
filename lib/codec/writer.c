/* writer.c - the writer that drives any encoder: levels, buffers, the sink, errors. */
#include "codec/encoder.h"

#include <errno.h>

#define BUFFER_SIZE ((size_t)64 << 10)
#define STEP_SIZE   ((size_t)1 << 30) /* fits the counters of any library */
#define THREADS_MAX 256u

typedef struct codec_writer {
    pickle__writer writer;
    const pickle__encoder *encoder;
    const pickle_alloc *alloc;
    pickle_codec codec;
    pickle_sink out;
    uint64_t taken;
    size_t len; /* of what is in `buffer` */
    bool failed;
    pickle_error error; /* when it has */
    unsigned char buffer[BUFFER_SIZE];
    max_align_t state[]; /* of the encoder */
} codec_writer;

/* ------------------------------------------------------------------ levels */

static const struct {
    int min, max, usual;
} levels[] = {
    [PICKLE_CODEC_ZLIB] = { 0, 9, 3 },
    [PICKLE_CODEC_GZIP] = { 0, 9, 3 },
    [PICKLE_CODEC_BZ2] = { 1, 9, 9 },
    [PICKLE_CODEC_XZ] = { 0, 9, 6 },
    [PICKLE_CODEC_LZMA] = { 0, 9, 6 },
    [PICKLE_CODEC_LZ4] = { -65536, 16, 0 }, /* below 0: one less than the acceleration */
    [PICKLE_CODEC_ZSTD] = { -131072, 22, 3 },
};

/* Replaces the names of levels by their numbers. */
static bool check_options(pickle_compression *how, pickle_error *err)
{
    const unsigned xz_checks = 1u << 0 | 1u << 1 | 1u << 4 | 1u << 10;
    int level = how->level;

    if (level == 0)
        level = levels[how->codec].usual;
    else if (level == PICKLE_LEVEL_ZERO)
        level = 0;
    if (level < levels[how->codec].min || level > levels[how->codec].max)
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "%s: level %d is not one of %d to %d",
                            pickle_codec_name(how->codec), level, levels[how->codec].min,
                            levels[how->codec].max);
    if (how->codec == PICKLE_CODEC_XZ && how->check > 0 &&
        (how->check > 16 || !(xz_checks >> (how->check - 1) & 1)))
        return pickle__fail(err, PICKLE_ERR_ARG, 0, "xz: no check has the number %d",
                            how->check - 1);
    how->level = level;
    if (how->threads > THREADS_MAX)
        how->threads = THREADS_MAX;
    return true;
}

/* NULL: not built in. */
static const pickle__encoder *encoder_for(const pickle_compression *how)
{
    switch (how->codec) {
#if PICKLE__HAVE_ZLIB || PICKLE__HAVE_ISAL
    case PICKLE_CODEC_ZLIB:
    case PICKLE_CODEC_GZIP:
        return pickle__raw_deflate(how) ? &pickle__deflate_encoder : NULL;
#endif
#if PICKLE__HAVE_BZIP2
    case PICKLE_CODEC_BZ2:
        return how->threads > 1 ? &pickle__parallel_encoder : &pickle__bz2_encoder;
#endif
#if PICKLE__HAVE_LZMA
    case PICKLE_CODEC_XZ:
    case PICKLE_CODEC_LZMA:
        return &pickle__lzma_encoder;
#endif
#if PICKLE__HAVE_LZ4
    case PICKLE_CODEC_LZ4:
        return &pickle__lz4_encoder;
#endif
#if PICKLE__HAVE_ZSTD
    case PICKLE_CODEC_ZSTD:
        return &pickle__zstd_encoder;
#endif
    default:
        return NULL;
    }
}

/* ----------------------------------------------------------------- writing */

static bool fail(codec_writer *w, pickle_status code, const char *problem)
{
    w->failed = true;
    if (code == PICKLE_ERR_NOMEM)
        return pickle__no_memory(&w->error, w->taken);
    return pickle__fail(&w->error, code, w->taken, "%s: %s", pickle_codec_name(w->codec), problem);
}

static bool put(codec_writer *w, const void *data, size_t len)
{
    errno = 0;
    if (len == 0 || w->out.write(w->out.ctx, data, len))
        return true;
    w->failed = true;
    return pickle__io_error(&w->error, w->taken, "cannot write");
}

/* Runs the encoder until it has taken all of `in`, and has flushed if that is asked for. */
static bool encode(codec_writer *w, const unsigned char *in, size_t in_len, pickle__flush flush)
{
    pickle_status status = PICKLE_OK;

    while (in_len > 0 || (flush == PICKLE__LAST && status != PICKLE_END)) {
        pickle__chunk chunk = {
            .in = in,
            .in_len = in_len,
            .out = w->buffer + w->len,
            .out_len = sizeof w->buffer - w->len,
            .problem = "the encoder failed",
        };

        status = w->encoder->step(w->state, &chunk, flush);
        if (status != PICKLE_OK && status != PICKLE_END)
            return fail(w, status, chunk.problem);
        w->taken += (uint64_t)(chunk.in - in);
        in = chunk.in;
        in_len = chunk.in_len;
        w->len = (size_t)(chunk.out - w->buffer);
        if (w->len == sizeof w->buffer) {
            if (!put(w, w->buffer, w->len))
                return false;
            w->len = 0;
        }
    }
    return true;
}

static bool write_all(codec_writer *w, const unsigned char *at, size_t len)
{
    while (len > 0) {
        size_t n = len < STEP_SIZE ? len : STEP_SIZE;

        if (!encode(w, at, n, PICKLE__GO_ON))
            return false;
        at += n;
        len -= n;
    }
    return true;
}

static bool report(const codec_writer *w, bool ok, pickle_error *err)
{
    if (!ok && err)
        *err = w->error;
    return ok;
}

static bool codec_write(pickle__writer *writer, const void *data, size_t len, pickle_error *err)
{
    codec_writer *w = (codec_writer *)writer;

    return report(w, !w->failed && write_all(w, data, len), err);
}

static bool codec_finish(pickle__writer *writer, pickle_error *err)
{
    codec_writer *w = (codec_writer *)writer;
    bool ok = !w->failed && encode(w, w->buffer, 0, PICKLE__LAST) && put(w, w->buffer, w->len);

    report(w, ok, err);
    if (ok)
        fail(w, PICKLE_ERR_ARG, "written to after the end");
    return ok;
}

static void codec_close(pickle__writer *writer)
{
    codec_writer *w = (codec_writer *)writer;

    w->encoder->finish(w->state);
    pickle__free(w->alloc, w, sizeof *w + w->encoder->state_size);
}

/* `how` has been checked. NULL: no memory. */
static codec_writer *new_writer(const pickle_compression *how, const pickle__encoder *encoder,
                                pickle_sink out, const pickle_alloc *alloc)
{
    size_t size = sizeof(codec_writer) + encoder->state_size;
    codec_writer *w = pickle__alloc(alloc, size);

    if (!w)
        return NULL;
    if (!encoder->start(w->state, how, alloc)) {
        pickle__free(alloc, w, size);
        return NULL;
    }
    w->writer = (pickle__writer){ codec_write, codec_finish, codec_close };
    w->encoder = encoder;
    w->alloc = alloc;
    w->codec = how->codec;
    w->out = out;
    w->taken = 0;
    w->len = 0;
    w->failed = false;
    return w;
}

pickle__writer *pickle__codec_writer(const pickle_compression *how, pickle_sink out,
                                     const pickle_alloc *alloc, pickle_error *err)
{
    pickle_compression known = *how;
    const pickle__encoder *encoder;
    codec_writer *w;

    if (how->codec == PICKLE_CODEC_ZFILE || how->codec == PICKLE_CODEC_DEFLATE) {
        pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0, "%s: is read, but not written",
                     pickle_codec_name(how->codec));
        return NULL;
    }
    if (!pickle_codec_available(how->codec)) {
        pickle__codec_missing(how->codec, err);
        return NULL;
    }
    if (!check_options(&known, err))
        return NULL;
    /* Which one depends on the level. */
    encoder = encoder_for(&known);
    if (!encoder) {
        pickle__codec_missing(how->codec, err);
        return NULL;
    }
    w = new_writer(&known, encoder, out, alloc);
    if (!w)
        pickle__no_memory(err, 0);
    return w ? &w->writer : NULL;
}
