/* cluster.c - clusterers that know their centres, and FeatureAgglomeration. */
#include "sklearn/estimator.h"
#include "sklearn/numeric.h"

#include <math.h>
#include <string.h>

/* A split of BisectingKMeans: one of the two, or the label where there is nothing to split. */
typedef struct fork {
    size_t left, right; /* 0: a leaf */
    double label;
    double *centers, norms[2]; /* left, right */
} fork;

typedef struct clusters {
    size_t count, n;
    const double *centers;
    const double *norms;   /* the squares of their lengths */
    const int64_t *labels; /* NULL: their places */
    const fork *forks;     /* of BisectingKMeans; NULL for others */
    bool f32;              /* fitted on float32 */
    bool one_type;         /* predict wants the type that was fitted */
} clusters;

/* ------------------------------------------------------------------ centres */

/* X @ centers.T. */
static bool products(pickle__run *r, const pickle_batch *x, const double *centers, size_t count,
                     double *out)
{
    pickle_batch from;

    if (x->kind == PICKLE_BATCH_CSR) {
        pickle__products_csr(x->data, x->indptr, x->indices, x->rows, x->cols, centers, count, NULL,
                             out);
        return true;
    }
    if (!pickle__as_f64(r, x, &from))
        return false;
    pickle__products(from.data, from.stride, from.rows, from.cols, centers, count, NULL, out);
    return true;
}

static size_t nearest(const double *product, const double *norms, size_t count)
{
    size_t best = 0;
    double least = INFINITY;

    for (size_t k = 0; k < count; k++) {
        double score = norms[k] - 2 * product[k];

        if (score < least) {
            least = score;
            best = k;
        }
    }
    return best;
}

static bool right_type(const clusters *s, pickle__run *r, const pickle_batch *x)
{
    if (!s->one_type || s->f32 == (x->kind == PICKLE_BATCH_F32))
        return true;
    return pickle__run_fail(r, PICKLE_ERR_TYPE, "it was fitted on %s, and takes no other numbers",
                            s->f32 ? "float32" : "float64");
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const clusters *s = m->state;
    double *product = pickle__take(r, x->rows * s->count, sizeof *product);
    double *out = pickle__new_f64(r, y, x->rows, 1);

    if (!product || !out || !right_type(s, r, x) || !products(r, x, s->centers, s->count, product))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        size_t k = nearest(product + i * s->count, s->norms, s->count);

        out[i] = (double)(s->labels ? s->labels[k] : (int64_t)k);
    }
    return true;
}

/* No centre: AffinityPropagation did not converge. */
static bool predict_none(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    double *out = pickle__new_f64(r, y, x->rows, 1);

    (void)m;
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = -1;
    return out != NULL;
}

static double csr_squares(const pickle_batch *x, size_t i)
{
    const double *data = x->data;
    double sum = 0;

    for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++)
        sum += data[k] * data[k];
    return sum;
}

/* sklearn.metrics.euclidean_distances: float32 is summed as float64, and then rounded. */
static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const clusters *s = m->state;
    double *out = pickle__new_f64(r, y, x->rows, s->count);
    bool f32 = s->f32 && x->kind == PICKLE_BATCH_F32;
    pickle_batch table = *x;

    if (!out || !products(r, x, s->centers, s->count, out))
        return false;
    if (x->kind == PICKLE_BATCH_F32 && !pickle__as_f64(r, x, &table))
        return false;
    for (size_t i = 0; i < x->rows; i++, out += s->count) {
        double squares = x->kind == PICKLE_BATCH_CSR
                             ? csr_squares(x, i)
                             : pickle__squares(pickle__row(&table, i), s->n);

        for (size_t k = 0; k < s->count; k++) {
            double d = -2 * out[k] + squares + s->norms[k];

            d = d > 0 ? d : 0;
            out[k] = f32 ? (double)sqrtf((float)d) : sqrt(d);
        }
    }
    return true;
}

/* --------------------------------------------------------- BisectingKMeans */

static bool bisect(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const clusters *s = m->state;
    double *out = pickle__new_f64(r, y, x->rows, 1), product[2];

    if (!out || (s->count > 1 && !right_type(s, r, x)))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        pickle_batch row = pickle__rows(x, i, 1);
        const fork *at = s->forks;

        while (at->left != 0) {
            if (!products(r, &row, at->centers, 2, product))
                return false;
            at = s->forks + (nearest(product, at->norms, 2) == 0 ? at->left : at->right);
        }
        out[i] = at->label;
    }
    return true;
}

/* One of the two centres of a fork, for which the mean was taken away. */
static void copy_center(pickle__opener *o, double *to, size_t n, const pickle_val *node,
                        const double *mean)
{
    pickle__matrix center = pickle__numbers_of(o, "_bisecting_tree", pickle_attr(node, "center"));

    if (!pickle__ok(o))
        return;
    if (center.rows * center.cols != n) {
        pickle__bad(o, "_bisecting_tree", "has a centre of another size");
        return;
    }
    for (size_t j = 0; j < n; j++)
        to[j] = center.data[j] + (mean ? mean[j] : 0);
}

static double leaf_label(pickle__opener *o, const clusters *s, const pickle_val *node)
{
    pickle_cell cell;
    double label = -1;

    if (!pickle__cell_of(o, pickle_attr(node, "label"), &cell) ||
        !pickle__cell_number(&cell, &label) || !(label >= 0) || !(label < (double)s->count) ||
        label != floor(label))
        pickle__bad(o, "_bisecting_tree", "has a leaf without a label");
    return label;
}

static bool is_node(const pickle_val *v)
{
    return v && pickle_kind_of(v) == PICKLE_OBJECT;
}

/* In the order in which they are found, the root first: a child is always after its parent. */
static void open_forks(pickle__opener *o, clusters *s, const double *mean)
{
    size_t most = 2 * s->count - 1, found = 1;
    const pickle_val **nodes = pickle__keep(o, most, sizeof *nodes);
    fork *all = pickle__keep(o, most, sizeof *all);

    if (!nodes || !all)
        return;
    nodes[0] = pickle__need(o, "_bisecting_tree");
    for (size_t i = 0; i < found && pickle__ok(o); i++) {
        const pickle_val *two[2] = { pickle_attr(nodes[i], "left"),
                                     pickle_attr(nodes[i], "right") };

        if (!is_node(two[0])) {
            all[i].label = leaf_label(o, s, nodes[i]);
            continue;
        }
        all[i].centers = pickle__keep(o, 2 * s->n, sizeof *all[i].centers);
        if (!is_node(two[1]) || found + 2 > most) {
            pickle__bad(o, "_bisecting_tree", "has more leaves than there are clusters");
            return;
        }
        for (size_t k = 0; k < 2 && all[i].centers; k++) {
            copy_center(o, all[i].centers + k * s->n, s->n, two[k], mean);
            if (pickle__ok(o))
                all[i].norms[k] = pickle__squares(all[i].centers + k * s->n, s->n);
            nodes[found + k] = two[k];
        }
        all[i].left = found;
        all[i].right = found + 1;
        found += 2;
    }
    s->forks = all;
}

/* ------------------------------------------------------------------ opening */

static clusters *open_centers(pickle__opener *o, const char *name)
{
    clusters *s = pickle__state(o, sizeof *s);
    pickle__matrix m = pickle__need_numbers(o, name);
    double *norms;

    if (!pickle__ok(o))
        return s;
    if (m.ndim != 2 || m.cols == 0 || m.rows == 0) {
        pickle__bad(o, name, "is no table of centres");
        return s;
    }
    if (m.f32 && o->version < PICKLE__SKLEARN(0, 21, 0))
        pickle__unsupported(o, name, "is of float32, which was summed as such before 0.21");
    *s = (clusters){ .count = m.rows, .n = m.cols, .centers = m.data, .f32 = m.f32 };
    o->model->features = m.cols;
    norms = pickle__keep(o, m.rows, sizeof *norms);
    for (size_t k = 0; norms && k < m.rows; k++)
        norms[k] = pickle__squares(m.data + k * m.cols, m.cols);
    s->norms = norms;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_PREDICT, predict);
    return s;
}

static void open_k_means(pickle__opener *o)
{
    clusters *s = open_centers(o, "cluster_centers_");

    s->one_type = o->version >= PICKLE__SKLEARN(0, 23, 0);
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

static void open_bisecting(pickle__opener *o)
{
    clusters *s = open_centers(o, "cluster_centers_");
    const double *mean = NULL;

    s->one_type = true;
    if (pickle__ok(o) && pickle__attr(o, "_X_mean"))
        mean = pickle__need_row(o, "_X_mean", s->n);
    if (pickle__ok(o))
        open_forks(o, s, mean);
    pickle__method_is(o, PICKLE_PREDICT, bisect);
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

static void open_mean_shift(pickle__opener *o)
{
    open_centers(o, "cluster_centers_");
    /* It was not checked before 0.24, and distances can be of sparse rows. */
    if (o->version >= PICKLE__SKLEARN(0, 24, 0))
        o->model->takes &= ~PICKLE__CSR;
}

static void open_affinity(pickle__opener *o)
{
    pickle__matrix m = { 0 };

    if (pickle__choice(o, "affinity", 0, "euclidean", "precomputed", NULL) == 1)
        return;
    m = pickle__need_numbers(o, "cluster_centers_");
    if (!pickle__ok(o) || m.rows != 0) {
        open_centers(o, "cluster_centers_");
    } else {
        o->model->features = m.cols;
        o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
        pickle__method_is(o, PICKLE_PREDICT, predict_none);
    }
    /* These checked what they were given, and forgot to let sparse rows in. */
    if (o->version >= PICKLE__SKLEARN(0, 22, 0) && o->version < PICKLE__SKLEARN(1, 0, 0))
        o->model->takes &= ~PICKLE__CSR;
}

static void open_birch(pickle__opener *o)
{
    clusters *s = open_centers(o, "subcluster_centers_");
    size_t count;

    s->labels = pickle__need_integers(o, "subcluster_labels_", &count);
    if (pickle__ok(o) && count != s->count)
        pickle__bad(o, "subcluster_labels_", "are not as many as the centres");
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

/* ------------------------------------------------------ FeatureAgglomeration */

typedef enum pool { POOL_MEAN, POOL_MAX, POOL_MIN } pool;

typedef struct agglomeration {
    size_t columns, groups;
    const int64_t *labels; /* each group has one */
    const double *sizes;
    pool pool;
    bool rounds; /* the mean of float32 is summed as such */
} agglomeration;

static double pooled(pool how, double a, double b)
{
    switch (how) {
    case POOL_MAX:
        return b > a ? b : a;
    case POOL_MIN:
        return b < a ? b : a;
    default:
        return a + b;
    }
}

static bool pool_columns(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    const agglomeration *s = m->state;
    double start = s->pool == POOL_MAX ? -INFINITY : s->pool == POOL_MIN ? INFINITY : 0;
    double *out = pickle__new_f64(r, y, x->rows, s->groups);
    bool rounds = s->rounds && x->kind == PICKLE_BATCH_F32;
    pickle_batch table;

    if (!out || !pickle__as_f64(r, x, &table))
        return false;
    for (size_t i = 0; i < x->rows; i++, out += s->groups) {
        const double *row = pickle__row(&table, i);

        for (size_t k = 0; k < s->groups; k++)
            out[k] = start;
        for (size_t j = 0; j < s->columns; j++) {
            double *to = &out[s->labels[j]];

            *to = pooled(s->pool, *to, row[j]);
            if (rounds)
                *to = (double)(float)*to;
        }
        for (size_t k = 0; s->pool == POOL_MEAN && k < s->groups; k++)
            out[k] = rounds ? (double)((float)out[k] / (float)s->sizes[k]) : out[k] / s->sizes[k];
    }
    return true;
}

static bool spread_columns(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    const agglomeration *s = m->state;
    double *out;

    if (x->cols != s->groups)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has %zu columns, but there are %zu groups",
                                x->cols, s->groups);
    out = pickle__new_f64(r, y, x->rows, s->columns);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(x, i);

        for (size_t j = 0; j < s->columns; j++)
            *out++ = row[s->labels[j]];
    }
    return y->data != NULL;
}

static void open_groups(pickle__opener *o, agglomeration *s)
{
    double *sizes = pickle__keep(o, s->columns, sizeof *sizes);

    for (size_t j = 0; sizes && j < s->columns; j++) {
        if (s->labels[j] < 0 || (uint64_t)s->labels[j] >= s->columns) {
            pickle__bad(o, "labels_", "are not those of groups of columns");
            return;
        }
        sizes[s->labels[j]]++;
        if ((uint64_t)s->labels[j] >= s->groups)
            s->groups = (size_t)s->labels[j] + 1;
    }
    for (size_t k = 0; sizes && k < s->groups; k++) {
        if (sizes[k] == 0)
            pickle__bad(o, "labels_", "leave a group empty");
    }
    s->sizes = sizes;
}

/* numpy.mean unless it is said. */
static void open_pool(pickle__opener *o, agglomeration *s)
{
    static const struct {
        const char *name;
        pool pool;
    } functions[] = { { "mean", POOL_MEAN },
                      { "max", POOL_MAX },
                      { "amax", POOL_MAX },
                      { "min", POOL_MIN },
                      { "amin", POOL_MIN } };
    const pickle_val *v = pickle__attr(o, "pooling_func");
    const char *module = pickle_module(v), *name = pickle_name(v);

    if (!v)
        return;
    for (size_t i = 0; i < sizeof functions / sizeof *functions && module && name; i++) {
        s->pool = functions[i].pool;
        if (strncmp(module, "numpy", 5) == 0 && (module[5] == '\0' || module[5] == '.') &&
            strcmp(name, functions[i].name) == 0)
            return;
    }
    pickle__unsupported(o, "pooling_func", "is a function that is not known here");
}

static void open_agglomeration(pickle__opener *o)
{
    agglomeration *s = pickle__state(o, sizeof *s);

    s->labels = pickle__need_integers(o, "labels_", &s->columns);
    o->model->features = s->columns;
    if (pickle__ok(o) && s->columns == 0)
        pickle__bad(o, "labels_", "is empty");
    if (pickle__ok(o))
        open_groups(o, s);
    open_pool(o, s);
    s->rounds = o->version < PICKLE__SKLEARN(0, 20, 0);
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    pickle__method_is(o, PICKLE_TRANSFORM, pool_columns);
    pickle__method_is(o, PICKLE_INVERSE_TRANSFORM, spread_columns);
}

const pickle__estimator pickle__cluster_estimators[] = {
    { "cluster", "KMeans", open_k_means },
    { "cluster", "MiniBatchKMeans", open_k_means },
    { "cluster", "BisectingKMeans", open_bisecting },
    { "cluster", "MeanShift", open_mean_shift },
    { "cluster", "AffinityPropagation", open_affinity },
    { "cluster", "Birch", open_birch },
    { "cluster", "FeatureAgglomeration", open_agglomeration },
    { NULL, NULL, NULL },
};
