/* json_known.h - objects of known classes as JSON. */
#ifndef JSON_KNOWN_H
#define JSON_KNOWN_H

#include "json_tree.h"

/* For the typed style, further members of an object: type, shape, dtype, ... */
void json_facts(output *o, const pickle_val *v);

/* For the plain style. Values may hold others, down to some depth: that of the root is 0. */
json_problem json_check_known(const pickle_val *v, uint64_t *limit, int depth);
json_problem json_check_array(const pickle_array *a, uint64_t *limit, int depth);
/* False: no memory. */
bool json_known(output *o, const pickle_val *v, int depth);
/* Nested lists, null where an element is masked. */
bool json_masked(output *o, const pickle_masked_array *a, int depth);

#endif
