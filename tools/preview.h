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
    char text[160];
} line;

#define LINE_WIDTH 64 /* columns that a value may take */

/* The value itself, as far as it fits: 'text', (1, 2), datetime.date(2020, 2, 29). */
void preview_value(line *l, const pickle_val *v);
/* What kind of container it is: list of 3 strings, array float64 (150, 4) C. */
void preview_kind(line *l, const pickle_val *v);
/* The first elements of an array or items of a container. */
void preview_items(line *l, const pickle_val *v);
/* Does preview_value say all there is to say? */
bool preview_is_complete(const pickle_val *v);

/* Is it a list or an object array of numbers, or of strings? */
bool preview_is_run(const pickle_val *v);

/* numpy's str(dtype): float64, >f8, <U3, [('a', '<i4')]. */
void preview_dtype(line *l, const pickle_dtype *dtype);
void preview_array(line *l, const pickle_array *a);
void preview_elements(line *l, const pickle_array *a);

void line_text(line *l, const char *text);
void line_number(line *l, uint64_t n);

#endif
