/*
 * kernels.h - kernels of rows with those that were fitted: sklearn.metrics.pairwise_kernels.
 */
#ifndef PICKLE__SKLEARN_KERNELS_H
#define PICKLE__SKLEARN_KERNELS_H

#include "sklearn/affine.h"
#include "sklearn/lanes.h"

typedef enum pickle__kernels_kind {
    PICKLE__LINEAR_KERNEL,
    PICKLE__POLYNOMIAL_KERNEL,
    PICKLE__RBF_KERNEL,
    PICKLE__LAPLACIAN_KERNEL,
    PICKLE__SIGMOID_KERNEL,
    PICKLE__COSINE_KERNEL,
    PICKLE__CHI2_KERNEL,
    PICKLE__ADDITIVE_CHI2_KERNEL,
    PICKLE__PRECOMPUTED_KERNEL /* rows are kernels */
} pickle__kernels_kind;

typedef struct pickle__kernels {
    pickle__kernels_kind kind;
    double gamma, coef0, degree;
    size_t features, count; /* columns that a row has; fitted rows */
    pickle__lanes rows;     /* of cosine: of length 1 */
    const double *squares;  /* of rbf: the rows' */
} pickle__kernels;

/* With the attributes kernel, gamma (gamma_), degree and coef0, between rows and those of `rows`,
 * an attribute. */
void pickle__open_kernels(pickle__opener *o, pickle__kernels *k, const char *rows);
/* Does the kernel have a meaning for sparse rows? */
bool pickle__kernels_take_sparse(const pickle__kernels *k);

/* Kernels of rows that are F64 or CSR, centered unless `center` is NULL, through `a`. */
bool pickle__kernels_run(const pickle__kernels *k, const pickle_model *center,
                         const pickle__affine *a, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y);

#endif
