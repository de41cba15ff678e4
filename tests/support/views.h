/* views.h - looks at a document in all the ways the library has, for damaged ones. */
#ifndef VIEWS_H
#define VIEWS_H

#include <pickle/pickle.h>

/* Every accessor and view on every value, to a bounded extent. Returns something that depends on
 * all that was read, so that nothing is left out. */
size_t views_look(const pickle_doc *doc);

#endif
