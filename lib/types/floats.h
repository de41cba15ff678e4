/* floats.h - binary formats that C has no type for: half floats and smaller ones, x86's 80-bit long
 * doubles. */
#ifndef PICKLE__FLOATS_H
#define PICKLE__FLOATS_H

#include "base/base.h"

/* Exact. NaNs keep the leading bits of their payload. */
double pickle__half_to_double(uint16_t half);
/* Rounded half to even, to infinity from 65520 up. */
uint16_t pickle__half_from_double(double x);

/*
 * Floats of one or two bytes that machine learning uses. Their largest exponent may be that of
 * ordinary numbers, so that there is no infinity; NaN is then the pattern that is all ones, or,
 * where zero has no sign, that of negative zero. Facts: arXiv 2209.05433 and 2206.02915; for e8m0
 * the OCP's MX specification.
 */
typedef enum pickle__specials {
    PICKLE__IEEE,
    PICKLE__NAN_ALL_ONES,
    PICKLE__NAN_MINUS_ZERO,
    PICKLE__ONLY_EXPONENT /* no sign, no fraction, no zero; NaN is all ones */
} pickle__specials;

typedef struct pickle__minifloat {
    const char *name; /* "bfloat16" */
    uint8_t size, exponent_bits, fraction_bits, bias;
    pickle__specials specials;
} pickle__minifloat;

/* Where each stands in the list. */
enum {
    PICKLE__BFLOAT16,
    PICKLE__FLOAT8_E4M3FN,
    PICKLE__FLOAT8_E4M3FNUZ,
    PICKLE__FLOAT8_E5M2,
    PICKLE__FLOAT8_E5M2FNUZ,
    PICKLE__FLOAT8_E8M0FNU,
    PICKLE__MINIFLOATS
};
extern const pickle__minifloat pickle__minifloats[PICKLE__MINIFLOATS];

/* NULL: there is none of that name. */
const pickle__minifloat *pickle__find_minifloat(const char *name);
/* Exact. */
double pickle__minifloat_to_double(const pickle__minifloat *f, uint16_t bits);

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
