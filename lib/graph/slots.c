/* slots.c - the places in a value, and the map from values to values. */
#include "graph/slots.h"

/* ------------------------------------------------------------------ places */

static bool each_item(pickle_val **items, size_t n, pickle__place even, pickle__place odd,
                      pickle__slot_visit *visit, void *ctx)
{
    for (size_t i = 0; i < n; i++)
        if (!visit(ctx, &items[i], i % 2 ? odd : even))
            return false;
    return true;
}

static bool each_of_object(pickle__object *o, pickle__slot_visit *visit, void *ctx)
{
    if (!visit(ctx, &o->callable, PICKLE__PLACE_CALLABLE) ||
        !visit(ctx, &o->args, PICKLE__PLACE_ARGS))
        return false;
    if (o->s.v.tag & PICKLE__FOLDED)
        return visit(ctx, &o->extra[0], PICKLE__PLACE_OWN);
    return pickle__len(&o->s.v) != PICKLE_CALL_NEWOBJ_EX ||
           visit(ctx, &o->extra[0], PICKLE__PLACE_KWARGS);
}

static bool each_change(pickle_val *v, pickle__slot_visit *visit, void *ctx)
{
    for (pickle__change *c = NULL; (c = pickle__next_change(v, c));) {
        bool any = c->kind == PICKLE_CHANGE_BUILD || c->kind == PICKLE_CHANGE_NESTED ||
                   c->kind == PICKLE_CHANGE_CALL;

        if (!visit(ctx, &c->value, any ? PICKLE__PLACE_ANY : PICKLE__PLACE_OWN))
            return false;
    }
    return true;
}

bool pickle__each_slot(pickle_val *v, pickle__slot_visit *visit, void *ctx)
{
    pickle__list *l = PICKLE__AS(pickle__list, v);

    switch (pickle__kind(v)) {
    case PICKLE_TUPLE:
        return each_item(PICKLE__AS(pickle__tuple, v)->items, pickle__len(v), PICKLE__PLACE_ANY,
                         PICKLE__PLACE_ANY, visit, ctx);
    case PICKLE_LIST:
        return each_item(l->items, pickle__len(v), PICKLE__PLACE_ANY, PICKLE__PLACE_ANY, visit,
                         ctx);
    case PICKLE_DICT:
        return each_item(l->items, pickle__len(v), PICKLE__PLACE_KEY, PICKLE__PLACE_ANY, visit,
                         ctx);
    case PICKLE_SET:
    case PICKLE_FROZENSET:
        return each_item(l->items, pickle__len(v), PICKLE__PLACE_KEY, PICKLE__PLACE_KEY, visit,
                         ctx);
    case PICKLE_OBJECT:
        return each_of_object(PICKLE__AS(pickle__object, v), visit, ctx) &&
               each_change(v, visit, ctx);
    case PICKLE_PERSID:
    case PICKLE_EXT:
        return visit(ctx, &PICKLE__AS(pickle__ref, v)->id, PICKLE__PLACE_ANY) &&
               each_change(v, visit, ctx);
    case PICKLE_GLOBAL:
        return each_change(v, visit, ctx);
    default:
        return true;
    }
}

/* --------------------------------------------------------------------- map */

static size_t *locate(const pickle__map *m, const pickle_val *from)
{
    size_t mask = m->room * 2 - 1;
    size_t i = (size_t)(((uintptr_t)from >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 24) & mask;

    while (m->slots[i] && m->pairs[m->slots[i] - 1].from != from)
        i = (i + 1) & mask;
    return &m->slots[i];
}

/* A map of its own, so that the old one stands when there is no memory. */
static bool grow(pickle__map *m)
{
    pickle__map bigger = *m;

    bigger.room = m->room ? m->room * 2 : 64;
    bigger.pairs = pickle__alloc(m->alloc, bigger.room * sizeof *bigger.pairs);
    bigger.slots = pickle__alloc(m->alloc, bigger.room * 2 * sizeof *bigger.slots);
    if (!bigger.pairs || !bigger.slots) {
        pickle__map_free(&bigger);
        return false;
    }
    memset(bigger.slots, 0, bigger.room * 2 * sizeof *bigger.slots);
    for (size_t i = 0; i < m->count; i++) {
        bigger.pairs[i] = m->pairs[i];
        *locate(&bigger, m->pairs[i].from) = i + 1;
    }
    pickle__map_free(m);
    *m = bigger;
    return true;
}

pickle_val *pickle__map_get(const pickle__map *m, const pickle_val *from)
{
    size_t number = m->room ? *locate(m, from) : 0;

    return number ? m->pairs[number - 1].to : NULL;
}

bool pickle__map_add(pickle__map *m, const pickle_val *from, pickle_val *to)
{
    if (m->count == m->room && !grow(m))
        return false;
    m->pairs[m->count] = (pickle__pair){ from, to };
    *locate(m, from) = m->count + 1;
    m->count++;
    return true;
}

void pickle__map_free(pickle__map *m)
{
    if (m->pairs)
        pickle__free(m->alloc, m->pairs, m->room * sizeof *m->pairs);
    if (m->slots)
        pickle__free(m->alloc, m->slots, m->room * 2 * sizeof *m->slots);
}
