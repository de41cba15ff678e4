/* decomposition.c - projections: PCA, SVD and their like. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__decomposition_estimators[] = {
    { NULL, NULL, NULL },
};
