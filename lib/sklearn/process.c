/* process.c - Gaussian processes. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__process_estimators[] = {
    { NULL, NULL, NULL },
};
