/* pandas.h - pandas' objects, between the files of this layer. */
#ifndef PICKLE__PANDAS_H
#define PICKLE__PANDAS_H

#include "types/known.h"
#include "types/numpy.h"
#include "types/stdlib.h"

#include <pickle/pandas.h>

/* NumPy's and pandas' NaT. */
#define PICKLE__NAT INT64_MIN

/*
 * The values that `v` holds: an array of numpy or of pandas, or also an Index. Blocks hold several
 * columns in the lines of an array of two dimensions: `line` is which. Elsewhere arrays have one
 * dimension. Intervals have ends that are columns, but no `intervals` themselves; an index holds an
 * array, and never an index.
 */
#define PICKLE__ONLY_LINE UINT64_MAX
bool pickle__pandas_array(const pickle_val *v, uint64_t line, bool intervals, pickle_column *out);
bool pickle__pandas_values(const pickle_val *v, uint64_t line, bool intervals, pickle_column *out);
bool pickle__pandas_interval(const pickle_val *left, const pickle_val *right, const char *closed,
                             pickle_column *out);
/* The labels of an Index of one level. */
bool pickle__pandas_labels(const pickle_val *v, bool intervals, pickle_column *out);
/* Set the name, and the label where it is text. */
void pickle__pandas_name(pickle_column *c, const pickle_val *name);
/* An attribute in any state that pandas and Cython write: a dict, or a tuple with one; or NULL. */
const pickle_val *pickle__pandas_attr(const pickle_val *v, const char *name);
/* Argument `index` of the class or of what makes its objects, None too: those of
 * copyreg._reconstructor, which protocols 0 and 1 call, are its own. */
const pickle_val *pickle__pandas_arg(const pickle_val *v, size_t index);
/* NULL for None. */
const pickle_val *pickle__unless_none(const pickle_val *v);
/* Line `line` of `a`, which then has one dimension; *first as in pickle_column. */
bool pickle__pandas_line(pickle_array *a, uint64_t line, uint64_t *first);

/* Element `row` of an array of one dimension as an integer, whatever its bytes mean to numpy. */
bool pickle__integer_at(const pickle_array *a, uint64_t row, int64_t *out);
/* The row of `want`, in an array of one dimension whose integers rise. */
bool pickle__integer_find(const pickle_array *a, int64_t want, uint64_t *row);

/* What is in a row of a column: nothing that is in order, or one of these. */
typedef enum pickle__cell_kind {
    PICKLE__CELL_NONE,
    PICKLE__CELL_MISSING, /* by a mask         */
    PICKLE__CELL_ELEMENT, /* of an array       */
    PICKLE__CELL_OBJECT,
    PICKLE__CELL_TEXT /* Arrow's, or bytes */
} pickle__cell_kind;

/* Not to be copied: the element may lie in `scratch`. */
typedef struct pickle__cell {
    pickle__cell_kind what;
    pickle_array element;
    unsigned char scratch[8];
    const pickle_val *object;
    const char *text;
    size_t len;
    pickle_arrow piece; /* where Arrow has it */
} pickle__cell;

/* Through codes to the category, in `categories`; NULL: there is none, or no such row. */
const pickle_column *pickle__pandas_resolve(const pickle_column *c, uint64_t *row,
                                            pickle_column *categories);
/* Of a column that is neither CATEGORICAL nor INTERVAL. */
void pickle__pandas_cell(const pickle_column *c, uint64_t row, pickle__cell *out);
bool pickle__cell_is_missing(const pickle_column *c, const pickle__cell *cell);

/* A frequency from its name, an offset, or a PeriodDtype: "Q-DEC" and 1. False for other values;
 * `freq` is "" for frequencies without a name here. */
bool pickle__pandas_freq(const pickle_val *v, char freq[16], int64_t *count);
/* "left", "right", "both" or "neither" as a constant; NULL for other values. */
const char *pickle__pandas_closed(const pickle_val *v);

/* 2020-01-01 12:00:00.5 as pandas shows it: in `tz`, as far as it is known. `local`: an offset that
 * a zone carries is the one of this moment. */
bool pickle__put_moment(int64_t value, const char *unit, const pickle_val *tz, bool local,
                        pickle_sink out);
/* "UTC", "Europe/Berlin", "UTC+01:00". */
bool pickle__put_zone(const pickle_val *tz, pickle_sink out);
bool pickle__put_duration(int64_t value, const char *unit, pickle_sink out);
bool pickle__put_period(int64_t ordinal, const char *freq, pickle_sink out);
bool pickle__put_time(int64_t value, const char *unit, pickle_sink out); /* of a day */
/* numpy's text of a moment: "2020-01-01T12:00", "2020-01" for the unit "M". */
#define PICKLE__MOMENT_CHARS 96
void pickle__moment_text(char text[PICKLE__MOMENT_CHARS], int64_t value, const char *unit);
/* An element without bytes of its own: `n` as "<i8", "<M8[ns]", ... */
bool pickle__element(pickle_array *out, const char *dtype, const void *data);

/* str() of a value that stands for itself: no interval in an interval. */
bool pickle__put_value(const pickle_val *v, pickle_sink out);

/* Where Arrow has row `row`; *index is its place in the piece. */
bool pickle__arrow_find(const pickle_column *c, uint64_t row, pickle_arrow *piece, uint64_t *index);
/* All rows of a column of Arrow; false when a piece is no array. */
bool pickle__arrow_count(const pickle_val *v, uint64_t *count);
bool pickle__arrow_is_valid(const pickle_arrow *a, uint64_t index);
/* Text or bytes; NULL for other types, and for offsets that are out of order. */
const char *pickle__arrow_text(const pickle_arrow *a, uint64_t index, size_t *len);
/* A number, moment or duration as an element, with `scratch` to lie in. */
bool pickle__arrow_element(const pickle_arrow *a, uint64_t index, pickle_array *out,
                           unsigned char scratch[8]);
/* "large_string", "timestamp[ns, tz=UTC]": str() of the type of a column of Arrow. */
bool pickle__put_arrow_type(const pickle_val *type, pickle_sink out);

#endif
