/*
 * convert.c - elements of any layout, in C order, as another number type.
 *
 * Numbers are worked on as one of four types: each number type has one loop
 * that widens to its own of these, and four that narrow from them. Blocks of
 * elements pass through gathering (strides), byte swapping, widening, narrowing
 * and swapping again, as far as these do anything; what is contiguous and of the
 * right type is copied at once.
 */
#include "types/floats.h"
#include "types/numpy.h"

/* ------------------------------------------------------------- number types */

typedef struct x12 {
    unsigned char bytes[12];
} x12;

typedef struct x16 {
    unsigned char bytes[16];
} x16;

typedef enum worked_as { I64, U64, F64, X80 } worked_as;

#define TYPE_I64 int64_t
#define TYPE_U64 uint64_t
#define TYPE_F64 double
#define TYPE_X80 pickle__x80

/* NAME, kind, how it lies in memory; as what it is worked on, and how to make that of `x`. */
#define NUMBERS(X)                                       \
    X(BOOL, 'b', uint8_t, I64, x != 0)                   \
    X(I1, 'i', int8_t, I64, x)                           \
    X(I2, 'i', int16_t, I64, x)                          \
    X(I4, 'i', int32_t, I64, x)                          \
    X(I8, 'i', int64_t, I64, x)                          \
    X(U1, 'u', uint8_t, I64, x)                          \
    X(U2, 'u', uint16_t, I64, x)                         \
    X(U4, 'u', uint32_t, I64, x)                         \
    X(U8, 'u', uint64_t, U64, x)                         \
    X(F2, 'f', uint16_t, F64, pickle__half_to_double(x)) \
    X(F4, 'f', float, F64, (double)x)                    \
    X(F8, 'f', double, F64, x)                           \
    X(F12, 'f', x12, X80, pickle__x80_load(x.bytes))     \
    X(F16, 'f', x16, X80, pickle__x80_load(x.bytes))

#define WIDEN(NAME, kind, type, as, expression)                                     \
    static void load_##NAME(unsigned char *to, const unsigned char *from, size_t n) \
    {                                                                               \
        for (size_t i = 0; i < n; i++) {                                            \
            type x;                                                                 \
            TYPE_##as y;                                                            \
                                                                                    \
            memcpy(&x, from + i * sizeof x, sizeof x);                              \
            y = expression;                                                         \
            memcpy(to + i * sizeof y, &y, sizeof y);                                \
        }                                                                           \
    }
NUMBERS(WIDEN)

/* Kind E is read only. */
#define MINIFLOATS(X)           \
    X(BFLOAT16, uint16_t)       \
    X(FLOAT8_E4M3FN, uint8_t)   \
    X(FLOAT8_E4M3FNUZ, uint8_t) \
    X(FLOAT8_E5M2, uint8_t)     \
    X(FLOAT8_E5M2FNUZ, uint8_t) \
    X(FLOAT8_E8M0FNU, uint8_t)

#define WIDEN_MINIFLOAT(NAME, type) \
    WIDEN(NAME, 'E', type, F64, pickle__minifloat_to_double(&pickle__minifloats[PICKLE__##NAME], x))
MINIFLOATS(WIDEN_MINIFLOAT)

#define NARROW(NAME, type, as, expression)                                                  \
    static void store_##NAME##_##as(unsigned char *to, const unsigned char *from, size_t n) \
    {                                                                                       \
        for (size_t i = 0; i < n; i++) {                                                    \
            TYPE_##as x;                                                                    \
            type y;                                                                         \
                                                                                            \
            memcpy(&x, from + i * sizeof x, sizeof x);                                      \
            y = expression;                                                                 \
            memcpy(to + i * sizeof y, &y, sizeof y);                                        \
        }                                                                                   \
    }

/* Integers become smaller ones modulo 2^n, as numpy and C have it; floats are saturated. */
#define TO_SIGNED(NAME, type, MIN, MAX)                 \
    NARROW(NAME, type, I64, (type)x)                    \
    NARROW(NAME, type, U64, (type)x)                    \
    NARROW(NAME, type, F64,                             \
           x >= -(double)MIN  ? MAX                     \
           : x <= (double)MIN ? MIN                     \
           : x == x           ? (type)x                 \
                              : 0)                                \
    static type NAME##_of(int64_t n)                    \
    {                                                   \
        return n > MAX ? MAX : n < MIN ? MIN : (type)n; \
    }                                                   \
    NARROW(NAME, type, X80, NAME##_of(pickle__x80_to_i64(x)))

#define TO_UNSIGNED(NAME, type, MAX)                                                     \
    NARROW(NAME, type, I64, (type)x)                                                     \
    NARROW(NAME, type, U64, (type)x)                                                     \
    NARROW(NAME, type, F64, x >= 2 * (double)(MAX / 2 + 1) ? MAX : x > -1 ? (type)x : 0) \
    static type NAME##_of(uint64_t n)                                                    \
    {                                                                                    \
        return n > MAX ? MAX : (type)n;                                                  \
    }                                                                                    \
    NARROW(NAME, type, X80, NAME##_of(pickle__x80_to_u64(x)))

#define TO_OTHER(NAME, type, i64, u64, f64, x80) \
    NARROW(NAME, type, I64, i64)                 \
    NARROW(NAME, type, U64, u64)                 \
    NARROW(NAME, type, F64, f64)                 \
    NARROW(NAME, type, X80, x80)

static x12 to_x12(pickle__x80 x)
{
    x12 y = { { 0 } };

    pickle__x80_store(y.bytes, x);
    return y;
}

static x16 to_x16(pickle__x80 x)
{
    x16 y = { { 0 } };

    pickle__x80_store(y.bytes, x);
    return y;
}

TO_OTHER(BOOL, uint8_t, x != 0, x != 0, x != 0, !pickle__x80_is_zero(x))
TO_SIGNED(I1, int8_t, INT8_MIN, INT8_MAX)
TO_SIGNED(I2, int16_t, INT16_MIN, INT16_MAX)
TO_SIGNED(I4, int32_t, INT32_MIN, INT32_MAX)
TO_SIGNED(I8, int64_t, INT64_MIN, INT64_MAX)
TO_UNSIGNED(U1, uint8_t, UINT8_MAX)
TO_UNSIGNED(U2, uint16_t, UINT16_MAX)
TO_UNSIGNED(U4, uint32_t, UINT32_MAX)
TO_UNSIGNED(U8, uint64_t, UINT64_MAX)
TO_OTHER(F2, uint16_t, pickle__half_from_double((double)x), pickle__half_from_double((double)x),
         pickle__half_from_double(x), pickle__half_from_double(pickle__x80_to_double(x)))
TO_OTHER(F4, float, (float)x, (float)x, (float)x, pickle__x80_to_float(x))
TO_OTHER(F8, double, (double)x, (double)x, x, pickle__x80_to_double(x))
TO_OTHER(F12, x12, to_x12(pickle__x80_from_i64(x)), to_x12(pickle__x80_from_u64(x)),
         to_x12(pickle__x80_from_double(x)), to_x12(x))
TO_OTHER(F16, x16, to_x16(pickle__x80_from_i64(x)), to_x16(pickle__x80_from_u64(x)),
         to_x16(pickle__x80_from_double(x)), to_x16(x))

typedef void loop(unsigned char *to, const unsigned char *from, size_t n);

typedef struct number {
    char kind;
    uint8_t size;
    worked_as as;
    loop *load, *store[4];
} number;

#define ROW(NAME, kind, type, as, expression) \
    { kind,                                   \
      sizeof(type),                           \
      as,                                     \
      load_##NAME,                            \
      { store_##NAME##_I64, store_##NAME##_U64, store_##NAME##_F64, store_##NAME##_X80 } },

static const number numbers[] = { NUMBERS(ROW) };

#define MINIFLOAT_ROW(NAME, type) \
    [PICKLE__##NAME] = { 'E', sizeof(type), F64, load_##NAME, { NULL } },

static const number minifloats[] = { MINIFLOATS(MINIFLOAT_ROW) };

/* ---------------------------------------------------------------- byte order */

static uint16_t swap16(uint16_t x)
{
    return (uint16_t)(x << 8 | x >> 8);
}

static uint32_t swap32(uint32_t x)
{
    return (uint32_t)swap16((uint16_t)x) << 16 | swap16((uint16_t)(x >> 16));
}

static uint64_t swap64(uint64_t x)
{
    return (uint64_t)swap32((uint32_t)x) << 32 | swap32((uint32_t)(x >> 32));
}

#define SWAP(bits)                                                                     \
    static void swap_all##bits(unsigned char *to, const unsigned char *from, size_t n) \
    {                                                                                  \
        for (size_t i = 0; i < n; i++) {                                               \
            uint##bits##_t x;                                                          \
                                                                                       \
            memcpy(&x, from + i * sizeof x, sizeof x);                                 \
            x = swap##bits(x);                                                         \
            memcpy(to + i * sizeof x, &x, sizeof x);                                   \
        }                                                                              \
    }
SWAP(16)
SWAP(32)
SWAP(64)

static void swap_long(unsigned char *to, const unsigned char *from, size_t n, size_t size)
{
    unsigned char reversed[16];

    for (; n > 0; n--, to += size, from += size) {
        for (size_t k = 0; k < size; k++)
            reversed[k] = from[size - 1 - k];
        memcpy(to, reversed, size);
    }
}

/* `n` units of `size` bytes, reversed each; `to` may be `from`. */
static void swap_units(unsigned char *to, const unsigned char *from, size_t n, size_t size)
{
    switch (size) {
    case 2:
        swap_all16(to, from, n);
        return;
    case 4:
        swap_all32(to, from, n);
        return;
    case 8:
        swap_all64(to, from, n);
        return;
    default:
        swap_long(to, from, n, size);
    }
}

/* ----------------------------------------------------------------- gathering */

/* The elements in C order. Axes that lie in each other without a gap are one. */
typedef struct walker {
    const unsigned char *data;
    int64_t at;  /* where the next element lies in them */
    size_t size; /* what is taken of each */
    int ndim;
    int64_t shape[PICKLE_MAXDIMS], strides[PICKLE_MAXDIMS], index[PICKLE_MAXDIMS];
} walker;

static void walker_init(walker *w, const pickle_array *a, size_t size)
{
    int n = 0;

    w->data = a->data;
    w->at = 0;
    w->size = size;
    for (int i = 0; i < a->ndim; i++) {
        if (a->shape[i] == 1)
            continue;
        if (n > 0 && w->strides[n - 1] == a->shape[i] * a->strides[i]) {
            w->shape[n - 1] *= a->shape[i];
        } else {
            w->index[n] = 0;
            w->shape[n++] = a->shape[i];
        }
        w->strides[n - 1] = a->strides[i];
    }
    if (n == 0) {
        w->index[0] = 0;
        w->shape[n] = 1;
        w->strides[n++] = (int64_t)size;
    }
    w->ndim = n;
}

static bool is_dense(const walker *w)
{
    return w->ndim == 1 && w->strides[0] == (int64_t)w->size;
}

#define PICK(type)                                           \
    for (size_t i = 0; i < n; i++) {                         \
        type x;                                              \
                                                             \
        memcpy(&x, from + (int64_t)i * from_step, sizeof x); \
        memcpy(to + (int64_t)i * to_step, &x, sizeof x);     \
    }                                                        \
    break

/* Copy `n` things of `size` bytes that are not side by side. */
static void pick(unsigned char *to, int64_t to_step, const unsigned char *from, int64_t from_step,
                 size_t n, size_t size)
{
    switch (size) {
    case 1:
        PICK(uint8_t);
    case 2:
        PICK(uint16_t);
    case 4:
        PICK(uint32_t);
    case 8:
        PICK(uint64_t);
    default:
        for (size_t i = 0; i < n; i++)
            memcpy(to + (int64_t)i * to_step, from + (int64_t)i * from_step, size);
    }
}

/* To the next place: the last axis that is not at its end goes on, those behind it start again. */
static void advance(walker *w, int64_t steps)
{
    int i = w->ndim - 1;

    w->index[i] += steps;
    w->at += steps * w->strides[i];
    while (w->index[i] == w->shape[i] && i > 0) {
        w->at -= w->shape[i] * w->strides[i];
        w->index[i--] = 0;
        w->index[i]++;
        w->at += w->strides[i];
    }
}

static void gather(walker *w, unsigned char *to, size_t n)
{
    int last = w->ndim - 1;

    while (n > 0) {
        uint64_t left = (uint64_t)(w->shape[last] - w->index[last]);
        size_t run = left < n ? (size_t)left : n;

        if (w->strides[last] == (int64_t)w->size)
            memcpy(to, w->data + w->at, run * w->size);
        else
            pick(to, (int64_t)w->size, w->data + w->at, w->strides[last], run, w->size);
        to += run * w->size;
        n -= run;
        advance(w, (int64_t)run);
    }
}

/* --------------------------------------------------------------- conversions */

#define BLOCK 256 /* elements */

typedef struct plan {
    const number *in, *out;
    size_t parts;     /* of an element that are converted: 2 for both of a complex number */
    size_t parts_out; /* of an element that are written                                   */
    bool swap_in, swap_out;
} plan;

static const number *find_minifloat(const pickle_dtype *d)
{
    const pickle__minifloat *f = d->name ? pickle__find_minifloat(d->name) : NULL;

    return f ? &minifloats[f - pickle__minifloats] : NULL;
}

static const number *find_number(const pickle_dtype *d, size_t *parts)
{
    char kind = d->kind == 'c' ? 'f' : d->kind;
    uint64_t size = d->kind == 'c' ? d->itemsize / 2 : d->itemsize;

    *parts = d->kind == 'c' ? 2 : 1;
    if (kind == 'E')
        return find_minifloat(d);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].kind == kind && numbers[i].size == size)
            return &numbers[i];
    return NULL;
}

/* The order in which a number is worked on: the machine's, but for long doubles little-endian. */
static bool needs_swap(const number *n, const pickle_dtype *d)
{
    return n->as == X80 ? d->order == '>' : pickle__is_swapped(d);
}

/* Of complex numbers only the real part becomes a real number, but both decide a bool. */
static bool make_plan(plan *p, const pickle_dtype *from, const pickle_dtype *to)
{
    size_t parts;

    p->in = find_number(from, &parts);
    p->out = find_number(to, &p->parts_out);
    if (!p->in || !p->out)
        return false;
    p->parts = p->parts_out < parts && to->kind != 'b' ? p->parts_out : parts;
    p->swap_in = needs_swap(p->in, from);
    p->swap_out = needs_swap(p->out, to);
    return true;
}

/* From an array of parts to one of elements with more of them, or fewer. */
static void regroup(const plan *p, unsigned char *to, const unsigned char *from, size_t n)
{
    size_t size = p->out->size;

    if (p->parts > p->parts_out) {
        for (size_t i = 0; i < n; i++)
            to[i] = from[2 * i] | from[2 * i + 1];
        return;
    }
    memset(to, 0, 2 * n * size);
    pick(to, 2 * (int64_t)size, from, (int64_t)size, n, size);
}

static void convert_block(const plan *p, unsigned char *to, const unsigned char *from, size_t n)
{
    unsigned char swapped[2 * BLOCK * 16], wide[2 * BLOCK * 16], narrow[2 * BLOCK * 16];
    size_t parts = n * p->parts;
    bool grouped = p->parts == p->parts_out;

    if (p->swap_in) {
        swap_units(swapped, from, parts, p->in->size);
        from = swapped;
    }
    p->in->load(wide, from, parts);
    p->out->store[p->in->as](grouped ? to : narrow, wide, parts);
    if (!grouped)
        regroup(p, to, narrow, n);
    if (p->swap_out)
        swap_units(to, to, n * p->parts_out, p->out->size);
}

static void convert(const plan *p, walker *w, unsigned char *to, size_t count)
{
    unsigned char gathered[2 * BLOCK * 16];
    bool dense = is_dense(w);

    for (size_t n; count > 0; count -= n) {
        n = count < BLOCK ? count : BLOCK;
        if (!dense)
            gather(w, gathered, n);
        convert_block(p, to, dense ? w->data + w->at : gathered, n);
        if (dense)
            w->at += (int64_t)(n * w->size);
        to += n * p->parts_out * p->out->size;
    }
}

/* Elements as they are, or with the bytes of their units reversed (0: of none). */
static void copy(walker *w, unsigned char *to, size_t count, size_t unit)
{
    size_t units = unit ? count * (w->size / unit) : 0;

    if (unit && is_dense(w)) {
        swap_units(to, w->data, units, unit);
        return;
    }
    gather(w, to, count);
    if (unit)
        swap_units(to, to, units, unit);
}

/* ---------------------------------------------------------------- interface */

/* What has no numbers goes to its own kind only. */
static bool same_kind(const pickle_dtype *from, pickle_dtype *to)
{
    if (from->kind != to->kind && !(from->kind == 'E' && to->kind == 'V'))
        return false;
    if (!strchr("SUVMm", to->kind))
        return false;
    if (to->itemsize == 0)
        to->itemsize = from->itemsize;
    return from->itemsize == to->itemsize && from->unit_count == to->unit_count &&
           strcmp(from->unit, to->unit) == 0;
}

static size_t unit_of(const pickle_dtype *d, size_t parts)
{
    return d->kind == 'U' ? 4 : (size_t)d->itemsize / parts;
}

static bool check_source(const pickle_array *a, pickle_error *err)
{
    if (a->dtype.hasobject)
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "the array holds objects");
    if (!a->data)
        return pickle__fail(err, PICKLE_ERR_MISSING, 0, "the array's buffer was not supplied");
    return true;
}

static bool check_dtype(const char *text, pickle_dtype *to, pickle_error *err)
{
    char shown[40];

    return pickle__parse_dtype(text, strlen(text), to) ||
           pickle__fail(err, PICKLE_ERR_TYPE, 0, "'%s' is no dtype",
                        pickle__escape(shown, sizeof shown, text, strlen(text)));
}

bool pickle_array_copy(const pickle_array *a, const char *dtype, void *dst, size_t dst_size,
                       pickle_error *err)
{
    pickle_dtype to;
    uint64_t count, nbytes;
    plan p;
    walker w;
    bool numeric;

    if (!check_source(a, err) || !check_dtype(dtype, &to, err))
        return false;
    numeric = make_plan(&p, &a->dtype, &to);
    if (!numeric && !same_kind(&a->dtype, &to))
        return pickle__fail(err, PICKLE_ERR_TYPE, 0, "an array of kind %c cannot be copied as %c",
                            a->dtype.kind, to.kind);
    if (!pickle__array_size(a->shape, a->ndim, to.itemsize, &count, &nbytes) || nbytes != dst_size)
        return pickle__fail(err, PICKLE_ERR_RANGE, 0, "the array does not take %llu bytes",
                            (unsigned long long)dst_size);
    if (nbytes == 0)
        return true;
    if (numeric && (p.in != p.out || p.parts != p.parts_out)) {
        walker_init(&w, a, p.in->size * p.parts);
        convert(&p, &w, dst, (size_t)count);
        return true;
    }
    walker_init(&w, a, (size_t)to.itemsize);
    copy(&w, dst, (size_t)count,
         pickle__is_swapped(&a->dtype) != pickle__is_swapped(&to)
             ? unit_of(&to, numeric ? p.parts : 1)
             : 0);
    return true;
}
