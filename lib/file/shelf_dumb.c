/*
 * shelf_dumb.c - dbm.dumb: a text file NAME.dir with a line for each key, where in
 * NAME.dat beside it the value is: 'key', (512, 20). Facts: Python's dbm/dumb.py.
 */
#include "file/shelf.h"

#include "base/text.h"

typedef struct dumb {
    pickle__shelf shelf;
    const pickle__source *index;
    const unsigned char *at;
} dumb;

/* ------------------------------------------------------------------- a line */

/* The end of the literal that begins here; NULL: it does not end. */
static const unsigned char *literal_end(const unsigned char *at, const unsigned char *end)
{
    unsigned char quote = *at++;

    while (at < end && *at != quote && *at != '\n')
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    return at < end && *at == quote ? at : NULL;
}

/* No opcode is a quote. Of a long key the end may not be there yet. */
bool pickle__is_dumb(const unsigned char *head, size_t len)
{
    const unsigned char *end = head + len, *quote;

    if (len == 0 || (*head != '\'' && *head != '"'))
        return false;
    quote = literal_end(head, end);
    if (!quote)
        return !memchr(head, '\n', len);
    len = (size_t)(end - quote) - 1;
    return len > 0 && memcmp(quote + 1, ", (", len < 3 ? len : 3) == 0;
}

static bool skip(dumb *d, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(d->index->end - d->at) < len || memcmp(d->at, text, len) != 0)
        return false;
    d->at += len;
    return true;
}

static bool read_number(dumb *d, uint64_t *out)
{
    const unsigned char *start = d->at;
    uint64_t x = 0;

    for (; d->at < d->index->end && pickle__digit(*d->at) < 10; d->at++) {
        if (x > (UINT64_MAX - 9) / 10)
            return false;
        x = x * 10 + pickle__digit(*d->at);
    }
    *out = x;
    return d->at > start;
}

static bool malformed(const dumb *d)
{
    uint64_t at = d->index->base - (uint64_t)(d->index->end - d->at);

    return pickle__fail(d->shelf.err, PICKLE_ERR_CODEC, at,
                        "the index of a dbm.dumb: not \"'key', (position, size)\"");
}

/* Without its quotes and escapes; characters of latin1 are bytes. */
static bool read_key(dumb *d, const unsigned char **key, size_t *len)
{
    bool quoted = *d->at == '\'' || *d->at == '"';
    const unsigned char *end = quoted ? literal_end(d->at, d->index->end) : NULL;
    const unsigned char *raw = d->at + 1;
    pickle__text_error e;
    unsigned char *plain;

    if (!end)
        return malformed(d);
    *key = raw;
    *len = (size_t)(end - raw);
    if (memchr(raw, '\\', *len)) {
        plain = pickle__arena_take(&d->shelf.doc->arena, *len);
        if (!plain)
            return pickle__arena_fail(&d->shelf.doc->arena, d->shelf.err, 0);
        *key = plain;
        *len = pickle__decode_escapes(plain, raw, *len, &e);
    }
    if (*len == SIZE_MAX)
        return malformed(d);
    d->at = end + 1;
    return true;
}

static bool read_line(dumb *d)
{
    const unsigned char *key = NULL;
    uint64_t at, size;
    size_t len = 0;
    pickle__source value;

    if (!read_key(d, &key, &len))
        return false;
    if (!skip(d, ", (") || !read_number(d, &at) || !skip(d, ", ") || !read_number(d, &size) ||
        !skip(d, ")"))
        return malformed(d);
    skip(d, "\r");
    if (!skip(d, "\n") && d->at < d->index->end)
        return malformed(d);
    if (!pickle__shelf_has(&d->shelf, at, size))
        return pickle__fail(d->shelf.err, PICKLE_ERR_TRUNCATED, at,
                            "a value lies beyond the end of the .dat file");
    value = pickle__shelf_window(&d->shelf, at, size);
    return pickle__shelf_add(&d->shelf, key, len, &value);
}

static bool walk(pickle__shelf *s)
{
    dumb *d = (dumb *)s;

    /* Here the keys are in another file than the values. */
    s->most += pickle__source_left(d->index);
    for (d->at = d->index->at; d->at < d->index->end;)
        if (!read_line(d))
            return false;
    return true;
}

/* ------------------------------------------------------------------- a file */

static bool has_end(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);

    return len >= n && strcmp(name + len - n, end) == 0;
}

/* Length of the name that Python has for it; .bak is the index as it was before. */
static size_t stem_of(const char *name)
{
    return strlen(name) - (has_end(name, ".dir") || has_end(name, ".bak") ? 4 : 0);
}

bool pickle__is_empty_dumb(const pickle__input *in)
{
    const char *name = pickle__shelf_name(in);

    return name && pickle__source_left(&in->src) == 0 && in->src.status == PICKLE_OK &&
           has_end(name, ".dir");
}

static bool open_values(pickle_doc *doc, pickle__source *out, pickle_error *err)
{
    const char *name = pickle__shelf_name(doc->owned);
    size_t stem = name ? stem_of(name) : 0;
    pickle_status status = pickle__shelf_beside(doc, stem, ".dat", out, err);

    if (status == PICKLE_ERR_MISSING)
        return pickle__fail(err, status, 0,
                            "this is the index of a dbm.dumb, and its .dat file is not beside it");
    return status == PICKLE_OK;
}

bool pickle__read_dumb(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle__source index, values;
    dumb d;

    if (!pickle__input_whole(in, err) || !open_values(doc, &values, err))
        return false;
    index = in->src;
    d.index = &index;
    return pickle__shelf_read(&d.shelf, doc, &values, walk, err);
}
