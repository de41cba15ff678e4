/* xgboost.c - XGBoost's models in their scikit-learn wrappers. */
#include "sklearn/estimator.h"

const pickle__estimator pickle__xgboost_estimators[] = {
    { NULL, NULL, NULL },
};
