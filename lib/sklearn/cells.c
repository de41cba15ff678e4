/* cells.c - values of the file as cells of a table. */
#include "sklearn/estimator.h"

#include <string.h>

/* Text of numpy's U: UCS-4 in native order, without the NULs that fill it up. */
static bool ucs4_cell(pickle__pool *pool, const uint32_t *chars, size_t n, pickle_cell *out)
{
    unsigned char *text, *to;

    while (n > 0 && chars[n - 1] == 0)
        n--;
    text = to = pickle__pool_take(pool, n * 4 + 1, 1);
    if (!text)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = chars[i] > 0x10ffff ? 0xfffd : chars[i];

        if (c < 0x80) {
            *to++ = (unsigned char)c;
            continue;
        }
        if (c < 0x800) {
            *to++ = (unsigned char)(0xc0 | c >> 6);
        } else {
            if (c < 0x10000) {
                *to++ = (unsigned char)(0xe0 | c >> 12);
            } else {
                *to++ = (unsigned char)(0xf0 | c >> 18);
                *to++ = (unsigned char)(0x80 | (c >> 12 & 63));
            }
            *to++ = (unsigned char)(0x80 | (c >> 6 & 63));
        }
        *to++ = (unsigned char)(0x80 | (c & 63));
    }
    *to = '\0';
    *out = (pickle_cell){ PICKLE_CELL_TEXT, (size_t)(to - text), { .text = (char *)text } };
    return true;
}

static bool bytes_cell(pickle__pool *pool, const char *bytes, size_t n, pickle_cell *out)
{
    char *text;

    while (n > 0 && bytes[n - 1] == 0)
        n--;
    text = pickle__pool_take(pool, n + 1, 1);
    if (!text)
        return false;
    if (n > 0)
        memcpy(text, bytes, n);
    text[n] = '\0';
    *out = (pickle_cell){ PICKLE_CELL_TEXT, n, { .text = text } };
    return true;
}

/* One element of `elements`, which pickle_array_copy made as `code`. */
static bool element_cell(pickle__pool *pool, char kind, const void *elements, size_t itemsize,
                         size_t i, pickle_cell *out)
{
    const char *at = (const char *)elements + i * itemsize;

    switch (kind) {
    case 'b':
        *out = (pickle_cell){ PICKLE_CELL_BOOL, 0, { .i = *(const uint8_t *)at != 0 } };
        return true;
    case 'i':
    case 'u':
        *out = (pickle_cell){ PICKLE_CELL_INT, 0, { .i = *(const int64_t *)(const void *)at } };
        return true;
    case 'f':
        *out = (pickle_cell){ PICKLE_CELL_FLOAT, 0, { .f = *(const double *)(const void *)at } };
        return true;
    case 'U':
        return ucs4_cell(pool, (const uint32_t *)(const void *)at, itemsize / 4, out);
    case 'S':
        return bytes_cell(pool, at, itemsize, out);
    default:
        return false;
    }
}

/* All elements of an array that is none of objects; NULL when its type has no cells. */
pickle_cell *pickle__array_cells(pickle__pool *pool, const pickle_array *a)
{
    static const char codes[][5] = {
        ['b'] = "?", ['i'] = "=i8", ['u'] = "=i8", ['f'] = "=f8", ['U'] = "=U", ['S'] = "S"
    };
    unsigned char kind = (unsigned char)a->dtype.kind;
    const char *code = kind < sizeof codes / sizeof *codes ? codes[kind] : "";
    size_t n = (size_t)pickle_array_count(a), itemsize = 8;
    pickle_cell *cells = pickle__pool_take(pool, n, sizeof *cells);
    void *elements;

    if (!*code || !cells)
        return NULL;
    if (kind == 'U' || kind == 'S')
        itemsize = (size_t)a->dtype.itemsize;
    else if (kind == 'b')
        itemsize = 1;
    elements = pickle__pool_take(pool, n, itemsize);
    if (!elements || !pickle_array_copy(a, code, elements, n * itemsize, NULL))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (!element_cell(pool, a->dtype.kind, elements, itemsize, i, &cells[i]))
            return NULL;
    }
    return cells;
}

bool pickle__value_cell(pickle__pool *pool, const pickle_val *v, pickle_cell *out)
{
    pickle_array a;
    pickle_cell *cells;
    bool truth;
    size_t len;

    memset(out, 0, sizeof *out);
    switch (pickle_kind_of(v)) {
    case PICKLE_NONE:
        out->kind = PICKLE_CELL_NONE;
        return true;
    case PICKLE_BOOL:
        out->kind = PICKLE_CELL_BOOL;
        pickle_get_bool(v, &truth);
        out->as.i = truth;
        return true;
    case PICKLE_INT:
        out->kind = PICKLE_CELL_INT;
        return pickle_get_i64(v, &out->as.i);
    case PICKLE_FLOAT:
        out->kind = PICKLE_CELL_FLOAT;
        return pickle_get_f64(v, &out->as.f);
    case PICKLE_STR:
        *out = (pickle_cell){ PICKLE_CELL_TEXT, pickle_len(v), { .text = pickle_str(v) } };
        return true;
    case PICKLE_BYTES:
        out->as.text = pickle_bytes(v, &len);
        return bytes_cell(pool, out->as.text, len, out);
    default:
        break;
    }
    if (!pickle_get_array(v, &a) || a.ndim != 0 || a.dtype.hasobject)
        return false;
    cells = pickle__array_cells(pool, &a);
    if (cells)
        *out = cells[0];
    return cells != NULL;
}

bool pickle__cell_number(const pickle_cell *cell, double *out)
{
    if (cell->kind == PICKLE_CELL_FLOAT)
        *out = cell->as.f;
    else if (cell->kind == PICKLE_CELL_INT || cell->kind == PICKLE_CELL_BOOL)
        *out = (double)cell->as.i;
    else
        return false;
    return true;
}
