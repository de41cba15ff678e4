/* mixture.c - mixtures of Gaussians, fitted or Bayesian. */
#include "sklearn/estimator.h"
#include "sklearn/numeric.h"

#include <math.h>

typedef enum covariance { FULL, TIED, DIAGONAL, SPHERICAL } covariance;

/*
 * Of each component: the logarithm of its density is constant - distance / 2. The distance is the
 * square of (x - mean) @ roots for full matrices, and of the others
 * centre - 2 * x @ weights + x ** 2 @ precisions.
 */
typedef struct mixture {
    size_t count, n;
    covariance kind;
    const double *roots;      /* n rows for each component, or for all: a row for each output */
    const double *centers;    /* mean @ roots, or one number for each component               */
    const double *weights;    /* not of full matrices                                         */
    const double *precisions; /* likewise                                                     */
    const double *constants;
    bool rounds;      /* distances by full matrices are of the type of X   */
    bool rounds_base; /* and the constant that is added to any distances   */
    bool old_sums;    /* of numpy before 1.21 */
} mixture;

/* ---------------------------------------------------------------- distances */

static void full_distances(const mixture *s, const pickle_batch *x, bool rounds, double *moved,
                           double *out)
{
    size_t n = s->n;

    for (size_t k = 0; k < s->count; k++) {
        const double *center = s->centers + k * n;

        if (k == 0 || s->kind == FULL)
            pickle__products(x->data, x->stride, x->rows, n, s->roots + k * n * n, n, NULL,
                             moved + x->rows * n);
        for (size_t i = 0; i < x->rows; i++) {
            const double *from = moved + (x->rows + i) * n;
            double *row = moved + i * n, sum;

            for (size_t j = 0; j < n; j++)
                row[j] = (from[j] - center[j]) * (from[j] - center[j]);
            sum = pickle__sum(row, n);
            out[i * s->count + k] = rounds ? (double)(float)sum : sum;
        }
    }
}

/* X ** 2, of the type of X; one sum of them for spheres. */
static void squares(const mixture *s, const pickle_batch *x, double *out)
{
    for (size_t i = 0; i < x->rows; i++) {
        const double *row = x->kind == PICKLE_BATCH_F64 ? pickle__row(x, i) : NULL;
        const float *narrow = row ? NULL : pickle__row_f32(x, i);

        if (s->kind == SPHERICAL)
            *out++ = row ? pickle__squares(row, s->n)
                         : (double)pickle__squares_f32(narrow, s->n, s->old_sums);
        for (size_t j = 0; s->kind == DIAGONAL && j < s->n; j++)
            *out++ = row ? row[j] * row[j] : (double)(narrow[j] * narrow[j]);
    }
}

static void diagonal_distances(const mixture *s, const pickle_batch *x, const pickle_batch *wide,
                               double *spare, double *out)
{
    size_t columns = s->kind == SPHERICAL ? 1 : s->n;
    double *product = spare + x->rows * columns;

    squares(s, x, spare);
    pickle__products(wide->data, wide->stride, x->rows, s->n, s->weights, s->count, NULL, product);
    pickle__products(spare, columns * sizeof *spare, x->rows, columns, s->precisions, s->count,
                     NULL, out);
    for (size_t i = 0; i < x->rows * s->count; i++)
        out[i] = s->centers[i % s->count] - 2 * product[i] + out[i];
}

/* n * log(2 * pi), where the logarithm may be rounded as X is. */
static double base_of(const mixture *s, bool f32)
{
    double one = log(2 * M_PI);

    return f32 && s->rounds_base ? (double)((float)s->n * (float)one) : (double)s->n * one;
}

/* The logarithm of each component's density and weight. */
static double *log_densities(const mixture *s, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    size_t room = s->kind <= TIED ? 2 * s->n : s->n + s->count;
    double *spare = pickle__take(r, x->rows * room, sizeof *spare);
    double *out = pickle__new_f64(r, y, x->rows, s->count);
    bool rounds = s->rounds && x->kind == PICKLE_BATCH_F32;
    double base = base_of(s, x->kind == PICKLE_BATCH_F32);
    pickle_batch wide;

    if (!spare || !out || !pickle__as_f64(r, x, &wide))
        return NULL;
    if (s->kind <= TIED)
        full_distances(s, &wide, rounds, spare, out);
    else
        diagonal_distances(s, x, &wide, spare, out);
    for (size_t i = 0; i < x->rows * s->count; i++) {
        double d = rounds ? (double)((float)base + (float)out[i]) : base + out[i];

        out[i] = -0.5 * d + s->constants[i % s->count];
    }
    return out;
}

/* ------------------------------------------------------------------ methods */

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const mixture *s = m->state;
    pickle_batch all;
    const double *density = log_densities(s, r, x, &all);
    double *out = density ? pickle__new_f64(r, y, x->rows, 1) : NULL;

    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = (double)pickle__largest(density + i * s->count, s->count);
    return out != NULL;
}

static bool score_samples(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const mixture *s = m->state;
    pickle_batch all;
    const double *density = log_densities(s, r, x, &all);
    double *out = density ? pickle__new_f64(r, y, x->rows, 1) : NULL;

    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = pickle__logsumexp(density + i * s->count, s->count);
    return out != NULL;
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const mixture *s = m->state;
    double *out = log_densities(s, r, x, y);

    for (size_t i = 0; out && i < x->rows; i++, out += s->count) {
        double sum = pickle__logsumexp(out, s->count);

        for (size_t k = 0; k < s->count; k++)
            out[k] = exp(out[k] - sum);
    }
    return out != NULL;
}

/* ------------------------------------------------------------------ opening */

/* The derivative of the logarithm of the gamma function, of what is above 0: its series far away,
 * and one step after the other to there. */
static double digamma(double x)
{
    static const double series[] = { 1. / 12,  -1. / 120,     1. / 252, -1. / 240,
                                     1. / 132, -691. / 32760, 1. / 12 };
    double steps = 0, z, sum = 0;

    if (!(x > 0))
        return NAN;
    for (; x < 10; x++)
        steps += 1 / x;
    z = 1 / (x * x);
    for (size_t i = sizeof series / sizeof *series; i > 0; i--)
        sum = (sum + series[i - 1]) * z;
    return log(x) - 0.5 / x - sum - steps;
}

static void full_roots(pickle__opener *o, mixture *s, const double *means, const double *cholesky)
{
    size_t n = s->n, matrices = s->kind == FULL ? s->count : 1;
    double *roots = pickle__keep(o, matrices * n, n * sizeof *roots);
    double *centers = pickle__keep(o, s->count * n, sizeof *centers);

    if (!roots || !centers)
        return;
    for (size_t i = 0; i < matrices * n * n; i++)
        roots[i] = cholesky[i / (n * n) * n * n + i % n * n + i / n % n];
    for (size_t k = 0; k < s->count; k++)
        pickle__products(means + k * n, n * sizeof *means, 1, n,
                         roots + (s->kind == FULL ? k * n * n : 0), n, NULL, centers + k * n);
    s->roots = roots;
    s->centers = centers;
}

static void diagonal_roots(pickle__opener *o, mixture *s, const double *means,
                           const double *cholesky)
{
    size_t n = s->n, columns = s->kind == SPHERICAL ? 1 : n;
    double *precisions = pickle__keep(o, s->count * columns, sizeof *precisions);
    double *weights = pickle__keep(o, s->count * n, sizeof *weights);
    double *centers = pickle__keep(o, s->count, sizeof *centers);
    double *terms = pickle__keep(o, n, sizeof *terms);

    if (!precisions || !weights || !centers || !terms)
        return;
    for (size_t i = 0; i < s->count * columns; i++)
        precisions[i] = cholesky[i] * cholesky[i];
    for (size_t k = 0; k < s->count; k++) {
        for (size_t j = 0; j < n; j++) {
            double mean = means[k * n + j], p = precisions[k * columns + j % columns];

            weights[k * n + j] = mean * p;
            terms[j] = s->kind == SPHERICAL ? mean * mean : mean * mean * p;
        }
        centers[k] = pickle__sum(terms, n) * (s->kind == SPHERICAL ? precisions[k] : 1);
    }
    s->precisions = precisions;
    s->weights = weights;
    s->centers = centers;
}

/* The sum of the logarithms of the diagonal of the root of component k's precision. */
static double log_determinant(const mixture *s, const double *cholesky, size_t k)
{
    size_t n = s->n;
    double sum = 0;

    for (size_t j = 0; j < n; j++) {
        switch (s->kind) {
        case FULL:
            sum += log(cholesky[k * n * n + j * (n + 1)]);
            break;
        case TIED:
            sum += log(cholesky[j * (n + 1)]);
            break;
        case DIAGONAL:
            sum += log(cholesky[k * n + j]);
            break;
        default:
            return (double)n * log(cholesky[k]);
        }
    }
    return sum;
}

static mixture *open_densities(pickle__opener *o)
{
    mixture *s = pickle__state(o, sizeof *s);
    pickle__matrix means = pickle__need_numbers(o, "means_"), cholesky;
    double *constants;

    s->kind = (covariance)pickle__choice(o, "covariance_type", 0, "full", "tied", "diag",
                                         "spherical", NULL);
    cholesky = pickle__need_numbers(o, "precisions_cholesky_");
    if (!pickle__ok(o))
        return s;
    s->count = means.rows;
    o->model->features = s->n = means.cols;
    if (means.f32 || cholesky.f32)
        pickle__unsupported(o, "means_", "are of float32, which is summed as such");
    if (means.ndim != 2 || s->count == 0 || s->n == 0 ||
        cholesky.rows * cholesky.cols != (s->kind == SPHERICAL ? 1 : s->n) *
                                             (s->kind == TIED ? 1 : s->count) *
                                             (s->kind <= TIED ? s->n : 1))
        pickle__bad(o, "precisions_cholesky_", "is not of the shape that means_ has");
    constants = pickle__keep(o, s->count, sizeof *constants);
    if (!pickle__ok(o) || !constants)
        return s;
    if (s->kind <= TIED)
        full_roots(o, s, means.data, cholesky.data);
    else
        diagonal_roots(o, s, means.data, cholesky.data);
    for (size_t k = 0; k < s->count; k++)
        constants[k] = log_determinant(s, cholesky.data, k);
    s->constants = constants;
    s->rounds = s->kind <= TIED && o->version >= PICKLE__SKLEARN(1, 7, 0);
    s->rounds_base =
        o->version >= PICKLE__SKLEARN(1, 7, 0) && o->version < PICKLE__SKLEARN(1, 8, 0);
    s->old_sums = o->version < PICKLE__SKLEARN(1, 0, 0);
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    pickle__method_is(o, PICKLE_PREDICT, predict);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
    pickle__method_is(o, PICKLE_SCORE_SAMPLES, score_samples);
    return s;
}

static void open_gaussian(pickle__opener *o)
{
    mixture *s = open_densities(o);
    const double *weights = pickle__need_row(o, "weights_", s->count);

    for (size_t k = 0; weights && pickle__ok(o) && k < s->count; k++)
        ((double *)(uintptr_t)s->constants)[k] += log(weights[k]);
}

/* What is expected of the logarithms of the weights: sticks that are broken. */
static void stick_weights(pickle__opener *o, const mixture *s, double *out)
{
    const pickle_val *pair = pickle__need(o, "weight_concentration_");
    pickle__matrix a, b;
    double sum = 0;

    a = pickle__numbers_of(o, "weight_concentration_", pickle_at(pair, 0));
    b = pickle__numbers_of(o, "weight_concentration_", pickle_at(pair, 1));
    if (!pickle__ok(o))
        return;
    if (a.rows * a.cols != s->count || b.rows * b.cols != s->count) {
        pickle__bad(o, "weight_concentration_", "is not one pair for each component");
        return;
    }
    for (size_t k = 0; k < s->count; k++) {
        double both = digamma(a.data[k] + b.data[k]);

        out[k] += digamma(a.data[k]) - both + sum;
        sum += digamma(b.data[k]) - both;
    }
}

static void dirichlet_weights(pickle__opener *o, const mixture *s, double *out)
{
    const double *a = pickle__need_row(o, "weight_concentration_", s->count);
    double all;

    if (!a)
        return;
    all = digamma(pickle__sum(a, s->count));
    for (size_t k = 0; k < s->count; k++)
        out[k] += digamma(a[k]) - all;
}

/* One number for each component; of a tied matrix one for all. */
static const double *for_each(pickle__opener *o, const mixture *s, const char *name)
{
    pickle__matrix m = pickle__need_numbers(o, name);
    double *out = pickle__keep(o, s->count, sizeof *out);
    size_t count = m.rows * m.cols;

    if (!pickle__ok(o) || !out)
        return NULL;
    if (count != s->count && count != 1) {
        pickle__bad(o, name, "is not one number for each component");
        return NULL;
    }
    for (size_t k = 0; k < s->count; k++)
        out[k] = m.data[count == 1 ? 0 : k];
    return out;
}

static void open_bayesian(pickle__opener *o)
{
    mixture *s = open_densities(o);
    bool sticks = pickle__choice(o, "weight_concentration_prior_type", 0, "dirichlet_process",
                                 "dirichlet_distribution", NULL) == 0;
    const double *freedom = for_each(o, s, "degrees_of_freedom_");
    const double *precision = for_each(o, s, "mean_precision_");
    double *out = (double *)(uintptr_t)s->constants, n = (double)s->n;

    if (!pickle__ok(o) || !out || !freedom || !precision)
        return;
    for (size_t k = 0; k < s->count; k++) {
        double lambda = n * log(2);

        for (size_t j = 0; j < s->n; j++)
            lambda += digamma(0.5 * (freedom[k] - (double)j));
        out[k] += -0.5 * n * log(freedom[k]) + 0.5 * (lambda - n / precision[k]);
    }
    if (sticks)
        stick_weights(o, s, out);
    else
        dirichlet_weights(o, s, out);
}

const pickle__estimator pickle__mixture_estimators[] = {
    { "mixture", "GaussianMixture", open_gaussian },
    { "mixture", "BayesianGaussianMixture", open_bayesian },
    { NULL, NULL, NULL },
};
