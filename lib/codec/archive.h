/* archive.h - zip and tar archives that lie in memory: their members, and what these hold. */
#ifndef PICKLE__ARCHIVE_H
#define PICKLE__ARCHIVE_H

#include "base/io.h"

#include <pickle/codec.h>

typedef enum pickle__member_kind {
    PICKLE__REGULAR,
    PICKLE__FOLDER,
    PICKLE__OTHER /* of a tar: links, devices, sparse files: no content to be had */
} pickle__member_kind;

/* How zip numbers what it compresses with. */
enum {
    PICKLE__ZIP_STORED = 0,
    PICKLE__ZIP_DEFLATE = 8,
    PICKLE__ZIP_BZ2 = 12,
    PICKLE__ZIP_LZMA = 14,
    PICKLE__ZIP_ZSTD = 93,
    PICKLE__ZIP_XZ = 95
};

/* As the archive tells it; only `offset` and `packed` are checked: they lie within the archive. */
typedef struct pickle__member {
    /* The bytes that the archive has, which may be any: NUL, "..", a slash at the end of folders.
     * Not terminated. In a zip they lie there; in a tar they may be `joined` of the iterator, and
     * so hold until its next member. */
    const char *name;
    size_t name_len;
    pickle__member_kind kind;
    int method;      /* PICKLE__ZIP_..., or a number that is none; STORED in a tar    */
    uint64_t header; /* where the archive has it: for messages                        */
    uint64_t offset; /* of the content, in the archive                                */
    uint64_t packed; /* bytes there                                                   */
    uint64_t size;   /* of the content                                                */
    uint32_t crc;    /* CRC-32 of the content, if has_crc                             */
    bool has_crc;    /* in a zip                                                      */
    bool utf8;       /* what the name is, in a zip, where others are cp437            */
    bool encrypted;  /* no content to be had                                          */
    bool end_marked; /* PICKLE__ZIP_LZMA: the stream tells its own end                */
} pickle__member;

/* An iterator over the members; filled by an open function, and owns nothing. A copy made before
 * the first pickle__archive_next() starts again. */
typedef struct pickle__archive pickle__archive;
struct pickle__archive {
    const unsigned char *data;
    uint64_t size;
    bool stable;      /* memory that outlives the document: see pickle__source         */
    uint64_t at;      /* of the next header                                            */
    uint64_t end;     /* of the headers, in a zip                                      */
    uint64_t start;   /* zip: of the central directory, behind all content             */
    uint64_t shift;   /* zip: bytes in front of the archive, which its offsets leave out */
    char joined[256]; /* tar: a name that came in two parts                            */
    const char *name; /* tar: of all that have no better one, from a global header; or NULL */
    size_t name_len;
    pickle_status (*next)(pickle__archive *a, pickle__member *out, pickle_error *err);
};

/* By the first four bytes. A zip can have others in front; pickle__zip_open() finds it all the
 * same. */
bool pickle__is_zip(const unsigned char *head, size_t len);
/* By the first 512 bytes: those of a header whose checksum is right. */
bool pickle__is_tar(const unsigned char *head, size_t len);

/*
 * Errors, of these and of all below, count their offset in the archive:
 *
 *   PICKLE_ERR_TRUNCATED    the archive ends within a member or before its directory
 *   PICKLE_ERR_CODEC        malformed
 *   PICKLE_ERR_UNSUPPORTED  a zip of several volumes
 */
bool pickle__zip_open(pickle__archive *a, const unsigned char *data, uint64_t size, bool stable,
                      pickle_error *err);
bool pickle__tar_open(pickle__archive *a, const unsigned char *data, uint64_t size, bool stable,
                      pickle_error *err);

/* The next member: PICKLE_OK, PICKLE_END, or an error, which further calls repeat. Members may
 * share content, as hostile ones do: read many of them within a pickle__quota. */
static inline pickle_status pickle__archive_next(pickle__archive *a, pickle__member *out,
                                                 pickle_error *err)
{
    return a->next(a, out, err);
}

/*
 * The content of a regular member. What is stored is a window onto the archive;
 * what is compressed gets inflated, and fails at its end with PICKLE_ERR_CODEC
 * when size or CRC-32 are not what the zip tells; never more than `size` bytes
 * come out. Lower out->read_limit to allow less. Errors while reading count
 * inflated bytes. On failure `*out` is an empty source:
 *
 *   PICKLE_ERR_UNSUPPORTED  encrypted; a method that is unknown or not built in
 *   PICKLE_ERR_CODEC        stored, with another size than `packed`
 *   PICKLE_ERR_TYPE         not a regular member
 *   PICKLE_ERR_NOMEM
 */
bool pickle__member_source(const pickle__archive *a, const pickle__member *member,
                           const pickle_alloc *alloc, pickle__source *out, pickle_error *err);

/* Bytes that members together may still have: what they inflate to, and what is stored, which is no
 * more than the archive has unless they share it. */
typedef struct pickle__quota {
    uint64_t inflated, stored;
} pickle__quota;

/* Likewise within a quota, to which pickle__member_close() tells what was inflated. Members that
 * share what is stored fail with PICKLE_ERR_CODEC. */
bool pickle__member_open(const pickle__archive *a, const pickle__member *member,
                         pickle__quota *left, const pickle_alloc *alloc, pickle__source *out,
                         pickle_error *err);
void pickle__member_close(pickle__source *src, pickle__quota *left);

/* The name, with or without "./" in front. */
bool pickle__member_is(const pickle__member *member, const char *name);

/* Whether a stored member has the CRC-32 that the zip tells: PICKLE_ERR_CODEC if not. Reads all of
 * it. True for those that are checked while they are read, and where there is nothing to check. */
bool pickle__member_check(const pickle__archive *a, const pickle__member *member,
                          pickle_error *err);

/* CRC-32 as gzip and zip have it, of what went before (at first 0) and these bytes. */
uint32_t pickle__crc32(uint32_t crc, const void *data, size_t len);

#endif
