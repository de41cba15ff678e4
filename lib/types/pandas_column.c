/* pandas_column.c - values in a row: arrays of numpy and pandas as columns. */
#include "types/pandas.h"

/* ------------------------------------------------------------------- helpers */

const pickle_val *pickle__unless_none(const pickle_val *v)
{
    return pickle_kind_of(v) == PICKLE_NONE ? NULL : v;
}

const pickle_val *pickle__pandas_arg(const pickle_val *v, size_t index)
{
    return pickle_class(v) == pickle_callable(v) ? pickle_at(pickle_args(v), index) : NULL;
}

/* What was given to __setstate__; or to Cython's reconstructor, which does the same with it. */
static const pickle_val *state_of(const pickle_val *v)
{
    const pickle_val *state = pickle_state(v);

    return state ? state : pickle__unless_none(pickle__pandas_arg(v, 2));
}

const pickle_val *pickle__pandas_attr(const pickle_val *v, const char *name)
{
    const pickle_val *found = pickle__attribute(v, name), *state = state_of(v), *part;

    if (pickle_kind_of(state) != PICKLE_TUPLE)
        return found;
    for (size_t i = 0; !found && i < pickle_len(state) && i < 3; i++) {
        part = pickle_at(state, i);
        if (pickle_kind_of(part) == PICKLE_DICT)
            found = pickle_get(part, name);
    }
    return found;
}

void pickle__pandas_name(pickle_column *c, const pickle_val *name)
{
    c->name = pickle__unless_none(name);
    c->label = pickle_str(c->name);
    c->label_len = c->label ? pickle_len(c->name) : 0;
}

static bool is_only(uint64_t line)
{
    return line == 0 || line == PICKLE__ONLY_LINE;
}

bool pickle__pandas_line(pickle_array *a, uint64_t line, uint64_t *first)
{
    int64_t at;

    *first = 0;
    if (a->ndim == 1)
        return is_only(line);
    if (a->ndim != 2 || line >= (uint64_t)a->shape[0])
        return false;
    /* Without elements the strides say nothing; with them the line lies within the data. */
    at = a->shape[1] ? (int64_t)line * a->strides[0] : 0;
    if (a->objects)
        *first = (uint64_t)at;
    else if (a->data)
        a->data = (const char *)a->data + at;
    a->ndim = 1;
    a->shape[0] = a->shape[1];
    a->strides[0] = a->strides[1];
    a->nbytes = a->objects ? 0 : (uint64_t)a->shape[0] * a->dtype.itemsize;
    a->fortran = false;
    return true;
}

/* A line of numpy's array `v`: values, and how many. */
static bool take_array(const pickle_val *v, uint64_t line, pickle_column *out)
{
    if (!pickle_get_array(v, &out->values) || out->values.scalar ||
        !pickle__pandas_line(&out->values, line, &out->first))
        return false;
    out->count = (uint64_t)out->values.shape[0];
    return true;
}

static bool is_kind(const pickle_array *a, char kind)
{
    return a->dtype.kind == kind;
}

const char *pickle__pandas_closed(const pickle_val *v)
{
    static const char *const sides[] = { "right", "left", "both", "neither" };

    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if (pickle_str_is(v, sides[i]))
            return sides[i];
    return NULL;
}

/* --------------------------------------------------------------- of all kinds */

/*
 * NDArrayBacked gives (dtype, values) or (values, dtype), and perhaps a dict of attributes; classes
 * that were not made in Cython yet gave all as attributes.
 */
static const pickle_val *backing_of(const pickle_val *v)
{
    static const char *const names[] = { "_ndarray", "_data", "_codes" };
    const pickle_val *state = state_of(v), *part;

    for (size_t i = 0; pickle_kind_of(state) == PICKLE_TUPLE && i < 2; i++) {
        part = pickle_at(state, i);
        if (pickle_type_of(part) == PICKLE_TYPE_ARRAY)
            return part;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        part = pickle__pandas_attr(v, names[i]);
        if (part)
            return part;
    }
    return NULL;
}

static const pickle_val *dtype_of(const pickle_val *v)
{
    const pickle_val *state = state_of(v), *part;

    for (size_t i = 0; pickle_kind_of(state) == PICKLE_TUPLE && i < 2; i++) {
        part = pickle_at(state, i);
        if (pickle_kind_of(part) == PICKLE_OBJECT && pickle_type_of(part) != PICKLE_TYPE_ARRAY)
            return part;
    }
    return pickle__pandas_attr(v, "_dtype");
}

static bool read_backed(const pickle_val *v, uint64_t line, pickle_column *out)
{
    out->dtype = dtype_of(v);
    return take_array(backing_of(v), line, out);
}

/* ------------------------------------------------------------ kind after kind */

typedef bool reader(const pickle_val *v, uint64_t line, pickle_column *out);

static bool read_numpy(const pickle_val *v, uint64_t line, pickle_column *out)
{
    out->kind = PICKLE_COLUMN_NUMPY;
    return take_array(v, line, out);
}

/* NumpyExtensionArray, TimedeltaArray. */
static bool read_wrapped(const pickle_val *v, uint64_t line, pickle_column *out)
{
    out->kind = PICKLE_COLUMN_NUMPY;
    return read_backed(v, line, out);
}

static bool read_string(const pickle_val *v, uint64_t line, pickle_column *out)
{
    out->kind = PICKLE_COLUMN_STRING;
    return read_backed(v, line, out) && out->values.objects;
}

static bool read_masked(const pickle_val *v, uint64_t line, pickle_column *out)
{
    uint64_t unused;

    out->kind = PICKLE_COLUMN_MASKED;
    return read_backed(v, line, out) &&
           pickle_get_array(pickle__pandas_attr(v, "_mask"), &out->mask) &&
           pickle__pandas_line(&out->mask, line, &unused) && is_kind(&out->mask, 'b') &&
           (uint64_t)out->mask.shape[0] == out->count;
}

static bool read_categorical(const pickle_val *v, uint64_t line, pickle_column *out)
{
    const pickle_val *ordered;

    out->kind = PICKLE_COLUMN_CATEGORICAL;
    if (!read_backed(v, line, out) || !is_kind(&out->values, 'i'))
        return false;
    out->aux = pickle__pandas_attr(out->dtype, "categories");
    ordered = pickle__pandas_attr(out->dtype, "ordered");
    if (!out->aux) { /* pandas 0.20 */
        out->aux = pickle__pandas_attr(v, "_categories");
        ordered = pickle__pandas_attr(v, "_ordered");
    }
    pickle_get_bool(ordered, &out->ordered);
    return out->aux != NULL;
}

/* With a zone or without: that is numpy's. */
static bool read_datetime(const pickle_val *v, uint64_t line, pickle_column *out)
{
    if (!read_backed(v, line, out) || !is_kind(&out->values, 'M'))
        return false;
    out->tz = pickle__pandas_attr(out->dtype, "tz");
    if (!out->tz && pickle_type_of(out->dtype) == PICKLE_TYPE_EXTENSION_DTYPE)
        out->tz = pickle__pandas_arg(out->dtype, 1);
    out->tz = pickle__unless_none(out->tz);
    out->kind = out->tz ? PICKLE_COLUMN_DATETIME : PICKLE_COLUMN_NUMPY;
    return true;
}

static bool read_period(const pickle_val *v, uint64_t line, pickle_column *out)
{
    out->kind = PICKLE_COLUMN_PERIOD;
    return read_backed(v, line, out) && is_kind(&out->values, 'i') &&
           out->values.dtype.itemsize == 8 &&
           pickle__pandas_freq(out->dtype, out->freq, &out->freq_count);
}

static bool read_end(const pickle_val *v, uint64_t count, pickle_column *out)
{
    return pickle__pandas_values(v, PICKLE__ONLY_LINE, false, out) && out->count == count &&
           out->kind != PICKLE_COLUMN_CATEGORICAL;
}

/* Both ends are read whenever they are looked at: here, to know that they are in order. */
bool pickle__pandas_interval(const pickle_val *left, const pickle_val *right, const char *closed,
                             pickle_column *out)
{
    pickle_column end;

    out->kind = PICKLE_COLUMN_INTERVAL;
    out->closed = closed;
    out->of = left;
    out->aux = right;
    if (!out->closed || !pickle__pandas_values(left, PICKLE__ONLY_LINE, false, &end))
        return false;
    out->count = end.count;
    return pickle_column_bounds(out, &end, &end);
}

static bool read_interval(const pickle_val *v, uint64_t line, pickle_column *out)
{
    const pickle_val *closed = pickle__pandas_attr(v, "_closed");

    out->dtype = pickle__pandas_attr(v, "_dtype");
    if (!closed)
        closed = pickle__pandas_attr(out->dtype, "closed");
    return is_only(line) && pickle__pandas_interval(pickle__pandas_attr(v, "_left"),
                                                    pickle__pandas_attr(v, "_right"),
                                                    pickle__pandas_closed(closed), out);
}

/* IntIndex(length, positions), or BlockIndex(length, starts, lengths). */
static bool read_sparse(const pickle_val *v, uint64_t line, pickle_column *out)
{
    pickle_column places;

    out->kind = PICKLE_COLUMN_SPARSE;
    out->dtype = pickle__pandas_attr(v, "_dtype");
    out->fill = pickle__pandas_attr(out->dtype, "_fill_value");
    out->aux = pickle_args(pickle__pandas_attr(v, "_sparse_index"));
    if (!is_only(line) || !out->fill ||
        !take_array(pickle__pandas_attr(v, "_sparse_values"), PICKLE__ONLY_LINE, out) ||
        !pickle_get_u64(pickle_at(out->aux, 0), &out->count) || out->count > INT64_MAX)
        return false;
    memset(&places, 0, sizeof places);
    if (!take_array(pickle_at(out->aux, 1), PICKLE__ONLY_LINE, &places) ||
        !is_kind(&places.values, 'i'))
        return false;
    if (pickle_len(out->aux) == 2)
        return places.count == (uint64_t)out->values.shape[0];
    return pickle_len(out->aux) == 3 && pickle_get_array(pickle_at(out->aux, 2), &out->mask) &&
           out->mask.ndim == 1 && is_kind(&out->mask, 'i') &&
           (uint64_t)out->mask.shape[0] == places.count;
}

static bool read_arrow(const pickle_val *v, uint64_t line, pickle_column *out)
{
    out->kind = PICKLE_COLUMN_ARROW;
    out->dtype = pickle__pandas_attr(v, "_dtype");
    out->of = pickle__pandas_attr(v, "_pa_array");
    if (!out->of)
        out->of = pickle__pandas_attr(v, "_data");
    return is_only(line) && pickle__arrow_count(out->of, &out->count);
}

static reader *reader_of(const pickle_val *v)
{
    static const struct {
        const char *name;
        reader *read;
    } readers[] = {
        { "pandas.Categorical", read_categorical },
        { "pandas.arrays.ArrowExtensionArray", read_arrow },
        { "pandas.arrays.ArrowStringArray", read_arrow },
        { "pandas.arrays.BooleanArray", read_masked },
        { "pandas.arrays.DatetimeArray", read_datetime },
        { "pandas.arrays.FloatingArray", read_masked },
        { "pandas.arrays.IntegerArray", read_masked },
        { "pandas.arrays.IntervalArray", read_interval },
        { "pandas.arrays.NumpyExtensionArray", read_wrapped },
        { "pandas.arrays.PeriodArray", read_period },
        { "pandas.arrays.SparseArray", read_sparse },
        { "pandas.arrays.StringArray", read_string },
        { "pandas.arrays.TimedeltaArray", read_wrapped },
    };

    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (pickle__known_as(v, readers[i].name))
            return readers[i].read;
    return NULL;
}

/* ------------------------------------------------------------------ all of them */

bool pickle__pandas_array(const pickle_val *v, uint64_t line, bool intervals, pickle_column *out)
{
    reader *read = NULL;

    memset(out, 0, sizeof *out);
    if (pickle_type_of(v) == PICKLE_TYPE_ARRAY)
        read = read_numpy;
    else if (pickle_type_of(v) == PICKLE_TYPE_EXTENSION_ARRAY)
        read = reader_of(v);
    return read && (intervals || read != read_interval) && read(v, line, out);
}

bool pickle__pandas_values(const pickle_val *v, uint64_t line, bool intervals, pickle_column *out)
{
    if (pickle_type_of(v) != PICKLE_TYPE_INDEX)
        return pickle__pandas_array(v, line, intervals, out);
    return is_only(line) && pickle__pandas_labels(v, intervals, out);
}

bool pickle_get_column(const pickle_val *v, pickle_column *out)
{
    pickle_series series;

    if (!pickle_get_series(v, &series))
        return pickle__pandas_values(v, PICKLE__ONLY_LINE, true, out);
    *out = series.values;
    return true;
}

bool pickle_column_categories(const pickle_column *c, pickle_column *out)
{
    return c->kind == PICKLE_COLUMN_CATEGORICAL &&
           pickle__pandas_values(c->aux, PICKLE__ONLY_LINE, true, out) &&
           out->kind != PICKLE_COLUMN_CATEGORICAL;
}

bool pickle_column_bounds(const pickle_column *c, pickle_column *left, pickle_column *right)
{
    return c->kind == PICKLE_COLUMN_INTERVAL && read_end(c->of, c->count, left) &&
           read_end(c->aux, c->count, right);
}
