/* sparse.h - between the files on scipy's sparse matrices: their integers, one by one. */
#ifndef PICKLE__SPARSE_H
#define PICKLE__SPARSE_H

#include "types/numpy.h"

#include <pickle/sparse.h>

/* Where the integers of each format are kept in `axes`; COO has an axis in each. */
#define PICKLE__INDPTR  0
#define PICKLE__INDICES 1
#define PICKLE__OFFSETS 0

/* Any size and byte order, slowly. */
static inline int64_t pickle__odd_index(const pickle_sparse_index *x, const unsigned char *p)
{
    int unused = 64 - 8 * x->size;
    uint64_t n = 0;

    for (int i = 0; i < x->size; i++)
        n = n << 8 | p[x->big_endian ? i : x->size - 1 - i];
    return x->is_signed ? (int64_t)(n << unused) >> unused : (int64_t)n;
}

/* The i-th; what exceeds 2^63 is negative. */
static inline int64_t pickle__index_at(const pickle_sparse_index *x, int64_t i)
{
    const unsigned char *p = (const unsigned char *)x->data + i * x->stride;

    if (!x->is_signed || x->big_endian || x->size < 4)
        return pickle__odd_index(x, p);
    return x->size == 4 ? (int32_t)pickle__u32(p) : (int64_t)pickle__u64(p);
}

/* An int, or a numpy scalar of one. */
bool pickle__get_index(const pickle_val *v, int64_t *out);

/* The columns of DIA's diagonal `i`, from *first up to *end; both 0 when there are none. */
void pickle__diagonal(const pickle_sparse *m, int64_t i, int64_t *first, int64_t *end);

#endif
