/* escape.c - text from files, made safe to look at or to put into JSON. */
#include <string.h>

#include "output.h"

/* Code points that do something to a terminal, or to how the text around them is shown: controls,
 * invisible and bidirectional formatting, surrogates. First and last of each range. */
static const uint32_t hazards[][2] = {
    { 0x00, 0x1f },     { 0x7f, 0x9f },     { 0xad, 0xad },     { 0x61c, 0x61c },
    { 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
    { 0xd800, 0xdfff }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
};

static bool is_hazard(uint32_t c)
{
    size_t i = 0;

    if (c >= 0x20 && c < 0x7f)
        return false;
    while (i < sizeof hazards / sizeof *hazards && c > hazards[i][1])
        i++;
    return i < sizeof hazards / sizeof *hazards && c >= hazards[i][0];
}

/* Bytes of the UTF-8 sequence (surrogates allowed) at `p`; 0 if it is none. */
static size_t sequence(const unsigned char *p, size_t left, uint32_t *c)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = *p < 0x80 ? 1 : *p < 0xc0 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf8 ? 4 : 0;

    if (n == 0 || n > left)
        return 0;
    *c = n == 1 ? *p : *p & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (p[i] & 0x3f);
    }
    return *c < least[n] || *c > 0x10ffff ? 0 : n;
}

/* The next code point; a byte that is no UTF-8 becomes U+DC80..U+DCFF, as in Python. */
static uint32_t next(const char **p, const char *end)
{
    const unsigned char *at = (const unsigned char *)*p;
    uint32_t c;
    size_t n = sequence(at, (size_t)(end - *p), &c);

    *p += n ? n : 1;
    return n ? c : 0xdc00u + *at;
}

static void put_escape(output *o, uint32_t c)
{
    if (c == '\n' || c == '\r' || c == '\t')
        out_text(o, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    else if (c < 0x100)
        out_format(o, "\\x%02x", (unsigned)c);
    else if (c < 0x10000)
        out_format(o, "\\u%04x", (unsigned)c);
    else
        out_format(o, "\\U%08x", (unsigned)c);
}

static void put_json_escape(output *o, uint32_t c)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (const char *p = letters; *p; p += 2) {
        if (c == (unsigned char)p[0]) {
            out_format(o, "\\%c", p[1]);
            return;
        }
    }
    if (c > 0xffff) {
        out_format(o, "\\u%04x", (unsigned)(0xd7c0 + (c >> 10)));
        c = 0xdc00 + (c & 0x3ff);
    }
    out_format(o, "\\u%04x", (unsigned)c);
}

/* Copy `text`; characters that `special` picks go through `put` instead. */
static void put_text(output *o, const char *text, size_t len,
                     bool (*special)(const output *o, uint32_t c),
                     void (*put)(output *o, uint32_t c))
{
    const char *p = text, *end, *run = text;

    if (len == 0) /* `text` may be NULL then */
        return;
    end = text + len;
    while (p < end && !out_stopped(o)) {
        const char *at = p;
        uint32_t c = next(&p, end);

        if (!special(o, c))
            continue;
        out_write(o, run, (size_t)(at - run));
        put(o, c);
        run = p;
    }
    out_write(o, run, (size_t)(end - run));
}

static bool unsafe(const output *o, uint32_t c)
{
    return is_hazard(c) || (o->ascii && c > 0x7e);
}

static bool unsafe_in_line(const output *o, uint32_t c)
{
    return unsafe(o, c) && c != '\n' && c != '\t';
}

static bool surrogate(const output *o, uint32_t c)
{
    (void)o;
    return c >= 0xd800 && c < 0xe000;
}

static bool special_in_json(const output *o, uint32_t c)
{
    (void)o; /* JSON is UTF-8, whatever the locale */
    return c == '"' || c == '\\' || is_hazard(c);
}

/* Characters that take two columns, or none: the larger blocks of each. Facts: Unicode's
 * EastAsianWidth.txt, and its general categories Mn and Me. */
static const struct {
    uint32_t first, last;
    uint8_t width;
} widths[] = {
    { 0x300, 0x36f, 0 },     { 0x483, 0x489, 0 },     { 0x591, 0x5bd, 0 },
    { 0x610, 0x61a, 0 },     { 0x64b, 0x65f, 0 },     { 0xe31, 0xe31, 0 },
    { 0xe34, 0xe3a, 0 },     { 0xe47, 0xe4e, 0 },     { 0x1100, 0x115f, 2 },
    { 0x1ab0, 0x1aff, 0 },   { 0x1dc0, 0x1dff, 0 },   { 0x20d0, 0x20ff, 0 },
    { 0x2e80, 0x303e, 2 },   { 0x3041, 0xa4cf, 2 },   { 0xa960, 0xa97c, 2 },
    { 0xac00, 0xd7a3, 2 },   { 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },
    { 0xfe20, 0xfe2f, 0 },   { 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 },
    { 0xffe0, 0xffe6, 2 },   { 0x16fe0, 0x18cff, 2 }, { 0x1b000, 0x1b2ff, 2 },
    { 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 }, { 0x1f900, 0x1f9ff, 2 },
    { 0x20000, 0x3fffd, 2 },
};

/* Columns of what out_escaped prints for it. */
static size_t width_of(const output *o, uint32_t c)
{
    size_t i = 0;

    if (unsafe(o, c))
        return c == '\n' || c == '\r' || c == '\t' ? 2 : c < 0x100 ? 4 : c < 0x10000 ? 6 : 10;
    while (i < sizeof widths / sizeof *widths && c > widths[i].last)
        i++;
    return i < sizeof widths / sizeof *widths && c >= widths[i].first ? widths[i].width : 1;
}

size_t out_fitting(const output *o, const char *text, size_t len, size_t most, size_t *width)
{
    const char *p = text, *end = text + len;

    *width = 0;
    while (p < end) {
        const char *at = p;
        size_t n = width_of(o, next(&p, end));

        if (*width + n > most)
            return (size_t)(at - text);
        *width += n;
    }
    return len;
}

void out_escaped(output *o, const char *text, size_t len)
{
    put_text(o, text, len, unsafe, put_escape);
}

void out_lines(output *o, const char *text, size_t len)
{
    put_text(o, text, len, unsafe_in_line, put_escape);
}

void out_utf8(output *o, const char *text, size_t len)
{
    put_text(o, text, len, surrogate, put_escape);
}

void out_json(output *o, const char *text, size_t len)
{
    out_text(o, "\"");
    put_text(o, text, len, special_in_json, put_json_escape);
    out_text(o, "\"");
}

void out_base64(output *o, const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = data;
    char four[4];

    out_text(o, "\"");
    for (; len > 0 && !out_stopped(o); p += 3) {
        size_t n = len < 3 ? len : 3;
        uint32_t bits = (uint32_t)p[0] << 16;

        bits |= n > 1 ? (uint32_t)p[1] << 8 : 0;
        bits |= n > 2 ? p[2] : 0;
        four[0] = digits[bits >> 18];
        four[1] = digits[bits >> 12 & 63];
        four[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
        four[3] = n > 2 ? digits[bits & 63] : '=';
        out_write(o, four, 4);
        len -= n;
    }
    out_text(o, "\"");
}
