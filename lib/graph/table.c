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

/* Keys that need no digest to be told apart. */
static bool is_simple(const pickle_val *v)
{
    return pickle__is_small(v) || pickle__is(v, PICKLE_STR);
}

static bool same_str(const pickle_val *a, const pickle_val *b)
{
    return pickle__len(a) == pickle__len(b) &&
           memcmp(pickle__text(a), pickle__text(b), pickle__len(a)) == 0;
}

/* Python's ==, for keys. */
static bool same_key(const pickle_doc *doc, const pickle_val *a, const pickle_val *b)
{
    pickle__digester d;
    pickle__digest x, y;
    bool same;

    if (a == b)
        return true;
    if (is_simple(a) && is_simple(b)) {
        if (pickle__is_small(a) || pickle__is_small(b))
            return pickle__is_small(a) && pickle__is_small(b) &&
                   pickle__small_value(a) == pickle__small_value(b);
        return same_str(a, b);
    }
    if (pickle__is(a, PICKLE_STR) || pickle__is(b, PICKLE_STR))
        return false;
    pickle__digester_init(&d, doc);
    same = pickle__digest_key(&d, a, &x) && pickle__digest_key(&d, b, &y) && x.lo == y.lo &&
           x.hi == y.hi;
    pickle__digester_free(&d);
    return same;
}

/* ------------------------------------------------------------------ making */

/* Space for `n` items, copied if there are duplicates to drop, and twice the slots. */
static pickle__index *new_index(pickle_doc *doc, size_t n, size_t width)
{
    size_t slots = 16, size, copy;
    pickle__index *x;

    if (n >= UINT32_MAX / 4)
        return NULL;
    while (slots < n * 2)
        slots *= 2;
    if (!pickle__mul(n * width, sizeof(pickle_val *), &copy) ||
        !pickle__add(sizeof *x + slots * sizeof *x->slots, copy, &size))
        return NULL;
    x = pickle__alloc(doc->alloc, size);
    if (!x)
        return NULL;
    memset(x, 0, sizeof *x + slots * sizeof *x->slots);
    x->slots = (uint32_t *)(x + 1);
    x->doc = doc;
    x->size = size;
    x->mask = (uint32_t)(slots - 1);
    x->items = (pickle_val **)(void *)(x->slots + slots);
    return x;
}

/* The slot where a key with this digest stands or would stand. */
static uint32_t *probe(pickle__index *x, const pickle_val *key, pickle__digest digest, size_t width)
{
    uint32_t i = (uint32_t)digest.lo & x->mask;

    while (x->slots[i] && !same_key(x->doc, x->items[(x->slots[i] - 1) * width], key))
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
    slot = probe(x, item[0], digest, width);
    if (!*slot) {
        memcpy(x->items + x->count * width, item, width * sizeof *item);
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

static bool all_different(const pickle_doc *doc, const pickle_val *table)
{
    pickle_val *const *items = PICKLE__AS_CONST(pickle__list, table)->items;
    size_t width = stride(table), n = pickle__len(table);

    for (size_t i = width; i < n; i += width)
        for (size_t j = 0; j < i; j += width)
            if (same_key(doc, items[i], items[j]))
                return false;
    return true;
}

static void own(pickle_doc *doc, pickle__index *x)
{
    x->next = atomic_load(&doc->indexes);
    while (!atomic_compare_exchange_weak(&doc->indexes, &x->next, x))
        ;
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
    if (pickle__len(table) / stride(table) <= FEW && all_different(doc, table))
        made = &doc->unique;
    else
        made = make_index(doc, table);
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

/* From the end, so that without an index, too, the last value wins. */
static size_t scan(const pickle_val *table, const pickle_val *key)
{
    const pickle__table *t = PICKLE__AS_CONST(pickle__table, table);
    const pickle_doc *doc = atomic_load_explicit(&t->index, memory_order_acquire)->doc;
    size_t width = stride(table);

    for (size_t i = pickle__len(table) / width; i-- > 0;)
        if (same_key(doc, t->list.items[i * width], key))
            return i;
    return SIZE_MAX;
}

size_t pickle__table_find(const pickle_val *table, const pickle_val *key)
{
    pickle__index *x = index_of(table);
    pickle__digester d;
    pickle__digest digest;
    size_t found = SIZE_MAX;

    if (!has_slots(x))
        return scan(table, key);
    pickle__digester_init(&d, x->doc);
    if (pickle__digest_key(&d, key, &digest))
        found = (size_t)*probe(x, key, digest, stride(table)) - 1;
    pickle__digester_free(&d);
    return found;
}

size_t pickle__table_find_str(const pickle_val *table, const char *text, size_t len)
{
    pickle_val *const *items = PICKLE__AS_CONST(pickle__list, table)->items;
    pickle__index *x = index_of(table);
    size_t width = stride(table);

    if (!has_slots(x)) {
        for (size_t i = pickle__len(table) / width; i-- > 0;)
            if (pickle__is(items[i * width], PICKLE_STR) &&
                pickle__text_is(items[i * width], text, len))
                return i;
        return SIZE_MAX;
    }
    for (uint32_t i = (uint32_t)pickle__digest_str(x->doc, text, len).lo & x->mask; x->slots[i];
         i = (i + 1) & x->mask) {
        const pickle_val *key = x->items[(x->slots[i] - 1) * width];

        if (pickle__is(key, PICKLE_STR) && pickle__text_is(key, text, len))
            return x->slots[i] - 1;
    }
    return SIZE_MAX;
}
