/*
 * search.h - the rows of a learned table that are near to another one.
 */
#ifndef PICKLE__SKLEARN_SEARCH_H
#define PICKLE__SKLEARN_SEARCH_H

#include "sklearn/lanes.h"
#include "sklearn/metric.h"
#include "sklearn/ranks.h"

/* A node of KDTree or BallTree: nodes 2 i + 1 and 2 i + 2 are below node i. */
typedef struct pickle__tree_node {
    size_t start, end; /* of its points, in the tree's order */
    size_t group;      /* a leaf's first group of lanes      */
    bool leaf;
    double radius;
} pickle__tree_node;

typedef struct pickle__tree {
    bool ball;
    size_t n_nodes, most; /* most points of a leaf */
    pickle__tree_node *nodes;
    const double *bounds; /* centres of balls, or the lower, then the upper ends of boxes */
    const int64_t *order; /* the rows that the points are */
} pickle__tree;

typedef struct pickle__search {
    pickle__metric metric;
    size_t count;       /* rows */
    pickle__tree *tree; /* NULL: all rows are compared */
    /* The rows, in the tree's order if there is one. */
    const double *points; /* row by row, and */
    pickle__lanes lanes;  /* side by side, for some metrics; leaves begin with a new group; or */
    pickle__sparse sparse;
    bool is_sparse, has_lanes;
    bool expanded;             /* Euclidean: |x|^2 - 2 x y + |y|^2, with */
    double *norms, *dot_norms; /* |y|^2 by einsum, and by dot, as versions differ */
    char dtype;                /* of the table: 'd', 'f', or 'i' for others */
    int version;
} pickle__search;

/* What a thread needs for one row after the other. */
typedef struct pickle__nearest {
    size_t count; /* neighbours */
    double *distances;
    size_t *places;
    double *scratch;
    size_t *order;
    double *row; /* a dense copy of the one that is asked for */
} pickle__nearest;

/* _fit_X, _tree, _fit_method and the metric; sets features and what is taken. */
bool pickle__search_open(pickle__opener *o, pickle__search *s);

/* All rows of a table, which is "centroids_" or the like, compared by the metric that an attribute
 * has: `metric`, or one that the estimator knows itself, where NULL. */
bool pickle__search_table(pickle__opener *o, pickle__search *s, const char *table,
                          const char *metric, pickle__metric_kind kind);

/* With room for `most` neighbours. */
bool pickle__nearest_take(const pickle__search *s, pickle__run *r, size_t most,
                          pickle__nearest *out);
/* The k nearest to row `i`, the nearest first; distances if they are `wanted`. */
bool pickle__search_k(const pickle__search *s, pickle__run *r, const pickle_batch *x, size_t i,
                      size_t k, bool wanted, pickle__nearest *out);
/* Those within a radius, in no order but scikit-learn's. */
bool pickle__search_radius(const pickle__search *s, pickle__run *r, const pickle_batch *x, size_t i,
                           double radius, pickle__nearest *out);
/* The first of the nearest. */
bool pickle__search_first(const pickle__search *s, pickle__run *r, const pickle_batch *x, size_t i,
                          pickle__nearest *near, size_t *out);

/* What sklearn.metrics.pairwise has for all rows, in near->scratch: dot products, squared
 * distances, sums of absolute differences, cosines of angles. */
typedef enum pickle__pairwise {
    PICKLE__DOT_PRODUCTS,
    PICKLE__SQUARED_DISTANCES,
    PICKLE__ABSOLUTE_DISTANCES,
    PICKLE__COSINES
} pickle__pairwise;
bool pickle__search_pairwise(const pickle__search *s, pickle__run *r, pickle__pairwise what,
                             const pickle_batch *x, size_t i, pickle__nearest *near);

#endif
