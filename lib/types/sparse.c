/*
 * sparse.c - scipy's sparse matrices as views: recognised in the graph, and checked.
 *
 * Every view that is given out has all its indices within its shape: that is seen to here, once,
 * and what iterates over it or copies it relies on it.
 */
#include "graph/value.h"
#include "types/known.h"
#include "types/sparse.h"

static bool bad(pickle_error *err, const char *what)
{
    return pickle__fail(err, PICKLE_ERR_VALUE, 0, "%s", what);
}

/* ------------------------------------------------------------------ formats */

static const char *const names[] = {
    [PICKLE_SPARSE_CSR] = "csr", [PICKLE_SPARSE_CSC] = "csc", [PICKLE_SPARSE_BSR] = "bsr",
    [PICKLE_SPARSE_COO] = "coo", [PICKLE_SPARSE_DIA] = "dia", [PICKLE_SPARSE_LIL] = "lil",
    [PICKLE_SPARSE_DOK] = "dok",
};

#define FORMATS (sizeof names / sizeof *names)

const char *pickle_sparse_format_name(pickle_sparse_format format)
{
    return format > 0 && (size_t)format < FORMATS ? names[format] : "";
}

/* From "scipy.sparse.csr_matrix". */
static bool read_class(const pickle_val *v, pickle_sparse *m)
{
    static const char prefix[] = "scipy.sparse.";
    pickle_class_info info;
    const char *name;

    if (!pickle_get_class(v, &info) || info.type != PICKLE_TYPE_SPARSE || !info.public_name)
        return false;
    name = info.public_name + sizeof prefix - 1;
    for (size_t i = 1; i < FORMATS; i++)
        if (strncmp(name, names[i], 3) == 0)
            m->format = (pickle_sparse_format)i;
    m->is_array = strcmp(name + 3, "_array") == 0;
    m->cls = info.global;
    m->of = v;
    return m->format != 0;
}

/* -------------------------------------------------------------------- parts */

/* An attribute; or what the class is called with, csr_matrix((data, indices, indptr), shape). */
static const pickle_val *part_of(const pickle_val *v, const char *name)
{
    static const struct {
        const char *name;
        size_t at;
    } places[] = {
        { "data", 0 }, { "indices", 1 }, { "coords", 1 }, { "offsets", 1 }, { "indptr", 2 },
    };
    const pickle_val *args = pickle_args(v);

    if (pickle_state(v) || pickle_kind_of(pickle_at(args, 0)) != PICKLE_TUPLE)
        return pickle__attribute(v, name);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].name, name) == 0)
            return pickle_at(pickle_at(args, 0), places[i].at);
    return strcmp(name, "_shape") == 0 ? pickle_at(args, 1) : NULL;
}

bool pickle__get_index(const pickle_val *v, int64_t *out)
{
    pickle_array a;
    pickle_error err;

    return pickle_get_i64(v, out) || (pickle__numpy_array(v, &a, NULL) && a.ndim == 0 &&
                                      (a.dtype.kind == 'i' || a.dtype.kind == 'u') &&
                                      pickle_array_copy(&a, "i8", out, sizeof *out, &err));
}

static bool read_shape(const pickle_val *v, pickle_sparse *m, pickle_error *err)
{
    const pickle_val *shape = part_of(v, "_shape");
    bool any = m->format == PICKLE_SPARSE_COO,
         one = any || m->format == PICKLE_SPARSE_CSR || m->format == PICKLE_SPARSE_DOK;
    size_t n;

    if (!shape)
        shape = part_of(v, "shape");
    n = pickle_len(shape);
    if (pickle_kind_of(shape) != PICKLE_TUPLE)
        return bad(err, "the matrix has no shape");
    if (n == 0 || n > PICKLE_MAXDIMS || (n == 1 && !one) || (n > 2 && !any))
        return bad(err, "the matrix has a number of dimensions that its format has not");
    for (size_t i = 0; i < n; i++)
        if (!pickle__get_index(pickle_at(shape, i), &m->shape[i]) || m->shape[i] < 0)
            return bad(err, "a dimension of the matrix is no number from 0 up");
    m->ndim = (int)n;
    return true;
}

static bool read_array(const pickle_val *v, int ndim, pickle_array *a, pickle_error *err)
{
    if (!pickle__numpy_array(v, a, err))
        return err && err->code == PICKLE_ERR_TYPE ? bad(err, "a part of the matrix is no array")
                                                   : false;
    if (a->ndim != ndim)
        return bad(err, "an array of the matrix has another number of dimensions than it should");
    if (!a->data && !a->objects)
        return pickle__fail(err, PICKLE_ERR_MISSING, 0, "the matrix's buffers were not supplied");
    return true;
}

/* Elements are numbers, or objects. */
static bool check_dtype(const pickle_dtype *d, pickle_error *err)
{
    return strchr("biufcO", d->kind) != NULL || bad(err, "the matrix's dtype is not of numbers");
}

static bool read_data(const pickle_val *v, int ndim, pickle_sparse *m, pickle_error *err)
{
    if (!read_array(part_of(v, "data"), ndim, &m->data, err))
        return false;
    m->dtype = m->data.dtype;
    return check_dtype(&m->dtype, err);
}

/* Integers along one axis, for pickle__index_at. */
static bool set_index(const pickle_array *a, pickle_sparse_index *x, pickle_error *err)
{
    if (a->dtype.kind != 'i' && a->dtype.kind != 'u')
        return bad(err, "the matrix's indices are no integers");
    *x = (pickle_sparse_index){ .data = a->data,
                                .stride = a->strides[0],
                                .size = (uint8_t)a->dtype.itemsize,
                                .big_endian = a->dtype.order == '>',
                                .is_signed = a->dtype.kind == 'i' };
    return true;
}

static bool read_index(const pickle_val *v, const char *name, pickle_array *a,
                       pickle_sparse_index *x, pickle_error *err)
{
    return read_array(part_of(v, name), 1, a, err) && set_index(a, x, err);
}

/* Are the first `n` within 0 and `bound`? */
static bool check_index(const pickle_sparse_index *x, int64_t n, int64_t bound, pickle_error *err)
{
    bool outside = false;

    for (int64_t i = 0; i < n; i++)
        outside |= (uint64_t)pickle__index_at(x, i) >= (uint64_t)bound;
    return !outside || bad(err, "an index of the matrix lies outside its shape");
}

/* --------------------------------------------------------------- compressed */

/* From 0 up to *last, without going down. */
static bool check_pointers(const pickle_sparse_index *x, int64_t n, int64_t *last,
                           pickle_error *err)
{
    bool falls = false;

    *last = pickle__index_at(x, 0);
    if (*last != 0)
        return bad(err, "the matrix's indptr does not start at 0");
    for (int64_t i = 1; i < n; i++) {
        int64_t next = pickle__index_at(x, i);

        falls |= next < *last;
        *last = next;
    }
    return !falls || bad(err, "the matrix's indptr goes down");
}

/* `lines` of pointers, to things of which each has an index below `bound`. */
static bool check_compressed(pickle_sparse *m, int64_t lines, int64_t bound, pickle_error *err)
{
    int64_t n;

    if (m->indptr.shape[0] == 0 || m->indptr.shape[0] - 1 != lines)
        return bad(err, "the matrix's indptr is not as long as its shape says");
    if (!check_pointers(&m->axes[PICKLE__INDPTR], lines + 1, &n, err))
        return false;
    if (n > m->indices.shape[0] || n > m->data.shape[0])
        return bad(err, "the matrix's indptr points behind its data");
    m->nnz = (uint64_t)n;
    return check_index(&m->axes[PICKLE__INDICES], n, bound, err);
}

static bool read_compressed_parts(const pickle_val *v, int ndim, pickle_sparse *m,
                                  pickle_error *err)
{
    return read_data(v, ndim, m, err) &&
           read_index(v, "indptr", &m->indptr, &m->axes[PICKLE__INDPTR], err) &&
           read_index(v, "indices", &m->indices, &m->axes[PICKLE__INDICES], err);
}

static bool read_compressed(const pickle_val *v, pickle_sparse *m, pickle_error *err)
{
    bool by_columns = m->format == PICKLE_SPARSE_CSC;

    if (!read_compressed_parts(v, 1, m, err))
        return false;
    if (m->ndim == 1)
        return check_compressed(m, 1, m->shape[0], err);
    return check_compressed(m, m->shape[by_columns], m->shape[!by_columns], err);
}

static bool read_blocks(const pickle_val *v, pickle_sparse *m, pickle_error *err)
{
    int64_t rows, columns;

    if (!read_compressed_parts(v, 3, m, err))
        return false;
    rows = m->data.shape[1];
    columns = m->data.shape[2];
    if (rows == 0 || columns == 0 || m->shape[0] % rows != 0 || m->shape[1] % columns != 0)
        return bad(err, "the matrix's shape is no multiple of its blocks'");
    if (!check_compressed(m, m->shape[0] / rows, m->shape[1] / columns, err))
        return false;
    m->nnz *= (uint64_t)(rows * columns); /* no more than data has */
    return true;
}

/* -------------------------------------------------------------- coordinates */

/* Of scipy before 1.13, and of tuples that coo_matrix was called with: row and col. */
static const pickle_val *coords_of(const pickle_val *v, int axis)
{
    const pickle_val *coords = part_of(v, "coords");

    return coords ? pickle_at(coords, (size_t)axis) : part_of(v, axis == 0 ? "row" : "col");
}

static bool read_coords(const pickle_sparse *m, int axis, pickle_array *a, pickle_error *err)
{
    if (!read_array(coords_of(m->of, axis), 1, a, err))
        return false;
    return a->shape[0] == m->data.shape[0] ||
           bad(err, "the matrix has another number of coordinates than of data");
}

static bool read_coo(const pickle_val *v, pickle_sparse *m, pickle_error *err)
{
    const pickle_val *coords = part_of(v, "coords");
    pickle_array a;

    if ((coords ? pickle_len(coords) : 2) != (size_t)m->ndim)
        return bad(err, "the matrix has another number of coordinates than of dimensions");
    if (!read_data(v, 1, m, err))
        return false;
    m->nnz = (uint64_t)m->data.shape[0];
    for (int i = 0; i < m->ndim; i++)
        if (!read_coords(m, i, &a, err) || !set_index(&a, &m->axes[i], err) ||
            !check_index(&m->axes[i], a.shape[0], m->shape[i], err))
            return false;
    return true;
}

bool pickle_sparse_coords(const pickle_sparse *m, int axis, pickle_array *out)
{
    return m && m->format == PICKLE_SPARSE_COO && axis >= 0 && axis < m->ndim &&
           pickle__numpy_array(coords_of(m->of, axis), out, NULL);
}

/* ---------------------------------------------------------------- diagonals */

void pickle__diagonal(const pickle_sparse *m, int64_t i, int64_t *first, int64_t *end)
{
    int64_t offset = pickle__index_at(&m->axes[PICKLE__OFFSETS], i), rows = m->shape[0];
    int64_t last = m->data.shape[1] < m->shape[1] ? m->data.shape[1] : m->shape[1];

    *first = offset > 0 ? offset : 0;
    *end = last;
    if (offset < 0 ? rows + offset < last : offset < last && rows < last - offset)
        *end = rows + offset;
    if (*end <= *first)
        *first = *end = 0;
}

static bool read_diagonals(const pickle_val *v, pickle_sparse *m, pickle_error *err)
{
    int64_t first, end;

    if (!read_data(v, 2, m, err) ||
        !read_index(v, "offsets", &m->indices, &m->axes[PICKLE__OFFSETS], err))
        return false;
    if (m->indices.shape[0] != m->data.shape[0])
        return bad(err, "the matrix has another number of offsets than of diagonals");
    for (int64_t i = 0; i < m->indices.shape[0]; i++) {
        pickle__diagonal(m, i, &first, &end);
        m->nnz += (uint64_t)(end - first);
    }
    return true;
}

/* -------------------------------------------------------------------- lists */

/* Lists may stand in many rows, and so be longer than the file: but not for ever. */
#define MOST_SHARED (UINT64_C(1) << 24)

static bool check_row(const pickle_val *columns, const pickle_val *values, int64_t bound,
                      uint64_t *shared, pickle_error *err)
{
    size_t n = pickle_len(columns);
    int64_t column;

    if (pickle_kind_of(columns) != PICKLE_LIST || pickle_kind_of(values) != PICKLE_LIST ||
        pickle_len(values) != n)
        return bad(err, "a row of the matrix is no pair of lists of one length");
    if (columns->tag & PICKLE__SHARED)
        *shared += n;
    if (*shared > MOST_SHARED)
        return bad(err, "rows of the matrix share their lists");
    for (size_t i = 0; i < n; i++)
        if (!pickle__get_index(pickle_at(columns, i), &column) || column < 0 || column >= bound)
            return bad(err, "an index of the matrix lies outside its shape");
    return true;
}

static bool read_dtype(const pickle_val *v, pickle_sparse *m, pickle_error *err)
{
    return pickle__read_dtype(part_of(v, "dtype"), &m->dtype, err)
               ? check_dtype(&m->dtype, err)
               : bad(err, "the matrix has no dtype");
}

static bool read_object_list(const pickle_val *v, const pickle_sparse *m, const pickle_val **list,
                             pickle_error *err)
{
    pickle_array a;

    if (!read_array(v, 1, &a, err))
        return false;
    *list = a.objects;
    return (a.objects && a.shape[0] == m->shape[0]) ||
           bad(err, "the matrix's lists are not as many as its rows");
}

static bool read_lists(const pickle_val *v, pickle_sparse *m, pickle_error *err)
{
    uint64_t shared = 0;

    if (!read_dtype(v, m, err) || !read_object_list(part_of(v, "rows"), m, &m->rows, err) ||
        !read_object_list(part_of(v, "data"), m, &m->values, err))
        return false;
    for (size_t i = 0; i < (size_t)m->shape[0]; i++) {
        const pickle_val *columns = pickle_at(m->rows, i);

        if (!check_row(columns, pickle_at(m->values, i), m->shape[1], &shared, err))
            return false;
        m->nnz += pickle_len(columns);
    }
    return true;
}

/* --------------------------------------------------------------------- dict */

/* Newer versions have it as an attribute; before, the matrix was a dict: what
 * copyreg._reconstructor was given, or items set in the object. */
static const pickle_val *dict_of(const pickle_val *v)
{
    const pickle_val *dict = part_of(v, "_dict");

    if (pickle_kind_of(dict) != PICKLE_DICT)
        dict = pickle_at(pickle_args(v), 2);
    return pickle_kind_of(dict) == PICKLE_DICT ? dict : v;
}

/* A tuple of integers; in one dimension, an integer. */
static bool check_key(const pickle_val *key, const pickle_sparse *m)
{
    bool tuple = pickle_kind_of(key) == PICKLE_TUPLE;
    int64_t n;

    if (tuple ? pickle_len(key) != (size_t)m->ndim : m->ndim != 1)
        return false;
    for (int i = 0; i < m->ndim; i++)
        if (!pickle__get_index(tuple ? pickle_at(key, (size_t)i) : key, &n) || n < 0 ||
            n >= m->shape[i])
            return false;
    return true;
}

static bool read_dict(const pickle_val *v, pickle_sparse *m, pickle_error *err)
{
    const pickle_val *key, *value;

    if (!read_dtype(v, m, err))
        return false;
    m->rows = dict_of(v);
    pickle_foreach (m->rows, key, value) {
        if (!check_key(key, m))
            return bad(err, "a key of the matrix is no place within its shape");
        m->nnz++;
    }
    return true;
}

/* -------------------------------------------------------------------- views */

bool pickle_read_sparse(const pickle_val *v, pickle_sparse *out, pickle_error *err)
{
    static bool (*const readers[])(const pickle_val *, pickle_sparse *, pickle_error *) = {
        [PICKLE_SPARSE_CSR] = read_compressed, [PICKLE_SPARSE_CSC] = read_compressed,
        [PICKLE_SPARSE_BSR] = read_blocks,     [PICKLE_SPARSE_COO] = read_coo,
        [PICKLE_SPARSE_DIA] = read_diagonals,  [PICKLE_SPARSE_LIL] = read_lists,
        [PICKLE_SPARSE_DOK] = read_dict,
    };

    memset(out, 0, sizeof *out);
    if (!read_class(v, out))
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "%s is no sparse matrix of scipy",
                            pickle_kind_name(pickle_kind_of(v)));
    return read_shape(v, out, err) && readers[out->format](v, out, err);
}

bool pickle_get_sparse(const pickle_val *v, pickle_sparse *out)
{
    return pickle_read_sparse(v, out, NULL);
}
