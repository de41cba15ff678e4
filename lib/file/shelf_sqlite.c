/*
 * shelf_sqlite.c - dbm.sqlite3: the table Dict(key, value) of a SQLite database, in the
 * order of its rows. Facts: Python's dbm/sqlite3.py, and "Database File Format" of
 * SQLite's documentation.
 *
 * Only what such a table needs is read here: pages of tables, and records of blobs
 * and text.
 */
#include "base/text.h"
#include "file/shelf.h"

#define FILE_HEADER 100
/* SQLite itself refuses trees that are deeper. */
#define MOST_LEVELS 20
/* Those of the table of tables. */
#define MOST_COLUMNS 5

enum { INTERIOR = 5, LEAF = 13 }; /* pages of tables */

typedef struct sqlite {
    pickle__shelf shelf;
    uint64_t page_size, usable; /* what is reserved at the end of each is not */
    uint64_t root;              /* page of Dict; 0: not found                 */
} sqlite;

typedef struct column {
    uint64_t type; /* from 12 on: text or a blob, and its length */
    const unsigned char *data;
    uint64_t len;
} column;

/* A row as it lies in memory: a window of the file, or pieces put together. */
typedef struct record {
    pickle__source src;
    column columns[MOST_COLUMNS];
    size_t n;
} record;

typedef bool row_reader(sqlite *q, const record *r);

/* A page on the way from the root to a leaf. */
typedef struct level {
    uint64_t at; /* in the file */
    const unsigned char *page;
    unsigned head, n, next; /* where its b-tree begins; cells; which one is due */
    bool leaf;
} level;

bool pickle__is_sqlite(const unsigned char *head, size_t len)
{
    return len >= 16 && memcmp(head, "SQLite format 3", 16) == 0;
}

static bool malformed(sqlite *q, uint64_t at, const char *what)
{
    return pickle__fail(q->shelf.err, PICKLE_ERR_CODEC, at, "SQLite: %s", what);
}

static uint32_t big_u16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t big_u32(const unsigned char *p)
{
    return big_u16(p) << 16 | big_u16(p + 2);
}

/* Up to eight bytes of seven bits each, then one of eight. NULL: it does not end before `end`. */
static const unsigned char *varint(const unsigned char *p, const unsigned char *end, uint64_t *out)
{
    uint64_t x = 0;

    for (int i = 0; p < end && i < 9; i++, p++) {
        x = i < 8 ? x << 7 | (*p & 0x7f) : x << 8 | *p;
        if (*p < 0x80 || i == 8) {
            *out = x;
            return p + 1;
        }
    }
    return NULL;
}

/* Pages are numbered from 1. NULL: s->err is filled. */
static const unsigned char *page_of(sqlite *q, uint64_t number, uint64_t *at)
{
    *at = (number - 1) * q->page_size;
    if (number == 0 || !pickle__shelf_has(&q->shelf, *at, q->page_size)) {
        pickle__fail(q->shelf.err, PICKLE_ERR_TRUNCATED, 0, "SQLite: page %u is not in the file",
                     (unsigned)number);
        return NULL;
    }
    return pickle__shelf_charge(&q->shelf, q->page_size) ? pickle__shelf_data(&q->shelf) + *at
                                                         : NULL;
}

/* ------------------------------------------------------------------ records */

/* How much of a payload stands in its cell. */
static uint64_t local_size(const sqlite *q, uint64_t size)
{
    uint64_t u = q->usable, least = (u - 12) * 32 / 255 - 23;
    uint64_t some = least + (size - least) % (u - 4);

    if (size <= u - 35)
        return size;
    return some <= u - 35 ? some : least;
}

/* What did not fit into the cell: a chain of pages, each with the number of the next one first. */
static bool gather(sqlite *q, unsigned char *to, uint64_t left, uint64_t next)
{
    while (left > 0) {
        uint64_t at, n = left < q->usable - 4 ? left : q->usable - 4;
        const unsigned char *page = page_of(q, next, &at);

        if (!page)
            return false;
        memcpy(to, page + 4, (size_t)n);
        to += n;
        left -= n;
        next = big_u32(page);
    }
    return true;
}

static bool join(sqlite *q, record *r, const unsigned char *local, uint64_t have, uint64_t size)
{
    pickle__arena *arena = &q->shelf.doc->arena;
    unsigned char *joined;

    /* Each of its bytes is one of the file. */
    if (size > pickle__shelf_size(&q->shelf))
        return malformed(q, 0, "a row is larger than the file");
    joined = pickle__arena_grow(arena, NULL, 0, pickle__round_up((size_t)size));
    if (!joined)
        return pickle__arena_fail(arena, q->shelf.err, 0);
    memcpy(joined, local, (size_t)have);
    pickle__source_memory(&r->src, joined, (size_t)size, true);
    return gather(q, joined + have, size - have, big_u32(local + have));
}

/* The columns' types stand in front of their values. */
static bool split(sqlite *q, record *r, uint64_t at)
{
    const unsigned char *p = r->src.at, *end = r->src.end, *value;
    static const unsigned char sizes[12] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };
    uint64_t head;

    p = varint(p, end, &head);
    if (!p || head > (uint64_t)(end - r->src.at))
        return malformed(q, at, "a row has no header");
    value = r->src.at + head;
    for (r->n = 0; r->n < MOST_COLUMNS && p < r->src.at + head; r->n++) {
        column *c = &r->columns[r->n];

        p = varint(p, r->src.at + head, &c->type);
        c->len = !p ? 0 : c->type < 12 ? sizes[c->type] : (c->type - 12) / 2;
        if (!p || c->len > (uint64_t)(end - value))
            return malformed(q, at, "a column lies beyond the end of its row");
        c->data = value;
        value += c->len;
    }
    return true;
}

/* A cell of a leaf: size of the payload, number of the row, payload. */
static bool read_cell(sqlite *q, const level *l, unsigned at, row_reader *row)
{
    const unsigned char *end = l->page + q->usable, *p = l->page + at;
    uint64_t size, number, local;
    record r;

    p = varint(p, end, &size);
    p = p ? varint(p, end, &number) : NULL;
    local = p ? local_size(q, size) : 0;
    if (!p || local + (local < size ? 4 : 0) > (uint64_t)(end - p))
        return malformed(q, l->at + at, "a row lies beyond the end of its page");
    if (local < size) {
        if (!join(q, &r, p, local, size))
            return false;
    } else {
        r.src = pickle__shelf_window(&q->shelf, l->at + (uint64_t)(p - l->page), size);
    }
    return split(q, &r, l->at + at) && row(q, &r);
}

/* -------------------------------------------------------------------- trees */

static bool open_level(sqlite *q, level *l, uint64_t number)
{
    const unsigned char *page = page_of(q, number, &l->at);

    if (!page)
        return false;
    l->page = page;
    l->head = number == 1 ? FILE_HEADER : 0;
    page += l->head;
    if (*page != LEAF && *page != INTERIOR)
        return malformed(q, l->at, "this page is no table's");
    l->leaf = *page == LEAF;
    l->n = big_u16(page + 3);
    l->next = 0;
    if (l->head + (l->leaf ? 8 : 12) + 2 * (uint64_t)l->n > q->usable)
        return malformed(q, l->at, "a page has more cells than room");
    return true;
}

/* Where the next cell of a level is; at least four bytes are there. */
static bool next_cell(sqlite *q, level *l, unsigned *at)
{
    *at = big_u16(l->page + l->head + (l->leaf ? 8 : 12) + 2 * l->next++);
    return *at <= q->usable - 4 || malformed(q, l->at, "a cell lies beyond the end of its page");
}

static bool read_leaf(sqlite *q, level *l, row_reader *row)
{
    unsigned at;

    while (l->next < l->n)
        if (!next_cell(q, l, &at) || !read_cell(q, l, at, row))
            return false;
    return true;
}

/* The child that is due: a cell begins with one's number, and the last one stands in the header. */
static bool next_child(sqlite *q, level *l, uint64_t *number)
{
    unsigned at = l->head + 8;

    if (l->next == l->n)
        l->next++;
    else if (!next_cell(q, l, &at))
        return false;
    *number = big_u32(l->page + at);
    return true;
}

static bool each_row(sqlite *q, uint64_t root, row_reader *row)
{
    level levels[MOST_LEVELS];
    size_t depth = 1;
    uint64_t child;

    if (!open_level(q, &levels[0], root))
        return false;
    while (depth > 0) {
        level *l = &levels[depth - 1];

        if (l->leaf || l->next > l->n) {
            if (l->leaf && !read_leaf(q, l, row))
                return false;
            depth--;
        } else if (depth == MOST_LEVELS) {
            return malformed(q, l->at, "a table is too deep");
        } else if (!next_child(q, l, &child) || !open_level(q, &levels[depth++], child)) {
            return false;
        }
    }
    return true;
}

/* --------------------------------------------------------------------- rows */

static bool is_text(const column *c, const char *text)
{
    return c->type >= 12 && c->len == strlen(text) && memcmp(c->data, text, (size_t)c->len) == 0;
}

/* Of a table: "table", its name, that again, the page of its root, how it was made. */
static bool find_dict(sqlite *q, const record *r)
{
    if (r->n < 5 || !is_text(&r->columns[0], "table") || !is_text(&r->columns[1], "Dict") ||
        r->columns[3].type < 1 || r->columns[3].type > 6)
        return true;
    q->root = 0;
    for (uint64_t i = 0; i < r->columns[3].len; i++)
        q->root = q->root << 8 | r->columns[3].data[i];
    return true;
}

static bool read_row(sqlite *q, const record *r)
{
    const column *key = &r->columns[0], *value = &r->columns[1];
    pickle__source src = r->src;

    if (r->n != 2 || key->type < 12 || value->type < 12)
        return malformed(q, pickle__source_offset(&src), "a row of Dict is not a key and a value");
    src.at = value->data;
    src.base -= (uint64_t)(src.end - (value->data + value->len));
    src.end = value->data + value->len;
    return pickle__shelf_add(&q->shelf, key->data, (size_t)key->len, &src);
}

/* The size of a page, where 1 means 64 KiB, and what is reserved of it. */
static bool read_header(sqlite *q)
{
    const unsigned char *head = pickle__shelf_data(&q->shelf);

    if (!pickle__shelf_has(&q->shelf, 0, FILE_HEADER))
        return pickle__fail(q->shelf.err, PICKLE_ERR_TRUNCATED, 0, "SQLite: the header is cut");
    q->page_size = big_u16(head + 16) == 1 ? 65536 : big_u16(head + 16);
    q->usable = q->page_size - head[20];
    return (q->page_size >= 512 && q->usable >= 480) || malformed(q, 0, "the header is malformed");
}

static bool walk(pickle__shelf *s)
{
    sqlite *q = (sqlite *)s;

    q->root = 0;
    if (!read_header(q) || !each_row(q, 1, find_dict))
        return false;
    if (q->root == 0)
        return pickle__fail(s->err, PICKLE_ERR_UNSUPPORTED, 0,
                            "this is a SQLite database without the table Dict of a shelf");
    return each_row(q, q->root, read_row);
}

/* ------------------------------------------------------------------- a file */

/* Changes that are not yet in the database are in a file beside it: while it is open, or after a
 * crash. */
static bool is_settled(pickle_doc *doc, pickle_error *err)
{
    const char *name = pickle__shelf_name(doc->owned);
    size_t len = name ? strlen(name) : 0;
    pickle__source log;
    pickle_status status = pickle__shelf_beside(doc, len, "-wal", &log, err);

    if (status != PICKLE_OK)
        return status == PICKLE_ERR_MISSING;
    return pickle__source_left(&log) == 0 ||
           pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0,
                        "this SQLite database is in use, or was not closed: the -wal file beside "
                        "it may have changes");
}

bool pickle__read_sqlite(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle__source file;
    sqlite q;

    if (!is_settled(doc, err) || !pickle__input_whole(in, err))
        return false;
    file = in->src;
    return pickle__shelf_read(&q.shelf, doc, &file, walk, err);
}
