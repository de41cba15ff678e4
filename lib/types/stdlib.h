/* stdlib.h - views of the standard library, between the files of this layer. */
#ifndef PICKLE__STDLIB_H
#define PICKLE__STDLIB_H

#include "types/known.h"
#include "types/numpy.h"

#include <pickle/stdlib.h>

/* The name of its class without the module, as repr() shows it: "PosixPath"; NULL: not known. */
const char *pickle__class_name(const pickle_val *v);
/* Argument `index` of an object, wherever None is not a value: NULL for that, too. */
const pickle_val *pickle__argument(const pickle_val *v, size_t index);

/* Is part 0 of a mapping a list of pairs, rather than a dict? */
bool pickle__has_pairs(const pickle_items *items);

/* What pickle_find takes in brackets or as a bare name: a key, an index, or both. */
const pickle_val *pickle__item_text(const pickle_val *v, const char *text, size_t len);
const pickle_val *pickle__item_number(const pickle_val *v, int64_t number);

/* The two numbers of a Fraction in its old form, "-22/7", which has no "/1". */
bool pickle__fraction_text(const pickle_val *v, const char **numerator, size_t *len,
                           const char **denominator);

#define PICKLE__SECONDS_A_DAY 86400
#define PICKLE__MOST_DAYS     999999999 /* of a timedelta, either way */

int pickle__days_in_month(int year, int month);
/* Takes what is more than `unit` out of `*n`, which becomes 0..unit-1. */
int64_t pickle__carry(int64_t *n, int64_t unit);
uint64_t pickle__magnitude(int64_t n);
/* The greatest common divisor; of 0 and 0, 0. */
uint64_t pickle__gcd(uint64_t a, uint64_t b);

#endif
