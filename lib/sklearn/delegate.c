/* delegate.c - what leaves predictions to the estimator in it: frozen estimators, classifiers that
 * taught themselves, searches for parameters, classifiers with a threshold, regressors of
 * transformed targets. */
#include "sklearn/estimator.h"

#include <math.h>
#include <string.h>

static bool delegate(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_model *const *part = m->state; /* the first in each struct here */

    return pickle__run_method(*part, r->method, r, x, y);
}

/* The part in `attribute`, whose methods of `methods` (as bits) are those of the whole. */
static pickle_model *open_inner(pickle__opener *o, const char *attribute, unsigned methods)
{
    const pickle_val *v = pickle__need(o, attribute);
    pickle_model *part = pickle__ok(o) ? pickle__open_part(o, attribute, 0, v) : NULL;

    if (!part)
        return NULL;
    pickle__take_as(o, part);
    o->model->classes = part->classes;
    o->model->outputs = part->outputs;
    o->model->inverse = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR | PICKLE__CELLS;
    for (int i = 0; i < PICKLE_N_METHODS; i++) {
        if ((methods >> i & 1) && part->methods[i])
            pickle__method_is(o, (pickle_method)i, delegate);
    }
    return part;
}

#define ALL ((1u << PICKLE_N_METHODS) - 1)
#define SCORES \
    (1u << PICKLE_PREDICT_PROBA | 1u << PICKLE_PREDICT_LOG_PROBA | 1u << PICKLE_DECISION_FUNCTION)

static void open_frozen(pickle__opener *o)
{
    pickle_model **estimator = pickle__state(o, sizeof *estimator);

    *estimator = open_inner(o, "estimator", ALL);
}

/* What it learned from its own labels is in the estimator. */
static void open_self_training(pickle__opener *o)
{
    pickle_model **estimator = pickle__state(o, sizeof *estimator);
    const char *name = pickle__attr(o, "estimator_") ? "estimator_" : "base_estimator_";

    *estimator = open_inner(o, name, SCORES | 1u << PICKLE_PREDICT);
}

/* ----------------------------------------------------------------- searches */

typedef struct search {
    pickle_model *best;
} search;

/* So did 0.18. */
static bool inverse_by_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                                 pickle_batch *y)
{
    const search *s = m->state;

    return pickle__run_method(s->best, PICKLE_TRANSFORM, r, x, y);
}

static void open_search(pickle__opener *o)
{
    search *s = pickle__state(o, sizeof *s);
    unsigned methods =
        SCORES | 1u << PICKLE_PREDICT | 1u << PICKLE_TRANSFORM | 1u << PICKLE_INVERSE_TRANSFORM;

    if (o->version >= PICKLE__SKLEARN(0, 24, 0))
        methods |= 1u << PICKLE_SCORE_SAMPLES;
    if (!pickle__attr(o, "best_estimator_"))
        pickle__unsupported(o, "best_estimator_", "is missing: not fitted, or refit=False");
    s->best = open_inner(o, "best_estimator_", methods);
    if (o->version < PICKLE__SKLEARN(0, 19, 0) && o->model->methods[PICKLE_INVERSE_TRANSFORM])
        pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, inverse_by_transform);
}

/* --------------------------------------------------------------- thresholds */

typedef struct threshold {
    pickle_model *estimator;
    pickle_method response;
    double least;    /* a score from here on is positive */
    size_t positive; /* place of that class */
} threshold;

/* The score of the positive class is its column, or what decision_function says for or against. */
static bool predict_by_score(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                             pickle_batch *y)
{
    const threshold *s = m->state;
    bool proba = s->response == PICKLE_PREDICT_PROBA;
    pickle_batch scores;
    double *out;

    if (!pickle__run_method(s->estimator, s->response, r, x, &scores) ||
        !pickle__as_f64(r, &scores, &scores))
        return false;
    if (scores.cols != (proba ? 2 : 1))
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "%s needs a classifier of two classes",
                                m->class_name);
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++) {
        double score = pickle__row(&scores, i)[proba ? s->positive : 0];

        if (!proba && s->positive == 0)
            score = -score;
        out[i] = (double)(score >= s->least ? s->positive : 1 - s->positive);
    }
    return out != NULL;
}

/* The place of a class among the two; 1 for NULL and for what is None. */
static size_t find_positive(pickle__opener *o, const char *name, const pickle_val *label)
{
    const pickle_cell *classes = o->model->classes[0].cells;
    pickle_cell cell;

    if (!label || pickle_kind_of(label) == PICKLE_NONE)
        return 1;
    if (pickle__cell_of(o, label, &cell)) {
        for (size_t i = 0; i < 2; i++) {
            if (pickle__cell_equal(&classes[i], &cell))
                return i;
        }
    }
    pickle__unsupported(o, name, "is none of the classes");
    return 1;
}

/* What the score that the threshold was tuned by takes as positive: an argument, else its default,
 * which is 1 for the functions that ask. */
static size_t scored_class(pickle__opener *o)
{
    static const char *const of_one[] = { "precision_score", "recall_score", "f1_score",
                                          "fbeta_score", "jaccard_score" };
    static const char *const of_none[] = { "balanced_accuracy_score", "accuracy_score",
                                           "matthews_corrcoef", "cohen_kappa_score" };
    static const char name[] = "_curve_scorer";
    const pickle_val *scorer = pickle__need(o, name);
    const pickle_val *given = pickle_get(pickle_attr(scorer, "_kwargs"), "pos_label");
    const pickle_val *function = pickle_attr(scorer, "_score_func");
    const char *module = pickle_module(function);
    const pickle_cell one = { PICKLE_CELL_INT, 0, { .i = 1 } };

    if (given)
        return find_positive(o, name, given);
    for (size_t i = 0; module && strncmp(module, "sklearn.metrics", 15) == 0 && i < 5; i++) {
        if (i < 4 && strcmp(pickle_name(function), of_none[i]) == 0)
            return 1;
        if (strcmp(pickle_name(function), of_one[i]) == 0)
            return pickle__cell_equal(&o->model->classes[0].cells[0], &one) ? 0 : 1;
    }
    pickle__unsupported(o, name, "has a function that is not known here");
    return 1;
}

static threshold *open_threshold(pickle__opener *o)
{
    threshold *s = pickle__state(o, sizeof *s);
    int response =
        pickle__choice(o, "response_method", 0, "auto", "predict_proba", "decision_function", NULL);

    if (!pickle__attr(o, "estimator_") && pickle__attr(o, "estimator"))
        s->estimator = open_inner(o, "estimator", SCORES);
    else
        s->estimator = open_inner(o, "estimator_", SCORES);
    if (!s->estimator || !pickle__ok(o))
        return NULL;
    if (!o->model->classes || o->model->outputs != 1 || o->model->classes[0].count != 2) {
        pickle__unsupported(o, "estimator_", "is no classifier of two classes");
        return NULL;
    }
    if (response == 0)
        response = s->estimator->methods[PICKLE_PREDICT_PROBA] ? 1 : 2;
    s->response = response == 1 ? PICKLE_PREDICT_PROBA : PICKLE_DECISION_FUNCTION;
    if (!s->estimator->methods[s->response])
        pickle__unsupported(o, "response_method", "is a method that the estimator hasn't");
    pickle__method_is(o, PICKLE_PREDICT, predict_by_score);
    return s;
}

static void open_fixed_threshold(pickle__opener *o)
{
    threshold *s = open_threshold(o);
    bool automatic = pickle_str_is(pickle__attr(o, "threshold"), "auto");

    if (!s)
        return;
    s->positive = find_positive(o, "pos_label", pickle__attr(o, "pos_label"));
    s->least = !automatic                            ? pickle__number(o, "threshold", 0.5)
               : s->response == PICKLE_PREDICT_PROBA ? 0.5
                                                     : 0;
}

static void open_tuned_threshold(pickle__opener *o)
{
    threshold *s = open_threshold(o);

    if (!s)
        return;
    pickle__need(o, "best_threshold_");
    s->least = pickle__number(o, "best_threshold_", 0);
    s->positive = scored_class(o);
}

/* ------------------------------------------------------ transformed targets */

typedef struct transformed_target {
    pickle_model *regressor, *transformer;
} transformed_target;

static bool predict_back(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    const transformed_target *s = m->state;
    pickle_batch targets;

    return pickle__run_method(s->regressor, PICKLE_PREDICT, r, x, &targets) &&
           pickle__label_numbers(s->regressor, r, &targets, &targets) &&
           pickle__run_method(s->transformer, PICKLE_INVERSE_TRANSFORM, r, &targets, y);
}

static void open_transformed_target(pickle__opener *o)
{
    transformed_target *s = pickle__state(o, sizeof *s);
    const pickle_val *transformer = pickle__need(o, "transformer_");

    s->regressor = open_inner(o, "regressor_", 0);
    if (!pickle__ok(o))
        return;
    o->model->classes = NULL;
    s->transformer = pickle__open_part(o, "transformer_", 0, transformer);
    if (!s->transformer->refused && !s->transformer->methods[PICKLE_INVERSE_TRANSFORM])
        pickle__unsupported(o, "transformer_", "has no inverse that is known here");
    pickle__method_is(o, PICKLE_PREDICT, predict_back);
}

const pickle__estimator pickle__delegate_estimators[] = {
    { "model_selection", "GridSearchCV", open_search },
    { "model_selection", "RandomizedSearchCV", open_search },
    { "model_selection", "HalvingGridSearchCV", open_search },
    { "model_selection", "HalvingRandomSearchCV", open_search },
    { "grid_search", "GridSearchCV", open_search },
    { "grid_search", "RandomizedSearchCV", open_search },
    { "model_selection", "FixedThresholdClassifier", open_fixed_threshold },
    { "model_selection", "TunedThresholdClassifierCV", open_tuned_threshold },
    { "compose", "TransformedTargetRegressor", open_transformed_target },
    { "frozen", "FrozenEstimator", open_frozen },
    { "semi_supervised", "SelfTrainingClassifier", open_self_training },
    { NULL, NULL, NULL },
};
