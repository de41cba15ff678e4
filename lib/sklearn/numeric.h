/*
 * numeric.h - sums, products and functions as numpy, scipy and BLAS compute them.
 *
 * The order of additions is part of the answer: these keep it, so that numbers are equal to the
 * last bit where Python's own are always the same. Facts: numpy's loops_utils.h.src (pairwise
 * sums), einsum_sumprod.c.src, scipy's expit and logsumexp, the reference BLAS.
 */
#ifndef PICKLE__SKLEARN_NUMERIC_H
#define PICKLE__SKLEARN_NUMERIC_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* np.sum of a contiguous row. */
double pickle__sum(const double *x, size_t n);
float pickle__sum_f32(const float *x, size_t n);
/* np.einsum('ij,ij->i', x, x) of a row. */
double pickle__squares(const double *x, size_t n);
/* Likewise of float32; `old`: as before numpy 1.21. */
float pickle__squares_f32(const float *x, size_t n, bool old);
/* One after the other, from 0.0: the reference BLAS's ddot. */
double pickle__dot(const double *x, const double *y, size_t n);
/* out[i, k] = sum over j of x[i, j] * w[k, j], each sum in the order of j, from 0.0; then + bias[k]
 * unless NULL. `x` has `stride` bytes from row to row, w is packed, out is packed. */
void pickle__products(const double *x, size_t stride, size_t rows, size_t n, const double *w,
                      size_t k, const double *bias, double *out);
void pickle__products_f32(const float *x, size_t stride, size_t rows, size_t n, const float *w,
                          size_t k, const float *bias, float *out);
/* Likewise for the rows of a CSR matrix, in the order in which they have their elements. */
void pickle__products_csr(const double *data, const int64_t *indptr, const int64_t *indices,
                          size_t rows, size_t n, const double *w, size_t k, const double *bias,
                          double *out);

/* scipy.special.expit. */
static inline double pickle__expit(double x)
{
    return 1 / (1 + exp(-x));
}

/* sklearn.utils.extmath.softmax of a row, in place: less the largest, exp, over the sum. */
void pickle__softmax(double *x, size_t n);
/* scipy.special.logsumexp of a row. */
double pickle__logsumexp(const double *x, size_t n);
/* np.argmax: the first of the largest; NaN counts as the largest. */
size_t pickle__largest(const double *x, size_t n);

#endif
