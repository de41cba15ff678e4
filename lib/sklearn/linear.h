/* linear.h - classifiers whose scores are products, and what they make of the scores. */
#ifndef PICKLE__SKLEARN_LINEAR_H
#define PICKLE__SKLEARN_LINEAR_H

#include "sklearn/affine.h"

/* How scores become probabilities. */
typedef enum pickle__proba {
    PICKLE__NO_PROBA,
    PICKLE__SIGMOIDS,         /* of each class, over their sum */
    PICKLE__SIGMOIDS_OR_EVEN, /* likewise; if all are 0, all the same */
    PICKLE__SOFTMAX,
    PICKLE__CLIPPED /* SGDClassifier's, for the loss modified_huber */
} pickle__proba;

typedef struct pickle__linear {
    pickle__affine scores; /* of one output: the second of two classes against the first */
    pickle__proba proba;
} pickle__linear;

/* coef_ and intercept_, and the batches they take. */
void pickle__open_scores(pickle__opener *o, pickle__linear *l);
/* Likewise, with classes called so and the methods decision_function and predict. */
void pickle__open_classifier(pickle__opener *o, pickle__linear *l, const char *name,
                             const pickle_val *classes);

/* Methods of a model whose state begins with a pickle__linear. */
pickle__method pickle__linear_scores, pickle__linear_predict, pickle__linear_proba;

#endif
