/* preview.c - what a value looks like in one line of limited length. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "known.h"
#include "picture.h"
#include "preview.h"

#define TEXT_WIDTH   48 /* of a str or bytes in a line               */
#define INT_BYTES    32 /* longer ints are described                 */
#define NESTED_DEPTH 3  /* tuples in tuples in ... are shown as such */

/* -------------------------------------------------------------------- line */

/* As much of the text as there is room for, without half characters. */
static size_t fitting(const char *text, size_t len, size_t room)
{
    if (len <= room)
        return len;
    while (room > 0 && (text[room] & 0xc0) == 0x80)
        room--;
    return room;
}

static void line_write(line *l, const char *text, size_t len, size_t width)
{
    size_t fits = fitting(text, len, l->len < width ? width - l->len : 0);

    if (l->cut)
        return;
    l->cut = fits < len;
    memcpy(l->text + l->len, text, fits);
    l->len += fits;
}

static bool write_to_line(void *ctx, const void *data, size_t len)
{
    line *l = ctx;

    line_write(l, data, len, LINE_WIDTH);
    return !l->cut;
}

/* For text that is nothing without its end, such as a date in a zone; with room for dots. */
static bool write_to_long_line(void *ctx, const void *data, size_t len)
{
    line *l = ctx;

    line_write(l, data, len, sizeof l->text - 4);
    return !l->cut;
}

pickle_sink line_sink(line *l)
{
    return (pickle_sink){ write_to_line, l };
}

void line_text(line *l, const char *text)
{
    bool cut = l->cut;

    l->cut = false;
    line_write(l, text, strlen(text), sizeof l->text);
    l->cut = cut;
}

void line_number(line *l, uint64_t n)
{
    char digits[32], text[48];
    size_t out = 0, len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n);

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[out++] = ',';
        text[out++] = digits[i];
    }
    text[out] = '\0';
    line_text(l, text);
}

void line_signed(line *l, int64_t n)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, n);
    line_text(l, text);
}

void line_put(line *l, const char *text)
{
    line_write(l, text, strlen(text), LINE_WIDTH);
}

static void line_repr(line *l, const pickle_val *v)
{
    view_repr(v, line_sink(l));
}

/* ------------------------------------------------------------------- atoms */

static size_t count_characters(const char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += (text[i] & 0xc0) != 0x80;
    return n;
}

/* Long text leaves room for what follows it. False: all of it is there. */
static bool put_shortened(line *l, const pickle_val *v)
{
    line own = { 0 };

    line_repr(&own, v);
    if (!own.cut && own.len <= TEXT_WIDTH) {
        line_write(l, own.text, own.len, LINE_WIDTH);
        return false;
    }
    line_write(l, own.text, fitting(own.text, own.len, TEXT_WIDTH), LINE_WIDTH);
    line_text(l, "…");
    return true;
}

/* How long a text is that was shortened; within something else, that stays to be shown. */
static void put_length(line *l, const pickle_val *v)
{
    size_t len = pickle_len(v);

    if (l->inside) {
        l->lossy = true;
        return;
    }
    line_text(l, "  (");
    if (pickle_str(v)) {
        line_number(l, count_characters(pickle_str(v), len));
        line_text(l, " characters)");
    } else {
        view_bytes(v, &len);
        line_number(l, len);
        line_text(l, " bytes)");
    }
}

static void put_text(line *l, const pickle_val *v)
{
    if (put_shortened(l, v))
        put_length(l, v);
}

static void put_atom(line *l, const pickle_val *v)
{
    size_t bytes = pickle_int_bytes(v, NULL, 0);

    if (bytes <= INT_BYTES) {
        line_repr(l, v);
        return;
    }
    line_put(l, "int of ");
    line_number(l, bytes);
    line_text(l, " bytes");
    l->lossy = l->inside;
}

/* ------------------------------------------------------------------ numpy */

static const char *plain_name(const pickle_dtype *d)
{
    static const struct {
        char kind;
        uint8_t size;
        const char *name;
    } names[] = {
        { 'b', 1, "bool" },        { 'i', 1, "int8" },        { 'i', 2, "int16" },
        { 'i', 4, "int32" },       { 'i', 8, "int64" },       { 'u', 1, "uint8" },
        { 'u', 2, "uint16" },      { 'u', 4, "uint32" },      { 'u', 8, "uint64" },
        { 'f', 2, "float16" },     { 'f', 4, "float32" },     { 'f', 8, "float64" },
        { 'f', 16, "float128" },   { 'f', 12, "float96" },    { 'c', 8, "complex64" },
        { 'c', 16, "complex128" }, { 'c', 32, "complex256" }, { 'c', 24, "complex192" },
    };

    if (d->kind == 'O')
        return "object";
    if (d->name)
        return d->name;
    for (size_t i = 0; i < sizeof names / sizeof *names && d->order != '>'; i++)
        if (d->kind == names[i].kind && d->itemsize == names[i].size)
            return names[i].name;
    return NULL;
}

static void put_axis(line *l, int axis, int64_t size)
{
    char number[32];

    snprintf(number, sizeof number, axis > 0 ? ", %" PRId64 : " (%" PRId64, size);
    if (l->len + 32 < sizeof l->text)
        line_text(l, number);
}

void preview_shape(line *l, int ndim, const int64_t *shape)
{
    for (int i = 0; i < ndim; i++)
        put_axis(l, i, shape[i]);
    line_text(l, ndim == 0 ? " ()" : ndim == 1 ? ",)" : ")");
}

static void put_subshape(line *l, const pickle_dtype *dtype)
{
    for (int i = 0; i < dtype->subdims; i++)
        put_axis(l, i, pickle_dtype_subshape(dtype, i));
    line_text(l, dtype->subdims == 1 ? ",)" : ")");
}

void preview_dtype(line *l, const pickle_dtype *dtype)
{
    const char *name = plain_name(dtype);
    pickle_dtype base;

    if (dtype->subdims > 0 && pickle_get_dtype(dtype->base, &base) && base.subdims == 0) {
        preview_dtype(l, &base);
        put_subshape(l, dtype);
    } else if (dtype->nfields > 0) {
        line_text(l, "record");
    } else if (name) {
        line_text(l, name);
    } else {
        pickle_dtype_str(dtype, line_sink(l));
    }
    if (l->cut) {
        l->cut = false;
        l->lossy = true;
        line_text(l, "…");
    }
}

void preview_array(line *l, const pickle_array *a)
{
    bool own = a->cls && !pickle_is_global(a->cls, "numpy", "ndarray");

    line_text(l, own ? pickle_name(a->cls) : "array");
    line_text(l, " ");
    preview_dtype(l, &a->dtype);
    preview_shape(l, a->ndim, a->shape);
    if (a->ndim > 1) {
        line_text(l, " ");
        line_text(l, view_order(a));
    }
}

/* Six digits do for a look at it. */
static void put_element(line *l, const pickle_array *element)
{
    char number[40];
    double x;

    if (element->dtype.kind == 'f' && pickle_array_copy(element, "=f8", &x, sizeof x, NULL)) {
        snprintf(number, sizeof number, "%.6g", x);
        line_put(l, number);
    } else {
        pickle_array_item_repr(element, line_sink(l));
    }
}

/* What a record is made of says more than what the first ones hold. */
static void put_fields(line *l, const pickle_dtype *record)
{
    pickle_field field;
    pickle_dtype dtype;

    line_put(l, "{");
    for (uint64_t i = 0; i < record->nfields && !l->cut; i++) {
        if (!pickle_dtype_field(record, i, &field) || !pickle_get_dtype(field.dtype, &dtype))
            break;
        line_put(l, i > 0 ? ", " : "");
        line_write(l, field.name, field.name_len, LINE_WIDTH);
        line_put(l, ": ");
        if (!l->cut)
            preview_dtype(l, &dtype);
    }
    line_put(l, "}");
    if (l->cut)
        line_text(l, "…");
    l->cut = false;
}

static void put_value(line *l, const pickle_val *v, int depth);

static bool is_masked(const pickle_array *mask, const int64_t *index)
{
    const pickle_val *none;
    pickle_array element;
    bool masked = false;

    if (mask && mask->dtype.kind == 'b' &&
        pickle_array_at(mask, index, mask->ndim, &element, &none) && element.data)
        masked = *(const unsigned char *)element.data != 0;
    return masked;
}

/* False: there is no such element. */
static bool put_element_at(line *l, const pickle_array *a, const pickle_array *mask,
                           const int64_t *index)
{
    pickle_array element;
    const pickle_val *object;

    if (!pickle_array_at(a, index, a->ndim, &element, &object))
        return false;
    if (is_masked(mask, index))
        line_put(l, "--");
    else if (object)
        put_value(l, object, 1);
    else
        put_element(l, &element);
    return true;
}

void preview_elements(line *l, const pickle_array *a, const pickle_array *mask)
{
    uint64_t count = pickle_array_count(a), shown = count < LINE_ELEMENTS ? count : LINE_ELEMENTS;
    int64_t index[PICKLE_MAXDIMS] = { 0 };

    if (a->dtype.nfields > 0) {
        put_fields(l, &a->dtype);
        return;
    }
    if (!a->data && !a->objects)
        return;
    line_put(l, "[");
    for (uint64_t i = 0; i < shown; i++) {
        if (i > 0)
            line_put(l, ", ");
        if (!put_element_at(l, a, mask, index))
            break;
        for (int k = a->ndim - 1; k >= 0 && ++index[k] == a->shape[k]; k--)
            index[k] = 0;
    }
    if (l->cut || shown < count)
        line_text(l, l->cut ? "…" : ", …");
    line_text(l, l->cut ? "" : "]");
    l->cut = false;
}

/* -------------------------------------------------------------- containers */

static void put_items(line *l, pickle_items items, int depth)
{
    const pickle_val *key, *value;
    bool first = true;

    l->inside = true;
    while (pickle_next_item(&items, &key, &value)) {
        if (l->cut)
            return;
        if (!first)
            line_put(l, ", ");
        first = false;
        if (key) {
            put_value(l, key, depth + 1);
            line_put(l, ": ");
        }
        put_value(l, value, depth + 1);
    }
}

/* Items of a plain container, whatever they are shown as. */
static pickle_items items_of(const pickle_val *plain)
{
    pickle_items items = { 0 };

    pickle_get_items(plain, &items);
    return items;
}

/* What stands around the items of a container of the builtins. */
typedef struct brackets {
    const char *open, *close;
} brackets;

static brackets brackets_of(const pickle_items *items, bool named)
{
    switch (items->kind) {
    case PICKLE_TUPLE:
        return (brackets){ "(", items->count == 1 ? ",)" : ")" };
    case PICKLE_DICT:
        return (brackets){ "{", "}" };
    case PICKLE_LIST:
        return (brackets){ "[", "]" };
    case PICKLE_FROZENSET:
        return items->count ? (brackets){ "frozenset({", "})" } : (brackets){ "frozenset(", ")" };
    default:
        return items->count || named ? (brackets){ "{", "}" } : (brackets){ "set(", ")" };
    }
}

/* defaultdict(list, ...), and the end of deque(..., maxlen=3). */
static void open_named(line *l, const pickle_val *v, const pickle_items *items)
{
    bool has_default = strcmp(view_kind(v, l->as), "defaultdict") == 0;

    line_put(l, view_kind(v, l->as));
    line_put(l, "(");
    if (items->factory)
        put_value(l, items->factory, NESTED_DEPTH + 1);
    else if (has_default)
        line_put(l, "None");
    line_put(l, has_default ? ", " : "");
}

/* OrderedDict() and Counter(). */
static bool goes_without_brackets(const pickle_val *v, const pickle_items *items)
{
    return items->kind == PICKLE_DICT && items->count == 0 &&
           strcmp(known_name(v), "defaultdict") != 0;
}

static void close_named(line *l, const pickle_items *items)
{
    char maxlen[40];

    if (items->maxlen >= 0) {
        snprintf(maxlen, sizeof maxlen, ", maxlen=%" PRId64, items->maxlen);
        line_put(l, maxlen);
    }
    line_put(l, ")");
}

/* Of a class that has a name of its own: set([1]) of older protocols does not need it. */
static bool is_named(const pickle_val *v, view_as as)
{
    return pickle_type_of(v) != PICKLE_TYPE_SET && pickle_kind_of(v) == PICKLE_OBJECT &&
           as == VIEW_KNOWN;
}

static bool has_attributes(const pickle_val *v, view_as as)
{
    const pickle_val *inner[2];

    return pickle_kind_of(v) == PICKLE_OBJECT && view_inner(v, view_form(v, as), inner) > 0;
}

static void put_container(line *l, const pickle_val *v, int depth)
{
    pickle_items items = view_items(v, l->as);
    bool calling = l->calling, named = is_named(v, l->as);
    brackets b = brackets_of(&items, named);

    if (depth > NESTED_DEPTH || (depth > 0 && pickle_kind_of(v) != PICKLE_TUPLE) ||
        (named && has_attributes(v, l->as)))
        l->lossy = true;
    if (depth > NESTED_DEPTH) {
        line_put(l, "…");
        return;
    }
    l->calling = false;
    if (named)
        open_named(l, v, &items);
    if (named && goes_without_brackets(v, &items))
        b = (brackets){ "", "" };
    line_put(l, b.open);
    put_items(l, items, depth);
    line_put(l, b.close);
    if (named)
        close_named(l, &items);
    l->calling = calling;
}

/* ----------------------------------------------------------------- objects */

static void put_name(line *l, const pickle_val *global)
{
    if (*view_module(global)) {
        line_put(l, pickle_module(global));
        line_put(l, ".");
    }
    line_put(l, pickle_name(global));
}

/* Nothing but a call of a class or function with a few arguments? */
static bool is_plain_call(const pickle_val *v)
{
    pickle_change change;

    return pickle_class(v) && pickle_class(v) == pickle_callable(v) &&
           pickle_kind_of(pickle_args(v)) == PICKLE_TUPLE && pickle_len(pickle_kwargs(v)) == 0 &&
           !pickle_first_change(v, &change);
}

/* Gives the argument that was too long for it, if that is all there is. */
static const pickle_val *put_arguments(line *l, const pickle_val *v, int depth)
{
    const pickle_val *args = pickle_args(v);
    const pickle_val *only = pickle_len(args) == 1 ? pickle_at(args, 0) : NULL;
    value_form f = view_form(only, l->as);

    if (f == FORM_STR || f == FORM_BYTES)
        return put_shortened(l, only) ? only : NULL;
    put_items(l, items_of(args), depth);
    return NULL;
}

/* functools.partial(int, base=2) */
static void put_partial(line *l, const pickle_partial *p, int depth)
{
    const pickle_val *key, *value;

    l->inside = l->calling = true;
    line_put(l, "functools.partial(");
    put_value(l, p->func, depth + 1);
    pickle_foreach (p->args, key, value) {
        line_put(l, ", ");
        put_value(l, value, depth + 1);
    }
    pickle_foreach (p->kwargs, key, value) {
        line_put(l, ", ");
        line_put(l, pickle_str(key) ? pickle_str(key) : "…");
        line_put(l, "=");
        put_value(l, value, depth + 1);
    }
    line_put(l, ")");
    l->lossy = l->lossy || pickle_len(p->attrs) > 0;
}

/* Color.RED, which is all that is said of the value. */
static bool put_enum(line *l, const pickle_val *v)
{
    pickle_enum e;

    if (!pickle_get_enum(v, &e) || !e.cls || !e.name)
        return false;
    put_name(l, e.cls);
    line_put(l, ".");
    line_put(l, e.name);
    return true;
}

static bool put_known_call(line *l, const pickle_val *v, int depth)
{
    bool inside = l->inside, calling = l->calling;
    pickle_partial p;

    if (l->as != VIEW_KNOWN || depth > NESTED_DEPTH)
        return false;
    if (!pickle_get_partial(v, &p))
        return put_enum(l, v);
    l->lossy = l->lossy || (inside && !calling);
    put_partial(l, &p, depth);
    l->inside = inside;
    l->calling = calling;
    return true;
}

/* Calls stand in each other's arguments; in containers they are values of their own. */
static void put_object(line *l, const pickle_val *v, int depth)
{
    const pickle_val *cls = view_class(v), *shortened;
    bool plain = is_plain_call(v), calling = l->calling;

    if (put_known_call(l, v, depth))
        return;
    if (cls)
        put_name(l, cls);
    else
        line_put(l, "object");
    l->lossy = l->lossy || !plain || (l->inside && !calling);
    if (!plain || depth > NESTED_DEPTH) {
        l->lossy = true;
        line_put(l, "(…)");
        return;
    }
    line_put(l, "(");
    l->calling = true;
    shortened = put_arguments(l, v, depth);
    l->calling = calling;
    line_put(l, ")");
    if (shortened)
        put_length(l, shortened);
}

static void put_array(line *l, const pickle_val *v)
{
    pickle_array a;

    if (pickle_get_array(v, &a))
        preview_array(l, &a);
    l->lossy = true;
}

static void put_scalar(line *l, const pickle_val *v)
{
    pickle_array a;

    if (pickle_get_array(v, &a))
        pickle_array_item_repr(&a, line_sink(l));
}

static void put_dtype(line *l, const pickle_val *v)
{
    pickle_dtype dtype;

    if (pickle_get_dtype(v, &dtype))
        preview_dtype(l, &dtype);
}

static void put_reference(line *l, const pickle_val *v)
{
    line_put(l, pickle_kind_of(v) == PICKLE_EXT ? "<extension " : "<persistent id ");
    line_repr(l, pickle_id(v));
    line_put(l, ">");
}

/* ----------------------------------------------------------------- dispatch */

static void put_value(line *l, const pickle_val *v, int depth)
{
    switch (view_form(v, l->as)) {
    case FORM_ATOM:
        put_atom(l, v);
        break;
    case FORM_STR:
    case FORM_BYTES:
        put_text(l, v);
        break;
    case FORM_GLOBAL:
        put_name(l, v);
        break;
    case FORM_REFERENCE:
        put_reference(l, v);
        break;
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        put_container(l, v, depth);
        break;
    case FORM_DTYPE:
        put_dtype(l, v);
        break;
    case FORM_SCALAR:
        put_scalar(l, v);
        break;
    case FORM_ARRAY:
        put_array(l, v);
        break;
    case FORM_TEXT:
        known_repr(v, l->inside ? line_sink(l) : (pickle_sink){ write_to_long_line, l });
        break;
    case FORM_PICTURE:
    case FORM_TABLE:
        picture_kind(l, v);
        l->lossy = true;
        break;
    case FORM_OBJECT:
        put_object(l, v, depth);
        break;
    }
}

void preview_value(line *l, const pickle_val *v)
{
    put_value(l, v, 0);
    if (l->cut)
        line_text(l, "…");
}

/* ------------------------------------------------------- instead of a value */

/* The elements of an object array as a list; NULL for everything else. */
static const pickle_val *elements_of(const pickle_val *v, view_as as)
{
    pickle_array a;

    return view_form(v, as) == FORM_ARRAY && pickle_get_array(v, &a) ? a.objects : NULL;
}

bool preview_is_complete(const pickle_val *v, view_as as)
{
    const pickle_val *elements;
    line l = { .as = as };

    switch (view_form(v, as)) {
    case FORM_OBJECT:
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        put_value(&l, v, 0);
        break;
    case FORM_ARRAY:
        elements = elements_of(v, as);
        if (elements)
            put_items(&l, items_of(elements), 0);
        break;
    default:
        break;
    }
    return !l.cut && !l.lossy;
}

bool preview_is_run(const pickle_val *v, view_as as)
{
    const pickle_val *elements = elements_of(v, as);
    pickle_items items = elements ? items_of(elements) : view_items(v, as);
    value_form f = view_form(v, as), of;

    if (f != FORM_SEQUENCE && !elements)
        return false;
    of = view_form(pickle_item(&items, 0), as);
    return (of == FORM_ATOM || of == FORM_STR || of == FORM_SCALAR || of == FORM_TEXT) &&
           view_is_alike(items, as);
}

/* What an item is called, to which an "s" can be added. */
static const char *noun(const pickle_val *v, view_as as)
{
    switch (view_form(v, as)) {
    case FORM_BYTES:
        return "bytes object";
    case FORM_SCALAR:
        return "numpy scalar";
    case FORM_ARRAY:
        return "array";
    case FORM_DTYPE:
        return "dtype";
    case FORM_REFERENCE:
        return "reference";
    case FORM_OBJECT:
        return "object";
    case FORM_STR:
        return "string";
    case FORM_PICTURE:
        return pickle_type_name(pickle_type_of(v));
    default:
        return view_kind(v, as);
    }
}

/* "3 strings", "1 array", "100 DecisionTreeClassifier", "5 items". */
static void put_population(line *l, pickle_items items)
{
    pickle_items at = items;
    const pickle_val *key, *first = NULL;
    bool alike = pickle_next_item(&at, &key, &first) && view_is_alike(items, l->as);
    value_form f = view_form(first, l->as);
    const char *name = NULL;

    if (alike && f == FORM_OBJECT)
        name = pickle_name(view_class(first));
    else if (alike && (f == FORM_TEXT || f == FORM_PICTURE || f == FORM_TABLE))
        name = known_name(first);
    line_number(l, items.count);
    line_text(l, " ");
    line_put(l, name ? name : alike ? noun(first, l->as) : "item");
    if (!name && items.count != 1)
        line_text(l, "s");
}

/* "deque of 3 ints, maxlen 5", "defaultdict(list) of 2 lists" */
static void put_container_kind(line *l, const pickle_val *v)
{
    pickle_items items = view_items(v, l->as);

    line_text(l, view_kind(v, l->as));
    if (items.factory) {
        line_put(l, "(");
        put_value(l, items.factory, NESTED_DEPTH + 1);
        line_put(l, ")");
    }
    line_text(l, " of ");
    put_population(l, items);
    if (items.maxlen >= 0 && is_named(v, l->as)) {
        line_text(l, ", maxlen ");
        line_number(l, (uint64_t)items.maxlen);
    }
}

/* Constructors that are functions get the class as their first argument: newObj(KDTree). */
static void put_class(line *l, const pickle_val *v)
{
    const pickle_val *cls = view_class(v), *arg = pickle_at(pickle_args(v), 0);

    line_put(l, cls ? pickle_name(cls) : "object");
    if (cls != pickle_callable(v) || pickle_call_of(v) != PICKLE_CALL_REDUCE || !pickle_name(arg))
        return;
    line_put(l, "(");
    line_put(l, pickle_name(arg));
    line_put(l, ")");
}

void preview_kind(line *l, const pickle_val *v)
{
    pickle_array a;

    switch (view_form(v, l->as)) {
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        put_container_kind(l, v);
        break;
    case FORM_ARRAY:
        if (pickle_get_array(v, &a))
            preview_array(l, &a);
        break;
    case FORM_OBJECT:
        put_class(l, v);
        break;
    default:
        preview_value(l, v);
    }
}

static void put_array_items(line *l, const pickle_val *v)
{
    const pickle_val *elements = elements_of(v, l->as);
    pickle_array a;

    if (!pickle_get_array(v, &a))
        return;
    if (!elements || a.dtype.nfields > 0) {
        preview_elements(l, &a, NULL);
        return;
    }
    line_put(l, "[");
    put_items(l, items_of(elements), 0);
    line_put(l, "]");
}

void preview_items(line *l, const pickle_val *v)
{
    switch (view_form(v, l->as)) {
    case FORM_ARRAY:
        put_array_items(l, v);
        break;
    case FORM_PICTURE:
        picture_items(l, v);
        break;
    case FORM_OBJECT:
    case FORM_TABLE:
        break;
    default:
        put_container(l, v, 0);
    }
    if (l->cut)
        line_text(l, "…");
}
