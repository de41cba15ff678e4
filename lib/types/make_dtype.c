/*
 * make_dtype.c - numpy.dtype objects from their text: codes, and the lists and
 * dicts that describe records.
 *
 * The text is a Python literal. Its values stand on a stack; a bracket that
 * closes turns those since it was opened into one: a dtype where they describe
 * one, else a tuple. So types within types are made from the inside out.
 */
#include <stdio.h>

#include "base/text.h"
#include "types/make.h"

/* numpy keeps the size of an element in an int. */
#define MOST_BYTES INT32_MAX

/* Flags of dtypes, and those that a record has from its fields. */
#define HAS_OBJECT   0x01
#define LIST_PICKLE  0x02
#define NEEDS_INIT   0x08
#define NEEDS_PYAPI  0x10
#define OBJECT_FLAGS 0x3f
#define ALIGNED_STRUCT                                                        \
    (-0x80) /* the sign of a char: numpy 1 refuses 0x80, which numpy 2 writes \
             */
#define FROM_FIELDS (HAS_OBJECT | LIST_PICKLE | NEEDS_INIT | NEEDS_PYAPI)

typedef struct frame {
    char open;    /* the bracket                            */
    size_t first; /* the value that came first behind it    */
} frame;

typedef struct parser {
    pickle_doc *doc;
    const char *text, *p;
    pickle_buf values; /* const pickle_val * in a row */
    pickle_buf scratch;
    frame frames[2 * PICKLE__DTYPE_DEPTH];
    int depth;
    bool had_value; /* a comma, colon or bracket comes next */
} parser;

/* ------------------------------------------------------------------- nodes */

/* numpy.dtype.__setstate__'s tuple. */
typedef struct state {
    char order;
    const pickle_val *subarray, *names, *fields, *unit;
    int64_t itemsize, alignment, flags;
} state;

static pickle_val *new_dtype(pickle_doc *doc, const char *code, const state *s)
{
    const pickle_val *none = pickle_new_none(doc);
    const char order[] = { s->order, '\0' };
    const pickle_val *items[] = { pickle_new_int(doc, s->unit ? 4 : 3),
                                  pickle__intern(doc, order),
                                  s->subarray ? s->subarray : none,
                                  s->names ? s->names : none,
                                  s->fields ? s->fields : none,
                                  pickle_new_int(doc, s->itemsize),
                                  pickle_new_int(doc, s->alignment),
                                  pickle_new_int(doc, s->flags),
                                  s->unit };
    pickle_val *dtype =
        pickle__call(doc, "numpy", "dtype",
                     PICKLE__ITEMS(pickle_new_str(doc, code), pickle_new_bool(doc, false),
                                   pickle_new_bool(doc, true)));

    pickle_set_state(doc, dtype, pickle_new_tuple(doc, s->unit ? 9 : 8, items));
    return dtype;
}

/* Of bytes that have a meaning of their own: a record, a subarray. */
static pickle_val *new_void(pickle_doc *doc, const state *s)
{
    char code[16];

    snprintf(code, sizeof code, "V%d", (int)s->itemsize);
    return new_dtype(doc, code, s);
}

/* ({}, (b'ns', 1, 1, 1)) */
static const pickle_val *new_unit(pickle_doc *doc, const pickle_dtype *d)
{
    const pickle_val *one = pickle_new_int(doc, 1);
    const pickle_val *unit =
        pickle_new_tuple(doc, PICKLE__ITEMS(pickle_new_bytes(doc, d->unit, strlen(d->unit)),
                                            pickle_new_int(doc, d->unit_count), one, one));

    return pickle_new_tuple(doc, PICKLE__ITEMS(pickle_new_dict(doc), unit));
}

static pickle_val *new_simple(pickle_doc *doc, const pickle_dtype *d)
{
    uint64_t size = d->kind == 'U' ? d->itemsize / 4 : d->itemsize;
    state s = { .order = d->order, .itemsize = -1, .alignment = -1 };
    char code[32];

    if (strchr("SUV", d->kind)) {
        s.itemsize = (int64_t)d->itemsize;
        s.alignment = d->kind == 'U' ? 4 : 1;
        s.flags = d->kind == 'U' ? NEEDS_INIT : 0;
    }
    if (d->kind == 'O')
        s.flags = OBJECT_FLAGS;
    if (d->unit[0])
        s.unit = new_unit(doc, d);
    snprintf(code, sizeof code, "%c%llu", d->kind, (unsigned long long)size);
    return new_dtype(doc, code, &s);
}

/* numpy has one object for each of its own types, unless the bytes are swapped. */
static bool is_built_in(const pickle_dtype *d)
{
    return !strchr("SUVMm", d->kind) && !pickle__is_swapped(d);
}

static pickle_val *built_in_dtype(pickle_doc *doc, const pickle_dtype *d)
{
    pickle_val **place, *made;
    char name[32];

    snprintf(name, sizeof name, "dtype('%c%d')", d->kind, (int)d->itemsize);
    place = pickle__kept(doc, name);
    if (!place || pickle__is(*place, PICKLE_OBJECT))
        return place ? *place : NULL;
    made = new_simple(doc, d);
    place = made ? pickle__kept(doc, name) : NULL;
    if (place)
        *place = made;
    return place ? made : NULL;
}

static pickle_val *simple_dtype(pickle_doc *doc, const char *text, size_t len)
{
    pickle_dtype d;
    char shown[40];

    if (!pickle__parse_dtype(text, len, &d))
        return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "numpy has no dtype '%s'",
                              pickle__escape(shown, sizeof shown, text, len));
    if (d.kind == 'T')
        return PICKLE__REFUSE(doc, PICKLE_ERR_UNSUPPORTED, "no StringDType can be made");
    if (d.itemsize > MOST_BYTES)
        return PICKLE__REFUSE(doc, PICKLE_ERR_RANGE, "a dtype's size exceeds 2^31");
    return is_built_in(&d) ? built_in_dtype(doc, &d) : new_simple(doc, &d);
}

/* ------------------------------------------------------------------- values */

static size_t n_values(const parser *p)
{
    return p->values.len / sizeof(pickle_val *);
}

/* Moves when something is pushed. */
static const pickle_val *const *values_from(const parser *p, size_t first)
{
    const void *data = p->values.data;

    return data ? (const pickle_val *const *)data + first : NULL;
}

static bool push(parser *p, const pickle_val *v)
{
    p->had_value = true;
    return v && (pickle__buf_add(&p->values, &v, sizeof v) || pickle__doc_no_memory(p->doc));
}

static bool bad(const parser *p, const char *what)
{
    char shown[40];

    return pickle__doc_fail(p->doc, PICKLE_ERR_ARG, "%s, before '%s' in the dtype", what,
                            pickle__escape(shown, sizeof shown, p->p, strlen(p->p)));
}

static bool is_dtype(const pickle_val *v)
{
    return pickle__is(v, PICKLE_OBJECT);
}

static bool is_text(const pickle_val *v)
{
    return pickle__is(v, PICKLE_STR);
}

static bool is_shape(const pickle_val *v)
{
    if (pickle_kind_of(v) == PICKLE_INT)
        return true;
    for (size_t i = 0; i < pickle_len(v); i++)
        if (pickle_kind_of(pickle_at(v, i)) != PICKLE_INT)
            return false;
    return pickle_kind_of(v) == PICKLE_TUPLE;
}

/* A value where a dtype has to be. */
static const pickle_val *as_dtype(const parser *p, const pickle_val *v)
{
    if (is_dtype(v))
        return v;
    if (is_text(v))
        return simple_dtype(p->doc, pickle_str(v), pickle_len(v));
    bad(p, "neither a type code nor a list of fields");
    return NULL;
}

static int64_t state_item(const pickle_val *dtype, size_t i)
{
    return pickle_i64_or(pickle_at(pickle_state(dtype), i), 0);
}

/* Of simple types the state does not say. */
static int64_t alignment_of(const pickle_val *dtype, const pickle_dtype *d)
{
    int64_t alignment = state_item(dtype, 6), part;

    if (alignment > 0)
        return alignment;
    part = (int64_t)d->itemsize / (d->kind == 'c' ? 2 : 1);
    return part == 12 ? 4 : part;
}

/* ---------------------------------------------------------------- subarrays */

/* "('<f8', (2, 3))" */
static const pickle_val *new_subarray(const parser *p, const pickle_val *of,
                                      const pickle_val *shape)
{
    const pickle_val *base = as_dtype(p, of);
    int64_t sizes[PICKLE_MAXDIMS];
    uint64_t count, size;
    int ndim;
    pickle_dtype d;
    state s = { .order = '|' };

    if (pickle_kind_of(shape) == PICKLE_INT)
        shape = pickle_new_tuple(p->doc, 1, &shape);
    if (!base || !shape || !pickle_get_dtype(base, &d) || pickle_len(shape) == 0)
        return base;
    if (!pickle__read_shape(shape, sizes, &ndim, NULL) ||
        !pickle__array_size(sizes, ndim, d.itemsize, &count, &size) || size > MOST_BYTES) {
        bad(p, "no shape of a subarray");
        return NULL;
    }
    s.subarray = pickle_new_tuple(p->doc, PICKLE__ITEMS(base, shape));
    s.itemsize = (int64_t)size;
    s.alignment = alignment_of(base, &d);
    s.flags = state_item(base, 7);
    return new_void(p->doc, &s);
}

/* ------------------------------------------------------------------ records */

typedef struct record {
    parser *p;
    size_t first; /* of the values that are the names */
    pickle_val *fields;
    size_t n_keys; /* names and titles */
    int64_t end, alignment, flags;
    bool aligned;
} record;

static record begin_record(parser *p)
{
    return (record){ .p = p,
                     .first = n_values(p),
                     .fields = pickle_new_dict(p->doc),
                     .alignment = 1,
                     .flags = NEEDS_PYAPI };
}

static int64_t round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

/* `offset` negative: behind the field before. */
static bool place(record *r, const pickle_val *dtype, int64_t *offset)
{
    pickle_dtype d;
    int64_t alignment;

    if (!dtype || !pickle_get_dtype(dtype, &d))
        return false;
    alignment = r->aligned ? alignment_of(dtype, &d) : 1;
    if (*offset < 0)
        *offset = round_up(r->end, alignment);
    if (*offset % alignment != 0)
        return bad(r->p, "a field that is not aligned");
    if (*offset > MOST_BYTES - (int64_t)d.itemsize)
        return bad(r->p, "a record of more than 2^31 bytes");
    if (*offset + (int64_t)d.itemsize > r->end)
        r->end = *offset + (int64_t)d.itemsize;
    if (alignment > r->alignment)
        r->alignment = alignment;
    r->flags |= state_item(dtype, 7) & FROM_FIELDS;
    return true;
}

/* `title` may be NULL. */
static bool add_field(record *r, const pickle_val *name, const pickle_val *title,
                      const pickle_val *dtype, int64_t offset)
{
    const pickle_val *spec;

    if (!is_text(name) || pickle_len(name) == 0 || (title && !is_text(title)))
        return bad(r->p, "a field's name that is no text");
    if (!place(r, dtype, &offset))
        return false;
    spec =
        pickle_new_tuple(r->p->doc, title ? 3 : 2,
                         (const pickle_val *[]){ dtype, pickle_new_int(r->p->doc, offset), title });
    pickle_set_item(r->p->doc, r->fields, name, spec);
    if (title)
        pickle_set_item(r->p->doc, r->fields, title, spec);
    r->n_keys += title ? 2 : 1;
    return push(r->p, name);
}

/* `itemsize` negative: no bytes behind the last field. */
static const pickle_val *end_record(record *r, int64_t itemsize)
{
    parser *p = r->p;
    size_t n = n_values(p) - r->first;
    state s = { .order = '|', .fields = r->fields, .alignment = r->alignment };

    s.names = pickle_new_tuple(p->doc, n, values_from(p, r->first));
    s.itemsize = itemsize < 0 ? round_up(r->end, r->alignment) : itemsize;
    s.flags = r->aligned ? r->flags + ALIGNED_STRUCT : r->flags;
    if (r->fields && pickle_len(r->fields) != r->n_keys) {
        bad(p, "two fields of one name");
        return NULL;
    }
    if (s.itemsize < r->end || s.itemsize > MOST_BYTES ||
        (r->aligned && s.itemsize % s.alignment != 0)) {
        bad(p, "an item size that does not fit the fields");
        return NULL;
    }
    return new_void(p->doc, &s);
}

/* "('', '|V4')": bytes that belong to no field. */
static bool is_padding(const pickle_val *name, const pickle_val *dtype)
{
    pickle_dtype d;

    return is_text(name) && pickle_len(name) == 0 && pickle_get_dtype(dtype, &d) && d.kind == 'V' &&
           d.subdims == 0 && !pickle__is_record(&d);
}

/* "('name', '<f8')", "(('title', 'name'), '<f8', (2,))" */
static bool add_listed(record *r, const pickle_val *item)
{
    size_t n = pickle_len(item);
    const pickle_val *name = pickle_at(item, 0), *title = NULL, *dtype;
    int64_t offset = -1;

    if (pickle_kind_of(item) != PICKLE_TUPLE || n < 2 || n > 3 ||
        (n == 3 && !is_shape(pickle_at(item, 2))))
        return bad(r->p, "a field that is no (name, type) or (name, type, shape)");
    dtype = n == 3 ? new_subarray(r->p, pickle_at(item, 1), pickle_at(item, 2))
                   : as_dtype(r->p, pickle_at(item, 1));
    if (!dtype)
        return false;
    if (is_padding(name, dtype))
        return place(r, dtype, &offset);
    if (pickle_kind_of(name) == PICKLE_TUPLE && pickle_len(name) == 2) {
        title = pickle_at(name, 0);
        name = pickle_at(name, 1);
    }
    return add_field(r, name, title, dtype, offset);
}

static const pickle_val *record_of_list(parser *p, size_t first)
{
    size_t end = n_values(p);
    record r = begin_record(p);

    for (size_t i = first; i < end; i++)
        if (!add_listed(&r, *values_from(p, i)))
            return NULL;
    return end_record(&r, -1);
}

/* The value of a key in the dict that stands on the stack; the last one, as in Python. */
static const pickle_val *entry(const parser *p, size_t first, size_t end, const char *key)
{
    for (size_t i = end; i > first; i -= 2)
        if (pickle_str_is(*values_from(p, i - 2), key))
            return *values_from(p, i - 1);
    return NULL;
}

static bool known_keys(const parser *p, size_t first, size_t end)
{
    static const char *const keys[] = { "names",    "formats", "offsets", "titles",
                                        "itemsize", "aligned", NULL };

    for (size_t i = first; i < end; i += 2)
        if (!is_text(*values_from(p, i)) ||
            !pickle__is_one_of(pickle_str(*values_from(p, i)), keys))
            return false;
    return (end - first) % 2 == 0;
}

/* The offsets and titles may be absent, but not shorter. */
static bool is_column(const pickle_val *v, size_t n)
{
    return !v || (pickle_kind_of(v) == PICKLE_TUPLE && pickle_len(v) == n);
}

static const pickle_val *record_of_dict(parser *p, size_t first)
{
    size_t end = n_values(p);
    const pickle_val *names, *formats, *offsets, *titles;
    record r = begin_record(p);

    if (!known_keys(p, first, end)) {
        bad(p, "no dict of names, formats, offsets, titles, itemsize, aligned");
        return NULL;
    }
    names = entry(p, first, end, "names");
    formats = entry(p, first, end, "formats");
    offsets = entry(p, first, end, "offsets");
    titles = entry(p, first, end, "titles");
    pickle_get_bool(entry(p, first, end, "aligned"), &r.aligned);
    if (!names || !formats || !is_column(names, pickle_len(formats)) ||
        !is_column(formats, pickle_len(names)) || !is_column(offsets, pickle_len(names)) ||
        !is_column(titles, pickle_len(names))) {
        bad(p, "names, formats, offsets or titles that are not as many");
        return NULL;
    }
    for (size_t i = 0; i < pickle_len(names); i++) {
        const pickle_val *title = pickle_at(titles, i);

        if (!add_field(&r, pickle_at(names, i), pickle_kind_of(title) == PICKLE_NONE ? NULL : title,
                       as_dtype(p, pickle_at(formats, i)),
                       pickle_i64_or(pickle_at(offsets, i), -1)))
            return NULL;
    }
    return end_record(&r, pickle_i64_or(entry(p, first, end, "itemsize"), -1));
}

/* ------------------------------------------------------------------ literals */

static void skip_blanks(parser *p)
{
    while (*p->p == ' ' || *p->p == '\n' || *p->p == '\t')
        p->p++;
}

/* After a backslash: the escapes that repr() writes. */
static bool parse_escape(parser *p)
{
    static const char letters[] = "\\'\"nrtxuU", means[] = "\\'\"\n\r\t", digits[] = "248";
    const char *found = *p->p ? strchr(letters, *p->p) : NULL;
    char escape[] = "\\U00000000", *place = escape + sizeof escape - 1;
    unsigned char utf8[4];
    unsigned flags;
    pickle__text_error err;
    size_t n;

    if (!found)
        return bad(p, "an escape that Python does not have");
    p->p++;
    if (found - letters < 6)
        return pickle__buf_add(&p->scratch, &means[found - letters], 1) ||
               pickle__doc_no_memory(p->doc);
    n = (size_t)(digits[found - letters - 6] - '0');
    place -= n;
    for (size_t i = 0; i < n; i++, p->p++) {
        if (pickle__digit((unsigned char)*p->p) >= 16)
            return bad(p, "an escape without its digits");
        place[i] = *p->p;
    }
    n = pickle__decode_raw_unicode_escape((char *)utf8, (const unsigned char *)escape,
                                          sizeof escape - 1, &flags, &err);
    return n == SIZE_MAX ? bad(p, "an escape for no character")
                         : pickle__buf_add(&p->scratch, utf8, n) || pickle__doc_no_memory(p->doc);
}

/* Python has one text for each character. */
static pickle_val *new_text(const parser *p)
{
    const char *text = p->scratch.len ? (const char *)p->scratch.data : "";
    const char single[] = { *text, '\0' };

    return p->scratch.len == 1 && *text ? pickle__intern(p->doc, single)
                                        : pickle_new_strn(p->doc, text, p->scratch.len);
}

static bool parse_text(parser *p)
{
    char quote = *p->p++;

    p->scratch.len = 0;
    while (*p->p != quote) {
        if (!*p->p)
            return bad(p, "a text without its end");
        if (*p->p == '\\') {
            p->p++;
            if (!parse_escape(p))
                return false;
        } else if (!pickle__buf_add(&p->scratch, p->p++, 1)) {
            return pickle__doc_no_memory(p->doc);
        }
    }
    p->p++;
    return push(p, new_text(p));
}

/* Python 2 wrote "(2L,)". */
static bool parse_number(parser *p)
{
    int64_t n = 0;

    for (; *p->p >= '0' && *p->p <= '9'; p->p++) {
        n = n * 10 + (*p->p - '0');
        if (n > MOST_BYTES)
            return bad(p, "a number of more than 31 bits");
    }
    if (*p->p == 'L')
        p->p++;
    return push(p, pickle_new_int(p->doc, n));
}

static bool parse_word(parser *p)
{
    static const char *const words[] = { "None", "False", "True" };

    for (int i = 0; i < 3; i++)
        if (strncmp(p->p, words[i], strlen(words[i])) == 0) {
            p->p += strlen(words[i]);
            return push(p, i ? pickle_new_bool(p->doc, i == 2) : pickle_new_none(p->doc));
        }
    return bad(p, "no value");
}

static bool open_bracket(parser *p)
{
    if (p->depth == sizeof p->frames / sizeof *p->frames)
        return bad(p, "brackets nested too deeply");
    p->frames[p->depth++] = (frame){ *p->p++, n_values(p) };
    p->had_value = false;
    return true;
}

/* Only for the parser: its items do not stand in it. */
static const pickle_val *group(const parser *p, size_t first)
{
    size_t n = n_values(p) - first;
    pickle__tuple *t = n > 0 ? pickle__new_tuple(pickle__edit(p->doc), n) : NULL;

    if (n == 0)
        return pickle_new_tuple(p->doc, 0, NULL);
    if (t)
        memcpy(t->items, values_from(p, first), n * sizeof *t->items);
    return pickle__made(p->doc, t ? &t->v : NULL, PICKLE__MEMOIZED);
}

/* Lists are records, but for the columns in a dict. */
static bool close_bracket(parser *p)
{
    frame f = p->frames[--p->depth];
    bool in_dict = p->depth > 0 && p->frames[p->depth - 1].open == '{';
    const pickle_val *const *v = values_from(p, f.first), *made;
    bool pair = n_values(p) - f.first == 2;

    p->p++;
    if (f.open == '{')
        made = record_of_dict(p, f.first);
    else if (f.open == '[' && !in_dict)
        made = record_of_list(p, f.first);
    else if (f.open == '(' && pair && (is_text(v[0]) || is_dtype(v[0])) && is_shape(v[1]))
        made = new_subarray(p, v[0], v[1]);
    else
        made = group(p, f.first);
    p->values.len = f.first * sizeof *v;
    return push(p, made);
}

static bool parse_separator(parser *p, const frame *f)
{
    bool key = f->open == '{' && (n_values(p) - f->first) % 2 == 1;

    if (*p->p != (key ? ':' : ','))
        return bad(p, key ? "no ':'" : "no ',' and no bracket");
    p->p++;
    p->had_value = false;
    return true;
}

/* One value, bracket or separator. */
static bool parse_token(parser *p)
{
    const frame *f = p->depth ? &p->frames[p->depth - 1] : NULL;

    skip_blanks(p);
    if (f && *p->p == (f->open == '(' ? ')' : f->open == '[' ? ']' : '}'))
        return close_bracket(p);
    if (f && p->had_value)
        return parse_separator(p, f);
    if (*p->p && strchr("([{", *p->p))
        return open_bracket(p);
    if (*p->p == '\'' || *p->p == '"')
        return parse_text(p);
    return *p->p >= '0' && *p->p <= '9' ? parse_number(p) : parse_word(p);
}

static const pickle_val *parse_literal(parser *p)
{
    do {
        if (!parse_token(p))
            return NULL;
    } while (p->depth > 0);
    skip_blanks(p);
    if (*p->p) {
        bad(p, "something behind the end");
        return NULL;
    }
    return as_dtype(p, *values_from(p, 0));
}

pickle_val *pickle_new_dtype(pickle_doc *doc, const char *dtype)
{
    parser p = { .doc = doc, .p = dtype };
    const pickle_val *made;

    if (!pickle__given(doc, dtype, "the dtype"))
        return NULL;
    skip_blanks(&p);
    if (!*p.p || !strchr("([{'\"", *p.p))
        return simple_dtype(doc, p.p, strlen(p.p));
    p.values.alloc = p.scratch.alloc = doc->alloc;
    made = parse_literal(&p);
    pickle_buf_free(&p.values);
    pickle_buf_free(&p.scratch);
    return pickle__mutable(made);
}
