/* known.h - the table of classes that have a view, and of the functions that make them. */
#ifndef PICKLE__KNOWN_H
#define PICKLE__KNOWN_H

#include "graph/doc.h"

#include <pickle/class.h>

/* Where the class of what a global makes is found. */
typedef enum pickle__maker {
    PICKLE__IS_CLASS, /* the global is the class                                   */
    PICKLE__OF_ARG,   /* a function that takes the class as its first argument     */
    PICKLE__MAKES,    /* a function whose result is always of the class `public`   */
    PICKLE__IS_VALUE  /* the global is itself the value: pandas.NA                 */
} pickle__maker;

typedef struct pickle__known {
    const char *name, *module; /* module "*": any, for Cython's reconstructors */
    pickle_type type;
    pickle__maker maker;
    const char *public_name; /* dotted; NULL for PICKLE__OF_ARG */
} pickle__known;

/* The row of a global, or NULL. */
const pickle__known *pickle__known_global(const pickle_val *global);
/* The row of the class of an object, through functions that take it as an argument; or NULL. */
const pickle__known *pickle__known_object(const pickle_val *v);
/* Is the object of the class, or made by the function, that is publicly known as this? */
bool pickle__known_as(const pickle_val *v, const char *public_name);

#endif
