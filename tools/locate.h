/* locate.h - from a path to a value, or to a part of an array. */
#ifndef LOCATE_H
#define LOCATE_H

#include <pickle/array.h>

/* What a path leads to: a value, or, when `value` is NULL, some elements of an array. */
typedef struct located {
    const pickle_val *value;
    pickle_array array;
} located;

/* False: there is no such thing, which is reported. */
bool locate(const char *file, const pickle_val *root, const char *path, located *out);

#endif
