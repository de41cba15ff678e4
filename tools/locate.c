/* locate.c - paths: those of pickle_find, and indices of arrays behind them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "locate.h"
#include "output.h"
#include "preview.h"

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

/* ['name'] of a record array. */
static const char *take_field(pickle_array *a, const char *p)
{
    size_t len = strlen(p) < 3 ? 0 : strcspn(p + 2, "'\"");
    char name[256];
    pickle_array field;

    if (len == 0 || len >= sizeof name || p[2 + len] != p[1] || p[3 + len] != ']')
        return NULL;
    memcpy(name, p + 2, len);
    name[len] = '\0';
    if (!pickle_array_field(a, name, &field))
        return NULL;
    *a = field;
    return p + 4 + len;
}

/* One step into an array. Afterwards `*value` is an element that is an object, or NULL. */
static const char *step_into(pickle_array *a, const char *p, const pickle_val **value)
{
    int64_t index[PICKLE_MAXDIMS];
    pickle_array element;
    const char *end;
    int n;

    *value = NULL;
    if (p[0] == '[' && (p[1] == '\'' || p[1] == '"'))
        return take_field(a, p);
    end = parse_indices(p, index, a->ndim, &n);
    if (!end)
        return NULL;
    if (a->objects)
        return n == a->ndim && pickle_array_at(a, index, n, &element, value) && *value ? end : NULL;
    return take_rows(a, index, n) ? end : NULL;
}

/* Goes on from an array; gives what is left of the path. */
static const char *into_array(const char *rest, located *out)
{
    const pickle_val *element;

    while (*rest) {
        const char *next = step_into(&out->array, rest, &element);

        if (!next)
            return rest;
        out->value = element;
        rest = next;
        if (element)
            return rest;
    }
    return rest;
}

/* -------------------------------------------------------------- complaints */

/* What there is instead of what was asked for, as "; it has a, b, ...". */
static void suggest(const pickle_val *v, char *text, size_t size)
{
    size_t shown = 0, len = 0;
    children c;
    child at;

    *text = '\0';
    children_start(&c, v, true);
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

    if (reached->value) {
        preview_kind(&what, reached->value);
        suggest(reached->value, hint, sizeof hint);
    } else {
        preview_array(&what, &reached->array);
    }
    if (done == 0)
        complain(file, "there is no %s: the root is %.*s%s", rest, (int)what.len, what.text, hint);
    else
        complain(file, "there is no %s in %.*s, which is %.*s%s", rest, done, path, (int)what.len,
                 what.text, hint);
}

bool locate(const char *file, const pickle_val *root, const char *path, located *out)
{
    const char *rest = path, *before = NULL;

    out->value = root;
    while (out->value && rest != before) {
        before = rest;
        out->value = pickle_find_prefix(out->value, rest, &rest);
        if (*rest && pickle_get_array(out->value, &out->array))
            rest = into_array(rest, out);
    }
    if (!*rest)
        return true;
    complain_missing(file, path, rest, out);
    return false;
}
