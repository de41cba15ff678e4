/* run.c - a method over a batch: checks, blocks of rows, threads, results. */
#include "sklearn/numeric.h"
#include "sklearn/opening.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Numbers of a block of rows: enough for loops over its parts to pay, few enough for caches. */
#define BLOCK_NUMBERS ((size_t)1 << 18)
#define LEAST_ROWS    ((size_t)64)
#define MOST_ROWS     ((size_t)4096)
#define MOST_THREADS  256u

/* ------------------------------------------------------------------- errors */

static bool vfail(pickle_error *err, pickle_status code, const char *format, va_list args)
{
    memset(err, 0, sizeof *err);
    err->code = code;
    vsnprintf(err->message, sizeof err->message, format, args);
    return false;
}

bool pickle__run_fail(pickle__run *r, pickle_status code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfail(r->err, code, format, args);
    va_end(args);
    return false;
}

static bool fail(pickle_error *err, pickle_status code, const char *format, ...)
    PICKLE__FORMAT(3, 4);

static bool fail(pickle_error *err, pickle_status code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfail(err, code, format, args);
    va_end(args);
    return false;
}

bool pickle__run_no_memory(pickle__run *r)
{
    return pickle__run_fail(r, PICKLE_ERR_NOMEM, "no memory for a block of rows");
}

void *pickle__take(pickle__run *r, size_t count, size_t size)
{
    void *taken = pickle__pool_take(&r->pool, count, size);

    if (!taken)
        pickle__run_no_memory(r);
    return taken;
}

/* ------------------------------------------------------------------- checks */

/* Bits of a double or float that say infinite or NaN. */
static bool all_finite(const pickle_batch *x, size_t i, size_t *column)
{
    bool bad = false;

    if (x->kind == PICKLE_BATCH_F32) {
        const float *row = pickle__row_f32(x, i);

        for (size_t j = 0; j < x->cols; j++)
            bad |= !(fabsf(row[j]) <= 3.4028234663852886e38f);
        for (*column = 0; bad && isfinite(row[*column]);)
            ++*column;
    } else {
        const double *row = pickle__row(x, i);

        for (size_t j = 0; j < x->cols; j++)
            bad |= !(fabs(row[j]) <= 1.7976931348623157e308);
        for (*column = 0; bad && isfinite(row[*column]);)
            ++*column;
    }
    return !bad;
}

static double number_at(const pickle_batch *x, size_t i, size_t j)
{
    return x->kind == PICKLE_BATCH_F32 ? (double)pickle__row_f32(x, i)[j] : pickle__row(x, i)[j];
}

static bool refuse_number(const pickle_model *m, pickle__run *r, double number, size_t row,
                          size_t column)
{
    return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu, column %zu is %s, which %s refuses",
                            r->first_row + row, column, isnan(number) ? "NaN" : "infinite",
                            m->class_name);
}

static bool check_sparse_numbers(const pickle_model *m, pickle__run *r, const pickle_batch *x)
{
    const double *data = x->data;

    for (size_t i = 0; i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            if (!isfinite(data[k]) && !(m->numbers == PICKLE__OR_NAN && isnan(data[k])))
                return refuse_number(m, r, data[k], i, (size_t)x->indices[k]);
        }
    }
    return true;
}

static bool check_numbers(const pickle_model *m, pickle__run *r, const pickle_batch *x)
{
    size_t column;

    if (m->numbers == PICKLE__ANY_NUMBER || x->kind == PICKLE_BATCH_CELLS)
        return true;
    if (x->kind == PICKLE_BATCH_CSR)
        return check_sparse_numbers(m, r, x);
    for (size_t i = 0; i < x->rows; i++) {
        if (all_finite(x, i, &column))
            continue;
        for (; column < x->cols; column++) {
            double number = number_at(x, i, column);

            if (!isfinite(number) && !(m->numbers == PICKLE__OR_NAN && isnan(number)))
                return refuse_number(m, r, number, i, column);
        }
    }
    return true;
}

/* float64 that float32 can't hold: numpy makes it infinite, and scikit-learn refuses that. */
static bool narrow(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch from;

    if (!pickle__as_f64(r, x, &from) || !pickle__as_f32(r, &from, y))
        return false;
    for (size_t i = 0; m->numbers != PICKLE__ANY_NUMBER && i < y->rows; i++) {
        for (size_t j = 0; j < y->cols; j++) {
            if (isinf(pickle__row_f32(y, i)[j]) && isfinite(pickle__row(&from, i)[j]))
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is too large for float32",
                                        r->first_row + i, j);
        }
    }
    return true;
}

/* `x` as a kind of `takes`. */
static bool coerce(const pickle_model *m, pickle__run *r, unsigned takes, const pickle_batch *x,
                   pickle_batch *y)
{
    if (takes & PICKLE__TAKES(x->kind)) {
        *y = *x;
        return true;
    }
    if (x->kind == PICKLE_BATCH_CSR)
        return pickle__run_fail(r, PICKLE_ERR_TYPE, "%s takes no sparse matrix", m->class_name);
    if (takes & PICKLE__F64)
        return pickle__as_f64(r, x, y);
    if (takes & PICKLE__F32)
        return narrow(m, r, x, y);
    if (takes & PICKLE__CELLS)
        return pickle__as_cells(r, x, y);
    return pickle__run_fail(r, PICKLE_ERR_TYPE, "%s takes sparse matrices only", m->class_name);
}

bool pickle__check_input(const pickle_model *m, pickle__run *r, const pickle_batch *x, size_t cols)
{
    if (x->cols != cols)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has %zu columns, but %s expects %zu",
                                x->cols, m->class_name, cols);
    return check_numbers(m, r, x);
}

bool pickle__run_method(const pickle_model *m, pickle_method method, pickle__run *r,
                        const pickle_batch *x, pickle_batch *y)
{
    bool inverse = method == PICKLE_INVERSE_TRANSFORM;
    pickle_method caller = r->method;
    pickle_batch taken;
    bool ok;

    if (!m->methods[method])
        return pickle__run_fail(r, PICKLE_ERR_MISSING, "%s has no %s", m->class_name,
                                pickle_method_name(method));
    if (!inverse && m->features && x->cols != m->features)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has %zu columns, but %s expects %zu",
                                x->cols, m->class_name, m->features);
    if (!coerce(m, r, inverse ? m->inverse : m->takes, x, &taken) ||
        (!inverse && !check_numbers(m, r, &taken)))
        return false;
    r->method = method;
    ok = m->methods[method](m, r, &taken, y);
    r->method = caller;
    return ok;
}

/* ------------------------------------------------------------------ classes */

bool pickle__argmax(pickle__run *r, const pickle_batch *scores, pickle_batch *y)
{
    pickle_batch x;
    double *out;

    if (!pickle__as_f64(r, scores, &x))
        return false;
    out = pickle__new_f64(r, y, x.rows, 1);
    for (size_t i = 0; out && i < x.rows; i++)
        out[i] = (double)pickle__largest(pickle__row(&x, i), x.cols);
    return out != NULL;
}

static const pickle_cell *label_at(const pickle_model *m, size_t output, double place)
{
    static const pickle_cell none = { PICKLE_CELL_NONE, 0, { 0 } };
    size_t count = output < m->outputs ? m->classes[output].count : 0;

    return place >= 0 && place < (double)count ? &m->classes[output].cells[(size_t)place] : &none;
}

bool pickle__label_numbers(const pickle_model *m, pickle__run *r, const pickle_batch *places,
                           pickle_batch *y)
{
    pickle_batch x = *places;
    double *out;

    if (!m->classes) {
        *y = x;
        return true;
    }
    out = pickle__new_f64(r, y, x.rows, x.cols);
    if (!out)
        return false;
    y->integers = true;
    for (size_t i = 0; i < x.rows; i++) {
        for (size_t j = 0; j < x.cols; j++, out++) {
            const pickle_cell *label = label_at(m, j, pickle__row(&x, i)[j]);

            y->integers = y->integers && label->kind != PICKLE_CELL_FLOAT;
            if (!pickle__cell_number(label, out))
                return pickle__run_fail(r, PICKLE_ERR_TYPE, "the labels of %s are no numbers",
                                        m->class_name);
        }
    }
    return true;
}

bool pickle__log_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y)
{
    pickle_method caller = r->method;
    pickle_batch proba;
    double *out;
    bool ok;

    r->method = PICKLE_PREDICT_PROBA;
    ok = m->methods[PICKLE_PREDICT_PROBA](m, r, x, &proba) && pickle__as_f64(r, &proba, &proba);
    r->method = caller;
    out = ok ? pickle__new_f64(r, y, proba.rows, proba.cols) : NULL;
    for (size_t i = 0; out && i < proba.rows; i++) {
        for (size_t j = 0; j < proba.cols; j++)
            *out++ = log(pickle__row(&proba, i)[j]);
    }
    return out != NULL;
}

/* ------------------------------------------------------------------ results */

typedef enum result_kind { AS_WIDTH, AS_NUMBERS, AS_INDEX, AS_CELLS, AS_CSR } result_kind;

/* What is to be done, the same for all threads. */
typedef struct job {
    const pickle_model *m;
    pickle_method method;
    pickle_batch in;
    size_t *columns; /* places of the model's features in `in`; NULL: as they are */
    const pickle_alloc *alloc;
    result_kind kind;
    size_t width; /* of `to`; SIZE_MAX: any */
    void *to;
} job;

/* An element of a sparse result. */
typedef struct entry {
    int64_t column;
    double value;
} entry;

/* One thread's rows. */
typedef struct worker {
    const job *job;
    size_t first, rows;
    size_t width; /* of the results */
    size_t n_entries, cap;
    entry *entries; /* AS_CSR */
    int64_t *ends;  /* of each row in `entries` */
    pickle__run run;
    pickle_error err;
    bool ok;
} worker;

static bool predicts_labels(const job *j)
{
    return j->m->classes && j->method == PICKLE_PREDICT;
}

static bool put_numbers(worker *w, size_t first, const pickle_batch *y)
{
    double *to = w->job->to;
    pickle_batch x = *y;

    if (predicts_labels(w->job) && !pickle__label_numbers(w->job->m, &w->run, y, &x))
        return false;
    if (!pickle__as_f64(&w->run, &x, &x))
        return false;
    for (size_t i = 0; i < x.rows && x.cols > 0; i++)
        memcpy(to + (first + i) * x.cols, pickle__row(&x, i), x.cols * sizeof *to);
    return true;
}

static void put_index(worker *w, size_t first, const pickle_batch *y)
{
    size_t *to = w->job->to;

    for (size_t i = 0; i < y->rows; i++) {
        for (size_t j = 0; j < y->cols; j++)
            to[(first + i) * y->cols + j] = (size_t)pickle__row(y, i)[j];
    }
}

static bool put_cells(worker *w, size_t first, const pickle_batch *y)
{
    pickle_cell *to = w->job->to;
    pickle_batch cells;

    if (predicts_labels(w->job)) {
        for (size_t i = 0; i < y->rows; i++) {
            for (size_t j = 0; j < y->cols; j++)
                to[(first + i) * y->cols + j] = *label_at(w->job->m, j, pickle__row(y, i)[j]);
        }
        return true;
    }
    if (!pickle__as_cells(&w->run, y, &cells))
        return false;
    for (size_t i = 0; i < cells.rows && cells.cols > 0; i++)
        memcpy(to + (first + i) * cells.cols, pickle__row_cells(&cells, i),
               cells.cols * sizeof *to);
    return true;
}

static bool reserve_entries(worker *w, size_t more)
{
    size_t cap = w->cap ? w->cap * 2 : 1024;
    entry *grown;

    if (more <= w->cap - w->n_entries)
        return true;
    if (cap - w->n_entries < more)
        cap = w->n_entries + more;
    grown = pickle__heap_take(w->job->alloc, cap, sizeof *grown);
    if (!grown)
        return pickle__run_no_memory(&w->run);
    if (w->n_entries > 0)
        memcpy(grown, w->entries, w->n_entries * sizeof *grown);
    pickle__heap_free(w->job->alloc, w->entries, w->cap, sizeof *grown);
    w->entries = grown;
    w->cap = cap;
    return true;
}

static bool put_sparse(worker *w, size_t first, const pickle_batch *y)
{
    pickle_batch x;

    if (!pickle__as_csr(&w->run, y, &x) ||
        !reserve_entries(w, (size_t)(x.indptr[x.rows] - x.indptr[0])))
        return false;
    for (size_t i = 0; i < x.rows; i++) {
        for (int64_t k = x.indptr[i]; k < x.indptr[i + 1]; k++)
            w->entries[w->n_entries++] = (entry){ x.indices[k], ((const double *)x.data)[k] };
        w->ends[first - w->first + i] = (int64_t)w->n_entries;
    }
    return true;
}

static bool put(worker *w, size_t first, const pickle_batch *y)
{
    w->width = y->cols;
    if (w->job->width != SIZE_MAX && y->cols != w->job->width)
        return pickle__run_fail(&w->run, PICKLE_ERR_RANGE,
                                "%s gives %zu numbers for a row: there is room for %zu",
                                pickle_method_name(w->job->method), y->cols, w->job->width);
    switch (w->job->kind) {
    case AS_NUMBERS:
        return put_numbers(w, first, y);
    case AS_INDEX:
        put_index(w, first, y);
        return true;
    case AS_CELLS:
        return put_cells(w, first, y);
    case AS_CSR:
        return put_sparse(w, first, y);
    case AS_WIDTH:
        break;
    }
    return true;
}

/* ------------------------------------------------------------------ threads */

static bool run_block(worker *w, size_t first, size_t rows)
{
    const job *j = w->job;
    pickle_batch x = pickle__rows(&j->in, first, rows), y;

    w->run.first_row = first;
    if (j->columns) {
        if (!pickle__columns(&w->run, &x, j->columns, j->m->features, &x))
            return false;
        x.names = j->m->feature_names;
    }
    return pickle__run_method(j->m, j->method, &w->run, &x, &y) && put(w, first, &y);
}

/* No rows are one block, too: it says how wide the result is. */
static void *run_worker(void *arg)
{
    worker *w = arg;
    size_t most = BLOCK_NUMBERS / (w->job->in.cols ? w->job->in.cols : 1), done = 0;
    pickle__pool_mark start = pickle__pool_here(&w->run.pool);

    most = most < LEAST_ROWS ? LEAST_ROWS : most > MOST_ROWS ? MOST_ROWS : most;
    if (w->job->m->together)
        most = w->rows;
    do {
        size_t rows = w->rows - done < most ? w->rows - done : most;

        w->ok = run_block(w, w->first + done, rows);
        pickle__pool_release(&w->run.pool, start);
        done += rows;
    } while (w->ok && done < w->rows);
    pickle__pool_free(&w->run.pool);
    return NULL;
}

static void run_threads(worker *workers, size_t count)
{
    pthread_t threads[MOST_THREADS];
    bool started[MOST_THREADS];

    for (size_t i = 1; i < count; i++)
        started[i] = pthread_create(&threads[i], NULL, run_worker, &workers[i]) == 0;
    run_worker(&workers[0]);
    for (size_t i = 1; i < count; i++) {
        if (started[i])
            pthread_join(threads[i], NULL);
        else
            run_worker(&workers[i]);
    }
}

static bool set_up(const job *j, worker *workers, size_t count, pickle_error *err)
{
    size_t share = j->in.rows / count, rest = j->in.rows % count;

    memset(workers, 0, count * sizeof *workers);
    for (size_t i = 0; i < count; i++) {
        worker *w = &workers[i];

        w->job = j;
        w->first = i * share + (i < rest ? i : rest);
        w->rows = share + (i < rest);
        w->run.pool.alloc = j->alloc;
        w->run.err = &w->err;
        if (j->kind != AS_CSR)
            continue;
        w->ends = pickle__heap_take(j->alloc, w->rows, sizeof *w->ends);
        if (!w->ends)
            return fail(err, PICKLE_ERR_NOMEM, "no memory for the rows of the result");
    }
    return true;
}

/* The workers' rows, one after the other. */
static bool join(const worker *workers, size_t count, pickle_csr *out, pickle_error *err)
{
    const pickle_alloc *alloc = workers->job->alloc;
    size_t rows = workers->job->in.rows, nnz = 0, n = 0, row = 0;

    for (size_t i = 0; i < count; i++)
        nnz += workers[i].n_entries;
    *out = (pickle_csr){ .rows = rows, .cols = workers->width, .alloc = alloc };
    out->indptr = pickle__heap_take(alloc, rows + 1, sizeof *out->indptr);
    if (out->indptr)
        out->indptr[rows] = (int64_t)nnz;
    out->indices = pickle__heap_take(alloc, nnz, sizeof *out->indices);
    out->data = pickle__heap_take(alloc, nnz, sizeof *out->data);
    if (!out->indptr || !out->indices || !out->data) {
        pickle__heap_free(alloc, out->indptr, rows + 1, sizeof *out->indptr);
        pickle__heap_free(alloc, out->indices, nnz, sizeof *out->indices);
        pickle__heap_free(alloc, out->data, nnz, sizeof *out->data);
        return fail(err, PICKLE_ERR_NOMEM, "no memory for a result of %zu elements", nnz);
    }
    out->indptr[0] = 0;
    for (size_t i = 0; i < count; i++) {
        const worker *w = &workers[i];

        for (size_t k = 0; k < w->rows; k++)
            out->indptr[++row] = (int64_t)n + w->ends[k];
        for (size_t k = 0; k < w->n_entries; k++, n++) {
            out->indices[n] = w->entries[k].column;
            out->data[n] = w->entries[k].value;
        }
    }
    return true;
}

/* Split the rows, run, and gather: the width into *width, or a sparse result into `csr`. */
static bool run_job(const job *j, size_t count, size_t *width, pickle_csr *csr, pickle_error *err)
{
    worker *workers = pickle__heap_take(j->alloc, count, sizeof *workers);
    bool ok;

    if (!workers)
        return fail(err, PICKLE_ERR_NOMEM, "no memory for %zu threads", count);
    ok = set_up(j, workers, count, err);
    if (ok)
        run_threads(workers, count);
    for (size_t i = 0; ok && i < count; i++) {
        ok = workers[i].ok;
        if (!ok)
            *err = workers[i].err;
    }
    if (ok && width)
        *width = workers->width;
    if (ok && csr)
        ok = join(workers, count, csr, err);
    for (size_t i = 0; i < count; i++) {
        pickle__heap_free(j->alloc, workers[i].entries, workers[i].cap, sizeof(entry));
        pickle__heap_free(j->alloc, workers[i].ends, workers[i].rows, sizeof(int64_t));
    }
    pickle__heap_free(j->alloc, workers, count, sizeof *workers);
    return ok;
}

/* ---------------------------------------------------------------- arguments */

/* The place of each feature of the model among the names of the batch; `columns` stays NULL where
 * there is nothing to move. */
static bool match_names(job *j, pickle_error *err)
{
    const pickle_model *m = j->m;
    const char *const *names = j->in.names;
    size_t at = 0, tried;

    if (!names || !m->feature_names || j->method == PICKLE_INVERSE_TRANSFORM)
        return true;
    j->columns = pickle__heap_take(j->alloc, m->features, sizeof *j->columns);
    if (!j->columns)
        return fail(err, PICKLE_ERR_NOMEM, "no memory for the names of columns");
    /* Where the search starts at the one after the last, columns in order are found at once. */
    for (size_t k = 0; k < m->features; k++) {
        for (tried = 0; tried < j->in.cols; tried++, at++) {
            if (at >= j->in.cols)
                at = 0;
            if (names[at] && strcmp(names[at], m->feature_names[k]) == 0)
                break;
        }
        if (tried > 0 && tried == j->in.cols && m->spare && m->spare[k]) {
            j->columns[k] = 0; /* any will do: nobody looks */
            continue;
        }
        if (tried == j->in.cols)
            return fail(err, PICKLE_ERR_MISSING, "there is no column '%s'", m->feature_names[k]);
        j->columns[k] = at++;
    }
    return true;
}

static bool check_sparse(const pickle_batch *in, pickle_error *err)
{
    for (size_t i = 0; i < in->rows; i++) {
        if (in->indptr[i] > in->indptr[i + 1] || in->indptr[i] < 0)
            return fail(err, PICKLE_ERR_ARG, "indptr falls at row %zu", i);
        for (int64_t k = in->indptr[i]; k < in->indptr[i + 1]; k++) {
            if (in->indices[k] < 0 || (uint64_t)in->indices[k] >= in->cols)
                return fail(err, PICKLE_ERR_ARG, "row %zu has a column outside of the matrix", i);
        }
    }
    return true;
}

static bool check_model(const pickle_model *m, pickle_method method, pickle_error *err)
{
    const pickle_model *refused = m ? m->refused : NULL;

    if (!m || (unsigned)method >= PICKLE_N_METHODS)
        return fail(err, PICKLE_ERR_ARG, "no model, or no such method");
    if (refused)
        return fail(err, PICKLE_ERR_UNSUPPORTED, "%s%s%s %s", refused->class_name,
                    refused->refused_attribute ? ": " : "",
                    refused->refused_attribute ? refused->refused_attribute : "",
                    refused->refused_reason);
    if (!m->methods[method])
        return fail(err, PICKLE_ERR_MISSING, "%s has no %s", m->class_name,
                    pickle_method_name(method));
    return true;
}

static size_t packed_stride(const pickle_batch *in)
{
    switch (in->kind) {
    case PICKLE_BATCH_F32:
        return in->cols * sizeof(float);
    case PICKLE_BATCH_CELLS:
        return in->cols * sizeof(pickle_cell);
    default:
        return in->cols * sizeof(double);
    }
}

static size_t thread_count(const pickle_run_opts *opts, size_t rows)
{
    size_t count = opts && opts->threads ? opts->threads : 1;

    if (count > MOST_THREADS)
        count = MOST_THREADS;
    if (count > rows)
        count = rows;
    return count ? count : 1;
}

static bool start(const pickle_model *m, pickle_method method, const pickle_batch *in,
                  const pickle_run_opts *opts, result_kind kind, void *to, size_t count,
                  size_t *width, pickle_csr *csr, pickle_error *err)
{
    pickle_error spare;
    job j = { .m = m, .method = method, .kind = kind, .to = to, .width = SIZE_MAX };
    bool ok;

    if (!err)
        err = &spare;
    if (!check_model(m, method, err))
        return false;
    if (!in)
        return fail(err, PICKLE_ERR_ARG, "no batch");
    j.in = *in;
    j.alloc = m->root->pool.alloc;
    if (j.in.stride == 0)
        j.in.stride = packed_stride(in);
    if (j.in.kind == PICKLE_BATCH_CSR && j.in.rows > 0 && !check_sparse(in, err))
        return false;
    if (to && in->rows > 0) {
        j.width = count / in->rows;
        if (count % in->rows != 0)
            return fail(err, PICKLE_ERR_RANGE, "%zu numbers are not the same for %zu rows", count,
                        in->rows);
    }
    ok = match_names(&j, err) &&
         run_job(&j, thread_count(m->together ? NULL : opts, in->rows), width, csr, err);
    pickle__heap_free(j.alloc, j.columns, m->features, sizeof *j.columns);
    return ok;
}

/* ------------------------------------------------------------------- public */

bool pickle_model_width(const pickle_model *m, pickle_method method, size_t cols, size_t *out,
                        pickle_error *err)
{
    pickle_batch none = { .kind = PICKLE_BATCH_F64, .cols = cols };

    return start(m, method, &none, NULL, AS_WIDTH, NULL, 0, out, NULL, err);
}

bool pickle_model_run(const pickle_model *m, pickle_method method, const pickle_batch *in,
                      const pickle_run_opts *opts, double *out, size_t count, pickle_error *err)
{
    return start(m, method, in, opts, AS_NUMBERS, out, count, NULL, NULL, err);
}

bool pickle_model_run_index(const pickle_model *m, const pickle_batch *in,
                            const pickle_run_opts *opts, size_t *out, size_t count,
                            pickle_error *err)
{
    pickle_error spare;

    if (m && !m->refused && !m->classes)
        return fail(err ? err : &spare, PICKLE_ERR_TYPE, "%s is no classifier", m->class_name);
    return start(m, PICKLE_PREDICT, in, opts, AS_INDEX, out, count, NULL, NULL, err);
}

bool pickle_model_run_cells(const pickle_model *m, pickle_method method, const pickle_batch *in,
                            const pickle_run_opts *opts, pickle_cell *out, size_t count,
                            pickle_error *err)
{
    return start(m, method, in, opts, AS_CELLS, out, count, NULL, NULL, err);
}

bool pickle_model_run_csr(const pickle_model *m, pickle_method method, const pickle_batch *in,
                          const pickle_run_opts *opts, pickle_csr *out, pickle_error *err)
{
    return start(m, method, in, opts, AS_CSR, NULL, 0, NULL, out, err);
}

void pickle_csr_free(pickle_csr *csr)
{
    size_t nnz = csr && csr->indptr ? (size_t)csr->indptr[csr->rows] : 0;

    if (!csr)
        return;
    pickle__heap_free(csr->alloc, csr->indices, nnz, sizeof *csr->indices);
    pickle__heap_free(csr->alloc, csr->data, nnz, sizeof *csr->data);
    pickle__heap_free(csr->alloc, csr->indptr, csr->rows + 1, sizeof *csr->indptr);
    memset(csr, 0, sizeof *csr);
}
