/* locate.h - from a path to a value, or to a part of an array or table. */
#ifndef LOCATE_H
#define LOCATE_H

#include "picture.h"

/* What a path leads to, and the members that say so. */
typedef enum located_kind {
    LOCATED_VALUE,  /* value                                                  */
    LOCATED_ARRAY,  /* array: some elements of one                            */
    LOCATED_MASKED, /* array, and mask                                        */
    LOCATED_SERIES, /* series, and label: a column of a DataFrame             */
    LOCATED_INDEX,  /* index: of a DataFrame or Series                        */
    LOCATED_CELL    /* series.values and row: one that is no object by itself */
} located_kind;

typedef struct located {
    located_kind kind;
    const pickle_val *value; /* else NULL */
    pickle_array array, mask;
    pickle_series series;
    column_label label;
    pickle_index index;
    uint64_t row;
} located;

/* False: there is no such thing, which is reported. */
bool locate(const char *file, const pickle_val *root, const char *path, located *out);

#endif
