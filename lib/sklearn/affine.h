/*
 * affine.h - X @ weights + bias: what linear models, discriminants and layers of networks have in
 * common.
 */
#ifndef PICKLE__SKLEARN_AFFINE_H
#define PICKLE__SKLEARN_AFFINE_H

#include "sklearn/estimator.h"

typedef struct pickle__affine {
    size_t inputs, outputs; /* never 0 once it was opened */
    const double *weights;  /* a row for each output */
    const double *bias;     /* NULL: none */
    /* Fitted on float32; NULL otherwise. Then rows of float32 are summed as such. */
    const float *weights_f32, *bias_f32;
} pickle__affine;

typedef enum pickle__layout {
    PICKLE__ROW_IS_OUTPUT, /* coef_; one dimension is one output */
    PICKLE__ROW_IS_INPUT   /* coefs_ of a network */
} pickle__layout;

/* From two values called so: numbers, or a sparse matrix of weights; a bias for each output, or one
 * for all, or NULL. Bad if they contradict each other. */
void pickle__open_affine(pickle__opener *o, pickle__affine *a, pickle__layout layout,
                         const char *weights_name, const pickle_val *weights, const char *bias_name,
                         const pickle_val *bias);

/* Of rows that are F64, F32 or CSR: F64, or F32 where float32 meets float32. */
bool pickle__affine_run(const pickle__affine *a, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y);

/* The model has so many features; bad, if n_features_in_ says otherwise. */
void pickle__has_features(pickle__opener *o, size_t features);

#endif
