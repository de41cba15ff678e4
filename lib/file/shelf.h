/*
 * shelf.h - Python's shelves: dbm files whose values are pickles; and dbm files of
 * plain bytes, which have the same formats. Either becomes a dict.
 *
 * One file per format knows where keys and values lie, and gives them one by one
 * to shelf.c, which makes values of them.
 */
#ifndef PICKLE__SHELF_H
#define PICKLE__SHELF_H

#include "file/input.h"

/* By the first bytes: dbm.gnu; the index of dbm.dumb, whose values are in a file beside it;
 * dbm.sqlite3, and every other SQLite database. */
bool pickle__is_gdbm(const unsigned char *head, size_t len);
bool pickle__is_dumb(const unsigned char *head, size_t len);
bool pickle__is_sqlite(const unsigned char *head, size_t len);

bool pickle__read_gdbm(pickle_doc *doc, pickle_error *err);
bool pickle__read_dumb(pickle_doc *doc, pickle_error *err);
bool pickle__read_sqlite(pickle_doc *doc, pickle_error *err);

/* An empty dbm.dumb is known by its name alone. */
bool pickle__is_empty_dumb(const pickle__input *in);

/* ------------------------------------------- between the files of shelves */

typedef enum pickle__shelf_kind {
    PICKLE__UNDECIDED,
    PICKLE__SHELVE, /* a value that is a pickle beyond doubt was there           */
    PICKLE__DBM     /* one that is none was there first: all of them are bytes */
} pickle__shelf_kind;

typedef struct pickle__shelf pickle__shelf;
struct pickle__shelf {
    pickle_doc *doc;
    pickle_error *err;
    const pickle__source *file; /* where the values are: all of it is in memory */
    /* Gives each entry to pickle__shelf_add(), in the order of the file. It may be called twice. */
    bool (*walk)(pickle__shelf *s);
    pickle__shelf_kind kind;
    pickle_val *dict;
    uint64_t charged, most; /* bytes looked at, and how many may be     */
    uint64_t next_report;   /* `charged` when the progress hook is due */
};

/* The document's value is what `walk` gives, of a shelf whose other fields are zero. */
bool pickle__shelf_read(pickle__shelf *s, pickle_doc *doc, const pickle__source *file,
                        bool (*walk)(pickle__shelf *s), pickle_error *err);

/*
 * An entry: its key, which lasts as long as the walk, and a source that is its
 * value. False ends the walk: s->err is filled, or another walk is to come.
 */
bool pickle__shelf_add(pickle__shelf *s, const unsigned char *key, size_t len,
                       pickle__source *value);

/*
 * Whatever a walk looks at because the file points there is counted: entries that
 * share their bytes, and loops, end in an error rather than in time and memory
 * beyond what the size of the file justifies.
 */
bool pickle__shelf_charge(pickle__shelf *s, uint64_t bytes);

/* The bytes of the file, and whether `len` of them are at `at`. */
static inline const unsigned char *pickle__shelf_data(const pickle__shelf *s)
{
    return s->file->at;
}

static inline uint64_t pickle__shelf_size(const pickle__shelf *s)
{
    return pickle__source_left(s->file);
}

static inline bool pickle__shelf_has(const pickle__shelf *s, uint64_t at, uint64_t len)
{
    uint64_t size = pickle__shelf_size(s);

    return at <= size && len <= size - at;
}

/* The input's name without its folder; NULL: not known. */
const char *pickle__shelf_name(const pickle__input *in);
/*
 * A file beside the input, whose name begins like the first `stem` bytes of the
 * input's and ends as `end` says. PICKLE_ERR_MISSING when there is none, or when
 * the input's name is not known.
 */
pickle_status pickle__shelf_beside(pickle_doc *doc, size_t stem, const char *end,
                                   pickle__source *out, pickle_error *err);

/* Those bytes as a source, whose offsets are those in the file. */
pickle__source pickle__shelf_window(const pickle__shelf *s, uint64_t at, uint64_t len);

#endif
