/* pickle/codec.h - how files are compressed. */
#ifndef PICKLE_CODEC_H
#define PICKLE_CODEC_H

#include <pickle/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pickle_codec {
    PICKLE_CODEC_AUTO = 0, /* for a path what joblib takes for its extension, else none  */
    PICKLE_CODEC_NONE,
    PICKLE_CODEC_ZLIB, /* .z    */
    PICKLE_CODEC_GZIP, /* .gz   */
    PICKLE_CODEC_BZ2,  /* .bz2  */
    PICKLE_CODEC_XZ,   /* .xz   */
    PICKLE_CODEC_LZMA, /* .lzma; the format before xz, "lzma alone" */
    PICKLE_CODEC_LZ4,  /* .lz4; frames */
    PICKLE_CODEC_ZSTD, /* .zst  */
    /* joblib before 0.10: "ZF", the length in hexadecimal, zlib; read only */
    PICKLE_CODEC_ZFILE,
    /* raw deflate, as zip members have it: read only, never recognised by content */
    PICKLE_CODEC_DEFLATE
} pickle_codec;

#define PICKLE_LEVEL_ZERO INT32_MIN /* a codec's level 0, as 0 itself is the default */

/*
 * How to compress. Levels are the codec's own; 0 means joblib's default for it:
 * zlib and gzip 3, bz2 9, xz and lzma 6, lz4 0 (fast), zstd 3.
 */
typedef struct pickle_compression {
    pickle_codec codec;
    int level;
    /* With the library that Python uses, for the same bytes as Python's. Otherwise a faster encoder
     * of the same format may do what of the data it is good at, and the output may be up to about
     * 10 percent longer. */
    bool exact;
    unsigned threads;   /* that may work on it; 0 and 1: the calling one. Changes the bytes. */
    uint8_t check;      /* xz: the check's number + 1; 0: CRC64, as Python's lzma module */
    const void *header; /* gzip: the header to write, names and times in it; NULL: joblib's */
    size_t header_size;
} pickle_compression;

/* "zlib", "gzip", "bz2", "xz", "lzma", "lz4", "zstd", "zfile", "deflate"; "none" and "auto". Never
 * NULL. */
PICKLE_API const char *pickle_codec_name(pickle_codec codec);
/* The codec of that name; false, and `*out` untouched, when there is none. */
PICKLE_API bool pickle_codec_from_name(const char *name, pickle_codec *out);
/* What joblib (or pandas) would take for a path with this ending; PICKLE_CODEC_NONE for others. */
PICKLE_API pickle_codec pickle_codec_from_path(const char *path);
/* Whether this build reads and writes it. */
PICKLE_API bool pickle_codec_available(pickle_codec codec);

/*
 * How `data`, a whole compressed file, was compressed: what makes the same bytes
 * again from the same content. The header of some codecs tells the level, for
 * the others each candidate is tried until it differs. `out->header` points into
 * `data`. False when no way to make these bytes is known (then `out` holds the
 * codec and a level near it: PICKLE_ERR_UNSUPPORTED), or when the data cannot be
 * inflated. Data that is not compressed gives PICKLE_CODEC_NONE and true.
 */
PICKLE_API bool pickle_find_compression(const void *data, size_t size, pickle_compression *out,
                                        const pickle_alloc *alloc, pickle_error *err);

#ifdef __cplusplus
}
#endif
#endif
