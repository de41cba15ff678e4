/* doc.c - documents: their life, and the nodes in them. */
#if defined(__linux__) || defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__)
#include <unistd.h>
#if defined(__linux__) || defined(__APPLE__)
#include <sys/random.h>
#endif
#endif

#include "base/number.h"
#include "graph/doc.h"

const pickle_val pickle__none = { PICKLE_NONE | PICKLE__STATIC };
const pickle_val pickle__true = { PICKLE__TAG(PICKLE_BOOL, 1) | PICKLE__STATIC };
const pickle_val pickle__false = { PICKLE__TAG(PICKLE_BOOL, 0) | PICKLE__STATIC };
const pickle_val pickle__empty_tuple = { PICKLE_TUPLE | PICKLE__STATIC };
const pickle__float pickle__zero = { { PICKLE_FLOAT | PICKLE__STATIC }, 0.0 };

/* ---------------------------------------------------------------- lifetime */

/* Chosen by the first that asks; when several do at once, the first to store it. */
uint64_t pickle__doc_seed(const pickle_doc *doc)
{
    _Atomic(uint64_t) *seed = (_Atomic(uint64_t) *)(uintptr_t)&doc->seed;
    uint64_t known = atomic_load(seed), fresh;

    if (known)
        return known;
    if (getentropy(&fresh, sizeof fresh) != 0)
        fresh = (uint64_t)(uintptr_t)doc * UINT64_C(0x9e3779b97f4a7c15);
    fresh |= 1;
    return atomic_compare_exchange_strong(seed, &known, fresh) ? fresh : known;
}

pickle_doc *pickle__doc_new(const pickle_alloc *alloc)
{
    pickle_doc *doc = pickle__alloc(alloc, sizeof *doc);

    if (!doc)
        return NULL;
    memset(doc, 0, sizeof *doc);
    if (alloc) {
        doc->own_alloc = *alloc;
        doc->alloc = &doc->own_alloc;
    }
    pickle__arena_init(&doc->arena, doc->alloc);
    doc->unindexed.doc = doc;
    doc->unique.doc = doc;
    atomic_init(&doc->indexes, NULL);
    atomic_init(&doc->index_bytes, 0);
    atomic_init(&doc->seed, 0);
    return doc;
}

static void free_indexes(pickle_doc *doc)
{
    pickle__index *i = atomic_exchange(&doc->indexes, NULL);

    while (i) {
        pickle__index *next = i->next;

        pickle__free(doc->alloc, i, i->size);
        i = next;
    }
    atomic_store(&doc->index_bytes, 0);
}

void pickle__doc_reset(pickle_doc *doc)
{
    if (atomic_load(&doc->indexes))
        free_indexes(doc);
    pickle__arena_reset(&doc->arena);
    doc->root = NULL;
    doc->protocol = 0;
    doc->consumed = 0;
    doc->made = doc->edited = false;
    doc->names = NULL;
    memset(&doc->failed, 0, sizeof doc->failed);
    memset(&doc->traits, 0, sizeof doc->traits);
}

void pickle_doc_free(pickle_doc *doc)
{
    pickle_alloc alloc;
    bool custom;

    if (!doc)
        return;
    if (doc->drop)
        doc->drop(doc);
    free_indexes(doc);
    pickle__arena_free(&doc->arena);
    custom = doc->alloc != NULL;
    alloc = doc->own_alloc; /* which goes with the document */
    pickle__free(custom ? &alloc : NULL, doc, sizeof *doc);
}

const pickle_val *pickle_root(const pickle_doc *doc)
{
    return doc ? doc->root : NULL;
}

int pickle_protocol(const pickle_doc *doc)
{
    return doc ? doc->protocol : 0;
}

const char *pickle_container(const pickle_doc *doc)
{
    return doc && doc->container ? doc->container : "pickle";
}

uint64_t pickle_consumed(const pickle_doc *doc)
{
    return doc ? doc->consumed : 0;
}

/* ------------------------------------------------------------------- atoms */

pickle_val *pickle__new_float(pickle_doc *doc, double x)
{
    pickle__float *f = pickle__arena_take(&doc->arena, sizeof *f);

    if (!f)
        return NULL;
    f->v.tag = PICKLE_FLOAT;
    f->x = x;
    return &f->v;
}

pickle_val *pickle__new_big(pickle_doc *doc, const unsigned char *bytes, size_t len)
{
    pickle__big *b;

    len = pickle__int_trim(bytes, len);
    if (len <= sizeof(int64_t)) {
        uint64_t n = len && bytes[len - 1] & 0x80 ? UINT64_MAX : 0;

        for (size_t i = len; i-- > 0;)
            n = n << 8 | bytes[i];
        if (pickle__fits_small((int64_t)n))
            return pickle__small((int64_t)n);
    }
    b = pickle__arena_take(&doc->arena, sizeof *b + len);
    if (!b)
        return NULL;
    b->v.tag = PICKLE__TAG(PICKLE_INT, len);
    memcpy(b->bytes, bytes, len);
    return &b->v;
}

pickle_val *pickle__new_int(pickle_doc *doc, int64_t n)
{
    unsigned char bytes[8];

    if (pickle__fits_small(n))
        return pickle__small(n);
    return pickle__new_big(doc, bytes, pickle__i64_bytes(bytes, n));
}

pickle_val *pickle__new_bytes(pickle_doc *doc, pickle_kind kind, const void *data, size_t len)
{
    pickle__bytes *b = pickle__arena_take(&doc->arena, sizeof *b);

    if (!b)
        return NULL;
    b->v.tag = PICKLE__TAG(kind, len);
    b->data = data;
    b->room = 0;
    return &b->v;
}

pickle__str *pickle__new_text(pickle_doc *doc, const char *text, size_t len)
{
    pickle__str *s = pickle__new_str(doc, len);

    if (s)
        memcpy(s->text, text, len);
    return s;
}

/* -------------------------------------------------------------- containers */

static size_t power_of_two(size_t n)
{
    uint64_t room = n < 4 ? 3 : (uint64_t)n - 1;

    for (int shift = 1; shift < 64; shift *= 2)
        room |= room >> shift;
    return (size_t)room + 1;
}

static size_t room_of(const pickle__list *l)
{
    size_t len = pickle__len(&l->v);

    return l->v.tag & PICKLE__GROWN ? power_of_two(len) : len;
}

static bool make_room(pickle_doc *doc, pickle__list *l, size_t room, size_t need)
{
    pickle_val **items;
    size_t more = room ? power_of_two(need) : need;

    items = pickle__arena_grow(&doc->arena, l->items, room * sizeof *items, more * sizeof *items);
    if (!items)
        return false;
    l->items = items;
    if (room)
        l->v.tag |= PICKLE__GROWN;
    return true;
}

bool pickle__extend(pickle_doc *doc, pickle_val *container, pickle_val *const *items, size_t n)
{
    pickle__list *l = PICKLE__AS(pickle__list, container);
    size_t len = pickle__len(container), room = room_of(l), need = len + n;

    if (pickle__unlikely(need > PICKLE__LEN_MAX / sizeof *items))
        return false;
    if (need > room && !make_room(doc, l, room, need))
        return false;
    memcpy(l->items + len, items, n * sizeof *items);
    pickle__set_len(container, need);
    /* Somebody may have looked already: a hook, or the reader of a joblib wrapper. */
    if (!pickle__is(container, PICKLE_LIST))
        atomic_store_explicit(&PICKLE__AS(pickle__table, container)->index, &doc->unindexed,
                              memory_order_relaxed);
    return true;
}

bool pickle__add_change(pickle_doc *doc, pickle_val *symbol, pickle_change_kind kind,
                        pickle_val *value)
{
    pickle__symbol *s = PICKLE__AS(pickle__symbol, symbol);
    pickle__change *c = pickle__arena_take(&doc->arena, sizeof *c);

    if (pickle__unlikely(!c))
        return false;
    c->next = s->last ? s->last->next : c;
    c->value = value;
    c->kind = kind;
    if (s->last)
        s->last->next = c;
    s->last = c;
    return true;
}

bool pickle__add_build(pickle_doc *doc, pickle_val *symbol, pickle_val *state)
{
    return pickle__add_change(doc, symbol, PICKLE_CHANGE_BUILD, state);
}

bool pickle__add_items(pickle_doc *doc, pickle_val *symbol, pickle_change_kind kind,
                       pickle_val *const *items, size_t n)
{
    pickle__symbol *s = PICKLE__AS(pickle__symbol, symbol);
    pickle_val *container;

    if (s->last && s->last->kind == kind)
        return pickle__extend(doc, s->last->value, items, n);
    container =
        kind == PICKLE_CHANGE_APPENDS
            ? pickle__new_list(doc)
            : pickle__new_table(doc, kind == PICKLE_CHANGE_SETITEMS ? PICKLE_DICT : PICKLE_SET);
    return container && pickle__extend(doc, container, items, n) &&
           pickle__add_change(doc, symbol, kind, container);
}
