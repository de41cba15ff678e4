/* dummy.c - estimators that give the same answer to everything. */
#include "sklearn/estimator.h"

#include <math.h>
#include <string.h>

typedef struct dummy {
    size_t n_proba;
    double *answer; /* predict's: numbers, or a place in the classes of each output */
    double *proba;  /* of all outputs, side by side */
} dummy;

static bool repeat(pickle__run *r, size_t rows, const double *answer, size_t n, pickle_batch *y)
{
    double *out = pickle__new_f64(r, y, rows, n);

    for (size_t i = 0; out && i < rows; i++)
        memcpy(out + i * n, answer, n * sizeof *out);
    return out != NULL;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    return repeat(r, x->rows, ((const dummy *)m->state)->answer, m->outputs, y);
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const dummy *d = m->state;

    return repeat(r, x->rows, d->proba, d->n_proba, y);
}

/* They look at nothing but how many rows there are; before 0.20 these had to be numbers. */
static void take_anything(pickle__opener *o)
{
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    if (o->version >= PICKLE__SKLEARN(0, 19, 0))
        o->model->numbers = PICKLE__ANY_NUMBER;
    if (o->version >= PICKLE__SKLEARN(0, 20, 0))
        o->model->takes |= PICKLE__CELLS;
    pickle__method_is(o, PICKLE_PREDICT, predict);
}

static void open_regressor(pickle__opener *o)
{
    dummy *d = pickle__state(o, sizeof *d);
    pickle__matrix constant = pickle__need_numbers(o, "constant_");
    size_t n = constant.rows * constant.cols;

    take_anything(o);
    d->answer = pickle__ok(o) ? pickle__keep(o, n, sizeof *d->answer) : NULL;
    if (!d->answer)
        return;
    if (n == 0)
        pickle__bad(o, "constant_", "is empty");
    memcpy(d->answer, constant.data, n * sizeof *d->answer);
    o->model->outputs = n;
}

/* --------------------------------------------------------------- classifier */

enum { MOST_FREQUENT, PRIOR, CONSTANT };

/* The place of an output's constant in its classes. */
static size_t place_of(pickle__opener *o, const pickle__labels *classes, const pickle__labels *all,
                       size_t output)
{
    if (output < all->count) {
        for (size_t k = 0; k < classes->count; k++) {
            if (pickle__cell_equal(&classes->cells[k], &all->cells[output]))
                return k;
        }
    }
    pickle__bad(o, "constant", "is not among the classes");
    return 0;
}

/* The answers for one output; its probabilities go to `proba`. */
static void open_output(pickle__opener *o, dummy *d, int strategy, size_t output,
                        const pickle_val *prior, const pickle__labels *constants, double *proba)
{
    const pickle__labels *classes = &o->model->classes[output];
    pickle__matrix p = pickle__numbers_of(o, "class_prior_", prior);
    size_t best = 0;

    if (!pickle__ok(o))
        return;
    if (!p.data || p.rows * p.cols != classes->count) {
        pickle__bad(o, "class_prior_", "is of more or fewer classes than the rest");
        return;
    }
    for (size_t k = 1; k < classes->count; k++)
        best = p.data[k] > p.data[best] ? k : best;
    if (strategy == CONSTANT)
        best = place_of(o, classes, constants, output);
    d->answer[output] = (double)best;
    for (size_t k = 0; k < classes->count; k++)
        proba[k] = strategy == PRIOR ? p.data[k] : k == best;
}

/* One scalar is the constant of one output. */
static pickle__labels constants_of(pickle__opener *o)
{
    const pickle_val *v = pickle__need(o, "constant");
    pickle_kind kind = pickle_kind_of(v);
    pickle_array a;
    pickle_cell *one;

    if (kind == PICKLE_LIST || kind == PICKLE_TUPLE || (pickle_get_array(v, &a) && a.ndim > 0))
        return pickle__labels_of(o, "constant", v);
    one = pickle__keep(o, 1, sizeof *one);
    if (one && v && !pickle__cell_of(o, v, one))
        pickle__unsupported(o, "constant", "is of a type that is not known here");
    return (pickle__labels){ one != NULL, one };
}

static void open_classifier(pickle__opener *o)
{
    dummy *d = pickle__state(o, sizeof *d);
    const pickle_val *priors = pickle__need(o, "class_prior_");
    /* What it was fitted with, where "warn" was the default. */
    const char *name = pickle__attr(o, "_strategy") ? "_strategy" : "strategy";
    int strategy = pickle__choice(o, name, -1, "most_frequent", "prior", "constant", "stratified",
                                  "uniform", NULL);
    pickle__labels constants = { 0, NULL };
    double *proba;

    take_anything(o);
    pickle__read_classes(o, "classes_");
    if (pickle__flag(o, "sparse_output_", false))
        pickle__unsupported(o, "sparse_output_", "is not supported");
    if (strategy < 0 || strategy > CONSTANT)
        pickle__unsupported(o, name, strategy < 0 ? "is missing" : "answers at random");
    if (strategy == CONSTANT)
        constants = constants_of(o);
    if (!pickle__ok(o))
        return;
    for (size_t i = 0; i < o->model->outputs; i++)
        d->n_proba += o->model->classes[i].count;
    if (pickle__integer(o, "n_outputs_", (int64_t)o->model->outputs) != (int64_t)o->model->outputs)
        pickle__bad(o, "n_outputs_", "is another number than there are classes of");
    d->answer = pickle__keep(o, o->model->outputs, sizeof *d->answer);
    d->proba = proba = pickle__keep(o, d->n_proba, sizeof *proba);
    for (size_t i = 0; d->answer && proba && i < o->model->outputs; i++) {
        open_output(o, d, strategy, i, o->model->outputs > 1 ? pickle_at(priors, i) : priors,
                    &constants, proba);
        proba += o->model->classes[i].count;
    }
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
}

const pickle__estimator pickle__dummy_estimators[] = {
    { "dummy", "DummyClassifier", open_classifier },
    { "dummy", "DummyRegressor", open_regressor },
    { NULL, NULL, NULL },
};
