/*
 * ranks.h - the smallest of some numbers, and where they are.
 *
 * Which of equal numbers are among them, and in what order, is part of the answer: these do the
 * steps of scikit-learn's heaps and sorts, and of numpy's argpartition and argsort.
 */
#ifndef PICKLE__SKLEARN_RANKS_H
#define PICKLE__SKLEARN_RANKS_H

#include <stdbool.h>
#include <stddef.h>

/* The largest of the smallest is on top: values[0]. */
typedef struct pickle__heap {
    size_t size;
    double *values;
    size_t *places;
} pickle__heap;

void pickle__heap_clear(pickle__heap *h, double most);
/* Only for a value below the top. */
void pickle__heap_push(pickle__heap *h, double value, size_t place);

/* Sort both by values: scikit-learn's simultaneous_sort, of 1.9 (`twice`) or of before. */
void pickle__sort_both(double *values, size_t *places, size_t n, bool twice);

/* np.argpartition(values, k - 1)[:k], then sorted by np.argsort; `places` has room for n. */
void pickle__smallest(const double *values, size_t n, size_t k, size_t *places);

#endif
