/*
 * clone.c - copies of values with everything under them. A value is copied as
 * it lies there, its parts still the original's; then each part is exchanged
 * for its own copy. The map of what was copied is the queue of what is to do.
 */
#include "graph/slots.h"

#include <pickle/build.h>

typedef struct cloner {
    pickle_doc *doc;
    pickle__map copies;
    const pickle_val *root;
    bool cyclic; /* the root stands within itself */
} cloner;

static size_t node_size(const pickle_val *v)
{
    size_t len = pickle__len(v);
    bool extra;

    switch (pickle__kind(v)) {
    case PICKLE_INT:
        return sizeof(pickle__big) + len;
    case PICKLE_FLOAT:
        return sizeof(pickle__float);
    case PICKLE_STR:
        return (v->tag & PICKLE__RAW ? sizeof(pickle__raw_str) : sizeof(pickle__str)) + len + 1;
    case PICKLE_TUPLE:
        return sizeof(pickle__tuple) + len * sizeof(pickle_val *);
    case PICKLE_GLOBAL:
        return sizeof(pickle__global);
    case PICKLE_OBJECT:
        extra = v->tag & PICKLE__FOLDED || len == PICKLE_CALL_NEWOBJ_EX;
        return sizeof(pickle__object) + (extra ? sizeof(pickle_val *) : 0);
    case PICKLE_PERSID:
    case PICKLE_EXT:
        return sizeof(pickle__ref);
    default:
        return sizeof(pickle__bytes);
    }
}

/* The bytes themselves, so that nothing is left that belongs to the source. */
static bool copy_data(pickle_doc *doc, const unsigned char **data, size_t len)
{
    unsigned char *own;

    if (!*data)
        return true;
    own = pickle__arena_grow(&doc->arena, NULL, 0, pickle__round_up(len));
    if (own)
        memcpy(own, *data, len);
    *data = own;
    return own != NULL;
}

static bool copy_changes(pickle_doc *doc, pickle_val *copy, const pickle_val *v)
{
    PICKLE__AS(pickle__symbol, copy)->last = NULL;
    for (const pickle__change *c = NULL; (c = pickle__next_change(v, c));)
        if (!pickle__add_change(doc, copy, (pickle_change_kind)c->kind, c->value))
            return false;
    return true;
}

/* What lies beside the node. */
static bool copy_rest(pickle_doc *doc, pickle_val *copy, const pickle_val *v)
{
    pickle__bytes *b = PICKLE__AS(pickle__bytes, copy);
    pickle__raw_str *raw = PICKLE__AS(pickle__raw_str, copy);

    switch (pickle__kind(v)) {
    case PICKLE_STR:
        return !(v->tag & PICKLE__RAW) || copy_data(doc, &raw->bytes, raw->size);
    case PICKLE_BYTES:
    case PICKLE_BYTEARRAY:
    case PICKLE_BUFFER:
        b->room = 0;
        return copy_data(doc, &b->data, pickle__len(v));
    default:
        return !pickle__is_symbol(v) || copy_changes(doc, copy, v);
    }
}

static pickle_val *copy_node(pickle_doc *doc, const pickle_val *v)
{
    size_t size = node_size(v);
    pickle_val *copy = pickle__arena_take(&doc->arena, size);

    if (!copy)
        return NULL;
    memcpy(copy, v, size);
    copy->tag &= ~PICKLE__LOOSE;
    return copy_rest(doc, copy, v) ? copy : NULL;
}

/* Not as they lie there: lists have room to grow, and readers may be making a table's index. */
static pickle_val *copy_container(pickle_doc *doc, const pickle_val *v)
{
    const pickle__list *l = PICKLE__AS_CONST(pickle__list, v);
    uint64_t flags = PICKLE__MEMOIZED | PICKLE__SHARED;
    pickle_val *copy = pickle__is(v, PICKLE_LIST) ? pickle__new_list(doc)
                                                  : pickle__new_table(doc, pickle__kind(v));

    if (!copy || (pickle__len(v) && !pickle__extend(doc, copy, l->items, pickle__len(v))))
        return NULL;
    copy->tag |= v->tag & flags;
    return copy;
}

static bool is_container(const pickle_val *v)
{
    pickle_kind kind = pickle__kind(v);

    return kind >= PICKLE_LIST && kind <= PICKLE_FROZENSET;
}

/* The copy of `v`, made now if there is none; NULL: no memory. */
static pickle_val *copy_of(cloner *c, const pickle_val *v)
{
    pickle_val *copy;

    if (!pickle__is_node(v) || v->tag & PICKLE__STATIC)
        return pickle__mutable(v);
    copy = pickle__map_get(&c->copies, v);
    if (copy) {
        c->cyclic = c->cyclic || v == c->root;
        return copy;
    }
    copy = is_container(v) ? copy_container(c->doc, v) : copy_node(c->doc, v);
    return copy && pickle__map_add(&c->copies, v, copy) ? copy : NULL;
}

static bool exchange(void *ctx, pickle_val **slot, pickle__place place)
{
    (void)place;
    *slot = copy_of(ctx, *slot);
    return *slot != NULL;
}

static bool exchange_name(cloner *c, pickle__str **name)
{
    *name = PICKLE__AS(pickle__str, copy_of(c, &(*name)->v));
    return *name != NULL;
}

static bool exchange_names(cloner *c, pickle_val *v)
{
    pickle__global *g = PICKLE__AS(pickle__global, v);

    return !pickle__is(v, PICKLE_GLOBAL) ||
           (exchange_name(c, &g->module) && exchange_name(c, &g->name) &&
            exchange_name(c, &g->raw_module) && exchange_name(c, &g->raw_name));
}

pickle_val *pickle_clone(pickle_doc *into, const pickle_val *v)
{
    cloner c = { .doc = into, .copies.alloc = into->alloc, .root = v };
    pickle_val *copy;
    bool ok;

    if (!pickle__given(into, v, "the value to clone"))
        return NULL;
    pickle__edit(into);
    copy = copy_of(&c, v);
    ok = copy != NULL;
    for (size_t i = 0; ok && i < c.copies.count; i++) {
        pickle_val *to = c.copies.pairs[i].to;

        ok = exchange_names(&c, to) && pickle__each_slot(to, exchange, &c);
    }
    /* One that is its own part stands somewhere already. */
    if (ok && c.copies.count && !c.cyclic)
        copy->tag |= PICKLE__LOOSE;
    pickle__map_free(&c.copies);
    if (!ok)
        pickle__doc_no_memory(into);
    return ok ? copy : NULL;
}
