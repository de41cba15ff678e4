/* key.h - float32 as unsigned integers in the same order. */
#ifndef PICKLE__SKLEARN_KEY_H
#define PICKLE__SKLEARN_KEY_H

#include <stdint.h>
#include <string.h>

/* -0.0 and 0.0 are one; NaN is above all, so that it is never <= anything. */
static inline uint32_t pickle__key(float x)
{
    uint32_t bits, sign;

    x += 0.0f;
    memcpy(&bits, &x, sizeof bits);
    sign = 0u - (bits >> 31);
    return x != x ? UINT32_MAX : bits ^ (sign | 0x80000000u);
}

#endif
