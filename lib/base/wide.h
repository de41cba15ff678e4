/* wide.h - 64 x 64 bit products, and where the highest bit is. */
#ifndef PICKLE__WIDE_H
#define PICKLE__WIDE_H

#include "base/base.h"

/* The low half of a * b, and the high half in *high. */
PICKLE__INLINE uint64_t pickle__mul64(uint64_t a, uint64_t b, uint64_t *high)
{
#if defined(__SIZEOF_INT128__)
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32), cross = a0 * b1 + (uint32_t)middle;

    *high = a1 * b1 + (middle >> 32) + (cross >> 32);
    return cross << 32 | (uint32_t)low;
#endif
}

/* Number of leading zero bits of `n`, which is not 0. */
PICKLE__INLINE int pickle__clz64(uint64_t n)
{
#if defined(__GNUC__)
    return __builtin_clzll(n);
#else
    int zeros = 0;

    for (int step = 32; step > 0; step /= 2) {
        if (n >> (64 - step) == 0) {
            n <<= step;
            zeros += step;
        }
    }
    return zeros;
#endif
}

#endif
