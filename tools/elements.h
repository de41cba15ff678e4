/* elements.h - goes over the elements of an array in C order, whatever its strides. */
#ifndef ELEMENTS_H
#define ELEMENTS_H

#include <pickle/array.h>

typedef struct elements {
    pickle_array at; /* a 0-d view of the element                                  */
    int wrapped;     /* how many of the last axes start anew with it: at first all */
    bool started;
    uint64_t left;
    int64_t index[PICKLE_MAXDIMS];
    const pickle_array *of;
} elements;

/* For arrays with `data`. */
void elements_start(elements *e, const pickle_array *of);
bool elements_next(elements *e);

/* Of a 0-d view of "S": its bytes without the zeros that fill it up. */
size_t element_bytes(const pickle_array *a);
/* Of "U": its text, in UTF-8, likewise. False: no memory. */
bool element_text(const pickle_array *a, pickle_buf *out);

#endif
