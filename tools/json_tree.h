/*
 * json_tree.h - a graph as JSON, in two styles: typed, which says of every
 * value what it is, and plain, which looks like the data.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include <pickle/array.h>

#include "output.h"

/* Typed, for show --json: NO_LIMIT (see walk.h) gives everything; `raw`: nothing but what the file
 * has. False: no memory. */
bool json_typed(output *o, const pickle_val *root, size_t depth, size_t items, bool raw);
/* Elements of an array, in the same style. */
void json_typed_array(output *o, const pickle_array *a);

/* Why a value has no plain JSON. */
typedef enum json_problem {
    JSON_FINE,
    JSON_CYCLE,    /* it contains itself                    */
    JSON_KEY,      /* a dict has a key that is no plain one */
    JSON_TOO_LONG, /* more values than the limit            */
    JSON_DAMAGED,  /* a matrix has parts that contradict each other */
    JSON_NO_MEMORY
} json_problem;

/* Tables and the like hold values that are walked over apart, one in the other as often as this. */
#define JSON_MOST_TABLES 8

/* At most *limit values, which become less; `depth`: how many tables are around it. */
json_problem json_check(const pickle_val *root, uint64_t *limit, int depth);
/* Plain, for get: of what json_check found fine. False: no memory. */
bool json_plain(output *o, const pickle_val *root, int depth);

#endif
