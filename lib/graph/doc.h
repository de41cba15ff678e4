/*
 * doc.h - a document from the inside: the memory its values live in, and what is
 * known about its input.
 */
#ifndef PICKLE__DOC_H
#define PICKLE__DOC_H

#include "base/arena.h"
#include "graph/value.h"

/*
 * The looks of a dict or set with more than a few items: a hash table, and the
 * items without duplicates. Made by the first reader that needs it and
 * published with one atomic store, so that readers need no lock.
 *
 * Every table points at an index from the start: its document's `unindexed`,
 * later maybe `unique` (few items, all different: scan them), or its own. So
 * the document is always at hand, and a table costs one pointer.
 */
struct pickle__index {
    pickle_doc *doc;
    pickle__index *next, *prev;     /* all of the document's, to free them        */
    size_t size;                    /* of this allocation                         */
    size_t count;                   /* items without duplicates; pairs for a dict */
    size_t room;                    /* how many there can be                      */
    pickle_val **items;             /* the table's own, or a copy without them    */
    struct pickle__digest *digests; /* of their keys */
    uint32_t mask;                  /* slots - 1 */
    uint32_t *slots;                /* 0: free, else item number + 1            */
};

/* Facts for pickle_get_origin, gathered on the way; the graph does not show them. */
typedef struct pickle__traits {
    bool py2_str, py3_bytes;    /* opcodes only one of the Pythons writes         */
    bool c_batches, py_batches; /* batch edges only one of the picklers makes     */
    bool memo_from_one;         /* Python 2's cPickle                             */
    uint64_t memo_gap;          /* the first key that was left out; 0: none       */
    bool text;                  /* opcodes that protocol 0 alone has              */
    bool int_lines;             /* INT for small ones: Python 3.6 has LONG alone  */
    bool old_text;              /* UNICODE without the escapes of Python 3.7      */
    bool old_frames;            /* Python 3.4 to 3.6: short ones, or long operands in them */
    bool numpy_old, numpy_new;  /* numpy.core, numpy._core                        */
    bool joblib, joblib_aligned;
    bool joblib_beside;  /* arrays were read from other files: joblib before 0.10 */
    int nested_protocol; /* of joblib's arrays of objects; 0: there are none      */
    size_t full_batches; /* dicts and sets that so far end with a batch of 1000: see vm.c */
    size_t pickles;
} pickle__traits;

struct pickle_doc {
    pickle__arena arena;
    pickle_val *root;
    pickle__index unindexed, unique;
    _Atomic(pickle__index *) indexes;
    _Atomic(size_t) index_bytes;
    _Atomic(uint64_t) seed; /* of the hashes; 0 until one is needed: pickle__doc_seed */
    int protocol;
    bool made;           /* by pickle_doc_new rather than by reading */
    bool edited;         /* something in it was made or changed in C  */
    pickle_error failed; /* the first constructor or change that did; code PICKLE_OK: none */
    pickle_val *names;   /* texts of which there is one node each: see pickle__intern */
    const char *container;
    uint64_t consumed;
    pickle__traits traits;
    /* What the layers above keep with the document: input, machine. Freed by `drop`. */
    void *owned;
    void (*drop)(pickle_doc *doc);
    const pickle_alloc *alloc;
    pickle_alloc own_alloc; /* `alloc` points here, unless it is NULL */
};

/* The secret of this document's hashes: never 0, and not to be guessed from outside. */
uint64_t pickle__doc_seed(const pickle_doc *doc);

/* An empty document; NULL when there is no memory. */
pickle_doc *pickle__doc_new(const pickle_alloc *alloc);
/* All values go; memory is kept. */
void pickle__doc_reset(pickle_doc *doc);

/* ------------------------------------------------------- making nodes */

/*
 * All give NULL when memory runs out (pickle__arena_fail says why), else a node
 * whose content the caller fills.
 */
PICKLE__INLINE pickle_val *pickle__new_table(pickle_doc *doc, pickle_kind kind)
{
    pickle__table *t = pickle__arena_take(&doc->arena, sizeof *t);

    if (pickle__unlikely(!t))
        return NULL;
    t->list.v.tag = PICKLE__TAG(kind, 0);
    t->list.items = NULL;
    atomic_init(&t->index, &doc->unindexed);
    return &t->list.v;
}

PICKLE__INLINE pickle_val *pickle__new_list(pickle_doc *doc)
{
    pickle__list *l = pickle__arena_take(&doc->arena, sizeof *l);

    if (pickle__unlikely(!l))
        return NULL;
    l->v.tag = PICKLE__TAG(PICKLE_LIST, 0);
    l->items = NULL;
    return &l->v;
}

PICKLE__INLINE pickle__tuple *pickle__new_tuple(pickle_doc *doc, size_t n)
{
    pickle__tuple *t = pickle__arena_take(&doc->arena, sizeof *t + n * sizeof *t->items);

    if (pickle__likely(t != NULL))
        t->v.tag = PICKLE__TAG(PICKLE_TUPLE, n);
    return t;
}

/* Room for `len` bytes of text and a NUL, which is set. */
PICKLE__INLINE pickle__str *pickle__new_str(pickle_doc *doc, size_t len)
{
    pickle__str *s = pickle__arena_take(&doc->arena, sizeof *s + len + 1);

    if (pickle__likely(s != NULL)) {
        s->v.tag = PICKLE__TAG(PICKLE_STR, len);
        s->text[len] = '\0';
    }
    return s;
}

pickle_val *pickle__new_float(pickle_doc *doc, double x); /* that fits no pointer */
pickle_val *pickle__new_int(pickle_doc *doc, int64_t n);  /* any                  */
pickle_val *pickle__new_big(pickle_doc *doc, const unsigned char *bytes, size_t len); /* any form */
pickle_val *pickle__new_bytes(pickle_doc *doc, pickle_kind kind, const void *data, size_t len);
pickle__str *pickle__new_text(pickle_doc *doc, const char *text, size_t len); /* valid UTF-8 */

/* Append to LIST, DICT (keys and values in turn), SET or FROZENSET; false: no memory. */
bool pickle__extend(pickle_doc *doc, pickle_val *container, pickle_val *const *items, size_t n);

/* Record that something happened to a symbol; lists, dicts and sets are started here when needed.
 */
bool pickle__add_build(pickle_doc *doc, pickle_val *symbol, pickle_val *state);
bool pickle__add_items(pickle_doc *doc, pickle_val *symbol, pickle_change_kind kind,
                       pickle_val *const *items, size_t n);
bool pickle__add_change(pickle_doc *doc, pickle_val *symbol, pickle_change_kind kind,
                        pickle_val *value);

/* ------------------------------------------------------- keys and indexes */

/* May `key` be a dict key? Marks tuples so that a second look is quick. Bounded by the distinct
 * nodes under it. *no_memory is set when the answer could not be found. */
bool pickle__hashable(pickle_doc *doc, pickle_val *key, bool *no_memory);

/* The table's items without duplicates: pairs for a dict. */
size_t pickle__table_items(const pickle_val *table, pickle_val ***items);
/* The item with this key, its value behind it in a dict; NULL: there is none. */
pickle_val *const *pickle__table_find(const pickle_val *table, const pickle_val *key);
pickle_val *const *pickle__table_find_str(const pickle_val *table, const char *text, size_t len);

/*
 * Changes. A table is settled first: what duplicates it was read with are gone,
 * and what is found in it are its own items. False: no memory for the index.
 */
bool pickle__table_settle(pickle_val *table);
/* Put an item, a dict's with its value, at the end of a settled table that has no such key. */
bool pickle__table_append(pickle_doc *doc, pickle_val *table, pickle_val *const *item);
/* Take out what was found in a settled table; the order stays. */
void pickle__table_remove(pickle_val *table, pickle_val *const *item);
/* Keys or values were changed in place. */
void pickle__table_changed(pickle_val *table);

/* ------------------------------------------------------- made and changed in C */

/* Keep the first failure of a document; returns false. */
PICKLE__COLD bool pickle__doc_fail(pickle_doc *doc, pickle_status code, const char *format, ...)
    PICKLE__PRINTF(3, 4);
PICKLE__COLD bool pickle__doc_no_memory(pickle_doc *doc);

/* Whatever makes or changes values begins here. */
PICKLE__INLINE pickle_doc *pickle__edit(pickle_doc *doc)
{
    doc->edited = true;
    return doc;
}

/* Values are const to those who only read. */
PICKLE__INLINE pickle_val *pickle__mutable(const pickle_val *v)
{
    return (pickle_val *)(uintptr_t)v;
}

/* What a constructor gives: a new node that stands nowhere; for NULL the document has failed. */
pickle_val *pickle__made(pickle_doc *doc, pickle_val *v, uint64_t flags);

/* False, and a failed document, for NULL: a constructor that failed, or the caller's mistake. */
bool pickle__given(pickle_doc *doc, const void *what, const char *name);

/* The one node for this text: of modules, names, and attributes, which CPython interns. */
pickle_val *pickle__intern(pickle_doc *doc, const char *text);

/* May `key` be a key? Else the document has failed. */
bool pickle__check_key(pickle_doc *doc, const pickle_val *key);

/* Set an item of a table: at its place if the key is there, else at the end. */
bool pickle__table_put(pickle_doc *doc, pickle_val *table, const pickle_val *key,
                       const pickle_val *value);

/* The class of an object, as pickle_class. */
const pickle__global *pickle__class_of(const pickle_val *object);

#endif
