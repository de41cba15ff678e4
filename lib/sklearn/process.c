/* process.c - Gaussian processes: the kernels of sklearn.gaussian_process, and what predicts. */
#include "sklearn/estimator.h"
#include "sklearn/numeric.h"
#include "sklearn/scale.h"

#include <string.h>

/* Of a kernel's tree; a hostile one could have the same part again and again. */
#define MOST_NODES 256
#define MOST_DEPTH 32

typedef enum kernel_kind {
    CONSTANT,
    WHITE,
    RBF,
    MATERN,
    RATIONAL_QUADRATIC,
    EXP_SINE_SQUARED,
    DOT_PRODUCT,
    SUM,
    PRODUCT,
    POWER
} kernel_kind;

typedef struct kernel {
    kernel_kind kind;
    double value; /* constant, noise level, nu, alpha, periodicity, sigma_0 squared, exponent */
    double length;
    const double *lengths; /* of each feature, of RBF and Matern; NULL: `length` */
    const struct kernel *left, *right;
    size_t depth; /* vectors that its parts need room for */
} kernel;

/* A row that is asked for. */
typedef struct query {
    const double *x;
    const float *narrow; /* of float32: what x was; NULL: float64 */
    size_t n;
    bool rounds; /* float32 stays that where a number divides it, or is added: so did numpy 1 */
} query;

/* Kernels between rows and those that were fitted. */
typedef struct process {
    const kernel *kernel;
    size_t count, n;       /* of the fitted rows */
    const double *rows;    /* X_train_ */
    bool numpy2, old_sums; /* old_sums: of numpy before 1.21 */
    size_t targets;
    const double *alpha; /* a row of `count` for each target */
    const double *mean, *std;
    const double *root, *lower; /* of classifiers: W_sr_, L_ */
} process;

/* ------------------------------------------------------------------ kernels */

static double square_of(double x)
{
    return x * x;
}

/* cdist(x, y, 'sqeuclidean'). */
static double squared_distance(const query *q, const double *y)
{
    double sum = 0;

    for (size_t j = 0; j < q->n; j++)
        sum += square_of(q->x[j] - y[j]);
    return sum;
}

/* cdist(x / length, y / length, 'sqeuclidean'). */
static double scaled_distance(const kernel *k, const query *q, const double *y)
{
    bool rounds = q->rounds && !k->lengths;
    double sum = 0;

    for (size_t j = 0; j < q->n; j++) {
        double length = k->lengths ? k->lengths[j] : k->length;
        double x = rounds ? (double)(q->narrow[j] / (float)length) : q->x[j] / length;

        sum += square_of(x - y[j] / length);
    }
    return sum;
}

static double matern(double nu, double d)
{
    double x = d * sqrt(2 * nu);

    if (nu == 0.5)
        return exp(-d);
    if (nu == 1.5)
        return (1 + x) * exp(-x);
    if (nu == 2.5)
        return (1 + x + x * x / 3) * exp(-x);
    return exp(-(d * d) / 2);
}

/* A kernel without parts, of a row and a fitted one. */
static double evaluate(const kernel *k, const query *q, const double *y)
{
    switch (k->kind) {
    case CONSTANT:
        return k->value;
    case RBF:
        return exp(-0.5 * scaled_distance(k, q, y));
    case MATERN:
        return matern(k->value, sqrt(scaled_distance(k, q, y)));
    case RATIONAL_QUADRATIC:
        return pow(1 + squared_distance(q, y) / (2 * k->value * square_of(k->length)), -k->value);
    case EXP_SINE_SQUARED:
        return exp(-2 * square_of(sin(M_PI / k->value * sqrt(squared_distance(q, y))) / k->length));
    case DOT_PRODUCT:
        return pickle__dot(q->x, y, q->n) + k->value;
    default: /* noise is of a row with itself alone */
        return 0;
    }
}

static double combine(const kernel *k, double left, double right)
{
    return k->kind == SUM ? left + right : k->kind == PRODUCT ? left * right : pow(left, k->value);
}

/* kernel(x, rows); `out` is followed by room for k->depth as long vectors. */
static void evaluate_all(const kernel *k, const process *s, const query *q, double *out)
{
    double *right = out + s->count;

    if (!k->left) {
        for (size_t i = 0; i < s->count; i++)
            out[i] = evaluate(k, q, s->rows + i * s->n);
        return;
    }
    evaluate_all(k->left, s, q, out);
    if (k->right)
        evaluate_all(k->right, s, q, right);
    for (size_t i = 0; i < s->count; i++)
        out[i] = combine(k, out[i], k->right ? right[i] : 0);
}

/* x @ x + sigma_0 ** 2, as DotProduct.diag has it. */
static double own_product(const kernel *k, const process *s, const query *q)
{
    float sum;

    if (!q->narrow)
        return pickle__squares(q->x, q->n) + k->value;
    sum = pickle__squares_f32(q->narrow, q->n, s->old_sums);
    return q->rounds ? (double)(sum + (float)k->value) : (double)sum + k->value;
}

/* kernel.diag: of a row with itself. */
static double evaluate_self(const kernel *k, const process *s, const query *q)
{
    if (k->left)
        return combine(k, evaluate_self(k->left, s, q),
                       k->right ? evaluate_self(k->right, s, q) : 0);
    switch (k->kind) {
    case CONSTANT:
    case WHITE:
        return k->value;
    case DOT_PRODUCT:
        return own_product(k, s, q);
    default:
        return 1;
    }
}

/* ---------------------------------------------------------- opening kernels */

static const struct {
    const char *name, *value, *length;
} kinds[] = {
    [CONSTANT] = { "ConstantKernel", "constant_value", NULL },
    [WHITE] = { "WhiteKernel", "noise_level", NULL },
    [RBF] = { "RBF", NULL, "length_scale" },
    [MATERN] = { "Matern", "nu", "length_scale" },
    [RATIONAL_QUADRATIC] = { "RationalQuadratic", "alpha", "length_scale" },
    [EXP_SINE_SQUARED] = { "ExpSineSquared", "periodicity", "length_scale" },
    [DOT_PRODUCT] = { "DotProduct", "sigma_0", NULL },
    [SUM] = { "Sum", NULL, NULL },
    [PRODUCT] = { "Product", NULL, NULL },
    [POWER] = { "Exponentiation", "exponent", NULL },
};
#define KINDS (sizeof kinds / sizeof *kinds)

typedef struct kernel_opener {
    pickle__opener *o;
    size_t n; /* features */
    size_t nodes;
} kernel_opener;

static double number_of(kernel_opener *c, const pickle_val *v, const char *name)
{
    pickle__matrix m = pickle__numbers_of(c->o, name, pickle_attr(v, name));

    if (!pickle__ok(c->o))
        return 0;
    if (m.rows * m.cols != 1) {
        pickle__bad(c->o, "kernel_", "has a parameter that is no number");
        return 0;
    }
    return m.data[0];
}

static void open_lengths(kernel_opener *c, const pickle_val *v, kernel *k)
{
    pickle__matrix m = pickle__numbers_of(c->o, "length_scale", pickle_attr(v, "length_scale"));
    size_t count = m.rows * m.cols;

    if (!pickle__ok(c->o))
        return;
    if (count != 1 && (count != c->n || (k->kind != RBF && k->kind != MATERN)))
        pickle__bad(c->o, "kernel_", "has not one length for each feature");
    else if (count > 1)
        k->lengths = m.data;
    else
        k->length = m.data[0];
}

static const kernel *open_kernel(kernel_opener *c, const pickle_val *v, size_t depth)
{
    kernel *k = pickle__keep(c->o, 1, sizeof *k);
    const pickle_val *type = pickle_class(v);
    const char *module = pickle_module(type);
    size_t kind = 0;

    while (kind < KINDS && (!type || strcmp(pickle_name(type), kinds[kind].name) != 0))
        kind++;
    if (kind == KINDS || strncmp(module, "sklearn.gaussian_process.kernels",
                                 sizeof "sklearn.gaussian_process.kernels") != 0)
        pickle__unsupported(c->o, "kernel_", "has a kernel that is not known here");
    else if (++c->nodes > MOST_NODES || depth > MOST_DEPTH)
        pickle__unsupported(c->o, "kernel_", "has too many parts");
    if (!k || !pickle__ok(c->o))
        return NULL;
    k->kind = (kernel_kind)kind;
    if (kinds[kind].value)
        k->value = number_of(c, v, kinds[kind].value);
    if (k->kind == DOT_PRODUCT)
        k->value *= k->value;
    if (kinds[kind].length)
        open_lengths(c, v, k);
    if (k->kind == MATERN && !(k->value == 0.5 || k->value == 1.5 || k->value == 2.5 ||
                               (isinf(k->value) && c->o->version >= PICKLE__SKLEARN(0, 24, 0))))
        pickle__unsupported(c->o, "kernel_", "needs Bessel functions for this nu of Matern");
    if (k->kind == SUM || k->kind == PRODUCT || k->kind == POWER)
        k->left = open_kernel(c, pickle_attr(v, k->kind == POWER ? "kernel" : "k1"), depth + 1);
    if (k->kind == SUM || k->kind == PRODUCT)
        k->right = open_kernel(c, pickle_attr(v, "k2"), depth + 1);
    if (!pickle__ok(c->o))
        return NULL;
    if (k->left)
        k->depth = k->left->depth;
    if (k->right)
        k->depth = k->right->depth + 1 > k->depth ? k->right->depth + 1 : k->depth;
    return k;
}

/* What both have: X_train_ and kernel_. */
static void open_process(pickle__opener *o, process *s)
{
    kernel_opener c = { .o = o };
    pickle__matrix rows = pickle__need_numbers(o, "X_train_");

    if (!pickle__ok(o))
        return;
    if (rows.ndim != 2 || rows.rows == 0 || rows.cols == 0) {
        pickle__bad(o, "X_train_", "is no table of rows");
        return;
    }
    s->rows = rows.data;
    s->count = rows.rows;
    s->n = c.n = rows.cols;
    s->kernel = open_kernel(&c, pickle__need(o, "kernel_"), 0);
    s->numpy2 = pickle__with_numpy2(o, pickle__attr(o, "X_train_"));
    s->old_sums = o->version < PICKLE__SKLEARN(1, 0, 0);
    o->model->features = s->n;
    o->model->takes = PICKLE__F64 | PICKLE__F32;
}

/* A batch on its way through kernels: rows, and room for what evaluate_all needs. */
typedef struct work {
    pickle_batch wide;
    const pickle_batch *x;
    double *k;
} work;

static bool start(work *w, const process *s, pickle__run *r, const pickle_batch *x)
{
    w->x = x;
    w->k = pickle__take(r, (s->kernel->depth + 1) * s->count, sizeof *w->k);
    return w->k && pickle__as_f64(r, x, &w->wide);
}

/* The kernel of row `i` with all that were fitted. */
static query evaluate_row(const work *w, const process *s, size_t i)
{
    bool f32 = w->x->kind == PICKLE_BATCH_F32;
    query q = { pickle__row(&w->wide, i), f32 ? pickle__row_f32(w->x, i) : NULL, s->n,
                f32 && !s->numpy2 };

    evaluate_all(s->kernel, s, &q, w->k);
    return q;
}

/* --------------------------------------------------------------- regression */

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const process *s = m->state;
    double *out;
    work w;

    if (!start(&w, s, r, x))
        return false;
    out = pickle__new_f64(r, y, x->rows, s->targets);
    for (size_t i = 0; out && i < x->rows; i++) {
        evaluate_row(&w, s, i);
        for (size_t t = 0; t < s->targets; t++) {
            double f = pickle__dot(w.k, s->alpha + t * s->count, s->count);

            *out++ = (s->std ? s->std[t] * f : f) + s->mean[t];
        }
    }
    return out != NULL;
}

/* A number for each target; one may be for all. */
static const double *for_targets(pickle__opener *o, const process *s, const char *name)
{
    pickle__matrix m = pickle__need_numbers(o, name);
    double *out = pickle__keep(o, s->targets, sizeof *out);

    if (!pickle__ok(o) || !out)
        return NULL;
    if (m.rows * m.cols != 1 && m.rows * m.cols != s->targets) {
        pickle__bad(o, name, "is not one number for each target");
        return NULL;
    }
    for (size_t t = 0; t < s->targets; t++)
        out[t] = m.data[m.rows * m.cols == 1 ? 0 : t];
    return out;
}

static void open_regressor(pickle__opener *o)
{
    process *s = pickle__state(o, sizeof *s);
    pickle__matrix alpha = pickle__need_numbers(o, "alpha_");
    double *turned;

    open_process(o, s);
    if (!pickle__ok(o))
        return;
    s->targets = alpha.ndim == 1 ? 1 : alpha.cols;
    if (alpha.rows * alpha.cols != s->count * s->targets || s->targets == 0) {
        pickle__bad(o, "alpha_", "is not one number for each row of X_train_");
        return;
    }
    turned = pickle__keep(o, s->targets * s->count, sizeof *turned);
    for (size_t i = 0; turned && i < s->targets * s->count; i++)
        turned[i] = alpha.data[i % s->count * s->targets + i / s->count];
    s->alpha = turned;
    s->mean = for_targets(o, s, pickle__attr(o, "y_train_mean") ? "y_train_mean" : "_y_train_mean");
    if (o->version >= PICKLE__SKLEARN(0, 23, 0))
        s->std = for_targets(o, s, "_y_train_std");
    o->model->outputs = s->targets;
    pickle__method_is(o, PICKLE_PREDICT, predict);
}

/* ----------------------------------------------------------- classification */

/* Coefficients of the sum of error functions that the logistic function is near to (Williams and
 * Barber, 1998), as scikit-learn has them. */
static const double lambdas[] = { 0.41, 0.4, 0.37, 0.44, 0.39 };
static const double coefs[] = { -1854.8214151, 3516.89893646, 221.29346712, 128.12323805,
                                -2010.49422654 };
#define TERMS (sizeof coefs / sizeof *coefs)

static bool predict_class(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const process *s = m->state;
    double *out;
    work w;

    if (!start(&w, s, r, x))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++) {
        evaluate_row(&w, s, i);
        *out++ = pickle__dot(w.k, s->alpha, s->count) > 0;
    }
    return out != NULL;
}

/* The variance of the latent function: that of the row less what is known by the fitted ones.
 * `k` becomes what solves L @ v = W_sr * k. */
static double latent_variance(const process *s, const query *q, double *k)
{
    double known = 0;

    for (size_t i = 0; i < s->count; i++) {
        const double *row = s->lower + i * s->count;

        k[i] = (s->root[i] * k[i] - pickle__dot(row, k, i)) / row[i];
        known += k[i] * k[i];
    }
    return evaluate_self(s->kernel, s, q) - known;
}

static double probability(double mean, double variance)
{
    double alpha = 1 / (2 * variance), sum = 0, all = 0;

    for (size_t i = 0; i < TERMS; i++) {
        double at = lambdas[i] * mean * sqrt(alpha / (alpha + lambdas[i] * lambdas[i]));

        sum += coefs[i] * (sqrt(M_PI / alpha) * erf(at) / (2 * sqrt(variance * 2 * M_PI)));
        all += coefs[i];
    }
    return sum + 0.5 * all;
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const process *s = m->state;
    double *out;
    work w;

    if (!start(&w, s, r, x))
        return false;
    out = pickle__new_f64(r, y, x->rows, 2);
    for (size_t i = 0; out && i < x->rows; i++, out += 2) {
        query q = evaluate_row(&w, s, i);
        double mean = pickle__dot(w.k, s->alpha, s->count);

        out[1] = probability(mean, latent_variance(s, &q, w.k));
        out[0] = 1 - out[1];
    }
    return out != NULL;
}

static void open_binary(pickle__opener *o)
{
    process *s = pickle__state(o, sizeof *s);
    const double *labels, *pi;
    double *alpha;

    open_process(o, s);
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    if (o->model->outputs != 1 || o->model->classes[0].count != 2)
        pickle__bad(o, "classes_", "are not two");
    labels = pickle__need_row(o, "y_train_", s->count);
    pi = pickle__need_row(o, "pi_", s->count);
    s->root = pickle__need_row(o, "W_sr_", s->count);
    s->lower = pickle__need_table(o, "L_", s->count, s->count);
    alpha = pickle__keep(o, s->count, sizeof *alpha);
    if (!pickle__ok(o) || !alpha)
        return;
    for (size_t i = 0; i < s->count; i++)
        alpha[i] = labels[i] - pi[i];
    s->alpha = alpha;
    pickle__method_is(o, PICKLE_PREDICT, predict_class);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
}

typedef struct classifier {
    pickle_model *base;
} classifier;

static bool delegate(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const classifier *s = m->state;

    return pickle__run_method(s->base, r->method, r, x, y);
}

static void open_classifier(pickle__opener *o)
{
    classifier *s = pickle__state(o, sizeof *s);
    int pairs = pickle__choice(o, "multi_class", 0, "one_vs_rest", "one_vs_one", NULL);
    const pickle_val *base = pickle__need(o, "base_estimator_");

    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    s->base = pickle__open_part(o, "base_estimator_", 0, base);
    if (!s->base->refused &&
        (!s->base->classes || s->base->classes[0].count != o->model->classes[0].count))
        pickle__bad(o, "base_estimator_", "has other classes");
    o->model->features = s->base->features;
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    pickle__method_is(o, PICKLE_PREDICT, delegate);
    if (!pairs || o->model->classes[0].count == 2)
        pickle__method_is(o, PICKLE_PREDICT_PROBA, delegate);
}

const pickle__estimator pickle__process_estimators[] = {
    { "gaussian_process", "GaussianProcessRegressor", open_regressor },
    { "gaussian_process", "GaussianProcessClassifier", open_classifier },
    { "gaussian_process", "_BinaryGaussianProcessClassifierLaplace", open_binary },
    { NULL, NULL, NULL },
};
