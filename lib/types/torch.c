/*
 * torch.c - torch's tensors as views: recognised by the functions that rebuild them, and checked.
 *
 * Every view that is given out lies within its storage, which is checked here, once. What rebuilds
 * a tensor may take another one (a parameter its data), or the function and the arguments for it;
 * such layers are peeled off one by one.
 */
#include "types/torch.h"

#include "types/numpy.h"

/* torch itself makes three: a subclass of a parameter of a tensor. */
#define MOST_LAYERS 8

/* What is to be rebuilt: function(*args), or what `v` calls; a layer sets what is below it. */
typedef struct rebuilder {
    pickle_tensor *t;
    const pickle_val *v; /* NULL when a function was given by itself */
    const pickle_val *function, *args;
    bool flat; /* no tensors of parts: it is one */
    bool grad_known, done;
    pickle_error *err;
} rebuilder;

/* A tensor, `flat`: not of parts. */
static bool read(const pickle_val *v, bool flat, pickle_tensor *out, pickle_error *err);

static bool bad(const rebuilder *r, const char *what)
{
    return pickle__fail(r->err, PICKLE_ERR_VALUE, 0, "%s", what);
}

static bool bad_part(const rebuilder *r, const pickle_error *reason)
{
    return pickle__fail(r->err, PICKLE_ERR_VALUE, 0, "a part of the tensor: %s", reason->message);
}

static const pickle_val *arg(const rebuilder *r, size_t i)
{
    return pickle_at(r->args, i);
}

static bool is_true(const pickle_val *v)
{
    bool yes = false;

    return pickle_get_bool(v, &yes) && yes;
}

/* The outermost layer has the last word. */
static void keep(const pickle_val **part, const pickle_val *v)
{
    if (!*part && pickle_kind_of(v) != PICKLE_NONE)
        *part = v;
}

static void set_grad(rebuilder *r, const pickle_val *v)
{
    if (!r->grad_known)
        r->t->requires_grad = is_true(v);
    r->grad_known = true;
}

/* ------------------------------------------------------------- shape and dtype */

static void set_dtype(pickle_tensor *t, const pickle__torch_dtype *dtype, bool big_endian)
{
    pickle_dtype *d = &t->array.dtype;
    size_t unit = dtype->kind == 'c' ? dtype->size / 2 : dtype->size;

    t->dtype = dtype->name;
    d->kind = dtype->kind;
    d->itemsize = dtype->size;
    d->order = unit == 1 || dtype->kind == 'V' ? '|' : big_endian ? '>' : '<';
    if (dtype->kind == 'E' || (dtype->kind == 'c' && unit == 2))
        d->name = dtype->name + strlen("torch.");
}

static const pickle_val *ints_of(const pickle_val *v)
{
    const pickle_val *size = pickle_get_torch_size(v);

    return size ? size : v;
}

static bool set_shape(const rebuilder *r, const pickle_val *size)
{
    pickle_array *a = &r->t->array;
    uint64_t count;

    return pickle__read_shape(ints_of(size), a->shape, &a->ndim, r->err) &&
           (pickle__array_size(a->shape, a->ndim, a->dtype.itemsize, &count, &a->nbytes) ||
            bad(r, "the tensor's size exceeds 2^63"));
}

/* Counted in elements by torch, in bytes here. */
static bool set_strides(const rebuilder *r, const pickle_val *stride)
{
    pickle_array *a = &r->t->array;
    int64_t size = (int64_t)a->dtype.itemsize;
    int n;

    if (!pickle__read_shape(ints_of(stride), a->strides, &n, r->err))
        return false;
    if (n != a->ndim)
        return bad(r, "the tensor has not as many strides as dimensions");
    for (int i = 0; i < n; i++) {
        if (a->strides[i] > INT64_MAX / size)
            return bad(r, "a stride of the tensor exceeds 2^63 bytes");
        a->strides[i] *= size;
    }
    a->fortran = pickle_array_is_f(a) && !pickle_array_is_c(a);
    return true;
}

/* The last byte of the last element, from the first element's start; false: beyond 2^63. */
static bool find_extent(const pickle_array *a, uint64_t *bytes)
{
    *bytes = a->dtype.itemsize;
    for (int i = 0; i < a->ndim; i++) {
        uint64_t steps = (uint64_t)a->shape[i] - 1, stride = (uint64_t)a->strides[i];

        if (steps && stride > (INT64_MAX - *bytes) / steps)
            return false;
        *bytes += steps * stride;
    }
    return true;
}

static bool set_elements(const rebuilder *r, const pickle_storage *s)
{
    pickle_array *a = &r->t->array;
    uint64_t offset = r->t->storage_offset, extent;

    if (a->nbytes == 0) {
        a->data = s->data;
        return true;
    }
    if (!find_extent(a, &extent) || offset > s->nbytes / a->dtype.itemsize ||
        extent > s->nbytes - offset * a->dtype.itemsize)
        return bad(r, "the tensor's elements lie beyond the end of its storage");
    a->data = s->data ? (const char *)s->data + offset * a->dtype.itemsize : NULL;
    return true;
}

/* storage, storage_offset, size, stride; `dtype` NULL: the storage's. */
static bool set_strided(const rebuilder *r, const pickle_val *const part[4],
                        const pickle__torch_dtype *dtype)
{
    pickle_tensor *t = r->t;
    pickle__storage_id id;
    pickle_storage s;

    if (!pickle__find_storage(part[0], &s, &id))
        return bad(r, "the tensor has no storage");
    dtype = dtype ? dtype : id.dtype;
    set_dtype(t, dtype, s.big_endian);
    t->storage = part[0];
    if (!t->device)
        t->device = s.device;
    if (!pickle_get_u64(part[1], &t->storage_offset))
        return bad(r, "the tensor's place in its storage is no number from 0 up");
    if (!set_shape(r, part[2]) || !set_strides(r, part[3]))
        return false;
    return dtype->packed || set_elements(r, &s);
}

static bool set_from_args(const rebuilder *r, const pickle__torch_dtype *dtype)
{
    const pickle_val *part[4] = { arg(r, 0), arg(r, 1), arg(r, 2), arg(r, 3) };

    return set_strided(r, part, dtype);
}

/* ------------------------------------------------------------- plain tensors */

/* {'conj': True, 'neg': True} */
static void set_metadata(pickle_tensor *t, const pickle_val *metadata)
{
    t->conj = is_true(pickle_get(metadata, "conj"));
    t->neg = is_true(pickle_get(metadata, "neg"));
}

/* storage, storage_offset, size, stride */
static bool rebuild_tensor(rebuilder *r)
{
    r->done = true;
    return set_from_args(r, NULL);
}

/* ..., requires_grad, backward_hooks[, metadata] */
static bool rebuild_tensor_v2(rebuilder *r)
{
    set_grad(r, arg(r, 4));
    keep(&r->t->hooks, arg(r, 5));
    set_metadata(r->t, arg(r, 6));
    return rebuild_tensor(r);
}

/* ..., requires_grad, backward_hooks, dtype[, metadata]: the storage is untyped */
static bool rebuild_tensor_v3(rebuilder *r)
{
    const pickle__torch_dtype *dtype = pickle__torch_dtype_of(arg(r, 6));

    r->done = true;
    set_grad(r, arg(r, 4));
    keep(&r->t->hooks, arg(r, 5));
    set_metadata(r->t, arg(r, 7));
    return dtype ? set_from_args(r, dtype) : bad(r, "the tensor's dtype is unknown");
}

/* dtype, size, stride, requires_grad */
static bool rebuild_meta(rebuilder *r)
{
    const pickle__torch_dtype *dtype = pickle__torch_dtype_of(arg(r, 0));

    r->done = true;
    set_grad(r, arg(r, 3));
    r->t->device = "meta";
    if (!dtype)
        return bad(r, "the tensor's dtype is unknown");
    set_dtype(r->t, dtype, false);
    return set_shape(r, arg(r, 1)) && set_strides(r, arg(r, 2));
}

/* data, dtype, device, requires_grad. The data may be of another type: bfloat16 as float32. */
static bool rebuild_from_numpy(rebuilder *r)
{
    pickle_error reason;

    r->done = true;
    r->t->dtype = pickle_get_torch_dtype(arg(r, 1));
    r->t->device = pickle_str(arg(r, 2));
    set_grad(r, arg(r, 3));
    return pickle__numpy_array(arg(r, 0), &r->t->array, &reason) || bad_part(r, &reason);
}

/* data, dtype, device, requires_grad, where the data are a tensor */
static bool rebuild_from_cpu_tensor(rebuilder *r)
{
    r->t->device = pickle_str(arg(r, 2));
    set_grad(r, arg(r, 3));
    r->v = arg(r, 0);
    return true;
}

/* ---------------------------------------------------------- quantized tensors */

/* Files say per_channel_affine of both kinds; torch tells them apart by this. */
static bool is_float_tensor(const pickle_val *v)
{
    pickle_tensor t;

    return read(v, true, &t, NULL) && t.array.dtype.kind == 'f';
}

static bool set_quantizer(const rebuilder *r, const pickle_val *q)
{
    static const char *const schemes[] = {
        [PICKLE_QSCHEME_PER_TENSOR_AFFINE] = "per_tensor_affine",
        [PICKLE_QSCHEME_PER_CHANNEL_AFFINE] = "per_channel_affine",
        [PICKLE_QSCHEME_PER_CHANNEL_AFFINE_FLOAT_QPARAMS] = "per_channel_affine_float_qparams",
    };
    pickle_tensor *t = r->t;
    int scheme = PICKLE_QSCHEME_PER_CHANNEL_AFFINE_FLOAT_QPARAMS;

    while (scheme > 0 && !pickle_is_global(pickle_at(q, 0), "torch", schemes[scheme]))
        scheme--;
    t->qscheme = (pickle_qscheme)scheme;
    if (scheme == PICKLE_QSCHEME_NONE || pickle_len(q) != (scheme == 1 ? 3 : 4))
        return bad(r, "the tensor's quantizer is unknown");
    if (scheme == PICKLE_QSCHEME_PER_TENSOR_AFFINE)
        return (pickle_get_f64(pickle_at(q, 1), &t->scale) &&
                pickle_get_i64(pickle_at(q, 2), &t->zero_point)) ||
               bad(r, "the tensor's scale and zero point are no numbers");
    t->scales = pickle_at(q, 1);
    t->zero_points = pickle_at(q, 2);
    if (!r->flat && is_float_tensor(t->zero_points))
        t->qscheme = PICKLE_QSCHEME_PER_CHANNEL_AFFINE_FLOAT_QPARAMS;
    return (pickle_get_i64(pickle_at(q, 3), &t->axis) && t->axis >= 0 && t->axis < t->array.ndim) ||
           bad(r, "the tensor has no such axis of channels");
}

/* storage, storage_offset, size, stride, quantizer, requires_grad, backward_hooks */
static bool rebuild_quantized(rebuilder *r)
{
    r->done = true;
    set_grad(r, arg(r, 5));
    keep(&r->t->hooks, arg(r, 6));
    return set_from_args(r, NULL) && set_quantizer(r, arg(r, 4));
}

/* ----------------------------------------------------------- tensors of parts */

/* torch.serialization._get_layout('torch.sparse_csr') */
static bool set_layout(pickle_tensor *t, const pickle_val *v)
{
    static const char *const names[] = {
        [PICKLE_LAYOUT_STRIDED] = "strided",       [PICKLE_LAYOUT_SPARSE_COO] = "sparse_coo",
        [PICKLE_LAYOUT_SPARSE_CSR] = "sparse_csr", [PICKLE_LAYOUT_SPARSE_CSC] = "sparse_csc",
        [PICKLE_LAYOUT_SPARSE_BSR] = "sparse_bsr", [PICKLE_LAYOUT_SPARSE_BSC] = "sparse_bsc",
    };
    const char *name = pickle_str(pickle_at(pickle_args(v), 0));

    if (!name || strncmp(name, "torch.", 6) != 0)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name + 6, names[i]) == 0) {
            t->layout = (pickle_tensor_layout)i;
            return true;
        }
    return false;
}

/* dtype and device are those of the values. */
static bool set_values(rebuilder *r, const pickle_val *values)
{
    pickle_tensor part;
    pickle_error reason;

    if (r->flat)
        return bad(r, "the parts of a tensor have parts themselves");
    if (!read(values, true, &part, &reason))
        return bad_part(r, &reason);
    r->t->values = values;
    r->t->array.dtype = part.array.dtype;
    r->t->dtype = part.dtype;
    r->t->device = part.device;
    return true;
}

/* layout, (indices, values, size[, is_coalesced]) or (pointers, indices, values, size) */
static bool rebuild_sparse(rebuilder *r)
{
    pickle_tensor *t = r->t;
    const pickle_val *parts = arg(r, 1);
    bool coo;

    r->done = true;
    if (!set_layout(t, arg(r, 0)) || t->layout == PICKLE_LAYOUT_STRIDED)
        return bad(r, "the tensor's layout is unknown");
    coo = t->layout == PICKLE_LAYOUT_SPARSE_COO;
    t->pointers = coo ? NULL : pickle_at(parts, 0);
    t->indices = pickle_at(parts, !coo);
    t->coalesced = coo && is_true(pickle_at(parts, 3));
    return set_values(r, pickle_at(parts, 1 + !coo)) && set_shape(r, pickle_at(parts, 2 + !coo));
}

/* buffer, sizes, strides, offsets */
static bool rebuild_nested(rebuilder *r)
{
    pickle_tensor *t = r->t;

    r->done = true;
    t->layout = PICKLE_LAYOUT_NESTED;
    t->sizes = arg(r, 1);
    t->strides = arg(r, 2);
    t->offsets = arg(r, 3);
    return set_values(r, arg(r, 0));
}

/* class, dtype, size, stride, storage_offset, layout, device, requires_grad */
static bool rebuild_wrapper(rebuilder *r)
{
    const pickle__torch_dtype *dtype = pickle__torch_dtype_of(arg(r, 1));
    pickle_device device;

    r->done = true;
    r->t->layout = PICKLE_LAYOUT_OPAQUE;
    if (pickle_kind_of(arg(r, 0)) == PICKLE_GLOBAL)
        r->t->cls = arg(r, 0);
    r->t->device = pickle_get_torch_device(arg(r, 6), &device) ? device.type : NULL;
    set_grad(r, arg(r, 7));
    if (!dtype)
        return bad(r, "the tensor's dtype is unknown");
    set_dtype(r->t, dtype, false);
    return set_shape(r, arg(r, 2)) && set_strides(r, arg(r, 3));
}

/* -------------------------------------------------------------------- layers */

static bool is_one_of(const pickle_val *global, const char *const names[][2], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pickle_is_global(global, names[i][0], names[i][1]))
            return true;
    return false;
}

static bool is_parameter(const pickle_val *class)
{
    static const char *const names[][2] = { { "torch.nn.parameter", "Parameter" },
                                            { "torch.nn", "Parameter" } };

    return is_one_of(class, names, 2);
}

static bool is_tensor(const pickle_val *class)
{
    static const char *const names[][2] = { { "torch", "Tensor" },
                                            { "torch._tensor", "Tensor" },
                                            { "torch.tensor", "Tensor" } };

    return is_one_of(class, names, 3);
}

static bool is_variable(const pickle_val *class)
{
    static const char *const names[][2] = { { "torch.autograd.variable", "Variable" },
                                            { "torch.autograd", "Variable" } };

    return is_one_of(class, names, 2);
}

/* data, requires_grad, backward_hooks[, state] */
static bool rebuild_parameter(rebuilder *r)
{
    r->t->is_parameter = true;
    keep(&r->t->hooks, arg(r, 2));
    keep(&r->t->state, arg(r, 3));
    set_grad(r, arg(r, 1));
    r->v = arg(r, 0);
    return true;
}

/* function, class, args, state */
static bool rebuild_from_type(rebuilder *r)
{
    const pickle_val *class = arg(r, 1), *args = arg(r, 2);

    if (pickle_kind_of(class) != PICKLE_GLOBAL)
        return bad(r, "the tensor's class is no class");
    if (is_parameter(class))
        r->t->is_parameter = true;
    else if (!is_tensor(class))
        r->t->cls = class;
    keep(&r->t->state, arg(r, 3));
    r->function = arg(r, 0);
    r->args = args;
    r->v = NULL;
    return true;
}

/* Before torch 0.4. The state is (requires_grad, volatile, hooks); earlier still, when the data
 * were no argument, (data, grad, hooks, requires_grad, volatile). */
static bool rebuild_variable(rebuilder *r)
{
    const pickle_val *state = pickle_state(r->v);
    bool whole = pickle_kind_of(state) == PICKLE_TUPLE && pickle_len(state) == 5;

    r->t->is_parameter |= is_parameter(r->function);
    if (pickle_kind_of(state) == PICKLE_TUPLE) {
        set_grad(r, pickle_at(state, whole ? 3 : 0));
        keep(&r->t->hooks, pickle_at(state, 2));
    } else {
        set_grad(r, arg(r, 1));
    }
    r->v = whole ? pickle_at(state, 0) : arg(r, 0);
    return true;
}

/* torch.FloatTensor() and its state, (storage, offset, size, stride); in a tar that alone. */
static bool rebuild_from_state(rebuilder *r)
{
    const pickle_val *state = pickle_kind_of(r->v) == PICKLE_TUPLE ? r->v : pickle_state(r->v);
    const pickle_val *part[4];

    r->done = true;
    if (pickle_kind_of(state) != PICKLE_TUPLE || pickle_len(state) != 4)
        return bad(r, "the tensor's state is no tuple of 4 items");
    for (size_t i = 0; i < 4; i++)
        part[i] = pickle_at(state, i);
    return set_strided(r, part, NULL);
}

/* --------------------------------------------------------------------- views */

typedef bool rebuild(rebuilder *r);

/* NULL: not by torch. */
static rebuild *find_rebuild(const pickle_val *function, const pickle_val *v)
{
    static const struct {
        const char *module, *name;
        rebuild *rebuild;
    } functions[] = {
        { "torch._utils", "_rebuild_tensor_v2", rebuild_tensor_v2 },
        { "torch._utils", "_rebuild_parameter", rebuild_parameter },
        { "torch._utils", "_rebuild_tensor", rebuild_tensor },
        { "torch._utils", "_rebuild_tensor_v3", rebuild_tensor_v3 },
        { "torch._tensor", "_rebuild_from_type_v2", rebuild_from_type },
        { "torch._tensor", "_rebuild_from_type", rebuild_from_type },
        { "torch.tensor", "_rebuild_from_type", rebuild_from_type },
        { "torch._utils", "_rebuild_parameter_with_state", rebuild_parameter },
        { "torch._utils", "_rebuild_qtensor", rebuild_quantized },
        { "torch._utils", "_rebuild_sparse_tensor", rebuild_sparse },
        { "torch._utils", "_rebuild_sparse_csr_tensor", rebuild_sparse },
        { "torch._utils", "_rebuild_nested_tensor", rebuild_nested },
        { "torch._utils", "_rebuild_meta_tensor_no_storage", rebuild_meta },
        { "torch._utils", "_rebuild_device_tensor_from_numpy", rebuild_from_numpy },
        { "torch._utils", "_rebuild_device_tensor_from_cpu_tensor", rebuild_from_cpu_tensor },
        { "torch._utils", "_rebuild_xla_tensor", rebuild_from_numpy },
        { "torch._utils", "_rebuild_wrapper_subclass", rebuild_wrapper },
    };

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (pickle_is_global(function, functions[i].module, functions[i].name))
            return functions[i].rebuild;
    if (v && (is_parameter(function) || is_variable(function)))
        return rebuild_variable;
    return v && (is_tensor(function) || pickle__torch_tensor_dtype(function)) ? rebuild_from_state
                                                                              : NULL;
}

/* Down to what `v` calls. What stands for another value is looked through, and a tuple among those
 * is the state of a tensor: a tar has no more. */
static rebuild *look(rebuilder *r)
{
    const pickle_val *nested;

    for (int hops = 0; r->v && hops < MOST_LAYERS; hops++) {
        nested = pickle__torch_nested(r->v);
        if (!nested)
            break;
        r->v = nested;
        if (pickle_kind_of(nested) == PICKLE_TUPLE)
            return rebuild_from_state;
    }
    if (r->v) {
        r->function = pickle_class(r->v);
        r->args = pickle_args(r->v);
    }
    return find_rebuild(r->function, r->v);
}

static bool read(const pickle_val *v, bool flat, pickle_tensor *out, pickle_error *err)
{
    rebuilder r = { .t = out, .v = v, .flat = flat, .err = err };
    rebuild *next;

    memset(out, 0, sizeof *out);
    for (int layers = 0; layers < MOST_LAYERS; layers++) {
        next = look(&r);
        if (!next && layers == 0)
            return pickle__fail(err, PICKLE_ERR_TYPE, 0, "%s is no tensor",
                                pickle_kind_name(pickle_kind_of(v)));
        if (!next)
            return bad(&r, "the tensor is made from something that is none");
        if (!next(&r))
            return false;
        if (r.done)
            return true;
    }
    return bad(&r, "the tensor is nested too deeply");
}

bool pickle_read_tensor(const pickle_val *v, pickle_tensor *out, pickle_error *err)
{
    return read(v, false, out, err);
}

bool pickle_get_tensor(const pickle_val *v, pickle_tensor *out)
{
    return read(v, false, out, NULL);
}

/* Of tensors whose elements are what lies in the storage. */
bool pickle__tensor_array(const pickle_val *v, pickle_array *out, pickle_error *err)
{
    pickle_tensor t;

    if (!read(v, false, &t, err))
        return false;
    if (t.layout != PICKLE_LAYOUT_STRIDED)
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "the tensor is not strided");
    if (t.conj || t.neg)
        return pickle__fail(err, PICKLE_ERR_VALUE, 0,
                            "the tensor's elements are yet to be conjugated or negated");
    *out = t.array;
    return true;
}
