/* expand.c - features from features: polynomials, bins, splines, functions. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__expand_estimators[] = {
    { NULL, NULL, NULL },
};
