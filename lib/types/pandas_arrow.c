/*
 * pandas_arrow.c - columns of Apache Arrow, out of what pyarrow pickles: an array is
 * _restore_array((type, length, nulls, offset, buffers, children, dictionary)), a chunked array
 * chunked_array([arrays], type). Layouts: Arrow's columnar format, version 1.
 */
#include "types/pandas.h"

static bool is_pyarrow(const pickle_val *v, const char *name)
{
    return pickle_is_global(pickle_callable(v), "pyarrow.lib", name);
}

/* ------------------------------------------------------------------------- types */

typedef struct arrow_type {
    const char *name;
    char kind;
    int width;
    const char *unit;
} arrow_type;

static const arrow_type types[] = {
    { "bool", 'b', 0, "" },
    { "int8", 'i', 1, "" },
    { "int16", 'i', 2, "" },
    { "int32", 'i', 4, "" },
    { "int64", 'i', 8, "" },
    { "uint8", 'u', 1, "" },
    { "uint16", 'u', 2, "" },
    { "uint32", 'u', 4, "" },
    { "uint64", 'u', 8, "" },
    { "halffloat", 'f', 2, "" },
    { "float", 'f', 4, "" },
    { "double", 'f', 8, "" },
    { "string", 's', 4, "" },
    { "large_string", 's', 8, "" },
    { "binary", 'z', 4, "" },
    { "large_binary", 'z', 8, "" },
    { "date32[day]", 'd', 4, "D" },
    { "date64[ms]", 'd', 8, "ms" },
    { "time32[s]", 't', 4, "s" },
    { "time32[ms]", 't', 4, "ms" },
    { "time64[us]", 't', 8, "us" },
    { "time64[ns]", 't', 8, "ns" },
    { "duration[s]", 'm', 8, "s" },
    { "duration[ms]", 'm', 8, "ms" },
    { "duration[us]", 'm', 8, "us" },
    { "duration[ns]", 'm', 8, "ns" },
    { "timestamp[s]", 'M', 8, "s" },
    { "timestamp[ms]", 'M', 8, "ms" },
    { "timestamp[us]", 'M', 8, "us" },
    { "timestamp[ns]", 'M', 8, "ns" },
};

#define TYPES (sizeof types / sizeof *types)

/* type_for_alias('int64'), or timestamp('ns', 'UTC'). */
static const arrow_type *type_of(const pickle_val *v)
{
    const pickle_val *name = pickle_at(pickle_args(v), 0);
    bool moment = is_pyarrow(v, "timestamp");

    if (!moment && !is_pyarrow(v, "type_for_alias"))
        return NULL;
    for (const arrow_type *t = types; t < types + TYPES; t++)
        if (moment ? t->kind == 'M' && pickle_str_is(name, t->unit) : pickle_str_is(name, t->name))
            return t;
    return NULL;
}

static bool put_str(const pickle_val *v, pickle_sink out)
{
    return pickle_str(v) && out.write(out.ctx, pickle_str(v), pickle_len(v));
}

bool pickle__put_arrow_type(const pickle_val *type, pickle_sink out)
{
    const pickle_val *name = pickle_at(pickle_args(type), 0), *tz = pickle__argument(type, 1);

    if (is_pyarrow(type, "type_for_alias"))
        return put_str(name, out);
    return is_pyarrow(type, "timestamp") && pickle__put(out, "timestamp[") && put_str(name, out) &&
           (!tz || (pickle__put(out, ", tz=") && put_str(tz, out))) && pickle__put(out, "]");
}

/* ----------------------------------------------------------------------- buffers */

/*
 * py_buffer(bytes). Protocols below 5 call bytearray first; those below 3 give it latin1 text,
 * which is the bytes as long as it is ASCII.
 */
static const unsigned char *buffer_of(const pickle_val *v, size_t *len)
{
    const pickle_val *data = pickle_at(pickle_args(v), 0), *arg = pickle_at(pickle_args(data), 0);

    *len = 0;
    if (!is_pyarrow(v, "py_buffer"))
        return NULL;
    if (!pickle_is_global(pickle_callable(data), "builtins", "bytearray"))
        return pickle_bytes(data, len);
    if (!arg)
        return (const unsigned char *)"";
    if (!pickle_str(arg))
        return pickle_bytes(arg, len);
    *len = pickle_len(arg);
    for (size_t i = 0; i < *len; i++)
        if ((unsigned char)pickle_str(arg)[i] >= 0x80)
            return NULL;
    return (const unsigned char *)pickle_str(arg);
}

/* Buffer `index`, of at least `need` bytes; NULL and true for none of them where none is fine. */
static bool take_buffer(const pickle_val *buffers, size_t index, uint64_t need, bool optional,
                        const unsigned char **out, size_t *len)
{
    const pickle_val *v = pickle__unless_none(pickle_at(buffers, index));

    *len = 0;
    *out = v ? buffer_of(v, len) : NULL;
    if (!*out)
        return !v && (optional || need == 0);
    return *len >= need;
}

/* Where text begins and ends; without items there may be nothing. */
static bool take_offsets(const pickle_val *buffers, uint64_t end, pickle_arrow *out)
{
    size_t len;

    return take_buffer(buffers, 1, out->count ? (end + 1) * (uint64_t)out->width : 0, false,
                       &out->offsets, &len) &&
           take_buffer(buffers, 2, 0, true, &out->data, &out->data_len);
}

static bool read_piece(const pickle_val *v, pickle_arrow *out)
{
    const pickle_val *parts = pickle_at(pickle_args(v), 0), *buffers = pickle_at(parts, 4);
    const arrow_type *type = type_of(pickle_at(parts, 0));
    uint64_t end;
    size_t len;

    if (!is_pyarrow(v, "_restore_array") || !type ||
        !pickle_get_u64(pickle_at(parts, 1), &out->count) ||
        !pickle_get_u64(pickle_at(parts, 3), &out->offset) || out->count > INT64_MAX / 32 ||
        out->offset > INT64_MAX / 32)
        return false;
    out->kind = type->kind;
    out->width = type->width;
    memcpy(out->unit, type->unit, strlen(type->unit) + 1);
    out->tz = pickle__argument(pickle_at(parts, 0), 1);
    end = out->offset + out->count;
    if (!take_buffer(buffers, 0, (end + 7) / 8, true, &out->valid, &len))
        return false;
    if (out->kind == 's' || out->kind == 'z')
        return take_offsets(buffers, end, out);
    return take_buffer(buffers, 1, out->width ? end * (uint64_t)out->width : (end + 7) / 8, false,
                       &out->data, &out->data_len);
}

/* ------------------------------------------------------------------------ pieces */

static const pickle_val *piece_of(const pickle_val *v, size_t index)
{
    if (is_pyarrow(v, "chunked_array"))
        return pickle_at(pickle_at(pickle_args(v), 0), index);
    return index == 0 ? v : NULL;
}

bool pickle_column_arrow(const pickle_column *c, size_t index, pickle_arrow *out)
{
    memset(out, 0, sizeof *out);
    return c->kind == PICKLE_COLUMN_ARROW && read_piece(piece_of(c->of, index), out);
}

bool pickle__arrow_count(const pickle_val *v, uint64_t *count)
{
    const pickle_val *piece;
    pickle_arrow a;

    *count = 0;
    for (size_t i = 0; (piece = piece_of(v, i)) != NULL; i++) {
        memset(&a, 0, sizeof a);
        if (!read_piece(piece, &a) || a.count > INT64_MAX - *count)
            return false;
        *count += a.count;
    }
    return v != NULL;
}

bool pickle__arrow_find(const pickle_column *c, uint64_t row, pickle_arrow *piece, uint64_t *index)
{
    const pickle_val *v;
    uint64_t count;

    for (size_t i = 0; (v = piece_of(c->of, i)) != NULL; i++) {
        if (!pickle_get_u64(pickle_at(pickle_at(pickle_args(v), 0), 1), &count))
            return false;
        if (row < count) {
            *index = row;
            return pickle_column_arrow(c, i, piece);
        }
        row -= count;
    }
    return false;
}

/* ------------------------------------------------------------------------- items */

static bool bit(const unsigned char *bits, uint64_t at)
{
    return bits[at / 8] >> at % 8 & 1;
}

bool pickle__arrow_is_valid(const pickle_arrow *a, uint64_t index)
{
    return !a->valid || bit(a->valid, a->offset + index);
}

static uint64_t text_offset(const pickle_arrow *a, uint64_t index)
{
    const unsigned char *at = a->offsets + (a->offset + index) * (uint64_t)a->width;

    return a->width == 4 ? pickle__u32(at) : pickle__u64(at);
}

const char *pickle__arrow_text(const pickle_arrow *a, uint64_t index, size_t *len)
{
    uint64_t from, to;

    if (!a->offsets)
        return NULL;
    from = text_offset(a, index);
    to = text_offset(a, index + 1);
    if (from > to || to > a->data_len)
        return NULL;
    *len = (size_t)(to - from);
    return a->data ? (const char *)a->data + from : "";
}

bool pickle__arrow_element(const pickle_arrow *a, uint64_t index, pickle_array *out,
                           unsigned char scratch[8])
{
    char dtype[16];

    if (!a->data || a->offsets || a->width > 8)
        return false;
    memset(scratch, 0, 8);
    if (a->width == 0)
        scratch[0] = bit(a->data, a->offset + index);
    else
        memcpy(scratch, a->data + (a->offset + index) * (uint64_t)a->width, (size_t)a->width);
    dtype[0] = '<';
    dtype[1] = strchr("biufMm", a->kind) ? a->kind : 'i';
    dtype[2] = (char)('0' + (a->width ? a->width : 1));
    dtype[3] = '\0';
    if (a->kind == 'M' || a->kind == 'm') {
        strcat(dtype, "[");
        strcat(dtype, a->unit);
        strcat(dtype, "]");
    }
    return pickle__element(out, dtype, scratch);
}
