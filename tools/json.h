/* json.h - single values and arrays as JSON: what both forms of JSON have in common. */
#ifndef JSON_H
#define JSON_H

#include <pickle/array.h>

#include "output.h"

/* null, true, 12, 1.5, "text"; "nan", "inf" and "-inf", which JSON has no numbers for. */
void json_atom(output *o, const pickle_val *v);
/* A key of a JSON object: those of Python's json.dumps, and numbers and texts of numpy's. */
bool json_is_key(const pickle_val *v);
void json_key(output *o, const pickle_val *v);
/* {"bytes": "..."} in base64, null for a buffer that nobody supplied. */
void json_bytes(output *o, const void *data, size_t len);
/* "module.name" */
void json_global(output *o, const pickle_val *global);
void json_text(output *o, const char *text);
/* What a part of the library printed, as a JSON string; frees it. */
void json_buffered(output *o, pickle_buf *text);
/* A comma, and the name of a member. */
void json_member(output *o, const char *name);
/* "<f8" */
void json_dtype(output *o, const pickle_dtype *dtype);

/* Nested lists of an array without objects; records are objects, dates and complex numbers text. */
void json_array(output *o, const pickle_array *a);
/* How many values that will be, at most. */
uint64_t json_cells(const pickle_array *a);

#endif
