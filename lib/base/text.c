/* text.c - UTF-8 with surrogates, Python 2 text, the escapes of protocol 0. */
#include "base/text.h"

static uint64_t load8(const void *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

static bool is_ascii8(uint64_t word)
{
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

/* How many bytes at `src` are ASCII before the first that is not. */
static size_t ascii_prefix(const unsigned char *src, size_t len)
{
    size_t n = 0;

    while (len - n >= 8 && is_ascii8(load8(src + n)))
        n += 8;
    while (n < len && src[n] < 0x80)
        n++;
    return n;
}

bool pickle__is_ascii(const char *text, size_t len)
{
    return ascii_prefix((const unsigned char *)text, len) == len;
}

/* Returns SIZE_MAX, for decoders to return. */
PICKLE__COLD static size_t fail(pickle__text_error *err, size_t at, const char *reason)
{
    err->at = at;
    err->reason = reason;
    return SIZE_MAX;
}

/* ------------------------------------------------------------------- UTF-8 */

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The second byte of three or four rules out overlong forms, values above U+10FFFF, and
 * surrogates unless they are wanted. */
static bool is_second(unsigned char lead, unsigned char second, bool surrogates)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= (surrogates ? 0xbf : 0x9f);
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return is_continuation(second);
    }
}

/* Length of the sequence of two to four bytes at `p`, 0 if it is not valid. */
static size_t sequence(const unsigned char *p, size_t left, bool surrogates)
{
    unsigned char lead = p[0];

    if (lead < 0xe0)
        return lead >= 0xc2 && left >= 2 && is_continuation(p[1]) ? 2 : 0;
    if (left < 3 || !is_second(lead, p[1], surrogates) || !is_continuation(p[2]))
        return 0;
    if (lead < 0xf0)
        return 3;
    return lead <= 0xf4 && left >= 4 && is_continuation(p[3]) ? 4 : 0;
}

/* How many bytes belong to the broken sequence at `p`, and what is wrong with it. Surrogates, where
 * they are wanted, are whole: here they are wrong from their second byte on, as in CPython. */
PICKLE__COLD static size_t broken_sequence(const unsigned char *p, size_t left, const char **reason)
{
    unsigned char lead = p[0];
    size_t n = 1;

    if (lead < 0xc2 || lead > 0xf4) {
        *reason = "invalid start byte";
        return 1;
    }
    if (left > 1 && (lead < 0xe0 ? is_continuation(p[1]) : is_second(lead, p[1], false)))
        n++;
    if (n == 2 && left > 2 && is_continuation(p[2]))
        n++;
    *reason = n == left ? "unexpected end of data" : "invalid continuation byte";
    return n;
}

static bool is_surrogate(const unsigned char *p)
{
    return p[0] == 0xed && p[1] >= 0xa0;
}

/* Check text that is not all ASCII. */
static bool check_utf8(const unsigned char *src, size_t len, unsigned *flags,
                       pickle__text_error *err)
{
    size_t i = 0;

    *flags = PICKLE__TEXT_NONASCII;
    while (i < len) {
        size_t n;

        if (src[i] < 0x80) {
            i += ascii_prefix(src + i, len - i);
            continue;
        }
        n = sequence(src + i, len - i, true);
        if (n == 0) {
            broken_sequence(src + i, len - i, &err->reason);
            err->at = i;
            return false;
        }
        if (is_surrogate(src + i))
            *flags |= PICKLE__TEXT_SURROGATES;
        i += n;
    }
    return true;
}

static uint64_t copy8(char *dst, const unsigned char *src)
{
    uint64_t word = load8(src);

    memcpy(dst, &word, sizeof word);
    return word;
}

static uint32_t copy4(char *dst, const unsigned char *src)
{
    uint32_t word;

    memcpy(&word, src, sizeof word);
    memcpy(dst, &word, sizeof word);
    return word;
}

bool pickle__utf8_copy(char *dst, const unsigned char *src, size_t len, unsigned *flags,
                       pickle__text_error *err)
{
    uint64_t seen = 0;

    /* Words from both ends, which may overlap: fewer branches than a loop, and no bytes left over.
     */
    if (len >= 8) {
        seen = copy8(dst, src) | copy8(dst + len - 8, src + len - 8);
        if (len > 16)
            seen |= copy8(dst + 8, src + 8) | copy8(dst + len - 16, src + len - 16);
        for (size_t i = 16; i + 16 < len; i += 8)
            seen |= copy8(dst + i, src + i);
    } else if (len >= 4) {
        seen = copy4(dst, src) | copy4(dst + len - 4, src + len - 4);
    } else {
        for (size_t i = 0; i < len; i++) {
            seen |= src[i];
            dst[i] = (char)src[i];
        }
    }
    *flags = 0;
    return pickle__likely(is_ascii8(seen)) || check_utf8(src, len, flags, err);
}

uint32_t pickle__utf8_next(const char **p)
{
    const unsigned char *s = (const unsigned char *)*p;
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    *p += n;
    switch (n) {
    case 1:
        return s[0];
    case 2:
        return (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
    case 3:
        return (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
    default:
        return (s[0] & 0x07u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
    }
}

bool pickle__encode_latin1(unsigned char *dst, const char *text, size_t len, size_t *written)
{
    const char *p = text, *end = text + len;
    size_t n = 0;

    while (p < end) {
        uint32_t c = pickle__utf8_next(&p);

        if (c > 0xff)
            return false;
        if (dst)
            dst[n] = (unsigned char)c;
        n++;
    }
    *written = n;
    return true;
}

/* ----------------------------------------------------- decoding to UTF-8 */

/* Where decoded text goes; it is only counted when there is no `dst`. */
typedef struct writer {
    char *dst;
    size_t n;
    unsigned flags;
} writer;

static void put_bytes(writer *w, const unsigned char *src, size_t n)
{
    if (w->dst && n > 0)
        memcpy(w->dst + w->n, src, n);
    w->n += n;
}

size_t pickle__utf8_put(char dst[4], uint32_t c)
{
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        dst[i] = (char)(0x80 | (c & 0x3f));
    dst[0] = (char)(lead[n] | c);
    return n;
}

static void put_char(writer *w, uint32_t c)
{
    char utf8[4];
    size_t n = pickle__utf8_put(utf8, c);

    if (n > 1)
        w->flags |= PICKLE__TEXT_NONASCII;
    if (n == 3 && is_surrogate((const unsigned char *)utf8))
        w->flags |= PICKLE__TEXT_SURROGATES;
    put_bytes(w, (const unsigned char *)utf8, n);
}

/* What `on_error` makes of `n` bytes that do not decode; false when it is strict. */
static bool put_undecodable(writer *w, const unsigned char *src, size_t n,
                            pickle__on_error on_error)
{
    switch (on_error) {
    case PICKLE__REPLACE:
        put_char(w, 0xfffd);
        return true;
    case PICKLE__SURROGATEESCAPE:
        for (size_t i = 0; i < n; i++)
            put_char(w, 0xdc00u + src[i]);
        return true;
    default:
        return false;
    }
}

/* Decode what stands at `src`, a byte above 0x7f. Returns how many bytes that were, or 0. */
static size_t decode_high(writer *w, const unsigned char *src, size_t left,
                          pickle__encoding encoding, pickle__on_error on_error, const char **reason)
{
    size_t n = 1;

    if (encoding == PICKLE__LATIN1) {
        put_char(w, src[0]);
        return 1;
    }
    if (encoding == PICKLE__UTF8) {
        n = sequence(src, left, false);
        if (n > 0) {
            w->flags |= PICKLE__TEXT_NONASCII;
            put_bytes(w, src, n);
            return n;
        }
        n = broken_sequence(src, left, reason);
    } else {
        *reason = "ordinal not in range(128)";
    }
    return put_undecodable(w, src, n, on_error) ? n : 0;
}

size_t pickle__decode(char *dst, const unsigned char *src, size_t len, pickle__encoding encoding,
                      pickle__on_error on_error, unsigned *flags, pickle__text_error *err)
{
    writer w = { .dst = dst };
    size_t i = 0;

    for (;;) {
        size_t n = ascii_prefix(src + i, len - i);
        const char *reason = "";

        put_bytes(&w, src + i, n);
        i += n;
        if (i == len)
            break;
        n = decode_high(&w, src + i, len - i, encoding, on_error, &reason);
        if (n == 0)
            return fail(err, i, reason);
        i += n;
    }
    *flags = w.flags;
    return w.n;
}

/* ------------------------------------------------------------------ escapes */

/* Reads exactly `count` hexadecimal digits. */
static bool hex_number(const unsigned char *src, size_t left, size_t count, uint32_t *value)
{
    if (left < count)
        return false;
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = pickle__digit(src[i]);

        if (digit > 15)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

/* The escape at `src`, a backslash: returns its length, or 0 with *reason set. */
static size_t raw_escape(writer *w, const unsigned char *src, size_t left, const char **reason)
{
    unsigned char kind = left > 1 ? src[1] : '\0';
    size_t count = kind == 'u' ? 4 : 8;
    uint32_t c;

    if (kind != 'u' && kind != 'U') {
        /* Kept, and the next character with it: a second backslash starts no escape. */
        put_char(w, '\\');
        if (left > 1)
            put_char(w, kind);
        return left > 1 ? 2 : 1;
    }
    if (!hex_number(src + 2, left - 2, count, &c)) {
        *reason = kind == 'u' ? "truncated \\uXXXX escape" : "truncated \\UXXXXXXXX escape";
        return 0;
    }
    if (c > 0x10ffff) {
        *reason = "\\Uxxxxxxxx out of range";
        return 0;
    }
    put_char(w, c);
    return 2 + count;
}

size_t pickle__decode_raw_unicode_escape(char *dst, const unsigned char *src, size_t len,
                                         unsigned *flags, pickle__text_error *err)
{
    writer w = { .dst = dst };
    size_t i = 0;

    while (i < len) {
        const char *reason = "";
        size_t n = 1;

        if (src[i] == '\\')
            n = raw_escape(&w, src + i, len - i, &reason);
        else
            put_char(&w, src[i]);
        if (n == 0)
            return fail(err, i, reason);
        i += n;
    }
    *flags = w.flags;
    return w.n;
}

/* The character that a one-letter escape of a bytes literal stands for, or -1. */
static int simple_escape(unsigned char c)
{
    switch (c) {
    case '\\':
    case '\'':
    case '"':
        return c;
    case 'a':
        return '\a';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        return -1;
    }
}

/* Up to three octal digits, modulo 256; returns how many. */
static size_t octal_escape(const unsigned char *src, size_t left, unsigned char *value)
{
    unsigned c = 0;
    size_t n = 0;

    for (; n < 3 && n < left && src[n] >= '0' && src[n] <= '7'; n++)
        c = c << 3 | (src[n] - '0');
    *value = (unsigned char)c;
    return n;
}

/*
 * The escape at `src`, a backslash and what follows: writes its bytes to `dst`
 * and their number to *written; returns its length, or 0 when it is malformed.
 */
static size_t bytes_escape(unsigned char *dst, const unsigned char *src, size_t left,
                           size_t *written)
{
    int simple = simple_escape(src[1]);
    size_t digits = octal_escape(src + 1, left - 1, dst);
    uint32_t c;

    *written = 1;
    if (digits > 0)
        return 1 + digits;
    if (simple >= 0) {
        *dst = (unsigned char)simple;
    } else if (src[1] == '\n') {
        *written = 0;
    } else if (src[1] == 'x') {
        if (!hex_number(src + 2, left - 2, 2, &c))
            return 0;
        *dst = (unsigned char)c;
        return 4;
    } else {
        memcpy(dst, src, 2);
        *written = 2;
    }
    return 2;
}

size_t pickle__decode_escapes(unsigned char *dst, const unsigned char *src, size_t len,
                              pickle__text_error *err)
{
    size_t i = 0, n = 0;

    while (i < len) {
        const unsigned char *slash = memchr(src + i, '\\', len - i);
        size_t plain = slash ? (size_t)(slash - (src + i)) : len - i;
        size_t used, written;

        memcpy(dst + n, src + i, plain);
        n += plain;
        i += plain;
        if (i == len)
            break;
        if (i + 1 == len)
            return fail(err, i, "Trailing \\ in string");
        used = bytes_escape(dst + n, src + i, len - i, &written);
        if (used == 0)
            return fail(err, i, "invalid \\x escape");
        n += written;
        i += used;
    }
    return n;
}
