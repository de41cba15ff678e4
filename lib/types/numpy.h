/* numpy.h - dtypes and arrays, between the files of this layer and for the joblib reader. */
#ifndef PICKLE__NUMPY_H
#define PICKLE__NUMPY_H

#include "graph/doc.h"

#include <pickle/array.h>

/* Records nested deeper than this are not looked into: a dtype may contain itself. */
#define PICKLE__DTYPE_DEPTH 32

/* As pickle_get_dtype, with the reason: TYPE for something else, VALUE for a bad dtype. */
bool pickle__read_dtype(const pickle_val *v, pickle_dtype *out, pickle_error *err);
/* numpy's type codes: "<f8", "?", "S5", "M8[25s]". False when there is no such type. */
bool pickle__parse_dtype(const char *code, size_t len, pickle_dtype *out);
/* Has fields, perhaps none: dtype([]). */
bool pickle__is_record(const pickle_dtype *dtype);
/* Data in the other byte order than this machine's? */
bool pickle__is_swapped(const pickle_dtype *dtype);

/* As pickle_read_array, but numpy's own: no tensors. */
bool pickle__numpy_array(const pickle_val *v, pickle_array *out, pickle_error *err);

/* The shape at state[at], and behind it the dtype, whether in Fortran's order, and the data. */
bool pickle__array_of_state(pickle_array *a, const pickle_val *state, size_t at, pickle_error *err);
/* Data for `a`, whose dtype, shape and nbytes are set. */
bool pickle__set_array_bytes(pickle_array *a, const pickle_val *bytes, bool fortran,
                             pickle_error *err);

/* Shape from a tuple of ints, none negative, at most PICKLE_MAXDIMS: sets *ndim and `shape`. */
bool pickle__read_shape(const pickle_val *v, int64_t *shape, int *ndim, pickle_error *err);
/* Elements and bytes of an array; false when they exceed 2^63. */
bool pickle__array_size(const int64_t *shape, int ndim, uint64_t itemsize, uint64_t *count,
                        uint64_t *nbytes);

/* The text of a str; the content of bytes, such as Python 2's str read as bytes. Else NULL. */
const char *pickle__text_of(const pickle_val *v, size_t *len);
bool pickle__is_word(const pickle_val *v, const char *word);
/* An attribute of an object, or NULL: as pickle_attr, also where the keys were read as bytes. */
const pickle_val *pickle__attribute(const pickle_val *object, const char *name);
/* numpy.NAME or numpy._NAME: numpy.core.multiarray and numpy._core.multiarray. */
bool pickle__is_numpy_core(const pickle_val *global, const char *module, const char *name);

/* joblib's stand-ins for arrays: of 0.10 and later; of those before, uncompressed and compressed.
 */
typedef enum pickle__wrapper {
    PICKLE__NO_WRAPPER,
    PICKLE__NUMPY_WRAPPER,
    PICKLE__NDARRAY_WRAPPER,
    PICKLE__ZNDARRAY_WRAPPER
} pickle__wrapper;

/* Which class of joblib it is, by any of its names. */
pickle__wrapper pickle__wrapper_of(const pickle_val *global);
/* Of a ZNDArrayWrapper, which has all of an array but the bytes. */
bool pickle__read_zipped_layout(const pickle_val *wrapper, pickle_array *out, pickle_error *err);

#endif
