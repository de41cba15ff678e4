/*
 * npy.c - numpy's file format for one array.
 *
 * Facts: numpy/lib/format.py. Versions 1.0 and 2.0 differ in the width of the
 * header's length; 3.0 allows UTF-8 in it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "elements.h"
#include "npy.h"

#define ALIGNMENT 64 /* of the data in the file */

static bool describe(const pickle_dtype *dtype, pickle_buf *out)
{
    return pickle_dtype_str(dtype, pickle_sink_buf(out)) && out->len > 0;
}

const char *npy_refusal(const pickle_array *a)
{
    const char *why = NULL;
    pickle_buf text = { 0 };

    if (a->dtype.hasobject || a->dtype.kind == 'O' || a->dtype.kind == 'T')
        return "its elements are objects";
    if (!a->data && pickle_array_count(a) > 0)
        return "its data are in a buffer apart";
    if (!describe(&a->dtype, &text))
        why = "its type is nested too deeply";
    else if (text.data[0] == '{')
        why = "its fields overlap or are out of order";
    pickle_buf_free(&text);
    return why;
}

static void append(pickle_buf *header, const char *text)
{
    pickle_sink sink = pickle_sink_buf(header);

    sink.write(sink.ctx, text, strlen(text));
}

static void append_shape(pickle_buf *header, const pickle_array *a)
{
    char number[32];

    append(header, "(");
    for (int i = 0; i < a->ndim; i++) {
        snprintf(number, sizeof number, i > 0 ? ", %" PRId64 : "%" PRId64, a->shape[i]);
        append(header, number);
    }
    append(header, a->ndim == 1 ? ",)" : ")");
}

static void make_header(pickle_buf *header, const pickle_array *a, bool fortran)
{
    pickle_buf descr = { 0 };
    bool quoted;

    describe(&a->dtype, &descr);
    quoted = descr.len == 0 || descr.data[0] != '[';
    append(header, quoted ? "{'descr': '" : "{'descr': ");
    pickle_sink_buf(header).write(header, descr.data, descr.len);
    append(header, quoted ? "', 'fortran_order': " : ", 'fortran_order': ");
    append(header, fortran ? "True, 'shape': " : "False, 'shape': ");
    append_shape(header, a);
    append(header, ", }");
    pickle_buf_free(&descr);
}

static bool is_ascii(const pickle_buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->data[i] >= 0x80)
            return false;
    return true;
}

/* Magic, version, length of the header, the header, blanks and a line end. */
static void write_header(output *o, const pickle_buf *header)
{
    int version = !is_ascii(header) ? 3 : header->len + ALIGNMENT < 65536 ? 1 : 2;
    size_t fixed = version == 1 ? 10 : 12;
    size_t blanks = ALIGNMENT - 1 - (fixed + header->len) % ALIGNMENT;
    size_t len = header->len + blanks + 1;
    unsigned char start[12] = "\x93NUMPY";

    start[6] = (unsigned char)version;
    for (size_t i = 8; i < fixed; i++, len >>= 8)
        start[i] = (unsigned char)len;
    out_write(o, start, fixed);
    out_write(o, header->data, header->len);
    while (blanks-- > 0)
        out_text(o, " ");
    out_text(o, "\n");
}

void npy_write(output *o, const pickle_array *a)
{
    bool fortran = !pickle_array_is_c(a) && pickle_array_is_f(a);
    pickle_buf header = { 0 };
    elements e;

    make_header(&header, a, fortran);
    write_header(o, &header);
    pickle_buf_free(&header);
    if (pickle_array_count(a) == 0)
        return;
    if (fortran || pickle_array_is_c(a)) {
        out_write(o, a->data, (size_t)a->nbytes);
        return;
    }
    elements_start(&e, a);
    while (elements_next(&e) && !out_stopped(o))
        out_write(o, e.at.data, (size_t)a->dtype.itemsize);
}

bool array_fits(pickle_array *a, uint64_t most)
{
    a->nbytes = a->dtype.itemsize;
    for (int k = 0; k < a->ndim; k++)
        if (a->shape[k] == 0)
            a->nbytes = 0;
    for (int k = 0; k < a->ndim && a->nbytes > 0; k++) {
        if ((uint64_t)a->shape[k] > most / a->nbytes)
            return false;
        a->nbytes *= (uint64_t)a->shape[k];
    }
    return a->nbytes <= most;
}

void array_lay_out(pickle_array *a, const void *data)
{
    int64_t stride = (int64_t)a->dtype.itemsize;

    a->data = data;
    for (int k = a->ndim - 1; k >= 0; k--) {
        a->strides[k] = stride;
        stride *= a->shape[k] ? a->shape[k] : 1;
    }
    a->nbytes = pickle_array_count(a) * a->dtype.itemsize;
}
