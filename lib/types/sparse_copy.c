/* sparse_copy.c - scipy's sparse matrices in other forms: their values, dense, compressed rows. */
#include <float.h>
#include <stdio.h>

#include "types/floats.h"
#include "types/sparse.h"

static bool wrong_size(size_t size, pickle_error *err)
{
    return pickle__fail(err, PICKLE_ERR_RANGE, 0, "the matrix does not take %llu bytes",
                        (unsigned long long)size);
}

/* Never NULL without a reason: no bytes are one byte. */
static void *take_memory(uint64_t size, pickle_error *err)
{
    void *p = size < SIZE_MAX ? pickle__alloc(NULL, size ? (size_t)size : 1) : NULL;

    if (!p)
        pickle__no_memory(err, 0);
    return p;
}

static void give_back(void *p, uint64_t size)
{
    if (p)
        pickle__free(NULL, p, size ? (size_t)size : 1);
}

/* ------------------------------------------------------------------- values */

/* numpy's code for a dtype of numbers in this machine's byte order. */
static void code_of(const pickle_dtype *d, char code[8])
{
    if (d->kind == 'b')
        snprintf(code, 8, "?");
    else
        snprintf(code, 8, "=%c%d", d->kind, (int)d->itemsize);
}

/* Memory as an array of `count` numbers. */
static pickle_array array_of(const void *data, const char *code, uint64_t count)
{
    pickle_array a = { .data = data, .ndim = 1 };

    pickle__parse_dtype(code, strlen(code), &a.dtype);
    a.shape[0] = (int64_t)count;
    a.strides[0] = (int64_t)a.dtype.itemsize;
    a.nbytes = count * a.dtype.itemsize;
    return a;
}

typedef union number {
    bool b;
    int64_t i;
    uint64_t u;
    double f[2];
} number;

/* A number of Python or numpy, as an array without axes. */
static bool read_number(const pickle_val *v, number *n, pickle_array *a)
{
    const pickle_val *args = pickle_args(v);
    const char *code = NULL;

    if (pickle_get_bool(v, &n->b))
        code = "?";
    else if (pickle_get_i64(v, &n->i))
        code = "=i8";
    else if (pickle_get_u64(v, &n->u))
        code = "=u8";
    else if (pickle_get_f64(v, n->f))
        code = "=f8";
    else if (pickle_is_a(v, "builtins", "complex") && pickle_get_f64(pickle_at(args, 0), n->f) &&
             pickle_get_f64(pickle_at(args, 1), n->f + 1))
        code = "=c16";
    if (!code)
        return pickle__numpy_array(v, a, NULL) && a->ndim == 0;
    *a = array_of(n, code, 1);
    a->ndim = 0;
    return true;
}

/* First as the matrix has its elements, as they have no type of their own; then as `dtype`. */
static bool copy_object(const pickle_val *v, const char *own, const char *dtype, void *dst,
                        size_t size, pickle_error *err)
{
    unsigned char converted[32];
    pickle_array a, b;
    number n;

    if (!read_number(v, &n, &a))
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "an element of the matrix is no number");
    b = array_of(converted, own, 1);
    return pickle_array_copy(&a, own, converted, (size_t)b.dtype.itemsize, err) &&
           pickle_array_copy(&b, dtype, dst, size, err);
}

static bool copy_objects(const pickle_sparse *m, const char *dtype, unsigned char *dst, size_t size,
                         pickle_error *err)
{
    pickle_sparse_iter it = { .of = m };
    char own[8];

    code_of(&m->dtype, own);
    for (; pickle_sparse_next(&it); dst += size)
        if (!copy_object(it.object, own, dtype, dst, size, err))
            return false;
    return true;
}

static bool copy_diagonals(const pickle_sparse *m, const char *dtype, unsigned char *dst,
                           size_t size, pickle_error *err)
{
    pickle_array part = m->data;
    int64_t first, end;

    part.ndim = 1;
    part.strides[0] = m->data.strides[1];
    for (int64_t i = 0; i < m->data.shape[0]; i++) {
        pickle__diagonal(m, i, &first, &end);
        part.data = (const char *)m->data.data + i * m->data.strides[0] + first * part.strides[0];
        part.shape[0] = end - first;
        if (!pickle_array_copy(&part, dtype, dst, size * (size_t)(end - first), err))
            return false;
        dst += size * (size_t)(end - first);
    }
    return true;
}

/* In the other formats the values are the start of an array. */
static pickle_array values_of(const pickle_sparse *m)
{
    pickle_array values = m->data;
    uint64_t count = m->nnz;

    for (int i = 1; i < values.ndim; i++)
        count /= (uint64_t)values.shape[i];
    values.shape[0] = (int64_t)count;
    return values;
}

static bool copy_values(const pickle_sparse *m, const char *dtype, void *dst, size_t size,
                        pickle_error *err)
{
    pickle_array values;

    if (m->dtype.kind == 'O')
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "the matrix holds objects");
    if (m->values || m->rows)
        return copy_objects(m, dtype, dst, size, err);
    if (m->format == PICKLE_SPARSE_DIA)
        return copy_diagonals(m, dtype, dst, size, err);
    values = values_of(m);
    return pickle_array_copy(&values, dtype, dst, (size_t)m->nnz * size, err);
}

/* Checks the type asked for, and that `size` is what `count` of it take. */
static bool check_target(const pickle_sparse *m, const char *dtype, uint64_t count, size_t size,
                         pickle_dtype *to, pickle_error *err)
{
    char shown[40];

    if (!pickle__parse_dtype(dtype, strlen(dtype), to))
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "'%s' is no dtype",
                            pickle__escape(shown, sizeof shown, dtype, strlen(dtype)));
    if (m->dtype.kind == 'O' || !strchr("biufc", to->kind))
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "a matrix of kind %c cannot be copied as %c",
                            m->dtype.kind, to->kind);
    if (count > SIZE_MAX / to->itemsize || count * to->itemsize != size)
        return wrong_size(size, err);
    return true;
}

bool pickle_sparse_values(const pickle_sparse *m, const char *dtype, void *dst, size_t dst_size,
                          pickle_error *err)
{
    pickle_dtype to;

    return check_target(m, dtype, m->nnz, dst_size, &to, err) &&
           copy_values(m, dtype, dst, (size_t)to.itemsize, err);
}

/* ------------------------------------------------------------------- adding */

#define ADD(NAME, type, expression)                                      \
    static void add_##NAME(unsigned char *to, const unsigned char *from) \
    {                                                                    \
        type x, y;                                                       \
                                                                         \
        memcpy(&x, to, sizeof x);                                        \
        memcpy(&y, from, sizeof y);                                      \
        x = expression;                                                  \
        memcpy(to, &x, sizeof x);                                        \
    }

/* Integers wrap around, and bools are joined, as in scipy's sparsetools. */
ADD(bool, uint8_t, x | y)
ADD(8, uint8_t, (uint8_t)(x + y))
ADD(16, uint16_t, (uint16_t)(x + y))
ADD(32, uint32_t, x + y)
ADD(64, uint64_t, x + y)
ADD(half, uint16_t, pickle__half_from_double(pickle__half_to_double(x) + pickle__half_to_double(y)))
ADD(float, float, x + y)
ADD(double, double, x + y)

#if LDBL_MANT_DIG == 64
/* Ten bytes; the rest is padding. */
static void add_long(unsigned char *to, const unsigned char *from)
{
    long double x = 0, y = 0;

    memcpy(&x, to, 10);
    memcpy(&y, from, 10);
    x += y;
    memcpy(to, &x, 10);
}
#else
#define add_long NULL
#endif

typedef void adder(unsigned char *to, const unsigned char *from);

/* For `d`, or each of the `parts` of it; NULL: this machine has none. */
static adder *find_adder(const pickle_dtype *d, size_t *parts)
{
    static const struct {
        const char *kinds;
        uint8_t size;
        adder *add;
    } adders[] = {
        { "b", 1, add_bool },   { "iu", 1, add_8 },      { "iu", 2, add_16 },
        { "iu", 4, add_32 },    { "iu", 8, add_64 },     { "f", 2, add_half },
        { "fc", 4, add_float }, { "fc", 8, add_double }, { "fc", 12, add_long },
        { "fc", 16, add_long },
    };

    *parts = d->kind == 'c' ? 2 : 1;
    for (size_t i = 0; i < sizeof adders / sizeof *adders; i++)
        if (strchr(adders[i].kinds, d->kind) && adders[i].size * *parts == d->itemsize)
            return adders[i].add;
    return NULL;
}

/* -------------------------------------------------------------------- dense */

/* The product of the shape; false when that is too much. */
static bool count_of(const pickle_sparse *m, uint64_t *count)
{
    uint64_t nbytes;

    return pickle__array_size(m->shape, m->ndim, 1, count, &nbytes);
}

/* The values in `size` bytes each, added to zeros. */
static void add_up(const pickle_sparse *m, const unsigned char *values, unsigned char *dense,
                   adder *add, size_t parts)
{
    size_t size = (size_t)m->dtype.itemsize;
    pickle_sparse_iter it = { .of = m };

    for (; pickle_sparse_next(&it); values += size) {
        size_t at = 0;

        for (int i = 0; i < m->ndim; i++)
            at = at * (size_t)m->shape[i] + (size_t)it.index[i];
        for (size_t i = 0; i < parts; i++)
            add(dense + at * size + i * (size / parts), values + i * (size / parts));
    }
}

/* In the matrix's own type, and this machine's byte order. */
static bool make_dense(const pickle_sparse *m, const char *own, void *dense, size_t size,
                       pickle_error *err)
{
    uint64_t nbytes = m->nnz * m->dtype.itemsize;
    size_t parts;
    adder *add = find_adder(&m->dtype, &parts);
    void *values;
    bool done;

    if (!add)
        return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0,
                            "this machine cannot add the matrix's elements");
    if (m->nnz > SIZE_MAX / m->dtype.itemsize)
        return pickle__no_memory(err, 0);
    values = take_memory(nbytes, err);
    done = values && copy_values(m, own, values, (size_t)m->dtype.itemsize, err);
    if (done) {
        memset(dense, 0, size);
        add_up(m, values, dense, add, parts);
    }
    give_back(values, nbytes);
    return done;
}

bool pickle_sparse_dense(const pickle_sparse *m, const char *dtype, void *dst, size_t dst_size,
                         pickle_error *err)
{
    pickle_array dense;
    pickle_dtype to;
    uint64_t count;
    char own[8];
    void *memory;
    bool done;

    if (!count_of(m, &count))
        return wrong_size(dst_size, err);
    if (!check_target(m, dtype, count, dst_size, &to, err))
        return false;
    code_of(&m->dtype, own);
    dense = array_of(NULL, own, count);
    if (to.kind == dense.dtype.kind && to.itemsize == dense.dtype.itemsize &&
        to.order == dense.dtype.order)
        return make_dense(m, own, dst, dst_size, err);
    if (count > INT64_MAX / dense.dtype.itemsize)
        return pickle__no_memory(err, 0);
    dense.data = memory = take_memory(dense.nbytes, err);
    done = memory && make_dense(m, own, memory, (size_t)dense.nbytes, err) &&
           pickle_array_copy(&dense, dtype, dst, dst_size, err);
    give_back(memory, dense.nbytes);
    return done;
}

/* ---------------------------------------------------------- compressed rows */

static int64_t row_of(const pickle_sparse_iter *it)
{
    return it->of->ndim == 2 ? it->index[0] : 0;
}

/* indptr[i]: where the elements of row i start. */
static void count_rows(const pickle_sparse *m, int64_t *indptr, int64_t rows)
{
    pickle_sparse_iter it = { .of = m };

    memset(indptr, 0, (size_t)(rows + 1) * sizeof *indptr);
    while (pickle_sparse_next(&it))
        indptr[row_of(&it) + 1]++;
    for (int64_t i = 0; i < rows; i++)
        indptr[i + 1] += indptr[i];
}

/* Each to its row: indptr[i] goes on to where row i ends, which is where the next one starts. */
static void place(const pickle_sparse *m, int64_t *indptr, int64_t *indices, unsigned char *to,
                  const unsigned char *from, size_t size)
{
    pickle_sparse_iter it = { .of = m };

    for (; pickle_sparse_next(&it); from += size) {
        int64_t at = indptr[row_of(&it)]++;

        indices[at] = it.index[m->ndim - 1];
        memcpy(to + (size_t)at * size, from, size);
    }
}

bool pickle_sparse_csr(const pickle_sparse *m, const char *dtype, int64_t *indptr, int64_t *indices,
                       void *data, size_t data_size, pickle_error *err)
{
    int64_t rows = m->ndim == 2 ? m->shape[0] : 1;
    pickle_dtype to;
    void *values;
    bool done;

    if (m->ndim > 2)
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "the matrix has more than two dimensions");
    if (!check_target(m, dtype, m->nnz, data_size, &to, err))
        return false;
    if ((uint64_t)rows >= SIZE_MAX / sizeof *indptr)
        return pickle__fail(err, PICKLE_ERR_RANGE, 0, "the matrix has too many rows");
    values = take_memory(data_size, err);
    done = values && copy_values(m, dtype, values, (size_t)to.itemsize, err);
    if (done) {
        count_rows(m, indptr, rows);
        place(m, indptr, indices, data, values, (size_t)to.itemsize);
        memmove(indptr + 1, indptr, (size_t)rows * sizeof *indptr);
        indptr[0] = 0;
    }
    give_back(values, data_size);
    return done;
}
