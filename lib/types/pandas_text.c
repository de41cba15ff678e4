/* pandas_text.c - str() of what pandas holds: values, cells, dtypes. */
#include <stdio.h>

#include "base/text.h"
#include "types/pandas.h"

/* ----------------------------------------------------------------------- scalars */

/* datetime.date, and datetime without a zone. */
static bool put_date(const pickle_val *v, pickle_sink out, bool *is_date)
{
    pickle_datetime d;
    char text[48];
    int len;

    *is_date = pickle_get_datetime(v, &d) && d.type != PICKLE_TYPE_TIME && !d.tz;
    if (!*is_date)
        return false;
    len = snprintf(text, sizeof text, "%04d-%02d-%02d", d.year, d.month, d.day);
    if (d.type == PICKLE_TYPE_DATETIME)
        len += snprintf(text + len, sizeof text - (size_t)len, " %02d:%02d:%02d", d.hour, d.minute,
                        d.second);
    if (d.microsecond)
        snprintf(text + len, sizeof text - (size_t)len, ".%06d", d.microsecond);
    return pickle__put(out, text);
}

static bool put_number(const pickle_array *a, pickle_sink out)
{
    int64_t n;
    pickle_array number = *a;
    const pickle_dtype *d = &a->dtype;

    number.dtype.kind = 'i';
    if ((d->kind != 'M' && d->kind != 'm') || d->unit_count != 1 || !strchr("nums", *d->unit) ||
        strcmp(d->unit, "m") == 0 || !pickle_array_copy(&number, "=i8", &n, sizeof n, NULL))
        return pickle_array_item_repr(a, out);
    return d->kind == 'M' ? pickle__put_moment(n, d->unit, NULL, false, out)
                          : pickle__put_duration(n, d->unit, out);
}

/* What is no object of pandas. */
static bool put_other(const pickle_val *v, pickle_sink out)
{
    pickle_array a;
    bool is_date;

    if (pickle_str(v))
        return out.write(out.ctx, pickle_str(v), pickle_len(v));
    if (pickle_type_of(v) == PICKLE_TYPE_SCALAR && pickle_get_array(v, &a) && a.data)
        return pickle_array_item_repr(&a, out);
    if (pickle_decimal(v))
        return pickle__put(out, pickle_decimal(v));
    return put_date(v, out, &is_date) || (!is_date && pickle_python_repr(v, out, 0, NULL));
}

static bool put_missing(const pickle_val *v, pickle_sink out)
{
    const pickle_val *global = pickle_kind_of(v) == PICKLE_GLOBAL ? v : pickle_callable(v);

    return pickle__put(out, strcmp(pickle_name(global), "NA") == 0 ? "<NA>" : "NaT");
}

bool pickle__put_value(const pickle_val *v, pickle_sink out)
{
    pickle_timestamp moment;
    pickle_period period;

    switch (pickle_type_of(v)) {
    case PICKLE_TYPE_NA:
        return put_missing(v, out);
    case PICKLE_TYPE_TIMESTAMP:
        if (pickle_get_timestamp(v, &moment))
            return pickle__put_moment(moment.value, moment.unit, moment.tz, true, out);
        break;
    case PICKLE_TYPE_PANDAS_TIMEDELTA:
        if (pickle_get_pandas_timedelta(v, &moment))
            return pickle__put_duration(moment.value, moment.unit, out);
        break;
    case PICKLE_TYPE_PERIOD:
        if (pickle_get_period(v, &period) && *period.freq)
            return pickle__put_period(period.ordinal, period.freq, out);
        break;
    default:
        break;
    }
    return put_other(v, out);
}

static bool is_in(const char *closed, char first)
{
    return *closed == first || *closed == 'b';
}

bool pickle_pandas_text(const pickle_val *v, pickle_sink out)
{
    pickle_interval i;

    if (!v)
        return false;
    if (!pickle_get_interval(v, &i))
        return pickle__put_value(v, out);
    return pickle__put(out, is_in(i.closed, 'l') ? "[" : "(") && pickle__put_value(i.left, out) &&
           pickle__put(out, ", ") && pickle__put_value(i.right, out) &&
           pickle__put(out, is_in(i.closed, 'r') ? "]" : ")");
}

/* ------------------------------------------------------------------------- cells */

/* StringDtype(storage, na_value): NaN for "str"; an attribute in pandas 2.3 and before. */
static bool is_str_dtype(const pickle_val *dtype)
{
    const pickle_val *na = pickle__pandas_arg(dtype, 1);

    if (!na)
        na = pickle__attribute(dtype, "_na_value");
    return pickle__known_as(dtype, "pandas.StringDtype") && pickle_kind_of(na) == PICKLE_FLOAT;
}

/* "pyarrow_numpy" is what pandas 2.1 and 2.2 called it. */
static bool has_nan(const pickle_val *dtype)
{
    const pickle_val *storage = pickle__pandas_arg(dtype, 0);

    if (!storage)
        storage = pickle__attribute(dtype, "storage");
    return is_str_dtype(dtype) || pickle_str_is(storage, "pyarrow_numpy");
}

static bool is_time(char kind)
{
    return kind == 'M' || kind == 'm';
}

static const char *missing_text(const pickle_column *c)
{
    pickle_column level;

    if (c->kind != PICKLE_COLUMN_CATEGORICAL)
        return has_nan(c->dtype) ? "nan" : "<NA>";
    /* A level of a MultiIndex has what an index of its kind would have. */
    if (!c->of || !pickle_column_categories(c, &level))
        return "nan";
    return level.kind == PICKLE_COLUMN_PERIOD || is_time(level.values.dtype.kind) ? "NaT" : "nan";
}

static bool put_arrow_element(const pickle__cell *cell, pickle_sink out)
{
    char text[PICKLE__MOMENT_CHARS];
    const pickle_arrow *a = &cell->piece;
    int64_t n;

    if (!strchr("Mdt", a->kind))
        return put_number(&cell->element, out);
    if (a->kind != 'M') {
        if (!pickle_array_copy(&cell->element, "=i8", &n, sizeof n, NULL))
            return false;
        if (a->kind == 't')
            return pickle__put_time(n, a->unit, out);
        pickle__moment_text(text, n, a->unit);
        text[strcspn(text, "T")] = '\0';
        return pickle__put(out, text);
    }
    return pickle__put_moment((int64_t)pickle__u64(cell->element.data), a->unit, a->tz, false, out);
}

static bool put_element(const pickle_column *c, const pickle__cell *cell, pickle_sink out)
{
    pickle_array number = cell->element;
    int64_t n;

    if (c->kind == PICKLE_COLUMN_ARROW)
        return put_arrow_element(cell, out);
    if (c->kind != PICKLE_COLUMN_DATETIME && c->kind != PICKLE_COLUMN_PERIOD)
        return put_number(&cell->element, out);
    number.dtype.kind = 'i';
    if (!pickle_array_copy(&number, "=i8", &n, sizeof n, NULL))
        return false;
    return c->kind == PICKLE_COLUMN_PERIOD
               ? pickle__put_period(n, c->freq, out)
               : pickle__put_moment(n, c->values.dtype.unit, c->tz, false, out);
}

/* Of a column that is neither CATEGORICAL nor INTERVAL. */
static bool put_cell(const pickle_column *c, uint64_t row, pickle_sink out)
{
    pickle__cell cell;

    pickle__pandas_cell(c, row, &cell);
    switch (cell.what) {
    case PICKLE__CELL_MISSING:
        return pickle__put(out, missing_text(c));
    case PICKLE__CELL_OBJECT:
        return pickle_pandas_text(cell.object, out);
    case PICKLE__CELL_TEXT:
        return cell.piece.kind == 's'
                   ? out.write(out.ctx, cell.text, cell.len)
                   : pickle__repr_bytes((const unsigned char *)cell.text, cell.len, out);
    case PICKLE__CELL_ELEMENT:
        return put_element(c, &cell, out);
    default:
        return false;
    }
}

static bool put_interval(const pickle_column *c, uint64_t row, pickle_sink out)
{
    pickle_column left, right;

    if (!pickle_column_bounds(c, &left, &right))
        return false;
    if (pickle_column_is_missing(&left, row))
        return pickle__put(out, "nan");
    return pickle__put(out, is_in(c->closed, 'l') ? "[" : "(") && put_cell(&left, row, out) &&
           pickle__put(out, ", ") && put_cell(&right, row, out) &&
           pickle__put(out, is_in(c->closed, 'r') ? "]" : ")");
}

bool pickle_column_text(const pickle_column *c, uint64_t row, pickle_sink out)
{
    pickle_column categories;

    if (c->kind == PICKLE_COLUMN_CATEGORICAL && pickle_column_is_missing(c, row))
        return pickle__put(out, missing_text(c));
    c = pickle__pandas_resolve(c, &row, &categories);
    if (!c)
        return false;
    return c->kind == PICKLE_COLUMN_INTERVAL ? put_interval(c, row, out) : put_cell(c, row, out);
}

/* ------------------------------------------------------------------------ dtypes */

static bool put_sized(const char *name, uint64_t itemsize, pickle_sink out)
{
    char text[32];

    snprintf(text, sizeof text, "%s%d", name, (int)(8 * itemsize));
    return pickle__put(out, text);
}

static bool put_united(const pickle_dtype *d, const char *name, pickle_sink out)
{
    char text[64];

    if (strcmp(d->unit, "generic") == 0)
        return pickle__put(out, name);
    if (d->unit_count == 1)
        snprintf(text, sizeof text, "%s[%s]", name, d->unit);
    else
        snprintf(text, sizeof text, "%s[%lld%s]", name, (long long)d->unit_count, d->unit);
    return pickle__put(out, text);
}

/* str() of numpy's dtypes. */
static bool put_numpy(const pickle_dtype *d, pickle_sink out)
{
    if (d->subdims || pickle__is_record(d) || pickle__is_swapped(d))
        return pickle_dtype_str(d, out);
    switch (d->kind) {
    case 'b':
        return pickle__put(out, "bool");
    case 'i':
        return put_sized("int", d->itemsize, out);
    case 'u':
        return put_sized("uint", d->itemsize, out);
    case 'f':
        return put_sized("float", d->itemsize, out);
    case 'c':
        return put_sized("complex", d->itemsize, out);
    case 'O':
        return pickle__put(out, "object");
    case 'M':
        return put_united(d, "datetime64", out);
    case 'm':
        return put_united(d, "timedelta64", out);
    default:
        return pickle_dtype_str(d, out);
    }
}

static bool put_masked(const pickle_dtype *d, pickle_sink out)
{
    if (d->kind == 'b')
        return pickle__put(out, "boolean");
    return put_sized(d->kind == 'f' ? "Float" : d->kind == 'u' ? "UInt" : "Int", d->itemsize, out);
}

static bool put_string(const pickle_column *c, pickle_sink out)
{
    if (c->kind == PICKLE_COLUMN_STRING || pickle__known_as(c->dtype, "pandas.StringDtype"))
        return pickle__put(out, is_str_dtype(c->dtype) ? "str" : "string");
    return pickle__put_arrow_type(pickle__attribute(c->dtype, "pyarrow_dtype"), out) &&
           pickle__put(out, "[pyarrow]");
}

static bool put_datetime(const pickle_column *c, pickle_sink out)
{
    return pickle__put(out, "datetime64[") && pickle__put(out, c->values.dtype.unit) &&
           pickle__put(out, ", ") && pickle__put_zone(c->tz, out) && pickle__put(out, "]");
}

static bool put_period_dtype(const pickle_column *c, pickle_sink out)
{
    char text[64];

    if (!*c->freq)
        return false;
    if (c->freq_count == 1)
        snprintf(text, sizeof text, "period[%s]", c->freq);
    else
        snprintf(text, sizeof text, "period[%lld%s]", (long long)c->freq_count, c->freq);
    return pickle__put(out, text);
}

/* The ends are no intervals: this is as deep as it goes. */
static bool put_interval_dtype(const pickle_column *c, pickle_sink out)
{
    pickle_column left, right;

    return pickle_column_bounds(c, &left, &right) && pickle__put(out, "interval[") &&
           pickle_column_dtype(&left, out) && pickle__put(out, ", ") &&
           pickle__put(out, c->closed) && pickle__put(out, "]");
}

bool pickle_column_dtype(const pickle_column *c, pickle_sink out)
{
    switch (c->kind) {
    case PICKLE_COLUMN_NUMPY:
        return put_numpy(&c->values.dtype, out);
    case PICKLE_COLUMN_RANGE:
        return pickle__put(out, "int64");
    case PICKLE_COLUMN_MASKED:
        return put_masked(&c->values.dtype, out);
    case PICKLE_COLUMN_STRING:
    case PICKLE_COLUMN_ARROW:
        return put_string(c, out);
    case PICKLE_COLUMN_CATEGORICAL:
        return pickle__put(out, "category");
    case PICKLE_COLUMN_DATETIME:
        return put_datetime(c, out);
    case PICKLE_COLUMN_PERIOD:
        return put_period_dtype(c, out);
    case PICKLE_COLUMN_INTERVAL:
        return put_interval_dtype(c, out);
    case PICKLE_COLUMN_SPARSE:
        return pickle__put(out, "Sparse[") && put_numpy(&c->values.dtype, out) &&
               pickle__put(out, ", ") && pickle_pandas_text(c->fill, out) && pickle__put(out, "]");
    default:
        return false;
    }
}
