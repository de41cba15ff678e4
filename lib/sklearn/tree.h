/*
 * tree.h - decision trees: what scikit-learn's Tree holds, and the leaves that rows fall into.
 *
 *     pickle__tree_rows rows;
 *
 *     if (!pickle__tree_start(m, r, PICKLE__FINITE, x, &rows))
 *         return false;
 *     while (pickle__tree_next(&rows)) {
 *         const uint32_t *leaves = pickle__tree_leaves(&rows, &tree, 1);
 *
 *         for (size_t i = 0; i < rows.count; i++)
 *             out[rows.first + i] += tree->values[leaves[i]];
 *     }
 *
 * Trees compare float32, and only ever for order, so both sides are turned into unsigned integers
 * of the same order (keys). The two children of a node lie side by side: a step is
 * `child + (key > threshold)`, without a branch. A leaf is a node that leads to itself, so that
 * several walks can go on together until the last one has arrived; the processor waits for memory
 * once for all of them, not once for each.
 */
#ifndef PICKLE__SKLEARN_TREE_H
#define PICKLE__SKLEARN_TREE_H

#include "sklearn/estimator.h"

typedef struct pickle__tree_node {
    uint32_t threshold; /* key of the largest float32 that goes left; UINT32_MAX: all */
    uint32_t feature;
    uint32_t child; /* the left one; the right one follows it; itself: a leaf */
} pickle__tree_node;

#define PICKLE__NAN_LEFT ((uint32_t)1 << 31)
/* A batch has as many columns, though the file need not have a byte for each. */
#define PICKLE__MOST_FEATURES ((int64_t)1 << 24)

typedef struct pickle__tree {
    size_t features, outputs, classes; /* classes: most of any output; 1 for numbers */
    size_t width;                      /* of a row of `values`: outputs * classes */
    size_t count;                      /* nodes that the file has */
    /* Of each node of the file. Leaves, too, are called by their places in the file. */
    const double *values;
    /* Nodes that the root leads to, children after their parents, and their places in the file;
     * these with PICKLE__NAN_LEFT where NaN goes left. */
    size_t n_nodes;
    const pickle__tree_node *nodes;
    const uint32_t *ids;
    unsigned steps; /* that walks take before they are looked after */
} pickle__tree;

/* Read a Tree; false after pickle__bad or pickle__unsupported. All of it is checked: no walk
 * leaves the nodes, or goes on forever, or needs a feature that is not below `features`. */
bool pickle__read_tree(pickle__opener *o, const char *name, const pickle_val *v, pickle__tree *t);

/* Integers that a Tree notes for each node of the file, such as "n_node_samples", as numbers; NULL
 * after pickle__bad. */
const double *pickle__tree_numbers(pickle__opener *o, const char *name, const pickle_val *v,
                                   const char *field);

/* What a DecisionTree* or ExtraTree* learned; NULL for other models. */
typedef struct pickle__tree_model {
    pickle__tree tree;
    const double *proba;     /* of each node, as predict_proba has it; NULL: no classifier */
    pickle__numbers numbers; /* that predict lets in; never NaN in sparse matrices */
} pickle__tree_model;

const pickle__tree_model *pickle__tree_model_of(const pickle_model *m);

/* Columns of predict_proba: the classes of all outputs, side by side. */
size_t pickle__tree_columns(const pickle_model *m);
/* Has a classifier of trees a predict? Before 0.21 it was an array of float64 for several outputs,
 * which takes no text. */
bool pickle__tree_predicts(const pickle__opener *o);

/* ------------------------------------------------------------------ walking */

/* Some of a batch's rows, as keys. */
typedef struct pickle__tree_rows {
    size_t first, count; /* which rows */
    size_t trees;        /* most that pickle__tree_leaves takes at once for these */
    /* Private. */
    const pickle_batch *x;
    size_t most; /* rows at a time */
    bool nan;    /* some number is */
    uint32_t *keys, *leaves;
    uint32_t *walking, *at; /* rows that have not arrived, and their nodes */
} pickle__tree_rows;

/* Check the numbers of `x`, of kind F64, F32 or CSR, as scikit-learn does once they are float32:
 * false and an error where `m` refuses them. `x` must stay. */
bool pickle__tree_start(const pickle_model *m, pickle__run *r, pickle__numbers allowed,
                        const pickle_batch *x, pickle__tree_rows *rows);
/* Go to the first rows, and on to the next; false after the last. */
bool pickle__tree_next(pickle__tree_rows *rows);
/* The leaf of row i in tree t is [t * rows->count + i], until the next call. At least one tree, and
 * at most rows->trees; they have no more features than the batch has columns. */
const uint32_t *pickle__tree_leaves(pickle__tree_rows *rows, const pickle__tree *const *trees,
                                    size_t count);

#endif
