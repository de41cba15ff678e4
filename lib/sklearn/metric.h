/*
 * metric.h - distances between two rows, as sklearn.metrics.DistanceMetric and scipy have them.
 */
#ifndef PICKLE__SKLEARN_METRIC_H
#define PICKLE__SKLEARN_METRIC_H

#include "sklearn/estimator.h"

typedef enum pickle__metric_kind {
    PICKLE__EUCLIDEAN,
    PICKLE__MANHATTAN,
    PICKLE__CHEBYSHEV,
    PICKLE__MINKOWSKI,
    PICKLE__WMINKOWSKI,
    PICKLE__SEUCLIDEAN,
    PICKLE__MAHALANOBIS,
    PICKLE__HAMMING,
    PICKLE__CANBERRA,
    PICKLE__BRAYCURTIS,
    PICKLE__HAVERSINE,
    PICKLE__JACCARD,
    PICKLE__MATCHING,
    PICKLE__DICE,
    PICKLE__KULSINSKI,
    PICKLE__ROGERSTANIMOTO,
    PICKLE__RUSSELLRAO,
    PICKLE__SOKALMICHENER,
    PICKLE__SOKALSNEATH,
    PICKLE__COSINE,
    PICKLE__PRECOMPUTED /* rows are distances */
} pickle__metric_kind;

typedef struct pickle__metric {
    pickle__metric_kind kind;
    double p;
    size_t n;             /* columns */
    const double *vector; /* weights or variances of the columns; NULL: without */
    const double *matrix; /* n * n */
} pickle__metric;

/* Of an estimator that compares all rows: an attribute with a name, such as effective_metric_,
 * whose parameters come with it. */
bool pickle__metric_of(pickle__opener *o, const char *attribute, size_t features,
                       pickle__metric *out);
/* Of a tree: a DistanceMetric object. */
bool pickle__metric_object(pickle__opener *o, const pickle_val *v, size_t features,
                           pickle__metric *out);

/* "Reduced": what has the same order and is cheaper, such as the square of the distance. */
double pickle__metric_reduced(const pickle__metric *m, const double *x, const double *y);
double pickle__metric_distance(const pickle__metric *m, double reduced);
double pickle__metric_reduce(const pickle__metric *m, double distance);

#endif
