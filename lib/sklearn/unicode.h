/*
 * unicode.h - characters as Python has them: str.lower(), isalnum(), NFKD without accents.
 *
 * Unicode 15.1, that of Python 3.13; other Pythons differ in the characters that came or changed
 * between. Text is UTF-8 in which lone surrogates may be, as three bytes each.
 */
#ifndef PICKLE__SKLEARN_UNICODE_H
#define PICKLE__SKLEARN_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICKLE__CHAR_WORD    1 /* \w: isalnum(), or _ */
#define PICKLE__CHAR_DECIMAL 2 /* \d: isdecimal() */
#define PICKLE__CHAR_SPACE   4 /* \s: isspace() */

/* Bits of PICKLE__CHAR_*. */
unsigned pickle__char_kind(uint32_t c);
/* The lower case that is one character. */
uint32_t pickle__char_lower(uint32_t c);

/* The character at `at`, of text that is valid; *at moves behind it. */
static inline uint32_t pickle__char_next(const unsigned char **at)
{
    const unsigned char *p = *at;
    uint32_t c = *p;

    if (c < 0x80) {
        *at = p + 1;
        return c;
    }
    if (c < 0xe0) {
        *at = p + 2;
        return (c & 31) << 6 | (p[1] & 63u);
    }
    if (c < 0xf0) {
        *at = p + 3;
        return (c & 15) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);
    }
    *at = p + 4;
    return (c & 7) << 18 | (p[1] & 63u) << 12 | (p[2] & 63u) << 6 | (p[3] & 63u);
}

static inline uint32_t pickle__char_peek(const unsigned char *at)
{
    return pickle__char_next(&at);
}

/* Bytes of the character that `c` begins; 1 for those that begin none. */
static inline size_t pickle__char_size(unsigned char c)
{
    return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Is it ASCII? */
bool pickle__text_ascii(const char *text, size_t n);
/* Bytes from the start that are UTF-8; `n` if all are. *bad: how many after them Python's decoder
 * takes as one error. */
size_t pickle__text_valid(const char *text, size_t n, size_t *bad);

/* What becomes of text before it is taken apart. */
typedef enum pickle__accents {
    PICKLE__ACCENTS_KEPT,
    PICKLE__ACCENTS_ASCII,      /* strip_accents='ascii'   */
    PICKLE__ACCENTS_UNICODE,    /* strip_accents='unicode' */
    PICKLE__ACCENTS_UNICODE_OLD /* likewise, but text that is in NFKD keeps its accents */
} pickle__accents;

/* Write the lower case, and give its bytes; `to` has room for pickle__lower_room(n). */
size_t pickle__lower(const char *text, size_t n, char *to);
size_t pickle__lower_room(size_t n);
/* Without accents; where `to` is NULL, only the bytes that are needed. */
size_t pickle__strip_accents(pickle__accents how, const char *text, size_t n, char *to);

#endif
