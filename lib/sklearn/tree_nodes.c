/* tree_nodes.c - scikit-learn's Tree, from the file to nodes that can be walked without checks. */
#include "sklearn/tree.h"

#include <math.h>
#include <string.h>

#include "sklearn/key.h"
#include "sklearn/opening.h"

#define MOST_NODES ((uint64_t)1 << 31)
#define MOST_STEPS 6

/* A field of the array of nodes. */
typedef struct field {
    const char *data; /* NULL: there is no such field */
    int64_t stride;
    bool wide, swapped;
} field;

typedef struct fields {
    size_t count;
    field left, right, feature, threshold, missing;
} fields;

/* ------------------------------------------------------------------- fields */

static bool is_big_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;

    memcpy(&first, &one, 1);
    return first == 0;
}

/* Its place in `nodes`; of `kinds`, 4 or 8 bytes long (a flag: 1). */
static field find_field(const pickle_array *nodes, const char *name, const char *kinds)
{
    field f = { NULL, 0, false, false };
    pickle_array a;

    if (!pickle_array_field(nodes, name, &a) || a.ndim != 1 || !a.data ||
        !strchr(kinds, a.dtype.kind))
        return f;
    if (*kinds == 'u' ? a.dtype.itemsize != 1
                      : a.dtype.itemsize != 8 && (a.dtype.itemsize != 4 || *kinds == 'f'))
        return f;
    f.data = a.data;
    f.stride = a.strides[0];
    f.wide = a.dtype.itemsize == 8;
    f.swapped = a.dtype.order == (is_big_endian() ? '<' : '>');
    return f;
}

static uint64_t reversed(uint64_t x)
{
    x = (x & 0x00ff00ff00ff00ffu) << 8 | (x >> 8 & 0x00ff00ff00ff00ffu);
    x = (x & 0x0000ffff0000ffffu) << 16 | (x >> 16 & 0x0000ffff0000ffffu);
    return x << 32 | x >> 32;
}

static inline uint64_t wide_at(const field *f, size_t i)
{
    uint64_t x;

    memcpy(&x, f->data + (int64_t)i * f->stride, sizeof x);
    return f->swapped ? reversed(x) : x;
}

/* intp: of 4 bytes where Python has 32 bits. */
static inline int64_t integer_at(const field *f, size_t i)
{
    uint32_t x;

    if (f->wide)
        return (int64_t)wide_at(f, i);
    memcpy(&x, f->data + (int64_t)i * f->stride, sizeof x);
    return (int32_t)(f->swapped ? (uint32_t)(reversed(x) >> 32) : x);
}

static inline double double_at(const field *f, size_t i)
{
    uint64_t bits = wide_at(f, i);
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline bool flag_at(const field *f, size_t i)
{
    return f->data && f->data[(int64_t)i * f->stride] != 0;
}

static bool array_of_nodes(const pickle_val *v, pickle_array *nodes)
{
    return pickle_get_array(pickle_attr(v, "nodes"), nodes) && nodes->dtype.kind == 'V' &&
           nodes->ndim == 1 && nodes->data && nodes->shape[0] >= 1 &&
           (uint64_t)nodes->shape[0] < MOST_NODES;
}

static bool find_fields(const pickle_val *v, fields *f)
{
    pickle_array nodes;

    if (!array_of_nodes(v, &nodes))
        return false;
    f->count = (size_t)nodes.shape[0];
    f->left = find_field(&nodes, "left_child", "i");
    f->right = find_field(&nodes, "right_child", "i");
    f->feature = find_field(&nodes, "feature", "i");
    f->threshold = find_field(&nodes, "threshold", "f");
    f->missing = find_field(&nodes, "missing_go_to_left", "u");
    return f->left.data && f->right.data && f->feature.data && f->threshold.data;
}

const double *pickle__tree_numbers(pickle__opener *o, const char *name, const pickle_val *v,
                                   const char *name_of_field)
{
    pickle_array nodes;
    field f = { NULL, 0, false, false };
    double *out;

    if (array_of_nodes(v, &nodes))
        f = find_field(&nodes, name_of_field, "i");
    if (!f.data) {
        pickle__bad(o, name, "lacks what its nodes are made of");
        return NULL;
    }
    out = pickle__keep(o, (size_t)nodes.shape[0], sizeof *out);
    for (size_t i = 0; out && i < (size_t)nodes.shape[0]; i++)
        out[i] = (double)integer_at(&f, i);
    return out;
}

/* -------------------------------------------------------------------- nodes */

/* For a float32 x: x <= threshold, where x <= the largest float32 that is not above it. */
static uint32_t threshold_key(double threshold)
{
    float f = (float)threshold;

    if (isnan(threshold))
        return 0; /* nothing is, and no number has so small a key */
    return pickle__key(f) - ((double)f > threshold);
}

/* A child comes after its parent: scikit-learn makes no other trees, and there can't be loops. */
static bool is_child(int64_t child, size_t parent, size_t count, const uint32_t *places)
{
    return child > (int64_t)parent && (uint64_t)child < count && places[child] == 0;
}

/* Each node to the place that its parent gave it; `places` are 0 but for those that have one. */
static const char *lay_out(const fields *f, pickle__tree *t, pickle__tree_node *nodes,
                           uint32_t *ids, uint32_t *places)
{
    uint32_t next = 1;

    for (size_t id = 0; id < f->count; id++) {
        uint32_t at = places[id];
        int64_t left = integer_at(&f->left, id), right, feature;

        if (at == 0 && id > 0)
            continue; /* nothing leads to it */
        ids[at] = (uint32_t)id;
        nodes[at] = (pickle__tree_node){ UINT32_MAX, 0, at };
        if (left == -1)
            continue;
        right = integer_at(&f->right, id);
        feature = integer_at(&f->feature, id);
        if (!is_child(left, id, f->count, places) || !is_child(right, id, f->count, places) ||
            left == right)
            return "has a node whose children are not two of those that follow";
        if (feature < 0 || (uint64_t)feature >= t->features)
            return "has a node that splits by a feature it doesn't know";
        nodes[at] = (pickle__tree_node){ threshold_key(double_at(&f->threshold, id)),
                                         (uint32_t)feature, next };
        if (flag_at(&f->missing, id))
            ids[at] |= PICKLE__NAN_LEFT;
        places[left] = next++;
        places[right] = next++;
    }
    t->n_nodes = next;
    return NULL;
}

/* As many as the tree is deep, were it balanced; in deep ones, few enough for the first that
 * arrive not to wait long. */
static unsigned steps_of(size_t n_nodes)
{
    unsigned steps = 1;

    while (steps < MOST_STEPS && n_nodes >> (steps + 1) > 0)
        steps++;
    return steps;
}

static void read_nodes(pickle__opener *o, const char *name, const pickle_val *v, pickle__tree *t)
{
    pickle__pool *pool = &o->all->root->pool;
    pickle__pool_mark mark;
    fields f;
    pickle__tree_node *nodes;
    uint32_t *ids, *places;
    const char *wrong;

    if (!find_fields(v, &f)) {
        pickle__bad(o, name, "lacks what its nodes are made of");
        return;
    }
    if (pickle_i64_or(pickle_attr(v, "node_count"), -1) != (int64_t)f.count) {
        pickle__bad(o, name, "has another number of nodes than it says");
        return;
    }
    nodes = pickle__keep(o, f.count, sizeof *nodes);
    ids = nodes ? pickle__keep(o, f.count, sizeof *ids) : NULL;
    mark = pickle__pool_here(pool);
    places = ids ? pickle__keep(o, f.count, sizeof *places) : NULL;
    if (!places)
        return;
    wrong = lay_out(&f, t, nodes, ids, places);
    pickle__pool_release(pool, mark);
    if (wrong)
        pickle__bad(o, name, wrong);
    t->count = f.count;
    t->nodes = nodes;
    t->ids = ids;
    t->steps = steps_of(t->n_nodes);
}

/* ------------------------------------------------------------------- values */

static void read_values(pickle__opener *o, const char *name, const pickle_val *v, pickle__tree *t)
{
    pickle_array a;
    size_t n;
    double *copy;

    if (!pickle_get_array(pickle_attr(v, "values"), &a) || a.dtype.kind != 'f' ||
        a.dtype.itemsize != sizeof(double) || a.ndim != 3 || (uint64_t)a.shape[0] != t->count ||
        a.shape[1] < 1 || a.shape[2] < 1 || (uint64_t)a.shape[1] != t->outputs) {
        pickle__bad(o, name, "lacks a value for each node");
        return;
    }
    t->classes = (size_t)a.shape[2];
    t->width = t->outputs * t->classes;
    t->values = pickle_array_f64(&a);
    if (t->values)
        return;
    n = t->count * t->width;
    copy = pickle__keep(o, n, sizeof *copy);
    if (copy && !pickle_array_copy(&a, "=f8", copy, n * sizeof *copy, NULL))
        pickle__bad(o, name, "lacks a value for each node");
    t->values = copy;
}

/* Tree(n_features, n_classes, n_outputs) */
static bool read_sizes(const pickle_val *v, pickle__tree *t)
{
    const pickle_val *args = pickle_args(v);
    int64_t features = pickle_i64_or(pickle_at(args, 0), 0);
    int64_t outputs = pickle_i64_or(pickle_at(args, 2), 0);

    t->features = (size_t)features;
    t->outputs = (size_t)outputs;
    return features > 0 && features <= PICKLE__MOST_FEATURES && outputs > 0 && outputs < INT32_MAX;
}

bool pickle__read_tree(pickle__opener *o, const char *name, const pickle_val *v, pickle__tree *t)
{
    memset(t, 0, sizeof *t);
    if (!v || !pickle__ok(o))
        return false;
    if (!read_sizes(v, t))
        pickle__bad(o, name, "has no number of features and outputs that can be");
    if (pickle__ok(o))
        read_nodes(o, name, v, t);
    if (pickle__ok(o))
        read_values(o, name, v, t);
    return pickle__ok(o);
}
