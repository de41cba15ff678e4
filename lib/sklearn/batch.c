/* batch.c - tables: views, conversions, columns, side by side. */
#include "sklearn/estimator.h"

#include <math.h>
#include <string.h>

static size_t item_size(pickle_batch_kind kind)
{
    switch (kind) {
    case PICKLE_BATCH_F32:
        return sizeof(float);
    case PICKLE_BATCH_CELLS:
        return sizeof(pickle_cell);
    default:
        return sizeof(double);
    }
}

static void *new_dense(pickle__run *r, pickle_batch *y, pickle_batch_kind kind, size_t rows,
                       size_t cols)
{
    size_t size = item_size(kind);
    void *data = NULL;

    if (cols > SIZE_MAX / 2 / size)
        pickle__run_no_memory(r);
    else
        data = pickle__take(r, rows, cols * size);
    *y = (pickle_batch){
        .kind = kind, .rows = rows, .cols = cols, .data = data, .stride = cols * size
    };
    return data;
}

double *pickle__new_f64(pickle__run *r, pickle_batch *y, size_t rows, size_t cols)
{
    return new_dense(r, y, PICKLE_BATCH_F64, rows, cols);
}

float *pickle__new_f32(pickle__run *r, pickle_batch *y, size_t rows, size_t cols)
{
    return new_dense(r, y, PICKLE_BATCH_F32, rows, cols);
}

pickle_cell *pickle__new_cells(pickle__run *r, pickle_batch *y, size_t rows, size_t cols)
{
    return new_dense(r, y, PICKLE_BATCH_CELLS, rows, cols);
}

pickle__csr pickle__new_csr(pickle__run *r, pickle_batch *y, size_t rows, size_t cols, size_t nnz)
{
    pickle__csr csr = { NULL, NULL, NULL };

    csr.indptr = pickle__take(r, rows + 1, sizeof *csr.indptr);
    csr.indices = csr.indptr ? pickle__take(r, nnz, sizeof *csr.indices) : NULL;
    csr.data = csr.indices ? pickle__take(r, nnz, sizeof *csr.data) : NULL;
    *y = (pickle_batch){ .kind = PICKLE_BATCH_CSR,
                         .rows = rows,
                         .cols = cols,
                         .data = csr.data,
                         .indptr = csr.indptr,
                         .indices = csr.indices };
    if (!csr.data)
        return (pickle__csr){ NULL, NULL, NULL };
    csr.indptr[0] = 0;
    return csr;
}

/* -------------------------------------------------------------------- views */

pickle_batch pickle__rows(const pickle_batch *x, size_t first, size_t count)
{
    pickle_batch y = *x;

    y.rows = count;
    if (x->kind == PICKLE_BATCH_CSR)
        y.indptr = x->indptr + first;
    else if (first > 0)
        y.data = (const char *)x->data + first * x->stride;
    return y;
}

static bool is_run(const size_t *columns, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (columns[i] != columns[0] + i)
            return false;
    }
    return true;
}

static bool gather_dense(pickle__run *r, const pickle_batch *x, const size_t *columns, size_t count,
                         pickle_batch *y)
{
    size_t size = item_size(x->kind);
    char *to = new_dense(r, y, x->kind, x->rows, count);

    y->integers = x->integers;
    if (!to)
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        const char *from = (const char *)x->data + i * x->stride;

        for (size_t j = 0; j < count; j++, to += size)
            memcpy(to, from + columns[j] * size, size);
    }
    return true;
}

/* Elements of a row stay in their order; of a column that is taken twice, they come twice. */
static bool gather_sparse(pickle__run *r, const pickle_batch *x, const size_t *columns,
                          size_t count, pickle_batch *y)
{
    size_t *first = pickle__take(r, x->cols, sizeof *first), n = 0, most = 0;
    size_t *next = first ? pickle__take(r, count, sizeof *next) : NULL;
    const double *data = x->data;
    pickle__csr to;

    if (!next)
        return false;
    memset(first, 0, x->cols * sizeof *first);
    for (size_t j = count; j-- > 0;) {
        next[j] = first[columns[j]];
        first[columns[j]] = j + 1;
    }
    for (int64_t k = x->indptr[0]; k < x->indptr[x->rows]; k++) {
        for (size_t j = first[x->indices[k]]; j; j = next[j - 1])
            most++;
    }
    to = pickle__new_csr(r, y, x->rows, count, most);
    if (!to.data)
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            for (size_t j = first[x->indices[k]]; j; j = next[j - 1]) {
                to.indices[n] = (int64_t)j - 1;
                to.data[n++] = data[k];
            }
        }
        to.indptr[i + 1] = (int64_t)n;
    }
    return true;
}

bool pickle__columns(pickle__run *r, const pickle_batch *x, const size_t *columns, size_t count,
                     pickle_batch *y)
{
    const pickle_batch from = *x; /* `y` may be `x` */

    for (size_t j = 0; j < count; j++) {
        if (columns[j] >= from.cols)
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "there is no column %zu: X has %zu",
                                    columns[j], from.cols);
    }
    if (from.kind == PICKLE_BATCH_CSR)
        return gather_sparse(r, &from, columns, count, y);
    if (!is_run(columns, count))
        return gather_dense(r, &from, columns, count, y);
    *y = from;
    y->cols = count;
    y->names = NULL;
    if (count > 0 && from.rows > 0)
        y->data = (const char *)from.data + columns[0] * item_size(from.kind);
    return true;
}

/* -------------------------------------------------------------- conversions */

static bool cells_to_f64(pickle__run *r, const pickle_batch *x, double *to)
{
    for (size_t i = 0; i < x->rows; i++) {
        const pickle_cell *row = pickle__row_cells(x, i);

        for (size_t j = 0; j < x->cols; j++, to++) {
            if (row[j].kind == PICKLE_CELL_NONE)
                *to = NAN;
            else if (!pickle__cell_number(&row[j], to))
                return pickle__run_fail(r, PICKLE_ERR_TYPE,
                                        "column %zu is no column of numbers: row %zu has text", j,
                                        r->first_row + i);
        }
    }
    return true;
}

static void sparse_to_f64(const pickle_batch *x, double *to)
{
    const double *data = x->data;

    if (x->rows * x->cols > 0)
        memset(to, 0, x->rows * x->cols * sizeof *to);
    for (size_t i = 0; i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++)
            to[i * x->cols + (size_t)x->indices[k]] += data[k];
    }
}

bool pickle__as_f64(pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch from = *x;
    double *to;

    if (x->kind == PICKLE_BATCH_F64) {
        *y = from;
        return true;
    }
    to = pickle__new_f64(r, y, from.rows, from.cols);
    y->integers = from.integers;
    y->names = from.names;
    if (!to)
        return false;
    if (from.kind == PICKLE_BATCH_CELLS)
        return cells_to_f64(r, &from, to);
    if (from.kind == PICKLE_BATCH_CSR) {
        sparse_to_f64(&from, to);
        return true;
    }
    for (size_t i = 0; i < from.rows; i++, to += from.cols) {
        const float *row = pickle__row_f32(&from, i);

        for (size_t j = 0; j < from.cols; j++)
            to[j] = (double)row[j];
    }
    return true;
}

bool pickle__as_f32(pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch from;
    float *to;

    if (x->kind == PICKLE_BATCH_F32) {
        *y = *x;
        return true;
    }
    if (!pickle__as_f64(r, x, &from))
        return false;
    to = pickle__new_f32(r, y, from.rows, from.cols);
    y->integers = from.integers;
    y->names = from.names;
    if (!to)
        return false;
    for (size_t i = 0; i < from.rows; i++, to += from.cols) {
        const double *row = pickle__row(&from, i);

        for (size_t j = 0; j < from.cols; j++)
            to[j] = (float)row[j];
    }
    return true;
}

bool pickle__as_csr(pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch from;
    pickle__csr to;
    size_t n = 0;

    if (x->kind == PICKLE_BATCH_CSR) {
        *y = *x;
        return true;
    }
    if (!pickle__as_f64(r, x, &from))
        return false;
    for (size_t i = 0; i < from.rows; i++) {
        for (size_t j = 0; j < from.cols; j++)
            n += pickle__row(&from, i)[j] != 0;
    }
    to = pickle__new_csr(r, y, from.rows, from.cols, n);
    if (!to.data)
        return false;
    n = 0;
    for (size_t i = 0; i < from.rows; i++) {
        for (size_t j = 0; j < from.cols; j++) {
            if (pickle__row(&from, i)[j] == 0)
                continue;
            to.indices[n] = (int64_t)j;
            to.data[n++] = pickle__row(&from, i)[j];
        }
        to.indptr[i + 1] = (int64_t)n;
    }
    return true;
}

bool pickle__as_cells(pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch from = *x;
    pickle_cell *to;
    bool integers = x->integers;

    if (x->kind == PICKLE_BATCH_CELLS) {
        *y = from;
        return true;
    }
    if (!pickle__as_f64(r, x, &from))
        return false;
    to = pickle__new_cells(r, y, from.rows, from.cols);
    y->names = from.names;
    if (!to)
        return false;
    for (size_t i = 0; i < from.rows; i++) {
        const double *row = pickle__row(&from, i);

        for (size_t j = 0; j < from.cols; j++, to++) {
            if (integers && fabs(row[j]) <= 9e15)
                *to = (pickle_cell){ PICKLE_CELL_INT, 0, { .i = (int64_t)row[j] } };
            else
                *to = (pickle_cell){ PICKLE_CELL_FLOAT, 0, { .f = row[j] } };
        }
    }
    return true;
}

bool pickle__cell_equal(const pickle_cell *a, const pickle_cell *b)
{
    double x, y;

    if (a->kind == PICKLE_CELL_TEXT && b->kind == PICKLE_CELL_TEXT)
        return a->len == b->len && memcmp(a->as.text, b->as.text, a->len) == 0;
    if (pickle__cell_number(a, &x) && pickle__cell_number(b, &y))
        return x == y || (x != x && y != y);
    return a->kind == PICKLE_CELL_NONE && b->kind == PICKLE_CELL_NONE;
}

/* ------------------------------------------------------------- side by side */

static bool stack_sparse(pickle__run *r, const pickle_batch *parts, size_t count, size_t rows,
                         size_t cols, pickle_batch *y)
{
    pickle_batch *sparse = pickle__take(r, count, sizeof *sparse);
    size_t nnz = 0, n = 0;
    pickle__csr to;

    if (!sparse)
        return false;
    for (size_t p = 0; p < count; p++) {
        if (!pickle__as_csr(r, &parts[p], &sparse[p]))
            return false;
        nnz += (size_t)(sparse[p].indptr[rows] - sparse[p].indptr[0]);
    }
    to = pickle__new_csr(r, y, rows, cols, nnz);
    if (!to.data)
        return false;
    for (size_t i = 0; i < rows; i++) {
        int64_t before = 0;

        for (size_t p = 0; p < count; p++) {
            const pickle_batch *x = &sparse[p];

            for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++, n++) {
                to.indices[n] = before + x->indices[k];
                to.data[n] = ((const double *)x->data)[k];
            }
            before += (int64_t)x->cols;
        }
        to.indptr[i + 1] = (int64_t)n;
    }
    return true;
}

/* The type of numpy.hstack: cells if one has them, float32 if all are. */
static pickle_batch_kind common_kind(const pickle_batch *parts, size_t count)
{
    bool f32 = true;

    for (size_t p = 0; p < count; p++) {
        if (parts[p].kind == PICKLE_BATCH_CELLS)
            return PICKLE_BATCH_CELLS;
        f32 = f32 && parts[p].kind == PICKLE_BATCH_F32;
    }
    return f32 && count > 0 ? PICKLE_BATCH_F32 : PICKLE_BATCH_F64;
}

bool pickle__hstack(pickle__run *r, const pickle_batch *parts, size_t count, bool sparse,
                    pickle_batch *y)
{
    pickle_batch_kind kind = common_kind(parts, count);
    size_t rows = count ? parts[0].rows : 0, cols = 0, before = 0, size = item_size(kind);
    bool integers = count > 0;
    char *to;

    for (size_t p = 0; p < count; p++) {
        cols += parts[p].cols;
        integers = integers && parts[p].integers;
    }
    if (sparse)
        return stack_sparse(r, parts, count, rows, cols, y);
    to = new_dense(r, y, kind, rows, cols);
    y->integers = integers;
    for (size_t p = 0; to && p < count; p++) {
        pickle_batch x;

        if (!(kind == PICKLE_BATCH_CELLS ? pickle__as_cells(r, &parts[p], &x)
              : kind == PICKLE_BATCH_F32 ? pickle__as_f32(r, &parts[p], &x)
                                         : pickle__as_f64(r, &parts[p], &x)))
            return false;
        for (size_t i = 0; i < rows && x.cols > 0; i++)
            memcpy(to + (i * cols + before) * size, (const char *)x.data + i * x.stride,
                   x.cols * size);
        before += x.cols;
    }
    return to != NULL;
}
