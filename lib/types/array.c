/*
 * array.c - arrays as views: recognised in the graph, checked, indexed.
 *
 * Every view that is given out lies within its data: what the parts of an
 * array say about each other is checked here, once.
 */
#include "types/numpy.h"

#include "types/torch.h"

#include <pickle/class.h>

static bool bad(pickle_error *err, const char *what)
{
    return pickle__fail(err, PICKLE_ERR_VALUE, 0, "%s", what);
}

/* ---------------------------------------------------------- shape and strides */

bool pickle__read_shape(const pickle_val *v, int64_t *shape, int *ndim, pickle_error *err)
{
    size_t n = pickle_len(v);

    if (pickle_kind_of(v) != PICKLE_TUPLE)
        return bad(err, "the shape is no tuple");
    if (n > PICKLE_MAXDIMS)
        return bad(err, "the shape has more than 64 dimensions");
    for (size_t i = 0; i < n; i++)
        if (!pickle_get_i64(pickle_at(v, i), &shape[i]) || shape[i] < 0)
            return bad(err, "a dimension of the shape is no number from 0 up");
    *ndim = (int)n;
    return true;
}

static bool multiply(uint64_t *product, uint64_t by)
{
    if (by && *product > INT64_MAX / by)
        return false;
    *product *= by;
    return true;
}

bool pickle__array_size(const int64_t *shape, int ndim, uint64_t itemsize, uint64_t *count,
                        uint64_t *nbytes)
{
    bool fits = true;

    *count = 1;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] == 0) {
            *count = *nbytes = 0;
            return true;
        }
        fits = fits && multiply(count, (uint64_t)shape[i]);
    }
    *nbytes = *count;
    return fits && multiply(nbytes, itemsize);
}

/* The distance of neighbours in the data: bytes, or elements of a list. */
static uint64_t unit_of(const pickle_array *a)
{
    return a->dtype.hasobject ? 1 : a->dtype.itemsize;
}

static void set_strides(pickle_array *a, bool fortran)
{
    uint64_t stride = unit_of(a);

    for (int i = 0; i < a->ndim; i++) {
        int axis = fortran ? i : a->ndim - 1 - i;

        a->strides[axis] = (int64_t)stride;
        stride *= a->shape[axis] ? (uint64_t)a->shape[axis] : 1;
    }
}

/* As numpy has it: axes of one element do not count, and without elements all is contiguous. */
static bool is_contiguous(const pickle_array *a, bool fortran)
{
    uint64_t stride = unit_of(a);
    bool answer = true;

    for (int i = 0; i < a->ndim; i++) {
        int axis = fortran ? i : a->ndim - 1 - i;

        if (a->shape[axis] == 0)
            return true;
        if (a->shape[axis] != 1 && (uint64_t)a->strides[axis] != stride)
            answer = false;
        stride *= (uint64_t)a->shape[axis];
    }
    return answer;
}

bool pickle_array_is_c(const pickle_array *a)
{
    return is_contiguous(a, false);
}

bool pickle_array_is_f(const pickle_array *a)
{
    return is_contiguous(a, true);
}

uint64_t pickle_array_count(const pickle_array *a)
{
    uint64_t count, nbytes;

    return pickle__array_size(a->shape, a->ndim, 1, &count, &nbytes) ? count : 0;
}

/* -------------------------------------------------------------------- parts */

static bool read_dtype(pickle_array *a, const pickle_val *dtype, pickle_error *err)
{
    if (pickle__read_dtype(dtype, &a->dtype, err))
        return true;
    return err && err->code == PICKLE_ERR_TYPE ? bad(err, "the array's dtype is none") : false;
}

/* dtype and shape, and how many bytes they call for. */
static bool read_layout(pickle_array *a, const pickle_val *dtype, const pickle_val *shape,
                        pickle_error *err)
{
    uint64_t count;

    if (!read_dtype(a, dtype, err))
        return false;
    return pickle__read_shape(shape, a->shape, &a->ndim, err) &&
           (pickle__array_size(a->shape, a->ndim, a->dtype.itemsize, &count, &a->nbytes) ||
            bad(err, "the array's size exceeds 2^63"));
}

/* A list of the elements: always in C order, whatever the array's. */
static bool set_objects(pickle_array *a, const pickle_val *list, bool fortran, pickle_error *err)
{
    if (pickle_kind_of(list) != PICKLE_LIST)
        return bad(err, "the array holds objects, but its data are no list");
    if (pickle_len(list) != pickle_array_count(a))
        return bad(err, "the array's list of objects is not as long as its shape says");
    a->objects = list;
    a->nbytes = 0;
    set_strides(a, false);
    a->fortran = fortran;
    return true;
}

bool pickle__set_array_bytes(pickle_array *a, const pickle_val *bytes, bool fortran,
                             pickle_error *err)
{
    size_t len;

    a->data = pickle_bytes(bytes, &len);
    if (a->dtype.hasobject)
        return bad(err, "the array holds objects, but its data are no list");
    if (!a->data)
        return bad(err, "the array's data are no bytes");
    if (len != a->nbytes)
        return pickle__fail(err, PICKLE_ERR_VALUE, 0,
                            "the array has %llu bytes of data where its shape calls for %llu",
                            (unsigned long long)len, (unsigned long long)a->nbytes);
    set_strides(a, fortran);
    a->fortran = is_contiguous(a, true) && !is_contiguous(a, false);
    return true;
}

static bool flag_of(const pickle_val *v)
{
    return pickle_i64_or(v, 0) != 0;
}

static const pickle_val *class_or_null(const pickle_val *v)
{
    return pickle_kind_of(v) == PICKLE_GLOBAL ? v : NULL;
}

/* -------------------------------------------------------------- constructors */

/* An early numpy had it elsewhere. */
static bool is_reconstruct(const pickle_val *callable)
{
    return pickle__is_numpy_core(callable, "multiarray", "_reconstruct") ||
           pickle__is_numpy_core(callable, "_internal", "_reconstruct");
}

bool pickle__array_of_state(pickle_array *a, const pickle_val *state, size_t at, pickle_error *err)
{
    const pickle_val *data = pickle_at(state, at + 3);
    bool fortran = flag_of(pickle_at(state, at + 2));

    if (!read_layout(a, pickle_at(state, at + 1), pickle_at(state, at), err))
        return false;
    return a->dtype.hasobject ? set_objects(a, data, fortran, err)
                              : pickle__set_array_bytes(a, data, fortran, err);
}

/* _reconstruct(class, (0,), b'b') makes an empty array; the state has everything. */
static bool read_state(const pickle_val *args, const pickle_val *state, pickle_array *a,
                       pickle_error *err)
{
    size_t n = pickle_len(state), at = n == 5; /* the version is new */

    a->cls = class_or_null(pickle_at(args, 0));
    if (pickle_kind_of(state) != PICKLE_TUPLE || n < 4 || n > 5)
        return bad(err, "the array's state is no tuple of 5 items, or 4");
    if (at && (uint64_t)pickle_i64_or(pickle_at(state, 0), -1) > 1)
        return bad(err, "the array's version is not 0 or 1");
    return pickle__array_of_state(a, state, at, err);
}

static bool read_reconstructed(const pickle_val *v, pickle_array *a, pickle_error *err)
{
    return read_state(pickle_args(v), pickle_state(v), a, err);
}

/* dill's _create_array(_reconstruct, its arguments, the state, what else __dict__ has). */
static bool read_created(const pickle_val *v, pickle_array *a, pickle_error *err)
{
    const pickle_val *args = pickle_args(v);

    if (!is_reconstruct(pickle_at(args, 0)))
        return bad(err, "what dill saved is no array of numpy's");
    return read_state(pickle_at(args, 1), pickle_at(args, 2), a, err);
}

/* An array like `a` with its axes in the order that `order` lists. */
static bool permute(pickle_array *a, const pickle_val *order, pickle_error *err)
{
    int64_t axes[PICKLE_MAXDIMS], shape[PICKLE_MAXDIMS], strides[PICKLE_MAXDIMS];
    uint64_t seen = 0;
    int n;

    if (!pickle__read_shape(order, axes, &n, err))
        return false;
    for (int i = 0; i < n && n == a->ndim; i++) {
        if (axes[i] >= n)
            break;
        seen |= UINT64_C(1) << axes[i];
        shape[i] = a->shape[axes[i]];
        strides[i] = a->strides[axes[i]];
    }
    if (n != a->ndim || (n > 0 && seen != UINT64_MAX >> (64 - n)))
        return bad(err, "the order of the array's axes is no permutation");
    memcpy(a->shape, shape, (size_t)n * sizeof *shape);
    memcpy(a->strides, strides, (size_t)n * sizeof *strides);
    return true;
}

/* _frombuffer(buffer, dtype, shape, order), or (..., 'K', axes): C order, transposed. */
static bool read_buffer(const pickle_val *v, pickle_array *a, pickle_error *err)
{
    const pickle_val *args = pickle_args(v), *buffer = pickle_at(args, 0);
    size_t len;
    const char *order = pickle__text_of(pickle_at(args, 3), &len);

    if (!order || len != 1 || !strchr("CFK", *order) || pickle_len(args) < 4 + (*order == 'K'))
        return bad(err, "the array's order is none of C, F, K");
    if (!read_layout(a, pickle_at(args, 1), pickle_at(args, 2), err))
        return false;
    a->readonly = pickle_is_readonly(buffer) || (pickle_kind_of(buffer) != PICKLE_BUFFER &&
                                                 pickle_kind_of(buffer) != PICKLE_BYTEARRAY);
    if (pickle_kind_of(buffer) == PICKLE_BUFFER && !pickle_bytes(buffer, NULL)) {
        if (a->dtype.hasobject)
            return bad(err, "the array holds objects, but its data are a buffer");
        set_strides(a, *order == 'F');
    } else if (!pickle__set_array_bytes(a, buffer, *order == 'F', err)) {
        return false;
    }
    if (*order == 'K' && !permute(a, pickle_at(args, 4), err))
        return false;
    a->fortran = is_contiguous(a, true) && !is_contiguous(a, false);
    return true;
}

/* scalar(dtype, bytes). A record with objects comes as an array; nothing at all means zero. */
static bool read_scalar(const pickle_val *v, pickle_array *a, pickle_error *err)
{
    static const unsigned char zeros[64];
    const pickle_val *args = pickle_args(v), *value = pickle_at(args, 1);
    size_t len = sizeof zeros;

    a->scalar = a->readonly = true;
    if (!read_dtype(a, pickle_at(args, 0), err))
        return false;
    if (a->dtype.hasobject) {
        if (a->dtype.kind != 'V' || !is_reconstruct(pickle_callable(value)))
            return bad(err, "the scalar holds an object");
        if (!read_reconstructed(value, a, err))
            return false;
        a->cls = NULL;
        return (a->ndim == 0 && a->objects) || bad(err, "the scalar's value is no single element");
    }
    a->data = value ? pickle_bytes(value, &len) : zeros;
    a->nbytes = a->dtype.itemsize;
    if (!a->data || len < a->nbytes)
        return bad(err, "the scalar has too few bytes of data");
    return true;
}

/* ------------------------------------------------------------------- joblib */

/* What was read behind the wrapper. */
static bool find_payload(const pickle_val *v, pickle_change *found)
{
    pickle_change change;

    found->value = NULL;
    for (bool on = pickle_first_change(v, &change); on; on = pickle_next_change(&change))
        if (change.kind == PICKLE_CHANGE_PAYLOAD || change.kind == PICKLE_CHANGE_NESTED)
            *found = change;
    return found->value != NULL;
}

static bool read_wrapped(const pickle_val *v, pickle_array *a, pickle_error *err)
{
    pickle_change payload;
    size_t len;
    const char *order = pickle__text_of(pickle__attribute(v, "order"), &len);

    if (!find_payload(v, &payload))
        return bad(err, "the array behind the joblib wrapper was not read");
    if (payload.kind == PICKLE_CHANGE_NESTED) {
        if (!is_reconstruct(pickle_callable(payload.value)))
            return bad(err, "the pickle behind the joblib wrapper holds no array");
        return read_reconstructed(payload.value, a, err);
    }
    a->cls = class_or_null(pickle__attribute(v, "subclass"));
    return read_layout(a, pickle__attribute(v, "dtype"), pickle__attribute(v, "shape"), err) &&
           pickle__set_array_bytes(a, payload.value, order && len == 1 && *order == 'F', err);
}

/* NDArrayWrapper: the array was read from its file. */
static bool read_from_file(const pickle_val *v, pickle_array *a, pickle_error *err)
{
    const pickle_val *subclass = pickle__attribute(v, "subclass");
    pickle_change array;

    if (!find_payload(v, &array))
        return pickle__fail(err, PICKLE_ERR_MISSING, 0,
                            "the file in which joblib put the array was not found");
    if (!is_reconstruct(pickle_callable(array.value)))
        return bad(err, "the file in which joblib put the array holds none");
    if (!read_reconstructed(array.value, a, err))
        return false;
    a->cls = class_or_null(subclass);
    return true;
}

/* ZNDArrayWrapper: the state has all but the bytes, as __setstate__ takes it. */
bool pickle__read_zipped_layout(const pickle_val *v, pickle_array *a, pickle_error *err)
{
    const pickle_val *state = pickle__attribute(v, "state");
    size_t n = pickle_len(state), at = n == 4; /* the version is new */

    memset(a, 0, sizeof *a);
    if (pickle_kind_of(state) != PICKLE_TUPLE || n < 3 || n > 4)
        return bad(err, "the array's state is no tuple of 4 items, or 3");
    a->cls = class_or_null(pickle_at(pickle__attribute(v, "init_args"), 0));
    a->fortran = flag_of(pickle_at(state, at + 2));
    return read_layout(a, pickle_at(state, at + 1), pickle_at(state, at), err);
}

static bool read_zipped(const pickle_val *v, pickle_array *a, pickle_error *err)
{
    pickle_change payload;

    if (!find_payload(v, &payload))
        return pickle__fail(err, PICKLE_ERR_MISSING, 0,
                            "the file in which joblib put the array was not found");
    return pickle__read_zipped_layout(v, a, err) &&
           pickle__set_array_bytes(a, payload.value, a->fortran, err);
}

/* -------------------------------------------------------------------- views */

typedef bool reader(const pickle_val *v, pickle_array *a, pickle_error *err);

/* By what the object is made of. NULL: not by numpy. */
static reader *reader_of(const pickle_val *v)
{
    static reader *const wrapped[] = {
        [PICKLE__NO_WRAPPER] = NULL,
        [PICKLE__NUMPY_WRAPPER] = read_wrapped,
        [PICKLE__NDARRAY_WRAPPER] = read_from_file,
        [PICKLE__ZNDARRAY_WRAPPER] = read_zipped,
    };
    const pickle_val *callable = pickle_callable(v);

    if (is_reconstruct(callable))
        return read_reconstructed;
    if (pickle__is_numpy_core(callable, "numeric", "_frombuffer"))
        return read_buffer;
    if (pickle__is_numpy_core(callable, "multiarray", "scalar"))
        return read_scalar;
    if (pickle_is_global(callable, "dill._dill", "_create_array") ||
        pickle_is_global(callable, "dill.dill", "_create_array"))
        return read_created;
    return wrapped[pickle__wrapper_of(pickle_class(v))];
}

bool pickle__numpy_array(const pickle_val *v, pickle_array *out, pickle_error *err)
{
    reader *read = pickle_kind_of(v) == PICKLE_OBJECT ? reader_of(v) : NULL;

    if (!read)
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "%s is no array",
                            pickle_kind_name(pickle_kind_of(v)));
    memset(out, 0, sizeof *out);
    return read(v, out, err);
}

bool pickle_read_array(const pickle_val *v, pickle_array *out, pickle_error *err)
{
    return pickle_type_of(v) == PICKLE_TYPE_TENSOR ? pickle__tensor_array(v, out, err)
                                                   : pickle__numpy_array(v, out, err);
}

bool pickle_get_array(const pickle_val *v, pickle_array *out)
{
    return pickle_read_array(v, out, NULL);
}

bool pickle_array_at(const pickle_array *a, const int64_t *index, int n, pickle_array *out,
                     const pickle_val **object)
{
    int64_t at = 0;

    if (object)
        *object = NULL;
    if (n != a->ndim)
        return false;
    for (int i = 0; i < n; i++) {
        int64_t k = index[i] < 0 ? index[i] + a->shape[i] : index[i];

        if (k < 0 || k >= a->shape[i])
            return false;
        at += k * a->strides[i];
    }
    if (a->dtype.hasobject) {
        if (object)
            *object = pickle_at(a->objects, (size_t)at);
        return true;
    }
    if (out) {
        *out = *a;
        out->data = a->data ? (const char *)a->data + at : NULL;
        out->nbytes = a->dtype.itemsize;
        out->ndim = 0;
        out->fortran = false;
    }
    return true;
}

/* A field that is a subarray adds its axes to those of the array. */
static bool unfold_subarray(pickle_array *a)
{
    while (a->dtype.subdims > 0) {
        pickle_dtype sub = a->dtype;
        uint64_t count, nbytes;

        if (sub.subdims > PICKLE_MAXDIMS - a->ndim || !pickle_get_dtype(sub.base, &a->dtype))
            return false;
        for (int i = 0; i < sub.subdims; i++)
            a->shape[a->ndim + i] = pickle_dtype_subshape(&sub, i);
        if (!pickle__array_size(a->shape + a->ndim, sub.subdims, a->dtype.itemsize, &count,
                                &nbytes) ||
            nbytes != sub.itemsize)
            return false;
        a->ndim += sub.subdims;
        nbytes = a->dtype.itemsize;
        for (int i = a->ndim - 1; i >= a->ndim - sub.subdims; i--) {
            a->strides[i] = (int64_t)nbytes;
            nbytes *= (uint64_t)a->shape[i];
        }
    }
    return true;
}

/* As the other dimensions may be empty, or the element sizes be zero, that is checked again. */
static bool finish_field(pickle_array *a, uint64_t offset)
{
    uint64_t count;

    if (a->nbytes > 0 && a->data)
        a->data = (const char *)a->data + offset;
    if (a->dtype.hasobject || !unfold_subarray(a) || a->dtype.hasobject ||
        !pickle__array_size(a->shape, a->ndim, a->dtype.itemsize, &count, &a->nbytes))
        return false;
    a->fortran = is_contiguous(a, true) && !is_contiguous(a, false);
    return true;
}

bool pickle_array_field(const pickle_array *a, const char *name, pickle_array *out)
{
    size_t len = strlen(name);
    pickle_field field;
    pickle_array view;

    if (a->dtype.hasobject)
        return false;
    for (uint64_t i = 0; i < a->dtype.nfields; i++) {
        if (!pickle_dtype_field(&a->dtype, i, &field))
            return false;
        if (field.name_len != len || memcmp(field.name, name, len) != 0)
            continue;
        view = *a;
        if (!pickle_get_dtype(field.dtype, &view.dtype) || !finish_field(&view, field.offset))
            return false;
        *out = view;
        return true;
    }
    return false;
}

/* ------------------------------------------------------------- data in place */

static const void *typed_data(const pickle_array *a, char kind, size_t size)
{
    if (!a->data || a->dtype.kind != kind || a->dtype.itemsize != size ||
        pickle__is_swapped(&a->dtype) || (uintptr_t)a->data % size != 0 || !pickle_array_is_c(a))
        return NULL;
    return a->data;
}

const double *pickle_array_f64(const pickle_array *a)
{
    return typed_data(a, 'f', sizeof(double));
}

const float *pickle_array_f32(const pickle_array *a)
{
    return typed_data(a, 'f', sizeof(float));
}

const int64_t *pickle_array_i64(const pickle_array *a)
{
    return typed_data(a, 'i', sizeof(int64_t));
}

const int32_t *pickle_array_i32(const pickle_array *a)
{
    return typed_data(a, 'i', sizeof(int32_t));
}

const uint8_t *pickle_array_u8(const pickle_array *a)
{
    return typed_data(a, 'u', sizeof(uint8_t));
}
