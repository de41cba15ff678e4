/*
 * path.c - finding values by paths: steps[1][1].coef_, ['weights'][0].
 *
 *   path  := [ name ] { "." name | "[" index "]" | "[" text "]" }
 *   text  := 'characters' or "characters", with Python's \\ \' \" \n \r \t \xNN \uNNNN
 *   index := an integer, negative from the end, or an integer key
 */
#include "base/text.h"
#include "types/stdlib.h"

/* A quoted key is unescaped to here: longer keys are for pickle_get. */
#define KEY_MAX 1024

/* One step. A key that is text has `text` (not NUL-terminated), an index has `number`. */
typedef struct step {
    bool attribute, is_text;
    char text[KEY_MAX];
    size_t len;
    int64_t number;
} step;

/* ----------------------------------------------------------------- parsing */

static bool add_byte(step *s, unsigned byte)
{
    if (s->len == KEY_MAX)
        return false;
    s->text[s->len++] = (char)byte;
    return true;
}

/* Surrogates, too, become three bytes, as in the texts of values. */
static bool add_code_point(step *s, uint32_t c)
{
    char utf8[4];
    size_t n = c <= 0x10ffff ? pickle__utf8_put(utf8, c) : 0;

    for (size_t i = 0; i < n; i++)
        if (!add_byte(s, (unsigned char)utf8[i]))
            return false;
    return n > 0;
}

static const char *parse_hex(const char *p, int digits, step *s)
{
    uint32_t c = 0;

    while (digits-- > 0) {
        unsigned value = pickle__digit((unsigned char)*p++);

        if (value >= 16)
            return NULL;
        c = c << 4 | value;
    }
    return add_code_point(s, c) ? p : NULL;
}

/* After a backslash. */
static const char *parse_escape(const char *p, step *s)
{
    static const char plain[] = "\\'\"nrt0", means[] = "\\'\"\n\r\t";
    const char *found = *p ? strchr(plain, *p) : NULL;

    if (found)
        return add_byte(s, (unsigned char)means[found - plain]) ? p + 1 : NULL;
    switch (*p) {
    case 'x':
        return parse_hex(p + 1, 2, s);
    case 'u':
        return parse_hex(p + 1, 4, s);
    case 'U':
        return parse_hex(p + 1, 8, s);
    default:
        return NULL;
    }
}

static const char *parse_text(const char *p, step *s)
{
    char quote = *p++;

    s->is_text = true;
    while (p && *p && *p != quote) {
        if (*p == '\\')
            p = parse_escape(p + 1, s);
        else
            p = add_byte(s, (unsigned char)*p) ? p + 1 : NULL;
    }
    return p && *p == quote ? p + 1 : NULL;
}

static const char *parse_number(const char *p, step *s)
{
    bool negative = *p == '-';

    if (negative)
        p++;
    if (*p < '0' || *p > '9')
        return NULL;
    for (; *p >= '0' && *p <= '9'; p++) {
        int digit = *p - '0';

        /* Towards INT64_MIN, which has no positive. */
        if (s->number < (INT64_MIN + digit) / 10)
            return NULL;
        s->number = s->number * 10 - digit;
    }
    if (!negative && s->number == INT64_MIN)
        return NULL;
    s->number = negative ? s->number : -s->number;
    return p;
}

static const char *parse_bracket(const char *p, step *s)
{
    p = *p == '\'' || *p == '"' ? parse_text(p, s) : parse_number(p, s);
    return p && *p == ']' ? p + 1 : NULL;
}

/* The step at `p`, and what follows it; NULL when there is no step to take. */
static const char *parse_step(const char *p, bool first, step *s)
{
    size_t len;

    s->attribute = s->is_text = false;
    s->len = 0;
    s->number = 0;
    if (*p == '[')
        return parse_bracket(p + 1, s);
    if (*p == '.')
        p++;
    else if (!first)
        return NULL;
    len = strcspn(p, ".[");
    if (len == 0 || len > KEY_MAX)
        return NULL;
    memcpy(s->text, p, len);
    s->len = len;
    s->attribute = s->is_text = true;
    return p + len;
}

/* ------------------------------------------------------------------ walking */

/* An attribute comes before a key; what a pickle names is before what a view does. */
static const pickle_val *by_text(const pickle_val *v, const step *s)
{
    char key[KEY_MAX + 1];
    const pickle_val *found = NULL;

    if (!memchr(s->text, 0, s->len)) { /* else rare, and these take C strings */
        memcpy(key, s->text, s->len);
        key[s->len] = '\0';
        if (s->attribute)
            found = pickle_attr(v, key);
        if (!found)
            found = pickle_get(v, key);
    }
    return found ? found : pickle__item_text(v, s->text, s->len);
}

/* A place in a sequence, or a key: dicts have only keys, objects may have both. */
static const pickle_val *by_number(const pickle_val *v, int64_t number)
{
    size_t len = pickle_kind_of(v) == PICKLE_DICT ? 0 : pickle_len(v);
    const pickle_val *found = pickle__item_number(v, number);

    if (!found && number < 0 && 0 - (uint64_t)number <= len)
        found = pickle_at(v, len - (size_t)(0 - (uint64_t)number));
    else if (!found && number >= 0 && (uint64_t)number < len)
        found = pickle_at(v, (size_t)number);
    return found ? found : pickle_get_int(v, number);
}

const pickle_val *pickle_find_prefix(const pickle_val *v, const char *path, const char **rest)
{
    const char *p = path;
    step s;

    while (v && p && *p) {
        const char *next = parse_step(p, p == path, &s);
        const pickle_val *found = NULL;

        if (next)
            found = s.is_text ? by_text(v, &s) : by_number(v, s.number);
        if (!found)
            break;
        v = found;
        p = next;
    }
    *rest = p;
    return v;
}

const pickle_val *pickle_find(const pickle_val *v, const char *path)
{
    const char *rest;

    if (!path)
        return NULL;
    v = pickle_find_prefix(v, path, &rest);
    return *rest ? NULL : v;
}
