/* network.c - multilayer perceptrons. */
#include "sklearn/affine.h"
#include "sklearn/numeric.h"

#include <string.h>

#define FEW_ROWS ((size_t)128)

typedef enum activation { IDENTITY, LOGISTIC, TANH, RELU, SOFTMAX, EXP } activation;

typedef struct network {
    size_t count;
    pickle__affine *layers;
    activation hidden, out;
    bool f32;    /* fitted on float32: computes with it, if rows are float32 */
    bool binary; /* one output for two classes, or for each of several labels */
} network;

/* ------------------------------------------------------------------ running */

/* One number; what is float32 is rounded to it afterwards. */
static double activate(activation a, double x)
{
    switch (a) {
    case LOGISTIC:
        return pickle__expit(x);
    case TANH:
        return tanh(x);
    case EXP:
        return exp(x);
    default:
        return x;
    }
}

static void activate_f64(activation a, double *x, size_t rows, size_t cols)
{
    if (a == RELU) {
        for (size_t i = 0; i < rows * cols; i++)
            x[i] = x[i] < 0 ? 0 : x[i];
    } else if (a == SOFTMAX) {
        for (size_t i = 0; i < rows; i++)
            pickle__softmax(x + i * cols, cols);
    } else if (a != IDENTITY) {
        for (size_t i = 0; i < rows * cols; i++)
            x[i] = activate(a, x[i]);
    }
}

/* A layer's sums become its outputs, in place but for softmax of float32. */
static bool activate_batch(activation a, pickle__run *r, pickle_batch *y)
{
    float *x;

    if (y->kind == PICKLE_BATCH_F64) {
        activate_f64(a, (double *)(uintptr_t)y->data, y->rows, y->cols);
        return true;
    }
    if (a == SOFTMAX) {
        if (!pickle__as_f64(r, y, y))
            return false;
        activate_f64(a, (double *)(uintptr_t)y->data, y->rows, y->cols);
        return pickle__as_f32(r, y, y);
    }
    x = (float *)(uintptr_t)y->data;
    for (size_t i = 0; a != IDENTITY && i < y->rows * y->cols; i++)
        x[i] = a == RELU ? (x[i] < 0 ? 0 : x[i]) : (float)activate(a, (double)x[i]);
    return true;
}

static bool forward_some(const network *n, pickle__run *r, pickle_batch at, pickle_batch *y)
{
    for (size_t i = 0; i < n->count; i++) {
        if (!pickle__affine_run(&n->layers[i], r, &at, y) ||
            !activate_batch(i + 1 < n->count ? n->hidden : n->out, r, y))
            return false;
        at = *y;
    }
    return true;
}

/* The outputs of the last layer; a few rows at a time, so that they stay in the cache. */
static bool forward(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const network *n = m->state;
    size_t cols = n->layers[n->count - 1].outputs;
    bool f32 = n->f32 && x->kind == PICKLE_BATCH_F32;
    char *out = f32 ? (char *)pickle__new_f32(r, y, x->rows, cols)
                    : (char *)pickle__new_f64(r, y, x->rows, cols);

    for (size_t i = 0; out && i < x->rows; i += FEW_ROWS) {
        size_t rows = x->rows - i < FEW_ROWS ? x->rows - i : FEW_ROWS;
        pickle__pool_mark mark = pickle__pool_here(&r->pool);
        pickle_batch some;

        if (!forward_some(n, r, pickle__rows(x, i, rows), &some))
            return false;
        memcpy(out, some.data, rows * y->stride);
        out += rows * y->stride;
        pickle__pool_release(&r->pool, mark);
    }
    return out != NULL;
}

static bool classify(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const network *n = m->state;
    pickle_batch out;
    double *to;

    if (!forward(m, r, x, &out) || !pickle__as_f64(r, &out, &out))
        return false;
    if (!n->binary)
        return pickle__argmax(r, &out, y);
    to = pickle__new_f64(r, y, out.rows, out.cols);
    y->integers = true;
    for (size_t i = 0; to && i < out.rows * out.cols; i++)
        to[i] = ((const double *)out.data)[i] > 0.5 && !(m->classes && m->classes->count == 1);
    return to != NULL;
}

static bool proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch out;
    double *to;
    bool f32;

    if (!forward(m, r, x, &out))
        return false;
    if (out.cols != 1) {
        *y = out;
        return true;
    }
    f32 = out.kind == PICKLE_BATCH_F32;
    if (!pickle__as_f64(r, &out, &out))
        return false;
    to = pickle__new_f64(r, y, out.rows, 2);
    for (size_t i = 0; to && i < out.rows; i++) {
        to[2 * i] = 1 - *pickle__row(&out, i);
        to[2 * i + 1] = *pickle__row(&out, i);
    }
    return to && (!f32 || pickle__as_f32(r, y, y));
}

/* ------------------------------------------------------------------ opening */

static activation open_activation(pickle__opener *o, const char *name)
{
    return (activation)pickle__choice(o, name, IDENTITY, "identity", "logistic", "tanh", "relu",
                                      "softmax", "exp", NULL);
}

/* Layers that follow each other; the number of outputs, or 0. */
static size_t open_layers(pickle__opener *o, network *n)
{
    size_t biases = 0, width = 0;
    const pickle_val *coefs = pickle__items(o, "coefs_", pickle__need(o, "coefs_"), &n->count);
    const pickle_val *intercepts =
        pickle__items(o, "intercepts_", pickle__need(o, "intercepts_"), &biases);

    if (!pickle__ok(o))
        return 0;
    if (n->count == 0 || biases != n->count ||
        pickle__integer(o, "n_layers_", (int64_t)n->count + 1) != (int64_t)n->count + 1) {
        pickle__bad(o, "coefs_", "are of more or fewer layers than the rest");
        return 0;
    }
    n->hidden = open_activation(o, "activation");
    n->out = open_activation(o, "out_activation_");
    n->layers = pickle__keep(o, n->count, sizeof *n->layers);
    for (size_t i = 0; n->layers && i < n->count; i++) {
        pickle__open_affine(o, &n->layers[i], PICKLE__ROW_IS_INPUT, "coefs_", pickle_at(coefs, i),
                            "intercepts_", pickle_at(intercepts, i));
        if (!pickle__ok(o))
            return 0;
        if (i > 0 && n->layers[i].inputs != width) {
            pickle__bad(o, "coefs_", "has a layer of another size than the one before it");
            return 0;
        }
        width = n->layers[i].outputs;
        n->f32 = (i == 0 || n->f32) && n->layers[i].bias_f32;
    }
    if (n->layers)
        pickle__has_features(o, n->layers->inputs);
    o->model->takes |= PICKLE__F32 | PICKLE__CSR;
    if (pickle__integer(o, "n_outputs_", (int64_t)width) != (int64_t)width)
        pickle__bad(o, "n_outputs_", "is another number than the last layer has");
    return pickle__ok(o) ? width : 0;
}

static void open_regressor(pickle__opener *o)
{
    network *n = pickle__state(o, sizeof *n);
    size_t outputs = open_layers(o, n);

    if (outputs > 0)
        o->model->outputs = outputs;
    pickle__method_is(o, PICKLE_PREDICT, forward);
}

/* What the outputs mean is kept in the LabelBinarizer; several labels at once are no classes. */
static void open_labels(pickle__opener *o, network *n, size_t outputs)
{
    const pickle_val *binarizer = pickle__need(o, "_label_binarizer");
    const pickle_val *type = pickle_attr(binarizer, "y_type_");
    pickle__labels *labels = pickle__keep(o, 1, sizeof *labels);

    n->binary = !pickle_str_is(type, "multiclass");
    if (pickle_str_is(type, "multilabel-indicator")) {
        o->model->outputs = outputs;
        return;
    }
    if (n->binary && !pickle_str_is(type, "binary"))
        pickle__unsupported(o, "_label_binarizer", "is for a kind of target that is not known");
    if (!labels || !pickle__ok(o))
        return;
    *labels = pickle__labels_of(o, "classes_", pickle_attr(binarizer, "classes_"));
    if (pickle__ok(o) && (n->binary ? outputs != 1 || labels->count < 1 || labels->count > 2
                                    : outputs != labels->count))
        pickle__bad(o, "classes_", "are more or fewer than the outputs");
    o->model->classes = labels;
}

static void open_classifier(pickle__opener *o)
{
    network *n = pickle__state(o, sizeof *n);
    size_t outputs = open_layers(o, n);

    if (outputs == 0)
        return;
    open_labels(o, n, outputs);
    pickle__method_is(o, PICKLE_PREDICT, classify);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
}

const pickle__estimator pickle__network_estimators[] = {
    { "neural_network", "MLPClassifier", open_classifier },
    { "neural_network", "MLPRegressor", open_regressor },
    { NULL, NULL, NULL },
};
