/*
 * slots.h - the places that hold the parts of a value, and a map from values to
 * values: what it takes to copy or to change a graph without recursion.
 */
#ifndef PICKLE__SLOTS_H
#define PICKLE__SLOTS_H

#include "graph/doc.h"

/* What may stand in a place. */
typedef enum pickle__place {
    PICKLE__PLACE_ANY,
    PICKLE__PLACE_KEY,      /* what is hashable                                */
    PICKLE__PLACE_CALLABLE, /* a symbol                                        */
    PICKLE__PLACE_ARGS,     /* a tuple or a symbol                             */
    PICKLE__PLACE_KWARGS,   /* a dict or a symbol                              */
    PICKLE__PLACE_OWN       /* a container or bytes that belong to this place  */
} pickle__place;

typedef bool pickle__slot_visit(void *ctx, pickle_val **slot, pickle__place place);

/* Calls `visit` for each place in `v`, but for a global's names; stops when it returns false. */
bool pickle__each_slot(pickle_val *v, pickle__slot_visit *visit, void *ctx);

typedef struct pickle__pair {
    const pickle_val *from;
    pickle_val *to;
} pickle__pair;

/* The pairs stand in the order they were added: the map is also the queue of a walk. */
typedef struct pickle__map {
    pickle__pair *pairs;
    size_t *slots; /* 0: free, else pair number + 1; twice as many as there is room for */
    size_t count, room;
    const pickle_alloc *alloc;
} pickle__map;

/* NULL: it is not there. */
pickle_val *pickle__map_get(const pickle__map *m, const pickle_val *from);
/* Adds what is not there; false: no memory. */
bool pickle__map_add(pickle__map *m, const pickle_val *from, pickle_val *to);
void pickle__map_free(pickle__map *m);

#endif
