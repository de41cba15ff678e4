/*
 * dates.c - what the bytes of datetime's classes mean.
 *
 * Facts: __reduce__ and __repr__ in CPython's Lib/_pydatetime.py. The highest
 * bit of the month, or of the hour of a time, is the fold.
 */
#include <stdio.h>

#include "dates.h"

typedef enum class_of_date { NONE, DATE, TIME, DATETIME } class_of_date;

static class_of_date classify(const pickle_val *v)
{
    if (pickle_is_a(v, "datetime", "datetime"))
        return DATETIME;
    if (pickle_is_a(v, "datetime", "date"))
        return DATE;
    return pickle_is_a(v, "datetime", "time") ? TIME : NONE;
}

/* Adds to `text`, which is long enough for all seven numbers. */
static size_t add(char *text, size_t len, const char *before, unsigned n)
{
    return len + (size_t)snprintf(text + len, DATE_CHARS - len, "%s%u", before, n);
}

static size_t add_time(char *text, size_t len, const unsigned char *b, bool folded)
{
    unsigned micros = (unsigned)b[3] << 16 | (unsigned)b[4] << 8 | b[5];

    len = add(text, len, len ? ", " : "", b[0] & 0x7f);
    len = add(text, len, ", ", b[1]);
    if (b[2] || micros)
        len = add(text, len, ", ", b[2]);
    if (micros)
        len = add(text, len, ", ", micros);
    return folded ? add(text, len, ", fold=", 1) : len;
}

bool date_arguments(const pickle_val *v, char text[DATE_CHARS], const pickle_val **zone)
{
    static const size_t sizes[] = { [DATE] = 4, [TIME] = 6, [DATETIME] = 10 };
    class_of_date c = classify(v);
    size_t size, len = 0;
    const unsigned char *b = pickle_bytes(pickle_at(pickle_args(v), 0), &size);

    if (c == NONE || !b || size != sizes[c])
        return false;
    *zone = pickle_at(pickle_args(v), 1);
    if (c == TIME) {
        add_time(text, 0, b, b[0] >> 7);
        return true;
    }
    len = add(text, len, "", (unsigned)b[0] << 8 | b[1]);
    len = add(text, len, ", ", b[2] & 0x7f);
    len = add(text, len, ", ", b[3]);
    if (c == DATETIME)
        add_time(text, len, b + 4, b[2] >> 7);
    return true;
}
