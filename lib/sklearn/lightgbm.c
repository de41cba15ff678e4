/*
 * lightgbm.c - LightGBM's models in their scikit-learn wrappers.
 *
 * A booster is pickled as the text that LightGBM saves models as (gbdt_model_text.cpp and tree.cpp
 * of LightGBM): a head, then trees, of lines key=value. Its arithmetic is in float64.
 */
#include "sklearn/estimator.h"
#include "sklearn/json.h"
#include "sklearn/numeric.h"

#include <math.h>
#include <string.h>

/* decision_type: bits. */
#define CATEGORICAL  1
#define DEFAULT_LEFT 2
#define MISSING      12
#define MISSING_ZERO 4
#define MISSING_NAN  8

#define ZERO 1e-35f /* what is at most this far from 0 is 0 */

typedef struct node {
    double threshold; /* of categories: which of the sets */
    int32_t feature, type;
    int32_t left, right; /* below 0: ~ of a leaf */
} node;

typedef struct tree {
    size_t leaves; /* one more than nodes */
    const node *nodes;
    const double *values; /* of leaves */
    size_t sets;          /* of categories */
    const double *bounds; /* sets + 1: where each set begins among the words */
    const double *words;  /* of 32 bits */
} tree;

typedef enum link { IDENTITY, SIGMOID, SOFTMAX, EXPONENTIAL, SQUARE, LOG1P_EXP } link;

typedef struct booster {
    size_t features, groups; /* groups: trees of an iteration */
    size_t count, iterations;
    tree *trees;
    link link;
    double sigmoid; /* SIGMOID is of this multiple */
    bool averages;  /* random forests: over iterations */
    bool nan_right; /* categories that are NaN go to the right, since 4.0 */
} booster;

/* -------------------------------------------------------------- predictions */

static bool in_set(const tree *t, size_t set, int32_t category)
{
    size_t first = (size_t)t->bounds[set], words = (size_t)t->bounds[set + 1] - first;
    size_t word = (size_t)category / 32;

    return word < words && (((uint32_t)t->words[first + word] >> (category % 32)) & 1);
}

static bool goes_left(const booster *s, const tree *t, const node *at, double x)
{
    int missing = at->type & MISSING;

    if (at->type & CATEGORICAL) {
        if (isnan(x) && (s->nan_right || missing == MISSING_NAN))
            return false;
        x = isnan(x) ? 0 : x;
        return x > -1 && x < INT32_MAX && in_set(t, (size_t)at->threshold, (int32_t)x);
    }
    if (isnan(x) && missing != MISSING_NAN)
        x = 0;
    if ((missing == MISSING_ZERO && fabs(x) <= (double)ZERO) ||
        (missing == MISSING_NAN && isnan(x)))
        return at->type & DEFAULT_LEFT;
    return x <= at->threshold;
}

static double leaf_of(const booster *s, const tree *t, const double *x)
{
    int32_t i = t->leaves > 1 ? 0 : -1;

    while (i >= 0) {
        const node *at = &t->nodes[i];

        i = goes_left(s, t, at, x[at->feature]) ? at->left : at->right;
    }
    return t->values[~i];
}

static double converted(const booster *s, double x)
{
    switch (s->link) {
    case SIGMOID:
        return 1 / (1 + exp(-s->sigmoid * x));
    case EXPONENTIAL:
        return exp(x);
    case SQUARE:
        return copysign(x * x, x);
    case LOG1P_EXP:
        return log1p(exp(x));
    default:
        return x;
    }
}

static void predict_row(const booster *s, const double *x, double *out)
{
    for (size_t k = 0; k < s->groups; k++)
        out[k] = 0;
    for (size_t i = 0; i < s->iterations; i++) {
        for (size_t k = 0; k < s->groups; k++)
            out[k] += leaf_of(s, &s->trees[i * s->groups + k], x);
    }
    for (size_t k = 0; k < s->groups; k++)
        out[k] = converted(s, s->averages ? out[k] / (double)s->iterations : out[k]);
    if (s->link == SOFTMAX)
        pickle__softmax(out, s->groups);
}

static double *predict_rows(const booster *s, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    pickle_batch dense;
    double *out;

    if (!pickle__as_f64(r, x, &dense))
        return NULL;
    out = pickle__new_f64(r, y, x->rows, s->groups);
    for (size_t i = 0; out && i < x->rows; i++)
        predict_row(s, pickle__row(&dense, i), out + i * s->groups);
    return out;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    return predict_rows(m->state, r, x, y) != NULL;
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const booster *s = m->state;
    pickle_batch all;
    const double *p;
    double *out;

    if (s->groups > 1)
        return predict(m, r, x, y);
    p = predict_rows(s, r, x, &all);
    out = p ? pickle__new_f64(r, y, x->rows, 2) : NULL;
    for (size_t i = 0; out && i < x->rows; i++) {
        *out++ = 1 - p[i];
        *out++ = p[i];
    }
    return out != NULL;
}

static bool predict_class(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    pickle_batch p;

    return predict_proba(m, r, x, &p) && pickle__argmax(r, &p, y);
}

/* --------------------------------------------------------------------- text */

/* Lines, one after the other. */
typedef struct text {
    const char *at, *end;
} text;

typedef struct line {
    const char *key, *value, *end;
    size_t len; /* of the key: all of the line where there is no '=' */
} line;

static bool next_line(text *t, line *out)
{
    const char *newline, *equals;

    if (t->at == t->end)
        return false;
    newline = memchr(t->at, '\n', (size_t)(t->end - t->at));
    out->key = t->at;
    out->end = newline ? newline : t->end;
    equals = memchr(t->at, '=', (size_t)(out->end - t->at));
    out->len = (size_t)((equals ? equals : out->end) - out->key);
    out->value = equals ? equals + 1 : out->end;
    t->at = newline ? newline + 1 : t->end;
    return true;
}

static bool is_key(const line *l, const char *key)
{
    return l->len == strlen(key) && memcmp(l->key, key, l->len) == 0;
}

/* The value as one whole number; -1 for what is none. */
static int64_t whole(const line *l)
{
    double x;
    const char *end = l->key ? pickle__json_number(l->value, l->end, &x) : NULL;

    return end == l->end && end && x >= 0 && x < INT32_MAX ? (int64_t)x : -1;
}

/* A number, or what C calls those that are none. */
static const char *number_at(const char *at, const char *end, double *out)
{
    bool minus = at < end && *at == '-';
    const char *word = at + minus;

    if (end - word < 3 || (memcmp(word, "inf", 3) != 0 && memcmp(word, "nan", 3) != 0))
        return pickle__json_number(at, end, out);
    *out = *word == 'n' ? NAN : minus ? -INFINITY : INFINITY;
    return word + 3;
}

/* `count` numbers with spaces between; NULL for others. */
static const double *numbers(pickle__opener *o, const line *l, size_t count)
{
    const char *at = l->value;
    double *out;

    if (!l->key || count > (size_t)(l->end - l->value))
        return NULL;
    out = pickle__keep(o, count, sizeof *out);
    for (size_t i = 0; out && i < count; i++) {
        at = number_at(at, l->end, &out[i]);
        if (!at)
            return NULL;
        at += at < l->end && *at == ' ';
    }
    return out;
}

/* -------------------------------------------------------------------- trees */

enum {
    NUM_LEAVES,
    NUM_CAT,
    SPLIT_FEATURE,
    THRESHOLD,
    DECISION_TYPE,
    LEFT_CHILD,
    RIGHT_CHILD,
    LEAF_VALUE,
    CAT_BOUNDARIES,
    CAT_THRESHOLD,
    IS_LINEAR,
    KEYS
};

static const char *const keys[KEYS] = {
    [NUM_LEAVES] = "num_leaves",         [NUM_CAT] = "num_cat",
    [SPLIT_FEATURE] = "split_feature",   [THRESHOLD] = "threshold",
    [DECISION_TYPE] = "decision_type",   [LEFT_CHILD] = "left_child",
    [RIGHT_CHILD] = "right_child",       [LEAF_VALUE] = "leaf_value",
    [CAT_BOUNDARIES] = "cat_boundaries", [CAT_THRESHOLD] = "cat_threshold",
    [IS_LINEAR] = "is_linear",
};

static bool bad_tree(pickle__opener *o)
{
    pickle__bad(o, "_Booster", "has a tree that is none");
    return false;
}

/* Sets of categories: their words, and where each begins. */
static bool read_sets(pickle__opener *o, tree *t, const line *lines)
{
    int64_t sets = whole(&lines[NUM_CAT]);

    if (sets <= 0)
        return true;
    t->sets = (size_t)sets;
    t->bounds = numbers(o, &lines[CAT_BOUNDARIES], t->sets + 1);
    if (!t->bounds)
        return bad_tree(o);
    for (size_t i = 0; i < t->sets; i++) {
        if (!(t->bounds[i] >= 0 && t->bounds[i + 1] >= t->bounds[i] &&
              t->bounds[i + 1] < INT32_MAX))
            return bad_tree(o);
    }
    t->words = numbers(o, &lines[CAT_THRESHOLD], (size_t)t->bounds[t->sets]);
    if (!t->words)
        return bad_tree(o);
    for (size_t i = 0; i < (size_t)t->bounds[t->sets]; i++) {
        if (!(t->words[i] >= 0 && t->words[i] <= UINT32_MAX))
            return bad_tree(o);
    }
    return true;
}

static bool fits(double x, double least, double end)
{
    return x >= least && x < end;
}

static bool read_nodes(pickle__opener *o, const booster *s, tree *t, const line *lines)
{
    size_t n = t->leaves - 1;
    const double *feature = numbers(o, &lines[SPLIT_FEATURE], n);
    const double *threshold = numbers(o, &lines[THRESHOLD], n);
    const double *type = numbers(o, &lines[DECISION_TYPE], n);
    const double *left = numbers(o, &lines[LEFT_CHILD], n);
    const double *right = numbers(o, &lines[RIGHT_CHILD], n);
    node *nodes = pickle__keep(o, n, sizeof *nodes);

    if (!feature || !threshold || !type || !left || !right || !nodes)
        return bad_tree(o);
    for (size_t i = 0; i < n; i++) {
        double least = -(double)t->leaves;

        if (!fits(feature[i], 0, (double)s->features) || !fits(type[i], 0, 16) ||
            !fits(left[i], least, (double)n) || !fits(right[i], least, (double)n))
            return bad_tree(o);
        nodes[i] = (node){ threshold[i], (int32_t)feature[i], (int32_t)type[i], (int32_t)left[i],
                           (int32_t)right[i] };
        if ((nodes[i].type & CATEGORICAL) && !fits(threshold[i], 0, (double)t->sets))
            return bad_tree(o);
    }
    t->nodes = nodes;
    return true;
}

/* Each node but the first is the child of one: without loops, and in as many steps. */
static bool check_children(pickle__opener *o, const tree *t)
{
    size_t n = t->leaves - 1, depth = n > 0, reached = 0;
    unsigned char *seen = pickle__keep(o, n, 1);
    int32_t *stack = pickle__keep(o, n, sizeof *stack);

    while (seen && stack && depth > 0) {
        const node *at = &t->nodes[stack[--depth]];
        int32_t children[] = { at->left, at->right };

        reached++;
        for (int i = 0; i < 2; i++) {
            if (children[i] < 0)
                continue;
            if (children[i] == 0 || seen[children[i]])
                return bad_tree(o);
            seen[children[i]] = 1;
            stack[depth++] = children[i];
        }
    }
    return seen && stack && (reached == n || bad_tree(o));
}

static bool read_tree(pickle__opener *o, const booster *s, tree *t, const line *lines)
{
    int64_t leaves = whole(&lines[NUM_LEAVES]);

    if (leaves < 1)
        return bad_tree(o);
    if (whole(&lines[IS_LINEAR]) > 0) {
        pickle__unsupported(o, "_Booster", "has linear models in its leaves");
        return false;
    }
    t->leaves = (size_t)leaves;
    t->values = numbers(o, &lines[LEAF_VALUE], t->leaves);
    if (!t->values)
        return bad_tree(o);
    return t->leaves == 1 ||
           (read_sets(o, t, lines) && read_nodes(o, s, t, lines) && check_children(o, t));
}

/* From the first line "Tree=" to "end of trees". */
static void read_trees(pickle__opener *o, booster *s, text in)
{
    line lines[KEYS] = { 0 }, l;
    bool inside = false;
    size_t n = 0;

    while (pickle__ok(o) && next_line(&in, &l)) {
        bool end = is_key(&l, "end of trees");

        if (end || is_key(&l, "Tree")) {
            if (inside && !read_tree(o, s, &s->trees[n++], lines))
                return;
            memset(lines, 0, sizeof lines);
            inside = true;
        }
        if (end)
            break;
        for (size_t i = 0; i < KEYS; i++) {
            if (is_key(&l, keys[i]))
                lines[i] = l;
        }
    }
    if (n != s->count && pickle__ok(o))
        pickle__bad(o, "_Booster", "is cut short");
}

static size_t count_trees(text in)
{
    size_t n = 0;
    line l;

    while (next_line(&in, &l) && !is_key(&l, "end of trees"))
        n += is_key(&l, "Tree");
    return n;
}

/* --------------------------------------------------------------------- head */

static const struct {
    const char *name;
    link link;
} objectives[] = {
    { "binary", SIGMOID },
    { "multiclass", SOFTMAX },
    { "multiclassova", SIGMOID },
    { "cross_entropy", SIGMOID },
    { "cross_entropy_lambda", LOG1P_EXP },
    { "regression", IDENTITY },
    { "regression_l1", IDENTITY },
    { "huber", IDENTITY },
    { "fair", IDENTITY },
    { "quantile", IDENTITY },
    { "mape", IDENTITY },
    { "lambdarank", IDENTITY },
    { "rank_xendcg", IDENTITY },
    { "poisson", EXPONENTIAL },
    { "gamma", EXPONENTIAL },
    { "tweedie", EXPONENTIAL },
};

/* "binary sigmoid:1", "regression sqrt", ... */
static void open_objective(pickle__opener *o, booster *s, const line *l)
{
    size_t len = 0, count = sizeof objectives / sizeof *objectives, i = 0;
    const char *at = l->value;

    while (at + len < l->end && at[len] != ' ')
        len++;
    while (i < count &&
           (strlen(objectives[i].name) != len || memcmp(objectives[i].name, at, len) != 0))
        i++;
    if (i == count) {
        pickle__unsupported(o, "_Booster", "has an objective that is not known here");
        return;
    }
    s->link = objectives[i].link;
    s->sigmoid = 1;
    for (at += len; at < l->end; at++) {
        size_t left = (size_t)(l->end - at);

        if (left > 8 && memcmp(at, "sigmoid:", 8) == 0 &&
            !pickle__json_number(at + 8, l->end, &s->sigmoid))
            pickle__bad(o, "_Booster", "has a sigmoid that is no number");
        if (left >= 4 && memcmp(at, "sqrt", 4) == 0)
            s->link = SQUARE;
    }
}

static void read_head(pickle__opener *o, booster *s, text in)
{
    int64_t features = -1, groups = -1;
    bool objective = false;
    line l;

    while (next_line(&in, &l) && !is_key(&l, "Tree")) {
        if (is_key(&l, "max_feature_idx"))
            features = whole(&l) + 1;
        else if (is_key(&l, "num_tree_per_iteration"))
            groups = whole(&l);
        else if (is_key(&l, "average_output"))
            s->averages = true;
        else if (is_key(&l, "version"))
            s->nan_right = l.end - l.value == 2 && l.value[1] >= '4';
        else if (is_key(&l, "objective")) {
            open_objective(o, s, &l);
            objective = true;
        }
    }
    if (!objective)
        pickle__unsupported(o, "_Booster", "has an objective of the user's");
    if (features < 1 || groups < 1)
        pickle__bad(o, "_Booster", "is no text of LightGBM's");
    s->features = (size_t)features;
    s->groups = (size_t)groups;
}

/* ------------------------------------------------------------------ opening */

/* All, or up to the best one. */
static void limit_iterations(booster *s, const pickle_val *object)
{
    int64_t best = 0;

    s->iterations = s->count / s->groups;
    if (pickle_get_i64(pickle_attr(object, "best_iteration"), &best) && best > 0 &&
        (uint64_t)best < s->iterations)
        s->iterations = (size_t)best;
}

static booster *open_booster(pickle__opener *o)
{
    booster *s = pickle__state(o, sizeof *s);
    const pickle_val *v = pickle__need(o, "_Booster"), *handle = pickle_attr(v, "handle");
    const pickle_val *categories = pickle_attr(v, "pandas_categorical");
    text in;

    if (!handle)
        handle = pickle_attr(v, "_handle");
    if (!pickle__ok(o))
        return s;
    if (!pickle_str(handle)) {
        pickle__unsupported(o, "_Booster", "has no model in it");
        return s;
    }
    if (pickle_len(categories) > 0)
        pickle__unsupported(o, "_Booster", "was fitted on categories of pandas'");
    in = (text){ pickle_str(handle), pickle_str(handle) + pickle_len(handle) };
    read_head(o, s, in);
    s->count = count_trees(in);
    if (pickle__ok(o) && (s->count == 0 || s->count % s->groups != 0))
        pickle__bad(o, "_Booster", "has not one tree for each class");
    s->trees = pickle__ok(o) ? pickle__keep(o, s->count, sizeof *s->trees) : NULL;
    if (!s->trees)
        return s;
    read_trees(o, s, in);
    limit_iterations(s, v);
    o->model->features = s->features;
    o->model->takes = PICKLE__F64 | PICKLE__CSR;
    o->model->numbers = PICKLE__ANY_NUMBER;
    return s;
}

static void open_regressor(pickle__opener *o)
{
    open_booster(o);
    pickle__method_is(o, PICKLE_PREDICT, predict);
}

static void open_classifier(pickle__opener *o)
{
    const booster *s = open_booster(o);

    pickle__read_classes(o, "_classes");
    if (!pickle__ok(o))
        return;
    if (o->model->outputs != 1 || o->model->classes[0].count != (s->groups == 1 ? 2 : s->groups))
        pickle__unsupported(o, "_classes", "are not those of the booster");
    if (s->link != SIGMOID && s->link != SOFTMAX)
        pickle__unsupported(o, "_Booster", "gives no probabilities");
    pickle__method_is(o, PICKLE_PREDICT, predict_class);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
}

const pickle__estimator pickle__lightgbm_estimators[] = {
    { ":lightgbm.sklearn", "LGBMClassifier", open_classifier },
    { ":lightgbm.sklearn", "LGBMRegressor", open_regressor },
    { ":lightgbm.sklearn", "LGBMRanker", open_regressor },
    { NULL, NULL, NULL },
};
