/* loss.h - which loss a boosted model was fitted with, by the name of its class. */
#ifndef PICKLE__SKLEARN_LOSS_H
#define PICKLE__SKLEARN_LOSS_H

#include "sklearn/estimator.h"

typedef struct pickle__loss {
    const char *name;
    bool classes;     /* of a classifier */
    bool exponential; /* what this means is the estimator's */
} pickle__loss;

/* The one of `count` losses whose name the attribute's class has; unsupported and NULL for others.
 */
const pickle__loss *pickle__open_loss(pickle__opener *o, const char *attribute,
                                      const pickle__loss *losses, size_t count, bool classes);

#endif
