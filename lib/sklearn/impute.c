/* impute.c - what is missing: marked, or replaced by what was learned of its column. */
#include "sklearn/estimator.h"
#include "sklearn/impute.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ what's missing */

static bool missing_f64(const missing *s, double x)
{
    return s->nan ? isnan(x) : x == s->number;
}

static bool missing_f32(const missing *s, float x)
{
    return s->nan ? isnan(x) : (double)x == s->number;
}

static bool missing_cell(const missing *s, const pickle_cell *x)
{
    if (s->nan)
        return x->kind == PICKLE_CELL_FLOAT && isnan(x->as.f);
    return pickle__cell_equal(x, &s->value);
}

bool pickle__is_missing(const missing *s, const pickle_batch *x, size_t i, size_t j)
{
    switch (x->kind) {
    case PICKLE_BATCH_F32:
        return missing_f32(s, pickle__row_f32(x, i)[j]);
    case PICKLE_BATCH_CELLS:
        return missing_cell(s, &pickle__row_cells(x, i)[j]);
    default:
        return missing_f64(s, pickle__row(x, i)[j]);
    }
}

/* missing_values: NaN, a number, text or None. Imputer of 0.21 and before has NaN as text. */
void pickle__open_missing(pickle__opener *o, missing *s, bool nan_as_text)
{
    const pickle_val *v = pickle_attr(o->object, "missing_values");

    if (nan_as_text && pickle_str_is(v, "NaN")) {
        s->nan = s->is_number = true;
        return;
    }
    if (pickle_kind_of(v) == PICKLE_MISSING || !pickle__cell_of(o, v, &s->value)) {
        pickle__unsupported(o, "missing_values", "is of a kind that is not known here");
        return;
    }
    s->is_number = pickle__cell_number(&s->value, &s->number);
    s->nan = s->is_number && isnan(s->number);
}

/* numpy refuses to look for text among numbers, and scikit-learn for NaN where it is not missing.
 */
bool pickle__check_missing(const pickle_model *m, const missing *s, pickle__run *r,
                           const pickle_batch *x)
{
    if (x->kind != PICKLE_BATCH_CELLS && !s->is_number)
        return pickle__run_fail(r, PICKLE_ERR_TYPE, "%s looks for what is no number among numbers",
                                m->class_name);
    if (x->kind != PICKLE_BATCH_CELLS || s->nan || m->version < PICKLE__SKLEARN(0, 21, 0))
        return true;
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++) {
            const pickle_cell *cell = &pickle__row_cells(x, i)[j];

            if (cell->kind == PICKLE_CELL_FLOAT && isnan(cell->as.f))
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is NaN, which %s refuses",
                                        r->first_row + i, j, m->class_name);
        }
    }
    return true;
}

/* --------------------------------------------------------- MissingIndicator */

static bool mark_dense(const indicator *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    double *out = pickle__new_f64(r, y, x->rows, s->count);

    y->integers = true;
    for (size_t i = 0; out && i < x->rows; i++) {
        for (size_t k = 0; k < s->count; k++)
            *out++ = pickle__is_missing(&s->missing, x, i, s->features[k]);
    }
    return out != NULL;
}

/* Places of the features among the marked ones, from 1; 0: not marked. */
static bool mark_sparse(const indicator *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const double *data = x->data;
    size_t nnz = x->rows ? (size_t)(x->indptr[x->rows] - x->indptr[0]) : 0;
    pickle__csr to = pickle__new_csr(r, y, x->rows, s->count, nnz);
    int64_t n = 0;

    if (!to.data)
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            size_t place = s->places[x->indices[k]];

            if (place > 0 && missing_f64(&s->missing, data[k])) {
                to.indices[n] = (int64_t)place - 1;
                to.data[n++] = 1;
            }
        }
        to.indptr[i + 1] = n;
    }
    return true;
}

/* A column that had nothing missing when it was fitted has now. */
static bool refuse_new(pickle__run *r, size_t row, size_t column)
{
    return pickle__run_fail(r, PICKLE_ERR_VALUE,
                            "row %zu misses column %zu, which never was when it was fitted",
                            r->first_row + row, column);
}

static bool check_new(const indicator *s, pickle__run *r, const pickle_batch *x)
{
    for (size_t i = 0; x->kind == PICKLE_BATCH_CSR && i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            if (!s->places[x->indices[k]] && missing_f64(&s->missing, ((const double *)x->data)[k]))
                return refuse_new(r, i, (size_t)x->indices[k]);
        }
    }
    for (size_t i = 0; x->kind != PICKLE_BATCH_CSR && i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++) {
            if (!s->places[j] && pickle__is_missing(&s->missing, x, i, j))
                return refuse_new(r, i, j);
        }
    }
    return true;
}

static bool indicator_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                                pickle_batch *y)
{
    const indicator *s = m->state;

    if (!pickle__check_missing(m, &s->missing, r, x) || (s->error_on_new && !check_new(s, r, x)))
        return false;
    if (x->kind != PICKLE_BATCH_CSR)
        return mark_dense(s, r, x, y);
    if (!s->missing.nan && s->missing.number == 0)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "0 can't be missing in a sparse matrix");
    return mark_sparse(s, r, x, y);
}

/* features_ are the columns with something missing when it was fitted, or all. */
static void find_marked(pickle__opener *o, indicator *s, bool all)
{
    size_t n = 0;
    const int64_t *features = pickle__need_integers(o, "features_", &n);
    int64_t columns = pickle__integer(o, "_n_features", 0);

    if (!pickle__ok(o))
        return;
    if (columns <= 0 || columns > INT32_MAX || n > (size_t)columns) {
        pickle__bad(o, "_n_features", "is no number of columns");
        return;
    }
    if (n == 0 && o->version < PICKLE__SKLEARN(0, 21, 0))
        all = true;
    s->count = all ? (size_t)columns : n;
    s->features = pickle__keep(o, s->count, sizeof *s->features);
    s->places = pickle__keep(o, (size_t)columns, sizeof *s->places);
    for (size_t k = 0; s->features && s->places && k < s->count; k++) {
        int64_t j = all ? (int64_t)k : features[k];

        if (j < 0 || j >= columns) {
            pickle__bad(o, "features_", "has a column that is not there");
            return;
        }
        s->features[k] = (size_t)j;
        s->places[j] = k + 1;
    }
    o->model->features = (size_t)columns;
}

static void open_indicator(pickle__opener *o)
{
    indicator *s = pickle__state(o, sizeof *s);
    bool all = pickle__choice(o, "features", 0, "missing-only", "all", NULL) == 1;

    pickle__open_missing(o, &s->missing, false);
    s->error_on_new = !all && pickle__flag(o, "error_on_new", true);
    find_marked(o, s, all);
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR | PICKLE__CELLS;
    o->model->numbers = s->missing.nan ? PICKLE__OR_NAN : PICKLE__FINITE;
    pickle__method_is(o, PICKLE_TRANSFORM, indicator_transform);
}

/* The indicator of an imputer, which marks what it found missing itself. */
const indicator *pickle__open_imputers_indicator(pickle__opener *o, size_t columns)
{
    pickle_model *m;

    if (!pickle__flag(o, "add_indicator", false))
        return NULL;
    m = pickle__open_part(o, "indicator_", 0, pickle__need(o, "indicator_"));
    if (!pickle__ok(o) || m->refused_reason)
        return NULL;
    if (m->methods[PICKLE_TRANSFORM] != indicator_transform)
        pickle__unsupported(o, "indicator_", "is no MissingIndicator");
    else if (m->features != columns)
        pickle__bad(o, "indicator_", "has another number of columns");
    return pickle__ok(o) ? m->state : NULL;
}

/* ------------------------------------------------------------ SimpleImputer */

typedef struct imputer {
    missing missing;
    size_t count; /* columns that are kept, and which */
    size_t *kept;
    const pickle_cell *cells;   /* of each that is kept: what takes its place */
    const double *numbers;      /* likewise, if all are numbers; NULL: they are not */
    const indicator *indicator; /* NULL: none */
    bool zeros_fill;            /* a sparse matrix where 0 is missing becomes a dense one */
    bool no_whole;              /* what is learned can't stand in an array of whole numbers */
} imputer;

static bool impute_sparse(const imputer *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const double *data;
    double *out;
    size_t first, last;

    if (!pickle__columns(r, x, s->kept, s->count, y))
        return false;
    data = y->data;
    first = y->rows ? (size_t)y->indptr[0] : 0;
    last = y->rows ? (size_t)y->indptr[y->rows] : 0;
    out = pickle__take(r, last, sizeof *out);
    y->data = out;
    for (size_t k = first; out && k < last; k++)
        out[k] = missing_f64(&s->missing, data[k]) ? s->numbers[y->indices[k]] : data[k];
    return out != NULL;
}

static bool impute_cells(const imputer *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_cell *out = pickle__new_cells(r, y, x->rows, s->count);

    for (size_t i = 0; out && i < x->rows; i++) {
        const pickle_cell *row = pickle__row_cells(x, i);

        for (size_t k = 0; k < s->count; k++) {
            const pickle_cell *cell = &row[s->kept[k]];

            *out++ = missing_cell(&s->missing, cell) ? s->cells[k] : *cell;
        }
    }
    return out != NULL;
}

static bool impute_dense(const imputer *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    if (x->kind == PICKLE_BATCH_CELLS)
        return impute_cells(s, r, x, y);
    if (x->kind == PICKLE_BATCH_F32) {
        float *out = pickle__new_f32(r, y, x->rows, s->count);

        for (size_t i = 0; out && i < x->rows; i++) {
            const float *row = pickle__row_f32(x, i);

            for (size_t k = 0; k < s->count; k++) {
                float v = row[s->kept[k]];

                *out++ = missing_f32(&s->missing, v) ? (float)s->numbers[k] : v;
            }
        }
    } else {
        double *out = pickle__new_f64(r, y, x->rows, s->count);

        for (size_t i = 0; out && i < x->rows; i++) {
            const double *row = pickle__row(x, i);

            for (size_t k = 0; k < s->count; k++) {
                double v = row[s->kept[k]];

                *out++ = missing_f64(&s->missing, v) ? s->numbers[k] : v;
            }
        }
    }
    return y->data != NULL;
}

/* What was imputed, and beside it what was missing. */
bool pickle__beside_indicator(const indicator *s, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    pickle_batch parts[2] = { *y };
    bool sparse = x->kind == PICKLE_BATCH_CSR && y->kind == PICKLE_BATCH_CSR;

    if (!s)
        return true;
    if (!(sparse ? mark_sparse(s, r, x, &parts[1]) : mark_dense(s, r, x, &parts[1])))
        return false;
    if (y->kind == PICKLE_BATCH_F32 && !pickle__as_f32(r, &parts[1], &parts[1]))
        return false;
    return pickle__hstack(r, parts, 2, sparse, y);
}

static bool impute(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const imputer *s = m->state;
    pickle_batch dense, cells;

    if (!pickle__check_missing(m, &s->missing, r, x))
        return false;
    if (s->no_whole && x->integers && x->kind != PICKLE_BATCH_CELLS)
        return pickle__run_fail(r, PICKLE_ERR_TYPE, "X is of another type than what %s learned",
                                m->class_name);
    /* Text in the place of a number is an error. */
    if (!s->numbers && x->kind != PICKLE_BATCH_CELLS)
        return pickle__as_cells(r, x, &cells) && impute_cells(s, r, &cells, y) &&
               pickle__as_f64(r, y, y) && pickle__beside_indicator(s->indicator, r, x, y);
    if (x->kind != PICKLE_BATCH_CSR)
        return impute_dense(s, r, x, y) && pickle__beside_indicator(s->indicator, r, x, y);
    if (s->missing.nan || s->missing.number != 0)
        return impute_sparse(s, r, x, y) && pickle__beside_indicator(s->indicator, r, x, y);
    if (!s->zeros_fill)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "0 can't be missing in a sparse matrix");
    return pickle__as_f64(r, x, &dense) && impute_dense(s, r, &dense, y);
}

/* Since 1.8 what is learned is brought to the type that it was learned from. */
static double as_fitted(pickle__opener *o, double number)
{
    const pickle_val *v = pickle__attr(o, "_fill_dtype");
    pickle_dtype dtype;

    if (o->version < PICKLE__SKLEARN(1, 8, 0) || !pickle_get_dtype(v, &dtype))
        return number;
    if (dtype.kind == 'i' || dtype.kind == 'u')
        return trunc(number);
    return dtype.kind == 'f' && dtype.itemsize == 4 ? (double)(float)number : number;
}

/* Since 1.4.1 a constant has to fit into the type of X. */
static bool never_whole(const pickle__opener *o)
{
    const pickle_val *v = pickle__attr(o, "_fill_dtype"),
                     *statistics = pickle__attr(o, "statistics_");
    pickle_dtype dtype = { 0 };
    pickle_array a;

    if (o->version < PICKLE__SKLEARN(1, 4, 1))
        return false;
    if (pickle_get_dtype(v, &dtype))
        return dtype.kind == 'f';
    return pickle_get_array(statistics, &a) && a.dtype.kind == 'f';
}

/* Columns whose statistic is NaN had nothing but missing values, and go. */
static void find_statistics(pickle__opener *o, imputer *s, bool keep_all)
{
    pickle__labels all = pickle__labels_of(o, "statistics_", pickle__need(o, "statistics_"));
    pickle_cell *cells = pickle__keep(o, all.count, sizeof *cells);
    double *numbers = pickle__keep(o, all.count, sizeof *numbers);
    bool only_numbers = true;

    s->kept = pickle__keep(o, all.count, sizeof *s->kept);
    if (!cells || !numbers || !s->kept || !pickle__ok(o))
        return;
    for (size_t j = 0; j < all.count; j++) {
        bool empty = all.cells[j].kind == PICKLE_CELL_FLOAT && isnan(all.cells[j].as.f);
        double number = 0;

        if (empty && !keep_all)
            continue;
        if (!pickle__cell_number(&all.cells[j], &number))
            only_numbers = false;
        s->kept[s->count] = j;
        cells[s->count] = all.cells[j];
        numbers[s->count++] = as_fitted(o, number);
    }
    if (all.count == 0)
        pickle__bad(o, "statistics_", "is empty");
    s->cells = cells;
    s->numbers = only_numbers ? numbers : NULL;
    o->model->features = all.count;
}

static void open_simple_imputer(pickle__opener *o)
{
    imputer *s = pickle__state(o, sizeof *s);
    enum { MEAN, MEDIAN, MOST_FREQUENT, CONSTANT, CALLABLE };
    const pickle_val *strategy = pickle__attr(o, "strategy");
    int how;

    if (pickle_kind_of(strategy) != PICKLE_STR)
        /* It made the statistics, and is not asked again. */
        how = o->version >= PICKLE__SKLEARN(1, 5, 0) && strategy ? CALLABLE : -1;
    else
        how = pickle__choice(o, "strategy", MEAN, "mean", "median", "most_frequent", "constant",
                             NULL);
    if (how < 0)
        pickle__unsupported(o, "strategy", "has a value that is not known here");
    pickle__open_missing(o, &s->missing, false);
    find_statistics(o, s,
                    pickle__flag(o, "keep_empty_features", false) ||
                        (how == CONSTANT && o->version < PICKLE__SKLEARN(1, 8, 0)));
    s->no_whole = how == CONSTANT && never_whole(o);
    s->indicator = pickle__open_imputers_indicator(o, o->model->features);
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    if (how == MOST_FREQUENT || how == CONSTANT)
        o->model->takes |= PICKLE__CELLS;
    /* Numbers become objects where it learned objects. */
    if (!s->numbers && o->version >= PICKLE__SKLEARN(1, 1, 0))
        o->model->takes = PICKLE__CELLS;
    o->model->numbers = s->missing.nan ? PICKLE__OR_NAN : PICKLE__FINITE;
    pickle__method_is(o, PICKLE_TRANSFORM, impute);
}

/* SimpleImputer's predecessor. */
static void open_imputer(pickle__opener *o)
{
    imputer *s = pickle__state(o, sizeof *s);

    if (pickle__integer(o, "axis", 0) != 0)
        pickle__unsupported(o, "axis", "is 1: rows by rows is not known here");
    pickle__open_missing(o, &s->missing, true);
    find_statistics(o, s, false);
    s->zeros_fill = true;
    if (pickle__ok(o) && !s->numbers)
        pickle__bad(o, "statistics_", "has what is no number");
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    o->model->numbers = PICKLE__ANY_NUMBER;
    pickle__method_is(o, PICKLE_TRANSFORM, impute);
}

const pickle__estimator pickle__impute_estimators[] = {
    { "impute", "SimpleImputer", open_simple_imputer },
    { "impute", "MissingIndicator", open_indicator },
    { "preprocessing", "Imputer", open_imputer },
    { NULL, NULL, NULL },
};
