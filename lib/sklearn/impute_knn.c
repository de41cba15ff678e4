/* impute_knn.c - what is missing comes from the nearest rows that have it: KNNImputer. */
#include "sklearn/impute.h"
#include "sklearn/numeric.h"

#include <math.h>
#include <string.h>

typedef struct knn_imputer {
    missing missing;
    size_t donors, n, neighbors;
    const double *fitted;      /* donors rows, 0 where they miss something */
    const double *squares;     /* of each row: the sum of its squares */
    const unsigned char *gaps; /* likewise as `fitted`: 1 where something is missing */
    const double *means;       /* of each column; NaN: all is missing in it */
    bool weighted;             /* by 1 / distance */
    bool counts_strangers;     /* rows with which nothing is shared count, too */
    bool keeps_empty;          /* columns where all was missing are 0, and stay */
    size_t kept;
    const indicator *indicator;
} knn_imputer;

/* A donor and how far it is. NaN is farthest. */
typedef struct near {
    double distance;
    size_t donor;
} near;

static bool is_farther(const near *a, const near *b)
{
    if (isnan(a->distance) || isnan(b->distance))
        return isnan(a->distance) && (!isnan(b->distance) || a->donor > b->donor);
    return a->distance > b->distance || (a->distance == b->distance && a->donor > b->donor);
}

/* sklearn.metrics.pairwise.nan_euclidean_distances of one row, whose missing elements are 0. */
static void find_distances(const knn_imputer *s, const double *x, const unsigned char *gaps,
                           double *out)
{
    double square = pickle__squares(x, s->n);

    for (size_t i = 0; i < s->donors; i++) {
        const double *y = s->fitted + i * s->n;
        const unsigned char *ygaps = s->gaps + i * s->n;
        double d = -2 * pickle__dot(x, y, s->n) + square + s->squares[i], mine = 0, theirs = 0;
        size_t shared = 0;

        for (size_t j = 0; j < s->n; j++) {
            mine += ygaps[j] ? x[j] * x[j] : 0;
            theirs += gaps[j] ? y[j] * y[j] : 0;
            shared += !ygaps[j] && !gaps[j];
        }
        d = fmax(fmax(d, 0) - mine - theirs, 0);
        out[i] = shared ? sqrt(d / (double)shared * (double)s->n) : NAN;
    }
}

/* Put `at` where it belongs in a heap with the farthest on top. */
static void sift_down(near *heap, size_t count, near at)
{
    size_t i = 0;

    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        child += child + 1 < count && is_farther(&heap[child + 1], &heap[child]);
        if (!is_farther(&heap[child], &at))
            break;
        heap[i] = heap[child];
    }
    heap[i] = at;
}

static void sift_up(near *heap, size_t i, near at)
{
    for (; i > 0 && is_farther(&at, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = at;
}

/* The nearest rows that have column j; how many they are. */
static size_t find_nearest(const knn_imputer *s, const double *distances, size_t j, near *heap)
{
    size_t count = 0;

    for (size_t i = 0; i < s->donors; i++) {
        near at = { distances[i], i };

        if (s->gaps[i * s->n + j])
            continue;
        if (count < s->neighbors)
            sift_up(heap, count++, at);
        else if (is_farther(&heap[0], &at))
            sift_down(heap, count, at);
    }
    return count;
}

static double weight_of(const knn_imputer *s, double distance, bool touches)
{
    if (!s->weighted)
        return s->counts_strangers || !isnan(distance);
    if (touches)
        return distance == 0;
    return isnan(distance) ? 0 : 1 / distance;
}

/* Column j of a row with these distances. */
static double impute(const knn_imputer *s, const double *distances, size_t j, near *heap)
{
    size_t count = find_nearest(s, distances, j, heap);
    double sum = 0, weights = 0;
    bool touches = false, known = false;

    for (size_t k = 0; k < count; k++) {
        touches = touches || heap[k].distance == 0;
        known = known || !isnan(heap[k].distance);
    }
    if (!known)
        return s->means[j];
    for (size_t k = 0; k < count; k++) {
        double w = weight_of(s, heap[k].distance, touches);

        sum += w * s->fitted[heap[k].donor * s->n + j];
        weights += w;
    }
    return sum / weights;
}

/* One row, of which nothing is missing afterwards. */
typedef struct work {
    double *row, *distances;
    unsigned char *gaps;
    near *heap;
} work;

static void fill_row(const knn_imputer *s, const double *x, const work *w, double *out)
{
    bool any = false;
    size_t k = 0;

    for (size_t j = 0; j < s->n; j++) {
        w->gaps[j] = s->missing.nan ? isnan(x[j]) : x[j] == s->missing.number;
        w->row[j] = w->gaps[j] ? 0 : x[j];
        any = any || (w->gaps[j] && !isnan(s->means[j]));
    }
    if (any)
        find_distances(s, w->row, w->gaps, w->distances);
    for (size_t j = 0; j < s->n; j++) {
        bool empty = isnan(s->means[j]);

        if (empty && !s->keeps_empty)
            continue;
        out[k++] = empty ? 0 : w->gaps[j] ? impute(s, w->distances, j, w->heap) : w->row[j];
    }
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const knn_imputer *s = m->state;
    work w = { pickle__take(r, s->n, sizeof *w.row),
               pickle__take(r, s->donors, sizeof *w.distances), pickle__take(r, s->n, 1),
               pickle__take(r, s->neighbors, sizeof *w.heap) };
    double *out = pickle__new_f64(r, y, x->rows, s->kept);
    pickle_batch wide;

    if (!w.row || !w.distances || !w.gaps || !w.heap || !out ||
        !pickle__check_missing(m, &s->missing, r, x) || !pickle__as_f64(r, x, &wide))
        return false;
    for (size_t i = 0; i < x->rows; i++)
        fill_row(s, pickle__row(&wide, i), &w, out + i * s->kept);
    if (x->kind == PICKLE_BATCH_F32 && !pickle__as_f32(r, y, y))
        return false;
    return pickle__beside_indicator(s->indicator, r, x, y);
}

/* ------------------------------------------------------------------ opening */

static void open_donors(pickle__opener *o, knn_imputer *s)
{
    pickle__matrix m = pickle__need_numbers(o, "_fit_X");
    double *fitted, *squares, *means;
    unsigned char *gaps;

    if (!pickle__ok(o))
        return;
    if (m.ndim != 2 || m.rows == 0 || m.cols == 0) {
        pickle__bad(o, "_fit_X", "is no table of rows");
        return;
    }
    s->donors = m.rows;
    s->n = m.cols;
    fitted = pickle__keep(o, s->donors * s->n, sizeof *fitted);
    gaps = pickle__keep(o, s->donors * s->n, 1);
    squares = pickle__keep(o, s->donors, sizeof *squares);
    means = pickle__keep(o, s->n, sizeof *means);
    if (!fitted || !gaps || !squares || !means)
        return;
    for (size_t i = 0; i < s->donors * s->n; i++) {
        gaps[i] = s->missing.nan ? isnan(m.data[i]) : m.data[i] == s->missing.number;
        fitted[i] = gaps[i] ? 0 : m.data[i];
    }
    for (size_t i = 0; i < s->donors; i++)
        squares[i] = pickle__squares(fitted + i * s->n, s->n);
    for (size_t j = 0; j < s->n; j++) {
        size_t count = 0;

        for (size_t i = 0; i < s->donors; i++) {
            means[j] += fitted[i * s->n + j];
            count += !gaps[i * s->n + j];
        }
        means[j] = count ? means[j] / (double)count : NAN;
        s->kept += s->keeps_empty || count;
    }
    s->fitted = fitted;
    s->gaps = gaps;
    s->squares = squares;
    s->means = means;
}

static void open_knn_imputer(pickle__opener *o)
{
    knn_imputer *s = pickle__state(o, sizeof *s);
    int64_t neighbors = pickle__integer(o, "n_neighbors", 5);

    pickle__choice(o, "metric", 0, "nan_euclidean", NULL);
    s->weighted = pickle__choice(o, "weights", 0, "uniform", "distance", NULL) == 1;
    s->counts_strangers = o->version < PICKLE__SKLEARN(1, 6, 0);
    s->keeps_empty = pickle__flag(o, "keep_empty_features", false);
    pickle__open_missing(o, &s->missing, false);
    if (!s->missing.is_number)
        pickle__unsupported(o, "missing_values", "is no number");
    if (neighbors < 1)
        pickle__bad(o, "n_neighbors", "is not positive");
    open_donors(o, s);
    if (!pickle__ok(o))
        return;
    s->neighbors = (uint64_t)neighbors < s->donors ? (size_t)neighbors : s->donors;
    s->indicator = pickle__open_imputers_indicator(o, s->n);
    o->model->features = s->n;
    o->model->takes = PICKLE__F64 | PICKLE__F32;
    o->model->numbers = s->missing.nan ? PICKLE__OR_NAN : PICKLE__FINITE;
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

const pickle__estimator pickle__impute_knn_estimators[] = {
    { "impute", "KNNImputer", open_knn_imputer },
    { NULL, NULL, NULL },
};
