/* json.h - JSON becomes UBJSON, so that one reader does for both; and its numbers. */
#ifndef PICKLE__SKLEARN_JSON_H
#define PICKLE__SKLEARN_JSON_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A decimal number such as 3.3333334E-1, whatever the locale: strtod gets digits and a power of
 * ten, and no radix character is involved. Where the number ends; NULL for what is none.
 */
const char *pickle__json_number(const char *at, const char *end, double *out);

/* Write `text` as UBJSON to `out`, or only count where that is NULL: *size is how long it is.
 * Strings keep their escapes. False for what is no JSON. */
bool pickle__json_to_ubjson(const char *text, size_t len, unsigned char *out, size_t *size);

#endif
