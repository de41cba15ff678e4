/* codec.h - compressed streams: which codec wrote a file, and readers that inflate it. */
#ifndef PICKLE__CODEC_H
#define PICKLE__CODEC_H

#include "base/io.h"

typedef enum pickle__codec {
    PICKLE__CODEC_NONE,
    PICKLE__CODEC_ZLIB,
    PICKLE__CODEC_GZIP,
    PICKLE__CODEC_BZ2,
    PICKLE__CODEC_XZ,
    PICKLE__CODEC_LZMA, /* the format before xz, "lzma alone" */
    PICKLE__CODEC_LZ4,  /* frames */
    PICKLE__CODEC_ZSTD,
    PICKLE__CODEC_ZFILE /* joblib before 0.10: "ZF", the length in hexadecimal, zlib */
} pickle__codec;

/* Bytes at the start of a file that tell the codec; fewer do when the file has no more. */
#define PICKLE__SNIFF_SIZE 10

/* By the leading bytes, as joblib does, but never for bytes that begin a pickle. */
pickle__codec pickle__sniff_codec(const unsigned char *head, size_t len);

/* "zlib", "gzip", "bz2", "xz", "lzma", "lz4", "zstd", "zfile"; "none". */
const char *pickle__codec_name(pickle__codec codec);
/* Whether this build can read it; PICKLE__CODEC_NONE is none. */
bool pickle__codec_available(pickle__codec codec);

/*
 * A reader that inflates what `input` has from its window on; memory is
 * inflated from where it lies. Takes over `input`, also on failure, and leaves
 * an empty source there. Failures: PICKLE_ERR_UNSUPPORTED when the codec is not
 * built in, PICKLE_ERR_NOMEM, PICKLE_ERR_CODEC for a malformed ZFILE header.
 *
 * read() fills all of `size`, unless the stream ends or goes wrong there: then
 * it delivers what came before, as far as the library tells, and the error with
 * the next call, for good. So what stands before the damage can be used. Error
 * offsets count inflated bytes; messages name the compressed offset.
 *
 *   PICKLE_ERR_TRUNCATED  the input ends within the stream
 *   PICKLE_ERR_CODEC      malformed, or a checksum differs
 *   PICKLE_ERR_LIMIT      inflating would need far more memory than any common file does
 *   what `input` failed with
 *
 * Streams that follow each other are one, as for Python's modules: gzip (also
 * with zero bytes between), bz2, xz and lzma, lz4 and zstd. Anything else after
 * the end is not read.
 */
pickle__reader *pickle__codec_reader(pickle__codec codec, pickle__source *input,
                                     const pickle_alloc *alloc, pickle_error *err);

/* Once such a reader has ended: the offset in the compressed input of the first byte that it did
 * not read; 0 when there is none. */
uint64_t pickle__codec_trailing(const pickle__reader *reader);

#endif
