/*
 * float.c - doubles from and to decimal text, correctly rounded, whatever the locale.
 *
 * Reading is the method of Lemire, "Number Parsing at a Gigabyte per Second"
 * (2021), which needs no fallback up to 19 digits (Mushtak and Lemire, 2023).
 * Writing is that of Giulietti, "The Schubfach way to render doubles" (2020).
 * Both multiply by the leading 128 bits of a power of ten.
 */
#include "base/number.h"
#include "base/wide.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct power {
    uint64_t high, low;
} power;

/* 10^e = (m + something below 1) * 2^(floor_log2_pow10(e) - 127), where m is the entry of e. */
static const power powers[] = {
#include "base/pow10.inc"
};
#define FIRST_POWER (-342)

#define SIGN     (UINT64_C(1) << 63)
#define INFINITE (UINT64_C(0x7ff) << 52)
#define QUIET    (UINT64_C(1) << 51)
#define HIDDEN   (UINT64_C(1) << 52) /* the leading bit of a mantissa, which is not stored */

static double from_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* These three are exact for every exponent of a double; the shifts round down. */
static int floor_log2_pow10(int e)
{
    return (e * 217706) >> 16;
}

static int floor_log10_pow2(int e)
{
    return (e * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

/* ------------------------------------------------------------------ reading */

#define KEPT_DIGITS 19

/* What stands in the text: digits * 10^exponent, a little more if `more`. */
typedef struct decimal {
    uint64_t digits; /* the first 19 that count  */
    unsigned kept;   /* how many of them         */
    bool more;       /* one that is not 0 follows */
    int64_t exponent;
} decimal;

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static const unsigned char *scan_digits(decimal *d, const unsigned char *p,
                                        const unsigned char *end, bool fraction)
{
    for (; p < end && is_digit(*p); p++) {
        if (d->kept < KEPT_DIGITS) {
            d->digits = d->digits * 10 + (*p - '0');
            d->kept += d->digits > 0;
            d->exponent -= fraction;
        } else {
            d->more |= *p != '0';
            d->exponent += !fraction;
        }
    }
    return p;
}

/* The exponent at `p`, if there is one: "e", perhaps a sign, digits. */
static const unsigned char *scan_exponent(decimal *d, const unsigned char *p,
                                          const unsigned char *end)
{
    const unsigned char *digits = p + 1;
    int64_t exponent = 0;
    bool negative;

    if (p == end || (*p | 0x20) != 'e')
        return p;
    negative = digits < end && *digits == '-';
    if (digits < end && (*digits == '-' || *digits == '+'))
        digits++;
    if (digits == end || !is_digit(*digits))
        return p;
    for (p = digits; p < end && is_digit(*p); p++) {
        if (exponent < INT64_MAX / 100)
            exponent = exponent * 10 + (*p - '0');
    }
    d->exponent += negative ? -exponent : exponent;
    return p;
}

/* The longest decimal number at `p`; returns where it ends, `p` itself if there is none. */
static const unsigned char *scan_decimal(decimal *d, const unsigned char *p,
                                         const unsigned char *end)
{
    const unsigned char *whole_end, *at;
    size_t count;

    memset(d, 0, sizeof *d);
    at = whole_end = scan_digits(d, p, end, false);
    count = (size_t)(whole_end - p);
    if (at < end && *at == '.') {
        at = scan_digits(d, whole_end + 1, end, true);
        count += (size_t)(at - whole_end) - 1;
    }
    return count > 0 ? scan_exponent(d, at, end) : p;
}

/* The bits of the double nearest to digits * 10^exponent. */
static uint64_t nearest(uint64_t digits, int64_t exponent)
{
    int shift, binary, e = (int)exponent;
    unsigned carry;
    uint64_t high, low, more, m;
    power p;

    if (digits == 0 || exponent < FIRST_POWER)
        return 0;
    if (exponent > 308)
        return INFINITE;
    p = powers[e - FIRST_POWER];
    /* Where 5^-e is below 2^64 the product may be an integer: it must not fall short of it. */
    p.low += e < 0 && e >= -27;
    shift = pickle__clz64(digits);
    low = pickle__mul64(digits << shift, p.high, &high);
    pickle__mul64(digits << shift, p.low, &more);
    low += more;
    high += low < more;

    carry = (unsigned)(high >> 63);
    m = high >> (9 + carry); /* 53 bits and one for rounding */
    binary = floor_log2_pow10(e) + 63 - shift + (int)carry;
    if (binary < -1022) {
        m = binary < -1022 - 63 ? 0 : m >> (-1022 - binary);
        return (m + 1) >> 1;
    }
    /* Exactly between two doubles, which only these powers allow: to the even one. */
    if (low <= 1 && e >= -4 && e <= 23 && (m & 3) == 1 && m << (9 + carry) == high)
        m--;
    m = ((uint64_t)(binary + 1022) << 52) + ((m + 1) >> 1);
    return m < INFINITE ? m : INFINITE;
}

/*
 * For numbers so close to the middle between two doubles that their first 19
 * digits do not decide: 768 do, if one more says whether something follows.
 * strtod() gets an integer with an exponent: no radix character is involved.
 */
static double read_long(const decimal *d, const unsigned char *p, const unsigned char *end)
{
    enum { ENOUGH = 768 };
    char text[ENOUGH + 32];
    int n = 0;

    for (; p < end && (is_digit(*p) || *p == '.'); p++) {
        if (*p == '.' || (*p == '0' && n == 0))
            continue;
        if (n < ENOUGH) {
            text[n++] = (char)*p;
        } else if (*p != '0') {
            text[n++] = '1';
            break;
        }
    }
    snprintf(text + n, sizeof text - (size_t)n, "e%d", (int)d->exponent + KEPT_DIGITS - n);
    return strtod(text, NULL);
}

static double read_decimal(const decimal *d, const unsigned char *p, const unsigned char *end)
{
    uint64_t bits = nearest(d->digits, d->exponent);

    if (d->more && nearest(d->digits + 1, d->exponent) != bits)
        return read_long(d, p, end);
    return from_bits(bits);
}

/* Whether the text goes on with `word`, in any case; then it is stepped over. */
static bool accept(const unsigned char **p, const unsigned char *end, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(end - *p) < len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (((*p)[i] | 0x20) != word[i])
            return false;
    }
    *p += len;
    return true;
}

bool pickle__float_parse(const unsigned char *text, size_t len, double *out, bool *overflow)
{
    const unsigned char *p = text, *end = text + len, *after;
    bool negative = len > 0 && *p == '-';
    decimal d;

    *overflow = false;
    if (len > 0 && (*p == '-' || *p == '+'))
        p++;
    after = scan_decimal(&d, p, end);
    if (after > p) {
        *out = read_decimal(&d, p, after);
        *overflow = *out > DBL_MAX;
    } else if (accept(&after, end, "inf")) {
        *out = from_bits(INFINITE);
        accept(&after, end, "inity");
    } else if (accept(&after, end, "nan")) {
        *out = from_bits(INFINITE | QUIET);
    } else {
        return false;
    }
    if (negative)
        *out = -*out;
    return !*overflow && (after == end || *after == '\0');
}

/* ------------------------------------------------------------------ writing */

/* floor(g * n / 2^128), its lowest bit set if that is not exact. */
static uint64_t multiply_to_odd(power g, uint64_t n)
{
    uint64_t high, low = pickle__mul64(g.high, n, &high), carry;

    pickle__mul64(g.low, n, &carry);
    low += carry;
    high += low < carry;
    return high | (low > 1);
}

/*
 * The shortest decimal that reads back as c * 2^q, and the closest of those:
 * returns its digits and sets *exponent. `uneven` means that the next lower
 * double is half as far away as the next higher.
 */
static uint64_t shortest(uint64_t c, int q, bool uneven, int *exponent)
{
    int k = uneven ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int shift = q + floor_log2_pow10(-k) + 1;
    power g = powers[-k - FIRST_POWER];
    uint64_t lower, middle, upper, odd = c & 1, s, tens;
    bool down, up;

    /* In quarters of 10^k: the number, and the ends of what rounds to it, which even c include. */
    g.low++;
    lower = multiply_to_odd(g, (4 * c - 2 + uneven) << shift) + odd;
    middle = multiply_to_odd(g, 4 * c << shift);
    upper = multiply_to_odd(g, (4 * c + 2) << shift) - odd;

    s = middle / 4;
    tens = s / 10 * 10;
    down = s >= 10 && lower <= 4 * tens;
    up = s >= 10 && 4 * (tens + 10) <= upper;
    *exponent = k;
    if (down != up)
        return down ? tens : tens + 10;
    down = lower <= 4 * s;
    up = 4 * (s + 1) <= upper;
    if (down == up) {
        up = middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1));
        down = !up;
    }
    return down ? s : s + 1;
}

/* As shortest(), without zeros at the end. */
static uint64_t to_decimal(uint64_t c, int q, bool uneven, int *exponent)
{
    uint64_t digits;

    if (q <= 0 && q > -53 && (c & ((UINT64_C(1) << -q) - 1)) == 0) {
        digits = c >> -q; /* an integer is its own shortest decimal */
        *exponent = 0;
    } else {
        digits = shortest(c, q, uneven, exponent);
    }
    while (digits % 10 == 0) {
        digits /= 10;
        ++*exponent;
    }
    return digits;
}

static char *put(char *dst, const char *src, int n)
{
    memcpy(dst, src, (size_t)n);
    return dst + n;
}

static char *put_zeros(char *dst, int n)
{
    memset(dst, '0', (size_t)n);
    return dst + n;
}

/* d.ddde+XX, or de+XX */
static char *put_exponent_form(char *dst, const char *digits, int n, int exponent)
{
    char reversed[4];
    int i = 0;

    *dst++ = digits[0];
    if (n > 1) {
        *dst++ = '.';
        dst = put(dst, digits + 1, n - 1);
    }
    *dst++ = 'e';
    *dst++ = exponent < 0 ? '-' : '+';
    for (exponent = exponent < 0 ? -exponent : exponent; exponent > 0 || i < 2; exponent /= 10)
        reversed[i++] = (char)('0' + exponent % 10);
    while (i > 0)
        *dst++ = reversed[--i];
    return dst;
}

/* `point` is where the decimal point stands, counted from the first digit. */
static char *put_plain_form(char *dst, const char *digits, int n, int point)
{
    if (point <= 0) {
        dst = put_zeros(put(dst, "0.", 2), -point);
        return put(dst, digits, n);
    }
    if (point >= n) {
        dst = put_zeros(put(dst, digits, n), point - n);
        return put(dst, ".0", 2);
    }
    dst = put(dst, digits, point);
    *dst++ = '.';
    return put(dst, digits + point, n - point);
}

char *pickle__put_digits(char *dst, const char *digits, int n, int point)
{
    if (point < -3 || point > 16)
        return put_exponent_form(dst, digits, n, point - 1);
    return put_plain_form(dst, digits, n, point);
}

/* A finite double that is also a number of a format with `precision` bits, the last not below
 * 2^least. */
static char *put_finite(char *dst, uint64_t bits, int precision, int least)
{
    char text[20], *end = text + sizeof text, *digits = end;
    uint64_t c = bits & (HIDDEN - 1), rest;
    int biased = (int)(bits >> 52), q = biased ? biased - 1075 : -1074, exponent, drop;

    if (bits == 0)
        return put(dst, "0.0", 3);
    if (biased)
        c |= HIDDEN;
    drop = q + 53 - precision < least ? least - q : 53 - precision;
    c >>= drop;
    q += drop;
    rest = to_decimal(c, q, c == UINT64_C(1) << (precision - 1) && q > least, &exponent);
    for (; rest > 0; rest /= 10)
        *--digits = (char)('0' + rest % 10);
    return pickle__put_digits(dst, digits, (int)(end - digits), (int)(end - digits) + exponent);
}

size_t pickle__float_repr(char dst[PICKLE__FLOAT_CHARS], double x)
{
    return pickle__narrow_repr(dst, x, 53, -1074);
}

size_t pickle__narrow_repr(char dst[PICKLE__FLOAT_CHARS], double x, int precision, int least)
{
    uint64_t bits;
    char *end = dst;

    memcpy(&bits, &x, sizeof bits);
    if ((bits & ~SIGN) > INFINITE) {
        end = put(end, "nan", 3);
    } else {
        if (bits & SIGN)
            *end++ = '-';
        bits &= ~SIGN;
        end = bits == INFINITE ? put(end, "inf", 3) : put_finite(end, bits, precision, least);
    }
    *end = '\0';
    return (size_t)(end - dst);
}
