/* pls.c - partial least squares: what X and Y have in common. */
#include "sklearn/affine.h"

typedef struct pls {
    size_t features;
    const double *mean, *std; /* of X */
    bool scales_to_predict;   /* coef_ is for what is divided by std as well */
    pickle__affine coef, rotations, loadings;
} pls;

/* (X - mean) / std, each step in the type of X, as numpy works in place. */
static bool standardize(const pls *p, pickle__run *r, bool scale, const pickle_batch *x,
                        pickle_batch *y)
{
    bool f32 = x->kind == PICKLE_BATCH_F32;
    pickle_batch from;
    double *out;

    if (!pickle__as_f64(r, x, &from))
        return false;
    out = pickle__new_f64(r, y, x->rows, x->cols);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(&from, i);

        for (size_t j = 0; j < x->cols; j++) {
            double v = row[j] - p->mean[j];

            if (f32)
                v = (double)(float)v;
            if (scale)
                v /= p->std[j];
            *out++ = f32 ? (double)(float)v : v;
        }
    }
    return y->data != NULL;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const pls *p = m->state;
    pickle_batch standard;

    return standardize(p, r, p->scales_to_predict, x, &standard) &&
           pickle__affine_run(&p->coef, r, &standard, y);
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const pls *p = m->state;
    pickle_batch standard;

    return standardize(p, r, true, x, &standard) &&
           pickle__affine_run(&p->rotations, r, &standard, y);
}

static bool inverse(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const pls *p = m->state;
    pickle_batch standard;
    double *out;

    if (x->cols != p->loadings.inputs)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has %zu columns, but there are %zu",
                                x->cols, p->loadings.inputs);
    if (!pickle__affine_run(&p->loadings, r, x, &standard))
        return false;
    out = pickle__new_f64(r, y, x->rows, p->features);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(&standard, i);

        for (size_t j = 0; j < p->features; j++)
            *out++ = row[j] * p->std[j] + p->mean[j];
    }
    return y->data != NULL;
}

/* ------------------------------------------------------------------ opening */

/* The attributes' names lost an underscore at one end in 0.24, and got one at the other. */
static const char *renamed(const pickle__opener *o, const char *older, const char *name)
{
    return o->version < PICKLE__SKLEARN(0, 24, 0) ? older : name;
}

static void open_matrix(pickle__opener *o, pickle__affine *a, pickle__layout layout,
                        const char *name, const char *bias)
{
    pickle__open_affine(o, a, layout, name, pickle__need(o, name), bias,
                        bias ? pickle__need(o, bias) : NULL);
}

static pls *open_transform(pickle__opener *o, const char *rotations)
{
    pls *p = pickle__state(o, sizeof *p);

    open_matrix(o, &p->rotations, PICKLE__ROW_IS_INPUT, rotations, NULL);
    p->features = p->rotations.inputs;
    pickle__has_features(o, p->features);
    p->mean = pickle__need_row(o, renamed(o, "x_mean_", "_x_mean"), p->features);
    p->std = pickle__need_row(o, renamed(o, "x_std_", "_x_std"), p->features);
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
    return p;
}

static void open_svd(pickle__opener *o)
{
    open_transform(o, "x_weights_");
}

/* coef_ is turned since 1.1, and for what is not divided since 1.5. */
static void open_pls(pickle__opener *o)
{
    pls *p = open_transform(o, "x_rotations_");
    bool turned = o->version >= PICKLE__SKLEARN(1, 1, 0);
    bool hidden = turned && o->version < PICKLE__SKLEARN(1, 3, 0);

    o->model->takes |= PICKLE__F32;
    open_matrix(o, &p->coef, turned ? PICKLE__ROW_IS_OUTPUT : PICKLE__ROW_IS_INPUT,
                hidden ? "_coef_" : "coef_",
                turned ? "intercept_" : renamed(o, "y_mean_", "_y_mean"));
    open_matrix(o, &p->loadings, PICKLE__ROW_IS_OUTPUT, "x_loadings_", NULL);
    if (!pickle__ok(o))
        return;
    if (p->coef.inputs != p->features || p->loadings.outputs != p->features) {
        pickle__bad(o, "coef_", "has another size than the rest");
        return;
    }
    p->scales_to_predict = o->version < PICKLE__SKLEARN(1, 5, 0);
    o->model->outputs = p->coef.outputs;
    pickle__method_is(o, PICKLE_PREDICT, predict);
    if (o->version >= PICKLE__SKLEARN(0, 22, 0))
        pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, inverse);
}

#define CROSS "cross_decomposition"

const pickle__estimator pickle__pls_estimators[] = {
    { CROSS, "PLSRegression", open_pls },
    { CROSS, "PLSCanonical", open_pls },
    { CROSS, "CCA", open_pls },
    { CROSS, "PLSSVD", open_svd },
    { NULL, NULL, NULL },
};
