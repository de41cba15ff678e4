/* make_array.c - numpy arrays and scalars, as numpy pickles them below protocol 5. */
#include "types/make.h"

/* Is a shape in Fortran's order another one than in C's? */
static bool has_order(int ndim, const int64_t *shape)
{
    int long_axes = 0;

    for (int i = 0; i < ndim; i++) {
        if (shape[i] == 0)
            return false;
        long_axes += shape[i] > 1;
    }
    return long_axes > 1;
}

/* How many elements and bytes; false, and the document is marked, when that cannot be. */
static bool measure(pickle_doc *doc, int ndim, const int64_t *shape, uint64_t itemsize,
                    uint64_t *count, uint64_t *nbytes)
{
    bool fits = ndim >= 0 && ndim <= PICKLE_MAXDIMS;

    for (int i = 0; fits && i < ndim; i++)
        fits = shape[i] >= 0;
    if (fits && pickle__array_size(shape, ndim, itemsize, count, nbytes) &&
        *nbytes <= PICKLE__LEN_MAX && *nbytes <= SIZE_MAX && *count <= SIZE_MAX / sizeof(void *))
        return true;
    return pickle__doc_fail(doc, PICKLE_ERR_RANGE, "no array can have this shape");
}

static pickle_val *new_shape(pickle_doc *doc, int ndim, const int64_t *shape)
{
    const pickle_val *items[PICKLE_MAXDIMS];

    for (int i = 0; i < ndim; i++)
        items[i] = pickle_new_int(doc, shape[i]);
    return pickle_new_tuple(doc, (size_t)ndim, items);
}

/* Python has one for each byte. */
static const pickle_val *letter_b(pickle_doc *doc)
{
    pickle_val **place = pickle__kept(doc, "b'b'");

    if (place && !pickle__is(*place, PICKLE_BYTES)) {
        pickle_val *made = pickle_new_bytes(doc, "b", 1);

        if (!made)
            return NULL;
        *place = made;
    }
    return place ? *place : NULL;
}

/* _reconstruct(ndarray, (0,), b'b'), and __setstate__((1, shape, dtype, fortran, content)) */
static pickle_val *new_ndarray(pickle_doc *doc, const pickle_val *dtype, int ndim,
                               const int64_t *shape, bool fortran, const pickle_val *content)
{
    static const int64_t empty[] = { 0 };
    pickle_val *array = pickle__call(doc, "numpy.core.multiarray", "_reconstruct",
                                     PICKLE__ITEMS(pickle_new_global(doc, "numpy", "ndarray"),
                                                   new_shape(doc, 1, empty), letter_b(doc)));

    pickle_set_state(
        doc, array,
        pickle_new_tuple(doc, PICKLE__ITEMS(pickle_new_int(doc, 1), new_shape(doc, ndim, shape),
                                            dtype, pickle_new_bool(doc, fortran), content)));
    return array;
}

/* A dtype for elements that are bytes. */
static bool plain_dtype(pickle_doc *doc, const pickle_val *dtype, pickle_dtype *out)
{
    if (!dtype || !pickle_get_dtype(dtype, out))
        return false;
    if (out->hasobject)
        return pickle__doc_fail(doc, PICKLE_ERR_TYPE,
                                "objects are no bytes: see pickle_new_object_array");
    return out->subdims == 0 ||
           pickle__doc_fail(doc, PICKLE_ERR_TYPE, "an array's dtype cannot be a subarray");
}

static pickle_val *new_array(pickle_doc *doc, const char *dtype, int ndim, const int64_t *shape,
                             bool fortran, const void *data)
{
    const pickle_val *type = pickle_new_dtype(doc, dtype);
    pickle_dtype d;
    uint64_t count, nbytes;

    if (!plain_dtype(doc, type, &d) || !measure(doc, ndim, shape, d.itemsize, &count, &nbytes))
        return NULL;
    if (nbytes > 0 && !pickle__given(doc, data, "the data"))
        return NULL;
    return new_ndarray(doc, type, ndim, shape, fortran && has_order(ndim, shape),
                       pickle_borrow_bytes(doc, data ? data : "", (size_t)nbytes));
}

pickle_val *pickle_new_array(pickle_doc *doc, const char *dtype, int ndim, const int64_t *shape,
                             const void *data)
{
    return new_array(doc, dtype, ndim, shape, false, data);
}

pickle_val *pickle_new_farray(pickle_doc *doc, const char *dtype, int ndim, const int64_t *shape,
                              const void *data)
{
    return new_array(doc, dtype, ndim, shape, true, data);
}

pickle_val *pickle_new_object_array(pickle_doc *doc, int ndim, const int64_t *shape,
                                    const pickle_val *const *items)
{
    const pickle_val *dtype = pickle_new_dtype(doc, "O"), *list;
    uint64_t count, nbytes;

    if (!dtype || !measure(doc, ndim, shape, 1, &count, &nbytes))
        return NULL;
    list = pickle_new_list(doc);
    for (size_t i = 0; i < count; i++) {
        if (!pickle__given(doc, items[i], "an item"))
            return NULL;
        pickle_append(doc, list, items[i]);
    }
    return new_ndarray(doc, dtype, ndim, shape, false, list);
}

/* A native code for what has a swapped one. */
static bool native_code(pickle_doc *doc, const pickle_dtype *d, pickle_buf *code)
{
    if (!pickle_dtype_str(d, pickle_sink_buf(code)) || !pickle__buf_add(code, "", 1))
        return pickle__doc_no_memory(doc);
    *code->data = '=';
    return true;
}

/* numpy's scalars are native. */
static pickle_val *new_swapped_scalar(pickle_doc *doc, const pickle_dtype *d, const void *data)
{
    pickle_array element = { .data = data, .nbytes = d->itemsize, .dtype = *d };
    pickle_buf code = { .alloc = doc->alloc }, bytes = { .alloc = doc->alloc };
    pickle_val *scalar = NULL;
    pickle_error err;

    if (!pickle__buf_reserve(&bytes, (size_t)d->itemsize))
        pickle__doc_no_memory(doc);
    else if (!native_code(doc, d, &code))
        ;
    else if (!pickle_array_copy(&element, (const char *)code.data, bytes.data, (size_t)d->itemsize,
                                &err))
        pickle__doc_fail(doc, err.code, "%s", err.message);
    else
        scalar = pickle_new_scalar(doc, (const char *)code.data, bytes.data);
    pickle_buf_free(&code);
    pickle_buf_free(&bytes);
    return scalar;
}

pickle_val *pickle_new_scalar(pickle_doc *doc, const char *dtype, const void *data)
{
    const pickle_val *type = pickle_new_dtype(doc, dtype);
    pickle_dtype d;

    if (!plain_dtype(doc, type, &d))
        return NULL;
    if (pickle__is_swapped(&d) && data)
        return new_swapped_scalar(doc, &d, data);
    return pickle__call(doc, "numpy.core.multiarray", "scalar",
                        PICKLE__ITEMS(type, pickle_new_bytes(doc, data, (size_t)d.itemsize)));
}

/* -------------------------------------------------------------------- views */

/* What has a code is made anew, and so stands once in the document. */
static pickle_val *dtype_of(pickle_doc *doc, const pickle_dtype *d)
{
    pickle_buf text = { .alloc = doc->alloc };
    pickle_val *dtype = NULL;

    if (d->descr && (d->kind == 'V' || d->kind == 'T' || d->metadata))
        return pickle_clone(doc, d->descr);
    if (!pickle_dtype_str(d, pickle_sink_buf(&text)) || !pickle__buf_add(&text, "", 1))
        pickle__doc_no_memory(doc);
    else
        dtype = pickle_new_dtype(doc, (const char *)text.data);
    pickle_buf_free(&text);
    return dtype;
}

/* As numpy has it, among the elements of a list. */
static size_t place_of(const pickle_array *view, const int64_t *index)
{
    int64_t at = 0;

    for (int i = 0; i < view->ndim; i++)
        at += index[i] * view->strides[i];
    return (size_t)at;
}

/* The list is cloned as a whole, so that what its elements share stays shared. */
static pickle_val *gather_objects(pickle_doc *doc, const pickle_array *view, uint64_t count)
{
    pickle_val *all = pickle_clone(doc, view->objects), *list;
    int64_t index[PICKLE_MAXDIMS] = { 0 };

    if (!all || (pickle_len(all) == count && pickle_array_is_c(view)))
        return all;
    list = pickle_new_list(doc);
    for (uint64_t n = 0; n < count; n++) {
        const pickle_val *item = pickle_at(all, place_of(view, index));

        if (!item)
            return PICKLE__REFUSE(doc, PICKLE_ERR_RANGE, "a view of objects that are not there");
        pickle_append(doc, list, item);
        for (int i = view->ndim - 1; i >= 0 && ++index[i] == view->shape[i]; i--)
            index[i] = 0;
    }
    return list;
}

/* The bytes in C order, copied to memory of the document. */
static pickle_val *gather_bytes(pickle_doc *doc, const pickle_array *view, uint64_t nbytes)
{
    size_t size = pickle__round_up((size_t)nbytes);
    void *data = pickle__arena_grow(&pickle__edit(doc)->arena, NULL, 0, size);
    pickle_array raw = *view;
    pickle_error err;

    if (!data)
        return pickle__made(doc, NULL, 0);
    raw.dtype = (pickle_dtype){ .kind = 'V', .order = '|', .itemsize = view->dtype.itemsize };
    if (!pickle_array_copy(&raw, "V", data, (size_t)nbytes, &err))
        return PICKLE__REFUSE(doc, err.code, "%s", err.message);
    return pickle_borrow_bytes(doc, data, (size_t)nbytes);
}

static pickle_val *new_content(pickle_doc *doc, const pickle_array *view, bool *fortran)
{
    uint64_t count, nbytes;
    uint64_t itemsize = view->dtype.hasobject ? 1 : view->dtype.itemsize;

    if (!measure(doc, view->ndim, view->shape, itemsize, &count, &nbytes))
        return NULL;
    *fortran = view->dtype.hasobject && view->fortran && has_order(view->ndim, view->shape);
    if (view->dtype.hasobject)
        return gather_objects(doc, view, count);
    if (!view->data && nbytes > 0)
        return PICKLE__REFUSE(doc, PICKLE_ERR_MISSING, "a view of a buffer that nobody supplied");
    if (nbytes == 0)
        return pickle_borrow_bytes(doc, "", 0);
    *fortran = !pickle_array_is_c(view) && pickle_array_is_f(view);
    return *fortran || pickle_array_is_c(view)
               ? pickle_borrow_bytes(doc, view->data, (size_t)nbytes)
               : gather_bytes(doc, view, nbytes);
}

pickle_val *pickle_new_array_view(pickle_doc *doc, const pickle_array *view)
{
    const pickle_val *dtype, *content;
    bool fortran;

    if (!pickle__given(doc, view, "the view"))
        return NULL;
    dtype = dtype_of(doc, &view->dtype);
    content = dtype ? new_content(doc, view, &fortran) : NULL;
    return content ? new_ndarray(doc, dtype, view->ndim, view->shape, fortran, content) : NULL;
}
