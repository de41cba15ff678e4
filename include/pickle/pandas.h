/*
 * pickle/pandas.h - DataFrame, Series, Index, extension arrays and scalars of pandas.
 *
 * These are views over the graph, computed on request, for what pandas 0.20 to 3.1 write: plain
 * pickle and joblib, all protocols. Nothing is called. A view is a plain struct, without memory of
 * its own, that borrows from the document: copy it as you like, as long as the document lives.
 * Each accessor is false, its output meaning nothing, for what is something else (NULL is), and
 * for what has parts that contradict each other. pickle_type_of (<pickle/class.h>) tells which
 * accessor is for a value. Facts: pandas' __reduce__ and __setstate__ methods, and pickles of
 * pandas 0.20 to 3.1.
 *
 *     pickle_dataframe df;
 *     pickle_column c;
 *     if (pickle_get_dataframe(pickle_root(doc), &df) && pickle_dataframe_find(&df, "price", &c))
 *         for (uint64_t row = 0; row < c.count; row++)
 *             if (pickle_column_f64(&c, row, &price))
 *                 ...
 */
#ifndef PICKLE_PANDAS_H
#define PICKLE_PANDAS_H

#include <pickle/array.h>
#include <pickle/class.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------- columns */

/* What the values of a column are, and which parts of pickle_column are set for them. */
typedef enum pickle_column_kind {
    PICKLE_COLUMN_NUMPY = 1, /* `values`, of any dtype: numbers, objects, datetime64 ...         */
    PICKLE_COLUMN_RANGE,     /* RangeIndex: start + row * step                                   */
    PICKLE_COLUMN_MASKED,    /* Int64, Float64, boolean, ...: `values`, and `mask`               */
    PICKLE_COLUMN_STRING,    /* string, str, held as Python objects: `values`                    */
    PICKLE_COLUMN_ARROW,     /* in the buffers of Apache Arrow: pickle_column_arrow              */
    PICKLE_COLUMN_CATEGORICAL, /* `values` are codes for pickle_column_categories, -1: missing */
    PICKLE_COLUMN_DATETIME, /* with a zone: `values` are datetime64 in UTC, and `tz`            */
    PICKLE_COLUMN_PERIOD,   /* `values` are int64, periods of `freq` since 1970                 */
    PICKLE_COLUMN_INTERVAL, /* pickle_column_bounds, and `closed`                               */
    PICKLE_COLUMN_SPARSE    /* `values` are those that are not `fill`; use the access by cells  */
} pickle_column_kind;

/*
 * Values in a row, whatever pandas keeps them in: a column of a DataFrame, a Series, one level of
 * an Index, the categories of a column, a bare extension array. Parts that the kind does not have
 * are zero; other ones are views of an array of one dimension.
 */
typedef struct pickle_column {
    pickle_column_kind kind;
    uint64_t count; /* rows                                                           */
    /* Of a column the label, else Series.name or Index.name: any value. NULL: None, or a label that
     * is no object of its own, as in an index of numbers or of Arrow's text: see `labels` of
     * pickle_dataframe. */
    const pickle_val *name;
    const char *label; /* the name, where it is text: UTF-8, not NUL-terminated; else NULL */
    size_t label_len;
    /* The values; of objects, row i is item `first` + i * values.strides[0] of values.objects.
     * `data` is NULL for objects, and for out-of-band buffers that nobody supplied.           */
    pickle_array values;
    uint64_t first;
    pickle_array mask;          /* numpy bool: true where the value is missing                 */
    int64_t start, step;        /* RANGE                                                       */
    bool ordered;               /* CATEGORICAL                                                 */
    const pickle_val *tz;       /* DATETIME: for pickle_get_tzinfo (<pickle/stdlib.h>); Arrow's
                                   is a str                                                    */
    char freq[16];              /* PERIOD: today's name of it without a number: "M", "Q-DEC",
                                   "W-SUN", "Y-DEC", "D", "B", "h", "min", "s"; "" when it is not
                                   known to libpickle                                          */
    int64_t freq_count;         /* the number: 2 for "2M"                                      */
    const char *closed;         /* INTERVAL: "left", "right", "both", "neither"                */
    const pickle_val *fill;     /* SPARSE: the value everywhere else                           */
    const pickle_val *dtype;    /* the dtype's own object, or NULL                             */
    const pickle_val *of, *aux; /* private */
} pickle_column;

/* An extension array (Categorical, IntegerArray, DatetimeArray, PandasArray, ...), a numpy array of
 * one dimension, a Series, or an Index of one level. */
PICKLE_API bool pickle_get_column(const pickle_val *v, pickle_column *out);

/* CATEGORICAL: the categories, by code. They are not CATEGORICAL themselves. */
PICKLE_API bool pickle_column_categories(const pickle_column *c, pickle_column *out);
/* INTERVAL: the lower and upper ends. */
PICKLE_API bool pickle_column_bounds(const pickle_column *c, pickle_column *left,
                                     pickle_column *right);

/*
 * str(dtype) as today's pandas has it: "int64", "object", "Int64", "category", "datetime64[ns]",
 * "datetime64[ns, UTC]", "str", "string", "period[M]", "interval[int64, right]",
 * "Sparse[float64, nan]", "timestamp[ns, tz=UTC][pyarrow]". A zone goes by its name, or by its
 * offset: "UTC+01:00". False when `out` refused, or where libpickle knows no text.
 */
PICKLE_API bool pickle_column_dtype(const pickle_column *c, pickle_sink out);

/* ---------------------------------------------------------------------- cells */

/* False, and `*out` untouched, for rows out of range, missing values, and values of other types. */

/* Is it what pandas.isna is true for: None, NaN, NaT, pandas.NA, a code of -1? False out of range.
 */
PICKLE_API bool pickle_column_is_missing(const pickle_column *c, uint64_t row);
/* bool and int; of datetimes, durations and periods the number they are stored as. */
PICKLE_API bool pickle_column_i64(const pickle_column *c, uint64_t row, int64_t *out);
/* bool, int and float; a NaN of numpy is a value here as well as missing. */
PICKLE_API bool pickle_column_f64(const pickle_column *c, uint64_t row, double *out);
/* Text: UTF-8, `*len` bytes, not NUL-terminated; NULL for what is no text. */
PICKLE_API const char *pickle_column_str(const pickle_column *c, uint64_t row, size_t *len);
/* The object in a cell; NULL where cells are no objects (numbers in an array have none). */
PICKLE_API const pickle_val *pickle_column_object(const pickle_column *c, uint64_t row);
/*
 * str() of a cell as pandas has it: 1.5, True, text, 2020-01-01 00:00:00, 1 days 00:00:00, 2020Q1,
 * (0, 1], nan, NaT, <NA>, None. The rules of time zones are not known here: moments in a zone
 * with a fixed offset are shown as pandas has them, 2020-01-01 12:00:00+01:00; in others in UTC,
 * next to the name of the zone: 2020-01-01 11:00:00Z[Europe/Berlin] (RFC 9557). Objects that are
 * none of pandas': as pickle_python_repr. False for rows out of range, and when `out` refused.
 */
PICKLE_API bool pickle_column_text(const pickle_column *c, uint64_t row, pickle_sink out);

/* ----------------------------------------------------------------- Arrow's data */

/*
 * A piece of a column of Apache Arrow, as a file has it: most columns are one. `kind` is as in
 * pickle_dtype: b (bits), i u f, M m; and 's' text, 'z' bytes, 'd' date (days, or milliseconds),
 * 't' time of the day. Layouts: Arrow's columnar format. Types of others (lists, decimals,
 * dictionaries, views) have no view.
 */
typedef struct pickle_arrow {
    char kind;
    int width;    /* bytes of an item of `data`; 0: bits; 's' and 'z': of an offset: 4, 8 */
    char unit[4]; /* M m d t: "s", "ms", "us", "ns"; d: "D", "ms"                         */
    uint64_t count, offset;     /* items; and how many stand before the first of them     */
    const unsigned char *valid; /* bit 1: there is a value, from the lowest on; NULL: everywhere  */
    const unsigned char *data;  /* values, little-endian; of 's' and 'z' the bytes                */
    const unsigned char *offsets; /* of 's' and 'z': where item i starts, where i + 1 ends */
    size_t data_len;
    const pickle_val *tz; /* a str; or NULL */
} pickle_arrow;

/* Piece `index` of an ARROW column; false: there is none, or it is not in order. */
PICKLE_API bool pickle_column_arrow(const pickle_column *c, size_t index, pickle_arrow *out);

/* -------------------------------------------------------------------- indexes */

/*
 * Index and its children: RangeIndex, Int64Index, UInt64Index, Float64Index, DatetimeIndex,
 * TimedeltaIndex, PeriodIndex, CategoricalIndex, IntervalIndex; MultiIndex has several levels.
 */
typedef struct pickle_index {
    uint64_t count;
    size_t levels;          /* 1; of a MultiIndex any number */
    bool multi;             /* a MultiIndex                  */
    const pickle_val *name; /* of one level: any value, or NULL: none. See pickle_index_level */
    const pickle_val *freq; /* DatetimeIndex, TimedeltaIndex: for pickle_get_offset; or NULL */
    const pickle_val *cls;  /* GLOBAL                        */
    const pickle_val *of;   /* private */
} pickle_index;

PICKLE_API bool pickle_get_index(const pickle_val *v, pickle_index *out);
/* The labels of one level, with its name. Of a MultiIndex they are CATEGORICAL, the categories
 * being the level. */
PICKLE_API bool pickle_index_level(const pickle_index *index, size_t level, pickle_column *out);
/* The label of a row as text: as pickle_column_text; of a MultiIndex like a tuple: (a, 1). */
PICKLE_API bool pickle_index_text(const pickle_index *index, uint64_t row, pickle_sink out);

/* ----------------------------------------------------------- frames and series */

typedef struct pickle_dataframe {
    uint64_t rows, columns;
    pickle_index index, labels; /* of the rows, of the columns            */
    const pickle_val *attrs;    /* DataFrame.attrs: a dict, or NULL       */
    const pickle_val *cls;      /* GLOBAL: pandas.DataFrame, or its child */
    const pickle_val *blocks;   /* private */
} pickle_dataframe;

PICKLE_API bool pickle_get_dataframe(const pickle_val *v, pickle_dataframe *out);
/* Column `index` from the left. Its name is that of the label, where the labels are objects. */
PICKLE_API bool pickle_dataframe_column(const pickle_dataframe *df, uint64_t index,
                                        pickle_column *out);
/* The first column whose label is this text; for labels of one level. */
PICKLE_API bool pickle_dataframe_find(const pickle_dataframe *df, const char *label,
                                      pickle_column *out);

typedef struct pickle_series {
    pickle_column values; /* with its name */
    pickle_index index;
    const pickle_val *attrs; /* Series.attrs: a dict, or NULL       */
    const pickle_val *cls;   /* GLOBAL: pandas.Series, or its child */
} pickle_series;

PICKLE_API bool pickle_get_series(const pickle_val *v, pickle_series *out);

/* -------------------------------------------------------------------- scalars */

/* A moment or a duration, `value` of `unit` ("ns", "us", "ms", "s") since 1970 in UTC. */
typedef struct pickle_timestamp {
    int64_t value;
    char unit[4];
    const pickle_val *tz; /* for pickle_get_tzinfo; NULL: none, naive, or a duration */
} pickle_timestamp;

PICKLE_API bool pickle_get_timestamp(const pickle_val *v, pickle_timestamp *out);
PICKLE_API bool pickle_get_pandas_timedelta(const pickle_val *v, pickle_timestamp *out);

typedef struct pickle_period {
    int64_t ordinal;    /* periods since 1970                */
    char freq[16];      /* as in pickle_column               */
    int64_t freq_count; /* the number: 2 for "2M"            */
} pickle_period;

PICKLE_API bool pickle_get_period(const pickle_val *v, pickle_period *out);

typedef struct pickle_interval {
    const pickle_val *left, *right; /* numbers, also of numpy; timestamps; timedeltas */
    const char *closed;             /* "left", "right", "both", "neither"             */
} pickle_interval;

PICKLE_API bool pickle_get_interval(const pickle_val *v, pickle_interval *out);

/* A date offset: Day, MonthEnd, BusinessDay, DateOffset, ...; pickle_next_attr has what else it
 * has. */
typedef struct pickle_offset {
    const char *name; /* of its class */
    int64_t n;
    bool normalize;
} pickle_offset;

PICKLE_API bool pickle_get_offset(const pickle_val *v, pickle_offset *out);

/* Is pandas.isna true for it: None, NaN (numpy's, too), NaT (pandas' or numpy's), pandas.NA? */
PICKLE_API bool pickle_is_missing(const pickle_val *v);
/* str() of any value, as pickle_column_text has it. */
PICKLE_API bool pickle_pandas_text(const pickle_val *v, pickle_sink out);

#ifdef __cplusplus
}
#endif
#endif
