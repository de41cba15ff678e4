/* table.c - what a document holds, as a batch. */
#include "sklearn/estimator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <pickle/pandas.h>
#include <pickle/sparse.h>

struct pickle_table {
    pickle_batch batch;
    pickle__pool pool;
};

static bool fail(pickle_error *err, pickle_status code, const char *message)
{
    if (err) {
        memset(err, 0, sizeof *err);
        err->code = code;
        snprintf(err->message, sizeof err->message, "%s", message);
    }
    return false;
}

static bool no_memory(pickle_error *err)
{
    return fail(err, PICKLE_ERR_NOMEM, "no memory for a table");
}

/* Numbers stay as they lie where they can. */
static bool read_numbers(pickle_table *t, const pickle_array *a, pickle_error *err)
{
    bool f32 = a->dtype.kind == 'f' && a->dtype.itemsize == 4;
    const void *data = f32 ? (const void *)pickle_array_f32(a) : pickle_array_f64(a);
    size_t size = f32 ? sizeof(float) : sizeof(double), n = t->batch.rows * t->batch.cols;
    void *copy;

    t->batch.kind = f32 ? PICKLE_BATCH_F32 : PICKLE_BATCH_F64;
    t->batch.integers = a->dtype.kind != 'f';
    t->batch.data = data;
    if (data)
        return true;
    copy = pickle__pool_take(&t->pool, n, size);
    t->batch.data = copy;
    if (!copy)
        return no_memory(err);
    return pickle_array_copy(a, f32 ? "=f4" : "=f8", copy, n * size, err);
}

static bool read_objects(pickle_table *t, const pickle_val *list, pickle_error *err)
{
    size_t n = pickle_len(list);
    pickle_cell *cells = pickle__pool_take(&t->pool, n, sizeof *cells);

    if (!cells)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        if (!pickle__value_cell(&t->pool, pickle_at(list, i), &cells[i]))
            return fail(err, PICKLE_ERR_TYPE, "the table holds what is neither number nor text");
    }
    t->batch.kind = PICKLE_BATCH_CELLS;
    t->batch.data = cells;
    return true;
}

static bool read_array(pickle_table *t, const pickle_array *a, pickle_error *err)
{
    if (a->ndim != 1 && a->ndim != 2)
        return fail(err, PICKLE_ERR_TYPE, "a table has one dimension or two");
    t->batch.rows = (size_t)a->shape[0];
    t->batch.cols = a->ndim == 2 ? (size_t)a->shape[1] : 1;
    if (a->objects)
        return read_objects(t, a->objects, err);
    if (strchr("biuf", a->dtype.kind))
        return read_numbers(t, a, err);
    t->batch.kind = PICKLE_BATCH_CELLS;
    t->batch.data = pickle__array_cells(&t->pool, a);
    return t->batch.data || fail(err, PICKLE_ERR_TYPE, "the table holds neither numbers nor text");
}

static bool read_sparse(pickle_table *t, const pickle_sparse *s, pickle_error *err)
{
    size_t rows = (size_t)s->shape[0], nnz = (size_t)s->nnz;
    int64_t *indptr = pickle__pool_take(&t->pool, rows + 1, sizeof *indptr);
    int64_t *indices = pickle__pool_take(&t->pool, nnz, sizeof *indices);
    double *data = pickle__pool_take(&t->pool, nnz, sizeof *data);

    if (!indptr || !indices || !data)
        return no_memory(err);
    if (!pickle_sparse_csr(s, "=f8", indptr, indices, data, nnz * sizeof *data, err))
        return false;
    t->batch = (pickle_batch){ .kind = PICKLE_BATCH_CSR,
                               .rows = rows,
                               .cols = (size_t)s->shape[1],
                               .data = data,
                               .indptr = indptr,
                               .indices = indices };
    return true;
}

/* ------------------------------------------------------------------- frames */

/* A cell of a DataFrame, as its to_numpy() has it: what is missing is NaN, or None as such. */
static bool frame_cell(const pickle_column *c, uint64_t row, pickle_cell *out)
{
    bool truth = c->values.dtype.kind == 'b';
    size_t len = 0;
    const char *text;

    *out = (pickle_cell){ PICKLE_CELL_FLOAT, 0, { .f = NAN } };
    if (pickle_column_is_missing(c, row)) {
        if (pickle_kind_of(pickle_column_object(c, row)) == PICKLE_NONE)
            out->kind = PICKLE_CELL_NONE;
        return true;
    }
    text = pickle_column_str(c, row, &len);
    if (text) {
        *out = (pickle_cell){ PICKLE_CELL_TEXT, len, { .text = text } };
        return true;
    }
    truth = truth || pickle_kind_of(pickle_column_object(c, row)) == PICKLE_BOOL;
    if (pickle_column_i64(c, row, &out->as.i)) {
        out->kind = truth ? PICKLE_CELL_BOOL : PICKLE_CELL_INT;
        return true;
    }
    return pickle_column_f64(c, row, &out->as.f);
}

/* Categories are looked up once more: cells are their values. */
static bool frame_value(const pickle_column *c, uint64_t row, pickle_cell *out)
{
    pickle_column categories;
    int64_t code;

    if (c->kind != PICKLE_COLUMN_CATEGORICAL || pickle_column_is_missing(c, row))
        return frame_cell(c, row, out);
    return pickle_column_categories(c, &categories) && pickle_column_i64(c, row, &code) &&
           frame_cell(&categories, (uint64_t)code, out);
}

/* Is it a column of numbers, so that a table of such is one of numbers? */
static bool is_numeric(const pickle_column *c)
{
    return (c->kind == PICKLE_COLUMN_NUMPY || c->kind == PICKLE_COLUMN_MASKED) &&
           strchr("biuf", c->values.dtype.kind) && !c->values.objects;
}

static bool read_column(pickle_table *t, const pickle_column *c, size_t at, pickle_cell *cells,
                        pickle_error *err)
{
    for (size_t i = 0; i < t->batch.rows; i++) {
        if (!frame_value(c, i, &cells[i * t->batch.cols + at]))
            return fail(err, PICKLE_ERR_TYPE, "the table holds what is neither number nor text");
    }
    return true;
}

static bool read_names(pickle_table *t, const pickle_dataframe *df, pickle_error *err)
{
    const char **names = pickle__pool_take(&t->pool, t->batch.cols, sizeof *names);
    pickle_column labels;

    if (!names)
        return no_memory(err);
    if (df->labels.levels != 1 || !pickle_index_level(&df->labels, 0, &labels))
        return true;
    for (size_t j = 0; j < t->batch.cols; j++) {
        size_t len = 0;
        const char *text = pickle_column_str(&labels, j, &len);
        char *name = text ? pickle__pool_take(&t->pool, len + 1, 1) : NULL;

        if (!text)
            return true; /* numbers: a table without names */
        if (!name)
            return no_memory(err);
        memcpy(name, text, len);
        name[len] = '\0';
        names[j] = name;
    }
    t->batch.names = names;
    return true;
}

/* A table whose columns are all numbers becomes one of doubles. */
static bool as_numbers(pickle_table *t, const pickle_cell *cells, pickle_error *err)
{
    size_t n = t->batch.rows * t->batch.cols;
    double *data = pickle__pool_take(&t->pool, n, sizeof *data);

    if (!data)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        if (!pickle__cell_number(&cells[i], &data[i]))
            data[i] = NAN;
    }
    t->batch.kind = PICKLE_BATCH_F64;
    t->batch.data = data;
    return true;
}

static bool read_frame(pickle_table *t, const pickle_dataframe *df, pickle_error *err)
{
    size_t rows = (size_t)df->rows, cols = (size_t)df->columns;
    pickle_cell *cells = cols < SIZE_MAX / sizeof *cells
                             ? pickle__pool_take(&t->pool, rows, cols * sizeof *cells)
                             : NULL;
    bool numeric = cols > 0;

    if (!cells)
        return no_memory(err);
    t->batch =
        (pickle_batch){ .kind = PICKLE_BATCH_CELLS, .rows = rows, .cols = cols, .data = cells };
    for (size_t j = 0; j < cols; j++) {
        pickle_column c;

        if (!pickle_dataframe_column(df, j, &c))
            return fail(err, PICKLE_ERR_TYPE, "a column of the table is not in order");
        numeric = numeric && is_numeric(&c);
        if (!read_column(t, &c, j, cells, err))
            return false;
    }
    return read_names(t, df, err) && (!numeric || as_numbers(t, cells, err));
}

static bool read_series(pickle_table *t, const pickle_column *c, pickle_error *err)
{
    size_t rows = (size_t)c->count;
    pickle_cell *cells = pickle__pool_take(&t->pool, rows, sizeof *cells);

    if (!cells)
        return no_memory(err);
    t->batch = (pickle_batch){ .kind = PICKLE_BATCH_CELLS, .rows = rows, .cols = 1, .data = cells };
    return read_column(t, c, 0, cells, err) && (!is_numeric(c) || as_numbers(t, cells, err));
}

/* ------------------------------------------------------- lists and archives */

static bool is_sequence(const pickle_val *v)
{
    return pickle_kind_of(v) == PICKLE_LIST || pickle_kind_of(v) == PICKLE_TUPLE;
}

/* A list of rows, each with as many values as the first. */
static bool read_rows(pickle_table *t, const pickle_val *list, pickle_error *err)
{
    size_t rows = t->batch.rows, cols = pickle_len(pickle_at(list, 0));
    pickle_cell *cells = cols < SIZE_MAX / sizeof *cells
                             ? pickle__pool_take(&t->pool, rows, cols * sizeof *cells)
                             : NULL;

    if (!cells)
        return no_memory(err);
    t->batch.cols = cols;
    t->batch.kind = PICKLE_BATCH_CELLS;
    t->batch.data = cells;
    for (size_t i = 0; i < rows; i++) {
        const pickle_val *row = pickle_at(list, i);

        if (!is_sequence(row) || pickle_len(row) != cols)
            return fail(err, PICKLE_ERR_TYPE, "the rows of the table are of different lengths");
        for (size_t j = 0; j < cols; j++) {
            if (!pickle__value_cell(&t->pool, pickle_at(row, j), cells++))
                return fail(err, PICKLE_ERR_TYPE,
                            "the table holds what is neither number nor text");
        }
    }
    return true;
}

static bool read_list(pickle_table *t, const pickle_val *list, pickle_error *err)
{
    t->batch.rows = pickle_len(list);
    t->batch.cols = 1;
    return is_sequence(pickle_at(list, 0)) ? read_rows(t, list, err) : read_objects(t, list, err);
}

/* The parts of a matrix as scipy.sparse.save_npz writes them: csr_matrix((data, indices, indptr)),
 * rows only. */
static bool read_sparse_parts(pickle_table *t, const pickle_val *dict, pickle_error *err)
{
    static const char bad[] = "the parts of the sparse matrix contradict each other";
    pickle_array data, indices, indptr, shape;
    int64_t size[2] = { 0, 0 }, *ptr, *index;
    uint64_t nnz, rows;
    double *values;
    pickle_cell format;

    if (!pickle__value_cell(&t->pool, pickle_get(dict, "format"), &format) ||
        format.kind != PICKLE_CELL_TEXT || strcmp(format.as.text, "csr") != 0)
        return fail(err, PICKLE_ERR_TYPE, "a sparse matrix in an .npz has to be saved as csr");
    if (!pickle_get_array(pickle_get(dict, "data"), &data) ||
        !pickle_get_array(pickle_get(dict, "indices"), &indices) ||
        !pickle_get_array(pickle_get(dict, "indptr"), &indptr) ||
        !pickle_get_array(pickle_get(dict, "shape"), &shape) ||
        !pickle_array_copy(&shape, "=i8", size, sizeof size, NULL))
        return fail(err, PICKLE_ERR_TYPE, bad);
    nnz = pickle_array_count(&data);
    rows = pickle_array_count(&indptr) - 1;
    if (size[0] < 0 || size[1] < 0 || rows != (uint64_t)size[0] ||
        pickle_array_count(&indices) != nnz)
        return fail(err, PICKLE_ERR_VALUE, bad);
    ptr = pickle__pool_take(&t->pool, rows + 1, sizeof *ptr);
    index = pickle__pool_take(&t->pool, nnz, sizeof *index);
    values = pickle__pool_take(&t->pool, nnz, sizeof *values);
    if (!ptr || !index || !values)
        return no_memory(err);
    if (!pickle_array_copy(&indptr, "=i8", ptr, (rows + 1) * sizeof *ptr, err) ||
        !pickle_array_copy(&indices, "=i8", index, nnz * sizeof *index, err) ||
        !pickle_array_copy(&data, "=f8", values, nnz * sizeof *values, err))
        return false;
    /* That indices rise and are in range is checked when the batch is run. */
    if ((uint64_t)ptr[rows] > nnz)
        return fail(err, PICKLE_ERR_VALUE, bad);
    t->batch = (pickle_batch){ .kind = PICKLE_BATCH_CSR,
                               .rows = rows,
                               .cols = (size_t)size[1],
                               .data = values,
                               .indptr = ptr,
                               .indices = index };
    return true;
}

/* What a dict of arrays has as its table: the only one, or the one that is called so. */
static bool read_dict(pickle_table *t, const pickle_val *dict, pickle_error *err)
{
    static const char *const names[] = { "X", "x", "X_test", "data", "arr_0" };
    const pickle_val *key, *value;
    pickle_array a;

    if (pickle_get(dict, "indptr"))
        return read_sparse_parts(t, dict, err);
    if (pickle_len(dict) == 1) {
        pickle_foreach (dict, key, value) {
            if (pickle_get_array(value, &a))
                return read_array(t, &a, err);
        }
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (pickle_get_array(pickle_get(dict, names[i]), &a))
            return read_array(t, &a, err);
    }
    return fail(err, PICKLE_ERR_TYPE, "there are several arrays, and none is called X");
}

static bool read_table(pickle_table *t, const pickle_val *v, pickle_error *err)
{
    pickle_array a;
    pickle_sparse s;
    pickle_dataframe df;
    pickle_column column;

    if (pickle_get_array(v, &a))
        return read_array(t, &a, err);
    if (pickle_get_sparse(v, &s))
        return read_sparse(t, &s, err);
    if (pickle_get_dataframe(v, &df))
        return read_frame(t, &df, err);
    if (pickle_get_column(v, &column))
        return read_series(t, &column, err);
    if (pickle_kind_of(v) == PICKLE_DICT)
        return read_dict(t, v, err);
    if (is_sequence(v))
        return read_list(t, v, err);
    return fail(err, PICKLE_ERR_TYPE, "is no table: no array, matrix, DataFrame or list");
}

pickle_table *pickle_table_read(const pickle_val *v, pickle_error *err)
{
    pickle_table *t = pickle__heap_take(NULL, 1, sizeof *t);

    if (!t) {
        no_memory(err);
        return NULL;
    }
    memset(t, 0, sizeof *t);
    if (read_table(t, v, err))
        return t;
    pickle_table_free(t);
    return NULL;
}

const pickle_batch *pickle_table_batch(const pickle_table *t)
{
    return &t->batch;
}

void pickle_table_free(pickle_table *t)
{
    if (!t)
        return;
    pickle__pool_free(&t->pool);
    pickle__heap_free(NULL, t, 1, sizeof *t);
}
