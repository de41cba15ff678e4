/* special.h - functions of scipy.special. */
#ifndef PICKLE__SKLEARN_SPECIAL_H
#define PICKLE__SKLEARN_SPECIAL_H

/* The normal distribution: the probability of what is below x. */
double pickle__ndtr(double x);
/* Its inverse: of what is between 0 and 1, both excluded. */
double pickle__ndtri(double p);
/* As scipy had it before 1.12: an ulp from the C library's. */
double pickle__expm1(double x);

#endif
