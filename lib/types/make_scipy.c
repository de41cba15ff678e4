/* make_scipy.c - sparse matrices of scipy: calls of their classes, which every version has. */
#include "types/make.h"

static bool is_array(const pickle_val *v, int ndim)
{
    pickle_array a;

    return pickle__numpy_array(v, &a, NULL) && a.ndim == ndim;
}

static int64_t length_of(const pickle_val *array)
{
    pickle_array a;

    return pickle__numpy_array(array, &a, NULL) && a.ndim > 0 ? a.shape[0] : -1;
}

/* format(content, (rows, columns)) */
static pickle_val *new_matrix(pickle_doc *doc, const char *format, const pickle_val *content,
                              int64_t rows, int64_t columns)
{
    const pickle_val *shape;

    if (rows < 0 || columns < 0)
        return PICKLE__REFUSE(doc, PICKLE_ERR_RANGE, "a matrix of negative size");
    shape = pickle_new_tuple(
        doc, PICKLE__ITEMS(pickle_new_int(doc, rows), pickle_new_int(doc, columns)));
    return pickle__call(doc, "scipy.sparse", format, PICKLE__ITEMS(content, shape));
}

/* Blocks have a shape of their own, and as many pointers as there are rows of them. */
static bool fits(const char *format, int64_t rows, int64_t columns, const pickle_val *data,
                 const pickle_val *indices, const pickle_val *indptr)
{
    bool blocks = format[0] == 'b';
    int64_t lines = format[2] == 'c' ? columns : rows;

    return is_array(data, blocks ? 3 : 1) && is_array(indices, 1) && is_array(indptr, 1) &&
           length_of(data) == length_of(indices) &&
           (blocks ? length_of(indptr) >= 1 : length_of(indptr) - 1 == lines);
}

pickle_val *pickle_new_sparse(pickle_doc *doc, const char *format, int64_t rows, int64_t columns,
                              const pickle_val *data, const pickle_val *indices,
                              const pickle_val *indptr)
{
    static const char *const formats[] = { "csr_matrix", "csc_matrix", "bsr_matrix", "csr_array",
                                           "csc_array",  "bsr_array",  NULL };

    if (!pickle__is_one_of(format, formats))
        return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "no format of compressed sparse matrices");
    if (!fits(format, rows, columns, data, indices, indptr))
        return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "arrays that make no %s", format);
    return new_matrix(doc, format, pickle_new_tuple(doc, PICKLE__ITEMS(data, indices, indptr)),
                      rows, columns);
}

pickle_val *pickle_new_coo(pickle_doc *doc, const char *format, int64_t rows, int64_t columns,
                           const pickle_val *data, const pickle_val *row, const pickle_val *col)
{
    static const char *const formats[] = { "coo_matrix", "coo_array", NULL };
    const pickle_val *places;

    if (!pickle__is_one_of(format, formats))
        return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "no format of sparse matrices by coordinates");
    if (!is_array(data, 1) || !is_array(row, 1) || !is_array(col, 1) ||
        length_of(data) != length_of(row) || length_of(data) != length_of(col))
        return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "arrays that make no %s", format);
    places = pickle_new_tuple(doc, PICKLE__ITEMS(row, col));
    return new_matrix(doc, format, pickle_new_tuple(doc, PICKLE__ITEMS(data, places)), rows,
                      columns);
}
