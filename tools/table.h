/* table.h - pandas' objects as tables of text. */
#ifndef TABLE_H
#define TABLE_H

#include "output.h"
#include "picture.h"

/* Rows that are shown unless the user says otherwise. */
#define PAGE_ROWS 10

/* Rows of columns, the first ones of which are the labels of the rows. */
typedef struct table {
    uint64_t rows, columns;
    size_t levels;          /* columns that are labels */
    pickle_index index;     /* where these are         */
    pickle_dataframe frame; /* where the others are; or */
    pickle_index of;        /* they are its levels; or  */
    column_label label;     /* of this, if it is a number */
    pickle_column only;     /* it is this one           */
    enum { TABLE_FRAME, TABLE_INDEX, TABLE_COLUMN } kind;
    const pickle_val *attrs; /* a dict, or NULL */
} table;

/* Of a DataFrame, Series, Index or extension array; false: it is none. */
bool table_of(const pickle_val *v, table *out);
table table_of_series(const pickle_series *series, const column_label *label);
table table_of_index(const pickle_index *index);

/* Lines with at most `rows` rows. */
size_t table_lines(const table *t, size_t rows);
/* The first `rows` rows, and as many columns as a page is wide; `margin` stands before each line.
 */
void table_print(output *o, const table *t, size_t rows, void (*margin)(output *o, const void *ctx),
                 const void *ctx);

#endif
