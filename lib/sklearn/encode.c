/* encode.c - encoders of categories and labels. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__encode_estimators[] = {
    { NULL, NULL, NULL },
};
