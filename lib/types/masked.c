/* masked.c - numpy's masked arrays: data and mask as views. */
#include "types/known.h"
#include "types/numpy.h"

static bool bad(pickle_error *err, const char *what)
{
    return pickle__fail(err, PICKLE_ERR_VALUE, 0, "%s", what);
}

/* --------------------------------------------------------------------- masks */

/*
 * A record may hold another one twice, and that another one twice: what is looked at is bounded by
 * what the mask's bytes can be for, and by this.
 */
#define FREE_STEPS (1u << 16)

/* One more level of a dtype: a record's fields, or a subarray's element; its bools count `times`.
 */
typedef struct level {
    pickle_dtype dtype;
    uint64_t next, times;
} level;

/* How often the elements of a subarray stand in it; false when that is too much. */
static bool count_elements(const pickle_dtype *d, uint64_t *times)
{
    int64_t shape[PICKLE_MAXDIMS];
    uint64_t count, nbytes;

    for (int i = 0; i < d->subdims; i++) {
        shape[i] = pickle_dtype_subshape(d, i);
        if (shape[i] < 0)
            return false;
    }
    if (!pickle__array_size(shape, d->subdims, *times, &count, &nbytes))
        return false;
    *times = nbytes;
    return true;
}

/* What the elements of a subarray are; `flat`: as if they were simple. */
static bool read_base(const pickle_dtype *d, bool flat, pickle_dtype *base)
{
    if (flat)
        *base = (pickle_dtype){ .kind = 'V' };
    return flat || pickle_get_dtype(d->base, base);
}

/* What is below `top`, next: false when there is something, but it cannot be read. numpy 1.7
 * did not look into records in subarrays: `flat`, each is masked as a whole. */
static bool open_level(level *top, level *below, bool flat, bool *found)
{
    const pickle_dtype *d = &top->dtype;
    pickle_field field;

    *found = top->next < (d->subdims ? 1 : d->nfields);
    if (!*found)
        return true;
    below->next = 0;
    below->times = top->times;
    if (d->subdims)
        return top->next++ == 0 && read_base(d, flat, &below->dtype) &&
               count_elements(d, &below->times);
    return pickle_dtype_field(d, top->next++, &field) &&
           pickle_get_dtype(field.dtype, &below->dtype);
}

/* The bytes of an element's mask: a bool for each simple field, of which there are `most`. */
static bool mask_size(const pickle_dtype *dtype, bool flat, uint64_t most, uint64_t *size)
{
    level stack[PICKLE__DTYPE_DEPTH];
    uint64_t steps = FREE_STEPS + (most < UINT32_MAX ? most : UINT32_MAX);
    int depth = 1;
    bool found;

    stack[0] = (level){ .dtype = *dtype, .times = 1 };
    for (*size = 0; depth > 0; steps--) {
        level *top = &stack[depth - 1];

        if (steps == 0 || depth == PICKLE__DTYPE_DEPTH || !open_level(top, top + 1, flat, &found))
            return false;
        if (found) {
            depth++;
            continue;
        }
        if (!top->dtype.subdims && !pickle__is_record(&top->dtype))
            *size += top->times;
        if (*size > INT64_MAX)
            return false;
        depth--;
    }
    return true;
}

/* Bools; or, of records, the bytes of several. */
static void set_mask_dtype(pickle_dtype *mask, const pickle_dtype *data, uint64_t size)
{
    if (pickle__is_record(data) || data->subdims)
        *mask = (pickle_dtype){ .kind = 'V', .order = '|', .itemsize = size };
    else
        pickle__parse_dtype("?", 1, mask);
}

static bool read_mask(pickle_masked_array *a, const pickle_val *bytes, const pickle_val *fortran,
                      pickle_error *err)
{
    pickle_array *mask = &a->mask;
    uint64_t size, count;
    size_t len = 0;

    pickle_bytes(bytes, &len);
    mask->ndim = a->data.ndim;
    memcpy(mask->shape, a->data.shape, sizeof mask->shape);
    for (int flat = 0; flat < 2; flat++) {
        if (!mask_size(&a->data.dtype, flat, len, &size) ||
            !pickle__array_size(mask->shape, mask->ndim, size, &count, &mask->nbytes))
            return bad(err, "the array's dtype has no mask");
        if (mask->nbytes == len)
            break;
    }
    set_mask_dtype(&mask->dtype, &a->data.dtype, size);
    return pickle__set_array_bytes(mask, bytes, pickle_i64_or(fortran, 0) != 0, err);
}

/* -------------------------------------------------------------------- arrays */

/* numpy.ma.masked: 0.0, masked. */
static bool read_constant(const pickle_val *v, pickle_masked_array *a)
{
    static const double zero = 0;
    static const bool yes = true;

    a->cls = pickle_class(v);
    pickle__parse_dtype("f8", 2, &a->data.dtype);
    a->data.data = &zero;
    a->data.nbytes = sizeof zero;
    pickle__parse_dtype("?", 1, &a->mask.dtype);
    a->mask.data = &yes;
    a->mask.nbytes = 1;
    a->data.readonly = a->mask.readonly = true;
    return true;
}

/* _mareconstruct(class, base class, (0,), 'b'); (1, shape, dtype, fortran, data, mask, fill). */
static bool read_reconstructed(const pickle_val *v, pickle_masked_array *a, pickle_error *err)
{
    const pickle_val *args = pickle_args(v), *state = pickle_state(v);
    const pickle_val *base = pickle_at(args, 1), *fill = pickle_at(state, 6);

    if (pickle_kind_of(state) != PICKLE_TUPLE || pickle_len(state) != 7)
        return bad(err, "the masked array's state is no tuple of 7 items");
    if (!pickle__array_of_state(&a->data, state, 1, err))
        return false;
    a->data.cls = pickle_kind_of(base) == PICKLE_GLOBAL ? base : NULL;
    a->cls = pickle_at(args, 0);
    a->fill_value = pickle_kind_of(fill) == PICKLE_NONE ? NULL : fill;
    return read_mask(a, pickle_at(state, 5), pickle_at(state, 3), err);
}

bool pickle_read_masked_array(const pickle_val *v, pickle_masked_array *out, pickle_error *err)
{
    const pickle_val *maker = pickle_callable(v);
    const pickle__known *row = pickle__known_global(maker);

    memset(out, 0, sizeof *out);
    if (row && row->type == PICKLE_TYPE_MASKED_ARRAY) {
        if (row->maker == PICKLE__OF_ARG)
            return read_reconstructed(v, out, err);
        if (strcmp(row->name, "MaskedConstant") == 0)
            return read_constant(v, out);
    }
    return pickle__fail(err, PICKLE_ERR_TYPE, 0, "%s is no masked array",
                        pickle_kind_name(pickle_kind_of(v)));
}

bool pickle_get_masked_array(const pickle_val *v, pickle_masked_array *out)
{
    return pickle_read_masked_array(v, out, NULL);
}

/* -------------------------------------------------------------------- fields */

/* Where the field's bools start in those of the record, and how many they are. */
static bool find_field(const pickle_masked_array *a, bool flat, const char *name, uint64_t *offset,
                       uint64_t *size)
{
    uint64_t whole = a->mask.dtype.itemsize;
    pickle_field field;
    pickle_dtype d;

    *offset = 0;
    for (uint64_t i = 0; pickle_dtype_field(&a->data.dtype, i, &field); i++) {
        if (!pickle_get_dtype(field.dtype, &d) || !mask_size(&d, flat, whole, size) ||
            *size > whole - *offset)
            return false;
        if (field.name_len == strlen(name) && memcmp(field.name, name, field.name_len) == 0)
            return true;
        *offset += *size;
    }
    return false;
}

/* As the field's data lie, but without gaps. A subarray has added its axes. */
static bool set_field_mask(pickle_array *mask, const pickle_array *data, bool flat, uint64_t size)
{
    int own = mask->ndim;
    uint64_t item = 1, count, stride;

    if (flat && data->ndim > own) {
        pickle__parse_dtype("?", 1, &mask->dtype);
    } else {
        if (!mask_size(&data->dtype, flat, size, &item))
            return false;
        set_mask_dtype(&mask->dtype, &data->dtype, item);
    }
    mask->ndim = data->ndim;
    memcpy(mask->shape, data->shape, sizeof mask->shape);
    stride = item;
    for (int i = mask->ndim - 1; i >= own; i--) {
        mask->strides[i] = (int64_t)stride;
        stride *= (uint64_t)mask->shape[i];
    }
    return pickle__array_size(mask->shape, mask->ndim, item, &count, &mask->nbytes);
}

bool pickle_masked_field(const pickle_masked_array *a, const char *name, pickle_masked_array *out)
{
    pickle_masked_array field = { .cls = a->cls, .mask = a->mask };
    uint64_t offset, size, whole = a->mask.dtype.itemsize;
    bool flat = !mask_size(&a->data.dtype, false, whole, &size) || size != whole;

    if (!pickle_array_field(&a->data, name, &field.data) ||
        !find_field(a, flat, name, &offset, &size) ||
        !set_field_mask(&field.mask, &field.data, flat, size))
        return false;
    if (field.mask.nbytes > 0)
        field.mask.data = (const char *)a->mask.data + offset;
    *out = field;
    return true;
}
