/* text.c - vectorizers of text: counts of words, and weights for them. */
#include "sklearn/analyze.h"
#include "sklearn/numeric.h"

#include <string.h>

#include <pickle/sparse.h>

/* --------------------------------------------------------- TfidfTransformer */

typedef struct tfidf {
    bool sublinear;
    pickle__norm norm;
    size_t columns;    /* of idf */
    const double *idf; /* NULL: none */
    bool idf_f32;
    /* Before 1.5, idf is a matrix: the product has the elements of a row in reverse, and the wider
     * type of both. */
    bool product;
    bool dense_f32; /* a table of floats stays one */
} tfidf;

static void logarithms(double *x, size_t n, bool f32)
{
    for (size_t i = 0; i < n; i++)
        x[i] = f32 ? (double)(logf((float)x[i]) + 1.0f) : log(x[i]) + 1;
}

static void reverse(double *x, int64_t *columns, size_t n)
{
    for (size_t i = 0, k = n; i + 1 < k; i++) {
        double v = x[--k];
        int64_t column = columns[k];

        x[k] = x[i];
        columns[k] = columns[i];
        x[i] = v;
        columns[i] = column;
    }
}

/* Of one row, in place. */
static void weigh_row(const tfidf *s, double *x, int64_t *columns, size_t n, bool f32)
{
    if (s->sublinear)
        logarithms(x, n, f32);
    if (s->idf) {
        f32 = f32 && (!s->product || s->idf_f32);
        for (size_t i = 0; i < n; i++) {
            double v = x[i] * s->idf[columns[i]];

            x[i] = f32 ? (double)(float)v : v;
        }
        if (s->product)
            reverse(x, columns, n);
    }
    pickle__norm_row(s->norm, f32, x, n);
}

/* `x` is of the run's memory. */
static void weigh(const tfidf *s, pickle_batch *x, bool f32)
{
    double *data = (double *)(uintptr_t)x->data;
    int64_t *columns = (int64_t *)(uintptr_t)x->indices;

    for (size_t i = 0; i < x->rows; i++) {
        int64_t first = x->indptr[i];

        weigh_row(s, data + first, columns + first, (size_t)(x->indptr[i + 1] - first), f32);
    }
    x->integers = false;
}

/* A product would add up elements of one column: an error here, where none are expected. */
static bool no_column_twice(pickle__run *r, const pickle_batch *x)
{
    unsigned char *seen = pickle__take(r, x->cols / 8 + 1, 1);

    if (!seen)
        return false;
    memset(seen, 0, x->cols / 8 + 1);
    for (size_t i = 0; i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            int64_t column = x->indices[k];

            if (seen[column / 8] >> (column % 8) & 1)
                return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu has a column twice",
                                        r->first_row + i);
            seen[column / 8] |= (unsigned char)(1 << (column % 8));
        }
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++)
            seen[x->indices[k] / 8] = 0;
    }
    return true;
}

static bool tfidf_transform(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const tfidf *s = m->state;
    pickle_batch from;
    pickle__csr to;
    size_t nnz;

    if (!pickle__as_csr(r, x, &from) || (s->product && !no_column_twice(r, &from)))
        return false;
    nnz = from.rows ? (size_t)(from.indptr[from.rows] - from.indptr[0]) : 0;
    to = pickle__new_csr(r, y, from.rows, from.cols, nnz);
    if (!to.data)
        return false;
    if (nnz > 0) {
        memcpy(to.indices, from.indices + from.indptr[0], nnz * sizeof *to.indices);
        memcpy(to.data, (const double *)from.data + from.indptr[0], nnz * sizeof *to.data);
    }
    for (size_t i = 0; i < from.rows; i++)
        to.indptr[i + 1] = from.indptr[i + 1] - from.indptr[0];
    weigh(s, y, x->kind == PICKLE_BATCH_F32 && s->dense_f32);
    return true;
}

/* The diagonal of a sparse matrix. */
static void open_diagonal(pickle__opener *o, tfidf *s)
{
    const pickle_val *v = pickle__need(o, "_idf_diag");
    pickle__sparse matrix;
    pickle_sparse type;
    double *idf;

    if (!v || !pickle__sparse_of(o, "_idf_diag", v, &matrix) || !pickle_get_sparse(v, &type)) {
        pickle__bad(o, "_idf_diag", "is no sparse matrix");
        return;
    }
    idf = pickle__keep(o, matrix.rows, sizeof *idf);
    if (matrix.rows != matrix.cols || matrix.rows == 0)
        pickle__bad(o, "_idf_diag", "is not square");
    for (size_t i = 0; idf && pickle__ok(o) && i < matrix.rows; i++) {
        int64_t first = matrix.indptr[i], n = matrix.indptr[i + 1] - first;

        if (n > 1 || (n == 1 && matrix.indices[first] != (int64_t)i))
            pickle__bad(o, "_idf_diag", "has more than a diagonal");
        else if (n == 1)
            idf[i] = matrix.data[first];
    }
    s->idf = idf;
    s->columns = matrix.rows;
    s->idf_f32 = type.dtype.kind == 'f' && type.dtype.itemsize == 4;
}

static void open_idf(pickle__opener *o, tfidf *s)
{
    if (o->version < PICKLE__SKLEARN(1, 5, 0)) {
        if (pickle__flag(o, "use_idf", true)) {
            s->product = true;
            open_diagonal(o, s);
        }
    } else if (pickle__attr(o, "idf_")) {
        pickle__matrix idf = pickle__need_numbers(o, "idf_");

        s->idf = idf.data;
        s->columns = idf.rows * idf.cols;
        s->idf_f32 = idf.f32;
        if (pickle__ok(o) && s->columns == 0)
            pickle__bad(o, "idf_", "is empty");
    } else if (pickle__attr(o, "_idf_diag")) {
        pickle__unsupported(o, "_idf_diag", "is of another version than the file says");
    }
}

static void open_tfidf_transformer(pickle__opener *o)
{
    tfidf *s = pickle__state(o, sizeof *s);
    int64_t columns = 0;

    s->sublinear = pickle__flag(o, "sublinear_tf", false);
    s->norm = pickle__open_norm(o);
    s->dense_f32 = o->version < PICKLE__SKLEARN(0, 20, 0) || o->version >= PICKLE__SKLEARN(1, 5, 0);
    open_idf(o, s);
    if (o->version >= PICKLE__SKLEARN(1, 0, 0))
        columns = pickle__integer(o, "n_features_in_", 0);
    if (columns < 0 || (s->columns && columns && (size_t)columns != s->columns))
        pickle__bad(o, "n_features_in_", "is another number than there are weights");
    o->model->features = s->columns ? s->columns : (size_t)columns;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR;
    if (o->version < PICKLE__SKLEARN(0, 20, 0))
        o->model->numbers = PICKLE__ANY_NUMBER;
    pickle__method_is(o, PICKLE_TRANSFORM, tfidf_transform);
}

/* -------------------------------------------------------------- vectorizers */

typedef struct vectorizer {
    pickle__analyzer analyzer;
    bool f32;
    const tfidf *weights; /* NULL: of CountVectorizer */
} vectorizer;

static bool vectorize(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const vectorizer *s = m->state;

    if (!pickle__count(r, &s->analyzer, false, x, y))
        return false;
    if (s->weights)
        weigh(s->weights, y, s->f32);
    return true;
}

static void open_vocabulary(pickle__opener *o, pickle__analyzer *a)
{
    const char *name = pickle__attr(o, "vocabulary_") ? "vocabulary_" : "vocabulary";
    const pickle_val *v = pickle__attr(o, name);
    pickle_kind kind = pickle_kind_of(v);

    if (!v)
        pickle__unsupported(o, "vocabulary_", "is missing: not fitted?");
    else if (kind == PICKLE_LIST || kind == PICKLE_TUPLE)
        a->vocabulary = pickle__words_of_list(o, name, v);
    else
        a->vocabulary = pickle__words_of_dict(o, name, v);
    a->columns = a->vocabulary ? a->vocabulary->count : 0;
}

static void open_vectorizer(pickle__opener *o, vectorizer *s, pickle__count_type fallback)
{
    pickle__count_type type = pickle__open_dtype(o, fallback);

    s->f32 = type == PICKLE__COUNT_F32;
    s->analyzer.integers = type == PICKLE__COUNT_INT;
    pickle__open_analyzer(o, &s->analyzer);
    if (pickle__ok(o))
        open_vocabulary(o, &s->analyzer);
    pickle__method_is(o, PICKLE_TRANSFORM, vectorize);
}

static void open_count_vectorizer(pickle__opener *o)
{
    vectorizer *s = pickle__state(o, sizeof *s);

    open_vectorizer(o, s, PICKLE__COUNT_INT);
}

static void open_tfidf_vectorizer(pickle__opener *o)
{
    vectorizer *s = pickle__state(o, sizeof *s);
    const pickle_val *v = pickle__need(o, "_tfidf");
    const pickle_model *part;

    open_vectorizer(o, s, PICKLE__COUNT_F64);
    if (!pickle__ok(o))
        return;
    part = pickle__open_part(o, "_tfidf", 0, v);
    if (part->refused || !pickle__ok(o))
        return;
    if (part->methods[PICKLE_TRANSFORM] != tfidf_transform) {
        pickle__unsupported(o, "_tfidf", "is no TfidfTransformer");
        return;
    }
    s->weights = part->state;
    if (part->features && part->features != s->analyzer.columns)
        pickle__bad(o, "_tfidf", "has weights for another number of words");
}

const pickle__estimator pickle__text_estimators[] = {
    { "feature_extraction", "CountVectorizer", open_count_vectorizer },
    { "feature_extraction", "TfidfVectorizer", open_tfidf_vectorizer },
    { "feature_extraction", "TfidfTransformer", open_tfidf_transformer },
    { NULL, NULL, NULL },
};
