/* locate.c - paths: those of pickle_find, and steps into arrays and tables behind them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "locate.h"
#include "output.h"
#include "picture.h"

#define SUGGESTIONS 12 /* attributes or keys that a complaint names */

/* ------------------------------------------------------------------ arrays */

/* [1], [1,2], [-1, 0]: the end of it; NULL if it is none or has too many numbers. */
static const char *parse_indices(const char *p, int64_t *index, int most, int *n)
{
    *n = 0;
    while (*n < most && (*p == (*n ? ',' : '[') || *p == ' ')) {
        char *end;

        p++;
        index[*n] = strtoll(p, &end, 10);
        if (end == p)
            return NULL;
        ++*n;
        p = end;
    }
    return *n > 0 && *p == ']' ? p + 1 : NULL;
}

/* Rows of an array: some of its indices are given, the others stay. */
static bool take_rows(pickle_array *a, const int64_t *index, int n)
{
    const char *data = a->data;

    if (!data && pickle_array_count(a) > 0)
        return false;
    for (int k = 0; k < n; k++) {
        int64_t i = index[k] < 0 ? index[k] + a->shape[k] : index[k];

        if (i < 0 || i >= a->shape[k])
            return false;
        data += i * a->strides[k];
    }
    a->data = data;
    a->ndim -= n;
    memmove(a->shape, a->shape + n, (size_t)a->ndim * sizeof *a->shape);
    memmove(a->strides, a->strides + n, (size_t)a->ndim * sizeof *a->strides);
    a->nbytes = pickle_array_count(a) * a->dtype.itemsize;
    return true;
}

/* ['name']: its end; NULL: it is none. */
static const char *parse_key(const char *p, char *name, size_t size)
{
    char quote = p[0] == '[' ? p[1] : '\0';
    size_t n = 0;

    if (quote != '\'' && quote != '"')
        return NULL;
    for (p += 2; *p && *p != quote && n + 1 < size; p++) {
        p += *p == '\\' && p[1];
        name[n++] = *p;
    }
    name[n] = '\0';
    return p[0] == quote && p[1] == ']' ? p + 2 : NULL;
}

/* .name, or name at the start of a path. */
static const char *parse_name(const char *p, char *name, size_t size)
{
    size_t n;

    p += *p == '.';
    n = strcspn(p, ".[");
    if (n == 0 || n >= size)
        return NULL;
    memcpy(name, p, n);
    name[n] = '\0';
    return p + n;
}

/* Is the next step this name? Gives what follows it. */
static const char *after_name(const char *p, const char *name)
{
    char text[16];
    const char *end = parse_name(p, text, sizeof text);

    return end && strcmp(text, name) == 0 ? end : NULL;
}

/* ['name'] of a record array. */
static const char *take_field(pickle_array *a, const char *p)
{
    char name[256];
    pickle_array field;
    const char *end = parse_key(p, name, sizeof name);

    if (!end || !pickle_array_field(a, name, &field))
        return NULL;
    *a = field;
    return end;
}

static void reach_value(located *t, const pickle_val *v)
{
    t->kind = LOCATED_VALUE;
    t->value = v;
}

/* Indices into an array: what they lead to may be an object. */
static const char *into_array(located *t, const char *p)
{
    int64_t index[PICKLE_MAXDIMS];
    pickle_array element;
    const pickle_val *object;
    const char *end = take_field(&t->array, p);
    int n;

    if (end)
        return end;
    end = parse_indices(p, index, t->array.ndim, &n);
    if (!end || !t->array.objects)
        return end && take_rows(&t->array, index, n) ? end : NULL;
    if (n != t->array.ndim || !pickle_array_at(&t->array, index, n, &element, &object) || !object)
        return NULL;
    reach_value(t, object);
    return end;
}

static const char *into_masked(located *t, const char *p)
{
    int64_t index[PICKLE_MAXDIMS];
    pickle_array mask = t->mask;
    const char *end;
    int n;

    end = parse_indices(p, index, mask.ndim, &n);
    if (!end || mask.dtype.kind != 'b' || !take_rows(&mask, index, n))
        return NULL;
    t->mask = mask;
    return into_array(t, p);
}

/* ------------------------------------------------------------------ tables */

/* [3], [-1]: a row. */
static const char *parse_row(const char *p, uint64_t count, uint64_t *row)
{
    int64_t i;
    int n;
    const char *end = parse_indices(p, &i, 1, &n);

    if (!end)
        return NULL;
    *row = i < 0 ? (uint64_t)i + count : (uint64_t)i;
    return *row < count ? end : NULL;
}

static const char *into_column(located *t, const char *p)
{
    const char *end = parse_row(p, t->series.values.count, &t->row);
    const pickle_val *object = end ? pickle_column_object(&t->series.values, t->row) : NULL;

    if (object)
        reach_value(t, object);
    else if (end)
        t->kind = LOCATED_CELL;
    return end;
}

static const char *into_series(located *t, const char *p)
{
    const char *end = after_name(p, "index");

    if (!end)
        return into_column(t, p);
    t->kind = LOCATED_INDEX;
    t->index = t->series.index;
    return end;
}

static const char *into_index(located *t, const char *p)
{
    return !t->index.multi && pickle_index_level(&t->index, 0, &t->series.values)
               ? into_column(t, p)
               : NULL;
}

/* The column whose label is this number. */
static bool find_numbered(const pickle_dataframe *df, int64_t number, pickle_column *out)
{
    pickle_column labels;
    int64_t label;

    if (df->labels.multi || !pickle_index_level(&df->labels, 0, &labels))
        return false;
    for (uint64_t n = 0; n < labels.count; n++)
        if (pickle_column_i64(&labels, n, &label) && label == number)
            return pickle_dataframe_column(df, n, out);
    return false;
}

static const char *find_column(const pickle_dataframe *df, const char *p, located *out)
{
    pickle_column *column = &out->series.values;
    char name[256];
    int n;
    const char *end = parse_indices(p, &out->label.number, 1, &n);

    out->label.is_number = end != NULL;
    if (end)
        return find_numbered(df, out->label.number, column) ? end : NULL;
    end = parse_key(p, name, sizeof name);
    if (!end)
        end = parse_name(p, name, sizeof name);
    return end && pickle_dataframe_find(df, name, column) ? end : NULL;
}

static const char *into_frame(located *t, const pickle_dataframe *df, const char *p)
{
    const char *index = after_name(p, "index"), *columns = after_name(p, "columns"), *end;

    if (index || columns) {
        t->kind = LOCATED_INDEX;
        t->index = index ? df->index : df->labels;
        return index ? index : columns;
    }
    end = find_column(df, p, t);
    if (!end)
        return NULL;
    t->kind = LOCATED_SERIES;
    t->series.index = df->index;
    t->series.cls = t->series.attrs = NULL;
    return end;
}

/* ------------------------------------------------------------------- paths */

/* Into a value that is more than its parts. */
static const char *into_value(located *t, const char *p)
{
    const pickle_val *v = t->value;
    pickle_masked_array masked;
    pickle_dataframe df;
    pickle_stdarray array;

    if (pickle_get_dataframe(v, &df))
        return into_frame(t, &df, p);
    if (pickle_get_series(v, &t->series))
        return into_series(t, p);
    if (pickle_get_index(v, &t->index))
        return into_index(t, p);
    if (pickle_get_masked_array(v, &masked)) {
        t->kind = LOCATED_MASKED;
        t->array = masked.data;
        t->mask = masked.mask;
        return into_masked(t, p);
    }
    if (pickle_get_stdarray(v, &array))
        t->array = array.array;
    else if (!pickle_get_array(v, &t->array))
        return pickle_get_column(v, &t->series.values) ? into_column(t, p) : NULL;
    t->kind = LOCATED_ARRAY;
    return into_array(t, p);
}

/* One step; NULL: there is none. */
static const char *step(located *t, const char *p)
{
    switch (t->kind) {
    case LOCATED_VALUE:
        return into_value(t, p);
    case LOCATED_ARRAY:
        return into_array(t, p);
    case LOCATED_MASKED:
        return into_masked(t, p);
    case LOCATED_SERIES:
        return into_series(t, p);
    case LOCATED_INDEX:
        return into_index(t, p);
    default:
        return NULL;
    }
}

/* -------------------------------------------------------------- complaints */

static void describe(line *l, const located *t)
{
    switch (t->kind) {
    case LOCATED_VALUE:
        preview_kind(l, t->value);
        break;
    case LOCATED_SERIES:
        picture_series(l, &t->series, &t->label);
        break;
    case LOCATED_INDEX:
        picture_index(l, &t->index);
        break;
    case LOCATED_CELL:
        pickle_column_text(&t->series.values, t->row, line_sink(l));
        break;
    default:
        preview_array(l, &t->array);
    }
}

/* The columns of a DataFrame as `suggest` has keys. */
static void suggest_columns(const pickle_dataframe *df, char *text, size_t size)
{
    size_t len = 0;

    for (uint64_t n = 0; n < df->columns; n++) {
        line l = { 0 };

        pickle_index_text(&df->labels, n, line_sink(&l));
        if (n == SUGGESTIONS || len + l.len + 24 > size) {
            snprintf(text + len, size - len, ", ...");
            break;
        }
        len += (size_t)snprintf(text + len, size - len, "%s%.*s", n ? ", " : "; its columns are ",
                                (int)l.len, l.text);
    }
}

/* What there is instead of what was asked for, as "; it has a, b, ...". */
static void suggest(const pickle_val *v, char *text, size_t size)
{
    size_t shown = 0, len = 0;
    pickle_dataframe df;
    children c;
    child at;

    *text = '\0';
    if (pickle_get_dataframe(v, &df)) {
        suggest_columns(&df, text, size);
        return;
    }
    children_start(&c, v, VIEW_KNOWN, view_form(v, VIEW_KNOWN), true);
    while (children_next(&c, &at)) {
        line l = { 0 };

        if (at.part == PART_VALUE)
            preview_value(&l, at.key);
        else if (at.part == PART_ATTRIBUTE || at.part == PART_SLOT)
            line_text(&l, pickle_str(at.key));
        else
            continue;
        if (shown == SUGGESTIONS || len + l.len + 16 > size) {
            snprintf(text + len, size - len, ", ...");
            break;
        }
        len += (size_t)snprintf(text + len, size - len, "%s%.*s", shown++ ? ", " : "; it has ",
                                (int)l.len, l.text);
    }
}

static void complain_missing(const char *file, const char *path, const char *rest,
                             const located *reached)
{
    char hint[512] = "";
    line what = { 0 };
    int done = (int)(rest - path);

    describe(&what, reached);
    if (reached->value)
        suggest(reached->value, hint, sizeof hint);
    if (done == 0)
        complain(file, "there is no %s: the root is %.*s%s", rest, (int)what.len, what.text, hint);
    else
        complain(file, "there is no %s in %.*s, which is %.*s%s", rest, done, path, (int)what.len,
                 what.text, hint);
}

bool locate(const char *file, const pickle_val *root, const char *path, located *out)
{
    const char *rest = path, *next = path;
    located reached;

    memset(out, 0, sizeof *out);
    out->value = root;
    while (next) {
        rest = next;
        if (out->kind == LOCATED_VALUE)
            out->value = pickle_find_prefix(out->value, rest, &rest);
        if (!*rest)
            return true;
        reached = *out; /* a step that fails may leave something behind */
        next = step(out, rest);
        if (out->kind != LOCATED_VALUE)
            out->value = NULL;
    }
    complain_missing(file, path, rest, &reached);
    return false;
}
