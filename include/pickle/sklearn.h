/*
 * pickle/sklearn.h - predict with scikit-learn's models, straight from the file.
 *
 *     pickle_model *m = pickle_model_open_file("model.joblib", NULL, &err);
 *     pickle_batch in = { .kind = PICKLE_BATCH_F64, .rows = n, .cols = 4, .data = table };
 *     if (m && pickle_model_run(m, PICKLE_PREDICT_PROBA, &in, NULL, out, n * 3, &err))
 *         ...
 *     pickle_model_free(m);
 *
 * Link with -lpickle-sklearn -lpickle. A model holds what its estimators learned, as scikit-learn
 * 0.18 to 1.9 pickled it, and computes what that version computes, in the same order of operations.
 * Nothing from the file is executed: a class that is not known here, or a setting that needs
 * Python (a function of the user's), makes the model unsupported, by name, before any prediction.
 *
 * Thread safety: a model never changes; any number of threads may run it at once.
 *
 * Facts: scikit-learn's source of the versions named, libsvm's svm.cpp, numpy's and scipy's sums.
 */
#ifndef PICKLE_SKLEARN_H
#define PICKLE_SKLEARN_H

#include <pickle/doc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An estimator that was fitted, and those that are part of it. */
typedef struct pickle_model pickle_model;

/* scikit-learn's methods of the same names. New ones are appended. */
typedef enum pickle_method {
    PICKLE_PREDICT,
    PICKLE_PREDICT_PROBA,
    PICKLE_PREDICT_LOG_PROBA,
    PICKLE_DECISION_FUNCTION,
    PICKLE_TRANSFORM,
    PICKLE_INVERSE_TRANSFORM,
    PICKLE_SCORE_SAMPLES,
    PICKLE_APPLY, /* the leaf of each tree that a row falls into */
    PICKLE_N_METHODS
} pickle_method;

/* "predict_proba"; never NULL. */
PICKLE_API const char *pickle_method_name(pickle_method method);
/* False when there is no method of that name. */
PICKLE_API bool pickle_method_of(const char *name, pickle_method *out);

/* ------------------------------------------------------------------- tables */

/* One value of a table: what a cell of a CSV, of an array of objects or a class label may be. */
typedef enum pickle_cell_kind {
    PICKLE_CELL_NONE,
    PICKLE_CELL_BOOL,
    PICKLE_CELL_INT,
    PICKLE_CELL_FLOAT,
    PICKLE_CELL_TEXT
} pickle_cell_kind;

typedef struct pickle_cell {
    pickle_cell_kind kind;
    size_t len; /* TEXT: bytes, without the NUL that text of this library ends with */
    union {
        int64_t i; /* BOOL (0 or 1) and INT */
        double f;
        const char *text; /* UTF-8 */
    } as;
} pickle_cell;

typedef enum pickle_batch_kind {
    PICKLE_BATCH_F64,  /* double                                                      */
    PICKLE_BATCH_F32,  /* float                                                       */
    PICKLE_BATCH_CSR,  /* sparse: double                                              */
    PICKLE_BATCH_CELLS /* pickle_cell: text, or numbers and text together; documents for text
                          vectorisers are one column                                  */
} pickle_batch_kind;

/*
 * A table of samples, one a row: input of a method. It borrows everything. Zero-initialise it, so
 * that what later versions add is at its default.
 *
 * CSR as scipy has it: row i has the columns indices[indptr[i] .. indptr[i + 1]) and the values at
 * the same places of `data`; indptr need not start at 0. Where Python would be given float32, give
 * F32: several estimators compute in the type of their input, and their numbers differ.
 */
typedef struct pickle_batch {
    pickle_batch_kind kind;
    bool integers; /* whole numbers: in Python an array of integers */
    size_t rows, cols;
    const void *data;
    size_t stride; /* bytes from one row to the next; 0: rows follow each other. Not CSR */
    const int64_t *indptr, *indices; /* CSR */
    /* Names of the columns, or NULL. A model that knows names finds its features by them, in any
     * order, and leaves out what it doesn't know; otherwise columns are found by position. */
    const char *const *names;
} pickle_batch;

/*
 * A batch of what a document holds: an array of numbers, text or objects (one dimension is one
 * column), a sparse matrix, a pandas DataFrame or Series, a list of texts or of rows; of a dict, as
 * an .npz is read, the only array in it, or the one called X; a matrix of scipy.sparse.save_npz.
 * NULL and an error for anything else. Free it with pickle_table_free; it borrows from the
 * document.
 */
typedef struct pickle_table pickle_table;
PICKLE_API pickle_table *pickle_table_read(const pickle_val *v, pickle_error *err);
PICKLE_API const pickle_batch *pickle_table_batch(const pickle_table *t);
PICKLE_API void pickle_table_free(pickle_table *t);

/* ------------------------------------------------------------------ opening */

typedef struct pickle_model_opts {
    size_t struct_size; /* set by pickle_model_opts() */
    const pickle_alloc *alloc;
    /* pickle_model_open_file: how the file is read. */
    const pickle_read_opts *read;
    /* pickle_model_open_file: where in it the model is, as for pickle_find; NULL: the root. */
    const char *path;
    /* Take models of versions of scikit-learn that are newer than this library, as if they were of
     * the newest it knows. Without it they are unsupported. */
    bool newer;
} pickle_model_opts;

#ifndef __cplusplus
#define pickle_model_opts(...) \
    (&(const pickle_model_opts){ .struct_size = sizeof(pickle_model_opts), __VA_ARGS__ })
#endif

/*
 * Open the model that `v` is; its document must live as long. NULL when `v` is no object
 * (PICKLE_ERR_TYPE), when its parts contradict each other or would make a prediction run astray
 * (PICKLE_ERR_VALUE: shapes, trees with loops, an estimator that contains itself), or when there is
 * no memory. A model that is not supported is opened, too, so that one can look at it.
 */
PICKLE_API pickle_model *pickle_model_open(const pickle_val *v, const pickle_model_opts *opts,
                                           pickle_error *err);
/* Read a file and open the model in it. */
PICKLE_API pickle_model *pickle_model_open_file(const char *path, const pickle_model_opts *opts,
                                                pickle_error *err);
/* Of what pickle_model_open gave, with all its parts; NULL is fine. */
PICKLE_API void pickle_model_free(pickle_model *m);

/* --------------------------------------------------------------- describing */

/* The first thing in a model, in the order of the pipeline, that stands in the way. */
typedef struct pickle_unsupported {
    const char *class_name; /* "sklearn.svm.SVC"                                     */
    const char *attribute;  /* "kernel"; NULL: the class as a whole                  */
    const char *reason;     /* "is a function of the user's"                         */
} pickle_unsupported;

/* Can its methods be run? `why`, which may be NULL, is filled in where not. */
PICKLE_API bool pickle_model_supported(const pickle_model *m, pickle_unsupported *why);

/* "sklearn.linear_model.LogisticRegression", the public name, printable; never NULL. */
PICKLE_API const char *pickle_model_class(const pickle_model *m);
/* The version of scikit-learn that fitted it: "1.2.2", or NULL when the file does not say. */
PICKLE_API const char *pickle_model_version(const pickle_model *m);
/* Columns that a batch must have; 0 where any number will do, or it is not known. */
PICKLE_API size_t pickle_model_features(const pickle_model *m);
/* The name of a column, NULL when there are none: fitted without, or before scikit-learn 1.0. */
PICKLE_API const char *pickle_model_feature_name(const pickle_model *m, size_t column);
/* Is a row of its input one text: a document for a vectorizer? */
PICKLE_API bool pickle_model_takes_text(const pickle_model *m);
PICKLE_API bool pickle_model_has(const pickle_model *m, pickle_method method);

/* What predict gives for one row: 1, or more where several targets were fitted together. */
PICKLE_API size_t pickle_model_outputs(const pickle_model *m);
/* Classes of a classifier's output, in the order of predict_proba's columns; 0: no classifier. */
PICKLE_API size_t pickle_model_classes(const pickle_model *m, size_t output);
/* One of them; NULL when there is no such one. */
PICKLE_API const pickle_cell *pickle_model_label(const pickle_model *m, size_t output,
                                                 size_t index);

/* Steps of a pipeline, trees of a forest, ...: models, too, that can be described and run by
 * themselves, and live as long as the whole. `name`, which may be NULL, is "scale" or "[0]". */
PICKLE_API size_t pickle_model_parts(const pickle_model *m);
PICKLE_API const pickle_model *pickle_model_part(const pickle_model *m, size_t index,
                                                 const char **name);

/* ------------------------------------------------------------------ running */

typedef struct pickle_run_opts {
    size_t struct_size; /* set by pickle_run_opts() */
    /* Split the rows over so many threads; 0 and 1: only the caller's. Results are the same. */
    unsigned threads;
} pickle_run_opts;

#ifndef __cplusplus
#define pickle_run_opts(...) \
    (&(const pickle_run_opts){ .struct_size = sizeof(pickle_run_opts), __VA_ARGS__ })
#endif

/*
 * How many numbers a method gives for one row of a batch with `cols` columns; without a method of
 * that name PICKLE_ERR_MISSING. What predict_proba gives as a list of arrays in Python, for several
 * outputs, is side by side.
 */
PICKLE_API bool pickle_model_width(const pickle_model *m, pickle_method method, size_t cols,
                                   size_t *out, pickle_error *err);

/*
 * Run a method on all rows. `out` has rows * width numbers, in C order; `count` must be exactly
 * that (PICKLE_ERR_RANGE). Errors: PICKLE_ERR_UNSUPPORTED with the class and attribute;
 * PICKLE_ERR_MISSING: the model has no such method, or a named column is not there;
 * PICKLE_ERR_VALUE: a wrong number of columns, or a value that scikit-learn refuses as well, such
 * as NaN, with its row; PICKLE_ERR_TYPE: text where numbers are needed, or an estimator that takes
 * no sparse matrix, or text as result; PICKLE_ERR_NOMEM. On failure `out` may be half written.
 * No rows are no error, and give none.
 *
 * pickle_model_run: numbers; for a classifier's predict the labels, if they are numbers or bools.
 * pickle_model_run_index: predict of a classifier as places in its classes.
 * pickle_model_run_cells: everything, labels of any type included; text belongs to the model, or
 * to the batch.
 */
PICKLE_API bool pickle_model_run(const pickle_model *m, pickle_method method,
                                 const pickle_batch *in, const pickle_run_opts *opts, double *out,
                                 size_t count, pickle_error *err);
PICKLE_API bool pickle_model_run_index(const pickle_model *m, const pickle_batch *in,
                                       const pickle_run_opts *opts, size_t *out, size_t count,
                                       pickle_error *err);
PICKLE_API bool pickle_model_run_cells(const pickle_model *m, pickle_method method,
                                       const pickle_batch *in, const pickle_run_opts *opts,
                                       pickle_cell *out, size_t count, pickle_error *err);

/* Likewise for what is mostly zeros, such as the output of text vectorisers: the library's memory,
 * which pickle_csr_free frees. Columns of a row are in the order in which Python has them. */
typedef struct pickle_csr {
    size_t rows, cols;
    int64_t *indptr, *indices; /* rows + 1, and indptr[rows] of them */
    double *data;
    const pickle_alloc *alloc;
} pickle_csr;

PICKLE_API bool pickle_model_run_csr(const pickle_model *m, pickle_method method,
                                     const pickle_batch *in, const pickle_run_opts *opts,
                                     pickle_csr *out, pickle_error *err);
PICKLE_API void pickle_csr_free(pickle_csr *csr);

#ifdef __cplusplus
}
#endif
#endif
