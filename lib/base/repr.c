/* repr.c - Python's repr() of str and bytes. */
#include "base/text.h"

static const char hex[] = "0123456789abcdef";

/* Python prefers single quotes unless that means escaping where double ones would not. */
static char quote_for(const void *text, size_t len)
{
    return len > 0 && memchr(text, '\'', len) && !memchr(text, '"', len) ? '"' : '\'';
}

static bool put(pickle_sink out, const void *data, size_t len)
{
    return len == 0 || out.write(out.ctx, data, len);
}

/* The escape of a character that cannot stand for itself: at most 10 bytes. */
static size_t escape(char dst[10], uint32_t c)
{
    static const char letters[] = "\tt\nn\rr\\\\''\"\"";
    int digits = c > 0xffff ? 8 : c > 0xff ? 4 : 2;

    dst[0] = '\\';
    for (const char *p = letters; *p; p += 2) {
        if (c == (unsigned char)p[0]) {
            dst[1] = p[1];
            return 2;
        }
    }
    dst[1] = digits == 8 ? 'U' : digits == 4 ? 'u' : 'x';
    for (int i = digits; i > 0; i--, c >>= 4)
        dst[1 + i] = hex[c & 15];
    return 2 + (size_t)digits;
}

static bool is_plain(uint32_t c, char quote)
{
    return c >= 0x20 && c < 0x7f && c != '\\' && c != (unsigned char)quote;
}

bool pickle__repr_str(const char *text, size_t len, pickle_sink out)
{
    const char *p = text, *end = text + len, *run = text;
    char quote = quote_for(text, len);
    char buf[10];

    if (!put(out, &quote, 1))
        return false;
    while (p < end) {
        const char *start = p;
        uint32_t c = pickle__utf8_next(&p);

        if (is_plain(c, quote) || (c >= 0x80 && pickle__is_printable(c)))
            continue;
        if (!put(out, run, (size_t)(start - run)) || !put(out, buf, escape(buf, c)))
            return false;
        run = p;
    }
    return put(out, run, (size_t)(end - run)) && put(out, &quote, 1);
}

bool pickle__repr_bytes(const unsigned char *data, size_t len, pickle_sink out)
{
    const char quote = quote_for(data, len);
    const char open[] = { 'b', quote };
    size_t run = 0;
    char buf[10];

    if (!put(out, open, 2))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (is_plain(data[i], quote))
            continue;
        if (!put(out, data + run, i - run) || !put(out, buf, escape(buf, data[i])))
            return false;
        run = i + 1;
    }
    return put(out, data + run, len - run) && put(out, &quote, 1);
}

/* A sink that puts a backslash before each single quote, and all on to the sink in its context. */
static bool escape_quotes(void *ctx, const void *data, size_t len)
{
    const pickle_sink *out = ctx;
    const char *at = data, *end = at + len, *quote;

    while ((quote = memchr(at, '\'', (size_t)(end - at)))) {
        if (!out->write(out->ctx, at, (size_t)(quote - at)) || !pickle__put(*out, "\\'"))
            return false;
        at = quote + 1;
    }
    return out->write(out->ctx, at, (size_t)(end - at));
}

/* Unlike that of bytes, CPython's repr() of a bytearray escapes ' also between double quotes. */
bool pickle__repr_bytearray(const unsigned char *data, size_t len, pickle_sink out)
{
    bool double_quotes = quote_for(data, len) == '"';
    pickle_sink inner = double_quotes ? (pickle_sink){ escape_quotes, &out } : out;

    return pickle__put(out, "bytearray(") && pickle__repr_bytes(data, len, inner) &&
           pickle__put(out, ")");
}
