/* pandas_scalar.c - Timestamp, Timedelta, Period, Interval, offsets, and what is missing. */
#include "types/pandas.h"

/* ------------------------------------------------------------ moments, durations */

/* numpy's numbers of units, as pandas' _reso. */
static const char *unit_of(int64_t number)
{
    switch (number) {
    case 7:
        return "s";
    case 8:
        return "ms";
    case 9:
        return "us";
    case 10:
        return "ns";
    default:
        return NULL;
    }
}

/* What was not made of a number of units is left to Python: Timestamp('2020-01-01'). */
static bool read_value(const pickle_val *v, size_t unit_at, pickle_timestamp *out)
{
    const pickle_val *args = pickle_args(v), *number = pickle_at(args, unit_at);
    const char *unit = unit_of(number ? pickle_i64_or(number, 0) : 10);

    memset(out, 0, sizeof *out);
    if (pickle_kind_of(pickle_at(args, 0)) != PICKLE_INT || !unit)
        return false;
    memcpy(out->unit, unit, strlen(unit) + 1);
    return pickle_get_i64(pickle_at(args, 0), &out->value);
}

/* (value, freq, zone), and from pandas 2.0 on the unit. */
bool pickle_get_timestamp(const pickle_val *v, pickle_timestamp *out)
{
    if (pickle_type_of(v) != PICKLE_TYPE_TIMESTAMP || !read_value(v, 3, out))
        return false;
    out->tz = pickle__argument(v, 2);
    return true;
}

bool pickle_get_pandas_timedelta(const pickle_val *v, pickle_timestamp *out)
{
    return pickle_type_of(v) == PICKLE_TYPE_PANDAS_TIMEDELTA && read_value(v, 1, out);
}

/* ------------------------------------------------------------------- frequencies */

/* Offsets that are frequencies of periods; `anchor` is the attribute that follows the dash. */
typedef struct frequency {
    const char *offset, *name, *old_name, *anchor;
} frequency;

static const frequency frequencies[] = {
    { "YearEnd", "Y", "A", "month" },  { "QuarterEnd", "Q", "Q", "startingMonth" },
    { "MonthEnd", "M", "M", NULL },    { "Week", "W", "W", "weekday" },
    { "BusinessDay", "B", "B", NULL }, { "Day", "D", "D", NULL },
    { "Hour", "h", "H", NULL },        { "Minute", "min", "T", NULL },
    { "Second", "s", "S", NULL },      { "Milli", "ms", "L", NULL },
    { "Micro", "us", "U", NULL },      { "Nano", "ns", "N", NULL },
};

#define FREQUENCIES (sizeof frequencies / sizeof *frequencies)

static const char *const months[] = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC" };
static const char *const days[] = { "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN" };

/* "DEC" of "Q-DEC", by number or as text; the last of the year or week, where there is none. */
static const char *anchor_name(const frequency *f, const pickle_val *number, const char *text,
                               size_t len)
{
    bool week = *f->name == 'W';
    const char *const *names = week ? days : months;
    int64_t n = week ? 7 : 12, at = number ? pickle_i64_or(number, -1) - !week : n - 1;

    for (int64_t i = 0; text && i < n; i++)
        if (len == 3 && memcmp(text, names[i], 3) == 0)
            return names[i];
    return !text && at >= 0 && at < n ? names[at] : NULL;
}

static bool set_freq(char freq[16], const frequency *f, const char *anchor)
{
    if (f->anchor && !anchor)
        return false;
    strcpy(freq, f->name);
    if (anchor) {
        strcat(freq, "-");
        strcat(freq, anchor);
    }
    return true;
}

static bool name_is(const char *name, const char *text, size_t len)
{
    return strlen(name) == len && memcmp(name, text, len) == 0;
}

/* "2M", "Q-DEC", "period[W-SUN]" */
static void parse_freq(const char *text, size_t len, char freq[16], int64_t *count)
{
    size_t digits = 0, base = 0;
    const char *anchor;

    if (len > 8 && memcmp(text, "period[", 7) == 0 && text[len - 1] == ']') {
        text += 7;
        len -= 8;
    }
    for (; digits < len && digits < 9 && text[digits] >= '0' && text[digits] <= '9'; digits++)
        *count = (digits ? *count * 10 : 0) + (text[digits] - '0');
    text += digits;
    len -= digits;
    while (base < len && text[base] != '-')
        base++;
    anchor = base < len ? text + base + 1 : NULL;
    for (size_t i = 0; i < FREQUENCIES; i++) {
        const frequency *f = &frequencies[i];

        if (name_is(f->name, text, base) || name_is(f->old_name, text, base))
            set_freq(freq, f,
                     f->anchor ? anchor_name(f, NULL, anchor, anchor ? len - base - 1 : 0) : NULL);
    }
}

/* An argument of an offset, or an attribute: its own, or of pandas 0.20's `kwds`. */
static const pickle_val *offset_part(const pickle_val *v, size_t index, const char *name)
{
    const pickle_val *part = pickle__unless_none(pickle__pandas_arg(v, index));

    if (!part)
        part = pickle__attribute(v, name);
    return part ? part : pickle_get(pickle__attribute(v, "kwds"), name);
}

bool pickle_get_offset(const pickle_val *v, pickle_offset *out)
{
    const pickle_val *part;

    if (pickle_type_of(v) != PICKLE_TYPE_OFFSET)
        return false;
    *out = (pickle_offset){ .name = pickle_name(pickle_class(v)), .n = 1 };
    part = offset_part(v, 0, "n");
    if (part && !pickle_get_i64(part, &out->n))
        return false;
    pickle_get_bool(offset_part(v, 1, "normalize"), &out->normalize);
    return true;
}

static bool freq_of_offset(const pickle_val *v, char freq[16], int64_t *count)
{
    pickle_offset offset;

    if (!pickle_get_offset(v, &offset))
        return false;
    *count = offset.n;
    for (size_t i = 0; i < FREQUENCIES; i++) {
        const frequency *f = &frequencies[i];

        if (strcmp(offset.name, f->offset) == 0)
            set_freq(freq, f,
                     f->anchor ? anchor_name(f, offset_part(v, 2, f->anchor), NULL, 0) : NULL);
    }
    return true;
}

bool pickle__pandas_freq(const pickle_val *v, char freq[16], int64_t *count)
{
    const pickle_val *of = v;

    *freq = '\0';
    *count = 1;
    if (pickle_type_of(v) == PICKLE_TYPE_EXTENSION_DTYPE) {
        of = pickle__pandas_arg(v, 0);
        if (!of)
            of = pickle__attribute(v, "freq");
        if (!of)
            of = pickle__attribute(v, "_freq");
    }
    if (!pickle_str(of))
        return freq_of_offset(of, freq, count);
    parse_freq(pickle_str(of), pickle_len(of), freq, count);
    return true;
}

/* -------------------------------------------------------------- period, interval */

/* Period(None, freq, ordinal) */
bool pickle_get_period(const pickle_val *v, pickle_period *out)
{
    const pickle_val *args = pickle_args(v);

    memset(out, 0, sizeof *out);
    return pickle_type_of(v) == PICKLE_TYPE_PERIOD &&
           pickle_get_i64(pickle_at(args, 2), &out->ordinal) &&
           pickle__pandas_freq(pickle_at(args, 1), out->freq, &out->freq_count);
}

bool pickle_get_interval(const pickle_val *v, pickle_interval *out)
{
    const pickle_val *args = pickle_args(v);

    if (pickle_type_of(v) != PICKLE_TYPE_INTERVAL)
        return false;
    *out = (pickle_interval){ pickle_at(args, 0), pickle_at(args, 1),
                              pickle__pandas_closed(pickle_at(args, 2)) };
    return out->closed != NULL;
}

/* ----------------------------------------------------------------------- missing */

/* Is a float NaN, or a moment NaT? */
static bool is_missing_scalar(const pickle_val *v)
{
    pickle_array a;
    double parts[2] = { 0, 0 };
    int64_t n;

    if (!pickle_get_array(v, &a) || !a.scalar || !a.data)
        return false;
    if (a.dtype.kind == 'M' || a.dtype.kind == 'm') {
        pickle__element(&a, a.dtype.order == '>' ? ">i8" : "<i8", a.data);
        return pickle_array_copy(&a, "=i8", &n, sizeof n, NULL) && n == PICKLE__NAT;
    }
    if (a.dtype.kind == 'c')
        pickle_array_copy(&a, "=c16", parts, sizeof parts, NULL);
    else if (a.dtype.kind == 'f')
        pickle_array_copy(&a, "=f8", parts, sizeof *parts, NULL);
    return parts[0] != parts[0] || parts[1] != parts[1];
}

bool pickle_is_missing(const pickle_val *v)
{
    double x;

    switch (pickle_kind_of(v)) {
    case PICKLE_NONE:
        return true;
    case PICKLE_FLOAT:
        return pickle_get_f64(v, &x) && x != x;
    case PICKLE_GLOBAL:
    case PICKLE_OBJECT:
        break;
    default:
        return false;
    }
    if (pickle_type_of(v) == PICKLE_TYPE_NA)
        return true;
    if (pickle_type_of(v) == PICKLE_TYPE_DECIMAL)
        return pickle_decimal(v) && strcmp(pickle_decimal(v), "NaN") == 0;
    return pickle_type_of(v) == PICKLE_TYPE_SCALAR && is_missing_scalar(v);
}
