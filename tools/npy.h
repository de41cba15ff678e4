/* npy.h - arrays as .npy files. */
#ifndef NPY_H
#define NPY_H

#include <pickle/array.h>

#include "output.h"

/* NULL, or why the format has no place for the array. */
const char *npy_refusal(const pickle_array *a);
void npy_write(output *o, const pickle_array *a);

#endif
