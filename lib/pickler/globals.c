/* globals.c - classes and functions by name, as each protocol writes them. */
#include "base/names.h"
#include "pickler/save.h"

/* ------------------------------------------------------------ Python 2 names */

static void to_python2(const char **module, size_t *module_len, const char **name, size_t *name_len)
{
    const pickle__renaming *r = pickle__to_python2(*module, *module_len, *name, *name_len);

    if (!r)
        return;
    *module = r->new_module;
    *module_len = strlen(r->new_module);
    if (r->new_name) {
        *name = r->new_name;
        *name_len = strlen(r->new_name);
    }
}

void pickle__save_names(const pickle__pickler *p, const pickle_val *global, const char **module,
                        size_t *module_len, const char **name, size_t *name_len)
{
    const pickle__global *g = PICKLE__AS_CONST(pickle__global, global);
    const pickle_val *m = p->keep ? &g->raw_module->v : &g->module->v;
    const pickle_val *n = p->keep ? &g->raw_name->v : &g->name->v;

    *module = pickle__text(m);
    *module_len = pickle__len(m);
    *name = pickle__text(n);
    *name_len = pickle__len(n);
    if (!p->keep && p->protocol < 3 && p->fix_imports)
        to_python2(module, module_len, name, name_len);
}

/* ---------------------------------------------------------------- one of each */

/* Where it is, or where it goes. */
static struct pickle__name *find_name(const pickle__names *names, pickle__digest d)
{
    size_t i = (size_t)d.lo & (names->room - 1);

    while (names->slots[i].v && !pickle__same_digest(names->slots[i].digest, d))
        i = (i + 1) & (names->room - 1);
    return &names->slots[i];
}

static bool grow_names(pickle__pickler *p)
{
    pickle__names *old = &p->names, more = { .room = old->room ? old->room * 2 : 64 };

    more.slots = pickle__alloc(p->opts->alloc, more.room * sizeof *more.slots);
    if (!more.slots)
        return pickle__save_no_memory(p);
    memset(more.slots, 0, more.room * sizeof *more.slots);
    for (size_t i = 0; i < old->room; i++)
        if (old->slots[i].v)
            *find_name(&more, old->slots[i].digest) = old->slots[i];
    more.count = old->count;
    pickle__free(p->opts->alloc, old->slots, old->room * sizeof *old->slots);
    *old = more;
    return true;
}

/* A free slot is the caller's to fill. NULL: failed. */
static struct pickle__name *name_slot(pickle__pickler *p, pickle__digest d)
{
    struct pickle__name *slot;

    if (p->names.count >= p->names.room / 2 && !grow_names(p))
        return NULL;
    slot = find_name(&p->names, d);
    if (!slot->v)
        slot->digest = d;
    return slot;
}

static void fill(pickle__pickler *p, struct pickle__name *slot, pickle_val *v)
{
    slot->v = v;
    p->names.count++;
}

static pickle__digest digest_global(const pickle__pickler *p, const char *module, size_t module_len,
                                    const char *name, size_t name_len)
{
    pickle__digest m = pickle__digest_str(p->doc, module, module_len);
    pickle__digest n = pickle__digest_str(p->doc, name, name_len);

    /* Neither of the two, nor the other way round. */
    return (pickle__digest){ m.lo + 3 * n.lo + 1, m.hi ^ (n.hi << 1 | n.hi >> 63) };
}

pickle_val *pickle__save_canonical(pickle__pickler *p, pickle_val *global)
{
    const pickle__global *g = PICKLE__AS_CONST(pickle__global, global);
    struct pickle__name *slot;

    if (!g || g->s.last)
        return global;
    slot = name_slot(p, digest_global(p, pickle__text(&g->module->v), pickle__len(&g->module->v),
                                      pickle__text(&g->name->v), pickle__len(&g->name->v)));
    if (slot && !slot->v)
        fill(p, slot, global);
    return slot ? slot->v : NULL;
}

pickle_val *pickle__save_interned(pickle__pickler *p, const char *text, size_t len)
{
    struct pickle__name *slot = name_slot(p, pickle__digest_str(p->doc, text, len));
    pickle_doc *doc = pickle__scratch(p);
    pickle__str *s;

    if (!slot || slot->v || !doc)
        return slot ? slot->v : NULL;
    s = pickle__new_text(doc, text, len);
    if (!s) {
        pickle__save_no_memory(p);
        return NULL;
    }
    s->v.tag |= PICKLE__SHARED | PICKLE__MEMOIZED | PICKLE__LOOSE;
    fill(p, slot, &s->v);
    return &s->v;
}

/* The first str with this text that is interned; maybe this one. NULL: failed. */
static pickle_val *intern(pickle__pickler *p, pickle_val *str)
{
    struct pickle__name *slot =
        name_slot(p, pickle__digest_str(p->doc, pickle__text(str), pickle__len(str)));

    if (slot && !slot->v)
        fill(p, slot, str);
    return slot ? slot->v : NULL;
}

static pickle_val *new_global(pickle__pickler *p, const char *module, const char *name)
{
    pickle_val *m = pickle__save_interned(p, module, strlen(module));
    pickle__global *g = m ? pickle__arena_take(&p->scratch->arena, sizeof *g) : NULL;
    pickle__str *n = g ? pickle__new_text(p->scratch, name, strlen(name)) : NULL;

    if (!n) {
        pickle__save_no_memory(p);
        return NULL;
    }
    g->s = (pickle__symbol){ { PICKLE_GLOBAL | PICKLE__BY_STACK }, NULL };
    g->module = g->raw_module = PICKLE__AS(pickle__str, m);
    g->name = g->raw_name = n;
    return &g->s.v;
}

pickle_val *pickle__save_named(pickle__pickler *p, const char *module, const char *name)
{
    pickle__digest d = digest_global(p, module, strlen(module), name, strlen(name));
    struct pickle__name *slot = name_slot(p, d);
    pickle_val *made;

    if (!slot || slot->v)
        return slot ? slot->v : NULL;
    made = new_global(p, module, name); /* which may have moved the slot */
    slot = made ? name_slot(p, d) : NULL;
    if (slot)
        fill(p, slot, made);
    return made;
}

/* ------------------------------------------------------------------ writing */

/*
 * A.B.c below protocol 4: getattr(getattr(A, 'B'), 'c'), as CPython 3.13 writes
 * it: nothing on the way is stored but the names.
 */
static void save_attributes(pickle__pickler *p, const char *module, size_t module_len,
                            const char *name, size_t name_len)
{
    const char *end = name + name_len, *dot = memchr(name, '.', name_len);
    size_t top_len = (size_t)(dot - name);
    pickle_val *getattr = pickle__save_named(p, "builtins", "getattr");

    if (!getattr)
        return;
    for (const char *at = dot; at; at = memchr(at + 1, '.', (size_t)(end - at - 1))) {
        pickle__save_value(p, getattr);
        pickle__save_mark(p, 2);
    }
    if (p->protocol < 3 && p->fix_imports)
        to_python2(&module, &module_len, &name, &top_len);
    pickle__emit_lines(p->e, PICKLE_OP_GLOBAL, module, module_len, name, top_len);
    while (dot) {
        const char *part = dot + 1;

        dot = memchr(part, '.', (size_t)(end - part));
        pickle_emit_str(p->e, part, (size_t)((dot ? dot : end) - part));
        pickle__save_put_temporary(p);
        pickle__save_tuple(p, 2);
        pickle__emit_byte(p->e, PICKLE_OP_REDUCE);
    }
}

/*
 * The module is interned in CPython. What was read from STACK_GLOBAL shows that
 * already; only what was made here or comes from GLOBAL has to find its like.
 */
static void save_module(pickle__pickler *p, const pickle__global *g)
{
    pickle_val *module = &g->module->v, *interned = intern(p, module);

    if (!interned)
        return;
    if (g->s.v.tag & PICKLE__BY_STACK && !(interned->tag & PICKLE__LOOSE))
        interned = module;
    pickle__emit_boundary(p->e);
    if (pickle__save_get_any(p, interned))
        return;
    pickle__save_str(p, interned);
    if (!(interned->tag & PICKLE__SHARED))
        pickle__save_note(p, interned);
}

static void save_by_stack(pickle__pickler *p, const pickle__global *g)
{
    if (p->keep)
        pickle__save_value(p, &g->raw_module->v);
    else
        save_module(p, g);
    pickle__save_value(p, p->keep ? &g->raw_name->v : &g->name->v);
    pickle__emit_byte(p->e, PICKLE_OP_STACK_GLOBAL);
}

void pickle__save_global(pickle__pickler *p, pickle_val *global)
{
    const pickle__global *g = PICKLE__AS_CONST(pickle__global, global);
    const char *module, *name;
    size_t module_len, name_len;

    pickle__save_names(p, global, &module, &module_len, &name, &name_len);
    if (p->protocol >= 4 && (!p->keep || g->s.v.tag & PICKLE__BY_STACK))
        save_by_stack(p, g);
    else if (!p->keep && p->protocol < 4 &&
             memchr(pickle__text(&g->name->v), '.', pickle__len(&g->name->v)))
        save_attributes(p, pickle__text(&g->module->v), pickle__len(&g->module->v),
                        pickle__text(&g->name->v), pickle__len(&g->name->v));
    else
        pickle__emit_lines(p->e, PICKLE_OP_GLOBAL, module, module_len, name, name_len);
    pickle__save_put(p, global);
}
