/* bigint.c - from decimal chunks to limbs in less than quadratic time, and back in quadratic time.
 */
#include "base/bigint.h"
#include "base/wide.h"

#define LEAF      32 /* chunks that are converted one by one: a power of two   */
#define KARATSUBA 32 /* limbs from which three half-size products beat the rows */

/* ------------------------------------------------------- one row at a time */

/* a[0..n) += b, returns the carry. */
static uint64_t add_small(uint64_t *a, size_t n, uint64_t b)
{
    for (size_t i = 0; i < n && b > 0; i++) {
        a[i] += b;
        b = a[i] < b;
    }
    return b;
}

/* a[0..n) += b[0..n), returns the carry. */
static uint64_t add(uint64_t *a, const uint64_t *b, size_t n)
{
    uint64_t carry = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t sum = a[i] + carry;

        carry = sum < carry;
        a[i] = sum + b[i];
        carry += a[i] < sum;
    }
    return carry;
}

/* a[0..n) -= b[0..n), returns the borrow. */
static uint64_t subtract(uint64_t *a, const uint64_t *b, size_t n)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t value = a[i], difference = value - b[i];

        a[i] = difference - borrow;
        borrow = (value < b[i]) | (difference < borrow);
    }
    return borrow;
}

/* a[0..n) = a * b + c, returns the limb that carries out. */
static uint64_t scale(uint64_t *a, size_t n, uint64_t b, uint64_t c)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t high, low = pickle__mul64(a[i], b, &high);

        a[i] = low + c;
        c = high + (a[i] < low);
    }
    return c;
}

/* dst[0..n) += a[0..n) * b, returns the limb that carries out. */
static uint64_t add_scaled(uint64_t *dst, const uint64_t *a, size_t n, uint64_t b)
{
    uint64_t carry = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t high, low = pickle__mul64(a[i], b, &high);

        low += carry;
        high += low < carry;
        dst[i] += low;
        carry = high + (dst[i] < low);
    }
    return carry;
}

void pickle__limbs_negate(uint64_t *limbs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        limbs[i] = ~limbs[i];
    add_small(limbs, n, 1);
}

/* ---------------------------------------------------------------- products */

/* dst[0..na+nb) = a * b */
static void multiply_rows(uint64_t *dst, const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
    memset(dst, 0, na * sizeof *dst);
    for (size_t i = 0; i < nb; i++)
        dst[na + i] = add_scaled(dst + i, a, na, b[i]);
}

/* dst[0..n) = |a - b|; returns whether a < b. */
static bool distance(uint64_t *dst, const uint64_t *a, const uint64_t *b, size_t n)
{
    bool negative;

    memcpy(dst, a, n * sizeof *dst);
    negative = subtract(dst, b, n) > 0;
    if (negative)
        pickle__limbs_negate(dst, n);
    return negative;
}

/*
 * dst[0..2n) = a * b, both of n limbs, the way of Karatsuba; n is a power of two,
 * and `scratch` has room for 2n limbs. Recursion is as deep as n has bits.
 */
static void multiply(uint64_t *dst, const uint64_t *a, const uint64_t *b, size_t n,
                     uint64_t *scratch)
{
    size_t half = n / 2;
    uint64_t *cross = scratch, *rest = scratch + n;
    uint64_t carry;
    bool negative;

    if (n < KARATSUBA) {
        multiply_rows(dst, a, n, b, n);
        return;
    }
    /* a0 b1 + a1 b0 = a0 b0 + a1 b1 - cross, where cross = (a0 - a1) (b0 - b1) */
    negative = distance(dst, a, a + half, half);
    negative ^= distance(dst + half, b, b + half, half);
    multiply(cross, dst, dst + half, half, rest);
    multiply(dst, a, b, half, rest);
    multiply(dst + n, a + half, b + half, half, rest);

    memcpy(rest, dst, n * sizeof *rest);
    carry = add(rest, dst + n, n);
    if (negative)
        carry += add(rest, cross, n);
    else
        carry -= subtract(rest, cross, n);
    carry += add(dst + half, rest, n);
    add_small(dst + half + n, half, carry);
}

/* -------------------------------------------------------------- conversion */

/* Horner's rule over at most LEAF chunks, in place. */
static void convert_leaf(uint64_t *limbs, size_t n)
{
    uint64_t chunks[LEAF];

    memcpy(chunks, limbs, n * sizeof *chunks);
    for (size_t i = 0; i < n; i++)
        limbs[i] = scale(limbs, i, PICKLE__CHUNK, chunks[n - 1 - i]);
}

/*
 * Work space for merging blocks of up to `width` limbs. `power` is 10^19 to the
 * number of chunks in a block: the weight of each second block.
 */
typedef struct merge {
    uint64_t *power, *padded, *product, *scratch;
} merge;

/* `memory` is 6 limbs for each of the width. */
static merge merge_in(uint64_t *memory, size_t width)
{
    return (merge){ memory, memory + width, memory + 2 * width, memory + 4 * width };
}

/* Two neighbours, the low one of `width` limbs and a high one of up to as many, become one. */
static void merge_pair(const merge *m, uint64_t *limbs, size_t width, size_t high)
{
    if (high < KARATSUBA) {
        multiply_rows(m->product, m->power, width, limbs + width, high);
    } else {
        memcpy(m->padded, limbs + width, high * sizeof *limbs);
        memset(m->padded + high, 0, (width - high) * sizeof *limbs);
        multiply(m->product, m->power, m->padded, width, m->scratch);
    }
    add_small(m->product + width, high, add(m->product, limbs, width));
    memcpy(limbs, m->product, (width + high) * sizeof *limbs);
}

static void merge_all(const merge *m, uint64_t *limbs, size_t n)
{
    memset(m->power, 0, LEAF * sizeof *m->power);
    m->power[0] = 1;
    for (size_t i = 0; i < LEAF; i++)
        scale(m->power, LEAF, PICKLE__CHUNK, 0);

    for (size_t width = LEAF;; width *= 2) {
        for (size_t at = 0; at + width < n; at += 2 * width) {
            size_t rest = n - at - width;

            merge_pair(m, limbs + at, width, rest < width ? rest : width);
        }
        if (2 * width >= n)
            return;
        multiply(m->product, m->power, m->power, width, m->scratch);
        memcpy(m->power, m->product, 2 * width * sizeof *m->power);
    }
}

bool pickle__limbs_from_chunks(uint64_t *limbs, size_t n, const pickle_alloc *alloc)
{
    size_t width = LEAF; /* in the end, that of the last merge */
    size_t size;
    uint64_t *memory;
    merge m;

    for (size_t at = 0; at < n; at += LEAF)
        convert_leaf(limbs + at, n - at < LEAF ? n - at : LEAF);
    if (n <= LEAF)
        return true;

    while (width < n - width)
        width *= 2;
    if (!pickle__mul(width, 6 * sizeof *memory, &size))
        return false;
    memory = pickle__alloc(alloc, size);
    if (!memory)
        return false;
    m = merge_in(memory, width);
    merge_all(&m, limbs, n);
    pickle__free(alloc, memory, size);
    return true;
}

uint64_t pickle__limbs_div_chunk(uint64_t *limbs, size_t n)
{
    /* Division by an invariant: floor((2^128 - 1) / 10^19) - 2^64 (Moeller and Granlund, 2011). */
    const uint64_t inverse = UINT64_C(0xd83c94fb6d2ac34a);
    uint64_t rest = 0;

    while (n-- > 0) {
        uint64_t limb = limbs[n], quotient, fraction = pickle__mul64(rest, inverse, &quotient);

        fraction += limb;
        quotient += rest + (fraction < limb) + 1;
        rest = limb - quotient * PICKLE__CHUNK;
        if (rest > fraction) {
            quotient--;
            rest += PICKLE__CHUNK;
        }
        if (rest >= PICKLE__CHUNK) {
            quotient++;
            rest -= PICKLE__CHUNK;
        }
        limbs[n] = quotient;
    }
    return rest;
}
