/* histogram.c - histogram-based gradient boosting. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__histogram_estimators[] = {
    { NULL, NULL, NULL },
};
