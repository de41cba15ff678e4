/*
 * pickle/build.h - make documents in C, and change documents that were read.
 *
 * The document owns everything. One value may stand in many places, which is
 * how sharing and cycles are written. A constructor that fails returns NULL and
 * marks the document; to add or set NULL is harmless; the mark surfaces when the
 * document is written. So a builder is straight-line code with one check:
 *
 *     pickle_doc *doc = pickle_doc_new(NULL);
 *     pickle_val *d = doc ? pickle_new_dict(doc) : NULL;
 *
 *     if (!doc)
 *         return false;
 *     pickle_set_key(doc, d, "n", pickle_new_int(doc, 7));
 *     pickle_set_root(doc, d);
 *     if (!pickle_write_file(doc, "d.pkl", NULL, &err)) ...
 *
 * Values belong to the document they were made with; pickle_clone brings one
 * into another. Text is UTF-8; lone surrogates are three bytes each, as CPython's
 * "surrogatepass" has them. Constructors copy what they are given, unless they
 * say that they borrow it.
 *
 * Thread safety: making and changing values needs the document exclusively.
 */
#ifndef PICKLE_BUILD_H
#define PICKLE_BUILD_H

#include <pickle/array.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An empty document; NULL only when there is no memory. Its root is None until one is set. */
PICKLE_API pickle_doc *pickle_doc_new(const pickle_alloc *alloc);
PICKLE_API void pickle_set_root(pickle_doc *doc, const pickle_val *root);
/* PICKLE_OK, or the first thing that went wrong with a constructor or a change. */
PICKLE_API pickle_status pickle_doc_status(const pickle_doc *doc, pickle_error *err);
/* `v` of any document, or of this one, with everything under it; sharing and cycles are kept. */
PICKLE_API pickle_val *pickle_clone(pickle_doc *into, const pickle_val *v);

/* ------------------------------------------------------------ plain values */

PICKLE_API pickle_val *pickle_new_none(pickle_doc *doc);
PICKLE_API pickle_val *pickle_new_bool(pickle_doc *doc, bool b);
PICKLE_API pickle_val *pickle_new_int(pickle_doc *doc, int64_t n);
PICKLE_API pickle_val *pickle_new_uint(pickle_doc *doc, uint64_t n);
/* Any size: two's complement, little-endian; need not be minimal. No bytes: 0. */
PICKLE_API pickle_val *pickle_new_bigint(pickle_doc *doc, const void *bytes, size_t len);
/* As Python's int(text): decimal digits with an optional sign, underscores between them. */
PICKLE_API pickle_val *pickle_new_int_text(pickle_doc *doc, const char *text);
PICKLE_API pickle_val *pickle_new_float(pickle_doc *doc, double x);
PICKLE_API pickle_val *pickle_new_str(pickle_doc *doc, const char *text);
PICKLE_API pickle_val *pickle_new_strn(pickle_doc *doc, const char *text, size_t len);
PICKLE_API pickle_val *pickle_new_bytes(pickle_doc *doc, const void *data, size_t len);
PICKLE_API pickle_val *pickle_new_bytearray(pickle_doc *doc, const void *data, size_t len);
/* Likewise, but `data` is borrowed until the document is freed. */
PICKLE_API pickle_val *pickle_borrow_bytes(pickle_doc *doc, const void *data, size_t len);
PICKLE_API pickle_val *pickle_borrow_bytearray(pickle_doc *doc, const void *data, size_t len);
/* A PickleBuffer: out of band in protocol 5 where the writer is asked to, else bytes (or, without
 * `readonly`, a bytearray). `data` is borrowed. */
PICKLE_API pickle_val *pickle_new_buffer(pickle_doc *doc, const void *data, size_t len,
                                         bool readonly);

/* -------------------------------------------------------------- containers */

/* Any of the items NULL: the tuple fails. */
PICKLE_API pickle_val *pickle_new_tuple(pickle_doc *doc, size_t n, const pickle_val *const *items);
PICKLE_API pickle_val *pickle_new_list(pickle_doc *doc);
PICKLE_API pickle_val *pickle_new_dict(pickle_doc *doc);
PICKLE_API pickle_val *pickle_new_set(pickle_doc *doc);
PICKLE_API pickle_val *pickle_new_frozenset(pickle_doc *doc, size_t n,
                                            const pickle_val *const *items);

/*
 * At the end of a list; of an object, as its class's append() would. Into a set,
 * or an object that is one: equal items are kept once.
 */
PICKLE_API void pickle_append(pickle_doc *doc, const pickle_val *list, const pickle_val *item);
PICKLE_API void pickle_add(pickle_doc *doc, const pickle_val *set, const pickle_val *item);
/* Item `index` of a list, from 0; it must be there. */
PICKLE_API void pickle_set_at(pickle_doc *doc, const pickle_val *list, size_t index,
                              const pickle_val *item);
PICKLE_API void pickle_insert(pickle_doc *doc, const pickle_val *list, size_t index,
                              const pickle_val *item);
/* False when it is not there. */
PICKLE_API bool pickle_remove_at(pickle_doc *doc, const pickle_val *list, size_t index);

/*
 * Set an item of a dict, or among the dict items of an object (an OrderedDict):
 * at its place if the key is there, else at the end. Keys are equal as in
 * Python; lists, dicts and sets cannot be keys (PICKLE_ERR_TYPE).
 */
PICKLE_API void pickle_set_key(pickle_doc *doc, const pickle_val *dict, const char *key,
                               const pickle_val *value);
PICKLE_API void pickle_set_item(pickle_doc *doc, const pickle_val *dict, const pickle_val *key,
                                const pickle_val *value);
/* False when there is no such key. Also takes an item out of a set. */
PICKLE_API bool pickle_remove_key(pickle_doc *doc, const pickle_val *dict, const char *key);
PICKLE_API bool pickle_remove_item(pickle_doc *doc, const pickle_val *dict, const pickle_val *key);

/* ------------------------------------------------------ globals and objects */

/* A class or function, by its name in Python 3: ("builtins", "int"). One node for each name, so
 * that it is written once. */
PICKLE_API pickle_val *pickle_new_global(pickle_doc *doc, const char *module, const char *name);
/* callable(*args, **kwargs) in one of the ways pickles have; `args` is a tuple, NULL for none,
 * `kwargs` a dict and for PICKLE_CALL_NEWOBJ_EX only. */
PICKLE_API pickle_val *pickle_new_call(pickle_doc *doc, pickle_call how, const pickle_val *callable,
                                       const pickle_val *args, const pickle_val *kwargs);
/* An instance of a Python class as pickle makes them: no arguments, attributes in `state`, a dict
 * or whatever the class's __setstate__ takes; NULL: no state. */
PICKLE_API pickle_val *pickle_new_instance(pickle_doc *doc, const char *module, const char *name,
                                           const pickle_val *state);
/* Set the state that the last BUILD gives; NULL takes all states away. */
PICKLE_API void pickle_set_state(pickle_doc *doc, const pickle_val *object,
                                 const pickle_val *state);
/*
 * Set, or take away, an attribute: in the dict that pickle_attr would find it
 * in, else in the last state's dict. An object without a state gets one.
 */
PICKLE_API void pickle_set_attr(pickle_doc *doc, const pickle_val *object, const char *name,
                                const pickle_val *value);
PICKLE_API bool pickle_remove_attr(pickle_doc *doc, const pickle_val *object, const char *name);
/* `old`, wherever it stands under the root, becomes `new`. True if it stood anywhere. */
PICKLE_API bool pickle_replace(pickle_doc *doc, const pickle_val *old, const pickle_val *new_);
PICKLE_API pickle_val *pickle_new_persid(pickle_doc *doc, const pickle_val *id);
PICKLE_API pickle_val *pickle_new_ext(pickle_doc *doc, int32_t code);

/* ------------------------------------------------------------------- numpy */

/*
 * Types are numpy's codes, "<f8", "=i4", "?", "S5", "U8", "M8[ns]", or for
 * records the list that dtype.descr gives, "[('a', '<i4'), ('b', '<f8', (2,))]",
 * or the dict with names, formats, offsets, itemsize: what pickle_dtype_str
 * writes, and the header of a .npy file. No sign, and '=', mean this machine's order.
 */
PICKLE_API pickle_val *pickle_new_dtype(pickle_doc *doc, const char *dtype);
/*
 * numpy.ndarray of `ndim` sizes in `shape`, C order. `data` is borrowed until
 * the document is freed, and never copied; NULL only if it has no elements.
 */
PICKLE_API pickle_val *pickle_new_array(pickle_doc *doc, const char *dtype, int ndim,
                                        const int64_t *shape, const void *data);
/* Likewise in Fortran's order: the first index runs fastest. */
PICKLE_API pickle_val *pickle_new_farray(pickle_doc *doc, const char *dtype, int ndim,
                                         const int64_t *shape, const void *data);
/* What the view shows, in C order unless it is contiguous in Fortran's; data that are not
 * contiguous are copied. The view's `dtype.descr` may be of another document. */
PICKLE_API pickle_val *pickle_new_array_view(pickle_doc *doc, const pickle_array *view);
/* dtype=object; the items in C order. */
PICKLE_API pickle_val *pickle_new_object_array(pickle_doc *doc, int ndim, const int64_t *shape,
                                               const pickle_val *const *items);
/* A scalar such as numpy.float64(1.5): one element at `data`, which is copied. */
PICKLE_API pickle_val *pickle_new_scalar(pickle_doc *doc, const char *dtype, const void *data);

/* ------------------------------------------------------------------- scipy */

/* scipy.sparse.csr_matrix(...) and its kin: `format` is "csr_matrix", "csc_array", "bsr_matrix";
 * `data`, `indices`, `indptr` are arrays. */
PICKLE_API pickle_val *pickle_new_sparse(pickle_doc *doc, const char *format, int64_t rows,
                                         int64_t columns, const pickle_val *data,
                                         const pickle_val *indices, const pickle_val *indptr);
/* "coo_matrix" or "coo_array". */
PICKLE_API pickle_val *pickle_new_coo(pickle_doc *doc, const char *format, int64_t rows,
                                      int64_t columns, const pickle_val *data,
                                      const pickle_val *row, const pickle_val *col);

/* ---------------------------------------------------- the standard library */

PICKLE_API pickle_val *pickle_new_complex(pickle_doc *doc, double real, double imag);
PICKLE_API pickle_val *pickle_new_range(pickle_doc *doc, int64_t start, int64_t stop, int64_t step);
/* slice(start, stop, step); NULL is None. */
PICKLE_API pickle_val *pickle_new_slice(pickle_doc *doc, const pickle_val *start,
                                        const pickle_val *stop, const pickle_val *step);

PICKLE_API pickle_val *pickle_new_date(pickle_doc *doc, int year, int month, int day);
/* `tz` a tzinfo, such as pickle_new_timezone makes, or NULL; `fold` 1 is the second of two equal
 * wall times. */
PICKLE_API pickle_val *pickle_new_time(pickle_doc *doc, int hour, int minute, int second,
                                       int microsecond, int fold, const pickle_val *tz);
PICKLE_API pickle_val *pickle_new_datetime(pickle_doc *doc, int year, int month, int day, int hour,
                                           int minute, int second, int microsecond, int fold,
                                           const pickle_val *tz);
/* Normalised as in Python: seconds 0..86399, microseconds 0..999999. */
PICKLE_API pickle_val *pickle_new_timedelta(pickle_doc *doc, int64_t days, int64_t seconds,
                                            int64_t microseconds);
/* datetime.timezone of that offset in seconds; timezone.utc is 0. */
PICKLE_API pickle_val *pickle_new_timezone(pickle_doc *doc, int offset);

PICKLE_API pickle_val *pickle_new_decimal(pickle_doc *doc, const char *text);
PICKLE_API pickle_val *pickle_new_fraction(pickle_doc *doc, int64_t numerator, int64_t denominator);
/* 16 bytes, the first one the most significant. */
PICKLE_API pickle_val *pickle_new_uuid(pickle_doc *doc, const void *bytes);
/* pathlib.PurePosixPath and its kin: `cls` is "PosixPath", "PureWindowsPath", ... */
PICKLE_API pickle_val *pickle_new_path(pickle_doc *doc, const char *cls, const char *path);

/* Filled with pickle_set_item and pickle_set_key; Counter too. `factory` may be NULL for None. */
PICKLE_API pickle_val *pickle_new_ordered_dict(pickle_doc *doc);
PICKLE_API pickle_val *pickle_new_default_dict(pickle_doc *doc, const pickle_val *factory);
PICKLE_API pickle_val *pickle_new_counter(pickle_doc *doc, const pickle_val *counts);
/* Filled with pickle_append; `maxlen` negative: no bound. */
PICKLE_API pickle_val *pickle_new_deque(pickle_doc *doc, int64_t maxlen);
/* A namedtuple, or any other subclass of tuple. */
PICKLE_API pickle_val *pickle_new_namedtuple(pickle_doc *doc, const char *module, const char *name,
                                             size_t n, const pickle_val *const *items);
/* An enum's member by its value. */
PICKLE_API pickle_val *pickle_new_enum(pickle_doc *doc, const char *module, const char *name,
                                       const pickle_val *value);

/* ------------------------------------------------------------------ pandas */

/*
 * pandas.DataFrame of `n` named columns, in that order: 1-d arrays, lists, or
 * series; `index` an array, a list, or NULL for 0, 1, 2, ... Written as a call
 * of the class, which every version of pandas understands.
 */
PICKLE_API pickle_val *pickle_new_dataframe(pickle_doc *doc, size_t n, const char *const *names,
                                            const pickle_val *const *columns,
                                            const pickle_val *index);
/* pandas.Series; `name` and `index` may be NULL. */
PICKLE_API pickle_val *pickle_new_series(pickle_doc *doc, const char *name,
                                         const pickle_val *values, const pickle_val *index);

#ifdef __cplusplus
}
#endif
#endif
