/*
 * histogram.h - the trees of histogram-based gradient boosting: over float64, with NaN and
 * categories.
 *
 * A tree's nodes are laid out anew when the model is opened: the children of a node are neighbours,
 * and a leaf is its own left child whatever X has, so that several rows can walk down side by side
 * without a branch. That proves as well that it is a tree: no node is reached twice.
 *
 * Facts: sklearn/ensemble/_hist_gradient_boosting/{common.pxd,_predictor.pyx,binning.py}.
 */
#ifndef PICKLE__SKLEARN_HISTOGRAM_H
#define PICKLE__SKLEARN_HISTOGRAM_H

#include "sklearn/estimator.h"

#define PICKLE__SET_WORDS 8 /* of 256 categories */

typedef struct pickle__hist_node {
    union {
        double threshold;
        size_t set; /* of a categorical node: those that go left */
    } split;
    uint32_t feature; /* times 4, and PICKLE__HIST_... */
    uint32_t left;    /* the right one is next to it */
} pickle__hist_node;

#define PICKLE__HIST_MISSING_LEFT 1u
#define PICKLE__HIST_CATEGORICAL  2u

typedef struct pickle__hist_tree {
    size_t first, first_set; /* of its nodes, and of its sets of categories */
    bool categorical;
} pickle__hist_tree;

typedef struct pickle__hist_trees {
    size_t count;
    const pickle__hist_tree *trees;
    const pickle__hist_node *nodes;
    const double *values; /* of each node: a leaf's */
    const uint32_t (*sets)[PICKLE__SET_WORDS];
    double least_category; /* below that is missing */
} pickle__hist_trees;

/* `_predictors`: for each iteration `per_iteration` trees over `features` columns. False after an
 * error. */
bool pickle__open_hist_trees(pickle__opener *o, size_t per_iteration, size_t features,
                             pickle__hist_trees *t);

#endif
