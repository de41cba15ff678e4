/* outlier.c - LocalOutlierFactor: how dense a row's neighbourhood is, next to that of neighbours.
 */
#include "sklearn/neighbors.h"
#include "sklearn/numeric.h"
#include "sklearn/search.h"

typedef struct outlier_factor {
    pickle__search search;
    size_t k;
    const double *reach;   /* from each row to its k-th neighbour */
    const double *density; /* _lrd                                */
    double offset;
} outlier_factor;

/* Minus the mean of the neighbours' densities, over the row's own. */
static double score(const outlier_factor *s, const pickle__nearest *near, double *memory)
{
    size_t k = s->k;
    double density;

    for (size_t i = 0; i < k; i++) {
        double reach = s->reach[near->places[i]];

        memory[i] = near->distances[i] > reach ? near->distances[i] : reach;
    }
    density = 1 / (pickle__sum(memory, k) / (double)k + 1e-10);
    for (size_t i = 0; i < k; i++)
        memory[i] = s->density[near->places[i]] / density;
    return -(pickle__sum(memory, k) / (double)k);
}

static bool score_samples(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    const outlier_factor *s = m->state;
    bool narrow = x->kind == PICKLE_BATCH_F32 && m->version >= PICKLE__SKLEARN(1, 2, 0);
    double *out = pickle__new_f64(r, y, x->rows, 1);
    double *memory = out ? pickle__take(r, s->k, sizeof *memory) : NULL;
    pickle__nearest near;

    if (!memory || !pickle__nearest_take(&s->search, r, s->k, &near))
        return false;
    for (size_t i = 0; i < x->rows; i++) {
        if (!pickle__search_k(&s->search, r, x, i, s->k, true, &near))
            return false;
        for (size_t k = 0; narrow && k < s->k; k++)
            near.distances[k] = (double)(float)near.distances[k];
        out[i] = score(s, &near, memory);
    }
    return true;
}

static bool decision_function(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    double *out;

    if (!score_samples(m, r, x, y))
        return false;
    out = (double *)(uintptr_t)y->data;
    for (size_t i = 0; i < x->rows; i++)
        out[i] -= ((const outlier_factor *)m->state)->offset;
    return true;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    double *out;

    if (!decision_function(m, r, x, y))
        return false;
    out = (double *)(uintptr_t)y->data;
    for (size_t i = 0; i < x->rows; i++)
        out[i] = out[i] < 0 ? -1 : 1;
    y->integers = true;
    return true;
}

static void open_densities(pickle__opener *o, outlier_factor *s)
{
    pickle__matrix distances = pickle__need_numbers(o, "_distances_fit_X_");
    pickle__matrix density = pickle__need_numbers(o, "_lrd");
    double *reach = pickle__keep(o, s->search.count, sizeof *reach);

    if (!pickle__ok(o) || !reach)
        return;
    if (density.f32) {
        pickle__unsupported(o, "_lrd", "is of float32");
        return;
    }
    if (distances.rows != s->search.count || distances.cols < s->k ||
        density.rows * density.cols != s->search.count) {
        pickle__bad(o, "_lrd", "has another size than the rows that were learned");
        return;
    }
    for (size_t i = 0; i < s->search.count; i++)
        reach[i] = distances.data[i * distances.cols + s->k - 1];
    s->reach = reach;
    s->density = density.data;
}

void pickle__open_outlier_factor(pickle__opener *o)
{
    outlier_factor *s = pickle__state(o, sizeof *s);
    int64_t k = pickle__integer(o, "n_neighbors_", 0);

    pickle__search_open(o, &s->search);
    s->offset = pickle__number(o, "offset_", 0);
    if (!pickle__ok(o))
        return;
    if (k < 1 || (uint64_t)k > s->search.count) {
        pickle__bad(o, "n_neighbors_", "is none of the numbers of rows that were learned");
        return;
    }
    s->k = (size_t)k;
    open_densities(o, s);
    /* Otherwise it judges only the rows it has learned. */
    if (!pickle__flag(o, "novelty", false))
        return;
    pickle__need(o, "offset_");
    pickle__method_is(o, PICKLE_PREDICT, predict);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, decision_function);
    pickle__method_is(o, PICKLE_SCORE_SAMPLES, score_samples);
}
