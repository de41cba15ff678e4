/* view.c - forms and children of values. */
#include <string.h>

#include "known.h"
#include "view.h"

/* ------------------------------------------------------------------- forms */

/* bytearray(b'...'), as protocols 3 and 4 write it: the bytes. */
static const pickle_val *bytearray_call(const pickle_val *v)
{
    const pickle_val *args = pickle_args(v), *bytes = pickle_at(args, 0);
    pickle_change change;

    if (!pickle_is_global(pickle_callable(v), "builtins", "bytearray") || pickle_len(args) != 1 ||
        pickle_first_change(v, &change))
        return NULL;
    return pickle_kind_of(bytes) == PICKLE_BYTES ? bytes : NULL;
}

static value_form form_of_items(const pickle_val *v)
{
    pickle_items items;

    if (!pickle_get_items(v, &items))
        return FORM_OBJECT;
    if (items.kind == PICKLE_DICT)
        return FORM_DICT;
    return items.kind == PICKLE_SET || items.kind == PICKLE_FROZENSET ? FORM_SET : FORM_SEQUENCE;
}

static value_form form_of_object(const pickle_val *v, view_as as)
{
    pickle_type type = pickle_type_of(v);
    pickle_array array;
    pickle_dtype dtype;
    value_form known;

    if (as == VIEW_RAW)
        return FORM_OBJECT;
    if (view_bytes(v, NULL))
        return FORM_BYTES;
    if (type == PICKLE_TYPE_SET)
        return form_of_items(v);
    known = as <= VIEW_DATA ? known_form(v, type) : FORM_OBJECT;
    if (known != FORM_OBJECT)
        return known;
    if (as <= VIEW_DATA && (type == PICKLE_TYPE_MAPPING || type == PICKLE_TYPE_CHAINMAP ||
                            type == PICKLE_TYPE_SEQUENCE))
        return form_of_items(v);
    if (type != PICKLE_TYPE_TENSOR && pickle_get_array(v, &array))
        return array.scalar ? FORM_SCALAR : FORM_ARRAY;
    return pickle_get_dtype(v, &dtype) ? FORM_DTYPE : FORM_OBJECT;
}

/* Of what is not made by a call, but by its name: a global, a persistent id, an extension code. */
static value_form form_of_name(const pickle_val *v, view_as as, value_form plain)
{
    value_form known = as <= VIEW_DATA ? known_form(v, pickle_type_of(v)) : FORM_OBJECT;
    pickle_change change;

    if (known != FORM_OBJECT)
        return known;
    return pickle_first_change(v, &change) ? FORM_OBJECT : plain;
}

value_form view_form(const pickle_val *v, view_as as)
{
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
        return form_of_object(v, as);
    case PICKLE_GLOBAL:
        return form_of_name(v, as, FORM_GLOBAL);
    case PICKLE_PERSID:
    case PICKLE_EXT:
        return form_of_name(v, as, FORM_REFERENCE);
    default:
        return FORM_ATOM;
    }
}

static bool is_container(value_form f)
{
    return f == FORM_SEQUENCE || f == FORM_SET || f == FORM_DICT;
}

pickle_items view_items(const pickle_val *v, view_as as)
{
    pickle_items items = { 0 };

    if (is_container(view_form(v, as)))
        pickle_get_items(v, &items);
    return items;
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

const char *view_kind(const pickle_val *v, view_as as)
{
    value_form f = view_form(v, as);

    if (pickle_kind_of(v) != PICKLE_OBJECT)
        return pickle_kind_name(pickle_kind_of(v));
    if (is_container(f))
        return known_name(v);
    if (f == FORM_BYTES)
        return bytearray_call(v) ? "bytearray" : "bytes";
    return "object";
}

bool view_has_identity(const pickle_val *v, value_form f)
{
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
        return f == FORM_ARRAY || f == FORM_OBJECT || f == FORM_PICTURE || f == FORM_TABLE ||
               is_container(f);
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

bool view_is_alike(pickle_items items, view_as as)
{
    const pickle_val *first = NULL, *key, *value;
    value_form f = FORM_ATOM;

    while (pickle_next_item(&items, &key, &value)) {
        if (!first) {
            first = value;
            f = view_form(value, as);
        } else if (pickle_kind_of(value) != pickle_kind_of(first) || view_form(value, as) != f ||
                   (pickle_kind_of(value) == PICKLE_OBJECT && f != FORM_BYTES &&
                    !same_class(value, first)))
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

size_t view_inner(const pickle_val *of, value_form f, const pickle_val *inner[2])
{
    pickle_array array;

    switch (f) {
    case FORM_OBJECT:
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
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
    STAGE_PARTIAL,  /* instead: what was set on it          */
    STAGE_SLOTS,    /* of a state, then back to its changes */
    STAGE_ELEMENTS, /* of an object array: nothing else     */
    STAGE_OWN,      /* of a container: its attributes ...   */
    STAGE_CONTENT,  /* ... and its items                    */
    STAGE_END
};

typedef enum source { SOURCE_NONE, SOURCE_CHILD, SOURCE_ITEMS } source;

static void begin(children *c, child_part p, const pickle_val *items)
{
    c->part = p;
    if (!pickle_get_items(items, &c->items))
        c->items = (pickle_items){ 0 };
}

/* Those around another container have it as an attribute: that is no news. */
static bool is_wrapper(const pickle_val *v)
{
    static const char *const names[] = { "UserDict", "UserList", "ChainMap" };
    const char *name = known_name(v);

    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static uint8_t first_stage(const pickle_val *of, view_as as)
{
    bool own = as != VIEW_DATA && pickle_kind_of(of) == PICKLE_OBJECT && !is_wrapper(of);

    return own ? STAGE_OWN : STAGE_CONTENT;
}

void children_start(children *c, const pickle_val *of, view_as as, value_form f, bool flat)
{
    *c = (children){ .of = of, .as = as, .form = f, .flat = flat, .stage = STAGE_END };
    switch (f) {
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        c->stage = first_stage(of, as);
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
    n = view_inner(c->of, c->form, inner);
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

    c->stage = is_container(c->form) ? STAGE_OWN : STAGE_CHANGES;
    view_inner(c->of, c->form, inner);
    begin(c, PART_SLOT, inner[1]);
    return SOURCE_ITEMS;
}

/* The attributes of a container, then its items. */
static source give_own(children *c, child *out)
{
    bool on = c->changed ? pickle_next_change(&c->change) : pickle_first_change(c->of, &c->change);

    c->changed = true;
    if (!on) {
        c->stage = STAGE_CONTENT;
        return SOURCE_ITEMS;
    }
    if (c->change.kind != PICKLE_CHANGE_BUILD || pickle_kind_of(c->change.value) == PICKLE_NONE)
        return SOURCE_ITEMS;
    return give_state(c, out);
}

static source give_content(children *c)
{
    c->stage = STAGE_END;
    begin(c,
          c->form == FORM_DICT  ? PART_VALUE
          : c->form == FORM_SET ? PART_MEMBER
                                : PART_ITEM,
          c->of);
    return SOURCE_ITEMS;
}

static source give_elements(children *c, child *out)
{
    const pickle_val *inner[2];

    c->stage = STAGE_END;
    if (view_inner(c->of, c->form, inner) == 0)
        return SOURCE_NONE;
    if (!c->flat)
        return give(out, PART_ELEMENTS, inner[0]);
    begin(c, PART_ITEM, inner[0]);
    return SOURCE_ITEMS;
}

/* What an object is a call of; a partial is one of what it calls. NULL: it goes without saying. */
typedef struct call_parts {
    const pickle_val *callable, *args, *kwargs;
    bool partial;
} call_parts;

static call_parts parts_of(const children *c)
{
    const pickle_val *of = c->of;
    call_parts parts = { NULL, NULL, pickle_kwargs(of), false };
    pickle_partial p;

    if (c->as <= VIEW_DATA && pickle_get_partial(of, &p)) {
        parts = (call_parts){ p.func, pickle_len(p.args) > 0 ? p.args : NULL, p.kwargs, true };
    } else {
        parts.callable = pickle_class(of) ? NULL : pickle_callable(of);
        parts.args = args_matter(of) ? pickle_args(of) : NULL;
    }
    if (pickle_len(parts.kwargs) == 0)
        parts.kwargs = NULL;
    return parts;
}

static source give_partial_attributes(children *c)
{
    pickle_partial p;

    c->stage = STAGE_END;
    if (pickle_get_partial(c->of, &p) && p.attrs)
        begin(c, PART_ATTRIBUTE, p.attrs);
    return SOURCE_ITEMS;
}

static source give_call(children *c, child *out)
{
    call_parts parts = parts_of(c);

    switch (c->stage) {
    case STAGE_CALLABLE:
        c->stage = STAGE_ARGS;
        if (pickle_id(c->of))
            return give(out, PART_ID, pickle_id(c->of));
        if (parts.callable)
            return give(out, PART_CALLABLE, parts.callable);
        /* fall through */
    case STAGE_ARGS:
        c->stage = STAGE_KWARGS;
        if (parts.args)
            return give(out, PART_ARGS, parts.args);
        /* fall through */
    default:
        c->stage = parts.partial ? STAGE_PARTIAL : STAGE_CHANGES;
        return parts.kwargs ? give(out, PART_KWARGS, parts.kwargs) : SOURCE_ITEMS;
    }
}

static source next_source(children *c, child *out)
{
    switch (c->stage) {
    case STAGE_CALLABLE:
    case STAGE_ARGS:
    case STAGE_KWARGS:
        return give_call(c, out);
    case STAGE_PARTIAL:
        return give_partial_attributes(c);
    case STAGE_CHANGES:
        return give_change(c, out);
    case STAGE_SLOTS:
        return give_slots(c);
    case STAGE_ELEMENTS:
        return give_elements(c, out);
    case STAGE_OWN:
        return give_own(c, out);
    case STAGE_CONTENT:
        return give_content(c);
    default:
        return SOURCE_NONE;
    }
}

bool children_next(children *c, child *out)
{
    source from = SOURCE_ITEMS;

    while (from == SOURCE_ITEMS) {
        if (pickle_next_item(&c->items, &out->key, &out->value)) {
            out->part = c->part;
            out->index = c->part == PART_ITEM ? c->index++ : 0;
            return true;
        }
        from = next_source(c, out);
    }
    return from == SOURCE_CHILD;
}

size_t children_count(children c)
{
    size_t n = 0;
    child skipped;
    source from = SOURCE_ITEMS;

    while (from != SOURCE_NONE) {
        n += from == SOURCE_CHILD ? 1 : c.items.count;
        c.items = (pickle_items){ 0 };
        from = next_source(&c, &skipped);
    }
    return n;
}
