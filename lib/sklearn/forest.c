/* forest.c - averages of trees: forests, extra trees, isolation forests. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__forest_estimators[] = {
    { NULL, NULL, NULL },
};
