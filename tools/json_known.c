/* json_known.c - objects of known classes as JSON. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pickle/sparse.h>
#include <pickle/torch.h>

#include "json.h"
#include "json_known.h"
#include "json_pandas.h"
#include "known.h"

static void put_numbers(output *o, const int64_t *numbers, int n)
{
    out_text(o, "[");
    for (int i = 0; i < n; i++)
        out_format(o, i > 0 ? ", %" PRId64 : "%" PRId64, numbers[i]);
    out_text(o, "]");
}

static void put_shape(output *o, int ndim, const int64_t *shape)
{
    json_member(o, "shape");
    put_numbers(o, shape, ndim);
}

static void put_text(output *o, const char *name, const char *text)
{
    json_member(o, name);
    json_text(o, text);
}

/* By the name that users of the class know. */
static void put_class(output *o, const pickle_val *v)
{
    pickle_class_info info = { 0 };

    out_text(o, "\"class\": ");
    if (pickle_get_class(v, &info) && !info.public_name && info.global)
        json_global(o, info.global);
    else
        json_text(o, info.public_name); /* a bit generator has none */
}

static void put_dtype(output *o, const pickle_dtype *dtype)
{
    json_member(o, "dtype");
    json_dtype(o, dtype);
}

/* ------------------------------------------------------------------- numpy */

static bool is_masked(const pickle_array *mask, const int64_t *index)
{
    const pickle_val *none;
    pickle_array element;

    return mask->dtype.kind == 'b' && pickle_array_at(mask, index, mask->ndim, &element, &none) &&
           element.data && *(const unsigned char *)element.data;
}

static bool put_element(output *o, const pickle_masked_array *a, const int64_t *index, int depth)
{
    const pickle_val *object;
    pickle_array element;

    if (is_masked(&a->mask, index) ||
        !pickle_array_at(&a->data, index, a->data.ndim, &element, &object))
        out_text(o, "null");
    else if (object)
        return json_plain(o, object, depth + 1);
    else
        json_array(o, &element);
    return true;
}

static void put_times(output *o, const char *text, int times)
{
    while (times-- > 0)
        out_text(o, text);
}

/* Moves to the next place; says how many axes start anew. */
static int step(int64_t *index, const pickle_array *a)
{
    int k = a->ndim - 1;

    for (; k >= 0 && ++index[k] == a->shape[k]; k--)
        index[k] = 0;
    return a->ndim - 1 - k;
}

bool json_masked(output *o, const pickle_masked_array *a, int depth)
{
    int64_t index[PICKLE_MAXDIMS] = { 0 };
    uint64_t count = pickle_array_count(&a->data);
    int wrapped;

    if (count == 0) {
        json_array(o, &a->data);
        return true;
    }
    put_times(o, "[", a->data.ndim);
    for (uint64_t i = 0; i < count && !out_stopped(o); i++) {
        if (!put_element(o, a, index, depth))
            return false;
        wrapped = step(index, &a->data);
        if (i + 1 < count) {
            put_times(o, "]", wrapped);
            out_text(o, ", ");
            put_times(o, "[", wrapped);
        }
    }
    put_times(o, "]", a->data.ndim);
    return true;
}

/* Without a mask, of numbers or objects. */
static bool put_array(output *o, const pickle_array *a, int depth)
{
    pickle_masked_array whole = { .data = *a };

    if (!a->objects) {
        json_array(o, a);
        return true;
    }
    return json_masked(o, &whole, depth);
}

static void put_rng_facts(output *o, const pickle_rng *rng)
{
    put_text(o, "bit_generator", rng->bit_generator);
    if (rng->key.ndim == 0)
        return;
    json_member(o, "pos");
    out_format(o, "%" PRId64, rng->pos);
}

static bool put_rng(output *o, const pickle_val *v, int depth)
{
    pickle_seed_sequence seed;
    pickle_rng rng;
    bool ok = true;

    out_text(o, "{");
    put_class(o, v);
    if (pickle_get_seed_sequence(v, &seed)) {
        json_member(o, "entropy");
        ok = json_plain(o, seed.entropy, depth + 1);
    } else if (pickle_get_rng(v, &rng)) {
        put_rng_facts(o, &rng);
        json_member(o, rng.key.ndim ? "key" : "state");
        if (rng.key.ndim)
            json_array(o, &rng.key);
        else
            ok = json_plain(o, rng.state, depth + 1);
    }
    out_text(o, "}");
    return ok;
}

/* ------------------------------------------------------------------- scipy */

static void put_sparse_facts(output *o, const pickle_sparse *m)
{
    put_text(o, "format", pickle_sparse_format_name(m->format));
    put_dtype(o, &m->dtype);
    put_shape(o, m->ndim, m->shape);
    json_member(o, "nnz");
    out_format(o, "%" PRIu64, m->nnz);
}

/* [row, column, value] of each element that is stored. */
static bool put_sparse(output *o, const pickle_sparse *m, int depth)
{
    pickle_sparse_iter it = { .of = m };
    const char *before = "";
    bool ok = true;

    out_text(o, "{");
    put_class(o, m->of);
    put_dtype(o, &m->dtype);
    put_shape(o, m->ndim, m->shape);
    json_member(o, "elements");
    out_text(o, "[");
    for (; ok && !out_stopped(o) && pickle_sparse_next(&it); before = ", ") {
        out_format(o, "%s[", before);
        for (int k = 0; k < m->ndim; k++)
            out_format(o, "%" PRId64 ", ", it.index[k]);
        if (it.object)
            ok = json_plain(o, it.object, depth + 1);
        else
            json_array(o, &it.value);
        out_text(o, "]");
    }
    out_text(o, "]}");
    return ok;
}

/* ------------------------------------------------------------------- torch */

static const char *layout_name(pickle_tensor_layout layout)
{
    static const char *const names[] = {
        [PICKLE_LAYOUT_STRIDED] = "strided",       [PICKLE_LAYOUT_SPARSE_COO] = "sparse_coo",
        [PICKLE_LAYOUT_SPARSE_CSR] = "sparse_csr", [PICKLE_LAYOUT_SPARSE_CSC] = "sparse_csc",
        [PICKLE_LAYOUT_SPARSE_BSR] = "sparse_bsr", [PICKLE_LAYOUT_SPARSE_BSC] = "sparse_bsc",
        [PICKLE_LAYOUT_NESTED] = "nested",
    };

    return (size_t)layout < sizeof names / sizeof *names ? names[layout] : NULL;
}

static void put_tensor_facts(output *o, const pickle_tensor *t)
{
    int64_t strides[PICKLE_MAXDIMS];
    uint64_t size = t->array.dtype.itemsize ? t->array.dtype.itemsize : 1;

    put_text(o, "dtype", t->dtype);
    put_shape(o, t->array.ndim, t->array.shape);
    put_text(o, "layout", layout_name(t->layout));
    put_text(o, "device", t->device);
    json_member(o, "requires_grad");
    out_text(o, t->requires_grad ? "true" : "false");
    if (t->layout != PICKLE_LAYOUT_STRIDED)
        return;
    for (int k = 0; k < t->array.ndim; k++)
        strides[k] = t->array.strides[k] / (int64_t)size;
    json_member(o, "stride");
    put_numbers(o, strides, t->array.ndim);
    json_member(o, "storage_offset");
    out_format(o, "%" PRIu64, t->storage_offset);
}

static void put_storage_facts(output *o, const pickle_storage *s)
{
    put_text(o, "dtype", s->dtype);
    json_length(o, s->numel);
    put_text(o, "device", s->device);
    json_member(o, "key");
    json_atom(o, s->key);
}

static bool put_parts(output *o, const pickle_tensor *t, int depth)
{
    const struct {
        const char *name;
        const pickle_val *tensor;
    } parts[] = { { "pointers", t->pointers }, { "indices", t->indices },
                  { "values", t->values },     { "sizes", t->sizes },
                  { "strides", t->strides },   { "offsets", t->offsets },
                  { "scales", t->scales },     { "zero_points", t->zero_points } };
    bool ok = true;

    for (size_t i = 0; ok && i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].tensor)
            continue;
        json_member(o, parts[i].name);
        ok = json_plain(o, parts[i].tensor, depth + 1);
    }
    return ok;
}

static void put_float(output *o, const char *name, double x)
{
    pickle_array number = { .data = &x, .nbytes = sizeof x };

    number.dtype = (pickle_dtype){ .kind = 'f', .order = '=', .itemsize = sizeof x };
    json_member(o, name);
    json_array(o, &number);
}

static bool put_tensor(output *o, const pickle_tensor *t, int depth)
{
    bool ok;

    if (!tensor_is_special(t)) {
        json_array(o, &t->array);
        return true;
    }
    out_text(o, "{\"class\": \"torch.Tensor\"");
    put_tensor_facts(o, t);
    if (t->conj || t->neg)
        put_text(o, "to_be", t->conj ? "conjugated" : "negated");
    if (t->qscheme == PICKLE_QSCHEME_PER_TENSOR_AFFINE) {
        put_float(o, "scale", t->scale);
        json_member(o, "zero_point");
        out_format(o, "%" PRId64, t->zero_point);
    }
    ok = put_parts(o, t, depth);
    if (t->layout == PICKLE_LAYOUT_STRIDED) {
        json_member(o, "data");
        json_array(o, &t->array);
    }
    out_text(o, "}");
    return ok;
}

/* ------------------------------------------------------------------- facts */

/* The text of a value; bytes as everywhere. */
static void put_value(output *o, const pickle_val *v)
{
    pickle_buf text = { 0 };

    if (pickle_put_bytes(v, pickle_sink_buf(&text))) {
        json_member(o, "len");
        out_format(o, "%zu", text.len);
        json_member(o, "base64");
        out_base64(o, text.data, text.len);
        pickle_buf_free(&text);
        return;
    }
    json_member(o, "value");
    if (known_text(v, pickle_sink_buf(&text))) {
        json_buffered(o, &text);
    } else {
        pickle_buf_free(&text);
        out_text(o, "null");
    }
}

static void put_picture_facts(output *o, const pickle_val *v)
{
    pickle_masked_array masked;
    pickle_sparse sparse;
    pickle_stdarray stdarray;
    pickle_rng rng;
    pickle_tensor tensor;
    pickle_storage storage;
    pickle_index index;
    pickle_column column;

    if (pickle_get_masked_array(v, &masked)) {
        put_dtype(o, &masked.data.dtype);
        put_shape(o, masked.data.ndim, masked.data.shape);
    } else if (pickle_get_sparse(v, &sparse)) {
        put_sparse_facts(o, &sparse);
    } else if (pickle_get_stdarray(v, &stdarray)) {
        json_member(o, "typecode");
        out_format(o, "\"%c\"", stdarray.typecode);
        json_length(o, pickle_array_count(&stdarray.array));
    } else if (pickle_get_rng(v, &rng)) {
        put_rng_facts(o, &rng);
    } else if (pickle_get_tensor(v, &tensor)) {
        put_tensor_facts(o, &tensor);
    } else if (pickle_get_storage(v, &storage)) {
        put_storage_facts(o, &storage);
    } else if (pickle_get_index(v, &index)) {
        json_index_facts(o, &index);
    } else if (pickle_get_column(v, &column)) {
        json_column_facts(o, &column);
    }
}

void json_facts(output *o, const pickle_val *v)
{
    pickle_type type = pickle_type_of(v);
    pickle_dataframe df;
    pickle_series series;

    if (type != PICKLE_TYPE_OTHER)
        put_text(o, "type", pickle_type_name(type));
    switch (view_form(v, VIEW_KNOWN)) {
    case FORM_TEXT:
        put_value(o, v);
        break;
    case FORM_PICTURE:
        put_picture_facts(o, v);
        break;
    case FORM_TABLE:
        if (pickle_get_dataframe(v, &df))
            json_frame_facts(o, &df);
        else if (pickle_get_series(v, &series))
            json_series_facts(o, &series, NULL);
        break;
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
        json_member(o, "len");
        out_format(o, "%zu", view_items(v, VIEW_KNOWN).count);
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------------- plain */

static void put_known_text(output *o, const pickle_val *v)
{
    pickle_buf text = { 0 };

    if (pickle_put_bytes(v, pickle_sink_buf(&text))) {
        json_bytes(o, text.data ? text.data : (const unsigned char *)"", text.len);
        pickle_buf_free(&text);
        return;
    }
    if (pickle_is_missing(v) || !known_text(v, pickle_sink_buf(&text))) {
        pickle_buf_free(&text);
        out_text(o, "null");
        return;
    }
    json_buffered(o, &text);
}

static bool put_picture(output *o, const pickle_val *v, int depth)
{
    pickle_masked_array masked;
    pickle_sparse sparse;
    pickle_stdarray stdarray;
    pickle_tensor tensor;
    pickle_storage storage;
    pickle_index index;
    pickle_column column;

    if (pickle_get_masked_array(v, &masked))
        return json_masked(o, &masked, depth);
    if (pickle_get_sparse(v, &sparse))
        return put_sparse(o, &sparse, depth);
    if (pickle_get_stdarray(v, &stdarray))
        return put_array(o, &stdarray.array, depth);
    if (pickle_get_tensor(v, &tensor))
        return put_tensor(o, &tensor, depth);
    if (pickle_get_index(v, &index))
        return json_index(o, &index, depth);
    if (pickle_get_column(v, &column))
        return json_column(o, &column, depth);
    if (!pickle_get_storage(v, &storage))
        return put_rng(o, v, depth);
    out_text(o, "{\"class\": \"torch.Storage\"");
    put_storage_facts(o, &storage);
    out_text(o, "}");
    return true;
}

bool json_known(output *o, const pickle_val *v, int depth)
{
    pickle_dataframe df;
    pickle_series series;

    switch (view_form(v, VIEW_KNOWN)) {
    case FORM_TEXT:
        put_known_text(o, v);
        return true;
    case FORM_TABLE:
        if (pickle_get_dataframe(v, &df))
            return json_frame(o, &df, depth);
        return !pickle_get_series(v, &series) || json_series(o, &series, NULL, depth);
    default:
        return put_picture(o, v, depth);
    }
}

/* ------------------------------------------------------------------ checks */

static json_problem check_objects(const pickle_val *list, uint64_t *limit, int depth)
{
    json_problem problem = JSON_FINE;
    const pickle_val *key, *value;

    pickle_foreach (list, key, value)
        if (problem == JSON_FINE)
            problem = json_check(value, limit, depth + 1);
    return problem;
}

json_problem json_check_array(const pickle_array *a, uint64_t *limit, int depth)
{
    json_problem problem = json_take(limit, json_cells(a), 1);

    return problem == JSON_FINE ? check_objects(a->objects, limit, depth) : problem;
}

static json_problem check_sparse(const pickle_sparse *m, uint64_t *limit, int depth)
{
    json_problem problem = json_take(limit, m->nnz, (uint64_t)m->ndim + 1);
    pickle_sparse_iter it = { .of = m };

    bool objects =
        m->dtype.hasobject || m->format == PICKLE_SPARSE_LIL || m->format == PICKLE_SPARSE_DOK;

    while (problem == JSON_FINE && objects && pickle_sparse_next(&it))
        if (it.object)
            problem = json_check(it.object, limit, depth + 1);
    return problem;
}

static json_problem check_tensor(const pickle_tensor *t, uint64_t *limit, int depth)
{
    const pickle_val *parts[] = { t->pointers, t->indices, t->values, t->sizes,
                                  t->strides,  t->offsets, t->scales, t->zero_points };
    json_problem problem = t->array.data ? json_take(limit, json_cells(&t->array), 1) : JSON_FINE;

    for (size_t i = 0; problem == JSON_FINE && i < sizeof parts / sizeof *parts; i++)
        if (parts[i])
            problem = json_check(parts[i], limit, depth + 1);
    return problem;
}

static json_problem check_picture(const pickle_val *v, uint64_t *limit, int depth)
{
    pickle_masked_array masked;
    pickle_sparse sparse;
    pickle_stdarray stdarray;
    pickle_tensor tensor;
    pickle_index index;
    pickle_column column;
    pickle_rng rng;
    pickle_seed_sequence seed;

    if (pickle_get_masked_array(v, &masked))
        return json_check_array(&masked.data, limit, depth);
    if (pickle_type_of(v) == PICKLE_TYPE_SPARSE)
        return pickle_get_sparse(v, &sparse) ? check_sparse(&sparse, limit, depth) : JSON_DAMAGED;
    if (pickle_get_stdarray(v, &stdarray))
        return json_check_array(&stdarray.array, limit, depth);
    if (pickle_get_tensor(v, &tensor))
        return check_tensor(&tensor, limit, depth);
    if (pickle_get_index(v, &index))
        return json_check_index(&index, limit, depth);
    if (pickle_get_column(v, &column))
        return json_check_column(&column, limit, depth);
    if (pickle_get_rng(v, &rng) && rng.state)
        return json_check(rng.state, limit, depth + 1);
    if (pickle_get_seed_sequence(v, &seed))
        return json_check(seed.entropy, limit, depth + 1);
    return JSON_FINE;
}

json_problem json_check_known(const pickle_val *v, uint64_t *limit, int depth)
{
    pickle_dataframe df;
    pickle_series series;

    if (depth > JSON_MOST_TABLES)
        return JSON_CYCLE;
    if (view_form(v, VIEW_KNOWN) == FORM_TEXT)
        return JSON_FINE;
    if (pickle_get_dataframe(v, &df))
        return json_check_frame(&df, limit, depth);
    if (pickle_get_series(v, &series))
        return json_check_series(&series, limit, depth);
    return check_picture(v, limit, depth);
}
