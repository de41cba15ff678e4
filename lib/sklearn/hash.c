/* hash.c - features by the hash of their names, and dictionaries. */
#include "sklearn/analyze.h"

#include <math.h>

typedef struct hasher {
    pickle__analyzer analyzer;
    pickle__norm norm;
    bool f32;
    bool non_negative; /* what was added up loses its sign */
} hasher;

static bool hash(const pickle_model *m, pickle__run *r, bool features, const pickle_batch *x,
                 pickle_batch *y)
{
    const hasher *s = m->state;
    double *data;

    if (!pickle__count(r, &s->analyzer, features, x, y))
        return false;
    data = (double *)(uintptr_t)y->data;
    for (size_t i = 0; i < y->rows; i++) {
        size_t first = (size_t)y->indptr[i], n = (size_t)y->indptr[i + 1] - first;

        for (size_t k = first; s->non_negative && k < first + n; k++)
            data[k] = fabs(data[k]);
        pickle__norm_row(s->norm, s->f32, data + first, n);
    }
    return true;
}

static bool hash_documents(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    return hash(m, r, false, x, y);
}

static bool hash_features(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    return hash(m, r, true, x, y);
}

static void open_hasher(pickle__opener *o, hasher *s)
{
    pickle__count_type type = pickle__open_dtype(o, PICKLE__COUNT_F64);
    int64_t columns;

    pickle__need(o, "n_features");
    columns = pickle__integer(o, "n_features", 1);
    if (columns < 1 || columns > INT32_MAX) {
        pickle__bad(o, "n_features", "is no number of columns");
        columns = 1;
    }
    s->analyzer.columns = (size_t)columns;
    s->analyzer.signs = pickle__flag(o, "alternate_sign", true);
    s->analyzer.integers = type == PICKLE__COUNT_INT && s->norm == PICKLE__NORM_NONE;
    s->f32 = type == PICKLE__COUNT_F32;
    if (o->version < PICKLE__SKLEARN(0, 21, 0))
        s->non_negative = pickle__flag(o, "non_negative", false);
}

static void open_hashing_vectorizer(pickle__opener *o)
{
    hasher *s = pickle__state(o, sizeof *s);

    s->norm = pickle__open_norm(o);
    open_hasher(o, s);
    pickle__open_analyzer(o, &s->analyzer);
    pickle__method_is(o, PICKLE_TRANSFORM, hash_documents);
}

static void open_feature_hasher(pickle__opener *o)
{
    hasher *s = pickle__state(o, sizeof *s);

    if (pickle__choice(o, "input_type", 0, "dict", "pair", "string", NULL) != 2)
        pickle__unsupported(o, "input_type", "is not 'string': a table has no dicts and pairs");
    open_hasher(o, s);
    o->model->takes = PICKLE__CELLS;
    pickle__method_is(o, PICKLE_TRANSFORM, hash_features);
}

static void open_dict_vectorizer(pickle__opener *o)
{
    pickle__unsupported(o, NULL, "takes dicts, which a table does not have");
}

const pickle__estimator pickle__hash_estimators[] = {
    { "feature_extraction", "HashingVectorizer", open_hashing_vectorizer },
    { "feature_extraction", "FeatureHasher", open_feature_hasher },
    { "feature_extraction", "DictVectorizer", open_dict_vectorizer },
    { NULL, NULL, NULL },
};
