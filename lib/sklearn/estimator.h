/*
 * estimator.h - what an estimator's file needs: its attributes when it is opened, tables and
 * memory when it is run.
 *
 * A model is a node: its class, what it learned (`state`), and a function for each method it has.
 * An estimator's file has one opening function for each class, which reads attributes into a
 * struct of its own and says which methods there are; and the methods, which turn a table into
 * another one. The rest is done here: versions, parts, types of input, checks for NaN, blocks of
 * rows, threads.
 *
 *     typedef struct scaler { const double *mean, *scale; } scaler;
 *
 *     static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
 *                           pickle_batch *y) ...
 *
 *     static void open_scaler(pickle__opener *o)
 *     {
 *         scaler *s = pickle__state(o, sizeof *s);
 *         ...
 *         pickle__method_is(o, PICKLE_TRANSFORM, transform);
 *     }
 *
 *     const pickle__estimator pickle__scale_estimators[] = {
 *         { "preprocessing", "StandardScaler", open_scaler }, ... { 0 }
 *     };
 */
#ifndef PICKLE__SKLEARN_ESTIMATOR_H
#define PICKLE__SKLEARN_ESTIMATOR_H

#include <pickle/array.h>
#include <pickle/sklearn.h>

#include "sklearn/pool.h"

#if defined(__GNUC__)
#define PICKLE__FORMAT(a, b) __attribute__((format(printf, a, b)))
#else
#define PICKLE__FORMAT(a, b)
#endif

/* Versions in the order in which they came: 0.24.2 < 1.0.0. */
#define PICKLE__SKLEARN(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))

typedef struct pickle__opener pickle__opener;
typedef struct pickle__run pickle__run;

/*
 * A method: from `x`, which is of a kind that the model takes and was checked, to `y`, whose data
 * are of the run's memory, of the model, or `x`'s own. A classifier's predict gives places in its
 * classes. False when pickle__run_fail was called.
 */
typedef bool pickle__method(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y);

/* A class of scikit-learn's: sklearn.<package>[.<module>].<name>. Modules were renamed more than
 * once, classes within a package never. Of another package it is ":<package>[.<module>]". */
typedef struct pickle__estimator {
    const char *package, *name;
    void (*open)(pickle__opener *o);
} pickle__estimator;

/* Class labels of one output. */
typedef struct pickle__labels {
    size_t count;
    const pickle_cell *cells;
} pickle__labels;

typedef struct pickle__part {
    struct pickle__part *next;
    const char *name;
    pickle_model *model;
} pickle__part;

/* Kinds of batches, as bits of `takes`. */
#define PICKLE__TAKES(kind) (1u << (kind))
#define PICKLE__F64         PICKLE__TAKES(PICKLE_BATCH_F64)
#define PICKLE__F32         PICKLE__TAKES(PICKLE_BATCH_F32)
#define PICKLE__CSR         PICKLE__TAKES(PICKLE_BATCH_CSR)
#define PICKLE__CELLS       PICKLE__TAKES(PICKLE_BATCH_CELLS)

/* Which numbers scikit-learn's check_array lets in. */
typedef enum pickle__numbers {
    PICKLE__FINITE = 0,
    PICKLE__OR_NAN,    /* force_all_finite='allow-nan' */
    PICKLE__ANY_NUMBER /* the estimator looks itself, or its parts do */
} pickle__numbers;

struct pickle_model {
    const char *class_name; /* printable */
    const char *version_text;
    int version; /* PICKLE__SKLEARN(...) */
    void *state; /* the estimator's own struct */
    pickle__method *methods[PICKLE_N_METHODS];
    /*
     * What its methods take. A batch of another kind is turned into the first of F64, F32 that is
     * taken (F32 into F64 exactly; F64 into F32 as numpy casts, too large being an error); CELLS
     * likewise, if all are numbers; CSR never: scikit-learn refuses it as well. inverse_transform
     * takes what it gets, unchecked but for kind.
     */
    unsigned takes;   /* default: PICKLE__F64 */
    unsigned inverse; /* what inverse_transform takes; default: PICKLE__F64 */
    pickle__numbers numbers;
    bool together;   /* an answer depends on all rows: a batch is one block, of one thread */
    size_t features; /* columns; 0: any */
    const char **feature_names;
    const bool *spare;       /* features that no method looks at: a named one need not be there */
    size_t outputs;          /* default: 1 */
    pickle__labels *classes; /* of each output; NULL: no classifier */
    pickle__part *parts, *last_part;
    size_t n_parts;
    size_t weight; /* estimators that one run visits */
    const pickle_val *object;
    const char *refused_attribute, *refused_reason; /* of itself; reason NULL: supported */
    const pickle_model *refused; /* the first in it that isn't supported, maybe itself */
    struct pickle__root *root;   /* of the model that owns it */
};

/* ------------------------------------------------------------------ opening */

/*
 * Attributes of the object that is being opened. All is sticky: after the first that is missing or
 * bad, what is asked for comes as NULL, 0 or the fallback, and nothing is lost by going on; only
 * loops and indices must not trust what they got: ask pickle__ok before them.
 */
struct pickle__opener {
    pickle_model *model;
    const pickle_val *object;
    int version;                 /* the model's, for short */
    struct pickle__opening *all; /* private to open.c */
};

/* Nothing bad yet, nor unsupported in this object itself. */
bool pickle__ok(const pickle__opener *o);
/* This version of this library can't: the model is opened, but refuses to run. */
void pickle__unsupported(pickle__opener *o, const char *attribute, const char *reason);
/* The file is not what scikit-learn writes: the model is not opened. */
void pickle__bad(pickle__opener *o, const char *attribute, const char *reason);

/* Memory of the model, aligned to 64, cleared; NULL (and an error) when there is none. */
void *pickle__keep(pickle__opener *o, size_t count, size_t size);
/* The estimator's own struct, cleared. Never NULL: without memory, opening goes on with a spare. */
void *pickle__state(pickle__opener *o, size_t size);
void pickle__method_is(pickle__opener *o, pickle_method method, pickle__method *f);

/* NULL when there is no such attribute, or it is None. */
const pickle_val *pickle__attr(const pickle__opener *o, const char *name);
/* Likewise, but its absence makes the object unsupported (not fitted). */
const pickle_val *pickle__need(pickle__opener *o, const char *name);

/* Of an attribute that may be a Python or a numpy scalar. Another type is an error; a missing one
 * (or None) gives the fallback. */
double pickle__number(pickle__opener *o, const char *name, double fallback);
int64_t pickle__integer(pickle__opener *o, const char *name, int64_t fallback);
bool pickle__flag(pickle__opener *o, const char *name, bool fallback);
const char *pickle__text(pickle__opener *o, const char *name, const char *fallback);
/* One of some texts, by its place: pickle__choice(o, "norm", 1, "l1", "l2", "max", NULL), where
 * `fallback` is for a missing one. Another text, or no text, is unsupported. */
int pickle__choice(pickle__opener *o, const char *name, int fallback, ...);

/* Numbers in C order. One dimension is one row, none is one number. */
typedef struct pickle__matrix {
    int ndim; /* as it was in Python; 3 and more are folded into the columns */
    size_t rows, cols;
    const double *data;
    bool f32; /* float32 or float16 in the file: scikit-learn computes with that type */
} pickle__matrix;

/* Numbers of an attribute, or of a value that is called so: an array of numbers or bools, a
 * sequence of numbers (of sequences), a number. */
pickle__matrix pickle__numbers_of(pickle__opener *o, const char *name, const pickle_val *v);
pickle__matrix pickle__need_numbers(pickle__opener *o, const char *name);
/* Likewise, in one row of `count` numbers (any shape will do); NULL if there are not so many. */
const double *pickle__need_row(pickle__opener *o, const char *name, size_t count);
/* rows * cols numbers; NULL if the shape is another. */
const double *pickle__need_table(pickle__opener *o, const char *name, size_t rows, size_t cols);
/* Integers in one row; *count is how many. */
const int64_t *pickle__need_integers(pickle__opener *o, const char *name, size_t *count);
const int64_t *pickle__integers_of(pickle__opener *o, const char *name, const pickle_val *v,
                                   size_t *count);
/* A scipy matrix as CSR; false when it is none. */
typedef struct pickle__sparse {
    size_t rows, cols;
    const int64_t *indptr, *indices;
    const double *data;
} pickle__sparse;
bool pickle__sparse_of(pickle__opener *o, const char *name, const pickle_val *v,
                       pickle__sparse *out);

/* Labels: an array or sequence of ints, floats, bools, text or None. */
pickle__labels pickle__labels_of(pickle__opener *o, const char *name, const pickle_val *v);
/* One value as a cell, text borrowed or copied into the model; false for other kinds. */
bool pickle__cell_of(pickle__opener *o, const pickle_val *v, pickle_cell *out);
/* classes_, or another attribute: the classes of the model's one output, or of several outputs
 * where it is a list of arrays. */
void pickle__read_classes(pickle__opener *o, const char *name);

/* Items of a list, tuple or array of objects (in C order, whatever its shape): NULL and an error
 * for anything else. Use with pickle_at; `*count` is how many. */
const pickle_val *pickle__items(pickle__opener *o, const char *name, const pickle_val *v,
                                size_t *count);

/* Open an estimator within this one; it is listed under `name`, which is copied ("[%zu]" of
 * `index` where NULL). Never NULL: what is no estimator comes unsupported. */
pickle_model *pickle__open_part(pickle__opener *o, const char *name, size_t index,
                                const pickle_val *v);
/* Those of a list: NULL and 0 on errors. */
pickle_model **pickle__open_parts(pickle__opener *o, const char *attribute, size_t *count);

/* What hands its input on as it is takes what its (first) part takes, which checks it. */
void pickle__take_as(pickle__opener *o, const pickle_model *part);

/* Text of the file for messages and names: escaped, of the model's memory; never NULL. */
const char *pickle__printable(pickle__opener *o, const char *text, size_t len);
char *pickle__keep_text(pickle__opener *o, const char *text, size_t len);

/* A version-dependent name: the first of the two that is there. */
const pickle_val *pickle__either(const pickle__opener *o, const char *name, const char *older);

/* ------------------------------------------------------------------ running */

/* One thread's work on a batch. */
struct pickle__run {
    pickle__pool pool;    /* what methods take; given back after each block of rows */
    pickle_error *err;    /* never NULL */
    size_t first_row;     /* of the block, in the caller's batch; for messages */
    pickle_method method; /* that is run: who only passes it on has one function for all */
};

bool pickle__run_fail(pickle__run *r, pickle_status code, const char *format, ...)
    PICKLE__FORMAT(3, 4);
bool pickle__run_no_memory(pickle__run *r);

/* Memory for this block; NULL after pickle__run_fail. Not cleared. */
void *pickle__take(pickle__run *r, size_t count, size_t size);
/* Make `y` a table of the run's memory, not cleared, and give its data; NULL on failure. */
double *pickle__new_f64(pickle__run *r, pickle_batch *y, size_t rows, size_t cols);
float *pickle__new_f32(pickle__run *r, pickle_batch *y, size_t rows, size_t cols);
pickle_cell *pickle__new_cells(pickle__run *r, pickle_batch *y, size_t rows, size_t cols);
/* CSR with room for `nnz` elements; indptr[0] is 0, the rest is the caller's to fill. All NULL on
 * failure. */
typedef struct pickle__csr {
    int64_t *indptr, *indices;
    double *data;
} pickle__csr;
pickle__csr pickle__new_csr(pickle__run *r, pickle_batch *y, size_t rows, size_t cols, size_t nnz);

/* Run a part: checks that it has the method, and `x` for it. PICKLE_ERR_MISSING if it hasn't. */
bool pickle__run_method(const pickle_model *m, pickle_method method, pickle__run *r,
                        const pickle_batch *x, pickle_batch *y);

/* What inverse_transform has to ask itself: are there `cols` columns, and only numbers that the
 * model lets in? False after pickle__run_fail. */
bool pickle__check_input(const pickle_model *m, pickle__run *r, const pickle_batch *x, size_t cols);

/* Row `i` of a dense batch. */
static inline const double *pickle__row(const pickle_batch *x, size_t i)
{
    return (const double *)((const char *)x->data + i * x->stride);
}

static inline const float *pickle__row_f32(const pickle_batch *x, size_t i)
{
    return (const float *)((const char *)x->data + i * x->stride);
}

static inline const pickle_cell *pickle__row_cells(const pickle_batch *x, size_t i)
{
    return (const pickle_cell *)((const char *)x->data + i * x->stride);
}

/* Some of the rows, or of the columns: a view. */
pickle_batch pickle__rows(const pickle_batch *x, size_t first, size_t count);
/* Columns by their places, dense or sparse or cells; a run of them is a view. */
bool pickle__columns(pickle__run *r, const pickle_batch *x, const size_t *columns, size_t count,
                     pickle_batch *y);
/* As a dense table of doubles, whatever it was (text is an error): numbers exactly. */
bool pickle__as_f64(pickle__run *r, const pickle_batch *x, pickle_batch *y);
bool pickle__as_f32(pickle__run *r, const pickle_batch *x, pickle_batch *y);
bool pickle__as_csr(pickle__run *r, const pickle_batch *x, pickle_batch *y);
bool pickle__as_cells(pickle__run *r, const pickle_batch *x, pickle_batch *y);
/* Of a value, or of all elements of an array in C order; false and NULL for what has no cells
 * (dates, objects), or without memory. Text is borrowed, or of the pool's memory. */
bool pickle__value_cell(pickle__pool *pool, const pickle_val *v, pickle_cell *out);
pickle_cell *pickle__array_cells(pickle__pool *pool, const pickle_array *a);
/* A number as Python has it: False for text and None. */
bool pickle__cell_number(const pickle_cell *cell, double *out);
bool pickle__cell_equal(const pickle_cell *a, const pickle_cell *b);
/* Tables side by side, as numpy.hstack, or scipy's if one is sparse and `sparse`. */
bool pickle__hstack(pickle__run *r, const pickle_batch *parts, size_t count, bool sparse,
                    pickle_batch *y);

/* --------------------------------------------------- predictions of classes */

/* predict of a classifier with one output, from a score for each class: the first largest. */
bool pickle__argmax(pickle__run *r, const pickle_batch *scores, pickle_batch *y);
/* predict's places in the classes as the labels they are, for who predicts with labels: numbers;
 * an error if they are text. */
bool pickle__label_numbers(const pickle_model *m, pickle__run *r, const pickle_batch *places,
                           pickle_batch *y);
/* predict_log_proba as most classifiers have it: the log of predict_proba. */
bool pickle__log_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y);

/* The classes of each file. */
#define FAMILY(name) extern const pickle__estimator pickle__##name##_estimators[];
#include "sklearn/classes.inc"
#undef FAMILY

#endif
