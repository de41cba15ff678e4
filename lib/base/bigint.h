/* bigint.h - arithmetic on natural numbers of any size: arrays of 64-bit limbs, lowest first. */
#ifndef PICKLE__BIGINT_H
#define PICKLE__BIGINT_H

#include "base/base.h"

#define PICKLE__CHUNK_DIGITS 19 /* as many decimal digits as surely fit a limb */
#define PICKLE__CHUNK        UINT64_C(10000000000000000000)

/*
 * From base 10^19 to base 2^64, in place: `limbs` holds `n` chunks of 19
 * decimal digits, the lowest first. False when there is no memory for scratch.
 */
bool pickle__limbs_from_chunks(uint64_t *limbs, size_t n, const pickle_alloc *alloc);

/* Divide by 10^19 in place; returns the remainder. */
uint64_t pickle__limbs_div_chunk(uint64_t *limbs, size_t n);

/* limbs = -limbs, as two's complement. */
void pickle__limbs_negate(uint64_t *limbs, size_t n);

#endif
