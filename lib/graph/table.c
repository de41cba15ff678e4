/*
 * table.c - looking into dicts and sets: the index that the first reader makes.
 *
 * Reading a pickle does not pay for lookups that nobody makes, and duplicates
 * among the keys stay in the graph, for writing. The first look finds out
 * whether there are any. Readers may do so at the same time: the first to
 * publish wins, the others drop what they made.
 */
#include "graph/key.h"

/* Up to this many keys are compared one by one: no table pays. */
#define FEW 8

static size_t stride(const pickle_val *table)
{
    return pickle__is(table, PICKLE_DICT) ? 2 : 1;
}

/* --------------------------------------------------------------- comparison */

/* Keys that are told apart at a glance: small ints and text. */
static bool is_simple(const pickle_val *v)
{
    return pickle__is_small(v) || pickle__is(v, PICKLE_STR);
}

static bool same_simple(const pickle_val *a, const pickle_val *b)
{
    if (pickle__is_small(a) || pickle__is_small(b))
        return pickle__is_small(a) && pickle__is_small(b) &&
               pickle__small_value(a) == pickle__small_value(b);
    return pickle__text_is(a, pickle__text(b), pickle__len(b));
}

/* ------------------------------------------------------------------ making */

/* Space for `n` items without duplicates, the digests of their keys, and twice the slots. */
static pickle__index *new_index(pickle_doc *doc, size_t n, size_t width)
{
    size_t slots = 16, each = width * sizeof(pickle_val *) + sizeof(pickle__digest), size, tail;
    pickle__index *x;

    if (n >= UINT32_MAX / 4)
        return NULL;
    while (slots < n * 2)
        slots *= 2;
    if (!pickle__mul(n, each, &tail) ||
        !pickle__add(sizeof *x + slots * sizeof *x->slots, tail, &size))
        return NULL;
    x = pickle__alloc(doc->alloc, size);
    if (!x)
        return NULL;
    memset(x, 0, sizeof *x + slots * sizeof *x->slots);
    x->doc = doc;
    x->size = size;
    x->room = n;
    x->mask = (uint32_t)(slots - 1);
    x->slots = (uint32_t *)(x + 1);
    x->digests = (pickle__digest *)(void *)(x->slots + slots);
    x->items = (pickle_val **)(void *)(x->digests + n);
    return x;
}

/* The slot where a key with this digest stands or would stand. */
static uint32_t *probe(const pickle__index *x, pickle__digest digest)
{
    uint32_t i = (uint32_t)digest.lo & x->mask;

    while (x->slots[i] && !pickle__same_digest(x->digests[x->slots[i] - 1], digest))
        i = (i + 1) & x->mask;
    return &x->slots[i];
}

/* First key, last value, as in Python. */
static bool insert(pickle__index *x, pickle__digester *d, pickle_val *const *item, size_t width)
{
    pickle__digest digest;
    uint32_t *slot;

    if (!pickle__digest_key(d, item[0], &digest))
        return false;
    slot = probe(x, digest);
    if (!*slot) {
        memcpy(x->items + x->count * width, item, width * sizeof *item);
        x->digests[x->count] = digest;
        *slot = (uint32_t)++x->count;
    } else if (width == 2) {
        x->items[(*slot - 1) * 2 + 1] = item[1];
    }
    return true;
}

static pickle__index *make_index(pickle_doc *doc, const pickle_val *table)
{
    const pickle__list *l = PICKLE__AS_CONST(pickle__list, table);
    size_t width = stride(table), n = pickle__len(table) / width;
    pickle__index *x = new_index(doc, n, width);
    pickle__digester d;
    bool ok = x != NULL;

    pickle__digester_init(&d, doc);
    for (size_t i = 0; ok && i < n; i++)
        ok = insert(x, &d, l->items + i * width, width);
    pickle__digester_free(&d);
    if (!ok && x)
        pickle__free(doc->alloc, x, x->size);
    return ok ? x : NULL;
}

/* A bit for a simple key; equal keys have the same, and different ones mostly do not. */
static uint64_t mark(const pickle_val *key)
{
    uint64_t n = pickle__is_small(key) ? (uint64_t)pickle__small_value(key)
                                       : pickle__len(key) * 7 + (unsigned char)*pickle__text(key);

    return (uint64_t)1 << n % 64;
}

/* Few keys, simple and all different: no index is needed. */
static bool is_plain(const pickle_val *table)
{
    pickle_val *const *items = PICKLE__AS_CONST(pickle__list, table)->items;
    size_t width = stride(table), n = pickle__len(table);
    uint64_t marks = 0;

    if (n > FEW * width)
        return false;
    for (size_t i = 0; i < n; i += width) {
        if (!is_simple(items[i]))
            return false;
        for (size_t j = 0; marks & mark(items[i]) && j < i; j += width)
            if (same_simple(items[i], items[j]))
                return false;
        marks |= mark(items[i]);
    }
    return true;
}

static void own(pickle_doc *doc, pickle__index *x)
{
    x->next = atomic_load(&doc->indexes);
    while (!atomic_compare_exchange_weak(&doc->indexes, &x->next, x))
        ;
    if (x->next) /* whose `prev` is set by nobody else */
        x->next->prev = x;
    atomic_fetch_add(&doc->index_bytes, x->size);
}

/* The table's index, made now if need be; NULL: no memory for it. */
static pickle__index *index_of(const pickle_val *table)
{
    /* The index is a cache: setting it does not change what a reader sees. */
    pickle__table *t = (pickle__table *)(uintptr_t)table;
    pickle__index *x = atomic_load_explicit(&t->index, memory_order_acquire), *expected = x, *made;
    pickle_doc *doc = x->doc;

    if (x != &doc->unindexed)
        return x;
    made = is_plain(table) ? &doc->unique : make_index(doc, table);
    if (!made)
        return NULL;
    if (!atomic_compare_exchange_strong(&t->index, &expected, made)) {
        if (made != &doc->unique)
            pickle__free(doc->alloc, made, made->size);
        return expected;
    }
    if (made != &doc->unique)
        own(doc, made);
    return made;
}

/* ----------------------------------------------------------------- looking */

static bool has_slots(const pickle__index *x)
{
    return x && x != &x->doc->unique;
}

size_t pickle__table_items(const pickle_val *table, pickle_val ***items)
{
    pickle__index *x = index_of(table);

    if (has_slots(x)) {
        *items = x->items;
        return x->count;
    }
    *items = PICKLE__AS_CONST(pickle__list, table)->items;
    return pickle__len(table) / stride(table);
}

/*
 * Without slots: few simple keys, or no memory for an index. From the end, so
 * that in the latter case, too, the last value wins; keys that are not simple
 * are then found by what they are only.
 */
static pickle_val *const *scan(const pickle_val *table, const pickle_val *key)
{
    pickle_val *const *items = PICKLE__AS_CONST(pickle__list, table)->items;
    size_t width = stride(table);

    for (size_t i = pickle__len(table); i > 0; i -= width) {
        const pickle_val *other = items[i - width];

        if (other == key || (is_simple(other) && is_simple(key) && same_simple(other, key)))
            return items + i - width;
    }
    return NULL;
}

static pickle_val *const *look(const pickle__index *x, const pickle_val *table,
                               pickle__digest digest)
{
    uint32_t number = *probe(x, digest);

    return number ? x->items + (number - 1) * stride(table) : NULL;
}

/* The small int that a bool or a whole float is equal to: 1 == True == 1.0; else the key itself. */
static const pickle_val *simplify(const pickle_val *key)
{
    double x;
    int64_t n;

    if (pickle__kind(key) == PICKLE_FLOAT && pickle_get_f64(key, &x) && x >= -1e15 && x <= 1e15 &&
        (double)(int64_t)x == x)
        n = (int64_t)x;
    else if (!pickle_get_i64(key, &n))
        return key;
    return pickle__fits_small(n) ? pickle__small(n) : key;
}

pickle_val *const *pickle__table_find(const pickle_val *table, const pickle_val *key)
{
    const pickle__index *x = index_of(table);
    pickle__digester d;
    pickle__digest digest;
    bool ok;

    if (!has_slots(x))
        return scan(table, simplify(key));
    pickle__digester_init(&d, x->doc);
    ok = pickle__digest_key(&d, key, &digest);
    pickle__digester_free(&d);
    return ok ? look(x, table, digest) : NULL;
}

pickle_val *const *pickle__table_find_str(const pickle_val *table, const char *text, size_t len)
{
    pickle_val *const *items = PICKLE__AS_CONST(pickle__list, table)->items;
    const pickle__index *x = index_of(table);
    size_t width = stride(table);

    if (has_slots(x))
        return look(x, table, pickle__digest_str(x->doc, text, len));
    for (size_t i = pickle__len(table); i > 0; i -= width)
        if (pickle__is(items[i - width], PICKLE_STR) &&
            pickle__text_is(items[i - width], text, len))
            return items + i - width;
    return NULL;
}

/* ---------------------------------------------------------------- changing */

/*
 * Those who change a document have it for themselves. The index of a table that
 * is changed goes along: it refers to the table's own items, and grows as they do.
 */

static void set_index(pickle_val *table, pickle__index *x)
{
    atomic_store_explicit(&PICKLE__AS(pickle__table, table)->index, x, memory_order_relaxed);
}

static void drop_index(pickle__index *x)
{
    pickle_doc *doc = x->doc;

    if (x->next)
        x->next->prev = x->prev;
    if (x->prev)
        x->prev->next = x->next;
    else
        atomic_store(&doc->indexes, x->next);
    atomic_fetch_sub(&doc->index_bytes, x->size);
    pickle__free(doc->alloc, x, x->size);
}

/* All keys are different: only their digests count. */
static void fill_slots(pickle__index *x)
{
    memset(x->slots, 0, ((size_t)x->mask + 1) * sizeof *x->slots);
    for (size_t i = 0; i < x->count; i++) {
        uint32_t at = (uint32_t)x->digests[i].lo & x->mask;

        while (x->slots[at])
            at = (at + 1) & x->mask;
        x->slots[at] = (uint32_t)i + 1;
    }
}

/* An index with twice the room takes the place of one that is full. */
static pickle__index *grow_index(pickle_val *table, pickle__index *x)
{
    pickle__index *bigger = new_index(x->doc, x->count * 2, 0);

    if (!bigger)
        return NULL;
    bigger->count = x->count;
    bigger->items = x->items;
    memcpy(bigger->digests, x->digests, x->count * sizeof *x->digests);
    fill_slots(bigger);
    own(x->doc, bigger);
    drop_index(x);
    set_index(table, bigger);
    return bigger;
}

bool pickle__table_settle(pickle_val *table)
{
    pickle__list *l = PICKLE__AS(pickle__list, table);
    pickle__index *x = index_of(table);

    if (!has_slots(x))
        return x != NULL;
    if (x->items != l->items) {
        size_t n = x->count * stride(table);

        memcpy(l->items, x->items, n * sizeof *l->items);
        pickle__set_len(table, n);
        x->items = l->items;
    }
    return true;
}

bool pickle__table_append(pickle_doc *doc, pickle_val *table, pickle_val *const *item)
{
    pickle__index *x = index_of(table);
    pickle__digester d;
    pickle__digest digest;
    uint32_t *slot;
    bool ok;

    if (!has_slots(x))
        return pickle__extend(doc, table, item, stride(table));
    if (x->count == x->room && !(x = grow_index(table, x)))
        return false;
    pickle__digester_init(&d, doc);
    ok = pickle__digest_key(&d, item[0], &digest);
    pickle__digester_free(&d);
    slot = ok ? probe(x, digest) : NULL;
    /* It is there after all: there was no memory when it was looked for. */
    if (!slot || *slot || !pickle__extend(doc, table, item, stride(table)))
        return false;
    x->digests[x->count] = digest;
    *slot = (uint32_t)++x->count;
    x->items = PICKLE__AS(pickle__list, table)->items;
    set_index(table, x);
    return true;
}

void pickle__table_remove(pickle_val *table, pickle_val *const *item)
{
    pickle__list *l = PICKLE__AS(pickle__list, table);
    pickle__index *x = index_of(table);
    size_t width = stride(table), left = pickle__len(table) - width;
    size_t at = (size_t)(item - l->items);

    memmove(l->items + at, l->items + at + width, (left - at) * sizeof *l->items);
    pickle__set_len(table, left);
    if (!has_slots(x))
        return;
    x->count--;
    at /= width;
    memmove(x->digests + at, x->digests + at + 1, (x->count - at) * sizeof *x->digests);
    fill_slots(x);
}

void pickle__table_changed(pickle_val *table)
{
    pickle__table *t = PICKLE__AS(pickle__table, table);
    pickle__index *x = atomic_load_explicit(&t->index, memory_order_relaxed);
    pickle_doc *doc = x->doc;

    if (x != &doc->unindexed && x != &doc->unique)
        drop_index(x);
    set_index(table, &doc->unindexed);
}
