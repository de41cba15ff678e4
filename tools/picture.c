/* picture.c - what holds many numbers, in one line: tensors, matrices, pandas' objects, and others.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <pickle/sparse.h>
#include <pickle/torch.h>

#include "known.h"
#include "picture.h"

#define SPARSE_ELEMENTS 4 /* with their places, so they are longer */

/* What `dtype` of torch or numpy is called, without the library's name. */
static const char *short_name(const char *dtype)
{
    return dtype && strncmp(dtype, "torch.", 6) == 0 ? dtype + 6 : dtype ? dtype : "?";
}

static void put_signed(line *l, const char *before, int64_t n)
{
    line_text(l, before);
    line_signed(l, n);
}

static void put_double(line *l, const char *before, double x)
{
    char text[64];

    snprintf(text, sizeof text, "%s%.6g", before, x);
    line_text(l, text);
}

/* A name may be anything, the very value that it names too. */
static void put_any(line *l, const pickle_val *v)
{
    value_form f = view_form(v, VIEW_KNOWN);

    if (f == FORM_ATOM || f == FORM_STR)
        preview_value(l, v);
    else
        pickle_pandas_text(v, line_sink(l));
}

/* ------------------------------------------------------------------- numpy */

static void put_masked(line *l, const pickle_val *v)
{
    pickle_masked_array a;

    if (!pickle_get_masked_array(v, &a))
        return;
    a.data.cls = a.cls;
    preview_array(l, &a.data);
}

static void put_masked_items(line *l, const pickle_val *v)
{
    pickle_masked_array a;

    if (pickle_get_masked_array(v, &a))
        preview_elements(l, &a.data, &a.mask);
}

static void put_rng(line *l, const pickle_val *v)
{
    pickle_seed_sequence seed;
    pickle_rng rng;

    if (pickle_get_seed_sequence(v, &seed)) {
        line_text(l, "SeedSequence, entropy ");
        put_any(l, seed.entropy);
        return;
    }
    if (!pickle_get_rng(v, &rng))
        return;
    if (rng.name) {
        line_text(l, rng.name);
        line_text(l, " (");
    }
    line_text(l, rng.bit_generator ? rng.bit_generator : "?");
    line_text(l, rng.name ? ")" : "");
    if (rng.key.ndim > 0)
        put_signed(l, ", pos ", rng.pos);
}

static void put_stdarray(line *l, const pickle_val *v)
{
    char code[] = " 'x'";
    pickle_stdarray a;

    if (!pickle_get_stdarray(v, &a))
        return;
    code[2] = a.typecode;
    line_text(l, "array.array");
    line_text(l, code);
    preview_shape(l, a.array.ndim, a.array.shape);
}

static void put_stdarray_items(line *l, const pickle_val *v)
{
    pickle_stdarray a;

    if (pickle_get_stdarray(v, &a))
        preview_elements(l, &a.array, NULL);
}

/* ------------------------------------------------------------------- scipy */

static void put_sparse(line *l, const pickle_val *v)
{
    pickle_error err;
    pickle_sparse m;

    if (!pickle_read_sparse(v, &m, &err)) {
        line_text(l, known_name(v) ? known_name(v) : "sparse matrix");
        line_text(l, " that is damaged: ");
        line_text(l, err.message);
        return;
    }
    line_text(l, m.cls ? pickle_name(m.cls) : "sparse matrix");
    line_text(l, " ");
    preview_dtype(l, &m.dtype);
    preview_shape(l, m.ndim, m.shape);
    line_text(l, ", ");
    line_number(l, m.nnz);
    line_text(l, m.nnz == 1 ? " stored element" : " stored elements");
}

static void put_place(line *l, const pickle_sparse_iter *it)
{
    line_put(l, "(");
    for (int k = 0; k < it->of->ndim; k++) {
        char text[32];

        snprintf(text, sizeof text, k > 0 ? ", %" PRId64 : "%" PRId64, it->index[k]);
        line_put(l, text);
    }
    line_put(l, it->of->ndim == 1 ? ",) " : ") ");
}

static void put_sparse_items(line *l, const pickle_val *v)
{
    pickle_sparse m;
    pickle_sparse_iter it = { .of = &m };
    bool more = false;

    if (!pickle_get_sparse(v, &m))
        return;
    for (int n = 0; !l->cut && (more = pickle_sparse_next(&it)) && n < SPARSE_ELEMENTS; n++) {
        line_put(l, n > 0 ? ", " : "");
        put_place(l, &it);
        if (it.object)
            preview_value(l, it.object);
        else
            pickle_array_item_repr(&it.value, line_sink(l));
    }
    if (more && !l->cut)
        line_text(l, ", …");
}

/* ------------------------------------------------------------------- torch */

static const char *layout_name(pickle_tensor_layout layout)
{
    static const char *const names[] = {
        [PICKLE_LAYOUT_SPARSE_COO] = " sparse_coo", [PICKLE_LAYOUT_SPARSE_CSR] = " sparse_csr",
        [PICKLE_LAYOUT_SPARSE_CSC] = " sparse_csc", [PICKLE_LAYOUT_SPARSE_BSR] = " sparse_bsr",
        [PICKLE_LAYOUT_SPARSE_BSC] = " sparse_bsc", [PICKLE_LAYOUT_NESTED] = " nested",
    };

    return (size_t)layout < sizeof names / sizeof *names && names[layout] ? names[layout] : "";
}

/* How the elements lie, where that is not one after the other. */
static void put_strides(line *l, const pickle_tensor *t)
{
    int64_t size = t->array.dtype.itemsize ? (int64_t)t->array.dtype.itemsize : 1;

    if (t->layout != PICKLE_LAYOUT_STRIDED || pickle_array_is_c(&t->array))
        return;
    for (int i = 0; i < t->array.ndim && l->len < LINE_WIDTH; i++)
        put_signed(l, i > 0 ? ", " : ", strides (", t->array.strides[i] / size);
    line_text(l, t->array.ndim == 1 ? ",)" : ")");
}

/* A view of a part: where it starts, in elements. */
static void put_part(line *l, const pickle_tensor *t)
{
    pickle_storage s;

    if (!pickle_get_storage(t->storage, &s) || t->array.dtype.itemsize == 0)
        return;
    if (t->storage_offset == 0 && t->array.nbytes >= s.nbytes)
        return;
    line_text(l, ", from ");
    line_number(l, t->storage_offset);
    line_text(l, " of ");
    line_number(l, s.nbytes / t->array.dtype.itemsize);
}

static void put_tensor_notes(line *l, const pickle_tensor *t)
{
    pickle_array values;

    if (t->layout != PICKLE_LAYOUT_STRIDED && t->layout != PICKLE_LAYOUT_NESTED &&
        pickle_get_array(t->values, &values) && values.ndim > 0) {
        line_text(l, ", ");
        line_number(l, (uint64_t)values.shape[0]);
        line_text(l, values.shape[0] == 1 ? " value" : " values");
    }
    if (t->device && strcmp(t->device, "cpu") != 0) {
        line_text(l, ", ");
        line_put(l, t->device);
    }
    if (t->requires_grad != t->is_parameter)
        line_text(l, t->requires_grad ? ", requires_grad" : ", no requires_grad");
    if (t->conj || t->neg)
        line_text(l, t->conj ? ", to be conjugated" : ", to be negated");
    if (t->qscheme == PICKLE_QSCHEME_PER_TENSOR_AFFINE) {
        put_double(l, ", scale ", t->scale);
        put_signed(l, ", zero point ", t->zero_point);
    } else if (t->qscheme) {
        put_signed(l, ", scales along axis ", t->axis);
    }
    if (t->layout == PICKLE_LAYOUT_STRIDED && t->storage && !t->array.data &&
        pickle_array_count(&t->array) > 0)
        line_text(l, ", data elsewhere");
}

static void put_tensor(line *l, const pickle_val *v)
{
    pickle_tensor t;

    if (!pickle_get_tensor(v, &t))
        return;
    line_put(l, t.cls ? pickle_name(t.cls) : t.is_parameter ? "Parameter" : "tensor");
    line_text(l, layout_name(t.layout));
    line_text(l, " ");
    line_text(l, short_name(t.dtype));
    preview_shape(l, t.array.ndim, t.array.shape);
    put_strides(l, &t);
    put_part(l, &t);
    put_tensor_notes(l, &t);
}

static void put_tensor_items(line *l, const pickle_val *v)
{
    pickle_tensor t;

    if (pickle_get_tensor(v, &t) && t.array.data)
        preview_elements(l, &t.array, NULL);
}

static void put_storage(line *l, const pickle_val *v)
{
    int64_t numel;
    pickle_storage s;

    if (!pickle_get_storage(v, &s))
        return;
    numel = (int64_t)s.numel;
    line_text(l, "storage ");
    line_text(l, s.untyped ? "untyped" : short_name(s.dtype));
    preview_shape(l, 1, &numel);
    if (s.device && strcmp(s.device, "cpu") != 0) {
        line_text(l, ", ");
        line_put(l, s.device);
    }
    if (s.key) {
        line_text(l, ", ");
        put_any(l, s.key);
    }
    line_text(l, s.data || s.numel == 0 ? "" : ", data elsewhere");
}

/* ------------------------------------------------------------------ pandas */

static void put_name(line *l, const pickle_column *c)
{
    if (c->name) {
        line_text(l, " ");
        put_any(l, c->name);
    } else if (c->label) {
        line_text(l, " '");
        line_sink(l).write(l, c->label, c->label_len);
        line_text(l, "'");
    }
}

static void put_count(line *l, uint64_t count)
{
    int64_t shape = (int64_t)count;

    preview_shape(l, 1, &shape);
}

static void put_dtype(line *l, const pickle_column *c)
{
    line_text(l, " ");
    pickle_column_dtype(c, line_sink(l));
}

static void put_cell(line *l, const pickle_column *c, uint64_t row)
{
    size_t len;
    bool quoted = pickle_column_str(c, row, &len) != NULL;

    line_put(l, quoted ? "'" : "");
    pickle_column_text(c, row, line_sink(l));
    line_put(l, quoted ? "'" : "");
}

void picture_column(line *l, const pickle_column *c)
{
    uint64_t shown = c->count < LINE_ELEMENTS ? c->count : LINE_ELEMENTS;

    line_put(l, "[");
    for (uint64_t row = 0; row < shown && !l->cut; row++) {
        line_put(l, row > 0 ? ", " : "");
        put_cell(l, c, row);
    }
    if (!l->cut)
        line_text(l, shown < c->count ? ", …]" : "]");
}

void picture_categories(line *l, const pickle_column *c)
{
    pickle_column categories;

    if (!pickle_column_categories(c, &categories))
        return;
    for (uint64_t row = 0; row < categories.count && !l->cut; row++) {
        line_put(l, row == 0 ? "" : c->ordered ? " < " : ", ");
        put_cell(l, &categories, row);
    }
    line_text(l, l->cut ? "…" : "");
    l->cut = false;
}

void picture_series(line *l, const pickle_series *series, const column_label *label)
{
    line_text(l, series->cls ? pickle_name(series->cls) : "Series");
    put_dtype(l, &series->values);
    put_count(l, series->values.count);
    if (label && label->is_number)
        put_signed(l, " ", label->number);
    else
        put_name(l, &series->values);
}

static void put_frame(line *l, const pickle_val *v)
{
    pickle_dataframe df;
    pickle_series series;

    if (pickle_get_series(v, &series)) {
        picture_series(l, &series, NULL);
        return;
    }
    if (!pickle_get_dataframe(v, &df))
        return;
    line_text(l, df.cls ? pickle_name(df.cls) : "DataFrame");
    line_text(l, " [");
    line_number(l, df.rows);
    line_text(l, df.rows == 1 ? " row x " : " rows x ");
    line_number(l, df.columns);
    line_text(l, df.columns == 1 ? " column]" : " columns]");
}

void picture_index(line *l, const pickle_index *index)
{
    pickle_column level;

    line_text(l, index->cls ? pickle_name(index->cls) : "Index");
    if (!index->multi && pickle_index_level(index, 0, &level))
        put_dtype(l, &level);
    put_count(l, index->count);
    if (index->multi) {
        line_text(l, ", ");
        line_number(l, index->levels);
        line_text(l, " levels");
    } else if (index->name) {
        line_text(l, " ");
        put_any(l, index->name);
    }
}

static void put_index(line *l, const pickle_val *v)
{
    pickle_index index;

    if (pickle_get_index(v, &index))
        picture_index(l, &index);
}

static void put_index_items(line *l, const pickle_val *v)
{
    pickle_index index;
    pickle_column level;

    if (!pickle_get_index(v, &index))
        return;
    if (!index.multi && pickle_index_level(&index, 0, &level)) {
        picture_column(l, &level);
        return;
    }
    line_put(l, "[");
    for (uint64_t row = 0; row < index.count && row < LINE_ELEMENTS && !l->cut; row++) {
        line_put(l, row > 0 ? ", " : "");
        pickle_index_text(&index, row, line_sink(l));
    }
    if (!l->cut)
        line_text(l, index.count > LINE_ELEMENTS ? ", …]" : "]");
}

static void put_extension(line *l, const pickle_val *v)
{
    pickle_column c, categories;

    if (!pickle_get_column(v, &c))
        return;
    line_text(l, c.ordered ? "ordered " : "");
    line_text(l, known_name(v) ? known_name(v) : "array");
    if (c.kind == PICKLE_COLUMN_CATEGORICAL && pickle_column_categories(&c, &categories)) {
        line_text(l, " of ");
        pickle_column_dtype(&categories, line_sink(l));
    } else {
        put_dtype(l, &c);
    }
    put_count(l, c.count);
}

static void put_extension_items(line *l, const pickle_val *v)
{
    pickle_column c;

    if (pickle_get_column(v, &c))
        picture_column(l, &c);
}

/* ---------------------------------------------------------------- dispatch */

typedef struct painter {
    void (*kind)(line *l, const pickle_val *v);
    void (*items)(line *l, const pickle_val *v);
} painter;

static painter painter_of(const pickle_val *v)
{
    static const painter painters[] = {
        [PICKLE_TYPE_MASKED_ARRAY] = { put_masked, put_masked_items },
        [PICKLE_TYPE_RNG] = { put_rng, NULL },
        [PICKLE_TYPE_SPARSE] = { put_sparse, put_sparse_items },
        [PICKLE_TYPE_STDARRAY] = { put_stdarray, put_stdarray_items },
        [PICKLE_TYPE_INDEX] = { put_index, put_index_items },
        [PICKLE_TYPE_EXTENSION_ARRAY] = { put_extension, put_extension_items },
        [PICKLE_TYPE_TENSOR] = { put_tensor, put_tensor_items },
        [PICKLE_TYPE_STORAGE] = { put_storage, NULL },
        [PICKLE_TYPE_DATAFRAME] = { put_frame, NULL },
        [PICKLE_TYPE_SERIES] = { put_frame, NULL },
    };
    pickle_type type = pickle_type_of(v);

    if ((size_t)type < sizeof painters / sizeof *painters && painters[type].kind)
        return painters[type];
    return (painter){ put_storage, NULL }; /* by its persistent id */
}

void picture_kind(line *l, const pickle_val *v)
{
    painter_of(v).kind(l, v);
}

void picture_items(line *l, const pickle_val *v)
{
    painter p = painter_of(v);

    if (p.items)
        p.items(l, v);
}
