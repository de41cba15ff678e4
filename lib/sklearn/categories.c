/* categories.c - the categories of columns: a hash table for each, made when a model is opened. */
#include "sklearn/categories.h"

#include <math.h>
#include <string.h>

#define MOST_COUNT   ((size_t)1 << 28)
#define MOST_STEPS   512 /* of a search; more means that the file was made to collide */
#define EXACT_NUMBER ((int64_t)1 << 53) /* beyond, doubles are not all whole numbers */

const pickle_cell pickle__infrequent = { PICKLE_CELL_TEXT,
                                         sizeof "infrequent_sklearn" - 1,
                                         { .text = "infrequent_sklearn" } };

/* ------------------------------------------------------------------ hashing */

static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
    return h ^ h >> 32;
}

static uint64_t hash_number(double number)
{
    uint64_t bits;

    number = number != number ? (double)NAN : number + 0.0; /* one NaN, one zero */
    memcpy(&bits, &number, sizeof bits);
    return mix(bits);
}

static uint64_t hash_text(const char *text, size_t len)
{
    uint64_t h = len + 1, word;

    for (; len >= sizeof word; text += sizeof word, len -= sizeof word) {
        memcpy(&word, text, sizeof word);
        h = mix(h ^ word);
    }
    word = 0;
    memcpy(&word, text, len);
    return mix(h ^ word);
}

static uint64_t hash_cell(const pickle_cell *cell)
{
    double number;

    if (cell->kind == PICKLE_CELL_TEXT)
        return hash_text(cell->as.text, cell->len);
    return pickle__cell_number(cell, &number) ? hash_number(number) : 0;
}

/* -------------------------------------------------------------- categories */

int32_t pickle__category_of(const pickle__categories *c, const pickle_cell *cell)
{
    size_t at = (size_t)hash_cell(cell) & c->mask;

    for (size_t step = 0; step <= c->longest && c->slots[at]; step++, at = (at + 1) & c->mask) {
        if (pickle__cell_equal(&c->cells[c->slots[at] - 1], cell))
            return c->slots[at] - 1;
    }
    return PICKLE__UNKNOWN;
}

int32_t pickle__category_of_number(const pickle__categories *c, double number)
{
    pickle_cell cell = { PICKLE_CELL_FLOAT, 0, { .f = number } };

    return pickle__category_of(c, &cell);
}

static bool insert(pickle__opener *o, const char *name, pickle__categories *c, size_t place)
{
    size_t at = (size_t)hash_cell(&c->cells[place]) & c->mask, step = 0;

    for (; c->slots[at]; step++, at = (at + 1) & c->mask) {
        if (step >= MOST_STEPS)
            pickle__unsupported(o, name, "has values that can't be told apart fast");
        else if (pickle__cell_equal(&c->cells[c->slots[at] - 1], &c->cells[place]))
            pickle__unsupported(o, name, "has a value twice");
        else
            continue;
        return false;
    }
    c->slots[at] = (int32_t)place + 1;
    if (step > c->longest)
        c->longest = step;
    return true;
}

bool pickle__categories_index(pickle__opener *o, const char *name, pickle__labels labels,
                              pickle__categories *out)
{
    size_t size = 2;

    *out = (pickle__categories){ .count = labels.count, .cells = labels.cells };
    if (!pickle__ok(o) || labels.count > MOST_COUNT) {
        pickle__bad(o, name, "has too many values");
        return false;
    }
    while (size < 2 * labels.count)
        size *= 2;
    out->mask = size - 1;
    out->slots = pickle__keep(o, size, sizeof *out->slots);
    for (size_t i = 0; out->slots && i < labels.count; i++) {
        const pickle_cell *cell = &labels.cells[i];

        out->has_text |= cell->kind == PICKLE_CELL_TEXT;
        out->has_nan |= cell->kind == PICKLE_CELL_FLOAT && isnan(cell->as.f);
        if (cell->kind == PICKLE_CELL_INT &&
            (cell->as.i > EXACT_NUMBER || cell->as.i < -EXACT_NUMBER))
            pickle__unsupported(o, name, "has integers beyond 2**53");
        if (!insert(o, name, out, i))
            return false;
    }
    return pickle__ok(o);
}

bool pickle__categories_of(pickle__opener *o, const char *name, const pickle_val *v,
                           pickle__categories *out)
{
    return pickle__categories_index(o, name, pickle__labels_of(o, name, v), out);
}

/* ------------------------------------------------------------------ columns */

bool pickle__open_coder(pickle__opener *o, pickle__coder *c, int nan_since)
{
    static const char name[] = "categories_";
    const pickle_val *list = pickle__items(o, name, pickle__need(o, name), &c->columns);

    c->of = pickle__keep(o, c->columns, sizeof *c->of);
    c->starts = pickle__keep(o, c->columns + 1, sizeof *c->starts);
    if (c->columns == 0 || !c->of || !c->starts)
        pickle__bad(o, name, "is empty");
    for (size_t i = 0; pickle__ok(o) && i < c->columns; i++) {
        if (pickle__categories_of(o, name, pickle_at(list, i), &c->of[i]) && c->of[i].count == 0)
            pickle__bad(o, name, "has a column without any");
        c->starts[i + 1] = c->starts[i] + c->of[i].count;
        if (c->starts[i + 1] > MOST_COUNT)
            pickle__bad(o, name, "has too many values");
    }
    o->model->features = c->columns;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CELLS;
    o->model->numbers = o->version >= nan_since ? PICKLE__OR_NAN : PICKLE__FINITE;
    return pickle__ok(o);
}

/* What scikit-learn refuses in numbers of a table of objects. */
static bool check_cell(const pickle_model *m, pickle__run *r, const pickle_cell *cell, size_t row,
                       size_t column)
{
    if (cell->kind != PICKLE_CELL_FLOAT || isfinite(cell->as.f) ||
        (isnan(cell->as.f) && m->numbers == PICKLE__OR_NAN))
        return true;
    return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu, column %zu is %s, which %s refuses",
                            r->first_row + row, column, isnan(cell->as.f) ? "NaN" : "infinite",
                            m->class_name);
}

static bool encode_cells(const pickle_model *m, const pickle__coder *c, pickle__run *r,
                         const pickle_batch *x, int32_t *codes)
{
    for (size_t i = 0; i < x->rows; i++) {
        const pickle_cell *row = pickle__row_cells(x, i);

        for (size_t j = 0; j < c->columns; j++) {
            if (!check_cell(m, r, &row[j], i, j))
                return false;
            *codes++ = pickle__category_of(&c->of[j], &row[j]);
        }
    }
    return true;
}

/* An array of numbers has nothing in common with categories that are text. */
static bool encode_numbers(const pickle_model *m, const pickle__coder *c, pickle__run *r,
                           const pickle_batch *x, int32_t *codes)
{
    bool f32 = x->kind == PICKLE_BATCH_F32;

    for (size_t j = 0; x->rows > 0 && j < c->columns; j++) {
        if (c->of[j].has_text)
            return pickle__run_fail(r, PICKLE_ERR_TYPE,
                                    "column %zu is of numbers, but %s knows it as text", j,
                                    m->class_name);
    }
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < c->columns; j++)
            *codes++ = pickle__category_of_number(&c->of[j], f32 ? (double)pickle__row_f32(x, i)[j]
                                                                 : pickle__row(x, i)[j]);
    }
    return true;
}

int32_t *pickle__codes(const pickle_model *m, const pickle__coder *c, pickle__run *r,
                       const pickle_batch *x)
{
    int32_t *codes = pickle__take(r, x->rows, c->columns * sizeof *codes);

    if (!codes)
        return NULL;
    return (x->kind == PICKLE_BATCH_CELLS ? encode_cells : encode_numbers)(m, c, r, x, codes)
               ? codes
               : NULL;
}

/* ------------------------------------------------------- what encoders share */

/* Integers of few bytes hold less than what is put into them. */
static bool holds(const pickle_dtype *type, double least, double most)
{
    int bits = (int)type->itemsize * 8 - (type->kind == 'i');

    if (type->kind == 'b')
        return least >= 0 && most <= 1;
    return most < ldexp(1, bits) && least >= (type->kind == 'i' ? -ldexp(1, bits) : 0);
}

pickle__output pickle__output_of(pickle__opener *o, const char *name, double least, double most)
{
    const pickle_val *v = pickle__attr(o, name);
    const char *plain = pickle_name(v);
    pickle_dtype type;

    if (!v || (plain && strcmp(plain, "float") == 0))
        return PICKLE__AS_F64;
    if (plain && strcmp(plain, "int") == 0)
        return PICKLE__AS_INTEGERS;
    if (plain && strcmp(plain, "bool") == 0 && least >= 0 && most <= 1)
        return PICKLE__AS_INTEGERS;
    if (pickle_str_is(v, "float64") || pickle_str_is(v, "float32") || pickle_str_is(v, "int64"))
        return pickle_str_is(v, "float64")   ? PICKLE__AS_F64
               : pickle_str_is(v, "float32") ? PICKLE__AS_F32
                                             : PICKLE__AS_INTEGERS;
    if (pickle_get_dtype(v, &type)) {
        if (type.kind == 'f' && (type.itemsize == 8 || type.itemsize == 4))
            return type.itemsize == 8 ? PICKLE__AS_F64 : PICKLE__AS_F32;
        if (strchr("iub", type.kind) && type.itemsize <= 8 && holds(&type, least, most))
            return PICKLE__AS_INTEGERS;
    }
    pickle__unsupported(o, name, "is a type that is not known here");
    return PICKLE__AS_F64;
}

const int64_t *pickle__groups_of(pickle__opener *o, size_t i, size_t columns, size_t count)
{
    static const char name[] = "_default_to_infrequent_mappings";
    const pickle_val *list, *v;
    const int64_t *groups;
    size_t n = 0;

    if (!pickle__flag(o, "_infrequent_enabled", false))
        return NULL;
    list = pickle__items(o, name, pickle__need(o, name), &n);
    if (!list || n != columns) {
        pickle__bad(o, name, "is not for each column");
        return NULL;
    }
    v = pickle_at(list, i);
    if (pickle_kind_of(v) == PICKLE_NONE)
        return NULL;
    groups = pickle__integers_of(o, name, v, &n);
    if (groups && n != count)
        pickle__bad(o, name, "is not for each category");
    for (size_t k = 0; pickle__ok(o) && k < n; k++) {
        if (groups[k] < 0 || (uint64_t)groups[k] >= count)
            pickle__bad(o, name, "has a group that is none");
    }
    return pickle__ok(o) ? groups : NULL;
}
