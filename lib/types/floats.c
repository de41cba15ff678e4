/* floats.c - half floats and smaller ones, 80-bit long doubles. */
#include "types/floats.h"

#include <math.h>

#include "base/wide.h"

/* An IEEE format: sign, `exponent_bits`, `fraction_bits`, in an integer. */
typedef struct format {
    int fraction_bits, exponent_bits;
} format;

static const format half_format = { 10, 5 }, float_format = { 23, 8 }, double_format = { 52, 11 };

#define INFINITE 0x7fff /* the exponent of infinity and NaN in 80 bits */
#define BIAS     (16383 + 63)
#define LEADING  (UINT64_C(1) << 63)

static uint64_t infinity_of(format f)
{
    return ((UINT64_C(1) << f.exponent_bits) - 1) << f.fraction_bits;
}

/* m / 2^shift, rounded half to even. */
static uint64_t shift_rounded(uint64_t m, int shift)
{
    uint64_t half, rest;

    if (shift <= 0)
        return m << -shift;
    if (shift > 64)
        return 0;
    half = UINT64_C(1) << (shift - 1);
    rest = m & (half | (half - 1));
    m = shift == 64 ? 0 : m >> shift;
    return m + (rest > half || (rest == half && m & 1));
}

/* The bits, without sign, of the number nearest to m * 2^e. */
static uint64_t pack(format f, uint64_t m, int e)
{
    int bias = (1 << (f.exponent_bits - 1)) - 1, zeros, least = 1 - bias - f.fraction_bits, q;
    uint64_t bits;

    if (m == 0)
        return 0;
    zeros = pickle__clz64(m);
    q = e + 63 - zeros - f.fraction_bits; /* exponent of the last bit that is kept */
    if (q < least)
        return shift_rounded(m, least - e > 65 ? 65 : least - e);
    if (q > bias - f.fraction_bits)
        return infinity_of(f);
    /* Rounding up to the next power of two carries into the exponent, as it should. */
    bits = shift_rounded(m, q - e) + ((uint64_t)(q - least) << f.fraction_bits);
    return bits < infinity_of(f) ? bits : infinity_of(f);
}

static uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* -------------------------------------------------------------------- halfs */

double pickle__half_to_double(uint16_t half)
{
    uint64_t sign = (uint64_t)(half >> 15) << 63, fraction = half & 0x3ff;
    int exponent = half >> 10 & 0x1f;
    double x;

    if (exponent == 0) {
        x = (double)fraction * 0x1p-24;
        return sign ? -x : x;
    }
    return from_bits(sign | (uint64_t)(exponent == 0x1f ? 0x7ff : exponent + 1023 - 15) << 52 |
                     fraction << 42);
}

uint16_t pickle__half_from_double(double x)
{
    uint64_t bits = bits_of(x), fraction = bits & ((UINT64_C(1) << 52) - 1);
    uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    int exponent = (int)(bits >> 52 & 0x7ff);

    if (exponent == 0x7ff) {
        uint16_t payload = (uint16_t)(fraction >> 42);

        return (uint16_t)(sign | 0x7c00 | payload | (fraction && !payload));
    }
    if (exponent == 0) /* less than any half */
        return sign;
    return (uint16_t)(sign | pack(half_format, fraction | UINT64_C(1) << 52, exponent - 1075));
}

/* -------------------------------------------------- floats of one or two bytes */

const pickle__minifloat pickle__minifloats[PICKLE__MINIFLOATS] = {
    [PICKLE__BFLOAT16] = { "bfloat16", 2, 8, 7, 127, PICKLE__IEEE },
    [PICKLE__FLOAT8_E4M3FN] = { "float8_e4m3fn", 1, 4, 3, 7, PICKLE__NAN_ALL_ONES },
    [PICKLE__FLOAT8_E4M3FNUZ] = { "float8_e4m3fnuz", 1, 4, 3, 8, PICKLE__NAN_MINUS_ZERO },
    [PICKLE__FLOAT8_E5M2] = { "float8_e5m2", 1, 5, 2, 15, PICKLE__IEEE },
    [PICKLE__FLOAT8_E5M2FNUZ] = { "float8_e5m2fnuz", 1, 5, 2, 16, PICKLE__NAN_MINUS_ZERO },
    [PICKLE__FLOAT8_E8M0FNU] = { "float8_e8m0fnu", 1, 8, 0, 127, PICKLE__ONLY_EXPONENT },
};

const pickle__minifloat *pickle__find_minifloat(const char *name)
{
    for (size_t i = 0; i < PICKLE__MINIFLOATS; i++)
        if (strcmp(pickle__minifloats[i].name, name) == 0)
            return &pickle__minifloats[i];
    return NULL;
}

/* Infinity or NaN: the fraction of a double with the exponent of those; else UINT64_MAX. */
static uint64_t special_fraction(const pickle__minifloat *f, unsigned magnitude, bool negative)
{
    unsigned top = (1u << f->exponent_bits) - 1, leading = 1u << f->fraction_bits;

    if (f->specials == PICKLE__IEEE)
        return magnitude >> f->fraction_bits == top
                   ? (uint64_t)(magnitude & (leading - 1)) << (52 - f->fraction_bits)
                   : UINT64_MAX;
    if (f->specials == PICKLE__NAN_MINUS_ZERO ? negative && magnitude == 0
                                              : magnitude == top * leading + leading - 1)
        return UINT64_C(1) << 51;
    return UINT64_MAX;
}

double pickle__minifloat_to_double(const pickle__minifloat *f, uint16_t bits)
{
    int digits = f->exponent_bits + f->fraction_bits;
    unsigned magnitude = bits & ((1u << digits) - 1), leading = 1u << f->fraction_bits;
    unsigned exponent = magnitude >> f->fraction_bits, fraction = magnitude & (leading - 1);
    bool negative = bits >> digits & 1;
    uint64_t special = special_fraction(f, magnitude, negative);
    double x;

    if (special != UINT64_MAX)
        return from_bits((uint64_t)negative << 63 | infinity_of(double_format) | special);
    if (exponent > 0 || f->specials == PICKLE__ONLY_EXPONENT)
        fraction |= leading;
    else
        exponent = 1;
    x = ldexp(fraction, (int)exponent - f->bias - f->fraction_bits);
    return negative ? -x : x;
}

/* ------------------------------------------------------------- 80-bit floats */

pickle__x80 pickle__x80_load(const unsigned char bytes[10])
{
    return (pickle__x80){ pickle__u64(bytes), pickle__u16(bytes + 8) };
}

void pickle__x80_store(unsigned char bytes[10], pickle__x80 x)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(x.mantissa >> (8 * i));
    bytes[8] = (unsigned char)x.exponent;
    bytes[9] = (unsigned char)(x.exponent >> 8);
}

/* m * 2^e, exactly */
static pickle__x80 normalize(bool negative, uint64_t m, int e)
{
    uint16_t sign = negative ? 0x8000 : 0;
    int zeros;

    if (m == 0)
        return (pickle__x80){ 0, sign };
    zeros = pickle__clz64(m);
    return (pickle__x80){ m << zeros, (uint16_t)(sign | (e - zeros + BIAS)) };
}

pickle__x80 pickle__x80_from_double(double x)
{
    uint64_t bits = bits_of(x), fraction = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    bool negative = bits >> 63;

    if (exponent == 0x7ff)
        return (pickle__x80){ LEADING | fraction << 11,
                              (uint16_t)((negative ? 0x8000 : 0) | INFINITE) };
    if (exponent == 0)
        return normalize(negative, fraction, -1074);
    return normalize(negative, fraction | UINT64_C(1) << 52, exponent - 1075);
}

pickle__x80 pickle__x80_from_u64(uint64_t n)
{
    return normalize(false, n, 0);
}

pickle__x80 pickle__x80_from_i64(int64_t n)
{
    return normalize(n < 0, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 0);
}

static bool is_nan(pickle__x80 x)
{
    return (x.exponent & INFINITE) == INFINITE && x.mantissa << 1 != 0;
}

/* The bits in another format, without the sign. Exponent 0 means the same as 1. */
static uint64_t convert(pickle__x80 x, format f)
{
    int exponent = x.exponent & INFINITE;

    if (is_nan(x))
        return infinity_of(f) | UINT64_C(1) << (f.fraction_bits - 1) |
               x.mantissa << 1 >> (64 - f.fraction_bits);
    if (exponent == INFINITE)
        return infinity_of(f);
    return pack(f, x.mantissa, (exponent ? exponent : 1) - BIAS);
}

double pickle__x80_to_double(pickle__x80 x)
{
    return from_bits(convert(x, double_format) | (uint64_t)(x.exponent >> 15) << 63);
}

float pickle__x80_to_float(pickle__x80 x)
{
    uint32_t bits = (uint32_t)(convert(x, float_format) | (uint64_t)(x.exponent >> 15) << 31);
    float y;

    memcpy(&y, &bits, sizeof y);
    return y;
}

/* The whole part without its sign; UINT64_MAX if it is larger. */
static uint64_t magnitude(pickle__x80 x)
{
    int shift = BIAS - (x.exponent & INFINITE);

    if (is_nan(x) || shift > 63)
        return 0;
    return shift >= 0 ? x.mantissa >> shift : x.mantissa ? UINT64_MAX : 0;
}

int64_t pickle__x80_to_i64(pickle__x80 x)
{
    uint64_t n = magnitude(x);

    if (n > INT64_MAX)
        return x.exponent >> 15 ? INT64_MIN : INT64_MAX;
    return x.exponent >> 15 ? -(int64_t)n : (int64_t)n;
}

uint64_t pickle__x80_to_u64(pickle__x80 x)
{
    return x.exponent >> 15 ? 0 : magnitude(x);
}
