/* view.c - forms and children of values. */
#include <string.h>

#include "view.h"

/* ------------------------------------------------------------------- forms */

/* The argument of a call of a builtin class with just one, that nothing happened to afterwards. */
static const pickle_val *only_argument(const pickle_val *v, const char *cls)
{
    const pickle_val *args = pickle_args(v);
    pickle_change change;

    if (!pickle_is_global(pickle_callable(v), "builtins", cls) || pickle_len(args) != 1 ||
        pickle_first_change(v, &change))
        return NULL;
    return pickle_at(args, 0);
}

/* set([...]) and frozenset([...]), as protocols 0 to 3 write them: the list. */
static const pickle_val *set_call(const pickle_val *v)
{
    const pickle_val *items = only_argument(v, "set");

    items = items ? items : only_argument(v, "frozenset");
    return pickle_kind_of(items) == PICKLE_LIST ? items : NULL;
}

/* bytearray(b'...'), as protocols 3 and 4 write it: the bytes. */
static const pickle_val *bytearray_call(const pickle_val *v)
{
    const pickle_val *bytes = only_argument(v, "bytearray");

    return pickle_kind_of(bytes) == PICKLE_BYTES ? bytes : NULL;
}

static value_form form_of_object(const pickle_val *v)
{
    pickle_array array;
    pickle_dtype dtype;

    if (view_bytes(v, NULL))
        return FORM_BYTES;
    if (set_call(v))
        return FORM_SET;
    if (pickle_get_array(v, &array))
        return array.scalar ? FORM_SCALAR : FORM_ARRAY;
    return pickle_get_dtype(v, &dtype) ? FORM_DTYPE : FORM_OBJECT;
}

value_form view_form(const pickle_val *v)
{
    pickle_change change;

    switch (pickle_kind_of(v)) {
    case PICKLE_STR:
        return FORM_STR;
    case PICKLE_BYTES:
    case PICKLE_BYTEARRAY:
    case PICKLE_BUFFER:
        return FORM_BYTES;
    case PICKLE_TUPLE:
    case PICKLE_LIST:
        return FORM_SEQUENCE;
    case PICKLE_SET:
    case PICKLE_FROZENSET:
        return FORM_SET;
    case PICKLE_DICT:
        return FORM_DICT;
    case PICKLE_OBJECT:
        return form_of_object(v);
    case PICKLE_GLOBAL:
        return pickle_first_change(v, &change) ? FORM_OBJECT : FORM_GLOBAL;
    case PICKLE_PERSID:
    case PICKLE_EXT:
        return pickle_first_change(v, &change) ? FORM_OBJECT : FORM_REFERENCE;
    default:
        return FORM_ATOM;
    }
}

const pickle_val *view_items(const pickle_val *v)
{
    const pickle_val *items = set_call(v);

    return items ? items : v;
}

const void *view_bytes(const pickle_val *v, size_t *len)
{
    const pickle_val *inner = bytearray_call(v);

    return pickle_bytes(inner ? inner : v, len);
}

bool view_repr(const pickle_val *v, pickle_sink out)
{
    const pickle_val *bytes = bytearray_call(v);

    if (!bytes)
        return pickle_repr(v, out, 0, NULL);
    return out.write(out.ctx, "bytearray(", 10) && pickle_repr(bytes, out, 0, NULL) &&
           out.write(out.ctx, ")", 1);
}

const char *view_kind(const pickle_val *v)
{
    if (set_call(v) || bytearray_call(v))
        return pickle_name(pickle_callable(v));
    if (view_form(v) == FORM_BYTES && pickle_kind_of(v) == PICKLE_OBJECT)
        return "bytes";
    return pickle_kind_name(pickle_kind_of(v));
}

bool view_has_identity(const pickle_val *v)
{
    value_form f = view_form(v);

    switch (pickle_kind_of(v)) {
    case PICKLE_TUPLE:
    case PICKLE_FROZENSET:
        return pickle_len(v) > 0; /* there is only one empty tuple */
    case PICKLE_LIST:
    case PICKLE_DICT:
    case PICKLE_SET:
    case PICKLE_BYTEARRAY:
        return true;
    default:
        return f == FORM_ARRAY || f == FORM_OBJECT || f == FORM_SET;
    }
}

const pickle_val *view_class(const pickle_val *v)
{
    return pickle_kind_of(v) == PICKLE_GLOBAL ? v : pickle_class(v);
}

const char *view_module(const pickle_val *global)
{
    const char *module = pickle_module(global);

    return module && strcmp(module, "builtins") != 0 ? module : "";
}

const char *view_order(const pickle_array *a)
{
    if (a->fortran)
        return "F";
    return a->objects || pickle_array_is_c(a) ? "C" : "strided";
}

static bool same_class(const pickle_val *a, const pickle_val *b)
{
    const pickle_val *x = view_class(a), *y = view_class(b);

    return x == y || (x && y && strcmp(pickle_name(x), pickle_name(y)) == 0 &&
                      strcmp(pickle_module(x), pickle_module(y)) == 0);
}

bool view_is_alike(const pickle_val *items)
{
    const pickle_val *first = NULL, *key, *value;
    value_form f = FORM_ATOM;

    pickle_foreach (items, key, value) {
        if (!first) {
            first = value;
            f = view_form(value);
        } else if (pickle_kind_of(value) != pickle_kind_of(first) || view_form(value) != f ||
                   (f == FORM_OBJECT && !same_class(value, first)))
            return false;
    }
    return first != NULL;
}

/* ---------------------------------------------------------- inner containers */

static bool has_names(const pickle_val *dict)
{
    const pickle_val *key, *value;

    if (pickle_kind_of(dict) != PICKLE_DICT)
        return false;
    pickle_foreach (dict, key, value) {
        if (pickle_kind_of(key) != PICKLE_STR)
            return false;
    }
    return true;
}

/* The only state an object was given; NULL when there is none, or there are several. */
static const pickle_val *only_state(const pickle_val *v)
{
    const pickle_val *state = NULL;
    pickle_change c;

    for (bool on = pickle_first_change(v, &c); on; on = pickle_next_change(&c)) {
        if (c.kind == PICKLE_CHANGE_BUILD && state)
            return NULL;
        if (c.kind == PICKLE_CHANGE_BUILD)
            state = c.value;
    }
    return state;
}

/* A state is a dict, or (dict or None, dict of slots). */
static size_t inner_of_state(const pickle_val *state, const pickle_val *inner[2])
{
    const pickle_val *dict = pickle_at(state, 0), *slots = pickle_at(state, 1);
    size_t n = 0;

    if (has_names(state)) {
        inner[0] = state;
        return 1;
    }
    if (pickle_kind_of(state) != PICKLE_TUPLE || pickle_len(state) != 2 || !has_names(slots) ||
        !(pickle_kind_of(dict) == PICKLE_NONE || has_names(dict)))
        return 0;
    if (pickle_kind_of(dict) == PICKLE_DICT)
        inner[n++] = dict;
    inner[n++] = slots;
    return n;
}

size_t view_inner(const pickle_val *of, const pickle_val *inner[2])
{
    pickle_array array;

    switch (view_form(of)) {
    case FORM_OBJECT:
        return inner_of_state(only_state(of), inner);
    case FORM_ARRAY:
        inner[0] = pickle_get_array(of, &array) ? array.objects : NULL;
        return inner[0] != NULL;
    default:
        return 0;
    }
}

/* ---------------------------------------------------------------- children */

/* Where the children of an object come from, in this order. */
enum {
    STAGE_CALLABLE,
    STAGE_ARGS,
    STAGE_KWARGS,
    STAGE_CHANGES,
    STAGE_SLOTS,    /* of a state, then back to its changes */
    STAGE_ELEMENTS, /* of an object array: nothing else     */
    STAGE_END
};

typedef enum source { SOURCE_NONE, SOURCE_CHILD, SOURCE_ITEMS } source;

static void begin(children *c, child_part p, const pickle_val *items)
{
    c->part = p;
    c->items = (pickle_iter){ items, 0, NULL };
}

void children_start(children *c, const pickle_val *of, bool flat)
{
    *c = (children){ .of = of, .flat = flat, .stage = STAGE_END };
    switch (view_form(of)) {
    case FORM_SEQUENCE:
        begin(c, PART_ITEM, of);
        break;
    case FORM_SET:
        begin(c, PART_MEMBER, view_items(of));
        break;
    case FORM_DICT:
        begin(c, PART_VALUE, of);
        break;
    case FORM_ARRAY:
        c->stage = STAGE_ELEMENTS;
        break;
    case FORM_OBJECT:
    case FORM_REFERENCE:
        c->stage = STAGE_CALLABLE;
        break;
    default:
        break;
    }
}

static source give(child *out, child_part p, const pickle_val *v)
{
    *out = (child){ .part = p, .value = v };
    return SOURCE_CHILD;
}

/* Arguments that only say which class it is are left out. */
static bool args_matter(const pickle_val *v)
{
    const pickle_val *args = pickle_args(v);

    if (pickle_is_global(pickle_callable(v), "copyreg", "_reconstructor"))
        return !(pickle_len(args) == 3 &&
                 pickle_is_global(pickle_at(args, 1), "builtins", "object") &&
                 pickle_kind_of(pickle_at(args, 2)) == PICKLE_NONE);
    if (pickle_is_global(pickle_callable(v), "copyreg", "__newobj__"))
        return pickle_len(args) > 1;
    return args && !(pickle_kind_of(args) == PICKLE_TUPLE && pickle_len(args) == 0);
}

static source give_state(children *c, child *out)
{
    const pickle_val *inner[2];
    size_t n;

    if (!c->flat)
        return give(out, PART_STATE, c->change.value);
    n = view_inner(c->of, inner);
    if (pickle_kind_of(c->change.value) == PICKLE_DICT) {
        begin(c, PART_ATTRIBUTE, inner[0]);
    } else if (n == 2) {
        begin(c, PART_ATTRIBUTE, inner[0]);
        c->stage = STAGE_SLOTS;
    } else {
        begin(c, PART_SLOT, inner[0]);
    }
    return SOURCE_ITEMS;
}

static source give_change(children *c, child *out)
{
    bool on = c->changed ? pickle_next_change(&c->change) : pickle_first_change(c->of, &c->change);

    c->changed = true;
    if (!on)
        return SOURCE_NONE;
    switch (c->change.kind) {
    case PICKLE_CHANGE_BUILD:
        return give_state(c, out);
    case PICKLE_CHANGE_PAYLOAD:
        return give(out, PART_PAYLOAD, c->change.value);
    case PICKLE_CHANGE_NESTED:
        return give(out, PART_NESTED, c->change.value);
    case PICKLE_CHANGE_CALL:
        return give(out, PART_CALL, c->change.value);
    case PICKLE_CHANGE_SETITEMS:
        begin(c, PART_VALUE, c->change.value);
        return SOURCE_ITEMS;
    case PICKLE_CHANGE_ADDITEMS:
        begin(c, PART_MEMBER, c->change.value);
        return SOURCE_ITEMS;
    default:
        begin(c, PART_ITEM, c->change.value);
        return SOURCE_ITEMS;
    }
}

static source give_slots(children *c)
{
    const pickle_val *inner[2];

    c->stage = STAGE_CHANGES;
    view_inner(c->of, inner);
    begin(c, PART_SLOT, inner[1]);
    return SOURCE_ITEMS;
}

static source give_elements(children *c, child *out)
{
    const pickle_val *inner[2];

    c->stage = STAGE_END;
    if (view_inner(c->of, inner) == 0)
        return SOURCE_NONE;
    if (!c->flat)
        return give(out, PART_ELEMENTS, inner[0]);
    begin(c, PART_ITEM, inner[0]);
    return SOURCE_ITEMS;
}

static source next_source(children *c, child *out)
{
    const pickle_val *of = c->of;

    switch (c->stage) {
    case STAGE_CALLABLE:
        c->stage = STAGE_ARGS;
        if (pickle_id(of))
            return give(out, PART_ID, pickle_id(of));
        if (pickle_callable(of) && !pickle_class(of))
            return give(out, PART_CALLABLE, pickle_callable(of));
        /* fall through */
    case STAGE_ARGS:
        c->stage = STAGE_KWARGS;
        if (args_matter(of))
            return give(out, PART_ARGS, pickle_args(of));
        /* fall through */
    case STAGE_KWARGS:
        c->stage = STAGE_CHANGES;
        if (pickle_kwargs(of) && pickle_len(pickle_kwargs(of)) > 0)
            return give(out, PART_KWARGS, pickle_kwargs(of));
        /* fall through */
    case STAGE_CHANGES:
        return give_change(c, out);
    case STAGE_SLOTS:
        return give_slots(c);
    case STAGE_ELEMENTS:
        return give_elements(c, out);
    default:
        return SOURCE_NONE;
    }
}

bool children_next(children *c, child *out)
{
    source from = SOURCE_ITEMS;

    while (from == SOURCE_ITEMS) {
        if (c->items.of && pickle_next(&c->items, &out->key, &out->value)) {
            out->part = c->part;
            out->index = c->part == PART_ITEM ? c->index++ : 0;
            return true;
        }
        from = next_source(c, out);
    }
    return from == SOURCE_CHILD;
}

size_t children_count(const pickle_val *of, bool flat)
{
    size_t n = 0;
    children c;
    child skipped;
    source from = SOURCE_ITEMS;

    children_start(&c, of, flat);
    while (from != SOURCE_NONE) {
        n += from == SOURCE_CHILD ? 1 : pickle_len(c.items.of);
        c.items.of = NULL;
        from = next_source(&c, &skipped);
    }
    return n;
}
