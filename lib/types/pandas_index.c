/* pandas_index.c - Index and its children: the labels of rows and columns. */
#include "base/text.h"
#include "types/pandas.h"

/* _new_Index(class, parts), and others like it. */
static const pickle_val *part(const pickle_val *v, const char *name)
{
    return pickle_get(pickle_at(pickle_args(v), 1), name);
}

static bool is_multi(const pickle_val *v)
{
    return pickle__known_as(v, "pandas.MultiIndex");
}

/* -------------------------------------------------------------------- one level */

static bool read_range(const pickle_val *v, pickle_column *out)
{
    int64_t stop;
    uint64_t span;

    out->kind = PICKLE_COLUMN_RANGE;
    if (!pickle_get_i64(part(v, "start"), &out->start) || !pickle_get_i64(part(v, "stop"), &stop) ||
        !pickle_get_i64(part(v, "step"), &out->step) || out->step == 0 || out->step == INT64_MIN)
        return false;
    if (out->step > 0 ? stop <= out->start : stop >= out->start)
        return true;
    span = out->step > 0 ? (uint64_t)stop - (uint64_t)out->start
                         : (uint64_t)out->start - (uint64_t)stop;
    out->count = (span - 1) / (uint64_t)(out->step > 0 ? out->step : -out->step) + 1;
    return out->count <= INT64_MAX;
}

/* Where the class says what pandas before 0.24 left out of the data. */
static bool refine(const pickle_val *v, pickle_column *out)
{
    const pickle_val *tz = pickle__unless_none(part(v, "tz")), *freq = part(v, "freq");

    if (out->kind != PICKLE_COLUMN_NUMPY)
        return true;
    if (out->values.dtype.kind == 'M' && tz) {
        out->kind = PICKLE_COLUMN_DATETIME;
        out->tz = tz;
    } else if (pickle__known_as(v, "pandas.PeriodIndex")) {
        out->kind = PICKLE_COLUMN_PERIOD;
        return out->values.dtype.kind == 'i' && out->values.dtype.itemsize == 8 &&
               pickle__pandas_freq(freq, out->freq, &out->freq_count);
    }
    return true;
}

/* pandas 1.1.0 and 1.1.1 lost it on writing, whatever it was, and take it for "right" on reading.
 */
static const char *closed_of(const pickle_val *v)
{
    const pickle_val *closed = part(v, "closed");

    return closed ? pickle__pandas_closed(closed) : "right";
}

/* pandas before 0.24 put an index with a frequency into one of its own kind. */
bool pickle__pandas_labels(const pickle_val *v, bool intervals, pickle_column *out)
{
    const pickle_val *left = part(v, "left"), *data = part(v, "data");
    bool ok;

    memset(out, 0, sizeof *out);
    if (is_multi(v))
        return false;
    if (pickle__known_as(v, "pandas.RangeIndex"))
        ok = read_range(v, out);
    else if (left)
        ok = intervals && pickle__pandas_interval(left, part(v, "right"), closed_of(v), out);
    else
        ok = pickle__pandas_array(pickle_type_of(data) == PICKLE_TYPE_INDEX ? part(data, "data")
                                                                            : data,
                                  PICKLE__ONLY_LINE, intervals, out) &&
             refine(v, out);
    pickle__pandas_name(out, part(v, "name"));
    return ok;
}

/* ------------------------------------------------------------------ MultiIndex */

static const pickle_val *codes_of(const pickle_val *v, size_t level)
{
    const pickle_val *codes = part(v, "codes");

    return pickle_at(codes ? codes : part(v, "labels"), level);
}

static bool read_codes(const pickle_val *v, size_t level, pickle_column *out)
{
    memset(out, 0, sizeof *out);
    out->kind = PICKLE_COLUMN_CATEGORICAL;
    out->of = v;
    out->aux = pickle_at(part(v, "levels"), level);
    if (!pickle_get_array(codes_of(v, level), &out->values) || out->values.ndim != 1 ||
        out->values.dtype.kind != 'i' || !out->aux)
        return false;
    out->count = (uint64_t)out->values.shape[0];
    pickle__pandas_name(out, pickle_at(part(v, "names"), level));
    return true;
}

static bool read_multi(const pickle_val *v, pickle_index *out)
{
    pickle_column level;

    out->multi = true;
    out->levels = pickle_len(part(v, "levels"));
    for (size_t i = 0; i < out->levels; i++) {
        if (!read_codes(v, i, &level) || (i > 0 && level.count != out->count))
            return false;
        out->count = level.count;
    }
    return out->levels > 0;
}

/* -------------------------------------------------------------------- all of them */

static const pickle_val *freq_of(const pickle_val *v)
{
    const pickle_val *freq = part(v, "freq");

    if (pickle__known_as(v, "pandas.PeriodIndex"))
        return NULL;
    if (!freq)
        freq = pickle__pandas_attr(part(v, "data"), "_freq");
    return pickle_type_of(freq) == PICKLE_TYPE_OFFSET ? freq : NULL;
}

bool pickle_get_index(const pickle_val *v, pickle_index *out)
{
    pickle_column labels;
    pickle_class_info info;

    if (pickle_type_of(v) != PICKLE_TYPE_INDEX || !pickle_get_class(v, &info))
        return false;
    memset(out, 0, sizeof *out);
    out->of = v;
    out->cls = info.global;
    if (is_multi(v))
        return read_multi(v, out);
    if (!pickle__pandas_labels(v, true, &labels))
        return false;
    out->levels = 1;
    out->count = labels.count;
    out->name = labels.name;
    out->freq = freq_of(v);
    return true;
}

bool pickle_index_level(const pickle_index *index, size_t level, pickle_column *out)
{
    if (level >= index->levels)
        return false;
    return index->multi ? read_codes(index->of, level, out)
                        : pickle__pandas_labels(index->of, true, out);
}

/* Strings stand in the tuple as repr() shows them. */
static bool put_part(const pickle_column *level, uint64_t row, pickle_sink out)
{
    size_t len;
    const char *text = pickle_column_str(level, row, &len);

    return text ? pickle__repr_str(text, len, out) : pickle_column_text(level, row, out);
}

bool pickle_index_text(const pickle_index *index, uint64_t row, pickle_sink out)
{
    pickle_column level;

    if (!index->multi)
        return pickle_index_level(index, 0, &level) && pickle_column_text(&level, row, out);
    for (size_t i = 0; i < index->levels; i++)
        if (!pickle__put(out, i ? ", " : "(") || !pickle_index_level(index, i, &level) ||
            !put_part(&level, row, out))
            return false;
    return pickle__put(out, index->levels == 1 ? ",)" : ")");
}
