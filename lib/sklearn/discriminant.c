/* discriminant.c - linear and quadratic discriminant analysis. */
#include "sklearn/linear.h"
#include "sklearn/numeric.h"

#include <float.h>
#include <string.h>

/* ------------------------------------------------------------------- linear */

typedef struct lda {
    pickle__linear linear;
    pickle__affine scalings; /* of transform */
    const double *xbar;      /* NULL: nothing is subtracted */
} lda;

/* Zeros become the least normal number, since 0.24. */
static bool lda_log_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    pickle_batch proba;
    double *out, least;

    if (!pickle__linear_proba(m, r, x, &proba))
        return false;
    least = proba.kind == PICKLE_BATCH_F32 ? FLT_MIN : DBL_MIN;
    if (!pickle__as_f64(r, &proba, &proba))
        return false;
    out = pickle__new_f64(r, y, proba.rows, proba.cols);
    for (size_t i = 0; out && i < proba.rows * proba.cols; i++) {
        double p = ((const double *)proba.data)[i];

        out[i] = log(p == 0 ? least : p);
    }
    return out != NULL;
}

/* X - mean, as float32 if that is what both are. */
static bool center(const double *mean, bool f32, pickle__run *r, const pickle_batch *x,
                   pickle_batch *y)
{
    pickle_batch from;
    double *out;

    if (!pickle__as_f64(r, x, &from))
        return false;
    out = pickle__new_f64(r, y, x->rows, x->cols);
    for (size_t i = 0; out && i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++)
            *out++ = pickle__row(&from, i)[j] - mean[j];
    }
    return y->data && (!f32 || pickle__as_f32(r, y, y));
}

static bool lda_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const lda *l = m->state;
    pickle_batch centered = *x;

    bool f32 = x->kind == PICKLE_BATCH_F32 && l->scalings.weights_f32;

    if (l->xbar && !center(l->xbar, f32, r, x, &centered))
        return false;
    return pickle__affine_run(&l->scalings, r, &centered, y);
}

static void open_transform(pickle__opener *o, lda *l, bool centers)
{
    int64_t most = pickle__integer(o, "_max_components", INT32_MAX);

    pickle__open_affine(o, &l->scalings, PICKLE__ROW_IS_INPUT, "scalings_",
                        pickle__need(o, "scalings_"), NULL, NULL);
    if (centers)
        l->xbar = pickle__need_row(o, "xbar_", l->scalings.inputs);
    if (!pickle__ok(o))
        return;
    if (l->scalings.inputs != o->model->features || most < 1) {
        pickle__bad(o, "scalings_", "has another size than coef_");
        return;
    }
    /* Rows of weights are outputs: the first of them are kept. */
    if ((uint64_t)most < l->scalings.outputs)
        l->scalings.outputs = (size_t)most;
    pickle__method_is(o, PICKLE_TRANSFORM, lda_transform);
}

static void open_lda(pickle__opener *o)
{
    enum { SVD, EIGEN, LSQR };
    lda *l = pickle__state(o, sizeof *l);
    int solver = pickle__choice(o, "solver", SVD, "svd", "eigen", "lsqr", NULL);
    bool softmax = o->version >= PICKLE__SKLEARN(0, 21, 0);

    pickle__open_classifier(o, &l->linear, "classes_", pickle__need(o, "classes_"));
    o->model->takes &= ~PICKLE__CSR;
    if (solver != LSQR && pickle__ok(o))
        open_transform(o, l, solver == SVD);
    l->linear.proba = softmax && l->linear.scores.outputs > 1 ? PICKLE__SOFTMAX : PICKLE__SIGMOIDS;
    pickle__method_is(o, PICKLE_PREDICT_PROBA, pickle__linear_proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA,
                      o->version >= PICKLE__SKLEARN(0, 24, 0) ? lda_log_proba : pickle__log_proba);
}

/* ---------------------------------------------------------------- quadratic */

typedef struct qda_class {
    const double *mean;
    pickle__affine rotation; /* to where its rows have variance 1 in all directions */
    double log_scale, log_prior;
} qda_class;

typedef struct qda {
    size_t count;
    qda_class *classes;
} qda;

/* How far each row, rotated, is from the middle, squared. */
static bool distances(pickle__run *r, const pickle_batch *x, double *out)
{
    double *row = pickle__take(r, x->cols, sizeof *row);
    float *narrow = (float *)row;

    for (size_t i = 0; row && i < x->rows; i++) {
        if (x->kind == PICKLE_BATCH_F32) {
            for (size_t j = 0; j < x->cols; j++)
                narrow[j] = pickle__row_f32(x, i)[j] * pickle__row_f32(x, i)[j];
            out[i] = (double)pickle__sum_f32(narrow, x->cols);
        } else {
            for (size_t j = 0; j < x->cols; j++)
                row[j] = pickle__row(x, i)[j] * pickle__row(x, i)[j];
            out[i] = pickle__sum(row, x->cols);
        }
    }
    return row != NULL;
}

/* The log of what is left of a class's density at each row, into every `step`th of `out`. */
static bool add_class(const qda_class *c, pickle__run *r, const pickle_batch *x, size_t step,
                      double *out)
{
    bool f32 = x->kind == PICKLE_BATCH_F32 && c->rotation.weights_f32;
    pickle_batch moved, rotated;
    double *far;

    if (!center(c->mean, f32, r, x, &moved) ||
        !pickle__affine_run(&c->rotation, r, &moved, &rotated))
        return false;
    far = pickle__take(r, x->rows, sizeof *far);
    if (!far || !distances(r, &rotated, far))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        double sum = far[i] + c->log_scale;

        out[i * step] = -0.5 * (f32 ? (double)(float)sum : sum) + c->log_prior;
    }
    return true;
}

static bool qda_joint(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const qda *q = m->state;
    double *out = pickle__new_f64(r, y, x->rows, q->count);

    if (!out)
        return false;
    for (size_t k = 0; k < q->count; k++) {
        pickle__pool_mark mark = pickle__pool_here(&r->pool);

        if (!add_class(&q->classes[k], r, x, q->count, out + k))
            return false;
        pickle__pool_release(&r->pool, mark);
    }
    return true;
}

static bool qda_scores(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y)
{
    pickle_batch joint;
    double *out;

    if (m->classes->count != 2)
        return qda_joint(m, r, x, y);
    if (!qda_joint(m, r, x, &joint))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = pickle__row(&joint, i)[1] - pickle__row(&joint, i)[0];
    return out != NULL;
}

static bool qda_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    pickle_batch joint;

    return qda_joint(m, r, x, &joint) && pickle__argmax(r, &joint, y);
}

/* A row of logs, less its largest, as the logs of probabilities; the sum goes class by class. */
static void to_log_proba(double *row, size_t n)
{
    double most = row[pickle__largest(row, n)], sum = 0;

    for (size_t k = 0; k < n; k++) {
        row[k] -= most;
        sum += exp(row[k]);
    }
    for (size_t k = 0; k < n; k++)
        row[k] -= log(sum);
}

static void to_proba(double *row, size_t n)
{
    double most = row[pickle__largest(row, n)], sum = 0;

    for (size_t k = 0; k < n; k++) {
        row[k] = exp(row[k] - most);
        sum += row[k];
    }
    for (size_t k = 0; k < n; k++)
        row[k] /= sum;
}

/* Since 1.6 probabilities are made of their logs; before, it was the other way around. */
static bool qda_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    bool logs_first = m->version >= PICKLE__SKLEARN(1, 6, 0);
    bool logs = r->method == PICKLE_PREDICT_LOG_PROBA;
    size_t n = m->classes->count;
    pickle_batch joint;
    double *row;

    if (!qda_joint(m, r, x, &joint) || !(row = pickle__new_f64(r, y, x->rows, n)))
        return false;
    memcpy(row, joint.data, x->rows * n * sizeof *row);
    for (size_t i = 0; i < x->rows; i++, row += n) {
        (logs_first ? to_log_proba : to_proba)(row, n);
        for (size_t k = 0; logs != logs_first && k < n; k++)
            row[k] = logs ? log(row[k]) : exp(row[k]);
    }
    return true;
}

/* rotations_ and scalings_ of a class: each direction over its standard deviation. */
static void open_class(pickle__opener *o, qda_class *c, const pickle_val *rotation,
                       const pickle_val *scaling, size_t features)
{
    pickle__matrix s = pickle__numbers_of(o, "scalings_", scaling);
    double *logs, *weights;
    float *narrow;
    bool f32;

    pickle__open_affine(o, &c->rotation, PICKLE__ROW_IS_INPUT, "rotations_", rotation, NULL, NULL);
    if (!pickle__ok(o))
        return;
    if (c->rotation.inputs != features || s.rows != 1 || s.cols != c->rotation.outputs) {
        pickle__bad(o, "rotations_", "has another shape than the rest");
        return;
    }
    f32 = c->rotation.weights_f32 && s.f32;
    logs = pickle__keep(o, s.cols, sizeof *logs);
    weights = pickle__keep(o, s.cols * features, sizeof *weights);
    narrow = pickle__keep(o, s.cols * features, sizeof *narrow);
    if (!logs || !weights || !narrow)
        return;
    for (size_t k = 0; k < s.cols; k++) {
        double scale = pow(s.data[k], -0.5);

        logs[k] = log(s.data[k]);
        for (size_t j = 0; j < features; j++) {
            double w = c->rotation.weights[k * features + j];

            narrow[k * features + j] = (float)(w * (double)(float)scale);
            weights[k * features + j] = f32 ? (double)narrow[k * features + j] : w * scale;
        }
    }
    c->log_scale = pickle__sum(logs, s.cols);
    c->rotation.weights = weights;
    c->rotation.weights_f32 = f32 ? narrow : NULL;
}

static void open_qda(pickle__opener *o)
{
    qda *q = pickle__state(o, sizeof *q);
    size_t n_rotations = 0, n_scalings = 0;
    pickle__matrix means = pickle__need_numbers(o, "means_");
    const pickle_val *rotations =
        pickle__items(o, "rotations_", pickle__need(o, "rotations_"), &n_rotations);
    const pickle_val *scalings =
        pickle__items(o, "scalings_", pickle__need(o, "scalings_"), &n_scalings);
    const double *priors = pickle__need_row(o, "priors_", means.rows);

    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    q->count = o->model->classes->count;
    if (o->model->outputs != 1 || means.rows != q->count || means.cols == 0 ||
        n_rotations != q->count || n_scalings != q->count) {
        pickle__bad(o, "means_", "is of more or fewer classes than the rest");
        return;
    }
    pickle__has_features(o, means.cols);
    o->model->takes |= PICKLE__F32;
    q->classes = pickle__keep(o, q->count, sizeof *q->classes);
    for (size_t k = 0; q->classes && k < q->count; k++) {
        q->classes[k].mean = means.data + k * means.cols;
        q->classes[k].log_prior = log(priors[k]);
        open_class(o, &q->classes[k], pickle_at(rotations, k), pickle_at(scalings, k), means.cols);
    }
    pickle__method_is(o, PICKLE_PREDICT, qda_predict);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, qda_scores);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, qda_proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, qda_proba);
}

const pickle__estimator pickle__discriminant_estimators[] = {
    { "discriminant_analysis", "LinearDiscriminantAnalysis", open_lda },
    { "discriminant_analysis", "QuadraticDiscriminantAnalysis", open_qda },
    { NULL, NULL, NULL },
};
