/* unicode.c - characters as Python has them: str.lower(), isalnum(), NFKD without accents. */
#include "sklearn/unicode.h"

#include <string.h>

/* As tools/dev/unicode.py has them, after PICKLE__CHAR_*. */
#define CASED      8
#define IGNORABLE  16 /* by the rule of the final sigma */
#define DECOMPOSES 32 /* NFKD is another text */
#define FOLDS      64 /* ... even without what combines */

struct character {
    uint8_t flags, combining;
    int32_t to_lower;
};

/* Characters that follow each other and fold, and the place in folds_to of the first. */
struct run {
    uint32_t first;
    uint16_t at;
};

#include "sklearn/unicode.inc"

#define PAGE       16u
#define PAGES      64u /* of an area */
#define LAST       0x10ffffu
#define OTHERS     0xac00u /* folds_to: a place in `folded`; below, a character; 0: nothing */
#define CAPITAL_I  0x130u  /* the one whose lower case is two characters, i and a dot above */
#define SIGMA      0x3a3u
#define SMALL      0x3c3u
#define FINAL      0x3c2u
#define HANGUL     0xac00u
#define HANGUL_END 0xd7a4u

static size_t page_of(uint32_t c)
{
    return pages[areas[c / PAGE / PAGES] * PAGES + c / PAGE % PAGES];
}

static const struct character *of(uint32_t c)
{
    if (c > LAST)
        c = LAST;
    return &records[of_pages[page_of(c) * PAGE + c % PAGE]];
}

unsigned pickle__char_kind(uint32_t c)
{
    return of(c)->flags & (PICKLE__CHAR_WORD | PICKLE__CHAR_DECIMAL | PICKLE__CHAR_SPACE);
}

uint32_t pickle__char_lower(uint32_t c)
{
    return c == CAPITAL_I ? 'i' : (uint32_t)((int64_t)c + of(c)->to_lower);
}

static size_t put(uint32_t c, char *to)
{
    unsigned char *p = (unsigned char *)to;

    if (c < 0x80) {
        p[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (unsigned char)(0xc0 | c >> 6);
        p[1] = (unsigned char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (unsigned char)(0xe0 | c >> 12);
        p[1] = (unsigned char)(0x80 | (c >> 6 & 63));
        p[2] = (unsigned char)(0x80 | (c & 63));
        return 3;
    }
    p[0] = (unsigned char)(0xf0 | c >> 18);
    p[1] = (unsigned char)(0x80 | (c >> 12 & 63));
    p[2] = (unsigned char)(0x80 | (c >> 6 & 63));
    p[3] = (unsigned char)(0x80 | (c & 63));
    return 4;
}

/* -------------------------------------------------------------------- bytes */

bool pickle__text_ascii(const char *text, size_t n)
{
    size_t i = 0;

    for (; i + 64 <= n; i += 64) {
        unsigned char any = 0;

        for (size_t k = 0; k < 64; k++)
            any |= (unsigned char)text[i + k];
        if (any & 0x80)
            return false;
    }
    for (; i < n; i++) {
        if (text[i] & 0x80)
            return false;
    }
    return true;
}

/* What may follow a first byte: how many, and in which range the second is. */
static size_t followers(unsigned char c, unsigned char *least, unsigned char *most)
{
    *least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    *most = c == 0xf4 ? 0x8f : 0xbf;
    return c < 0xc2 || c > 0xf4 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
}

size_t pickle__text_valid(const char *text, size_t n, size_t *bad)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t i = 0;

    while (i < n) {
        unsigned char least, most;
        size_t need, k = 1;

        if (p[i] < 0x80) {
            i++;
            continue;
        }
        need = followers(p[i], &least, &most);
        while (k <= need && i + k < n && p[i + k] >= least && p[i + k] <= most) {
            least = 0x80;
            most = 0xbf;
            k++;
        }
        if (need == 0 || k <= need) {
            *bad = k;
            return i;
        }
        i += k;
    }
    return n;
}

/* --------------------------------------------------------------- lower case */

/* Of two bytes at least, and three may come of two. */
size_t pickle__lower_room(size_t n)
{
    return n + n / 2 + 4;
}

/* Is the nearest character that isn't looked past a cased one? */
static bool cased_before(const unsigned char *text, const unsigned char *at)
{
    while (at > text) {
        const unsigned char *p;
        unsigned flags;

        do
            at--;
        while (at > text && (*at & 0xc0) == 0x80);
        p = at;
        flags = of(pickle__char_next(&p))->flags;
        if (!(flags & IGNORABLE))
            return flags & CASED;
    }
    return false;
}

static bool cased_after(const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        unsigned flags = of(pickle__char_next(&at))->flags;

        if (!(flags & IGNORABLE))
            return flags & CASED;
    }
    return false;
}

static size_t lower_one(const unsigned char *text, const unsigned char **at,
                        const unsigned char *end, char *to)
{
    const unsigned char *before = *at;
    uint32_t c = pickle__char_next(at);

    if (c == SIGMA)
        return put(cased_before(text, before) && !cased_after(*at, end) ? FINAL : SMALL, to);
    if (c == CAPITAL_I) {
        memcpy(to, "i\xcc\x87", 3);
        return 3;
    }
    return put(pickle__char_lower(c), to);
}

static inline unsigned char lower_ascii(unsigned char c)
{
    return (unsigned char)(c + ((unsigned char)(c - 'A') < 26 ? 32 : 0));
}

size_t pickle__lower(const char *text, size_t n, char *to)
{
    const unsigned char *start = (const unsigned char *)text, *at = start, *end = start + n;
    char *first = to;

    while (at < end) {
        unsigned char any = 0;

        for (size_t k = 0; end - at >= 32 && k < 32; k++) {
            any |= at[k];
            to[k] = (char)lower_ascii(at[k]);
        }
        if (end - at >= 32 && !(any & 0x80)) {
            at += 32;
            to += 32;
            continue;
        }
        for (const unsigned char *stop = end - at > 32 ? at + 32 : end; at < stop;) {
            if (*at < 0x80)
                *to++ = (char)lower_ascii(*at++);
            else
                to += lower_one(start, &at, end, to);
        }
    }
    return (size_t)(to - first);
}

/* ------------------------------------------------------------------ accents */

/* What a character that folds becomes. */
static unsigned folding_of(uint32_t c)
{
    size_t low = 0, high = sizeof folding / sizeof *folding;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (folding[mid].first <= c)
            low = mid;
        else
            high = mid;
    }
    return folds_to[folding[low].at + (c - folding[low].first)];
}

/* A Hangul syllable as its letters. */
static size_t put_hangul(uint32_t c, char *to)
{
    uint32_t s = c - HANGUL, last = s % 28;
    size_t n = put(0x1100 + s / 588, to);

    n += put(0x1161 + s % 588 / 28, to + n);
    return last ? n + put(0x11a7 + last, to + n) : n;
}

/* Nothing, where only ASCII is kept. `to` may be NULL. */
static size_t put_kept(bool ascii, uint32_t c, char *to)
{
    char spare[4];

    return ascii && c >= 0x80 ? 0 : put(c, to ? to : spare);
}

/* Is it what NFKD gives? Then nothing decomposes, and what combines is in order. */
static bool is_nfkd(const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + n;
    unsigned before = 0;

    while (at < end) {
        const struct character *c = of(pickle__char_next(&at));

        if ((c->flags & DECOMPOSES) || (c->combining && c->combining < before))
            return false;
        before = c->combining;
    }
    return true;
}

static size_t strip_one(bool ascii, uint32_t c, char *to)
{
    char spare[16];
    size_t n = 0;

    if (c >= HANGUL && c < HANGUL_END)
        return ascii ? 0 : put_hangul(c, to ? to : spare);
    if (!(of(c)->flags & FOLDS))
        return put_kept(ascii, c, to);
    c = folding_of(c);
    if (c < OTHERS)
        return c ? put_kept(ascii, c, to) : 0;
    for (const uint32_t *other = &folded[c - OTHERS]; *other; other++)
        n += put_kept(ascii, *other, to ? to + n : NULL);
    return n;
}

size_t pickle__strip_accents(pickle__accents how, const char *text, size_t n, char *to)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + n;
    bool ascii = how == PICKLE__ACCENTS_ASCII,
         all = how == PICKLE__ACCENTS_UNICODE_OLD && is_nfkd(text, n);
    size_t size = 0;

    if (all) {
        if (to)
            memcpy(to, text, n);
        return n;
    }
    while (at < end)
        size += strip_one(ascii, pickle__char_next(&at), to ? to + size : NULL);
    return size;
}
