/* decomposition.c - rows moved, projected by a matrix, and stretched: PCA and its kin. */
#include "sklearn/affine.h"

#include <float.h>
#include <math.h>

/* The largest matrix that is inverted when a model is opened. */
#define MOST_INVERTED 512

/* How many times more variance there may be along one direction than along another: beyond that,
 * densities are made of what was rounded, there and here in different ways. */
#define MOST_CONDITION 1e4

/*
 * The Gaussian with covariance W.T @ diag(d) @ W + diag(noise), for the components W. By the matrix
 * inversion lemma, the square of z = x - mean in its metric is sum(z ** 2 / noise) minus u @ A @ u,
 * where u is what the product with W (or W / noise) makes of z. A is what follows the product, or
 * diagonal where components are orthogonal.
 */
typedef struct density {
    const double *precision; /* 1 / noise */
    const double *diagonal;  /* of A; NULL: A follows the product */
    double constant;         /* of the logarithm */
} density;

typedef struct projection {
    pickle__affine there, back;
    const double *mean;            /* is subtracted before; NULL: nothing is */
    const double *shift;           /* is subtracted after the product instead, where there is one */
    const double *scale;           /* divides what comes out; NULL: nothing */
    pickle__affine after;          /* one more product, if it has outputs */
    const struct density *density; /* NULL: there are no score_samples */
    bool mean_is_wide;             /* float64, and X - mean is new: not of the type of X */
    bool only_sparse;              /* has the shift */
    bool densifies;                /* sparse rows are made dense */
    bool unchecked_back;           /* inverse_transform takes NaN and infinities */
} projection;

/* X - mean, in X's type when that is float32 and the mean is, or when it is done in place. */
static bool subtract_mean(const projection *s, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    bool f32 = x->kind == PICKLE_BATCH_F32 && !s->mean_is_wide;
    float *narrow = f32 ? pickle__new_f32(r, y, x->rows, x->cols) : NULL;
    double *wide = f32 ? NULL : pickle__new_f64(r, y, x->rows, x->cols);
    pickle_batch from;

    if ((!narrow && !wide) || !pickle__as_f64(r, x, &from))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        const double *row = pickle__row(&from, i);

        for (size_t j = 0; f32 && j < x->cols; j++)
            *narrow++ = (float)(row[j] - s->mean[j]);
        for (size_t j = 0; !f32 && j < x->cols; j++)
            *wide++ = row[j] - s->mean[j];
    }
    return true;
}

/* What affine_run has made, in place. */
static void shift_and_scale(const projection *s, const double *shift, const pickle_batch *y)
{
    float *narrow = y->kind == PICKLE_BATCH_F32 ? (float *)(uintptr_t)y->data : NULL;
    double *wide = narrow ? NULL : (double *)(uintptr_t)y->data;

    for (size_t i = 0; i < y->rows * y->cols; i++) {
        size_t k = i % y->cols;

        if (narrow) {
            narrow[i] -= shift ? (float)shift[k] : 0;
            narrow[i] /= s->scale ? (float)s->scale[k] : 1;
        } else {
            wide[i] -= shift ? shift[k] : 0;
            wide[i] /= s->scale ? s->scale[k] : 1;
        }
    }
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const projection *s = m->state;
    bool sparse = x->kind == PICKLE_BATCH_CSR && !s->densifies;
    bool late = s->shift && (sparse || !s->only_sparse);
    pickle_batch dense = *x, moved, product;

    if (x->kind == PICKLE_BATCH_CSR && s->densifies && !pickle__as_f64(r, x, &dense))
        return false;
    moved = dense;
    if (s->mean && !late && !subtract_mean(s, r, &dense, &moved))
        return false;
    if (!pickle__affine_run(&s->there, r, &moved, &product))
        return false;
    if (late || s->scale)
        shift_and_scale(s, late ? s->shift : NULL, &product);
    if (s->after.outputs != 0)
        return pickle__affine_run(&s->after, r, &product, y);
    *y = product;
    return true;
}

static bool score_samples(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const projection *s = m->state;
    const density *d = s->density;
    pickle_batch wide, z, u, v;
    double *out;

    if (x->kind == PICKLE_BATCH_CSR)
        return pickle__run_fail(r, PICKLE_ERR_TYPE, "score_samples takes no sparse matrix");
    if (!pickle__as_f64(r, x, &wide) || !subtract_mean(s, r, &wide, &z) ||
        !pickle__affine_run(&s->there, r, &z, &u))
        return false;
    v = u;
    if (!d->diagonal && !pickle__affine_run(&s->after, r, &u, &v))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(&z, i), *a = pickle__row(&u, i), *b = pickle__row(&v, i);
        double square = 0;

        for (size_t j = 0; j < z.cols; j++)
            square += row[j] * row[j] * d->precision[j];
        for (size_t k = 0; k < u.cols; k++)
            square -= a[k] * b[k] * (d->diagonal ? d->diagonal[k] : 1);
        out[i] = d->constant - 0.5 * square;
    }
    return out != NULL;
}

static bool inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const projection *s = m->state;

    if (s->unchecked_back && x->cols != s->back.inputs)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has %zu columns, but there are %zu",
                                x->cols, s->back.inputs);
    return (s->unchecked_back || pickle__check_input(m, r, x, s->back.inputs)) &&
           pickle__affine_run(&s->back, r, x, y);
}

/* ------------------------------------------------------------------ opening */

static projection *open_matrix(pickle__opener *o, unsigned takes)
{
    projection *s = pickle__state(o, sizeof *s);

    pickle__open_affine(o, &s->there, PICKLE__ROW_IS_OUTPUT, "components_",
                        pickle__need(o, "components_"), NULL, NULL);
    o->model->features = s->there.inputs;
    o->model->takes = takes;
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
    return s;
}

/* Either is float64 where the other is float32 only in files that were tampered with. */
static void open_mean(pickle__opener *o, projection *s)
{
    pickle__matrix mean = pickle__need_numbers(o, "mean_");

    if (!pickle__ok(o))
        return;
    if (mean.rows * mean.cols != s->there.inputs) {
        pickle__bad(o, "mean_", "has another size than the components");
        return;
    }
    s->mean = mean.data;
    s->mean_is_wide = !mean.f32;
}

static void open_back(pickle__opener *o, projection *s, const char *name, pickle__layout layout)
{
    bool moves = s->mean != NULL;

    pickle__open_affine(o, &s->back, layout, name, pickle__need(o, name), moves ? "mean_" : NULL,
                        moves ? pickle__attr(o, "mean_") : NULL);
    if (!pickle__ok(o))
        return;
    if (s->back.inputs != s->there.outputs || s->back.outputs != s->there.inputs)
        pickle__bad(o, name, "has another shape than the components");
    o->model->inverse = PICKLE__F64 | PICKLE__F32;
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, inverse);
}

/* mean_ @ components_.T, summed in their type. */
static void open_shift(pickle__opener *o, projection *s)
{
    const pickle__affine *a = &s->there;
    double *shift = pickle__keep(o, a->outputs, sizeof *shift);

    for (size_t k = 0; shift && k < a->outputs; k++) {
        const double *row = a->weights + k * a->inputs;

        for (size_t j = 0; j < a->inputs; j++) {
            shift[k] += s->mean[j] * row[j];
            if (a->weights_f32 && !s->mean_is_wide)
                shift[k] = (double)(float)shift[k];
        }
    }
    s->shift = shift;
}

/* sqrt(explained_variance_) of each component, and the way back multiplied by it. */
static void open_whitening(pickle__opener *o, projection *s)
{
    const double *variance = pickle__need_row(o, "explained_variance_", s->there.outputs);
    double *scale = pickle__keep(o, s->there.outputs, sizeof *scale);
    bool f32 = s->there.weights_f32 != NULL;
    double least = o->version < PICKLE__SKLEARN(1, 5, 0) ? -1 : f32 ? FLT_EPSILON : DBL_EPSILON;

    for (size_t k = 0; variance && scale && k < s->there.outputs; k++) {
        double root = f32 ? (double)sqrtf((float)variance[k]) : sqrt(variance[k]);

        scale[k] = root < least ? least : root;
        for (size_t j = 0; j < s->back.outputs; j++) {
            size_t at = j * s->back.inputs + k;

            ((double *)(uintptr_t)s->back.weights)[at] *= root;
            if (f32)
                ((float *)(uintptr_t)s->back.weights_f32)[at] *= (float)root;
        }
    }
    s->scale = scale;
}

static projection *open_components(pickle__opener *o, unsigned takes)
{
    projection *s = open_matrix(o, takes);

    open_mean(o, s);
    open_back(o, s, "components_", PICKLE__ROW_IS_INPUT);
    s->unchecked_back = o->version < PICKLE__SKLEARN(1, 8, 0);
    return s;
}

static void open_principal(pickle__opener *o, projection *s)
{
    if (pickle__ok(o) && o->version >= PICKLE__SKLEARN(1, 4, 0))
        open_shift(o, s);
    s->only_sparse = o->version < PICKLE__SKLEARN(1, 5, 0);
    if (pickle__flag(o, "whiten", false) && pickle__ok(o))
        open_whitening(o, s);
}

static void open_density(pickle__opener *o, projection *s, const double *precision,
                         const double *diagonal, double log_determinant)
{
    density *d = pickle__keep(o, 1, sizeof *d);

    if (!d || !pickle__ok(o))
        return;
    d->precision = precision;
    d->diagonal = diagonal;
    d->constant = -0.5 * ((double)s->there.inputs * log(2 * M_PI) + log_determinant);
    s->density = d;
    pickle__method_is(o, PICKLE_SCORE_SAMPLES, score_samples);
}

/* Along an orthogonal component there is variance d + noise, d being what it explains beyond. Of a
 * whitening PCA, scikit-learn multiplies d by the variance. */
static void open_principal_density(pickle__opener *o, projection *s)
{
    size_t k = s->there.outputs, n = s->there.inputs;
    const double *variance = pickle__need_row(o, "explained_variance_", k);
    double noise = pickle__number(o, "noise_variance_", 0), sum = 0, least = INFINITY, most = 0;
    bool whiten = pickle__flag(o, "whiten", false);
    double *precision = pickle__keep(o, n, sizeof *precision);
    double *diagonal = pickle__keep(o, k, sizeof *diagonal);

    if (!variance || !precision || !diagonal || !pickle__ok(o) || s->there.weights_f32)
        return;
    for (size_t j = 0; j < n; j++)
        precision[j] = noise > 0 ? 1 / noise : 0;
    for (size_t i = 0; i < k; i++) {
        double explained = fmax(variance[i] - noise, 0) * (whiten ? variance[i] : 1) + noise;

        diagonal[i] = (noise > 0 ? 1 / noise : 0) - 1 / explained;
        sum += log(explained);
        least = fmin(least, explained);
        most = fmax(most, explained);
    }
    if (!((k < n ? fmin(least, noise) : least) * MOST_CONDITION > most))
        return;
    open_density(o, s, precision, diagonal, sum + (k < n ? (double)(n - k) * log(noise) : 0));
}

static void open_pca(pickle__opener *o)
{
    unsigned sparse = o->version >= PICKLE__SKLEARN(1, 4, 0) ? PICKLE__CSR : 0;
    projection *s = open_components(o, PICKLE__F64 | PICKLE__F32 | sparse);

    open_principal(o, s);
    open_principal_density(o, s);
}

static void open_incremental_pca(pickle__opener *o)
{
    bool sparse = o->version >= PICKLE__SKLEARN(0, 22, 0);
    projection *s = open_components(o, PICKLE__F64 | PICKLE__F32 | (sparse ? PICKLE__CSR : 0));

    s->densifies = true;
    open_principal(o, s);
}

/* It has whitened the components. */
static void open_randomized_pca(pickle__opener *o)
{
    open_components(o, PICKLE__F64 | PICKLE__F32);
}

static void open_truncated_svd(pickle__opener *o)
{
    projection *s = open_matrix(o, PICKLE__F64 | PICKLE__F32 | PICKLE__CSR);

    open_back(o, s, "components_", PICKLE__ROW_IS_INPUT);
}

static void open_neighborhood_components(pickle__opener *o)
{
    open_matrix(o, PICKLE__F64 | PICKLE__F32);
}

static void open_fast_ica(pickle__opener *o)
{
    projection *s = open_matrix(o, PICKLE__F64 | PICKLE__F32);

    if (pickle__attr(o, "mean_"))
        open_mean(o, s);
    s->mean_is_wide = false; /* done in place */
    open_back(o, s, "mixing_", PICKLE__ROW_IS_OUTPUT);
}

static void open_projection(pickle__opener *o)
{
    projection *s = open_matrix(o, PICKLE__F64 | PICKLE__F32 | PICKLE__CSR);

    if (!pickle__attr(o, "inverse_components_"))
        return;
    open_back(o, s, "inverse_components_", PICKLE__ROW_IS_OUTPUT);
    o->model->inverse |= PICKLE__CSR;
}

/* ---------------------------------------------------------- with an inverse */

static void swap_rows(double *a, size_t n, size_t i, size_t k)
{
    for (size_t j = 0; j < n; j++) {
        double x = a[i * n + j];

        a[i * n + j] = a[k * n + j];
        a[k * n + j] = x;
    }
}

static void subtract_row(double *a, size_t n, size_t from, size_t row, double factor)
{
    for (size_t j = 0; j < n; j++)
        a[from * n + j] -= factor * a[row * n + j];
}

/* Gauss and Jordan's way, with pivots of the column; false if the matrix has no inverse. `out` is
 * the unit matrix at first. The determinant's logarithm, without its sign, goes to *log_det. */
static bool invert(double *a, double *out, size_t n, double *log_det)
{
    *log_det = 0;
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;

        for (size_t i = k + 1; i < n; i++)
            pivot = fabs(a[i * n + k]) > fabs(a[pivot * n + k]) ? i : pivot;
        if (!(fabs(a[pivot * n + k]) > 0) || !isfinite(a[pivot * n + k]))
            return false;
        swap_rows(a, n, k, pivot);
        swap_rows(out, n, k, pivot);
        for (size_t i = 0; i < n; i++) {
            double factor = i == k ? 0 : a[i * n + k] / a[k * n + k];

            if (factor != 0) {
                subtract_row(a, n, i, k, factor);
                subtract_row(out, n, i, k, factor);
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        *log_det += log(fabs(a[i * n + i]));
    for (size_t i = 0; i < n * n; i++)
        out[i] /= a[i / n * n + i / n];
    return true;
}

/* The product is followed by (weights @ components_.T + diagonal * I) ** -1, which is symmetric.
 * The logarithm of that matrix' determinant, before it is inverted. */
static double open_after(pickle__opener *o, projection *s, const double *components,
                         double diagonal)
{
    const pickle__affine *a = &s->there;
    size_t k = a->outputs, n = a->inputs;
    double *sums, *out, log_det = 0;

    if (k > MOST_INVERTED) {
        pickle__unsupported(o, "components_", "are too many here");
        return 0;
    }
    sums = pickle__keep(o, k * k, sizeof *sums);
    out = pickle__keep(o, k * k, sizeof *out);
    if (!sums || !out)
        return 0;
    for (size_t i = 0; i < k * k; i++) {
        const double *x = a->weights + i / k * n, *y = components + i % k * n;

        for (size_t j = 0; j < n; j++)
            sums[i] += x[j] * y[j];
        if (i / k == i % k) {
            sums[i] += diagonal;
            out[i] = 1;
        }
    }
    if (!invert(sums, out, k, &log_det))
        pickle__unsupported(o, "components_", "do not make a matrix that has an inverse");
    s->after = (pickle__affine){ .inputs = k, .outputs = k, .weights = out };
    return log_det;
}

static void open_factor_analysis(pickle__opener *o)
{
    projection *s = open_matrix(o, PICKLE__F64);
    size_t k = s->there.outputs, n = s->there.inputs;
    const double *noise, *components = s->there.weights;
    double *weights, *precision = pickle__keep(o, n, sizeof *precision), log_det = 0;

    open_mean(o, s);
    noise = pickle__need_row(o, "noise_variance_", n);
    weights = pickle__ok(o) ? pickle__keep(o, k * n, sizeof *weights) : NULL;
    if (!weights || !noise || !precision)
        return;
    for (size_t i = 0; i < k * n; i++)
        weights[i] = components[i] / noise[i % n];
    s->there.weights = weights;
    s->there.weights_f32 = NULL;
    for (size_t j = 0; j < n; j++) {
        precision[j] = 1 / noise[j];
        log_det += log(noise[j]);
    }
    open_density(o, s, precision, NULL, log_det + open_after(o, s, components, 1));
}

/* What is left is found by a ridge regression on the components. */
static void open_sparse_pca(pickle__opener *o)
{
    projection *s = open_matrix(o, PICKLE__F64);
    double alpha = pickle__number(o, "ridge_alpha", 0.01);

    if (o->version < PICKLE__SKLEARN(0, 22, 0))
        pickle__unsupported(o, "normalize_components", "made a row's answer depend on the others");
    if (!(alpha > 0) || s->there.weights_f32)
        pickle__unsupported(o, "ridge_alpha", "makes a regression that is not known here");
    open_mean(o, s);
    if (!pickle__ok(o))
        return;
    open_after(o, s, s->there.weights, alpha);
    if (o->version >= PICKLE__SKLEARN(1, 2, 0))
        open_back(o, s, "components_", PICKLE__ROW_IS_INPUT);
}

#define DECOMPOSITION "decomposition"

const pickle__estimator pickle__decomposition_estimators[] = {
    { DECOMPOSITION, "PCA", open_pca },
    { DECOMPOSITION, "RandomizedPCA", open_randomized_pca },
    { DECOMPOSITION, "IncrementalPCA", open_incremental_pca },
    { DECOMPOSITION, "TruncatedSVD", open_truncated_svd },
    { DECOMPOSITION, "FastICA", open_fast_ica },
    { DECOMPOSITION, "FactorAnalysis", open_factor_analysis },
    { DECOMPOSITION, "SparsePCA", open_sparse_pca },
    { DECOMPOSITION, "MiniBatchSparsePCA", open_sparse_pca },
    { "neighbors", "NeighborhoodComponentsAnalysis", open_neighborhood_components },
    { "random_projection", "GaussianRandomProjection", open_projection },
    { "random_projection", "SparseRandomProjection", open_projection },
    { NULL, NULL, NULL },
};
