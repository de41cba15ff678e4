/* floats.h - binary formats that C has no type for: half floats, x86's 80-bit long doubles. */
#ifndef PICKLE__FLOATS_H
#define PICKLE__FLOATS_H

#include "base/base.h"

/* Exact. NaNs keep the leading bits of their payload. */
double pickle__half_to_double(uint16_t half);
/* Rounded half to even, to infinity from 65520 up. */
uint16_t pickle__half_from_double(double x);

/*
 * Ten bytes, little-endian, then padding. All 64 bits of the mantissa are
 * stored; the number is mantissa * 2^(exponent - 16383 - 63).
 */
typedef struct pickle__x80 {
    uint64_t mantissa;
    uint16_t exponent; /* sign in the highest bit */
} pickle__x80;

pickle__x80 pickle__x80_load(const unsigned char bytes[10]);
void pickle__x80_store(unsigned char bytes[10], pickle__x80 x);

/* Exact. */
pickle__x80 pickle__x80_from_double(double x);
pickle__x80 pickle__x80_from_u64(uint64_t n);
pickle__x80 pickle__x80_from_i64(int64_t n);

/* Rounded half to even. */
double pickle__x80_to_double(pickle__x80 x);
float pickle__x80_to_float(pickle__x80 x);
/* Truncated and saturated; NaN gives 0. */
int64_t pickle__x80_to_i64(pickle__x80 x);
uint64_t pickle__x80_to_u64(pickle__x80 x);

static inline bool pickle__x80_is_zero(pickle__x80 x)
{
    return x.mantissa == 0 && (x.exponent & 0x7fff) != 0x7fff;
}

/* The shortest text that reads back as the same number, in the layout of float.__repr__. */
#define PICKLE__X80_CHARS 48
size_t pickle__x80_repr(char dst[PICKLE__X80_CHARS], pickle__x80 x);

#endif
