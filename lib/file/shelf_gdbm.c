/*
 * shelf_gdbm.c - dbm.gnu: a hash table whose directory points at buckets, and these
 * at keys and values. Facts: gdbm's manual and the structures in its gdbmdefs.h, of
 * which a file is an image, with the sizes and the byte order of the machine that
 * wrote it.
 */
#include "file/shelf.h"

/* What differs: the size of a file offset, and how it is aligned. */
typedef struct layout {
    unsigned offset;  /* bytes of one             */
    unsigned head;    /* of a bucket: in front of its elements */
    unsigned element; /* bytes of one             */
} layout;

typedef struct gdbm {
    pickle__shelf shelf;
    bool big; /* endian */
    layout is;
    uint64_t dir, dir_size; /* the directory: offsets of buckets */
    uint64_t bucket_size, elements;
} gdbm;

/* The low byte tells the size of an offset, which `ace` leaves open; the last two have a header
 * with a counter behind the one that all have. */
static bool is_magic(uint64_t magic)
{
    return magic == 0x13579ace || magic == 0x13579acd || magic == 0x13579acf ||
           magic == 0x13579ad0 || magic == 0x13579ad1;
}

static uint32_t swapped(uint32_t x)
{
    return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
}

bool pickle__is_gdbm(const unsigned char *head, size_t len)
{
    return len >= 4 && (is_magic(pickle__u32(head)) || is_magic(swapped(pickle__u32(head))));
}

/* A number of 4 or 8 bytes, which are there. */
static uint64_t number(const gdbm *g, uint64_t at, unsigned size)
{
    const unsigned char *p = pickle__shelf_data(&g->shelf) + at;
    uint64_t x = 0;

    if (!g->big)
        return size == 4 ? pickle__u32(p) : pickle__u64(p);
    for (unsigned i = 0; i < size; i++)
        x = x << 8 | p[i];
    return x;
}

static bool malformed(gdbm *g, uint64_t at, const char *what)
{
    return pickle__fail(g->shelf.err, PICKLE_ERR_CODEC, at, "gdbm: %s", what);
}

static bool cut(gdbm *g, uint64_t at, const char *what)
{
    return pickle__fail(g->shelf.err, PICKLE_ERR_TRUNCATED, at,
                        "gdbm: %s lies beyond the end of the file", what);
}

/* ------------------------------------------------------------------- header */

/* Header: magic, size of a block, offset of the directory, its size, its bits, then these. */
static bool fits(gdbm *g, const layout *is)
{
    unsigned numbers = 8 + is->offset;

    if (!pickle__shelf_has(&g->shelf, 0, numbers + 16))
        return false;
    g->is = *is;
    g->dir = number(g, 8, is->offset);
    g->dir_size = number(g, numbers, 4);
    g->bucket_size = number(g, numbers + 8, 4);
    g->elements = number(g, numbers + 12, 4);
    return g->elements > 0 && g->bucket_size >= is->head + is->element &&
           g->elements == (g->bucket_size - is->head) / is->element && g->dir_size > 0 &&
           g->dir_size % is->offset == 0;
}

/* How many elements a bucket has tells the layout, whatever the magic says. */
static bool read_header(gdbm *g)
{
    static const layout layouts[] = {
        { 8, 112, 24 },
        { 8, 84, 24 }, /* aligned to 4, as on i386 */
        { 4, 60, 20 },
    };

    g->big = !is_magic(pickle__u32(pickle__shelf_data(&g->shelf)));
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (fits(g, &layouts[i]))
            return pickle__shelf_has(&g->shelf, g->dir, g->dir_size) || cut(g, 0, "the directory");
    return malformed(g, 0, "the header is of no known layout");
}

/* ------------------------------------------------------------------ buckets */

/* An element: hash (-1 if there is none), start of the key, offset of key and value, their sizes.
 */
static bool read_element(gdbm *g, uint64_t at)
{
    uint64_t record = number(g, at + 8, g->is.offset);
    uint64_t key = number(g, at + 8 + g->is.offset, 4),
             value = number(g, at + 12 + g->is.offset, 4);
    pickle__source src;

    if (number(g, at, 4) == UINT32_MAX)
        return true;
    if (!pickle__shelf_has(&g->shelf, record, key + value))
        return cut(g, at, "an entry");
    src = pickle__shelf_window(&g->shelf, record + key, value);
    return pickle__shelf_add(&g->shelf, pickle__shelf_data(&g->shelf) + record, (size_t)key, &src);
}

static bool read_bucket(gdbm *g, uint64_t at)
{
    if (!pickle__shelf_has(&g->shelf, at, g->bucket_size))
        return cut(g, at, "a bucket");
    if (!pickle__shelf_charge(&g->shelf, g->bucket_size))
        return false;
    for (uint64_t i = 0; i < g->elements; i++)
        if (!read_element(g, at + g->is.head + i * g->is.element))
            return false;
    return true;
}

/* A bucket stands in the directory once for each ending of a hash that leads to it, in a row. */
static bool walk(pickle__shelf *s)
{
    gdbm *g = (gdbm *)s;
    uint64_t last = UINT64_MAX;

    if (!read_header(g))
        return false;
    for (uint64_t at = g->dir; at < g->dir + g->dir_size; at += g->is.offset) {
        uint64_t bucket = number(g, at, g->is.offset);

        if (bucket != last && !read_bucket(g, bucket))
            return false;
        last = bucket;
    }
    return true;
}

bool pickle__read_gdbm(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle__source file;
    gdbm g;

    if (!pickle__input_whole(in, err))
        return false;
    file = in->src;
    return pickle__shelf_read(&g.shelf, doc, &file, walk, err);
}
