/* torch_storage.c - torch's dtypes, storages, devices and sizes. */
#include "types/numpy.h"
#include "types/torch.h"

/* How often a value may stand for another: a storage of a tar, or of bytes that hold a file. */
#define MOST_HOPS 4

/* ------------------------------------------------------------------- dtypes */

/* torch's ScalarType.h; in storage.py what has a class of storages. */
static const pickle__torch_dtype dtypes[] = {
    { "torch.float64", "Double", 'f', 8, false, false },
    { "torch.float32", "Float", 'f', 4, false, false },
    { "torch.float16", "Half", 'f', 2, false, false },
    { "torch.bfloat16", "BFloat16", 'E', 2, false, false },
    { "torch.int64", "Long", 'i', 8, false, false },
    { "torch.int32", "Int", 'i', 4, false, false },
    { "torch.int16", "Short", 'i', 2, false, false },
    { "torch.int8", "Char", 'i', 1, false, false },
    { "torch.uint8", "Byte", 'u', 1, false, false },
    { "torch.uint16", "UInt16", 'u', 2, false, false },
    { "torch.uint32", "UInt32", 'u', 4, false, false },
    { "torch.uint64", "UInt64", 'u', 8, false, false },
    { "torch.bool", "Bool", 'b', 1, false, false },
    { "torch.complex128", "ComplexDouble", 'c', 16, false, false },
    { "torch.complex64", "ComplexFloat", 'c', 8, false, false },
    { "torch.complex32", "ComplexHalf", 'c', 4, false, false },
    { "torch.quint8", "QUInt8", 'u', 1, false, true },
    { "torch.qint8", "QInt8", 'i', 1, false, true },
    { "torch.qint32", "QInt32", 'i', 4, false, true },
    { "torch.quint4x2", "QUInt4x2", 'V', 1, true, true },
    { "torch.quint2x4", "QUInt2x4", 'V', 1, true, true },
    { "torch.float8_e4m3fn", NULL, 'E', 1, false, false },
    { "torch.float8_e4m3fnuz", NULL, 'E', 1, false, false },
    { "torch.float8_e5m2", NULL, 'E', 1, false, false },
    { "torch.float8_e5m2fnuz", NULL, 'E', 1, false, false },
    { "torch.float8_e8m0fnu", NULL, 'E', 1, false, false },
    { "torch.float4_e2m1fn_x2", NULL, 'V', 1, false, false },
    { "torch.bits8", NULL, 'V', 1, false, false },
    { "torch.bits16", NULL, 'V', 2, false, false },
    { "torch.bits1x8", NULL, 'V', 1, false, false },
    { "torch.bits2x4", NULL, 'V', 1, false, false },
    { "torch.bits4x2", NULL, 'V', 1, false, false },
    { "torch.bcomplex32", NULL, 'V', 4, false, false },
    { "torch.int1", NULL, 'V', 1, false, false },
    { "torch.int2", NULL, 'V', 1, false, false },
    { "torch.int3", NULL, 'V', 1, false, false },
    { "torch.int4", NULL, 'V', 1, false, false },
    { "torch.int5", NULL, 'V', 1, false, false },
    { "torch.int6", NULL, 'V', 1, false, false },
    { "torch.int7", NULL, 'V', 1, false, false },
    { "torch.uint1", NULL, 'V', 1, false, false },
    { "torch.uint2", NULL, 'V', 1, false, false },
    { "torch.uint3", NULL, 'V', 1, false, false },
    { "torch.uint4", NULL, 'V', 1, false, false },
    { "torch.uint5", NULL, 'V', 1, false, false },
    { "torch.uint6", NULL, 'V', 1, false, false },
    { "torch.uint7", NULL, 'V', 1, false, false },
};

#define DTYPES (sizeof dtypes / sizeof *dtypes)

static bool is_torch(const pickle_val *global)
{
    const char *module = pickle_module(global);

    return module && (strcmp(module, "torch") == 0 || strncmp(module, "torch.", 6) == 0);
}

const pickle__torch_dtype *pickle__torch_dtype_of(const pickle_val *v)
{
    if (pickle_kind_of(v) != PICKLE_GLOBAL || strcmp(pickle_module(v), "torch") != 0)
        return NULL;
    for (size_t i = 0; i < DTYPES; i++)
        if (strcmp(pickle_name(v), dtypes[i].name + strlen("torch.")) == 0)
            return &dtypes[i];
    return NULL;
}

const char *pickle_get_torch_dtype(const pickle_val *v)
{
    const pickle__torch_dtype *dtype = pickle__torch_dtype_of(v);

    return dtype ? dtype->name : NULL;
}

/* Of "FloatStorage", with `suffix` "Storage". */
static const pickle__torch_dtype *find_prefix(const char *name, const char *suffix)
{
    size_t len = strlen(name), end = strlen(suffix);

    if (len <= end || strcmp(name + len - end, suffix) != 0)
        return NULL;
    for (size_t i = 0; i < DTYPES; i++)
        if (dtypes[i].prefix && strlen(dtypes[i].prefix) == len - end &&
            memcmp(dtypes[i].prefix, name, len - end) == 0)
            return &dtypes[i];
    return NULL;
}

const pickle__torch_dtype *pickle__torch_tensor_dtype(const pickle_val *global)
{
    return is_torch(global) ? find_prefix(pickle_name(global), "Tensor") : NULL;
}

/* An untyped one is of bytes. */
const pickle__torch_dtype *pickle__torch_storage_dtype(const pickle_val *global, bool *untyped)
{
    const char *name = pickle_name(global);

    *untyped = false;
    if (!is_torch(global))
        return NULL;
    *untyped = strcmp(name, "UntypedStorage") == 0 || strcmp(name, "_UntypedStorage") == 0;
    return find_prefix(*untyped ? "ByteStorage" : name, "Storage");
}

/* ------------------------------------------------------------------ storages */

static bool read_view(const pickle_val *v, pickle__storage_id *out)
{
    out->is_view = pickle_kind_of(v) == PICKLE_TUPLE;
    if (!out->is_view)
        return !v || pickle_kind_of(v) == PICKLE_NONE;
    out->view_key = pickle_at(v, 0);
    return pickle_len(v) == 3 && pickle_get_u64(pickle_at(v, 1), &out->view_offset) &&
           pickle_get_u64(pickle_at(v, 2), &out->view_numel);
}

bool pickle__read_storage_id(const pickle_val *ref, pickle__storage_id *out)
{
    const pickle_val *id = pickle_kind_of(ref) == PICKLE_PERSID ? pickle_id(ref) : NULL;
    const pickle_val *class = pickle_at(id, 1);

    memset(out, 0, sizeof *out);
    if (pickle_kind_of(id) != PICKLE_TUPLE || !pickle__is_word(pickle_at(id, 0), "storage") ||
        pickle_kind_of(class) != PICKLE_GLOBAL)
        return false;
    out->dtype = pickle__torch_storage_dtype(class, &out->untyped);
    out->key = pickle_at(id, 2);
    out->location = pickle_at(id, 3);
    return out->dtype && pickle_get_u64(pickle_at(id, 4), &out->numel) &&
           read_view(pickle_at(id, 5), out);
}

/* What readers find comes last, or, for a call, first; what the stream says is not gone through. */
static const pickle_val *change_of(const pickle_val *v, pickle_change_kind kind)
{
    const pickle__change *last;

    if (!v || !pickle__is_symbol(v))
        return NULL;
    last = PICKLE__AS_CONST(pickle__symbol, v)->last;
    if (!last)
        return NULL;
    if (last->kind == (uint64_t)kind)
        return last->value;
    return last->next->kind == (uint64_t)kind ? last->next->value : NULL;
}

const pickle_val *pickle__torch_nested(const pickle_val *v)
{
    return change_of(v, PICKLE_CHANGE_NESTED);
}

/* Without the bytes, what they would be is as good as the file's word. */
static bool set_data(pickle_storage *s, const pickle_val *ref, const pickle__storage_id *id)
{
    const pickle_val *payload = change_of(ref, PICKLE_CHANGE_PAYLOAD);
    size_t len = 0;

    s->numel = id->is_view ? id->view_numel : id->numel;
    if (s->numel > INT64_MAX / id->dtype->size)
        return false;
    s->nbytes = s->numel * id->dtype->size;
    if (!payload)
        return true;
    s->data = pickle_bytes(payload, &len);
    s->nbytes = len;
    s->big_endian = (ref->tag & PICKLE__BIG_ENDIAN) != 0;
    if (!s->data || len == 0)
        s->data = "";
    return true;
}

bool pickle__find_storage(const pickle_val *v, pickle_storage *out, pickle__storage_id *id)
{
    for (int hops = 0; v && hops < MOST_HOPS; hops++, v = pickle__torch_nested(v)) {
        if (!pickle__read_storage_id(v, id))
            continue;
        memset(out, 0, sizeof *out);
        out->dtype = id->dtype->name;
        out->untyped = id->untyped;
        out->device = pickle_str(id->location);
        out->key = id->is_view ? id->view_key : id->key;
        return set_data(out, v, id);
    }
    return false;
}

bool pickle_get_storage(const pickle_val *v, pickle_storage *out)
{
    pickle__storage_id id;

    return pickle__find_storage(v, out, &id);
}

pickle_type pickle__torch_ref_type(const pickle_val *ref)
{
    pickle_storage s;

    if (pickle_get_storage(ref, &s))
        return PICKLE_TYPE_STORAGE;
    return pickle_kind_of(pickle__torch_nested(ref)) == PICKLE_TUPLE ? PICKLE_TYPE_TENSOR
                                                                     : PICKLE_TYPE_OTHER;
}

/* ---------------------------------------------------------- devices and sizes */

bool pickle_get_torch_device(const pickle_val *v, pickle_device *out)
{
    const pickle_val *args = pickle_args(v), *index = pickle_at(args, 1);
    const char *type = pickle_str(pickle_at(args, 0));

    if (!pickle_is_global(pickle_callable(v), "torch", "device") || !type)
        return false;
    out->type = type;
    out->index = -1;
    return !index || pickle_kind_of(index) == PICKLE_NONE || pickle_get_i64(index, &out->index);
}

const pickle_val *pickle_get_torch_size(const pickle_val *v)
{
    const pickle_val *ints = pickle_at(pickle_args(v), 0);

    return pickle_is_global(pickle_callable(v), "torch", "Size") &&
                   pickle_kind_of(ints) == PICKLE_TUPLE
               ? ints
               : NULL;
}
