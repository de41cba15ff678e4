/* scale.h - what transforms of the same family ask of a file. */
#ifndef PICKLE__SKLEARN_SCALE_H
#define PICKLE__SKLEARN_SCALE_H

#include "sklearn/estimator.h"

/* Was the file written with numpy 2? There a numpy scalar makes doubles of floats, and before it is
 * brought to their type. An array tells by its module; joblib's do not, and it is judged
 * by scikit-learn's version. */
bool pickle__with_numpy2(const pickle__opener *o, const pickle_val *array);

#endif
