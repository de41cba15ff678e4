/*
 * pickle/stdlib.h - what objects of Python's standard library mean: containers, dates, numbers,
 * paths, and others.
 *
 * These are views over the graph, computed on request, for all the forms that the Pythons from 2.7
 * on wrote and read. Nothing is called: a view is what the class would make of its arguments. A
 * view is a plain struct, without memory of its own, that borrows from the document. Each accessor
 * is false, its output untouched, for what is something else, or has parts that contradict each
 * other or what the class allows; NULL is something else. pickle_type_of (<pickle/class.h>) tells
 * which accessor is for a value. Facts: the __reduce__ methods of the classes, and pickles of
 * CPython 2.7 to 3.14.
 */
#ifndef PICKLE_STDLIB_H
#define PICKLE_STDLIB_H

#include <pickle/array.h>
#include <pickle/class.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------- containers */

/*
 * The items of a container, however the file has them:
 *
 * - plain ones: list, tuple, dict, set, frozenset; sets as protocols 0 to 3 call them;
 * - OrderedDict (Python 2's list of pairs too), defaultdict, Counter, UserDict, deque, UserList;
 * - ChainMap: a list of its maps, though a lookup goes through them, the first that has it wins;
 * - objects of other classes that were given items (children of list, dict, deque), or that were
 *   made from a tuple, list or dict by copyreg._reconstructor;
 * - tuples that have a class: the arguments of __new__ are the items, as in a namedtuple. For a
 *   child of tuple without fields these are one tuple: then its items. The file doesn't tell the
 *   one from a namedtuple whose only field is a tuple, nor from other classes with __getnewargs__;
 * - instances of a dataclass with slots that is frozen, whose state is the list of its values.
 *
 * The struct is the container and the place in it: pickle_next_item starts at the first item.
 */
typedef struct pickle_items {
    pickle_kind kind; /* LIST, TUPLE, DICT, SET or FROZENSET: what it is most like */
    /* Items; pairs of key and value for DICT. Keys that were set twice, by separate opcodes or in
     * a list of pairs, come and count twice: the last one is valid. Python does not write that. */
    size_t count;
    bool chained;               /* ChainMap                                                       */
    const pickle_val *factory;  /* defaultdict: a GLOBAL or what makes it; NULL: None             */
    int64_t maxlen;             /* deque; -1: no bound                                            */
    const pickle_val *parts[2]; /* the rest is private                                            */
    size_t skip;
    int part;
    pickle_iter at;
} pickle_items;

PICKLE_API bool pickle_get_items(const pickle_val *v, pickle_items *out);
/* The next item; `key` is NULL but for mappings. */
PICKLE_API bool pickle_next_item(pickle_items *it, const pickle_val **key,
                                 const pickle_val **value);
/* Item `index` from the start, wherever the place is; of a mapping, NULL. */
PICKLE_API const pickle_val *pickle_item(const pickle_items *items, size_t index);
/*
 * The value of a key in a mapping, the item of a set, with Python's equality; NULL: there is none.
 * By a hash index where the items are a dict's or a set's, else by comparing them all.
 */
PICKLE_API const pickle_val *pickle_item_get(const pickle_items *items, const char *key);
PICKLE_API const pickle_val *pickle_item_get_int(const pickle_items *items, int64_t key);
PICKLE_API const pickle_val *pickle_item_get_val(const pickle_items *items, const pickle_val *key);

/*
 * bytes and bytearray in every form: as pickle_bytes, which has not what protocols 0 to 4 call a
 * bytearray: bytearray(b'..'), bytearray(u'..', 'latin-1'). The latter is text, which is decoded
 * on the way: so the bytes go to a sink. False for what is neither, or when `out` refused.
 */
PICKLE_API bool pickle_put_bytes(const pickle_val *v, pickle_sink out);

/* ------------------------------------------------------------ dates and times */

/* datetime.date, time and datetime, by `type`; what it does not have is 0. */
typedef struct pickle_datetime {
    pickle_type type; /* PICKLE_TYPE_DATE, TIME, DATETIME        */
    int year;         /* 1 .. 9999                               */
    int month, day;   /* from 1                                  */
    int hour, minute, second, microsecond;
    int fold;             /* 1: the second of two equal wall times   */
    const pickle_val *tz; /* for pickle_get_tzinfo; NULL: none, naive */
} pickle_datetime;

PICKLE_API bool pickle_get_datetime(const pickle_val *v, pickle_datetime *out);

/* Normalised, as in Python: -999999999 .. 999999999 days, 0 .. 86399 seconds, 0 .. 999999. */
typedef struct pickle_timedelta {
    int64_t days;
    int seconds, microseconds;
} pickle_timedelta;

PICKLE_API bool pickle_get_timedelta(const pickle_val *v, pickle_timedelta *out);

/*
 * A time zone: datetime.timezone; zoneinfo.ZoneInfo; pytz's UTC, FixedOffset and named zones;
 * dateutil's tzutc, tzoffset, tzfile, tzlocal, tzstr, tzrange.
 */
typedef struct pickle_tzinfo {
    const char *name; /* "Europe/Berlin", "UTC", the name a timezone was given; of a zone read from
                         a file, its path where there is no other; NULL: none */
    const char *abbreviation; /* pytz: "CEST"; else NULL */
    bool has_offset;          /* it is fixed; or pytz's, which is for the moments that carry it */
    int64_t offset;           /* from UTC, east is positive, in microseconds */
} pickle_tzinfo;

PICKLE_API bool pickle_get_tzinfo(const pickle_val *v, pickle_tzinfo *out);

/* --------------------------------------------------------------------- numbers */

PICKLE_API bool pickle_get_complex(const pickle_val *v, double *real, double *imag);
/* The text of a decimal.Decimal, as its str(): "1.10", "NaN", "1E+500"; NULL for other values. */
PICKLE_API const char *pickle_decimal(const pickle_val *v);
/* In lowest terms, the sign above. False for a greater one, too: pickle_python_repr shows any. */
PICKLE_API bool pickle_get_fraction(const pickle_val *v, int64_t *numerator, int64_t *denominator);
/* 16 bytes, the most significant first. */
PICKLE_API bool pickle_get_uuid(const pickle_val *v, unsigned char out[16]);

/* range (xrange), whose parts are ints; and slice, whose parts are anything, None where there is
 * none. */
typedef struct pickle_slice {
    const pickle_val *start, *stop, *step;
} pickle_slice;

PICKLE_API bool pickle_get_slice(const pickle_val *v, pickle_slice *out);

/*
 * array.array: numbers as a one-dimensional array. As machine bytes (protocols 3 and up), the dtype
 * says how they lie: either byte order; "<U1" for text in UTF-32, "<u2" for the code units of text
 * in UTF-16. As a list (protocols 0 to 2, and what no machine has), its dtype is of kind 'O', and
 * `objects` are the ints, floats, or texts of one character.
 */
typedef struct pickle_stdarray {
    char typecode; /* "bBuwhHiIlLqQfd", and "c" of Python 2 */
    pickle_array array;
} pickle_stdarray;

PICKLE_API bool pickle_get_stdarray(const pickle_val *v, pickle_stdarray *out);

/* ---------------------------------------------------------------------- others */

/* str() of a path of pathlib: its parts joined as Python joins them. False when `out` refused, or
 * for other values. */
PICKLE_API bool pickle_put_path(const pickle_val *v, pickle_sink out);

/*
 * A member of an enum: by its value, Color(1); by its name, getattr(Color, 'RED'), as Python 3.11.0
 * to 3.11.3 have it; or two flags combined with |, as those have them. The file does not say that a
 * class is an enum: every unknown class that is called with one argument looks like one.
 */
typedef struct pickle_enum {
    const pickle_val *cls;   /* GLOBAL; NULL: a combination     */
    const pickle_val *value; /* or NULL                         */
    const char *name;        /* or NULL                         */
    const pickle_val *flags; /* a tuple of two members, or NULL; an int may stand for the second */
} pickle_enum;

PICKLE_API bool pickle_get_enum(const pickle_val *v, pickle_enum *out);

/* functools.partial. */
typedef struct pickle_partial {
    const pickle_val *func;
    const pickle_val *args;   /* tuple                */
    const pickle_val *kwargs; /* dict                 */
    const pickle_val *attrs;  /* dict of its attributes, or NULL */
} pickle_partial;

PICKLE_API bool pickle_get_partial(const pickle_val *v, pickle_partial *out);

/* An exception of the standard library; pickle_next_attr has its attributes. */
typedef struct pickle_exception {
    const pickle_val *cls;  /* GLOBAL, such as builtins.ValueError */
    const pickle_val *args; /* tuple                               */
} pickle_exception;

PICKLE_API bool pickle_get_exception(const pickle_val *v, pickle_exception *out);

/* re.compile(pattern, flags); `pattern` is a str or bytes. */
typedef struct pickle_pattern {
    const pickle_val *pattern;
    int64_t flags; /* of that Python: re.IGNORECASE 2, re.UNICODE 32, ... */
} pickle_pattern;

PICKLE_API bool pickle_get_pattern(const pickle_val *v, pickle_pattern *out);

/* ------------------------------------------------------------------------ text */

/*
 * As pickle_repr, but objects with a view above as Python 3.13's repr() shows them, at any depth:
 * datetime.datetime(2020, 1, 2, 3, 4), OrderedDict({'a': 1}), deque([1, 2], maxlen=3), {1, 2}.
 * Items of a set come in the order of the file. Objects of other classes are shown as there.
 */
PICKLE_API bool pickle_python_repr(const pickle_val *v, pickle_sink out, size_t limit,
                                   pickle_error *err);

#ifdef __cplusplus
}
#endif
#endif
