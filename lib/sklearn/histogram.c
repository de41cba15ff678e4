/* histogram.c - histogram-based gradient boosting: a sum of trees, and what a loss makes of it. */
#include "sklearn/histogram.h"
#include "sklearn/loss.h"
#include "sklearn/numeric.h"

#include <string.h>

#define LANES        8                 /* rows that walk side by side */
#define TILE_NUMBERS ((size_t)1 << 14) /* of X, that stay in the cache from tree to tree */

typedef struct histogram {
    size_t per_iteration; /* trees: one, or one for each class */
    pickle__hist_trees trees;
    const double *baseline;
    bool exp; /* the link of counts and amounts */
    /* Of a model that encodes categories: the columns that its encoder takes, and the others, which
     * follow them as the trees see X. NULL: X is as they see it. */
    const pickle_model *encoder;
    size_t n_categorical, n_numerical;
    size_t *categorical, *numerical;
} histogram;

/* ------------------------------------------------------------------ running */

/* A category as the unsigned char that C makes of it on x86; what is no int has no low byte. */
static unsigned category_of(double x)
{
    return x > -2147483649.0 && x < 2147483648.0 ? (unsigned)(int32_t)x & 255u : 0;
}

static uint32_t categorical_step(const pickle__hist_trees *h, const pickle__hist_node *n, double x)
{
    const uint32_t *set = h->sets[n->split.set];
    unsigned c;

    if (isnan(x) || x < h->least_category)
        return !(n->feature & PICKLE__HIST_MISSING_LEFT);
    c = category_of(x);
    return !(set[c / 32] >> c % 32 & 1);
}

static inline uint32_t step(const pickle__hist_trees *h, const pickle__hist_node *n,
                            const double *row, bool categorical)
{
    double x = row[n->feature / 4];

    if (categorical && (n->feature & PICKLE__HIST_CATEGORICAL))
        return categorical_step(h, n, x);
    return (uint32_t) !(x <= n->split.threshold) & ~((uint32_t)isnan(x) & n->feature);
}

/* From the root to the leaves. */
static inline void walk(const pickle__hist_trees *h, const pickle__hist_node *nodes,
                        const double *const *rows, uint32_t *at, size_t lanes, bool categorical)
{
    uint32_t moved;

    memset(at, 0, lanes * sizeof *at);
    do {
        moved = 0;
        for (size_t i = 0; i < lanes; i++) {
            const pickle__hist_node *n = &nodes[at[i]];
            uint32_t next = n->left + step(h, n, rows[i], categorical);

            moved |= next ^ at[i];
            at[i] = next;
        }
    } while (moved);
}

/* Add one tree's values to every `stride`-th number. */
static inline void add_tree(const pickle__hist_trees *h, const pickle__hist_tree *t,
                            const pickle_batch *x, double *out, size_t stride, bool categorical)
{
    const pickle__hist_node *nodes = h->nodes + t->first;
    const double *values = h->values + t->first, *rows[LANES];
    uint32_t at[LANES];
    size_t i = 0;

    for (; i + LANES <= x->rows; i += LANES) {
        for (size_t k = 0; k < LANES; k++)
            rows[k] = pickle__row(x, i + k);
        walk(h, nodes, rows, at, LANES, categorical);
        for (size_t k = 0; k < LANES; k++)
            out[(i + k) * stride] += values[at[k]];
    }
    for (; i < x->rows; i++) {
        rows[0] = pickle__row(x, i);
        walk(h, nodes, rows, at, 1, categorical);
        out[i * stride] += values[at[0]];
    }
}

static void add_trees(const histogram *h, const pickle_batch *x, double *out)
{
    const pickle__hist_trees *all = &h->trees;

    for (size_t t = 0; t < all->count; t++) {
        double *to = out + t % h->per_iteration;

        if (all->trees[t].categorical)
            add_tree(all, &all->trees[t], x, to, h->per_iteration, true);
        else
            add_tree(all, &all->trees[t], x, to, h->per_iteration, false);
    }
}

/* What a ColumnTransformer makes of X: encoded categories, then numbers. */
static bool preprocess(const histogram *h, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch sides[2];

    return pickle__columns(r, x, h->categorical, h->n_categorical, &sides[0]) &&
           pickle__run_method(h->encoder, PICKLE_TRANSFORM, r, &sides[0], &sides[0]) &&
           pickle__columns(r, x, h->numerical, h->n_numerical, &sides[1]) &&
           pickle__as_f64(r, &sides[1], &sides[1]) && pickle__hstack(r, sides, 2, false, y) &&
           pickle__as_f64(r, y, y);
}

static bool raw(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const histogram *h = m->state;
    size_t k = h->per_iteration, most = TILE_NUMBERS / (x->cols ? x->cols : 1), count;
    pickle_batch table = *x;
    double *out = pickle__new_f64(r, y, x->rows, k);

    if (!out || (h->encoder && !preprocess(h, r, x, &table)))
        return false;
    for (size_t i = 0; i < x->rows * k; i++)
        out[i] = 0 + h->baseline[i % k];
    most = most < 4 * LANES ? 4 * LANES : most;
    for (size_t i = 0; i < x->rows; i += count) {
        pickle_batch tile;

        count = x->rows - i < most ? x->rows - i : most;
        tile = pickle__rows(&table, i, count);
        add_trees(h, &tile, out + i * k);
    }
    return true;
}

static bool regress(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const histogram *h = m->state;

    if (!raw(m, r, x, y))
        return false;
    if (h->exp) {
        double *out = (double *)(uintptr_t)y->data;

        for (size_t i = 0; i < y->rows; i++)
            out[i] = exp(out[i]);
    }
    return true;
}

/* Until 1.0 by logsumexp, since then by the softmax of less the largest. */
static void multinomial(int version, const double *scores, size_t k, double *out)
{
    double sum = version < PICKLE__SKLEARN(1, 1, 0) ? pickle__logsumexp(scores, k) : 0;

    for (size_t c = 0; c < k; c++)
        out[c] = version < PICKLE__SKLEARN(1, 1, 0) ? exp(scores[c] - sum) : scores[c];
    if (version >= PICKLE__SKLEARN(1, 1, 0))
        pickle__softmax(out, k);
}

static bool proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    size_t k = m->classes[0].count;
    pickle_batch scores;
    double *out;

    if (!raw(m, r, x, &scores))
        return false;
    out = pickle__new_f64(r, y, x->rows, k);
    for (size_t i = 0; out && i < x->rows; i++, out += k) {
        const double *row = pickle__row(&scores, i);

        if (k > 2) {
            multinomial(m->version, row, k, out);
        } else {
            out[1] = pickle__expit(*row);
            out[0] = 1 - out[1];
        }
    }
    return y->data != NULL;
}

/* Since 1.5 by the sign of the decision; before, where that is next to 0, both classes have a
 * probability of 0.5, and the first is taken. */
static bool classify(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const histogram *h = m->state;
    bool by_decision = m->version >= PICKLE__SKLEARN(1, 5, 0);
    pickle_batch scores;
    double *out;

    if (!(by_decision ? raw : proba)(m, r, x, &scores))
        return false;
    if (!by_decision || h->per_iteration > 1)
        return pickle__argmax(r, &scores, y);
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = *pickle__row(&scores, i) > 0;
    return out != NULL;
}

/* ----------------------------------------------------------- opening: columns */

static bool is_column_of(pickle__opener *o, const pickle_val *transformer, const char *name,
                         const int64_t *mask, size_t n, int64_t value)
{
    size_t count = 0;
    const int64_t *columns =
        pickle__integers_of(o, "_preprocessor", pickle_at(transformer, 2), &count);

    if (!columns || count != n || !pickle_str_is(pickle_at(transformer, 0), name))
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((columns[i] != 0) != (mask[i] == value))
            return false;
    }
    return true;
}

/* Since 1.4 a ColumnTransformer of an OrdinalEncoder for categorical columns, and of nothing but a
 * check for the others. */
static void open_preprocessor(pickle__opener *o, histogram *h)
{
    size_t n = 0, features = o->model->features, count = 0;
    const int64_t *mask = pickle__need_integers(o, "is_categorical_", &n);
    const pickle_val *pre = pickle__attr(o, "_preprocessor");
    const pickle_val *list =
        pickle__items(o, "_preprocessor", pickle_attr(pre, "transformers_"), &count);

    if (pickle__ok(o) && n != features)
        pickle__bad(o, "is_categorical_", "is of another number of columns");
    h->categorical = pickle__keep(o, n, sizeof *h->categorical);
    h->numerical = pickle__keep(o, n, sizeof *h->numerical);
    if (!pickle__ok(o) || !h->categorical || !h->numerical)
        return;
    if (count < 2 || !is_column_of(o, pickle_at(list, 0), "encoder", mask, n, 1) ||
        !is_column_of(o, pickle_at(list, 1), "numerical", mask, n, 0)) {
        pickle__unsupported(o, "_preprocessor", "is not as scikit-learn makes it");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (mask[i])
            h->categorical[h->n_categorical++] = i;
        else
            h->numerical[h->n_numerical++] = i;
    }
    h->encoder = pickle__open_part(o, "encoder", 0, pickle_at(pickle_at(list, 0), 1));
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CELLS;
    if (pickle__ok(o) && !h->encoder->refused &&
        (!h->encoder->methods[PICKLE_TRANSFORM] ||
         strcmp(h->encoder->class_name, "sklearn.preprocessing.OrdinalEncoder") != 0))
        pickle__unsupported(o, "_preprocessor", "is not as scikit-learn makes it");
}

/* ------------------------------------------------------------- opening both */

/* What the name of a loss's class says. */
static const pickle__loss losses[] = {
    { "LeastSquares", false, false },      { "LeastAbsoluteDeviation", false, false },
    { "HalfSquaredError", false, false },  { "AbsoluteError", false, false },
    { "PinballLoss", false, false },       { "Poisson", false, true },
    { "HalfPoissonLoss", false, true },    { "HalfGammaLoss", false, true },
    { "BinaryCrossEntropy", true, false }, { "CategoricalCrossEntropy", true, false },
    { "HalfBinomialLoss", true, false },   { "HalfMultinomialLoss", true, false },
};

static void open_loss(pickle__opener *o, histogram *h, bool classes)
{
    const pickle__loss *loss =
        pickle__open_loss(o, o->version < PICKLE__SKLEARN(0, 24, 0) ? "loss_" : "_loss", losses,
                          sizeof losses / sizeof *losses, classes);

    h->exp = loss && loss->exponential;
}

/* The trees' columns. */
static size_t open_features(pickle__opener *o)
{
    const char *name = pickle__attr(o, "_n_features") ? "_n_features" : "n_features_";
    int64_t n = pickle__integer(o, name, 0);

    if (n > 0 && n <= INT32_MAX / 4)
        return (size_t)n;
    if (pickle__ok(o))
        pickle__bad(o, name, "is no number of columns");
    return 0;
}

static void open_histogram(pickle__opener *o, histogram *h, bool classes)
{
    int64_t k = pickle__integer(o, "n_trees_per_iteration_", 0);
    size_t features = open_features(o);
    pickle__matrix baseline = pickle__need_numbers(o, "_baseline_prediction");

    open_loss(o, h, classes);
    if (pickle__ok(o) && (k < 1 || (uint64_t)k != (uint64_t)(baseline.rows * baseline.cols)))
        pickle__bad(o, "_baseline_prediction", "is not one number for each tree of an iteration");
    if (baseline.f32)
        pickle__unsupported(o, "_baseline_prediction", "is of float32");
    if (!pickle__ok(o))
        return;
    h->per_iteration = (size_t)k;
    h->baseline = baseline.data;
    o->model->features = features;
    o->model->numbers =
        o->version < PICKLE__SKLEARN(0, 22, 0) ? PICKLE__FINITE : PICKLE__ANY_NUMBER;
    h->trees.least_category = o->version < PICKLE__SKLEARN(1, 2, 0) ? -INFINITY : 0;
    if (pickle__open_hist_trees(o, h->per_iteration, features, &h->trees) &&
        pickle__attr(o, "_preprocessor"))
        open_preprocessor(o, h);
}

static void open_regressor(pickle__opener *o)
{
    histogram *h = pickle__state(o, sizeof *h);

    open_histogram(o, h, false);
    if (pickle__ok(o) && h->per_iteration != 1)
        pickle__bad(o, "n_trees_per_iteration_", "is not 1");
    pickle__method_is(o, PICKLE_PREDICT, regress);
}

static void open_classifier(pickle__opener *o)
{
    histogram *h = pickle__state(o, sizeof *h);
    size_t k;

    open_histogram(o, h, true);
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    k = o->model->classes[0].count;
    if (o->model->outputs != 1 || k < 2)
        pickle__unsupported(o, "classes_", "are not two or more of one output");
    else if (h->per_iteration != (k == 2 ? 1 : k))
        pickle__bad(o, "classes_", "are not as many as there are trees in an iteration");
    pickle__method_is(o, PICKLE_PREDICT, classify);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, proba);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, raw);
}

const pickle__estimator pickle__histogram_estimators[] = {
    { "ensemble", "HistGradientBoostingClassifier", open_classifier },
    { "ensemble", "HistGradientBoostingRegressor", open_regressor },
    { NULL, NULL, NULL },
};
