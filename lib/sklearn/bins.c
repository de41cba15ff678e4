/* bins.c - numbers as the intervals they are in: KBinsDiscretizer. */
#include "sklearn/estimator.h"

#include <math.h>

typedef struct column {
    size_t bins;
    const double *edges; /* bins + 1 */
} column;

typedef struct discretizer {
    size_t n;
    const column *columns;
    bool nudged;           /* a little is added before */
    pickle_model *encoder; /* NULL: the bins are the answer */
} discretizer;

/* A number near an edge, as numpy.isclose has it, is taken for the edge. */
static double nudge(double x, bool f32)
{
    float narrow = 1e-8f + 1e-5f * fabsf((float)x);

    return f32 ? (double)((float)x + narrow) : x + (1e-8 + 1e-5 * fabs(x));
}

/* How many inner edges are at most x: the last one is where it ends. */
static size_t find_bin(const column *c, double x)
{
    size_t low = 1, high = c->bins;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c->edges[middle] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const discretizer *s = m->state;
    bool f32 = x->kind == PICKLE_BATCH_F32;
    pickle_batch wide, bins;
    double *out;

    if (!pickle__as_f64(r, x, &wide))
        return false;
    out = pickle__new_f64(r, &bins, x->rows, s->n);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(&wide, i);

        for (size_t j = 0; j < s->n; j++)
            *out++ = (double)find_bin(&s->columns[j], s->nudged ? nudge(row[j], f32) : row[j]);
    }
    if (out && s->encoder)
        return pickle__run_method(s->encoder, PICKLE_TRANSFORM, r, &bins, y);
    *y = bins;
    return out != NULL;
}

static bool inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const discretizer *s = m->state;
    pickle_batch bins = *x;
    double *out;

    if ((s->encoder && !pickle__run_method(s->encoder, PICKLE_INVERSE_TRANSFORM, r, x, &bins)) ||
        !pickle__as_f64(r, &bins, &bins) || !pickle__check_input(m, r, &bins, s->n))
        return false;
    out = pickle__new_f64(r, y, bins.rows, s->n);
    for (size_t i = 0; out && i < bins.rows; i++) {
        const double *row = pickle__row(&bins, i);

        for (size_t j = 0; j < s->n; j++) {
            const column *c = &s->columns[j];

            if (!(row[j] > -1 && row[j] < (double)c->bins))
                return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu, column %zu is no bin",
                                        r->first_row + i, j);
            *out++ = (c->edges[(size_t)row[j] + 1] + c->edges[(size_t)row[j]]) * 0.5;
        }
    }
    return out != NULL;
}

/* ------------------------------------------------------------------ opening */

static void open_columns(pickle__opener *o, discretizer *s)
{
    const pickle_val *edges = pickle__items(o, "bin_edges_", pickle__need(o, "bin_edges_"), &s->n);
    const double *bins = pickle__need_row(o, "n_bins_", s->n);
    column *columns = pickle__keep(o, s->n, sizeof *columns);

    for (size_t j = 0; bins && columns && pickle__ok(o) && j < s->n; j++) {
        pickle__matrix m = pickle__numbers_of(o, "bin_edges_", pickle_at(edges, j));

        if (!pickle__ok(o))
            return;
        if (m.rows * m.cols < 2 || (double)(m.rows * m.cols - 1) != bins[j])
            pickle__bad(o, "bin_edges_", "are not one more than the bins");
        columns[j] = (column){ m.rows * m.cols - 1, m.data };
    }
    s->columns = columns;
}

static void open_discretizer(pickle__opener *o)
{
    discretizer *s = pickle__state(o, sizeof *s);
    int encode = pickle__choice(o, "encode", 0, "onehot", "onehot-dense", "ordinal", NULL);
    pickle_dtype dtype;

    open_columns(o, s);
    s->nudged = o->version < PICKLE__SKLEARN(1, 1, 0);
    o->model->features = s->n;
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    if (o->version >= PICKLE__SKLEARN(0, 24, 0) && pickle__attr(o, "dtype")) {
        if (!pickle_get_dtype(pickle__attr(o, "dtype"), &dtype))
            pickle__unsupported(o, "dtype", "is no type that is known here");
        else
            o->model->takes = dtype.itemsize == 4 ? PICKLE__F32 : PICKLE__F64;
    }
    if (encode != 2 && pickle__ok(o)) {
        s->encoder = pickle__open_part(o, "_encoder", 0, pickle__need(o, "_encoder"));
        o->model->inverse = s->encoder->inverse;
    }
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, inverse);
}

const pickle__estimator pickle__bins_estimators[] = {
    { "preprocessing", "KBinsDiscretizer", open_discretizer },
    { NULL, NULL, NULL },
};
