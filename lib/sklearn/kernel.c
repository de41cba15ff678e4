/* kernel.c - what learned weights of kernels: KernelRidge, KernelPCA, Nystroem. */
#include "sklearn/kernels.h"

#include <math.h>

typedef struct kernel_model {
    pickle__kernels kernels, back_kernels; /* back: inverse_transform */
    const pickle_model *center;            /* NULL: none */
    pickle__affine weights, back;
} kernel_model;

static bool run(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const kernel_model *s = m->state;

    return pickle__kernels_run(&s->kernels, s->center, &s->weights, r, x, y);
}

static bool inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const kernel_model *s = m->state;

    return pickle__check_input(m, r, x, s->back_kernels.features) &&
           pickle__kernels_run(&s->back_kernels, NULL, &s->back, r, x, y);
}

/* ------------------------------------------------------------------ opening */

static void open_fitted(pickle__opener *o, kernel_model *s, const char *rows)
{
    pickle__open_kernels(o, &s->kernels, rows);
    if (!pickle__ok(o))
        return;
    pickle__has_features(o, s->kernels.features);
    if (pickle__kernels_take_sparse(&s->kernels))
        o->model->takes |= PICKLE__CSR;
}

/* dual_coef_: a number, or a row, for each fitted row. */
static void open_dual(pickle__opener *o, const pickle__kernels *k, pickle__affine *a)
{
    const pickle_val *v = pickle__need(o, "dual_coef_");
    pickle__matrix m = pickle__numbers_of(o, "dual_coef_", v);

    if (!pickle__ok(o))
        return;
    pickle__open_affine(o, a, m.ndim == 2 ? PICKLE__ROW_IS_INPUT : PICKLE__ROW_IS_OUTPUT,
                        "dual_coef_", v, NULL, NULL);
    if (pickle__ok(o) && a->inputs != k->count)
        pickle__bad(o, "dual_coef_", "is not of as many rows as were fitted");
}

static void open_ridge(pickle__opener *o)
{
    kernel_model *s = pickle__state(o, sizeof *s);

    open_fitted(o, s, "X_fit_");
    open_dual(o, &s->kernels, &s->weights);
    if (!pickle__ok(o))
        return;
    o->model->outputs = s->weights.outputs;
    pickle__method_is(o, PICKLE_PREDICT, run);
}

/* normalization_, by which kernels become features. */
static void open_nystroem(pickle__opener *o)
{
    kernel_model *s = pickle__state(o, sizeof *s);
    const pickle_val *settings = pickle__attr(o, "kernel_params");

    if (settings && pickle_len(settings) != 0)
        pickle__unsupported(o, "kernel_params", "is not empty");
    open_fitted(o, s, "components_");
    pickle__open_affine(o, &s->weights, PICKLE__ROW_IS_OUTPUT, "normalization_",
                        pickle__need(o, "normalization_"), NULL, NULL);
    if (pickle__ok(o) && s->weights.inputs != s->kernels.count)
        pickle__bad(o, "normalization_", "is not for as many rows as components_ has");
    pickle__method_is(o, PICKLE_TRANSFORM, run);
}

/* Eigenvectors over the roots of their eigenvalues; of those that are 0 nothing, since 0.21. */
static void open_components(pickle__opener *o, kernel_model *s)
{
    const pickle_val *roots = pickle__either(o, "eigenvalues_", "lambdas_");
    const pickle_val *vectors = pickle__either(o, "eigenvectors_", "alphas_");
    pickle__matrix values = pickle__numbers_of(o, "eigenvalues_", roots);
    pickle__matrix m = pickle__numbers_of(o, "eigenvectors_", vectors);
    bool divides_by_zero = o->version < PICKLE__SKLEARN(0, 21, 0);
    double *weights;

    if (!pickle__ok(o))
        return;
    if (m.ndim != 2 || m.rows != s->kernels.count || m.cols == 0 ||
        values.rows * values.cols != m.cols) {
        pickle__bad(o, "eigenvectors_", "are not one for each eigenvalue, of all fitted rows");
        return;
    }
    weights = pickle__keep(o, m.rows * m.cols, sizeof *weights);
    for (size_t i = 0; weights && i < m.rows * m.cols; i++) {
        double value = values.data[i % m.cols];

        if (value != 0 || divides_by_zero)
            weights[i % m.cols * m.rows + i / m.cols] = m.data[i] / sqrt(value);
    }
    s->weights = (pickle__affine){ m.rows, m.cols, weights, NULL, NULL, NULL };
}

static void open_inverse(pickle__opener *o, kernel_model *s)
{
    pickle__open_kernels(o, &s->back_kernels, "X_transformed_fit_");
    open_dual(o, &s->back_kernels, &s->back);
    if (pickle__ok(o) && s->back_kernels.features != s->weights.outputs)
        pickle__bad(o, "X_transformed_fit_", "has not a column for each component");
    else if (pickle__ok(o) && s->back_kernels.kind == PICKLE__PRECOMPUTED_KERNEL)
        pickle__bad(o, "fit_inverse_transform", "is not for a kernel that is computed before");
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, inverse);
}

static void open_pca(pickle__opener *o)
{
    kernel_model *s = pickle__state(o, sizeof *s);
    const pickle_val *center = pickle__need(o, "_centerer");

    open_fitted(o, s, "X_fit_");
    open_components(o, s);
    if (!pickle__ok(o))
        return;
    s->center = pickle__open_part(o, "_centerer", 0, center);
    if (!s->center->refused && s->center->features != s->kernels.count)
        pickle__bad(o, "_centerer", "is not for as many rows as were fitted");
    pickle__method_is(o, PICKLE_TRANSFORM, run);
    /* 0.23 added alpha to a row's kernel with the fitted one of the same place in the batch. */
    if (pickle__flag(o, "fit_inverse_transform", false) && o->version / 100 != 23)
        open_inverse(o, s);
}

const pickle__estimator pickle__kernel_estimators[] = {
    { "kernel_ridge", "KernelRidge", open_ridge },
    { "kernel_approximation", "Nystroem", open_nystroem },
    { "decomposition", "KernelPCA", open_pca },
    { NULL, NULL, NULL },
};
