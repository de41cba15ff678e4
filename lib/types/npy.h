/* npy.h - numpy's .npy format: a header, and the bytes of an array or a pickle of its objects. */
#ifndef PICKLE__NPY_H
#define PICKLE__NPY_H

#include "vm/vm.h"

#define PICKLE__NPY_MAGIC 6 /* bytes that tell the format */

bool pickle__is_npy(const unsigned char *head, size_t len);

/*
 * The array that stands at vm->src: for numbers, what pickle_new_array makes of
 * them; for objects, the root of their pickle, an array as well. The source then
 * stands behind it. NULL: vm->err is filled.
 */
pickle_val *pickle__read_npy(pickle__vm *vm);

#endif
