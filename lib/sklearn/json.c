/* json.c - JSON becomes UBJSON, so that one reader does for both; and its numbers. */
#include "sklearn/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DEPTH  64
#define MOST_DIGITS 40

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *exponent(const char *at, const char *end, int *out)
{
    int sign = at < end && *at == '-' ? -1 : 1, n = 0;

    at += at < end && (*at == '-' || *at == '+');
    for (; at < end && is_digit(*at); at++)
        n = n < 1000 ? n * 10 + (*at - '0') : n;
    *out += sign * n;
    return at;
}

const char *pickle__json_number(const char *at, const char *end, double *out)
{
    char copy[MOST_DIGITS + 16];
    bool point = false;
    size_t n = 0, digits = 0;
    int power = 0;

    if (at < end && *at == '-')
        copy[n++] = *at++;
    for (; at < end && (is_digit(*at) || (*at == '.' && !point)); at++) {
        point = point || *at == '.';
        if (*at == '.')
            continue;
        power += digits < MOST_DIGITS ? -(int)point : !point;
        if (digits++ < MOST_DIGITS)
            copy[n++] = *at;
    }
    if (digits == 0)
        return NULL;
    if (at < end && (*at == 'E' || *at == 'e'))
        at = exponent(at + 1, end, &power);
    snprintf(copy + n, sizeof copy - n, "e%d", power > 9999 ? 9999 : power < -9999 ? -9999 : power);
    *out = strtod(copy, NULL);
    return at;
}

/* --------------------------------------------------------------- conversion */

typedef struct converter {
    const char *at, *end;
    unsigned char *out; /* NULL: bytes are only counted */
    size_t size;
} converter;

static void put(converter *c, const void *data, size_t n)
{
    if (c->out && n > 0)
        memcpy(c->out + c->size, data, n);
    c->size += n;
}

static void put_byte(converter *c, char byte)
{
    put(c, &byte, 1);
}

static void put_bits(converter *c, char type, uint64_t bits)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(bits >> (56 - 8 * i));
    put_byte(c, type);
    put(c, bytes, sizeof bytes);
}

static bool see(converter *c, char wanted)
{
    while (c->at < c->end && strchr(" \t\r\n", *c->at))
        c->at++;
    return c->at < c->end && *c->at == wanted;
}

static bool take(converter *c, char wanted)
{
    bool found = see(c, wanted);

    c->at += found;
    return found;
}

/* The length and the text. */
static bool take_string(converter *c)
{
    const char *start;

    if (!take(c, '"'))
        return false;
    for (start = c->at; c->at < c->end && *c->at != '"'; c->at++)
        c->at += *c->at == '\\' && c->end - c->at > 1;
    if (c->at == c->end)
        return false;
    put_bits(c, 'L', (uint64_t)(c->at - start));
    put(c, start, (size_t)(c->at - start));
    c->at++;
    return true;
}

static bool take_word(converter *c)
{
    static const struct {
        const char *word, *as;
        size_t n;
    } words[] = { { "true", "U\1", 2 }, { "false", "U\0", 2 }, { "null", "Z", 1 } };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i].word);

        if ((size_t)(c->end - c->at) >= len && memcmp(c->at, words[i].word, len) == 0) {
            c->at += len;
            put(c, words[i].as, words[i].n);
            return true;
        }
    }
    return false;
}

static bool take_number(converter *c)
{
    double x;
    uint64_t bits;
    const char *end = pickle__json_number(c->at, c->end, &x);

    if (!end)
        return false;
    c->at = end;
    memcpy(&bits, &x, sizeof bits);
    put_bits(c, 'D', bits);
    return true;
}

static bool take_value(converter *c, int depth);

static bool take_items(converter *c, bool object, int depth)
{
    char end = object ? '}' : ']';

    put_byte(c, object ? '{' : '[');
    c->at++;
    if (!see(c, end)) {
        do {
            if ((object && (!take_string(c) || !take(c, ':'))) || !take_value(c, depth))
                return false;
        } while (take(c, ','));
    }
    put_byte(c, end);
    return take(c, end);
}

static bool take_value(converter *c, int depth)
{
    if (depth > MOST_DEPTH)
        return false;
    if (see(c, '{') || see(c, '['))
        return take_items(c, *c->at == '{', depth + 1);
    if (see(c, '"')) {
        put_byte(c, 'S');
        return take_string(c);
    }
    return take_word(c) || take_number(c);
}

bool pickle__json_to_ubjson(const char *text, size_t len, unsigned char *out, size_t *size)
{
    converter c = { text, text + len, out, 0 };
    bool ok = take_value(&c, 0);

    *size = c.size;
    return ok;
}
