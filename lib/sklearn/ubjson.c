/* ubjson.c - a reader of UBJSON (universal binary JSON), the draft 12 that XGBoost writes. */
#include "sklearn/ubjson.h"

#include <string.h>

#define MOST_DEPTH 64

/* Bytes of a value of this type, after the type; -1 where it depends on them. */
static int size_of(char type)
{
    static const char types[] = "ZNTFiUCIldLD";
    static const signed char sizes[] = { 0, 0, 0, 0, 1, 1, 1, 2, 4, 4, 8, 8 };
    const char *found = type ? strchr(types, type) : NULL;

    return found ? sizes[found - types] : -1;
}

static uint64_t big_endian(const unsigned char *at, int n)
{
    uint64_t x = 0;

    for (int i = 0; i < n; i++)
        x = x << 8 | at[i];
    return x;
}

static bool number_at(const unsigned char *at, char type, double *out)
{
    int n = size_of(type);
    uint64_t bits = n > 0 ? big_endian(at, n) : 0;
    uint32_t low = (uint32_t)bits;
    float narrow;

    if (n <= 0 || type == 'C')
        return false;
    if (type == 'd') {
        memcpy(&narrow, &low, sizeof narrow);
        *out = (double)narrow;
    } else if (type == 'D') {
        memcpy(out, &bits, sizeof *out);
    } else if (type == 'U') {
        *out = (double)bits;
    } else {
        uint64_t sign = UINT64_C(1) << (8 * n - 1);

        *out = (double)(int64_t)((bits ^ sign) - sign);
    }
    return true;
}

static bool take_byte(pickle__ubjson_items *c, char *byte)
{
    if (c->at == c->end)
        return false;
    *byte = (char)*c->at++;
    return true;
}

/* A length, which is an integer of any type. */
static bool take_length(pickle__ubjson_items *c, uint64_t *out)
{
    double length;
    char type;

    if (!take_byte(c, &type) || size_of(type) <= 0 || c->end - c->at < size_of(type) ||
        type == 'd' || type == 'D' || !number_at(c->at, type, &length) || !(length >= 0))
        return false;
    *out = big_endian(c->at, size_of(type));
    c->at += size_of(type);
    return true;
}

/* What follows '[' or '{': a type for all, and a count. */
static bool take_header(pickle__ubjson_items *c)
{
    c->type = 0;
    c->counted = false;
    if (c->at < c->end && *c->at == '$') {
        c->at++;
        if (!take_byte(c, &c->type) || c->at == c->end || *c->at != '#')
            return false;
    }
    if (c->at < c->end && *c->at == '#') {
        c->at++;
        c->counted = true;
        return take_length(c, &c->left);
    }
    return true;
}

static bool skip(pickle__ubjson_items *c, char type, int depth);

/* The rest of an array, or of an object. Items of one size are not gone through one by one. */
static bool skip_all(pickle__ubjson_items *c, bool object, int depth)
{
    pickle__ubjson_items in = *c;

    if (depth > MOST_DEPTH || !take_header(&in))
        return false;
    if (!object && in.counted && size_of(in.type) >= 0 && in.type) {
        uint64_t size = (uint64_t)size_of(in.type);

        if (size > 0 && in.left > (uint64_t)(in.end - in.at) / size)
            return false;
        c->at = in.at + in.left * size;
        return true;
    }
    for (;;) {
        char type = in.type;
        uint64_t length;

        if (in.counted ? in.left == 0 : in.at < in.end && *in.at == (object ? '}' : ']'))
            break;
        in.left -= in.counted;
        if (object) {
            if (!take_length(&in, &length) || length > (uint64_t)(in.end - in.at))
                return false;
            in.at += length;
        }
        if ((!type && !take_byte(&in, &type)) || !skip(&in, type, depth))
            return false;
    }
    c->at = in.at + !in.counted;
    return true;
}

static bool skip(pickle__ubjson_items *c, char type, int depth)
{
    int size = size_of(type);
    uint64_t length;

    if (size >= 0) {
        if (c->end - c->at < size)
            return false;
        c->at += size;
        return true;
    }
    if (type == 'S' || type == 'H') {
        if (!take_length(c, &length) || length > (uint64_t)(c->end - c->at))
            return false;
        c->at += length;
        return true;
    }
    return (type == '[' || type == '{') && skip_all(c, type == '{', depth + 1);
}

/* ------------------------------------------------------------------- values */

pickle__ubjson pickle__ubjson_open(const void *data, size_t size)
{
    pickle__ubjson v = { data, data, 0 };
    pickle__ubjson_items c = { .at = data };

    if (size == 0)
        return v;
    v.end = c.end = v.at + size;
    v.type = (char)*v.at++;
    c.at++;
    if (!skip(&c, v.type, 0))
        v.type = 0;
    return v;
}

/* The text is whole: pickle__ubjson_open went through it. */
static pickle__ubjson member(pickle__ubjson object, const char *key, size_t len)
{
    pickle__ubjson none = { 0 };
    pickle__ubjson_items c = { .at = object.at, .end = object.end };

    if (object.type != '{' || !take_header(&c))
        return none;
    while (c.counted ? c.left-- > 0 : c.at < c.end && *c.at != '}') {
        pickle__ubjson value = { .end = c.end, .type = c.type };
        const char *name;
        uint64_t length;

        if (!take_length(&c, &length) || length > (uint64_t)(c.end - c.at))
            return none;
        name = (const char *)c.at;
        c.at += length;
        if (!value.type && !take_byte(&c, &value.type))
            return none;
        value.at = c.at;
        if (length == len && memcmp(name, key, len) == 0)
            return value;
        if (!skip(&c, value.type, 0))
            return none;
    }
    return none;
}

pickle__ubjson pickle__ubjson_get(pickle__ubjson object, const char *path)
{
    while (object.type && *path) {
        size_t len = strcspn(path, ".");

        object = member(object, path, len);
        path += len + (path[len] == '.');
    }
    return object;
}

bool pickle__ubjson_text(pickle__ubjson v, const char **text, size_t *len)
{
    pickle__ubjson_items c = { .at = v.at, .end = v.end };
    uint64_t length;

    if (v.type != 'S' || !take_length(&c, &length) || length > (uint64_t)(c.end - c.at))
        return false;
    *text = (const char *)c.at;
    *len = (size_t)length;
    return true;
}

bool pickle__ubjson_number(pickle__ubjson v, double *out)
{
    return size_of(v.type) > 0 && v.end - v.at >= size_of(v.type) && number_at(v.at, v.type, out);
}

bool pickle__ubjson_items_of(pickle__ubjson array, pickle__ubjson_items *it)
{
    *it = (pickle__ubjson_items){ .at = array.at, .end = array.end };
    return array.type == '[' && take_header(it);
}

bool pickle__ubjson_next(pickle__ubjson_items *it, pickle__ubjson *item)
{
    if (it->counted ? it->left == 0 : it->at == it->end || *it->at == ']')
        return false;
    it->left -= it->counted;
    *item = (pickle__ubjson){ .end = it->end, .type = it->type };
    if (!item->type && !take_byte(it, &item->type))
        return false;
    item->at = it->at;
    return skip(it, item->type, 0);
}

size_t pickle__ubjson_count(pickle__ubjson array)
{
    pickle__ubjson_items it;
    pickle__ubjson item;
    size_t n = 0;

    if (!pickle__ubjson_items_of(array, &it))
        return 0;
    if (it.counted)
        return it.left < SIZE_MAX ? (size_t)it.left : SIZE_MAX;
    while (pickle__ubjson_next(&it, &item))
        n++;
    return n;
}
