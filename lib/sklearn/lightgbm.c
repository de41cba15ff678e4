/* lightgbm.c - LightGBM's models in their scikit-learn wrappers. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__lightgbm_estimators[] = {
    { NULL, NULL, NULL },
};
