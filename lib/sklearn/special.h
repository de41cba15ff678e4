/* special.h - functions of scipy.special. */
#ifndef PICKLE__SKLEARN_SPECIAL_H
#define PICKLE__SKLEARN_SPECIAL_H

/* The normal distribution: the probability of what is below x. */
double pickle__ndtr(double x);
/* Its inverse: of what is between 0 and 1, both excluded. */
double pickle__ndtri(double p);
/* As scipy's own were, not the C library's: an ulp apart. */
double pickle__expm1(double x);
double pickle__log1p(double x);

#endif
