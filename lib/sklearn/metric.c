/* metric.c - distances between two rows. */
#include "sklearn/metric.h"

#include <math.h>
#include <string.h>

#include <pickle/class.h>

/* Names of metrics, and what their classes begin with. */
static const struct {
    const char *name, *class_name;
    pickle__metric_kind kind;
} metrics[] = {
    { "euclidean", "EuclideanDistance", PICKLE__EUCLIDEAN },
    { "manhattan", "ManhattanDistance", PICKLE__MANHATTAN },
    { "cityblock", NULL, PICKLE__MANHATTAN },
    { "l1", NULL, PICKLE__MANHATTAN },
    { "chebyshev", "ChebyshevDistance", PICKLE__CHEBYSHEV },
    { "minkowski", "MinkowskiDistance", PICKLE__MINKOWSKI },
    { "wminkowski", "WMinkowskiDistance", PICKLE__WMINKOWSKI },
    { "seuclidean", "SEuclideanDistance", PICKLE__SEUCLIDEAN },
    { "mahalanobis", "MahalanobisDistance", PICKLE__MAHALANOBIS },
    { "hamming", "HammingDistance", PICKLE__HAMMING },
    { "canberra", "CanberraDistance", PICKLE__CANBERRA },
    { "braycurtis", "BrayCurtisDistance", PICKLE__BRAYCURTIS },
    { "haversine", "HaversineDistance", PICKLE__HAVERSINE },
    { NULL, "JaccardDistance", PICKLE__JACCARD },
    { NULL, "MatchingDistance", PICKLE__MATCHING },
    { NULL, "DiceDistance", PICKLE__DICE },
    { NULL, "KulsinskiDistance", PICKLE__KULSINSKI },
    { NULL, "RogersTanimotoDistance", PICKLE__ROGERSTANIMOTO },
    { NULL, "RussellRaoDistance", PICKLE__RUSSELLRAO },
    { NULL, "SokalMichenerDistance", PICKLE__SOKALMICHENER },
    { NULL, "SokalSneathDistance", PICKLE__SOKALSNEATH },
    { "cosine", NULL, PICKLE__COSINE },
    { "precomputed", NULL, PICKLE__PRECOMPUTED },
};

#define N_METRICS (sizeof metrics / sizeof *metrics)

/* ------------------------------------------------------------------ opening */

static bool is_scale(const pickle__metric *m)
{
    return m->kind == PICKLE__SEUCLIDEAN || m->kind == PICKLE__WMINKOWSKI;
}

static bool check_metric(pickle__opener *o, const pickle__metric *m)
{
    bool has_p = m->kind == PICKLE__MINKOWSKI || m->kind == PICKLE__WMINKOWSKI;

    if (has_p && !(m->p > 0 && isfinite(m->p)))
        pickle__bad(o, "p", "is no power of a distance");
    if (is_scale(m) && !m->vector)
        pickle__unsupported(o, "metric_params", "lacks the scale of the columns");
    if (m->kind == PICKLE__MAHALANOBIS && !m->matrix)
        pickle__unsupported(o, "metric_params", "lacks the inverse of the covariance");
    if (m->kind == PICKLE__HAVERSINE && m->n != 2)
        pickle__bad(o, "metric", "is for two columns");
    return pickle__ok(o);
}

/* A parameter with `count` numbers; NULL where it is not there. */
static const double *parameter(pickle__opener *o, const pickle_val *params, const char *name,
                               size_t count)
{
    const pickle_val *v = pickle_get(params, name);
    pickle__matrix m;

    if (!v || pickle_kind_of(v) == PICKLE_NONE)
        return NULL;
    m = pickle__numbers_of(o, name, v);
    if (pickle__ok(o) && m.rows * m.cols != count)
        pickle__bad(o, name, "has another size than the columns");
    return pickle__ok(o) ? m.data : NULL;
}

bool pickle__metric_of(pickle__opener *o, const char *attribute, size_t features,
                       pickle__metric *out)
{
    const pickle_val *v = pickle__need(o, attribute);
    const pickle_val *params = pickle__attr(o, "effective_metric_params_");
    const char *name = v ? pickle__text(o, attribute, "") : "";
    const double *p;
    size_t i = 0;

    *out = (pickle__metric){ .n = features, .p = 2 };
    while (i < N_METRICS && !(metrics[i].name && strcmp(metrics[i].name, name) == 0))
        i++;
    if (!pickle__ok(o) || i == N_METRICS) {
        pickle__unsupported(o, "metric", "is not known here, for a search over all rows");
        return false;
    }
    out->kind = metrics[i].kind;
    p = parameter(o, params, "p", 1);
    out->p = p ? *p : 2;
    if (out->kind == PICKLE__MINKOWSKI || out->kind == PICKLE__WMINKOWSKI)
        out->vector = parameter(o, params, "w", features);
    if (out->kind == PICKLE__SEUCLIDEAN)
        out->vector = parameter(o, params, "V", features);
    if (out->kind == PICKLE__MAHALANOBIS)
        out->matrix = parameter(o, params, "VI", features * features);
    return check_metric(o, out);
}

/* "EuclideanDistance", or since 1.3 "EuclideanDistance64". */
static bool is_class(const char *name, const char *expected)
{
    size_t n = expected ? strlen(expected) : 0;

    return n > 0 && strncmp(name, expected, n) == 0 &&
           (name[n] == '\0' || strcmp(name + n, "64") == 0);
}

bool pickle__metric_object(pickle__opener *o, const pickle_val *v, size_t features,
                           pickle__metric *out)
{
    const pickle_val *cls = pickle_at(pickle_args(v), 0), *state = pickle_state(v);
    const char *name = pickle_kind_of(cls) == PICKLE_GLOBAL ? pickle_name(cls) : "";
    pickle__matrix p = pickle__numbers_of(o, "dist_metric", pickle_at(state, 0));
    pickle__matrix vector = pickle__numbers_of(o, "dist_metric", pickle_at(state, 1));
    pickle__matrix matrix = pickle__numbers_of(o, "dist_metric", pickle_at(state, 2));
    size_t i = 0;

    *out = (pickle__metric){ .n = features };
    while (i < N_METRICS && !is_class(name, metrics[i].class_name))
        i++;
    if (i == N_METRICS) {
        pickle__unsupported(o, "metric", "is not known here, for a tree");
        return false;
    }
    out->kind = metrics[i].kind;
    if (!pickle__ok(o) || !p.data || p.rows * p.cols != 1 || !vector.data || !matrix.data) {
        pickle__bad(o, "dist_metric", "is no metric as scikit-learn has it");
        return false;
    }
    out->p = *p.data;
    /* Weights of Minkowski's distance came in 1.1; before, there is one number that means nothing.
     */
    if (vector.rows * vector.cols == features &&
        (is_scale(out) || o->version >= PICKLE__SKLEARN(1, 1, 0)))
        out->vector = vector.data;
    if (matrix.rows == features && matrix.cols == features)
        out->matrix = matrix.data;
    return check_metric(o, out);
}

/* ---------------------------------------------------------------- distances */

static double squares(const pickle__metric *m, const double *x, const double *y)
{
    double sum = 0;

    for (size_t j = 0; j < m->n; j++)
        sum += (x[j] - y[j]) * (x[j] - y[j]);
    return sum;
}

static double scaled_squares(const pickle__metric *m, const double *x, const double *y)
{
    double sum = 0;

    for (size_t j = 0; j < m->n; j++)
        sum += (x[j] - y[j]) * (x[j] - y[j]) / m->vector[j];
    return sum;
}

static double absolute(const pickle__metric *m, const double *x, const double *y)
{
    double sum = 0;

    for (size_t j = 0; j < m->n; j++)
        sum += fabs(x[j] - y[j]);
    return sum;
}

static double largest(const pickle__metric *m, const double *x, const double *y)
{
    double most = 0;

    for (size_t j = 0; j < m->n; j++)
        most = fmax(most, fabs(x[j] - y[j]));
    return most;
}

/* Minkowski's weights are outside of the power, those of the older wminkowski within. */
static double powers(const pickle__metric *m, const double *x, const double *y)
{
    double sum = 0;

    for (size_t j = 0; j < m->n; j++) {
        double d = fabs(x[j] - y[j]);

        if (m->kind == PICKLE__WMINKOWSKI)
            sum += pow(m->vector[j] * d, m->p);
        else
            sum += m->vector ? m->vector[j] * pow(d, m->p) : pow(d, m->p);
    }
    return sum;
}

static double mahalanobis(const pickle__metric *m, const double *x, const double *y)
{
    double sum = 0;

    for (size_t i = 0; i < m->n; i++) {
        const double *row = m->matrix + i * m->n;
        double product = 0;

        for (size_t j = 0; j < m->n; j++)
            product += row[j] * (x[j] - y[j]);
        sum += product * (x[i] - y[i]);
    }
    return sum;
}

static double canberra(const pickle__metric *m, const double *x, const double *y)
{
    double sum = 0;

    for (size_t j = 0; j < m->n; j++) {
        double size = fabs(x[j]) + fabs(y[j]);

        if (size > 0)
            sum += fabs(x[j] - y[j]) / size;
    }
    return sum;
}

static double braycurtis(const pickle__metric *m, const double *x, const double *y)
{
    double apart = 0, size = 0;

    for (size_t j = 0; j < m->n; j++) {
        apart += fabs(x[j] - y[j]);
        size += fabs(x[j]) + fabs(y[j]);
    }
    return size > 0 ? apart / size : 0;
}

static double haversine(const double *x, const double *y)
{
    double a = sin(0.5 * (x[0] - y[0])), b = sin(0.5 * (x[1] - y[1]));

    return a * a + cos(x[0]) * cos(y[0]) * b * b;
}

/* 1 less the cosine of the angle; sums are numpy's, as are the norms. */
static double cosine(const pickle__metric *m, const double *x, const double *y)
{
    double sum = 0, distance;

    for (size_t j = 0; j < m->n; j++)
        sum += x[j] * y[j];
    distance = -sum + 1;
    return distance < 0 ? 0 : distance > 2 ? 2 : distance;
}

/* Columns that are zero or not, counted by pairs. */
static double of_counts(const pickle__metric *m, const double *x, const double *y)
{
    size_t both = 0, either = 0, unequal = 0;
    double n = (double)m->n, tt, ne;

    for (size_t j = 0; j < m->n; j++) {
        both += x[j] != 0 && y[j] != 0;
        either += x[j] != 0 || y[j] != 0;
        unequal += m->kind == PICKLE__HAMMING ? x[j] != y[j] : (x[j] != 0) != (y[j] != 0);
    }
    tt = (double)both;
    ne = (double)unequal;
    switch (m->kind) {
    case PICKLE__JACCARD:
        return either ? (double)(either - both) / (double)either : 0;
    case PICKLE__DICE:
        return ne / (2 * tt + ne);
    case PICKLE__KULSINSKI:
        return (ne - tt + n) / (ne + n);
    case PICKLE__ROGERSTANIMOTO:
    case PICKLE__SOKALMICHENER:
        return 2 * ne / (n + ne);
    case PICKLE__RUSSELLRAO:
        return (n - tt) / n;
    case PICKLE__SOKALSNEATH:
        return ne / (ne + 0.5 * tt);
    default:
        return ne / n;
    }
}

double pickle__metric_reduced(const pickle__metric *m, const double *x, const double *y)
{
    switch (m->kind) {
    case PICKLE__EUCLIDEAN:
        return squares(m, x, y);
    case PICKLE__MANHATTAN:
        return absolute(m, x, y);
    case PICKLE__CHEBYSHEV:
        return largest(m, x, y);
    case PICKLE__MINKOWSKI:
    case PICKLE__WMINKOWSKI:
        return powers(m, x, y);
    case PICKLE__SEUCLIDEAN:
        return scaled_squares(m, x, y);
    case PICKLE__MAHALANOBIS:
        return mahalanobis(m, x, y);
    case PICKLE__CANBERRA:
        return canberra(m, x, y);
    case PICKLE__BRAYCURTIS:
        return braycurtis(m, x, y);
    case PICKLE__HAVERSINE:
        return haversine(x, y);
    case PICKLE__COSINE:
        return cosine(m, x, y);
    default:
        return of_counts(m, x, y);
    }
}

double pickle__metric_distance(const pickle__metric *m, double reduced)
{
    switch (m->kind) {
    case PICKLE__EUCLIDEAN:
    case PICKLE__SEUCLIDEAN:
    case PICKLE__MAHALANOBIS:
        return sqrt(reduced);
    case PICKLE__MINKOWSKI:
    case PICKLE__WMINKOWSKI:
        return pow(reduced, 1 / m->p);
    case PICKLE__HAVERSINE:
        return 2 * asin(sqrt(reduced));
    default:
        return reduced;
    }
}

double pickle__metric_reduce(const pickle__metric *m, double distance)
{
    double half;

    switch (m->kind) {
    case PICKLE__EUCLIDEAN:
    case PICKLE__SEUCLIDEAN:
    case PICKLE__MAHALANOBIS:
        return distance * distance;
    case PICKLE__MINKOWSKI:
    case PICKLE__WMINKOWSKI:
        return pow(distance, m->p);
    case PICKLE__HAVERSINE:
        half = sin(0.5 * distance);
        return half * half;
    default:
        return distance;
    }
}
