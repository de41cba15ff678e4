/* table.c - pandas' objects as tables of text: labels to the left, numbers to the right. */
#include <string.h>

#include "table.h"
#include "tree.h"

#define TABLE_WIDTH   100 /* columns of a terminal  */
#define CELL_WIDTH    32
#define MOST_COLUMNS  40 /* of the table, each of which takes some of them */
#define MOST_LEVELS   8
#define HEADING_LINES 2

/* ------------------------------------------------------------------ tables */

table table_of_series(const pickle_series *series, const column_label *label)
{
    return (table){ .kind = TABLE_COLUMN,
                    .rows = series->values.count,
                    .columns = 1,
                    .levels =
                        series->index.levels < MOST_LEVELS ? series->index.levels : MOST_LEVELS,
                    .index = series->index,
                    .label = label ? *label : (column_label){ false, 0 },
                    .only = series->values,
                    .attrs = series->attrs };
}

table table_of_index(const pickle_index *index)
{
    return (
        table){ .kind = TABLE_INDEX, .rows = index->count, .columns = index->levels, .of = *index };
}

static table table_of_frame(const pickle_dataframe *df)
{
    return (table){ .kind = TABLE_FRAME,
                    .rows = df->rows,
                    .columns = df->columns,
                    .levels = df->index.levels < MOST_LEVELS ? df->index.levels : MOST_LEVELS,
                    .index = df->index,
                    .frame = *df,
                    .attrs = df->attrs };
}

bool table_of(const pickle_val *v, table *out)
{
    pickle_dataframe df;
    pickle_series series;
    pickle_index index;
    pickle_column column;

    if (pickle_get_dataframe(v, &df))
        *out = table_of_frame(&df);
    else if (pickle_get_series(v, &series))
        *out = table_of_series(&series, NULL);
    else if (pickle_get_index(v, &index))
        *out = table_of_index(&index);
    else if (pickle_type_of(v) == PICKLE_TYPE_EXTENSION_ARRAY && pickle_get_column(v, &column))
        *out = (table){ .kind = TABLE_COLUMN, .rows = column.count, .columns = 1, .only = column };
    else
        return false;
    return true;
}

/* Number `n` from the left, the labels included. */
static bool get_column(const table *t, uint64_t n, pickle_column *out)
{
    if (n < t->levels)
        return pickle_index_level(&t->index, (size_t)n, out);
    n -= t->levels;
    switch (t->kind) {
    case TABLE_FRAME:
        return pickle_dataframe_column(&t->frame, n, out);
    case TABLE_INDEX:
        return pickle_index_level(&t->of, (size_t)n, out);
    default:
        *out = t->only;
        return true;
    }
}

/* ------------------------------------------------------------------- cells */

static void name_cell(line *l, const pickle_column *c)
{
    if (c->label)
        line_sink(l).write(l, c->label, c->label_len);
    else if (c->name)
        pickle_pandas_text(c->name, line_sink(l));
}

static void head_cell(line *l, const table *t, uint64_t n, const pickle_column *c)
{
    if (t->kind == TABLE_FRAME && n >= t->levels)
        pickle_index_text(&t->frame.labels, n - t->levels, line_sink(l));
    else if (n >= t->levels && t->label.is_number)
        line_signed(l, t->label.number);
    else
        name_cell(l, c);
}

/* Levels of a MultiIndex are kept as categories, which are what they are of. */
static void dtype_cell(line *l, const table *t, uint64_t n, const pickle_column *c)
{
    const pickle_index *index = n < t->levels ? &t->index : &t->of;
    pickle_column of;

    if (index->multi && (n < t->levels || t->kind == TABLE_INDEX) &&
        pickle_column_categories(c, &of))
        c = &of;
    pickle_column_dtype(c, line_sink(l));
}

/* How much of a cell is shown, and how wide it is then. */
static size_t fit_cell(const output *o, line *l, size_t *width)
{
    size_t dots = o->ascii ? 3 : 1, fits = out_fitting(o, l->text, l->len, CELL_WIDTH, width);

    l->cut = l->cut || fits < l->len;
    if (!l->cut)
        return fits;
    fits = out_fitting(o, l->text, l->len, CELL_WIDTH - dots, width);
    *width += dots;
    return fits;
}

/* ------------------------------------------------------------------ layout */

typedef struct layout {
    const table *t;
    size_t rows;
    uint64_t n; /* columns that are shown, labels included */
    size_t widths[MOST_COLUMNS];
    pickle_column columns[MOST_COLUMNS];
} layout;

static size_t cell_width(const output *o, line *l)
{
    size_t width;

    fit_cell(o, l, &width);
    return width;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t column_width(const output *o, const layout *y, uint64_t n, const pickle_column *c)
{
    line head = { 0 }, dtype = { 0 };
    size_t width;

    head_cell(&head, y->t, n, c);
    dtype_cell(&dtype, y->t, n, c);
    width = larger(cell_width(o, &head), cell_width(o, &dtype));
    for (size_t row = 0; row < y->rows; row++) {
        line cell = { 0 };

        pickle_column_text(c, row, line_sink(&cell));
        width = larger(width, cell_width(o, &cell));
    }
    return width;
}

/* As many columns as there is room for, but at least one besides the labels. */
static void lay_out(layout *y, const output *o, const table *t, size_t rows)
{
    uint64_t columns = t->levels + t->columns;
    size_t used = 0;

    y->t = t;
    y->n = 0;
    y->rows = t->rows < rows ? (size_t)t->rows : rows;
    while (y->n < columns && y->n < MOST_COLUMNS && get_column(t, y->n, &y->columns[y->n])) {
        size_t width = column_width(o, y, y->n, &y->columns[y->n]);

        used += width + 2;
        if (used > TABLE_WIDTH && y->n > t->levels)
            break;
        y->widths[y->n++] = width;
    }
}

/* ------------------------------------------------------------------- lines */

static void put_blanks(output *o, size_t n)
{
    while (n-- > 0)
        out_text(o, " ");
}

/* Labels stand to the left, as in pandas. The last column of a line has no blanks behind it. */
static void put_cell(output *o, const layout *y, uint64_t n, line *l)
{
    size_t width, fits = fit_cell(o, l, &width);
    bool left = n < y->t->levels;
    line shown = { .len = fits };

    memcpy(shown.text, l->text, fits);
    if (l->cut)
        line_text(&shown, "…");
    put_blanks(o, n > 0 ? 2 : 0);
    put_blanks(o, left ? 0 : y->widths[n] - width);
    tree_line(o, &shown);
    put_blanks(o, left && n + 1 < y->n ? y->widths[n] - width : 0);
}

/* What a line shows of a column: its name, its dtype, or a row. */
enum { HEAD = -2, DTYPE = -1 };

static void put_line(output *o, const layout *y, int64_t what)
{
    for (uint64_t n = 0; n < y->n; n++) {
        const pickle_column *c = &y->columns[n];
        line l = { 0 };

        if (what == HEAD)
            head_cell(&l, y->t, n, c);
        else if (what == DTYPE)
            dtype_cell(&l, y->t, n, c);
        else
            pickle_column_text(c, (uint64_t)what, line_sink(&l));
        if (what < 0)
            out_style(o, what == HEAD ? STYLE_BOLD : STYLE_DIM);
        put_cell(o, y, n, &l);
        if (what < 0)
            out_plain(o);
    }
    out_text(o, "\n");
}

static bool has_heads(const layout *y)
{
    for (uint64_t n = 0; n < y->n; n++) {
        line l = { 0 };

        head_cell(&l, y->t, n, &y->columns[n]);
        if (l.len > 0)
            return true;
    }
    return false;
}

/* "… 12 more columns, 990 more rows" */
static void put_more(output *o, uint64_t columns, uint64_t rows)
{
    line l = { 0 };

    line_text(&l, "… ");
    if (columns > 0) {
        line_number(&l, columns);
        line_text(&l, columns == 1 ? " more column" : " more columns");
        line_text(&l, rows > 0 ? ", " : "");
    }
    if (rows > 0) {
        line_number(&l, rows);
        line_text(&l, rows == 1 ? " more row" : " more rows");
    }
    out_style(o, STYLE_DIM);
    tree_line(o, &l);
    out_plain(o);
    out_text(o, "\n");
}

static void put_note(output *o, const char *what, line *l)
{
    out_text(o, what);
    tree_line(o, l);
    out_text(o, "\n");
}

static bool has_categories(const table *t)
{
    return t->kind == TABLE_COLUMN && t->only.kind == PICKLE_COLUMN_CATEGORICAL;
}

size_t table_lines(const table *t, size_t rows)
{
    return HEADING_LINES + 1 + (t->rows < rows ? (size_t)t->rows : rows);
}

void table_print(output *o, const table *t, size_t rows, void (*margin)(output *o, const void *ctx),
                 const void *ctx)
{
    uint64_t columns;
    line l = { 0 };
    layout y;

    lay_out(&y, o, t, rows);
    columns = t->levels + t->columns - y.n;
    for (int64_t what = has_heads(&y) ? HEAD : DTYPE;
         what < (int64_t)y.rows && y.n > 0 && !out_stopped(o); what++) {
        margin(o, ctx);
        put_line(o, &y, what);
    }
    if (columns > 0 || t->rows > y.rows) {
        margin(o, ctx);
        put_more(o, columns, t->rows - y.rows);
    }
    if (has_categories(t)) {
        margin(o, ctx);
        picture_categories(&l, &t->only);
        put_note(o, "categories: ", &l);
    }
    if (pickle_len(t->attrs) > 0) {
        l = (line){ 0 };
        margin(o, ctx);
        preview_value(&l, t->attrs);
        put_note(o, "attrs: ", &l);
    }
}
