/* npy.h - arrays as .npy files. */
#ifndef NPY_H
#define NPY_H

#include <pickle/array.h>

#include "output.h"

/* NULL, or why the format has no place for the array. */
const char *npy_refusal(const pickle_array *a);
void npy_write(output *o, const pickle_array *a);

/* Sets nbytes from the shape and the dtype; false: more than `most`. */
bool array_fits(pickle_array *a, uint64_t most);
/* Sets `data`, in C order, and the strides. */
void array_lay_out(pickle_array *a, const void *data);

#endif
