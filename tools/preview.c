/* preview.c - what a value looks like in one line of limited length. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dates.h"
#include "preview.h"

#define TEXT_WIDTH    48 /* of a str or bytes in a line               */
#define INT_BYTES     32 /* longer ints are described                 */
#define NESTED_DEPTH  3  /* tuples in tuples in ... are shown as such */
#define MOST_ELEMENTS 6  /* of an array                               */

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

static bool line_sink(void *ctx, const void *data, size_t len)
{
    line *l = ctx;

    line_write(l, data, len, LINE_WIDTH);
    return !l->cut;
}

/* What is said about a value, rather than the value: it always has room. */
void line_text(line *l, const char *text)
{
    bool cut = l->cut;

    l->cut = false;
    line_write(l, text, strlen(text), sizeof l->text);
    l->cut = cut;
}

/* With commas: 1,234,567 */
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

/* Part of the value itself. */
static void put(line *l, const char *text)
{
    line_write(l, text, strlen(text), LINE_WIDTH);
}

static void line_repr(line *l, const pickle_val *v)
{
    view_repr(v, (pickle_sink){ line_sink, l });
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
    put(l, "int of ");
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

static void put_shape(line *l, const pickle_array *a)
{
    for (int i = 0; i < a->ndim; i++)
        put_axis(l, i, a->shape[i]);
    line_text(l, a->ndim == 0 ? " ()" : a->ndim == 1 ? ",)" : ")");
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
        pickle_dtype_str(dtype, (pickle_sink){ line_sink, l });
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
    put_shape(l, a);
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
        put(l, number);
    } else {
        pickle_array_item_repr(element, (pickle_sink){ line_sink, l });
    }
}

/* What a record is made of says more than what the first ones hold. */
static void put_fields(line *l, const pickle_dtype *record)
{
    pickle_field field;
    pickle_dtype dtype;

    put(l, "{");
    for (uint64_t i = 0; i < record->nfields && !l->cut; i++) {
        if (!pickle_dtype_field(record, i, &field) || !pickle_get_dtype(field.dtype, &dtype))
            break;
        put(l, i > 0 ? ", " : "");
        line_write(l, field.name, field.name_len, LINE_WIDTH);
        put(l, ": ");
        if (!l->cut)
            preview_dtype(l, &dtype);
    }
    put(l, "}");
    if (l->cut)
        line_text(l, "…");
    l->cut = false;
}

void preview_elements(line *l, const pickle_array *a)
{
    uint64_t count = pickle_array_count(a), shown = count < MOST_ELEMENTS ? count : MOST_ELEMENTS;
    int64_t index[PICKLE_MAXDIMS] = { 0 };
    pickle_array element;
    const pickle_val *object;

    if (a->dtype.nfields > 0) {
        put_fields(l, &a->dtype);
        return;
    }
    if (!a->data || a->dtype.hasobject)
        return;
    put(l, "[");
    for (uint64_t i = 0; i < shown; i++) {
        if (i > 0)
            put(l, ", ");
        if (!pickle_array_at(a, index, a->ndim, &element, &object))
            break;
        put_element(l, &element);
        for (int k = a->ndim - 1; k >= 0 && ++index[k] == a->shape[k]; k--)
            index[k] = 0;
    }
    if (l->cut || shown < count)
        line_text(l, l->cut ? "…" : ", …");
    line_text(l, l->cut ? "" : "]");
    l->cut = false;
}

/* -------------------------------------------------------------- containers */

static void put_value(line *l, const pickle_val *v, int depth);

static void put_items(line *l, const pickle_val *items, int depth)
{
    const pickle_val *key, *value;
    bool first = true;

    l->inside = true;
    pickle_foreach (items, key, value) {
        if (l->cut)
            return;
        if (!first)
            put(l, ", ");
        first = false;
        if (key) {
            put_value(l, key, depth + 1);
            put(l, ": ");
        }
        put_value(l, value, depth + 1);
    }
}

/* What stands around the items of a container. */
static void get_brackets(const pickle_val *v, size_t len, const char *brackets[2])
{
    static const char *const all[][3] = {
        { "tuple", "(", ")" },
        { "list", "[", "]" },
        { "dict", "{", "}" },
        { "set", "{", "}" },
        { "set", "set(", ")" },
        { "frozenset", "frozenset({", "})" },
        { "frozenset", "frozenset(", ")" },
    };
    size_t i = 0;

    while (strcmp(all[i][0], view_kind(v)) != 0)
        i++;
    i += view_form(v) == FORM_SET && len == 0;
    brackets[0] = all[i][1];
    brackets[1] = i == 0 && len == 1 ? ",)" : all[i][2];
}

static void put_container(line *l, const pickle_val *v, int depth)
{
    const pickle_val *items = view_items(v);
    bool calling = l->calling;
    const char *brackets[2];

    if (depth > NESTED_DEPTH || (depth > 0 && pickle_kind_of(v) != PICKLE_TUPLE))
        l->lossy = true;
    if (depth > NESTED_DEPTH) {
        put(l, "…");
        return;
    }
    get_brackets(v, pickle_len(items), brackets);
    l->calling = false;
    put(l, brackets[0]);
    put_items(l, items, depth);
    put(l, brackets[1]);
    l->calling = calling;
}

/* ----------------------------------------------------------------- objects */

static void put_name(line *l, const pickle_val *global)
{
    if (*view_module(global)) {
        put(l, pickle_module(global));
        put(l, ".");
    }
    put(l, pickle_name(global));
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
    const pickle_val *args = pickle_args(v), *zone = NULL;
    const pickle_val *only = pickle_len(args) == 1 ? pickle_at(args, 0) : NULL;
    char date[DATE_CHARS];

    if (date_arguments(v, date, &zone)) {
        put(l, date);
        put(l, zone ? ", tzinfo=" : "");
        if (zone)
            put_value(l, zone, depth + 1);
    } else if (only && (view_form(only) == FORM_STR || view_form(only) == FORM_BYTES)) {
        return put_shortened(l, only) ? only : NULL;
    } else {
        put_items(l, args, depth);
    }
    return NULL;
}

/* Calls stand in each other's arguments; in containers they are values of their own. */
static void put_object(line *l, const pickle_val *v, int depth)
{
    const pickle_val *cls = view_class(v), *shortened;
    bool plain = is_plain_call(v), calling = l->calling;

    if (cls)
        put_name(l, cls);
    else
        put(l, "object");
    l->lossy = l->lossy || !plain || (l->inside && !calling);
    if (!plain || depth > NESTED_DEPTH) {
        l->lossy = true;
        put(l, "(…)");
        return;
    }
    put(l, "(");
    l->calling = true;
    shortened = put_arguments(l, v, depth);
    l->calling = calling;
    put(l, ")");
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
        pickle_array_item_repr(&a, (pickle_sink){ line_sink, l });
}

static void put_dtype(line *l, const pickle_val *v)
{
    pickle_dtype dtype;

    if (pickle_get_dtype(v, &dtype))
        preview_dtype(l, &dtype);
}

static void put_reference(line *l, const pickle_val *v)
{
    put(l, pickle_kind_of(v) == PICKLE_EXT ? "<extension " : "<persistent id ");
    line_repr(l, pickle_id(v));
    put(l, ">");
}

/* ----------------------------------------------------------------- dispatch */

static void put_value(line *l, const pickle_val *v, int depth)
{
    switch (view_form(v)) {
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
static const pickle_val *elements_of(const pickle_val *v)
{
    pickle_array a;

    return view_form(v) == FORM_ARRAY && pickle_get_array(v, &a) ? a.objects : NULL;
}

bool preview_is_complete(const pickle_val *v)
{
    const pickle_val *elements, *zone;
    char date[DATE_CHARS];
    line l = { 0 };

    switch (view_form(v)) {
    case FORM_OBJECT:
        if (date_arguments(v, date, &zone))
            return true; /* even if its zone is too long */
        put_value(&l, v, 0);
        break;
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        put_value(&l, v, 0);
        break;
    case FORM_ARRAY:
        elements = elements_of(v);
        if (elements)
            put_items(&l, elements, 0);
        break;
    default:
        break;
    }
    return !l.cut && !l.lossy;
}

bool preview_is_run(const pickle_val *v)
{
    const pickle_val *elements = elements_of(v), *items = elements ? elements : v;
    value_form f = view_form(v), of;

    if (f != FORM_SEQUENCE && !elements)
        return false;
    of = view_form(pickle_at(items, 0));
    return (of == FORM_ATOM || of == FORM_STR || of == FORM_SCALAR) && view_is_alike(items);
}

/* What an item is called, to which an "s" can be added. */
static const char *noun(const pickle_val *v)
{
    switch (view_form(v)) {
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
    default:
        return view_kind(v);
    }
}

/* "3 strings", "1 array", "100 DecisionTreeClassifier", "5 items". */
static void put_population(line *l, const pickle_val *items)
{
    pickle_iter it = { items, 0, NULL };
    const pickle_val *key, *first = NULL;
    size_t len = pickle_len(items);
    bool alike = pickle_next(&it, &key, &first) && view_is_alike(items);
    const pickle_val *cls = alike && view_form(first) == FORM_OBJECT ? view_class(first) : NULL;

    line_number(l, len);
    line_text(l, " ");
    put(l, cls ? pickle_name(cls) : alike ? noun(first) : "item");
    if (!cls && len != 1)
        line_text(l, "s");
}

/* Constructors that are functions get the class as their first argument: newObj(KDTree). */
static void put_class(line *l, const pickle_val *v)
{
    const pickle_val *cls = view_class(v), *arg = pickle_at(pickle_args(v), 0);

    put(l, cls ? pickle_name(cls) : "object");
    if (cls != pickle_callable(v) || pickle_call_of(v) != PICKLE_CALL_REDUCE || !pickle_name(arg))
        return;
    put(l, "(");
    put(l, pickle_name(arg));
    put(l, ")");
}

void preview_kind(line *l, const pickle_val *v)
{
    pickle_array a;

    switch (view_form(v)) {
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        line_text(l, view_kind(v));
        line_text(l, " of ");
        put_population(l, view_items(v));
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

void preview_items(line *l, const pickle_val *v)
{
    const pickle_val *elements = elements_of(v);
    pickle_array a;

    if (elements && !(pickle_get_array(v, &a) && a.dtype.nfields > 0)) {
        put(l, "[");
        put_items(l, elements, 0);
        put(l, "]");
    } else if (view_form(v) == FORM_ARRAY && pickle_get_array(v, &a)) {
        preview_elements(l, &a);
    } else if (view_form(v) != FORM_OBJECT) {
        put_container(l, v, 0);
    }
    if (l->cut)
        line_text(l, "…");
}
