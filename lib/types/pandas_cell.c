/* pandas_cell.c - what is in a row of a column: missing, a number, text, an object. */
#include "types/pandas.h"

/* ------------------------------------------------------------------------ places */

bool pickle__element(pickle_array *out, const char *dtype, const void *data)
{
    memset(out, 0, sizeof *out);
    out->data = data;
    if (!pickle__parse_dtype(dtype, strlen(dtype), &out->dtype))
        return false;
    out->nbytes = out->dtype.itemsize;
    return data != NULL;
}

/* Element `row` of an array of one dimension, as one without any. */
static bool element_at(const pickle_array *a, uint64_t row, pickle_array *out)
{
    int64_t at = (int64_t)row;

    return a->ndim == 1 && !a->objects && pickle_array_at(a, &at, 1, out, NULL) && out->data;
}

bool pickle__integer_at(const pickle_array *a, uint64_t row, int64_t *out)
{
    pickle_array element;

    if (!element_at(a, row, &element))
        return false;
    if (element.dtype.kind == 'M' || element.dtype.kind == 'm')
        element.dtype.kind = 'i';
    return strchr("bi", element.dtype.kind) &&
           pickle_array_copy(&element, "=i8", out, sizeof *out, NULL);
}

bool pickle__integer_find(const pickle_array *a, int64_t want, uint64_t *row)
{
    uint64_t low = 0, high = (uint64_t)a->shape[0], middle;
    int64_t n;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (!pickle__integer_at(a, middle, &n))
            return false;
        if (n < want)
            low = middle + 1;
        else
            high = middle;
    }
    *row = low;
    return pickle__integer_at(a, low, &n) && n == want;
}

static const pickle_val *object_at(const pickle_column *c, uint64_t row)
{
    return pickle_at(c->values.objects, (size_t)(c->first + row * (uint64_t)c->values.strides[0]));
}

/* The code of a row; below zero: missing. */
static bool code_at(const pickle_column *c, uint64_t row, int64_t *code)
{
    return c->kind == PICKLE_COLUMN_CATEGORICAL && row < c->count &&
           pickle__integer_at(&c->values, row, code);
}

const pickle_column *pickle__pandas_resolve(const pickle_column *c, uint64_t *row,
                                            pickle_column *categories)
{
    int64_t code;

    if (c->kind != PICKLE_COLUMN_CATEGORICAL)
        return *row < c->count ? c : NULL;
    if (!code_at(c, *row, &code) || code < 0 || !pickle_column_categories(c, categories) ||
        (uint64_t)code >= categories->count)
        return NULL;
    *row = (uint64_t)code;
    return categories;
}

/* ------------------------------------------------------------------------ sparse */

/* BlockIndex: starts, and lengths. */
static bool find_run(const pickle_column *c, const pickle_array *starts, uint64_t row,
                     uint64_t *place)
{
    int64_t start, length;
    uint64_t before = 0;

    for (uint64_t i = 0; pickle__integer_at(starts, i, &start); i++) {
        if (!pickle__integer_at(&c->mask, i, &length))
            return false;
        if (start < 0 || length < 0 || (uint64_t)start > row)
            return false;
        if (row - (uint64_t)start < (uint64_t)length) {
            *place = before + (row - (uint64_t)start);
            return true;
        }
        before += (uint64_t)length;
    }
    return false;
}

/* Where among the values that are not `fill` a row stands; IntIndex has their positions. */
static bool sparse_place(const pickle_column *c, uint64_t row, uint64_t *place)
{
    pickle_array places;

    if (!pickle_get_array(pickle_at(c->aux, 1), &places))
        return false;
    return c->mask.ndim ? find_run(c, &places, row, place)
                        : pickle__integer_find(&places, (int64_t)row, place);
}

/* ------------------------------------------------------------------------- cells */

static void find_numpy(const pickle_column *c, uint64_t row, pickle__cell *out)
{
    if (c->values.objects) {
        out->what = PICKLE__CELL_OBJECT;
        out->object = object_at(c, row);
    } else if (element_at(&c->values, row, &out->element)) {
        out->what = PICKLE__CELL_ELEMENT;
    }
}

static void find_range(const pickle_column *c, uint64_t row, pickle__cell *out)
{
    int64_t n = (int64_t)((uint64_t)c->start + row * (uint64_t)c->step);

    memcpy(out->scratch, &n, sizeof n);
    if (pickle__element(&out->element, "=i8", out->scratch))
        out->what = PICKLE__CELL_ELEMENT;
}

static void find_sparse(const pickle_column *c, uint64_t row, pickle__cell *out)
{
    uint64_t place;

    if (sparse_place(c, row, &place)) {
        if (place < (uint64_t)c->values.shape[0])
            find_numpy(c, place, out);
        return;
    }
    out->what = PICKLE__CELL_OBJECT;
    out->object = c->fill;
}

static void find_masked(const pickle_column *c, uint64_t row, pickle__cell *out)
{
    int64_t masked;

    if (!pickle__integer_at(&c->mask, row, &masked))
        return;
    if (masked)
        out->what = PICKLE__CELL_MISSING;
    else
        find_numpy(c, row, out);
}

static void find_arrow(const pickle_column *c, uint64_t row, pickle__cell *out)
{
    uint64_t at;

    if (!pickle__arrow_find(c, row, &out->piece, &at))
        return;
    if (!pickle__arrow_is_valid(&out->piece, at)) {
        out->what = PICKLE__CELL_MISSING;
        return;
    }
    out->text = pickle__arrow_text(&out->piece, at, &out->len);
    if (out->text)
        out->what = PICKLE__CELL_TEXT;
    else if (pickle__arrow_element(&out->piece, at, &out->element, out->scratch))
        out->what = PICKLE__CELL_ELEMENT;
}

void pickle__pandas_cell(const pickle_column *c, uint64_t row, pickle__cell *out)
{
    out->what = PICKLE__CELL_NONE;
    switch (c->kind) {
    case PICKLE_COLUMN_RANGE:
        find_range(c, row, out);
        return;
    case PICKLE_COLUMN_MASKED:
        find_masked(c, row, out);
        return;
    case PICKLE_COLUMN_ARROW:
        find_arrow(c, row, out);
        return;
    case PICKLE_COLUMN_SPARSE:
        find_sparse(c, row, out);
        return;
    case PICKLE_COLUMN_CATEGORICAL:
    case PICKLE_COLUMN_INTERVAL:
        return;
    default:
        find_numpy(c, row, out);
    }
}

/* ----------------------------------------------------------------------- missing */

static bool element_is_missing(const pickle_column *c, const pickle_array *element)
{
    double parts[2] = { 0, 0 };
    pickle_array number = *element;
    int64_t n;

    switch (element->dtype.kind) {
    case 'f':
        pickle_array_copy(element, "=f8", parts, sizeof *parts, NULL);
        return parts[0] != parts[0];
    case 'c':
        pickle_array_copy(element, "=c16", parts, sizeof parts, NULL);
        return parts[0] != parts[0] || parts[1] != parts[1];
    case 'i':
        if (c->kind != PICKLE_COLUMN_PERIOD)
            return false;
        break;
    case 'M':
    case 'm':
        number.dtype.kind = 'i';
        break;
    default:
        return false;
    }
    return pickle_array_copy(&number, "=i8", &n, sizeof n, NULL) && n == PICKLE__NAT;
}

bool pickle__cell_is_missing(const pickle_column *c, const pickle__cell *cell)
{
    switch (cell->what) {
    case PICKLE__CELL_MISSING:
        return true;
    case PICKLE__CELL_OBJECT:
        return pickle_is_missing(cell->object);
    case PICKLE__CELL_ELEMENT:
        /* What a mask lets through is a value; Arrow's NaN and NaT are as well. */
        return c->kind != PICKLE_COLUMN_MASKED && c->kind != PICKLE_COLUMN_ARROW &&
               element_is_missing(c, &cell->element);
    default:
        return false;
    }
}

bool pickle_column_is_missing(const pickle_column *c, uint64_t row)
{
    pickle_column other, right;
    pickle__cell cell;
    int64_t code;

    if (code_at(c, row, &code) && code < 0)
        return true;
    c = pickle__pandas_resolve(c, &row, &other);
    if (c && c->kind == PICKLE_COLUMN_INTERVAL)
        c = pickle_column_bounds(c, &other, &right) ? &other : NULL;
    if (!c)
        return false;
    pickle__pandas_cell(c, row, &cell);
    return pickle__cell_is_missing(c, &cell);
}

/* ------------------------------------------------------------------------ values */

/* A cell that is there. NaN is, too, NaT is not. */
static bool find_cell(const pickle_column *c, uint64_t row, pickle__cell *out)
{
    pickle_column categories;

    c = pickle__pandas_resolve(c, &row, &categories);
    if (!c)
        return false;
    pickle__pandas_cell(c, row, out);
    if (out->what == PICKLE__CELL_NONE || out->what == PICKLE__CELL_MISSING)
        return false;
    if (out->what == PICKLE__CELL_OBJECT ? c->kind != PICKLE_COLUMN_STRING
                                         : out->element.dtype.kind == 'f')
        return true;
    return !pickle__cell_is_missing(c, out);
}

/* A number of numpy's in an object. */
static void look_inside(pickle__cell *cell)
{
    if (cell->what == PICKLE__CELL_OBJECT && pickle_type_of(cell->object) == PICKLE_TYPE_SCALAR &&
        pickle_get_array(cell->object, &cell->element) && cell->element.data)
        cell->what = PICKLE__CELL_ELEMENT;
}

bool pickle_column_i64(const pickle_column *c, uint64_t row, int64_t *out)
{
    pickle__cell cell;
    pickle_array *a = &cell.element;
    uint64_t n;

    if (!find_cell(c, row, &cell))
        return false;
    look_inside(&cell);
    if (cell.what == PICKLE__CELL_OBJECT)
        return pickle_get_i64(cell.object, out);
    if (cell.what != PICKLE__CELL_ELEMENT || !strchr("biuMm", a->dtype.kind))
        return false;
    if (a->dtype.kind == 'M' || a->dtype.kind == 'm')
        a->dtype.kind = 'i';
    if (a->dtype.kind != 'u')
        return pickle_array_copy(a, "=i8", out, sizeof *out, NULL);
    if (!pickle_array_copy(a, "=u8", &n, sizeof n, NULL) || n > INT64_MAX)
        return false;
    *out = (int64_t)n;
    return true;
}

bool pickle_column_f64(const pickle_column *c, uint64_t row, double *out)
{
    pickle__cell cell;

    if (!find_cell(c, row, &cell))
        return false;
    look_inside(&cell);
    if (cell.what == PICKLE__CELL_OBJECT)
        return pickle_get_f64(cell.object, out);
    return cell.what == PICKLE__CELL_ELEMENT && strchr("biuf", cell.element.dtype.kind) &&
           pickle_array_copy(&cell.element, "=f8", out, sizeof *out, NULL);
}

const char *pickle_column_str(const pickle_column *c, uint64_t row, size_t *len)
{
    pickle__cell cell;

    *len = 0;
    if (!find_cell(c, row, &cell))
        return NULL;
    if (cell.what == PICKLE__CELL_TEXT && cell.piece.kind == 's') {
        *len = cell.len;
        return cell.text;
    }
    if (cell.what != PICKLE__CELL_OBJECT || !pickle_str(cell.object))
        return NULL;
    *len = pickle_len(cell.object);
    return pickle_str(cell.object);
}

const pickle_val *pickle_column_object(const pickle_column *c, uint64_t row)
{
    pickle_column categories;
    pickle__cell cell;

    c = pickle__pandas_resolve(c, &row, &categories);
    if (!c)
        return NULL;
    pickle__pandas_cell(c, row, &cell);
    return cell.what == PICKLE__CELL_OBJECT ? cell.object : NULL;
}
