/* calibration.c - probabilities from scores: what a classifier says, put straight by a curve. */
#include <math.h>
#include <string.h>

#include "sklearn/estimator.h"
#include "sklearn/numeric.h"

/* ------------------------------------------------------- _SigmoidCalibration */

typedef struct sigmoid {
    double a, b;
} sigmoid;

static bool sigmoid_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const sigmoid *s = m->state;
    double *out = pickle__new_f64(r, y, x->rows, 1);

    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = pickle__expit(-(s->a * *pickle__row(x, i) + s->b));
    return out != NULL;
}

static void open_sigmoid(pickle__opener *o)
{
    sigmoid *s = pickle__state(o, sizeof *s);

    pickle__need(o, "a_");
    pickle__need(o, "b_");
    *s = (sigmoid){ pickle__number(o, "a_", 0), pickle__number(o, "b_", 0) };
    o->model->features = 1;
    pickle__method_is(o, PICKLE_PREDICT, sigmoid_predict);
}

/* ------------------------------------------------------- _TemperatureScaling */

/*
 * Are all rows probabilities? scikit-learn asks that of the whole table, and takes their log. Here
 * it is asked of the estimator: what it gives by decision_function is taken for scores.
 */
static bool temperature_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                                pickle_batch *y)
{
    const double *beta = m->state;
    size_t n = x->cols == 1 ? 2 : x->cols;
    double *out = pickle__new_f64(r, y, x->rows, n);

    for (size_t i = 0; out && i < x->rows; i++, out += n) {
        const double *row = pickle__row(x, i);

        for (size_t k = 0; k < n; k++)
            out[k] = *beta * (x->cols > 1 ? row[k] : k == 0 ? -row[0] : row[0]);
        pickle__softmax(out, n);
    }
    return y->data != NULL;
}

static void open_temperature(pickle__opener *o)
{
    double *beta = pickle__state(o, sizeof *beta);

    pickle__need(o, "beta_");
    *beta = pickle__number(o, "beta_", 1);
    pickle__method_is(o, PICKLE_PREDICT, temperature_predict);
}

/* ----------------------------------------------------- _CalibratedClassifier */

typedef struct calibrated {
    pickle_model *estimator;
    pickle_method method; /* decision_function where there is one, else predict_proba */
    size_t n_classes, n_calibrators;
    pickle_model **calibrators;
    const size_t *places; /* of the estimator's classes among all */
    bool temperature;
} calibrated;

/* The scores that calibrators are for: of two classes, those of the second. */
static bool scores(const calibrated *c, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    if (!pickle__run_method(c->estimator, c->method, r, x, y) || !pickle__as_f64(r, y, y))
        return false;
    if (c->n_classes == 2 && c->method == PICKLE_PREDICT_PROBA && y->cols == 2) {
        y->cols = 1;
        y->data = (const double *)y->data + 1;
    }
    if (!c->temperature && y->cols < c->n_calibrators)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "%s gives fewer scores than are calibrated",
                                c->estimator->class_name);
    return true;
}

/* As probabilities of all classes; where there are none for any, all are the same. */
static void finish_row(double *row, size_t n)
{
    double sum;

    if (n == 2)
        row[0] = 1 - row[1];
    sum = n == 2 ? 1 : pickle__sum(row, n);
    for (size_t k = 0; k < n; k++) {
        if (n != 2)
            row[k] = sum != 0 ? row[k] / sum : 1.0 / (double)n;
        if (row[k] > 1 && row[k] <= 1 + 1e-5)
            row[k] = 1;
    }
}

static bool calibrate(const calibrated *c, pickle__run *r, const pickle_batch *said, double *out)
{
    bool ok = true;

    for (size_t k = 0; ok && k < c->n_calibrators; k++) {
        size_t place = c->n_classes == 2 ? 1 : c->places[k];
        pickle_batch column = *said, p;

        column.cols = 1;
        if (said->rows > 0)
            column.data = (const double *)said->data + k;
        ok = pickle__run_method(c->calibrators[k], PICKLE_PREDICT, r, &column, &p) &&
             pickle__as_f64(r, &p, &p);
        for (size_t i = 0; ok && i < p.rows; i++)
            out[i * c->n_classes + place] = *pickle__row(&p, i);
    }
    return ok;
}

static bool fold_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y)
{
    const calibrated *c = m->state;
    pickle_batch said;
    double *out;

    if (!scores(c, r, x, &said))
        return false;
    if (c->temperature)
        return pickle__run_method(c->calibrators[0], PICKLE_PREDICT, r, &said, y);
    out = pickle__new_f64(r, y, said.rows, c->n_classes);
    if (!out)
        return false;
    memset(out, 0, said.rows * c->n_classes * sizeof *out);
    if (!calibrate(c, r, &said, out))
        return false;
    for (size_t i = 0; i < said.rows; i++)
        finish_row(out + i * c->n_classes, c->n_classes);
    return true;
}

/* Where each class of the estimator stands among the classes of all. */
static void match_classes(pickle__opener *o, calibrated *c, const pickle__labels *classes)
{
    const pickle__labels *own = c->estimator->classes;
    size_t *places = own ? pickle__keep(o, own->count, sizeof *places) : NULL;

    if (!own) {
        if (!c->estimator->refused)
            pickle__unsupported(o, "estimator", "is no classifier");
        return;
    }
    for (size_t i = 0; places && i < own->count; i++) {
        for (places[i] = 0; places[i] < classes->count; places[i]++) {
            if (pickle__cell_equal(&own->cells[i], &classes->cells[places[i]]))
                break;
        }
        if (places[i] == classes->count)
            pickle__bad(o, "classes", "lacks a class of the estimator");
    }
    c->places = places;
    if (pickle__ok(o) &&
        c->n_calibrators != (classes->count == 2 || c->temperature ? 1 : own->count))
        pickle__bad(o, "calibrators", "are not as many as classes");
}

static void open_fold(pickle__opener *o)
{
    calibrated *c = pickle__state(o, sizeof *c);
    const pickle_val *estimator = pickle__either(o, "estimator", "base_estimator");
    const pickle_val *of = pickle__either(o, "classes", "classes_");
    const char *list = pickle__attr(o, "calibrators") ? "calibrators" : "calibrators_";
    pickle__labels classes = pickle__labels_of(o, "classes", of);

    c->temperature =
        pickle__choice(o, "method", 0, "sigmoid", "isotonic", "temperature", NULL) == 2;
    c->calibrators = pickle__open_parts(o, list, &c->n_calibrators);
    c->estimator = pickle__open_part(o, "estimator", 0, estimator);
    c->n_classes = classes.count;
    c->method = c->estimator->methods[PICKLE_DECISION_FUNCTION] ? PICKLE_DECISION_FUNCTION
                                                                : PICKLE_PREDICT_PROBA;
    /* By probabilities, temperatures are for the log of them, if a whole table is of such. */
    if (c->temperature && c->method == PICKLE_PREDICT_PROBA)
        pickle__unsupported(o, "method", "is temperature, of an estimator without scores");
    if (pickle__ok(o) && c->n_classes < 2)
        pickle__bad(o, "classes", "are too few");
    if (pickle__ok(o) && c->n_calibrators == 0)
        pickle__bad(o, "calibrators", "is empty");
    if (pickle__ok(o))
        match_classes(o, c, &classes);
    pickle__take_as(o, c->estimator);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, fold_proba);
}

/* ----------------------------------------------------- CalibratedClassifierCV */

typedef struct folds {
    size_t count;
    pickle_model **folds;
} folds;

static bool mean_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y)
{
    const folds *f = m->state;
    const pickle_batch from = *x;
    size_t n = m->classes->count;
    double *out = pickle__new_f64(r, y, from.rows, n);

    if (!out)
        return false;
    memset(out, 0, from.rows * n * sizeof *out);
    for (size_t k = 0; k < f->count; k++) {
        pickle__pool_mark here = pickle__pool_here(&r->pool);
        pickle_batch p;

        if (!pickle__run_method(f->folds[k], PICKLE_PREDICT_PROBA, r, &from, &p))
            return false;
        if (p.cols != n)
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "a fold of %s has other classes",
                                    m->class_name);
        for (size_t i = 0; i < p.rows; i++) {
            for (size_t j = 0; j < n; j++)
                out[i * n + j] += pickle__row(&p, i)[j];
        }
        pickle__pool_release(&r->pool, here);
    }
    for (size_t i = 0; i < from.rows * n; i++)
        out[i] /= (double)f->count;
    return true;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch p;

    return mean_proba(m, r, x, &p) && pickle__argmax(r, &p, y);
}

static void open_calibrated(pickle__opener *o)
{
    folds *f = pickle__state(o, sizeof *f);

    f->folds = pickle__open_parts(o, "calibrated_classifiers_", &f->count);
    pickle__read_classes(o, "classes_");
    if (pickle__ok(o) && f->count == 0)
        pickle__bad(o, "calibrated_classifiers_", "is empty");
    if (!pickle__ok(o))
        return;
    pickle__take_as(o, f->folds[0]);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, mean_proba);
    pickle__method_is(o, PICKLE_PREDICT, predict);
}

const pickle__estimator pickle__calibration_estimators[] = {
    { "calibration", "CalibratedClassifierCV", open_calibrated },
    { "calibration", "_CalibratedClassifier", open_fold },
    { "calibration", "_SigmoidCalibration", open_sigmoid },
    { "calibration", "_TemperatureScaling", open_temperature },
    { NULL, NULL, NULL },
};
