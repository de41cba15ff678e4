/*
 * isolation.c - isolation forests: how soon random splits set a row apart from others.
 *
 * A node's value is the length of the path to it, and of those that its samples would still have
 * to go. Versions differ in the length for one or two samples, in what is divided by what, and in
 * which score is an outlier's.
 */
#include <math.h>
#include <string.h>

#include "sklearn/forest.h"

typedef struct isolation {
    pickle__forest all;
    double divisor;   /* of the sum of the paths, */
    double average;   /* and of what is left then */
    double offset;    /* decision_function: score_samples less that */
    double threshold; /* predict: whose decision_function is less is an outlier */
    bool or_equal;    /* or as much */
} isolation;

/* ------------------------------------------------------------------ methods */

/* Where the divisor is 0, as all trees have one sample: before 1.0, what that gives. */
static double *scores(const pickle_model *m, pickle__run *r, const pickle_batch *x, double offset,
                      pickle_batch *y)
{
    const isolation *s = m->state;
    double *out = pickle__forest_sums(m, &s->all, r, x, y);

    for (size_t i = 0; out && i < x->rows; i++) {
        double path = out[i] / s->divisor / s->average;

        if (s->divisor == 0 && m->version >= PICKLE__SKLEARN(1, 0, 0))
            path = 1;
        out[i] = -pow(2, -path) - offset;
    }
    return out;
}

static bool score_samples(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    return scores(m, r, x, 0, y) != NULL;
}

static double *decide(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    return scores(m, r, x, ((const isolation *)m->state)->offset, y);
}

static bool decision_function(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    return decide(m, r, x, y) != NULL;
}

/* 1 for what belongs to the others, -1 for an outlier. */
static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const isolation *s = m->state;
    double *out = decide(m, r, x, y);

    y->integers = true;
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = out[i] < s->threshold || (s->or_equal && out[i] == s->threshold) ? -1 : 1;
    return out != NULL;
}

/* -------------------------------------------------------------------- paths */

/* The average length of a path in a tree of so many samples. */
static double average_path(const pickle__opener *o, double n)
{
    static const double euler_gamma = 0.57721566490153286061;

    if (o->version >= PICKLE__SKLEARN(0, 21, 0) && n <= 2)
        return n <= 1 ? 0 : 1;
    if (n <= 1)
        return 1;
    if (o->version < PICKLE__SKLEARN(0, 19, 0))
        return 2 * (log(n) + 0.5772156649) - 2 * (n - 1) / n;
    return 2 * (log(n - 1) + euler_gamma) - 2 * (n - 1) / n;
}

/* Nodes on the way to each, itself included, by their places in the file. */
static bool count_depths(pickle__opener *o, const pickle__tree *t, double *depths)
{
    uint32_t *depth = pickle__keep(o, t->n_nodes, sizeof *depth);

    if (!depth)
        return false;
    depth[0] = 1;
    for (size_t i = 0; i < t->n_nodes; i++) {
        size_t child = t->nodes[i].child;

        depths[t->ids[i] & ~PICKLE__NAN_LEFT] = depth[i];
        if (child != i)
            depth[child] = depth[child + 1] = depth[i] + 1;
    }
    return true;
}

/* Of a tree that the file has no paths for. */
static const double *measure(pickle__opener *o, const pickle_model *part, const pickle__tree *t)
{
    const double *samples =
        pickle__tree_numbers(o, "tree_", pickle_attr(part->object, "tree_"), "n_node_samples");
    double *paths = samples ? pickle__keep(o, t->count, sizeof *paths) : NULL;

    if (!paths || !count_depths(o, t, paths))
        return NULL;
    for (size_t i = 0; i < t->count; i++) {
        if (o->version >= PICKLE__SKLEARN(0, 21, 0))
            paths[i] = paths[i] + average_path(o, samples[i]) - 1;
        else
            paths[i] = paths[i] - 1 + average_path(o, samples[i]);
    }
    return paths;
}

/* Since 1.3 the model keeps them: a tuple for the depths, one for what is to come. */
static const double *noted(pickle__opener *o, const pickle__tree *t, const pickle_val *depths,
                           const pickle_val *rest)
{
    pickle__matrix a = pickle__numbers_of(o, "_decision_path_lengths", depths);
    pickle__matrix b = pickle__numbers_of(o, "_average_path_length_per_tree", rest);
    double *paths;

    if (!pickle__ok(o))
        return NULL;
    if (a.rows != 1 || a.cols != t->count || b.rows != 1 || b.cols != t->count) {
        pickle__bad(o, "_decision_path_lengths", "are not those of the trees");
        return NULL;
    }
    paths = pickle__keep(o, t->count, sizeof *paths);
    for (size_t i = 0; paths && i < t->count; i++)
        paths[i] = a.data[i] + b.data[i] - 1;
    return paths;
}

static void find_paths(pickle__opener *o, pickle__forest *f)
{
    const pickle_val *depths = pickle__attr(o, "_decision_path_lengths");
    const pickle_val *rest = pickle__attr(o, "_average_path_length_per_tree");
    const pickle__part *part = o->model->parts;

    if (depths && rest && (pickle_len(depths) != f->count || pickle_len(rest) != f->count))
        pickle__bad(o, "_decision_path_lengths", "are not those of the trees");
    for (size_t i = 0; pickle__ok(o) && i < f->count; i++, part = part->next)
        f->values[i] = depths && rest
                           ? noted(o, f->trees[i], pickle_at(depths, i), pickle_at(rest, i))
                           : measure(o, part->model, f->trees[i]);
}

/* ----------------------------------------------------------------- features */

/* A tree that was fitted on some of the columns, as one of all of them. */
static const pickle__tree *widened(pickle__opener *o, const pickle__tree *t,
                                   const pickle_val *columns, size_t features)
{
    size_t n = 0;
    const int64_t *column = pickle__integers_of(o, "estimators_features_", columns, &n);
    pickle__tree *wide = pickle__keep(o, 1, sizeof *wide);
    pickle__tree_node *nodes = wide ? pickle__keep(o, t->n_nodes, sizeof *nodes) : NULL;

    for (size_t j = 0; column && j < n; j++) {
        if (column[j] < 0 || (uint64_t)column[j] >= features)
            n = 0;
    }
    if (pickle__ok(o) && n != t->features)
        pickle__bad(o, "estimators_features_", "are not those of the trees");
    if (!pickle__ok(o) || !nodes)
        return t;
    for (size_t i = 0; i < t->n_nodes; i++) {
        nodes[i] = t->nodes[i];
        nodes[i].feature = (uint32_t)column[nodes[i].feature];
    }
    *wide = *t;
    wide->features = features;
    wide->nodes = nodes;
    return wide;
}

static void find_features(pickle__opener *o, pickle__forest *f)
{
    int64_t own = (int64_t)o->model->features; /* of the trees */
    int64_t all = pickle__integer(o, "n_features_in_", pickle__integer(o, "n_features_", own));
    const pickle_val *columns;
    size_t n = 0;

    /* _max_features says whether trees look at some columns only, not in which order. */
    if (pickle__integer(o, "_max_features", own) != own || own > all || all > PICKLE__MOST_FEATURES)
        pickle__bad(o, "_max_features", "is not what the trees have");
    if (!pickle__ok(o) || own == all)
        return;
    columns = pickle__items(o, "estimators_features_", pickle__need(o, "estimators_features_"), &n);
    if (pickle__ok(o) && n != f->count)
        pickle__bad(o, "estimators_features_", "are not those of the trees");
    for (size_t i = 0; pickle__ok(o) && i < f->count; i++)
        f->trees[i] = widened(o, f->trees[i], pickle_at(columns, i), (size_t)all);
    o->model->features = (size_t)all;
}

/* ------------------------------------------------------------------ opening */

/* The mean path over the average one, or since 0.21 their sum over that of the averages. */
static void find_divisor(pickle__opener *o, isolation *s)
{
    const char *name = o->version >= PICKLE__SKLEARN(1, 3, 0) ? "_max_samples" : "max_samples_";
    double n = pickle__need(o, name) ? pickle__number(o, name, 0) : 0;

    s->divisor = (double)s->all.count;
    s->average = average_path(o, n);
    if (o->version >= PICKLE__SKLEARN(0, 21, 0)) {
        s->divisor *= s->average;
        s->average = 1;
    }
}

static void find_threshold(pickle__opener *o, isolation *s)
{
    s->offset = -0.5;
    if (o->version < PICKLE__SKLEARN(0, 20, 0)) {
        s->threshold = pickle__need(o, "threshold_") ? pickle__number(o, "threshold_", 0) : 0;
        s->or_equal = true;
        return;
    }
    if (pickle__need(o, "offset_"))
        s->offset = pickle__number(o, "offset_", 0);
    if (o->version < PICKLE__SKLEARN(0, 22, 0) &&
        pickle__choice(o, "behaviour", 0, "old", "new", NULL) == 0)
        s->threshold = pickle__need(o, "_threshold_") ? pickle__number(o, "_threshold_", 0) : 0;
}

static void open_isolation(pickle__opener *o)
{
    isolation *s = pickle__state(o, sizeof *s);

    if (!pickle__open_forest(o, &s->all))
        return;
    if (o->model->outputs != 1)
        pickle__bad(o, "estimators_", "has trees of several outputs");
    if (pickle__ok(o))
        find_paths(o, &s->all);
    if (pickle__ok(o))
        find_features(o, &s->all);
    s->all.numbers = o->version >= PICKLE__SKLEARN(1, 6, 0) ? PICKLE__ANY_NUMBER : PICKLE__FINITE;
    find_divisor(o, s);
    find_threshold(o, s);
    if (o->version >= PICKLE__SKLEARN(0, 20, 0))
        pickle__method_is(o, PICKLE_SCORE_SAMPLES, score_samples);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, decision_function);
    pickle__method_is(o, PICKLE_PREDICT, predict);
}

const pickle__estimator pickle__isolation_estimators[] = {
    { "ensemble", "IsolationForest", open_isolation },
    { NULL, NULL, NULL },
};
