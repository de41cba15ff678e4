/* impute.c - imputers. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__impute_estimators[] = {
    { NULL, NULL, NULL },
};
