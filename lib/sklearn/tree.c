/* tree.c - decision trees. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__tree_estimators[] = {
    { NULL, NULL, NULL },
};
