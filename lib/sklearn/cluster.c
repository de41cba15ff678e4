/* cluster.c - k-means and other clusterers, mixtures. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__cluster_estimators[] = {
    { NULL, NULL, NULL },
};
