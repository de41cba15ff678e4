/* polynomial.c - products of features: PolynomialFeatures. */
#include "sklearn/estimator.h"

#include <string.h>

#define MOST_DEGREE  255
#define MOST_OUTPUTS ((size_t)1 << 22)

typedef struct polynomial {
    size_t n, least, most; /* features; degrees, the bias aside */
    bool bias, distinct;   /* distinct: interaction_only */
    bool backwards;        /* the last feature of a product is the first factor */
    size_t skipped;        /* products of lower degrees than the least */
    size_t outputs;
    const size_t *totals; /* n + 1 for each degree: products of that many features */
} polynomial;

static size_t total(const polynomial *s, size_t degree, size_t features)
{
    return s->totals[degree * (s->n + 1) + features];
}

/* ---------------------------------------------------------- the last factor */

/* Products of one row, or of what is not zero in it, in the order of itertools.combinations. */
typedef struct walk {
    const polynomial *s;
    const double *x;
    const int64_t *places; /* the features of x; NULL: it has all */
    size_t count;
    bool f32;
    double *out;
    int64_t *columns; /* of `out`, with places */
    size_t at[MOST_DEGREE + 1];
    size_t chosen[MOST_DEGREE];
} walk;

/* How many products of this degree, and of lower ones that are kept, come before. */
static size_t column_of(const walk *w, size_t degree)
{
    const polynomial *s = w->s;
    size_t column = s->bias, left = s->n, first = 0;

    for (size_t d = s->least; d < degree; d++)
        column += total(s, d, s->n);
    for (size_t i = 0; i < degree; i++) {
        size_t skipped = w->chosen[i] - first;

        column += total(s, degree - i, left) - total(s, degree - i, left - skipped);
        first += skipped + s->distinct;
        left -= skipped + s->distinct;
    }
    return column;
}

static void multiply(walk *w, double product, size_t from, size_t degree)
{
    for (size_t i = from; i < w->count; i++) {
        double p = degree > 1 ? product * w->x[i] : w->x[i];

        if (w->f32)
            p = (double)(float)p;
        if (degree >= w->s->least) {
            size_t at = w->at[degree]++;

            w->out[at] = p;
            if (w->places) {
                w->chosen[degree - 1] = (size_t)w->places[i];
                w->columns[at] = (int64_t)column_of(w, degree);
            }
        } else if (w->places) {
            w->chosen[degree - 1] = (size_t)w->places[i];
        }
        if (degree < w->s->most)
            multiply(w, p, i + w->s->distinct, degree + 1);
    }
}

/* All products, from `out` on; how many they are. */
static size_t multiply_all(walk *w)
{
    size_t n = 0;

    if (w->s->bias) {
        w->out[n] = 1;
        if (w->columns)
            w->columns[n] = 0;
        n++;
    }
    for (size_t d = w->s->least; d <= w->s->most; d++) {
        w->at[d] = n;
        n += total(w->s, d, w->count);
    }
    if (w->s->most > 0)
        multiply(w, 1, 0, 1);
    return n;
}

/* --------------------------------------------------------- the first factor */

/* Each degree is the one before, from where a feature's products start, times that feature. */
static void multiply_runs(const polynomial *s, const double *x, bool f32, size_t *starts,
                          double *out)
{
    size_t at = s->n;

    memcpy(out, x, s->n * sizeof *out);
    for (size_t j = 0; j <= s->n; j++)
        starts[j] = j;
    for (size_t degree = 2; degree <= s->most; degree++) {
        size_t end = at;

        for (size_t j = 0; j < s->n; j++) {
            size_t first = starts[j + s->distinct];

            starts[j] = at;
            for (size_t i = first; i < end; i++, at++)
                out[at] = f32 ? (double)(float)(out[i] * x[j]) : out[i] * x[j];
        }
        starts[s->n] = at;
    }
}

/* ---------------------------------------------------------------- transform */

static bool expand_dense(const polynomial *s, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    bool f32 = x->kind == PICKLE_BATCH_F32;
    double *products = pickle__take(r, s->skipped + s->outputs + s->n, sizeof *products);
    size_t *starts = pickle__take(r, s->n + 1, sizeof *starts);
    walk *w = pickle__take(r, 1, sizeof *w);
    pickle_batch wide;
    double *out;

    if (!products || !starts || !w || !pickle__as_f64(r, x, &wide))
        return false;
    out = pickle__new_f64(r, y, x->rows, s->outputs);
    for (size_t i = 0; out && i < x->rows; i++, out += s->outputs) {
        const double *row = pickle__row(&wide, i);

        if (s->backwards) {
            multiply_runs(s, row, f32, starts, products);
            memcpy(out + s->bias, products + s->skipped, (s->outputs - s->bias) * sizeof *products);
            if (s->bias)
                out[0] = 1;
        } else {
            *w = (walk){ .s = s, .x = row, .count = s->n, .f32 = f32, .out = out };
            multiply_all(w);
        }
    }
    return out && (!f32 || pickle__as_f32(r, y, y));
}

/* The elements of a row by their columns, of which scikit-learn expects that they rise. */
static bool rises(const pickle_batch *x, size_t row)
{
    for (int64_t k = x->indptr[row] + 1; k < x->indptr[row + 1]; k++) {
        if (x->indices[k - 1] >= x->indices[k])
            return false;
    }
    return true;
}

static bool count_sparse(const polynomial *s, pickle__run *r, const pickle_batch *x, size_t *nnz)
{
    *nnz = 0;
    for (size_t i = 0; i < x->rows; i++) {
        if (!rises(x, i))
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu has columns that do not rise",
                                    r->first_row + i);
        *nnz += s->bias;
        for (size_t d = s->least; d <= s->most; d++)
            *nnz += total(s, d, (size_t)(x->indptr[i + 1] - x->indptr[i]));
    }
    return true;
}

static bool expand_sparse(const polynomial *s, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    walk *w = pickle__take(r, 1, sizeof *w);
    size_t nnz, at = 0;
    pickle__csr to;

    if (!w || !count_sparse(s, r, x, &nnz))
        return false;
    to = pickle__new_csr(r, y, x->rows, s->outputs, nnz);
    if (!to.data)
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        int64_t first = x->indptr[i];

        *w = (walk){ .s = s,
                     .x = (const double *)x->data + first,
                     .places = x->indices + first,
                     .count = (size_t)(x->indptr[i + 1] - first),
                     .out = to.data + at,
                     .columns = to.indices + at };
        at += multiply_all(w);
        to.indptr[i + 1] = (int64_t)at;
    }
    return true;
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const polynomial *s = m->state;

    return x->kind == PICKLE_BATCH_CSR ? expand_sparse(s, r, x, y) : expand_dense(s, r, x, y);
}

/* ------------------------------------------------------------------ opening */

static void open_degrees(pickle__opener *o, polynomial *s)
{
    const pickle_val *degree = pickle__need(o, "degree");
    bool pair = pickle_kind_of(degree) == PICKLE_TUPLE || pickle_kind_of(degree) == PICKLE_LIST;
    int64_t least = 0, most;

    if (o->version >= PICKLE__SKLEARN(1, 0, 0)) {
        least = pickle__integer(o, "_min_degree", 0);
        most = pickle__integer(o, "_max_degree", -1);
    } else if (pair) {
        pickle__unsupported(o, "degree", "is of another version than the file says");
        return;
    } else {
        most = pickle__integer(o, "degree", 2);
    }
    if (least < 0 || most < least)
        pickle__bad(o, "degree", "is no range of degrees");
    else if (most > MOST_DEGREE)
        pickle__unsupported(o, "degree", "is higher than what is done here");
    else if (most == 0 && o->version < PICKLE__SKLEARN(1, 1, 0))
        pickle__unsupported(o, "degree", "is 0, which failed in some ways then");
    if (!pickle__ok(o))
        return;
    s->least = least < 1 ? 1 : (size_t)least;
    s->most = (size_t)most;
}

/* With a feature more, there are those products without it, and those with it at least once. */
static void open_totals(pickle__opener *o, polynomial *s)
{
    size_t row = s->n + 1, *totals = pickle__keep(o, (s->most + 1) * row, sizeof *totals);

    if (!totals)
        return;
    for (size_t m = 0; m < row; m++)
        totals[m] = 1;
    for (size_t d = 1; d <= s->most; d++) {
        for (size_t m = 1; m < row; m++) {
            size_t sum = totals[d * row + m - 1] + totals[(d - 1) * row + m - s->distinct];

            totals[d * row + m] = sum < MOST_OUTPUTS ? sum : MOST_OUTPUTS;
        }
    }
    s->totals = totals;
}

static void open_polynomial(pickle__opener *o)
{
    polynomial *s = pickle__state(o, sizeof *s);
    bool old = o->version < PICKLE__SKLEARN(1, 0, 0);
    int64_t n = pickle__integer(o, old ? "n_input_features_" : "n_features_in_", -1);
    int64_t outputs = pickle__integer(o, "n_output_features_", -1);

    s->bias = pickle__flag(o, "include_bias", true);
    s->distinct = pickle__flag(o, "interaction_only", false);
    s->backwards = o->version >= PICKLE__SKLEARN(0, 22, 0);
    open_degrees(o, s);
    if (n < 1 || outputs < 0)
        pickle__unsupported(o, "n_output_features_", "is missing: not fitted?");
    else if ((size_t)n >= MOST_OUTPUTS || (size_t)outputs >= MOST_OUTPUTS)
        pickle__unsupported(o, "n_output_features_", "is more than what is done here");
    if (!pickle__ok(o))
        return;
    s->n = (size_t)n;
    open_totals(o, s);
    if (!pickle__ok(o))
        return;
    s->outputs = s->bias;
    for (size_t d = 1; d <= s->most && s->outputs < MOST_OUTPUTS; d++) {
        if (d < s->least)
            s->skipped += total(s, d, s->n);
        else
            s->outputs += total(s, d, s->n);
    }
    if (s->skipped >= MOST_OUTPUTS)
        pickle__unsupported(o, "degree", "is higher than what is done here");
    else if (s->outputs != (size_t)outputs)
        pickle__bad(o, "n_output_features_", "is another number than there are products");
    o->model->features = s->n;
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    if (o->version >= PICKLE__SKLEARN(0, 20, 0))
        o->model->takes |= PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

const pickle__estimator pickle__polynomial_estimators[] = {
    { "preprocessing", "PolynomialFeatures", open_polynomial },
    { NULL, NULL, NULL },
};
