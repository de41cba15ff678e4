/* ubjson.h - a reader of UBJSON (universal binary JSON), the draft 12 that XGBoost writes. */
#ifndef PICKLE__SKLEARN_UBJSON_H
#define PICKLE__SKLEARN_UBJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value: its type and its first byte. In typed arrays, values have no type of their own. */
typedef struct pickle__ubjson {
    const unsigned char *at, *end;
    char type; /* 0: there is none */
} pickle__ubjson;

/* The value that a text is; type 0 if it is none. */
pickle__ubjson pickle__ubjson_open(const void *data, size_t size);
/* Of an object, by key; type 0: there is none. `path` may have several keys, with '.' between. */
pickle__ubjson pickle__ubjson_get(pickle__ubjson object, const char *path);
/* False for another type. A string's text is not ended by 0. */
bool pickle__ubjson_text(pickle__ubjson v, const char **text, size_t *len);
bool pickle__ubjson_number(pickle__ubjson v, double *out);

/* Items of an array, one after the other. */
typedef struct pickle__ubjson_items {
    const unsigned char *at, *end;
    char type;     /* of all; 0: each has its own */
    uint64_t left; /* where `counted` */
    bool counted;
} pickle__ubjson_items;

/* False for what is no array. */
bool pickle__ubjson_items_of(pickle__ubjson array, pickle__ubjson_items *it);
/* False at the end, and for what is broken. */
bool pickle__ubjson_next(pickle__ubjson_items *it, pickle__ubjson *item);
/* How many items there are. */
size_t pickle__ubjson_count(pickle__ubjson array);

#endif
