/* boosting.c - gradient boosting. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__boosting_estimators[] = {
    { NULL, NULL, NULL },
};
