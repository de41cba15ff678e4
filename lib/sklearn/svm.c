/* svm.c - support vector machines, as libsvm computes them. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__svm_estimators[] = {
    { NULL, NULL, NULL },
};
