/* categories.h - values that a column may have, found again by hashing. */
#ifndef PICKLE__SKLEARN_CATEGORIES_H
#define PICKLE__SKLEARN_CATEGORIES_H

#include "sklearn/estimator.h"

#define PICKLE__UNKNOWN (-1)

/* Different values, and the place of each. */
typedef struct pickle__categories {
    size_t count;
    const pickle_cell *cells;
    int32_t *slots; /* a place + 1; 0: free */
    size_t mask, longest;
    bool has_text, has_nan;
} pickle__categories;

/* Of an array or sequence of values; false after an error, or when it is unsupported. */
bool pickle__categories_of(pickle__opener *o, const char *name, const pickle_val *v,
                           pickle__categories *out);
bool pickle__categories_index(pickle__opener *o, const char *name, pickle__labels labels,
                              pickle__categories *out);
/* The place of a value, or PICKLE__UNKNOWN. Numbers of any type are equal as in Python. */
int32_t pickle__category_of(const pickle__categories *c, const pickle_cell *cell);
int32_t pickle__category_of_number(const pickle__categories *c, double number);

/* Categories of each column: categories_. */
typedef struct pickle__coder {
    size_t columns;
    pickle__categories *of;
    size_t *starts; /* how many categories the columns before have: columns + 1 */
} pickle__coder;

/* Read categories_, and set what the model takes. `nan_since`: the version that takes NaN. */
bool pickle__open_coder(pickle__opener *o, pickle__coder *c, int nan_since);
/* The place of each value among its column's categories, or PICKLE__UNKNOWN: rows * columns;
 * NULL after an error. */
int32_t *pickle__codes(const pickle_model *m, const pickle__coder *c, pickle__run *r,
                       const pickle_batch *x);

/* What an encoder's dtype makes of its output. */
typedef enum pickle__output { PICKLE__AS_F64, PICKLE__AS_F32, PICKLE__AS_INTEGERS } pickle__output;
/* `most` and `least` are the largest and the smallest number that it has to hold. */
pickle__output pickle__output_of(pickle__opener *o, const char *name, double least, double most);

/* For each category of column `i` its group, after those that are too rare were put together in the
 * last; NULL where they are as they are, or after an error. `count` is how many categories the
 * mapping must have. */
const int64_t *pickle__groups_of(pickle__opener *o, size_t i, size_t columns, size_t count);
extern const pickle_cell pickle__infrequent;

/* The classes of encode.c's table. */
void pickle__open_one_hot(pickle__opener *o);
void pickle__open_one_hot_legacy(pickle__opener *o);
void pickle__open_ordinal(pickle__opener *o);
void pickle__open_target_encoder(pickle__opener *o);
void pickle__open_label_encoder(pickle__opener *o);
void pickle__open_label_binarizer(pickle__opener *o);

#endif
