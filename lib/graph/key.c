/*
 * key.c - keys as Python compares and hashes them: 1 == 1.0 == True, NaN by
 * identity, tuples and frozensets by content, symbols by identity, globals by name.
 *
 * A key is reduced to a 128-bit digest under the document's secret, 64-bit seed.
 * Equal keys have equal digests by construction; different ones do not, but for
 * a chance that is negligible to those who do not know the seed. So a tower of
 * shared tuples takes as long as its distinct nodes, not its paths.
 */
#include <stdlib.h>

#include "base/number.h"
#include "graph/key.h"

/* ------------------------------------------------------------ SipHash-2-4 */

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

/* SipHash-2-4 with 128 bits of output (Aumasson and Bernstein), the domain mixed into the key. */
static pickle__digest sip(uint64_t seed, unsigned domain, const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t second = seed * UINT64_C(0x9e3779b97f4a7c15); /* the key's other half */
    uint64_t v[4], tail = (uint64_t)len << 56;
    pickle__digest d;

    v[0] = seed ^ UINT64_C(0x736f6d6570736575) ^ domain;
    v[1] = second ^ UINT64_C(0x646f72616e646f6d) ^ 0xee;
    v[2] = seed ^ UINT64_C(0x6c7967656e657261);
    v[3] = second ^ UINT64_C(0x7465646279746573);
    for (; len >= 8; p += 8, len -= 8)
        sip_word(v, pickle__u64(p));
    for (size_t i = 0; i < len; i++)
        tail |= (uint64_t)p[i] << (8 * i);
    sip_word(v, tail);
    v[2] ^= 0xee;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    d.lo = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    d.hi = v[0] ^ v[1] ^ v[2] ^ v[3];
    return d;
}

/* ------------------------------------------------------------------ leaves */

enum domain { D_NONE, D_INT, D_FLOAT, D_STR, D_BYTES, D_IDENTITY, D_GLOBAL, D_TUPLE, D_SET };

pickle__digest pickle__digest_str(const pickle_doc *doc, const char *text, size_t len)
{
    return sip(pickle__doc_seed(doc), D_STR, text, len);
}

static pickle__digest digest_small(const pickle_doc *doc, int64_t n)
{
    unsigned char bytes[8];

    return sip(pickle__doc_seed(doc), D_INT, bytes, pickle__i64_bytes(bytes, n));
}

/*
 * A double that is a whole number as minimal two's complement, little-endian;
 * SIZE_MAX for others. The largest has 1024 bits and a sign.
 */
#define WHOLE_BYTES 136

static size_t whole_bytes(double x, unsigned char bytes[WHOLE_BYTES])
{
    uint64_t bits, mantissa;
    unsigned carry = 1;
    int exponent;

    memcpy(&bits, &x, sizeof bits);
    exponent = (int)(bits >> 52 & 0x7ff) - 1075; /* of the last bit of the mantissa */
    mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    if (x == 0)
        return 0;
    if (exponent < -52 || exponent > 971 ||
        (exponent < 0 && mantissa & ((UINT64_C(1) << -exponent) - 1)))
        return SIZE_MAX;
    if (exponent < 0) {
        mantissa >>= -exponent;
        exponent = 0;
    }
    memset(bytes, 0, WHOLE_BYTES);
    for (int i = 0; i < 64; i++)
        if (mantissa >> i & 1)
            bytes[(exponent + i) / 8] |= (unsigned char)(1 << (exponent + i) % 8);
    for (size_t i = 0; x < 0 && i < WHOLE_BYTES; i++) {
        unsigned byte = (unsigned char)~bytes[i] + carry;

        bytes[i] = (unsigned char)byte;
        carry = byte >> 8;
    }
    return pickle__int_trim(bytes, WHOLE_BYTES);
}

static pickle__digest digest_float(const pickle_doc *doc, const pickle_val *v, double x)
{
    unsigned char bytes[WHOLE_BYTES];
    size_t len;

    if (x != x)
        return sip(pickle__doc_seed(doc), D_IDENTITY, &v, sizeof v);
    len = whole_bytes(x, bytes);
    if (len == SIZE_MAX)
        return sip(pickle__doc_seed(doc), D_FLOAT, &x, sizeof x);
    return sip(pickle__doc_seed(doc), D_INT, bytes, len);
}

static pickle__digest digest_global(const pickle_doc *doc, const pickle__global *g)
{
    uint64_t names[4];
    pickle__digest m =
        pickle__digest_str(doc, pickle__text(&g->module->v), pickle__len(&g->module->v));
    pickle__digest n = pickle__digest_str(doc, pickle__text(&g->name->v), pickle__len(&g->name->v));

    names[0] = m.lo;
    names[1] = m.hi;
    names[2] = n.lo;
    names[3] = n.hi;
    return sip(pickle__doc_seed(doc), D_GLOBAL, names, sizeof names);
}

/* Everything but tuples and frozensets. */
static pickle__digest digest_leaf(const pickle_doc *doc, const pickle_val *v)
{
    const void *bytes;
    size_t len;

    switch (pickle__kind(v)) {
    case PICKLE_NONE:
        return sip(pickle__doc_seed(doc), D_NONE, NULL, 0);
    case PICKLE_BOOL:
        return digest_small(doc, (int64_t)pickle__len(v));
    case PICKLE_INT:
        if (pickle__is_small(v))
            return digest_small(doc, pickle__small_value(v));
        return sip(pickle__doc_seed(doc), D_INT, PICKLE__AS_CONST(pickle__big, v)->bytes,
                   pickle__len(v));
    case PICKLE_FLOAT:
        return digest_float(doc, v, pickle_f64_or(v, 0));
    case PICKLE_STR:
        return pickle__digest_str(doc, pickle__text(v), pickle__len(v));
    case PICKLE_GLOBAL:
        return digest_global(doc, PICKLE__AS_CONST(pickle__global, v));
    case PICKLE_BYTEARRAY: /* no key, but among what is set on an object */
        return sip(pickle__doc_seed(doc), D_IDENTITY, &v, sizeof v);
    default:
        bytes = pickle_bytes(v, &len);
        if (bytes)
            return sip(pickle__doc_seed(doc), D_BYTES, bytes, len);
        return sip(pickle__doc_seed(doc), D_IDENTITY, &v, sizeof v);
    }
}

/* -------------------------------------------------------- tuples, frozensets */

struct known {
    const pickle_val *v;
    pickle__digest digest;
};

struct frame {
    const pickle_val *v;
    size_t next;
};

static bool is_composite(const pickle_val *v)
{
    return pickle__is(v, PICKLE_TUPLE) || pickle__is(v, PICKLE_FROZENSET);
}

static struct known *seen_slot(struct known *table, size_t slots, const pickle_val *v)
{
    size_t i = (size_t)(((uintptr_t)v >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (slots - 1);

    while (table[i].v && table[i].v != v)
        i = (i + 1) & (slots - 1);
    return &table[i];
}

static bool remember(pickle__digester *d, const pickle_val *v, pickle__digest digest)
{
    struct known *slot;

    if (d->n_seen * 2 >= d->slots) {
        size_t slots = d->slots ? d->slots * 2 : 64;
        struct known *table = pickle__alloc(d->doc->alloc, slots * sizeof *table);

        if (!table)
            return false;
        memset(table, 0, slots * sizeof *table);
        for (size_t i = 0; i < d->slots; i++)
            if (d->seen[i].v)
                *seen_slot(table, slots, d->seen[i].v) = d->seen[i];
        pickle__free(d->doc->alloc, d->seen, d->slots * sizeof *d->seen);
        d->seen = table;
        d->slots = slots;
    }
    slot = seen_slot(d->seen, d->slots, v);
    slot->v = v;
    slot->digest = digest;
    d->n_seen++;
    return true;
}

/* Double an array of the digester when it is full. */
static bool grow(const pickle__digester *d, void **array, size_t used, size_t *room, size_t each)
{
    size_t more = *room ? *room * 2 : 16;
    void *bigger;

    if (used < *room)
        return true;
    bigger = pickle__realloc(d->doc->alloc, *array, *room * each, more * each);
    if (!bigger)
        return false;
    *array = bigger;
    *room = more;
    return true;
}

static bool enter(pickle__digester *d, const pickle_val *v)
{
    void *stack = d->stack;

    if (!grow(d, &stack, d->depth, &d->room, sizeof *d->stack))
        return false;
    d->stack = stack;
    d->stack[d->depth++] = (struct frame){ v, 0 };
    return true;
}

static bool add_item(pickle__digester *d, pickle__digest digest)
{
    void *items = d->items;

    if (!grow(d, &items, d->n_items, &d->items_room, sizeof *d->items))
        return false;
    d->items = items;
    d->items[d->n_items++] = digest;
    return true;
}

static pickle_val *const *children(const pickle_val *v)
{
    return pickle__is(v, PICKLE_TUPLE) ? PICKLE__AS_CONST(pickle__tuple, v)->items
                                       : PICKLE__AS_CONST(pickle__list, v)->items;
}

static int compare(const void *a, const void *b)
{
    const pickle__digest *x = a, *y = b;

    if (x->lo != y->lo)
        return x->lo < y->lo ? -1 : 1;
    return x->hi < y->hi ? -1 : x->hi > y->hi;
}

/* A set is its items in any order, each once. */
static size_t normalise(pickle__digest *items, size_t n)
{
    size_t kept = 0;

    if (n)
        qsort(items, n, sizeof *items, compare);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || compare(&items[i], &items[kept - 1]) != 0)
            items[kept++] = items[i];
    return kept;
}

/* All items of `v` are on top of the digester's: replace them by its digest. */
static pickle__digest fold(pickle__digester *d, const pickle_val *v)
{
    size_t n = pickle__len(v);
    pickle__digest *items = n ? d->items + (d->n_items - n) : NULL;

    d->n_items -= n;
    if (pickle__is(v, PICKLE_TUPLE))
        return sip(pickle__doc_seed(d->doc), D_TUPLE, items, n * sizeof *items);
    return sip(pickle__doc_seed(d->doc), D_SET, items, normalise(items, n) * sizeof *items);
}

/* Put the digest of one item on top, or enter the item to get it. */
static bool step(pickle__digester *d, struct frame *f)
{
    const pickle_val *item = children(f->v)[f->next];
    const struct known *k;

    if (is_composite(item)) {
        k = d->slots ? seen_slot(d->seen, d->slots, item) : NULL;
        if (!k || !k->v)
            return enter(d, item);
        f->next++;
        return add_item(d, k->digest);
    }
    f->next++;
    return add_item(d, digest_leaf(d->doc, item));
}

/* Depth first with a stack of its own; false when memory ran out. */
static bool digest_composite(pickle__digester *d, const pickle_val *v, pickle__digest *out)
{
    d->depth = 0;
    d->n_items = 0;
    if (!enter(d, v))
        return false;
    while (d->depth > 0) {
        struct frame *f = &d->stack[d->depth - 1];

        if (f->next < pickle__len(f->v)) {
            if (!step(d, f))
                return false;
            continue;
        }
        *out = fold(d, f->v);
        if (--d->depth > 0 && !remember(d, f->v, *out))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ interface */

void pickle__digester_init(pickle__digester *d, const pickle_doc *doc)
{
    memset(d, 0, sizeof *d);
    d->doc = doc;
}

void pickle__digester_free(pickle__digester *d)
{
    pickle__free(d->doc->alloc, d->seen, d->slots * sizeof *d->seen);
    pickle__free(d->doc->alloc, d->stack, d->room * sizeof *d->stack);
    pickle__free(d->doc->alloc, d->items, d->items_room * sizeof *d->items);
}

bool pickle__digest_key(pickle__digester *d, const pickle_val *v, pickle__digest *out)
{
    if (is_composite(v))
        return digest_composite(d, v, out);
    *out = digest_leaf(d->doc, v);
    return true;
}

/* -------------------------------------------------------------- hashability */

static bool is_unhashable(const pickle_val *v)
{
    switch (pickle__kind(v)) {
    case PICKLE_LIST:
    case PICKLE_DICT:
    case PICKLE_SET:
    case PICKLE_BYTEARRAY:
        return true;
    case PICKLE_BUFFER: /* a bytearray, or a view of one */
        return !(v->tag & (PICKLE__READONLY | PICKLE__ABSENT));
    default:
        return false;
    }
}

static bool is_known_hashable(const pickle_val *v)
{
    return !pickle__is(v, PICKLE_TUPLE) || (v->tag & (PICKLE__HASHABLE | PICKLE__STATIC)) != 0;
}

/*
 * Only tuples need a walk: frozensets were checked when they were made. A tuple
 * is marked when it is entered; if something in it turns out unhashable, the
 * document fails with it, so that no wrong mark is ever seen.
 */
bool pickle__hashable(pickle_doc *doc, pickle_val *key, bool *no_memory)
{
    pickle__list todo = { { PICKLE_LIST }, NULL };
    size_t n;

    *no_memory = false;
    if (is_known_hashable(key))
        return !is_unhashable(key);
    key->tag |= PICKLE__HASHABLE;
    *no_memory = !pickle__extend(doc, &todo.v, &key, 1);
    while (!*no_memory && (n = pickle__len(&todo.v)) > 0) {
        pickle_val *t = todo.items[n - 1];

        pickle__set_len(&todo.v, n - 1);
        for (size_t i = 0; i < pickle__len(t) && !*no_memory; i++) {
            pickle_val *item = PICKLE__AS(pickle__tuple, t)->items[i];

            if (is_unhashable(item))
                return false;
            if (!is_known_hashable(item)) {
                item->tag |= PICKLE__HASHABLE;
                *no_memory = !pickle__extend(doc, &todo.v, &item, 1);
            }
        }
    }
    return !*no_memory;
}
