/* hash.c - feature hashing and dictionaries. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__hash_estimators[] = {
    { NULL, NULL, NULL },
};
