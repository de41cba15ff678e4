/* select.c - selectors: some of the columns, which scores or another estimator chose. */
#include "sklearn/estimator.h"
#include "sklearn/importance.h"
#include "sklearn/numeric.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct selector {
    size_t features, count;
    size_t *columns;         /* that are kept */
    pickle_model *estimator; /* RFE's, of the columns that are kept; NULL: none */
} selector;

/* ------------------------------------------------------------------ running */

/* NaN among objects; other tables are checked before. */
static bool check_objects(const pickle_model *m, pickle__run *r, const pickle_batch *x)
{
    if (x->kind != PICKLE_BATCH_CELLS || m->numbers != PICKLE__FINITE ||
        m->version < PICKLE__SKLEARN(0, 22, 0))
        return true;
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < x->cols; j++) {
            const pickle_cell *cell = &pickle__row_cells(x, i)[j];

            if (cell->kind == PICKLE_CELL_FLOAT && isnan(cell->as.f))
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is NaN, which %s refuses",
                                        r->first_row + i, j, m->class_name);
        }
    }
    return true;
}

static bool select_columns(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    const selector *s = m->state;

    if (!check_objects(m, r, x) || !pickle__columns(r, x, s->columns, s->count, y))
        return false;
    y->integers = x->integers;
    return true;
}

/* Everything at its column again, among zeros. */
static bool put_back_sparse(const selector *s, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    size_t last = x->rows ? (size_t)x->indptr[x->rows] : 0;
    int64_t *indices = pickle__take(r, last, sizeof *indices);

    *y = *x;
    y->cols = s->features;
    y->indices = indices;
    for (size_t k = x->rows ? (size_t)x->indptr[0] : 0; indices && k < last; k++)
        indices[k] = (int64_t)s->columns[x->indices[k]];
    return indices != NULL;
}

static bool put_back(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const selector *s = m->state;
    double *out;
    float *floats;

    if (!pickle__check_input(m, r, x, s->count))
        return false;
    if (x->kind == PICKLE_BATCH_CSR)
        return put_back_sparse(s, r, x, y);
    if (x->kind == PICKLE_BATCH_F32) {
        floats = pickle__new_f32(r, y, x->rows, s->features);
        if (floats && x->rows * s->features > 0)
            memset(floats, 0, x->rows * s->features * sizeof *floats);
        for (size_t i = 0; floats && i < x->rows; i++, floats += s->features) {
            for (size_t k = 0; k < s->count; k++)
                floats[s->columns[k]] = pickle__row_f32(x, i)[k];
        }
        return y->data != NULL;
    }
    out = pickle__new_f64(r, y, x->rows, s->features);
    if (out && x->rows * s->features > 0)
        memset(out, 0, x->rows * s->features * sizeof *out);
    for (size_t i = 0; out && i < x->rows; i++, out += s->features) {
        for (size_t k = 0; k < s->count; k++)
            out[s->columns[k]] = pickle__row(x, i)[k];
    }
    y->integers = x->integers;
    return y->data != NULL;
}

static bool ask_estimator(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    pickle_batch kept;

    return select_columns(m, r, x, &kept) &&
           pickle__run_method(((const selector *)m->state)->estimator, r->method, r, &kept, y);
}

/* ---------------------------------------------------------------- the masks */

/* The selector keeps columns whose mask is set. */
static void keep_columns(pickle__opener *o, const bool *mask, size_t n)
{
    selector *s = pickle__state(o, sizeof *s);

    s->features = n;
    s->columns = pickle__keep(o, n, sizeof *s->columns);
    for (size_t j = 0; s->columns && mask && j < n; j++) {
        if (mask[j])
            s->columns[s->count++] = j;
    }
    if (n == 0)
        pickle__bad(o, NULL, "selects from no columns");
    o->model->features = n;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    o->model->inverse = o->model->takes;
    if (o->version >= PICKLE__SKLEARN(0, 20, 0))
        o->model->takes |= PICKLE__CELLS;
    pickle__method_is(o, PICKLE_TRANSFORM, select_columns);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, put_back);
}

typedef struct ranked {
    double score;
    size_t place;
} ranked;

/* NaN comes last; equal ones stay in their order. */
static int by_score(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->score < y->score || (isnan(y->score) && !isnan(x->score)))
        return -1;
    if (y->score < x->score || (isnan(x->score) && !isnan(y->score)))
        return 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Their places and values, in ascending order of `sign` times the scores; NULL without memory. */
static ranked *rank(pickle__opener *o, const double *scores, size_t n, double sign)
{
    ranked *order = pickle__keep(o, n, sizeof *order);

    for (size_t j = 0; order && j < n; j++)
        order[j] = (ranked){ sign * scores[j], j };
    if (order)
        qsort(order, n, sizeof *order, by_score);
    return order;
}

/* --------------------------------------------------- by scores of each alone */

/* A test of each column by itself: scores_ and pvalues_. */
typedef struct univariate {
    size_t count;
    double *scores; /* where there was NaN, the lowest number */
    const double *p;
    bool *mask;
    double limit; /* k, percentile or alpha */
    bool all;
} univariate;

static void k_best(pickle__opener *o, univariate *u)
{
    ranked *order = u->all ? NULL : rank(o, u->scores, u->count, 1);
    size_t k = u->limit < (double)u->count ? (size_t)u->limit : u->count;

    for (size_t i = 0; i < u->count; i++) {
        if (u->all)
            u->mask[i] = true;
        else if (order && i + k >= u->count)
            u->mask[order[i].place] = true;
    }
}

/* np.percentile and, before, scipy's scoreatpercentile: between the two that are next to it. */
static double percentile(pickle__opener *o, const univariate *u, double percent)
{
    ranked *order = rank(o, u->scores, u->count, 1);
    double at = percent / 100 * (double)(u->count - 1), t = at - floor(at), a, b;
    size_t i = (size_t)at;

    if (!order)
        return 0;
    a = order[i].score;
    b = order[i + 1 < u->count ? i + 1 : i].score;
    if (t == 0)
        return a;
    if (o->version < PICKLE__SKLEARN(1, 0, 0))
        return a * (1 - t) + b * t;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

/* Of those that are exactly at the threshold, the first so many that there is room for. */
static void best_percent(pickle__opener *o, univariate *u)
{
    double threshold = u->limit > 0 && u->limit < 100 ? percentile(o, u, 100 - u->limit) : 0;
    int64_t above = 0, ties = 0, room;

    for (size_t j = 0; j < u->count; j++) {
        u->mask[j] = u->limit == 100 || (u->limit > 0 && u->scores[j] > threshold);
        above += u->mask[j];
        ties += u->scores[j] == threshold;
    }
    if (u->limit == 100 || u->limit == 0)
        return;
    room = (int64_t)((double)u->count * u->limit / 100) - above;
    /* As a negative end of a slice counts from its end. */
    if (room < 0)
        room = ties + room;
    for (size_t j = 0; j < u->count && room > 0; j++) {
        if (u->scores[j] == threshold) {
            u->mask[j] = true;
            room--;
        }
    }
}

static void false_positive_rate(pickle__opener *o, univariate *u)
{
    (void)o;
    for (size_t j = 0; j < u->count; j++)
        u->mask[j] = u->p[j] < u->limit;
}

static void family_wise_error(pickle__opener *o, univariate *u)
{
    (void)o;
    for (size_t j = 0; j < u->count; j++)
        u->mask[j] = u->p[j] < u->limit / (double)u->count;
}

static void false_discovery_rate(pickle__opener *o, univariate *u)
{
    ranked *order = rank(o, u->p, u->count, 1);
    double most = -INFINITY;

    for (size_t i = 0; order && i < u->count; i++) {
        if (order[i].score <= u->limit / (double)u->count * (double)(i + 1))
            most = order[i].score;
    }
    for (size_t j = 0; j < u->count; j++)
        u->mask[j] = u->p[j] <= most;
}

typedef struct mode {
    const char *name, *parameter;
    void (*choose)(pickle__opener *o, univariate *u);
    bool of_p;
    double fallback;
} mode;

static const mode modes[] = {
    { "percentile", "percentile", best_percent, false, 10 },
    { "k_best", "k", k_best, false, 10 },
    { "fpr", "alpha", false_positive_rate, true, 0.05 },
    { "fdr", "alpha", false_discovery_rate, true, 0.05 },
    { "fwe", "alpha", family_wise_error, true, 0.05 },
};

static void read_scores(pickle__opener *o, univariate *u, const mode *how)
{
    const char *name = how->of_p ? "pvalues_" : "scores_";
    pickle__matrix m = pickle__need_numbers(o, name);

    u->count = m.rows * m.cols;
    u->p = m.data;
    u->mask = pickle__keep(o, u->count, sizeof *u->mask);
    u->scores = pickle__keep(o, u->count, sizeof *u->scores);
    for (size_t j = 0; u->scores && m.data && j < u->count; j++) {
        u->scores[j] = m.data[j];
        if (isnan(m.data[j]))
            u->scores[j] = m.f32 ? (double)-FLT_MAX : -DBL_MAX;
    }
    if (pickle__ok(o) && (m.ndim > 1 || u->count == 0))
        pickle__bad(o, name, "is no row of numbers");
}

static void open_univariate(pickle__opener *o, const mode *how, const char *parameter)
{
    univariate u = { 0 };

    read_scores(o, &u, how);
    u.all = how->choose == k_best && pickle_str_is(pickle__attr(o, parameter), "all");
    if (!u.all)
        u.limit = pickle__number(o, parameter, how->fallback);
    if (!pickle__ok(o))
        return;
    if (!(u.limit >= 0) || (how->choose == best_percent && u.limit > 100)) {
        pickle__bad(o, parameter, "is out of its range");
        return;
    }
    how->choose(o, &u);
    keep_columns(o, u.mask, u.count);
}

static void open_percentile(pickle__opener *o)
{
    open_univariate(o, &modes[0], modes[0].parameter);
}

static void open_k_best(pickle__opener *o)
{
    open_univariate(o, &modes[1], modes[1].parameter);
}

static void open_fpr(pickle__opener *o)
{
    open_univariate(o, &modes[2], modes[2].parameter);
}

static void open_fdr(pickle__opener *o)
{
    open_univariate(o, &modes[3], modes[3].parameter);
}

static void open_fwe(pickle__opener *o)
{
    open_univariate(o, &modes[4], modes[4].parameter);
}

static void open_generic(pickle__opener *o)
{
    int i = pickle__choice(o, "mode", 0, "percentile", "k_best", "fpr", "fdr", "fwe", NULL);
    mode how = modes[i];

    how.fallback = 1e-5;
    open_univariate(o, &how, "param");
}

static void open_variance_threshold(pickle__opener *o)
{
    pickle__matrix variances = pickle__need_numbers(o, "variances_");
    double threshold = pickle__number(o, "threshold", 0);
    size_t n = variances.rows * variances.cols;
    bool *mask = pickle__keep(o, n, sizeof *mask);

    if (!mask || !pickle__ok(o))
        return;
    for (size_t j = 0; j < n; j++)
        mask[j] = variances.data[j] > threshold;
    keep_columns(o, mask, n);
    if (o->version >= PICKLE__SKLEARN(0, 22, 0))
        o->model->numbers = PICKLE__OR_NAN;
}

/* ----------------------------------------------------- by another estimator */

/* Which numbers get through depends on what the estimator lets in: trees NaN, with time. */
static pickle__numbers numbers_of(const pickle__opener *o, const pickle_val *estimator)
{
    static const struct {
        const char *name;
        int since;
    } nan[] = {
        { "DecisionTree", PICKLE__SKLEARN(1, 3, 0) },
        { "RandomForest", PICKLE__SKLEARN(1, 4, 0) },
        { "ExtraTree", PICKLE__SKLEARN(1, 6, 0) },
        { "HistGradientBoosting", PICKLE__SKLEARN(0, 22, 0) },
    };
    const char *name = pickle__sklearn_class(estimator);

    for (size_t i = 0; name && i < sizeof nan / sizeof *nan; i++) {
        if (strncmp(name, nan[i].name, strlen(nan[i].name)) == 0 && o->version >= nan[i].since)
            return PICKLE__OR_NAN;
    }
    return PICKLE__FINITE;
}

/* A decimal number of few digits, "1.25 *": what comes after the star, or NULL. */
static const char *read_factor(const char *text, double *out)
{
    double digits = 0, divisor = 1;
    int count = 0;
    bool point = false;

    while (*text == ' ')
        text++;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        digits = digits * 10 + (*text - '0');
        divisor = point ? divisor * 10 : divisor;
        count++;
    }
    while (*text == ' ')
        text++;
    /* Up to here both are exact, so that their quotient is rounded once. */
    *out = digits / divisor;
    return count > 0 && count <= 15 && *text == '*' ? text + 1 : NULL;
}

static double mean_of(pickle__opener *o, const importances *s)
{
    float *floats;

    if (!s->f32)
        return pickle__sum(s->scores, s->count) / (double)s->count;
    floats = pickle__keep(o, s->count, sizeof *floats);
    for (size_t j = 0; floats && j < s->count; j++)
        floats[j] = (float)s->scores[j];
    return floats ? (double)(pickle__sum_f32(floats, s->count) / (float)s->count) : 0;
}

static double median_of(pickle__opener *o, const importances *s)
{
    ranked *order = rank(o, s->scores, s->count, 1);
    size_t half = s->count / 2;
    double mean;

    if (!order)
        return 0;
    if (s->count % 2 == 1)
        return order[half].score;
    mean = (order[half - 1].score + order[half].score) / 2;
    return s->f32 ? (double)(float)mean : mean;
}

/* np.isclose(v, 1), of a number or of all of an array. */
static bool close_to_one(const pickle_val *v)
{
    pickle_array a;
    double x = 0;
    bool all = true;

    if (pickle_get_f64(v, &x))
        return fabs(x - 1) <= 1e-8 + 1e-5;
    if (!pickle_get_array(v, &a) || !pickle_array_f64(&a))
        return false;
    for (uint64_t i = 0; i < pickle_array_count(&a); i++)
        all = all && fabs(pickle_array_f64(&a)[i] - 1) <= 1e-8 + 1e-5;
    return all;
}

/* Does the estimator make coefficients that are 0? Then all others are taken. */
static bool is_l1(const pickle__opener *o, const pickle_val *estimator)
{
    const char *name = pickle__sklearn_class(estimator);
    const pickle_val *ratio = pickle_attr(estimator, "l1_ratio");
    const pickle_val *found = pickle_attr(estimator, "l1_ratio_");
    bool net = name && strstr(name, "ElasticNet");

    if (!name || pickle_str_is(pickle_attr(estimator, "penalty"), "l1") || strstr(name, "Lasso"))
        return true;
    if (o->version < PICKLE__SKLEARN(1, 1, 0))
        return false;
    if (o->version < PICKLE__SKLEARN(1, 7, 0))
        return net && (close_to_one(found) || close_to_one(ratio));
    if (o->version < PICKLE__SKLEARN(1, 8, 0) && !net)
        return false;
    if (strcmp(name, "ElasticNet") == 0 || strcmp(name, "LogisticRegression") == 0)
        return close_to_one(ratio);
    return (strcmp(name, "ElasticNetCV") == 0 || strcmp(name, "LogisticRegressionCV") == 0) &&
           close_to_one(found);
}

/* A number, "mean", "median", or a multiple of these: "1.25*mean". */
static double threshold_of(pickle__opener *o, const pickle_val *estimator, const importances *s)
{
    const pickle_val *v = pickle__attr(o, "threshold");
    const char *text = pickle_str(v), *name;
    double factor = 1;

    if (v && !text)
        return pickle__number(o, "threshold", 0);
    if (!v && is_l1(o, estimator))
        return 1e-5;
    name = v ? text : "mean";
    if (strchr(name, '*'))
        name = read_factor(name, &factor);
    while (name && *name == ' ')
        name++;
    if (name && strncmp(name, "mean", 4) == 0 && !name[4 + strspn(name + 4, " ")])
        return factor * mean_of(o, s);
    if (name && strncmp(name, "median", 6) == 0 && !name[6 + strspn(name + 6, " ")])
        return factor * median_of(o, s);
    pickle__unsupported(o, "threshold", "has a value that is not known here");
    return 0;
}

/* SelectFromModel's estimator: a copy that was fitted, or the one that it was given so. */
static const pickle_val *fitted(pickle__opener *o)
{
    const pickle_val *own = pickle__attr(o, "estimator_");
    bool prefit = pickle__flag(o, "prefit", false);

    if (own && (!prefit || o->version >= PICKLE__SKLEARN(1, 1, 0)))
        return own;
    return prefit ? pickle__need(o, "estimator") : pickle__need(o, "estimator_");
}

static void open_from_model(pickle__opener *o)
{
    const pickle_val *estimator = fitted(o), *getter = pickle__attr(o, "importance_getter");
    const char *path = getter ? pickle_str(getter) : "auto";
    const char *most = pickle__attr(o, "max_features_") ? "max_features_" : "max_features";
    double norm = pickle__number(o, "norm_order", 1), limit, threshold;
    importances s = { 0 };
    ranked *order;
    bool *mask;

    if (!path)
        pickle__unsupported(o, "importance_getter", "is a function of the user's");
    if (norm != 1 && norm != 2 && norm != INFINITY)
        pickle__unsupported(o, "norm_order", "is none of 1, 2 and infinity");
    if (!pickle__ok(o) || !pickle__importances(o, estimator, path, norm, &s))
        return;
    threshold = threshold_of(o, estimator, &s);
    if (s.f32)
        threshold = (double)(float)threshold;
    limit = pickle__number(o, most, (double)s.count);
    mask = pickle__keep(o, s.count, sizeof *mask);
    order = rank(o, s.scores, s.count, -1);
    if (!mask || !order || !pickle__ok(o))
        return;
    if (!(limit >= 0))
        pickle__bad(o, most, "is out of its range");
    for (size_t i = 0; i < s.count && (double)i < limit; i++)
        mask[order[i].place] = !(s.scores[order[i].place] < threshold);
    keep_columns(o, mask, s.count);
    o->model->numbers = numbers_of(o, estimator);
}

/* support_, as SequentialFeatureSelector has it. */
static void open_support(pickle__opener *o)
{
    pickle__matrix support = pickle__need_numbers(o, "support_");
    size_t n = support.rows * support.cols;
    bool *mask = pickle__keep(o, n, sizeof *mask);

    if (!mask || !pickle__ok(o))
        return;
    for (size_t j = 0; j < n; j++)
        mask[j] = support.data[j] != 0;
    keep_columns(o, mask, n);
    o->model->numbers = numbers_of(o, pickle__attr(o, "estimator"));
}

/* Recursive elimination keeps an estimator that was fitted on what was left. */
static void open_rfe(pickle__opener *o)
{
    static const pickle_method methods[] = { PICKLE_PREDICT, PICKLE_PREDICT_PROBA,
                                             PICKLE_PREDICT_LOG_PROBA, PICKLE_DECISION_FUNCTION };
    pickle_model *estimator = pickle__open_part(o, "estimator_", 0, pickle__need(o, "estimator_"));
    selector *s;

    open_support(o);
    if (!pickle__ok(o) || !o->model->state)
        return;
    s = o->model->state;
    s->estimator = estimator;
    if (estimator->features && estimator->features != s->count)
        pickle__bad(o, "estimator_", "was fitted on another number of columns than support_ has");
    o->model->classes = estimator->classes;
    o->model->outputs = estimator->outputs;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (estimator->methods[methods[i]])
            pickle__method_is(o, methods[i], ask_estimator);
    }
}

const pickle__estimator pickle__select_estimators[] = {
    { "feature_selection", "SelectPercentile", open_percentile },
    { "feature_selection", "SelectKBest", open_k_best },
    { "feature_selection", "SelectFpr", open_fpr },
    { "feature_selection", "SelectFdr", open_fdr },
    { "feature_selection", "SelectFwe", open_fwe },
    { "feature_selection", "GenericUnivariateSelect", open_generic },
    { "feature_selection", "VarianceThreshold", open_variance_threshold },
    { "feature_selection", "SelectFromModel", open_from_model },
    { "feature_selection", "SequentialFeatureSelector", open_support },
    { "feature_selection", "RFE", open_rfe },
    { "feature_selection", "RFECV", open_rfe },
    { NULL, NULL, NULL },
};
