/* search.c - the rows of a learned table that are near to another one. */
#include "sklearn/search.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "sklearn/numeric.h"

/* Bounds that are so near to each other are computed as the tree's own code does, by pow. */
#define NEAR 1e-12

/* ---------------------------------------------------------------- distances */

static bool has_lanes(const pickle__metric *m)
{
    return m->kind == PICKLE__EUCLIDEAN || m->kind == PICKLE__MANHATTAN ||
           m->kind == PICKLE__CHEBYSHEV;
}

/* Reduced distances to `n` points, from point `first` on, which begin with a group of lanes. */
static void distances_to(const pickle__search *s, const double *x, size_t first, size_t n,
                         size_t group, double *out)
{
    size_t cols = s->metric.n;
    pickle__lanes part = { n, cols, n / PICKLE__LANES + (n % PICKLE__LANES > 0), NULL };

    if (!s->has_lanes) {
        for (size_t i = 0; i < n; i++)
            out[i] = pickle__metric_reduced(&s->metric, x, s->points + (first + i) * cols);
        return;
    }
    part.data = s->lanes.data + group * PICKLE__LANES * cols;
    if (s->metric.kind == PICKLE__EUCLIDEAN)
        pickle__lanes_squares(&part, x, out);
    else if (s->metric.kind == PICKLE__MANHATTAN)
        pickle__lanes_absolute(&part, x, out);
    else
        pickle__lanes_largest(&part, x, out);
}

/* -------------------------------------------------------------------- trees */

/* One row's way through the tree. */
typedef struct query {
    const pickle__search *s;
    const pickle__tree *tree;
    const double *x;
    pickle__heap heap;
    double *scratch;
    double radius, reduced_radius; /* of a search for all within it */
    pickle__nearest *found;
} query;

/* How far a box is from x along a column, twice. */
static double outside(const query *q, size_t node, size_t j)
{
    size_t n = q->s->metric.n;
    const double *low = q->tree->bounds + node * n, *high = low + q->tree->n_nodes * n;
    double below = low[j] - q->x[j], above = q->x[j] - high[j];

    return (below + fabs(below)) + (above + fabs(above));
}

static double box_bound(const query *q, size_t node, bool exact)
{
    double p = q->s->metric.p, bound = 0;

    for (size_t j = 0; j < q->s->metric.n; j++) {
        double d = 0.5 * outside(q, node, j);

        if (isinf(p))
            bound = d > bound ? d : bound;
        else if (d != 0)
            bound += p == 1 ? d : p == 2 && !exact ? d * d : pow(d, p);
    }
    return bound;
}

static double centre_distance(const query *q, size_t node)
{
    const pickle__metric *m = &q->s->metric;

    return pickle__metric_distance(m,
                                   pickle__metric_reduced(m, q->x, q->tree->bounds + node * m->n));
}

/* No point of the node is nearer than this, reduced. `exact`: to the last bit what scikit-learn
 * has, where a little less will do to tell most nodes apart. */
static double bound_of(const query *q, size_t node, bool exact)
{
    double d;

    if (!q->tree->ball)
        return box_bound(q, node, exact);
    d = centre_distance(q, node) - q->tree->nodes[node].radius;
    return pickle__metric_reduce(&q->s->metric, d > 0 ? d : 0);
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= NEAR * fabs(a);
}

static void scan_leaf(query *q, const pickle__tree_node *node)
{
    size_t n = node->end - node->start;

    distances_to(q->s, q->x, node->start, n, node->group, q->scratch);
    for (size_t i = 0; i < n; i++) {
        if (q->scratch[i] < q->heap.values[0])
            pickle__heap_push(&q->heap, q->scratch[i], (size_t)q->tree->order[node->start + i]);
    }
}

/* The nearer node first, and none whose points are all too far. */
static void descend(query *q, size_t i, double bound)
{
    const pickle__tree_node *node = &q->tree->nodes[i];
    double a, b;

    if (is_near(bound, q->heap.values[0]))
        bound = bound_of(q, i, true);
    if (bound > q->heap.values[0])
        return;
    if (node->leaf) {
        scan_leaf(q, node);
        return;
    }
    a = bound_of(q, 2 * i + 1, false);
    b = bound_of(q, 2 * i + 2, false);
    if (a != b && is_near(a, b)) {
        a = bound_of(q, 2 * i + 1, true);
        b = bound_of(q, 2 * i + 2, true);
    }
    if (a <= b) {
        descend(q, 2 * i + 1, a);
        descend(q, 2 * i + 2, b);
    } else {
        descend(q, 2 * i + 2, b);
        descend(q, 2 * i + 1, a);
    }
}

static void tree_nearest(const pickle__search *s, const double *x, size_t k, pickle__nearest *out)
{
    query q = { .s = s,
                .tree = s->tree,
                .x = x,
                .heap = { k, out->distances, out->places },
                .scratch = out->scratch };

    pickle__heap_clear(&q.heap, INFINITY);
    descend(&q, 0, bound_of(&q, 0, false));
    pickle__sort_both(out->distances, out->places, k, s->version >= PICKLE__SKLEARN(1, 9, 0));
}

/* The nearest and the farthest that a point of the node may be. */
static void box_range(const query *q, size_t node, double *least, double *most)
{
    size_t n = q->s->metric.n;
    const double *low = q->tree->bounds + node * n, *high = low + q->tree->n_nodes * n;
    double p = q->s->metric.p;

    *least = *most = 0;
    for (size_t j = 0; j < n; j++) {
        double d = 0.5 * outside(q, node, j);
        double far = fmax(fabs(q->x[j] - low[j]), fabs(q->x[j] - high[j]));

        if (isinf(p)) {
            *least = fmax(*least, d);
            *most = fmax(*most, far);
        } else {
            *least += pow(d, p);
            *most += pow(far, p);
        }
    }
    if (isinf(p))
        return;
    *least = pow(*least, 1 / p);
    *most = pow(*most, 1 / p);
}

static void node_range(const query *q, size_t node, double *least, double *most)
{
    double d;

    if (!q->tree->ball) {
        box_range(q, node, least, most);
        return;
    }
    d = centre_distance(q, node);
    *least = fmax(0, d - q->tree->nodes[node].radius);
    *most = d + q->tree->nodes[node].radius;
}

/* All points of a node that is within as a whole; of a leaf those that are. */
static void collect(query *q, const pickle__tree_node *node, bool whole)
{
    pickle__nearest *out = q->found;

    for (size_t i = node->start; i < node->end; i++) {
        double d = pickle__metric_reduced(&q->s->metric, q->x, q->s->points + i * q->s->metric.n);

        if (!whole && !(d <= q->reduced_radius))
            continue;
        out->distances[out->count] = pickle__metric_distance(&q->s->metric, d);
        out->places[out->count++] = (size_t)q->tree->order[i];
    }
}

static void descend_within(query *q, size_t i)
{
    const pickle__tree_node *node = &q->tree->nodes[i];
    double least, most;

    node_range(q, i, &least, &most);
    if (least > q->radius)
        return;
    if (most <= q->radius || node->leaf) {
        collect(q, node, most <= q->radius);
        return;
    }
    descend_within(q, 2 * i + 1);
    descend_within(q, 2 * i + 2);
}

/* ----------------------------------------------------------------- all rows */

/* Row `i` as a dense one. */
static const double *dense_row(const pickle__search *s, const pickle_batch *x, size_t i,
                               pickle__nearest *out)
{
    size_t n = s->metric.n;

    if (x->kind == PICKLE_BATCH_F64)
        return pickle__row(x, i);
    if (x->kind == PICKLE_BATCH_F32) {
        for (size_t j = 0; j < n; j++)
            out->row[j] = (double)pickle__row_f32(x, i)[j];
        return out->row;
    }
    memset(out->row, 0, n * sizeof *out->row);
    for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++)
        out->row[x->indices[k]] += ((const double *)x->data)[k];
    return out->row;
}

/* Products of x with all rows. */
static void products(const pickle__search *s, const double *x, double *out)
{
    const pickle__sparse *y = &s->sparse;

    if (!s->is_sparse) {
        pickle__lanes_dots(&s->lanes, x, out);
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        double sum = 0;

        for (int64_t k = y->indptr[i]; k < y->indptr[i + 1]; k++)
            sum += x[y->indices[k]] * y->data[k];
        out[i] = sum;
    }
}

/* Squares of distances, as products of matrices. Norms are dot products, or in numpy's order where
 * pairwise_distances computes them of dense rows. */
static void expanded_squares(const pickle__search *s, const pickle_batch *x, const double *row,
                             bool by_dot, double *out)
{
    size_t n = s->metric.n;
    bool plain = by_dot || x->kind == PICKLE_BATCH_CSR;
    double xx = plain ? pickle__dot(row, row, n) : pickle__squares(row, n);
    const double *yy = by_dot ? s->dot_norms : s->norms;

    products(s, row, out);
    for (size_t j = 0; j < s->count; j++)
        out[j] = (-2 * out[j] + xx) + yy[j];
    for (size_t j = 0; !by_dot && j < s->count; j++)
        out[j] = out[j] > 0 ? out[j] : 0;
}

static double unit_scale(double square, int version)
{
    double norm = sqrt(square);
    double least = version < PICKLE__SKLEARN(0, 24, 0) ? 0 : 10 * DBL_EPSILON;

    return norm == 0 || norm < least ? 1 : norm;
}

/* Both of length 1; what is learned is it already. */
static void cosines(const pickle__search *s, const pickle_batch *x, const double *row, double *unit,
                    double *out)
{
    size_t n = s->metric.n;
    double square =
        x->kind == PICKLE_BATCH_CSR ? pickle__dot(row, row, n) : pickle__squares(row, n);
    double norm = unit_scale(square, s->version);

    for (size_t j = 0; j < n; j++)
        unit[j] = row[j] / norm;
    products(s, unit, out);
}

/* Of sparse matrices scikit-learn reduces distances in some versions: where both are, and where
 * only one is. */
static bool reduces_sparse(const pickle__search *s, const pickle_batch *x)
{
    if (!s->expanded || (!s->is_sparse && s->dtype != 'd') ||
        (x->kind == PICKLE_BATCH_F64 && x->integers) || x->kind == PICKLE_BATCH_F32)
        return false;
    if (s->is_sparse && x->kind == PICKLE_BATCH_CSR)
        return s->version >= PICKLE__SKLEARN(1, 2, 0) && s->version < PICKLE__SKLEARN(1, 4, 1);
    return s->version >= PICKLE__SKLEARN(1, 3, 0);
}

/* Is it done by pairwise-distances reductions, rather than by whole matrices? */
static bool reduces(const pickle__search *s, const pickle_batch *x)
{
    bool same = x->kind == PICKLE_BATCH_F64 ? s->dtype == 'd' && !x->integers
                                            : x->kind == PICKLE_BATCH_F32 && s->dtype == 'f';

    if (x->kind == PICKLE_BATCH_CSR || s->is_sparse)
        return reduces_sparse(s, x);
    return s->version >= PICKLE__SKLEARN(1, 1, 0) && same && s->metric.kind != PICKLE__COSINE &&
           s->metric.kind != PICKLE__HAMMING && s->metric.kind != PICKLE__MAHALANOBIS &&
           s->metric.kind != PICKLE__PRECOMPUTED;
}

/* scipy divides by another sum than scikit-learn's own trees. */
static double scipy_braycurtis(size_t n, const double *x, const double *y)
{
    double apart = 0, size = 0;

    for (size_t j = 0; j < n; j++) {
        apart += fabs(x[j] - y[j]);
        size += fabs(x[j] + y[j]);
    }
    return apart / size;
}

/* What the search goes by: reduced distances, or distances if the whole matrix is computed. */
static bool all_distances(const pickle__search *s, pickle__run *r, const pickle_batch *x, size_t i,
                          pickle__nearest *out)
{
    const double *row = dense_row(s, x, i, out);
    bool reduce = reduces(s, x);

    if (x->kind == PICKLE_BATCH_F32 && s->dtype == 'f' &&
        !(reduce && s->expanded && s->version >= PICKLE__SKLEARN(1, 2, 0)))
        return pickle__run_fail(r, PICKLE_ERR_UNSUPPORTED,
                                "distances that are computed in float32 are not supported");
    if (s->metric.kind == PICKLE__PRECOMPUTED) {
        for (size_t j = 0; j < s->count; j++) {
            if (row[j] < 0 && s->version >= PICKLE__SKLEARN(0, 21, 0))
                return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu has a negative distance",
                                        r->first_row + i);
            out->scratch[j] = row[j];
        }
    } else if (s->expanded) {
        expanded_squares(s, x, row, reduce, out->scratch);
    } else if (s->metric.kind == PICKLE__COSINE) {
        cosines(s, x, row, out->row + s->metric.n, out->scratch);
        for (size_t j = 0; j < s->count; j++)
            out->scratch[j] = fmin(fmax(-out->scratch[j] + 1, 0), 2);
    } else if (s->metric.kind == PICKLE__BRAYCURTIS && !reduce) {
        for (size_t j = 0; j < s->count; j++)
            out->scratch[j] = scipy_braycurtis(s->metric.n, row, s->points + j * s->metric.n);
    } else {
        distances_to(s, row, 0, s->count, 0, out->scratch);
        for (size_t j = 0; !reduce && j < s->count; j++)
            out->scratch[j] = pickle__metric_distance(&s->metric, out->scratch[j]);
    }
    return true;
}

/* The distance that the search went by as it is given out. */
static double given_out(const pickle__search *s, bool reduced, double d)
{
    if (!reduced && !s->expanded)
        return d;
    return pickle__metric_distance(&s->metric, d > 0 ? d : 0);
}

static void reduce_all(const pickle__search *s, size_t k, pickle__nearest *out)
{
    pickle__heap heap = { k, out->distances, out->places };

    pickle__heap_clear(&heap, DBL_MAX);
    for (size_t j = 0; j < s->count; j++) {
        if (out->scratch[j] < heap.values[0])
            pickle__heap_push(&heap, out->scratch[j], j);
    }
    pickle__sort_both(out->distances, out->places, k, s->version >= PICKLE__SKLEARN(1, 9, 0));
}

/* ------------------------------------------------------------------ running */

bool pickle__nearest_take(const pickle__search *s, pickle__run *r, size_t most,
                          pickle__nearest *out)
{
    size_t n = s->tree ? s->tree->most : s->count;

    out->count = 0;
    out->distances = pickle__take(r, most, sizeof *out->distances);
    out->places = out->distances ? pickle__take(r, most, sizeof *out->places) : NULL;
    out->scratch = out->places ? pickle__take(r, n + PICKLE__LANES, sizeof *out->scratch) : NULL;
    out->order = out->scratch ? pickle__take(r, s->tree ? 0 : n, sizeof *out->order) : NULL;
    out->row = out->order ? pickle__take(r, s->metric.n, 2 * sizeof *out->row) : NULL;
    return out->row != NULL;
}

bool pickle__search_k(const pickle__search *s, pickle__run *r, const pickle_batch *x, size_t i,
                      size_t k, bool wanted, pickle__nearest *out)
{
    bool reduced = s->tree || reduces(s, x);

    out->count = k;
    if (s->tree) {
        tree_nearest(s, dense_row(s, x, i, out), k, out);
    } else if (!all_distances(s, r, x, i, out)) {
        return false;
    } else if (reduced) {
        reduce_all(s, k, out);
    } else {
        pickle__smallest(out->scratch, s->count, k, out->order);
        for (size_t j = 0; j < k; j++) {
            out->places[j] = out->order[j];
            out->distances[j] = out->scratch[out->order[j]];
        }
    }
    for (size_t j = 0; wanted && j < k; j++)
        out->distances[j] = given_out(s, reduced, out->distances[j]);
    return true;
}

bool pickle__search_radius(const pickle__search *s, pickle__run *r, const pickle_batch *x, size_t i,
                           double radius, pickle__nearest *out)
{
    bool reduced = s->tree || reduces(s, x);
    double within = reduced || s->expanded ? pickle__metric_reduce(&s->metric, radius) : radius;

    out->count = 0;
    if (s->tree) {
        query q = { .s = s,
                    .tree = s->tree,
                    .x = dense_row(s, x, i, out),
                    .radius = radius,
                    .reduced_radius = within,
                    .found = out };

        descend_within(&q, 0);
        return true;
    }
    if (!all_distances(s, r, x, i, out))
        return false;
    for (size_t j = 0; j < s->count; j++) {
        if (!(out->scratch[j] <= within))
            continue;
        out->distances[out->count] = given_out(s, reduced, out->scratch[j]);
        out->places[out->count++] = j;
    }
    return true;
}

bool pickle__search_first(const pickle__search *s, pickle__run *r, const pickle_batch *x, size_t i,
                          pickle__nearest *near, size_t *out)
{
    if (!all_distances(s, r, x, i, near))
        return false;
    *out = 0;
    /* Roots of numbers that are nearly the same are equal. */
    for (size_t j = 0; s->expanded && !reduces(s, x) && j < s->count; j++)
        near->scratch[j] = sqrt(near->scratch[j]);
    for (size_t j = 1; j < s->count; j++)
        *out = near->scratch[j] < near->scratch[*out] ? j : *out;
    return true;
}

bool pickle__search_pairwise(const pickle__search *s, pickle__run *r, pickle__pairwise what,
                             const pickle_batch *x, size_t i, pickle__nearest *near)
{
    const double *row = dense_row(s, x, i, near);

    if (x->kind == PICKLE_BATCH_F32 && s->dtype == 'f')
        return pickle__run_fail(r, PICKLE_ERR_UNSUPPORTED,
                                "kernels that are computed in float32 are not supported");
    switch (what) {
    case PICKLE__DOT_PRODUCTS:
        products(s, row, near->scratch);
        break;
    case PICKLE__SQUARED_DISTANCES:
        expanded_squares(s, x, row, false, near->scratch);
        break;
    case PICKLE__ABSOLUTE_DISTANCES:
        pickle__lanes_absolute(&s->lanes, row, near->scratch);
        break;
    case PICKLE__COSINES:
        cosines(s, x, row, near->row + s->metric.n, near->scratch);
        break;
    }
    return true;
}

/* ------------------------------------------------------------------ opening */

/* A field of the records of nodes. */
static const double *node_field(pickle__opener *o, const pickle_array *nodes, const char *name,
                                size_t n)
{
    pickle_array field;
    double *out = pickle__keep(o, n, sizeof *out);

    if (!out || !pickle_array_field(nodes, name, &field) ||
        !pickle_array_copy(&field, "=f8", out, n * sizeof *out, NULL)) {
        pickle__bad(o, "_tree", "has no nodes as scikit-learn has them");
        return NULL;
    }
    return out;
}

static bool read_nodes(pickle__opener *o, const pickle_val *v, pickle__tree *t)
{
    pickle_array a;
    const double *start, *end, *leaf, *radius;

    if (!pickle_get_array(v, &a) || a.ndim != 1 || a.shape[0] < 1 || a.shape[0] > INT32_MAX) {
        pickle__bad(o, "_tree", "has no nodes");
        return false;
    }
    t->n_nodes = (size_t)a.shape[0];
    t->nodes = pickle__keep(o, t->n_nodes, sizeof *t->nodes);
    start = node_field(o, &a, "idx_start", t->n_nodes);
    end = node_field(o, &a, "idx_end", t->n_nodes);
    leaf = node_field(o, &a, "is_leaf", t->n_nodes);
    radius = node_field(o, &a, "radius", t->n_nodes);
    if (!pickle__ok(o) || !t->nodes)
        return false;
    for (size_t i = 0; i < t->n_nodes; i++) {
        bool in_range =
            start[i] >= 0 && end[i] >= 0 && start[i] <= INT32_MAX && end[i] <= INT32_MAX;

        t->nodes[i] =
            (pickle__tree_node){ in_range ? (size_t)start[i] : 0, in_range ? (size_t)end[i] : 0, 0,
                                 leaf[i] != 0, radius[i] };
    }
    return true;
}

/* Nodes below a node have its points, the first some and the second the rest: so each point is in
 * one leaf, and a search ends. */
static bool check_node(pickle__opener *o, pickle__tree *t, size_t i, size_t start, size_t end,
                       size_t *groups)
{
    pickle__tree_node *node = &t->nodes[i];
    size_t below = 2 * i + 1, n = end - start;

    if (node->start != start || node->end != end ||
        (!node->leaf &&
         (below + 1 >= t->n_nodes || t->nodes[below].end < start || t->nodes[below].end > end))) {
        pickle__bad(o, "_tree", "has nodes that do not share out its points");
        return false;
    }
    if (!node->leaf)
        return check_node(o, t, below, start, t->nodes[below].end, groups) &&
               check_node(o, t, below + 1, t->nodes[below].end, end, groups);
    node->group = *groups;
    *groups += n / PICKLE__LANES + (n % PICKLE__LANES > 0);
    t->most = n > t->most ? n : t->most;
    return true;
}

/* Each leaf's points side by side. */
static void lay_out(const pickle__search *s, size_t i, double *to)
{
    const pickle__tree_node *node = &s->tree->nodes[i];
    size_t cols = s->metric.n;

    if (!node->leaf) {
        lay_out(s, 2 * i + 1, to);
        lay_out(s, 2 * i + 2, to);
        return;
    }
    to += node->group * PICKLE__LANES * cols;
    for (size_t k = 0; k < node->end - node->start; k++) {
        const double *row = s->points + (node->start + k) * cols;
        double *at = to + k / PICKLE__LANES * PICKLE__LANES * cols + k % PICKLE__LANES;

        for (size_t j = 0; j < cols; j++)
            at[j * PICKLE__LANES] = row[j];
    }
}

static bool order_points(pickle__opener *o, pickle__search *s, const pickle_val *state,
                         size_t groups)
{
    size_t n = 0, cols = s->metric.n;
    pickle__matrix data = pickle__numbers_of(o, "_tree", pickle_at(state, 0));
    const int64_t *order = pickle__integers_of(o, "_tree", pickle_at(state, 1), &n);
    double *points = pickle__keep(o, s->count, cols * sizeof *points);
    double *lanes =
        s->has_lanes ? pickle__keep(o, groups, PICKLE__LANES * cols * sizeof *lanes) : NULL;

    if (!pickle__ok(o) || !points || (s->has_lanes && !lanes))
        return false;
    if (n != s->count || data.rows != s->count || data.cols != cols) {
        pickle__bad(o, "_tree", "has not as many points as there are rows");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (order[i] < 0 || (uint64_t)order[i] >= n) {
            pickle__bad(o, "_tree", "has a point that is no row");
            return false;
        }
        memcpy(points + i * cols, data.data + (size_t)order[i] * cols, cols * sizeof *points);
    }
    s->points = points;
    s->tree->order = order;
    s->lanes.data = lanes;
    if (lanes)
        lay_out(s, 0, lanes);
    return true;
}

static bool open_tree(pickle__opener *o, pickle__search *s, bool ball, size_t features)
{
    const pickle_val *state = pickle_state(pickle__need(o, "_tree"));
    pickle__tree *t = pickle__keep(o, 1, sizeof *t);
    pickle__matrix bounds = pickle__numbers_of(o, "_tree", pickle_at(state, 3));
    size_t groups = 0, rows = ball ? 1 : 2;

    if (!t || !pickle__ok(o))
        return false;
    if (pickle_kind_of(state) != PICKLE_TUPLE || pickle_len(state) < 12) {
        pickle__bad(o, "_tree", "is no tree");
        return false;
    }
    if (!pickle__metric_object(o, pickle_at(state, 11), features, &s->metric) ||
        !read_nodes(o, pickle_at(state, 2), t))
        return false;
    t->ball = ball;
    t->bounds = bounds.data;
    if (bounds.ndim != 3 || bounds.rows != rows || bounds.cols != t->n_nodes * features) {
        pickle__bad(o, "_tree", "has bounds of another shape than its nodes");
        return false;
    }
    s->tree = t;
    s->has_lanes = has_lanes(&s->metric);
    return check_node(o, t, 0, 0, s->count, &groups) && order_points(o, s, state, groups);
}

/* Norms of the rows, and rows of length 1. */
static bool prepare_norms(pickle__opener *o, pickle__search *s)
{
    size_t n = s->metric.n;

    s->norms = pickle__keep(o, s->count, sizeof *s->norms);
    s->dot_norms = pickle__keep(o, s->count, sizeof *s->dot_norms);
    for (size_t i = 0; s->norms && s->dot_norms && i < s->count; i++) {
        if (s->is_sparse) {
            int64_t first = s->sparse.indptr[i];
            const double *row = s->sparse.data + first;

            s->dot_norms[i] = pickle__dot(row, row, (size_t)(s->sparse.indptr[i + 1] - first));
            s->norms[i] = s->dot_norms[i];
        } else {
            s->norms[i] = pickle__squares(s->points + i * n, n);
            s->dot_norms[i] = pickle__dot(s->points + i * n, s->points + i * n, n);
        }
    }
    return s->norms && s->dot_norms;
}

static bool prepare_units(pickle__opener *o, pickle__search *s)
{
    size_t n = s->is_sparse ? (size_t)s->sparse.indptr[s->count] : s->count * s->metric.n;
    double *units = pickle__keep(o, n, sizeof *units);

    for (size_t i = 0; units && i < s->count; i++) {
        size_t first = s->is_sparse ? (size_t)s->sparse.indptr[i] : i * s->metric.n;
        size_t end = s->is_sparse ? (size_t)s->sparse.indptr[i + 1] : first + s->metric.n;
        const double *row = s->is_sparse ? s->sparse.data : s->points;
        double norm = unit_scale(s->norms[i], s->version);

        for (size_t j = first; j < end; j++)
            units[j] = row[j] / norm;
    }
    if (s->is_sparse)
        s->sparse.data = units;
    else
        s->points = units;
    return units != NULL;
}

/* The metric is known. */
static bool open_all(pickle__opener *o, pickle__search *s)
{
    bool matrix = s->metric.kind == PICKLE__EUCLIDEAN || s->metric.kind == PICKLE__COSINE;

    if (s->is_sparse && !matrix) {
        pickle__unsupported(o, "metric", "is not known here for sparse matrices");
        return false;
    }
    s->expanded = s->metric.kind == PICKLE__EUCLIDEAN;
    s->has_lanes = has_lanes(&s->metric);
    o->model->takes = PICKLE__F64 | PICKLE__F32 | (matrix ? PICKLE__CSR : 0);
    if (matrix && !prepare_norms(o, s))
        return false;
    if (s->metric.kind == PICKLE__COSINE && !prepare_units(o, s))
        return false;
    return s->is_sparse || !(matrix || s->has_lanes) ||
           pickle__lanes_of(o, s->points, s->count, s->metric.n, &s->lanes);
}

static char dtype_of(const pickle_val *v)
{
    pickle_array a;

    if (!pickle_get_array(v, &a) || a.dtype.kind != 'f' || a.dtype.itemsize > 8)
        return 'i';
    return a.dtype.itemsize == 8 ? 'd' : 'f';
}

static bool read_table(pickle__opener *o, pickle__search *s, const char *name)
{
    const pickle_val *v = pickle__need(o, name);
    pickle__matrix rows;

    s->version = o->version;
    s->dtype = dtype_of(v);
    s->is_sparse = v && pickle__sparse_of(o, name, v, &s->sparse);
    if (s->is_sparse) {
        s->count = s->sparse.rows;
        s->metric.n = s->sparse.cols;
    } else {
        rows = pickle__numbers_of(o, name, v);
        s->count = rows.rows;
        s->points = rows.data;
        s->metric.n = rows.cols;
    }
    if (pickle__ok(o) && (s->count == 0 || s->metric.n == 0))
        pickle__bad(o, name, "is empty");
    o->model->features = s->metric.n;
    return pickle__ok(o);
}

bool pickle__search_table(pickle__opener *o, pickle__search *s, const char *table,
                          const char *metric, pickle__metric_kind kind)
{
    if (!read_table(o, s, table))
        return false;
    s->metric.kind = kind;
    return (!metric || pickle__metric_of(o, metric, s->metric.n, &s->metric)) && open_all(o, s);
}

bool pickle__search_open(pickle__opener *o, pickle__search *s)
{
    int method = pickle__choice(o, "_fit_method", 2, "kd_tree", "ball_tree", "brute", NULL);

    if (!read_table(o, s, "_fit_X"))
        return false;
    if (method == 2)
        return pickle__metric_of(o, "effective_metric_", s->metric.n, &s->metric) && open_all(o, s);
    if (s->is_sparse) {
        pickle__bad(o, "_fit_method", "is not for a sparse matrix");
        return false;
    }
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    return open_tree(o, s, method == 1, s->metric.n);
}
