/* tree_nodes.c - scikit-learn's Tree, from the file to nodes that can be walked without checks. */
#include "sklearn/tree.h"

#include <math.h>
#include <string.h>

#include "sklearn/key.h"

#define MOST_NODES ((uint64_t)1 << 31)

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

static uint64_t wide_at(const field *f, size_t i)
{
    uint64_t x;

    memcpy(&x, f->data + (int64_t)i * f->stride, sizeof x);
    return f->swapped ? reversed(x) : x;
}

/* intp: of 4 bytes where Python has 32 bits. */
static int64_t integer_at(const field *f, size_t i)
{
    uint32_t x;

    if (f->wide)
        return (int64_t)wide_at(f, i);
    memcpy(&x, f->data + (int64_t)i * f->stride, sizeof x);
    return (int32_t)(f->swapped ? (uint32_t)(reversed(x) >> 32) : x);
}

static double double_at(const field *f, size_t i)
{
    uint64_t bits = wide_at(f, i);
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static bool flag_at(const field *f, size_t i)
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

/* x <= threshold, for the float32 x: x <= the largest float32 that is no larger. */
static uint32_t threshold_key(double threshold)
{
    float f = (float)threshold;

    if (isnan(threshold))
        return 0; /* nothing is, and no number has so small a key */
    if ((double)f > threshold)
        f = nextafterf(f, -INFINITY);
    return pickle__key(f);
}

static bool is_child(int64_t child, size_t count)
{
    return child >= 0 && (uint64_t)child < count;
}

/* From the root down, level by level: children get the next two places. There are never more nodes
 * than in the file, unless two lead to the same. */
static const char *lay_out(const fields *f, pickle__tree *t, pickle__tree_node *nodes,
                           uint32_t *ids)
{
    size_t next = 1;

    ids[0] = 0;
    for (size_t i = 0; i < next; i++) {
        size_t id = ids[i];
        int64_t left = integer_at(&f->left, id), right, feature;

        if (left == -1) {
            nodes[i] = (pickle__tree_node){ UINT32_MAX, 0, (uint32_t)i };
            continue;
        }
        right = integer_at(&f->right, id);
        feature = integer_at(&f->feature, id);
        if (!is_child(left, f->count) || !is_child(right, f->count))
            return "has a node whose child is none of its nodes";
        if (!is_child(feature, t->features))
            return "has a node that splits by a feature it doesn't know";
        if (f->count - next < 2)
            return "has a node with two parents";
        nodes[i] = (pickle__tree_node){ threshold_key(double_at(&f->threshold, id)),
                                        (uint32_t)feature, (uint32_t)next };
        if (flag_at(&f->missing, id))
            ids[i] |= PICKLE__NAN_LEFT;
        ids[next++] = (uint32_t)left;
        ids[next++] = (uint32_t)right;
    }
    t->n_nodes = next;
    return NULL;
}

static void read_nodes(pickle__opener *o, const char *name, const pickle_val *v, pickle__tree *t)
{
    fields f;
    pickle__tree_node *nodes;
    uint32_t *ids;
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
    if (!ids)
        return;
    wrong = lay_out(&f, t, nodes, ids);
    if (wrong)
        pickle__bad(o, name, wrong);
    t->count = f.count;
    t->nodes = nodes;
    t->ids = ids;
}

/* ------------------------------------------------------------------- values */

static void read_values(pickle__opener *o, const char *name, const pickle_val *v, pickle__tree *t)
{
    pickle_array a;
    size_t n;
    double *copy;

    if (!pickle_get_array(pickle_attr(v, "values"), &a) || a.dtype.kind != 'f' || a.ndim != 3 ||
        (uint64_t)a.shape[0] != t->count || a.shape[1] < 1 || a.shape[2] < 1 ||
        (uint64_t)a.shape[1] != t->outputs) {
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
    return features > 0 && features < INT32_MAX && outputs > 0 && outputs < INT32_MAX;
}

bool pickle__read_tree(pickle__opener *o, const char *name, const pickle_val *v, pickle__tree *t)
{
    memset(t, 0, sizeof *t);
    if (!v || !pickle__ok(o))
        return false;
    if (!read_sizes(v, t))
        pickle__bad(o, name, "does not say how many features and outputs it has");
    if (pickle__ok(o))
        read_nodes(o, name, v, t);
    if (pickle__ok(o))
        read_values(o, name, v, t);
    return pickle__ok(o);
}
