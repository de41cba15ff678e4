/* centroid.c - NearestCentroid: the class whose centre is the nearest. */
#include "sklearn/neighbors.h"
#include "sklearn/numeric.h"
#include "sklearn/search.h"

#include <math.h>

typedef struct centroid {
    pickle__search search;
    /* Since 1.6: */
    const double *deviation; /* of the columns, for scores; zeros leave a column alone */
    const double *scaled;    /* the centres by it */
    const double *norms;     /* their squares     */
    const double *log_prior; /* twice             */
} centroid;

static bool classify(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const centroid *s = m->state;
    double *out = pickle__new_f64(r, y, x->rows, 1);
    pickle__nearest near;

    if (!out || !pickle__nearest_take(&s->search, r, 1, &near))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        size_t first;

        if (!pickle__search_first(&s->search, r, x, i, &near, &first))
            return false;
        out[i] = (double)first;
    }
    return true;
}

/* ------------------------------------------------------------------- scores */

static double distance(const centroid *s, const double *x, size_t c)
{
    size_t n = s->search.metric.n;
    const double *centre = s->scaled + c * n;
    double square = -2 * pickle__dot(x, centre, n) + pickle__squares(x, n) + s->norms[c], d;

    if (s->search.metric.kind == PICKLE__EUCLIDEAN)
        d = sqrt(square > 0 ? square : 0);
    else
        d = pickle__metric_reduced(&s->search.metric, x, centre);
    return d;
}

/* Minus the square of the distance, in units of the columns' deviation, and the prior. */
static bool scores(const centroid *s, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    size_t n = s->search.metric.n, count = s->search.count;
    double *row = pickle__take(r, n, sizeof *row), *out;
    pickle_batch table;

    if (!row || !pickle__as_f64(r, x, &table))
        return false;
    out = pickle__new_f64(r, y, x->rows, count);
    for (size_t i = 0; out && i < x->rows; i++) {
        for (size_t j = 0; j < n; j++) {
            double scale = s->deviation[j];

            row[j] = scale != 0 ? pickle__row(&table, i)[j] / scale : pickle__row(&table, i)[j];
        }
        for (size_t c = 0; c < count; c++) {
            double d = distance(s, row, c);

            *out++ = -(d * d) + s->log_prior[c];
        }
    }
    return y->data != NULL;
}

static bool decision_function(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    pickle_batch all;
    double *out;

    if (!scores(m->state, r, x, &all))
        return false;
    if (all.cols != 2) {
        *y = all;
        return true;
    }
    out = pickle__new_f64(r, y, x->rows, 1);
    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = pickle__row(&all, i)[1] - pickle__row(&all, i)[0];
    return out != NULL;
}

static bool classify_scores(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    pickle_batch all;

    return scores(m->state, r, x, &all) && pickle__argmax(r, &all, y);
}

static bool predict_log_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    size_t n = ((const centroid *)m->state)->search.count;
    double *powers = pickle__take(r, n, sizeof *powers), *row;

    if (!powers || !scores(m->state, r, x, y))
        return false;
    row = (double *)(uintptr_t)y->data;
    for (size_t i = 0; i < x->rows; i++, row += n) {
        double most = row[pickle__largest(row, n)], sum;

        for (size_t c = 0; c < n; c++) {
            row[c] -= most;
            powers[c] = exp(row[c]);
        }
        sum = log(pickle__sum(powers, n));
        for (size_t c = 0; c < n; c++)
            row[c] -= sum;
    }
    return true;
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    double *out;

    if (!predict_log_proba(m, r, x, y))
        return false;
    out = (double *)(uintptr_t)y->data;
    for (size_t i = 0; i < x->rows * y->cols; i++)
        out[i] = exp(out[i]);
    return true;
}

/* ------------------------------------------------------------------ opening */

/* numpy.isclose to 1 / n. */
static bool is_uniform(const double *prior, size_t n)
{
    double each = 1 / (double)n;

    for (size_t i = 0; i < n; i++) {
        if (!(fabs(prior[i] - each) <= 1e-8 + 1e-5 * each))
            return false;
    }
    return true;
}

static void open_scores(pickle__opener *o, centroid *s)
{
    size_t n = s->search.metric.n, count = s->search.count;
    const double *prior = pickle__need_row(o, "class_prior_", count);
    const double *deviation = pickle__need_row(o, "within_class_std_dev_", n);
    double *scaled = pickle__keep(o, count, n * sizeof *scaled);
    double *norms = pickle__keep(o, count, sizeof *norms);
    double *log_prior = pickle__keep(o, count, sizeof *log_prior);

    if (!pickle__ok(o) || !scaled || !norms || !log_prior)
        return;
    for (size_t c = 0; c < count; c++) {
        for (size_t j = 0; j < n; j++) {
            double v = s->search.points[c * n + j];

            scaled[c * n + j] = deviation[j] != 0 ? v / deviation[j] : v;
        }
        norms[c] = pickle__squares(scaled + c * n, n);
        log_prior[c] = 2 * log(prior[c]);
    }
    s->deviation = deviation;
    s->scaled = scaled;
    s->norms = norms;
    s->log_prior = log_prior;
    if (!is_uniform(prior, count))
        pickle__method_is(o, PICKLE_PREDICT, classify_scores);
    if (s->search.metric.kind != PICKLE__EUCLIDEAN)
        return;
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, decision_function);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
    pickle__method_is(o, PICKLE_PREDICT_LOG_PROBA, predict_log_proba);
}

void pickle__open_centroid(pickle__opener *o)
{
    centroid *s = pickle__state(o, sizeof *s);
    bool opened = pickle__search_table(o, &s->search, "centroids_", "metric", PICKLE__EUCLIDEAN);

    pickle__read_classes(o, "classes_");
    if (!opened || !pickle__ok(o))
        return;
    if (s->search.is_sparse || s->search.metric.kind == PICKLE__PRECOMPUTED ||
        s->search.metric.kind == PICKLE__MINKOWSKI)
        pickle__unsupported(o, "metric", "is not known here, for centres");
    if (o->model->outputs != 1 || o->model->classes->count != s->search.count)
        pickle__bad(o, "centroids_", "are not as many as the classes");
    pickle__method_is(o, PICKLE_PREDICT, classify);
    if (pickle__ok(o) && o->version >= PICKLE__SKLEARN(1, 6, 0))
        open_scores(o, s);
}
