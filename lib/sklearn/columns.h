/* columns.h - which columns of its table a part of a ColumnTransformer gets. */
#ifndef PICKLE__SKLEARN_COLUMNS_H
#define PICKLE__SKLEARN_COLUMNS_H

#include "sklearn/categories.h"

typedef struct pickle__chooser {
    pickle__opener *o;
    size_t features;
    pickle__labels names;      /* of the table it was fitted on; none: fitted without */
    pickle__categories places; /* of names */
    const pickle_val *known;   /* _transformer_to_input_indices, since 1.0 */
    bool *spare;               /* columns that nobody gets */
    size_t total;              /* columns that were chosen */
    bool by_name;
} pickle__chooser;

bool pickle__open_chooser(pickle__opener *o, pickle__chooser *c);
/* Places of the columns that `key` stands for, of the transformer called so: a number, a name, a
 * list or array of them, a mask or a slice; NULL after an error. */
const size_t *pickle__choose(pickle__chooser *c, const char *name, const pickle_val *key,
                             size_t *count);
/* Tell the model its features, names, and which of them are spare. */
void pickle__close_chooser(pickle__chooser *c);

#endif
