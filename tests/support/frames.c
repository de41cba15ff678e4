/* frames.c - what a value of pandas holds, one line a fact: what it is about, a tab, the fact. */
#include "frames.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool put(pickle_sink out, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return out.write(out.ctx, text, strlen(text));
}

/* ------------------------------------------------------------------------- cells */

static bool put_float(double x, pickle_sink out)
{
    pickle_doc *doc = pickle_doc_new(NULL);
    bool ok = put(out, "f:") && pickle_repr(pickle_new_float(doc, x), out, 0, NULL);

    pickle_doc_free(doc);
    return ok;
}

/* "s": text that is also at hand by itself; "i:1", "f:1.5": a number; "-": neither. */
static bool put_access(const pickle_column *c, uint64_t row, pickle_sink out)
{
    int64_t n;
    double x;
    size_t len;

    if (pickle_column_str(c, row, &len))
        return put(out, "s");
    if (pickle_column_i64(c, row, &n))
        return put(out, "i:%" PRId64, n);
    return pickle_column_f64(c, row, &x) ? put_float(x, out) : put(out, "-");
}

static bool put_cells(const pickle_column *c, pickle_sink out)
{
    for (uint64_t row = 0; row < c->count; row++)
        if (!put(out, "cell\t%s ", pickle_column_is_missing(c, row) ? "missing" : "there") ||
            !put_access(c, row, out) || !put(out, " ") || !pickle_column_text(c, row, out) ||
            !put(out, "\n"))
            return false;
    return true;
}

static bool put_dtype(const pickle_column *c, pickle_sink out)
{
    return put(out, "dtype\t") && pickle_column_dtype(c, out) &&
           put(out, "%s\n", c->ordered ? " ordered" : "");
}

static bool put_name(const pickle_val *name, pickle_sink out)
{
    return put(out, "name\t") && (name ? pickle_pandas_text(name, out) : put(out, "-")) &&
           put(out, "\n");
}

/* ----------------------------------------------------------------------- indexes */

static bool put_freq(const pickle_index *index, pickle_sink out)
{
    pickle_offset offset;

    return !pickle_get_offset(index->freq, &offset) ||
           put(out, "freq\t%s %" PRId64 "\n", offset.name, offset.n);
}

static bool put_levels(const pickle_index *index, pickle_sink out)
{
    pickle_column level, categories;

    for (size_t i = 0; i < index->levels; i++) {
        if (!pickle_index_level(index, i, &level) || !put_name(level.name, out))
            return false;
        if (index->multi && !pickle_column_categories(&level, &categories))
            return false;
        if (!put_dtype(index->multi ? &categories : &level, out))
            return false;
    }
    return true;
}

static bool put_index(const char *what, const pickle_index *index, pickle_sink out)
{
    if (!put(out, "%s\t%" PRIu64 " %zu\n", what, index->count, index->levels) ||
        !put_levels(index, out) || !put_freq(index, out))
        return false;
    for (uint64_t row = 0; row < index->count; row++)
        if (!put(out, "label\t") || !pickle_index_text(index, row, out) || !put(out, "\n"))
            return false;
    return true;
}

/* ------------------------------------------------------------------ all of them */

/* What has a label that is text is found by it; the first of that name. */
static bool put_found(const pickle_dataframe *df, const pickle_column *c, pickle_sink out)
{
    char label[256];
    pickle_column found;

    if (!c->label || c->label_len >= sizeof label)
        return true;
    memcpy(label, c->label, c->label_len);
    label[c->label_len] = '\0';
    return pickle_dataframe_find(df, label, &found) && found.label_len == c->label_len &&
           memcmp(found.label, label, c->label_len) == 0 && out.write(out.ctx, "", 0);
}

static bool put_frame(const pickle_dataframe *df, pickle_sink out)
{
    pickle_column c;

    if (!put(out, "frame\t%" PRIu64 " %" PRIu64 "\n", df->rows, df->columns) ||
        !put_index("columns", &df->labels, out) || !put_index("index", &df->index, out))
        return false;
    for (uint64_t i = 0; i < df->columns; i++)
        if (!pickle_dataframe_column(df, i, &c) || !put_dtype(&c, out) || !put_cells(&c, out) ||
            !put_found(df, &c, out))
            return false;
    return true;
}

static bool put_scalar(const pickle_val *v, pickle_sink out)
{
    pickle_timestamp t;
    pickle_period p;
    pickle_interval i;
    pickle_offset o;

    if (pickle_get_timestamp(v, &t) || pickle_get_pandas_timedelta(v, &t))
        put(out, "value\t%" PRId64 " %s\n", t.value, t.unit);
    else if (pickle_get_period(v, &p))
        put(out, "value\t%" PRId64 " %" PRId64 " %s\n", p.ordinal, p.freq_count, p.freq);
    else if (pickle_get_interval(v, &i))
        put(out, "value\t%s\n", i.closed);
    else if (pickle_get_offset(v, &o))
        return put(out, "value\t%s %" PRId64 " %d\n", o.name, o.n, o.normalize);
    return put(out, "scalar\t%s ", pickle_is_missing(v) ? "missing" : "there") &&
           pickle_pandas_text(v, out) && put(out, "\n");
}

bool frames_describe(const pickle_val *v, pickle_sink out)
{
    pickle_dataframe df;
    pickle_series series;
    pickle_index index;
    pickle_column c;

    if (pickle_get_dataframe(v, &df))
        return put_frame(&df, out);
    if (pickle_get_series(v, &series))
        return put(out, "series\t%" PRIu64 "\n", series.values.count) &&
               put_name(series.values.name, out) && put_index("index", &series.index, out) &&
               put_dtype(&series.values, out) && put_cells(&series.values, out);
    if (pickle_get_index(v, &index))
        return put_index("index", &index, out) &&
               (index.multi || (pickle_index_level(&index, 0, &c) && put_cells(&c, out)));
    if (pickle_get_column(v, &c))
        return put(out, "array\t%" PRIu64 "\n", c.count) && put_dtype(&c, out) &&
               put_cells(&c, out);
    return put_scalar(v, out);
}
