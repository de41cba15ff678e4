/* pandas_time.c - moments, durations and periods as pandas shows them. */
#include <stdio.h>

#include "types/pandas.h"

#define DAY 86400

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

/* How many of a unit are a second; 0: not one of pandas' units. */
static int64_t per_second(const char *unit)
{
    static const struct {
        const char *name;
        int64_t n;
    } units[] = { { "s", 1 }, { "ms", 1000 }, { "us", 1000000 }, { "ns", 1000000000 } };

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].n;
    return 0;
}

/* ----------------------------------------------------------------------- moments */

/* What fits. */
static bool write_text(void *ctx, const void *data, size_t len)
{
    char *text = ctx;
    size_t used = strlen(text), room = PICKLE__MOMENT_CHARS - 1 - used;

    if (len > room)
        len = room;
    memcpy(text + used, data, len);
    text[used + len] = '\0';
    return true;
}

void pickle__moment_text(char text[PICKLE__MOMENT_CHARS], int64_t value, const char *unit)
{
    char dtype[16];
    pickle_array a;

    *text = '\0';
    snprintf(dtype, sizeof dtype, "=M8[%s]", unit);
    if (pickle__element(&a, dtype, &value))
        pickle_array_item_repr(&a, (pickle_sink){ write_text, text });
}

/* None, six or nine digits after the point, where there are three, six or nine. */
static void trim_fraction(char *text)
{
    char *point = strchr(text, '.'), *end;

    if (!point)
        return;
    end = text + strlen(text);
    if (strspn(point + 1, "0") == strlen(point + 1))
        *point = '\0';
    else if (end - point == 4)
        memcpy(end, "000", 4);
    else if (end - point == 10 && memcmp(end - 3, "000", 3) == 0)
        end[-3] = '\0';
}

/* ------------------------------------------------------------------------- zones */

/* Arrow's zones are text: "UTC", "Europe/Berlin", "+01:00". */
static bool text_zone(const char *text, pickle_tzinfo *out)
{
    int hours, minutes;
    char sign;

    memset(out, 0, sizeof *out);
    out->name = text;
    if (!text || strlen(text) != 6 || !strchr("+-", *text) ||
        sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) != 3 || hours < 0 || minutes < 0)
        return text != NULL;
    out->name = NULL;
    out->has_offset = true;
    out->offset =
        (hours * INT64_C(3600) + minutes * INT64_C(60)) * (sign == '-' ? -1000000 : 1000000);
    return true;
}

static bool read_zone(const pickle_val *tz, pickle_tzinfo *out)
{
    if (pickle_kind_of(tz) == PICKLE_STR ? !text_zone(pickle_str(tz), out)
                                         : !pickle_get_tzinfo(tz, out))
        return false;
    if (out->name && strcmp(out->name, "UTC") == 0) {
        out->has_offset = true;
        out->abbreviation = NULL;
        out->offset = 0;
    }
    return true;
}

/* "+01:00", "-00:16:08" */
static bool put_offset(int64_t seconds, pickle_sink out)
{
    int64_t n = seconds < 0 ? -seconds : seconds;
    char text[32];

    snprintf(text, sizeof text, n % 60 ? "%c%02d:%02d:%02d" : "%c%02d:%02d",
             seconds < 0 ? '-' : '+', (int)(n / 3600), (int)(n / 60 % 60), (int)(n % 60));
    return pickle__put(out, text);
}

/* An offset that can be shown: in whole seconds, less than a day. */
static bool offset_of(const pickle_tzinfo *zone, int64_t *seconds)
{
    *seconds = zone->offset / 1000000;
    return zone->has_offset && zone->offset % 1000000 == 0 && *seconds > -DAY && *seconds < DAY;
}

bool pickle__put_zone(const pickle_val *tz, pickle_sink out)
{
    pickle_tzinfo zone;
    int64_t seconds;

    if (!read_zone(tz, &zone))
        return false;
    if (zone.name)
        return pickle__put(out, zone.name);
    return !zone.abbreviation && offset_of(&zone, &seconds) && pickle__put(out, "UTC") &&
           (seconds == 0 || put_offset(seconds, out));
}

/* `value` as the clocks of the zone show it; false: it leaves the range. */
static bool shift(int64_t *value, int64_t seconds, const char *unit)
{
    int64_t by = seconds * per_second(unit);

    if (by > 0 ? *value > INT64_MAX - by : *value < INT64_MIN + 1 - by)
        return false;
    *value += by;
    return true;
}

bool pickle__put_moment(int64_t value, const char *unit, const pickle_val *tz, bool local,
                        pickle_sink out)
{
    pickle_tzinfo zone = { 0 };
    char text[PICKLE__MOMENT_CHARS], *t;
    bool known = tz && read_zone(tz, &zone), fixed;
    int64_t seconds = 0;

    if (value == PICKLE__NAT)
        return pickle__put(out, "NaT");
    fixed = known && (local || !zone.abbreviation) && offset_of(&zone, &seconds) &&
            shift(&value, seconds, unit);
    pickle__moment_text(text, value, unit);
    t = strchr(text, 'T');
    if (t)
        *t = ' ';
    trim_fraction(text);
    if (!pickle__put(out, text) || !tz)
        return !tz;
    if (fixed)
        return put_offset(seconds, out);
    return pickle__put(out, "Z[") && pickle__put(out, zone.name ? zone.name : "unknown") &&
           pickle__put(out, "]");
}

/* --------------------------------------------------------------------- durations */

/* "12:00:00", and the fraction as for moments. */
static bool put_clock(int64_t seconds, int64_t fraction, int64_t scale, pickle_sink out)
{
    char text[PICKLE__MOMENT_CHARS];
    int digits = scale == 1000 ? 3 : scale == 1000000 ? 6 : 9;

    snprintf(text, sizeof text, scale == 1 ? "%02d:%02d:%02d" : "%02d:%02d:%02d.%0*d",
             (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60), digits,
             (int)fraction);
    trim_fraction(text);
    return pickle__put(out, text);
}

bool pickle__put_duration(int64_t value, const char *unit, pickle_sink out)
{
    int64_t scale = per_second(unit), fraction, seconds, days;
    char text[PICKLE__MOMENT_CHARS];

    if (value == PICKLE__NAT)
        return pickle__put(out, "NaT");
    if (scale == 0)
        return false;
    seconds = divide(value, scale, &fraction);
    days = divide(seconds, DAY, &seconds);
    snprintf(text, sizeof text, "%lld days %s", (long long)days, days < 0 ? "+" : "");
    return pickle__put(out, text) && put_clock(seconds, fraction, scale, out);
}

bool pickle__put_time(int64_t value, const char *unit, pickle_sink out)
{
    int64_t scale = per_second(unit), fraction, seconds;

    if (scale == 0)
        return false;
    seconds = divide(value, scale, &fraction);
    divide(seconds, DAY, &seconds);
    return put_clock(seconds, fraction, scale, out);
}

/* ----------------------------------------------------------------------- periods */

/* Where weeks end: days from Sunday to it. */
static int64_t week_end(const char *freq)
{
    static const char days[] = "SUNMONTUEWEDTHUFRISAT";

    for (int64_t i = 0; i < 7; i++)
        if (strncmp(freq + 2, days + 3 * i, 3) == 0)
            return i;
    return 0;
}

static bool put_week(int64_t ordinal, const char *freq, pickle_sink out)
{
    char text[PICKLE__MOMENT_CHARS];
    uint64_t end = (uint64_t)ordinal * 7 + (uint64_t)week_end(freq) - 4;

    pickle__moment_text(text, (int64_t)(end - 6), "D");
    if (!pickle__put(out, text) || !pickle__put(out, "/"))
        return false;
    pickle__moment_text(text, (int64_t)end, "D");
    return pickle__put(out, text);
}

static bool put_quarter(int64_t ordinal, pickle_sink out)
{
    char text[PICKLE__MOMENT_CHARS];
    int64_t quarter, year = divide(ordinal, 4, &quarter) + 1970;

    snprintf(text, sizeof text, "%lldQ%d", (long long)year, (int)quarter + 1);
    return pickle__put(out, text);
}

/* Monday to Friday: five of seven days, 1970-01-01 being a Thursday. */
static int64_t business_day(int64_t ordinal)
{
    int64_t day, week = divide(ordinal < INT64_MAX - 3 ? ordinal + 3 : ordinal, 5, &day);

    return (int64_t)((uint64_t)week * 7 + (uint64_t)day - 3);
}

bool pickle__put_period(int64_t ordinal, const char *freq, pickle_sink out)
{
    char text[PICKLE__MOMENT_CHARS], *t;
    char unit[4] = { 0 };

    if (ordinal == PICKLE__NAT)
        return pickle__put(out, "NaT");
    switch (*freq) {
    case '\0':
        return false;
    case 'W':
        return put_week(ordinal, freq, out);
    case 'Q':
        return put_quarter(ordinal, out);
    case 'B':
        ordinal = business_day(ordinal);
        break;
    default:
        break;
    }
    /* Of "Y-DEC" the year; "min" is numpy's m. */
    memcpy(unit, *freq == 'B' ? "D" : freq, strcspn(*freq == 'B' ? "D" : freq, "-"));
    if (strcmp(unit, "min") == 0)
        unit[1] = '\0';
    pickle__moment_text(text, ordinal, unit);
    t = strchr(text, 'T');
    if (t)
        *t = ' ';
    return pickle__put(out, text) && pickle__put(out, strcmp(unit, "h") == 0 ? ":00" : "");
}
