/* json_pandas.c - tables, columns and labels of pandas as JSON. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "json_pandas.h"
#include "view.h"

void json_length(output *o, uint64_t n)
{
    json_member(o, "shape");
    out_format(o, "[%" PRIu64 "]", n);
}

/* ------------------------------------------------------------------- cells */

/* What the values of a column are, as in pickle_dtype. */
static char kind_of(const pickle_column *c)
{
    pickle_column categories;
    pickle_arrow piece;

    switch (c->kind) {
    case PICKLE_COLUMN_RANGE:
        return 'i';
    case PICKLE_COLUMN_ARROW:
        return pickle_column_arrow(c, 0, &piece) ? piece.kind : 'O';
    case PICKLE_COLUMN_CATEGORICAL:
        return pickle_column_categories(c, &categories) ? kind_of(&categories) : 'O';
    case PICKLE_COLUMN_NUMPY:
    case PICKLE_COLUMN_MASKED:
    case PICKLE_COLUMN_SPARSE:
        return c->values.dtype.kind;
    default:
        return 'O';
    }
}

static void put_number(output *o, pickle_buf *text, char kind)
{
    size_t sign = text->len > 0 && text->data[0] == '-';
    unsigned char first = text->len > sign ? text->data[sign] : 0;

    if (kind == 'b' && text->len > 0) {
        out_text(o, text->data[0] == 'T' ? "true" : "false");
    } else if (strchr("iuf", kind) && first >= '0' && first <= '9') {
        out_write(o, text->data, text->len);
    } else {
        json_buffered(o, text);
        return;
    }
    pickle_buf_free(text);
}

bool json_cell(output *o, const pickle_column *c, uint64_t row, int depth)
{
    const pickle_val *object;
    pickle_buf text = { 0 };
    const char *str;
    size_t len;

    if (pickle_column_is_missing(c, row)) {
        out_text(o, "null");
        return true;
    }
    str = pickle_column_str(c, row, &len);
    if (str) {
        out_json(o, str, len);
        return true;
    }
    object = pickle_column_object(c, row);
    if (object)
        return json_plain(o, object, depth + 1);
    if (!pickle_column_text(c, row, pickle_sink_buf(&text)))
        text.len = 0;
    put_number(o, &text, kind_of(c));
    return true;
}

bool json_column(output *o, const pickle_column *c, int depth)
{
    bool ok = true;

    out_text(o, "[");
    for (uint64_t row = 0; ok && row < c->count && !out_stopped(o); row++) {
        out_text(o, row > 0 ? ", " : "");
        ok = json_cell(o, c, row, depth);
    }
    out_text(o, "]");
    return ok;
}

/* ----------------------------------------------------------------- columns */

/* Columns at hand that take some work to find; of very many only the first are kept. */
#define MOST_KEPT 4096

typedef struct columns {
    const pickle_dataframe *frame; /* or ... */
    const pickle_index *index;     /* ... its levels */
    uint64_t count, kept;
    pickle_column *at, other;
} columns;

static bool find_column(const columns *c, uint64_t n, pickle_column *out)
{
    return c->frame ? pickle_dataframe_column(c->frame, n, out)
                    : pickle_index_level(c->index, (size_t)n, out);
}

/* False: no memory. */
static bool columns_start(columns *c, const pickle_dataframe *frame, const pickle_index *index)
{
    uint64_t most;

    *c = (columns){ .frame = frame, .index = index };
    c->count = frame ? frame->columns : index->levels;
    most = c->count < MOST_KEPT ? c->count : MOST_KEPT;
    c->at = malloc((most ? (size_t)most : 1) * sizeof *c->at);
    while (c->at && c->kept < most && find_column(c, c->kept, &c->at[c->kept]))
        c->kept++;
    return c->at != NULL;
}

static const pickle_column *column_at(columns *c, uint64_t n)
{
    if (n < c->kept)
        return &c->at[n];
    return find_column(c, n, &c->other) ? &c->other : NULL;
}

static bool put_row(output *o, columns *c, uint64_t row, int depth)
{
    bool ok = true;

    out_text(o, "[");
    for (uint64_t n = 0; ok && n < c->count; n++) {
        const pickle_column *column = column_at(c, n);

        out_text(o, n > 0 ? ", " : "");
        if (column)
            ok = json_cell(o, column, row, depth);
        else
            out_text(o, "null");
    }
    out_text(o, "]");
    return ok;
}

static bool put_rows(output *o, columns *c, uint64_t rows, int depth)
{
    bool ok = true;

    out_text(o, "[");
    for (uint64_t row = 0; ok && row < rows && !out_stopped(o); row++) {
        out_text(o, row > 0 ? ", " : "");
        ok = put_row(o, c, row, depth);
    }
    out_text(o, "]");
    return ok;
}

/* ---------------------------------------------------------- pandas, plainly */

bool json_index(output *o, const pickle_index *index, int depth)
{
    pickle_column level;
    columns levels;
    bool ok;

    if (!index->multi) {
        if (pickle_index_level(index, 0, &level))
            return json_column(o, &level, depth);
        out_text(o, "[]");
        return true;
    }
    if (!columns_start(&levels, NULL, index))
        return false;
    ok = put_rows(o, &levels, index->count, depth);
    free(levels.at);
    return ok;
}

bool json_frame(output *o, const pickle_dataframe *df, int depth)
{
    columns c;
    bool ok;

    out_text(o, "{\"columns\": ");
    ok = json_index(o, &df->labels, depth);
    json_member(o, "index");
    ok = ok && json_index(o, &df->index, depth);
    json_member(o, "data");
    if (!ok || !columns_start(&c, df, NULL))
        return false;
    ok = put_rows(o, &c, df->rows, depth);
    free(c.at);
    out_text(o, "}");
    return ok;
}

/* A name that is no value: a number, text, or none. */
static void put_plain_name(output *o, const pickle_column *c, const column_label *label)
{
    if (label && label->is_number)
        out_format(o, "%" PRId64, label->number);
    else if (c->label)
        out_json(o, c->label, c->label_len);
    else
        out_text(o, "null");
}

bool json_series(output *o, const pickle_series *series, const column_label *label, int depth)
{
    bool ok = true;

    out_text(o, "{\"name\": ");
    if (series->values.name)
        ok = json_plain(o, series->values.name, depth + 1);
    else
        put_plain_name(o, &series->values, label);
    json_member(o, "index");
    ok = ok && json_index(o, &series->index, depth);
    json_member(o, "data");
    ok = ok && json_column(o, &series->values, depth);
    out_text(o, "}");
    return ok;
}

/* ------------------------------------------------------------ pandas, typed */

static void put_column_dtype(output *o, const pickle_column *c)
{
    pickle_buf text = { 0 };

    json_member(o, "dtype");
    if (pickle_column_dtype(c, pickle_sink_buf(&text))) {
        json_buffered(o, &text);
    } else {
        pickle_buf_free(&text);
        out_text(o, "null");
    }
}

/* Any value: nobody looked into it before. */
static void put_any(output *o, const pickle_val *v)
{
    value_form f = view_form(v, VIEW_KNOWN);
    pickle_buf text = { 0 };

    if (f == FORM_ATOM || f == FORM_STR) {
        json_atom(o, v);
        return;
    }
    pickle_pandas_text(v, pickle_sink_buf(&text));
    json_buffered(o, &text);
}

static void put_label(output *o, const pickle_index *labels, uint64_t n)
{
    const pickle_val *object;
    pickle_buf text = { 0 };
    pickle_column level;

    if (labels->multi || !pickle_index_level(labels, 0, &level)) {
        pickle_index_text(labels, n, pickle_sink_buf(&text));
        json_buffered(o, &text);
        return;
    }
    object = pickle_column_object(&level, n);
    if (object)
        put_any(o, object);
    else
        json_cell(o, &level, n, 0);
}

void json_frame_facts(output *o, const pickle_dataframe *df)
{
    pickle_column c;

    json_member(o, "shape");
    out_format(o, "[%" PRIu64 ", %" PRIu64 "]", df->rows, df->columns);
    json_member(o, "columns");
    out_text(o, "[");
    for (uint64_t n = 0; n < df->columns && !out_stopped(o); n++) {
        if (!pickle_dataframe_column(df, n, &c))
            break;
        out_text(o, n > 0 ? ", {\"name\": " : "{\"name\": ");
        put_label(o, &df->labels, n);
        put_column_dtype(o, &c);
        out_text(o, "}");
    }
    out_text(o, "]");
}

void json_series_facts(output *o, const pickle_series *series, const column_label *label)
{
    json_length(o, series->values.count);
    put_column_dtype(o, &series->values);
    json_member(o, "name");
    if (series->values.name)
        put_any(o, series->values.name);
    else
        put_plain_name(o, &series->values, label);
}

void json_index_facts(output *o, const pickle_index *index)
{
    pickle_column level;

    json_length(o, index->count);
    if (!index->multi && pickle_index_level(index, 0, &level)) {
        put_column_dtype(o, &level);
    } else {
        json_member(o, "levels");
        out_format(o, "%zu", index->levels);
    }
}

void json_column_facts(output *o, const pickle_column *c)
{
    json_length(o, c->count);
    put_column_dtype(o, c);
}

/* ------------------------------------------------------------------ checks */

json_problem json_take(uint64_t *limit, uint64_t n, uint64_t times)
{
    if (times && n > *limit / times)
        return JSON_TOO_LONG;
    *limit -= n * times;
    return JSON_FINE;
}

/* Cells that are objects of their own, which may hold others. */
json_problem json_check_column(const pickle_column *c, uint64_t *limit, int depth)
{
    json_problem problem = json_take(limit, c->count, 1);

    for (uint64_t row = 0; problem == JSON_FINE && row < c->count; row++) {
        const pickle_val *object = pickle_column_object(c, row);

        if (object)
            problem = json_check(object, limit, depth + 1);
        else if (!c->values.objects && c->kind != PICKLE_COLUMN_CATEGORICAL)
            break;
    }
    return problem;
}

json_problem json_check_index(const pickle_index *index, uint64_t *limit, int depth)
{
    json_problem problem = JSON_FINE;
    pickle_column level;

    for (size_t k = 0; problem == JSON_FINE && k < index->levels; k++)
        if (pickle_index_level(index, k, &level))
            problem = json_check_column(&level, limit, depth);
    return problem;
}

json_problem json_check_series(const pickle_series *series, uint64_t *limit, int depth)
{
    json_problem problem = json_check_index(&series->index, limit, depth);

    if (problem == JSON_FINE && series->values.name)
        problem = json_check(series->values.name, limit, depth + 1);
    return problem == JSON_FINE ? json_check_column(&series->values, limit, depth) : problem;
}

json_problem json_check_frame(const pickle_dataframe *df, uint64_t *limit, int depth)
{
    json_problem problem = json_check_index(&df->labels, limit, depth);
    pickle_column c;

    if (problem == JSON_FINE)
        problem = json_check_index(&df->index, limit, depth);
    if (problem == JSON_FINE && df->rows > *limit)
        problem = JSON_TOO_LONG;
    for (uint64_t n = 0; problem == JSON_FINE && n < df->columns; n++)
        if (pickle_dataframe_column(df, n, &c))
            problem = json_check_column(&c, limit, depth);
    return problem;
}
