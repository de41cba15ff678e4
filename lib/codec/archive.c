/* archive.c - what the members of an archive hold: as it lies there, or inflated and checked. */
#include "codec/archive.h"

#include <inttypes.h>

#include "codec/codec.h"

static bool find_codec(int method, pickle_codec *out)
{
    static const struct {
        int method;
        pickle_codec codec;
    } codecs[] = {
        { PICKLE__ZIP_STORED, PICKLE_CODEC_NONE }, { PICKLE__ZIP_DEFLATE, PICKLE_CODEC_DEFLATE },
        { PICKLE__ZIP_BZ2, PICKLE_CODEC_BZ2 },     { PICKLE__ZIP_LZMA, PICKLE_CODEC_LZMA },
        { PICKLE__ZIP_ZSTD, PICKLE_CODEC_ZSTD },   { PICKLE__ZIP_XZ, PICKLE_CODEC_XZ },
    };

    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (codecs[i].method == method) {
            *out = codecs[i].codec;
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ reader */

/* Passes on what inflating gives, and holds it against the entry. */
typedef struct member_reader {
    pickle__reader reader;
    pickle__reader *content;
    const pickle_alloc *alloc;
    pickle__member member;
    uint64_t left; /* of member.size */
    uint32_t crc;
    bool excess; /* there is more than that */
} member_reader;

/* Nothing more came: is that all? */
static bool check_end(const member_reader *m, pickle_error *err)
{
    uint64_t offset = m->member.size - m->left;
    const char *problem;

    if (m->excess)
        problem = "has more than the size it tells";
    else if (m->left > 0)
        problem = "has less than the size it tells";
    else if (m->crc != m->member.crc)
        problem = "has another CRC-32 than it tells";
    else
        return true;
    return pickle__fail(err, PICKLE_ERR_CODEC, offset, "zip: the member at byte %" PRIu64 " %s",
                        m->member.header, problem);
}

static pickle_status member_read(pickle__reader *r, void *dst, size_t size, size_t *got,
                                 pickle_error *err)
{
    member_reader *m = (member_reader *)r;
    pickle_status status = PICKLE_OK;

    *got = 0;
    if (!m->excess)
        status = pickle__read(m->content, dst, size, got, err);
    if (*got > m->left) {
        m->excess = true;
        *got = (size_t)m->left;
    }
    m->crc = pickle__crc32(m->crc, dst, *got);
    m->left -= *got;
    if (status != PICKLE_OK || *got > 0 || size == 0)
        return status;
    return check_end(m, err) ? PICKLE_OK : PICKLE_ERR_CODEC;
}

static void member_close(pickle__reader *r)
{
    member_reader *m = (member_reader *)r;

    pickle__close(m->content);
    pickle__free(m->alloc, m, sizeof *m);
}

/* Takes over `content`, also on failure. NULL: no memory. */
static pickle__reader *checked(pickle__reader *content, const pickle__member *member,
                               const pickle_alloc *alloc)
{
    member_reader *m = pickle__alloc(alloc, sizeof *m);

    if (!m) {
        pickle__close(content);
        return NULL;
    }
    memset(m, 0, sizeof *m);
    m->reader = (pickle__reader){ member_read, member_close };
    m->content = content;
    m->alloc = alloc;
    m->member = *member;
    m->left = member->size;
    return &m->reader;
}

/* ------------------------------------------------------------------ source */

/*
 * Zip's LZMA has two bytes of version, two with the length of the properties,
 * these, and the stream. The older format of .lzma files has the properties,
 * eight bytes with the size, and the same stream. So one is made the other.
 */
static bool open_lzma(const pickle__archive *a, const pickle__member *member,
                      const pickle_alloc *alloc, pickle__source *in, pickle_error *err)
{
    enum { ZIP_HEAD = 9, PROPERTIES = 5, HEAD = 13 };
    const unsigned char *at = a->data + member->offset;
    uint64_t size = member->end_marked ? UINT64_MAX : member->size;
    pickle__reader *rest;

    if (member->packed < ZIP_HEAD || pickle__u16(at + 2) != PROPERTIES)
        return pickle__fail(err, PICKLE_ERR_CODEC, member->offset, "zip: malformed LZMA header");
    rest = pickle__memory_reader(at + ZIP_HEAD, (size_t)member->packed - ZIP_HEAD, alloc);
    if (!rest || !pickle__source_reader(in, rest, UINT64_MAX, alloc))
        return pickle__no_memory(err, member->offset);
    memcpy(in->buffer, at + 4, PROPERTIES);
    for (int i = PROPERTIES; i < HEAD; i++, size >>= 8)
        in->buffer[i] = (unsigned char)size;
    in->end += HEAD;
    in->base += HEAD;
    return true;
}

static bool open_packed(const pickle__archive *a, const pickle__member *member, pickle_codec codec,
                        const pickle_alloc *alloc, pickle__source *out, pickle_error *err)
{
    pickle__source in;
    pickle__reader *content;

    if (codec == PICKLE_CODEC_LZMA) {
        if (!open_lzma(a, member, alloc, &in, err))
            return false;
    } else {
        pickle__source_memory(&in, a->data + member->offset, (size_t)member->packed, a->stable);
    }
    content = pickle__codec_reader(codec, &in, alloc, err);
    if (!content)
        return false;
    content = checked(content, member, alloc);
    if (!content || !pickle__source_reader(out, content, UINT64_MAX, alloc))
        return pickle__no_memory(err, member->offset);
    return true;
}

bool pickle__member_source(const pickle__archive *a, const pickle__member *member,
                           const pickle_alloc *alloc, pickle__source *out, pickle_error *err)
{
    pickle_codec codec;

    pickle__source_memory(out, NULL, 0, false);
    if (member->kind != PICKLE__REGULAR)
        return pickle__fail(err, PICKLE_ERR_TYPE, member->header, "not a regular member");
    if (member->encrypted)
        return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, member->header,
                            "zip: the member is encrypted");
    if (!find_codec(member->method, &codec))
        return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, member->header,
                            "zip: no such compression method, %d", member->method);
    if (codec != PICKLE_CODEC_NONE)
        return open_packed(a, member, codec, alloc, out, err);
    if (member->packed != member->size)
        return pickle__fail(err, PICKLE_ERR_CODEC, member->header,
                            "zip: stored, but %" PRIu64 " bytes take %" PRIu64, member->size,
                            member->packed);
    pickle__source_memory(out, a->data + member->offset, (size_t)member->size, a->stable);
    return true;
}

bool pickle__member_open(const pickle__archive *a, const pickle__member *member,
                         pickle__quota *left, const pickle_alloc *alloc, pickle__source *out,
                         pickle_error *err)
{
    if (!pickle__member_source(a, member, alloc, out, err))
        return false;
    if (out->reader) {
        out->read_limit = left->inflated;
        return true;
    }
    if (member->size > left->stored)
        return pickle__fail(err, PICKLE_ERR_CODEC, member->header, "the archive's members overlap");
    left->stored -= member->size;
    return true;
}

void pickle__member_close(pickle__source *src, pickle__quota *left)
{
    if (src->reader)
        left->inflated -= src->base;
    pickle__source_close(src);
}

bool pickle__member_is(const pickle__member *member, const char *name)
{
    size_t len = strlen(name);
    size_t skip = member->name_len > 2 && memcmp(member->name, "./", 2) == 0 ? 2 : 0;

    return member->name_len - skip == len && memcmp(member->name + skip, name, len) == 0;
}

bool pickle__member_check(const pickle__archive *a, const pickle__member *member, pickle_error *err)
{
    if (!member->has_crc || member->method != PICKLE__ZIP_STORED || member->encrypted ||
        pickle__crc32(0, a->data + member->offset, (size_t)member->packed) == member->crc)
        return true;
    return pickle__fail(err, PICKLE_ERR_CODEC, member->offset,
                        "zip: the member at byte %" PRIu64 " has another CRC-32 than it tells",
                        member->header);
}
