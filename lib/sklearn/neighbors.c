/* neighbors.c - predictions from the nearest neighbours. */
#include "sklearn/neighbors.h"
#include "sklearn/numeric.h"
#include "sklearn/search.h"

#include <math.h>
#include <string.h>

/* Classes of the neighbours are told apart one by one up to so many comparisons. */
#define MOST_COMPARISONS ((size_t)1 << 22)

typedef struct neighbors {
    pickle__search search;
    size_t k;
    double radius;
    bool by_distance;
    const int64_t *classes; /* of each row, for each output */
    const double *targets;  /* likewise                     */
    bool f32;               /* targets are float32          */
    pickle__labels *labels;
    size_t outputs;
    const double *outlier; /* of each output: a place in the classes, -1 for zeros; NULL: error */
} neighbors;

/* ------------------------------------------------------------------ weights */

/* 1 / distance; where one is zero, those alone count. */
static void invert(double *distances, size_t k)
{
    bool any = false;

    for (size_t i = 0; i < k; i++) {
        distances[i] = 1 / distances[i];
        any |= isinf(distances[i]) != 0;
    }
    for (size_t i = 0; any && i < k; i++)
        distances[i] = isinf(distances[i]) ? 1 : 0;
}

/* The k nearest and their weights; `weights` of all is 1 where NULL comes back. */
static bool find(const neighbors *s, pickle__run *r, const pickle_batch *x, size_t i,
                 pickle__nearest *near)
{
    if (!pickle__search_k(&s->search, r, x, i, s->k, s->by_distance, near))
        return false;
    if (s->by_distance)
        invert(near->distances, s->k);
    return true;
}

static bool find_within(const neighbors *s, pickle__run *r, const pickle_batch *x, size_t i,
                        pickle__nearest *near)
{
    if (!pickle__search_radius(&s->search, r, x, i, s->radius, near))
        return false;
    if (s->by_distance)
        invert(near->distances, near->count);
    return true;
}

typedef bool finder(const neighbors *s, pickle__run *r, const pickle_batch *x, size_t i,
                    pickle__nearest *near);

/* ------------------------------------------------------------------ classes */

static size_t class_of(const neighbors *s, size_t place, size_t output)
{
    return (size_t)s->classes[place * s->outputs + output];
}

/* The sum of weights of each class; then their share of all. */
static void add_votes(const neighbors *s, const pickle__nearest *near, size_t output, double *out)
{
    size_t n = s->labels[output].count;

    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < near->count; i++)
        out[class_of(s, near->places[i], output)] += s->by_distance ? near->distances[i] : 1;
}

static void share(double *out, size_t n)
{
    double sum = pickle__sum(out, n);

    for (size_t i = 0; i < n; i++)
        out[i] /= sum == 0 ? 1 : sum;
}

static size_t total_classes(const neighbors *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->outputs; i++)
        n += s->labels[i].count;
    return n;
}

static bool predict_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const neighbors *s = m->state;
    double *out = pickle__new_f64(r, y, x->rows, total_classes(s));
    pickle__nearest near;

    if (!out || !pickle__nearest_take(&s->search, r, s->k, &near))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        if (!find(s, r, x, i, &near))
            return false;
        for (size_t k = 0; k < s->outputs; k++) {
            add_votes(s, &near, k, out);
            share(out, s->labels[k].count);
            out += s->labels[k].count;
        }
    }
    return true;
}

/* What weighted_mode sums: the weights of one class, with zeros for all others in between. */
static double weight_of(const neighbors *s, const pickle__nearest *near, size_t output,
                        size_t label, double *memory)
{
    for (size_t i = 0; i < near->count; i++)
        memory[i] = class_of(s, near->places[i], output) == label ? near->distances[i] : 0;
    return pickle__sum(memory, near->count);
}

/* The first class of the largest weight, in that order of additions. */
static size_t heaviest(const neighbors *s, const pickle__nearest *near, size_t output,
                       double *votes, double *memory)
{
    size_t n = s->labels[output].count, best = 0, present = 0;
    double most = 0;

    add_votes(s, near, output, votes);
    for (size_t c = 0; c < n; c++)
        present += votes[c] > 0;
    for (size_t c = 0; c < n; c++) {
        double weight = votes[c];

        if (!(weight > 0))
            continue;
        if (near->count <= MOST_COMPARISONS / present)
            weight = weight_of(s, near, output, c, memory);
        if (weight > most) {
            most = weight;
            best = c;
        }
    }
    return best;
}

static size_t most_classes(const neighbors *s)
{
    size_t most = 0;

    for (size_t i = 0; i < s->outputs; i++)
        most = s->labels[i].count > most ? s->labels[i].count : most;
    return most;
}

static double winner(const neighbors *s, const pickle__nearest *near, size_t output, double *votes,
                     double *memory)
{
    if (s->by_distance)
        return (double)heaviest(s, near, output, votes, memory);
    add_votes(s, near, output, votes);
    return (double)pickle__largest(votes, s->labels[output].count);
}

static bool classify(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const neighbors *s = m->state;
    size_t most = most_classes(s);
    double *out = pickle__new_f64(r, y, x->rows, s->outputs);
    double *votes = out ? pickle__take(r, most, sizeof *votes) : NULL;
    double *memory = votes ? pickle__take(r, s->k, sizeof *memory) : NULL;
    pickle__nearest near;

    if (!memory || !pickle__nearest_take(&s->search, r, s->k, &near))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        if (!find(s, r, x, i, &near))
            return false;
        for (size_t k = 0; k < s->outputs; k++)
            *out++ = winner(s, &near, k, votes, memory);
    }
    return true;
}

static bool fail_outlier(const pickle_model *m, pickle__run *r, size_t i)
{
    return pickle__run_fail(r, PICKLE_ERR_VALUE,
                            "row %zu has no neighbours, and %s no label for it", r->first_row + i,
                            m->class_name);
}

static bool radius_proba(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    const neighbors *s = m->state;
    double *out = pickle__new_f64(r, y, x->rows, total_classes(s));
    pickle__nearest near;

    if (!out || !pickle__nearest_take(&s->search, r, s->search.count, &near))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        if (!find_within(s, r, x, i, &near))
            return false;
        if (near.count == 0 && !s->outlier)
            return fail_outlier(m, r, i);
        for (size_t k = 0; k < s->outputs; k++) {
            add_votes(s, &near, k, out);
            if (near.count == 0 && s->outlier[k] >= 0)
                out[(size_t)s->outlier[k]] = 1;
            share(out, s->labels[k].count);
            out += s->labels[k].count;
        }
    }
    return true;
}

/* A label of outliers that is no class is none of the places that predictions are. */
static bool fail_label(pickle__run *r, size_t i)
{
    return pickle__run_fail(r, PICKLE_ERR_UNSUPPORTED,
                            "row %zu is an outlier, whose label is no class", r->first_row + i);
}

static bool radius_classify(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                            pickle_batch *y)
{
    const neighbors *s = m->state;
    double *out;
    pickle_batch proba;

    if (!radius_proba(m, r, x, &proba))
        return false;
    out = pickle__new_f64(r, y, x->rows, s->outputs);
    for (size_t i = 0; out && i < x->rows; i++) {
        const double *row = pickle__row(&proba, i);

        for (size_t k = 0; k < s->outputs; k++) {
            size_t n = s->labels[k].count, best = pickle__largest(row, n);

            if (row[best] == 0)
                return fail_label(r, i);
            *out++ = (double)best;
            row += n;
        }
    }
    return out != NULL;
}

/* Before 0.22, of one class for each output: the most frequent, or heaviest. */
static bool radius_mode(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                        pickle_batch *y)
{
    const neighbors *s = m->state;
    double *out = pickle__new_f64(r, y, x->rows, s->outputs);
    double *votes = out ? pickle__take(r, most_classes(s), sizeof *votes) : NULL;
    double *memory = votes ? pickle__take(r, s->search.count, sizeof *memory) : NULL;
    pickle__nearest near;

    if (!memory || !pickle__nearest_take(&s->search, r, s->search.count, &near))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        if (!find_within(s, r, x, i, &near))
            return false;
        if (near.count == 0 && !s->outlier)
            return fail_outlier(m, r, i);
        for (size_t k = 0; k < s->outputs; k++, out++) {
            if (near.count == 0 && s->outlier[k] < 0)
                return fail_label(r, i);
            *out = near.count == 0 ? s->outlier[k] : winner(s, &near, k, votes, memory);
        }
    }
    return true;
}

/* ------------------------------------------------------------------ numbers */

/* np.mean over the neighbours: pairwise for one output, one after the other for several. */
static double mean(const neighbors *s, const pickle__nearest *near, size_t output, double *memory)
{
    double sum = 0;

    for (size_t i = 0; i < near->count; i++)
        memory[i] = s->targets[near->places[i] * s->outputs + output];
    if (s->outputs == 1)
        return pickle__sum(memory, near->count) / (double)near->count;
    for (size_t i = 0; i < near->count; i++)
        sum += memory[i];
    return sum / (double)near->count;
}

static double mean_f32(const neighbors *s, const pickle__nearest *near, size_t output,
                       float *memory)
{
    float sum = 0;

    for (size_t i = 0; i < near->count; i++)
        memory[i] = (float)s->targets[near->places[i] * s->outputs + output];
    if (s->outputs == 1)
        return (double)(pickle__sum_f32(memory, near->count) / (float)near->count);
    for (size_t i = 0; i < near->count; i++)
        sum += memory[i];
    return (double)(sum / (float)near->count);
}

static double weighted_mean(const neighbors *s, const pickle__nearest *near, size_t output,
                            double *memory)
{
    for (size_t i = 0; i < near->count; i++)
        memory[i] = s->targets[near->places[i] * s->outputs + output] * near->distances[i];
    return pickle__sum(memory, near->count) / pickle__sum(near->distances, near->count);
}

/* np.average, axis=0. */
static double average(const neighbors *s, const pickle__nearest *near, size_t output,
                      double *memory)
{
    double sum = 0;

    if (s->outputs == 1)
        return weighted_mean(s, near, output, memory);
    for (size_t i = 0; i < near->count; i++)
        sum += s->targets[near->places[i] * s->outputs + output] * near->distances[i];
    return sum / pickle__sum(near->distances, near->count);
}

static bool regress_with(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y, finder *find_near, size_t most)
{
    const neighbors *s = m->state;
    bool within = find_near == find_within;
    double *out = pickle__new_f64(r, y, x->rows, s->outputs);
    double *memory = out ? pickle__take(r, most, sizeof *memory) : NULL;
    pickle__nearest near;

    if (!memory || !pickle__nearest_take(&s->search, r, most, &near))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        if (!find_near(s, r, x, i, &near))
            return false;
        if (near.count == 0 && s->by_distance && m->version < PICKLE__SKLEARN(0, 20, 0))
            return pickle__run_fail(r, PICKLE_ERR_VALUE, "row %zu has no neighbours to weigh",
                                    r->first_row + i);
        for (size_t k = 0; k < s->outputs; k++, out++) {
            if (near.count == 0)
                *out = (double)NAN;
            else if (s->by_distance)
                *out = within ? average(s, &near, k, memory) : weighted_mean(s, &near, k, memory);
            else
                *out = s->f32 ? mean_f32(s, &near, k, (float *)memory) : mean(s, &near, k, memory);
        }
    }
    return true;
}

static bool regress(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    return regress_with(m, r, x, y, find, ((const neighbors *)m->state)->k);
}

static bool radius_regress(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                           pickle_batch *y)
{
    return regress_with(m, r, x, y, find_within, ((const neighbors *)m->state)->search.count);
}

/* ------------------------------------------------------------------ opening */

static void open_search(pickle__opener *o, neighbors *s)
{
    pickle__search_open(o, &s->search);
    s->by_distance = pickle__choice(o, "weights", 0, "uniform", "distance", NULL) == 1;
}

static void open_k(pickle__opener *o, neighbors *s)
{
    int64_t k = pickle__integer(o, "n_neighbors", 5);

    open_search(o, s);
    s->k = k > 0 ? (size_t)k : 1;
    if (pickle__ok(o) && (k <= 0 || s->k > s->search.count))
        pickle__unsupported(o, "n_neighbors", "is none of the numbers of rows that were learned");
}

static void open_radius(pickle__opener *o, neighbors *s)
{
    open_search(o, s);
    s->radius = pickle__number(o, "radius", 1);
}

static void open_classes(pickle__opener *o, neighbors *s)
{
    const int64_t *y;
    size_t n = 0;

    pickle__read_classes(o, "classes_");
    y = pickle__need_integers(o, "_y", &n);
    if (!pickle__ok(o))
        return;
    s->labels = o->model->classes;
    s->outputs = o->model->outputs;
    if (s->search.count > SIZE_MAX / s->outputs || n != s->search.count * s->outputs) {
        pickle__bad(o, "_y", "has not a class for each row");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (y[i] < 0 || (uint64_t)y[i] >= s->labels[i % s->outputs].count) {
            pickle__bad(o, "_y", "has a class that is not there");
            return;
        }
    }
    s->classes = y;
}

static void open_targets(pickle__opener *o, neighbors *s)
{
    pickle__matrix y = pickle__need_numbers(o, "_y");
    bool one = y.ndim <= 1;

    if (!pickle__ok(o))
        return;
    s->outputs = o->model->outputs = one ? 1 : y.cols;
    s->targets = y.data;
    s->f32 = y.f32;
    if ((one ? y.cols : y.rows) != s->search.count || s->outputs == 0)
        pickle__bad(o, "_y", "has not a target for each row");
}

static void open_k_classifier(pickle__opener *o)
{
    neighbors *s = pickle__state(o, sizeof *s);

    open_k(o, s);
    open_classes(o, s);
    pickle__method_is(o, PICKLE_PREDICT, classify);
    pickle__method_is(o, PICKLE_PREDICT_PROBA, predict_proba);
}

static void open_k_regressor(pickle__opener *o)
{
    neighbors *s = pickle__state(o, sizeof *s);

    open_k(o, s);
    open_targets(o, s);
    pickle__method_is(o, PICKLE_PREDICT, regress);
}

/* The place of a label in the classes of an output; -1: none. */
static double place_of(const neighbors *s, size_t output, const pickle_cell *label)
{
    double place = -1;

    for (size_t c = 0; c < s->labels[output].count; c++) {
        if (pickle__cell_equal(label, &s->labels[output].cells[c]))
            place = (double)c;
    }
    return place;
}

/* outlier_label_, one of each output; before 0.22 outlier_label, one for all. */
static void open_outlier(pickle__opener *o, neighbors *s)
{
    bool one = o->version < PICKLE__SKLEARN(0, 22, 0);
    const pickle_val *v = pickle__attr(o, one ? "outlier_label" : "outlier_label_");
    pickle__labels labels = { 0, NULL };
    pickle_cell cell;
    double *outlier;

    if (!v)
        return;
    if (!one)
        labels = pickle__labels_of(o, "outlier_label_", v);
    else if (!pickle__cell_of(o, v, &cell))
        pickle__unsupported(o, "outlier_label", "is of a type that is not known here");
    outlier = pickle__keep(o, s->outputs, sizeof *outlier);
    if (!one && pickle__ok(o) && labels.count != s->outputs)
        pickle__bad(o, "outlier_label_", "is not one for each output");
    if (!pickle__ok(o))
        return;
    for (size_t k = 0; outlier && k < s->outputs; k++)
        outlier[k] = place_of(s, k, one ? &cell : &labels.cells[k]);
    s->outlier = outlier;
}

static void open_radius_classifier(pickle__opener *o)
{
    neighbors *s = pickle__state(o, sizeof *s);
    bool old = o->version < PICKLE__SKLEARN(0, 22, 0);

    open_radius(o, s);
    open_classes(o, s);
    if (pickle__ok(o))
        open_outlier(o, s);
    pickle__method_is(o, PICKLE_PREDICT, old ? radius_mode : radius_classify);
    if (!old)
        pickle__method_is(o, PICKLE_PREDICT_PROBA, radius_proba);
}

static void open_radius_regressor(pickle__opener *o)
{
    neighbors *s = pickle__state(o, sizeof *s);

    open_radius(o, s);
    open_targets(o, s);
    pickle__method_is(o, PICKLE_PREDICT, radius_regress);
}

/* It finds neighbours, which none of the methods gives. */
static void open_nearest(pickle__opener *o)
{
    neighbors *s = pickle__state(o, sizeof *s);

    pickle__search_open(o, &s->search);
}

const pickle__estimator pickle__neighbors_estimators[] = {
    { "neighbors", "KNeighborsClassifier", open_k_classifier },
    { "neighbors", "KNeighborsRegressor", open_k_regressor },
    { "neighbors", "RadiusNeighborsClassifier", open_radius_classifier },
    { "neighbors", "RadiusNeighborsRegressor", open_radius_regressor },
    { "neighbors", "NearestNeighbors", open_nearest },
    { "neighbors", "NearestCentroid", pickle__open_centroid },
    { "neighbors", "LocalOutlierFactor", pickle__open_outlier_factor },
    { NULL, NULL, NULL },
};
