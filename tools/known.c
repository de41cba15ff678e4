/* known.c - objects of known classes: what they are, and as text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <pickle/pandas.h>
#include <pickle/sparse.h>
#include "known.h"

/* ------------------------------------------------------------------- forms */

/* Is a value what its class promises? */
#define READS(name, view)                      \
    static bool is_##name(const pickle_val *v) \
    {                                          \
        view out;                              \
                                               \
        return pickle_get_##name(v, &out);     \
    }

READS(datetime, pickle_datetime)
READS(timedelta, pickle_timedelta)
READS(tzinfo, pickle_tzinfo)
READS(slice, pickle_slice)
READS(pattern, pickle_pattern)
READS(stdarray, pickle_stdarray)
READS(masked_array, pickle_masked_array)
READS(rng, pickle_rng)
READS(seed_sequence, pickle_seed_sequence)
READS(tensor, pickle_tensor)
READS(storage, pickle_storage)
READS(column, pickle_column)
READS(dataframe, pickle_dataframe)
READS(series, pickle_series)
READS(index, pickle_index)
READS(timestamp, pickle_timestamp)
READS(pandas_timedelta, pickle_timestamp)
READS(period, pickle_period)
READS(interval, pickle_interval)
READS(offset, pickle_offset)

static bool nowhere(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    (void)data;
    (void)len;
    return true;
}

static bool is_complex_number(const pickle_val *v)
{
    double parts[2];

    return pickle_get_complex(v, &parts[0], &parts[1]);
}

static bool is_decimal(const pickle_val *v)
{
    return pickle_decimal(v) != NULL;
}

static bool is_uuid(const pickle_val *v)
{
    unsigned char bytes[16];

    return pickle_get_uuid(v, bytes);
}

static bool is_path(const pickle_val *v)
{
    return pickle_put_path(v, (pickle_sink){ nowhere, NULL });
}

/* Those with more arguments than n and normalize are best shown as a call with all of them. */
static bool is_plain_offset(const pickle_val *v)
{
    return is_offset(v) && pickle_len(pickle_args(v)) <= 2;
}

static bool is_bytes(const pickle_val *v)
{
    return pickle_put_bytes(v, (pickle_sink){ nowhere, NULL });
}

static bool is_any(const pickle_val *v)
{
    (void)v;
    return true;
}

static bool is_random(const pickle_val *v)
{
    return is_rng(v) || is_seed_sequence(v);
}

typedef struct known_class {
    value_form form;
    bool (*check)(const pickle_val *v);
} known_class;

value_form known_form(const pickle_val *v, pickle_type type)
{
    static const known_class classes[] = {
        [PICKLE_TYPE_BYTES] = { FORM_TEXT, is_bytes }, /* that are text, to be encoded */
        [PICKLE_TYPE_COMPLEX] = { FORM_TEXT, is_complex_number },
        [PICKLE_TYPE_RANGE] = { FORM_TEXT, is_slice },
        [PICKLE_TYPE_SLICE] = { FORM_TEXT, is_slice },
        [PICKLE_TYPE_DATE] = { FORM_TEXT, is_datetime },
        [PICKLE_TYPE_TIME] = { FORM_TEXT, is_datetime },
        [PICKLE_TYPE_DATETIME] = { FORM_TEXT, is_datetime },
        [PICKLE_TYPE_TIMEDELTA] = { FORM_TEXT, is_timedelta },
        [PICKLE_TYPE_TZINFO] = { FORM_TEXT, is_tzinfo },
        [PICKLE_TYPE_DECIMAL] = { FORM_TEXT, is_decimal },
        [PICKLE_TYPE_FRACTION] = { FORM_TEXT, is_any }, /* of any size */
        [PICKLE_TYPE_UUID] = { FORM_TEXT, is_uuid },
        [PICKLE_TYPE_PATH] = { FORM_TEXT, is_path },
        [PICKLE_TYPE_PATTERN] = { FORM_TEXT, is_pattern },
        [PICKLE_TYPE_TIMESTAMP] = { FORM_TEXT, is_timestamp },
        [PICKLE_TYPE_PANDAS_TIMEDELTA] = { FORM_TEXT, is_pandas_timedelta },
        [PICKLE_TYPE_PERIOD] = { FORM_TEXT, is_period },
        [PICKLE_TYPE_INTERVAL] = { FORM_TEXT, is_interval },
        [PICKLE_TYPE_NA] = { FORM_TEXT, pickle_is_missing },
        [PICKLE_TYPE_OFFSET] = { FORM_TEXT, is_plain_offset },
        [PICKLE_TYPE_MASKED_ARRAY] = { FORM_PICTURE, is_masked_array },
        [PICKLE_TYPE_RNG] = { FORM_PICTURE, is_random },
        [PICKLE_TYPE_SPARSE] = { FORM_PICTURE, is_any }, /* a check goes over all of it */
        [PICKLE_TYPE_STDARRAY] = { FORM_PICTURE, is_stdarray },
        [PICKLE_TYPE_INDEX] = { FORM_PICTURE, is_index },
        [PICKLE_TYPE_EXTENSION_ARRAY] = { FORM_PICTURE, is_column },
        [PICKLE_TYPE_TENSOR] = { FORM_PICTURE, is_tensor },
        [PICKLE_TYPE_STORAGE] = { FORM_PICTURE, is_storage },
        [PICKLE_TYPE_DATAFRAME] = { FORM_TABLE, is_dataframe },
        [PICKLE_TYPE_SERIES] = { FORM_TABLE, is_series },
    };

    if ((size_t)type < sizeof classes / sizeof *classes && classes[type].check &&
        classes[type].check(v))
        return classes[type].form;
    return pickle_kind_of(v) == PICKLE_PERSID && is_storage(v) ? FORM_PICTURE : FORM_OBJECT;
}

const char *known_name(const pickle_val *v)
{
    pickle_class_info info;
    const char *dot;

    if (!pickle_get_class(v, &info))
        return NULL;
    if (!info.public_name)
        return pickle_name(info.global);
    dot = strrchr(info.public_name, '.');
    return dot ? dot + 1 : info.public_name;
}

bool tensor_is_special(const pickle_tensor *t)
{
    return t->layout != PICKLE_LAYOUT_STRIDED || t->qscheme || t->conj || t->neg;
}

/* -------------------------------------------------------------------- text */

static bool put(pickle_sink out, const char *text)
{
    return out.write(out.ctx, text, strlen(text));
}

static bool put_format(pickle_sink out, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* Of numbers: they are short. */
static bool put_format(pickle_sink out, const char *format, ...)
{
    char text[96];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return put(out, text);
}

/* +01:00; with seconds where there are some. */
static bool put_offset(pickle_sink out, int64_t micros)
{
    uint64_t n = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros, seconds = n / 1000000;

    if (!put_format(out, "%c%02" PRIu64 ":%02" PRIu64, micros < 0 ? '-' : '+', seconds / 3600,
                    seconds / 60 % 60))
        return false;
    if (n % 1000000)
        return put_format(out, ":%02" PRIu64 ".%06" PRIu64, seconds % 60, n % 1000000);
    return seconds % 60 == 0 || put_format(out, ":%02" PRIu64, seconds % 60);
}

static bool put_zone(pickle_sink out, const pickle_val *tz)
{
    pickle_tzinfo zone;

    if (!pickle_get_tzinfo(tz, &zone))
        return true;
    if (zone.has_offset)
        return put_offset(out, zone.offset);
    return !zone.name || (put(out, "[") && put(out, zone.name) && put(out, "]"));
}

static bool put_clock(pickle_sink out, const pickle_datetime *d)
{
    return put_format(out, "%02d:%02d:%02d", d->hour, d->minute, d->second) &&
           (d->microsecond == 0 || put_format(out, ".%06d", d->microsecond)) &&
           (!d->tz || put_zone(out, d->tz));
}

static bool put_datetime(const pickle_val *v, pickle_sink out)
{
    pickle_datetime d;

    if (!pickle_get_datetime(v, &d))
        return false;
    if (d.type != PICKLE_TYPE_TIME && !put_format(out, "%04d-%02d-%02d", d.year, d.month, d.day))
        return false;
    if (d.type == PICKLE_TYPE_DATE)
        return true;
    return (d.type == PICKLE_TYPE_TIME || put(out, " ")) && put_clock(out, &d);
}

static bool put_timedelta(const pickle_val *v, pickle_sink out)
{
    pickle_timedelta d;

    if (!pickle_get_timedelta(v, &d))
        return false;
    return (d.days == 0 ||
            put_format(out,
                       d.days == 1 || d.days == -1 ? "%" PRId64 " day, " : "%" PRId64 " days, ",
                       d.days)) &&
           put_format(out, "%d:%02d:%02d", d.seconds / 3600, d.seconds / 60 % 60, d.seconds % 60) &&
           (d.microseconds == 0 || put_format(out, ".%06d", d.microseconds));
}

static bool put_tzinfo(const pickle_val *v, pickle_sink out)
{
    pickle_tzinfo zone;

    if (!pickle_get_tzinfo(v, &zone))
        return false;
    if (zone.name)
        return put(out, zone.name);
    return put(out, "UTC") &&
           (!zone.has_offset || zone.offset == 0 || put_offset(out, zone.offset));
}

static bool put_decimal(const pickle_val *v, pickle_sink out)
{
    const char *text = pickle_decimal(v);

    return text && put(out, text);
}

static bool put_fraction(const pickle_val *v, pickle_sink out)
{
    int64_t n, d;

    if (!pickle_get_fraction(v, &n, &d))
        return pickle_python_repr(v, out, 0, NULL);
    return put_format(out, d == 1 ? "%" PRId64 : "%" PRId64 "/%" PRId64, n, d);
}

static bool put_uuid(const pickle_val *v, pickle_sink out)
{
    unsigned char bytes[16];

    if (!pickle_get_uuid(v, bytes))
        return false;
    for (int i = 0; i < 16; i++)
        if (!put_format(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]))
            return false;
    return true;
}

static bool put_repr(const pickle_val *v, pickle_sink out)
{
    return pickle_python_repr(v, out, 0, NULL);
}

/* <MonthEnd>, <2 * MonthEnds>, <Week: weekday=0> */
static bool put_date_offset(const pickle_val *v, pickle_sink out)
{
    pickle_attrs it = { .of = v };
    const pickle_val *value;
    pickle_offset offset;
    const char *name, *before = ": ";

    if (!pickle_get_offset(v, &offset) || !put(out, "<"))
        return false;
    if (offset.n != 1 && !put_format(out, "%" PRId64 " * ", offset.n))
        return false;
    if (!put(out, offset.name) || (offset.n != 1 && !put(out, "s")))
        return false;
    while (pickle_next_attr(&it, &name, &value)) {
        if (*name == '_' || strcmp(name, "n") == 0 || strcmp(name, "normalize") == 0 ||
            pickle_kind_of(value) == PICKLE_NONE || pickle_kind_of(value) == PICKLE_DICT)
            continue;
        if (!put(out, before) || !put(out, name) || !put(out, "=") ||
            !pickle_pandas_text(value, out))
            return false;
        before = ", ";
    }
    return put(out, ">");
}

bool known_text(const pickle_val *v, pickle_sink out)
{
    static bool (*const texts[])(const pickle_val *v, pickle_sink out) = {
        [PICKLE_TYPE_BYTES] = put_repr,         [PICKLE_TYPE_COMPLEX] = put_repr,
        [PICKLE_TYPE_RANGE] = put_repr,         [PICKLE_TYPE_SLICE] = put_repr,
        [PICKLE_TYPE_DATE] = put_datetime,      [PICKLE_TYPE_TIME] = put_datetime,
        [PICKLE_TYPE_DATETIME] = put_datetime,  [PICKLE_TYPE_TIMEDELTA] = put_timedelta,
        [PICKLE_TYPE_TZINFO] = put_tzinfo,      [PICKLE_TYPE_DECIMAL] = put_decimal,
        [PICKLE_TYPE_FRACTION] = put_fraction,  [PICKLE_TYPE_UUID] = put_uuid,
        [PICKLE_TYPE_PATH] = pickle_put_path,   [PICKLE_TYPE_PATTERN] = put_repr,
        [PICKLE_TYPE_OFFSET] = put_date_offset,
    };
    pickle_type type = pickle_type_of(v);

    if ((size_t)type < sizeof texts / sizeof *texts && texts[type])
        return texts[type](v, out);
    return pickle_pandas_text(v, out);
}

/* -------------------------------------------------------------------- repr */

static bool put_interval(const pickle_val *v, pickle_sink out)
{
    const pickle_val *ends[2];
    pickle_interval interval;

    if (!pickle_get_interval(v, &interval))
        return false;
    ends[0] = interval.left;
    ends[1] = interval.right;
    if (!put(out, "Interval("))
        return false;
    for (int i = 0; i < 2; i++) {
        bool named = pickle_type_of(ends[i]) == PICKLE_TYPE_TIMESTAMP ||
                     pickle_type_of(ends[i]) == PICKLE_TYPE_PANDAS_TIMEDELTA;

        if (!(named ? known_repr(ends[i], out) : pickle_pandas_text(ends[i], out)) ||
            !put(out, ", "))
            return false;
    }
    return put(out, "closed='") && put(out, interval.closed) && put(out, "')");
}

static bool put_period(const pickle_val *v, pickle_sink out)
{
    pickle_period period;

    if (!pickle_get_period(v, &period) || !put(out, "Period('") || !pickle_pandas_text(v, out))
        return false;
    if (!*period.freq)
        return put(out, "')");
    if (period.freq_count != 1)
        return put_format(out, "', '%" PRId64 "%s')", period.freq_count, period.freq);
    return put_format(out, "', '%s')", period.freq);
}

bool known_repr(const pickle_val *v, pickle_sink out)
{
    pickle_type type = pickle_type_of(v);

    switch (type) {
    case PICKLE_TYPE_TIMESTAMP:
    case PICKLE_TYPE_PANDAS_TIMEDELTA:
        return put(out, type == PICKLE_TYPE_TIMESTAMP ? "Timestamp('" : "Timedelta('") &&
               pickle_pandas_text(v, out) && put(out, "')");
    case PICKLE_TYPE_PERIOD:
        return put_period(v, out);
    case PICKLE_TYPE_INTERVAL:
        return put_interval(v, out);
    case PICKLE_TYPE_OFFSET:
        return put_date_offset(v, out);
    case PICKLE_TYPE_NA:
        return pickle_pandas_text(v, out);
    default:
        return pickle_python_repr(v, out, 0, NULL);
    }
}
