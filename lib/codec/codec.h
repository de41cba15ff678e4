/* codec.h - compressed streams: which codec wrote a file, readers that inflate it, and writers. */
#ifndef PICKLE__CODEC_H
#define PICKLE__CODEC_H

#include "base/io.h"

#include <pickle/codec.h>

/* Bytes at the start of a file that tell the codec; fewer do when the file has no more. */
#define PICKLE__SNIFF_SIZE 10

/* By the leading bytes, as joblib does, but never for bytes that begin a pickle. */
pickle_codec pickle__sniff_codec(const unsigned char *head, size_t len);

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
pickle__reader *pickle__codec_reader(pickle_codec codec, pickle__source *input,
                                     const pickle_alloc *alloc, pickle_error *err);

/* Once such a reader has ended: the offset in the compressed input of the first byte that it did
 * not read; 0 when there is none. */
uint64_t pickle__codec_trailing(const pickle__reader *reader);

/*
 * A writer that compresses to `out`, as one stream (blocks of bz2 that threads made are streams of
 * their own). how->header is read until the first bytes are out. Error offsets count bytes taken.
 *
 *   PICKLE_ERR_UNSUPPORTED  the codec is not built in, or is only read
 *   PICKLE_ERR_ARG          no such level or check; a write after finish()
 *   PICKLE_ERR_IO           the sink refused; errno in `sys`
 *   PICKLE_ERR_NOMEM
 *
 * How the bytes are cut into calls of write() shows in the output of lz4, and of ISA-L where zlib
 * is absent. For joblib's lz4, write at once what Python's pickler does, and arrays in joblib's
 * pieces of 16 MiB.
 */
pickle__writer *pickle__codec_writer(const pickle_compression *how, pickle_sink out,
                                     const pickle_alloc *alloc, pickle_error *err);

#endif
