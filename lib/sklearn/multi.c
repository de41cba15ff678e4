/* multi.c - several classes by classifiers of two, several targets by estimators of one. */
#include <math.h>
#include <string.h>

#include "sklearn/estimator.h"
#include "sklearn/numeric.h"

typedef struct multi {
    size_t count;
    pickle_model **estimators;
    bool multilabel;         /* OneVsRestClassifier: each class is there or not, by itself */
    double threshold;        /* of a score that means yes                                  */
    const double *code_book; /* OutputCodeClassifier: a row for each class                 */
    const int64_t *order;    /* chains: which output is the i-th                           */
    pickle_method feature;   /* chains: what those behind in the chain get to see          */
} multi;

/* Estimators that are given the same table, which they check themselves. */
static multi *open_estimators(pickle__opener *o)
{
    multi *c = pickle__state(o, sizeof *c);

    c->estimators = pickle__open_parts(o, "estimators_", &c->count);
    if (pickle__ok(o) && c->count == 0)
        pickle__bad(o, "estimators_", "is empty");
    if (pickle__ok(o))
        pickle__take_as(o, c->estimators[0]);
    return c;
}

static bool all_have(const multi *c, pickle_method method)
{
    for (size_t k = 0; k < c->count; k++) {
        if (!c->estimators[k]->methods[method])
            return false;
    }
    return c->count > 0;
}

/* One column of a part's results into a column of `to`, which has `width`. */
static bool put_column(const pickle_model *part, pickle_method method, pickle__run *r,
                       const pickle_batch *x, size_t column, double *to, size_t width)
{
    pickle_batch y;

    if (!pickle__run_method(part, method, r, x, &y) ||
        (method == PICKLE_PREDICT && !pickle__label_numbers(part, r, &y, &y)) ||
        !pickle__as_f64(r, &y, &y))
        return false;
    if (column >= y.cols)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "%s gives fewer columns than are needed",
                                part->class_name);
    for (size_t i = 0; i < y.rows; i++)
        to[i * width] = pickle__row(&y, i)[column];
    return true;
}

/* A column of each estimator, side by side. */
static bool columns_of(const multi *c, pickle_method method, size_t column, pickle__run *r,
                       const pickle_batch *x, pickle_batch *y)
{
    const pickle_batch from = *x;
    double *out = pickle__new_f64(r, y, from.rows, c->count);
    bool ok = out != NULL;

    for (size_t k = 0; ok && k < c->count; k++) {
        pickle__pool_mark here = pickle__pool_here(&r->pool);

        ok = put_column(c->estimators[k], method, r, &from, column, out + k, c->count);
        pickle__pool_release(&r->pool, here);
    }
    return ok;
}

/* ------------------------------------------------- classifiers of two classes */

/* How much a classifier of two is for the second: _predict_binary. */
static pickle_method score_of(const pickle_model *e, size_t *column)
{
    *column = 0;
    if (e->methods[PICKLE_DECISION_FUNCTION])
        return PICKLE_DECISION_FUNCTION;
    if (!e->classes)
        return PICKLE_PREDICT; /* a regressor */
    *column = 1;
    return PICKLE_PREDICT_PROBA;
}

static bool scores(const multi *c, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const pickle_batch from = *x;
    double *out = pickle__new_f64(r, y, from.rows, c->count);
    bool ok = out != NULL;

    for (size_t k = 0; ok && k < c->count; k++) {
        pickle__pool_mark here = pickle__pool_here(&r->pool);
        size_t column;
        pickle_method method = score_of(c->estimators[k], &column);

        ok = put_column(c->estimators[k], method, r, &from, column, out + k, c->count);
        pickle__pool_release(&r->pool, here);
    }
    return ok;
}

static void check_scores(pickle__opener *o, multi *c)
{
    for (size_t k = 0; pickle__ok(o) && k < c->count; k++) {
        size_t column;

        if (!c->estimators[k]->refused &&
            !c->estimators[k]->methods[score_of(c->estimators[k], &column)])
            pickle__unsupported(o, "estimators_", "has one without a score");
    }
    c->threshold = 0.5;
    if (pickle__ok(o) && c->estimators[0]->methods[PICKLE_DECISION_FUNCTION] &&
        c->estimators[0]->classes)
        c->threshold = 0;
}

/* ------------------------------------------------------- OneVsRestClassifier */

/* The class of the highest score; of several the last before 1.8, the first since. */
static size_t highest(const double *row, size_t n, bool first)
{
    size_t best = 0;
    double most = -INFINITY;

    for (size_t k = 0; k < n; k++) {
        if (row[k] > most || (row[k] == most && !first)) {
            most = row[k];
            best = k;
        }
    }
    return best;
}

static bool rest_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    const multi *c = m->state;
    bool first = m->version >= PICKLE__SKLEARN(1, 8, 0);
    pickle_batch s;
    double *out;

    if (!scores(c, r, x, &s))
        return false;
    out = pickle__new_f64(r, y, s.rows, c->multilabel ? c->count : 1);
    y->integers = true;
    for (size_t i = 0; out && i < s.rows; i++) {
        const double *row = pickle__row(&s, i);

        for (size_t k = 0; c->multilabel && k < c->count; k++)
            *out++ = row[k] > c->threshold;
        if (!c->multilabel)
            *out++ = c->count == 1 ? row[0] > c->threshold : (double)highest(row, c->count, first);
    }
    return y->data != NULL;
}

/* Over their sum; since 1.7 what sums up to nothing stays as it is. */
static void normalize(double *row, size_t n, bool guarded)
{
    double sum = 0;

    for (size_t k = 0; k < n; k++)
        sum += row[k];
    for (size_t k = 0; k < n && (sum != 0 || !guarded); k++)
        row[k] /= sum;
}

static bool rest_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                       pickle_batch *y)
{
    const multi *c = m->state;
    size_t width = c->count == 1 ? 2 : c->count;
    bool guarded = m->version >= PICKLE__SKLEARN(1, 7, 0);
    pickle_batch p;
    double *out;

    if (!columns_of(c, PICKLE_PREDICT_PROBA, 1, r, x, &p))
        return false;
    out = pickle__new_f64(r, y, p.rows, width);
    for (size_t i = 0; out && i < p.rows; i++, out += width) {
        const double *row = pickle__row(&p, i);

        memcpy(out + (width - c->count), row, c->count * sizeof *out);
        if (c->count == 1)
            out[0] = 1 - row[0];
        if (!c->multilabel)
            normalize(out, width, guarded);
    }
    return y->data != NULL;
}

static bool rest_decision(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    return columns_of(m->state, PICKLE_DECISION_FUNCTION, 0, r, x, y);
}

/* What kind of target it was fitted on: kept in its LabelBinarizer. */
static void read_target(pickle__opener *o, multi *c)
{
    const pickle_val *binarizer = pickle__need(o, "label_binarizer_");
    const pickle_val *type = pickle_attr(binarizer, "y_type_");
    bool binary = pickle_str_is(type, "binary");

    c->multilabel = pickle_str_is(type, "multilabel-indicator");
    if (!c->multilabel && !binary && !pickle_str_is(type, "multiclass"))
        pickle__unsupported(o, "label_binarizer_", "is for a kind of target that is not known");
    if (pickle__ok(o) && binary != (c->count == 1) && !c->multilabel)
        pickle__bad(o, "estimators_", "does not fit label_binarizer_");
}

static void open_one_vs_rest(pickle__opener *o)
{
    multi *c = open_estimators(o);

    check_scores(o, c);
    read_target(o, c);
    if (!pickle__ok(o))
        return;
    if (c->multilabel) {
        o->model->outputs = c->count;
    } else {
        /* Copied to the model itself before 0.24, since computed from the binarizer. */
        pickle__opener binarizer = *o;

        binarizer.object = pickle_attr(o->object, "classes_")
                               ? o->object
                               : pickle_attr(o->object, "label_binarizer_");
        pickle__read_classes(&binarizer, "classes_");
        if (pickle__ok(o) && o->model->classes->count != (c->count == 1 ? 2 : c->count))
            pickle__bad(o, "estimators_", "are not as many as classes");
    }
    pickle__method_is(o, PICKLE_PREDICT, rest_predict);
    if (all_have(c, PICKLE_PREDICT_PROBA))
        pickle__method_is(o, PICKLE_PREDICT_PROBA, rest_proba);
    if (all_have(c, PICKLE_DECISION_FUNCTION))
        pickle__method_is(o, PICKLE_DECISION_FUNCTION, rest_decision);
}

/* -------------------------------------------------------- _ConstantPredictor */

/* Stands for a class that all samples had, or none. */
static bool constant_decision(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    const double *value = m->state;
    double *out = pickle__new_f64(r, y, x->rows, 1);

    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = *value;
    return out != NULL;
}

static bool constant_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    const double *value = m->state;
    double *out = pickle__new_f64(r, y, x->rows, 2);

    for (size_t i = 0; out && i < x->rows; i++) {
        *out++ = 1 - *value;
        *out++ = *value;
    }
    return y->data != NULL;
}

static void open_constant(pickle__opener *o)
{
    double *value = pickle__state(o, sizeof *value);
    const double *y = pickle__need_row(o, "y_", 1);

    *value = y ? *y : 0;
    o->model->takes = PICKLE__F64 | PICKLE__F32 | PICKLE__CSR | PICKLE__CELLS;
    o->model->numbers = PICKLE__ANY_NUMBER;
    pickle__method_is(o, PICKLE_PREDICT, constant_decision);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, constant_decision);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, constant_proba);
}

/* -------------------------------------------------------- OneVsOneClassifier */

/* Votes, and less than one vote for how sure they were: _ovr_decision_function of 0.21. */
static void count_votes(const double *labels, const double *sure, size_t n, double *sums,
                        double *out)
{
    memset(out, 0, n * sizeof *out);
    memset(sums, 0, n * sizeof *sums);
    for (size_t i = 0, k = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++, k++) {
            sums[i] -= sure[k];
            sums[j] += sure[k];
            out[i] += labels[k] == 0;
            out[j] += labels[k] == 1;
        }
    }
    for (size_t i = 0; i < n; i++)
        out[i] += sums[i] / (3 * (fabs(sums[i]) + 1));
}

static bool votes(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const multi *c = m->state;
    size_t n = m->classes->count;
    pickle_batch from = *x, labels, sure;
    double *sums = pickle__take(r, n, sizeof *sums), *out;

    if (!sums || !columns_of(c, PICKLE_PREDICT, 0, r, &from, &labels) ||
        !scores(c, r, &from, &sure))
        return false;
    out = pickle__new_f64(r, y, from.rows, n);
    for (size_t i = 0; out && i < from.rows; i++)
        count_votes(pickle__row(&labels, i), pickle__row(&sure, i), n, sums, out + i * n);
    return out != NULL;
}

static bool one_decision(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    if (!votes(m, r, x, y))
        return false;
    if (m->classes->count == 2) { /* the column of the second */
        y->cols = 1;
        y->data = (const double *)y->data + 1;
    }
    return true;
}

static bool one_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    const multi *c = m->state;
    pickle_batch s;
    double *out;

    if (!one_decision(m, r, x, &s))
        return false;
    if (s.cols > 1)
        return pickle__argmax(r, &s, y);
    out = pickle__new_f64(r, y, s.rows, 1);
    for (size_t i = 0; out && i < s.rows; i++)
        out[i] = *pickle__row(&s, i) > c->threshold;
    return out != NULL;
}

static void open_one_vs_one(pickle__opener *o)
{
    multi *c = open_estimators(o);
    size_t n;

    check_scores(o, c);
    if (pickle__attr(o, "pairwise_indices_"))
        pickle__unsupported(o, "pairwise_indices_", "is for precomputed kernels");
    pickle__read_classes(o, "classes_");
    if (!pickle__ok(o))
        return;
    if (o->version < PICKLE__SKLEARN(1, 1, 0))
        c->threshold = 0; /* even of a regressor */
    n = o->model->classes->count;
    if (n > 65536 || c->count != n * (n - 1) / 2) {
        pickle__bad(o, "estimators_", "are not as many as pairs of classes");
        return;
    }
    pickle__method_is(o, PICKLE_PREDICT, one_predict);
    /* Before, its numbers depend on which other rows are asked about. */
    if (o->version >= PICKLE__SKLEARN(0, 21, 0))
        pickle__method_is(o, PICKLE_DECISION_FUNCTION, one_decision);
}

/* ------------------------------------------------------ OutputCodeClassifier */

/* euclidean_distances before the square root: x.x - 2 x.c + c.c, not below 0. */
static bool code_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    const multi *c = m->state;
    size_t n = m->classes->count;
    double *near = pickle__take(r, n, sizeof *near), *out;
    pickle_batch s;

    if (!near || !scores(c, r, x, &s))
        return false;
    out = pickle__new_f64(r, y, s.rows, 1);
    for (size_t i = 0; out && i < s.rows; i++) {
        const double *row = pickle__row(&s, i);
        double squares = pickle__squares(row, c->count);

        for (size_t k = 0; k < n; k++) {
            const double *code = c->code_book + k * c->count;
            double d = -2 * pickle__dot(row, code, c->count);

            d += squares;
            d += pickle__squares(code, c->count);
            near[k] = -sqrt(d > 0 ? d : 0);
        }
        out[i] = (double)pickle__largest(near, n);
    }
    return out != NULL;
}

static void open_output_code(pickle__opener *o)
{
    multi *c = open_estimators(o);

    check_scores(o, c);
    pickle__read_classes(o, "classes_");
    if (pickle__ok(o))
        c->code_book = pickle__need_table(o, "code_book_", o->model->classes->count, c->count);
    pickle__method_is(o, PICKLE_PREDICT, code_predict);
}

/* ------------------------------------------------------------ several targets */

/* Labels of different outputs have places in different classes. */
static bool targets_predict(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const multi *c = m->state;
    pickle_batch *parts = pickle__take(r, c->count, sizeof *parts);

    for (size_t k = 0; k < c->count; k++) {
        if (!parts || !pickle__run_method(c->estimators[k], r->method, r, x, &parts[k]))
            return false;
    }
    return pickle__hstack(r, parts, c->count, false, y);
}

static void open_targets(pickle__opener *o)
{
    multi *c = open_estimators(o);
    pickle__labels *classes = pickle__keep(o, c->count, sizeof *classes);
    size_t known = 0;

    o->model->outputs = c->count;
    for (size_t k = 0; pickle__ok(o) && k < c->count; k++) {
        if (c->estimators[k]->outputs != 1)
            pickle__unsupported(o, "estimators_", "has one with several targets of its own");
        if (pickle__ok(o) && c->estimators[k]->classes && known == k)
            classes[known++] = *c->estimators[k]->classes;
    }
    if (pickle__ok(o) && known == c->count)
        o->model->classes = classes;
    if (all_have(c, PICKLE_PREDICT))
        pickle__method_is(o, PICKLE_PREDICT, targets_predict);
    if (o->model->classes && all_have(c, PICKLE_PREDICT_PROBA))
        pickle__method_is(o, PICKLE_PREDICT_PROBA, targets_predict);
}

/* ------------------------------------------------------------------- chains */

static bool link_chain(const multi *c, pickle__run *r, const pickle_batch *x,
                       const pickle_batch *before, size_t k, pickle_method method, double *to,
                       size_t width)
{
    pickle_batch parts[2] = { *x, *before }, wider;
    const pickle_model *e = c->estimators[k];

    parts[1].cols = k;
    return pickle__hstack(r, parts, 2, x->kind == PICKLE_BATCH_CSR, &wider) &&
           put_column(e, method, r, &wider, method == PICKLE_PREDICT_PROBA, to, width);
}

/* Each estimator sees what those before it said. */
static bool chain(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const multi *c = m->state;
    const pickle_batch from = *x;
    pickle_batch said;
    double *features = pickle__new_f64(r, &said, from.rows, c->count);
    double *out = features ? pickle__new_f64(r, y, from.rows, c->count) : NULL;
    bool ok = out != NULL;

    for (size_t k = 0; ok && k < c->count; k++) {
        pickle__pool_mark here = pickle__pool_here(&r->pool);

        ok = link_chain(c, r, &from, &said, k, c->feature, features + k, c->count) &&
             link_chain(c, r, &from, &said, k, r->method, out + c->order[k], c->count);
        pickle__pool_release(&r->pool, here);
    }
    return ok;
}

/* Is it a permutation, so that each output is given once? */
static void read_order(pickle__opener *o, multi *c)
{
    size_t n;
    bool *seen = pickle__keep(o, c->count, 1);

    c->order = pickle__need_integers(o, "order_", &n);
    if (pickle__ok(o) && n != c->count)
        pickle__bad(o, "order_", "has another size than the rest");
    for (size_t k = 0; pickle__ok(o) && k < n; k++) {
        if (c->order[k] < 0 || (uint64_t)c->order[k] >= n || seen[c->order[k]])
            pickle__bad(o, "order_", "is no permutation");
        else
            seen[c->order[k]] = true;
    }
}

static void open_chain(pickle__opener *o)
{
    static const pickle_method features[] = { PICKLE_PREDICT, PICKLE_PREDICT_PROBA,
                                              PICKLE_DECISION_FUNCTION };
    multi *c = open_estimators(o);

    /* The first sees the table alone, the others more. */
    o->model->takes &= ~PICKLE__CELLS;
    o->model->numbers = PICKLE__FINITE;
    c->feature = features[pickle__choice(o, "chain_method_", 0, "predict", "predict_proba",
                                         "decision_function", NULL)];
    o->model->outputs = c->count;
    read_order(o, c);
    if (!pickle__ok(o) || !all_have(c, c->feature))
        return;
    for (int i = PICKLE_PREDICT; i <= PICKLE_DECISION_FUNCTION; i++) {
        if (i != PICKLE_PREDICT_LOG_PROBA && all_have(c, (pickle_method)i))
            pickle__method_is(o, (pickle_method)i, chain);
    }
    if (o->model->methods[PICKLE_PREDICT_PROBA] && o->version >= PICKLE__SKLEARN(1, 2, 0))
        pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, pickle__log_proba);
}

const pickle__estimator pickle__multi_estimators[] = {
    { "multiclass", "OneVsRestClassifier", open_one_vs_rest },
    { "multiclass", "OneVsOneClassifier", open_one_vs_one },
    { "multiclass", "OutputCodeClassifier", open_output_code },
    { "multiclass", "_ConstantPredictor", open_constant },
    { "multioutput", "MultiOutputClassifier", open_targets },
    { "multioutput", "MultiOutputRegressor", open_targets },
    { "multioutput", "ClassifierChain", open_chain },
    { "multioutput", "RegressorChain", open_chain },
    { NULL, NULL, NULL },
};
