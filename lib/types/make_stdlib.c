/* make_stdlib.c - values of Python's standard library, as its own classes reduce themselves. */
#include "types/make.h"
#include "types/stdlib.h"

/* ------------------------------------------------------------------ builtins */

pickle_val *pickle_new_complex(pickle_doc *doc, double real, double imag)
{
    return pickle__call(doc, "builtins", "complex",
                        PICKLE__ITEMS(pickle_new_float(doc, real), pickle_new_float(doc, imag)));
}

pickle_val *pickle_new_range(pickle_doc *doc, int64_t start, int64_t stop, int64_t step)
{
    if (step == 0)
        return PICKLE__REFUSE(doc, PICKLE_ERR_RANGE, "a range's step cannot be 0");
    return pickle__call(doc, "builtins", "range",
                        PICKLE__ITEMS(pickle_new_int(doc, start), pickle_new_int(doc, stop),
                                      pickle_new_int(doc, step)));
}

pickle_val *pickle_new_slice(pickle_doc *doc, const pickle_val *start, const pickle_val *stop,
                             const pickle_val *step)
{
    const pickle_val *none = pickle_new_none(doc);

    return pickle__call(
        doc, "builtins", "slice",
        PICKLE__ITEMS(start ? start : none, stop ? stop : none, step ? step : none));
}

/* ------------------------------------------------------------------ datetime */

static bool in_range(pickle_doc *doc, const char *what, int value, int least, int most)
{
    if (value >= least && value <= most)
        return true;
    return pickle__doc_fail(doc, PICKLE_ERR_RANGE, "%s must be in %d..%d", what, least, most);
}

/* The four bytes of a date. */
static bool put_date(pickle_doc *doc, unsigned char *dst, int year, int month, int day)
{
    if (!in_range(doc, "a year", year, 1, 9999) || !in_range(doc, "a month", month, 1, 12) ||
        !in_range(doc, "a day", day, 1, pickle__days_in_month(year, month)))
        return false;
    dst[0] = (unsigned char)(year >> 8);
    dst[1] = (unsigned char)year;
    dst[2] = (unsigned char)month;
    dst[3] = (unsigned char)day;
    return true;
}

/* The six bytes of a time. */
static bool put_time(pickle_doc *doc, unsigned char *dst, int hour, int minute, int second,
                     int microsecond, int fold)
{
    if (!in_range(doc, "an hour", hour, 0, 23) || !in_range(doc, "a minute", minute, 0, 59) ||
        !in_range(doc, "a second", second, 0, 59) ||
        !in_range(doc, "a microsecond", microsecond, 0, 999999) ||
        !in_range(doc, "fold", fold, 0, 1))
        return false;
    dst[0] = (unsigned char)hour;
    dst[1] = (unsigned char)minute;
    dst[2] = (unsigned char)second;
    dst[3] = (unsigned char)(microsecond >> 16);
    dst[4] = (unsigned char)(microsecond >> 8);
    dst[5] = (unsigned char)microsecond;
    return true;
}

/* `name`(bytes), or `name`(bytes, tz) */
static pickle_val *new_moment(pickle_doc *doc, const char *name, const unsigned char *bytes,
                              size_t len, const pickle_val *tz)
{
    if (pickle_kind_of(tz) == PICKLE_NONE)
        tz = NULL;
    return pickle__call(doc, "datetime", name, tz ? 2 : 1,
                        (const pickle_val *[]){ pickle_new_bytes(doc, bytes, len), tz });
}

pickle_val *pickle_new_date(pickle_doc *doc, int year, int month, int day)
{
    unsigned char bytes[4];

    return put_date(doc, bytes, year, month, day)
               ? new_moment(doc, "date", bytes, sizeof bytes, NULL)
               : NULL;
}

/* The second of two equal times is told by the highest bit of the hour, of a datetime's month. */
pickle_val *pickle_new_time(pickle_doc *doc, int hour, int minute, int second, int microsecond,
                            int fold, const pickle_val *tz)
{
    unsigned char bytes[6];

    if (!put_time(doc, bytes, hour, minute, second, microsecond, fold))
        return NULL;
    bytes[0] |= fold ? 0x80 : 0;
    return new_moment(doc, "time", bytes, sizeof bytes, tz);
}

pickle_val *pickle_new_datetime(pickle_doc *doc, int year, int month, int day, int hour, int minute,
                                int second, int microsecond, int fold, const pickle_val *tz)
{
    unsigned char bytes[10];

    if (!put_date(doc, bytes, year, month, day) ||
        !put_time(doc, bytes + 4, hour, minute, second, microsecond, fold))
        return NULL;
    bytes[2] |= fold ? 0x80 : 0;
    return new_moment(doc, "datetime", bytes, sizeof bytes, tz);
}

pickle_val *pickle_new_timedelta(pickle_doc *doc, int64_t days, int64_t seconds,
                                 int64_t microseconds)
{
    int64_t more = pickle__carry(&seconds, PICKLE__SECONDS_A_DAY);

    seconds += pickle__carry(&microseconds, 1000000);
    more += pickle__carry(&seconds, PICKLE__SECONDS_A_DAY);
    if (days < -PICKLE__MOST_DAYS - more || days > PICKLE__MOST_DAYS - more)
        return PICKLE__REFUSE(doc, PICKLE_ERR_RANGE, "a timedelta has at most %d days",
                              PICKLE__MOST_DAYS);
    return pickle__call(doc, "datetime", "timedelta",
                        PICKLE__ITEMS(pickle_new_int(doc, days + more),
                                      pickle_new_int(doc, seconds),
                                      pickle_new_int(doc, microseconds)));
}

pickle_val *pickle_new_timezone(pickle_doc *doc, int offset)
{
    const pickle_val *delta;

    if (!in_range(doc, "a timezone's offset", offset, 1 - PICKLE__SECONDS_A_DAY,
                  PICKLE__SECONDS_A_DAY - 1))
        return NULL;
    delta = pickle_new_timedelta(doc, 0, offset, 0);
    return pickle__call(doc, "datetime", "timezone", 1, &delta);
}

/* ------------------------------------------------------------------- numbers */

/* Of decimal's C implementation on 64-bit machines: the largest adjusted, the least exponent. */
#define MOST_EXPONENT  999999999999999999
#define LEAST_EXPONENT (-1999999999999999997)

/* The text of a Decimal: blanks around it and underscores in it do not count. */
typedef struct cursor {
    const char *p, *end;
} cursor;

static int peek(cursor *c)
{
    while (c->p < c->end && *c->p == '_')
        c->p++;
    return c->p < c->end ? (unsigned char)*c->p : -1;
}

/* A word in any case, if it comes next. */
static bool take_word(cursor *c, const char *word)
{
    cursor at = *c;

    for (; *word; word++, at.p++) {
        int next = peek(&at);

        if ((next | 0x20) != *word)
            return false;
    }
    *c = at;
    return true;
}

/* Counts digits, and those that are not leading zeros. */
static int64_t take_digits(cursor *c, int64_t *significant)
{
    int64_t n = 0;

    for (int next; (next = peek(c)) >= '0' && next <= '9'; c->p++, n++)
        *significant += *significant > 0 || next != '0';
    return n;
}

static void take_sign(cursor *c, bool *negative)
{
    int next = peek(c);

    *negative = next == '-';
    if (next == '-' || next == '+')
        c->p++;
}

/* "e-10" if there is any; saturated. */
static bool take_exponent(cursor *c, int64_t *exponent)
{
    bool negative, any = false;

    *exponent = 0;
    if (!take_word(c, "e"))
        return true;
    take_sign(c, &negative);
    for (int next; (next = peek(c)) >= '0' && next <= '9'; c->p++, any = true)
        if (*exponent <= INT64_MAX / 20)
            *exponent = *exponent * 10 + (next - '0');
    if (negative)
        *exponent = -*exponent;
    return any;
}

static bool take_number(cursor *c)
{
    int64_t significant = 0, digits = take_digits(c, &significant), fraction = 0, exponent;

    if (peek(c) == '.') {
        c->p++;
        fraction = take_digits(c, &significant);
    }
    if (digits + fraction == 0 || !take_exponent(c, &exponent))
        return false;
    exponent -= fraction;
    return exponent >= LEAST_EXPONENT &&
           exponent + (significant ? significant - 1 : 0) <= MOST_EXPONENT;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool pickle__is_decimal(const char *text)
{
    cursor c = { text, text + strlen(text) };
    int64_t ignored = 0;
    bool negative;

    while (c.p < c.end && is_blank(*c.p))
        c.p++;
    while (c.p < c.end && is_blank(c.end[-1]))
        c.end--;
    take_sign(&c, &negative);
    if (take_word(&c, "nan") || take_word(&c, "snan"))
        take_digits(&c, &ignored);
    else if (!take_word(&c, "infinity") && !take_word(&c, "inf") && !take_number(&c))
        return false;
    return peek(&c) < 0;
}

pickle_val *pickle_new_decimal(pickle_doc *doc, const char *text)
{
    const pickle_val *digits;

    if (!text || !pickle__is_decimal(text))
        return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "no decimal number");
    digits = pickle_new_str(doc, text);
    return pickle__call(doc, "decimal", "Decimal", 1, &digits);
}

/* In lowest terms, the sign above. */
pickle_val *pickle_new_fraction(pickle_doc *doc, int64_t numerator, int64_t denominator)
{
    uint64_t above = pickle__magnitude(numerator), below = pickle__magnitude(denominator), common;
    bool negative = (numerator < 0) != (denominator < 0);

    if (denominator == 0)
        return PICKLE__REFUSE(doc, PICKLE_ERR_RANGE, "a fraction's denominator cannot be 0");
    common = pickle__gcd(above, below);
    above /= common;
    return pickle__call(doc, "fractions", "Fraction",
                        PICKLE__ITEMS(negative ? pickle_new_int(doc, (int64_t)(0 - above))
                                               : pickle_new_uint(doc, above),
                                      pickle_new_uint(doc, below / common)));
}

pickle_val *pickle_new_uuid(pickle_doc *doc, const void *bytes)
{
    const unsigned char *first = bytes;
    unsigned char number[17] = { 0 };
    pickle_val *state;

    if (!pickle__given(doc, bytes, "the UUID"))
        return NULL;
    state = pickle_new_dict(doc);
    for (int i = 0; i < 16; i++)
        number[15 - i] = first[i];
    pickle_set_key(doc, state, "int", pickle_new_bigint(doc, number, sizeof number));
    return state ? pickle_new_instance(doc, "uuid", "UUID", state) : NULL;
}

/* ------------------------------------------------------------------ pathlib */

/* The whole path as one part, which every version takes; 3.13 writes that itself. */
pickle_val *pickle_new_path(pickle_doc *doc, const char *cls, const char *path)
{
    static const char *const classes[] = { "PurePath", "PurePosixPath", "PureWindowsPath",
                                           "Path",     "PosixPath",     "WindowsPath",
                                           NULL };
    const pickle_val *part;

    if (!path || !pickle__is_one_of(cls, classes))
        return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "no path, or no class of pathlib");
    part = pickle_new_str(doc, path);
    return pickle__call(doc, "pathlib", cls, 1, &part);
}

/* -------------------------------------------------------------- collections */

pickle_val *pickle_new_ordered_dict(pickle_doc *doc)
{
    return pickle__call(doc, "collections", "OrderedDict", 0, NULL);
}

pickle_val *pickle_new_default_dict(pickle_doc *doc, const pickle_val *factory)
{
    if (pickle_kind_of(factory) == PICKLE_NONE)
        factory = NULL;
    if (factory && !pickle__is_symbol(factory))
        return PICKLE__REFUSE(doc, PICKLE_ERR_TYPE, "a factory is a class or function");
    return pickle__call(doc, "collections", "defaultdict", factory ? 1 : 0, &factory);
}

pickle_val *pickle_new_counter(pickle_doc *doc, const pickle_val *counts)
{
    if (!counts)
        counts = pickle_new_dict(doc);
    if (counts && !pickle__is(counts, PICKLE_DICT))
        return PICKLE__REFUSE(doc, PICKLE_ERR_TYPE, "counts are a dict");
    return pickle__call(doc, "collections", "Counter", 1, &counts);
}

pickle_val *pickle_new_deque(pickle_doc *doc, int64_t maxlen)
{
    if (maxlen < 0)
        return pickle__call(doc, "collections", "deque", 0, NULL);
    return pickle__call(doc, "collections", "deque",
                        PICKLE__ITEMS(pickle_new_tuple(doc, 0, NULL), pickle_new_int(doc, maxlen)));
}

pickle_val *pickle_new_namedtuple(pickle_doc *doc, const char *module, const char *name, size_t n,
                                  const pickle_val *const *items)
{
    const pickle_val *class = pickle_new_global(doc, module, name);
    const pickle_val *tuple = pickle_new_tuple(doc, n, items);

    return tuple ? pickle_new_call(doc, PICKLE_CALL_NEWOBJ, class, tuple, NULL) : NULL;
}

pickle_val *pickle_new_enum(pickle_doc *doc, const char *module, const char *name,
                            const pickle_val *value)
{
    return pickle__call(doc, module, name, 1, &value);
}
