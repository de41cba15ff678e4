/* zip.c - the central directory of a zip archive, and the local headers it points to. */
#include "codec/archive.h"

/* The fixed parts of the records. */
enum {
    END_SIZE = 22,
    LOCATOR_SIZE = 20, /* says where the 64-bit end record is; in front of the old one */
    END64_SIZE = 56,
    ENTRY_SIZE = 46,
    LOCAL_SIZE = 30,
    COMMENT_MAX = 0xffff
};

/* Entries and the old end record have no room for more: see the 64-bit ones. */
#define SATURATED 0xffffffffu

static bool is_record(const unsigned char *p, const char *signature)
{
    return memcmp(p, signature, 4) == 0;
}

bool pickle__is_zip(const unsigned char *head, size_t len)
{
    return len >= 4 && (is_record(head, "PK\3\4") || is_record(head, "PK\5\6"));
}

/* ---------------------------------------------------------------- entries */

static pickle_status malformed(pickle_error *err, uint64_t offset, const char *problem)
{
    pickle__fail(err, PICKLE_ERR_CODEC, offset, "zip: %s", problem);
    return PICKLE_ERR_CODEC;
}

/* Replaces what is saturated of these, in this order, by what the 64-bit extra field has. */
static bool widen(uint64_t *const fields[3], const unsigned char *extra, size_t len)
{
    const unsigned char *wide = NULL;
    size_t left = 0;

    while (len >= 4 && !wide) {
        size_t field = pickle__u16(extra + 2);

        if (field > len - 4)
            break;
        if (pickle__u16(extra) == 1) {
            wide = extra + 4;
            left = field;
        }
        extra += 4 + field;
        len -= 4 + field;
    }
    for (int i = 0; i < 3; i++) {
        if (*fields[i] != SATURATED)
            continue;
        if (left < 8)
            return false;
        *fields[i] = pickle__u64(wide);
        wide += 8;
        left -= 8;
    }
    return true;
}

/* Finds the content behind the local header, `local` bytes into the archive. That header alone
 * tells its own length: the names are the same, the extra fields need not be. */
static pickle_status locate(const pickle__archive *a, pickle__member *m, uint64_t local,
                            pickle_error *err)
{
    uint64_t most = a->start - a->shift, room;
    const unsigned char *p;
    size_t name_len, skip;

    if (local > most || most - local < LOCAL_SIZE)
        return malformed(err, m->header, "the member would lie outside of the archive");
    m->offset = a->shift + local + LOCAL_SIZE;
    p = a->data + m->offset - LOCAL_SIZE;
    name_len = pickle__u16(p + 26);
    skip = name_len + pickle__u16(p + 28);
    room = a->start - m->offset;
    if (!is_record(p, "PK\3\4"))
        return malformed(err, m->offset - LOCAL_SIZE, "no local header where the directory says");
    if (skip > room || m->packed > room - skip)
        return malformed(err, m->offset - LOCAL_SIZE,
                         "the member would reach into the central directory");
    if (name_len != m->name_len || memcmp(p + LOCAL_SIZE, m->name, name_len) != 0)
        return malformed(err, m->offset - LOCAL_SIZE,
                         "the local header has another name than the directory");
    m->offset += skip;
    return PICKLE_OK;
}

static void read_entry(pickle__member *m, const unsigned char *p)
{
    unsigned flags = pickle__u16(p + 8);

    m->name = (const char *)p + ENTRY_SIZE;
    m->name_len = pickle__u16(p + 28);
    m->kind = m->name_len > 0 && m->name[m->name_len - 1] == '/' ? PICKLE__FOLDER : PICKLE__REGULAR;
    m->method = pickle__u16(p + 10);
    m->crc = pickle__u32(p + 16);
    m->has_crc = true;
    m->packed = pickle__u32(p + 20);
    m->size = pickle__u32(p + 24);
    m->encrypted = flags & 1;
    m->end_marked = flags >> 1 & 1;
    m->utf8 = flags >> 11 & 1;
}

static pickle_status zip_next(pickle__archive *a, pickle__member *out, pickle_error *err)
{
    const unsigned char *p = a->data + a->at;
    uint64_t left = a->end - a->at, local;
    pickle__member m = { .header = a->at };
    size_t extra, length;
    pickle_status status;

    if (left == 0)
        return PICKLE_END;
    if (left < ENTRY_SIZE || !is_record(p, "PK\1\2"))
        return malformed(err, a->at, "no entry in the central directory where one should be");
    extra = pickle__u16(p + 30);
    length = ENTRY_SIZE + pickle__u16(p + 28) + extra + pickle__u16(p + 32);
    if (length > left)
        return malformed(err, a->at, "the entry reaches over the end of the central directory");
    read_entry(&m, p);
    local = pickle__u32(p + 42);
    if (!widen((uint64_t *[]){ &m.size, &m.packed, &local }, p + ENTRY_SIZE + m.name_len, extra))
        return malformed(err, a->at, "the entry lacks a 64-bit size or offset");
    status = locate(a, &m, local, err);
    if (status == PICKLE_OK) {
        a->at += length;
        *out = m;
    }
    return status;
}

/* ----------------------------------------------------------- end records */

/* The last one there is, as Python has it; a comment may follow. */
static bool find_end(const pickle__archive *a, uint64_t *out)
{
    if (a->size < END_SIZE)
        return false;
    *out = a->size - END_SIZE;
    for (size_t tries = 0; tries <= COMMENT_MAX; tries++, --*out) {
        if (is_record(a->data + *out, "PK\5\6"))
            return true;
        if (*out == 0)
            break;
    }
    return false;
}

/* Where the 64-bit end record is that belongs to the old one at `end`; `end` if there is none. It
 * stands right before its locator, unless it has data of its own at the end. */
static uint64_t find_end64(const pickle__archive *a, uint64_t end)
{
    uint64_t highest, told;

    if (end < LOCATOR_SIZE + END64_SIZE || !is_record(a->data + end - LOCATOR_SIZE, "PK\6\7"))
        return end;
    highest = end - LOCATOR_SIZE - END64_SIZE;
    if (is_record(a->data + highest, "PK\6\6"))
        return highest;
    told = pickle__u64(a->data + end - LOCATOR_SIZE + 8);
    return told < highest && is_record(a->data + told, "PK\6\6") ? told : end;
}

bool pickle__zip_open(pickle__archive *a, const unsigned char *data, uint64_t size, bool stable,
                      pickle_error *err)
{
    uint64_t end, end64, length, offset;
    uint16_t volume;

    *a = (pickle__archive){ .data = data, .size = size, .stable = stable, .next = zip_next };
    if (!find_end(a, &end))
        return pickle__fail(err,
                            pickle__is_zip(data, size) ? PICKLE_ERR_TRUNCATED : PICKLE_ERR_CODEC,
                            size, "zip: no central directory");
    volume = pickle__u16(data + end + 4);
    if (volume != 0 && volume != 0xffff)
        return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, end, "zip: one of several volumes");
    end64 = find_end64(a, end);
    length = end64 == end ? pickle__u32(data + end + 12) : pickle__u64(data + end64 + 40);
    offset = end64 == end ? pickle__u32(data + end + 16) : pickle__u64(data + end64 + 48);
    /* The directory ends where the records begin, and so tells what is in front of the archive. */
    if (length > end64 || offset > end64 - length)
        return pickle__fail(err, PICKLE_ERR_CODEC, end64,
                            "zip: the central directory would lie outside of the archive");
    a->start = a->at = end64 - length;
    a->end = end64;
    a->shift = a->start - offset;
    return true;
}
