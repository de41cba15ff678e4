/* tar.c - tar archives as V7, ustar, GNU and pax have them, going from header to header. */
#include "codec/archive.h"

#define BLOCK 512

/* The fields of a header. */
enum {
    NAME_AT = 0,
    NAME_SIZE = 100,
    SIZE_AT = 124,
    SIZE_SIZE = 12,
    CHECKSUM_AT = 148,
    CHECKSUM_SIZE = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_SIZE = 155,
    GNU_MORE_AT = 482, /* sparse: another block of the map follows */
    GNU_MAP_MORE_AT = 504
};

/* ----------------------------------------------------------------- headers */

/* Up to a NUL, if there is one. */
static size_t text_len(const unsigned char *p, size_t size)
{
    const unsigned char *end = memchr(p, '\0', size);

    return end ? (size_t)(end - p) : size;
}

/* Octal digits with blanks around them; or, after 0x80, bytes of a number, the highest first. */
static bool read_number(const unsigned char *p, size_t size, uint64_t *out)
{
    bool binary = p[0] == 0x80;
    size_t i = binary, end = binary ? size : text_len(p, size);
    uint64_t n = 0;

    while (!binary && i < end && p[i] == ' ')
        i++;
    while (!binary && end > i && p[end - 1] == ' ')
        end--;
    for (; i < end; i++) {
        unsigned base = binary ? 256 : 8, digit = binary ? p[i] : p[i] - (unsigned)'0';

        if (digit >= base || n > (UINT64_MAX - digit) / base)
            return false;
        n = n * base + digit;
    }
    *out = n;
    return true;
}

/* The sum of all bytes, those of the sum itself taken for blanks; by some old writers, of signed
 * ones. 0, as which a field without digits counts, is told by none. */
static bool is_header(const unsigned char *p)
{
    uint64_t sum = 0, high = 0, told;

    for (size_t i = 0; i < BLOCK; i++) {
        bool own = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_SIZE;

        sum += own ? ' ' : p[i];
        high += !own && p[i] >= 0x80;
    }
    return read_number(p + CHECKSUM_AT, CHECKSUM_SIZE, &told) && told != 0 &&
           (told == sum || told == sum - 256 * high);
}

bool pickle__is_tar(const unsigned char *head, size_t len)
{
    return len >= BLOCK && is_header(head);
}

static bool is_zero(const unsigned char *p)
{
    return p[0] == 0 && memcmp(p, p + 1, BLOCK - 1) == 0;
}

static pickle_status malformed(pickle_error *err, pickle_status code, uint64_t offset,
                               const char *problem)
{
    pickle__fail(err, code, offset, "tar: %s", problem);
    return code;
}

/* Whether a header of this type has no content behind it, whatever size it tells: links, devices,
 * folders, pipes. */
static bool is_alone(unsigned char type)
{
    return type >= '1' && type <= '6';
}

/* The header at `at`: where its content lies, and which type it is. */
static pickle_status read_header(const pickle__archive *a, uint64_t at, pickle__member *m,
                                 unsigned char *type, pickle_error *err)
{
    const unsigned char *p = a->data + at;
    uint64_t left = a->size - at;
    bool more;

    if (left == 0 || (left >= BLOCK && is_zero(p)))
        return PICKLE_END;
    if (left < BLOCK)
        return malformed(err, PICKLE_ERR_TRUNCATED, at, "the data end within a header");
    if (!is_header(p))
        return malformed(err, PICKLE_ERR_CODEC, at, "no header, or with another checksum");
    *m = (pickle__member){ .header = at, .offset = at + BLOCK };
    *type = p[TYPE_AT];
    if (!read_number(p + SIZE_AT, SIZE_SIZE, &m->size))
        return malformed(err, PICKLE_ERR_CODEC, at + SIZE_AT, "malformed size");
    if (is_alone(*type))
        m->size = 0;
    /* The map of a sparse file can go on in blocks of its own. */
    more = *type == 'S' && p[GNU_MORE_AT];
    while (more && a->size - m->offset >= BLOCK) {
        more = a->data[m->offset + GNU_MAP_MORE_AT];
        m->offset += BLOCK;
    }
    return PICKLE_OK;
}

/* Behind the content, which fills whole blocks; the last may lack its padding. */
static uint64_t after(const pickle__archive *a, const pickle__member *m)
{
    uint64_t end = m->offset + m->size, padding = (BLOCK - m->size % BLOCK) % BLOCK;

    return padding < a->size - end ? end + padding : a->size;
}

/* ---------------------------------------------- what precedes a member's own */

/* What headers of their own say about the member that follows them. */
typedef struct notes {
    const char *name;
    size_t name_len;
    uint64_t size;
    bool has_size, sparse;
    bool any; /* such a header was there */
} notes;

/* Only what was not said before. */
static void add_notes(notes *all, const notes *more)
{
    if (!all->name) {
        all->name = more->name;
        all->name_len = more->name_len;
    }
    if (!all->has_size) {
        all->size = more->size;
        all->has_size = more->has_size;
    }
    all->sparse |= more->sparse;
    all->any = true;
}

/* Decimal digits up to `end`, at least one. */
static bool read_decimal(const char *p, const char *end, uint64_t *out)
{
    bool any = p < end;

    for (*out = 0; p < end; p++) {
        unsigned digit = (unsigned char)*p - (unsigned)'0';

        if (digit > 9 || *out > (UINT64_MAX - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return any;
}

static bool begins(const char *p, const char *end, const char *keyword)
{
    size_t len = strlen(keyword);

    return (size_t)(end - p) >= len && memcmp(p, keyword, len) == 0;
}

/* "path=name", without what stands around it. */
static bool read_record(notes *own, const char *p, const char *end)
{
    if (begins(p, end, "path=")) {
        own->name = p + strlen("path=");
        own->name_len = (size_t)(end - own->name);
    } else if (begins(p, end, "size=")) {
        own->has_size = true;
        return read_decimal(p + strlen("size="), end, &own->size);
    } else if (begins(p, end, "GNU.sparse.")) {
        own->sparse = true;
        if (begins(p, end, "GNU.sparse.name=")) {
            own->name = p + strlen("GNU.sparse.name=");
            own->name_len = (size_t)(end - own->name);
        }
    }
    return true;
}

/* Records like "13 path=name\n", where the number counts all of it; a later one replaces one with
 * the same keyword. */
static bool read_pax(notes *own, const char *p, const char *end)
{
    while (p < end && *p != '\0') {
        const char *blank = memchr(p, ' ', (size_t)(end - p));
        uint64_t len;

        if (!blank || !read_decimal(p, blank, &len) || len > (uint64_t)(end - p) ||
            len < (uint64_t)(blank - p) + 2 || p[len - 1] != '\n')
            return false;
        if (!read_record(own, blank + 1, p + len - 1))
            return false;
        p += len;
    }
    return true;
}

/* Whether the header is about the member that follows: GNU's long names, pax, which was Solaris'
 * before; or about all that follow. */
static bool is_note(unsigned char type)
{
    return type == 'L' || type == 'K' || type == 'x' || type == 'X' || type == 'g';
}

static bool read_notes(pickle__archive *a, const pickle__member *m, unsigned char type, notes *all)
{
    const char *p = (const char *)a->data + m->offset;
    notes own = { 0 };

    if (type == 'L') { /* 'K' is the target of a link */
        own.name = p;
        own.name_len = text_len((const unsigned char *)p, (size_t)m->size);
    } else if (type != 'K' && !read_pax(&own, p, p + m->size)) {
        return false;
    }
    if (type != 'g') {
        add_notes(all, &own);
    } else if (own.name) { /* a size for all is no size for any */
        a->name = own.name;
        a->name_len = own.name_len;
    }
    return true;
}

/* ----------------------------------------------------------------- members */

/* The name that the header itself has. POSIX has its start in a field of its own. */
static void own_name(pickle__archive *a, pickle__member *m)
{
    const unsigned char *p = a->data + m->header;
    size_t prefix = 0;

    m->name = (const char *)p + NAME_AT;
    m->name_len = text_len(p + NAME_AT, NAME_SIZE);
    if (memcmp(p + MAGIC_AT, "ustar", 6) == 0)
        prefix = text_len(p + PREFIX_AT, PREFIX_SIZE);
    if (prefix == 0)
        return;
    memcpy(a->joined, p + PREFIX_AT, prefix);
    a->joined[prefix] = '/';
    memcpy(a->joined + prefix + 1, m->name, m->name_len);
    m->name = a->joined;
    m->name_len += prefix + 1;
}

static pickle__member_kind kind_of(const pickle__member *m, unsigned char type, bool sparse)
{
    bool plain = type == '0' || type == '\0' || type == '7'; /* '7': of one piece on the disk */
    bool slash = m->name_len > 0 && m->name[m->name_len - 1] == '/';

    /* V7 has no type for folders. */
    if (type == '5' || (type == '\0' && slash))
        return PICKLE__FOLDER;
    return plain && !sparse ? PICKLE__REGULAR : PICKLE__OTHER;
}

static void complete(pickle__archive *a, pickle__member *m, unsigned char type, const notes *n)
{
    own_name(a, m);
    if (n->name || a->name) {
        m->name = n->name ? n->name : a->name;
        m->name_len = n->name ? n->name_len : a->name_len;
    }
    if (n->has_size && !is_alone(type))
        m->size = n->size;
    m->packed = m->size;
    m->kind = kind_of(m, type, n->sparse);
}

static pickle_status tar_next(pickle__archive *a, pickle__member *out, pickle_error *err)
{
    uint64_t at = a->at;
    notes all = { 0 };
    pickle__member m;
    unsigned char type;

    do {
        pickle_status status = read_header(a, at, &m, &type, err);

        if (status == PICKLE_END && all.any)
            return malformed(err, PICKLE_ERR_TRUNCATED, at,
                             "the data end before a member's header");
        if (status != PICKLE_OK)
            return status;
        if (!is_note(type))
            complete(a, &m, type, &all);
        if (m.size > a->size - m.offset)
            return malformed(err, PICKLE_ERR_TRUNCATED, at, "the data end within a member");
        if (is_note(type) && !read_notes(a, &m, type, &all))
            return malformed(err, PICKLE_ERR_CODEC, m.offset, "malformed extended header");
        at = after(a, &m);
    } while (is_note(type));
    a->at = at;
    *out = m;
    return PICKLE_OK;
}

bool pickle__tar_open(pickle__archive *a, const unsigned char *data, uint64_t size, bool stable,
                      pickle_error *err)
{
    pickle__member first;
    unsigned char type;
    pickle_status status;

    *a = (pickle__archive){ .data = data, .size = size, .stable = stable, .next = tar_next };
    status = read_header(a, 0, &first, &type, err);
    return status == PICKLE_OK || status == PICKLE_END;
}
