/*
 * pickle/class.h - which class an object is of, where libpickle knows what it means.
 *
 * Objects stay what the file has: a call and what followed it. But one class goes by many names:
 * modules were moved (pandas.core.index, pandas.core.indexes.base, pandas), and many objects are
 * made by a function (pandas' _new_Index, Cython's __pyx_unpickle_X, numpy's _reconstruct).
 * Here they are told apart by one table; each type below has its accessor.
 */
#ifndef PICKLE_CLASS_H
#define PICKLE_CLASS_H

#include <pickle/doc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* New types are appended. */
typedef enum pickle_type {
    PICKLE_TYPE_OTHER = 0, /* a plain value, or a class without an accessor of its own */
    /* <pickle/array.h> */
    PICKLE_TYPE_DTYPE,
    PICKLE_TYPE_ARRAY, /* numpy.ndarray and its children, behind joblib's wrapper too */
    PICKLE_TYPE_SCALAR,
    PICKLE_TYPE_MASKED_ARRAY,
    PICKLE_TYPE_RNG, /* RandomState, Generator, bit generators, SeedSequence */
    /* <pickle/sparse.h> */
    PICKLE_TYPE_SPARSE,
    /* <pickle/stdlib.h> */
    PICKLE_TYPE_MAPPING,  /* OrderedDict, defaultdict, Counter, UserDict, ... */
    PICKLE_TYPE_CHAINMAP, /* collections.ChainMap                             */
    PICKLE_TYPE_SEQUENCE, /* deque, UserList                                  */
    PICKLE_TYPE_SET,      /* set and frozenset, as protocols 0 to 3 call them */
    PICKLE_TYPE_BYTES,    /* bytearray, likewise, and bytes of protocols 0 to 2 */
    PICKLE_TYPE_COMPLEX,
    PICKLE_TYPE_RANGE,
    PICKLE_TYPE_SLICE,
    PICKLE_TYPE_DATE,
    PICKLE_TYPE_TIME,
    PICKLE_TYPE_DATETIME,
    PICKLE_TYPE_TIMEDELTA,
    PICKLE_TYPE_TZINFO, /* datetime.timezone, ZoneInfo, pytz, dateutil */
    PICKLE_TYPE_DECIMAL,
    PICKLE_TYPE_FRACTION,
    PICKLE_TYPE_UUID,
    PICKLE_TYPE_PATH,
    PICKLE_TYPE_STDARRAY, /* array.array */
    PICKLE_TYPE_PARTIAL,
    PICKLE_TYPE_EXCEPTION, /* those of the standard library */
    PICKLE_TYPE_NAMESPACE, /* types.SimpleNamespace         */
    PICKLE_TYPE_PATTERN,   /* re.compile(...)               */
    /* <pickle/pandas.h> */
    PICKLE_TYPE_DATAFRAME,
    PICKLE_TYPE_SERIES,
    PICKLE_TYPE_INDEX,
    PICKLE_TYPE_EXTENSION_ARRAY,
    PICKLE_TYPE_EXTENSION_DTYPE,
    PICKLE_TYPE_TIMESTAMP,
    PICKLE_TYPE_PANDAS_TIMEDELTA,
    PICKLE_TYPE_PERIOD,
    PICKLE_TYPE_INTERVAL,
    PICKLE_TYPE_NA, /* pandas.NA, NaT */
    PICKLE_TYPE_OFFSET,
    /* <pickle/torch.h> */
    PICKLE_TYPE_TENSOR,
    PICKLE_TYPE_STORAGE
} pickle_type;

/* By the class's name, or the name of the function that makes it: not a promise that its accessor
 * finds all parts in order. Of a value that is no object and no global: PICKLE_TYPE_OTHER. */
PICKLE_API pickle_type pickle_type_of(const pickle_val *v);
/* "dataframe", "masked array"; never NULL. */
PICKLE_API const char *pickle_type_name(pickle_type type);

/* The class of an object in Python. */
typedef struct pickle_class_info {
    pickle_type type;
    /* "pandas.DataFrame": what users of today's version write; NULL where the table has none. */
    const char *public_name;
    /* The class as the file names it; NULL where a function of another name makes the object. */
    const pickle_val *global;
} pickle_class_info;

/*
 * What type(x) would say, as far as it can be known: the class that is called, or that a function
 * known to make instances of it takes as its argument. False for what is no object (plain values,
 * globals), and where only Python knows what the function gives. `global` may then still be a
 * function of a name that the table does not have: Python does not tell in the file.
 */
PICKLE_API bool pickle_get_class(const pickle_val *v, pickle_class_info *out);

/*
 * The attributes of an object: those of its states, each a dict, or a tuple of a dict or None and
 * a dict of slots; in stream order. One that was set twice comes twice; pickle_attr has the last.
 *
 *     pickle_attrs it = { .of = object };
 *     while (pickle_next_attr(&it, &name, &value))
 */
typedef struct pickle_attrs {
    const pickle_val *of;
    pickle_change change; /* the rest is private */
    pickle_iter in;
    int part;
} pickle_attrs;

PICKLE_API bool pickle_next_attr(pickle_attrs *it, const char **name, const pickle_val **value);

#ifdef __cplusplus
}
#endif
#endif
