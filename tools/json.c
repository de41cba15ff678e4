/* json.c - atoms and arrays as JSON. */
#include <math.h>
#include <string.h>

#include "elements.h"
#include "json.h"
#include "view.h"

#define RECORD_DEPTH 8 /* records in records: deeper ones are shown as text */

/* ------------------------------------------------------------------- atoms */

static void put_float(output *o, const pickle_val *v)
{
    double x = pickle_f64_or(v, 0);

    if (isnan(x))
        out_text(o, "\"nan\"");
    else if (isinf(x))
        out_text(o, x > 0 ? "\"inf\"" : "\"-inf\"");
    else
        pickle_repr(v, out_sink(o), 0, NULL);
}

void json_atom(output *o, const pickle_val *v)
{
    switch (pickle_kind_of(v)) {
    case PICKLE_BOOL:
        out_text(o, pickle_i64_or(v, 0) ? "true" : "false");
        break;
    case PICKLE_INT:
        pickle_repr(v, out_sink(o), 0, NULL);
        break;
    case PICKLE_FLOAT:
        put_float(o, v);
        break;
    case PICKLE_STR:
        out_json(o, pickle_str(v), pickle_len(v));
        break;
    default:
        out_text(o, "null");
    }
}

void json_bytes(output *o, const void *data, size_t len)
{
    if (!data) {
        out_text(o, "null");
        return;
    }
    out_text(o, "{\"bytes\": ");
    out_base64(o, data, len);
    out_text(o, "}");
}

void json_text(output *o, const char *text)
{
    if (text)
        out_json(o, text, strlen(text));
    else
        out_text(o, "null");
}

void json_buffered(output *o, pickle_buf *text)
{
    out_json(o, (const char *)text->data, text->len);
    pickle_buf_free(text);
}

void json_member(output *o, const char *name)
{
    out_format(o, ", \"%s\": ", name);
}

void json_global(output *o, const pickle_val *global)
{
    pickle_buf text = { 0 };
    pickle_sink sink = pickle_sink_buf(&text);
    const char *module = pickle_module(global), *name = pickle_name(global);

    sink.write(sink.ctx, module, strlen(module));
    sink.write(sink.ctx, ".", 1);
    sink.write(sink.ctx, name, strlen(name));
    json_buffered(o, &text);
}

void json_dtype(output *o, const pickle_dtype *dtype)
{
    pickle_buf text = { 0 };

    pickle_dtype_str(dtype, pickle_sink_buf(&text));
    json_buffered(o, &text);
}

/* ---------------------------------------------------------------- elements */

static void put_ucs4(output *o, const pickle_array *e)
{
    pickle_buf text = { 0 };

    element_text(e, &text);
    json_buffered(o, &text);
}

/* Numbers as Python shows them, but for what JSON has no numbers for. */
static void put_number(output *o, const pickle_array *e)
{
    pickle_buf text = { 0 };
    unsigned char first;

    pickle_array_item_repr(e, pickle_sink_buf(&text));
    first = text.len > 1 && text.data[0] == '-' ? text.data[1] : text.len ? text.data[0] : 0;
    if (e->dtype.kind == 'b') {
        out_text(o, first == 'T' ? "true" : "false");
    } else if (strchr("iuf", e->dtype.kind) && first >= '0' && first <= '9') {
        out_write(o, text.data, text.len);
    } else {
        json_buffered(o, &text);
        return;
    }
    pickle_buf_free(&text);
}

static void put_array(output *o, const pickle_array *a, int depth);

/* A field of one record, with the axes it has if it is a subarray. */
static bool take_field(const pickle_array *e, uint64_t i, pickle_field *field, pickle_array *part)
{
    char name[256];

    if (!pickle_dtype_field(&e->dtype, i, field) || field->name_len >= sizeof name)
        return false;
    *part = *e;
    if (!pickle_get_dtype(field->dtype, &part->dtype))
        return false;
    if (part->dtype.subdims == 0) {
        part->data = (const char *)e->data + field->offset;
        part->nbytes = part->dtype.itemsize;
        return !part->dtype.hasobject;
    }
    memcpy(name, field->name, field->name_len);
    name[field->name_len] = '\0';
    return pickle_array_field(e, name, part);
}

static void put_record(output *o, const pickle_array *e, int depth)
{
    pickle_field field = { 0 };
    pickle_array part;

    out_text(o, "{");
    for (uint64_t i = 0; i < e->dtype.nfields && !out_stopped(o); i++) {
        bool ok = take_field(e, i, &field, &part);

        out_text(o, i > 0 ? ", " : "");
        out_json(o, field.name, field.name_len);
        out_text(o, ": ");
        if (ok)
            put_array(o, &part, depth + 1);
        else
            out_text(o, "null");
    }
    out_text(o, "}");
}

static void put_element(output *o, const pickle_array *e, int depth)
{
    switch (e->dtype.kind) {
    case 'U':
        put_ucs4(o, e);
        break;
    case 'S':
        json_bytes(o, e->data, element_bytes(e));
        break;
    case 'V':
        if (e->dtype.nfields > 0 && depth < RECORD_DEPTH)
            put_record(o, e, depth);
        else if (e->dtype.nfields > 0)
            put_number(o, e);
        else
            json_bytes(o, e->data, (size_t)e->dtype.itemsize);
        break;
    default:
        put_number(o, e);
    }
}

/* -------------------------------------------------------------------- keys */

bool json_is_key(const pickle_val *v)
{
    value_form f = view_form(v, VIEW_KNOWN);
    pickle_array a;

    if (f == FORM_SCALAR && pickle_get_array(v, &a))
        return a.dtype.kind != 'V' && a.dtype.kind != 'S';
    return f == FORM_ATOM || f == FORM_STR;
}

void json_key(output *o, const pickle_val *v)
{
    pickle_buf text = { 0 };
    pickle_array a;
    bool truth;

    if (pickle_get_bool(v, &truth)) {
        json_text(o, truth ? "true" : "false");
    } else if (pickle_kind_of(v) == PICKLE_NONE) {
        json_text(o, "null");
    } else if (pickle_kind_of(v) == PICKLE_STR) {
        json_atom(o, v);
    } else if (!pickle_get_array(v, &a)) {
        pickle_repr(v, pickle_sink_buf(&text), 0, NULL);
        json_buffered(o, &text);
    } else if (a.dtype.kind == 'U') {
        put_ucs4(o, &a);
    } else {
        pickle_array_item_repr(&a, pickle_sink_buf(&text));
        json_buffered(o, &text);
    }
}

/* ------------------------------------------------------------------ arrays */

static void put_times(output *o, const char *text, int times)
{
    while (times-- > 0)
        out_text(o, text);
}

/* The elements in brackets; `cell` stands for each of them if it is given. */
static void put_nested(output *o, const pickle_array *a, const char *cell, int depth)
{
    uint64_t count = pickle_array_count(a);
    elements e;

    elements_start(&e, a);
    while (elements_next(&e) && !out_stopped(o)) {
        if (e.left + 1 < count) {
            put_times(o, "]", e.wrapped);
            out_text(o, ", ");
        }
        put_times(o, "[", e.wrapped);
        if (cell)
            out_text(o, cell);
        else
            put_element(o, &e.at, depth);
    }
    put_times(o, "]", a->ndim);
}

/* Axes before the first one that has no places. */
static int full_axes(const pickle_array *a)
{
    int n = 0;

    while (n < a->ndim && a->shape[n] != 0)
        n++;
    return n;
}

static void put_array(output *o, const pickle_array *a, int depth)
{
    pickle_array outer = *a;

    outer.ndim = full_axes(a);
    if (outer.ndim < a->ndim)
        put_nested(o, &outer, "[]", depth);
    else if (a->data)
        put_nested(o, a, NULL, depth);
    else
        out_text(o, "null");
}

void json_array(output *o, const pickle_array *a)
{
    put_array(o, a, 0);
}

static uint64_t saturated(uint64_t a, uint64_t b)
{
    return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t cells(const pickle_array *a, int depth)
{
    uint64_t each = 0, count = 1;
    pickle_array element = *a, part;
    pickle_field field;

    for (int k = 0; k < full_axes(a); k++)
        count = saturated(count, (uint64_t)a->shape[k]);
    element.ndim = 0;
    for (uint64_t i = 0; depth < RECORD_DEPTH && i < a->dtype.nfields && a->data; i++) {
        uint64_t more = take_field(&element, i, &field, &part) ? cells(&part, depth + 1) : 1;

        each = each + more < each ? UINT64_MAX : each + more;
    }
    return saturated(count, each ? each : 1);
}

uint64_t json_cells(const pickle_array *a)
{
    return cells(a, 0);
}
