/*
 * reshape.c - objects that CPython reduces in another way for another protocol.
 *
 *   sets                 opcodes from 4 on, else set([...])
 *   bytes, bytearray     opcodes from 3 and 5 on: see plain.c
 *   A.B                  one name from 4 on, else getattr(A, 'B'): see globals.c
 *   instances            NEWOBJ from 2 on, else copyreg._reconstructor(...)
 *   keyword arguments    NEWOBJ_EX from 4 on, else functools.partial(...)
 *   numpy's arrays       see arrays.c
 *
 * What a class of its own does in __reduce_ex__ only Python knows: that stays
 * as it was read, and loads the same.
 */
#include "pickler/save.h"
#include "types/numpy.h"

/* ----------------------------------------------------------------- scratch */

pickle_doc *pickle__scratch(pickle__pickler *p)
{
    if (!p->scratch) {
        p->scratch = pickle__doc_new(p->opts->alloc);
        if (!p->scratch)
            pickle__save_no_memory(p);
        else
            p->scratch->arena.limit = SIZE_MAX;
    }
    return p->scratch;
}

pickle_val *pickle__scratch_tuple(pickle__pickler *p, size_t n, pickle_val *const *items)
{
    pickle_doc *doc = pickle__scratch(p);
    pickle__tuple *t;

    if (n == 0)
        return PICKLE__AS_STATIC(pickle__empty_tuple);
    for (size_t i = 0; i < n; i++)
        if (!items[i])
            return NULL;
    t = doc ? pickle__new_tuple(doc, n) : NULL;
    if (!t) {
        pickle__save_no_memory(p);
        return NULL;
    }
    memcpy(t->items, items, n * sizeof *items);
    return &t->v;
}

pickle_val *pickle__scratch_call(pickle__pickler *p, pickle_call how, pickle_val *callable,
                                 pickle_val *args)
{
    pickle_doc *doc = pickle__scratch(p);
    pickle__object *o;

    if (!callable || !args || !doc)
        return NULL;
    o = pickle__arena_take(&doc->arena, sizeof *o + sizeof *o->extra);
    if (!o) {
        pickle__save_no_memory(p);
        return NULL;
    }
    o->s = (pickle__symbol){ { PICKLE__TAG(PICKLE_OBJECT, how) }, NULL };
    o->callable = callable;
    o->args = args;
    return &o->s.v;
}

/* ------------------------------------------------------------- looking at it */

static bool is_reduce_of(const pickle_val *v, const char *module, const char *name)
{
    return pickle__len(v) == PICKLE_CALL_REDUCE &&
           pickle_is_global(PICKLE__AS_CONST(pickle__object, v)->callable, module, name);
}

static bool has_changes(const pickle_val *v)
{
    return PICKLE__AS_CONST(pickle__symbol, v)->last != NULL;
}

static pickle_val *args_of(const pickle_val *v)
{
    return PICKLE__AS_CONST(pickle__object, v)->args;
}

static pickle_val *item(const pickle_val *tuple, size_t i)
{
    return PICKLE__AS_CONST(pickle__tuple, tuple)->items[i];
}

static bool is_tuple_of(const pickle_val *v, size_t n)
{
    return pickle__is(v, PICKLE_TUPLE) && pickle__len(v) == n;
}

static bool has_nul(const pickle_val *str)
{
    return memchr(pickle__text(str), '\0', pickle__len(str)) != NULL;
}

/* A class or function whose names are C strings, and to which nothing happened. */
static bool is_plain_global(const pickle_val *v)
{
    return pickle__is(v, PICKLE_GLOBAL) && !has_changes(v) &&
           !has_nul(&PICKLE__AS_CONST(pickle__global, v)->module->v) &&
           !has_nul(&PICKLE__AS_CONST(pickle__global, v)->name->v);
}

/* -------------------------------------------------------------------- sets */

pickle_val *pickle__set_as_call(pickle__pickler *p, pickle_val *set)
{
    pickle_doc *doc = pickle__scratch(p);
    pickle_val *list = doc ? pickle__new_list(doc) : NULL;
    bool frozen = pickle__is(set, PICKLE_FROZENSET);
    pickle_val *callable = pickle__save_named(p, "builtins", frozen ? "frozenset" : "set");

    if (!list) {
        pickle__save_no_memory(p);
        return NULL;
    }
    if (set->tag & PICKLE__SHARED)
        p->reenters = true;
    list->tag |= PICKLE__LOOSE;
    PICKLE__AS(pickle__list, list)->items = PICKLE__AS(pickle__list, set)->items;
    pickle__set_len(list, pickle__len(set));
    return pickle__scratch_call(p, PICKLE_CALL_REDUCE, callable,
                                pickle__scratch_tuple(p, 1, &list));
}

/* set([...]) with a list that is there for nothing else. */
static pickle_val *call_as_set(pickle__pickler *p, pickle_val *v)
{
    bool frozen = is_reduce_of(v, "builtins", "frozenset");
    pickle_val *list, *set;
    pickle_doc *doc;

    if (p->protocol < 4 || (!frozen && !is_reduce_of(v, "builtins", "set")) || has_changes(v) ||
        !is_tuple_of(args_of(v), 1) || !pickle__is(item(args_of(v), 0), PICKLE_LIST) ||
        item(args_of(v), 0)->tag & PICKLE__SHARED)
        return v;
    list = item(args_of(v), 0);
    doc = pickle__scratch(p);
    set = doc ? pickle__new_table(doc, frozen ? PICKLE_FROZENSET : PICKLE_SET) : NULL;
    if (!set) {
        pickle__save_no_memory(p);
        return NULL;
    }
    PICKLE__AS(pickle__list, set)->items = PICKLE__AS(pickle__list, list)->items;
    pickle__set_len(set, pickle__len(list));
    return set;
}

/* ------------------------------------------------------------------- bytes */

static pickle_val *new_bytes(pickle__pickler *p, pickle_kind kind, const void *data, size_t len)
{
    pickle_doc *doc = pickle__scratch(p);
    pickle_val *v = doc ? pickle__new_bytes(doc, kind, data, len) : NULL;

    if (!v)
        pickle__save_no_memory(p);
    return v;
}

/* Bytes that were a call. They stay one below protocol 3, with the str of the document, and the
 * word that all of them share. */
static pickle_val *folded(pickle__pickler *p, pickle_val *v)
{
    pickle_val *text[2];

    if (p->protocol >= 3 || pickle__len(args_of(v)) == 0)
        return PICKLE__AS(pickle__object, v)->extra[0];
    text[0] = item(args_of(v), 0);
    text[1] = pickle__save_interned(p, "latin1", 6);
    return pickle__scratch_call(p, PICKLE_CALL_REDUCE, pickle__save_named(p, "_codecs", "encode"),
                                pickle__scratch_tuple(p, 2, text));
}

/* Do the bytes have the form already that this protocol gives them? */
static bool is_own_bytes(const pickle__pickler *p, const pickle_val *v)
{
    return p->protocol >= 3 ? p->protocol < 5 && pickle__is(v, PICKLE_BYTES)
                            : pickle__is(v, PICKLE_OBJECT) && v->tag & PICKLE__FOLDED;
}

/* bytearray(bytes) and bytearray(), whatever stands for the bytes. */
static pickle_val *call_as_bytearray(pickle__pickler *p, pickle_val *v)
{
    const void *data = "";
    size_t n = pickle__is(args_of(v), PICKLE_TUPLE) ? pickle__len(args_of(v)) : 2, len = 0;

    if (!is_reduce_of(v, "builtins", "bytearray") || has_changes(v) || n > 1)
        return v;
    if (n == 1 &&
        (pickle__is(item(args_of(v), 0), PICKLE_STR) || is_own_bytes(p, item(args_of(v), 0))))
        return v;
    if (n == 1)
        data = pickle_bytes(item(args_of(v), 0), &len);
    return data ? new_bytes(p, PICKLE_BYTEARRAY, data, len) : v;
}

/* ------------------------------------------------------------- dotted names */

/* getattr(A, 'B') with a name that is written as one: not an object's attribute, nor a long path.
 */
static bool is_getattr(const pickle_val *v)
{
    return pickle__is(v, PICKLE_OBJECT) && is_reduce_of(v, "builtins", "getattr") &&
           !has_changes(v) && is_tuple_of(args_of(v), 2) &&
           pickle__is(item(args_of(v), 1), PICKLE_STR) && pickle__len(item(args_of(v), 1)) > 0 &&
           !memchr(pickle__text(item(args_of(v), 1)), '.', pickle__len(item(args_of(v), 1)));
}

/* CPython 3.13 and later do not store the arguments of those that stand for a dotted name, as they
 * do of every other call. */
static bool is_attribute(const pickle_val *v)
{
    return is_getattr(v) && !(args_of(v)->tag & PICKLE__MEMOIZED);
}

/*
 * Before, all that asks for an attribute looked alike: classes in classes, methods
 * of C's types, members of enums by their names. One may be told by its name, which is CamelCase.
 */
static bool is_class_in_class(const pickle_val *v)
{
    const char *name;
    bool lower = false;

    if (!is_getattr(v))
        return false;
    name = pickle__text(item(args_of(v), 1));
    for (const char *c = name; *c; c++)
        lower |= *c >= 'a' && *c <= 'z';
    return *name >= 'A' && *name <= 'Z' && lower;
}

/* Names in names: deeper ones are calls like all others. */
#define NESTED_MAX 16

static bool add_text(pickle_buf *buf, const pickle_val *str)
{
    return pickle__buf_add(buf, pickle__text(str), pickle__len(str));
}

static pickle_val *attribute_as_global(pickle__pickler *p, pickle_val *v)
{
    const pickle_val *parts[NESTED_MAX], *top = v;
    pickle_buf name = { .alloc = p->opts->alloc };
    pickle_val *global;
    size_t n = 0;
    bool ok;

    while (n < NESTED_MAX && is_getattr(top) && !has_nul(item(args_of(top), 1))) {
        parts[n++] = item(args_of(top), 1);
        top = item(args_of(top), 0);
    }
    if (!is_plain_global(top))
        return v;
    ok = add_text(&name, &PICKLE__AS_CONST(pickle__global, top)->name->v);
    while (ok && n-- > 0)
        ok = pickle__buf_add(&name, ".", 1) && add_text(&name, parts[n]);
    ok = ok && pickle__buf_add(&name, "", 1);
    global = ok ? pickle__save_named(p, pickle_module(top), (const char *)name.data) : NULL;
    if (!ok)
        pickle__save_no_memory(p);
    pickle_buf_free(&name);
    return global;
}

/* ------------------------------------------------------------------ instances */

/* The same object by another call: what happened to it afterwards stays. */
static pickle_val *with_changes(pickle_val *made, const pickle_val *v)
{
    if (made && made != v)
        PICKLE__AS(pickle__symbol, made)->last = PICKLE__AS_CONST(pickle__symbol, v)->last;
    return made;
}

/* Lists and dicts get their items in this way: their children have no `object` for a base. */
static bool has_items(const pickle_val *v)
{
    const pickle__change *first = pickle__next_change(v, NULL);

    return first && (first->kind == PICKLE_CHANGE_APPENDS || first->kind == PICKLE_CHANGE_SETITEMS);
}

/* In protocols 0 and 1 a state that is false in Python is none. */
static bool has_empty_state(const pickle_val *v)
{
    const pickle__change *first = pickle__next_change(v, NULL);
    const pickle_val *state = first && first->kind == PICKLE_CHANGE_BUILD ? first->value : NULL;
    int64_t n;

    if (!state || pickle__next_change(v, first))
        return false;
    switch (pickle__kind(state)) {
    case PICKLE_NONE:
        return true;
    case PICKLE_BOOL:
    case PICKLE_INT:
        return pickle_get_i64(state, &n) && n == 0;
    case PICKLE_FLOAT:
        return pickle_f64_or(state, 1) == 0;
    default:
        return pickle__kind(state) < PICKLE_GLOBAL && pickle__len(state) == 0;
    }
}

/* object.__reduce_ex__ of protocols 0 and 1, which asks for no arguments. */
static pickle_val *reconstructed(pickle__pickler *p, pickle_val *v)
{
    pickle_val *items[] = { PICKLE__AS(pickle__object, v)->callable,
                            pickle__save_named(p, "builtins", "object"),
                            PICKLE__AS_STATIC(pickle__none) };

    return pickle__scratch_call(p, PICKLE_CALL_REDUCE,
                                pickle__save_named(p, "copyreg", "_reconstructor"),
                                pickle__scratch_tuple(p, 3, items));
}

/*
 * With arguments, and for the children of list and dict, it hands over a value of
 * the base class, which does not show here: copyreg.__newobj__ does without.
 */
static pickle_val *newobj_as_reduce(pickle__pickler *p, pickle_val *v)
{
    pickle__object *o = PICKLE__AS(pickle__object, v);
    size_t n = pickle__len(o->args);
    pickle_doc *doc = pickle__scratch(p);
    pickle__tuple *t;

    if (!pickle__is(o->args, PICKLE_TUPLE)) {
        pickle__save_fail(p, PICKLE_ERR_UNSUPPORTED, "protocol %d has no NEWOBJ", p->protocol);
        return NULL;
    }
    if (n == 0 && !has_items(v))
        return reconstructed(p, v);
    t = doc ? pickle__new_tuple(doc, n + 1) : NULL;
    if (!t) {
        pickle__save_no_memory(p);
        return NULL;
    }
    t->items[0] = o->callable;
    memcpy(t->items + 1, PICKLE__AS(pickle__tuple, o->args)->items, n * sizeof *t->items);
    return pickle__scratch_call(p, PICKLE_CALL_REDUCE,
                                pickle__save_named(p, "copyreg", "__newobj__"), &t->v);
}

/* copyreg._reconstructor(cls, object, None) of protocols 0 and 1. */
static pickle_val *reduce_as_newobj(pickle__pickler *p, pickle_val *v)
{
    const pickle_val *args = args_of(v);

    if (p->protocol < 2 || !is_reduce_of(v, "copyreg", "_reconstructor") || !is_tuple_of(args, 3) ||
        !pickle_is_global(item(args, 1), "builtins", "object") ||
        !pickle__is(item(args, 2), PICKLE_NONE))
        return v;
    return with_changes(pickle__scratch_call(p, PICKLE_CALL_NEWOBJ, item(args, 0),
                                             PICKLE__AS_STATIC(pickle__empty_tuple)),
                        v);
}

#define DOT_NEW ".__new__"

/* partial's state: the function, its arguments and keywords, and no attributes. */
static pickle_val *new_partial(pickle__pickler *p, pickle_val *function, pickle_val *args,
                               pickle_val *kwargs)
{
    pickle_val *partial = pickle__save_named(p, "functools", "partial");
    pickle_val *made = pickle__scratch_call(p, PICKLE_CALL_REDUCE, partial,
                                            pickle__scratch_tuple(p, 1, &function));
    pickle_val *items[] = { function, args, kwargs, PICKLE__AS_STATIC(pickle__none) };
    pickle_val *state = pickle__scratch_tuple(p, 4, items);

    if (!made || !state)
        return NULL;
    if (!pickle__add_build(pickle__scratch(p), made, state)) {
        pickle__save_no_memory(p);
        return NULL;
    }
    return made;
}

/*
 * Protocols 0 and 1: the arguments are not asked for, and the state has it all. Where there is none
 * they must not be lost: copyreg.__newobj_ex__(cls, args, kwargs).
 */
static pickle_val *newobj_ex_as_reduce(pickle__pickler *p, pickle_val *v)
{
    pickle__object *o = PICKLE__AS(pickle__object, v);
    pickle_val *items[] = { o->callable, o->args, o->extra[0] };

    return pickle__scratch_call(p, PICKLE_CALL_REDUCE,
                                pickle__save_named(p, "copyreg", "__newobj_ex__"),
                                pickle__scratch_tuple(p, 3, items));
}

/* cls.__new__, which CPython writes as it writes a class in a class. */
static pickle_val *named_new(pickle__pickler *p, const pickle_val *v)
{
    const pickle_val *cls = PICKLE__AS_CONST(pickle__object, v)->callable;
    pickle_buf name = { .alloc = p->opts->alloc };
    pickle_val *made = NULL;

    if (!is_plain_global(PICKLE__AS_CONST(pickle__object, v)->callable) ||
        !pickle__is(args_of(v), PICKLE_TUPLE))
        pickle__save_fail(
            p, PICKLE_ERR_UNSUPPORTED,
            "protocol %d has no NEWOBJ_EX, and this one has no plain class or arguments",
            p->protocol);
    else if (!pickle__buf_add(&name, pickle_name(cls), strlen(pickle_name(cls))) ||
             !pickle__buf_add(&name, DOT_NEW, sizeof DOT_NEW))
        pickle__save_no_memory(p);
    else
        made = pickle__save_named(p, pickle_module(cls), (const char *)name.data);
    pickle_buf_free(&name);
    return made;
}

/* A call makes a dict of its own of its keywords. */
static pickle_val *copy_of_dict(pickle__pickler *p, pickle_val *kwargs)
{
    pickle_val *dict;

    if (!pickle__is(kwargs, PICKLE_DICT))
        return kwargs;
    dict = pickle__new_table(p->scratch, PICKLE_DICT);
    p->reenters = true;
    if (!dict) {
        pickle__save_no_memory(p);
    } else {
        dict->tag |= PICKLE__LOOSE;
        PICKLE__AS(pickle__list, dict)->items = PICKLE__AS_CONST(pickle__list, kwargs)->items;
        pickle__set_len(dict, pickle__len(kwargs));
    }
    return dict;
}

/* Protocols 2 and 3: partial(cls.__new__, cls, *args, **kwargs)(). */
static pickle_val *newobj_ex_as_partial(pickle__pickler *p, pickle_val *v)
{
    pickle__object *o = PICKLE__AS(pickle__object, v);
    pickle_val *make = named_new(p, v), *partial;
    size_t n = pickle__len(o->args);
    pickle__tuple *args = make ? pickle__new_tuple(p->scratch, n + 1) : NULL;

    if (!make)
        return NULL;
    if (!args) {
        pickle__save_no_memory(p);
        return NULL;
    }
    args->items[0] = o->callable;
    memcpy(args->items + 1, PICKLE__AS(pickle__tuple, o->args)->items, n * sizeof *args->items);
    partial = new_partial(p, make, &args->v, copy_of_dict(p, o->extra[0]));
    return pickle__scratch_call(p, PICKLE_CALL_REDUCE, partial,
                                PICKLE__AS_STATIC(pickle__empty_tuple));
}

/* The state of a partial() that stands for cls.__new__ with its arguments; NULL: `v` is none. */
static const pickle_val *new_partial_state(const pickle_val *v)
{
    const pickle_val *state = pickle_state(v), *function = pickle_at(state, 0);

    if (!pickle__is(v, PICKLE_OBJECT) || !is_reduce_of(v, "functools", "partial") || !state ||
        !is_tuple_of(state, 4) || pickle_kind_of(pickle_at(state, 1)) != PICKLE_TUPLE ||
        pickle_kind_of(pickle_at(pickle_at(state, 1), 0)) != PICKLE_GLOBAL ||
        pickle_kind_of(pickle_at(state, 2)) != PICKLE_DICT)
        return NULL;
    return pickle_kind_of(function) == PICKLE_OBJECT && is_attribute(function) &&
                   pickle_str_is(item(args_of(function), 1), &DOT_NEW[1])
               ? state
               : NULL;
}

static pickle_val *partial_as_newobj_ex(pickle__pickler *p, pickle_val *v)
{
    const pickle_val *state = new_partial_state(PICKLE__AS(pickle__object, v)->callable), *args;
    pickle_val *made, *rest;
    pickle__object *o;

    if (p->protocol < 4 || !state || pickle__len(v) != PICKLE_CALL_REDUCE ||
        pickle__len(args_of(v)) != 0)
        return v;
    args = item(state, 1);
    rest = pickle__scratch_tuple(p, pickle__len(args) - 1,
                                 PICKLE__AS_CONST(pickle__tuple, args)->items + 1);
    made = pickle__scratch_call(p, PICKLE_CALL_NEWOBJ_EX, item(args, 0), rest);
    if (!made)
        return NULL;
    o = PICKLE__AS(pickle__object, made);
    o->extra[0] = item(state, 2);
    return with_changes(made, v);
}

/* NEWOBJ and NEWOBJ_EX below the protocols that have them. */
static pickle_val *lower_newobj(pickle__pickler *p, pickle_val *v)
{
    pickle_call how = (pickle_call)pickle__len(v);

    pickle_val *made = v;

    if (how == PICKLE_CALL_NEWOBJ && p->protocol < 2)
        made = newobj_as_reduce(p, v);
    else if (how == PICKLE_CALL_NEWOBJ_EX && p->protocol < 2)
        made = pickle_state(v) ? reconstructed(p, v) : newobj_ex_as_reduce(p, v);
    else if (how == PICKLE_CALL_NEWOBJ_EX && p->protocol < 4)
        made = newobj_ex_as_partial(p, v);
    return p->protocol < 2 && has_empty_state(v) ? made : with_changes(made, v);
}

/* ---------------------------------------------------------------------- all */

static pickle_val *reshape_object(pickle__pickler *p, pickle_val *v)
{
    if (!p->keep) {
        if (v->tag & PICKLE__FOLDED)
            return folded(p, v);
        if (is_attribute(v) || (p->protocol >= 4 && is_class_in_class(v)))
            return attribute_as_global(p, v);
        if (!pickle__is(args_of(v), PICKLE_TUPLE))
            return lower_newobj(p, v);
        v = call_as_set(p, v);
        if (v && pickle__is(v, PICKLE_OBJECT))
            v = call_as_bytearray(p, v);
        if (v && pickle__is(v, PICKLE_OBJECT))
            v = pickle__reshape_array(p, v);
        if (v && pickle__is(v, PICKLE_OBJECT))
            v = partial_as_newobj_ex(p, v);
        if (v && pickle__is(v, PICKLE_OBJECT))
            v = reduce_as_newobj(p, v);
    }
    return v && pickle__is(v, PICKLE_OBJECT) ? lower_newobj(p, v) : v;
}

/* numpy.core and numpy._core are one, and the option says which. */
static pickle_val *rename_numpy(pickle__pickler *p, pickle_val *global)
{
    const char *module = pickle_module(global), *rest;
    char full[128];

    if (!p->opts->numpy || strncmp(module, "numpy.", 6) != 0 || !is_plain_global(global))
        return global;
    rest = strncmp(module + 6, "core.", 5) == 0    ? module + 10
           : strncmp(module + 6, "_core.", 6) == 0 ? module + 11
                                                   : NULL;
    if (!rest || strlen(p->numpy) + strlen(rest) >= sizeof full)
        return global;
    strcpy(full, p->numpy);
    strcat(full, rest);
    return pickle__save_named(p, full, pickle_name(global));
}

static pickle_val *shape_of(pickle__pickler *p, pickle_val *v)
{
    switch (pickle__kind(v)) {
    case PICKLE_SET:
    case PICKLE_FROZENSET:
        return p->protocol < 4 ? pickle__set_as_call(p, v) : v;
    case PICKLE_GLOBAL:
        return p->keep ? v : pickle__save_canonical(p, rename_numpy(p, v));
    case PICKLE_OBJECT:
        return reshape_object(p, v);
    default:
        return v;
    }
}

/* joblib writes an array wherever it stands: what the memo holds is the wrapper. */
static bool is_wrapper(const pickle__pickler *p, const pickle_val *v)
{
    return p->joblib && pickle__is(v, PICKLE_OBJECT) &&
           pickle__wrapper_of(pickle_class(v)) == PICKLE__NUMPY_WRAPPER;
}

/* What a shared value becomes is decided once, and its memo entry found again. */
pickle_val *pickle__reshape(pickle__pickler *p, pickle_val *v)
{
    pickle_val *shape;

    if (!(v->tag & PICKLE__SHARED) && !p->reenters)
        return shape_of(p, v);
    shape = pickle__map_get(&p->shapes, v);
    if (shape)
        return shape;
    shape = shape_of(p, v);
    if (!shape || shape == v || is_wrapper(p, shape))
        return shape;
    if (!(shape->tag & PICKLE__STATIC))
        shape->tag |= v->tag & (PICKLE__SHARED | PICKLE__MEMOIZED);
    if (!pickle__map_add(&p->shapes, v, shape)) {
        pickle__save_no_memory(p);
        return NULL;
    }
    return shape;
}
