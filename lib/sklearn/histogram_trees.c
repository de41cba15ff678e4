/* histogram_trees.c - the trees of histogram-based gradient boosting, from the file to nodes that
 * can be walked without checks. */
#include "sklearn/histogram.h"
#include "sklearn/members.h"

#include <math.h>
#include <string.h>

#include <pickle/array.h>

#define MOST_NODES ((size_t)1 << 29) /* feature * 4 and places fit 32 bits */

typedef uint32_t category_set[PICKLE__SET_WORDS];

/* The fields of a node that count for predictions. */
enum { LEFT, RIGHT, FEATURE, LEAF, MISSING, CATEGORICAL, SET, INTEGERS };

static const struct {
    const char *name;
    bool needed;
} integer_fields[INTEGERS] = {
    [LEFT] = { "left", true },
    [RIGHT] = { "right", true },
    [FEATURE] = { "feature_idx", true },
    [LEAF] = { "is_leaf", true },
    [MISSING] = { "missing_go_to_left", false }, /* since 0.22 */
    [CATEGORICAL] = { "is_categorical", false }, /* since 0.24 */
    [SET] = { "bitset_idx", false },
};

/* A tree as the file has it. */
typedef struct source {
    pickle_array nodes;
    const pickle_val *predictor;
    size_t count, n_sets;
} source;

/* The trees, and where they are laid out. */
typedef struct reader {
    pickle__opener *o;
    size_t features;
    const category_set *known; /* categories of each feature; NULL: none is categorical */
    const int64_t *is_categorical;
    size_t count;
    source *sources;
    /* Of the tree that is being read. */
    int64_t *integers[INTEGERS];
    double *value, *threshold;
    uint32_t *order; /* places in the file, in the new order */
    bool *reached;
    category_set *left_sets; /* raw_left_cat_bitsets */
    size_t n_left_sets;
    /* Of all. */
    pickle__hist_tree *trees;
    pickle__hist_node *nodes;
    double *values;
    category_set *sets;
    size_t n_nodes, n_sets;
} reader;

static bool bad(const reader *r, const char *reason)
{
    pickle__bad(r->o, "_predictors", reason);
    return false;
}

/* --------------------------------------------------------- known categories */

static bool add_known(const pickle_val *v, uint32_t *set)
{
    pickle_array a;
    double categories[256];
    size_t n;

    if (!pickle_get_array(v, &a) || a.objects || pickle_array_count(&a) > 256)
        return false;
    n = (size_t)pickle_array_count(&a);
    if (!pickle_array_copy(&a, "=f8", categories, n * sizeof *categories, NULL))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!(categories[i] >= 0 && categories[i] < 256))
            return false;
        set[(unsigned)categories[i] / 32] |= 1u << (unsigned)categories[i] % 32;
    }
    return true;
}

/* The bin mapper of 0.24 and later knows which columns are categorical, as the trees see them. */
static void open_known(reader *r)
{
    const pickle_val *mapper = pickle__attr(r->o, "_bin_mapper"), *all;
    const pickle_val *flags = pickle_attr(mapper, "is_categorical_");
    size_t n = 0, n_flags = 0;
    category_set *known;

    if (!mapper || pickle_kind_of(flags) == PICKLE_NONE || pickle_kind_of(flags) == PICKLE_MISSING)
        return;
    r->is_categorical = pickle__integers_of(r->o, "_bin_mapper", flags, &n_flags);
    all = pickle__items(r->o, "_bin_mapper", pickle_attr(mapper, "bin_thresholds_"), &n);
    if (pickle__ok(r->o) && (n != r->features || n_flags != r->features))
        pickle__bad(r->o, "_bin_mapper", "is of another number of columns");
    known = pickle__ok(r->o) ? pickle__keep(r->o, n, sizeof *known) : NULL;
    for (size_t i = 0; known && i < n; i++) {
        if (r->is_categorical[i] && !add_known(pickle_at(all, i), known[i])) {
            pickle__bad(r->o, "_bin_mapper", "has what are no categories");
            return;
        }
    }
    r->known = (const category_set *)known;
}

/* ------------------------------------------------------------------ sources */

static bool open_source(const reader *r, const pickle_val *predictor, source *s)
{
    pickle_array sets;

    s->predictor = predictor;
    if (!pickle_get_array(pickle_attr(predictor, "nodes"), &s->nodes) || s->nodes.objects ||
        s->nodes.ndim != 1 || s->nodes.shape[0] < 1 || !s->nodes.data ||
        pickle_array_count(&s->nodes) > MOST_NODES)
        return bad(r, "has a tree without nodes");
    s->count = (size_t)s->nodes.shape[0];
    if (!pickle_get_array(pickle_attr(predictor, "raw_left_cat_bitsets"), &sets))
        return true;
    if (sets.objects || sets.ndim != 2 || sets.shape[1] != PICKLE__SET_WORDS ||
        (uint64_t)sets.shape[0] > s->count)
        return bad(r, "has a tree with sets of categories that are none");
    s->n_sets = (size_t)sets.shape[0];
    return true;
}

/* Each has nodes of its own in the file, whose size thus says how much work they can be. */
static bool check_own_nodes(reader *r)
{
    const void **data = pickle__keep(r->o, r->count, sizeof *data);

    for (size_t i = 0; data && i < r->count; i++)
        data[i] = r->sources[i].nodes.data;
    return data && pickle__all_distinct(r->o, "_predictors", data, r->count);
}

static bool open_sources(reader *r, size_t per_iteration)
{
    size_t n = 0, k = 0;
    const pickle_val *list = pickle__need(r->o, "_predictors");

    list = list ? pickle__items(r->o, "_predictors", list, &n) : NULL;
    if (!pickle__ok(r->o))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (pickle_len(pickle_at(list, i)) != per_iteration)
            return bad(r, "has another number of trees in an iteration");
    }
    /* pickle_len was the length of something that is in the file. */
    r->count = n * per_iteration;
    r->sources = pickle__keep(r->o, r->count, sizeof *r->sources);
    for (size_t i = 0; r->sources && i < n; i++) {
        for (size_t c = 0; c < per_iteration; c++) {
            if (!open_source(r, pickle_at(pickle_at(list, i), c), &r->sources[k++]))
                return false;
        }
    }
    return r->sources && check_own_nodes(r);
}

/* ------------------------------------------------------------------- fields */

/* Room for the largest tree, and for what becomes of all. */
static bool make_room(reader *r)
{
    size_t most = 0, most_sets = 0, nodes = 0, sets = 0;
    bool ok = true;

    for (size_t i = 0; i < r->count; i++) {
        const source *s = &r->sources[i];

        most = s->count > most ? s->count : most;
        most_sets = s->n_sets > most_sets ? s->n_sets : most_sets;
        nodes += s->count;
        sets += s->n_sets;
    }
    for (int f = 0; f < INTEGERS; f++)
        ok = (r->integers[f] = pickle__keep(r->o, most, sizeof(int64_t))) != NULL && ok;
    r->value = pickle__keep(r->o, most, sizeof *r->value);
    r->threshold = pickle__keep(r->o, most, sizeof *r->threshold);
    r->order = pickle__keep(r->o, most, sizeof *r->order);
    r->reached = pickle__keep(r->o, most, sizeof *r->reached);
    r->left_sets = pickle__keep(r->o, most_sets, sizeof *r->left_sets);
    r->trees = pickle__keep(r->o, r->count, sizeof *r->trees);
    r->nodes = pickle__keep(r->o, nodes, sizeof *r->nodes);
    r->values = pickle__keep(r->o, nodes, sizeof *r->values);
    r->sets = pickle__keep(r->o, sets, sizeof *r->sets);
    return ok && r->value && r->threshold && r->order && r->reached && r->left_sets && r->trees &&
           r->nodes && r->values && r->sets;
}

/* A field by either name, of all nodes. */
static bool read_field(const source *s, const char *name, const char *older, const char *dtype,
                       void *to)
{
    pickle_array field;

    if (!pickle_array_field(&s->nodes, name, &field) &&
        (!older || !pickle_array_field(&s->nodes, older, &field)))
        return false;
    return field.ndim == 1 && strchr("biuf", field.dtype.kind) &&
           pickle_array_copy(&field, dtype, to, s->count * 8, NULL);
}

static bool read_fields(reader *r, const source *s)
{
    pickle_array sets;

    if (!read_field(s, "value", NULL, "=f8", r->value) ||
        !read_field(s, "num_threshold", "threshold", "=f8", r->threshold))
        return bad(r, "has a tree whose nodes lack a number");
    for (int f = 0; f < INTEGERS; f++) {
        if (read_field(s, integer_fields[f].name, NULL, "=i8", r->integers[f]))
            continue;
        if (integer_fields[f].needed)
            return bad(r, "has a tree whose nodes lack a field");
        memset(r->integers[f], 0, s->count * sizeof(int64_t));
    }
    r->n_left_sets = s->n_sets;
    if (s->n_sets == 0)
        return true;
    if (!pickle_get_array(pickle_attr(s->predictor, "raw_left_cat_bitsets"), &sets) ||
        !pickle_array_copy(&sets, "=u4", r->left_sets, s->n_sets * sizeof *r->left_sets, NULL))
        return bad(r, "has a tree with sets of categories that are none");
    return true;
}

/* -------------------------------------------------------------------- nodes */

/* Who goes left: of the known categories those that are listed, and the unknown ones as what is
 * missing. */
static bool lay_out_set(reader *r, size_t id, pickle__hist_node *to)
{
    int64_t set = r->integers[SET][id], feature = r->integers[FEATURE][id];
    const uint32_t *known;

    if (!r->known || !r->is_categorical[feature])
        return bad(r, "splits a column by categories that has none");
    if (set < 0 || (uint64_t)set >= r->n_left_sets)
        return bad(r, "has a node with a set of categories that is not there");
    known = r->known[feature];
    for (int w = 0; w < PICKLE__SET_WORDS; w++) {
        uint32_t unknown = r->integers[MISSING][id] ? ~known[w] : 0;

        r->sets[r->n_sets][w] = r->left_sets[set][w] | unknown;
    }
    to->feature |= PICKLE__HIST_CATEGORICAL;
    to->split.set = r->n_sets++;
    return true;
}

/* A child that nothing led to before. */
static bool take_child(reader *r, const source *s, int64_t id, size_t place)
{
    if (id < 1 || (uint64_t)id >= s->count || r->reached[id])
        return bad(r, "has a node whose child is none, or another's");
    r->reached[id] = true;
    r->order[place] = (uint32_t)id;
    return true;
}

static bool lay_out_split(reader *r, const source *s, size_t id, size_t next,
                          pickle__hist_tree *tree, pickle__hist_node *to)
{
    int64_t feature = r->integers[FEATURE][id];

    if (feature < 0 || (uint64_t)feature >= r->features)
        return bad(r, "has a node that splits by a column that it doesn't know");
    *to = (pickle__hist_node){
        .split.threshold = r->threshold[id],
        .feature =
            (uint32_t)feature * 4 + (r->integers[MISSING][id] ? PICKLE__HIST_MISSING_LEFT : 0),
        .left = (uint32_t)next,
    };
    if (!take_child(r, s, r->integers[LEFT][id], next) ||
        !take_child(r, s, r->integers[RIGHT][id], next + 1))
        return false;
    if (!r->integers[CATEGORICAL][id])
        return true;
    tree->categorical = true;
    /* No more of them than sets of the file, or r->sets would be too small. */
    if (r->n_sets - tree->first_set == r->n_left_sets)
        return bad(r, "has nodes that share a set of categories");
    return lay_out_set(r, id, to);
}

/* In the order of their depth. */
static bool lay_out(reader *r, const source *s, pickle__hist_tree *tree)
{
    pickle__hist_node *nodes = r->nodes + r->n_nodes;
    size_t next = 1;

    memset(r->reached, 0, s->count * sizeof *r->reached);
    tree->first = r->n_nodes;
    tree->first_set = r->n_sets;
    r->order[0] = 0;
    for (size_t i = 0; i < next; i++) {
        size_t id = r->order[i];

        r->values[r->n_nodes + i] = r->value[id];
        if (r->integers[LEAF][id]) {
            nodes[i] = (pickle__hist_node){ .split.threshold = INFINITY,
                                            .feature = PICKLE__HIST_MISSING_LEFT,
                                            .left = (uint32_t)i };
            continue;
        }
        if (!lay_out_split(r, s, id, next, tree, &nodes[i]))
            return false;
        next += 2;
    }
    r->n_nodes += next;
    return true;
}

bool pickle__open_hist_trees(pickle__opener *o, size_t per_iteration, size_t features,
                             pickle__hist_trees *t)
{
    reader r = { .o = o, .features = features };

    open_known(&r);
    if (!pickle__ok(o) || !open_sources(&r, per_iteration) || !make_room(&r))
        return false;
    for (size_t i = 0; i < r.count; i++) {
        if (!read_fields(&r, &r.sources[i]) || !lay_out(&r, &r.sources[i], &r.trees[i]))
            return false;
    }
    t->count = r.count;
    t->trees = r.trees;
    t->nodes = r.nodes;
    t->values = r.values;
    t->sets = (const category_set *)r.sets;
    return true;
}
