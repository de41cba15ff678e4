/*
 * number.h - numbers from and to text, independent of the locale.
 *
 * Big integers are two's complement, little-endian, minimal: no byte could be
 * dropped from the end without changing the value; zero has no bytes.
 */
#ifndef PICKLE__NUMBER_H
#define PICKLE__NUMBER_H

#include "base/base.h"

/* float.__repr__: shortest text that reads back to the same double. `dst` gets a NUL. */
#define PICKLE__FLOAT_CHARS 32
size_t pickle__float_repr(char dst[PICKLE__FLOAT_CHARS], double x);
/*
 * Likewise for a number of a narrower format, whose numbers have `precision`
 * bits, none below 2^least: a float has 24 and -149, a half 11 and -24.
 */
size_t pickle__narrow_repr(char dst[PICKLE__FLOAT_CHARS], double x, int precision, int least);
/*
 * 0.ddd * 10^point, laid out as float.__repr__ does: with an exponent where the
 * number is below 10^-4, or 10^16 and more. Returns the end; no NUL.
 */
char *pickle__put_digits(char *dst, const char *digits, int n, int point);

/*
 * The text of the FLOAT opcode as CPython's C unpickler reads it
 * (PyOS_string_to_double: no blanks, no underscores, inf/nan/infinity in any
 * case, no hex; a NUL ends the text). False when malformed, and *overflow when the
 * magnitude is too large for a double.
 */
bool pickle__float_parse(const unsigned char *text, size_t len, double *out, bool *overflow);

/*
 * The result of reading an integer: `small` if it fits, else `bytes` (allocated
 * with `alloc`, `size` bytes of it, `len` of them used).
 */
typedef struct pickle__int {
    bool fits;
    int64_t small;
    unsigned char *bytes;
    size_t len, size;
} pickle__int;

/*
 * Python's int(text, base) for base 0 or 10 on ASCII bytes: blanks around it,
 * sign, underscores between digits, for base 0 also 0x/0o/0b prefixes and no leading
 * zeros. PICKLE_OK, PICKLE_ERR_OPERAND (malformed), PICKLE_ERR_LIMIT (more than
 * `max_digits` digits in base 10), PICKLE_ERR_NOMEM. Sub-quadratic in the digits.
 */
pickle_status pickle__int_parse(const unsigned char *text, size_t len, int base,
                                uint64_t max_digits, const pickle_alloc *alloc, pickle__int *out);

/* C's strtol(text, &end, base) of LP64 Linux on `len` bytes that stand before a NUL: the value
 * (clamped to int64), how many bytes were used, and whether it overflowed. */
size_t pickle__strtol(const unsigned char *text, size_t len, int base, int64_t *value,
                      bool *overflow);

/* int.__repr__ of any size, to a sink. Quadratic in the length. */
bool pickle__int_repr(const unsigned char *bytes, size_t len, pickle_sink out,
                      const pickle_alloc *alloc);
/* Likewise for an int64; `dst` gets a NUL; returns the length. */
#define PICKLE__INT_CHARS 24
size_t pickle__i64_repr(char dst[PICKLE__INT_CHARS], int64_t n);

/* Bytes of an int64 in minimal form; `dst` has room for 8. Zero gives 0. */
size_t pickle__i64_bytes(unsigned char dst[8], int64_t n);
/* Drop redundant sign bytes: the minimal length of a two's complement number. */
size_t pickle__int_trim(const unsigned char *bytes, size_t len);
/* The number as a double, rounded half to even as int.__float__ does; false if it overflows. */
bool pickle__int_to_double(const unsigned char *bytes, size_t len, double *out);

#endif
