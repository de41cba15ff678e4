/* lanes.c - the rows of a learned table, several side by side. */
#include "sklearn/lanes.h"

#include <math.h>

#define LANES PICKLE__LANES

bool pickle__lanes_of(pickle__opener *o, const double *table, size_t rows, size_t cols,
                      pickle__lanes *out)
{
    size_t groups = rows / LANES + (rows % LANES > 0);
    double *data = cols < SIZE_MAX / LANES / sizeof *data
                       ? pickle__keep(o, groups, cols * LANES * sizeof *data)
                       : NULL;

    *out = (pickle__lanes){ rows, cols, groups, data };
    for (size_t i = 0; data && i < rows; i++) {
        double *to = data + i / LANES * LANES * cols + i % LANES;

        for (size_t j = 0; j < cols; j++)
            to[j * LANES] = table[i * cols + j];
    }
    return data != NULL;
}

#define OVER_LANES(name, take)                                      \
    void name(const pickle__lanes *l, const double *x, double *out) \
    {                                                               \
        const double *at = l->data;                                 \
                                                                    \
        for (size_t g = 0; g < l->groups; g++, out += LANES) {      \
            double sums[LANES] = { 0 };                             \
                                                                    \
            for (size_t j = 0; j < l->cols; j++, at += LANES) {     \
                double v = x[j];                                    \
                                                                    \
                for (size_t k = 0; k < LANES; k++)                  \
                    sums[k] = take(sums[k], v, at[k]);              \
            }                                                       \
            for (size_t k = 0; k < LANES; k++)                      \
                out[k] = sums[k];                                   \
        }                                                           \
    }

#define PLUS_PRODUCT(sum, a, b)  ((sum) + (a) * (b))
#define PLUS_SQUARE(sum, a, b)   ((sum) + ((a) - (b)) * ((a) - (b)))
#define PLUS_ABSOLUTE(sum, a, b) ((sum) + fabs((a) - (b)))
#define OR_LARGER(most, a, b)    (fabs((a) - (b)) > (most) ? fabs((a) - (b)) : (most))

OVER_LANES(pickle__lanes_dots, PLUS_PRODUCT)
OVER_LANES(pickle__lanes_squares, PLUS_SQUARE)
OVER_LANES(pickle__lanes_absolute, PLUS_ABSOLUTE)
OVER_LANES(pickle__lanes_largest, OR_LARGER)
