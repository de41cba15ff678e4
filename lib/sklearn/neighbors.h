/* neighbors.h - estimators of sklearn.neighbors that have files of their own. */
#ifndef PICKLE__SKLEARN_NEIGHBORS_H
#define PICKLE__SKLEARN_NEIGHBORS_H

#include "sklearn/estimator.h"

void pickle__open_centroid(pickle__opener *o);
void pickle__open_outlier_factor(pickle__opener *o);

#endif
