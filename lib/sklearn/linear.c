/* linear.c - linear models: X @ coef_.T + intercept_, and what is made of it. */
#include "sklearn/linear.h"

#include "sklearn/numeric.h"

#include <string.h>

void pickle__open_scores(pickle__opener *o, pickle__linear *l)
{
    pickle__open_affine(o, &l->scores, PICKLE__ROW_IS_OUTPUT, "coef_", pickle__need(o, "coef_"),
                        "intercept_", pickle__need(o, "intercept_"));
    pickle__has_features(o, l->scores.inputs);
    o->model->takes |= PICKLE__F32 | PICKLE__CSR;
}

bool pickle__linear_scores(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    const pickle__linear *l = m->state;

    return pickle__affine_run(&l->scores, r, x, y);
}

/* --------------------------------------------------------------- regressors */

static void open_regressor(pickle__opener *o)
{
    pickle__linear *l = pickle__state(o, sizeof *l);

    pickle__open_scores(o, l);
    o->model->outputs = l->scores.outputs;
    pickle__method_is(o, PICKLE_PREDICT, pickle__linear_scores);
    /* Its name before 0.19, next to predict. */
    if (o->version < PICKLE__SKLEARN(0, 19, 0))
        pickle__method_is(o, PICKLE_DECISION_FUNCTION, pickle__linear_scores);
}

static bool predict_exp(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    pickle_batch scores;
    bool f32;
    double *out;

    if (!pickle__linear_scores(m, r, x, &scores))
        return false;
    f32 = scores.kind == PICKLE_BATCH_F32;
    if (!pickle__as_f64(r, &scores, &scores))
        return false;
    out = pickle__new_f64(r, y, scores.rows, scores.cols);
    for (size_t i = 0; out && i < scores.rows * scores.cols; i++)
        out[i] = exp(((const double *)scores.data)[i]);
    return out && (!f32 || pickle__as_f32(r, y, y));
}

static void open_log_link(pickle__opener *o)
{
    open_regressor(o);
    pickle__method_is(o, PICKLE_PREDICT, predict_exp);
}

/* The power of a TweedieRegressor; before 1.1 its distribution has it. */
static double tweedie_power(pickle__opener *o)
{
    const pickle_val *family = pickle__attr(o, "family");
    pickle_cell cell;
    double power = 0;

    if (o->version >= PICKLE__SKLEARN(1, 1, 0) || !family)
        return pickle__number(o, "power", 0);
    if (!pickle__cell_of(o, pickle_attr(family, "_power"), &cell) ||
        !pickle__cell_number(&cell, &power))
        pickle__unsupported(o, "family", "is no distribution that is known here");
    return power;
}

static void open_tweedie(pickle__opener *o)
{
    enum { AUTO, IDENTITY, LOG };
    int link = pickle__choice(o, "link", AUTO, "auto", "identity", "log", NULL);

    open_regressor(o);
    if (link == LOG || (link == AUTO && tweedie_power(o) > 0))
        pickle__method_is(o, PICKLE_PREDICT, predict_exp);
}

static bool predict_with_part(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    return pickle__run_method(m->parts->model, PICKLE_PREDICT, r, x, y);
}

static void open_ransac(pickle__opener *o)
{
    const pickle_model *part = pickle__open_part(o, "estimator_", 0, pickle__need(o, "estimator_"));

    pickle__take_as(o, part);
    o->model->outputs = part->outputs;
    if (part->classes)
        pickle__unsupported(o, "estimator_", "is a classifier");
    pickle__method_is(o, PICKLE_PREDICT, predict_with_part);
}

/* -------------------------------------------------------------- classifiers */

bool pickle__linear_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    pickle_batch scores;
    double *out;

    if (!pickle__linear_scores(m, r, x, &scores))
        return false;
    if (scores.cols > 1)
        return pickle__argmax(r, &scores, y);
    if (!pickle__as_f64(r, &scores, &scores))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++) {
        out[i] = *pickle__row(&scores, i) > 0;
        if (out[i] >= (double)m->classes->count)
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu is of a class that is not there",
                                    r->first_row + i);
    }
    return out != NULL;
}

/* Over their sum. */
static void normalize(double *p, size_t n, bool or_even)
{
    double sum = pickle__sum(p, n);
    bool even = or_even && sum == 0;

    for (size_t k = 0; k < n; k++)
        p[k] = even ? 1 / (double)n : p[k] / sum;
}

/* One row of scores, of `n` outputs, as probabilities of so many classes, or of two. What is the
 * complement of a float32 is 0 sooner than that of a double. */
static void to_proba(pickle__proba how, bool f32, const double *scores, size_t n, double *p)
{
    size_t first = n == 1; /* class 0 is what class 1 is not */

    if (how == PICKLE__SOFTMAX) {
        p[0] = -scores[0];
        memcpy(p + first, scores, n * sizeof *p);
        pickle__softmax(p, n + first);
        return;
    }
    for (size_t k = 0; k < n; k++) {
        double d = scores[k];

        if (how == PICKLE__CLIPPED)
            p[k + first] = ((d < -1 ? -1 : d > 1 ? 1 : d) + 1) / 2;
        else
            p[k + first] = pickle__expit(d);
        if (f32)
            p[k + first] = (double)(float)p[k + first];
    }
    if (n == 1)
        p[0] = 1 - p[1];
    else
        normalize(p, n, how != PICKLE__SIGMOIDS);
}

bool pickle__linear_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const pickle__linear *l = m->state;
    size_t classes = l->scores.outputs + (l->scores.outputs == 1);
    pickle_batch scores;
    bool f32;
    double *out;

    if (!pickle__affine_run(&l->scores, r, x, &scores))
        return false;
    f32 = scores.kind == PICKLE_BATCH_F32;
    if (!pickle__as_f64(r, &scores, &scores))
        return false;
    out = pickle__new_f64(r, y, x->rows, classes);
    for (size_t i = 0; out && i < x->rows; i++)
        to_proba(l->proba, f32, pickle__row(&scores, i), scores.cols, out + i * classes);
    return out && (!f32 || pickle__as_f32(r, y, y));
}

void pickle__open_classifier(pickle__opener *o, pickle__linear *l, const char *name,
                             const pickle_val *classes)
{
    pickle__labels *labels = pickle__keep(o, 1, sizeof *labels);

    pickle__open_scores(o, l);
    if (!labels || !pickle__ok(o))
        return;
    *labels = pickle__labels_of(o, name, classes);
    if (!pickle__ok(o))
        return;
    if (l->scores.outputs == 1 ? labels->count < 1 || labels->count > 2
                               : labels->count != l->scores.outputs) {
        pickle__bad(o, name, "are more or fewer than coef_ is for");
        return;
    }
    o->model->classes = labels;
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, pickle__linear_scores);
    pickle__method_is(o, PICKLE_PREDICT, pickle__linear_predict);
}

static pickle__linear *open_plain_classifier(pickle__opener *o)
{
    pickle__linear *l = pickle__state(o, sizeof *l);

    pickle__open_classifier(o, l, "classes_", pickle__need(o, "classes_"));
    return l;
}

static void open_without_proba(pickle__opener *o)
{
    open_plain_classifier(o);
}

static void open_proba(pickle__opener *o, pickle__linear *l, pickle__proba how)
{
    l->proba = how;
    pickle__method_is(o, PICKLE_PREDICT_PROBA, pickle__linear_proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
}

/* Which versions ask what, to know whether classes were fitted one against the rest. */
static bool is_one_against_rest(pickle__opener *o, const pickle__linear *l)
{
    enum { OVR, WARN, MULTINOMIAL, AUTO, DEPRECATED };
    int way = pickle__choice(o, "multi_class", o->version < PICKLE__SKLEARN(0, 20, 0) ? OVR : AUTO,
                             "ovr", "warn", "multinomial", "auto", "deprecated", NULL);
    const char *solver = pickle__text(o, "solver", "lbfgs");

    if (o->version < PICKLE__SKLEARN(0, 20, 0))
        return l->scores.outputs == 1 || way == OVR;
    if (way != AUTO && way != DEPRECATED)
        return way != MULTINOMIAL;
    if (l->scores.outputs == 1 || (solver && strcmp(solver, "liblinear") == 0))
        return true;
    return o->version >= PICKLE__SKLEARN(1, 2, 0) && o->version < PICKLE__SKLEARN(1, 6, 0) &&
           solver && strcmp(solver, "newton-cholesky") == 0;
}

static pickle__proba sigmoids(const pickle__opener *o)
{
    return o->version >= PICKLE__SKLEARN(1, 9, 0) ? PICKLE__SIGMOIDS_OR_EVEN : PICKLE__SIGMOIDS;
}

static void open_logistic(pickle__opener *o)
{
    pickle__linear *l = open_plain_classifier(o);
    bool ovr =
        o->version >= PICKLE__SKLEARN(1, 8, 0) ? l->scores.outputs == 1 : is_one_against_rest(o, l);

    open_proba(o, l, ovr ? sigmoids(o) : PICKLE__SOFTMAX);
}

static void open_sgd_classifier(pickle__opener *o)
{
    pickle__linear *l = open_plain_classifier(o);
    enum { LOG_LOSS, LOG, MODIFIED_HUBER };
    int loss = pickle__choice(o, "loss", -1, "log_loss", "log", "modified_huber", "hinge",
                              "squared_hinge", "perceptron", "squared_loss", "squared_error",
                              "huber", "epsilon_insensitive", "squared_epsilon_insensitive", NULL);

    if (loss == LOG_LOSS || loss == LOG)
        open_proba(o, l, sigmoids(o));
    else if (loss == MODIFIED_HUBER)
        open_proba(o, l, PICKLE__CLIPPED);
}

/* ---------------------------------------------------------- RidgeClassifier */

/* Several labels at once: each by itself. */
static bool predict_multilabel(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                               pickle_batch *y)
{
    pickle_batch scores;
    double *out;

    if (!pickle__linear_scores(m, r, x, &scores) || !pickle__as_f64(r, &scores, &scores))
        return false;
    out = pickle__new_f64(r, y, scores.rows, scores.cols);
    y->integers = true;
    for (size_t i = 0; out && i < scores.rows * scores.cols; i++)
        out[i] = ((const double *)scores.data)[i] > 0;
    return out != NULL;
}

static void open_ridge_classifier(pickle__opener *o)
{
    pickle__linear *l = pickle__state(o, sizeof *l);
    const pickle_val *binarizer = pickle__need(o, "_label_binarizer");
    bool several = pickle_str_is(pickle_attr(binarizer, "y_type_"), "multilabel-indicator");

    /* Before 1.0 it took the largest of several labels as well. */
    if (several && o->version >= PICKLE__SKLEARN(1, 0, 0)) {
        pickle__open_scores(o, l);
        o->model->outputs = l->scores.outputs;
        pickle__method_is(o, PICKLE_DECISION_FUNCTION, pickle__linear_scores);
        pickle__method_is(o, PICKLE_PREDICT, predict_multilabel);
    } else {
        pickle__open_classifier(o, l, "classes_", pickle_attr(binarizer, "classes_"));
    }
}

/* ----------------------------------------------------------- SGDOneClassSVM */

typedef struct one_class {
    pickle__linear linear; /* with -offset_ for a bias */
    double offset;
} one_class;

static bool one_class_scores(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    return pickle__linear_scores(m, r, x, y) && pickle__as_f64(r, y, y);
}

static bool one_class_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    pickle_batch scores;
    double *out;

    if (!one_class_scores(m, r, x, &scores))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    y->integers = true;
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = *pickle__row(&scores, i) >= 0 ? 1 : -1;
    return out != NULL;
}

static bool one_class_score_samples(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                                    pickle_batch *y)
{
    const one_class *s = m->state;
    pickle_batch scores;
    double *out;

    if (!one_class_scores(m, r, x, &scores))
        return false;
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = *pickle__row(&scores, i) + s->offset;
    return out != NULL;
}

static void open_one_class(pickle__opener *o)
{
    one_class *s = pickle__state(o, sizeof *s);
    pickle__affine *a = &s->linear.scores;
    const double *offset = pickle__need_row(o, "offset_", 1);
    double *bias = pickle__keep(o, 1, sizeof *bias);

    pickle__open_affine(o, a, PICKLE__ROW_IS_OUTPUT, "coef_", pickle__need(o, "coef_"), NULL, NULL);
    if (!pickle__ok(o) || !offset || !bias)
        return;
    if (a->outputs != 1)
        pickle__bad(o, "coef_", "has more than one row");
    s->offset = *offset;
    *bias = -*offset;
    a->bias = bias;
    pickle__has_features(o, a->inputs);
    o->model->takes |= PICKLE__F32 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_PREDICT, one_class_predict);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, one_class_scores);
    pickle__method_is(o, PICKLE_SCORE_SAMPLES, one_class_score_samples);
}

#define MODEL "linear_model"

const pickle__estimator pickle__linear_estimators[] = {
    { MODEL, "LinearRegression", open_regressor },
    { MODEL, "Ridge", open_regressor },
    { MODEL, "RidgeCV", open_regressor },
    { MODEL, "Lasso", open_regressor },
    { MODEL, "LassoCV", open_regressor },
    { MODEL, "ElasticNet", open_regressor },
    { MODEL, "ElasticNetCV", open_regressor },
    { MODEL, "MultiTaskLasso", open_regressor },
    { MODEL, "MultiTaskLassoCV", open_regressor },
    { MODEL, "MultiTaskElasticNet", open_regressor },
    { MODEL, "MultiTaskElasticNetCV", open_regressor },
    { MODEL, "Lars", open_regressor },
    { MODEL, "LarsCV", open_regressor },
    { MODEL, "LassoLars", open_regressor },
    { MODEL, "LassoLarsCV", open_regressor },
    { MODEL, "LassoLarsIC", open_regressor },
    { MODEL, "OrthogonalMatchingPursuit", open_regressor },
    { MODEL, "OrthogonalMatchingPursuitCV", open_regressor },
    { MODEL, "BayesianRidge", open_regressor },
    { MODEL, "ARDRegression", open_regressor },
    { MODEL, "HuberRegressor", open_regressor },
    { MODEL, "TheilSenRegressor", open_regressor },
    { MODEL, "QuantileRegressor", open_regressor },
    { MODEL, "SGDRegressor", open_regressor },
    { MODEL, "PassiveAggressiveRegressor", open_regressor },
    { MODEL, "PoissonRegressor", open_log_link },
    { MODEL, "GammaRegressor", open_log_link },
    { MODEL, "TweedieRegressor", open_tweedie },
    { MODEL, "RANSACRegressor", open_ransac },
    { MODEL, "LogisticRegression", open_logistic },
    { MODEL, "LogisticRegressionCV", open_logistic },
    { MODEL, "SGDClassifier", open_sgd_classifier },
    { MODEL, "Perceptron", open_without_proba },
    { MODEL, "PassiveAggressiveClassifier", open_without_proba },
    { MODEL, "RidgeClassifier", open_ridge_classifier },
    { MODEL, "RidgeClassifierCV", open_ridge_classifier },
    { MODEL, "SGDOneClassSVM", open_one_class },
    { "svm", "LinearSVC", open_without_proba },
    { "svm", "LinearSVR", open_regressor },
    { NULL, NULL, NULL },
};
