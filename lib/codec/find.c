/*
 * find.c - how a file was compressed: its content is compressed in every way that
 * its header allows, side by side, and each way dropped once its output differs.
 */
#include "codec/codec.h"

#define CONTENT_SIZE ((size_t)64 << 10) /* inflated at a time */
#define LANES_MAX    16

typedef struct lane {
    pickle_compression how;
    pickle__writer *writer; /* NULL: dropped */
    const unsigned char *want;
    size_t size;
    size_t same; /* bytes */
} lane;

typedef struct search {
    const unsigned char *data;
    size_t size;
    const pickle_alloc *alloc;
    pickle_error *err;
    lane lanes[LANES_MAX];
    size_t count;
} search;

/* -------------------------------------------------------------- candidates */

/* `level` in the codec's own numbers. */
static void add(search *s, pickle_compression how, int level)
{
    how.exact = true;
    how.level = level == 0 ? PICKLE_LEVEL_ZERO : level;
    s->lanes[s->count++] = (lane){ .how = how, .want = s->data, .size = s->size };
}

/* Levels that may be meant, the first that fits wins: joblib's default, then those that people
 * choose, the high ones. */
static void add_levels(search *s, pickle_compression how, int first, int min, int max)
{
    add(s, how, first);
    for (int level = max; level >= min; level--)
        if (level != first)
            add(s, how, level);
}

/* Skips a text with its NUL; the size when there is none. */
static size_t skip_text(const search *s, size_t at)
{
    const unsigned char *nul = at < s->size ? memchr(s->data + at, 0, s->size - at) : NULL;

    return nul ? (size_t)(nul - s->data) + 1 : s->size;
}

/* As in RFC 1952. */
static size_t gzip_header_size(const search *s)
{
    enum { HCRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16 };
    unsigned flags = s->size > 3 ? s->data[3] : 0;
    size_t at = 10;

    if (flags & EXTRA && s->size >= 12)
        at += 2 + (size_t)pickle__u16(s->data + 10);
    if (flags & NAME)
        at = skip_text(s, at);
    if (flags & COMMENT)
        at = skip_text(s, at);
    if (flags & HCRC)
        at += 2;
    return at < s->size ? at : s->size;
}

/* zlib's header, which joblib has, needs no copy. Others may say anything about the level: Python 2
 * and 3.6 say "best" for each. */
static void add_gzip(search *s, pickle_compression how)
{
    static const unsigned char plain[5] = { 0 }; /* flags and time; then the kind of level, Unix */

    if (s->size > 9 && memcmp(s->data + 3, plain, sizeof plain) == 0 && s->data[9] == 3) {
        add_levels(s, how, 3, 1, 9);
        return;
    }
    how.header = s->data;
    how.header_size = gzip_header_size(s);
    add_levels(s, how, s->size > 8 && s->data[8] == 2 ? 9 : 3, 1, 9);
}

/* The presets with this dictionary. */
static void add_presets(search *s, pickle_compression how, uint64_t dictionary)
{
    static const unsigned char bits[] = { 18, 20, 21, 22, 22, 23, 23, 24, 25, 26 };

    for (int preset = 9; preset >= 0; preset--)
        if (dictionary == (uint64_t)1 << bits[preset])
            add(s, how, preset);
}

/* A block with one filter, LZMA2. Its sizes are in its header where threads made it. */
static void add_xz(search *s, pickle_compression how)
{
    const unsigned char *d = s->data;
    size_t at = 14;

    if (s->size < 32)
        return;
    how.check = (uint8_t)((d[7] & 15) + 1);
    if (d[12] == 0) { /* no block: no content */
        add(s, how, 6);
        return;
    }
    if ((d[13] & 0xc0) == 0xc0) {
        how.threads = 2;
        for (int sizes = 0; sizes < 2; sizes++, at++)
            while (at < 24 && d[at] >= 0x80)
                at++;
    }
    if (d[at] == 0x21 && d[at + 2] < 40)
        add_presets(s, how, (uint64_t)(2 | (d[at + 2] & 1)) << (d[at + 2] / 2 + 11));
}

/* Levels 1 and 2 are 0, what is above 12 is 12. */
static void add_lz4(search *s, pickle_compression how)
{
    add_levels(s, how, 0, 3, 12);
}

/* The levels of libzstd 1.5 with the window that the header names; other versions have others, and
 * only the output decides. */
static void add_zstd(search *s, pickle_compression how)
{
    static const unsigned char bits[] = { 0,  19, 20, 21, 21, 21, 21, 21, 21, 22, 22, 22,
                                          22, 22, 22, 22, 22, 23, 23, 23, 25, 26, 27 };

    if (s->size < 6)
        return;
    if (s->data[4] & 0x20) { /* no window; of a stream, only the empty one */
        add(s, how, 3);
        return;
    }
    for (int level = 1; level <= 22; level++)
        if (s->data[5] == (bits[level] - 10) << 3)
            add(s, how, level);
}

static void add_candidates(search *s, pickle_codec codec)
{
    pickle_compression how = { .codec = codec };

    switch (codec) {
    case PICKLE_CODEC_ZLIB:
        add_levels(s, how, 3, 1, 9);
        break;
    case PICKLE_CODEC_GZIP:
        add_gzip(s, how);
        break;
    case PICKLE_CODEC_BZ2:
        if (s->size > 3)
            add(s, how, s->data[3] - '0');
        break;
    case PICKLE_CODEC_XZ:
        add_xz(s, how);
        break;
    case PICKLE_CODEC_LZMA:
        if (s->size > 4)
            add_presets(s, how, pickle__u32(s->data + 1));
        break;
    case PICKLE_CODEC_LZ4:
        add_lz4(s, how);
        break;
    case PICKLE_CODEC_ZSTD:
        add_zstd(s, how);
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------------- lanes */

static bool compare(void *ctx, const void *data, size_t len)
{
    const unsigned char *got = data;
    lane *l = ctx;
    size_t most = l->size - l->same < len ? l->size - l->same : len;
    size_t n = 0;

    if (most == len && memcmp(got, l->want + l->same, len) == 0) {
        l->same += len;
        return true;
    }
    while (n < most && got[n] == l->want[l->same + n])
        n++;
    l->same += n;
    return false;
}

static void drop(lane *l)
{
    if (l->writer)
        l->writer->close(l->writer);
    l->writer = NULL;
}

/* After a lane failed: false, unless it is only that its output differs. */
static bool lane_failed(search *s, lane *l, const pickle_error *error)
{
    drop(l);
    if (error->code == PICKLE_ERR_IO)
        return true;
    if (s->err)
        *s->err = *error;
    return false;
}

static bool open_lanes(search *s)
{
    for (size_t i = 0; i < s->count; i++) {
        lane *l = &s->lanes[i];

        l->writer = pickle__codec_writer(&l->how, (pickle_sink){ compare, l }, s->alloc, s->err);
        if (!l->writer)
            return false;
    }
    return true;
}

/* To all that are left; sets `*left` to how many these are. */
static bool feed(search *s, const void *content, size_t len, size_t *left)
{
    pickle_error error;

    *left = 0;
    for (size_t i = 0; i < s->count; i++) {
        lane *l = &s->lanes[i];

        if (!l->writer)
            continue;
        if (l->writer->write(l->writer, content, len, &error))
            ++*left;
        else if (!lane_failed(s, l, &error))
            return false;
    }
    return true;
}

/* All of the content to the lanes, or until none is left. */
static bool run_lanes(search *s, pickle__reader *content, unsigned char *buffer)
{
    size_t left = s->count, got;

    while (left > 0) {
        if (pickle__read(content, buffer, CONTENT_SIZE, &got, s->err) != PICKLE_OK)
            return false;
        if (got == 0)
            return true;
        if (!feed(s, buffer, got, &left))
            return false;
    }
    return true;
}

/* The first lane that made all of it, or the one that came farthest. */
static bool choose(search *s, pickle_compression *out)
{
    const lane *best = NULL;
    bool found = false;

    for (size_t i = 0; i < s->count && !found; i++) {
        lane *l = &s->lanes[i];
        pickle_error error;

        if (l->writer && l->writer->finish(l->writer, &error))
            found = l->same == l->size;
        else if (l->writer && !lane_failed(s, l, &error))
            return false;
        if (found || !best || l->same > best->same)
            best = l;
    }
    if (best)
        *out = best->how;
    return found || pickle__fail(s->err, PICKLE_ERR_UNSUPPORTED, 0,
                                 "%s: compressed in a way that cannot be repeated",
                                 pickle_codec_name(out->codec));
}

static bool find(search *s, pickle__reader *content, pickle_compression *out)
{
    unsigned char *buffer = pickle__alloc(s->alloc, CONTENT_SIZE);
    bool ok;

    if (!buffer)
        return pickle__no_memory(s->err, 0);
    ok = open_lanes(s) && run_lanes(s, content, buffer) && choose(s, out);
    for (size_t i = 0; i < s->count; i++)
        drop(&s->lanes[i]);
    pickle__free(s->alloc, buffer, CONTENT_SIZE);
    return ok;
}

bool pickle_find_compression(const void *data, size_t size, pickle_compression *out,
                             const pickle_alloc *alloc, pickle_error *err)
{
    search s = { .data = data, .size = size, .alloc = alloc, .err = err };
    pickle__source source;
    pickle__reader *content;
    bool ok;

    memset(out, 0, sizeof *out);
    out->codec = pickle__sniff_codec(data, size);
    if (out->codec == PICKLE_CODEC_NONE)
        return true;
    if (out->codec == PICKLE_CODEC_ZFILE)
        return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0, "zfile: is read, but not written");
    pickle__source_memory(&source, data, size, true);
    content = pickle__codec_reader(out->codec, &source, alloc, err);
    if (!content)
        return false;
    add_candidates(&s, out->codec);
    ok = find(&s, content, out);
    pickle__close(content);
    return ok;
}
