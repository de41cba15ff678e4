/* walk.h - the set of values that were seen, for walks over graphs with sharing and cycles. */
#ifndef PICKLE__WALK_H
#define PICKLE__WALK_H

#include "base/base.h"

#include <pickle/doc.h>

typedef struct pickle__seen {
    const pickle_val **slots; /* NULL: free */
    size_t count, room;
    const pickle_alloc *alloc;
} pickle__seen;

/* Adds `v`; *known tells whether it was there before. False: no memory. */
bool pickle__seen_add(pickle__seen *seen, const pickle_val *v, bool *known);
void pickle__seen_remove(pickle__seen *seen, const pickle_val *v);
void pickle__seen_free(pickle__seen *seen);

#endif
