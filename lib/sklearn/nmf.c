/* nmf.c - rows as sums of parts that are not negative: NMF, by coordinate descent. */
#include "sklearn/estimator.h"
#include "sklearn/numeric.h"

#include <math.h>
#include <string.h>

typedef struct factorization {
    size_t count, n;
    const double *parts;    /* components_ */
    const double *products; /* parts @ parts.T, and what is added to its diagonal */
    double less;            /* of each row @ part, by the L1 penalty */
    double tolerance;
    int64_t most; /* steps */
} factorization;

/* One step for all rows of W, a part after the other; by how much they were off. */
static double descend(const factorization *s, const double *targets, size_t rows, double *w)
{
    double violation = 0;

    for (size_t t = 0; t < s->count; t++) {
        const double *products = s->products + t * s->count;
        double hessian = products[t];

        for (size_t i = 0; i < rows; i++) {
            double *row = w + i * s->count, gradient = -targets[i * s->count + t];

            for (size_t k = 0; k < s->count; k++)
                gradient += products[k] * row[k];
            violation += fabs(row[t] == 0 ? fmin(0, gradient) : gradient);
            if (hessian != 0)
                row[t] = fmax(row[t] - gradient / hessian, 0);
        }
    }
    return violation;
}

static bool all_positive(pickle__run *r, const pickle_batch *x, const char *name)
{
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++) {
            if (pickle__row(x, i)[j] < 0)
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is negative, which %s refuses",
                                        r->first_row + i, j, name);
        }
    }
    return true;
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const factorization *s = m->state;
    double *targets = pickle__take(r, x->rows * s->count, sizeof *targets), *w, first = 0;
    pickle_batch dense;

    if (!targets || !pickle__as_f64(r, x, &dense) || !all_positive(r, &dense, m->class_name))
        return false;
    w = pickle__new_f64(r, y, x->rows, s->count);
    if (!w)
        return false;
    if (x->rows > 0)
        memset(w, 0, x->rows * s->count * sizeof *w);
    pickle__products(dense.data, dense.stride, x->rows, s->n, s->parts, s->count, NULL, targets);
    for (size_t i = 0; i < x->rows * s->count; i++)
        targets[i] -= s->less;
    for (int64_t step = 0; step < s->most; step++) {
        double violation = descend(s, targets, x->rows, w);

        if (step == 0)
            first = violation;
        if (first == 0 || violation / first <= s->tolerance)
            break;
    }
    return true;
}

/* ------------------------------------------------------------------ opening */

/* How strong the penalty of W is. */
static double penalty(pickle__opener *o, size_t features)
{
    double alpha = 0;

    if (o->version >= PICKLE__SKLEARN(1, 2, 0) || pickle__number(o, "alpha_W", 0) != 0)
        return pickle__number(o, "alpha_W", 0) *
               (o->version >= PICKLE__SKLEARN(1, 0, 0) ? (double)features : 1);
    if (pickle__attr(o, "alpha") && pickle_kind_of(pickle__attr(o, "alpha")) != PICKLE_STR)
        alpha = pickle__number(o, "alpha", 0);
    if (o->version >= PICKLE__SKLEARN(0, 24, 0) &&
        pickle_str_is(pickle__attr(o, "regularization"), "components"))
        return 0;
    return alpha;
}

static void open_products(pickle__opener *o, factorization *s, double l2)
{
    double *products = pickle__keep(o, s->count * s->count, sizeof *products);

    for (size_t t = 0; products && t < s->count; t++)
        pickle__products(s->parts + t * s->n, s->n * sizeof *s->parts, 1, s->n, s->parts, s->count,
                         NULL, products + t * s->count);
    for (size_t t = 0; products && t < s->count; t++)
        products[t * s->count + t] += l2;
    s->products = products;
}

static void open_factorization(pickle__opener *o)
{
    factorization *s = pickle__state(o, sizeof *s);
    pickle__matrix parts = pickle__need_numbers(o, "components_");
    double alpha, l1 = pickle__number(o, "l1_ratio", 0);

    pickle__choice(o, "solver", 0, "cd", NULL);
    if (pickle__flag(o, "shuffle", false))
        pickle__unsupported(o, "shuffle", "is at random");
    s->tolerance = pickle__number(o, "tol", 1e-4);
    s->most = pickle__integer(o, "max_iter", 200);
    if (!pickle__ok(o))
        return;
    if (parts.ndim != 2 || parts.rows == 0 || parts.cols == 0 || parts.rows > 1024) {
        pickle__unsupported(o, "components_", "are no table of parts that is done here");
        return;
    }
    if (parts.f32)
        pickle__unsupported(o, "components_", "are of float32");
    if (s->most > 10000)
        pickle__unsupported(o, "max_iter", "is more than is done here");
    s->count = parts.rows;
    s->n = parts.cols;
    s->parts = parts.data;
    alpha = penalty(o, s->n);
    s->less = alpha * l1;
    open_products(o, s, alpha * (1 - l1));
    o->model->features = s->n;
    o->model->takes = PICKLE__F64 | PICKLE__CSR;
    o->model->together = true; /* it ends when all rows are near enough */
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

const pickle__estimator pickle__nmf_estimators[] = {
    { "decomposition", "NMF", open_factorization },
    { NULL, NULL, NULL },
};
