/* density.c - how dense rows lie around another: KernelDensity. */
#include "sklearn/metric.h"
#include "sklearn/numeric.h"

#include <math.h>

typedef enum kernel { GAUSSIAN, TOPHAT, EPANECHNIKOV, EXPONENTIAL, LINEAR, COSINE } kernel;

typedef struct density {
    kernel kernel;
    pickle__metric metric;
    double bandwidth;
    size_t count, n;
    const double *rows;
    const double *logs; /* of the weights of rows; NULL: they are 1 */
    double constant;    /* what the logarithm of a density has beside the kernels' sum */
} density;

/* The logarithm of the kernel, without what makes it a density. */
static double log_kernel(const density *s, double distance)
{
    double x = distance / s->bandwidth;

    if (s->kernel == GAUSSIAN)
        return -0.5 * (x * x);
    if (s->kernel == EXPONENTIAL)
        return -x;
    if (!(distance < s->bandwidth))
        return -INFINITY;
    switch (s->kernel) {
    case EPANECHNIKOV:
        return log(1 - x * x);
    case LINEAR:
        return log(1 - x);
    case COSINE:
        return log(cos(0.5 * M_PI * x));
    default:
        return 0;
    }
}

static bool score_samples(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const density *s = m->state;
    double *logs = pickle__take(r, s->count, sizeof *logs);
    double *out = pickle__new_f64(r, y, x->rows, 1);

    for (size_t i = 0; logs && out && i < x->rows; i++) {
        const double *row = pickle__row(x, i);
        double most = -INFINITY, sum = 0;

        for (size_t k = 0; k < s->count; k++) {
            double reduced = pickle__metric_reduced(&s->metric, row, s->rows + k * s->n);

            logs[k] = log_kernel(s, pickle__metric_distance(&s->metric, reduced)) +
                      (s->logs ? s->logs[k] : 0);
            most = logs[k] > most ? logs[k] : most;
        }
        for (size_t k = 0; isfinite(most) && k < s->count; k++)
            sum += exp(logs[k] - most);
        out[i] = (isfinite(most) ? most + log(sum) : most) + s->constant;
    }
    return logs && out;
}

/* ------------------------------------------------------------------ opening */

/* The logarithm of the volume of the unit ball of n dimensions, and of its surface in n + 1. */
static double log_ball(double n)
{
    return 0.5 * n * log(M_PI) - lgamma(0.5 * n + 1);
}

static double log_sphere(double n)
{
    return log(2 * M_PI) + log_ball(n - 1);
}

/* The logarithm of the integral over all space of a kernel of bandwidth 1. */
static double log_integral(kernel k, size_t columns)
{
    double n = (double)columns, sum = 0, term = 2 / M_PI;

    switch (k) {
    case GAUSSIAN:
        return 0.5 * n * log(2 * M_PI);
    case TOPHAT:
        return log_ball(n);
    case EPANECHNIKOV:
        return log_ball(n) + log(2 / (n + 2));
    case EXPONENTIAL:
        return log_sphere(n - 1) + lgamma(n);
    case LINEAR:
        return log_ball(n) - log(n + 1);
    case COSINE:
        break;
    }
    for (size_t i = 1; i <= columns; i += 2) {
        sum += term;
        term *= -(n - (double)i) * (n - (double)i - 1) * (2 / M_PI) * (2 / M_PI);
    }
    return log(sum) + log_sphere(n - 1);
}

/* Weights as logarithms; their sum, or how many rows there are. */
static double open_weights(pickle__opener *o, density *s, const pickle_val *v)
{
    pickle__matrix weights;
    double *logs;

    if (!v || pickle_kind_of(v) == PICKLE_NONE || pickle_kind_of(v) == PICKLE_MISSING)
        return (double)s->count;
    weights = pickle__numbers_of(o, "tree_", v);
    logs = pickle__keep(o, s->count, sizeof *logs);
    if (!pickle__ok(o) || !logs)
        return 1;
    if (weights.rows * weights.cols != s->count) {
        pickle__bad(o, "tree_", "has not one weight for each row");
        return 1;
    }
    for (size_t i = 0; i < s->count; i++)
        logs[i] = log(weights.data[i]);
    s->logs = logs;
    return pickle__sum(weights.data, s->count);
}

/* What a tree was pickled as: its rows first, then how it divides them, the metric and weights. */
static void open_tree(pickle__opener *o, density *s)
{
    const pickle_val *state = pickle_state(pickle__need(o, "tree_"));
    pickle__matrix rows = pickle__numbers_of(o, "tree_", pickle_at(state, 0));
    double sum;

    if (!pickle__ok(o))
        return;
    if (rows.ndim != 2 || rows.rows == 0 || rows.cols == 0 || pickle_len(state) < 12) {
        pickle__bad(o, "tree_", "has no rows");
        return;
    }
    s->rows = rows.data;
    s->count = rows.rows;
    s->n = rows.cols;
    if (!pickle__metric_object(o, pickle_at(state, 11), s->n, &s->metric))
        return;
    sum = open_weights(o, s, pickle_at(state, 12));
    s->constant = -log_integral(s->kernel, s->n) - (double)s->n * log(s->bandwidth) - log(sum);
}

static void open_density(pickle__opener *o)
{
    density *s = pickle__state(o, sizeof *s);
    const char *bandwidth = o->version < PICKLE__SKLEARN(1, 2, 0) ? "bandwidth" : "bandwidth_";

    s->kernel = (kernel)pickle__choice(o, "kernel", GAUSSIAN, "gaussian", "tophat", "epanechnikov",
                                       "exponential", "linear", "cosine", NULL);
    s->bandwidth = pickle__number(o, bandwidth, 1);
    if (!(s->bandwidth > 0))
        pickle__bad(o, bandwidth, "is not positive");
    if (pickle__number(o, "atol", 0) != 0 || pickle__number(o, "rtol", 0) != 0)
        pickle__unsupported(o, "rtol", "lets the tree leave out what is small");
    open_tree(o, s);
    o->model->features = s->n;
    pickle__method_is(o, PICKLE_SCORE_SAMPLES, score_samples);
}

const pickle__estimator pickle__density_estimators[] = {
    { "neighbors", "KernelDensity", open_density },
    { NULL, NULL, NULL },
};
