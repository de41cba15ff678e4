/*
 * x80_repr.c - the shortest decimal of an 80-bit long double.
 *
 * Its exponents go to 2^16384, where no table of powers helps: this is the
 * free-format algorithm of Steele and White (1990) with plain bignums.
 */
#include "base/number.h"
#include "base/wide.h"
#include "types/floats.h"

#define LIMBS       540 /* 2^16447 times a mantissa of 64 bits, times ten, and some more */
#define MOST_DIGITS 21

typedef struct big {
    int n; /* limbs in use; the highest is not 0 */
    uint32_t limb[LIMBS];
} big;

/* The number is r / s; what rounds to it lies between (r - below) / s and (r + above) / s. */
typedef struct scaled {
    big r, s, above, below;
    bool inclusive; /* those ends, too */
} scaled;

static void multiply(big *a, uint32_t by)
{
    uint64_t carry = 0;

    for (int i = 0; i < a->n; i++) {
        carry += (uint64_t)a->limb[i] * by;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        a->limb[a->n++] = (uint32_t)carry;
}

static void multiply_pow10(big *a, int exponent)
{
    for (; exponent >= 9; exponent -= 9)
        multiply(a, 1000000000);
    while (exponent-- > 0)
        multiply(a, 10);
}

/* m * 2^shift */
static void set(big *a, uint64_t m, int shift)
{
    a->n = shift / 32;
    memset(a->limb, 0, (size_t)a->n * sizeof *a->limb);
    for (; m; m >>= 32)
        a->limb[a->n++] = (uint32_t)m;
    multiply(a, UINT32_C(1) << (shift % 32));
}

static int compare(const big *a, const big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static void add(big *a, const big *b)
{
    uint64_t carry = 0;

    for (int i = 0; i < b->n || carry; i++) {
        if (i == a->n)
            a->limb[a->n++] = 0;
        carry += (uint64_t)a->limb[i] + (i < b->n ? b->limb[i] : 0);
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* a >= b */
static void subtract(big *a, const big *b)
{
    int64_t borrow = 0;

    for (int i = 0; i < a->n; i++) {
        borrow += (int64_t)a->limb[i] - (i < b->n ? b->limb[i] : 0);
        a->limb[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (a->n > 0 && a->limb[a->n - 1] == 0)
        a->n--;
}

static bool is_low(const scaled *v)
{
    return compare(&v->r, &v->below) < v->inclusive;
}

static bool is_high(const scaled *v)
{
    big sum = v->r;

    add(&sum, &v->above);
    return compare(&sum, &v->s) > -v->inclusive;
}

static void times_ten(scaled *v)
{
    multiply(&v->r, 10);
    multiply(&v->above, 10);
    multiply(&v->below, 10);
}

/* m * 2^e below 10^point and not below 10^(point - 1); returns the point. */
static int scale(scaled *v, uint64_t m, int e)
{
    /* The next number below a power of two is half as far away as the one above. */
    int uneven = m == UINT64_C(1) << 63 && e > -16445, up = e > 0 ? e : 0, down = e < 0 ? -e : 0;
    int point = (int)((63 - pickle__clz64(m) + e) * 0.30102999566398120 - 1) + 1;

    v->inclusive = (m & 1) == 0;
    set(&v->r, m, up + 1 + uneven);
    set(&v->s, 1, down + 1 + uneven);
    set(&v->above, 1, up + uneven);
    set(&v->below, 1, up);
    multiply_pow10(&v->s, point > 0 ? point : 0);
    if (point < 0) {
        multiply_pow10(&v->r, -point);
        multiply_pow10(&v->above, -point);
        multiply_pow10(&v->below, -point);
    }
    while (is_high(v)) {
        multiply(&v->s, 10);
        point++;
    }
    return point;
}

static int next_digit(scaled *v)
{
    int digit = 0;

    times_ten(v);
    for (; compare(&v->r, &v->s) >= 0; digit++)
        subtract(&v->r, &v->s);
    return digit;
}

/* At most 21 digits; the last is rounded towards the number. */
static int generate(scaled *v, char *digits)
{
    int n = 0, digit, half;
    bool low, high;

    do {
        digit = next_digit(v);
        low = is_low(v);
        high = is_high(v);
        digits[n++] = (char)('0' + digit);
    } while (!low && !high && n < MOST_DIGITS);
    multiply(&v->r, 2);
    half = compare(&v->r, &v->s);
    if (high && (!low || half > 0 || (half == 0 && digit % 2)))
        digits[n - 1]++;
    return n;
}

static char *put_finite(char *dst, pickle__x80 x)
{
    int exponent = x.exponent & 0x7fff, point, n;
    char digits[MOST_DIGITS];
    scaled v;

    point = scale(&v, x.mantissa, (exponent ? exponent : 1) - 16383 - 63);
    n = generate(&v, digits);
    return pickle__put_digits(dst, digits, n, point);
}

size_t pickle__x80_repr(char dst[PICKLE__X80_CHARS], pickle__x80 x)
{
    const char *word = NULL;
    char *at = dst;

    if ((x.exponent & 0x7fff) == 0x7fff)
        word = x.mantissa << 1 ? "nan" : "inf";
    else if (x.mantissa == 0)
        word = "0.0";
    if (x.exponent >> 15 && !(word && *word == 'n'))
        *at++ = '-';
    if (word)
        at = (char *)memcpy(at, word, 3) + 3;
    else
        at = put_finite(at, x);
    *at = '\0';
    return (size_t)(at - dst);
}
