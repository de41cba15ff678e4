/* topics.c - documents as mixtures of topics: LatentDirichletAllocation. */
#include "sklearn/estimator.h"
#include "sklearn/numeric.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define EULER 0.577215664901532860606512090082402431

typedef struct topics {
    size_t count, words;
    const double *weights; /* exp_dirichlet_component_: a row for each word */
    double prior, tolerance;
    int64_t most; /* updates of a document */
} topics;

/* The derivative of log gamma, in the few terms that scikit-learn's own has. */
static double psi(double x)
{
    double sum = 0, z;

    if (x <= 1e-6)
        return -EULER - 1 / x;
    for (; x < 6; x++)
        sum -= 1 / x;
    z = 1 / (x * x);
    return sum + log(x) - 0.5 / x - z * (1. / 12 - z * (1. / 120 - z * (1. / 252)));
}

/* One document's words and how often it has them; `share` is of its topics, `next` as long. */
typedef struct document {
    const double *counts;
    const int64_t *ids;
    size_t n;
    double *share, *next, *expected;
} document;

/* What its words say of each topic, given what the topics are expected to be. */
static void count_topics(const topics *s, const document *d)
{
    memset(d->next, 0, s->count * sizeof *d->next);
    for (size_t i = 0; i < d->n; i++) {
        const double *weights = s->weights + (size_t)d->ids[i] * s->count;
        double part = d->counts[i] / (pickle__dot(d->expected, weights, s->count) + DBL_EPSILON);

        for (size_t k = 0; k < s->count; k++)
            d->next[k] += part * weights[k];
    }
}

/* Until it changes no more. */
static void update(const topics *s, const document *d)
{
    for (int64_t step = 0; step < s->most; step++) {
        double total = 0, change = 0;

        count_topics(s, d);
        for (size_t k = 0; k < s->count; k++) {
            double share = d->expected[k] * d->next[k] + s->prior;

            change += fabs(d->share[k] - share);
            d->share[k] = share;
            total += share;
        }
        total = psi(total);
        for (size_t k = 0; k < s->count; k++)
            d->expected[k] = exp(psi(d->share[k]) - total);
        if (change / (double)s->count < s->tolerance)
            break;
    }
}

static bool all_positive(pickle__run *r, const pickle_batch *x, const char *name)
{
    const double *data = x->data;

    for (size_t i = 0; i < x->rows; i++) {
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
            if (data[k] < 0)
                return pickle__run_fail(r, PICKLE_ERR_VALUE,
                                        "row %zu, column %zu is negative, which %s refuses",
                                        r->first_row + i, (size_t)x->indices[k], name);
        }
    }
    return true;
}

static bool transform(const pickle_model *m, pickle__run *r, const pickle_batch *x, pickle_batch *y)
{
    const topics *s = m->state;
    double *spare = pickle__take(r, 2 * s->count, sizeof *spare), *out;
    /* psi(1) - psi(count), as at first each topic counts 1. */
    double start = exp(psi(1) - psi((double)s->count));
    pickle_batch rows;

    if (!spare || !pickle__as_csr(r, x, &rows) || !all_positive(r, &rows, m->class_name))
        return false;
    out = pickle__new_f64(r, y, x->rows, s->count);
    for (size_t i = 0; out && i < x->rows; i++, out += s->count) {
        int64_t first = rows.indptr[i];
        document d = { (const double *)rows.data + first,
                       rows.indices + first,
                       (size_t)(rows.indptr[i + 1] - first),
                       out,
                       spare,
                       spare + s->count };
        double sum;

        for (size_t k = 0; k < s->count; k++) {
            out[k] = 1;
            d.expected[k] = start;
        }
        update(s, &d);
        sum = pickle__sum(out, s->count);
        for (size_t k = 0; k < s->count; k++)
            out[k] /= sum;
    }
    return out != NULL;
}

static void open_topics(pickle__opener *o)
{
    topics *s = pickle__state(o, sizeof *s);
    pickle__matrix m = pickle__need_numbers(o, "exp_dirichlet_component_");
    double *turned;

    pickle__need(o, "doc_topic_prior_");
    s->prior = pickle__number(o, "doc_topic_prior_", 0);
    s->tolerance = pickle__number(o, "mean_change_tol", 1e-3);
    s->most = pickle__integer(o, "max_doc_update_iter", 100);
    if (!pickle__ok(o))
        return;
    if (m.ndim != 2 || m.rows == 0 || m.cols == 0) {
        pickle__bad(o, "exp_dirichlet_component_", "is no table of topics");
        return;
    }
    if (m.f32)
        pickle__unsupported(o, "exp_dirichlet_component_", "is of float32");
    if (s->most > 10000)
        pickle__unsupported(o, "max_doc_update_iter", "is more than is done here");
    s->count = m.rows;
    s->words = m.cols;
    turned = pickle__keep(o, m.rows * m.cols, sizeof *turned);
    for (size_t i = 0; turned && i < m.rows * m.cols; i++)
        turned[i % m.cols * m.rows + i / m.cols] = m.data[i];
    s->weights = turned;
    o->model->features = s->words;
    o->model->takes = PICKLE__F64 | PICKLE__CSR;
    pickle__method_is(o, PICKLE_TRANSFORM, transform);
}

const pickle__estimator pickle__topics_estimators[] = {
    { "decomposition", "LatentDirichletAllocation", open_topics },
    { NULL, NULL, NULL },
};
