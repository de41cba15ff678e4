/* sparse_next.c - the elements of scipy's sparse matrices, one by one. */
#include "types/sparse.h"

/* `at`: where the element lies in the data, in units of their strides. */
static void take_value(pickle_sparse_iter *it, int64_t at)
{
    const pickle_array *data = &it->of->data;

    if (data->objects)
        it->object = pickle_at(data->objects, (size_t)at);
    else
        it->value.data = (const char *)data->data + at;
}

/* The line that the n-th index belongs to: those without any are passed over. */
static int64_t find_line(pickle_sparse_iter *it, int64_t n)
{
    const pickle_sparse_index *indptr = &it->of->axes[PICKLE__INDPTR];

    if (it->n == 0)
        it->end = pickle__index_at(indptr, 1);
    while (n >= it->end)
        it->end = pickle__index_at(indptr, ++it->line + 1);
    return it->line;
}

static void next_compressed(pickle_sparse_iter *it)
{
    const pickle_sparse *m = it->of;
    int64_t n = (int64_t)it->n;
    int by = m->format == PICKLE_SPARSE_CSC;

    it->index[by] = find_line(it, n);
    it->index[m->ndim == 1 ? 0 : !by] = pickle__index_at(&m->axes[PICKLE__INDICES], n);
    take_value(it, n * m->data.strides[0]);
}

static void next_in_block(pickle_sparse_iter *it)
{
    const pickle_sparse *m = it->of;
    int64_t rows = m->data.shape[1], columns = m->data.shape[2];
    int64_t block = (int64_t)it->n / (rows * columns), rest = (int64_t)it->n % (rows * columns);
    int64_t row = rest / columns, column = rest % columns;
    const int64_t *strides = m->data.strides;

    it->index[0] = find_line(it, block) * rows + row;
    it->index[1] = pickle__index_at(&m->axes[PICKLE__INDICES], block) * columns + column;
    take_value(it, block * strides[0] + row * strides[1] + column * strides[2]);
}

static void next_by_coords(pickle_sparse_iter *it)
{
    const pickle_sparse *m = it->of;

    for (int i = 0; i < m->ndim; i++)
        it->index[i] = pickle__index_at(&m->axes[i], (int64_t)it->n);
    take_value(it, (int64_t)it->n * m->data.strides[0]);
}

/* `line` is the diagonal behind the present one, whose columns go from `at` to `end`. */
static void next_in_diagonal(pickle_sparse_iter *it)
{
    const pickle_sparse *m = it->of;

    while (it->at >= it->end)
        pickle__diagonal(m, it->line++, &it->at, &it->end);
    it->index[0] = it->at - pickle__index_at(&m->axes[PICKLE__OFFSETS], it->line - 1);
    it->index[1] = it->at;
    take_value(it, (it->line - 1) * m->data.strides[0] + it->at * m->data.strides[1]);
    it->at++;
}

static void next_in_list(pickle_sparse_iter *it)
{
    const pickle_sparse *m = it->of;

    while (it->at >= (int64_t)pickle_len(pickle_at(m->rows, (size_t)it->line))) {
        it->line++;
        it->at = 0;
    }
    it->index[0] = it->line;
    pickle__get_index(pickle_at(pickle_at(m->rows, (size_t)it->line), (size_t)it->at),
                      &it->index[1]);
    it->object = pickle_at(pickle_at(m->values, (size_t)it->line), (size_t)it->at++);
}

static void next_in_dict(pickle_sparse_iter *it)
{
    const pickle_val *key;

    if (it->n == 0)
        it->items = (pickle_iter){ it->of->rows, 0, NULL };
    pickle_next(&it->items, &key, &it->object);
    for (int i = 0; i < it->of->ndim; i++)
        pickle__get_index(pickle_kind_of(key) == PICKLE_TUPLE ? pickle_at(key, (size_t)i) : key,
                          &it->index[i]);
}

/* What is the same in all values: an array without axes. */
static void start(pickle_sparse_iter *it)
{
    const pickle_array *data = &it->of->data;

    it->value.dtype = data->dtype;
    it->value.nbytes = data->dtype.itemsize;
    it->value.readonly = data->readonly;
    it->value.cls = data->cls;
}

bool pickle_sparse_next(pickle_sparse_iter *it)
{
    static void (*const steps[])(pickle_sparse_iter *) = {
        [PICKLE_SPARSE_CSR] = next_compressed,  [PICKLE_SPARSE_CSC] = next_compressed,
        [PICKLE_SPARSE_BSR] = next_in_block,    [PICKLE_SPARSE_COO] = next_by_coords,
        [PICKLE_SPARSE_DIA] = next_in_diagonal, [PICKLE_SPARSE_LIL] = next_in_list,
        [PICKLE_SPARSE_DOK] = next_in_dict,
    };

    if (!it->of || it->n >= it->of->nnz)
        return false;
    if (it->n == 0)
        start(it);
    steps[it->of->format](it);
    it->n++;
    return true;
}
