/*
 * members.h - the estimators that an ensemble asks.
 *
 * They answer one after the other, each over the whole block of rows; what an answer took of the
 * run's memory is given back before the next, so that the ensemble's own numbers must be taken
 * first.
 */
#ifndef PICKLE__SKLEARN_MEMBERS_H
#define PICKLE__SKLEARN_MEMBERS_H

#include "sklearn/estimator.h"

typedef struct pickle__members {
    size_t count;
    pickle_model **models;
    /* For each, the places of its classes among the ensemble's; NULL: it is no classifier. */
    const size_t **places;
} pickle__members;

/* An attribute that lists estimators. */
void pickle__open_members(pickle__opener *o, const char *attribute, pickle__members *members);
/* Their columns and names as the ensemble's, where all get what the ensemble is given. */
void pickle__members_share_input(pickle__opener *o, const pickle__members *members);

/* The places of a part's classes: in 0 .. `count`, as which they were encoded before it was fitted;
 * or among `classes`, in whose order they are. NULL when there is none, and an error if it is a
 * classifier nevertheless. */
const size_t *pickle__encoded_places(pickle__opener *o, const pickle_model *part, size_t count);
const size_t *pickle__label_places(pickle__opener *o, const pickle_model *part,
                                   const pickle__labels *classes);
/* Those of all members: classes that were encoded as 0 .. `count`. */
void pickle__members_encoded(pickle__opener *o, pickle__members *members, size_t count);

/* Has each the method? */
bool pickle__members_have(const pickle__members *members, pickle_method method);

/* Sorts where the nodes of an ensemble's trees are in the file, and checks that each has its own:
 * else a small file could stand for any number of trees. */
bool pickle__all_distinct(pickle__opener *o, const char *attribute, const void **data,
                          size_t count);

/* A part's answer as doubles. `width` is what it must have, 0 for any. */
bool pickle__ask(const pickle_model *part, pickle_method method, pickle__run *r,
                 const pickle_batch *x, size_t width, pickle_batch *y);

/* Kinds that scikit-learn hands on without a look. */
#define PICKLE__ANYTHING (PICKLE__F64 | PICKLE__F32 | PICKLE__CSR | PICKLE__CELLS)

#endif
