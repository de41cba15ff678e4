/* item.c - one element as text, as Python shows it; dates and durations as numpy does. */
#include <stdio.h>

#include "base/number.h"
#include "base/text.h"
#include "types/floats.h"
#include "types/numpy.h"

/*
 * How much is written of one element: more than it has bytes, but not without end. A subarray of
 * nothing may be of any length, and fields may lie in each other again and again.
 */
#define MOST_STEPS(itemsize) (UINT64_C(8) * (itemsize) + (1u << 16))

/* ------------------------------------------------------------------ numbers */

/* The element's bytes, at most 16 of them, as little-endian. */
static void load(unsigned char bytes[16], const unsigned char *data, size_t size, bool big_endian)
{
    memset(bytes, 0, 16);
    for (size_t i = 0; i < size; i++)
        bytes[i] = data[big_endian ? size - 1 - i : i];
}

static bool put_integer(const pickle_dtype *d, uint64_t n, pickle_sink out)
{
    char text[PICKLE__INT_CHARS];
    int unused = 64 - 8 * (int)d->itemsize;

    if (d->kind == 'i') {
        pickle__i64_repr(text, (int64_t)(n << unused) >> unused);
        return pickle__put(out, text);
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    return pickle__put(out, text);
}

static void float_text(char text[PICKLE__X80_CHARS], const unsigned char bytes[16], size_t size)
{
    uint32_t bits = pickle__u32(bytes);
    uint64_t long_bits = pickle__u64(bytes);
    float single;
    double x;

    switch (size) {
    case 2:
        pickle__narrow_repr(text, pickle__half_to_double(pickle__u16(bytes)), 11, -24);
        return;
    case 4:
        memcpy(&single, &bits, sizeof single);
        pickle__narrow_repr(text, single, 24, -149);
        return;
    case 8:
        memcpy(&x, &long_bits, sizeof x);
        pickle__float_repr(text, x);
        return;
    default:
        pickle__x80_repr(text, pickle__x80_load(bytes));
    }
}

/* Parts of a complex number go without ".0". */
static void drop_fraction(char *text)
{
    size_t n = strlen(text);

    if (n > 2 && strcmp(text + n - 2, ".0") == 0)
        text[n - 2] = '\0';
}

/* "(1+2j)"; "2j" when the real part is 0, but not -0. */
static bool put_complex(const unsigned char *data, size_t size, bool big_endian, pickle_sink out)
{
    unsigned char bytes[16];
    char real[PICKLE__X80_CHARS], imaginary[PICKLE__X80_CHARS];
    bool bare;

    load(bytes, data, size, big_endian);
    float_text(real, bytes, size);
    load(bytes, data + size, size, big_endian);
    float_text(imaginary, bytes, size);
    drop_fraction(real);
    drop_fraction(imaginary);
    bare = strcmp(real, "0") == 0;
    return (bare || (pickle__put(out, "(") && pickle__put(out, real) &&
                     pickle__put(out, *imaginary == '-' ? "" : "+"))) &&
           pickle__put(out, imaginary) && pickle__put(out, bare ? "j" : "j)");
}

/* ------------------------------------------------------------- text and bytes */

static size_t without_zeros(const unsigned char *data, size_t len)
{
    while (len > 0 && data[len - 1] == 0)
        len--;
    return len;
}

static bool put_text(const pickle_dtype *d, const unsigned char *data, pickle_sink out)
{
    size_t n = without_zeros(data, (size_t)d->itemsize) + 3; /* to whole characters */
    pickle_buf text = { 0 };
    unsigned char bytes[16];
    uint32_t c;
    char utf8[4];
    bool ok = true;

    for (n = n / 4 * 4; ok && n > 0; n -= 4, data += 4) {
        load(bytes, data, 4, d->order == '>');
        c = pickle__u32(bytes);
        ok = pickle__buf_add(&text, utf8, pickle__utf8_put(utf8, c > 0x10ffff ? 0xfffd : c));
    }
    ok = ok && pickle__repr_str(text.data ? (const char *)text.data : "", text.len, out);
    pickle_buf_free(&text);
    return ok;
}

/* -------------------------------------------------------- dates and durations */

#define DAY 86400

typedef struct unit {
    const char *name, *plural;
    int64_t per_second; /* how many of them, or below zero how many seconds of it */
} unit;

static const unit units[] = {
    { "Y", "years", 0 },
    { "M", "months", 0 },
    { "W", "weeks", -7 * DAY },
    { "D", "days", -DAY },
    { "h", "hours", -3600 },
    { "m", "minutes", -60 },
    { "s", "seconds", 1 },
    { "ms", "milliseconds", 1000 },
    { "us", "microseconds", 1000000 },
    { "ns", "nanoseconds", 1000000000 },
    { "ps", "picoseconds", INT64_C(1000000000000) },
    { "fs", "femtoseconds", INT64_C(1000000000000000) },
    { "as", "attoseconds", INT64_C(1000000000000000000) },
    { "generic", "generic time units", 0 },
};

static const unit *find_unit(const char *name)
{
    const unit *u = units;

    while (strcmp(u->name, name) != 0 && strcmp(u->name, "generic") != 0)
        u++;
    return u;
}

/* Rounded down; the rest is never negative. */
static int64_t divide(int64_t n, int64_t by, int64_t *rest)
{
    int64_t q = n / by;

    *rest = n % by;
    if (*rest < 0) {
        *rest += by;
        q--;
    }
    return q;
}

/* The proleptic Gregorian calendar, in cycles of 400 years that start in March. */
static void put_day(char *text, size_t size, int64_t days)
{
    int64_t day, month, year, cycle;
    int64_t century, leap;

    cycle = divide((int64_t)((uint64_t)days - 11017), 146097, &day); /* from 2000-03-01 */
    century = day / 36524 < 4 ? day / 36524 : 3;
    day -= century * 36524;
    leap = day / 1461;
    day -= leap * 1461;
    year = day / 365 < 4 ? day / 365 : 3;
    day -= year * 365;
    month = (5 * day + 2) / 153; /* from March; five months have 153 days */
    day -= (153 * month + 2) / 5;
    year += 2000 + cycle * 400 + century * 100 + leap * 4 + (month >= 10);
    month += month >= 10 ? -9 : 3;
    snprintf(text, size, "%04lld-%02lld-%02lld", (long long)year, (long long)month,
             (long long)day + 1);
}

static char *put_digits(char *at, int digits, int64_t n)
{
    for (int i = digits - 1; i >= 0; i--, n /= 10)
        at[i] = (char)('0' + n % 10);
    return at + digits;
}

/* "T12", "T12:30", "T12:30:05", "T12:30:05.001": as far as the unit goes. */
static void put_time(char *at, const unit *u, int64_t seconds, int64_t fraction)
{
    int digits = 0;

    *at++ = 'T';
    at = put_digits(at, 2, seconds / 3600);
    if (u->per_second > -3600) {
        *at++ = ':';
        at = put_digits(at, 2, seconds / 60 % 60);
    }
    if (u->per_second > -60) {
        *at++ = ':';
        at = put_digits(at, 2, seconds % 60);
    }
    for (int64_t scale = u->per_second; scale > 1; scale /= 10)
        digits++;
    if (digits > 0) {
        *at++ = '.';
        at = put_digits(at, digits, fraction);
    }
    *at = '\0';
}

static void put_moment(char *text, size_t size, const unit *u, int64_t n)
{
    int64_t day, seconds, fraction = 0, per_day = u->per_second < 0 ? DAY / -u->per_second : 0;

    if (u->per_second > 0) {
        seconds = divide(n, u->per_second, &fraction);
        day = divide(seconds, DAY, &seconds);
    } else if (per_day > 0) {
        day = divide(n, per_day, &seconds);
        seconds *= -u->per_second;
    } else {
        day = (int64_t)((uint64_t)n * 7);
        seconds = 0;
    }
    put_day(text, size, day);
    if (u->per_second > -DAY)
        put_time(text + strlen(text), u, seconds, fraction);
}

static bool put_date(const pickle_dtype *d, int64_t n, pickle_sink out)
{
    const unit *u = find_unit(d->unit);
    int64_t month;
    char text[96];

    n = (int64_t)((uint64_t)n * (uint64_t)d->unit_count);
    if (*u->name == 'Y') {
        snprintf(text, sizeof text, "%04lld", (long long)(1970 + (uint64_t)n));
    } else if (strcmp(u->name, "M") == 0) {
        n = divide(n, 12, &month);
        snprintf(text, sizeof text, "%04lld-%02lld", (long long)n + 1970, (long long)month + 1);
    } else if (*u->name == 'g') {
        snprintf(text, sizeof text, "%lld", (long long)n);
    } else {
        put_moment(text, sizeof text, u, n);
    }
    return pickle__put(out, text);
}

static bool put_duration(const pickle_dtype *d, int64_t n, pickle_sink out)
{
    char text[PICKLE__INT_CHARS];

    pickle__i64_repr(text, (int64_t)((uint64_t)n * (uint64_t)d->unit_count));
    return pickle__put(out, text) && pickle__put(out, " ") &&
           pickle__put(out, find_unit(d->unit)->plural);
}

/* -------------------------------------------------------------- simple types */

/* Anything but records and subarrays. */
static bool put_simple(const pickle_dtype *d, const unsigned char *data, pickle_sink out)
{
    unsigned char bytes[16];
    size_t size = (size_t)d->itemsize;
    bool big = d->order == '>';
    char text[PICKLE__X80_CHARS];
    int64_t n;

    switch (d->kind) {
    case 'S':
        return pickle__repr_bytes(data, without_zeros(data, size), out);
    case 'V':
        return pickle__repr_bytes(data, size, out);
    case 'U':
        return put_text(d, data, out);
    case 'c':
        return put_complex(data, size / 2, big, out);
    case 'O':
    case 'T':
        return false;
    default:
        load(bytes, data, size, big);
    }
    n = (int64_t)pickle__u64(bytes);
    if (d->kind == 'f' || d->kind == 'E') {
        if (d->kind == 'f')
            float_text(text, bytes, size);
        else
            pickle__float_repr(
                text, pickle__minifloat_to_double(pickle__find_minifloat(d->name), (uint16_t)n));
        return pickle__put(out, text);
    }
    if (d->kind == 'b')
        return pickle__put(out, n ? "True" : "False");
    if (d->kind != 'M' && d->kind != 'm')
        return put_integer(d, (uint64_t)n, out);
    if (n == INT64_MIN)
        return pickle__put(out, "NaT");
    return d->kind == 'M' ? put_date(d, n, out) : put_duration(d, n, out);
}

/* -------------------------------------------------------- records, subarrays */

/* A record, or what is left of a subarray from `axis` on. */
typedef struct frame {
    pickle_dtype dtype;
    const unsigned char *data;
    int axis;
    uint64_t next, count; /* parts written, and all of them        */
    uint64_t step;        /* of a subarray: bytes from part to part */
} frame;

typedef struct writer {
    pickle_sink out;
    int depth;
    uint64_t steps;
    frame stack[2 * PICKLE__DTYPE_DEPTH];
} writer;

static bool open_frame(writer *w, const pickle_dtype *d, const unsigned char *data, int axis)
{
    frame *f;

    if (w->depth == 2 * PICKLE__DTYPE_DEPTH)
        return false;
    f = &w->stack[w->depth++];
    f->dtype = *d;
    f->data = data;
    f->axis = axis;
    f->next = 0;
    f->count = d->subdims ? (uint64_t)pickle_dtype_subshape(d, axis) : d->nfields;
    return pickle__put(w->out, d->subdims ? "[" : "(");
}

/* The bytes of a subarray's parts along `axis`, if all of them are as many as it has. */
static bool measure(frame *f, const pickle_dtype *base)
{
    uint64_t bytes = base->itemsize;

    for (int i = f->dtype.subdims - 1; i >= 0; i--) {
        uint64_t n = (uint64_t)pickle_dtype_subshape(&f->dtype, i);

        if (i == f->axis)
            f->step = bytes;
        if (n && bytes > f->dtype.itemsize / n)
            return false;
        bytes *= n;
    }
    return bytes == f->dtype.itemsize;
}

static bool put_item(writer *w, const pickle_dtype *d, const unsigned char *data)
{
    if (w->steps-- == 0)
        return false;
    if (d->subdims > 0 || (d->kind == 'V' && pickle__is_record(d)))
        return open_frame(w, d, data, 0);
    return put_simple(d, data, w->out);
}

static bool put_part(writer *w, frame *f)
{
    uint64_t i = f->next++;
    pickle_field field;
    pickle_dtype part;
    const unsigned char *data = f->data;

    if (f->dtype.subdims == 0)
        return pickle_dtype_field(&f->dtype, i, &field) && pickle_get_dtype(field.dtype, &part) &&
               put_item(w, &part, data + field.offset);
    if (!pickle_get_dtype(f->dtype.base, &part) || !measure(f, &part))
        return false;
    data += i * f->step;
    if (f->axis + 1 < f->dtype.subdims)
        return w->steps-- > 0 && open_frame(w, &f->dtype, data, f->axis + 1);
    return put_item(w, &part, data);
}

static bool step(writer *w)
{
    frame *f = &w->stack[w->depth - 1];

    if (f->next < f->count)
        return (f->next == 0 || pickle__put(w->out, ", ")) && put_part(w, f);
    w->depth--;
    if (f->dtype.subdims > 0)
        return pickle__put(w->out, "]");
    return pickle__put(w->out, f->count == 1 ? ",)" : ")");
}

bool pickle_array_item_repr(const pickle_array *a, pickle_sink out)
{
    writer w;

    if (!a->data || pickle_array_count(a) == 0)
        return false;
    w.out = out;
    w.depth = 0;
    w.steps = MOST_STEPS(a->dtype.itemsize);
    if (!put_item(&w, &a->dtype, a->data))
        return false;
    while (w.depth > 0)
        if (!step(&w))
            return false;
    return true;
}
