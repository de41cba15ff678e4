/* attributes.c - what an estimator learned, from the values of the file. */
#include "sklearn/opening.h"

#include <stdarg.h>
#include <string.h>

#include <pickle/sparse.h>

/* Most along an axis of an array that has no elements: loops go over it. */
#define MOST_EMPTY ((int64_t)1 << 16)

void *pickle__state(pickle__opener *o, size_t size)
{
    static char spare[4096];

    o->model->state = pickle__keep(o, 1, size);
    return o->model->state ? o->model->state : memset(spare, 0, sizeof spare);
}

void pickle__method_is(pickle__opener *o, pickle_method method, pickle__method *f)
{
    o->model->methods[method] = f;
}

const pickle_val *pickle__attr(const pickle__opener *o, const char *name)
{
    const pickle_val *v = pickle_attr(o->object, name);

    return pickle_kind_of(v) == PICKLE_NONE ? NULL : v;
}

const pickle_val *pickle__need(pickle__opener *o, const char *name)
{
    const pickle_val *v = pickle__attr(o, name);

    if (!v)
        pickle__unsupported(o, name, "is missing: not fitted?");
    return v;
}

const pickle_val *pickle__either(const pickle__opener *o, const char *name, const char *older)
{
    const pickle_val *v = pickle__attr(o, name);

    return v ? v : pickle__attr(o, older);
}

/* ------------------------------------------------------------------ scalars */

bool pickle__cell_of(pickle__opener *o, const pickle_val *v, pickle_cell *out)
{
    return pickle__value_cell(&o->all->root->pool, v, out);
}

/* The scalar of an attribute; false when it is missing or None, or bad. */
static bool scalar(pickle__opener *o, const char *name, pickle_cell *out)
{
    const pickle_val *v = pickle__attr(o, name);

    if (!v)
        return false;
    if (pickle__cell_of(o, v, out))
        return true;
    pickle__unsupported(o, name, "is of a type that is not known here");
    return false;
}

double pickle__number(pickle__opener *o, const char *name, double fallback)
{
    pickle_cell cell;
    double number = fallback;

    if (scalar(o, name, &cell) && !pickle__cell_number(&cell, &number))
        pickle__unsupported(o, name, "is no number");
    return number;
}

int64_t pickle__integer(pickle__opener *o, const char *name, int64_t fallback)
{
    double number = pickle__number(o, name, (double)fallback);

    if (!(number >= -9e15 && number <= 9e15) || number != (double)(int64_t)number) {
        pickle__bad(o, name, "is no integer");
        return fallback;
    }
    return (int64_t)number;
}

bool pickle__flag(pickle__opener *o, const char *name, bool fallback)
{
    return pickle__number(o, name, fallback) != 0;
}

const char *pickle__text(pickle__opener *o, const char *name, const char *fallback)
{
    pickle_cell cell;

    if (!scalar(o, name, &cell))
        return fallback;
    if (cell.kind == PICKLE_CELL_TEXT)
        return cell.as.text;
    pickle__unsupported(o, name, "is no text");
    return fallback;
}

int pickle__choice(pickle__opener *o, const char *name, int fallback, ...)
{
    const pickle_val *v = pickle__attr(o, name);
    const char *text = v ? pickle__text(o, name, NULL) : NULL, *choice;
    int found = -1, i = 0;
    va_list choices;

    if (!v)
        return fallback;
    va_start(choices, fallback);
    while (found < 0 && (choice = va_arg(choices, const char *)) != NULL) {
        if (text && strcmp(text, choice) == 0)
            found = i;
        i++;
    }
    va_end(choices);
    if (found < 0)
        pickle__unsupported(o, name, "has a value that is not known here");
    return found < 0 ? fallback : found;
}

/* ---------------------------------------------------------------- sequences */

const pickle_val *pickle__items(pickle__opener *o, const char *name, const pickle_val *v,
                                size_t *count)
{
    pickle_kind kind = pickle_kind_of(v);
    pickle_array a;

    *count = 0;
    if (kind == PICKLE_OBJECT && pickle_get_array(v, &a) && a.objects) {
        v = a.objects;
        kind = pickle_kind_of(v);
    }
    if (kind != PICKLE_LIST && kind != PICKLE_TUPLE) {
        pickle__bad(o, name, "is no list");
        return NULL;
    }
    *count = pickle_len(v);
    return v;
}

/* The shape of an array as rows and columns; false when it is nothing that was learned. */
static bool fold_shape(const pickle_array *a, pickle__matrix *m)
{
    uint64_t count = pickle_array_count(a);

    for (int i = 0; i < a->ndim; i++) {
        if (count == 0 ? a->shape[i] > MOST_EMPTY : a->shape[i] > INT32_MAX)
            return false;
    }
    m->ndim = a->ndim;
    m->rows = a->ndim > 1 ? (size_t)a->shape[0] : 1;
    m->cols = 1;
    for (int i = a->ndim > 1; i < a->ndim; i++) {
        if (a->shape[i] != 0 && m->cols > INT32_MAX / (size_t)a->shape[i] + 1)
            return false;
        m->cols *= (size_t)a->shape[i];
    }
    return true;
}

static pickle__matrix bad_numbers(pickle__opener *o, const char *name)
{
    pickle__bad(o, name, "is no table of numbers");
    return (pickle__matrix){ 0 };
}

static pickle__matrix array_numbers(pickle__opener *o, const char *name, const pickle_array *a)
{
    pickle__matrix m = { 0 };
    size_t n = (size_t)pickle_array_count(a);
    double *copy;

    if (!strchr("biuf", a->dtype.kind) || !fold_shape(a, &m))
        return bad_numbers(o, name);
    m.f32 = a->dtype.kind == 'f' && a->dtype.itemsize <= 4;
    m.data = pickle_array_f64(a);
    if (m.data || !pickle__ok(o))
        return m.data ? m : (pickle__matrix){ 0 };
    copy = pickle__keep(o, n, sizeof *copy);
    if (!copy || !pickle_array_copy(a, "=f8", copy, n * sizeof *copy, NULL))
        return copy ? bad_numbers(o, name) : (pickle__matrix){ 0 };
    m.data = copy;
    return m;
}

/* A list of numbers, or of rows of them. */
static pickle__matrix list_numbers(pickle__opener *o, const char *name, const pickle_val *v)
{
    size_t rows = 0, cols = 0;
    const pickle_val *list = pickle__items(o, name, v, &rows), *first = pickle_at(list, 0);
    pickle_kind kind = pickle_kind_of(first);
    bool nested = kind == PICKLE_LIST || kind == PICKLE_TUPLE;
    pickle__matrix m = { 0 };
    double *data;

    if (!list)
        return m;
    cols = nested ? pickle_len(first) : rows;
    rows = nested ? rows : 1;
    data = cols < INT32_MAX ? pickle__keep(o, rows, cols * sizeof *data) : NULL;
    for (size_t i = 0; data && i < rows; i++) {
        const pickle_val *row = nested ? pickle_at(list, i) : list;

        if (pickle_len(row) != cols)
            return bad_numbers(o, name);
        for (size_t j = 0; j < cols; j++) {
            pickle_cell cell;

            if (!pickle__cell_of(o, pickle_at(row, j), &cell) ||
                !pickle__cell_number(&cell, &data[i * cols + j]))
                return bad_numbers(o, name);
        }
    }
    if (data)
        m = (pickle__matrix){ nested ? 2 : 1, rows, cols, data, false };
    return m;
}

pickle__matrix pickle__numbers_of(pickle__opener *o, const char *name, const pickle_val *v)
{
    pickle__matrix m = { 0 };
    pickle_cell cell;
    pickle_array a;
    double *one;

    if (!v || !pickle__ok(o))
        return m;
    if (pickle_get_array(v, &a) && !a.objects)
        return array_numbers(o, name, &a);
    if (pickle_kind_of(v) == PICKLE_OBJECT || pickle_kind_of(v) == PICKLE_LIST ||
        pickle_kind_of(v) == PICKLE_TUPLE)
        return list_numbers(o, name, v);
    one = pickle__keep(o, 1, sizeof *one);
    if (!one || !pickle__cell_of(o, v, &cell) || !pickle__cell_number(&cell, one))
        return bad_numbers(o, name);
    return (pickle__matrix){ 0, 1, 1, one, false };
}

pickle__matrix pickle__need_numbers(pickle__opener *o, const char *name)
{
    return pickle__numbers_of(o, name, pickle__need(o, name));
}

const double *pickle__need_row(pickle__opener *o, const char *name, size_t count)
{
    pickle__matrix m = pickle__need_numbers(o, name);

    if (pickle__ok(o) && m.rows * m.cols != count)
        pickle__bad(o, name, "has another size than the rest");
    return pickle__ok(o) ? m.data : NULL;
}

const double *pickle__need_table(pickle__opener *o, const char *name, size_t rows, size_t cols)
{
    pickle__matrix m = pickle__need_numbers(o, name);

    if (pickle__ok(o) && (m.rows != rows || m.cols != cols))
        pickle__bad(o, name, "has another shape than the rest");
    return pickle__ok(o) ? m.data : NULL;
}

const int64_t *pickle__integers_of(pickle__opener *o, const char *name, const pickle_val *v,
                                   size_t *count)
{
    pickle__matrix m = pickle__numbers_of(o, name, v);
    size_t n = m.rows * m.cols;
    int64_t *out = pickle__ok(o) && m.data ? pickle__keep(o, n, sizeof *out) : NULL;

    *count = 0;
    for (size_t i = 0; out && i < n; i++) {
        if (!(m.data[i] >= -9e15 && m.data[i] <= 9e15) || m.data[i] != (double)(int64_t)m.data[i]) {
            pickle__bad(o, name, "has what is no integer");
            return NULL;
        }
        out[i] = (int64_t)m.data[i];
    }
    *count = out ? n : 0;
    return out;
}

const int64_t *pickle__need_integers(pickle__opener *o, const char *name, size_t *count)
{
    return pickle__integers_of(o, name, pickle__need(o, name), count);
}

bool pickle__sparse_of(pickle__opener *o, const char *name, const pickle_val *v,
                       pickle__sparse *out)
{
    pickle_sparse s;
    int64_t *indptr, *indices;
    double *data;
    size_t nnz;

    memset(out, 0, sizeof *out);
    if (!pickle_get_sparse(v, &s))
        return false;
    nnz = (size_t)s.nnz;
    if (s.ndim != 2 || s.shape[0] > INT32_MAX || s.shape[1] > INT32_MAX ||
        (nnz == 0 && s.shape[0] > MOST_EMPTY)) {
        pickle__bad(o, name, "is no matrix that could have been learned");
        return false;
    }
    indptr = pickle__keep(o, (size_t)s.shape[0] + 1, sizeof *indptr);
    indices = pickle__keep(o, nnz, sizeof *indices);
    data = pickle__keep(o, nnz, sizeof *data);
    if (!indptr || !indices || !data ||
        !pickle_sparse_csr(&s, "=f8", indptr, indices, data, nnz * sizeof *data, NULL)) {
        pickle__bad(o, name, "is no matrix of numbers");
        return false;
    }
    *out = (pickle__sparse){ (size_t)s.shape[0], (size_t)s.shape[1], indptr, indices, data };
    return true;
}

/* ------------------------------------------------------------------- labels */

pickle__labels pickle__labels_of(pickle__opener *o, const char *name, const pickle_val *v)
{
    pickle__labels labels = { 0, NULL };
    const pickle_val *list;
    pickle_cell *cells;
    pickle_array a;
    size_t n = 0;

    if (!v || !pickle__ok(o))
        return labels;
    if (pickle_get_array(v, &a) && !a.objects) {
        cells = pickle__array_cells(&o->all->root->pool, &a);
        n = (size_t)pickle_array_count(&a);
        if (!cells)
            pickle__unsupported(o, name, "has labels of a type that is not known here");
    } else {
        list = pickle__items(o, name, v, &n);
        cells = list ? pickle__keep(o, n, sizeof *cells) : NULL;
        for (size_t i = 0; cells && i < n; i++) {
            if (!pickle__cell_of(o, pickle_at(list, i), &cells[i]))
                pickle__unsupported(o, name, "has labels of a type that is not known here");
        }
    }
    if (pickle__ok(o) && cells)
        labels = (pickle__labels){ n, cells };
    return labels;
}

/* A list whose items are arrays: one for each output. */
static bool is_list_of_arrays(const pickle_val *v)
{
    pickle_array a;

    return pickle_kind_of(v) == PICKLE_LIST && pickle_get_array(pickle_at(v, 0), &a) && a.ndim > 0;
}

void pickle__read_classes(pickle__opener *o, const char *name)
{
    const pickle_val *v = pickle__need(o, name);
    bool several = is_list_of_arrays(v);
    size_t n = several ? pickle_len(v) : 1;
    pickle__labels *classes = v ? pickle__keep(o, n, sizeof *classes) : NULL;

    for (size_t i = 0; classes && i < n; i++) {
        classes[i] = pickle__labels_of(o, name, several ? pickle_at(v, i) : v);
        if (pickle__ok(o) && classes[i].count == 0)
            pickle__bad(o, name, "is empty");
    }
    if (!classes || !pickle__ok(o))
        return;
    o->model->classes = classes;
    o->model->outputs = n;
}
