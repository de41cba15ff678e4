/* discriminant.c - linear and quadratic discriminant analysis. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__discriminant_estimators[] = {
    { NULL, NULL, NULL },
};
