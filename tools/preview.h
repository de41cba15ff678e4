/* preview.h - values on one line. */
#ifndef PREVIEW_H
#define PREVIEW_H

#include "view.h"

/* A line of limited length, not yet escaped for a terminal. */
typedef struct line {
    size_t len;
    bool cut;             /* there was no room for all of it                   */
    bool lossy;           /* something in it is shown as less than what it is  */
    bool inside, calling; /* while it is made: in a container or call; in a call's arguments */
    view_as as;
    char text[160];
} line;

#define LINE_WIDTH    64 /* columns that a value may take */
#define LINE_ELEMENTS 6  /* of an array                   */

/* The value itself, as far as it fits: 'text', (1, 2), datetime.date(2020, 2, 29). */
void preview_value(line *l, const pickle_val *v);
/* What kind of container it is: list of 3 strings, array float64 (150, 4) C. */
void preview_kind(line *l, const pickle_val *v);
/* The first elements of an array or items of a container. */
void preview_items(line *l, const pickle_val *v);
/* Does preview_value say all there is to say? */
bool preview_is_complete(const pickle_val *v, view_as as);

/* Is it a list or an object array of numbers, or of strings? */
bool preview_is_run(const pickle_val *v, view_as as);

/* numpy's str(dtype): float64, >f8, <U3, [('a', '<i4')]. */
void preview_dtype(line *l, const pickle_dtype *dtype);
void preview_array(line *l, const pickle_array *a);
/* `mask`: NULL, or where elements are masked, "--". */
void preview_elements(line *l, const pickle_array *a, const pickle_array *mask);
/* " (3, 4)" */
void preview_shape(line *l, int ndim, const int64_t *shape);

/* What is said about a value always has room; a part of it has as far as LINE_WIDTH. */
void line_text(line *l, const char *text);
void line_put(line *l, const char *text);
pickle_sink line_sink(line *l);
/* 1,234,567 and -1 */
void line_number(line *l, uint64_t n);
void line_signed(line *l, int64_t n);

#endif
