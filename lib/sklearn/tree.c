/* tree.c - decision trees: a value for each leaf. */
#include "sklearn/tree.h"

#include <math.h>
#include <string.h>

#include "sklearn/numeric.h"

/* ------------------------------------------------------------------ methods */

/* The rows' leaves, as `columns` numbers that `put` makes of each. */
typedef void put_leaf(const pickle_model *m, uint32_t leaf, double *to);

static bool run_tree(const pickle_model *m, pickle__run *r, const pickle_batch *x, size_t columns,
                     put_leaf *put, pickle_batch *y)
{
    const pickle__tree_model *t = m->state;
    const pickle__tree *tree = &t->tree;
    double *out = pickle__new_f64(r, y, x->rows, columns);
    pickle__tree_rows rows;

    if (!out || !pickle__tree_start(m, r, t->numbers, x, &rows))
        return false;
    while (pickle__tree_next(&rows)) {
        const uint32_t *leaves = pickle__tree_leaves(&rows, &tree, 1);

        for (size_t i = 0; i < rows.count; i++, out += columns)
            put(m, leaves[i], out);
    }
    return true;
}

static void put_id(const pickle_model *m, uint32_t leaf, double *to)
{
    (void)m;
    *to = leaf;
}

static bool apply(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    bool ok = run_tree(m, r, x, 1, put_id, y);

    y->integers = true;
    return ok;
}

static void put_values(const pickle_model *m, uint32_t leaf, double *to)
{
    const pickle__tree *t = &((const pickle__tree_model *)m->state)->tree;

    for (size_t k = 0; k < t->outputs; k++)
        to[k] = t->values[leaf * t->width + k];
}

static bool predict_numbers(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    return run_tree(m, r, x, m->outputs, put_values, y);
}

/* The first of the largest: of counts before 1.4, of fractions since. */
static void put_places(const pickle_model *m, uint32_t leaf, double *to)
{
    const pickle__tree *t = &((const pickle__tree_model *)m->state)->tree;
    const double *values = t->values + leaf * t->width;

    for (size_t k = 0; k < t->outputs; k++)
        to[k] = (double)pickle__largest(values + k * t->classes, m->classes[k].count);
}

static bool predict_classes(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    return run_tree(m, r, x, m->outputs, put_places, y);
}

static void put_proba(const pickle_model *m, uint32_t leaf, double *to)
{
    const pickle__tree_model *t = m->state;
    const double *proba = t->proba + leaf * t->tree.width;

    for (size_t k = 0; k < t->tree.outputs; k++, proba += t->tree.classes) {
        memcpy(to, proba, m->classes[k].count * sizeof *to);
        to += m->classes[k].count;
    }
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    return run_tree(m, r, x, pickle__tree_columns(m), put_proba, y);
}

size_t pickle__tree_columns(const pickle_model *m)
{
    size_t columns = 0;

    for (size_t k = 0; k < m->outputs; k++)
        columns += m->classes[k].count;
    return columns;
}

/* ------------------------------------------------------------------ opening */

/* Are missing values let in? Each version has its own idea of the settings that they go with. */
static bool takes_nan(pickle__opener *o, bool extra, bool classifier)
{
    static const char *const criteria[2][4] = { { "squared_error", "friedman_mse", "poisson",
                                                  NULL },
                                                { "gini", "log_loss", "entropy", NULL } };
    const pickle_val *splitter = pickle__attr(o, "splitter");
    const pickle_val *criterion = pickle__attr(o, "criterion");
    bool random = pickle_str_is(splitter, "random"), best = pickle_str_is(splitter, "best");

    if (o->version < PICKLE__SKLEARN(1, 3, 0))
        return false;
    if (o->version >= PICKLE__SKLEARN(1, 9, 0))
        return !extra || random;
    if (o->version >= PICKLE__SKLEARN(1, 4, 0) && pickle__attr(o, "monotonic_cst"))
        return false;
    if (o->version >= PICKLE__SKLEARN(1, 6, 0) ? !random && (extra || !best) : !best)
        return false;
    for (const char *const *name = criteria[classifier]; *name; name++) {
        if (pickle_str_is(criterion, *name))
            return true;
    }
    return false;
}

/* The number of features, by the name that it has in each version. */
static void check_features(pickle__opener *o, const pickle__tree *t)
{
    int64_t features = (int64_t)t->features;

    if (pickle__integer(o, "n_features_in_", features) != features ||
        pickle__integer(o, "n_features_", features) != features ||
        pickle__integer(o, "n_outputs_", (int64_t)t->outputs) != (int64_t)t->outputs)
        pickle__bad(o, "tree_", "is of another size than it was fitted with");
    o->model->features = t->features;
}

static pickle__tree_model *open_tree(pickle__opener *o)
{
    pickle__tree_model *t = pickle__state(o, sizeof *t);

    if (pickle__read_tree(o, "tree_", pickle__need(o, "tree_"), &t->tree))
        check_features(o, &t->tree);
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    o->model->numbers = PICKLE__ANY_NUMBER; /* which are checked as float32 */
    pickle__method_is(o, PICKLE_APPLY, apply);
    return t;
}

static void open_regressor(pickle__opener *o, bool extra)
{
    pickle__tree_model *t = open_tree(o);

    t->numbers = takes_nan(o, extra, false) ? PICKLE__OR_NAN : PICKLE__FINITE;
    if (!pickle__ok(o))
        return;
    if (t->tree.classes != 1)
        pickle__bad(o, "tree_", "has more than one number for each output");
    o->model->outputs = t->tree.outputs;
    pickle__method_is(o, PICKLE_PREDICT, predict_numbers);
}

/* Counts of a node over their sum. */
static void normalise(const double *counts, size_t n, double *proba)
{
    double sum = pickle__sum(counts, n);

    for (size_t i = 0; i < n; i++)
        proba[i] = counts[i] / (sum == 0 ? 1 : sum);
}

/* Since 1.4 the tree has fractions. */
static void find_proba(pickle__opener *o, pickle__tree_model *t)
{
    const pickle__tree *tree = &t->tree;
    double *proba;

    t->proba = tree->values;
    if (o->version >= PICKLE__SKLEARN(1, 4, 0))
        return;
    t->proba = proba = pickle__keep(o, tree->count, tree->width * sizeof *proba);
    for (size_t i = 0; proba && i < tree->n_nodes; i++) {
        size_t at = tree->ids[i] * tree->width;

        if (tree->nodes[i].child != i)
            continue;
        for (size_t k = 0; k < tree->outputs; k++, at += tree->classes)
            normalise(tree->values + at, o->model->classes[k].count, proba + at);
    }
}

/* Each output has as many classes as n_classes_ says, and the tree has values for. */
static void check_classes(pickle__opener *o, const pickle__tree *t)
{
    size_t n = 0, most = 0;
    const int64_t *counts = pickle__need_integers(o, "n_classes_", &n);
    bool same = pickle__ok(o) && n == t->outputs && o->model->outputs == n;

    for (size_t k = 0; same && k < n; k++) {
        size_t count = o->model->classes[k].count;

        same = counts[k] == (int64_t)count;
        most = count > most ? count : most;
    }
    if (pickle__ok(o) && !(same && most == t->classes))
        pickle__bad(o, "classes_", "are not those of the tree");
}

bool pickle__tree_predicts(const pickle__opener *o)
{
    const pickle_model *m = o->model;

    if (o->version >= PICKLE__SKLEARN(0, 21, 0) || m->outputs == 1)
        return true;
    for (size_t k = 0; k < m->outputs; k++) {
        for (size_t c = 0; c < m->classes[k].count; c++) {
            double number;

            if (!pickle__cell_number(&m->classes[k].cells[c], &number))
                return false;
        }
    }
    return true;
}

static void open_classifier(pickle__opener *o, bool extra)
{
    pickle__tree_model *t = open_tree(o);

    t->numbers = takes_nan(o, extra, true) ? PICKLE__OR_NAN : PICKLE__FINITE;
    pickle__read_classes(o, "classes_");
    if (pickle__ok(o))
        check_classes(o, &t->tree);
    if (!pickle__ok(o))
        return;
    find_proba(o, t);
    if (pickle__tree_predicts(o))
        pickle__method_is(o, PICKLE_PREDICT, predict_classes);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
}

static void open_decision_classifier(pickle__opener *o)
{
    open_classifier(o, false);
}

static void open_decision_regressor(pickle__opener *o)
{
    open_regressor(o, false);
}

static void open_extra_classifier(pickle__opener *o)
{
    open_classifier(o, true);
}

static void open_extra_regressor(pickle__opener *o)
{
    open_regressor(o, true);
}

const pickle__tree_model *pickle__tree_model_of(const pickle_model *m)
{
    return m->methods[PICKLE_APPLY] == apply && !m->refused ? m->state : NULL;
}

const pickle__estimator pickle__tree_estimators[] = {
    { "tree", "DecisionTreeClassifier", open_decision_classifier },
    { "tree", "DecisionTreeRegressor", open_decision_regressor },
    { "tree", "ExtraTreeClassifier", open_extra_classifier },
    { "tree", "ExtraTreeRegressor", open_extra_regressor },
    { NULL, NULL, NULL },
};
