/* compose.c - tables side by side: unions, column transformers; search, transformed targets. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__compose_estimators[] = {
    { NULL, NULL, NULL },
};
