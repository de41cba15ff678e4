/* select.c - selections of columns. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__select_estimators[] = {
    { NULL, NULL, NULL },
};
