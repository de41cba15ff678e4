/* codec.c - the table of codecs, recognising them, and the reader that drives any of them. */
#include "codec/codec.h"

#include <inttypes.h>

#include "codec/decoder.h"

#if PICKLE__HAVE_ZLIB || PICKLE__HAVE_ISAL
#define INFLATE_DECODER (&pickle__inflate_decoder)
#else
#define INFLATE_DECODER NULL
#endif
#if PICKLE__HAVE_BZIP2
#define BZ2_DECODER (&pickle__bz2_decoder)
#else
#define BZ2_DECODER NULL
#endif
#if PICKLE__HAVE_LZMA
#define LZMA_DECODER (&pickle__lzma_decoder)
#else
#define LZMA_DECODER NULL
#endif
#if PICKLE__HAVE_LZ4
#define LZ4_DECODER (&pickle__lz4_decoder)
#else
#define LZ4_DECODER NULL
#endif
#if PICKLE__HAVE_ZSTD
#define ZSTD_DECODER (&pickle__zstd_decoder)
#else
#define ZSTD_DECODER NULL
#endif

static const struct {
    const char *name;
    const char *option; /* of the build */
    const char *ending; /* of paths, for joblib; zstd's is pandas' */
    const pickle__decoder *decoder;
} codecs[] = {
    [PICKLE_CODEC_AUTO] = { "auto", NULL, NULL, NULL },
    [PICKLE_CODEC_NONE] = { "none", NULL, NULL, NULL },
    [PICKLE_CODEC_ZLIB] = { "zlib", "zlib", ".z", INFLATE_DECODER },
    [PICKLE_CODEC_GZIP] = { "gzip", "zlib", ".gz", INFLATE_DECODER },
    [PICKLE_CODEC_BZ2] = { "bz2", "bzip2", ".bz2", BZ2_DECODER },
    [PICKLE_CODEC_XZ] = { "xz", "lzma", ".xz", LZMA_DECODER },
    [PICKLE_CODEC_LZMA] = { "lzma", "lzma", ".lzma", LZMA_DECODER },
    [PICKLE_CODEC_LZ4] = { "lz4", "lz4", ".lz4", LZ4_DECODER },
    [PICKLE_CODEC_ZSTD] = { "zstd", "zstd", ".zst", ZSTD_DECODER },
    [PICKLE_CODEC_ZFILE] = { "zfile", "zlib", NULL, INFLATE_DECODER },
    [PICKLE_CODEC_DEFLATE] = { "deflate", "zlib", NULL, INFLATE_DECODER },
};

#define CODECS (sizeof codecs / sizeof *codecs)

const char *pickle_codec_name(pickle_codec codec)
{
    return (size_t)codec < CODECS ? codecs[codec].name : "unknown";
}

bool pickle_codec_available(pickle_codec codec)
{
    return (size_t)codec < CODECS && codecs[codec].decoder;
}

bool pickle_codec_from_name(const char *name, pickle_codec *out)
{
    for (size_t i = 0; name && i < CODECS; i++) {
        if (strcmp(codecs[i].name, name) == 0) {
            *out = (pickle_codec)i;
            return true;
        }
    }
    return false;
}

pickle_codec pickle_codec_from_path(const char *path)
{
    size_t len = path ? strlen(path) : 0;

    for (size_t i = 0; i < CODECS; i++) {
        const char *ending = codecs[i].ending;
        size_t ending_len = ending ? strlen(ending) : SIZE_MAX;

        if (ending_len <= len && strcmp(path + len - ending_len, ending) == 0)
            return (pickle_codec)i;
    }
    return PICKLE_CODEC_NONE;
}

bool pickle__codec_missing(pickle_codec codec, pickle_error *err)
{
    const char *option = (size_t)codec < CODECS ? codecs[codec].option : NULL;

    if (!option)
        return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0, "%s: not a codec",
                            pickle_codec_name(codec));
    return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0,
                        "%s: not built in (the build option is -D%s=enabled)",
                        pickle_codec_name(codec), option);
}

/* ------------------------------------------------------------- recognition */

/* Whether the bytes begin with `magic`, as far as they go. */
static bool begins(const unsigned char *head, size_t len, const char *magic, size_t magic_len)
{
    return memcmp(head, magic, len < magic_len ? len : magic_len) == 0;
}

/* joblib looks at the first byte alone. No opcode is 'x'; the check of the two header bytes tells
 * zlib from text. */
static bool is_zlib(const unsigned char *head)
{
    return head[0] == 0x78 && (head[0] << 8 | head[1]) % 31 == 0;
}

/*
 * joblib takes "BZ" for bz2. But 'B' is BINBYTES, and so begins a pickle without
 * PROTO whose bytes object is 0x5a, 0x15a, ... long. So all that is constant in
 * the header is compared: to be mistaken, a pickle would have to hold 825 MB (or
 * 389 MB) that begin with the rest of the magic of a block (or of the end).
 */
static bool is_bz2(const unsigned char *head, size_t len)
{
    if (!begins(head, len, "BZh", 3) || (len > 3 && (head[3] < '1' || head[3] > '9')))
        return false;
    return len <= 4 || begins(head + 4, len - 4, "\x31\x41\x59\x26\x53\x59", 6) ||
           begins(head + 4, len - 4, "\x17\x72\x45\x38\x50\x90", 6);
}

pickle_codec pickle__sniff_codec(const unsigned char *head, size_t len)
{
    if (len < 2)
        return PICKLE_CODEC_NONE;
    if (is_zlib(head))
        return PICKLE_CODEC_ZLIB;
    if (is_bz2(head, len))
        return PICKLE_CODEC_BZ2;
    /* 'Z', 0x1f, 0xfd and 0x04 are no opcodes. */
    if (begins(head, len, "ZF", 2))
        return PICKLE_CODEC_ZFILE;
    if (begins(head, len, "\x1f\x8b", 2))
        return PICKLE_CODEC_GZIP;
    if (begins(head, len, "\xfd\x37\x7a\x58\x5a", 5))
        return PICKLE_CODEC_XZ;
    if (begins(head, len, "\x04\x22\x4d\x18", 4))
        return PICKLE_CODEC_LZ4;
    /* ']' and '(' are EMPTY_LIST and MARK, but 0x00 and 0xb5 are no opcodes. */
    if (begins(head, len, "\x5d\x00", 2))
        return PICKLE_CODEC_LZMA;
    if (begins(head, len, "\x28\xb5\x2f\xfd", 4))
        return PICKLE_CODEC_ZSTD;
    return PICKLE_CODEC_NONE;
}

/* Whether lz4 and zstd step over what begins so: a frame of something else. */
static bool is_skippable(const unsigned char *head, size_t len)
{
    return len >= 4 && (pickle__u32(head) & 0xfffffff0u) == 0x184d2a50u;
}

/* Whether the stream of `codec` that ended goes on with what follows it. */
static bool goes_on(pickle_codec codec, const unsigned char *head, size_t len)
{
    pickle_codec next = pickle__sniff_codec(head, len);

    switch (codec) {
    case PICKLE_CODEC_ZLIB:
    case PICKLE_CODEC_ZFILE:
    case PICKLE_CODEC_DEFLATE:
        return false;
    case PICKLE_CODEC_XZ:
    case PICKLE_CODEC_LZMA:
        return next == PICKLE_CODEC_XZ || next == PICKLE_CODEC_LZMA;
    case PICKLE_CODEC_LZ4:
    case PICKLE_CODEC_ZSTD:
        return next == codec || is_skippable(head, len);
    default:
        return next == codec;
    }
}

/* ------------------------------------------------------------------ memory */

/* Stands before a block and keeps what follows aligned for anything. */
typedef union block_head {
    size_t size;
    max_align_t align;
} block_head;

void *pickle__codec_alloc(void *opaque, size_t count, size_t size)
{
    block_head *block;
    size_t total;

    if (!pickle__mul(count, size, &total) || !pickle__add(total, sizeof *block, &total))
        return NULL;
    block = pickle__alloc(opaque, total);
    if (!block)
        return NULL;
    block->size = total;
    return block + 1;
}

void pickle__codec_free(void *opaque, void *ptr)
{
    block_head *block = ptr;

    if (block)
        pickle__free(opaque, block - 1, block[-1].size);
}

/* ------------------------------------------------------------------ reader */

/* What a step writes is still in the cache when its checksum is computed; and fits the counters of
 * any library. */
#define STEP_SIZE ((size_t)1 << 20)

typedef struct codec_reader {
    pickle__reader reader;
    pickle_codec codec;
    const pickle__decoder *decoder;
    const pickle_alloc *alloc;
    pickle__source input;
    uint64_t produced;
    uint64_t announced; /* bytes, in the header of a ZFILE; else UINT64_MAX */
    uint64_t trailing;
    pickle_status status; /* PICKLE_END after the end */
    pickle_error error;   /* when status is one       */
    bool started;
    max_align_t state[]; /* of the decoder */
} codec_reader;

static void fail(codec_reader *c, pickle_status code, const char *problem)
{
    c->status = code;
    if (code == PICKLE_ERR_NOMEM)
        pickle__no_memory(&c->error, c->produced);
    else
        pickle__fail(&c->error, code, c->produced, "%s: %s at compressed byte %" PRIu64,
                     pickle_codec_name(c->codec), problem, pickle__source_offset(&c->input));
}

/* The input has no more, or could not be read. */
static void fail_input(codec_reader *c)
{
    if (c->input.status == PICKLE_OK) {
        fail(c, PICKLE_ERR_TRUNCATED, "the data end too early,");
    } else {
        c->status = c->input.status;
        c->error = c->input.error;
        c->error.offset = c->produced;
    }
}

static void start(codec_reader *c)
{
    c->started = c->decoder->start(c->state, c->codec, c->alloc);
    if (!c->started)
        fail(c, PICKLE_ERR_NOMEM, "");
}

static void finish(codec_reader *c)
{
    if (c->started)
        c->decoder->finish(c->state);
    c->started = false;
}

/* A stream is over: start with the one that follows it, or be at the end. `unread` bytes before
 * the window are not of the stream, which none follows then. */
static void end_stream(codec_reader *c, size_t unread)
{
    pickle__source *in = &c->input;

    finish(c);
    /* As the gzip module does: tapes and disks pad files with zeros. */
    while (c->codec == PICKLE_CODEC_GZIP && pickle__source_need(in, 1) && *in->at == 0)
        in->at++;
    pickle__source_need(in, PICKLE__SNIFF_SIZE);
    if (in->status != PICKLE_OK) {
        fail_input(c);
    } else if (goes_on(c->codec, in->at, pickle__source_left(in))) {
        start(c);
    } else if (c->announced != UINT64_MAX && c->announced != c->produced) {
        fail(c, PICKLE_ERR_CODEC, "not the length that the header announces,");
    } else {
        if (pickle__source_left(in) + unread > 0)
            c->trailing = pickle__source_offset(in) - unread;
        c->status = PICKLE_END;
    }
}

/* One step of the decoder; returns the bytes it wrote. */
static size_t step(codec_reader *c, unsigned char *dst, size_t size)
{
    bool more = pickle__source_need(&c->input, 1);
    size_t left = pickle__source_left(&c->input);
    pickle__chunk chunk = {
        .in = c->input.at,
        .in_len = left < STEP_SIZE ? left : STEP_SIZE,
        .out = dst,
        .out_len = size < STEP_SIZE ? size : STEP_SIZE,
        .problem = "malformed data",
    };
    pickle_status status = c->decoder->step(c->state, &chunk);
    bool idle = chunk.in == c->input.at && chunk.out == dst;

    c->input.at = chunk.in;
    c->produced += (uint64_t)(chunk.out - dst);
    if (status == PICKLE_END)
        end_stream(c, chunk.unread);
    else if (status != PICKLE_OK)
        fail(c, status, chunk.problem);
    else if (idle && !more)
        fail_input(c);
    else if (idle)
        fail(c, PICKLE_ERR_CODEC, chunk.problem);
    return (size_t)(chunk.out - dst);
}

static pickle_status codec_read(pickle__reader *r, void *dst, size_t size, size_t *got,
                                pickle_error *err)
{
    codec_reader *c = (codec_reader *)r;
    unsigned char *out = dst;
    size_t n = 0;

    while (n < size && c->status == PICKLE_OK)
        n += step(c, out + n, size - n);
    *got = n;
    if (n > 0 || c->status == PICKLE_OK || c->status == PICKLE_END)
        return PICKLE_OK;
    if (err)
        *err = c->error;
    return c->status;
}

static void codec_close(pickle__reader *r)
{
    codec_reader *c = (codec_reader *)r;

    finish(c);
    pickle__source_close(&c->input);
    pickle__free(c->alloc, c, sizeof *c + c->decoder->state_size);
}

static int hex_digit(unsigned char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* "ZF" and the inflated length as Python's hex() writes it, padded with blanks to 21 bytes; to 22
 * by joblib before 0.9 on Python 2. */
static void skip_zfile_header(codec_reader *c)
{
    const unsigned char *head;
    size_t at = 4;

    if (!pickle__source_need(&c->input, 22)) {
        fail_input(c);
        return;
    }
    head = c->input.at;
    for (c->announced = 0; at < 21 && hex_digit(head[at]) >= 0; at++)
        c->announced = c->announced << 4 | (uint64_t)hex_digit(head[at]);
    while (at < 22 && head[at] == ' ')
        at++;
    if (memcmp(head, "ZF0x", 4) != 0 || at < 21)
        fail(c, PICKLE_ERR_CODEC, "malformed header");
    c->input.at += at;
}

/* NULL: no memory. */
static codec_reader *new_reader(pickle_codec codec, pickle__source *input,
                                const pickle_alloc *alloc)
{
    const pickle__decoder *decoder = codecs[codec].decoder;
    codec_reader *c = pickle__alloc(alloc, sizeof *c + decoder->state_size);

    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->reader = (pickle__reader){ codec_read, codec_close };
    c->codec = codec;
    c->decoder = decoder;
    c->alloc = alloc;
    c->input = *input;
    c->announced = UINT64_MAX;
    memset(input, 0, sizeof *input);
    return c;
}

pickle__reader *pickle__codec_reader(pickle_codec codec, pickle__source *input,
                                     const pickle_alloc *alloc, pickle_error *err)
{
    codec_reader *c = NULL;

    if (!pickle_codec_available(codec))
        pickle__codec_missing(codec, err);
    else if (!(c = new_reader(codec, input, alloc)))
        pickle__no_memory(err, 0);
    if (!c) {
        pickle__source_close(input);
        return NULL;
    }
    if (codec == PICKLE_CODEC_ZFILE)
        skip_zfile_header(c);
    if (c->status == PICKLE_OK)
        start(c);
    if (c->status == PICKLE_OK)
        return &c->reader;
    if (err)
        *err = c->error;
    codec_close(&c->reader);
    return NULL;
}

uint64_t pickle__codec_trailing(const pickle__reader *reader)
{
    return ((const codec_reader *)reader)->trailing;
}
