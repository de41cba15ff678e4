/* deflate.c - the zlib and gzip formats around raw deflate, and which library makes that. */
#include "codec/encoder.h"

#if PICKLE__HAVE_ZLIB || PICKLE__HAVE_ISAL

#if PICKLE__HAVE_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#define ISAL_ENCODER (&pickle__isal_encoder)
#else
#include <zlib.h>
#define ISAL_ENCODER NULL
#endif
#if PICKLE__HAVE_ZLIB
#define ZLIB_ENCODER (&pickle__zlib_encoder)
#else
#define ZLIB_ENCODER NULL
#endif

/* ISA-L's bytes are its own. */
const pickle__encoder *pickle__raw_deflate(const pickle_compression *how)
{
    return PICKLE__HAVE_ZLIB || how->exact ? ZLIB_ENCODER : ISAL_ENCODER;
}

/*
 * igzip's output at its level 2 next to zlib's, and how many times as fast it is, for 53 files:
 * arrays of floats and integers, noise and smooth, sparse and not, forests and boosted trees of
 * scikit-learn, source code, JSON, a log, and pickles of records (zlib 1.2.13, igzip 2.30; one core
 * of an AMD EPYC):
 *
 *   zlib's level             1     2     3     4     5     6     9
 *   size, mean            1.00  1.02  1.05  1.09  1.11  1.15  1.18
 *   size, worst           1.35  1.35  1.35  1.69  1.69  1.69  2.04
 *   more than 10 % longer    5     6    11    16    24    29    30
 *   speed, median            7     7    10    10    13    23    78
 *   speed, least             4     5     7     6    10    12    15
 *
 * Its level 3 is half as fast, and no better for as many of them. So which of the two to take is
 * for the data to show. Level 0 stores, which igzip's does not.
 */
const pickle__encoder *pickle__fast_deflate(const pickle_compression *how)
{
    return PICKLE__HAVE_ZLIB && !how->exact && how->level > 0 ? ISAL_ENCODER : NULL;
}

/* Adler-32 or CRC-32. */
static uint32_t checksum(bool gzip, uint32_t sum, const unsigned char *data, size_t len)
{
#if PICKLE__HAVE_ISAL
    return gzip ? crc32_gzip_refl(sum, data, len) : isal_adler32(sum, data, len);
#else
    return (uint32_t)(gzip ? crc32(sum, data, (uInt)len) : adler32(sum, data, (uInt)len));
#endif
}

/* -------------------------------------------------------------- the format */

typedef struct deflate_state {
    const pickle__encoder *raw;
    void *raw_state;
    const pickle_alloc *alloc;
    bool gzip;
    bool ended;              /* the raw stream                   */
    uint32_t sum;            /* CRC-32 or Adler-32 of the input  */
    uint32_t length;         /* of the input, as far as gzip goes */
    const unsigned char *at; /* header or trailer, what is left  */
    size_t left;
    unsigned char bytes[10];
} deflate_state;

/* As zlib writes them, where its host is Unix. */
static void make_header(deflate_state *s, const pickle_compression *how)
{
    static const unsigned char gzip[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
    unsigned char *b = s->bytes;
    int level = how->level;

    if (s->gzip) {
        memcpy(b, gzip, sizeof gzip);
        b[8] = level == 9 ? 2 : level < 2 ? 4 : 0;
        s->left = sizeof gzip;
    } else {
        unsigned head = 0x7800 | (level < 2 ? 0u : level < 6 ? 1u : level == 6 ? 2u : 3u) << 6;

        head += 31 - head % 31;
        b[0] = (unsigned char)(head >> 8);
        b[1] = (unsigned char)head;
        s->left = 2;
    }
    s->at = b;
}

static void make_trailer(deflate_state *s)
{
    unsigned char *b = s->bytes;

    for (unsigned i = 0; i < 4; i++) {
        b[i] = (unsigned char)(s->sum >> (s->gzip ? 8 * i : 24 - 8 * i));
        b[4 + i] = (unsigned char)(s->length >> 8 * i);
    }
    s->at = b;
    s->left = s->gzip ? 8 : 4;
}

static bool format_start(void *state, const pickle_compression *how, const pickle_alloc *alloc)
{
    deflate_state *s = state;

    memset(s, 0, sizeof *s);
    s->raw = how->threads > 1 || pickle__fast_deflate(how) ? &pickle__parallel_encoder
                                                           : pickle__raw_deflate(how);
    s->alloc = alloc;
    s->gzip = how->codec == PICKLE_CODEC_GZIP;
    s->sum = s->gzip ? 0 : 1;
    make_header(s, how);
    if (s->gzip && how->header) {
        s->at = how->header;
        s->left = how->header_size;
    }
    s->raw_state = pickle__alloc(alloc, s->raw->state_size);
    if (s->raw_state && s->raw->start(s->raw_state, how, alloc))
        return true;
    pickle__free(alloc, s->raw_state, s->raw->state_size);
    return false;
}

static pickle_status format_step(void *state, pickle__chunk *chunk, pickle__flush flush)
{
    const unsigned char *in = chunk->in;
    deflate_state *s = state;
    pickle_status status;
    size_t taken;

    pickle__drain(&s->at, &s->left, chunk);
    if (chunk->out_len == 0)
        return PICKLE_OK;
    if (s->ended)
        return PICKLE_END;
    status = s->raw->step(s->raw_state, chunk, flush);
    taken = (size_t)(chunk->in - in);
    s->sum = checksum(s->gzip, s->sum, in, taken);
    s->length += (uint32_t)taken;
    if (status != PICKLE_END)
        return status;
    s->ended = true;
    make_trailer(s);
    return PICKLE_OK;
}

static void format_finish(void *state)
{
    deflate_state *s = state;

    s->raw->finish(s->raw_state);
    pickle__free(s->alloc, s->raw_state, s->raw->state_size);
}

const pickle__encoder pickle__deflate_encoder = { sizeof(deflate_state), format_start, format_step,
                                                  format_finish, NULL };

#endif
