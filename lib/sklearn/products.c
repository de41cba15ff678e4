/*
 * products.c - matrix products whose sums are each added in the order of the inputs.
 *
 * A sum that waits for its last addition leaves a processor idle; so several are computed at once,
 * none of them in another order.
 */
#include "sklearn/numeric.h"

#include <string.h>

#define DEPTH    128 /* inputs of a tile: with its outputs it is 4 KB */
#define CHUNK    64  /* rows that a tile is packed for */
#define FEW_ROWS 4   /* fewer are not worth a tile */

/* What a processor adds at once, where the compiler has a type for it. */
#if defined(__GNUC__)
typedef double lanes __attribute__((vector_size(16)));
typedef float lanes_f32 __attribute__((vector_size(16)));
#else
typedef double lanes;
typedef float lanes_f32;
#endif
#if defined(__GNUC__) && defined(__x86_64__)
typedef double wide_lanes __attribute__((vector_size(32)));
typedef float wide_lanes_f32 __attribute__((vector_size(32)));
#define AVX2 __attribute__((target("avx2")))
#endif

#define NUMBER      double
#define TYPED(name) name
#include "sklearn/products.inc"

#define NUMBER      float
#define TYPED(name) name##_f32
#include "sklearn/products.inc"

/* Up to four outputs of a row at once; those that are too many are the first once more. */
static void sparse_sums(const double *data, const int64_t *indices, int64_t from, int64_t to,
                        size_t n, const double *w, size_t outputs, double *out)
{
    const double *a = w, *b = outputs > 1 ? w + n : a;
    const double *c = outputs > 2 ? w + 2 * n : a, *d = outputs > 3 ? w + 3 * n : a;
    double sums[4] = { 0, 0, 0, 0 };

    for (int64_t i = from; i < to; i++) {
        sums[0] += data[i] * a[indices[i]];
        sums[1] += data[i] * b[indices[i]];
        sums[2] += data[i] * c[indices[i]];
        sums[3] += data[i] * d[indices[i]];
    }
    memcpy(out, sums, outputs * sizeof *sums);
}

static double sparse_sum(const double *data, const int64_t *indices, int64_t from, int64_t to,
                         const double *w)
{
    double sum = 0;

    for (int64_t i = from; i < to; i++)
        sum += data[i] * w[indices[i]];
    return sum;
}

/* All rows for a few outputs, then for the next: few weights are in the cache at a time. */
void pickle__products_csr(const double *data, const int64_t *indptr, const int64_t *indices,
                          size_t rows, size_t n, const double *w, size_t k, const double *bias,
                          double *out)
{
    for (size_t c = 0; c < k; c += 4) {
        size_t outputs = k - c < 4 ? k - c : 4;

        for (size_t i = 0; i < rows; i++) {
            if (outputs == 1)
                out[i * k + c] = sparse_sum(data, indices, indptr[i], indptr[i + 1], w + c * n);
            else
                sparse_sums(data, indices, indptr[i], indptr[i + 1], n, w + c * n, outputs,
                            out + i * k + c);
        }
    }
    add_bias(bias, rows, k, out);
}
