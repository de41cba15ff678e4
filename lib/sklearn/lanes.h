/*
 * lanes.h - the rows of a learned table, several side by side.
 *
 * Each row's sum keeps its order, from the first column to the last; as there are several at once,
 * none waits for another, and compilers make one instruction of them.
 */
#ifndef PICKLE__SKLEARN_LANES_H
#define PICKLE__SKLEARN_LANES_H

#include "sklearn/estimator.h"

#define PICKLE__LANES ((size_t)8)

typedef struct pickle__lanes {
    size_t rows, cols;
    size_t groups;      /* of PICKLE__LANES rows; zeros fill the last */
    const double *data; /* of each group the first column, then the second, ... */
} pickle__lanes;

/* Of a table in C order; false when there is no memory. */
bool pickle__lanes_of(pickle__opener *o, const double *table, size_t rows, size_t cols,
                      pickle__lanes *out);
/* Of each row with x: `out` has room for all groups. */
void pickle__lanes_dots(const pickle__lanes *l, const double *x, double *out);
/* Likewise the squared Euclidean distance. */
void pickle__lanes_squares(const pickle__lanes *l, const double *x, double *out);
/* Likewise the sum of absolute differences, and the largest of them. */
void pickle__lanes_absolute(const pickle__lanes *l, const double *x, double *out);
void pickle__lanes_largest(const pickle__lanes *l, const double *x, double *out);

#endif
