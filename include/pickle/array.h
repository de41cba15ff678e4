/*
 * pickle/array.h - numpy arrays: dtype, shape, strides, and the bytes themselves.
 *
 * Arrays are views over the graph, computed on request: however an ndarray was
 * pickled (_reconstruct, _frombuffer, numpy.core or numpy._core, behind
 * joblib's wrapper, or a numpy scalar), pickle_get_array recognises it. Facts:
 * numpy's methods.c (array_reduce), descriptor.c (arraydescr_reduce) and
 * joblib's numpy_pickle.py.
 *
 * Views are plain structs, without memory of their own: copy them as you like,
 * as long as the document lives.
 */
#ifndef PICKLE_ARRAY_H
#define PICKLE_ARRAY_H

#include <pickle/doc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PICKLE_MAXDIMS 64 /* NPY_MAXDIMS of numpy 2 */

/* ------------------------------------------------------------------- dtypes */

/*
 * numpy's dtype.kind: b (bool), i u f c, S (bytes), U (text, UCS-4), V (records
 * and raw bytes), M (datetime64), m (timedelta64), O (objects), and T for
 * StringDType. "f" of 12 or 16 bytes is x86's 80-bit long double, padded. Beyond numpy: E, floats
 * of the formats that `name` says, of one or two bytes; "c" of 4 bytes, a pair of half floats.
 */
typedef struct pickle_dtype {
    char kind;
    char order;        /* '<', '>', or '|' where it does not matter; never '='   */
    bool hasobject;    /* elements hold references: the data are `objects`       */
    bool aligned;      /* numpy's isalignedstruct                                */
    int subdims;       /* subarray (in a record's field): its dimensions, else 0 */
    uint64_t itemsize; /* bytes of one element; U has four per character         */
    uint64_t nfields;  /* records: number of fields, else 0                      */
    /* datetime64 and timedelta64: "ns", "D", ... and how many of it; "generic" without unit. */
    char unit[8];
    int64_t unit_count;
    const char *name;           /* formats beyond numpy: "bfloat16", "complex32"; else NULL */
    const pickle_val *base;     /* subarray: the dtype of an element */
    const pickle_val *metadata; /* dtype(metadata=...) dict, or NULL */
    const pickle_val *descr;    /* the dtype's own node              */
} pickle_dtype;

/*
 * One field of a record, in declared order. Names are UTF-8 and NUL-terminated;
 * those of a Python 2 file that was read with encoding="bytes" are bytes, and
 * only their length says where they end.
 */
typedef struct pickle_field {
    const char *name;
    size_t name_len;
    const char *title; /* NULL without one, or when it is no text */
    uint64_t offset;
    const pickle_val *dtype; /* for pickle_get_dtype */
} pickle_field;

/* From a numpy.dtype, a StringDType, a scalar type such as numpy.float64, or the class of a dtype,
 * such as numpy.dtypes.Float64DType. */
PICKLE_API bool pickle_get_dtype(const pickle_val *v, pickle_dtype *out);
PICKLE_API bool pickle_dtype_field(const pickle_dtype *dtype, uint64_t index, pickle_field *out);
/* Size of a subarray along one of its `subdims` axes; 0 for other axes. */
PICKLE_API int64_t pickle_dtype_subshape(const pickle_dtype *dtype, int axis);
/*
 * What a StringDType (kind T) was made with: are other values turned into text, and what stands
 * for a missing one, NULL for none. False for other dtypes.
 */
PICKLE_API bool pickle_dtype_string(const pickle_dtype *dtype, bool *coerce,
                                    const pickle_val **na_object);
/*
 * numpy's dtype.str for simple types ("<f8", "|S5", "<M8[ns]"), the list of
 * dtype.descr for records ("[('a', '<i4'), ('b', '<f8', (2,))]"), as the .npy
 * header has it. Records whose fields overlap or are out of order have no such
 * list; they are {'names': ..., 'formats': ..., 'offsets': ..., 'itemsize': ...}.
 * numpy.dtype() takes all of them. A subarray by itself is its bytes: "|V24". Of a format that
 * numpy lacks it is the name: "bfloat16", which numpy takes once ml_dtypes is imported. False when
 * `out` refused, or for a record nested more than 32 levels deep.
 */
PICKLE_API bool pickle_dtype_str(const pickle_dtype *dtype, pickle_sink out);

/* ------------------------------------------------------------------- arrays */

/* A view; `data` and `objects` borrow from the document (or from its file mapping). */
typedef struct pickle_array {
    const void *data; /* first element; NULL for objects and for buffers nobody supplied */
    uint64_t nbytes;  /* count * itemsize                                                */
    pickle_dtype dtype;
    int ndim;
    int64_t shape[PICKLE_MAXDIMS];
    int64_t strides[PICKLE_MAXDIMS]; /* in bytes; in elements for objects              */
    const pickle_val *objects; /* list of the elements, C order, when dtype.hasobject            */
    const pickle_val *cls;     /* GLOBAL: numpy.ndarray, or the subclass; scalars: NULL          */
    bool scalar;               /* a numpy scalar: ndim 0                                         */
    bool fortran;              /* as it was in Python: contiguous in Fortran's sense, not in C's */
    bool readonly;
} pickle_array;

/*
 * False when `v` is no array, or one whose parts contradict each other; `*out`
 * then means nothing. pickle_read_array says why: PICKLE_ERR_TYPE for something
 * else, PICKLE_ERR_VALUE for a bad array. Strided tensors of torch are arrays, too:
 * <pickle/torch.h>.
 */
PICKLE_API bool pickle_get_array(const pickle_val *v, pickle_array *out);
PICKLE_API bool pickle_read_array(const pickle_val *v, pickle_array *out, pickle_error *err);

/* Number of elements: the product of the shape. */
PICKLE_API uint64_t pickle_array_count(const pickle_array *a);
PICKLE_API bool pickle_array_is_c(const pickle_array *a); /* C-contiguous       */
PICKLE_API bool pickle_array_is_f(const pickle_array *a); /* Fortran-contiguous */

/* The data as they lie, if they are of that type, native, aligned and C-contiguous, else NULL. */
PICKLE_API const double *pickle_array_f64(const pickle_array *a);
PICKLE_API const float *pickle_array_f32(const pickle_array *a);
PICKLE_API const int64_t *pickle_array_i64(const pickle_array *a);
PICKLE_API const int32_t *pickle_array_i32(const pickle_array *a);
PICKLE_API const uint8_t *pickle_array_u8(const pickle_array *a);

/*
 * Copy all elements out in C order as `dtype`: numpy's codes "<f8", "=f4",
 * "|u1", "?", "f2", "c16", ...; '=' or no sign is native order. Numbers are
 * converted as numpy's astype(casting="unsafe") does in its defined cases; a
 * float that does not fit an integer, where C leaves it undefined, is
 * saturated and NaN gives 0. S, U, V, M and m go only to their own dtype ("S",
 * "U" and "V" alone mean their own size), in either byte order; records only to
 * "V" (bytes as they are), to which those of kind E go as well (their bits, native). `dst_size`
 * must be exactly count * itemsize. Errors: PICKLE_ERR_TYPE, PICKLE_ERR_RANGE (size),
 * PICKLE_ERR_MISSING (a buffer that nobody supplied).
 */
PICKLE_API bool pickle_array_copy(const pickle_array *a, const char *dtype, void *dst,
                                  size_t dst_size, pickle_error *err);

/*
 * One element by its `n` == ndim indices; negative ones count from the end.
 * `out` becomes a 0-d view of it; for arrays of objects it is left alone and
 * `*object` is the element, otherwise NULL. False when out of range. `out` may be `a`.
 */
PICKLE_API bool pickle_array_at(const pickle_array *a, const int64_t *index, int n,
                                pickle_array *out, const pickle_val **object);
/* A record's field, as a view on all elements. False for records that hold objects, too. */
PICKLE_API bool pickle_array_field(const pickle_array *a, const char *name, pickle_array *out);

/*
 * The first element (of a 0-d view, the element) as text: Python's repr of
 * numbers, bytes and text: 1.5, True, b'ab', 'text'; what str() of numpy's
 * scalars shows where Python has no such type: as many digits as a float32
 * needs (0.1), what float() makes of the formats beyond numpy, 2020-02-29T12:00, 90 seconds, NaT; a
 * tuple for a record, with lists for its subarrays. False when `out` refused, or there is no
 * element.
 */
PICKLE_API bool pickle_array_item_repr(const pickle_array *a, pickle_sink out);

/* ------------------------------------------------------------ masked arrays */

/*
 * numpy.ma.MaskedArray, mrecords.MaskedRecords, and numpy.ma.masked. Facts: numpy/ma/core.py,
 * MaskedArray.__getstate__ and make_mask_descr.
 */
typedef struct pickle_masked_array {
    pickle_array data; /* its `cls` is the base: numpy.ndarray, numpy.matrix, ... */
    /*
     * True where an element is masked: a bool array of the same shape. Of records, raw bytes: one
     * bool for each simple field, subarrays for each of their elements, in order and without gaps;
     * pickle_masked_field tells them apart. A mask is always there: nomask is all false.
     */
    pickle_array mask;
    const pickle_val *fill_value; /* array without axes; NULL: numpy's default for the dtype */
    const pickle_val *cls;        /* GLOBAL: numpy.ma.MaskedArray, or the subclass           */
} pickle_masked_array;

/* False, with *out meaning nothing, as pickle_get_array; the errors are those of that, too. */
PICKLE_API bool pickle_get_masked_array(const pickle_val *v, pickle_masked_array *out);
PICKLE_API bool pickle_read_masked_array(const pickle_val *v, pickle_masked_array *out,
                                         pickle_error *err);
/* A record's field: views on its data and on its mask. False for records that hold objects. */
PICKLE_API bool pickle_masked_field(const pickle_masked_array *a, const char *name,
                                    pickle_masked_array *out);

/* --------------------------------------------------------- random generators */

/*
 * numpy's RandomState, Generator, or a bit generator by itself, of any version. Facts: numpy's
 * mtrand.pyx, random/_pickle.py, random/bit_generator.pyx.
 */
typedef struct pickle_rng {
    const char *name;          /* "RandomState", "Generator"; NULL: a bit generator by itself */
    const char *bit_generator; /* "MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64", ...    */
    /* The numbers of the bit generator: a dict, such as PCG64's {'state': ..., 'inc': ...} of ints
     * of 128 bits; NULL in a RandomState before numpy 1.17. */
    const pickle_val *state;
    /* MT19937: 624 integers of 32 bits and how many of them are used; otherwise ndim is 0. */
    pickle_array key;
    int64_t pos;
    /* Philox: random numbers of 64 bits in stock, and how many of them are used; else NULL. */
    const pickle_val *buffer;
    int64_t buffer_pos;
    /* The second half of the last 64 bits, where there is a half left. */
    bool has_uint32;
    uint32_t uinteger;
    /* RandomState: the second of the last pair of normal deviates. */
    bool has_gauss;
    double gauss;
    const pickle_val *seed_seq; /* for pickle_get_seed_sequence; NULL before numpy 2.0 */
} pickle_rng;

/* False for anything else, and for a generator whose state is not as numpy writes it. */
PICKLE_API bool pickle_get_rng(const pickle_val *v, pickle_rng *out);

/* numpy.random.SeedSequence. */
typedef struct pickle_seed_sequence {
    const pickle_val *entropy;   /* None, an int of any size, or a sequence of them */
    const pickle_val *spawn_key; /* tuple of ints */
    int64_t pool_size;
    int64_t n_children_spawned;
    const pickle_val *pool; /* array of pool_size integers of 32 bits */
} pickle_seed_sequence;

PICKLE_API bool pickle_get_seed_sequence(const pickle_val *v, pickle_seed_sequence *out);

#ifdef __cplusplus
}
#endif
#endif
