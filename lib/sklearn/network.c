/* network.c - multi-layer perceptrons. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__network_estimators[] = {
    { NULL, NULL, NULL },
};
