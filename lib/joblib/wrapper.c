/*
 * wrapper.c - the arrays of joblib 0.10 and later: behind the BUILD of each
 * NumpyArrayWrapper stand the array's raw bytes, or, for arrays of objects, a
 * whole pickle. Facts: joblib's numpy_pickle.py.
 */
#include "joblib/wrapper.h"
#include "types/numpy.h"

/* What the wrapper's attributes say about the bytes that follow it. */
typedef struct layout {
    pickle_dtype dtype;
    uint64_t nbytes;
    bool padded; /* by one byte with a length, and as many as it says */
} layout;

/* Keys and values; joblib writes six attributes. Looking into more, for wrapper after wrapper that
 * share them, would take more time than the input is long. */
#define STATE_MAX 128

static bool bad(pickle__vm *vm, const char *what)
{
    return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "%s", what);
}

/* ---------------------------------------------------------------- attributes */

static bool read_layout(pickle__vm *vm, const pickle_val *wrapper, layout *l)
{
    int64_t shape[PICKLE_MAXDIMS];
    int ndim;
    uint64_t count;
    pickle_error reason;

    if (!pickle__read_dtype(pickle__attribute(wrapper, "dtype"), &l->dtype, &reason) ||
        !pickle__read_shape(pickle__attribute(wrapper, "shape"), shape, &ndim, &reason))
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "joblib wrapper: %s", reason.message);
    if (!pickle__array_size(shape, ndim, l->dtype.itemsize, &count, &l->nbytes))
        return bad(vm, "joblib wrapper: the array's size exceeds 2^63");
    return true;
}

/* Since joblib 1.2 arrays are aligned, unless the position in the file was not known: None. */
static void read_alignment(pickle__vm *vm, const pickle_val *wrapper, layout *l)
{
    const pickle_val *alignment = pickle__attribute(wrapper, "numpy_array_alignment_bytes");

    vm->doc->traits.joblib = true;
    if (alignment)
        vm->doc->traits.joblib_aligned = true;
    l->padded = alignment && pickle_kind_of(alignment) != PICKLE_NONE;
}

/* ------------------------------------------------------------------ payloads */

static bool take(pickle__vm *vm, size_t n)
{
    return pickle__source_left(vm->src) >= n || pickle__vm_refill(vm, n);
}

static bool skip_padding(pickle__vm *vm)
{
    size_t n;
    bool odd = false;

    if (!take(vm, 1))
        return false;
    n = *vm->src->at;
    if (!take(vm, n + 1))
        return false;
    for (size_t i = 1; i <= n; i++)
        odd |= vm->src->at[i] != 0xff;
    vm->src->at += n + 1;
    if (odd || n == 0 || n > 16)
        pickle__vm_warn(vm, PICKLE_ERR_VALUE, "the padding before an array is not joblib's");
    return true;
}

static bool add_change(pickle__vm *vm, pickle_val *wrapper, pickle_change_kind kind,
                       pickle_val *value)
{
    return (value && pickle__add_change(vm->doc, wrapper, kind, value)) || pickle__vm_no_memory(vm);
}

static bool read_raw(pickle__vm *vm, pickle_val *wrapper, const layout *l)
{
    const unsigned char *data;

    if (l->padded && !skip_padding(vm))
        return false;
    data = pickle__vm_take_payload(vm, l->nbytes);
    return data && add_change(vm, wrapper, PICKLE_CHANGE_PAYLOAD,
                              pickle__new_bytes(vm->doc, PICKLE_BYTES, data, (size_t)l->nbytes));
}

static bool read_nested(pickle__vm *vm, pickle_val *wrapper)
{
    pickle_val *root = pickle__vm_run_nested(vm);

    if (!root)
        return false;
    vm->doc->traits.nested_protocol = vm->nested->proto;
    return add_change(vm, wrapper, PICKLE_CHANGE_NESTED, root);
}

/* joblib reads an array each time; but a wrapper gets one state only, and then is forgotten. */
bool pickle__joblib_built(pickle__vm *vm, pickle_val *wrapper)
{
    const pickle_val *state = pickle_state(wrapper);
    layout l;

    if (pickle__next_change(wrapper, pickle__next_change(wrapper, NULL)))
        return bad(vm, "joblib wrapper: it already has its array");
    if (pickle__is(state, PICKLE_DICT) && pickle__len(state) > STATE_MAX)
        return bad(vm, "joblib wrapper: it has too many attributes");
    if (pickle__wrapper_of(pickle_class(wrapper)) != PICKLE__NUMPY_WRAPPER)
        return pickle__read_beside(vm, wrapper);
    if (!read_layout(vm, wrapper, &l))
        return false;
    read_alignment(vm, wrapper, &l);
    return l.dtype.hasobject ? read_nested(vm, wrapper) : read_raw(vm, wrapper, &l);
}

bool pickle__joblib_wants(const pickle_val *global)
{
    return pickle__wrapper_of(global) != PICKLE__NO_WRAPPER;
}
