/* text.c - vectorizers of text. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__text_estimators[] = {
    { NULL, NULL, NULL },
};
