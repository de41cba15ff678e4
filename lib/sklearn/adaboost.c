/* adaboost.c - AdaBoost: classifiers that vote by weight, regressors by the weighted median. */
#include "sklearn/members.h"
#include "sklearn/numeric.h"

#include <float.h>
#include <string.h>

#define MOST_VOTES ((size_t)1 << 18) /* at a time */

typedef struct adaboost {
    pickle__members members;
    const double *weights; /* of each */
    double total;          /* of the weights, and of those of estimators that were never fitted */
    size_t n_classes;
    bool real;           /* SAMME.R */
    bool votes_sum_to_0; /* SAMME: who is against a class takes from it */
    bool mean_proba;     /* predict_proba is made of the estimators' own */
} adaboost;

/* ------------------------------------------------------------- opening both */

static void open_weights(pickle__opener *o, adaboost *a)
{
    pickle__matrix weights = pickle__need_numbers(o, "estimator_weights_");
    size_t n = weights.rows * weights.cols;

    if (pickle__ok(o) && n < a->members.count)
        pickle__bad(o, "estimator_weights_", "has fewer than there are estimators");
    if (!pickle__ok(o))
        return;
    a->weights = weights.data;
    a->total = pickle__sum(weights.data, n);
}

static void open_input(pickle__opener *o, const adaboost *a)
{
    pickle__members_share_input(o, &a->members);
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
}

/* ----------------------------------------------------------------- decision */

/* SAMME.R: (K - 1) * (log p - mean of log p), where no p is below eps. */
static void add_logs(const adaboost *a, const pickle_batch *proba, double eps, double *logs,
                     double *sums)
{
    size_t k = a->n_classes;
    double share = 1.0 / (double)k, factor = (double)(k - 1);

    for (size_t i = 0; i < proba->rows; i++, sums += k) {
        const double *p = pickle__row(proba, i);
        double sum;

        for (size_t c = 0; c < k; c++)
            logs[c] = log(p[c] < eps ? eps : p[c]);
        sum = pickle__sum(logs, k);
        for (size_t c = 0; c < k; c++)
            sums[c] += factor * (logs[c] - share * sum);
    }
}

static bool sum_real(const adaboost *a, pickle__run *r, const pickle_batch *x, double *sums)
{
    double *logs = pickle__take(r, a->n_classes, sizeof *logs);
    pickle__pool_mark start = pickle__pool_here(&r->pool);

    for (size_t i = 0; logs && i < a->members.count; i++) {
        const pickle_model *part = a->members.models[i];
        pickle_batch y;
        bool f32;

        if (!pickle__run_method(part, PICKLE_PREDICT_PROBA, r, x, &y))
            return false;
        f32 = y.kind == PICKLE_BATCH_F32;
        if (!pickle__as_f64(r, &y, &y))
            return false;
        if (y.cols != a->n_classes)
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "%s has another number of classes",
                                    part->class_name);
        add_logs(a, &y, f32 ? (double)FLT_EPSILON : DBL_EPSILON, logs, sums);
        pickle__pool_release(&r->pool, start);
    }
    return logs != NULL;
}

static bool sum_votes(const adaboost *a, pickle__run *r, const pickle_batch *x, double *sums)
{
    pickle__pool_mark start = pickle__pool_here(&r->pool);
    size_t k = a->n_classes;

    for (size_t i = 0; i < a->members.count; i++) {
        const size_t *places = a->members.places[i];
        double weight = a->weights[i], against = -1.0 / (double)(k - 1) * weight;
        pickle_batch y;

        if (!pickle__ask(a->members.models[i], PICKLE_PREDICT, r, x, 1, &y))
            return false;
        for (size_t row = 0; row < y.rows; row++) {
            size_t winner = places[(size_t)*pickle__row(&y, row)];
            double *to = sums + row * k;

            for (size_t c = 0; a->votes_sum_to_0 && c < k; c++)
                to[c] += c == winner ? weight : against;
            if (!a->votes_sum_to_0)
                to[winner] += weight;
        }
        pickle__pool_release(&r->pool, start);
    }
    return true;
}

static double *new_sums(const adaboost *a, pickle__run *r, size_t rows, pickle_batch *y)
{
    double *sums = pickle__new_f64(r, y, rows, a->n_classes);

    return sums ? memset(sums, 0, rows * a->n_classes * sizeof *sums) : NULL;
}

static void divide(double *sums, size_t n, double by)
{
    for (size_t i = 0; i < n; i++)
        sums[i] /= by;
}

static bool decision(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const adaboost *a = m->state;
    double *sums = new_sums(a, r, x->rows, y);

    if (!sums || !(a->real ? sum_real(a, r, x, sums) : sum_votes(a, r, x, sums)))
        return false;
    divide(sums, x->rows * a->n_classes, a->total);
    if (a->n_classes != 2)
        return true;
    for (size_t i = 0; i < x->rows; i++)
        sums[i] = -sums[2 * i] + sums[2 * i + 1];
    y->cols = 1;
    y->stride = sizeof *sums;
    return true;
}

/* With one class there is nothing to decide: 0. */
static bool no_decision(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    return new_sums(m->state, r, x->rows, y) != NULL;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const adaboost *a = m->state;
    pickle_batch scores;
    double *out;

    if (!m->methods[PICKLE_DECISION_FUNCTION](m, r, x, &scores))
        return false;
    if (a->n_classes != 2)
        return pickle__argmax(r, &scores, y);
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = *pickle__row(&scores, i) > 0;
    return out != NULL;
}

/* ------------------------------------------------------------ probabilities */

/* Since 0.22: the softmax of the decision over K - 1. */
static bool proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const adaboost *a = m->state;
    size_t k = a->n_classes;
    pickle_batch scores;
    double *out;

    if (!m->methods[PICKLE_DECISION_FUNCTION](m, r, x, &scores))
        return false;
    out = pickle__new_f64(r, y, x->rows, k);
    for (size_t i = 0; out && i < x->rows; i++, out += k) {
        const double *d = pickle__row(&scores, i);

        for (size_t c = 0; c < k; c++)
            out[c] = k == 1 ? 0 : k == 2 ? (c ? d[0] : -d[0]) / 2 : d[c] / (double)(k - 1);
        pickle__softmax(out, k);
    }
    return y->data != NULL;
}

static bool sum_proba(const adaboost *a, pickle__run *r, const pickle_batch *x, double *sums)
{
    pickle__pool_mark start = pickle__pool_here(&r->pool);
    size_t k = a->n_classes;

    for (size_t i = 0; i < a->members.count; i++) {
        pickle_batch y;

        if (!pickle__ask(a->members.models[i], PICKLE_PREDICT_PROBA, r, x, k, &y))
            return false;
        for (size_t row = 0; row < y.rows; row++) {
            for (size_t c = 0; c < k; c++)
                sums[row * k + c] += pickle__row(&y, row)[c] * a->weights[i];
        }
        pickle__pool_release(&r->pool, start);
    }
    return true;
}

/* Before 0.22: exp of the mean over K - 1, normalised. */
static bool exp_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const adaboost *a = m->state;
    size_t k = a->n_classes;
    double *out = new_sums(a, r, x->rows, y), factor = 1.0 / (double)(k - 1);

    if (!out || !(a->mean_proba ? sum_proba(a, r, x, out) : sum_real(a, r, x, out)))
        return false;
    divide(out, x->rows * k, a->total);
    for (size_t i = 0; i < x->rows; i++, out += k) {
        double sum;

        for (size_t c = 0; c < k; c++)
            out[c] = exp(factor * out[c]);
        sum = pickle__sum(out, k);
        divide(out, k, sum == 0 ? 1 : sum);
    }
    return true;
}

/* --------------------------------------------------------- opening: classes */

static void open_algorithm(pickle__opener *o, adaboost *a)
{
    /* 1.6 knows one only, whatever the parameter says. */
    if (o->version < PICKLE__SKLEARN(1, 6, 0))
        a->real = pickle__choice(o, "algorithm", 1, "SAMME", "SAMME.R", NULL) == 1;
    a->votes_sum_to_0 = o->version >= PICKLE__SKLEARN(1, 3, 1);
    a->mean_proba = !a->real;
}

static void open_votes(pickle__opener *o, adaboost *a)
{
    const pickle__members *members = &a->members;

    for (size_t i = 0; i < members->count && pickle__ok(o); i++) {
        const pickle_model *part = members->models[i];

        members->places[i] = pickle__label_places(o, part, &o->model->classes[0]);
        if (!pickle__ok(o) || part->refused)
            return;
        if (!members->places[i])
            pickle__unsupported(o, "estimators_", "has one that is no classifier");
        else if (a->real && part->classes[0].count != a->n_classes)
            pickle__bad(o, "estimators_", "has one with fewer classes");
    }
}

static void open_class_methods(pickle__opener *o, const adaboost *a)
{
    bool old = o->version < PICKLE__SKLEARN(0, 22, 0);
    bool need_proba = a->real || (old && a->n_classes > 1);

    pickle__method_is(o, PICKLE_PREDICT, predict);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, decision);
    if (a->n_classes == 1) {
        if (!a->real && a->votes_sum_to_0 && o->version < PICKLE__SKLEARN(1, 6, 0))
            pickle__unsupported(o, "n_classes_", "is 1: this version divides by zero");
        if (a->real || o->version >= PICKLE__SKLEARN(1, 6, 0))
            pickle__method_is(o, PICKLE_DECISION_FUNCTION, no_decision);
    }
    if (a->n_classes > 1 && need_proba && !pickle__members_have(&a->members, PICKLE_PREDICT_PROBA))
        return;
    pickle__method_is(o, PICKLE_PREDICT_PROBA, old && a->n_classes > 1 ? exp_proba : proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
}

static void open_classifier(pickle__opener *o)
{
    adaboost *a = pickle__state(o, sizeof *a);

    open_algorithm(o, a);
    pickle__open_members(o, "estimators_", &a->members);
    open_weights(o, a);
    open_input(o, a);
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    a->n_classes = o->model->classes[0].count;
    if (o->model->outputs != 1 || pickle__integer(o, "n_classes_", 0) != (int64_t)a->n_classes) {
        pickle__bad(o, "n_classes_", "is not how many classes there are");
        return;
    }
    open_votes(o, a);
    open_class_methods(o, a);
}

/* ---------------------------------------------------------------- regressor */

typedef struct vote {
    double value, weight;
} vote;

/* NaN comes last, as numpy sorts it. */
static bool comes_first(double a, double b)
{
    return a < b || (isnan(b) && !isnan(a));
}

/* Merge sort: what is equal stays in order. The result is in one of the two. */
static vote *sort(vote *votes, vote *spare, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        vote *from = votes;

        for (size_t at = 0; at < n; at += 2 * width) {
            size_t i = at, middle = at + width < n ? at + width : n, j = middle;
            size_t end = at + 2 * width < n ? at + 2 * width : n;

            for (size_t k = at; k < end; k++) {
                bool right = j < end && (i >= middle || comes_first(from[j].value, from[i].value));

                spare[k] = right ? from[j++] : from[i++];
            }
        }
        votes = spare;
        spare = from;
    }
    return votes;
}

/* The first value at which half of the weight is reached. */
static double weighted_median(const vote *sorted, size_t n)
{
    double sum = 0, half = 0;

    for (size_t i = 0; i < n; i++)
        half += sorted[i].weight;
    half *= 0.5;
    for (size_t i = 0; i < n; i++) {
        sum += sorted[i].weight;
        if (sum >= half)
            return sorted[i].value;
    }
    return sorted[0].value;
}

/* `votes` has room for one row more than there are. */
static bool medians(const adaboost *a, pickle__run *r, const pickle_batch *x, vote *votes,
                    double *out)
{
    pickle__pool_mark start = pickle__pool_here(&r->pool);
    size_t n = a->members.count;

    for (size_t i = 0; i < n; i++) {
        pickle_batch values;

        if (!pickle__ask(a->members.models[i], PICKLE_PREDICT, r, x, 1, &values))
            return false;
        for (size_t row = 0; row < x->rows; row++)
            votes[row * n + i] = (vote){ *pickle__row(&values, row), a->weights[i] };
        pickle__pool_release(&r->pool, start);
    }
    for (size_t row = 0; row < x->rows; row++)
        out[row] = weighted_median(sort(votes + row * n, votes + x->rows * n, n), n);
    return true;
}

static bool median(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const adaboost *a = m->state;
    size_t n = a->members.count, most = n < MOST_VOTES ? MOST_VOTES / n : 1, count;
    double *out = pickle__new_f64(r, y, x->rows, 1);
    vote *votes =
        out ? pickle__take(r, (x->rows < most ? x->rows : most) + 1, n * sizeof *votes) : NULL;

    if (!votes)
        return false;
    for (size_t row = 0; row < x->rows; row += count) {
        pickle_batch some;

        count = x->rows - row < most ? x->rows - row : most;
        some = pickle__rows(x, row, count);
        if (!medians(a, r, &some, votes, out + row))
            return false;
    }
    return true;
}

static void open_regressor(pickle__opener *o)
{
    adaboost *a = pickle__state(o, sizeof *a);

    pickle__open_members(o, "estimators_", &a->members);
    open_weights(o, a);
    open_input(o, a);
    for (size_t i = 0; i < a->members.count && pickle__ok(o); i++) {
        if (a->members.models[i]->classes)
            pickle__unsupported(o, "estimators_", "has a classifier");
    }
    pickle__method_is(o, PICKLE_PREDICT, median);
}

const pickle__estimator pickle__adaboost_estimators[] = {
    { "ensemble", "AdaBoostClassifier", open_classifier },
    { "ensemble", "AdaBoostRegressor", open_regressor },
    { NULL, NULL, NULL },
};
