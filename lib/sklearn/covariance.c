/* covariance.c - EllipticEnvelope: what is far from the centre, as the covariance sees it. */
#include "sklearn/estimator.h"
#include "sklearn/numeric.h"

#include <math.h>

typedef struct envelope {
    const double *location, *precision;
    double offset;
    bool powers; /* 0.18 and 0.19: of a threshold */
    bool raises; /* predict needs contamination */
} envelope;

/* Mahalanobis distances, squared: in newer versions, of their roots. */
static double *distances(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                         pickle_batch *y)
{
    const envelope *s = m->state;
    size_t n = m->features;
    double *out = pickle__new_f64(r, y, x->rows, 1);
    double *moved = pickle__take(r, x->rows * n, sizeof *moved);
    double *product = pickle__take(r, x->rows * n, sizeof *product);

    if (!out || !moved || !product)
        return NULL;
    for (size_t i = 0; i < x->rows * n; i++)
        moved[i] = pickle__row(x, i / n)[i % n] - s->location[i % n];
    pickle__products(moved, n * sizeof *moved, x->rows, n, s->precision, n, NULL, product);
    for (size_t i = 0; i < x->rows; i++) {
        double d = pickle__dot(moved + i * n, product + i * n, n), root = sqrt(d);

        out[i] = s->powers ? d : root * root;
    }
    return out;
}

static bool score_samples(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                          pickle_batch *y)
{
    double *out = distances(m, r, x, y);

    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = -out[i];
    return out != NULL;
}

static bool decision_function(const pickle_model *m, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y)
{
    const envelope *s = m->state;
    double *out = distances(m, r, x, y);

    for (size_t i = 0; out && i < x->rows; i++)
        out[i] = s->powers ? pow(s->offset, 0.33) - pow(out[i], 0.33) : -out[i] - s->offset;
    return out != NULL;
}

static bool predict(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const envelope *s = m->state;
    double *out;

    if (s->raises)
        return pickle__run_fail(r, PICKLE_ERR_VALUE, "it has no rate of contamination");
    out = distances(m, r, x, y);
    for (size_t i = 0; out && i < x->rows; i++) {
        bool inside = s->powers ? out[i] <= s->offset : -out[i] - s->offset >= 0;

        out[i] = inside ? 1 : -1;
    }
    return out != NULL;
}

static void open_envelope(pickle__opener *o)
{
    envelope *s = pickle__state(o, sizeof *s);
    pickle__matrix location = pickle__need_numbers(o, "location_");
    const char *threshold;
    size_t n = location.rows * location.cols;

    s->powers = o->version < PICKLE__SKLEARN(0, 20, 0);
    threshold = s->powers ? "threshold_" : "offset_";
    if (pickle__need(o, threshold))
        s->offset = pickle__number(o, threshold, 0);
    s->raises = s->powers && !pickle__attr(o, "contamination");
    s->location = location.data;
    s->precision = pickle__need_table(o, "precision_", n, n);
    if (pickle__ok(o) && n == 0)
        pickle__bad(o, "location_", "is empty");
    o->model->features = n;
    if (o->version < PICKLE__SKLEARN(0, 19, 0))
        o->model->numbers = PICKLE__ANY_NUMBER;
    pickle__method_is(o, PICKLE_PREDICT, predict);
    pickle__method_is(o, PICKLE_DECISION_FUNCTION, decision_function);
    if (!s->powers)
        pickle__method_is(o, PICKLE_SCORE_SAMPLES, score_samples);
}

const pickle__estimator pickle__covariance_estimators[] = {
    { "covariance", "EllipticEnvelope", open_envelope },
    { NULL, NULL, NULL },
};
