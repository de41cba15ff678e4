/* get.c - pickle get: one value, in a form that other programs take. */
#include <stdlib.h>
#include <string.h>

#include <pickle/sparse.h>
#include <pickle/torch.h>

#include "commands.h"
#include "elements.h"
#include "input.h"
#include "json.h"
#include "json_known.h"
#include "json_pandas.h"
#include "known.h"
#include "locate.h"
#include "npy.h"
#include "output.h"
#include "preview.h"

/* JSON has no sharing: what is small in the file may be endless. */
#define MOST_VALUES 100000000
/* Bytes of a sparse matrix when its zeros are there. */
#define MOST_DENSE (UINT64_C(1) << 30)

typedef struct request {
    const char *file, *path, *target;
    reading reading;
    bool json, raw;
    size_t limit;
} request;

/* -------------------------------------------------------------------- text */

/* As it is for programs; a terminal is not to be trusted with that. */
static void put_text(output *o, const char *text, size_t len)
{
    if (o->terminal)
        out_lines(o, text, len);
    else
        out_utf8(o, text, len);
}

static void put_element(output *o, const pickle_array *a)
{
    pickle_buf text = { 0 };

    pickle_array_item_repr(a, pickle_sink_buf(&text));
    put_text(o, (const char *)text.data, text.len);
    pickle_buf_free(&text);
}

/* numpy.str_ stands for itself, as str does. */
static void put_single(output *o, const pickle_array *a)
{
    pickle_buf text = { 0 };

    if (a->dtype.kind == 'U') {
        element_text(a, &text);
        put_text(o, (const char *)text.data, text.len);
        pickle_buf_free(&text);
    } else {
        put_element(o, a);
    }
    out_text(o, "\n");
}

/* A row a line, as numpy.savetxt has it; a blank line where a third axis goes on. */
static void put_rows(output *o, const pickle_array *a)
{
    uint64_t count = pickle_array_count(a);
    elements e;

    elements_start(&e, a);
    while (elements_next(&e) && !out_stopped(o)) {
        if (e.left + 1 < count)
            out_text(o, e.wrapped == 0 && a->ndim > 1 ? " " : e.wrapped < 2 ? "\n" : "\n\n");
        put_element(o, &e.at);
    }
    if (count > 0)
        out_text(o, "\n");
}

static void put_array(output *o, const pickle_array *a)
{
    if (a->ndim == 0)
        put_single(o, a);
    else
        put_rows(o, a);
}

static void put_repr(output *o, const pickle_val *v)
{
    pickle_buf text = { 0 };

    view_repr(v, pickle_sink_buf(&text));
    put_text(o, (const char *)text.data, text.len);
    out_text(o, "\n");
    pickle_buf_free(&text);
}

static void put_dtype(output *o, const pickle_dtype *dtype)
{
    pickle_buf text = { 0 };
    line name = { 0 };

    if (dtype->nfields > 0)
        pickle_dtype_str(dtype, pickle_sink_buf(&text));
    else
        preview_dtype(&name, dtype);
    put_text(o, (const char *)text.data, text.len);
    put_text(o, name.text, name.len);
    out_text(o, "\n");
    pickle_buf_free(&text);
}

static void put_known(output *o, const pickle_val *v)
{
    pickle_buf text = { 0 };

    known_text(v, pickle_sink_buf(&text));
    put_text(o, (const char *)text.data, text.len);
    out_text(o, "\n");
    pickle_buf_free(&text);
}

static void put_cell(output *o, const located *t)
{
    pickle_buf text = { 0 };

    pickle_column_text(&t->series.values, t->row, pickle_sink_buf(&text));
    put_text(o, (const char *)text.data, text.len);
    out_text(o, "\n");
    pickle_buf_free(&text);
}

static bool put_plain(output *o, const pickle_val *v);

/* array.array as older protocols write it: a list of numbers or characters. */
static bool put_list(output *o, const pickle_val *v)
{
    pickle_stdarray a;
    const pickle_val *key, *value;

    if (!pickle_get_stdarray(v, &a) || !a.array.objects)
        return false;
    pickle_foreach (a.array.objects, key, value)
        if (!out_stopped(o))
            put_plain(o, value);
    return true;
}

/* False: it is nothing that fits into text. */
static bool put_plain(output *o, const pickle_val *v)
{
    pickle_dtype dtype;

    switch (view_form(v, VIEW_KNOWN)) {
    case FORM_STR:
        put_text(o, pickle_str(v), pickle_len(v));
        out_text(o, "\n");
        return true;
    case FORM_ATOM:
    case FORM_BYTES:
    case FORM_GLOBAL:
        put_repr(o, v);
        return true;
    case FORM_DTYPE:
        if (pickle_get_dtype(v, &dtype))
            put_dtype(o, &dtype);
        return true;
    case FORM_TEXT:
        put_known(o, v);
        return true;
    case FORM_PICTURE:
        return put_list(o, v);
    default:
        return false;
    }
}

/* ----------------------------------------------------------------- refusals */

static int refuse(const request *r, const char *why)
{
    complain(r->file, "%s%s%s", r->path, *r->path ? ": " : "", why);
    return EXIT_ABSENT;
}

static int refuse_json(const request *r, json_problem problem)
{
    switch (problem) {
    case JSON_CYCLE:
        return refuse(r, "it contains itself, which JSON cannot say: try pickle show");
    case JSON_KEY:
        return refuse(r, "a dict in it has keys that JSON cannot have: try pickle show --json");
    case JSON_TOO_LONG:
        return refuse(r, "it is more values than the limit (see --limit)");
    case JSON_DAMAGED:
        return refuse(r, "a matrix in it has parts that contradict each other: "
                         "try pickle show --raw");
    default:
        complain(r->file, "not enough memory");
        return EXIT_TROUBLE;
    }
}

/* ---------------------------------------------------------------- the forms */

static json_problem check(const located *t, uint64_t limit)
{
    switch (t->kind) {
    case LOCATED_VALUE:
        return json_check(t->value, &limit, 0);
    case LOCATED_SERIES:
        return json_check_series(&t->series, &limit, 0);
    case LOCATED_INDEX:
        return json_check_index(&t->index, &limit, 0);
    case LOCATED_CELL:
        return JSON_FINE;
    default:
        return json_check_array(&t->array, &limit, 0);
    }
}

/* False: no memory. */
static bool put_json(output *o, const located *t)
{
    pickle_masked_array masked;

    switch (t->kind) {
    case LOCATED_VALUE:
        return json_plain(o, t->value, 0);
    case LOCATED_SERIES:
        return json_series(o, &t->series, &t->label, 0);
    case LOCATED_INDEX:
        return json_index(o, &t->index, 0);
    case LOCATED_CELL:
        return json_cell(o, &t->series.values, t->row, 0);
    default:
        masked = (pickle_masked_array){ .data = t->array, .mask = t->mask };
        return json_masked(o, &masked, 0);
    }
}

static int get_json(output *o, const request *r, const located *t)
{
    json_problem problem = check(t, r->limit);

    if (problem == JSON_FINE && !put_json(o, t))
        problem = JSON_NO_MEMORY;
    if (problem != JSON_FINE)
        return refuse_json(r, problem);
    out_text(o, "\n");
    return EXIT_DONE;
}

static int get_raw(output *o, const request *r, const located *t)
{
    if (pickle_str(t->value))
        out_write(o, pickle_str(t->value), pickle_len(t->value));
    else if (!pickle_put_bytes(t->value, out_sink(o))) /* also of the strings of Python 2 */
        return refuse(r, "it is no text or bytes");
    return EXIT_DONE;
}

static bool is_npy(const char *path)
{
    size_t len = path ? strlen(path) : 0;

    return len > 4 && strcmp(path + len - 4, ".npy") == 0;
}

/* Numbers in rows, without more to be said of them: an array, a tensor, array.array. */
static bool as_array(const located *t, pickle_array *a)
{
    pickle_stdarray stdarray;
    pickle_tensor tensor;

    if (t->kind == LOCATED_ARRAY)
        *a = t->array;
    else if (pickle_get_stdarray(t->value, &stdarray))
        *a = stdarray.array;
    else if (!pickle_get_array(t->value, a))
        return false;
    return !(pickle_get_tensor(t->value, &tensor) && tensor_is_special(&tensor)) && !a->objects;
}

/* Columns of pandas too, if they are arrays of numpy. */
static const pickle_column *as_column(const located *t, pickle_column *c)
{
    pickle_series series;
    pickle_index index;

    if (t->kind == LOCATED_SERIES)
        *c = t->series.values;
    else if (pickle_get_series(t->value, &series))
        *c = series.values;
    else if (t->kind == LOCATED_INDEX || pickle_get_index(t->value, &index))
        return pickle_index_level(t->kind == LOCATED_INDEX ? &t->index : &index, 0, c) ? c : NULL;
    else if (!pickle_get_column(t->value, c))
        return NULL;
    return c;
}

static int put_npy(output *o, const request *r, const pickle_array *a)
{
    const char *why = npy_refusal(a);

    if (why)
        return refuse(r, why);
    npy_write(o, a);
    return EXIT_DONE;
}

/* Formats that numpy has not, as the next one that it has. */
static int put_converted(output *o, const request *r, const pickle_array *a)
{
    bool pair = a->dtype.kind == 'c';
    const char *dtype = pair ? "<c8" : "<f4";
    size_t size = pair ? 8 : 4, count = (size_t)pickle_array_count(a);
    pickle_array converted = *a;
    pickle_error err;
    void *data;

    if (!a->data && count > 0)
        return refuse(r, "its data are elsewhere");
    data = count <= SIZE_MAX / size ? malloc(count ? count * size : 1) : NULL;
    if (!data || !pickle_array_copy(a, dtype, data, count * size, &err)) {
        if (data)
            complain_error(r->file, &err);
        else
            complain(r->file, "not enough memory");
        free(data);
        return EXIT_TROUBLE;
    }
    complain(r->file, "note: %s is written as %s, which numpy has",
             pair ? "complex32" : a->dtype.name, pair ? "complex64" : "float32");
    converted.dtype = (pickle_dtype){ .kind = *(dtype + 1), .order = '<', .itemsize = size };
    array_lay_out(&converted, data);
    npy_write(o, &converted);
    free(data);
    return EXIT_DONE;
}

/* With zeros where nothing is stored. */
static int put_dense(output *o, const request *r, const pickle_sparse *m)
{
    pickle_array dense = { .dtype = m->dtype, .ndim = m->ndim };
    pickle_buf dtype = { 0 };
    pickle_error err;
    void *data = NULL;
    int status;

    memcpy(dense.shape, m->shape, sizeof dense.shape);
    if (m->dtype.hasobject)
        return refuse(r, "its elements are objects");
    if (!array_fits(&dense, MOST_DENSE))
        return refuse(r, "its dense form takes more than 1 GiB: JSON has what is stored");
    data = malloc(dense.nbytes ? (size_t)dense.nbytes : 1);
    if (data && pickle_dtype_str(&m->dtype, pickle_sink_buf(&dtype)) &&
        pickle_sink_buf(&dtype).write(&dtype, "", 1) &&
        pickle_sparse_dense(m, (const char *)dtype.data, data, (size_t)dense.nbytes, &err)) {
        array_lay_out(&dense, data);
        status = put_npy(o, r, &dense);
    } else {
        complain(r->file, "%s", data && dtype.data ? err.message : "not enough memory");
        status = EXIT_TROUBLE;
    }
    pickle_buf_free(&dtype);
    free(data);
    return status;
}

static int get_npy(output *o, const request *r, const located *t)
{
    pickle_array a;
    pickle_column c;
    pickle_sparse m;

    if (t->kind == LOCATED_MASKED || pickle_type_of(t->value) == PICKLE_TYPE_MASKED_ARRAY)
        return refuse(r, "it is a masked array, and .npy has no place for the mask: try --json");
    if (pickle_get_sparse(t->value, &m))
        return put_dense(o, r, &m);
    if (!as_array(t, &a)) {
        if (t->value && pickle_get_array(t->value, &a))
            return put_npy(o, r, &a);
        if (!as_column(t, &c))
            return refuse(r, "it is no array");
        if (c.kind != PICKLE_COLUMN_NUMPY)
            return refuse(r, "it is no array of numpy's");
        a = c.values;
    }
    if (a.dtype.kind == 'E' || (a.dtype.kind == 'c' && a.dtype.itemsize == 4))
        return put_converted(o, r, &a);
    return put_npy(o, r, &a);
}

static int get_text(output *o, const request *r, const located *t)
{
    pickle_array a;

    if (t->kind == LOCATED_CELL) {
        put_cell(o, t);
        return EXIT_DONE;
    }
    if (t->value && put_plain(o, t->value))
        return EXIT_DONE;
    if (!as_array(t, &a))
        return get_json(o, r, t);
    if (!a.data && pickle_array_count(&a) > 0)
        return refuse(r, "its data are elsewhere");
    put_array(o, &a);
    return EXIT_DONE;
}

/* ----------------------------------------------------------------- command */

static int put(const request *r, const located *t)
{
    int (*form)(output *, const request *, const located *) = get_text;
    output o;
    int status, closed;

    if (is_npy(r->target))
        form = get_npy;
    else if (r->raw)
        form = get_raw;
    else if (r->json)
        form = get_json;
    if (!r->target)
        out_open(&o, COLOR_NEVER);
    else if (!out_open_file(&o, r->target))
        return EXIT_TROUBLE;
    status = form(&o, r, t);
    closed = out_close(&o, status == EXIT_DONE);
    return closed > status ? closed : status;
}

static int get(request *r)
{
    int status;
    located t;
    pickle_doc *doc = input_read(r->file, NULL, &r->reading, &status);

    if (!doc)
        return status;
    if (locate(r->file, pickle_root(doc), r->path, &t))
        status = put(r, &t);
    else
        status = EXIT_ABSENT;
    pickle_doc_free(doc);
    return status;
}

int get_main(int argc, char **argv)
{
    request r = { .path = "", .limit = MOST_VALUES };
    const option_spec options[] = {
        { 'o', "output", "FILE", OPTION_TEXT, &r.target,
          "write there; arrays as such if it ends in .npy" },
        { 'j', "json", NULL, OPTION_SWITCH, &r.json, "JSON, whatever it is" },
        { 'r', "raw", NULL, OPTION_SWITCH, &r.raw, "text and bytes as they are" },
        { 0, "limit", "N", OPTION_COUNT, &r.limit,
          "values that JSON may have (default: 100 million)" },
        READING_OPTIONS(&r.reading),
    };
    const command c = {
        .name = "get",
        .operands = "FILE [PATH]",
        .about = "Print the value that PATH leads to: text and numbers as such, an array a row a\n"
                 "line, containers and objects as JSON. FILE may be - for standard input. Paths\n"
                 "are Python: steps[1][1].coef_, ['weights'][0], mean_[2], empty for the root.",
        .least = 1,
        .most = 2,
        OPTIONS(options),
    };
    char **operands;
    int n, status;

    if (!options_parse(&c, argc, argv, &operands, &n, &status))
        return status;
    r.file = operands[0];
    if (n > 1)
        r.path = operands[1];
    return get(&r);
}
