/* importance.c - how much each feature means to an estimator: coefficients, impurity of trees. */
#include "sklearn/importance.h"
#include "sklearn/numeric.h"

#include <string.h>

#include <pickle/class.h>

#define MOST_FEATURES ((int64_t)1 << 20)

const char *pickle__sklearn_class(const pickle_val *v)
{
    static const char package[] = "sklearn.";
    pickle_class_info info = { PICKLE_TYPE_OTHER, NULL, NULL };
    const char *module;

    if (!pickle_get_class(v, &info) || !info.global)
        return NULL;
    module = pickle_module(info.global);
    return module && strncmp(module, package, sizeof package - 1) == 0 ? pickle_name(info.global)
                                                                       : NULL;
}

static bool none(pickle__opener *o)
{
    pickle__unsupported(o, "estimator_", "has importances that are not known here");
    return false;
}

static bool no_trees(pickle__opener *o)
{
    pickle__bad(o, "estimator_", "has trees that contradict each other");
    return false;
}

/* -------------------------------------------------------------------- trees */

typedef struct nodes {
    size_t count;
    const int64_t *left, *right, *feature;
    const double *impurity, *weight;
} nodes;

static const void *node_field(pickle__opener *o, const pickle_array *all, const char *name,
                              const char *type)
{
    size_t n = (size_t)all->shape[0];
    void *out = pickle__keep(o, n, 8);
    pickle_array field;

    if (!out || !pickle_array_field(all, name, &field) || field.ndim != 1 ||
        !pickle_array_copy(&field, type, out, n * 8, NULL))
        return NULL;
    return out;
}

static bool read_nodes(pickle__opener *o, const pickle_val *tree, nodes *s)
{
    pickle_array all;

    if (!pickle_get_array(pickle_attr(tree, "nodes"), &all) || all.ndim != 1 ||
        all.dtype.kind != 'V' || all.shape[0] < 1)
        return false;
    s->count = (size_t)all.shape[0];
    s->left = node_field(o, &all, "left_child", "=i8");
    s->right = node_field(o, &all, "right_child", "=i8");
    s->feature = node_field(o, &all, "feature", "=i8");
    s->impurity = node_field(o, &all, "impurity", "=f8");
    s->weight = node_field(o, &all, "weighted_n_node_samples", "=f8");
    return s->left && s->right && s->feature && s->impurity && s->weight;
}

static bool is_place(int64_t i, size_t count)
{
    return i >= 0 && (uint64_t)i < count;
}

/* Tree.compute_feature_importances: by how much the nodes that ask for a feature lower the
 * impurity. */
static bool add_nodes(const nodes *s, double *scores, size_t n)
{
    for (size_t i = 0; i < s->count; i++) {
        int64_t left = s->left[i], right = s->right[i];

        if (left == -1)
            continue;
        if (!is_place(left, s->count) || !is_place(right, s->count) || !is_place(s->feature[i], n))
            return false;
        scores[s->feature[i]] += s->weight[i] * s->impurity[i] -
                                 s->weight[left] * s->impurity[left] -
                                 s->weight[right] * s->impurity[right];
    }
    return true;
}

static void divide(double *x, size_t n, double by)
{
    for (size_t j = 0; j < n; j++)
        x[j] /= by;
}

/* What trees of an ensemble are summed up in. */
typedef struct forest {
    size_t features;
    double *sum, *one;
    bool normalize; /* each tree by itself */
    size_t counted; /* trees with more than a root */
} forest;

/* Memory for so many features as the first tree has; false if it is no tree. */
static bool start(pickle__opener *o, const pickle_val *first, bool normalize, forest *f)
{
    const pickle_val *tree = pickle_attr(first, "tree_");
    int64_t n = pickle_i64_or(pickle_at(pickle_args(tree), 0), 0);

    if (!pickle__sklearn_class(first) || n < 1)
        return none(o);
    if (n > MOST_FEATURES) {
        pickle__unsupported(o, "estimator_", "has more features than can be selected from here");
        return false;
    }
    f->features = (size_t)n;
    f->normalize = normalize;
    f->sum = pickle__keep(o, f->features, sizeof *f->sum);
    f->one = pickle__keep(o, f->features, sizeof *f->one);
    return f->sum && f->one;
}

/* The importances of one tree, into f->one. */
static bool one_tree(pickle__opener *o, const pickle_val *estimator, forest *f)
{
    const pickle_val *tree = pickle_attr(estimator, "tree_");
    size_t n = f->features;
    double total;
    nodes s;

    memset(f->one, 0, n * sizeof *f->one);
    if (pickle_i64_or(pickle_at(pickle_args(tree), 0), 0) != (int64_t)n ||
        !read_nodes(o, tree, &s) || !add_nodes(&s, f->one, n))
        return no_trees(o);
    f->counted += s.count > 1;
    divide(f->one, n, s.weight[0]);
    if (!f->normalize)
        return true;
    total = pickle__sum(f->one, n);
    if (total > 0)
        divide(f->one, n, total);
    return true;
}

static void add_tree(forest *f, double weight)
{
    for (size_t j = 0; j < f->features; j++)
        f->sum[j] += weight * f->one[j];
}

static bool finish(const forest *f, importances *out)
{
    *out = (importances){ f->features, f->sum, false };
    return true;
}

static bool of_tree(pickle__opener *o, const pickle_val *v, importances *out)
{
    forest f = { 0 };

    if (!start(o, v, true, &f) || !one_tree(o, v, &f))
        return false;
    add_tree(&f, 1);
    return finish(&f, out);
}

/* The mean of trees with more than a root, brought to the sum 1. */
static bool mean_of_trees(pickle__opener *o, const pickle_val *trees, size_t n, bool normalize,
                          importances *out)
{
    forest f = { 0 };

    if (!start(o, pickle_at(trees, 0), normalize, &f))
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t before = f.counted;

        if (!one_tree(o, pickle_at(trees, i), &f))
            return false;
        if (f.counted > before)
            add_tree(&f, 1);
    }
    if (f.counted > 0) {
        divide(f.sum, f.features, (double)f.counted);
        divide(f.sum, f.features, pickle__sum(f.sum, f.features));
    }
    return finish(&f, out);
}

/* estimators_ of an ensemble, in C order; their number is never 0. */
static const pickle_val *ensemble(pickle__opener *o, const pickle_val *v, size_t *n)
{
    const pickle_val *list = pickle__items(o, "estimators_", pickle_attr(v, "estimators_"), n);

    if (list && *n == 0)
        no_trees(o);
    return *n ? list : NULL;
}

static bool of_forest(pickle__opener *o, const pickle_val *v, importances *out)
{
    size_t n;
    const pickle_val *trees = ensemble(o, v, &n);
    forest f = { 0 };

    if (!trees)
        return false;
    if (o->version >= PICKLE__SKLEARN(0, 21, 0))
        return mean_of_trees(o, trees, n, true, out);
    if (!start(o, pickle_at(trees, 0), true, &f))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!one_tree(o, pickle_at(trees, i), &f))
            return false;
        add_tree(&f, 1);
    }
    divide(f.sum, f.features, (double)n);
    return finish(&f, out);
}

/* Before 0.21: stage by stage, each with a tree for each class. */
static bool of_stages(pickle__opener *o, const pickle_val *v, importances *out)
{
    forest f = { 0 };
    pickle_array stages;
    size_t n;
    const pickle_val *trees = ensemble(o, v, &n);
    size_t width = 1;
    double *total;

    if (!trees || !start(o, pickle_at(trees, 0), o->version < PICKLE__SKLEARN(0, 20, 0), &f))
        return false;
    if (pickle_get_array(pickle_attr(v, "estimators_"), &stages) && stages.ndim == 2)
        width = (size_t)stages.shape[1];
    total = pickle__keep(o, f.features, sizeof *total);
    for (size_t i = 0; total && i < n; i++) {
        if (!one_tree(o, pickle_at(trees, i), &f))
            return false;
        add_tree(&f, 1);
        if ((i + 1) % width != 0)
            continue;
        for (size_t j = 0; j < f.features; j++)
            total[j] += f.sum[j] / (double)width;
        memset(f.sum, 0, f.features * sizeof *f.sum);
    }
    if (!total)
        return false;
    f.sum = total;
    divide(f.sum, f.features, (double)(n / width));
    if (o->version >= PICKLE__SKLEARN(0, 20, 0))
        divide(f.sum, f.features, pickle__sum(f.sum, f.features));
    return finish(&f, out);
}

static bool of_gradient_boosting(pickle__opener *o, const pickle_val *v, importances *out)
{
    size_t n;
    const pickle_val *trees;

    if (o->version < PICKLE__SKLEARN(0, 21, 0))
        return of_stages(o, v, out);
    trees = ensemble(o, v, &n);
    return trees && mean_of_trees(o, trees, n, false, out);
}

static bool of_ada_boost(pickle__opener *o, const pickle_val *v, importances *out)
{
    size_t n;
    const pickle_val *trees = ensemble(o, v, &n);
    pickle__matrix weights =
        pickle__numbers_of(o, "estimator_weights_", pickle_attr(v, "estimator_weights_"));
    size_t n_weights = weights.rows * weights.cols;
    forest f = { 0 };

    if (!trees || !pickle__ok(o) || n_weights < n)
        return no_trees(o);
    if (!start(o, pickle_at(trees, 0), true, &f))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!one_tree(o, pickle_at(trees, i), &f))
            return false;
        add_tree(&f, weights.data[i]);
    }
    divide(f.sum, f.features, pickle__sum(weights.data, n_weights));
    return finish(&f, out);
}

/* ------------------------------------------------------------- coefficients */

/* The norm of column j, as np.linalg.norm adds it up: in the order of memory. */
static double column_norm(const pickle__matrix *m, size_t j, double norm, bool pairwise, double *x)
{
    double sum;

    for (size_t i = 0; i < m->rows; i++) {
        double v = fabs(m->data[i * m->cols + j]);

        x[i] = norm == 2 ? v * v : v;
    }
    if (pairwise && norm != INFINITY)
        sum = pickle__sum(x, m->rows);
    else
        sum = x[0];
    for (size_t i = 1; i < m->rows && (norm == INFINITY || !pairwise); i++) {
        if (norm == INFINITY)
            sum = x[i] > sum ? x[i] : sum;
        else
            sum = m->f32 ? (double)(float)(sum + x[i]) : sum + x[i];
    }
    return norm == 2 ? sqrt(sum) : sum;
}

static bool of_numbers(pickle__opener *o, const char *name, const pickle_val *v, double norm,
                       importances *out)
{
    pickle__matrix m = pickle__numbers_of(o, name, v);
    pickle_array a;
    bool pairwise = pickle_get_array(v, &a) && a.fortran;
    double *column = pickle__keep(o, m.rows + 1, sizeof *column);
    double *scores = pickle__keep(o, m.cols, sizeof *scores);

    if (!pickle__ok(o) || !column || !scores)
        return false;
    if (m.ndim > 2 || m.ndim < 1 || m.rows * m.cols == 0) {
        pickle__bad(o, name, "is no table of numbers");
        return false;
    }
    /* Their squares would have to be rounded as well. */
    if (m.f32 && (norm == 2 || pairwise) && m.rows > 1)
        return none(o);
    for (size_t j = 0; j < m.cols; j++)
        scores[j] = m.ndim == 1 ? fabs(m.data[j]) : column_norm(&m, j, norm, pairwise, column);
    *out = (importances){ m.cols, scores, m.f32 };
    return true;
}

/* ----------------------------------------------------------------- in general */

static const struct {
    const char *name; /* what the class is called, but for Classifier and Regressor */
    bool (*of)(pickle__opener *o, const pickle_val *v, importances *out);
} with_importances[] = {
    { "DecisionTree", of_tree },           { "ExtraTree", of_tree },
    { "RandomForest", of_forest },         { "ExtraTrees", of_forest },
    { "RandomTreesEmbedding", of_forest }, { "GradientBoosting", of_gradient_boosting },
    { "AdaBoost", of_ada_boost },
};

static bool of_class(pickle__opener *o, const pickle_val *v, importances *out)
{
    const char *name = pickle__sklearn_class(v);

    for (size_t i = 0; name && i < sizeof with_importances / sizeof *with_importances; i++) {
        size_t len = strlen(with_importances[i].name);

        if (strncmp(name, with_importances[i].name, len) == 0 &&
            (!name[len] || strcmp(name + len, "Classifier") == 0 ||
             strcmp(name + len, "Regressor") == 0))
            return with_importances[i].of(o, v, out);
    }
    return none(o);
}

/* An attribute, or a step of a pipeline, which named_steps leads to; and the rest of the path. */
static const pickle_val *follow(const pickle_val *v, const char **path)
{
    static const char steps[] = "named_steps.";
    bool step = strncmp(*path, steps, sizeof steps - 1) == 0;
    const pickle_val *list = pickle_attr(v, "steps");
    const char *name = *path + (step ? sizeof steps - 1 : 0), *end = strchr(name, '.');
    char copy[128];

    if (!end || (size_t)(end - name) >= sizeof copy)
        return NULL;
    memcpy(copy, name, (size_t)(end - name));
    copy[end - name] = '\0';
    *path = end + 1;
    if (!step)
        return pickle_attr(v, copy);
    for (size_t i = 0; i < pickle_len(list); i++) {
        if (pickle_str_is(pickle_at(pickle_at(list, i), 0), copy))
            return pickle_at(pickle_at(list, i), 1);
    }
    return NULL;
}

bool pickle__importances(pickle__opener *o, const pickle_val *estimator, const char *path,
                         double norm, importances *out)
{
    bool automatic = strcmp(path, "auto") == 0;
    const pickle_val *found;

    if (automatic)
        path = "coef_";
    while (estimator && strchr(path, '.'))
        estimator = follow(estimator, &path);
    if (!pickle__sklearn_class(estimator))
        return none(o);
    found = pickle_attr(estimator, path);
    if (automatic && pickle_kind_of(found) == PICKLE_MISSING)
        found = pickle_attr(estimator, path = "feature_importances_");
    if (pickle_kind_of(found) != PICKLE_MISSING)
        return of_numbers(o, path, found, norm, out);
    return strcmp(path, "feature_importances_") == 0 ? of_class(o, estimator, out) : none(o);
}
