/* number.c - integers from and to text, and as two's complement bytes. */
#include "base/number.h"
#include "base/bigint.h"
#include "base/wide.h"

/* What isspace() takes in the C locale. */
static bool is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* --------------------------------------------------------------- reading */

/* The digits of a number in text, underscores between them. */
typedef struct digits {
    const unsigned char *at, *end;
    size_t count; /* without underscores */
    unsigned base;
    bool negative;
} digits;

/* The base that a prefix announces; 10 without one. */
static unsigned prefix_base(const unsigned char *at, const unsigned char *end)
{
    if (end - at < 2 || at[0] != '0')
        return 10;
    switch (at[1] | 0x20) {
    case 'x':
        return 16;
    case 'o':
        return 8;
    case 'b':
        return 2;
    default:
        return 10;
    }
}

/* Digits with single underscores between them, up to the end; sets d->count. */
static bool scan_digits(digits *d)
{
    size_t underscores = 0;
    bool after_digit = false;

    for (const unsigned char *p = d->at; p < d->end; p++) {
        if (*p == '_') {
            if (!after_digit)
                return false;
            after_digit = false;
            underscores++;
        } else if (pickle__digit(*p) < d->base) {
            after_digit = true;
        } else {
            return false;
        }
    }
    d->count = (size_t)(d->end - d->at) - underscores;
    return after_digit;
}

static bool all_zero(const digits *d)
{
    for (const unsigned char *p = d->at; p < d->end; p++) {
        if (*p != '0' && *p != '_')
            return false;
    }
    return true;
}

/* The literal of Python without its blanks, its sign and its prefix. */
static bool scan_int(digits *d, const unsigned char *text, size_t len, int base)
{
    const unsigned char *at = text, *end = text + len;

    while (at < end && is_blank(*at))
        at++;
    while (end > at && is_blank(end[-1]))
        end--;
    d->negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    d->base = base == 0 ? prefix_base(at, end) : 10;
    if (d->base != 10) {
        at += 2;
        if (at < end && *at == '_')
            at++;
    }
    d->at = at;
    d->end = end;
    if (!scan_digits(d))
        return false;
    return base != 0 || d->base != 10 || *at != '0' || all_zero(d);
}

/* Takes up to `most` digits from the end. */
static uint64_t take_digits(digits *d, unsigned most)
{
    uint64_t value = 0, weight = 1;

    for (; d->end > d->at && most > 0; d->end--) {
        if (d->end[-1] == '_')
            continue;
        value += weight * pickle__digit(d->end[-1]);
        weight *= d->base;
        most--;
    }
    return value;
}

/* Digits that surely fit a limb. */
static unsigned digits_per_limb(unsigned base)
{
    switch (base) {
    case 2:
        return 64;
    case 8:
        return 21;
    case 16:
        return 16;
    default:
        return PICKLE__CHUNK_DIGITS;
    }
}

/* The digits of base 2, 8 or 16 as limbs, the rest of which are zero. */
static void read_bits(digits *d, uint64_t *limbs)
{
    unsigned width = d->base == 2 ? 1 : d->base == 8 ? 3 : 4, filled = 0;

    while (d->end > d->at) {
        uint64_t digit = take_digits(d, 1);

        *limbs |= digit << filled;
        filled += width;
        if (filled >= 64) {
            filled -= 64;
            *++limbs = digit >> (width - filled);
        }
    }
}

static bool read_decimal(digits *d, uint64_t *limbs, const pickle_alloc *alloc)
{
    size_t n = 0;

    while (d->end > d->at)
        limbs[n++] = take_digits(d, PICKLE__CHUNK_DIGITS);
    return pickle__limbs_from_chunks(limbs, n, alloc);
}

static void store_limb(unsigned char *dst, uint64_t limb)
{
    for (int i = 0; i < 8; i++)
        dst[i] = (unsigned char)(limb >> 8 * i);
}

/* Two's complement of up to eight bytes. */
static int64_t load_small(const unsigned char *bytes, size_t len)
{
    uint64_t value = len > 0 && bytes[len - 1] >= 0x80 ? UINT64_MAX : 0;

    while (len-- > 0)
        value = value << 8 | bytes[len];
    return (int64_t)value;
}

/* Takes over `limbs`, a magnitude whose highest bit is clear, as the result. */
static void finish(uint64_t *limbs, size_t n, bool negative, const pickle_alloc *alloc,
                   pickle__int *out)
{
    unsigned char *bytes = (unsigned char *)limbs;

    if (negative)
        pickle__limbs_negate(limbs, n);
    for (size_t i = 0; i < n; i++)
        store_limb(bytes + 8 * i, limbs[i]);
    out->bytes = bytes;
    out->size = n * sizeof *limbs;
    out->len = pickle__int_trim(bytes, out->size);
    if (out->len > 8)
        return;
    *out = (pickle__int){ .fits = true, .small = load_small(bytes, out->len) };
    pickle__free(alloc, limbs, n * sizeof *limbs);
}

/* The usual case: a number that fits and is written without too many zeros. */
static bool parse_small(digits d, pickle__int *out)
{
    unsigned most = digits_per_limb(d.base);
    uint64_t value;

    if (d.count > most)
        return false;
    value = take_digits(&d, most);
    if (value > (uint64_t)INT64_MAX + d.negative)
        return false;
    *out = (pickle__int){ .fits = true, .small = (int64_t)(d.negative ? 0 - value : value) };
    return true;
}

static pickle_status parse_big(digits *d, const pickle_alloc *alloc, pickle__int *out)
{
    /* One more for the digits that do not fill a limb, one for the sign. */
    size_t n = d->count / digits_per_limb(d->base) + 2;
    uint64_t *limbs = pickle__alloc(alloc, n * sizeof *limbs);

    if (!limbs)
        return PICKLE_ERR_NOMEM;
    memset(limbs, 0, n * sizeof *limbs);
    if (d->base != 10) {
        read_bits(d, limbs);
    } else if (!read_decimal(d, limbs, alloc)) {
        pickle__free(alloc, limbs, n * sizeof *limbs);
        return PICKLE_ERR_NOMEM;
    }
    finish(limbs, n, d->negative, alloc, out);
    return PICKLE_OK;
}

pickle_status pickle__int_parse(const unsigned char *text, size_t len, int base,
                                uint64_t max_digits, const pickle_alloc *alloc, pickle__int *out)
{
    digits d;

    memset(out, 0, sizeof *out);
    if (!scan_int(&d, text, len, base))
        return PICKLE_ERR_OPERAND;
    if (d.base == 10 && d.count > max_digits)
        return PICKLE_ERR_LIMIT;
    if (parse_small(d, out))
        return PICKLE_OK;
    return parse_big(&d, alloc, out);
}

/* The longest run of digits at `p`; saturates. Returns where it ends. */
static const unsigned char *read_saturated(const unsigned char *p, const unsigned char *end,
                                           unsigned base, uint64_t *value, bool *overflow)
{
    for (*value = 0; p < end && pickle__digit(*p) < base; p++) {
        unsigned digit = pickle__digit(*p);

        if (*value > (UINT64_MAX - digit) / base)
            *overflow = true;
        else
            *value = *value * base + digit;
    }
    return p;
}

size_t pickle__strtol(const unsigned char *text, size_t len, int base, int64_t *value,
                      bool *overflow)
{
    const unsigned char *p = text, *end = text + len, *start;
    uint64_t magnitude, most = INT64_MAX;
    bool negative;
    unsigned radix = 10;

    *overflow = false;
    while (p < end && is_blank(*p))
        p++;
    negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (base == 0 && p < end && *p == '0') {
        radix = 8;
        if (end - p > 2 && (p[1] | 0x20) == 'x' && pickle__digit(p[2]) < 16) {
            radix = 16;
            p += 2;
        }
    }
    start = p;
    p = read_saturated(p, end, radix, &magnitude, overflow);
    most += negative;
    if (*overflow || magnitude > most) {
        *overflow = true;
        magnitude = most;
    }
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return p == start ? 0 : (size_t)(p - text);
}

/* --------------------------------------------------------------- writing */

/* Decimal digits of `n` before `end`, with zeros in front up to `width`; returns the first. */
static char *put_decimal(char *end, uint64_t n, int width)
{
    for (; n > 0 || width > 0; n /= 10, width--)
        *--end = (char)('0' + n % 10);
    return end;
}

size_t pickle__i64_repr(char dst[PICKLE__INT_CHARS], int64_t n)
{
    char text[PICKLE__INT_CHARS], *end = text + sizeof text, *start;
    uint64_t magnitude = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    size_t len;

    start = put_decimal(end, magnitude, 1);
    if (n < 0)
        *--start = '-';
    len = (size_t)(end - start);
    memcpy(dst, start, len);
    dst[len] = '\0';
    return len;
}

/* The limbs of |n|; `limbs` has room for len / 8 + 1. */
static void load_magnitude(uint64_t *limbs, const unsigned char *bytes, size_t len)
{
    size_t whole = len / 8;

    for (size_t i = 0; i < whole; i++)
        limbs[i] = pickle__u64(bytes + 8 * i);
    limbs[whole] = (uint64_t)load_small(bytes + 8 * whole, len % 8);
    if (len > 0 && bytes[len - 1] >= 0x80) {
        if (len % 8 == 0)
            limbs[whole] = UINT64_MAX;
        pickle__limbs_negate(limbs, whole + 1);
    }
}

/* The decimal digits of `limbs`, which it uses up, before `end`; returns the first. */
static char *put_limbs(char *end, uint64_t *limbs, size_t n)
{
    char *start = end;

    while (n > 0) {
        if (limbs[n - 1] == 0)
            n--;
        else
            start = put_decimal(start, pickle__limbs_div_chunk(limbs, n), PICKLE__CHUNK_DIGITS);
    }
    while (start < end && *start == '0')
        start++;
    return start;
}

bool pickle__int_repr(const unsigned char *bytes, size_t len, pickle_sink out,
                      const pickle_alloc *alloc)
{
    size_t n, chars, size;
    uint64_t *limbs;
    char *end, *start, small[PICKLE__INT_CHARS];
    bool ok;

    len = pickle__int_trim(bytes, len);
    if (len <= 8)
        return out.write(out.ctx, small, pickle__i64_repr(small, load_small(bytes, len)));
    n = len / 8 + 1;
    /* 20 digits a limb are more than its 64 bits need. */
    if (!pickle__mul(n, 20, &chars) || !pickle__add(n * sizeof *limbs, chars, &size))
        return false;
    limbs = pickle__alloc(alloc, size);
    if (!limbs)
        return false;
    load_magnitude(limbs, bytes, len);
    end = (char *)limbs + size;
    start = put_limbs(end, limbs, n);
    if (bytes[len - 1] >= 0x80)
        *--start = '-';
    ok = out.write(out.ctx, start, (size_t)(end - start));
    pickle__free(alloc, limbs, size);
    return ok;
}

/* ------------------------------------------------------- two's complement */

size_t pickle__int_trim(const unsigned char *bytes, size_t len)
{
    while (len > 1 && ((bytes[len - 1] == 0 && bytes[len - 2] < 0x80) ||
                       (bytes[len - 1] == 0xff && bytes[len - 2] >= 0x80)))
        len--;
    return len == 1 && bytes[0] == 0 ? 0 : len;
}

size_t pickle__i64_bytes(unsigned char dst[8], int64_t n)
{
    store_limb(dst, (uint64_t)n);
    return pickle__int_trim(dst, 8);
}

/*
 * The eight highest bytes of |n| that hold digits, as one number, and in
 * *below how many bytes there are below them.
 */
static uint64_t top_bytes(const unsigned char *bytes, size_t len, size_t lowest, size_t *below)
{
    bool negative = bytes[len - 1] >= 0x80;
    uint64_t top = 0;

    /* Negation keeps the zero bytes at the bottom, negates the lowest other, and flips the rest. */
    for (size_t i = len; i-- > 0;) {
        unsigned char c = bytes[i];

        if (negative && i >= lowest)
            c = (unsigned char)(i == lowest ? -c : ~c);
        top = top << 8 | c;
        *below = i;
        if (top >> 56)
            break;
    }
    return top;
}

/* n * 2^exponent for n > 0 and exponent >= 0, rounded half to even; false if it overflows. */
static bool scale_double(uint64_t n, size_t exponent, double *out)
{
    int shift = pickle__clz64(n);
    uint64_t bits, rest;

    exponent += 63 - (size_t)shift;
    if (exponent > 1023)
        return false;
    n <<= shift;
    bits = n >> 11;
    rest = n & 0x7ff;
    bits += rest > 0x400 || (rest == 0x400 && (bits & 1));
    /* The leading one, and a carry out of the mantissa, both count up the exponent. */
    bits += (uint64_t)(exponent + 1022) << 52;
    memcpy(out, &bits, sizeof *out);
    return bits < UINT64_C(0x7ff) << 52;
}

bool pickle__int_to_double(const unsigned char *bytes, size_t len, double *out)
{
    size_t lowest = 0, below = 0;
    uint64_t top;

    *out = 0;
    while (lowest < len && bytes[lowest] == 0)
        lowest++;
    if (lowest == len)
        return true;
    top = top_bytes(bytes, len, lowest, &below);
    /* What is below matters only to tell a half from more than a half. */
    if (lowest < below)
        top |= 1;
    if (below > 1024 || !scale_double(top, 8 * below, out))
        return false;
    if (bytes[len - 1] >= 0x80)
        *out = -*out;
    return true;
}
