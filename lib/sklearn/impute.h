/* impute.h - what imputers share: what counts as missing, and columns that mark it. */
#ifndef PICKLE__SKLEARN_IMPUTE_H
#define PICKLE__SKLEARN_IMPUTE_H

#include "sklearn/estimator.h"

typedef struct missing {
    bool nan, is_number;
    double number;
    pickle_cell value;
} missing;

typedef struct indicator {
    missing missing;
    bool error_on_new;
    size_t count; /* columns that it marks */
    size_t *features;
    size_t *places; /* of each column: its place in `features`, from 1; 0: it is not marked */
} indicator;

/* missing_values: NaN, a number, text or None; or NaN as the text "NaN". */
void pickle__open_missing(pickle__opener *o, missing *s, bool nan_as_text);
/* Can `x` have what is missing, and nothing that must not be? */
bool pickle__check_missing(const pickle_model *m, const missing *s, pickle__run *r,
                           const pickle_batch *x);
/* An element of a dense table. */
bool pickle__is_missing(const missing *s, const pickle_batch *x, size_t i, size_t j);

/* indicator_, if the imputer adds one; NULL: it doesn't. */
const indicator *pickle__open_imputers_indicator(pickle__opener *o, size_t columns);
/* What was imputed, `y`, gets the marks of `x` beside it; nothing if `s` is NULL. */
bool pickle__beside_indicator(const indicator *s, pickle__run *r, const pickle_batch *x,
                              pickle_batch *y);

#endif
