/* approximation.c - features whose products are near to kernels, made at random. */
#include "sklearn/affine.h"
#include "sklearn/scale.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------- RBFSampler and SkewedChi2Sampler */

/* scale * cos(x @ weights + offset); x may be logarithms. */
typedef struct fourier {
    pickle__affine waves;
    double scale;
    double skewedness;
    bool above_zero; /* refuses what is below 0, not what has no logarithm */
} fourier;

static bool to_waves(const fourier *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    bool narrow = false;
    double *wide;

    if (!pickle__affine_run(&s->waves, r, x, y))
        return false;
    narrow = y->kind == PICKLE_BATCH_F32;
    if (narrow && !pickle__as_f64(r, y, y))
        return false;
    wide = (double *)(uintptr_t)y->data;
    for (size_t i = 0; i < y->rows * y->cols; i++)
        wide[i] = cos(wide[i]) * s->scale;
    return !narrow || pickle__as_f32(r, y, y);
}

static bool sample_rbf(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y)
{
    return to_waves(m->state, r, x, y);
}

/* Logarithms in the type of their numbers. */
static bool take_logs(const fourier *s, pickle__run *r, const pickle_batch *x, double *out)
{
    bool narrow = x->kind == PICKLE_BATCH_F32;

    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++) {
            double v = narrow ? (double)pickle__row_f32(x, i)[j] : pickle__row(x, i)[j];
            double least = narrow ? (double)(float)-s->skewedness : -s->skewedness;

            if (s->above_zero ? v < 0 : v <= least)
                return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has a number that is too small");
            *out++ = log(narrow ? (double)((float)v - (float)least) : v - least);
        }
    }
    return true;
}

static bool sample_skewed(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    pickle_batch logs;
    double *out = pickle__new_f64(r, &logs, x->rows, x->cols);

    return out && take_logs(m->state, r, x, out) &&
           (x->kind != PICKLE_BATCH_F32 || pickle__as_f32(r, &logs, &logs)) &&
           to_waves(m->state, r, &logs, y);
}

static fourier *open_fourier(pickle__opener *o)
{
    fourier *s = pickle__state(o, sizeof *s);
    double components = pickle__number(o, "n_components", 100);

    pickle__open_affine(o, &s->waves, PICKLE__ROW_IS_INPUT, "random_weights_",
                        pickle__need(o, "random_weights_"), "random_offset_",
                        pickle__need(o, "random_offset_"));
    if (components < 1)
        pickle__bad(o, "n_components", "is not positive");
    s->scale = sqrt(2) / sqrt(components);
    pickle__has_features(o, s->waves.inputs);
    o->model->takes |= PICKLE__F32;
    return s;
}

static void open_rbf_sampler(pickle__opener *o)
{
    fourier *s = open_fourier(o);

    if (o->version >= PICKLE__SKLEARN(1, 2, 0))
        s->scale = sqrt(2 / pickle__number(o, "n_components", 100));
    o->model->takes |= PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, sample_rbf);
}

static void open_skewed_sampler(pickle__opener *o)
{
    fourier *s = open_fourier(o);

    s->skewedness = pickle__number(o, "skewedness", 1);
    s->above_zero = o->version < PICKLE__SKLEARN(0, 19, 0);
    pickle__method_is(o, PICKLE_TRANSFORM, sample_skewed);
}

/* ------------------------------------------------------- AdditiveChi2Sampler */

#define MOST_STEPS 1024

typedef struct chi2_sampler {
    size_t steps;
    double interval;
} chi2_sampler;

/* A number's feature in one of the 2 * steps - 1 parts: itself, then cosine and sine of each. */
static double chi2_feature(const chi2_sampler *s, double v, size_t part, bool whole)
{
    double j = (double)((part + 1) / 2), factor, wave;

    if (part == 0) {
        v = sqrt(v * s->interval);
    } else {
        factor = sqrt(2 * v * s->interval / cosh(M_PI * j * s->interval));
        wave = j * (s->interval * log(v));
        v = factor * (part % 2 == 1 ? cos(wave) : sin(wave));
    }
    return whole ? trunc(v) : v;
}

static bool sample_chi2_sparse(const chi2_sampler *s, pickle__run *r, const pickle_batch *x,
                               pickle_batch *y)
{
    size_t parts = 2 * s->steps - 1, n = 0;
    size_t nnz = x->rows ? (size_t)(x->indptr[x->rows] - x->indptr[0]) : 0;
    const double *data = x->data;
    pickle__csr to;

    if (nnz > SIZE_MAX / parts || x->cols > SIZE_MAX / parts)
        return pickle__run_no_memory(r);
    to = pickle__new_csr(r, y, x->rows, x->cols * parts, nnz * parts);
    if (!to.data)
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t part = 0; part < parts; part++) {
            for (int64_t e = x->indptr[i]; e < x->indptr[i + 1]; e++) {
                if (data[e] < 0)
                    return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has a number below 0");
                to.indices[n] = (int64_t)(part * x->cols) + x->indices[e];
                to.data[n++] = chi2_feature(s, data[e], part, x->integers);
            }
        }
        to.indptr[i + 1] = (int64_t)n;
    }
    y->integers = x->integers;
    return true;
}

/* An array of integers stays one, and takes whole numbers alone. */
static bool sample_chi2(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    const chi2_sampler *s = m->state;
    size_t parts = 2 * s->steps - 1;
    bool narrow = x->kind == PICKLE_BATCH_F32;
    pickle_batch wide;
    double *out;

    if (x->kind == PICKLE_BATCH_CSR)
        return sample_chi2_sparse(s, r, x, y);
    if (x->cols > SIZE_MAX / parts)
        return pickle__run_no_memory(r);
    out = pickle__new_f64(r, y, x->rows, x->cols * parts);
    if (!out || !pickle__as_f64(r, x, &wide))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        const double *row = pickle__row(&wide, i);

        for (size_t k = 0; k < x->cols * parts; k++) {
            double v = row[k % x->cols];

            if (v < 0)
                return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has a number below 0");
            *out++ = v == 0 ? 0 : chi2_feature(s, v, k / x->cols, x->integers);
        }
    }
    y->integers = x->integers;
    return !narrow || pickle__as_f32(r, y, y);
}

static void open_chi2_sampler(pickle__opener *o)
{
    static const double intervals[] = { 0, 0.8, 0.5, 0.4 };
    chi2_sampler *s = pickle__state(o, sizeof *s);
    int64_t steps = pickle__integer(o, "sample_steps", 2);
    const char *name = pickle__attr(o, "sample_interval_") ? "sample_interval_" : "sample_interval";

    if (steps < 1 || steps > MOST_STEPS)
        pickle__unsupported(o, "sample_steps", "is out of range");
    else if (steps > 3)
        pickle__need(o, name);
    if (!pickle__ok(o))
        return;
    s->steps = (size_t)steps;
    s->interval = pickle__number(o, name, steps <= 3 ? intervals[steps] : 0);
    o->model->takes |= PICKLE__F32 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, sample_chi2);
}

/* ----------------------------------------------------- PolynomialCountSketch */

/* A row takes n_components * columns steps, and the file has no proof of n_components. */
#define MOST_COMPONENTS 32768

typedef struct sketcher {
    size_t degree, n, components; /* n: columns, that of coef0 included */
    const int64_t *places;        /* indexHash_: a row of n for each degree */
    const int64_t *signs;         /* bitHash_ */
    double gamma, coef0;          /* roots */
    bool rounds;                  /* float32 stays that where a number multiplies it */
} sketcher;

static void count_sketch(const sketcher *s, size_t degree, const double *x, double *out)
{
    const int64_t *places = s->places + degree * s->n, *signs = s->signs + degree * s->n;

    memset(out, 0, s->components * sizeof *out);
    for (size_t j = 0; j < s->n; j++)
        out[places[j]] += (double)signs[j] * x[j];
}

/* The circular convolution, which scikit-learn finds by Fourier transforms. */
static void convolve(const double *x, const double *y, size_t n, double *out)
{
    memset(out, 0, n * sizeof *out);
    for (size_t k = 0; k < n; k++) {
        if (y[k] == 0)
            continue;
        for (size_t i = 0; i < n - k; i++)
            out[i + k] += x[i] * y[k];
        for (size_t i = n - k; i < n; i++)
            out[i + k - n] += x[i] * y[k];
    }
}

static void scale_row(const sketcher *s, const double *x, size_t cols, bool narrow, double *out)
{
    for (size_t j = 0; j < cols; j++)
        out[j] = narrow && s->rounds ? (double)((float)x[j] * (float)s->gamma) : x[j] * s->gamma;
    if (s->n > cols)
        out[cols] = s->coef0;
}

static bool sketch(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const sketcher *s = m->state;
    double *row = pickle__take(r, s->n, sizeof *row);
    double *one = pickle__take(r, s->components, sizeof *one);
    double *before = pickle__take(r, s->components, sizeof *before);
    double *out = pickle__new_f64(r, y, x->rows, s->components);
    pickle_batch wide;

    if (!row || !one || !before || !out || !pickle__as_f64(r, x, &wide))
        return false;
    for (size_t i = 0; i < x->rows; i++, out += s->components) {
        scale_row(s, pickle__row(&wide, i), x->cols, x->kind == PICKLE_BATCH_F32, row);
        count_sketch(s, 0, row, out);
        for (size_t d = 1; d < s->degree; d++) {
            memcpy(before, out, s->components * sizeof *out);
            count_sketch(s, d, row, one);
            convolve(before, one, s->components, out);
        }
    }
    return true;
}

static void open_sketch(pickle__opener *o)
{
    sketcher *s = pickle__state(o, sizeof *s);
    size_t places = 0, signs = 0;
    int64_t degree = pickle__integer(o, "degree", 2);
    int64_t components = pickle__integer(o, "n_components", 100);
    double coef0 = pickle__number(o, "coef0", 0);

    s->places = pickle__need_integers(o, "indexHash_", &places);
    s->signs = pickle__need_integers(o, "bitHash_", &signs);
    if (components < 1 || components > MOST_COMPONENTS)
        pickle__unsupported(o, "n_components", "is out of range");
    if (!pickle__ok(o))
        return;
    if (degree < 1 || places != signs || (uint64_t)degree > places ||
        places % (size_t)degree != 0 || places / (size_t)degree <= (coef0 != 0)) {
        pickle__bad(o, "indexHash_", "is not a row of places for each degree");
        return;
    }
    for (size_t i = 0; i < places; i++) {
        if (s->places[i] < 0 || s->places[i] >= components ||
            (s->signs[i] != 1 && s->signs[i] != -1)) {
            pickle__bad(o, "indexHash_", "has a place outside of the components");
            return;
        }
    }
    s->degree = (size_t)degree;
    s->components = (size_t)components;
    s->n = places / s->degree;
    s->gamma = sqrt(pickle__number(o, "gamma", 1));
    s->coef0 = sqrt(coef0);
    s->rounds = !pickle__with_numpy2(o, pickle__attr(o, "indexHash_"));
    pickle__has_features(o, s->n - (coef0 != 0));
    o->model->takes |= PICKLE__F32 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, sketch);
}

const pickle__estimator pickle__approximation_estimators[] = {
    { "kernel_approximation", "RBFSampler", open_rbf_sampler },
    { "kernel_approximation", "SkewedChi2Sampler", open_skewed_sampler },
    { "kernel_approximation", "AdditiveChi2Sampler", open_chi2_sampler },
    { "kernel_approximation", "PolynomialCountSketch", open_sketch },
    { NULL, NULL, NULL },
};
