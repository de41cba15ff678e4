/*
 * walk.h - goes through a graph depth first, without recursion and within
 * limits, the way show and get print it.
 */
#ifndef WALK_H
#define WALK_H

#include "view.h"

#define NO_LIMIT SIZE_MAX

typedef enum walk_mode {
    WALK_COUNT, /* shared values once: finds out which ones are shared          */
    WALK_SHOW,  /* likewise, after WALK_COUNT with the same limits: marks them  */
    WALK_COPY   /* every value wherever it stands; a cycle ends the walk        */
} walk_mode;

typedef enum walk_step {
    WALK_NODE,  /* `at` is the next value                       */
    WALK_LEAVE, /* the children of one end: `hidden` were left out */
    WALK_END,
    WALK_CYCLE,
    WALK_NO_MEMORY
} walk_step;

typedef struct walk_frame walk_frame;
typedef struct walk walk;

struct walk {
    /* Set by the caller, the rest zero. */
    walk_mode mode;
    size_t depth;      /* how many levels are opened                       */
    size_t items;      /* how many items of a container, ...               */
    size_t attributes; /* ... and children of an object                    */
    bool sample;       /* of instances of one class in a list only the first */
    bool keys;         /* keys of dicts are children too                   */
    view_as as;        /* what is made of objects                          */
    bool (*is_leaf)(const walk *w, const pickle_val *v); /* is not opened; may be NULL */
    seen *seen;
    const pickle_val *root;

    /* At WALK_NODE; `level` is the parent's at WALK_LEAVE. */
    child at;
    value_form form; /* of its value */
    const pickle_val *parent;
    size_t level; /* of the root: 0 */
    bool opened;  /* its children follow, then WALK_LEAVE */
    bool last;    /* nothing follows it in its parent     */
    bool again;   /* it was shown before                  */
    uint32_t id;  /* of what is shared, else 0            */
    size_t hidden;

    walk_frame *frames;
    size_t n, room;
    bool started;
};

walk_step walk_next(walk *w);
/* The whole walk, for what it finds out. False: no memory. */
bool walk_count(walk w);
/* Was the ancestor of `at` at this level, from 1, the last in its parent? */
bool walk_was_last(const walk *w, size_t level);
/* Has a tensor seen before, or to come, the same storage? */
bool walk_shares_storage(const walk *w, const pickle_val *tensor);
void walk_free(walk *w);

#endif
