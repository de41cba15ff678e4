/* ensemble.c - bagging: estimators of one kind, each with columns of its own. */
#include "sklearn/members.h"
#include "sklearn/numeric.h"

#include <string.h>

#define MOST_COLUMNS ((size_t)1 << 24) /* of all estimators together */

typedef struct bagging {
    pickle__members members;
    size_t n_classes; /* 0: regression */
    /* For each, its columns of X; NULL: all, as they are. */
    struct {
        const size_t *columns;
        size_t count;
    } * features;
} bagging;

/* ------------------------------------------------------------------ running */

static bool ask(const bagging *b, size_t i, pickle_method method, pickle__run *r,
                const pickle_batch *x, size_t width, pickle_batch *y)
{
    pickle_batch some = *x;

    if (b->features[i].columns &&
        !pickle__columns(r, x, b->features[i].columns, b->features[i].count, &some))
        return false;
    some.names = NULL; /* what was a DataFrame is an array now */
    return pickle__ask(b->members.models[i], method, r, &some, width, y);
}

static double *new_filled(pickle__run *r, pickle_batch *y, size_t rows, size_t cols, double with)
{
    double *out = pickle__new_f64(r, y, rows, cols);

    for (size_t i = 0; out && i < rows * cols; i++)
        out[i] = with;
    return out;
}

static void add(const pickle_batch *answer, double *sums)
{
    for (size_t i = 0; i < answer->rows; i++) {
        for (size_t c = 0; c < answer->cols; c++)
            *sums++ += pickle__row(answer, i)[c];
    }
}

/* The mean of answers that are as wide as the first. */
static bool mean(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const bagging *b = m->state;
    double *out;
    pickle__pool_mark start;
    pickle_batch answer;

    if (!ask(b, 0, r->method, r, x, 0, &answer))
        return false;
    out = new_filled(r, y, x->rows, answer.cols, 0);
    if (!out)
        return false;
    add(&answer, out);
    start = pickle__pool_here(&r->pool);
    for (size_t i = 1; i < b->members.count; i++) {
        if (!ask(b, i, r->method, r, x, y->cols, &answer))
            return false;
        add(&answer, out);
        pickle__pool_release(&r->pool, start);
    }
    for (size_t i = 0; i < x->rows * y->cols; i++)
        out[i] /= (double)b->members.count;
    return true;
}

static void add_votes(const pickle_batch *predictions, const size_t *places, size_t n_classes,
                      double *sums)
{
    for (size_t i = 0; i < predictions->rows; i++, sums += n_classes)
        sums[places[(size_t)*pickle__row(predictions, i)]] += 1;
}

static void add_proba(const pickle_batch *answer, const size_t *places, size_t n_classes,
                      double *sums)
{
    for (size_t i = 0; i < answer->rows; i++, sums += n_classes) {
        for (size_t c = 0; c < answer->cols; c++)
            sums[places[c]] += pickle__row(answer, i)[c];
    }
}

static bool proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const bagging *b = m->state;
    size_t k = b->n_classes;
    double *out = new_filled(r, y, x->rows, k, 0);
    pickle__pool_mark start = pickle__pool_here(&r->pool);

    for (size_t i = 0; out && i < b->members.count; i++) {
        const pickle_model *part = b->members.models[i];
        bool votes = !part->methods[PICKLE_PREDICT_PROBA];
        pickle_batch answer;

        if (!ask(b, i, votes ? PICKLE_PREDICT : PICKLE_PREDICT_PROBA, r, x,
                 votes ? 1 : part->classes[0].count, &answer))
            return false;
        (votes ? add_votes : add_proba)(&answer, b->members.places[i], k, out);
        pickle__pool_release(&r->pool, start);
    }
    for (size_t i = 0; out && i < x->rows * k; i++)
        out[i] /= (double)b->members.count;
    return out != NULL;
}

/* np.logaddexp. */
static double log_of_sum(double a, double b)
{
    double d = a - b;

    if (a == b)
        return a + 0.693147180559945309417232121458176568;
    if (d > 0)
        return a + log1p(exp(-d));
    return d <= 0 ? b + log1p(exp(d)) : d;
}

static bool log_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const bagging *b = m->state;
    size_t k = b->n_classes;
    double *out = new_filled(r, y, x->rows, k, -INFINITY), n = log((double)b->members.count);
    pickle__pool_mark start = pickle__pool_here(&r->pool);

    for (size_t i = 0; out && i < b->members.count; i++) {
        const size_t *places = b->members.places[i];
        pickle_batch answer;

        if (!ask(b, i, PICKLE_PREDICT_LOG_PROBA, r, x, b->members.models[i]->classes[0].count,
                 &answer))
            return false;
        for (size_t row = 0; row < x->rows; row++) {
            for (size_t c = 0; c < answer.cols; c++) {
                double *to = &out[row * k + places[c]];

                *to = log_of_sum(*to, pickle__row(&answer, row)[c]);
            }
        }
        pickle__pool_release(&r->pool, start);
    }
    for (size_t i = 0; out && i < x->rows * k; i++)
        out[i] -= n;
    return out != NULL;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch sums;

    return proba(m, r, x, &sums) && pickle__argmax(r, &sums, y);
}

/* ------------------------------------------------------------------ opening */

static void open_columns(pickle__opener *o, bagging *b, size_t i, const pickle_val *v, size_t *all)
{
    static const char name[] = "estimators_features_";
    size_t n = 0, most = o->model->features;
    const int64_t *numbers = pickle__integers_of(o, name, v, &n);
    size_t *columns;
    bool same = n == most;

    *all += n;
    if (pickle__ok(o) && (!numbers || n == 0 || *all > MOST_COLUMNS))
        pickle__bad(o, name, "has what are no columns");
    columns = pickle__ok(o) ? pickle__keep(o, n, sizeof *columns) : NULL;
    for (size_t k = 0; columns && k < n; k++) {
        if (numbers[k] < 0 || (uint64_t)numbers[k] >= (uint64_t)most) {
            pickle__bad(o, name, "has a column that X lacks");
            return;
        }
        same = same && (size_t)numbers[k] == k;
        columns[k] = (size_t)numbers[k];
    }
    b->features[i].columns = same ? NULL : columns;
    b->features[i].count = n;
}

static void open_features(pickle__opener *o, bagging *b)
{
    size_t n = 0, all = 0;
    const pickle_val *list = pickle__need(o, "estimators_features_"), *last = NULL;

    list = list ? pickle__items(o, "estimators_features_", list, &n) : NULL;
    if (pickle__ok(o) && n != b->members.count)
        pickle__bad(o, "estimators_features_", "is not as long as estimators_");
    b->features = pickle__keep(o, b->members.count, sizeof *b->features);
    for (size_t i = 0; b->features && i < n && pickle__ok(o); i++) {
        const pickle_val *v = pickle_at(list, i);

        if (v == last)
            b->features[i] = b->features[i - 1];
        else
            open_columns(o, b, i, v, &all);
        last = v;
        if (pickle__ok(o) && b->members.models[i]->features &&
            b->members.models[i]->features != b->features[i].count)
            pickle__bad(o, "estimators_features_", "has not the columns that an estimator expects");
    }
}

static int64_t feature_count(pickle__opener *o)
{
    const char *name = pickle__attr(o, "n_features_in_") ? "n_features_in_" : "n_features_";

    return pickle__integer(o, name, 0);
}

static void open_bagging(pickle__opener *o, bagging *b)
{
    int64_t n = feature_count(o);
    bool look = o->version < PICKLE__SKLEARN(0, 20, 0);

    pickle__open_members(o, "estimators_", &b->members);
    if (pickle__ok(o) && (n <= 0 || n > INT32_MAX))
        pickle__bad(o, "n_features_in_", "is no number of columns");
    if (pickle__ok(o) && pickle__integer(o, "n_estimators", 0) != (int64_t)b->members.count)
        pickle__unsupported(o, "n_estimators", "is not how many there are");
    if (!pickle__ok(o))
        return;
    o->model->features = (size_t)n;
    o->model->takes = look ? PICKLE__F64 | PICKLE__F32 | PICKLE__CSR : PICKLE__ANYTHING;
    o->model->numbers = look ? PICKLE__FINITE : PICKLE__ANY_NUMBER;
    open_features(o, b);
}

static void open_regressor(pickle__opener *o)
{
    bagging *b = pickle__state(o, sizeof *b);

    open_bagging(o, b);
    for (size_t i = 0; i < b->members.count && pickle__ok(o); i++) {
        if (b->members.models[i]->classes)
            pickle__unsupported(o, "estimators_", "has a classifier");
        else if (b->members.models[i]->outputs != b->members.models[0]->outputs)
            pickle__bad(o, "estimators_", "have different numbers of outputs");
    }
    if (pickle__ok(o))
        o->model->outputs = b->members.models[0]->outputs;
    pickle__method_is(o, PICKLE_PREDICT, mean);
}

static void open_classifier(pickle__opener *o)
{
    bagging *b = pickle__state(o, sizeof *b);

    open_bagging(o, b);
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    b->n_classes = o->model->classes[0].count;
    if (o->model->outputs != 1 || pickle__integer(o, "n_classes_", 0) != (int64_t)b->n_classes) {
        pickle__bad(o, "n_classes_", "is not how many classes there are");
        return;
    }
    pickle__members_encoded(o, &b->members, b->n_classes);
    for (size_t i = 0; i < b->members.count && pickle__ok(o); i++) {
        if (!b->members.places[i] && !b->members.models[i]->refused)
            pickle__unsupported(o, "estimators_", "has one that is no classifier");
    }
    pickle__method_is(o, PICKLE_PREDICT, predict);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA,
                      pickle__members_have(&b->members, PICKLE_PREDICT_LOG_PROBA)
                          ? log_proba
                          : pickle__log_proba);
    if (pickle__members_have(&b->members, PICKLE_DECISION_FUNCTION))
        pickle__method_is(o, PICKLE_DECISION_FUNCTION, mean);
}

const pickle__estimator pickle__ensemble_estimators[] = {
    { "ensemble", "BaggingClassifier", open_classifier },
    { "ensemble", "BaggingRegressor", open_regressor },
    { NULL, NULL, NULL },
};
