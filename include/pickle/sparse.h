/*
 * pickle/sparse.h - scipy's sparse matrices and arrays.
 *
 * All seven formats, of every scipy since 0.19, under all module names, as matrix (csr_matrix) and
 * as array (csr_array), also those of one or many dimensions. Subclasses of other packages are
 * objects that only Python knows. Facts: scipy's _csr.py, _coo.py, _dok.py and their siblings.
 */
#ifndef PICKLE_SPARSE_H
#define PICKLE_SPARSE_H

#include <pickle/array.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pickle_sparse_format {
    PICKLE_SPARSE_CSR = 1, /* compressed rows: indptr, indices, data                   */
    PICKLE_SPARSE_CSC,     /* compressed columns                                       */
    PICKLE_SPARSE_BSR,     /* compressed rows of blocks: data[i] is a block            */
    PICKLE_SPARSE_COO,     /* coordinates of each element                              */
    PICKLE_SPARSE_DIA,     /* diagonals: data[i, column] stands at column - offsets[i] */
    PICKLE_SPARSE_LIL,     /* two lists for each row: columns and values               */
    PICKLE_SPARSE_DOK      /* a dict from coordinates to values                        */
} pickle_sparse_format;

/* "csr", as scipy's .format has it; never NULL. */
PICKLE_API const char *pickle_sparse_format_name(pickle_sparse_format format);

/* Integers of an array; private. */
typedef struct pickle_sparse_index {
    const void *data;
    int64_t stride;
    uint8_t size;
    bool big_endian, is_signed;
} pickle_sparse_index;

/* A view; the arrays in it borrow from the document. */
typedef struct pickle_sparse {
    pickle_sparse_format format;
    bool is_array; /* csr_array, whose * is elementwise, rather than csr_matrix */
    int ndim;      /* 2; csr_array, coo_array and dok_array may have others     */
    int64_t shape[PICKLE_MAXDIMS];
    uint64_t nnz;          /* stored elements, explicit zeros and duplicates included   */
    pickle_dtype dtype;    /* of the elements                                           */
    const pickle_val *cls; /* GLOBAL: the class                                         */
    /*
     * The parts as scipy has them. Where indptr is there, it rises from 0 to the number of elements
     * (of blocks, in BSR), and this many of indices (columns of blocks, in BSR) are within the
     * shape; what `data` and `indices` have beyond them does not count.
     */
    pickle_array data;    /* CSR, CSC, COO: [n]; BSR: [n, rows, columns]; DIA: [n, columns]      */
    pickle_array indices; /* CSR, CSC, BSR: [n]; DIA: the offsets                                */
    pickle_array indptr;  /* CSR, CSC, BSR                                                       */
    const pickle_val *of; /* the object */
    /* Private. */
    pickle_sparse_index axes[PICKLE_MAXDIMS];
    const pickle_val *rows, *values;
} pickle_sparse;

/*
 * False when `v` is nothing of scipy.sparse, or its parts contradict each other; `*out` then means
 * nothing. pickle_read_sparse says why: PICKLE_ERR_TYPE for something else, PICKLE_ERR_VALUE for a
 * bad matrix, PICKLE_ERR_MISSING for buffers that nobody supplied. All indices are checked here,
 * once, which takes a pass over them: whoever uses the parts may rely on them.
 */
PICKLE_API bool pickle_get_sparse(const pickle_val *v, pickle_sparse *out);
PICKLE_API bool pickle_read_sparse(const pickle_val *v, pickle_sparse *out, pickle_error *err);

/* COO: the coordinates of all elements along an axis, as scipy's .coords[axis]; .row and .col. */
PICKLE_API bool pickle_sparse_coords(const pickle_sparse *m, int axis, pickle_array *out);

/*
 * The elements in the order in which they are stored, duplicates and explicit zeros as they are:
 *
 *     pickle_sparse_iter it = { .of = &matrix };
 *     while (pickle_sparse_next(&it))
 *         ... it.index[0], it.index[1], it.value
 */
typedef struct pickle_sparse_iter {
    const pickle_sparse *of;
    int64_t index[PICKLE_MAXDIMS]; /* the first `ndim` are set */
    pickle_array value;            /* the element, without axes; not set where `object` is   */
    const pickle_val *object;      /* LIL, DOK and arrays of objects: the element, else NULL */
    /* Private. */
    uint64_t n;
    int64_t line, end, at;
    pickle_iter items;
} pickle_sparse_iter;

PICKLE_API bool pickle_sparse_next(pickle_sparse_iter *it);

/*
 * All nnz values, in that order, as `dtype`; `dst_size` must be exactly nnz * itemsize. Conversions
 * and errors are pickle_array_copy's.
 */
PICKLE_API bool pickle_sparse_values(const pickle_sparse *m, const char *dtype, void *dst,
                                     size_t dst_size, pickle_error *err);

/*
 * The whole as a dense array in C order, which is toarray().astype(dtype): duplicates are added up
 * in the matrix's own type. `dst_size` must be exactly the product of the shape * itemsize. May
 * take memory of its own (from malloc) where `dtype` is another than the matrix's. Errors:
 * pickle_array_copy's, PICKLE_ERR_NOMEM, and PICKLE_ERR_UNSUPPORTED for x86's long doubles on
 * machines that cannot add them.
 */
PICKLE_API bool pickle_sparse_dense(const pickle_sparse *m, const char *dtype, void *dst,
                                    size_t dst_size, pickle_error *err);

/*
 * As compressed rows, whatever the format: `indptr` has room for one more than there are rows,
 * `indices` for nnz, and `data` is `data_size` == nnz * itemsize bytes. Elements of a row are in
 * the order in which they are stored: columns may be unsorted, and come twice; nothing is added
 * up or left out. One dimension is one row. PICKLE_ERR_TYPE for more than two; else the errors of
 * pickle_sparse_dense.
 */
PICKLE_API bool pickle_sparse_csr(const pickle_sparse *m, const char *dtype, int64_t *indptr,
                                  int64_t *indices, void *data, size_t data_size,
                                  pickle_error *err);

#ifdef __cplusplus
}
#endif
#endif
