/* dtype.c - numpy's dtypes: type codes, pickled states of every version, fields. */
#include "types/numpy.h"

#define NATIVE       \
    ((union {        \
         uint16_t n; \
         char first; \
     }){ 1 }         \
             .first  \
         ? '<'       \
         : '>')

static const char *const units[] = { "Y",  "M",  "W",  "D",  "h",  "m",  "s",
                                     "ms", "us", "ns", "ps", "fs", "as", "generic" };

/* ------------------------------------------------------------------ helpers */

static bool bad(pickle_error *err, const char *what)
{
    return pickle__fail(err, PICKLE_ERR_VALUE, 0, "%s", what);
}

static bool absent(const pickle_val *v)
{
    return !v || pickle__is(v, PICKLE_NONE);
}

const char *pickle__text_of(const pickle_val *v, size_t *len)
{
    const char *text = pickle_str(v);

    *len = pickle_len(v);
    return text ? text : pickle_bytes(v, len);
}

bool pickle__is_word(const pickle_val *v, const char *word)
{
    size_t len;
    const char *text = pickle__text_of(v, &len);

    return text && len == strlen(word) && memcmp(text, word, len) == 0;
}

const pickle_val *pickle__attribute(const pickle_val *object, const char *name)
{
    const pickle_val *found = pickle_attr(object, name);
    const pickle__bytes key = { { PICKLE__TAG(PICKLE_BYTES, strlen(name)) },
                                (const unsigned char *)name,
                                0 };

    return found ? found : pickle_get_val(pickle_state(object), &key.v);
}

/* Steps over `word` at *p, if it stands there. */
static bool skip(const char **p, const char *end, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(end - *p) < len || memcmp(*p, word, len) != 0)
        return false;
    *p += len;
    return true;
}

bool pickle__is_numpy_core(const pickle_val *global, const char *module, const char *name)
{
    const pickle__str *m;
    const char *p, *end;

    if (pickle_kind_of(global) != PICKLE_GLOBAL)
        return false;
    m = PICKLE__AS_CONST(pickle__global, global)->module;
    p = pickle__text(&m->v);
    end = p + pickle__len(&m->v);
    if (!skip(&p, end, "numpy."))
        return false;
    skip(&p, end, "_");
    return skip(&p, end, "core.") && skip(&p, end, module) && p == end &&
           pickle_str_is(&PICKLE__AS_CONST(pickle__global, global)->name->v, name);
}

/* Wherever the dot stands between module and name, Python finds the same class. */
static bool is_path(const pickle__global *g, const char *path)
{
    size_t module = pickle__len(&g->module->v), name = pickle__len(&g->name->v);

    return module + 1 + name == strlen(path) &&
           memcmp(path, pickle__text(&g->module->v), module) == 0 && path[module] == '.' &&
           memcmp(path + module + 1, pickle__text(&g->name->v), name) == 0;
}

/* scikit-learn before 0.21 had a joblib of its own. */
#define NAMES(class) "joblib." class, "sklearn.externals.joblib." class

pickle__wrapper pickle__wrapper_of(const pickle_val *global)
{
    static const struct {
        const char *paths[4];
        pickle__wrapper wrapper;
    } classes[] = {
        { { NAMES("numpy_pickle.NumpyArrayWrapper") }, PICKLE__NUMPY_WRAPPER },
        { { NAMES("numpy_pickle.NDArrayWrapper"), NAMES("numpy_pickle_compat.NDArrayWrapper") },
          PICKLE__NDARRAY_WRAPPER },
        { { NAMES("numpy_pickle.ZNDArrayWrapper"), NAMES("numpy_pickle_compat.ZNDArrayWrapper") },
          PICKLE__ZNDARRAY_WRAPPER },
    };

    if (pickle_kind_of(global) != PICKLE_GLOBAL)
        return PICKLE__NO_WRAPPER;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        for (size_t k = 0; k < 4 && classes[i].paths[k]; k++)
            if (is_path(PICKLE__AS_CONST(pickle__global, global), classes[i].paths[k]))
                return classes[i].wrapper;
    return PICKLE__NO_WRAPPER;
}

/* --------------------------------------------------------------- type codes */

static bool has_order(char kind, uint64_t itemsize)
{
    return strchr("bSVOT", kind) == NULL && itemsize != 1;
}

static bool set_order(pickle_dtype *d, char order)
{
    if (!order || !strchr("<>=|", order))
        return false;
    if (!has_order(d->kind, d->itemsize))
        d->order = '|';
    else
        d->order = order == '<' || order == '>' ? order : NATIVE;
    return true;
}

/* Which sizes a kind comes in: the first is that of the letter alone, 0: none. */
static bool set_kind(pickle_dtype *d, char kind, uint64_t size)
{
    static const struct {
        char kind;
        uint8_t sizes[6];
    } kinds[] = {
        { 'b', { 0, 1 } },
        { 'i', { 0, 1, 2, 4, 8 } },
        { 'u', { 0, 1, 2, 4, 8 } },
        { 'f', { 0, 2, 4, 8, 12, 16 } },
        { 'c', { 0, 8, 16, 24, 32 } },
        { 'M', { 8 } },
        { 'm', { 8 } },
        { 'O', { 8, 4 } },
        { 'T', { 16 } },
    };

    d->kind = kind;
    d->itemsize = size;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int k = 0; kinds[i].kind == kind && k < 6; k++)
            if (size == kinds[i].sizes[k] || (size == 0 && k == 0)) {
                d->itemsize = size ? size : kinds[i].sizes[0];
                return d->itemsize != 0;
            }
    if (kind == 'U')
        d->itemsize = size * 4;
    return kind == 'S' || kind == 'V' || (kind == 'U' && size <= UINT32_MAX);
}

static const char *scan_number(const char *p, const char *end, uint64_t *n)
{
    for (*n = 0; p < end && *p >= '0' && *p <= '9' && *n < UINT64_MAX / 100; p++)
        *n = *n * 10 + (uint64_t)(*p - '0');
    return p;
}

static bool set_unit(pickle_dtype *d, const char *unit, size_t len, int64_t count)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i]) == len && memcmp(units[i], unit, len) == 0) {
            memcpy(d->unit, units[i], len + 1);
            d->unit_count = count;
            return count > 0;
        }
    return false;
}

/* "[25s]" behind M8. */
static bool parse_unit(const char *p, const char *end, pickle_dtype *d)
{
    uint64_t count;
    const char *unit;

    if (p == end)
        return set_unit(d, "generic", 7, 1);
    if (*p != '[' || end[-1] != ']')
        return false;
    unit = scan_number(p + 1, end - 1, &count);
    return set_unit(d, unit, (size_t)(end - 1 - unit), unit == p + 1 ? 1 : (int64_t)count);
}

bool pickle__parse_dtype(const char *code, size_t len, pickle_dtype *out)
{
    const char *p = code, *end = code + len, *digits;
    char order = '=', kind;
    uint64_t size;

    memset(out, 0, sizeof *out);
    if (p < end && *p && strchr("<>=|", *p))
        order = *p++;
    if (p == end)
        return false;
    kind = *p++;
    if (kind == '?')
        return p == end && set_kind(out, 'b', 1) && set_order(out, order);
    digits = p;
    p = scan_number(digits, end, &size);
    if (!set_kind(out, kind, size) || (p > digits && size == 0 && !strchr("SUV", kind)))
        return false;
    out->hasobject = kind == 'O' || kind == 'T';
    if (kind == 'M' || kind == 'm')
        return parse_unit(p, end, out) && set_order(out, order);
    return p == end && set_order(out, order);
}

/* --------------------------------------------------------------- scalar types */

/* Those whose size depends on the machine are those of 64-bit Unix. */
static const char *const scalar_types[][2] = {
    { "float64", "f8" },     { "float32", "f4" },     { "float16", "f2" },
    { "int64", "i8" },       { "int32", "i4" },       { "int16", "i2" },
    { "int8", "i1" },        { "uint64", "u8" },      { "uint32", "u4" },
    { "uint16", "u2" },      { "uint8", "u1" },       { "bool_", "?" },
    { "bool", "?" },         { "complex64", "c8" },   { "complex128", "c16" },
    { "float128", "f16" },   { "complex256", "c32" }, { "float96", "f12" },
    { "complex192", "c24" }, { "longdouble", "f16" }, { "clongdouble", "c32" },
    { "intp", "i8" },        { "uintp", "u8" },       { "int_", "i8" },
    { "uint", "u8" },        { "long", "i8" },        { "ulong", "u8" },
    { "longlong", "i8" },    { "ulonglong", "u8" },   { "intc", "i4" },
    { "uintc", "u4" },       { "short", "i2" },       { "ushort", "u2" },
    { "byte", "i1" },        { "ubyte", "u1" },       { "half", "f2" },
    { "single", "f4" },      { "double", "f8" },      { "float_", "f8" },
    { "csingle", "c8" },     { "cdouble", "c16" },    { "complex_", "c16" },
    { "str_", "U" },         { "unicode_", "U" },     { "bytes_", "S" },
    { "string_", "S" },      { "void", "V" },         { "record", "V" },
    { "object_", "O" },      { "datetime64", "M8" },  { "timedelta64", "m8" },
};

/* Classes of dtypes that are named otherwise than scalar types, without "DType". */
static const char *const dtype_classes[][2] = {
    { "str", "U" },  { "bytes", "S" }, { "object", "O" },
    { "int", "i4" }, { "uint", "u4" }, { "string", "T" },
};

#define COUNT(types) (sizeof(types) / sizeof *(types))

static bool named_type(const char *const (*types)[2], size_t n, const char *name, pickle_dtype *out)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, types[i][0]) == 0)
            return pickle__parse_dtype(types[i][1], strlen(types[i][1]), out);
    return false;
}

static bool scalar_type(const pickle_val *v, pickle_dtype *out)
{
    const char *module = pickle_module(v);

    return module && strcmp(module, "numpy") == 0 &&
           named_type(scalar_types, COUNT(scalar_types), pickle_name(v), out);
}

/* The class of a dtype: numpy.dtypes.Float64DType, named after the scalar type; before numpy 1.25
 * _DType_reconstruct(numpy.float64). */
static bool dtype_class(const pickle_val *v, pickle_dtype *out)
{
    const char *name = pickle_name(v), *module = pickle_module(v);
    const pickle_val *maker = pickle_callable(v);
    char lower[24];
    size_t n = 0;

    if (pickle_is_global(maker, "numpy.core", "_DType_reconstruct"))
        return scalar_type(pickle_at(pickle_args(v), 0), out);
    if (!module || strcmp(module, "numpy.dtypes") != 0)
        return false;
    for (; name[n] && strcmp(name + n, "DType") != 0 && n < sizeof lower - 1; n++)
        lower[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + 32) : name[n];
    if (strcmp(name + n, "DType") != 0)
        return false;
    lower[n] = '\0';
    return named_type(dtype_classes, COUNT(dtype_classes), lower, out) ||
           named_type(scalar_types, COUNT(scalar_types), lower, out);
}

/* numpy.dtype's first argument. Of a type nobody knows, the state gives the size: raw bytes. */
static bool read_code(const pickle_val *v, pickle_dtype *out, pickle_error *err)
{
    size_t len;
    const char *text = pickle__text_of(v, &len);
    char shown[40];

    if (text && pickle__parse_dtype(text, len, out))
        return true;
    if (text)
        return pickle__fail(err, PICKLE_ERR_VALUE, 0, "numpy has no dtype '%s'",
                            pickle__escape(shown, sizeof shown, text, len));
    if (scalar_type(v, out) ||
        (pickle_kind_of(v) == PICKLE_GLOBAL && pickle__parse_dtype("V", 1, out)))
        return true;
    return bad(err, "the dtype's type code is no text");
}

/* ------------------------------------------------------------------- states */

typedef struct state {
    int64_t version;
    const pickle_val *endian, *subarray, *names, *fields, *itemsize, *flags, *metadata;
} state;

/* numpy.dtype.__setstate__'s tuple: 5 items in the first version, 9 in the last. */
static bool split_state(const pickle_val *v, state *s, pickle_error *err)
{
    size_t n = pickle_len(v), at = n > 5, named = n > 6;

    memset(s, 0, sizeof *s);
    if (pickle_kind_of(v) != PICKLE_TUPLE || n < 5 || n > 9)
        return bad(err, "the dtype's state is no tuple of 5 to 9 items");
    if (n > 5 && !pickle_get_i64(pickle_at(v, 0), &s->version))
        s->version = -1;
    if (s->version < 0 || s->version > 4)
        return bad(err, "the dtype's version is none of 0 to 4");
    s->endian = pickle_at(v, at);
    s->subarray = pickle_at(v, at + 1);
    s->fields = pickle_at(v, at + 2 + named);
    s->names = named ? pickle_at(v, at + 2) : NULL;
    s->itemsize = pickle_at(v, at + 3 + named);
    s->flags = pickle_at(v, 7);
    s->metadata = pickle_at(v, 8);
    if (s->version < 2)
        s->names = pickle_get_int(s->fields, -1);
    return true;
}

static bool apply_endian(pickle_dtype *d, const pickle_val *endian, pickle_error *err)
{
    size_t len;
    const char *text = pickle__text_of(endian, &len);

    return (text && len == 1 && set_order(d, *text)) ||
           bad(err, "the dtype's byte order is none of < > = |");
}

/* Only these sizes are not said by the code; of the others the state has -1. */
static bool apply_itemsize(pickle_dtype *d, const pickle_val *itemsize, pickle_error *err)
{
    int64_t n;

    if (!strchr("SUV", d->kind))
        return true;
    if (!pickle_get_i64(itemsize, &n) || n < 0 || (d->kind == 'U' && n % 4 != 0))
        return bad(err, "the dtype's item size makes no sense");
    d->itemsize = (uint64_t)n;
    return true;
}

static bool apply_subarray(pickle_dtype *d, const pickle_val *subarray, pickle_error *err)
{
    int64_t shape[PICKLE_MAXDIMS];
    const pickle_val *dims = pickle_at(subarray, 1);

    if (absent(subarray))
        return true;
    d->base = pickle_at(subarray, 0);
    if (pickle_kind_of(subarray) != PICKLE_TUPLE || pickle_len(subarray) != 2)
        return bad(err, "the dtype's subarray is no pair");
    if (pickle_get_i64(dims, shape))
        d->subdims = 1;
    else if (!pickle__read_shape(dims, shape, &d->subdims, err))
        return false;
    return (d->subdims > 0 && shape[0] >= 0) || bad(err, "the dtype's subarray has no shape");
}

static bool apply_fields(pickle_dtype *d, const state *s, pickle_error *err)
{
    if (absent(s->names) && absent(s->fields))
        return true;
    if (pickle_kind_of(s->fields) != PICKLE_DICT || absent(s->names))
        return bad(err, "the dtype has fields without names, or names without fields");
    if (!pickle__is(s->names, PICKLE_TUPLE) && !pickle__is(s->names, PICKLE_LIST))
        return bad(err, "the dtype's names are no tuple");
    d->nfields = pickle_len(s->names);
    return true;
}

/* Of datetimes the metadata is a pair: the dict, and (unit, how many, 1, 1). */
static bool apply_metadata(pickle_dtype *d, const pickle_val *metadata, pickle_error *err)
{
    const pickle_val *unit = pickle_at(metadata, 1);
    const char *text;
    size_t len;
    int64_t count, divisor = pickle_i64_or(pickle_at(unit, 2), 1);

    if (absent(metadata))
        return true;
    if (d->kind == 'M' || d->kind == 'm') {
        text = pickle__text_of(pickle_at(unit, 0), &len);
        if (!text || !pickle_get_i64(pickle_at(unit, 1), &count) || divisor != 1 ||
            !set_unit(d, text, len, count))
            return bad(err, "the dtype's unit of time makes no sense");
        metadata = pickle_at(metadata, 0);
    }
    d->metadata = pickle_kind_of(metadata) == PICKLE_DICT ? metadata : NULL;
    return true;
}

/* Flags were a signed char once. Before version 3 there were none: see find_objects(). */
static bool apply_flags(pickle_dtype *d, const state *s, pickle_error *err)
{
    int64_t flags = 0;

    if (s->version < 3)
        return true;
    if (!pickle_get_i64(s->flags, &flags) || flags < -128)
        return bad(err, "the dtype's flags make no sense");
    d->hasobject = flags & 1;
    d->aligned = (flags & 0x80) != 0;
    return true;
}

static bool apply_state(pickle_dtype *d, const state *s, pickle_error *err)
{
    return apply_itemsize(d, s->itemsize, err) && apply_endian(d, s->endian, err) &&
           apply_subarray(d, s->subarray, err) && apply_fields(d, s, err) &&
           apply_flags(d, s, err) && apply_metadata(d, s->metadata, err);
}

/* ------------------------------------------------------------------- dtypes */

static bool is_string_dtype(const pickle_val *v)
{
    return pickle__is_numpy_core(pickle_callable(v), "_internal", "_convert_to_stringdtype_kwargs");
}

/* What the node itself says; *old when `hasobject` is to be found among the fields. */
static bool read_own(const pickle_val *v, pickle_dtype *out, bool *old, pickle_error *err)
{
    const pickle_val *built = pickle_state(v);
    state s;

    *old = false;
    if (is_string_dtype(v)) {
        pickle__parse_dtype("T", 1, out);
    } else if (pickle_is_global(pickle_callable(v), "numpy", "dtype")) {
        if (!read_code(pickle_at(pickle_args(v), 0), out, err))
            return false;
        if (built && (!split_state(built, &s, err) || !apply_state(out, &s, err)))
            return false;
        *old = built && s.version < 3;
    } else if (!scalar_type(v, out) && !dtype_class(v, out)) {
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "%s is no dtype",
                            pickle_kind_name(pickle_kind_of(v)));
    }
    out->descr = v;
    return true;
}

/* The dtype of a field, its offset and its title. */
static bool read_field(const pickle_val *descr, uint64_t index, const pickle_val **name,
                       const pickle_val **spec)
{
    state s;

    if (index > SIZE_MAX || !split_state(pickle_state(descr), &s, NULL))
        return false;
    *name = pickle_at(s.names, (size_t)index);
    *spec = pickle_get_val(s.fields, *name);
    return pickle_kind_of(*spec) == PICKLE_TUPLE && pickle_len(*spec) >= 2;
}

/* Does an old dtype hold objects, perhaps in a field of a field? */
static bool find_objects(pickle_dtype *d, pickle_error *err)
{
    struct {
        pickle_dtype dtype;
        uint64_t next;
    } stack[PICKLE__DTYPE_DEPTH];
    const pickle_val *name, *spec;
    int depth = 1;
    unsigned budget = 1024; /* fields: that was before 2010 */
    bool old;

    stack[0].dtype = *d;
    stack[0].next = 0;
    while (depth > 0) {
        pickle_dtype *top = &stack[depth - 1].dtype;

        if (top->kind == 'O' || top->hasobject) {
            d->hasobject = true;
            return true;
        }
        if (stack[depth - 1].next == top->nfields) {
            depth--;
            continue;
        }
        if (depth == PICKLE__DTYPE_DEPTH || budget-- == 0)
            return bad(err, "the dtype is nested too deeply");
        if (!read_field(top->descr, stack[depth - 1].next++, &name, &spec))
            return bad(err, "the dtype lacks a field that it names");
        if (!read_own(pickle_at(spec, 0), &stack[depth].dtype, &old, err))
            return false;
        stack[depth++].next = 0;
    }
    return true;
}

bool pickle__read_dtype(const pickle_val *v, pickle_dtype *out, pickle_error *err)
{
    bool old;

    return read_own(v, out, &old, err) && (!old || find_objects(out, err));
}

bool pickle_get_dtype(const pickle_val *v, pickle_dtype *out)
{
    pickle_dtype d;

    if (!pickle__read_dtype(v, &d, NULL))
        return false;
    *out = d;
    return true;
}

bool pickle__is_record(const pickle_dtype *dtype)
{
    state s;

    return dtype->nfields > 0 ||
           (split_state(pickle_state(dtype->descr), &s, NULL) && !absent(s.names));
}

bool pickle__is_swapped(const pickle_dtype *dtype)
{
    return dtype->order != '|' && dtype->order != NATIVE;
}

bool pickle_dtype_field(const pickle_dtype *dtype, uint64_t index, pickle_field *out)
{
    const pickle_val *name, *spec;
    pickle_dtype field;
    int64_t offset;

    if (index >= dtype->nfields || !read_field(dtype->descr, index, &name, &spec))
        return false;
    out->name = pickle__text_of(name, &out->name_len);
    out->title = pickle_str(pickle_at(spec, 2));
    out->dtype = pickle_at(spec, 0);
    if (!out->name || !pickle_get_dtype(out->dtype, &field) ||
        !pickle_get_i64(pickle_at(spec, 1), &offset) || offset < 0)
        return false;
    out->offset = (uint64_t)offset;
    return out->offset <= dtype->itemsize && field.itemsize <= dtype->itemsize - out->offset;
}

int64_t pickle_dtype_subshape(const pickle_dtype *dtype, int axis)
{
    const pickle_val *shape;
    state s;

    if (axis < 0 || axis >= dtype->subdims || !split_state(pickle_state(dtype->descr), &s, NULL))
        return 0;
    shape = pickle_at(s.subarray, 1);
    if (pickle_kind_of(shape) == PICKLE_TUPLE)
        shape = pickle_at(shape, (size_t)axis);
    return pickle_i64_or(shape, 0);
}

/* Made as _convert_to_stringdtype_kwargs(coerce), with na_object where there is one. */
bool pickle_dtype_string(const pickle_dtype *dtype, bool *coerce, const pickle_val **na_object)
{
    const pickle_val *args = dtype ? pickle_args(dtype->descr) : NULL;

    if (!dtype || !is_string_dtype(dtype->descr))
        return false;
    *coerce = pickle_i64_or(pickle_at(args, 0), 1) != 0;
    *na_object = pickle_at(args, 1);
    return true;
}
