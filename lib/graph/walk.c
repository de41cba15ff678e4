/* walk.c - over all of a graph, each value once, without recursion. */
#include "graph/doc.h"
#include "graph/walk.h"

/* --------------------------------------------------------------- seen values */

static size_t home(const pickle__seen *seen, const pickle_val *v)
{
    return (size_t)(((uintptr_t)v >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 24) & (seen->room - 1);
}

static size_t locate(const pickle__seen *seen, const pickle_val *v)
{
    size_t i = home(seen, v);

    while (seen->slots[i] && seen->slots[i] != v)
        i = (i + 1) & (seen->room - 1);
    return i;
}

static bool grow(pickle__seen *seen)
{
    pickle__seen bigger = *seen;

    bigger.room = seen->room ? seen->room * 2 : 64;
    bigger.slots = pickle__alloc(seen->alloc, bigger.room * sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    memset(bigger.slots, 0, bigger.room * sizeof *bigger.slots);
    for (size_t i = 0; i < seen->room; i++)
        if (seen->slots[i])
            bigger.slots[locate(&bigger, seen->slots[i])] = seen->slots[i];
    pickle__free(seen->alloc, seen->slots, seen->room * sizeof *seen->slots);
    *seen = bigger;
    return true;
}

bool pickle__seen_add(pickle__seen *seen, const pickle_val *v, bool *known)
{
    size_t i;

    if ((seen->count + 1) * 2 > seen->room && !grow(seen))
        return false;
    i = locate(seen, v);
    *known = seen->slots[i] != NULL;
    if (!*known) {
        seen->slots[i] = v;
        seen->count++;
    }
    return true;
}

/* Those that were pushed on by collisions move back, so that no gap hides them. */
void pickle__seen_remove(pickle__seen *seen, const pickle_val *v)
{
    size_t mask = seen->room - 1, gap = locate(seen, v), i = gap;

    if (!seen->slots[gap])
        return;
    seen->count--;
    for (;;) {
        i = (i + 1) & mask;
        if (!seen->slots[i])
            break;
        if (((i - home(seen, seen->slots[i])) & mask) >= ((i - gap) & mask)) {
            seen->slots[gap] = seen->slots[i];
            gap = i;
        }
    }
    seen->slots[gap] = NULL;
}

void pickle__seen_free(pickle__seen *seen)
{
    pickle__free(seen->alloc, seen->slots, seen->room * sizeof *seen->slots);
    seen->slots = NULL;
    seen->room = seen->count = 0;
}

/* --------------------------------------------------------------------- walk */

/*
 * The parts of a value, numbered: for a symbol the callable, arguments and the
 * like first, then each change. A place in between is remembered as the change
 * itself, so that long lists of changes are not searched again and again.
 */
typedef struct place {
    const pickle_val *of;
    size_t next;
    const pickle__change *change;
} place;

static const pickle_val *symbol_part(place *p)
{
    const pickle__object *o = PICKLE__AS_CONST(pickle__object, p->of);
    const pickle_val *head[3] = { NULL, NULL, NULL };

    if (pickle__is(p->of, PICKLE_OBJECT)) {
        head[0] = o->callable;
        head[1] = o->args;
        head[2] = pickle_kwargs(p->of);
    } else if (!pickle__is(p->of, PICKLE_GLOBAL)) {
        head[0] = pickle_id(p->of);
    }
    while (p->next < 3) {
        const pickle_val *part = head[p->next++];

        if (part)
            return part;
    }
    if (p->next++ == 3)
        p->change = pickle__next_change(p->of, NULL);
    else if (p->change)
        p->change = pickle__next_change(p->of, p->change);
    return p->change ? p->change->value : NULL;
}

/* The next part of the value, NULL when there is none. Dicts give keys and values in turn. */
static const pickle_val *next_part(place *p)
{
    const pickle_val *v = p->of;

    switch (pickle__kind(v)) {
    case PICKLE_TUPLE:
        return p->next < pickle__len(v) ? PICKLE__AS_CONST(pickle__tuple, v)->items[p->next++]
                                        : NULL;
    case PICKLE_LIST:
    case PICKLE_DICT:
    case PICKLE_SET:
    case PICKLE_FROZENSET:
        return p->next < pickle__len(v) ? PICKLE__AS_CONST(pickle__list, v)->items[p->next++]
                                        : NULL;
    case PICKLE_GLOBAL:
    case PICKLE_OBJECT:
    case PICKLE_PERSID:
    case PICKLE_EXT:
        return symbol_part(p);
    default:
        return NULL;
    }
}

static bool has_parts(const pickle_val *v)
{
    pickle_kind kind = pickle__kind(v);

    return kind >= PICKLE_TUPLE && kind <= PICKLE_EXT && v != &pickle__empty_tuple;
}

typedef struct walk {
    place *stack;
    size_t depth, room;
    pickle__seen seen;
    pickle_error *err;
} walk;

static bool push(walk *w, const pickle_val *v)
{
    if (w->depth == w->room) {
        size_t room = w->room ? w->room * 2 : 32;
        place *stack =
            pickle__realloc(NULL, w->stack, w->room * sizeof *stack, room * sizeof *stack);

        if (!stack)
            return pickle__no_memory(w->err, 0);
        w->stack = stack;
        w->room = room;
    }
    w->stack[w->depth++] = (place){ v, 0, NULL };
    return true;
}

typedef bool visitor(void *ctx, const pickle_val *v, size_t depth, bool seen);

static bool enter(walk *w, const pickle_val *v, visitor *visit, void *ctx)
{
    bool known = false;

    if (!has_parts(v))
        return visit(ctx, v, w->depth, false);
    if (!pickle__seen_add(&w->seen, v, &known))
        return pickle__no_memory(w->err, 0);
    return visit(ctx, v, w->depth, known) && (known || push(w, v));
}

bool pickle_walk(const pickle_val *v, visitor *visit, void *ctx, pickle_error *err)
{
    walk w = { .err = err };
    bool ok = !v || enter(&w, v, visit, ctx);

    while (ok && w.depth > 0) {
        const pickle_val *part = next_part(&w.stack[w.depth - 1]);

        if (part)
            ok = enter(&w, part, visit, ctx);
        else
            w.depth--;
    }
    pickle__free(NULL, w.stack, w.room * sizeof *w.stack);
    pickle__seen_free(&w.seen);
    return ok;
}
