/* picture.h - what holds many numbers, in one line: tensors, matrices, pandas' objects, and others.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include <pickle/pandas.h>

#include "preview.h"

/* Of FORM_PICTURE and FORM_TABLE: what it is, "csr_matrix float64 (3, 4), 5 stored elements". */
void picture_kind(line *l, const pickle_val *v);
/* Its first elements: "(0, 1) 2, (1, 2) 3, …"; of a table nothing. */
void picture_items(line *l, const pickle_val *v);

/* Labels of columns that are numbers are no values. */
typedef struct column_label {
    bool is_number; /* otherwise the column knows its name */
    int64_t number;
} column_label;

/* "Series int64 (3,) 'price'"; `label` may be NULL. */
void picture_series(line *l, const pickle_series *series, const column_label *label);
/* "RangeIndex int64 (3,)" */
void picture_index(line *l, const pickle_index *index);
/* [1, 2, 3, …] */
void picture_column(line *l, const pickle_column *c);
/* "a, b, c", of a Categorical with < between them if they are ordered. */
void picture_categories(line *l, const pickle_column *c);

#endif
