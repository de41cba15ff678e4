/*
 * xgboost.c - XGBoost's models in their scikit-learn wrappers.
 *
 * What is pickled of a booster is a text of its own: UBJSON since 1.6, JSON since 1.3, before it a
 * binary layout (learner.cc, gbtree_model.h and tree_model.h of XGBoost), before which 1.0 put a
 * header.
 */
#include "sklearn/estimator.h"
#include "sklearn/json.h"
#include "sklearn/ubjson.h"

#include <math.h>
#include <string.h>

#include <pickle/stdlib.h>

typedef struct node {
    float value;                  /* x below it goes to the left; of a leaf, what it adds */
    int32_t feature, left, right; /* left is -1 in a leaf */
    bool missing_left;
} node;

typedef struct tree {
    size_t count, group;
    node *nodes;
    float weight; /* of DART: what a leaf is multiplied by */
} tree;

typedef enum link { IDENTITY, SIGMOID, SOFTMAX, EXPONENTIAL, HINGE } link;

typedef struct booster {
    size_t features, groups;
    size_t count, used; /* trees; the first of them, up to the best iteration */
    tree *trees;
    link link;
    bool logit_base;      /* base_score is on the scale of what the link gives */
    float *base;          /* of each group */
    size_t per_iteration; /* num_parallel_tree * groups */
    bool has_missing;     /* beside NaN */
    float missing;
} booster;

/* -------------------------------------------------------------- predictions */

static float leaf_of(const booster *s, const tree *t, const float *x)
{
    const node *at = t->nodes;

    while (at->left >= 0) {
        float v = x[at->feature];
        bool left =
            isnan(v) || (s->has_missing && v == s->missing) ? at->missing_left : v < at->value;

        at = &t->nodes[left ? at->left : at->right];
    }
    return at->value;
}

static void margins(const booster *s, const float *x, float *out)
{
    memcpy(out, s->base, s->groups * sizeof *out);
    for (size_t i = 0; i < s->used; i++) {
        const tree *t = &s->trees[i];

        out[t->group] += t->weight * leaf_of(s, t, x);
    }
}

static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(fminf(-x, 88.7f)));
}

static void softmax(float *x, size_t n)
{
    float most = x[0];
    double sum = 0;

    for (size_t k = 1; k < n; k++)
        most = fmaxf(most, x[k]);
    for (size_t k = 0; k < n; k++) {
        x[k] = expf(x[k] - most);
        sum += (double)x[k];
    }
    for (size_t k = 0; k < n; k++)
        x[k] /= (float)sum;
}

static void transform_margins(const booster *s, float *x)
{
    if (s->link == SOFTMAX) {
        softmax(x, s->groups);
        return;
    }
    for (size_t k = 0; k < s->groups; k++) {
        if (s->link == SIGMOID)
            x[k] = sigmoid(x[k]);
        else if (s->link == EXPONENTIAL)
            x[k] = expf(x[k]);
        else if (s->link == HINGE)
            x[k] = x[k] > 0;
    }
}

/* What Booster.predict gives: a row of `groups` numbers for each of X. */
static float *predict_rows(const booster *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    float *out = pickle__new_f32(r, y, x->rows, s->groups);

    for (size_t i = 0; out && i < x->rows; i++) {
        margins(s, pickle__row_f32(x, i), out + i * s->groups);
        transform_margins(s, out + i * s->groups);
    }
    return out;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    return predict_rows(m->state, r, x, y) != NULL;
}

static bool predict_class(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const booster *s = m->state;
    pickle_batch all;
    const float *p = predict_rows(s, r, x, &all);
    double *out = p ? pickle__new_f64(r, y, x->rows, 1) : NULL;

    for (size_t i = 0; out && i < x->rows; i++, p += s->groups) {
        size_t best = 0;

        for (size_t k = 1; k < s->groups; k++)
            best = p[k] > p[best] ? k : best;
        out[i] = s->groups == 1 ? p[0] > 0.5f : (double)best;
    }
    return out != NULL;
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const booster *s = m->state;
    pickle_batch all;
    const float *p;
    float *out;

    if (s->groups > 1)
        return predict(m, r, x, y);
    p = predict_rows(s, r, x, &all);
    out = p ? pickle__new_f32(r, y, x->rows, 2) : NULL;
    for (size_t i = 0; out && i < x->rows; i++) {
        *out++ = 1.0f - p[i];
        *out++ = p[i];
    }
    return out != NULL;
}

/* -------------------------------------------------------------------- trees */

static bool is_tree(const tree *t, size_t features, int32_t *stack, unsigned char *seen)
{
    size_t depth = 1;

    if (t->count == 0)
        return false;
    memset(seen, 0, t->count);
    stack[0] = 0;
    seen[0] = 1;
    while (depth > 0) {
        const node *at = &t->nodes[stack[--depth]];
        int32_t children[] = { at->left, at->right };

        if (at->left < 0)
            continue;
        if (at->feature < 0 || (size_t)at->feature >= features)
            return false;
        for (int i = 0; i < 2; i++) {
            int32_t child = children[i];

            if (child < 0 || (size_t)child >= t->count || seen[child])
                return false;
            seen[child] = 1;
            stack[depth++] = child;
        }
    }
    return true;
}

/* Each node of a tree is reached once. */
static void check_trees(pickle__opener *o, const booster *s)
{
    size_t most = 1;
    int32_t *stack;
    unsigned char *seen;

    for (size_t i = 0; pickle__ok(o) && i < s->count; i++)
        most = s->trees[i].count > most ? s->trees[i].count : most;
    stack = pickle__keep(o, most + 1, sizeof *stack);
    seen = pickle__keep(o, most, 1);
    for (size_t i = 0; stack && seen && pickle__ok(o) && i < s->count; i++) {
        if (s->trees[i].group >= s->groups || !is_tree(&s->trees[i], s->features, stack, seen))
            pickle__bad(o, "_Booster", "has a tree that is none");
    }
}

/* --------------------------------------------------------------- objectives */

static const struct {
    const char *name;
    link link;
    bool base_by_log; /* base_score is exp of a margin; else it is one, or SIGMOID's */
} objectives[] = {
    { "binary:logistic", SIGMOID, false },
    { "reg:logistic", SIGMOID, false },
    { "binary:logitraw", IDENTITY, false },
    { "binary:hinge", HINGE, false },
    { "multi:softprob", SOFTMAX, false },
    { "reg:squarederror", IDENTITY, false },
    { "reg:linear", IDENTITY, false },
    { "reg:squaredlogerror", IDENTITY, false },
    { "reg:pseudohubererror", IDENTITY, false },
    { "reg:absoluteerror", IDENTITY, false },
    { "rank:pairwise", IDENTITY, false },
    { "rank:ndcg", IDENTITY, false },
    { "rank:map", IDENTITY, false },
    { "count:poisson", EXPONENTIAL, true },
    { "reg:gamma", EXPONENTIAL, true },
    { "reg:tweedie", EXPONENTIAL, true },
};

/* The margin that predictions start from. */
static float margin_of(const booster *s, size_t objective, double score)
{
    if (!s->logit_base)
        return (float)score;
    if (s->link == SIGMOID || strcmp(objectives[objective].name, "binary:logitraw") == 0)
        return -logf(1.0f / (float)score - 1.0f);
    return objectives[objective].base_by_log ? logf((float)score) : (float)score;
}

static size_t open_objective(pickle__opener *o, booster *s, const char *name, size_t len)
{
    size_t count = sizeof objectives / sizeof *objectives, i = 0;

    while (i < count &&
           (strlen(objectives[i].name) != len || memcmp(objectives[i].name, name, len) != 0))
        i++;
    if (i == count) {
        pickle__unsupported(o, "objective", "is none that is known here");
        return 0;
    }
    s->link = objectives[i].link;
    return i;
}

/* One margin for all groups, or one for each. */
static void open_base(pickle__opener *o, booster *s, size_t objective, const double *scores,
                      size_t count)
{
    if (!pickle__ok(o))
        return;
    if (count != 1 && count != s->groups) {
        pickle__bad(o, "_Booster", "has not one base_score for each class");
        return;
    }
    s->base = pickle__keep(o, s->groups, sizeof *s->base);
    for (size_t k = 0; s->base && k < s->groups; k++)
        s->base[k] = margin_of(s, objective, scores[count == 1 ? 0 : k]);
}

/* ------------------------------------------------------------------- binary */

typedef struct reader {
    const unsigned char *at, *end;
    bool bad;
} reader;

static const unsigned char *take(reader *in, size_t size)
{
    const unsigned char *at = in->at;

    if (in->bad || (size_t)(in->end - in->at) < size) {
        in->bad = true;
        return NULL;
    }
    in->at += size;
    return at;
}

static uint64_t little_endian(const unsigned char *at, int n)
{
    uint64_t x = 0;

    for (int i = n; at && i > 0; i--)
        x = x << 8 | at[i - 1];
    return x;
}

static int32_t take_int(reader *in)
{
    return (int32_t)(uint32_t)little_endian(take(in, 4), 4);
}

static float float_at(const unsigned char *at)
{
    uint32_t bits = (uint32_t)little_endian(at, 4);
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static const char *take_text(reader *in, size_t *len)
{
    uint64_t n = little_endian(take(in, 8), 8);

    *len = 0;
    if (in->bad || n > (uint64_t)(in->end - in->at)) {
        in->bad = true;
        return "";
    }
    *len = (size_t)n;
    return (const char *)take(in, *len);
}

#define NODE      20 /* parent, left, right, feature and default, value */
#define NODE_STAT 16
#define LEFT_BIT  0x80000000u

static void read_binary_tree(pickle__opener *o, reader *in, tree *t)
{
    const unsigned char *head = take(in, 37 * 4), *at;
    size_t count = head ? (size_t)little_endian(head + 4, 4) : 0;

    if (head && little_endian(head + 20, 4) > 1)
        pickle__unsupported(o, "_Booster", "has leaves of several numbers");
    at = count <= (size_t)(in->end - in->at) / (NODE + NODE_STAT) ? take(in, count * NODE) : NULL;
    t->nodes = at ? pickle__keep(o, count, sizeof *t->nodes) : NULL;
    in->bad = in->bad || !at;
    if (!t->nodes)
        return;
    for (size_t i = 0; i < count; i++, at += NODE) {
        uint32_t feature = (uint32_t)little_endian(at + 12, 4);

        t->nodes[i] = (node){ .left = (int32_t)(uint32_t)little_endian(at + 4, 4),
                              .right = (int32_t)(uint32_t)little_endian(at + 8, 4),
                              .feature = (int32_t)(feature & ~LEFT_BIT),
                              .missing_left = (feature & LEFT_BIT) != 0,
                              .value = float_at(at + 16) };
    }
    t->count = count;
    t->weight = 1;
    take(in, count * NODE_STAT);
}

/* Trees, the group of each, and DART's weights. */
static void read_binary_trees(pickle__opener *o, booster *s, reader *in, bool dart)
{
    int32_t count = take_int(in);

    take(in, 156);
    if (in->bad || count < 0 || (size_t)count > (size_t)(in->end - in->at) / (37 * 4)) {
        in->bad = true;
        return;
    }
    s->count = (size_t)count;
    s->trees = pickle__keep(o, s->count, sizeof *s->trees);
    for (size_t i = 0; s->trees && !in->bad && i < s->count; i++)
        read_binary_tree(o, in, &s->trees[i]);
    for (size_t i = 0; s->trees && !in->bad && i < s->count; i++)
        s->trees[i].group = (size_t)(uint32_t)take_int(in);
    if (!dart || !s->trees || s->count == 0)
        return;
    if (little_endian(take(in, 8), 8) != s->count)
        in->bad = true;
    for (size_t i = 0; !in->bad && i < s->count; i++)
        s->trees[i].weight = float_at(take(in, 4));
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

static void read_binary(pickle__opener *o, booster *s, const unsigned char *data, size_t size)
{
    static const char offset[] = "CONFIG-offset:";
    reader in = { .at = data, .end = data + size };
    const unsigned char *head;
    const char *name;
    size_t len, objective;
    int32_t classes;
    double score;

    if (size >= sizeof offset + 7 && memcmp(data, offset, sizeof offset - 1) == 0)
        take(&in, sizeof offset - 1 + 8);
    if (in.end - in.at >= 4 && memcmp(in.at, "binf", 4) == 0)
        take(&in, 4);
    head = take(&in, 136);
    if (!head) {
        pickle__bad(o, "_Booster", "is cut short");
        return;
    }
    score = (double)float_at(head);
    s->features = (size_t)little_endian(head + 4, 4);
    classes = (int32_t)(uint32_t)little_endian(head + 8, 4);
    s->groups = classes > 1 ? (size_t)classes : 1;
    s->logit_base = little_endian(head + 20, 4) >= 1;
    name = take_text(&in, &len);
    objective = open_objective(o, s, name, len);
    name = take_text(&in, &len);
    if (!in.bad && !is_name(name, len, "gbtree") && !is_name(name, len, "dart"))
        pickle__unsupported(o, "_Booster", "has no trees");
    if (!pickle__ok(o))
        return;
    read_binary_trees(o, s, &in, is_name(name, len, "dart"));
    if (in.bad || s->groups > size)
        pickle__bad(o, "_Booster", "is cut short");
    open_base(o, s, objective, &score, 1);
}

/* ------------------------------------------------------------------- UBJSON */

/* Numbers are text in the parameters. NaN for what is none. */
static double number_in(pickle__ubjson v)
{
    const char *text;
    size_t len;
    double x;

    if (pickle__ubjson_number(v, &x))
        return x;
    if (!pickle__ubjson_text(v, &text, &len) ||
        pickle__json_number(text, text + len, &x) != text + len)
        return NAN;
    return x;
}

/* A count; 0 for what is none. */
static size_t count_in(pickle__ubjson object, const char *path)
{
    double x = number_in(pickle__ubjson_get(object, path));

    return x >= 0 && x < INT32_MAX ? (size_t)x : 0;
}

/* `count` numbers of a tree: NULL if there are not so many. */
static double *column(pickle__opener *o, pickle__ubjson object, const char *name, size_t count)
{
    pickle__ubjson array = pickle__ubjson_get(object, name), item;
    double *out = pickle__ubjson_count(array) == count ? pickle__keep(o, count, sizeof *out) : NULL;
    pickle__ubjson_items it;

    if (!out || !pickle__ubjson_items_of(array, &it))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!pickle__ubjson_next(&it, &item) || !pickle__ubjson_number(item, &out[i]))
            return NULL;
    }
    return out;
}

static void read_tree(pickle__opener *o, tree *t, pickle__ubjson v)
{
    size_t n = pickle__ubjson_count(pickle__ubjson_get(v, "left_children"));
    size_t most = (size_t)(v.end - v.at);
    const double *left, *right, *feature, *value, *missing, *kind;

    if (count_in(v, "tree_param.size_leaf_vector") > 1) {
        pickle__unsupported(o, "_Booster", "has leaves of several numbers");
        return;
    }
    if (n > most) {
        pickle__bad(o, "_Booster", "has a tree without its nodes");
        return;
    }
    left = column(o, v, "left_children", n);
    right = column(o, v, "right_children", n);
    feature = column(o, v, "split_indices", n);
    value = column(o, v, "split_conditions", n);
    missing = column(o, v, "default_left", n);
    kind = column(o, v, "split_type", n);
    t->nodes = pickle__keep(o, n, sizeof *t->nodes);
    if (!left || !right || !feature || !value || !missing || !kind || !t->nodes) {
        pickle__bad(o, "_Booster", "has a tree without its nodes");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (kind[i] != 0)
            pickle__unsupported(o, "_Booster", "splits by categories");
        if (!(fabs(left[i]) < INT32_MAX && fabs(right[i]) < INT32_MAX &&
              fabs(feature[i]) < INT32_MAX))
            pickle__bad(o, "_Booster", "has a tree that is none");
        if (!pickle__ok(o))
            return;
        t->nodes[i] = (node){ (float)value[i], (int32_t)feature[i], (int32_t)left[i],
                              (int32_t)right[i], missing[i] != 0 };
    }
    t->count = n;
    t->weight = 1;
}

static void read_trees(pickle__opener *o, booster *s, pickle__ubjson model)
{
    pickle__ubjson list = pickle__ubjson_get(model, "trees"), item;
    pickle__ubjson_items it;
    const double *groups;

    s->count = pickle__ubjson_count(list);
    if (s->count > (size_t)(model.end - model.at) || !pickle__ubjson_items_of(list, &it)) {
        pickle__bad(o, "_Booster", "has no trees");
        return;
    }
    groups = column(o, model, "tree_info", s->count);
    s->trees = pickle__keep(o, s->count, sizeof *s->trees);
    if (!groups)
        pickle__bad(o, "_Booster", "has no class for each tree");
    for (size_t i = 0; s->trees && pickle__ok(o) && i < s->count; i++) {
        if (!pickle__ubjson_next(&it, &item)) {
            pickle__bad(o, "_Booster", "has no trees");
            return;
        }
        read_tree(o, &s->trees[i], item);
        s->trees[i].group = groups[i] >= 0 && groups[i] < INT32_MAX ? (size_t)groups[i] : SIZE_MAX;
    }
}

static void read_weights(pickle__opener *o, booster *s, pickle__ubjson dart)
{
    const double *weights = column(o, dart, "weight_drop", s->count);

    if (!weights)
        pickle__bad(o, "_Booster", "has no weight for each tree");
    for (size_t i = 0; weights && pickle__ok(o) && i < s->count; i++)
        s->trees[i].weight = (float)weights[i];
}

/* base_score: "5E-1", and since 3.1 "[5E-1]" or one for each class. */
static void read_base(pickle__opener *o, booster *s, size_t objective, pickle__ubjson param)
{
    const char *at = "", *end;
    size_t len = 0, n = 0;
    double *scores;

    if (!pickle__ubjson_text(pickle__ubjson_get(param, "base_score"), &at, &len)) {
        pickle__bad(o, "_Booster", "has no base_score");
        return;
    }
    end = at + len;
    scores = pickle__keep(o, len + 1, sizeof *scores);
    for (at += len > 0 && *at == '['; scores && at && at < end && *at != ']';) {
        at = pickle__json_number(at, end, &scores[n++]);
        at += at && at < end && *at == ',';
    }
    if (!at || n == 0)
        pickle__bad(o, "_Booster", "has a base_score that is no number");
    else if (scores)
        open_base(o, s, objective, scores, n);
}

/* How many trees an iteration adds for a class; before 1.6 only the configuration has it. */
static size_t parallel_trees(pickle__ubjson all, pickle__ubjson trees)
{
    static const char *const places[] = {
        "Config.learner.gradient_booster.gbtree_train_param.num_parallel_tree",
        "Config.learner.gradient_booster.gbtree.gbtree_train_param.num_parallel_tree",
    };
    size_t n = count_in(trees, "gbtree_model_param.num_parallel_tree");

    for (size_t i = 0; n == 0 && i < sizeof places / sizeof *places; i++)
        n = count_in(all, places[i]);
    return n ? n : 1;
}

static void read_ubjson(pickle__opener *o, booster *s, const unsigned char *data, size_t size)
{
    pickle__ubjson all = pickle__ubjson_open(data, size);
    pickle__ubjson learner = pickle__ubjson_get(all, "Model.learner");
    pickle__ubjson param = pickle__ubjson_get(learner, "learner_model_param");
    pickle__ubjson inner = pickle__ubjson_get(learner, "gradient_booster"), trees, best;
    const char *objective_name = "", *name = "";
    size_t objective_len = 0, len = 0, objective, targets = count_in(param, "num_target");
    bool dart;

    if (!pickle__ubjson_text(pickle__ubjson_get(learner, "objective.name"), &objective_name,
                             &objective_len) ||
        !pickle__ubjson_text(pickle__ubjson_get(inner, "name"), &name, &len)) {
        pickle__bad(o, "_Booster", "is no text of XGBoost's");
        return;
    }
    dart = is_name(name, len, "dart");
    if (!dart && !is_name(name, len, "gbtree"))
        pickle__unsupported(o, "_Booster", "has no trees");
    objective = open_objective(o, s, objective_name, objective_len);
    if (!pickle__ok(o))
        return;
    s->features = count_in(param, "num_feature");
    s->groups = count_in(param, "num_class");
    s->groups = s->groups > 1 ? s->groups : targets > 1 ? targets : 1;
    s->logit_base = true;
    if (s->groups > size) {
        pickle__bad(o, "_Booster", "has more classes than bytes");
        return;
    }
    trees = pickle__ubjson_get(inner, dart ? "gbtree.model" : "model");
    read_trees(o, s, trees);
    if (dart && pickle__ok(o))
        read_weights(o, s, inner);
    read_base(o, s, objective, param);
    s->per_iteration = parallel_trees(all, trees) * s->groups;
    best = pickle__ubjson_get(learner, "attributes.best_iteration");
    if (best.type)
        s->used = count_in(best, "") + 1;
}

/* ------------------------------------------------------------------ opening */

/* What was written of a bytearray: counted, or kept where there is room. */
typedef struct bytes {
    unsigned char *data;
    size_t size;
} bytes;

static bool keep_bytes(void *ctx, const void *data, size_t size)
{
    bytes *b = ctx;

    if (b->data && size > 0)
        memcpy(b->data + b->size, data, size);
    b->size += size;
    return true;
}

/* The bytearray in `v`, which the file may have as bytes or as text to be encoded. */
static bytes read_bytes(pickle__opener *o, const pickle_val *v)
{
    bytes b = { 0 };

    if (!pickle_put_bytes(v, (pickle_sink){ keep_bytes, &b }) || b.size == 0) {
        pickle__unsupported(o, "_Booster", "has no model in it");
        return b;
    }
    b.data = pickle__keep(o, b.size, 1);
    b.size = 0;
    if (b.data)
        pickle_put_bytes(v, (pickle_sink){ keep_bytes, &b });
    return b;
}

/* The same as UBJSON. */
static bytes read_json(pickle__opener *o, bytes json)
{
    const char *text = (const char *)json.data;
    bytes b = { 0 };

    if (!pickle__json_to_ubjson(text, json.size, NULL, &b.size)) {
        pickle__bad(o, "_Booster", "is no text of XGBoost's");
        return b;
    }
    b.data = pickle__keep(o, b.size, 1);
    if (b.data)
        pickle__json_to_ubjson(text, json.size, b.data, &b.size);
    return b;
}

/* `used` iterations, or what best_ntree_limit says, become trees. */
static void limit_trees(pickle__opener *o, booster *s)
{
    int64_t limit = pickle__integer(o, "best_ntree_limit", 0);

    if (s->per_iteration == 0) /* the binary layout: the limit is of trees of each class */
        s->used = limit > 0 ? (size_t)limit * s->groups : 0;
    else
        s->used *= s->per_iteration;
    if (s->used == 0 || s->used > s->count)
        s->used = s->count;
}

static void open_missing_value(pickle__opener *o, booster *s)
{
    double missing = pickle__number(o, "missing", NAN);

    s->has_missing = !isnan(missing);
    s->missing = (float)missing;
}

static booster *open_booster(pickle__opener *o)
{
    booster *s = pickle__state(o, sizeof *s);
    const pickle_val *v = pickle__need(o, "_Booster");
    bytes b = { 0 };

    if (pickle__ok(o))
        b = read_bytes(o, pickle_attr(v, "handle"));
    if (!pickle__ok(o) || !b.data)
        return s;
    if (b.size > 1 && b.data[0] == '{' && strchr("\" \n", b.data[1]))
        b = read_json(o, b);
    if (!pickle__ok(o) || !b.data)
        return s;
    if (*b.data == '{')
        read_ubjson(o, s, b.data, b.size);
    else
        read_binary(o, s, b.data, b.size);
    if (pickle__ok(o) && s->features == 0)
        pickle__bad(o, "_Booster", "has no features");
    check_trees(o, s);
    limit_trees(o, s);
    open_missing_value(o, s);
    o->model->features = s->features;
    o->model->takes = PICKLE__F32;
    o->model->numbers = PICKLE__ANY_NUMBER;
    return s;
}

static void open_regressor(pickle__opener *o)
{
    const booster *s = open_booster(o);

    o->model->outputs = s->groups ? s->groups : 1;
    pickle__method_is(o, PICKLE_PREDICT, predict);
}

/* classes_, or 0, 1 ... since 1.8, where it is no attribute. */
static void open_classes(pickle__opener *o)
{
    int64_t n = pickle__integer(o, "n_classes_", 0);
    pickle_cell *cells;

    if (pickle__attr(o, "classes_")) {
        pickle__read_classes(o, "classes_");
        return;
    }
    if (n < 1 || n > INT16_MAX) {
        pickle__unsupported(o, "n_classes_", "is no number of classes");
        return;
    }
    cells = pickle__keep(o, (size_t)n, sizeof *cells);
    o->model->classes = pickle__keep(o, 1, sizeof *o->model->classes);
    if (!cells || !o->model->classes)
        return;
    for (int64_t k = 0; k < n; k++)
        cells[k] = (pickle_cell){ PICKLE_CELL_INT, 0, { .i = k } };
    *o->model->classes = (pickle__labels){ (size_t)n, cells };
}

static void open_classifier(pickle__opener *o)
{
    const booster *s = open_booster(o);

    open_classes(o);
    if (!pickle__ok(o))
        return;
    if (o->model->outputs != 1 || o->model->classes[0].count != (s->groups == 1 ? 2 : s->groups))
        pickle__unsupported(o, "classes_", "are not those of the booster");
    if (s->link != SIGMOID && s->link != SOFTMAX)
        pickle__unsupported(o, "objective", "gives no probabilities");
    pickle__method_is(o, PICKLE_PREDICT, predict_class);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
}

const pickle__estimator pickle__xgboost_estimators[] = {
    { ":xgboost.sklearn", "XGBClassifier", open_classifier },
    { ":xgboost.sklearn", "XGBRegressor", open_regressor },
    { ":xgboost.sklearn", "XGBRFClassifier", open_classifier },
    { ":xgboost.sklearn", "XGBRFRegressor", open_regressor },
    { ":xgboost.sklearn", "XGBRanker", open_regressor },
    { NULL, NULL, NULL },
};
