/* descr.c - dtypes as text: dtype.str, and the lists and dicts that describe records. */
#include <stdio.h>

#include "base/number.h"
#include "base/text.h"
#include "types/numpy.h"

/* How much is written of one dtype: small inputs may say the same field again and again. */
#define MOST_STEPS (1u << 18)

/* A dtype on the way: the root, a field's, or the base of a subarray. */
typedef struct frame {
    pickle_dtype dtype;
    bool is_record, as_dict;
    uint64_t next;      /* field, whose text comes next   */
    uint64_t offset;    /* of the end of the field before */
    pickle_dtype field; /* the one whose text is written  */
} frame;

typedef struct writer {
    pickle_sink out;
    int depth;
    unsigned steps;
    frame stack[PICKLE__DTYPE_DEPTH];
} writer;

static bool put(const writer *w, const char *text)
{
    return pickle__put(w->out, text);
}

static bool put_number(const writer *w, int64_t n)
{
    char text[PICKLE__INT_CHARS];

    pickle__i64_repr(text, n);
    return put(w, text);
}

/* ", (2, 3)" */
static bool put_shape(const writer *w, const pickle_dtype *d)
{
    bool ok = put(w, ", (");

    for (int i = 0; ok && i < d->subdims; i++)
        ok = put(w, i ? ", " : "") && put_number(w, pickle_dtype_subshape(d, i));
    return ok && put(w, d->subdims == 1 ? ",)" : ")");
}

static bool put_text(const writer *w, const char *text, size_t len)
{
    return pickle__repr_str(text, len, w->out);
}

/* "<f8", "|S5", "<M8[25s]" */
static bool put_code(const writer *w, const pickle_dtype *d)
{
    char text[80];
    uint64_t size = d->kind == 'U' ? d->itemsize / 4 : d->itemsize;
    int n = snprintf(text, sizeof text, "%c%c", d->order, d->kind);

    if (d->name)
        return put(w, d->name);
    if (d->kind != 'O')
        n += snprintf(text + n, sizeof text - (size_t)n, "%llu", (unsigned long long)size);
    if (d->unit_count > 1)
        snprintf(text + n, sizeof text - (size_t)n, "[%lld%s]", (long long)d->unit_count, d->unit);
    else if (d->unit_count == 1 && strcmp(d->unit, "generic") != 0)
        snprintf(text + n, sizeof text - (size_t)n, "[%s]", d->unit);
    return put(w, text);
}

/* ------------------------------------------------------------------- fields */

static bool get_field(const frame *f, uint64_t index, pickle_field *field, pickle_dtype *dtype)
{
    return pickle_dtype_field(&f->dtype, index, field) && pickle_get_dtype(field->dtype, dtype);
}

/* A list can only tell of fields that follow each other. */
static bool in_order(const frame *f, bool *answer)
{
    uint64_t end = 0;
    pickle_field field;
    pickle_dtype dtype;

    *answer = true;
    for (uint64_t i = 0; i < f->dtype.nfields && *answer; i++) {
        if (!get_field(f, i, &field, &dtype))
            return false;
        *answer = field.offset >= end;
        end = field.offset + dtype.itemsize;
    }
    return true;
}

/* "('', '|V4')" for bytes that belong to no field. */
static bool put_padding(const writer *w, const frame *f, uint64_t until)
{
    if (until == f->offset)
        return true;
    return put(w, f->next ? ", ('', '|V" : "('', '|V") &&
           put_number(w, (int64_t)(until - f->offset)) && put(w, "')");
}

static bool put_name(const writer *w, const pickle_field *field)
{
    if (!field->title)
        return put_text(w, field->name, field->name_len);
    return put(w, "(") && put_text(w, field->title, strlen(field->title)) && put(w, ", ") &&
           put_text(w, field->name, field->name_len) && put(w, ")");
}

/* "[1, 2]", of something that each field has. */
static bool put_each(const writer *w, const frame *f, const char *key,
                     bool (*put_one)(const writer *w, const pickle_field *field))
{
    pickle_field field;
    pickle_dtype dtype;
    bool ok = put(w, key);

    for (uint64_t i = 0; ok && i < f->dtype.nfields; i++)
        ok = get_field(f, i, &field, &dtype) && put(w, i ? ", " : "[") && put_one(w, &field);
    return ok && put(w, "]");
}

static bool put_bare_name(const writer *w, const pickle_field *field)
{
    return put_text(w, field->name, field->name_len);
}

static bool put_offset(const writer *w, const pickle_field *field)
{
    return put_number(w, (int64_t)field->offset);
}

static bool put_title(const writer *w, const pickle_field *field)
{
    return field->title ? put_text(w, field->title, strlen(field->title)) : put(w, "None");
}

static bool has_titles(const frame *f)
{
    pickle_field field;

    for (uint64_t i = 0; i < f->dtype.nfields; i++)
        if (pickle_dtype_field(&f->dtype, i, &field) && field.title)
            return true;
    return false;
}

/* --------------------------------------------------------------------- walk */

/* The text of a dtype: at once when it is simple, else what its frame will write. */
static bool open_dtype(writer *w, const pickle_dtype *d)
{
    frame *f;
    bool ordered;

    if (w->steps-- == 0)
        return false;
    if (d->subdims == 0 && !pickle__is_record(d))
        return put(w, "'") && put_code(w, d) && put(w, "'");
    if (w->depth == PICKLE__DTYPE_DEPTH)
        return false;
    f = &w->stack[w->depth++];
    *f = (frame){ .dtype = *d, .is_record = d->subdims == 0 };
    if (!f->is_record)
        return put(w, "(");
    if (!in_order(f, &ordered))
        return false;
    f->as_dict = !ordered;
    if (ordered)
        return put(w, "[");
    return put_each(w, f, "{'names': ", put_bare_name) && put(w, ", 'formats': [");
}

static bool open_base(writer *w, const pickle_dtype *d)
{
    pickle_dtype base;

    return pickle_get_dtype(d->base, &base) && open_dtype(w, &base);
}

static bool close_list(const writer *w, const frame *f)
{
    return put_padding(w, f, f->dtype.itemsize) && put(w, "]");
}

static bool close_dict(const writer *w, const frame *f)
{
    return put_each(w, f, "], 'offsets': ", put_offset) &&
           (!has_titles(f) || put_each(w, f, ", 'titles': ", put_title)) &&
           put(w, ", 'itemsize': ") && put_number(w, (int64_t)f->dtype.itemsize) &&
           put(w, f->dtype.aligned ? ", 'aligned': True}" : "}");
}

/* "('name', <dtype>, (2,))": what stands before the dtype, and the dtype's start. */
static bool open_field(writer *w, frame *f)
{
    pickle_field field;

    if (!get_field(f, f->next, &field, &f->field))
        return false;
    if (f->as_dict)
        return put(w, f->next++ ? ", " : "") && open_dtype(w, &f->field);
    if (!put_padding(w, f, field.offset) ||
        !put(w, f->next || field.offset > f->offset ? ", (" : "(") || !put_name(w, &field) ||
        !put(w, ", "))
        return false;
    f->offset = field.offset + f->field.itemsize;
    f->next++;
    return f->field.subdims ? open_base(w, &f->field) : open_dtype(w, &f->field);
}

/* What stands behind the dtype of the field before. */
static bool close_field(const writer *w, const frame *f)
{
    if (f->next == 0 || f->as_dict)
        return true;
    return (!f->field.subdims || put_shape(w, &f->field)) && put(w, ")");
}

static bool step(writer *w)
{
    frame *f = &w->stack[w->depth - 1];

    if (!f->is_record) {
        if (f->next++ == 0)
            return open_base(w, &f->dtype);
        w->depth--;
        return put_shape(w, &f->dtype) && put(w, ")");
    }
    if (!close_field(w, f))
        return false;
    if (f->next < f->dtype.nfields)
        return open_field(w, f);
    w->depth--;
    return f->as_dict ? close_dict(w, f) : close_list(w, f);
}

bool pickle_dtype_str(const pickle_dtype *dtype, pickle_sink out)
{
    writer w;
    pickle_dtype whole = *dtype;

    w.out = out;
    w.depth = 0;
    w.steps = MOST_STEPS;
    whole.subdims = 0; /* of a subarray by itself numpy, too, shows the bytes only */
    if (!pickle__is_record(&whole))
        return put_code(&w, &whole);
    if (!open_dtype(&w, &whole))
        return false;
    while (w.depth > 0)
        if (!step(&w))
            return false;
    return true;
}
