/* opening.h - what open.c and attributes.c share while a model is opened. */
#ifndef PICKLE__SKLEARN_OPENING_H
#define PICKLE__SKLEARN_OPENING_H

#include "sklearn/estimator.h"

/* All estimators that are known, by package and name; NULL: unknown. `module` is whole. */
const pickle__estimator *pickle__estimator_of(const char *module, const char *name);

/* What a model and its parts live in. */
typedef struct pickle__root {
    pickle__pool pool;
    pickle_doc *doc; /* owned; NULL: the caller's */
} pickle__root;

typedef struct pickle__opening {
    pickle__root *root;
    pickle_error *err; /* never NULL */
    bool failed;       /* `err` says why */
    bool newer;
    unsigned depth;
    /* Objects that were opened: a value that stands in two places is one model. */
    struct {
        const pickle_val *object;
        pickle_model *model;
    } * seen;
    size_t n_seen, seen_size;
} pickle__opening;

/* PICKLE_ERR_NOMEM; returns false. */
bool pickle__opening_no_memory(pickle__opening *all);

#endif
