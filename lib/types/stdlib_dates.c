/* stdlib_dates.c - views of dates, times, durations and time zones. */
#include "types/stdlib.h"

#include "base/text.h"

#define MICROSECONDS 1000000

/* -------------------------------------------------------------- dates and times */

int pickle__days_in_month(int year, int month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/*
 * The state: bytes, Python 2's str among them; or text, from a Python 2 file that another program
 * read and wrote again: the classes take it as latin1.
 */
static bool read_state(const pickle_val *v, unsigned char state[10], size_t size)
{
    size_t len;
    const unsigned char *bytes = pickle_bytes(v, &len);

    if (bytes) {
        memcpy(state, bytes, len < size ? len : size);
        return len == size;
    }
    return pickle_str(v) && pickle_len(v) <= 2 * size &&
           pickle__encode_latin1(NULL, pickle_str(v), pickle_len(v), &len) && len == size &&
           pickle__encode_latin1(state, pickle_str(v), pickle_len(v), &len);
}

static bool read_date(const unsigned char *state, pickle_datetime *out)
{
    out->year = state[0] << 8 | state[1];
    out->month = state[2];
    out->day = state[3];
    return out->year >= 1 && out->year <= 9999 && out->month >= 1 && out->month <= 12 &&
           out->day >= 1 && out->day <= pickle__days_in_month(out->year, out->month);
}

static bool read_time(const unsigned char *state, pickle_datetime *out)
{
    out->hour = state[0];
    out->minute = state[1];
    out->second = state[2];
    out->microsecond = state[3] << 16 | state[4] << 8 | state[5];
    return out->hour < 24 && out->minute < 60 && out->second < 60 &&
           out->microsecond < MICROSECONDS;
}

/* The highest bit of the month, of a time's hour, tells the second of two equal times. */
static void take_fold(unsigned char *byte, pickle_datetime *out)
{
    out->fold = *byte >> 7;
    *byte &= 0x7f;
}

static bool read_moment(const pickle_val *v, pickle_datetime *out)
{
    unsigned char state[10];
    const pickle_val *arg = pickle__argument(v, 0);

    switch (out->type) {
    case PICKLE_TYPE_DATE:
        return read_state(arg, state, 4) && read_date(state, out);
    case PICKLE_TYPE_TIME:
        if (!read_state(arg, state, 6))
            return false;
        take_fold(&state[0], out);
        return read_time(state, out);
    case PICKLE_TYPE_DATETIME:
        if (!read_state(arg, state, 10))
            return false;
        take_fold(&state[2], out);
        return read_date(state, out) && read_time(state + 4, out);
    default:
        return false;
    }
}

bool pickle_get_datetime(const pickle_val *v, pickle_datetime *out)
{
    pickle_datetime d = { .type = pickle_type_of(v) };

    if (pickle_kind_of(v) != PICKLE_OBJECT || !read_moment(v, &d))
        return false;
    if (d.type != PICKLE_TYPE_DATE)
        d.tz = pickle__argument(v, 1);
    *out = d;
    return true;
}

/* -------------------------------------------------------------------- durations */

int64_t pickle__carry(int64_t *n, int64_t unit)
{
    int64_t rest = *n % unit, whole = *n / unit;

    whole -= rest < 0;
    *n = rest < 0 ? rest + unit : rest;
    return whole;
}

/* An argument that may be left out, and is small enough for sums not to overflow. */
static bool read_count(const pickle_val *v, size_t index, int64_t *out)
{
    const pickle_val *arg = pickle_at(pickle_args(v), index);

    *out = 0;
    return !arg || (pickle_get_i64(arg, out) && *out > INT64_MIN / 4 && *out < INT64_MAX / 4);
}

bool pickle_get_timedelta(const pickle_val *v, pickle_timedelta *out)
{
    int64_t days, seconds, microseconds;

    if (!pickle__known_as(v, "datetime.timedelta") || !read_count(v, 0, &days) ||
        !read_count(v, 1, &seconds) || !read_count(v, 2, &microseconds))
        return false;
    seconds += pickle__carry(&microseconds, MICROSECONDS);
    days += pickle__carry(&seconds, PICKLE__SECONDS_A_DAY);
    if (days < -PICKLE__MOST_DAYS || days > PICKLE__MOST_DAYS)
        return false;
    *out = (pickle_timedelta){ days, (int)seconds, (int)microseconds };
    return true;
}

/* ------------------------------------------------------------------- time zones */

/* Less than a day, from a timedelta or, with `unit` microseconds each, an int. */
static bool set_offset(const pickle_val *v, int64_t unit, pickle_tzinfo *out)
{
    const int64_t day = (int64_t)PICKLE__SECONDS_A_DAY * MICROSECONDS;
    pickle_timedelta delta;
    int64_t n;

    if (pickle_get_timedelta(v, &delta) && delta.days >= -1 && delta.days <= 0)
        n = delta.days * day + (int64_t)delta.seconds * MICROSECONDS + delta.microseconds;
    else if (pickle_get_i64(v, &n) && n > -day / unit && n < day / unit)
        n *= unit;
    else
        return false;
    out->has_offset = true;
    out->offset = n;
    return n > -day;
}

/* The attribute, for classes that keep their state; else the argument. */
static const pickle_val *part_of(const pickle_val *v, const char *attr, size_t index)
{
    const pickle_val *found = pickle__attribute(v, attr);

    return found ? found : pickle__argument(v, index);
}

static bool read_utc(const pickle_val *v, pickle_tzinfo *out)
{
    (void)v;
    out->name = "UTC";
    out->has_offset = true;
    return true;
}

/* timezone(timedelta), timezone(timedelta, name) */
static bool read_timezone(const pickle_val *v, pickle_tzinfo *out)
{
    const pickle_val *offset = pickle__argument(v, 0), *name = pickle_at(pickle_args(v), 1);

    if (!pickle__known_as(offset, "datetime.timedelta") || !set_offset(offset, 1, out) ||
        (name && !pickle_str(name)))
        return false;
    out->name = name ? pickle_str(name) : out->offset == 0 ? "UTC" : NULL;
    return true;
}

/* ZoneInfo._unpickle(key, from_cache) */
static bool read_zoneinfo(const pickle_val *v, pickle_tzinfo *out)
{
    out->name = pickle_str(pickle__argument(v, 0));
    return out->name != NULL;
}

/* pytz._p(zone), or _p(zone, seconds, of them saving, abbreviation) */
static bool read_pytz(const pickle_val *v, pickle_tzinfo *out)
{
    out->name = pickle_str(pickle__argument(v, 0));
    out->abbreviation = pickle_str(pickle__argument(v, 3));
    return out->name && (pickle_len(pickle_args(v)) == 1 ||
                         set_offset(pickle__argument(v, 1), MICROSECONDS, out));
}

/* pytz.FixedOffset(minutes) */
static bool read_minutes(const pickle_val *v, pickle_tzinfo *out)
{
    return set_offset(pickle__argument(v, 0), (int64_t)60 * MICROSECONDS, out);
}

static bool read_tzoffset(const pickle_val *v, pickle_tzinfo *out)
{
    out->name = pickle_str(part_of(v, "_name", 0));
    return set_offset(part_of(v, "_offset", 1), MICROSECONDS, out);
}

/* tzfile(None, filename), or dateutil 4's _unpickle(tzfile, key, ...) */
static bool read_tzfile(const pickle_val *v, pickle_tzinfo *out)
{
    out->name = pickle_str(pickle__argument(v, 1));
    if (!out->name)
        out->name = pickle_str(part_of(v, "_filename", 0));
    return out->name != NULL;
}

/* The rule of a tzstr; a tzlocal or tzrange has no name. */
static bool read_rule(const pickle_val *v, pickle_tzinfo *out)
{
    out->name = pickle_str(part_of(v, "_s", 0));
    return true;
}

static const struct {
    const char *public_name;
    bool (*read)(const pickle_val *v, pickle_tzinfo *out);
} zones[] = {
    { "datetime.timezone", read_timezone },
    { "zoneinfo.ZoneInfo", read_zoneinfo },
    { "pytz.UTC", read_utc },
    { "pytz.tzinfo.BaseTzInfo", read_pytz },
    { "pytz.FixedOffset", read_minutes },
    { "dateutil.tz.tzutc", read_utc },
    { "dateutil.tz.tzoffset", read_tzoffset },
    { "dateutil.tz.tzfile", read_tzfile },
    { "dateutil.tz.tzlocal", read_rule },
    { "dateutil.tz.tzrange", read_rule },
    { "dateutil.tz.tzstr", read_rule },
};

bool pickle_get_tzinfo(const pickle_val *v, pickle_tzinfo *out)
{
    pickle_tzinfo found = { 0 };

    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        if (!pickle__known_as(v, zones[i].public_name))
            continue;
        if (!zones[i].read(v, &found))
            return false;
        *out = found;
        return true;
    }
    return false;
}
