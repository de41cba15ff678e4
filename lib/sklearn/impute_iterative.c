/* impute_iterative.c - IterativeImputer: columns that are predicted from each other, in turn. */
#include "sklearn/impute.h"

#include <math.h>
#include <string.h>

/* A turn: what is missing in column `feature` is predicted from others. */
typedef struct turn {
    size_t feature, count;
    const int64_t *neighbors; /* `count` columns */
    const pickle_model *estimator;
} turn;

typedef struct iterative_imputer {
    missing missing;
    const pickle_model *initial; /* what fills the gaps at first */
    const indicator *indicator;
    size_t n, n_turns;
    const turn *turns;
    const double *least, *most; /* of each column */
} iterative_imputer;

/* A batch with its gaps. */
typedef struct work {
    double *filled;
    unsigned char *gaps;
    size_t *rows; /* room for their places */
    size_t n_rows, n;
    bool narrow; /* float32: so is all that is filled in */
} work;

static bool start(const iterative_imputer *s, pickle__run *r, const pickle_batch *x, work *w)
{
    pickle_batch first;

    *w = (work){ .n_rows = x->rows, .n = s->n, .narrow = x->kind == PICKLE_BATCH_F32 };
    w->gaps = pickle__take(r, x->rows, s->n);
    w->rows = pickle__take(r, x->rows, sizeof *w->rows);
    if (!w->gaps || !w->rows || !pickle__run_method(s->initial, PICKLE_TRANSFORM, r, x, &first) ||
        !pickle__as_f64(r, &first, &first))
        return false;
    if (first.cols != s->n)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "initial_imputer_ leaves out a column");
    w->filled = pickle__take(r, x->rows * s->n, sizeof *w->filled);
    for (size_t i = 0; w->filled && i < x->rows; i++) {
        memcpy(w->filled + i * s->n, pickle__row(&first, i), s->n * sizeof *w->filled);
        for (size_t j = 0; j < s->n; j++)
            w->gaps[i * s->n + j] = pickle__is_missing(&s->missing, x, i, j);
    }
    return w->filled != NULL;
}

/* Then nothing is predicted: there is nothing to predict from. */
static bool all_missing(const work *w)
{
    return !memchr(w->gaps, 0, w->n_rows * w->n);
}

/* What the estimator sees of the rows that have a gap. */
static bool gather(const turn *t, pickle__run *r, const work *w, size_t rows, pickle_batch *x)
{
    double *out = pickle__new_f64(r, x, rows, t->count);

    for (size_t i = 0; out && i < rows; i++) {
        for (size_t k = 0; k < t->count; k++)
            *out++ = w->filled[w->rows[i] * w->n + (size_t)t->neighbors[k]];
    }
    return out && (!w->narrow || pickle__as_f32(r, x, x));
}

static bool take_turn(const iterative_imputer *s, const turn *t, pickle__run *r, work *w)
{
    double least = s->least[t->feature], most = s->most[t->feature];
    size_t rows = 0;
    pickle_batch x, y;

    for (size_t i = 0; i < w->n_rows; i++) {
        if (w->gaps[i * w->n + t->feature])
            w->rows[rows++] = i;
    }
    if (rows == 0)
        return true;
    if (!gather(t, r, w, rows, &x) ||
        !pickle__run_method(t->estimator, PICKLE_PREDICT, r, &x, &y) || !pickle__as_f64(r, &y, &y))
        return false;
    if (y.cols != 1)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "an estimator predicts more than a number");
    for (size_t i = 0; i < rows; i++) {
        double v = *pickle__row(&y, i);

        v = v < least ? least : v;
        v = v > most ? most : v;
        w->filled[w->rows[i] * w->n + t->feature] = w->narrow ? (double)(float)v : v;
    }
    return true;
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const iterative_imputer *s = m->state;
    size_t turns;
    double *out;
    work w;

    if (!start(s, r, x, &w))
        return false;
    turns = all_missing(&w) ? 0 : s->n_turns;
    out = pickle__new_f64(r, y, x->rows, s->n);
    if (!out)
        return false;
    for (size_t t = 0; t < turns; t++) {
        pickle__pool_mark here = pickle__pool_here(&r->pool);

        if (!take_turn(s, &s->turns[t], r, &w))
            return false;
        pickle__pool_release(&r->pool, here);
    }
    memcpy(out, w.filled, x->rows * s->n * sizeof *out);
    return (!w.narrow || pickle__as_f32(r, y, y)) &&
           pickle__beside_indicator(s->indicator, r, x, y);
}

/* ------------------------------------------------------------------ opening */

static void open_turn(pickle__opener *o, const iterative_imputer *s, turn *t, size_t index,
                      const pickle_val *v)
{
    const pickle_val *args = pickle_args(v);
    pickle_cell feature;

    if (pickle_len(args) != 3 || !pickle__cell_of(o, pickle_at(args, 0), &feature) ||
        feature.kind != PICKLE_CELL_INT || feature.as.i < 0 || (uint64_t)feature.as.i >= s->n) {
        pickle__bad(o, "imputation_sequence_", "has an item that is no turn of a column");
        return;
    }
    t->feature = (size_t)feature.as.i;
    t->neighbors = pickle__integers_of(o, "imputation_sequence_", pickle_at(args, 1), &t->count);
    for (size_t k = 0; pickle__ok(o) && k < t->count; k++) {
        if (t->neighbors[k] < 0 || (uint64_t)t->neighbors[k] >= s->n)
            pickle__bad(o, "imputation_sequence_", "has a column that is not there");
    }
    if (!pickle__ok(o))
        return;
    t->estimator = pickle__open_part(o, NULL, index, pickle_at(args, 2));
    if (t->estimator->refused)
        return;
    if (t->estimator->classes || !t->estimator->methods[PICKLE_PREDICT])
        pickle__unsupported(o, "imputation_sequence_", "has an estimator that is no regressor");
    else if (t->count == 0 || (t->estimator->features && t->estimator->features != t->count))
        pickle__bad(o, "imputation_sequence_", "has an estimator of other columns");
}

/* A number for each column, or one for all. */
static const double *open_limits(pickle__opener *o, const iterative_imputer *s, const char *name)
{
    pickle__matrix m = pickle__need_numbers(o, name);
    double *all = pickle__keep(o, s->n, sizeof *all);

    if (!pickle__ok(o) || !all)
        return NULL;
    if (m.rows * m.cols != 1 && m.rows * m.cols != s->n) {
        pickle__bad(o, name, "is not one number for each column");
        return NULL;
    }
    for (size_t j = 0; j < s->n; j++)
        all[j] = m.data[m.rows * m.cols == 1 ? 0 : j];
    return all;
}

static void open_turns(pickle__opener *o, iterative_imputer *s)
{
    const pickle_val *list;
    turn *turns;

    pickle__need(o, "n_iter_");
    if (pickle__integer(o, "n_iter_", 0) == 0)
        return;
    s->least = open_limits(o, s, "_min_value");
    s->most = open_limits(o, s, "_max_value");
    list = pickle__items(o, "imputation_sequence_", pickle__need(o, "imputation_sequence_"),
                         &s->n_turns);
    turns = pickle__keep(o, s->n_turns, sizeof *turns);
    for (size_t i = 0; turns && i < s->n_turns && pickle__ok(o); i++)
        open_turn(o, s, &turns[i], i, pickle_at(list, i));
    s->turns = turns;
}

/* Columns that were never there are dropped, or not, by rules that changed. */
static void open_initial(pickle__opener *o, iterative_imputer *s)
{
    const pickle_val *initial = pickle__need(o, "initial_imputer_");
    pickle__matrix m =
        pickle__numbers_of(o, "initial_imputer_", pickle_attr(initial, "statistics_"));

    if (!pickle__ok(o))
        return;
    s->n = m.rows * m.cols;
    for (size_t j = 0; j < s->n; j++) {
        if (isnan(m.data[j])) {
            pickle__unsupported(o, "initial_imputer_", "has seen columns without any number");
            return;
        }
    }
    s->initial = pickle__open_part(o, "initial_imputer_", 0, initial);
    if (!s->initial->refused && (s->n == 0 || s->initial->features != s->n))
        pickle__bad(o, "initial_imputer_", "has not one statistic for each column");
}

static void refuse(pickle__opener *o)
{
    pickle__matrix empty = { 0 };

    if (pickle__flag(o, "sample_posterior", false))
        pickle__unsupported(o, "sample_posterior", "draws numbers at random");
    if (pickle__flag(o, "keep_empty_features", false))
        pickle__unsupported(o, "keep_empty_features", "is not known here");
    if (o->version < PICKLE__SKLEARN(0, 22, 0))
        pickle__unsupported(o, "imputation_sequence_", "is of a version that is not known here");
    if (pickle__attr(o, "_is_empty_feature"))
        empty = pickle__need_numbers(o, "_is_empty_feature");
    for (size_t j = 0; pickle__ok(o) && j < empty.rows * empty.cols; j++) {
        if (empty.data[j] != 0)
            pickle__unsupported(o, "_is_empty_feature", "has columns without any number");
    }
}

static void open_iterative_imputer(pickle__opener *o)
{
    iterative_imputer *s = pickle__state(o, sizeof *s);

    refuse(o);
    pickle__open_missing(o, &s->missing, false);
    if (!s->missing.is_number)
        pickle__unsupported(o, "missing_values", "is no number");
    open_initial(o, s);
    if (!pickle__ok(o))
        return;
    open_turns(o, s);
    s->indicator = pickle__open_imputers_indicator(o, s->n);
    o->model->features = s->n;
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    o->model->numbers = s->missing.nan ? PICKLE__OR_NAN : PICKLE__FINITE;
    o->model->together = true; /* whether all is missing */
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

const pickle__estimator pickle__impute_iterative_estimators[] = {
    { "impute", "IterativeImputer", open_iterative_imputer },
    { NULL, NULL, NULL },
};
