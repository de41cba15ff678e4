/* encode_legacy.c - OneHotEncoder up to 0.19, and until 0.21 if fitted on integers: values count
 * from 0, and some columns may be left as they are, at the right of the others. */
#include "sklearn/categories.h"

#include <math.h>
#include <string.h>

#define NO_COLUMN    (-1)
#define MOST_COLUMNS ((size_t)1 << 20)

typedef struct legacy {
    size_t count;     /* columns of the input that are encoded */
    size_t *selected; /* their places, rising */
    int64_t *values;  /* how many each of them may have */
    int64_t *starts;  /* their first in `columns`: count + 1 */
    int64_t *columns; /* of the output, for each value; NO_COLUMN: was not seen */
    size_t width;     /* of what is encoded */
    bool sparse, ignore;
} legacy;

/* The output's column of one value. */
static bool find_column(const pickle_model *m, pickle__run *r, size_t row, size_t k, double value,
                        int64_t *column)
{
    const legacy *s = m->state;

    value = trunc(value);
    *column = NO_COLUMN;
    if (value < 0)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu, column %zu is negative",
                                r->first_row + row, s->selected[k]);
    if (value < (double)s->values[k])
        *column = s->columns[s->starts[k] + (int64_t)value];
    else if (!s->ignore)
        return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                "row %zu, column %zu is none of the values that %s was fitted on",
                                r->first_row + row, s->selected[k], m->class_name);
    return true;
}

/* What is not encoded comes after the rest, in its order. */
static size_t put_others(const legacy *s, const double *row, size_t cols, pickle__csr *to, size_t n)
{
    size_t k = 0, column = s->width;

    for (size_t j = 0; j < cols; j++) {
        if (k < s->count && s->selected[k] == j) {
            k++;
            continue;
        }
        to->indices[n] = (int64_t)column++;
        to->data[n++] = row[j];
    }
    return n;
}

static bool put_rows(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const legacy *s = m->state;
    size_t n = 0, others = x->cols - s->count;
    pickle__csr to;

    if (x->cols > SIZE_MAX / (x->rows + 1))
        return pickle__run_no_memory(r);
    to = pickle__new_csr(r, y, x->rows, s->width + others, x->rows * x->cols);
    for (size_t i = 0; to.data && i < x->rows; i++) {
        const double *row = pickle__row(x, i);

        for (size_t k = 0; k < s->count; k++) {
            int64_t column;

            if (!find_column(m, r, i, k, row[s->selected[k]], &column))
                return false;
            if (column == NO_COLUMN)
                continue;
            to.indices[n] = column;
            to.data[n++] = 1;
        }
        n = put_others(s, row, x->cols, &to, n);
        to.indptr[i + 1] = (int64_t)n;
    }
    return to.data != NULL;
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const legacy *s = m->state;

    if (x->cols <= s->selected[s->count - 1])
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "X has %zu columns: %s encodes column %zu",
                                x->cols, m->class_name, s->selected[s->count - 1]);
    return put_rows(m, r, x, y) && (s->sparse || pickle__as_f64(r, y, y));
}

/* ------------------------------------------------------------------ opening */

/* The places that categorical_features gives, as a mask; `*size` is how long it is. */
static bool *chosen_columns(pickle__opener *o, pickle__labels given, size_t *size)
{
    static const char name[] = "categorical_features";
    bool is_mask = given.count > 0 && given.cells[0].kind == PICKLE_CELL_BOOL, *chosen;

    *size = is_mask ? given.count : 0;
    for (size_t i = 0; i < given.count; i++) {
        const pickle_cell *cell = &given.cells[i];

        if (cell->kind != (is_mask ? PICKLE_CELL_BOOL : PICKLE_CELL_INT) || cell->as.i < 0 ||
            (uint64_t)cell->as.i >= MOST_COLUMNS) {
            pickle__unsupported(o, name, "is neither 'all' nor columns nor a mask");
            return NULL;
        }
        if (!is_mask && (size_t)cell->as.i >= *size)
            *size = (size_t)cell->as.i + 1;
    }
    chosen = pickle__keep(o, *size, sizeof *chosen);
    for (size_t i = 0; chosen && i < given.count; i++)
        chosen[is_mask ? i : (size_t)given.cells[i].as.i] |= !is_mask || given.cells[i].as.i;
    o->model->features = is_mask ? given.count : 0;
    return chosen;
}

static void select_columns(pickle__opener *o, legacy *s)
{
    static const char name[] = "categorical_features";
    const pickle_val *v = pickle__attr(o, name);
    bool all = !v || pickle_str_is(v, "all"), *chosen = NULL;
    size_t size = s->count, n = 0;

    if (!all)
        chosen = chosen_columns(o, pickle__labels_of(o, name, v), &size);
    else
        o->model->features = s->count;
    s->selected = pickle__keep(o, s->count, sizeof *s->selected);
    for (size_t j = 0; pickle__ok(o) && j < size; j++) {
        if (!all && !chosen[j])
            continue;
        if (n < s->count)
            s->selected[n] = j;
        n++;
    }
    if (n != s->count)
        pickle__bad(o, name, "is not for what was learned");
}

/* active_features_: the values that were seen, if nobody said how many there are. */
static void place_columns(pickle__opener *o, legacy *s, const int64_t *first)
{
    const pickle_val *v = pickle__either(o, "_active_features_", "active_features_");
    size_t total = (size_t)first[s->count], n = 0;
    const int64_t *active = v ? pickle__integers_of(o, "active_features_", v, &n) : NULL;

    if (!v && total > MOST_COLUMNS)
        pickle__unsupported(o, "n_values", "is too large");
    if (!pickle__ok(o))
        return;
    s->width = v ? n : total;
    s->columns = pickle__keep(o, total, sizeof *s->columns);
    for (size_t k = 0; s->columns && k < total; k++)
        s->columns[k] = v ? NO_COLUMN : (int64_t)k;
    for (size_t k = 0; s->columns && k < n; k++) {
        if (active[k] < 0 || (uint64_t)active[k] >= total)
            pickle__bad(o, "active_features_", "has what is no value");
        else
            s->columns[active[k]] = (int64_t)k;
    }
}

static void read_values(pickle__opener *o, legacy *s)
{
    const pickle_val *first = pickle__either(o, "_feature_indices_", "feature_indices_");
    size_t n = 0;
    const int64_t *starts = pickle__integers_of(o, "feature_indices_", first, &n);

    if (!first)
        pickle__unsupported(o, "feature_indices_", "is missing: not fitted?");
    else if (!starts || n < 2 || starts[0] != 0)
        pickle__bad(o, "feature_indices_", "is not in order");
    if (!pickle__ok(o))
        return;
    s->count = n - 1;
    s->values = pickle__keep(o, s->count, sizeof *s->values);
    s->starts = pickle__keep(o, n, sizeof *s->starts);
    for (size_t k = 0; s->values && s->starts && k < s->count; k++) {
        s->values[k] = starts[k + 1] - starts[k];
        s->starts[k] = starts[k];
        if (s->values[k] < 0 || (uint64_t)starts[k + 1] > (uint64_t)MOST_COLUMNS * 16)
            pickle__bad(o, "feature_indices_", "is not in order");
    }
    if (pickle__ok(o))
        place_columns(o, s, starts);
}

void pickle__open_one_hot_legacy(pickle__opener *o)
{
    legacy *s = pickle__state(o, sizeof *s);

    s->sparse = pickle__flag(o, "sparse", true);
    s->ignore = pickle__choice(o, "handle_unknown", 0, "error", "ignore", NULL) == 1;
    if (pickle__output_of(o, "dtype", 0, 1) == PICKLE__AS_F32)
        pickle__unsupported(o, "dtype", "is float32, in versions before 0.22");
    read_values(o, s);
    if (pickle__ok(o))
        select_columns(o, s);
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}
