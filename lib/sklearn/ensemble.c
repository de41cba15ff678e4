/* ensemble.c - AdaBoost, bagging, voting, stacking. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__ensemble_estimators[] = {
    { NULL, NULL, NULL },
};
