/* importance.h - how much each feature means to an estimator that was fitted. */
#ifndef PICKLE__SKLEARN_IMPORTANCE_H
#define PICKLE__SKLEARN_IMPORTANCE_H

#include "sklearn/estimator.h"

typedef struct importances {
    size_t count; /* of features */
    double *scores;
    bool f32; /* scikit-learn has them as float32 */
} importances;

/* As sklearn.feature_selection has them, of norm 1, 2 or INFINITY: of an attribute's path, or of
 * "auto". False after pickle__bad or pickle__unsupported. */
bool pickle__importances(pickle__opener *o, const pickle_val *estimator, const char *path,
                         double norm, importances *out);

/* The name of an object's class, if it is of scikit-learn; NULL: it isn't. */
const char *pickle__sklearn_class(const pickle_val *v);

#endif
