/* multi.c - several models for several classes or targets; calibration. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__multi_estimators[] = {
    { NULL, NULL, NULL },
};
