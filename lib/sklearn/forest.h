/* forest.h - sums over many trees. */
#ifndef PICKLE__SKLEARN_FOREST_H
#define PICKLE__SKLEARN_FOREST_H

#include "sklearn/tree.h"

typedef struct pickle__forest {
    size_t count;
    const pickle__tree **trees;
    const double **values; /* of each tree: a row for each node of the file */
    size_t columns;        /* of a sum: of a row, but for classes that an output lacks */
    pickle__numbers numbers;
} pickle__forest;

/* Open the trees of estimators_, all of the same columns and outputs, and of the classes of the
 * model if that has any. `values` are what they predict. False where that can't be run. */
bool pickle__open_forest(pickle__opener *o, pickle__forest *f);

/* For each row, the sum of the values of its leaves, from 0.0, in the order of the trees: a table,
 * and its data; NULL on failure. */
double *pickle__forest_sums(const pickle_model *m, const pickle__forest *f, pickle__run *r,
                            const pickle_batch *x, pickle_batch *y);

#endif
