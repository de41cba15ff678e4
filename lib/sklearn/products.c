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

/* Four outputs at once for an element; those that are too many are the first once more. */
static void sparse_row(const double *data, const int64_t *indices, size_t count, size_t n,
                       const double *w, size_t k, double *out)
{
    for (size_t c = 0; c < k; c += 4) {
        size_t some = k - c < 4 ? k - c : 4;
        const double *a = w + c * n, *b = some > 1 ? a + n : a;
        const double *d = some > 2 ? b + n : a, *e = some > 3 ? d + n : a;
        double sums[4] = { 0, 0, 0, 0 };

        for (size_t i = 0; i < count; i++) {
            sums[0] += data[i] * a[indices[i]];
            sums[1] += data[i] * b[indices[i]];
            sums[2] += data[i] * d[indices[i]];
            sums[3] += data[i] * e[indices[i]];
        }
        memcpy(out + c, sums, some * sizeof *sums);
    }
}

void pickle__products_csr(const double *data, const int64_t *indptr, const int64_t *indices,
                          size_t rows, size_t n, const double *w, size_t k, const double *bias,
                          double *out)
{
    for (size_t i = 0; i < rows; i++, out += k) {
        int64_t first = indptr[i];
        size_t count = (size_t)(indptr[i + 1] - first);

        if (k == 1) {
            *out = 0;
            for (size_t j = 0; j < count; j++)
                *out += data[(size_t)first + j] * w[indices[(size_t)first + j]];
        } else {
            sparse_row(data + first, indices + first, count, n, w, k, out);
        }
        for (size_t c = 0; bias && c < k; c++)
            out[c] += bias[c];
    }
}
