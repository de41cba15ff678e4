/* make.h - between the files that make values of known classes. */
#ifndef PICKLE__MAKE_H
#define PICKLE__MAKE_H

#include "types/numpy.h"

#include <pickle/build.h>

/* NULL, and a failed document. */
#define PICKLE__REFUSE(...) (pickle__doc_fail(__VA_ARGS__), NULL)

/* How many, and where they are: for pickle_new_tuple. */
#define PICKLE__ITEMS(...)                                                           \
    sizeof((const pickle_val *const[]){ __VA_ARGS__ }) / sizeof(const pickle_val *), \
        (const pickle_val *const[])                                                  \
    {                                                                                \
        __VA_ARGS__                                                                  \
    }

/* module.name(*args) by REDUCE; NULL, as all of them are, if an argument is. */
pickle_val *pickle__call(pickle_doc *doc, const char *module, const char *name, size_t n,
                         const pickle_val *const *args);

/* The place of a value that is kept to be used again, beside its name among the document's names;
 * None at first. It moves when there are more of them. NULL: no memory. */
pickle_val **pickle__kept(pickle_doc *doc, const char *name);

/* Is it in the list, which NULL ends? */
bool pickle__is_one_of(const char *name, const char *const *names);

/* May Decimal() take it? */
bool pickle__is_decimal(const char *text);

#endif
