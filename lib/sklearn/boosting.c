/* boosting.c - gradient boosting: a first prediction, a sum of trees, and what a loss makes of it.
 */
#include "sklearn/loss.h"
#include "sklearn/members.h"
#include "sklearn/numeric.h"
#include "sklearn/tree.h"

#include <float.h>
#include <string.h>

#include <pickle/class.h>

/* What turns the first prediction's probabilities into a decision. */
typedef enum link { NO_LINK, LOGIT, HALF_LOGIT, LOG, CENTRED_LOG } link;

typedef struct boosting {
    size_t per_stage; /* trees: one, or one for each class */
    size_t count;     /* trees */
    const pickle__tree **trees;
    pickle__numbers apply_lets_in; /* as the first tree does */
    double learning_rate;
    link link;
    bool exponential;    /* loss */
    double least;        /* probability that counts for the link; 1 - least: the most */
    const double *start; /* a first prediction that is always the same; NULL: init's */
    const pickle_model *init;
    bool always_same; /* the same for any row */
} boosting;

/* --------------------------------------------------------- first prediction */

/* As GradientBoosting* hands it on: of float32. */
static bool as_given(pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const double *data = x->data;
    double *narrow;
    size_t first, n;

    if (x->kind != PICKLE_BATCH_CSR)
        return pickle__as_f32(r, x, y);
    first = (size_t)x->indptr[0];
    n = (size_t)x->indptr[x->rows];
    narrow = pickle__take(r, n, sizeof *narrow);
    for (size_t k = first; narrow && k < n; k++)
        narrow[k] = (double)(float)data[k];
    *y = *x;
    y->data = narrow;
    return narrow != NULL;
}

static double within(const boosting *b, double p)
{
    double most = 1 - b->least;

    return p < b->least ? b->least : p > most ? most : p;
}

/* Probabilities of a row as `per_stage` decisions. */
static void apply_link(const boosting *b, const double *proba, double *out)
{
    size_t k = b->per_stage;
    double centre = 1;

    if (b->link == LOGIT || b->link == HALF_LOGIT) {
        double p = within(b, proba[1]), odds = log(p / (1 - p));

        *out = b->link == LOGIT ? odds : 0.5 * odds;
        return;
    }
    for (size_t c = 0; c < k; c++)
        out[c] = log(within(b, proba[c]));
    if (b->link == LOG)
        return;
    /* Less the log of the geometric mean. */
    centre = exp(pickle__sum(out, k) / (double)k);
    for (size_t c = 0; c < k; c++)
        out[c] = log(within(b, proba[c]) / centre);
}

static bool ask_init(const boosting *b, pickle__run *r, const pickle_batch *x, double *out)
{
    size_t k = b->per_stage, width = b->link == NO_LINK ? 1 : k == 1 ? 2 : k;
    pickle_batch given = pickle__rows(x, 0, b->always_same && x->rows > 0 ? 1 : x->rows), y;

    if ((!b->always_same && !as_given(r, x, &given)) ||
        !pickle__ask(b->init, b->link == NO_LINK ? PICKLE_PREDICT : PICKLE_PREDICT_PROBA, r, &given,
                     width, &y))
        return false;
    for (size_t i = 0; i < y.rows; i++) {
        if (b->link == NO_LINK)
            out[i] = *pickle__row(&y, i);
        else
            apply_link(b, pickle__row(&y, i), out + i * k);
    }
    for (size_t i = k; b->always_same && i < x->rows * k; i++)
        out[i] = out[i - k];
    return true;
}

/* ---------------------------------------------------------------- decisions */

static void add_leaves(const boosting *b, const pickle__tree_rows *rows, const uint32_t *leaves,
                       size_t first, size_t count, double *out)
{
    size_t k = b->per_stage;

    for (size_t t = first; t < first + count; t++, leaves += rows->count) {
        const double *values = b->trees[t]->values;
        double *to = out + rows->first * k + t % k;

        for (size_t i = 0; i < rows->count; i++)
            to[i * k] += b->learning_rate * values[leaves[i]];
    }
}

static bool raw(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const boosting *b = m->state;
    size_t k = b->per_stage, count;
    double *out = pickle__new_f64(r, y, x->rows, k);
    pickle__tree_rows rows;

    if (x->kind == PICKLE_BATCH_CSR && m->version < PICKLE__SKLEARN(0, 19, 0))
        return pickle__run_fail(r, PICKLE_ERR_TYPE, "%s of 0.18 takes no sparse matrix",
                                m->class_name);
    if (!out || !pickle__tree_start(m, r, PICKLE__FINITE, x, &rows) ||
        (b->init && !ask_init(b, r, x, out)))
        return false;
    for (size_t i = 0; b->start && i < x->rows * k; i++)
        out[i] = b->start[i % k];
    while (pickle__tree_next(&rows)) {
        for (size_t t = 0; t < b->count; t += count) {
            count = b->count - t < rows.trees ? b->count - t : rows.trees;
            add_leaves(b, &rows, pickle__tree_leaves(&rows, b->trees + t, count), t, count, out);
        }
    }
    return true;
}

/* For each row the trees of the first stage, then of the second, ... */
static bool apply(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const boosting *b = m->state;
    double *out = pickle__new_f64(r, y, x->rows, b->count);
    pickle__tree_rows rows;
    size_t count;

    if (!out || !pickle__tree_start(m, r, b->apply_lets_in, x, &rows))
        return false;
    while (pickle__tree_next(&rows)) {
        for (size_t t = 0; t < b->count; t += count) {
            const uint32_t *leaves;

            count = b->count - t < rows.trees ? b->count - t : rows.trees;
            leaves = pickle__tree_leaves(&rows, b->trees + t, count);
            for (size_t k = 0; k < count * rows.count; k++)
                out[(rows.first + k % rows.count) * b->count + t + k / rows.count] = leaves[k];
        }
    }
    return true;
}

/* ------------------------------------------------------------------ classes */

/* Until 1.3 by logsumexp, since then by the softmax of less the largest. */
static void multinomial(int version, const double *scores, size_t k, double *out)
{
    double sum = version < PICKLE__SKLEARN(1, 4, 0) ? pickle__logsumexp(scores, k) : 0;

    for (size_t c = 0; c < k; c++)
        out[c] = version < PICKLE__SKLEARN(1, 4, 0) ? exp(scores[c] - sum) : scores[c];
    if (version >= PICKLE__SKLEARN(1, 4, 0))
        pickle__softmax(out, k);
}

static bool proba(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const boosting *b = m->state;
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
            out[1] = pickle__expit(b->exponential ? 2 * *row : *row);
            out[0] = 1 - out[1];
        }
    }
    return y->data != NULL;
}

/* Until 1.3 the larger probability, but for the exponential loss; since then the decision, where 0
 * is for the second class. */
static bool classify(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const boosting *b = m->state;
    bool by_decision = m->version >= PICKLE__SKLEARN(1, 4, 0) || b->exponential;
    pickle_batch scores;
    double *out;

    if (!(by_decision ? raw : proba)(m, r, x, &scores))
        return false;
    if (!by_decision || b->per_stage > 1)
        return pickle__argmax(r, &scores, y);
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = *pickle__row(&scores, i) >= 0;
    return out != NULL;
}

/* ----------------------------------------------------------- opening: trees */

/* Stages of trees: items of an array. */
static void open_stages(pickle__opener *o, boosting *b, const pickle_val *list)
{
    static const char name[] = "estimators_";
    const void **nodes = pickle__keep(o, b->count, sizeof *nodes);

    b->trees = pickle__keep(o, b->count, sizeof *b->trees);
    for (size_t i = 0; nodes && b->trees && i < b->count; i++) {
        const pickle_val *v = pickle_at(list, i);
        const pickle_model *stage = pickle__open_part(o, NULL, i, v);
        const pickle__tree_model *part = pickle__tree_model_of(stage);
        pickle_array a;

        if (!pickle__ok(o) || stage->refused)
            return;
        if (!part || part->proba || part->tree.width != 1) {
            pickle__unsupported(o, name, "has what is no tree with one number for each leaf");
            return;
        }
        b->trees[i] = &part->tree;
        if (i == 0)
            b->apply_lets_in = part->numbers;
        if (part->tree.features != b->trees[0]->features)
            pickle__bad(o, name, "has trees for different numbers of columns");
        if (pickle_get_array(pickle_attr(pickle_attr(v, "tree_"), "nodes"), &a))
            nodes[i] = a.data;
    }
    if (pickle__ok(o) && nodes)
        pickle__all_distinct(o, name, nodes, b->count);
}

static void open_trees(pickle__opener *o, boosting *b)
{
    static const char name[] = "estimators_";
    const pickle_val *v = pickle__need(o, name), *list;
    pickle_array a;

    if (!v)
        return;
    if (!pickle_get_array(v, &a) || !a.objects || a.ndim != 2 || a.shape[0] < 1 || a.shape[1] < 1) {
        pickle__bad(o, name, "is no array of stages of trees");
        return;
    }
    list = pickle__items(o, name, v, &b->count);
    b->per_stage = (size_t)a.shape[1];
    open_stages(o, b, list);
    if (pickle__ok(o) && b->trees[0])
        o->model->features = b->trees[0]->features;
}

/* ---------------------------------------------------------- opening: init_ */

/* What 0.18 to 0.20 start from: one number for all rows, or one for each class. */
static const struct {
    const char *name, *attribute; /* NULL: 0 */
} old_starts[] = {
    { "QuantileEstimator", "quantile" },       { "MeanEstimator", "mean" },
    { "LogOddsEstimator", "prior" },           { "ScaledLogOddsEstimator", "prior" },
    { "PriorProbabilityEstimator", "priors" }, { "ZeroEstimator", NULL },
};

static void open_old_start(pickle__opener *o, boosting *b, const pickle_val *init)
{
    pickle_class_info info;
    pickle__matrix start;

    for (size_t i = 0; i < sizeof old_starts / sizeof *old_starts; i++) {
        if (!pickle_get_class(init, &info) || !info.global ||
            strcmp(pickle_module(info.global), "sklearn.ensemble.gradient_boosting") != 0 ||
            strcmp(pickle_name(info.global), old_starts[i].name) != 0)
            continue;
        if (!old_starts[i].attribute) {
            b->start = pickle__keep(o, b->per_stage, sizeof *b->start);
            return;
        }
        start = pickle__numbers_of(o, "init_", pickle_attr(init, old_starts[i].attribute));
        if (pickle__ok(o) && start.rows * start.cols != b->per_stage)
            pickle__bad(o, "init_", "is not one number for each tree of a stage");
        b->start = start.data;
        return;
    }
    pickle__unsupported(o, "init_", "is of a class that is not known here");
}

static void open_init_estimator(pickle__opener *o, boosting *b, const pickle_val *init)
{
    pickle_method method = b->link == NO_LINK ? PICKLE_PREDICT : PICKLE_PREDICT_PROBA;
    const pickle_model *part = pickle__open_part(o, "init_", 0, init);

    b->init = part;
    if (!pickle__ok(o) || part->refused)
        return;
    b->always_same = strncmp(part->class_name, "sklearn.dummy.", 14) == 0;
    if (!part->methods[method] || part->outputs != 1 || (b->link == NO_LINK) != !part->classes)
        pickle__unsupported(o, "init_", "is no estimator of this kind");
    else if (part->classes && part->classes[0].count != (b->per_stage == 1 ? 2 : b->per_stage))
        pickle__bad(o, "init_", "has another number of classes");
    else if (part->features && part->features != o->model->features)
        pickle__bad(o, "init_", "expects another number of columns");
}

static void open_init(pickle__opener *o, boosting *b)
{
    const pickle_val *init = pickle__need(o, "init_");

    b->least = o->version < PICKLE__SKLEARN(1, 8, 0) ? (double)FLT_EPSILON : DBL_EPSILON;
    if (!init)
        return;
    if (pickle_str_is(init, "zero"))
        b->start = pickle__keep(o, b->per_stage, sizeof *b->start);
    else if (o->version < PICKLE__SKLEARN(0, 21, 0))
        open_old_start(o, b, init);
    else
        open_init_estimator(o, b, init);
}

/* ------------------------------------------------------------- opening both */

/* What the name of a loss's class says. */
static const pickle__loss losses[] = {
    { "LeastSquaresError", false, false }, { "LeastAbsoluteError", false, false },
    { "HuberLossFunction", false, false }, { "QuantileLossFunction", false, false },
    { "HalfSquaredError", false, false },  { "AbsoluteError", false, false },
    { "HuberLoss", false, false },         { "PinballLoss", false, false },
    { "BinomialDeviance", true, false },   { "MultinomialDeviance", true, false },
    { "HalfBinomialLoss", true, false },   { "HalfMultinomialLoss", true, false },
    { "ExponentialLoss", true, true },
};

static void open_loss(pickle__opener *o, boosting *b, bool classes)
{
    const pickle__loss *loss =
        pickle__open_loss(o, o->version < PICKLE__SKLEARN(1, 1, 0) ? "loss_" : "_loss", losses,
                          sizeof losses / sizeof *losses, classes);

    b->exponential = loss && loss->exponential;
}

static void open_boosting(pickle__opener *o, boosting *b, bool classes)
{
    int64_t features;

    open_loss(o, b, classes);
    open_trees(o, b);
    b->learning_rate = pickle__number(o, "learning_rate", 0.1);
    features = (int64_t)o->model->features;
    if (pickle__ok(o) && (pickle__integer(o, "n_features_in_", features) != features ||
                          pickle__integer(o, "n_features_", features) != features ||
                          pickle__integer(o, "n_features", features) != features))
        pickle__bad(o, "estimators_", "has trees for another number of columns");
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    o->model->numbers = PICKLE__ANY_NUMBER; /* which are checked as float32 */
    pickle__method_is(o, PICKLE_APPLY, apply);
}

static void open_regressor(pickle__opener *o)
{
    boosting *b = pickle__state(o, sizeof *b);

    open_boosting(o, b, false);
    if (!pickle__ok(o))
        return;
    if (b->per_stage != 1)
        pickle__bad(o, "estimators_", "has more than one tree in a stage");
    open_init(o, b);
    pickle__method_is(o, PICKLE_PREDICT, raw);
    if (o->version < PICKLE__SKLEARN(0, 19, 0))
        pickle__method_is(o, PICKLE_DECISION_FUNCTION, raw);
}

static link link_of(const pickle__opener *o, const boosting *b)
{
    if (b->per_stage == 1)
        return b->exponential ? HALF_LOGIT : LOGIT;
    return o->version < PICKLE__SKLEARN(1, 4, 0) ? LOG : CENTRED_LOG;
}

static void open_classifier(pickle__opener *o)
{
    boosting *b = pickle__state(o, sizeof *b);
    size_t k;

    open_boosting(o, b, true);
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    k = o->model->classes[0].count;
    if (o->model->outputs != 1 || k < 2 || b->per_stage != (k == 2 ? 1 : k)) {
        pickle__bad(o, "classes_", "are not as many as there are trees in a stage");
        return;
    }
    if (b->exponential && k > 2)
        pickle__bad(o, "classes_", "are more than the loss is for");
    b->link = link_of(o, b);
    open_init(o, b);
    pickle__method_is(o, PICKLE_PREDICT, classify);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, raw);
}

const pickle__estimator pickle__boosting_estimators[] = {
    { "ensemble", "GradientBoostingClassifier", open_classifier },
    { "ensemble", "GradientBoostingRegressor", open_regressor },
    { NULL, NULL, NULL },
};
