/* forest.c - averages of trees: random forests and extra trees; and the leaves as features. */
#include "sklearn/forest.h"

#include <string.h>

#include "sklearn/numeric.h"

typedef struct forest {
    pickle__forest all;
    double divisor;
    pickle_model *encoder; /* RandomTreesEmbedding */
} forest;

/* --------------------------------------------------------------- averages */

/* out[i, :] += values[leaves[i], :] */
static inline void add_rows(const double *values, size_t width, const uint32_t *leaves, size_t rows,
                            size_t columns, double *out)
{
    for (size_t i = 0; i < rows; i++, out += columns) {
        const double *from = values + leaves[i] * width;

        for (size_t c = 0; c < columns; c++)
            out[c] += from[c];
    }
}

/* Several outputs: each has room for as many classes as the one that has most. */
static void add_outputs(const pickle_model *m, const double *values, const pickle__tree *t,
                        const uint32_t *leaves, size_t rows, double *out)
{
    for (size_t i = 0; i < rows; i++) {
        const double *from = values + leaves[i] * t->width;

        for (size_t k = 0; k < t->outputs; k++, from += t->classes) {
            for (size_t c = 0; c < m->classes[k].count; c++)
                *out++ += from[c];
        }
    }
}

static void add_tree(const pickle_model *m, const pickle__forest *f, size_t i,
                     const uint32_t *leaves, size_t rows, double *out)
{
    const pickle__tree *t = f->trees[i];

    if (f->columns == 1)
        add_rows(f->values[i], 1, leaves, rows, 1, out);
    else if (f->columns == 2 && t->width == 2)
        add_rows(f->values[i], 2, leaves, rows, 2, out);
    else if (f->columns == t->width)
        add_rows(f->values[i], t->width, leaves, rows, f->columns, out);
    else
        add_outputs(m, f->values[i], t, leaves, rows, out);
}

/* Each tree is added to what was there. */
static void add_trees(const pickle_model *m, const pickle__forest *f, pickle__tree_rows *rows,
                      double *out)
{
    for (size_t i = 0; i < f->count; i += rows->trees) {
        size_t n = f->count - i < rows->trees ? f->count - i : rows->trees;
        const uint32_t *leaves = pickle__tree_leaves(rows, f->trees + i, n);

        for (size_t k = 0; k < n; k++)
            add_tree(m, f, i + k, leaves + k * rows->count, rows->count, out);
    }
}

double *pickle__forest_sums(const pickle_model *m, const pickle__forest *f, pickle__run *r,
                            const pickle_batch *x, pickle_batch *y)
{
    double *out = pickle__new_f64(r, y, x->rows, f->columns);
    pickle__tree_rows rows;

    if (!out || !pickle__tree_start(m, r, f->numbers, x, &rows))
        return NULL;
    memset(out, 0, x->rows * f->columns * sizeof *out);
    while (pickle__tree_next(&rows))
        add_trees(m, f, &rows, out + rows.first * f->columns);
    return out;
}

static bool average(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const forest *f = m->state;
    double *out = pickle__forest_sums(m, &f->all, r, x, y);

    for (size_t k = 0; out && k < y->rows * y->cols; k++)
        out[k] /= f->divisor;
    return out != NULL;
}

static bool classify(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    pickle_batch proba;
    double *out;

    if (!average(m, r, x, &proba))
        return false;
    if (m->outputs == 1)
        return pickle__argmax(r, &proba, y);
    out = pickle__new_f64(r, y, x->rows, m->outputs);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(&proba, i);

        for (size_t k = 0; k < m->outputs; k++, out++) {
            *out = (double)pickle__largest(row, m->classes[k].count);
            row += m->classes[k].count;
        }
    }
    return y->data != NULL;
}

/* ------------------------------------------------------------------- leaves */

/* Leaves of some trees, as columns of `out` */
static void put_leaves(const uint32_t *leaves, size_t trees, size_t rows, double *out,
                       size_t columns)
{
    for (size_t t = 0; t < trees; t++, leaves += rows) {
        for (size_t i = 0; i < rows; i++)
            out[i * columns + t] = leaves[i];
    }
}

static bool apply(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const pickle__forest *f = &((const forest *)m->state)->all;
    double *out = pickle__new_f64(r, y, x->rows, f->count);
    pickle__tree_rows rows;

    y->integers = true;
    if (!out || !pickle__tree_start(m, r, f->numbers, x, &rows))
        return false;
    while (pickle__tree_next(&rows)) {
        for (size_t i = 0; i < f->count; i += rows.trees) {
            size_t n = f->count - i < rows.trees ? f->count - i : rows.trees;

            put_leaves(pickle__tree_leaves(&rows, f->trees + i, n), n, rows.count,
                       out + rows.first * f->count + i, f->count);
        }
    }
    return true;
}

static bool embed(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const forest *f = m->state;
    pickle_batch leaves;

    return apply(m, r, x, &leaves) &&
           pickle__run_method(f->encoder, PICKLE_TRANSFORM, r, &leaves, y);
}

/* ------------------------------------------------------------------ opening */

/* A tree with the same columns, outputs and classes as the forest. */
static bool is_alike(const pickle_model *m, const pickle_model *tree)
{
    bool same = tree->features == m->features && tree->outputs == m->outputs &&
                !tree->classes == !m->classes;

    for (size_t k = 0; same && m->classes && k < m->outputs; k++)
        same = tree->classes[k].count == m->classes[k].count;
    return same;
}

static void take_tree(pickle__opener *o, pickle__forest *f, size_t i, const pickle_model *part,
                      const pickle__tree_model *t)
{
    if (i == 0) {
        o->model->features = part->features;
        if (!o->model->classes)
            o->model->outputs = part->outputs;
        if (o->version >= PICKLE__SKLEARN(1, 4, 0))
            f->numbers = t->numbers;
    }
    if (!is_alike(o->model, part))
        pickle__bad(o, "estimators_", "has trees of different shapes");
    f->trees[i] = &t->tree;
    f->values[i] = t->proba ? t->proba : t->tree.values;
}

bool pickle__open_forest(pickle__opener *o, pickle__forest *f)
{
    pickle_model **parts = pickle__open_parts(o, "estimators_", &f->count);

    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    o->model->numbers = PICKLE__ANY_NUMBER; /* which are checked as float32 */
    if (pickle__ok(o) && f->count == 0)
        pickle__unsupported(o, "estimators_", "is empty");
    f->trees = pickle__keep(o, f->count, sizeof(void *));
    f->values = pickle__keep(o, f->count, sizeof(void *));
    for (size_t i = 0; f->trees && f->values && pickle__ok(o) && i < f->count; i++) {
        const pickle__tree_model *t = pickle__tree_model_of(parts[i]);

        if (t) {
            take_tree(o, f, i, parts[i], t);
        } else if (parts[i]->refused) {
            return false;
        } else {
            pickle__unsupported(o, "estimators_", "has what is no tree");
        }
    }
    f->columns = o->model->classes ? pickle__tree_columns(o->model) : o->model->outputs;
    return pickle__ok(o);
}

static forest *open_forest(pickle__opener *o)
{
    forest *f = pickle__state(o, sizeof *f);

    if (pickle__open_forest(o, &f->all)) {
        int64_t features = (int64_t)o->model->features, outputs = (int64_t)o->model->outputs;

        f->divisor = (double)f->all.count;
        if (pickle__integer(o, "n_features_in_", features) != features ||
            pickle__integer(o, "n_features_", features) != features ||
            pickle__integer(o, "n_outputs_", outputs) != outputs)
            pickle__bad(o, "estimators_", "has trees of another size than it was fitted with");
    }
    pickle__method_is(o, PICKLE_APPLY, apply);
    return f;
}

static void open_regressor(pickle__opener *o)
{
    open_forest(o);
    pickle__method_is(o, PICKLE_PREDICT, average);
}

static void open_classifier(pickle__opener *o)
{
    forest *f;

    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    f = open_forest(o);
    if (o->version < PICKLE__SKLEARN(0, 19, 0) && o->model->outputs > 1)
        f->divisor = pickle__number(o, "n_estimators", f->divisor);
    if (pickle__tree_predicts(o))
        pickle__method_is(o, PICKLE_PREDICT, classify);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, average);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
}

/* The leaves of all trees are the columns of an encoder. */
static void open_embedding(pickle__opener *o)
{
    forest *f = open_forest(o);
    const pickle_val *encoder = pickle__need(o, "one_hot_encoder_");

    if (!encoder)
        return;
    f->encoder = pickle__open_part(o, "one_hot_encoder_", 0, encoder);
    if (pickle__ok(o) && f->encoder->features && f->encoder->features != f->all.count)
        pickle__bad(o, "one_hot_encoder_", "has another number of columns than there are trees");
    pickle__method_is(o, PICKLE_TRANSFORM, embed);
}

const pickle__estimator pickle__forest_estimators[] = {
    { "ensemble", "RandomForestClassifier", open_classifier },
    { "ensemble", "RandomForestRegressor", open_regressor },
    { "ensemble", "ExtraTreesClassifier", open_classifier },
    { "ensemble", "ExtraTreesRegressor", open_regressor },
    { "ensemble", "RandomTreesEmbedding", open_embedding },
    { NULL, NULL, NULL },
};
